#include "sim/machine/power_train.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

SupplyConfig supply(double capacitance_f, double initial_v) {
  SupplyConfig config = small_scenario().supply;
  config.capacitor.capacitance_f = capacitance_f;
  config.initial_v = initial_v;
  return config;
}

std::unique_ptr<devices::Source> constant(double power_w) {
  std::vector<devices::TimedScript> script{{devices::ConstantScript{power_w}, devices::kForever}};
  return devices::make_scripted_source(std::move(script), false);
}

constexpr Load kLoad{.cpu_w = 5e-3, .bus_w = 0, .storage_w = 1e-3};

TEST(PowerTrain, DischargeAtConstantPowerTakesItsTime) {
  for (const double c : {4.7e-6, 47e-6, 1e-3}) {
    Ledger ledger;
    PowerTrain train(supply(c, 4), constant(0), ledger);
    EXPECT_EQ(train.run_until(devices::kForever), PowerEvent::recovered) << "4 V is above turn-on";
    train.set_load(kLoad, Phase::run);
    EXPECT_EQ(train.run_until(seconds(1000)), PowerEvent::warn);
    const double to_warn = c * (16 - 9) / (2 * kLoad.total_w());
    EXPECT_NEAR(train.now().seconds(), to_warn, 1e-9 * to_warn);
    EXPECT_EQ(train.run_until(seconds(1000)), PowerEvent::brown_out);
    const double to_brown_out = c * (16 - 2.7 * 2.7) / (2 * kLoad.total_w());
    EXPECT_NEAR(train.now().seconds(), to_brown_out, 1e-9 * to_brown_out);
    EXPECT_FALSE(train.powered());
  }
}

TEST(PowerTrain, CrossingsDoNotDependOnHowOftenOneLooks) {
  const auto crossing = [](int steps) {
    Ledger ledger;
    SupplyConfig config = supply(22e-6, 4);
    config.capacitor.esr_ohm = 2;
    config.capacitor.leakage_ohm = 1e5;
    PowerTrain train(config, constant(1e-3), ledger);
    train.run_until(devices::kForever);
    train.set_load(kLoad, Phase::run);
    for (int i = 1; i < steps; ++i) {
      if (train.run_until({i * 14'000'000'000 / steps}) != PowerEvent::none) break;
      train.settle();
    }
    if (!train.warn_asserted()) train.run_until(seconds(1));
    return train.now();
  };
  const double one = crossing(1).seconds();
  EXPECT_NEAR(crossing(10).seconds(), one, 1e-9 * one);
  EXPECT_NEAR(crossing(1000).seconds(), one, 1e-9 * one);
}

TEST(PowerTrain, LoadStepThroughEsrCrossesAtOnce) {
  Ledger ledger;
  SupplyConfig config = supply(1e-3, 3.65);
  config.capacitor.esr_ohm = 100;
  PowerTrain train(config, constant(0), ledger);
  train.run_until(devices::kForever);
  ASSERT_FALSE(train.warn_asserted());
  const Picoseconds at = train.now();
  train.set_load({.cpu_w = 25e-3, .bus_w = 0, .storage_w = 0}, Phase::run);
  EXPECT_EQ(train.run_until(at + Picoseconds{1}), PowerEvent::warn);
  EXPECT_EQ(train.now(), at) << "the terminal voltage fell with the step";
}

TEST(PowerTrain, WarnIsReleasedAtTurnOnOnly) {
  Ledger ledger;
  PowerTrain train(supply(22e-6, 3.7), constant(3e-3), ledger);
  train.run_until(devices::kForever);
  train.set_load(kLoad, Phase::run);
  ASSERT_EQ(train.run_until(seconds(10)), PowerEvent::warn);
  train.set_load({}, Phase::off);
  ASSERT_TRUE(train.warn_asserted());
  ASSERT_EQ(train.run_until(seconds(10)), PowerEvent::recovered);
  EXPECT_FALSE(train.warn_asserted());
  EXPECT_NEAR(train.terminal_v(), 3.6, 1e-9);
}

TEST(PowerTrain, ClipsAtTheHighestVoltage) {
  Ledger ledger;
  PowerTrain train(supply(22e-6, 5), constant(10e-3), ledger);
  while (train.run_until(seconds(1)) != PowerEvent::none) {
  }
  train.close();
  EXPECT_NEAR(train.terminal_v(), 5.5, 1e-9);
  EXPECT_GT(ledger.clipped_j(), 9e-3);
  EXPECT_LE(ledger.check().relative_error, 1e-12);
}

TEST(PowerTrain, BooksBalanceWithEsrLeakageAndClipping) {
  Ledger ledger;
  SupplyConfig config = supply(10e-6, 2);
  config.capacitor.esr_ohm = 3;
  config.capacitor.leakage_ohm = 2e5;
  config.capacitor.max_voltage_v = 4;
  devices::BurstScript bursts{0,
                              1e-3,
                              20e-3,
                              devices::milliseconds(1),
                              devices::milliseconds(9),
                              devices::milliseconds(1),
                              devices::milliseconds(9),
                              7};
  PowerTrain train(config, devices::make_scripted_source({{bursts, devices::kForever}}, false), ledger);
  for (int i = 0; i < 4000; ++i) {
    const PowerEvent event = train.run_until(train.now() + devices::microseconds(700));
    const bool on = train.powered();
    train.set_load(on ? (i % 3 == 0 ? Load{4e-3, 0, 30e-6} : Load{0, 5e-3, 1e-3}) : Load{},
                   on ? (event == PowerEvent::warn ? Phase::persist : Phase::run) : Phase::off);
  }
  train.close();
  const Ledger::Balance balance = ledger.check();
  EXPECT_LE(balance.relative_error, 1e-12) << balance.worst;
  EXPECT_GT(ledger.leakage_j(), 0);
  EXPECT_GT(ledger.esr_j(), 0);
  EXPECT_GT(ledger.total_load_j(), 0);
}

TEST(Sum, KeepsSmallTermsBesideLargeOnes) {
  Sum sum;
  sum.add(1e16);
  for (int i = 0; i < 1000; ++i) sum.add(1.0);
  sum.add(-1e16);
  EXPECT_EQ(sum.value(), 1000.0);
}

}  // namespace
}  // namespace brownout::sim::testing
