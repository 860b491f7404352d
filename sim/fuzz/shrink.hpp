// Makes a failing case smaller: fewer outages, fewer operations, smaller objects, a plainer board.
#pragma once

#include <cstdint>

#include "sim/fuzz/fuzz_case.hpp"
#include "sim/fuzz/workbench.hpp"

namespace brownout::sim::fuzz {

struct Shrunk {
  FuzzCase smallest;
  explore::Failure failure;  // of it
  std::uint64_t tried = 0;   // runs
};

// Of a case that fails, with the same cause; nothing if it does not fail. Pure. At most `most_runs` runs.
std::optional<Shrunk> shrink(Workbench& bench, const FuzzCase& a_case, std::uint64_t most_runs = 3'000);

}  // namespace brownout::sim::fuzz
