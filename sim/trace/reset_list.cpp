#include "sim/trace/reset_list.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "sim/scenario/decimal.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/scenario/text.hpp"
#include "sim/trace/line_reader.hpp"
#include "sim/trace/trace_format.hpp"

namespace brownout::sim {
namespace {

struct Instant {
  std::string_view text;
  Location where;
};

[[noreturn]] void fail(const Instant& instant, std::string_view complaint) {
  throw InputError(instant.where, fmt::format("reset instant {} {}", in_quotes(instant.text), complaint));
}

// In picoseconds, rounded down; not negative. Larger than any time of a run where it does not fit.
Int128 instant_of(const Instant& instant, const ResetConfig& config) {
  constexpr int kPicosecondExponent = 9;  // of a millisecond
  const auto decimal = parse_decimal(instant.text);
  if (!decimal) fail(instant, "is not a number; there is one on each line");
  if (decimal->negative) fail(instant, "is negative; time begins at 0");
  if (config.clock_hz == 0) return *scaled(*decimal, 1, kPicosecondExponent, Rounding::nearest);
  const auto cycles = scaled(*decimal, 1, 0, Rounding::exact);
  if (!cycles) fail(instant, "is not a whole number of cycles; with `unit: ms` it is a time");
  constexpr Int128 kMostCycles = Int128{1} << 80;
  if (*cycles > kMostCycles) return kMostCycles;
  return *cycles * devices::kPicosecondsPerSecond / static_cast<Int128>(config.clock_hz);
}

Picoseconds checked(Int128 time_ps, const Instant& instant, Picoseconds last) {
  if (time_ps > kLongestTime.count) {
    fail(instant, fmt::format("is later than {}; is the unit right?", format_time(kLongestTime)));
  }
  const Picoseconds time{static_cast<std::int64_t>(time_ps)};
  if (time <= last) {
    fail(instant, last.count == 0 ? std::string("is the beginning of the run; the first must be after it")
                                  : fmt::format("is not after the one before, at {}; they must ascend",
                                                format_time(last)));
  }
  return time;
}

}  // namespace

ResetList read_reset_list(const ResetConfig& config, const Location& named_at) {
  LineReader lines(config.path, named_at);
  ResetList list;
  Picoseconds last;
  while (const auto line = lines.next()) {
    if (is_skipped_line(*line)) continue;
    const std::string_view text = trimmed(line->substr(0, line->find('#')));
    const Instant instant{text, lines.location(static_cast<std::size_t>(text.data() - line->data()))};
    if (list.instants.size() == kMaxResets)
      throw InputError(instant.where, fmt::format("more than {} reset instants", kMaxResets));
    last = checked(instant_of(instant, config), instant, last);
    list.instants.push_back(last);
  }
  if (list.instants.empty()) throw InputError({config.path, 1, 1}, "the list has no reset instants");
  return list;
}

}  // namespace brownout::sim
