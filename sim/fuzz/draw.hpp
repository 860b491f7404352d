// What the fuzzer draws: a board, operations and outages, from a seed and an index alone.
#pragma once

#include <cstdint>

#include "sim/fuzz/fuzz_case.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::fuzz {

// What is the same for all runs of a campaign.
struct Setting {
  const Scenario* scenario = nullptr;  // what it fixes stays fixed; nullptr: everything is drawn
  std::string file;                    // of it
  std::vector<std::string> sets;
  bool accesses = false;  // the firmware is instrumented, so that outages can fall between its accesses
  std::string build_id;
  // Everything at its plain weight: nothing is switched off. For comparison.
  bool swarm = true;
  // Of a board: not drawn.
  std::vector<std::pair<Knob, std::uint32_t>> fixed;
};

// Run number `index`. Pure; the same for any build with and without accesses but for the class of those
// points. O(operations).
FuzzCase draw_case(const Setting& setting, std::uint64_t seed, std::uint64_t index);

// Whether board and heap of these knobs fit together. O(1).
bool fits(const Knobs& knobs);

}  // namespace brownout::sim::fuzz
