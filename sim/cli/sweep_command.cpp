#include <algorithm>
#include <cstdio>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/options.hpp"
#include "sim/report/sweep.hpp"
#include "sim/report/write_file.hpp"

namespace brownout::sim::cli {
namespace {

constexpr std::uint64_t kMostJobs = 256;

constexpr const char* kUsage =
    R"(usage: brownout sweep SCENARIO.yaml --vary KEY=VALUE,VALUE,... [--vary ...] [--set PATH=VALUE]...
                      [--jobs N] [--out FILE.csv|FILE.json] [--seed N] [--quiet]

Runs the scenario once for each combination of the values, and prints one table. Every run has its verdict in it: one
that loses data is a result, and the exit code is 0 if all of them ran.

)";

po::options_description options_of_sweep() {
  po::options_description options("options");
  options.add_options()                                             //
      ("vary", po::value<std::vector<std::string>>()->composing(),  //
       "a key and the values that it takes in turn, as in supply.capacitor.capacitance=\"22 uF,47 uF\"; may "
       "be given "
       "many times")                                               //
      ("set", po::value<std::vector<std::string>>()->composing(),  //
       "override a key in all runs")                               //
      ("jobs", po::value<std::string>(),
       "so many runs at once; the result is the same for any number (1)")  //
      ("out", po::value<std::string>(),
       "write the table to this file, as CSV or JSON by its ending, with more columns than are printed")  //
      ("seed", po::value<std::string>(), "seed of everything random, instead of the scenario's")          //
      ("quiet", "print nothing but errors")                                                               //
      ("help", "this text")                                                                               //
      ("scenario", po::value<std::string>(), "the scenario file");
  return options;
}

std::size_t jobs_of(const po::variables_map& values) {
  if (values.count("jobs") == 0) return 1;
  const auto& text = values["jobs"].as<std::string>();
  const std::uint64_t jobs = parse_number_flag("--jobs", text);
  if (jobs < 1 || jobs > kMostJobs) {
    throw InputError({"--jobs " + text, 0, 0}, fmt::format("has to be from 1 to {}", kMostJobs));
  }
  return jobs;
}

std::vector<SweepAxis> axes_of(const po::variables_map& values) {
  if (values.count("vary") == 0) {
    throw InputError({"brownout sweep", 0, 0},
                     "needs --vary, such as --vary supply.capacitor.capacitance=\"22 uF,47 uF\"");
  }
  std::vector<SweepAxis> axes;
  std::set<std::string> keys;
  for (const std::string& text : values["vary"].as<std::vector<std::string>>()) {
    axes.push_back(parse_axis(text));
    if (!keys.insert(axes.back().key).second) {
      throw InputError({"--vary " + text, 0, 0}, fmt::format("`{}` is varied already", axes.back().key));
    }
  }
  return axes;
}

}  // namespace

int sweep_command(const Arguments& arguments) {
  const auto parsed = parse_options(
      arguments, options_of_sweep(),
      {"brownout sweep", kUsage, "scenario", "needs a scenario file, such as scenarios/quickstart.yaml"});
  if (!parsed) return kExitDone;
  const po::variables_map& values = *parsed;
  const std::string out = output_path_of(values, "out");
  const bool as_json = out.ends_with(".json");
  if (!out.empty() && !as_json && !out.ends_with(".csv")) {
    throw InputError({"--out " + out, 0, 0}, "has to end in .csv or .json");
  }
  const bool quiet = values.count("quiet") > 0;
  SweepOptions options;
  options.file = values["scenario"].as<std::string>();
  options.sets = sets_of(values);
  if (values.count("seed") > 0) options.seed = parse_number_flag("--seed", values["seed"].as<std::string>());
  options.axes = axes_of(values);
  options.jobs = jobs_of(values);
  options.interrupted = watch_interrupts();
  const bool shows_progress = !quiet && isatty(STDERR_FILENO) == 1;
  if (shows_progress) {
    options.progress = [](std::size_t done, std::size_t of) {
      if (done < of) {
        std::fprintf(stderr, "\r\033[K%zu of %zu runs", done, of);
      } else {
        std::fputs("\r\033[K", stderr);
      }
    };
  }
  const Sweep sweep = run_sweep(options);
  if (shows_progress) std::fputs("\r\033[K", stderr);
  if (!out.empty()) write_file(out, as_json ? sweep_json(sweep) : sweep_csv(sweep));
  if (!quiet) print(sweep_text(sweep));
  return sweep.complete ? kExitDone : kExitInterrupted;
}

}  // namespace brownout::sim::cli
