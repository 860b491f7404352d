// The capacitor's closed forms against formulas of their special cases, against a fine-stepped
// integration of the differential equation, and against their own books.
#include "devices/supply/capacitor.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>

#include <gtest/gtest.h>

#include "devices/math/random.hpp"

namespace brownout::devices {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kSeed = 4711;

struct Case {
  CapacitorParameters parameters;
  double internal_v = 0;
  double net_load_w = 0;
  Picoseconds span;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << std::hexfloat << "C " << c.parameters.capacitance_f << " R " << c.parameters.esr_ohm << " Rl "
             << c.parameters.leakage_ohm << " Vmax " << c.parameters.max_voltage_v << " Vc " << c.internal_v
             << " P " << c.net_load_w << std::defaultfloat << " (" << c.net_load_w << " W) span "
             << c.span.count << " ps";
}

// 10^u with u uniform in [low, high).
double decades(SplitMix64& random, double low, double high) {
  return std::pow(10.0, low + (high - low) * random.unit());
}

Case random_case(SplitMix64& random) {
  Case c;
  c.parameters.capacitance_f = decades(random, -7, -1);
  if (random.below(4) != 0) c.parameters.esr_ohm = decades(random, -3, 2);
  switch (random.below(4)) {
    case 0: break;
    case 1: c.parameters.leakage_ohm = 1e12; break;
    default: c.parameters.leakage_ohm = decades(random, 3, 9); break;
  }
  const double voltage = 0.5 + 4.5 * random.unit();
  c.internal_v = random.below(8) == 0 ? 0 : voltage;
  if (random.below(2) == 0) c.parameters.max_voltage_v = voltage * (1 + random.unit());
  if (random.below(16) == 0) c.parameters.max_voltage_v = voltage;
  const double power = decades(random, -12, 0);
  switch (random.below(8)) {
    case 0: break;
    case 1:  // next to the equilibrium with the leakage
      c.net_load_w = -voltage * voltage / c.parameters.leakage_ohm * (1 + 1e-6 * (random.unit() - 0.5));
      break;
    case 2:
    case 3:
    case 4: c.net_load_w = -power; break;
    default: c.net_load_w = power; break;
  }
  c.span.count = static_cast<std::int64_t>(decades(random, 0, 16.9365));  // up to 24 h
  if (c.net_load_w > 0) {
    const Capacitor capacitor(c.parameters, c.internal_v);
    const auto collapse = capacitor.time_until_falls_to(0, c.net_load_w);
    if (collapse) c.span = std::min(c.span, *collapse);
  }
  return c;
}

double turned_over(const Case& c) {
  return std::fabs(c.net_load_w) * c.span.seconds() +
         0.5 * c.parameters.capacitance_f * c.internal_v * c.internal_v;
}

struct State {
  long double energy_j = 0;
  long double leakage_j = 0;
  long double esr_j = 0;
};

State rates(const Case& c, long double energy_j) {
  const long double r = c.parameters.esr_ohm;
  const long double power = c.net_load_w;
  const long double vc = std::sqrt(2 * std::max(0.0L, energy_j) / c.parameters.capacitance_f);
  State rate;
  const long double vt = 0.5L * (vc + std::sqrt(std::max(0.0L, vc * vc - 4 * power * r)));
  const long double current = vt > 0 ? power / vt : 0;
  rate.leakage_j = vc * vc / c.parameters.leakage_ohm;
  rate.esr_j = current * current * r;
  rate.energy_j = -power - rate.esr_j - rate.leakage_j;
  return rate;
}

// Fourth-order Runge-Kutta over the span, without clipping.
State integrated(const Case& c, int steps) {
  State state;
  state.energy_j = 0.5L * c.parameters.capacitance_f * c.internal_v * c.internal_v;
  const long double h = static_cast<long double>(c.span.count) * 1e-12L / steps;
  for (int i = 0; i < steps; ++i) {
    const State a = rates(c, state.energy_j);
    const State b = rates(c, state.energy_j + h / 2 * a.energy_j);
    const State d = rates(c, state.energy_j + h / 2 * b.energy_j);
    const State e = rates(c, state.energy_j + h * d.energy_j);
    state.energy_j += h / 6 * (a.energy_j + 2 * b.energy_j + 2 * d.energy_j + e.energy_j);
    state.leakage_j += h / 6 * (a.leakage_j + 2 * b.leakage_j + 2 * d.leakage_j + e.leakage_j);
    state.esr_j += h / 6 * (a.esr_j + 2 * b.esr_j + 2 * d.esr_j + e.esr_j);
  }
  return state;
}

TEST(Capacitor, ConstantPowerDischargeTakesWhatTheEnergySays) {
  for (const double capacitance : {1e-7, 47e-6, 1e-3, 0.1}) {
    for (const double power : {1e-6, 3.3e-3, 0.25}) {
      const Capacitor capacitor({.capacitance_f = capacitance}, 3.6);
      const auto time = capacitor.time_until_falls_to(1.9, power);
      const double exact = capacitance * (3.6 * 3.6 - 1.9 * 1.9) / (2 * power);
      EXPECT_NEAR(time.value().seconds(), exact, 1e-12 * exact + 1e-12);
      const auto empty = capacitor.time_until_falls_to(0, power);
      EXPECT_NEAR(empty.value().seconds(), capacitance * 3.6 * 3.6 / (2 * power), 1e-12 * exact + 1e-12);
    }
  }
}

TEST(Capacitor, IdleCapacitorDecaysWithItsTimeConstant) {
  for (const double esr : {0.0, 5.0}) {
    const CapacitorParameters parameters{.capacitance_f = 1e-4, .esr_ohm = esr, .leakage_ohm = 1e5};
    for (const double tau : {1e-9, 0.01, 1.0, 7.0, 40.0}) {
      Capacitor capacitor(parameters, 4.2);
      const double energy = capacitor.energy_j();
      const auto losses = capacitor.advance({static_cast<std::int64_t>(tau * 10 * 1e12)}, 0);
      EXPECT_NEAR(capacitor.internal_v() / (4.2 * std::exp(-tau)), 1, 1e-13 * (1 + tau));
      EXPECT_NEAR(losses.leakage_j, -energy * std::expm1(-2 * tau), 1e-12 * losses.leakage_j);
      EXPECT_EQ(losses.esr_j, 0);
    }
    const Capacitor start(parameters, 4.2);
    EXPECT_NEAR(start.time_until_falls_to(2.1, 0).value().seconds(), 10 * std::log(2), 1e-11);
  }
}

TEST(Capacitor, TerminalVoltageDrawsThePower) {
  const Capacitor capacitor({.capacitance_f = 1e-5, .esr_ohm = 2}, 3);
  for (const double power : {0.7, 0.1, 1e-6, 0.0, -0.1, -2.0}) {
    const double vt = capacitor.terminal_v(power);
    EXPECT_NEAR(vt * (3 - vt) / 2, power, 1e-15);
    EXPECT_GE(vt, 1.5);
  }
  EXPECT_DOUBLE_EQ(capacitor.terminal_v(1.2), 1.5);  // more than 9/8 W is not to be had
}

TEST(Capacitor, AgreesWithAFineSteppedIntegration) {
  SplitMix64 random(kSeed);
  int compared = 0;
  for (int i = 0; i < 2'500; ++i) {
    Case c = random_case(random);
    c.parameters.max_voltage_v = kInfinity;
    const double tau = c.parameters.capacitance_f * c.parameters.leakage_ohm;
    const double own = c.parameters.capacitance_f * c.parameters.esr_ohm;
    if (c.span.seconds() > tau || (own > 0 && c.span.seconds() > 20 * own && c.net_load_w < 0)) continue;
    if (c.internal_v == 0 && own > 0) continue;              // the root in E is no start for Runge-Kutta
    if (c.net_load_w > 0) c.span.count -= c.span.count / 4;  // nor is the one at the collapse an end
    SCOPED_TRACE(::testing::Message() << "seed " << kSeed << " case " << i << ": " << c);
    Capacitor capacitor(c.parameters, c.internal_v);
    const auto losses = capacitor.advance(c.span, c.net_load_w);
    const State expected = integrated(c, 2'000);
    EXPECT_NEAR(capacitor.energy_j(), static_cast<double>(expected.energy_j), 1e-10 * turned_over(c));
    EXPECT_NEAR(
        losses.leakage_j, static_cast<double>(expected.leakage_j),
        1e-9 * static_cast<double>(expected.leakage_j) + (c.net_load_w < 0 ? 1e-15 * turned_over(c) : 0));
    EXPECT_NEAR(losses.esr_j, static_cast<double>(expected.esr_j),
                1e-8 * static_cast<double>(expected.esr_j));
    ASSERT_FALSE(HasFailure());
    ++compared;
  }
  EXPECT_GT(compared, 800);
}

TEST(Capacitor, BooksClose) {
  SplitMix64 random(kSeed);
  for (int i = 0; i < 200'000; ++i) {
    const Case c = random_case(random);
    SCOPED_TRACE(::testing::Message() << "seed " << kSeed << " case " << i << ": " << c);
    Capacitor capacitor(c.parameters, c.internal_v);
    const double before = capacitor.energy_j();
    const auto losses = capacitor.advance(c.span, c.net_load_w);
    const double change = capacitor.energy_j() - before;
    const double open =
        -c.net_load_w * c.span.seconds() - losses.leakage_j - losses.esr_j - losses.clipped_j - change;
    ASSERT_LE(std::fabs(open), 1e-14 * turned_over(c));  // 1e-12 is promised
    ASSERT_GE(losses.leakage_j, 0);
    ASSERT_GE(losses.esr_j, 0);
    ASSERT_GE(losses.clipped_j, 0);
    ASSERT_LE(capacitor.internal_v(), c.parameters.max_voltage_v);
  }
}

TEST(Capacitor, PiecesEndWhereTheWholeEnds) {
  SplitMix64 random(kSeed + 1);
  for (int i = 0; i < 50'000; ++i) {
    const Case c = random_case(random);
    SCOPED_TRACE(::testing::Message() << "seed " << kSeed + 1 << " case " << i << ": " << c);
    Capacitor whole(c.parameters, c.internal_v);
    Capacitor pieces = whole;
    const auto expected = whole.advance(c.span, c.net_load_w);
    Capacitor::Losses losses;
    for (std::int64_t part = 0; part < 10; ++part) {
      const auto piece =
          pieces.advance({c.span.count / 10 + (part < c.span.count % 10 ? 1 : 0)}, c.net_load_w);
      losses.leakage_j += piece.leakage_j;
      losses.esr_j += piece.esr_j;
      losses.clipped_j += piece.clipped_j;
    }
    const double tolerance = 1e-12 * turned_over(c);
    ASSERT_NEAR(pieces.energy_j(), whole.energy_j(), tolerance);
    ASSERT_NEAR(losses.leakage_j, expected.leakage_j, tolerance);
    ASSERT_NEAR(losses.esr_j, expected.esr_j, tolerance);
    ASSERT_NEAR(losses.clipped_j, expected.clipped_j, tolerance);
  }
}

TEST(Capacitor, ManyTinyStepsAreNotRoundedAway) {
  // One step takes 1e-18 J from 0.1 J, whose ulp is 1.4e-17 J.
  for (const double esr : {0.0, 1e-3}) {
    Capacitor capacitor({.capacitance_f = 0.2 / 9, .esr_ohm = esr}, 3);
    const double before = capacitor.energy_j();
    for (int i = 0; i < 100'000; ++i) capacitor.advance({1}, 1e-6);
    EXPECT_NEAR(before - capacitor.energy_j(), 1e-13, 2e-17);
  }
}

TEST(Capacitor, CrossingsAreExact) {
  SplitMix64 random(kSeed + 2);
  int falls = 0, rises = 0;
  for (int i = 0; i < 100'000; ++i) {
    const Case c = random_case(random);
    const Capacitor start(c.parameters, c.internal_v);
    const double now = start.terminal_v(c.net_load_w);
    const double away = random.below(2) == 0 ? random.unit() : decades(random, -15, 0);
    const bool falling = c.net_load_w >= 0 || random.below(4) == 0;
    const double target = falling ? now * (1 - away) : now + 6 * away;
    SCOPED_TRACE(::testing::Message()
                 << "seed " << kSeed + 2 << " case " << i << ": " << c << " target " << target);
    const auto time = falling ? start.time_until_falls_to(target, c.net_load_w)
                              : start.time_until_rises_to(target, c.net_load_w);
    if (!time || time->count == 0) continue;
    Capacitor then = start;
    then.advance(*time, c.net_load_w);
    const double reached = then.terminal_v(c.net_load_w);
    then = start;
    then.advance(*time - Picoseconds{1}, c.net_load_w);
    const double missed = then.terminal_v(c.net_load_w);
    if (falling && (target <= 0 || target * target <= c.net_load_w * c.parameters.esr_ohm)) continue;
    ++(falling ? falls : rises);
    // One picosecond earlier only if the target is within the rounding of the energy that it started from.
    const double rounding = 1e-13 * target + 1e-15 * now * (now / target);
    if (falling) {
      ASSERT_LE(reached, target);
      ASSERT_GE(missed, target - rounding);
    } else {
      ASSERT_GE(reached, target);
      ASSERT_LE(missed, target + rounding);
    }
  }
  EXPECT_GT(falls, 20'000);
  EXPECT_GT(rises, 10'000);
}

TEST(Capacitor, WaitsThatNeverEnd) {
  const Capacitor plain({.capacitance_f = 1e-5}, 3);
  EXPECT_EQ(plain.time_until_falls_to(2, 0), std::nullopt);
  EXPECT_EQ(plain.time_until_falls_to(2, -1e-3), std::nullopt);
  EXPECT_EQ(plain.time_until_rises_to(4, 1e-3), std::nullopt);
  EXPECT_EQ(plain.time_until_falls_to(2, 1e-12), std::nullopt);  // a year and more
  EXPECT_EQ(plain.time_until_falls_to(plain.internal_v(), 1e-3), Picoseconds{0});
  EXPECT_EQ(plain.time_until_rises_to(plain.internal_v(), -1e-3), Picoseconds{0});
  // 9 uW through 1 Mohm hold 3 V.
  const Capacitor leaky({.capacitance_f = 1e-5, .leakage_ohm = 1e6}, 2);
  EXPECT_TRUE(leaky.time_until_rises_to(2.999, -9e-6).has_value());
  EXPECT_EQ(leaky.time_until_rises_to(3.001, -9e-6), std::nullopt);
  EXPECT_EQ(leaky.time_until_falls_to(1.9, -9e-6), std::nullopt);
  EXPECT_TRUE(leaky.time_until_falls_to(1.001, -1e-6).has_value());
  EXPECT_EQ(leaky.time_until_falls_to(0.999, -1e-6), std::nullopt);
  // The limit cuts the rise off.
  const CapacitorParameters parameters{.capacitance_f = 1e-5, .esr_ohm = 1, .max_voltage_v = 3};
  const Capacitor limited(parameters, 2);
  const double top = Capacitor(parameters, 3).terminal_v(-0.5);
  EXPECT_TRUE(limited.time_until_rises_to(top, -0.5).has_value());
  EXPECT_EQ(limited.time_until_rises_to(std::nextafter(top, 9), -0.5), std::nullopt);
}

TEST(Capacitor, FallingWaitEndsAtTheCollapse) {
  for (const double leakage : {kInfinity, 1e5}) {
    // 10 ohm and 0.1 W: collapse at an internal 2 V, at the terminals 1 V.
    const Capacitor start({.capacitance_f = 1e-5, .esr_ohm = 10, .leakage_ohm = leakage}, 3);
    const auto collapse = start.time_until_falls_to(0.5, 0.1);
    EXPECT_EQ(collapse.value(), start.time_until_falls_to(0, 0.1));
    EXPECT_LE(*collapse, start.time_until_falls_to(1.0001, 0.1).value() + microseconds(1));
    Capacitor capacitor = start;
    capacitor.advance(*collapse, 0.1);
    EXPECT_NEAR(capacitor.internal_v(), 2, 1e-7);
    EXPECT_NEAR(capacitor.terminal_v(0.1), 1, 1e-4);
    EXPECT_LE(capacitor.time_until_falls_to(0.5, 0.1).value().count, 1);
    const Capacitor overloaded({.capacitance_f = 1e-5, .esr_ohm = 10, .leakage_ohm = leakage}, 1.9);
    EXPECT_EQ(overloaded.time_until_falls_to(0.5, 0.1), Picoseconds{0});
    EXPECT_DOUBLE_EQ(overloaded.terminal_v(0.1), 0.95);
  }
  Capacitor plain({.capacitance_f = 1e-5}, 3);
  plain.advance(plain.time_until_falls_to(0, 7e-3).value(), 7e-3);
  EXPECT_LE(plain.energy_j(), 7e-3 * 1e-12 * 1.01);
  EXPECT_EQ(plain.time_until_falls_to(0, 7e-3), Picoseconds{0});
}

TEST(Capacitor, ChargesFromEmpty) {
  // Without leakage and ESR E = P t; with ESR the first current is sqrt(P / R), which is C dV/dt.
  Capacitor plain({.capacitance_f = 1e-4}, 0);
  EXPECT_EQ(plain.advance(milliseconds(20), -1e-3).clipped_j, 0);
  EXPECT_DOUBLE_EQ(plain.energy_j(), 2e-5);
  for (const double leakage : {kInfinity, 1e6}) {
    Capacitor capacitor({.capacitance_f = 1e-4, .esr_ohm = 4, .leakage_ohm = leakage}, 0);
    EXPECT_DOUBLE_EQ(capacitor.terminal_v(-0.01), 0.2);
    const auto losses = capacitor.advance(nanoseconds(1), -0.01);
    EXPECT_NEAR(capacitor.internal_v(), 0.05 * 1e-9 / 1e-4, 1e-12);
    EXPECT_NEAR(losses.esr_j, 0.01 * 1e-9, 1e-16);
    EXPECT_TRUE(capacitor.time_until_rises_to(1.8, -0.01).has_value());
  }
  Capacitor idle({.capacitance_f = 1e-4, .leakage_ohm = 1e6}, 0);
  EXPECT_EQ(idle.advance(milliseconds(20), 0).leakage_j, 0);
  EXPECT_EQ(idle.energy_j(), 0);
}

TEST(Capacitor, ClipsAtTheVoltageLimit) {
  Capacitor plain({.capacitance_f = 1e-4, .max_voltage_v = 3}, 2);
  const auto losses = plain.advance(milliseconds(1'000), -1e-3);
  EXPECT_EQ(plain.internal_v(), 3);
  EXPECT_NEAR(losses.clipped_j, 1e-3 - 0.5e-4 * 5, 1e-17);
  for (int i = 0; i < 134; ++i) {
    const double limit = 1 + 0.03 * i;  // a square root finds few of them to the last bit
    EXPECT_EQ(Capacitor({.capacitance_f = 1.1e-4, .max_voltage_v = limit}, limit).internal_v(), limit);
  }
  for (const double esr : {0.0, 2.0}) {
    // 9 uW leak at the limit. A charger of 1 mW holds it, one of 5 uW does not.
    const CapacitorParameters parameters{
        .capacitance_f = 1e-4, .esr_ohm = esr, .leakage_ohm = 1e6, .max_voltage_v = 3};
    Capacitor full(parameters, 3);
    const auto held = full.advance(milliseconds(1'000), -1e-3);
    EXPECT_EQ(full.internal_v(), 3);
    EXPECT_DOUBLE_EQ(held.leakage_j, 9e-6);
    EXPECT_NEAR(held.esr_j, esr * 9e-12, 1e-22);
    EXPECT_NEAR(held.clipped_j, 1e-3 - 9e-6 - held.esr_j, 1e-18);
    EXPECT_EQ(full.advance(milliseconds(1'000), -5e-6).clipped_j, 0);
    EXPECT_LT(full.internal_v(), 3);

    // The split lies where the limit is reached: up to there as without one, from there as if held.
    Capacitor limited(parameters, 2);
    CapacitorParameters unlimited = parameters;
    unlimited.max_voltage_v = kInfinity;
    Capacitor free(unlimited, 2);
    const double top = Capacitor(parameters, 3).terminal_v(-1e-3);
    const Picoseconds rise = free.time_until_rises_to(top, -1e-3).value();
    const auto before = free.advance(rise, -1e-3);
    const auto both = limited.advance(rise + milliseconds(500), -1e-3);
    EXPECT_EQ(limited.internal_v(), 3);
    EXPECT_NEAR(both.leakage_j, before.leakage_j + 4.5e-6, 1e-14);
    EXPECT_NEAR(both.esr_j, before.esr_j + esr * 4.5e-12, 1e-14);
    EXPECT_NEAR(both.clipped_j, 0.5e-3 - 4.5e-6 - esr * 4.5e-12, 2e-14);
  }
}

// The bits themselves: a compiler that contracts or reorders something gives other ones.
TEST(Capacitor, ResultsHaveTheseBits) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto mix = [&hash](double value) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001b3ULL;
  };
  SplitMix64 random(kSeed);
  for (int i = 0; i < 5'000; ++i) {
    CapacitorParameters parameters{.capacitance_f = 1e-6 + 1e-4 * random.unit()};
    if (i % 2 == 0) parameters.esr_ohm = 5 * random.unit();
    if (i % 3 == 0) parameters.leakage_ohm = 1e5 + 1e7 * random.unit();
    if (i % 5 == 0) parameters.max_voltage_v = 4;
    Capacitor capacitor(parameters, 2 + 2 * random.unit());
    const double power = 0.02 * (random.unit() - 0.5);
    const auto time =
        power > 0 ? capacitor.time_until_falls_to(1.8, power) : capacitor.time_until_rises_to(4, power);
    const auto losses = capacitor.advance(time.value_or(microseconds(3)), power);
    mix(capacitor.energy_j());
    mix(losses.leakage_j);
    mix(losses.esr_j);
    mix(losses.clipped_j);
    mix(static_cast<double>(time.value_or(microseconds(3)).count));
  }
  EXPECT_EQ(hash, 2'592'893'837'047'889'263ULL);
}

// A bench supply brings the terminals to a voltage, never above it, whatever flows.
TEST(Capacitor, IsBroughtToAVoltage) {
  SplitMix64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const double capacitance_f = 1e-6 * static_cast<double>(1 + random.next() % 1000);
    const double esr_ohm = 0.01 * static_cast<double>(random.next() % 100);
    const double load_w = 1e-4 * static_cast<double>(random.next() % 1000);
    const double target_v = 2 + 0.001 * static_cast<double>(random.next() % 3000);
    Capacitor capacitor({.capacitance_f = capacitance_f, .esr_ohm = esr_ohm, .max_voltage_v = 6}, 3);
    capacitor.bring_to(target_v, load_w);
    EXPECT_LE(capacitor.terminal_v(load_w), target_v);
    EXPECT_GT(capacitor.terminal_v(load_w), target_v * (1 - 1e-12));
    EXPECT_EQ(capacitor.time_until_falls_to(target_v, load_w), Picoseconds{0});
  }
  Capacitor limited({.capacitance_f = 1e-6, .max_voltage_v = 5}, 3);
  limited.bring_to(5, 0);
  EXPECT_EQ(limited.internal_v(), 5);
}

}  // namespace
}  // namespace brownout::devices
