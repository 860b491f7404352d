// A failure made small before anybody looks at it.
#pragma once

#include <string>
#include <vector>

#include "sim/explore/explorer.hpp"
#include "sim/explore/replay.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::explore {

struct Minimised {
  Case smallest;
  Failure failure;           // as it shows there
  std::uint32_t tried = 0;   // smaller cases
  std::uint32_t shrunk = 0;  // of them, those that failed the same check
};

// Looks for a smaller scenario that fails the same check in the same course, by halving the counts and sizes
// that its workload, its OS part and its RAM have; each try explores that course up to its first failure.
// Then the operations behind it are left out. `options` are those that found it. O(tries x exploration up to
// a failure).
Minimised minimise(const std::string& file, const std::vector<std::string>& sets, std::uint64_t seed,
                   const ExploreOptions& options, const Failure& failure, const std::string& build_id);

}  // namespace brownout::sim::explore
