#include "sim/report/sweep.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "sim/machine/control_run.hpp"
#include "sim/report/figures.hpp"
#include "sim/report/report.hpp"
#include "sim/report/table.hpp"
#include "sim/scenario/fit.hpp"
#include "sim/scenario/input_error.hpp"
#include "sim/trace/hdf5_file.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSweepSchemaVersion = 1;

// A field of the run's report, and how the table for people shows it.
struct Column {
  const char* path;
  const char* title = nullptr;  // null: not there
  const char* unit = nullptr;   // null: a plain number or word
  bool compared = false;        // with the first cell
};
constexpr std::array<Column, 26> kColumns = {{{"verdict", "verdict"},
                                              {"stop_reason", "stopped by"},
                                              {"simulated_time_s"},
                                              {"work.operations", "operations"},
                                              {"work.operations_per_second", "a second", "", true},
                                              {"work.energy_per_operation_j", "energy each", "J", true},
                                              {"progress.operations_per_joule"},
                                              {"progress.duty_cycle"},
                                              {"progress.unavailability"},
                                              {"outages.total", "outages"},
                                              {"outages.lost", "lost"},
                                              {"outages.false_alarms"},
                                              {"persist.time_s.mean"},
                                              {"persist.time_s.maximum", "longest persist", "s", true},
                                              {"persist.energy_j.maximum"},
                                              {"persist_bound.time_s"},
                                              {"persist_bound.energy_j"},
                                              {"persist_bound.largest_over_bound.time"},
                                              {"persist_bound.largest_over_bound.energy"},
                                              {"restore.time_s.maximum"},
                                              {"margin.voltage_v", "margin", "V"},
                                              {"capacitor.recommended_f", "recommended", "F", true},
                                              {"energy.harvested_j"},
                                              {"energy.used_j"},
                                              {"storage.wear.years_at_this_rate"},
                                              {"hashes.scenario"}}};

// Null for a path that the report does not have.
Json at_path(const Json& report, std::string_view path) {
  const Json* at = &report;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const auto found = at->find(std::string(path.substr(0, dot)));
    if (found == at->end()) return nullptr;
    at = &*found;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return *at;
}

Json results_of(const std::string& report) {
  const Json parsed = Json::parse(report);
  Json results = Json::object();
  for (const Column& column : kColumns) results[column.path] = at_path(parsed, column.path);
  return results;
}

std::vector<SweepCell> cells_of(const std::vector<SweepAxis>& axes) {
  std::vector<SweepCell> cells(1);
  for (const SweepAxis& axis : axes) {
    std::vector<SweepCell> next;
    for (const SweepCell& cell : cells) {
      for (const std::string& value : axis.values) {
        next.push_back(cell);
        next.back().values.push_back(value);
      }
    }
    cells = std::move(next);
  }
  return cells;
}

Scenario scenario_of(const SweepOptions& options, const SweepCell& cell) {
  std::vector<Override> overrides;
  for (const std::string& text : options.sets) overrides.push_back({text});
  for (std::size_t i = 0; i < options.axes.size(); ++i)
    overrides.push_back({options.axes[i].key + "=" + cell.values[i]});
  Scenario scenario = load_scenario(options.file, overrides, options.seed);
  check_fit(scenario);
  return scenario;
}

// The C library of HDF5 is not made for several threads.
bool reads_hdf5(const Scenario& scenario) {
  const auto* trace = std::get_if<TraceConfig>(&scenario.supply.source);
  return trace != nullptr && is_hdf5(trace->path);
}

std::string word_of(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string shown(const Column& column, const SweepCell& cell) {
  if (cell.results.empty()) return "-";
  const Json& value = cell.results.at(column.path);
  if (column.unit == nullptr || !value.is_number()) return word_of(value);
  const auto number = value.get<double>();
  return *column.unit == '\0' ? fmt::format("{:.4g}", number) : si(number, column.unit, 4);
}

std::string change_shown(const Column& column, const SweepCell& cell, const SweepCell& first) {
  if (cell.results.empty() || first.results.empty()) return "-";
  const Json& a = first.results.at(column.path);
  const Json& b = cell.results.at(column.path);
  if (!a.is_number() || !b.is_number() || a.get<double>() == 0) return "-";
  return fmt::format("{:+.1f} %", 100 * (b.get<double>() - a.get<double>()) / std::fabs(a.get<double>()));
}

}  // namespace

SweepAxis parse_axis(const std::string& text) {
  const Location where{"--vary " + text, 0, 0};
  constexpr const char* kForm =
      "needs key=value,value,..., as in supply.capacitor.capacitance=\"22 uF,47 uF\"";
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw InputError(where, kForm);
  SweepAxis axis{text.substr(0, equals), {}};
  std::string value;
  int depth = 0;
  char quote = 0;
  const auto take = [&] {
    const std::size_t first = value.find_first_not_of(' ');
    if (first == std::string::npos) throw InputError(where, fmt::format("a value is empty; {}", kForm));
    value = value.substr(first, value.find_last_not_of(' ') - first + 1);
    if (std::find(axis.values.begin(), axis.values.end(), value) != axis.values.end()) {
      throw InputError(where, fmt::format("`{}` is there twice", value));
    }
    axis.values.push_back(std::move(value));
    value.clear();
  };
  for (const char c : text.substr(equals + 1)) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
    if (c == ',' && depth == 0 && quote == 0) {
      take();
    } else {
      value += c;
    }
  }
  take();
  return axis;
}

Sweep run_sweep(const SweepOptions& options) {
  Sweep sweep;
  sweep.axes = options.axes;
  std::size_t count = 1;
  for (const SweepAxis& axis : options.axes) {
    count *= axis.values.size();
    if (count > kMostCells) {
      throw InputError({"brownout sweep", 0, 0},
                       fmt::format("the grid has more than {} cells: vary less at once", kMostCells));
    }
  }
  sweep.cells = cells_of(options.axes);
  std::size_t jobs = std::min(options.jobs, sweep.cells.size());
  for (const SweepCell& cell : sweep.cells) {
    const Scenario scenario = scenario_of(options, cell);
    sweep.scenario = scenario.name;
    if (reads_hdf5(scenario)) jobs = 1;
  }

  std::atomic<std::size_t> next{0};
  std::size_t done = 0;
  std::exception_ptr error;
  std::mutex mutex;
  const auto is_interrupted = [&options] {
    return options.interrupted != nullptr && *options.interrupted != 0;
  };
  const auto work = [&] {
    for (std::size_t i = next++; i < sweep.cells.size() && !is_interrupted(); i = next++) {
      try {
        const Scenario scenario = scenario_of(options, sweep.cells[i]);
        RunOptions run;
        run.interrupted = options.interrupted;
        const RunResult result = simulate(scenario, run);
        if (result.complete) sweep.cells[i].results = results_of(json_report(scenario, result));
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (error == nullptr) error = std::current_exception();
        next = sweep.cells.size();
      }
      const std::lock_guard lock(mutex);
      if (options.progress) options.progress(++done, sweep.cells.size());
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t job = 1; job < jobs; ++job) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (error != nullptr) std::rethrow_exception(error);
  sweep.complete = std::none_of(sweep.cells.begin(), sweep.cells.end(),
                                [](const SweepCell& cell) { return cell.results.empty(); });
  return sweep;
}

std::string sweep_csv(const Sweep& sweep) {
  Table table;
  for (const SweepAxis& axis : sweep.axes) table.header.push_back(axis.key);
  for (const Column& column : kColumns) table.header.emplace_back(column.path);
  for (const SweepCell& cell : sweep.cells) {
    std::vector<std::string> row = cell.values;
    for (const Column& column : kColumns) {
      const Json value = cell.results.empty() ? Json(nullptr) : cell.results.at(column.path);
      row.push_back(value.is_null() ? "" : word_of(value));
    }
    table.rows.push_back(std::move(row));
  }
  return csv_of(table);
}

std::string sweep_json(const Sweep& sweep) {
  Json vary = Json::array();
  for (const SweepAxis& axis : sweep.axes) vary.push_back({{"key", axis.key}, {"values", axis.values}});
  Json cells = Json::array();
  for (const SweepCell& cell : sweep.cells) {
    Json set = Json::object();
    for (std::size_t i = 0; i < sweep.axes.size(); ++i) set[sweep.axes[i].key] = cell.values[i];
    cells.push_back({{"set", set}, {"results", cell.results.empty() ? Json(nullptr) : cell.results}});
  }
  const Json json = {{"schema", "brownout-sweep"},
                     {"schema_version", kSweepSchemaVersion},
                     {"version", BROWNOUT_VERSION},
                     {"scenario", sweep.scenario},
                     {"complete", sweep.complete},
                     {"vary", vary},
                     {"cells", cells}};
  return json.dump(2) + "\n";
}

std::string sweep_text(const Sweep& sweep) {
  Table results;
  Table changes;
  for (const SweepAxis& axis : sweep.axes) {
    const std::string name = axis.key.substr(axis.key.rfind('.') + 1);
    results.header.push_back(name);
    changes.header.push_back(name);
  }
  results.left = changes.left = sweep.axes.size();
  for (const Column& column : kColumns) {
    if (column.title == nullptr) continue;
    results.header.emplace_back(column.title);
    if (column.compared) changes.header.emplace_back(column.title);
  }
  for (const SweepCell& cell : sweep.cells) {
    std::vector<std::string> row = cell.values;
    std::vector<std::string> change = cell.values;
    for (const Column& column : kColumns) {
      if (column.title == nullptr) continue;
      row.push_back(shown(column, cell));
      if (column.compared) change.push_back(change_shown(column, cell, sweep.cells.front()));
    }
    results.rows.push_back(std::move(row));
    if (&cell != &sweep.cells.front()) changes.rows.push_back(std::move(change));
  }
  std::string text = fmt::format("{}: {} runs\n{}", sweep.scenario, sweep.cells.size(), text_of(results, 2));
  if (changes.rows.empty()) return text;
  return text + "\nagainst the first\n" + text_of(changes, 2);
}

}  // namespace brownout::sim
