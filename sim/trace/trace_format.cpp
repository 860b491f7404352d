#include "sim/trace/trace_format.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/scenario/decimal.hpp"
#include "sim/scenario/nearest.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kMaxColumns = 256;

struct ColumnName {
  std::string_view name;
  ColumnRole role;
  Dimension dimension;
};

constexpr std::array<ColumnName, 12> kColumnNames{{{"time", ColumnRole::time, Dimension::time},
                                                   {"timestamp", ColumnRole::time, Dimension::time},
                                                   {"t", ColumnRole::time, Dimension::time},
                                                   {"power", ColumnRole::power, Dimension::power},
                                                   {"p", ColumnRole::power, Dimension::power},
                                                   {"voltage", ColumnRole::voltage, Dimension::voltage},
                                                   {"v", ColumnRole::voltage, Dimension::voltage},
                                                   {"current", ColumnRole::current, Dimension::current},
                                                   {"i", ColumnRole::current, Dimension::current},
                                                   {"load", ColumnRole::load, Dimension::resistance},
                                                   {"resistance", ColumnRole::load, Dimension::resistance},
                                                   {"r", ColumnRole::load, Dimension::resistance}}};

// The names long enough to be mistyped.
constexpr std::array<std::string_view, 7> kLongNames{"time",    "timestamp", "power",     "voltage",
                                                     "current", "load",      "resistance"};

constexpr std::array<std::string_view, kColumnRoles> kUnitExamples{"time_ms", "power_uw", "voltage_v",
                                                                   "current_ma", "load_ohm"};

std::string_view role_name(ColumnRole role) { return kColumnRoleNames.at(static_cast<std::size_t>(role)); }

std::string_view without_quotes(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return trimmed(text);
}

// A field of the header, and where it begins.
struct HeaderField {
  std::string_view text;
  std::size_t offset = 0;
};

std::vector<HeaderField> split_header(std::string_view line, char separator) {
  std::vector<HeaderField> fields;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(line.find(separator, begin), line.size());
    fields.push_back({without_quotes(line.substr(begin, end - begin)), begin});
    if (end == line.size()) return fields;
    begin = end + 1;
  }
}

char separator_of(std::string_view header) {
  for (const char candidate : {'\t', ';'}) {
    if (header.find(candidate) != std::string_view::npos) return candidate;
  }
  return ',';
}

struct NameAndUnit {
  std::string name;  // in lower case
  std::string_view unit;
};

// Takes "time_ms", "time [ms]", "time(ms)" or "time ms" apart. The unit is empty if there is none.
NameAndUnit take_apart(std::string_view text) {
  const bool brackets = !text.empty() && (text.back() == ']' || text.back() == ')');
  std::size_t cut = std::string_view::npos;
  std::string_view unit;
  if (brackets) {
    cut = text.rfind(text.back() == ']' ? '[' : '(');
    if (cut != std::string_view::npos) unit = trimmed(text.substr(cut + 1, text.size() - cut - 2));
  } else {
    cut = text.find_last_of("_ ");
    if (cut != std::string_view::npos) unit = text.substr(cut + 1);
  }
  std::string_view name = trimmed(text.substr(0, cut));
  while (name.ends_with('_')) name.remove_suffix(1);
  return {lower_ascii(name), unit};
}

const ColumnName* find_name(std::string_view name) {
  const auto found = std::find_if(kColumnNames.begin(), kColumnNames.end(),
                                  [&](const ColumnName& c) { return c.name == name; });
  return found == kColumnNames.end() ? nullptr : &*found;
}

[[noreturn]] void fail_for_unit(const Location& where, std::string_view text, const NameAndUnit& parts,
                                ColumnRole role) {
  const std::string_view example = kUnitExamples.at(static_cast<std::size_t>(role));
  throw InputError(
      where, parts.unit.empty()
                 ? fmt::format("column {} needs a unit in its name, such as {}", in_quotes(text), example)
                 : fmt::format("column {} has an unknown unit {}; write it such as {}", in_quotes(text),
                               in_quotes(parts.unit), example));
}

// The name that an unknown one of a column is probably a slip for. Stricter than nearest(), since other
// columns are no mistake: `temp` has nothing to do with time.
std::optional<std::string_view> mistyped(std::string_view name) {
  const auto meant = nearest(name, kLongNames);
  const std::size_t allowed = name.size() <= 5 ? 1 : 2;
  return meant && edit_distance(name, *meant) <= allowed ? meant : std::nullopt;
}

Column column_of(const HeaderField& field, const LineReader& lines) {
  const Location where = lines.location(field.offset);
  NameAndUnit parts = take_apart(field.text);
  const ColumnName* name = find_name(parts.name);
  if (name == nullptr) {
    const ColumnName* whole = find_name(lower_ascii(field.text));
    if (whole != nullptr) fail_for_unit(where, field.text, {std::string(whole->name), {}}, whole->role);
    if (const auto meant = mistyped(parts.name)) {
      throw InputError(where,
                       fmt::format("column {} is not known; did you mean {}?", in_quotes(field.text),
                                   kUnitExamples.at(static_cast<std::size_t>(find_name(*meant)->role))));
    }
    return {};
  }
  const Unit* unit = find_unit_any_case(parts.unit, name->dimension);
  if (unit == nullptr) fail_for_unit(where, field.text, parts, name->role);
  return {name->role, *unit};
}

std::vector<Column> read_columns(const std::vector<HeaderField>& fields, const LineReader& lines) {
  if (fields.size() > kMaxColumns) {
    throw InputError(lines.location(), fmt::format("{} columns; at most {}", fields.size(), kMaxColumns));
  }
  std::vector<Column> columns;
  for (const HeaderField& field : fields) {
    const Column column = column_of(field, lines);
    const bool twice =
        column.role != ColumnRole::skipped &&
        std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.role == column.role; });
    if (twice) {
      throw InputError(lines.location(field.offset),
                       fmt::format("column {} is a second {} column; leave one out", in_quotes(field.text),
                                   role_name(column.role)));
    }
    columns.push_back(column);
  }
  return columns;
}

bool has_role(const std::vector<Column>& columns, ColumnRole role) {
  return std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.role == role; });
}

void refuse_load(const TraceConfig& config, const Location& where, std::string_view why) {
  if (config.load_given) throw InputError(where, fmt::format("`load` is given, but {}", why));
}

// How a row makes a power, and whether the `load` of the scenario is there exactly if that needs it.
PowerFrom power_from(const std::vector<Column>& columns, const TraceConfig& config, const Location& where) {
  if (has_role(columns, ColumnRole::power)) {
    refuse_load(config, where, "this trace has a power column; leave it out");
    return PowerFrom::power;
  }
  if (!has_role(columns, ColumnRole::voltage)) {
    throw InputError(where,
                     "no columns that make a power; there must be one such as power_uw, or voltage_v with "
                     "current_ma, or voltage_v with a load");
  }
  if (has_role(columns, ColumnRole::current)) {
    refuse_load(config, where, "this trace has voltage and current; leave it out");
    return PowerFrom::voltage_current;
  }
  if (has_role(columns, ColumnRole::load)) {
    refuse_load(config, where, "this trace has a load column; leave it out");
    return PowerFrom::voltage_load_column;
  }
  if (!config.load_given) {
    throw InputError(
        where,
        "this trace has a voltage, but neither a current nor a load; say across which resistance "
        "it was measured, such as `load: 30 kOhm`");
  }
  return PowerFrom::voltage_load;
}

TraceFormat read_header(std::string_view line, const LineReader& lines, const TraceConfig& config) {
  TraceFormat format;
  format.separator = separator_of(line);
  format.columns = read_columns(split_header(line, format.separator), lines);
  format.power_from = power_from(format.columns, config, lines.location());
  format.has_time = has_role(format.columns, ColumnRole::time);
  if (!format.has_time && config.time == TraceTime::stamped) {
    throw InputError(lines.location(),
                     "no time column such as time_ms; for evenly spaced samples give `time: by_index` "
                     "and `rate`, such as `rate: 1 kHz`");
  }
  return format;
}

TraceFormat mementos_format() {
  TraceFormat format;
  format.mementos = true;
  format.columns = {{ColumnRole::time, *find_unit("ms", Dimension::time)},
                    {ColumnRole::voltage, *find_unit("V", Dimension::voltage)}};
  format.power_from = PowerFrom::voltage_load;
  format.has_time = true;
  return format;
}

}  // namespace

bool is_skipped_line(std::string_view line) {
  std::size_t first = 0;
  while (first < line.size() && (line[first] == ' ' || line[first] == '\t')) ++first;
  return first == line.size() || line[first] == '#';
}

FormatFound find_format(LineReader& lines, const TraceConfig& config) {
  while (const auto line = lines.next()) {
    if (is_skipped_line(*line)) continue;
    const std::string_view text = trimmed(*line);
    const std::size_t number = number_length(text);
    if (number == 0) return {read_header(*line, lines, config), std::nullopt};
    const bool mementos = number < text.size() && (text[number] == '\t' || text[number] == ' ');
    if (mementos) return {mementos_format(), line};
    throw InputError(lines.location(),
                     fmt::format("the trace begins with {}, which is neither a line of column names, "
                                 "such as time_ms,power_uw, nor Mementos text, `<ms> <V>`",
                                 in_quotes(text)));
  }
  if (lines.line_number() == 0) throw InputError({lines.path(), 1, 1}, "the trace is empty");
  throw InputError({lines.path(), 1, 1}, "the trace has nothing but empty lines and comments");
}

}  // namespace brownout::sim
