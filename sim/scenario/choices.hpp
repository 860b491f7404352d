// The names that a scenario may choose from, in the order of the enumerations they stand for.
// `brownout list` prints them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "devices/supply/power_path.hpp"

namespace brownout::sim {

inline constexpr std::array<std::string_view, 5> kWorkloadKinds{"counter", "queue", "kvs", "script",
                                                                "custom"};
inline constexpr std::array<std::string_view, 4> kKeyDistributions{"random", "sequential", "partitioned",
                                                                   "distributed"};
inline constexpr std::array<std::string_view, 4> kMemories{"heap", "ram_snapshot", "direct", "pages"};
inline constexpr std::array<std::string_view, 2> kRamAllocators{"linked_list", "buddy"};
inline constexpr std::array<std::string_view, 3> kNvAllocators{"linked_list", "buddy", "block"};
inline constexpr std::array<std::string_view, 3> kPolicies{"in_order", "clock", "round_robin"};
inline constexpr std::array<std::string_view, 2> kSlots{"standard", "compact"};
inline constexpr std::array<std::string_view, 2> kChecksums{"nibble", "table"};
inline constexpr std::array<std::string_view, 3> kTransferModes{"fifo", "dma", "sliced"};
inline constexpr std::array<std::string_view, 3> kAbortGranularities{"byte", "chunk", "transfer"};
inline constexpr std::array<std::string_view, 3> kAfterPersist{"sleep", "deep_sleep", "shutdown"};
inline constexpr std::array<std::string_view, 4> kPowerLossFaults{"discard", "garbage_in_flight",
                                                                  "garbage_below_min_vdd", "row_lost"};
inline constexpr std::array<std::string_view, 3> kVerify{"none", "read_back", "read_twice"};
inline constexpr std::array<std::string_view, 3> kOnLoss{"stop", "reformat", "attach"};
inline constexpr std::array<std::string_view, 8> kSourceKinds{"constant", "square", "ramp",  "sine",
                                                              "bursts",   "markov", "solar", "sequence"};
inline constexpr std::array<std::string_view, 2> kResetUnits{"ms", "cycles"};
// Of chargers all but the last one.
inline constexpr std::array<std::string_view, 6> kPaths{"direct", "diode", "ldo",
                                                        "buck",   "boost", "constant"};
inline constexpr std::array<std::string_view, 2> kTraceTimes{"stamped", "by_index"};
inline constexpr std::array<std::string_view, 3> kTraceGaps{"error", "hold", "zero"};

// The name of a choice.
template <class Names, class Choice>
constexpr std::string_view name_in(const Names& names, Choice choice) {
  return names[static_cast<std::size_t>(choice)];
}

// Of a path that has one: all but the ideal one.
constexpr std::string_view path_name(devices::PathKind kind) {
  return kPaths[static_cast<std::size_t>(kind) - 1];
}

}  // namespace brownout::sim
