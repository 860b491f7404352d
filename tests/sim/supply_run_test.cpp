// Whole runs on supplies whose flows depend on the voltage: bound, sizing, books, presets.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "devices/supply/supply_preset.hpp"
#include "sim/machine/outage_plan.hpp"
#include "sim/machine/sizing.hpp"
#include "sim/report/report.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using devices::PathKind;

// Every loss there is, with a regulator or with a table.
Scenario lossy_scenario(PathKind kind) {
  Scenario scenario = small_scenario();
  SupplyConfig& supply = scenario.supply;
  supply.capacitor.capacitance_f = 60e-6;
  supply.capacitor.esr_ohm = 0.5;
  supply.leakage_a = 2e-6;
  supply.off_a = 3e-6;
  supply.thresholds = {4.2, 3.4, 3.0};
  supply.charger = {.kind = PathKind::diode};
  supply.charger.drop_v = 0.3;
  supply.converter.kind = kind;
  supply.converter.quiescent_a = 1e-6;
  if (kind == PathKind::ldo) supply.converter.drop_v = 0.1;
  if (kind == PathKind::buck || kind == PathKind::boost) {
    supply.converter.table = devices::EfficiencyTable{
        "steep", {3.0, 3.2, 4.2}, {1e-4, 3e-3}, {0.55, 0.6, 0.7, 0.8, 0.75, 0.9}, "test"};
  }
  set_power(scenario, 3e-3);
  return scenario;
}

constexpr PathKind kDependent[] = {PathKind::direct, PathKind::ldo, PathKind::buck, PathKind::boost};

TEST(SupplyRun, BooksAgreeAndTheBoundHoldsWithEveryLoss) {
  for (const PathKind kind : kDependent) {
    const RunResult result = run(lossy_scenario(kind));
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_GT(result.persisted, 10U);
    EXPECT_LE(result.balance.relative_error, 1e-12) << result.balance.worst;
    for (const double loss_j :
         {result.leakage_j, result.esr_j, result.conversion_j, result.charging_j, result.off_j}) {
      EXPECT_GT(loss_j, 0);
    }
    EXPECT_LE(result.largest_over_bound.energy, 1);
    EXPECT_GT(result.largest_over_bound.energy, 0.6) << "of use as a bound";
  }
}

// A source that lifts the voltage in the persist: a regulator then draws more than between warn and
// brown-out.
TEST(SupplyRun, ThePersistsBoundHoldsWhenTheVoltageRises) {
  Scenario scenario = lossy_scenario(PathKind::ldo);
  scenario.supply.capacitor.capacitance_f = 4.7e-6;
  scenario.supply.thresholds = {4.6, 3.4, 2.0};
  scenario.supply.comparator.latency = devices::microseconds(300);
  scenario.mcu.after_persist = AfterPersist::sleep;
  devices::BurstScript bursts;
  bursts.min_w = 40e-3;
  bursts.max_w = 80e-3;
  bursts.min_length = devices::milliseconds(1);
  bursts.max_length = devices::milliseconds(6);
  bursts.min_gap = devices::milliseconds(3);
  bursts.max_gap = devices::milliseconds(7);
  bursts.seed = 5;
  scenario.supply.source = ScriptConfig{{devices::TimedScript{bursts, devices::kForever}}, false};
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.failure.empty()) << result.failure;
  EXPECT_LE(result.largest_over_bound.energy, 1);
  const PersistBound& sized = result.persist_bound;
  EXPECT_GT(result.persist.energy_j.maximum(), sized.mcu_j + sized.storage_j) << "the case came up";
}

TEST(SupplyRun, TheSizedCapacitorDoesAtTheWorstCorner) {
  for (const PathKind kind : kDependent) {
    Scenario scenario = lossy_scenario(kind);
    scenario.supply.comparator.poll = devices::microseconds(700);
    scenario.supply.comparator.latency = devices::microseconds(100);
    scenario.supply.comparator.tolerance = 0.03;
    set_power(scenario, 1e-3);
    const Sizing sizing = size_supply(scenario, {}, 0, 1);
    EXPECT_EQ(sizing.bound.times.latency, devices::microseconds(800));
    const Deviation worst = worst_for_persist(scenario.supply);
    scenario.supply.capacitor.capacitance_f = sizing.persist_worst_f * worst.capacitance;
    scenario.supply.thresholds.warn_v *= worst.warn;
    scenario.supply.thresholds.brown_out_v *= worst.brown_out;
    scenario.stop.time = seconds(10);
    const RunResult good = run(scenario);
    EXPECT_TRUE(good.failure.empty()) << good.failure;
    EXPECT_EQ(good.lost, 0U) << static_cast<int>(kind);
    EXPECT_GT(good.persisted, 20U);
    scenario.supply.capacitor.capacitance_f *= 0.5;
    EXPECT_GT(run(scenario).lost, 0U) << "and half of it does not";
  }
}

// The published model of the BQ25504: power-good every 64 ms.
TEST(SupplyRun, APowerGoodThatIsPolledTooSeldomLosesAndSaysWhatWouldDo) {
  Scenario scenario = small_scenario();
  ASSERT_TRUE(run(scenario).pass);
  scenario.supply.comparator.poll = devices::milliseconds(64);
  const RunResult late = run(scenario);
  EXPECT_EQ(late.stop_reason, StopReason::lost);
  ASSERT_EQ(late.losses.size(), 1U);
  EXPECT_FALSE(late.losses[0].warned);
  EXPECT_GT(late.losses[0].objects_total, 0U);
  EXPECT_GT(late.losses[0].delay_energy_j, 10 * late.losses[0].persist_energy_j);
  scenario.supply.capacitor.capacitance_f = recommended_capacitance(scenario, late);
  EXPECT_GT(scenario.supply.capacitor.capacitance_f, 200e-6);
  scenario.stop.time = seconds(20);
  const RunResult good = run(scenario);
  EXPECT_TRUE(good.pass) << good.failure;
  EXPECT_GT(good.persisted, 3U);
  EXPECT_LE(good.largest_over_bound.time, 1);
}

TEST(SupplyRun, ALossyTableLosesAndTheRecommendedCapacitorDoes) {
  Scenario scenario = lossy_scenario(PathKind::buck);
  scenario.supply.thresholds.warn_v = 3.1;
  scenario.supply.capacitor.capacitance_f = 25e-6;
  set_power(scenario, 1e-3);
  scenario.supply.converter.table->efficiencies.assign(6, 0.95);
  ASSERT_TRUE(run(scenario).pass);
  scenario.supply.converter.table->efficiencies.assign(6, 0.3);
  const RunResult lossy = run(scenario);
  ASSERT_EQ(lossy.losses.size(), 1U) << "the table has to make the difference";
  scenario.supply.capacitor.capacitance_f = recommended_capacitance(scenario, lossy);
  scenario.stop.time = seconds(10);
  const RunResult good = run(scenario);
  EXPECT_TRUE(good.pass) << good.failure;
  EXPECT_GT(good.persisted, 5U);
}

// With the release next to warn, dips end as false alarms that would have been waited out up to turn-on.
TEST(SupplyRun, HysteresisEndsAFalseAlarmSooner) {
  Scenario scenario = small_scenario();
  scenario.mcu.after_persist = AfterPersist::sleep;
  const RunResult late = run(scenario);
  scenario.supply.comparator.hysteresis_v = 0.1;
  const RunResult soon = run(scenario);
  EXPECT_TRUE(soon.pass) << soon.failure;
  EXPECT_GT(soon.false_alarms, late.false_alarms);
}

// As the published evaluation counts: 132 mW times the time that a persist takes.
TEST(SupplyRun, ConstantPowerIsTimeTimesPower) {
  Scenario scenario = small_scenario();
  scenario.supply.capacitor.capacitance_f = 5e-3;
  scenario.supply.converter = devices::find_supply_preset("constant-132mw")->converter;
  set_power(scenario, 50e-3);
  scenario.stop.time = seconds(5);
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_GT(result.persisted, 3U);
  EXPECT_NEAR(result.persist.energy_j.maximum(), 0.132 * result.persist.time_s.maximum(), 1e-12);
  EXPECT_NEAR(result.persist_bound.energy_j(), 0.132 * result.persist_bound.times.total().seconds(), 1e-12);
}

// Each preset with a board and a harvest that suit it.
TEST(SupplyRun, PresetsCarryABoardThatSuitsThem) {
  for (const devices::SupplyPreset& preset : devices::supply_presets()) {
    if (!preset.turn_on_v) continue;
    Scenario scenario = small_scenario();
    SupplyConfig& supply = scenario.supply;
    supply.capacitor.capacitance_f = preset.poll.count > 0 ? 2e-3 : 4 * preset.capacitance_f.value_or(50e-6);
    supply.capacitor.max_voltage_v = preset.max_voltage_v.value_or(5.5);
    supply.thresholds = {*preset.turn_on_v, *preset.warn_v, *preset.brown_out_v};
    supply.comparator.poll = preset.poll;
    supply.charger = preset.charger;
    supply.converter = preset.converter;
    scenario.mcu.profile.rail_v = 1.8;
    scenario.storage.part.min_vdd_v.value = 1.7;
    set_power(scenario, 2.5e-3);
    scenario.stop.time = seconds(20);
    const RunResult result = run(scenario);
    EXPECT_TRUE(result.pass) << preset.name << ": " << result.failure << name_of(result.stop_reason);
    EXPECT_GT(result.persisted, 3U) << preset.name;
    EXPECT_LE(result.balance.relative_error, 1e-12) << preset.name << ": " << result.balance.worst;
  }
}

TEST(SupplyRun, TenPiecesOfEachSegmentAreTheSameRun) {
  for (const PathKind kind : {PathKind::ideal, PathKind::ldo, PathKind::buck}) {
    const auto run_in = [&](int pieces) {
      Scenario scenario = lossy_scenario(kind);
      std::vector<devices::TimedScript> parts;
      for (int i = 0; i < 60; ++i) {
        for (int j = 0; j < pieces; ++j) {
          parts.push_back({devices::ConstantScript{i % 2 == 0 ? 5e-3 : 0.5e-3}, {40'000'000'000 / pieces}});
        }
      }
      scenario.supply.source = ScriptConfig{parts, false};
      return run(scenario);
    };
    const RunResult one = run_in(1);
    const RunResult ten = run_in(10);
    EXPECT_GT(one.persisted, 3U);
    EXPECT_EQ(ten.persisted, one.persisted);
    EXPECT_EQ(ten.operations, one.operations);
    EXPECT_NEAR(ten.final_v, one.final_v, 1e-9 * one.final_v);
    EXPECT_NEAR(ten.conversion_j, one.conversion_j, 1e-9 * one.harvested_j);
    EXPECT_NEAR(ten.charging_j, one.charging_j, 1e-9 * one.harvested_j);
    EXPECT_NEAR(ten.leakage_j, one.leakage_j, 1e-9 * one.harvested_j);
    EXPECT_NEAR(ten.persist.energy_j.maximum(), one.persist.energy_j.maximum(), 1e-9);
  }
}

class EverySo final : public OutagePlan {
 public:
  Strike at(Point point) override {
    if (point.during != During::program && point.during != During::section) return Strike::none;
    return ++seen_ % 997 == 0 ? Strike::warning : Strike::none;
  }

 private:
  int seen_ = 0;
};

// The bench supply covers whatever is drawn, and drains to warn whatever is drawn there.
TEST(SupplyRun, PlannedOutagesStayWithinTheBoundOnEveryPath) {
  for (const PathKind kind : kDependent) {
    Scenario scenario = lossy_scenario(kind);
    scenario.supply.comparator.poll = devices::microseconds(50);
    scenario.stop = {{}, 400};
    EverySo plan;
    RunOptions options;
    options.plan = &plan;
    const RunResult result = run(scenario, options);
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_GT(result.persisted, 20U);
    EXPECT_LE(result.balance.relative_error, 1e-12) << result.balance.worst;
  }
}

// --- planted errors -------------------------------------------------------------------------------

// One span of a run is booked with one of its flows doubled.
template <double Span::*flow>
class OneFlowOff final : public Ledger {
 public:
  void book(const Span& span) override {
    Span wrong = span;
    if (span.*flow > 0 && span.duration > devices::microseconds(100) && !done_) {
      done_ = true;
      wrong.*flow *= 2;
    }
    Ledger::book(wrong);
  }

 private:
  bool done_ = false;
};

template <class Planted>
void expect_found() {
  const Scenario scenario = lossy_scenario(PathKind::ldo);
  Planted ledger;
  Machine machine(scenario, open_source(scenario), ledger, {});
  const RunResult result = machine.run();
  EXPECT_EQ(result.stop_reason, StopReason::check_failed);
  EXPECT_NE(result.failure.find("books"), std::string::npos) << result.failure;
}

TEST(Planted, EachFlowOfTheSupplyThatIsOffIsFound) {
  expect_found<OneFlowOff<&Span::charged_w>>();
  expect_found<OneFlowOff<&Span::leaked_w>>();
  expect_found<OneFlowOff<&Span::off_w>>();
  expect_found<OneFlowOff<&Span::drawn_w>>();
  expect_found<OneFlowOff<&Span::source_w>>();
}

// The second book takes the supply for another one.
TEST(Planted, BooksOfTwoSuppliesAreFound) {
  const auto failure_with = [](auto change) {
    const Scenario scenario = lossy_scenario(PathKind::buck);
    Ledger ledger;
    Machine machine(scenario, open_source(scenario), ledger, {});
    SupplyConfig other = supply_of(scenario);
    change(other);
    ledger.note_supply(SupplyFlows(other));
    return machine.run().failure;
  };
  EXPECT_EQ(failure_with([](SupplyConfig&) {}), "") << "without an error there is nothing to find";
  const std::string found = "the energy books disagree";
  EXPECT_EQ(failure_with([](SupplyConfig& other) { other.leakage_a *= 1.01; }).find(found), 0U);
  EXPECT_EQ(failure_with([](SupplyConfig& other) { other.off_a = 0; }).find(found), 0U);
  EXPECT_EQ(failure_with([](SupplyConfig& other) { other.charger.drop_v += 0.01; }).find(found), 0U);
  EXPECT_EQ(failure_with([](SupplyConfig& other) { other.converter.quiescent_a = 0; }).find(found), 0U);
  EXPECT_EQ(
      failure_with([](SupplyConfig& other) { other.converter.table->efficiencies[3] += 0.001; }).find(found),
      0U);
}

// A bound that was rated where the table is better than between warn and brown-out.
TEST(Planted, ABoundOfABetterEfficiencyIsFound) {
  Scenario scenario = lossy_scenario(PathKind::buck);
  PersistBound bound = persist_bound(scenario);
  bound.rate(SupplyFlows(supply_of(scenario)), {4.0, 4.2});
  bound.rated = persist_bound(scenario).rated;
  RunOptions options;
  options.bound = bound;
  const RunResult result = run(scenario, options);
  EXPECT_EQ(result.stop_reason, StopReason::check_failed);
  EXPECT_NE(result.failure.find("above the bound"), std::string::npos) << result.failure;
}

// A bound that forgets how long the comparator may look away.
TEST(Planted, ABoundWithoutThePollIsFound) {
  Scenario scenario = small_scenario();
  scenario.supply.capacitor.capacitance_f = 1e-3;
  scenario.supply.comparator.poll = devices::milliseconds(64);
  scenario.stop.time = seconds(20);
  Scenario unpolled = scenario;
  unpolled.supply.comparator.poll = {};
  RunOptions options;
  options.bound = persist_bound(unpolled);
  EXPECT_NE(run(scenario, options).failure.find("above the bound"), std::string::npos);
  EXPECT_EQ(run(scenario).failure, "");
}

}  // namespace
}  // namespace brownout::sim::testing
