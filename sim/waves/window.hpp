// From when to when waves are written.
#pragma once

#include <string>

#include "devices/units.hpp"

namespace brownout::sim::waves {

// Both ends belong to it.
struct Window {
  devices::Picoseconds from;
  devices::Picoseconds to = devices::kForever;
  [[nodiscard]] bool has(devices::Picoseconds at) const { return from <= at && at <= to; }
};

// "12 ms..15 ms", the value of --window. Throws InputError, also if it does not begin before it ends.
Window parse_window(const std::string& text);

}  // namespace brownout::sim::waves
