// Return addresses as functions and source lines.
#pragma once

#include <string>
#include <vector>

namespace brownout::sim::explore {

// Those of the firmware (heap/, sim/firmware/), innermost first, as "function at heap/heap.hpp:123". Asks the
// machine's addr2line; empty if there is none, or no debug information. Costs milliseconds.
std::vector<std::string> firmware_frames(const std::vector<const void*>& stack);

}  // namespace brownout::sim::explore
