// What depends on the capacitor's voltage: against closed forms, in pieces, and in both books.
#include "sim/machine/supply_flows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "sim/machine/power_train.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using devices::PathKind;

constexpr double kC = 100e-6;
constexpr Load kLoad{.cpu_w = 6e-3};  // 2 mA of 3 V

SupplyConfig supply(double initial_v) {
  SupplyConfig config = small_scenario().supply;
  config.capacitor.capacitance_f = kC;
  config.initial_v = initial_v;
  config.converter.rail_v = 3;
  config.thresholds = {4.0, 3.5, 3.0};
  return config;
}

std::unique_ptr<devices::Source> steps(std::vector<devices::TimedScript> parts) {
  return devices::make_scripted_source(std::move(parts), false);
}

devices::TimedScript held(double power_w, Picoseconds time) {
  return {devices::ConstantScript{power_w}, time};
}

std::unique_ptr<devices::Source> constant(double power_w) {
  return steps({held(power_w, devices::kForever)});
}

// Voltage after a time without a load.
double idle_v(const SupplyConfig& config, double source_w, Picoseconds time) {
  Ledger ledger;
  PowerTrain train(config, constant(source_w), ledger);
  while (train.run_until(time) != PowerEvent::none) {
  }
  const double v = train.terminal_v();
  train.close();
  EXPECT_LE(ledger.check().relative_error, 1e-12) << ledger.check().worst;
  return v;
}

// Time from turn-on to the warning and to brown-out under the load.
struct Falls {
  double to_warn_s = 0;
  double to_brown_out_s = 0;
};

Falls falls(const SupplyConfig& config, double source_w = 0) {
  Ledger ledger;
  PowerTrain train(config, constant(source_w), ledger);
  EXPECT_EQ(train.run_until(devices::kForever), PowerEvent::recovered);
  train.set_load(kLoad, Phase::run);
  const Picoseconds begin = train.now();
  Falls result;
  EXPECT_EQ(train.run_until(begin + seconds(1000)), PowerEvent::warn);
  result.to_warn_s = (train.now() - begin).seconds();
  EXPECT_EQ(train.run_until(begin + seconds(1000)), PowerEvent::brown_out);
  result.to_brown_out_s = (train.now() - begin).seconds();
  train.close();
  EXPECT_LE(ledger.check().relative_error, 1e-12) << ledger.check().worst;
  return result;
}

// --- closed forms: nothing depends on the voltage -------------------------------------------------

TEST(SupplyClosedForm, RcDischarge) {
  SupplyConfig config = supply(4);
  config.capacitor.leakage_ohm = 50e3;
  for (const double s : {0.1, 5.0, 60.0}) {
    const double v = 4 * std::exp(-s / (kC * 50e3));
    EXPECT_NEAR(idle_v(config, 0, seconds(s)), v, 1e-12 * v);
  }
}

TEST(SupplyClosedForm, ConstantPowerCharge) {
  for (const double efficiency : {1.0, 0.8}) {
    SupplyConfig config = supply(1);
    config.charger = {.kind = efficiency == 1 ? PathKind::ideal : PathKind::boost, .efficiency = efficiency};
    EXPECT_FALSE(SupplyFlows(config).depends_on_voltage());
    const double v = std::sqrt(1 + 2 * efficiency * 1e-3 * 0.5 / kC);
    EXPECT_NEAR(idle_v(config, 1e-3, seconds(0.5)), v, 1e-12 * v);
  }
}

TEST(SupplyClosedForm, LeakageEquilibrium) {
  SupplyConfig config = supply(0);
  config.capacitor.leakage_ohm = 50e3;
  const double v = std::sqrt(100e-6 * 50e3);
  EXPECT_NEAR(idle_v(config, 100e-6, seconds(1000)), v, 1e-12 * v);
}

TEST(SupplyClosedForm, EsrDropAtThePeak) {
  Ledger ledger;
  SupplyConfig config = supply(4);
  config.capacitor.esr_ohm = 5;
  config.converter.efficiency = 0.8;
  PowerTrain train(config, constant(0), ledger);
  ASSERT_EQ(train.run_until(devices::kForever), PowerEvent::recovered);
  train.set_load({.cpu_w = 80e-3}, Phase::run);  // 100 mW at the capacitor
  const double v = 0.5 * (4 + std::sqrt(16 - 4 * 0.1 * 5));
  EXPECT_NEAR(train.terminal_v(), v, 1e-14 * v);
  EXPECT_NEAR(4 - train.terminal_v(), 5 * 0.1 / v, 1e-12) << "I R";
}

// --- stepped: constant currents and tables, within the bound ---------------------------------------

constexpr double kBoundV = 33.0 / 64 * kCellV;  // of the voltage of a flow

TEST(SupplySteps, ConstantLeakageIsALine) {
  SupplyConfig config = supply(4);
  config.leakage_a = 2e-6;
  for (const double s : {1.0, 30.0, 100.0}) {
    const double v = 4 - 2e-6 * s / kC;
    EXPECT_NEAR(idle_v(config, 0, seconds(s)), v, (4 - v) * kCellOverlapV / v + kCellV * kCellV / v) << s;
  }
  EXPECT_NEAR(idle_v(config, 0, seconds(1000)), 4 * kCellV, kCellV) << "it ends next to 0 V";
}

TEST(SupplySteps, ConstantLeakageEquilibrium) {
  SupplyConfig config = supply(2);
  config.leakage_a = 20e-6;
  EXPECT_NEAR(idle_v(config, 60e-6, seconds(1000)), 3.0, kBoundV);
  config.initial_v = 4;
  EXPECT_NEAR(idle_v(config, 60e-6, seconds(1000)), 3.0, kBoundV);
}

TEST(SupplySteps, LinearPathsDrawTheRailsCurrent) {
  for (const PathKind kind : {PathKind::direct, PathKind::ldo, PathKind::diode}) {
    for (const double esr_ohm : {0.0, 5.0}) {
      SupplyConfig config = supply(4.5);
      config.converter.kind = kind;
      config.capacitor.esr_ohm = esr_ohm;
      const double drop_v = 2e-3 * esr_ohm;
      const Falls result = falls(config);
      // C (V1 - V2) / I, the drop at once.
      const double to_warn_s = kC * (4.5 - drop_v - 3.5) / 2e-3;
      const double to_brown_out_s = kC * (4.5 - drop_v - 3.0) / 2e-3;
      EXPECT_NEAR(result.to_warn_s, to_warn_s, kBoundV / 3 * kCellV * kC / 2e-3 + 2e-4 * to_warn_s);
      EXPECT_NEAR(result.to_brown_out_s, to_brown_out_s, 2e-4 * to_brown_out_s);
    }
  }
}

// dE/dt = -P / eta(V), integrated in a million steps.
TEST(SupplySteps, TableOverTheVoltage) {
  SupplyConfig config = supply(4.5);
  config.converter.kind = PathKind::buck;
  config.converter.table =
      devices::EfficiencyTable{"steep", {3.0, 3.6, 4.5}, {1e-3}, {0.5, 0.95, 0.7}, "test"};
  double reference_s = 0;
  constexpr int kSteps = 100'000;
  for (int i = 0; i < kSteps; ++i) {
    const double v = 3.0 + 1.5 * (i + 0.5) / kSteps;
    reference_s += kC * v * (1.5 / kSteps) * config.converter.table->at(v, 2e-3) / 6e-3;
  }
  EXPECT_NEAR(falls(config).to_brown_out_s, reference_s, 3e-4 * reference_s);
}

TEST(SupplySteps, QuiescentCurrentComesOnTop) {
  SupplyConfig config = supply(4.5);
  config.converter.kind = PathKind::direct;
  config.converter.quiescent_a = 0.5e-3;
  const double exact_s = kC * 1.5 / 2.5e-3;
  EXPECT_NEAR(falls(config).to_brown_out_s, exact_s, 2e-4 * exact_s);
}

TEST(SupplySteps, LinearChargersPassTheSourcesCurrentOn) {
  SupplyConfig config = supply(0);
  config.charger = {.kind = PathKind::diode};
  config.charger.drop_v = 0.3;
  config.charger.input_v = 3.3;
  // 330 uW at 3.3 V: 100 uA.
  EXPECT_NEAR(idle_v(config, 330e-6, seconds(1)), 1.0, 2 * kBoundV);
  EXPECT_NEAR(idle_v(config, 330e-6, seconds(2.5)), 2.5, 2 * kBoundV);
  EXPECT_NEAR(idle_v(config, 330e-6, seconds(100)), 3.0, kBoundV) << "no further than the drop lets it";
}

TEST(SupplySteps, ABoardThatIsNotDisconnectedDrawsOn) {
  SupplyConfig config = supply(4.5);
  config.off_a = 5e-6;
  Ledger ledger;
  PowerTrain train(config, constant(0), ledger);
  ASSERT_EQ(train.run_until(devices::kForever), PowerEvent::recovered);
  train.set_load(kLoad, Phase::run);
  while (train.run_until(seconds(1000)) != PowerEvent::brown_out) {
  }
  train.set_load({}, Phase::off);
  const Picoseconds at = train.now();
  ASSERT_EQ(train.run_until(at + seconds(20)), PowerEvent::none);
  EXPECT_NEAR(train.terminal_v(), 3.0 - 5e-6 * 20 / kC, 2 * kBoundV);
  train.close();
  EXPECT_NEAR(ledger.off_j(), 0.5 * kC * (9 - 4), 1e-3 * kC);
  EXPECT_LE(ledger.check().relative_error, 1e-12) << ledger.check().worst;
}

// Charging through a wire against a load that draws more the higher it gets.
TEST(SupplySteps, BalanceBetweenTwoCellsIsNoEndlessLoop) {
  SupplyConfig config = supply(3.9);
  config.converter.kind = PathKind::direct;
  Ledger ledger;
  PowerTrain train(config, constant(7.4e-3), ledger);  // 3.7 V x 2 mA
  config.thresholds.turn_on_v = 3.8;
  train.set_load(kLoad, Phase::run);
  EXPECT_EQ(train.run_until(seconds(60)), PowerEvent::none);
  EXPECT_NEAR(train.terminal_v(), 3.7, kBoundV);
  EXPECT_TRUE(train.nothing_ahead()) << "it knows that nothing will come of it";
}

TEST(SupplySteps, TheBoundHoldsAtEveryMoment) {
  SupplyConfig config = supply(4.5);
  config.converter.kind = PathKind::direct;
  Ledger ledger;
  PowerTrain train(config, constant(0), ledger);
  ASSERT_EQ(train.run_until(devices::kForever), PowerEvent::recovered);
  train.set_load(kLoad, Phase::run);
  for (int i = 1; i < 3000; ++i) {
    train.run_until(devices::microseconds(25 * i));
    EXPECT_NEAR(train.drawn_w(), 2e-3 * train.terminal_v(), 2e-3 * kBoundV);
  }
}

// --- granularity ----------------------------------------------------------------------------------

struct End {
  double v = 0;
  double drawn_j = 0;
  double lost_j = 0;
  std::vector<Picoseconds> events;
};

// A life of charges and loads, looked at `pieces` times as often and with each segment in as many parts.
End life(const SupplyConfig& config, int pieces) {
  std::vector<devices::TimedScript> parts;
  for (int i = 0; i < 60; ++i) {
    for (int j = 0; j < pieces; ++j) {
      parts.push_back(held(i % 3 == 0 ? 0 : 4e-3 + 1e-3 * (i % 7), {30'000'000'000 / pieces}));
    }
  }
  Ledger ledger;
  PowerTrain train(config, steps(std::move(parts)), ledger);
  End end;
  for (std::int64_t i = 1; i <= 1700 * pieces;) {
    const PowerEvent event = train.run_until({i * (1'000'000'000 / pieces)});
    if (event == PowerEvent::none) {
      train.settle();
      ++i;
      if (i % pieces != 1 % pieces) continue;
    } else {
      end.events.push_back(train.now());
    }
    const bool on = train.powered();
    const bool busy = (i - 1) / pieces % 4 != 0;
    train.set_load(on ? (busy ? Load{.cpu_w = 9e-3, .storage_w = 1e-3} : Load{.bus_w = 3e-3}) : Load{},
                   on ? Phase::run : Phase::off);
  }
  train.close();
  EXPECT_LE(ledger.check().relative_error, 1e-12) << ledger.check().worst;
  end.v = train.terminal_v();
  end.drawn_j = ledger.drawn_j();
  end.lost_j =
      ledger.leakage_j() + ledger.esr_j() + ledger.clipped_j() + ledger.charging_j() + ledger.off_j();
  return end;
}

TEST(SupplyGranularity, TenPiecesOfEachEventAreTheSame) {
  SupplyConfig closed = supply(0);
  closed.capacitor.esr_ohm = 3;
  closed.capacitor.leakage_ohm = 50e3;
  closed.converter.efficiency = 0.85;
  closed.charger = {.kind = PathKind::boost, .efficiency = 0.8};
  SupplyConfig stepped = closed;
  stepped.leakage_a = 3e-6;
  stepped.off_a = 2e-6;
  stepped.comparator.poll = devices::milliseconds(3);
  stepped.charger = {.kind = PathKind::diode};
  stepped.charger.drop_v = 0.3;
  stepped.converter.kind = PathKind::ldo;
  stepped.converter.drop_v = 0.1;
  stepped.converter.quiescent_a = 1e-6;
  SupplyConfig table = stepped;
  table.converter.kind = PathKind::buck;
  table.converter.table = *devices::find_efficiency_table("bq25570-buck");
  for (const SupplyConfig& config : {closed, stepped, table}) {
    const End one = life(config, 1);
    const End ten = life(config, 10);
    EXPECT_GT(one.events.size(), 6U) << "it has to turn on and off";
    ASSERT_EQ(one.events.size(), ten.events.size());
    for (std::size_t i = 0; i < one.events.size(); ++i) {
      EXPECT_NEAR(ten.events[i].seconds(), one.events[i].seconds(), 1e-9 * one.events[i].seconds());
    }
    EXPECT_NEAR(ten.v, one.v, 1e-9 * one.v);
    EXPECT_NEAR(ten.drawn_j, one.drawn_j, 1e-9 * one.drawn_j);
    EXPECT_NEAR(ten.lost_j, one.lost_j, 1e-9 * one.lost_j);
  }
}

// --- the comparator -------------------------------------------------------------------------------

TEST(Comparator, LooksAtMultiplesOfItsInterval) {
  for (const Picoseconds poll : {Picoseconds{1}, devices::milliseconds(3), devices::milliseconds(64)}) {
    SupplyConfig config = supply(4.5);
    config.capacitor.capacitance_f = 10e-3;
    config.comparator.poll = poll;
    config.comparator.latency = devices::microseconds(10);
    Ledger ledger;
    PowerTrain train(config, constant(0), ledger);
    ASSERT_EQ(train.run_until(devices::kForever), PowerEvent::recovered);
    train.set_load(kLoad, Phase::run);
    ASSERT_EQ(train.run_until(seconds(1000)), PowerEvent::warn);
    const Picoseconds crossed = train.warn_crossing()->at;
    EXPECT_NEAR(crossed.seconds(), 10e-3 * (4.5 * 4.5 - 3.5 * 3.5) / (2 * 6e-3), 1e-11);
    const Picoseconds seen = train.now() - config.comparator.latency;
    EXPECT_EQ(seen.count % poll.count, 0);
    EXPECT_GE(seen, crossed);
    EXPECT_LT(seen - crossed, poll);
    EXPECT_LE(train.now() - crossed, config.comparator.longest_delay());
  }
}

TEST(Comparator, ADipBetweenTwoLooksIsNotSeen) {
  SupplyConfig config = supply(4.5);
  config.comparator.poll = devices::milliseconds(200);
  // Crossed at 66.7 ms, back above it before the look at 200 ms, crossed again after 270 ms.
  Ledger ledger;
  PowerTrain train(
      config, steps({held(0, seconds(0.07)), held(8e-3, seconds(0.2)), held(0, devices::kForever)}), ledger);
  ASSERT_EQ(train.run_until(devices::kForever), PowerEvent::recovered);
  train.set_load(kLoad, Phase::run);
  ASSERT_EQ(train.run_until(seconds(0.269)), PowerEvent::none);
  EXPECT_NEAR(train.warn_crossing()->at.seconds(), 0.0667, 1e-4);
  EXPECT_FALSE(train.warn_asserted());
  ASSERT_EQ(train.run_until(seconds(1000)), PowerEvent::brown_out) << "the next look is too late";
  EXPECT_GT(train.warn_crossing()->at, seconds(0.27));
}

TEST(Comparator, AWarningEndsAHysteresisAboveItsLevelWhileTheBoardIsOn) {
  SupplyConfig config = supply(4.5);
  config.comparator.hysteresis_v = 0.2;
  for (const bool off : {false, true}) {
    Ledger ledger;
    PowerTrain train(config, steps({held(0, seconds(0.08)), held(8e-3, devices::kForever)}), ledger);
    ASSERT_EQ(train.run_until(devices::kForever), PowerEvent::recovered);
    train.set_load(kLoad, Phase::run);
    ASSERT_EQ(train.run_until(seconds(1)), PowerEvent::warn);
    train.set_load(off ? Load{} : Load{.cpu_w = 1e-6}, Phase::off);
    ASSERT_EQ(train.run_until(seconds(1)), PowerEvent::recovered);
    EXPECT_NEAR(train.terminal_v(), off ? 4.0 : 3.7, 1e-9);
  }
}

}  // namespace
}  // namespace brownout::sim::testing
