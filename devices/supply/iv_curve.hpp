// A harvester between no converter and the capacitor: how much it delivers depends on the voltage there.
#pragma once

#include <vector>

#include "devices/supply/source.hpp"

namespace brownout::devices {

struct IvPoint {
  double v = 0;
  double a = 0;
};

// Current over voltage, a straight line between two points. Below the first voltage the current is that of
// the first point, above the last one it is none; a negative current counts as none, as behind an ideal
// diode.
class IvCurve {
 public:
  // Points in the order of their voltages, which differ and are not negative; at least one (asserted).
  explicit IvCurve(std::vector<IvPoint> points);

  // The power at a voltage >= 0, O(log points).
  [[nodiscard]] double power_at(double v) const;
  // The most that any voltage gets.
  [[nodiscard]] double max_power_w() const { return max_power_w_; }

 private:
  std::vector<IvPoint> points_;
  double max_power_w_ = 0;
};

// Turns a curve into stretches of constant power while the capacitor's voltage moves. The power in force is
// always that of the curve at a voltage at most kVoltageStep from the capacitor's: its error is at most
// kVoltageStep times the steepest slope of the power in that range.
class IvFollower {
 public:
  static constexpr double kVoltageStep = 1e-3;

  // The power at that voltage. Evaluated half a step ahead in the direction in which the voltage has moved
  // since the last call, so that over a whole step the errors of both halves nearly cancel.
  SourcePower follow(const IvCurve& curve, double capacitor_v);

 private:
  double last_v_ = 0;
};

}  // namespace brownout::devices
