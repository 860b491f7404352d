#include "devices/supply/iv_curve.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

namespace brownout::devices {
namespace {

double power_of(const IvPoint& point) { return point.v * std::max(point.a, 0.0); }

IvPoint between(const IvPoint& low, const IvPoint& high, double v) {
  return {v, low.a + (high.a - low.a) * ((v - low.v) / (high.v - low.v))};
}

// The most on a line between two points: at one of them, or where the slope of the power is zero.
double max_power_between(const IvPoint& low, const IvPoint& high) {
  double most = std::max(power_of(low), power_of(high));
  const double slope = (high.a - low.a) / (high.v - low.v);
  if (slope < 0) {
    const double top_v = 0.5 * (low.v - low.a / slope);
    if (top_v > low.v && top_v < high.v) most = std::max(most, power_of(between(low, high, top_v)));
  }
  return most;
}

}  // namespace

IvCurve::IvCurve(std::vector<IvPoint> points) : points_(std::move(points)) {
  assert(!points_.empty() && points_.front().v >= 0);
  max_power_w_ = power_of(points_.front());
  for (std::size_t i = 1; i < points_.size(); ++i) {
    assert(points_[i].v > points_[i - 1].v);
    max_power_w_ = std::max(max_power_w_, max_power_between(points_[i - 1], points_[i]));
  }
}

double IvCurve::power_at(double v) const {
  assert(v >= 0);
  if (v <= points_.front().v) return power_of({v, points_.front().a});
  if (v > points_.back().v) return 0;
  const auto high = std::lower_bound(points_.begin(), points_.end(), v,
                                     [](const IvPoint& point, double of) { return point.v < of; });
  return power_of(between(*(high - 1), *high, v));
}

SourcePower IvFollower::follow(const IvCurve& curve, double capacitor_v) {
  constexpr double kHalf = 0.5 * kVoltageStep;
  const bool rises = capacitor_v >= last_v_;
  last_v_ = capacitor_v;
  // Half a step back is as far as it may turn round without being asked again: without that distance it would
  // be asked for ever at a voltage where more power is delivered below and less above than the load takes.
  if (rises) {
    return {curve.power_at(capacitor_v + kHalf), capacitor_v - kHalf, capacitor_v + kVoltageStep};
  }
  // At no voltage there is no power, and an empty capacitor would stay empty.
  return {curve.power_at(std::max(capacitor_v - kHalf, kHalf)), capacitor_v - kVoltageStep,
          capacitor_v + kHalf};
}

}  // namespace brownout::devices
