// An exploration as a report: JSON for programs, a summary for people. Both say the same numbers.
#pragma once

#include <string>
#include <vector>

#include "sim/explore/explorer.hpp"
#include "sim/explore/replay.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

inline constexpr int kExploreSchemaVersion = 1;

// A failure as it is shown.
struct ShownFailure {
  explore::Failure failure;
  std::string replay;               // as `brownout replay` takes it
  std::vector<std::string> frames;  // of the firmware at the point, innermost first; may be empty
  std::uint32_t smaller_tried = 0;
  std::uint32_t shrunk = 0;
};

struct Exploration {
  explore::ExploreOptions options;
  explore::ExploreResult result;
  std::vector<ShownFailure> failures;  // the first one made small
  std::string build_id;                // of instrumented firmware; empty: of none
};

// Every point of every class, in every course, without a failure, with the accesses of an instrumented build
// among them.
bool is_proven(const Exploration& exploration);
// What that rests on, a sentence each.
std::vector<std::string> assumptions_of(const Scenario& scenario, const Exploration& exploration);

// JSON text, two spaces of indent, keys in a fixed order. The same bytes for any number of jobs and from
// every compiler, but for points of class access and what is said of them, which belong to one build.
std::string explore_json(const Scenario& scenario, const Exploration& exploration);
std::string explore_text(const Scenario& scenario, const Exploration& exploration);

}  // namespace brownout::sim
