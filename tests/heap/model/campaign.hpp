// Runs many sequences on heaps of one combination, and says what went wrong in as few operations as possible.
#pragma once

#include <cstdint>
#include <string>

#include "counters.hpp"
#include "heap_under_test.hpp"

namespace brownout::heap::testing::model {

struct Campaign {
  std::uint64_t first_seed = 0;
  std::uint64_t operations = 0;  // at least so many of the heap
  double shrink_seconds = 30;
  // Runs each sequence that is tried for shrinking in a process of its own, so that one that crashes or does
  // not end can be shrunk too.
  bool in_children = false;
};

struct Outcome {
  Counters counters;
  std::uint64_t next_seed = 0;  // the first one that was not used
  std::uint64_t impossible = 0;  // setups whose sizes do not fit together
  // Of the first sequence that failed:
  std::string failure;  // the report; empty if none failed
  std::string reason;
  std::size_t operations_left = 0;  // after shrinking
};

// If the process dies of a signal, it says before at which seed it was.
Outcome run_campaign(const Combination& combination, const Campaign& campaign);

}  // namespace brownout::heap::testing::model
