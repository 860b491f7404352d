// What `brownout trace` says of a file.
#pragma once

#include <string>

#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// The text for a trace as `config` has it read, but played once from its beginning. Where it cannot be
// simulated like that because of its times, it says so, and goes on with the samples as evenly spaced. Throws
// InputError for whatever else is wrong with it. O(file), three or four readings, in constant memory.
std::string describe_trace(TraceConfig config, const Location& named_at);

// The text for a list of reset instants. Throws InputError.
std::string describe_resets(const ResetConfig& config, const Location& named_at);

}  // namespace brownout::sim
