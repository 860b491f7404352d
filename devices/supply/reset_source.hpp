// A supply that fails at given instants.
#pragma once

#include <memory>
#include <vector>

#include "devices/supply/source.hpp"

namespace brownout::devices {

// `power_w` all the time, but none from each instant until the board is off: it has browned out, or switched
// itself off. An instant at which it is off already changes nothing. Instants are positive and ascend
// (asserted).
std::unique_ptr<Source> make_reset_source(std::vector<Picoseconds> instants, double power_w);

}  // namespace brownout::devices
