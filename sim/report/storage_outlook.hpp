// What a run means for its FRAM: how long the part lasts, and what its figures do not cover.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/machine/run_result.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// Until the hottest row has had all accesses that the part endures, at the rate of the run. Nothing if no row
// was accessed.
std::optional<double> years_of_wear(const Scenario& scenario, const RunResult& result);

// Whether there is anything to say of errors on the bus: some are injected, or the driver expects them.
bool knows_bus_faults(const Scenario& scenario);

// What the scenario asks of its parts beyond what they allow: one sentence each.
std::vector<std::string> warnings_of(const Scenario& scenario);

}  // namespace brownout::sim
