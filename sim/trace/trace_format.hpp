// What the columns of a trace file mean.
//
// Two kinds of files are told apart by their first line that is neither empty nor a comment (#):
//   - Mementos text, which begins with a number: `<time in ms> <V>`, separated by tabs or spaces; the voltage
//     is across a load, so that P = V^2 / load.
//   - CSV, which begins with a line of column names: each a name and a unit as in `time_s`, `power [uW]`,
//     `current(mA)`, in any case, separated by tabs, else semicolons, else commas. Names may be quoted.
// Names of columns: time (t, timestamp), power (p), voltage (v), current (i), load (resistance, r). The power
// of a sample is its power column; else voltage times current; else voltage^2 over the load. Columns of other
// names are skipped, unless their name looks like one of these mistyped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/scenario/quantity.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/trace/line_reader.hpp"

namespace brownout::sim {

enum class ColumnRole : std::uint8_t { time, power, voltage, current, load, skipped };
inline constexpr std::size_t kColumnRoles = 5;  // without skipped
inline constexpr std::array<std::string_view, kColumnRoles> kColumnRoleNames{"time", "power", "voltage",
                                                                             "current", "load"};

enum class PowerFrom : std::uint8_t { power, voltage_current, voltage_load, voltage_load_column };

struct Column {
  ColumnRole role = ColumnRole::skipped;
  Unit unit;
};

struct TraceFormat {
  bool mementos = false;
  char separator = ',';  // CSV
  std::vector<Column> columns;
  PowerFrom power_from = PowerFrom::power;
  bool has_time = false;
};

// Reads up to the first line that says what the file is. CSV: the reader has then handed out the header, and
// samples follow. Mementos: the line was a sample, and is in `first_sample` until the reader's next line.
// Throws InputError for an empty file, an unknown header, columns that do not make a power, a missing or
// superfluous `load`, and time: stamped without a time column; O(header).
struct FormatFound {
  TraceFormat format;
  std::optional<std::string_view> first_sample;
};
FormatFound find_format(LineReader& lines, const TraceConfig& config);

// Whether a line holds nothing: blank, or a comment.
bool is_skipped_line(std::string_view line);

}  // namespace brownout::sim
