// The workload on an ideal supply, without a single outage: what has to pass before an outage is tried.
#pragma once

#include <cstdint>

#include "sim/machine/machine.hpp"

namespace brownout::sim {

struct ControlRun {
  RunResult result;
  std::uint64_t contents_digest = 0;  // of all objects at its end
};

// Runs up to the scenario's number of operations, or to the end of a workload that has one, at most 10,000
// operations; 2,000 where there is neither. The same board and workload, powered by more than it can use.
ControlRun run_control(const Scenario& scenario, const RunOptions& options);

// A whole run: the control run first, then the scenario, its verdict completed by what the two have in
// common: where both ended after the same operations without a loss, their objects must be equal.
RunResult simulate(const Scenario& scenario, const RunOptions& options);

}  // namespace brownout::sim
