// The names that a scenario may choose from, in the order of the enumerations they stand for.
// `brownout list` prints them.
#pragma once

#include <array>
#include <string_view>

namespace brownout::sim {

inline constexpr std::array<std::string_view, 3> kWorkloadKinds{"counter", "queue", "kvs"};
inline constexpr std::array<std::string_view, 4> kKeyDistributions{"random", "sequential", "partitioned",
                                                                   "distributed"};
inline constexpr std::array<std::string_view, 1> kRamAllocators{"linked_list"};
inline constexpr std::array<std::string_view, 1> kNvAllocators{"linked_list"};
inline constexpr std::array<std::string_view, 1> kPolicies{"in_order"};
inline constexpr std::array<std::string_view, 3> kTransferModes{"fifo", "dma", "sliced"};
inline constexpr std::array<std::string_view, 2> kAfterPersist{"sleep", "shutdown"};
inline constexpr std::array<std::string_view, 2> kOnLoss{"stop", "reformat"};
inline constexpr std::array<std::string_view, 6> kSourceKinds{"constant", "square", "ramp",
                                                              "sine",     "bursts", "sequence"};
inline constexpr std::array<std::string_view, 2> kTraceTimes{"stamped", "by_index"};
inline constexpr std::array<std::string_view, 3> kTraceGaps{"error", "hold", "zero"};

}  // namespace brownout::sim
