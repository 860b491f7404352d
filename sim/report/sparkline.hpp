// The voltage of a run as one line of text.
#pragma once

#include <cstddef>
#include <string>

#include "sim/machine/voltage_envelope.hpp"

namespace brownout::sim {

// At most `columns` blocks of eight heights, in UTF-8: the voltage at as many instants at equal distances,
// from `bottom_v` and below to the highest of them. Empty if there are no two stretches, or no column.
std::string sparkline(const VoltageEnvelope& envelope, std::size_t columns, double bottom_v);

}  // namespace brownout::sim
