// Whether board, heap, part and workload of a scenario fit together.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// Throws InputError with the arithmetic, at the key to change, if the rail is below what the part needs, the
// heap's structures do not fit its RAM, checkpoints and store do not fit the part, or the workload's objects
// do not fit RAM, dirty limit or store. O(1).
void check_fit(const Scenario& scenario);

}  // namespace brownout::sim
