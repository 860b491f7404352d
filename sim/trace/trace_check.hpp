// The first reading of a trace, which refuses what cannot be simulated.
#pragma once

#include "sim/trace/sample_reader.hpp"
#include "sim/trace/trace_source.hpp"

namespace brownout::sim {

// Reads `samples`, which are at their beginning, to the end, and leaves them at their beginning. Throws
// InputError as open_trace() does. O(file), constant memory.
TraceStats check_trace(SampleReader& samples, const TraceConfig& config);

}  // namespace brownout::sim
