// The calculation of `brownout size`, for people and for programs. Both say the same numbers.
#pragma once

#include <string>

#include "sim/machine/sizing.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

inline constexpr int kSizeSchemaVersion = 1;

// Line by line, with units and with where each input comes from. `corners`: the table of all corners as well.
std::string size_text(const Scenario& scenario, const Sizing& sizing, bool corners);

// JSON as json_report() has it; always with the corners. What no capacitance would do for is null.
std::string size_json(const Scenario& scenario, const Sizing& sizing);

}  // namespace brownout::sim
