// Where a window cuts a span.
#pragma once

#include "sim/machine/voltage_envelope.hpp"

namespace brownout::sim::waves {

// On the line between two points of different instants.
inline double interpolated(VoltageEnvelope::Point from, VoltageEnvelope::Point to, devices::Picoseconds at) {
  const auto whole = static_cast<double>((to.at - from.at).count);
  return from.v + (to.v - from.v) * (static_cast<double>((at - from.at).count) / whole);
}

}  // namespace brownout::sim::waves
