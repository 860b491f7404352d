// IV curves: the power at a voltage, and the bound of following it in steps.
#include "devices/supply/iv_curve.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace brownout::devices {
namespace {

// A source of 3 V behind 1 kOhm: 3 mA down to none.
IvCurve thevenin() { return IvCurve({{0, 3e-3}, {3, 0}}); }

TEST(IvCurve, IsStraightBetweenItsPoints) {
  const IvCurve curve({{1, 2e-3}, {2, 1e-3}, {2.5, -1e-3}});
  EXPECT_EQ(curve.power_at(1), 2e-3);
  EXPECT_NEAR(curve.power_at(1.5), 1.5 * 1.5e-3, 1e-18);
  EXPECT_EQ(curve.power_at(2), 2e-3);
  EXPECT_NEAR(curve.power_at(2.125), 2.125 * 0.5e-3, 1e-18);
  EXPECT_EQ(curve.power_at(0.5), 0.5 * 2e-3) << "below, the current of the first point";
  EXPECT_EQ(curve.power_at(0), 0);
  EXPECT_EQ(curve.power_at(2.4), 0) << "a negative current is none";
  EXPECT_EQ(curve.power_at(2.6), 0) << "above, none";
}

TEST(IvCurve, KnowsItsMostPower) {
  EXPECT_NEAR(thevenin().max_power_w(), 1.5 * 1.5e-3, 1e-18);
  EXPECT_EQ(IvCurve({{1, 2e-3}}).max_power_w(), 2e-3);
  EXPECT_EQ(IvCurve({{0, 1e-3}, {2, 1e-3}, {2.1, 0}}).max_power_w(), 2e-3);
  EXPECT_EQ(IvCurve({{1, -1e-3}, {2, -2e-3}}).max_power_w(), 0);
}

// The promise of IvFollower, anywhere in the range that it names.
void expect_within_a_step(const SourcePower& power, double at_v) {
  const IvCurve curve = thevenin();
  EXPECT_LT(power.low_v, at_v);
  EXPECT_GT(power.high_v, at_v);
  for (int i = 0; i <= 10; ++i) {
    const double v = std::max(0.0, power.low_v + (power.high_v - power.low_v) * i / 10);
    double least = 1;
    double most = 0;
    for (int k = -100; k <= 100; ++k) {
      const double seen = std::max(0.0, v + IvFollower::kVoltageStep * (1 + 1e-9) * k / 100);
      least = std::min(least, curve.power_at(seen));
      most = std::max(most, curve.power_at(seen));
    }
    EXPECT_GE(power.power_w, least) << v;
    EXPECT_LE(power.power_w, most) << v;
  }
}

TEST(IvFollower, PowerIsThatOfAVoltageAtMostAStepAway) {
  IvFollower follower;
  for (const double v : {0.0, 1e-4, 0.7, 1.2, 1.1, 1.0999, 2.9, 2.9999, 2.0, 5e-4, 1e-4}) {
    expect_within_a_step(follower.follow(thevenin(), v), v);
  }
}

TEST(IvFollower, AnEmptyCapacitorIsCharged) {
  IvFollower follower;
  EXPECT_GT(follower.follow(thevenin(), 0).power_w, 0);
  static_cast<void>(follower.follow(thevenin(), 1e-3));
  EXPECT_GT(follower.follow(thevenin(), 0).power_w, 0) << "also on the way down";
}

}  // namespace
}  // namespace brownout::devices
