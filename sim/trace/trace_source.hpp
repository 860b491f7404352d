// A recorded trace as a source of power.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "devices/supply/source.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// What the first reading of a trace found.
struct TraceStats {
  std::uint64_t samples = 0;
  std::uint64_t clamped = 0;  // samples of negative power, taken as none
  std::uint64_t gaps = 0;     // steps above 1.5 times the median
  Picoseconds median_step;    // what the last sample holds for
  Picoseconds duration;       // of one period, the last sample included
};

// Segments of a trace file: a sample holds until the next one, the last one for the median step; time starts
// at 0 with the first sample, or `offset` into the trace. The segments of IV curves follow the board, one
// each; resampling is for powers. Segments of equal power that follow each other are one, but not across the
// end of a trace that repeats. The file is read as the segments are asked for; memory is constant.
class TraceSource : public devices::Source {
 public:
  [[nodiscard]] virtual const TraceStats& stats() const = 0;
};

// Opens a trace and reads the whole file once to check it. Throws InputError at `named_at` (where the
// scenario names the file) if it cannot be read, and at the first line that is wrong: a field that is not a
// number, a row of another number of columns, time that does not go forward, or a gap (a step above 1.5 times
// the median of all steps) that config.gaps does not bridge. O(file).
std::unique_ptr<TraceSource> open_trace(const TraceConfig& config, const Location& named_at);

}  // namespace brownout::sim
