// The first reading of a trace, which refuses what cannot be simulated.
#pragma once

#include <cstdint>
#include <string>

#include "sim/trace/sample_reader.hpp"
#include "sim/trace/step_histogram.hpp"
#include "sim/trace/trace_source.hpp"

namespace brownout::sim {

// What one reading collects, whatever the times are like.
struct TraceSurvey {
  StepHistogram steps;
  std::uint64_t samples = 0;
  std::uint64_t clamped = 0;
  bool any_power = false;
  std::uint64_t backward = 0;  // samples that are not later than the one before
  std::string backward_place;  // of the first
  Int128 first_ps = 0;
  Int128 last_ps = 0;
};

// Reads on to the end, or to what cannot be read. Throws InputError there.
void survey_samples(SampleReader& samples, TraceSurvey& survey);

// The rate of evenly spaced samples with that median step, as a scenario writes it: "1 kHz".
std::string rate_of(Picoseconds median);

// Reads `samples`, which are at their beginning, to the end, and leaves them at their beginning. Throws
// InputError as open_trace() does. O(file), constant memory.
TraceStats check_trace(SampleReader& samples, const TraceConfig& config);

}  // namespace brownout::sim
