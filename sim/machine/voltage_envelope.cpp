#include "sim/machine/voltage_envelope.hpp"

#include <cassert>

namespace brownout::sim {

using devices::Picoseconds;

namespace {

using Point = VoltageEnvelope::Point;
using Stretch = VoltageEnvelope::Stretch;

// Of equal voltages the earlier one stays.
void take(Stretch& into, const Stretch& other) {
  if (other.empty) return;
  if (into.empty) {
    into = other;
    return;
  }
  if (other.lowest.v < into.lowest.v) into.lowest = other.lowest;
  if (other.highest.v > into.highest.v) into.highest = other.highest;
}

}  // namespace

VoltageEnvelope::VoltageEnvelope(std::size_t stretches, Picoseconds length, Picoseconds origin)
    : most_(stretches), length_(length), origin_(origin), next_edge_(origin + length) {
  assert(most_ > 0 && most_ % 2 == 0 && length_.count > 0);
}

void VoltageEnvelope::add(Point point) {
  assert(point.at >= origin_);
  // An edge belongs to both sides: the voltage moved up to it.
  if (point.at == next_edge_ && !stretches_.empty()) take(stretches_.back(), {point, point, false});
  if (point.at >= next_edge_ || stretches_.empty()) {
    const std::int64_t since = point.at.count - origin_.count;
    while (static_cast<std::uint64_t>(since / length_.count) >= most_) double_length();
    const auto index = static_cast<std::size_t>(since / length_.count);
    if (index >= stretches_.size()) stretches_.resize(index + 1);
    next_edge_ = {origin_.count + (static_cast<std::int64_t>(index) + 1) * length_.count};
  }
  take(stretches_.back(), {point, point, false});
}

void VoltageEnvelope::double_length() {
  std::vector<Stretch> merged((stretches_.size() + 1) / 2);
  for (std::size_t i = 0; i < stretches_.size(); ++i) take(merged[i / 2], stretches_[i]);
  stretches_ = std::move(merged);
  length_ = {2 * length_.count};
}

}  // namespace brownout::sim
