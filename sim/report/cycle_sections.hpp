// The parts of a run's report that are long: distributions, the voltage over time, records of power cycles.
#pragma once

#include <string>

#include "sim/machine/run_result.hpp"

namespace brownout::sim {

// `"distribution": ..., "voltage": ..., "cycles": ...` as members of the report's outermost object, indented
// for it, one record a line, without a comma or line feed at the end. Seconds from the beginning of the run,
// volts at the capacitor's terminals.
std::string cycle_sections(const CycleLog& log);

}  // namespace brownout::sim
