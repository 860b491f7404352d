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
  std::uint32_t measured_per_sample = 1;

  // Of samples so far apart as most of these, evenly spaced; 0 if nothing says how far.
  [[nodiscard]] double rate_hz() const;
};

// Reads on to the end, or to what cannot be read. Throws InputError there.
void survey_samples(SampleReader& samples, TraceSurvey& survey);

// That rate as a scenario writes it: "1 kHz", also where nothing says how far samples are apart.
std::string rate_of(const TraceSurvey& survey);

// Reads `samples`, which are at their beginning, to the end, and leaves them at their beginning. Throws
// InputError as open_trace() does. O(file), constant memory.
TraceStats check_trace(SampleReader& samples, const TraceConfig& config);

}  // namespace brownout::sim
