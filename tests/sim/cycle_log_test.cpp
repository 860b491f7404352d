#include "sim/machine/cycle_log.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "devices/math/random.hpp"
#include "sim/machine/power_train.hpp"
#include "sim/report/cycle_sections.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

// Every kind of cycle: outages, false alarms, losses and starts that fail, with losses of every kind.
Scenario eventful_scenario() {
  Scenario scenario = small_scenario();
  scenario.supply.converter.efficiency = 0.9;
  scenario.supply.charger = {.kind = devices::PathKind::boost, .efficiency = 0.95};
  scenario.supply.capacitor.esr_ohm = 0.5;
  scenario.supply.capacitor.leakage_ohm = 1e6;
  scenario.supply.off_a = 1e-6;
  scenario.supply.leakage_a = 1e-6;
  return scenario;
}

RunResult run_with_all_cycles(const Scenario& scenario) {
  RunOptions options;
  options.all_cycles = true;
  return run(scenario, std::move(options));
}

double used_in(const Cycle& cycle) {
  double used_j = 0;
  for (const double phase_j : cycle.energy.phases_j) used_j += phase_j;
  return used_j;
}

void expect_cycles_to_add_up(const RunResult& result) {
  const auto& kept = result.cycles.kept();
  ASSERT_EQ(kept.size(), result.cycles.count());
  Picoseconds at;
  double stored_j = result.initial_j;
  double used_j = 0;
  double harvested_j = 0;
  double lost_j = 0;
  std::uint64_t operations = 0;
  std::uint64_t false_alarms = 0;
  std::uint64_t turn_ons = 0;
  std::uint64_t ends[4] = {};
  for (const auto& [number, cycle] : kept) {
    EXPECT_EQ(cycle.number, number);
    EXPECT_EQ(cycle.begin_at, at) << number;
    EXPECT_EQ(cycle.begin_j, stored_j) << number;
    const CycleEnergy& energy = cycle.energy;
    const double losses_j = energy.leakage_j + energy.esr_j + energy.clipped_j + energy.conversion_j +
                            energy.charging_j + energy.off_j;
    const double in_j = cycle.begin_j + energy.harvested_j;
    EXPECT_NEAR(in_j, used_in(cycle) + losses_j + cycle.end_j, 1e-9 * in_j) << number;
    at = cycle.end_at;
    stored_j = cycle.end_j;
    used_j += used_in(cycle);
    harvested_j += energy.harvested_j;
    lost_j += losses_j;
    operations += cycle.operations;
    false_alarms += cycle.false_alarms;
    if (cycle.turn_on_at) ++turn_ons;
    ++ends[static_cast<std::size_t>(cycle.end)];
  }
  EXPECT_EQ(at, result.simulated);
  EXPECT_EQ(operations, result.operations);
  EXPECT_EQ(false_alarms, result.false_alarms);
  EXPECT_EQ(turn_ons, result.turn_ons);
  EXPECT_EQ(ends[static_cast<std::size_t>(CycleEnd::lost)], result.lost);
  EXPECT_EQ(ends[static_cast<std::size_t>(CycleEnd::in_boot)], result.during_boot);
  double phases_j = 0;
  for (const PhaseUse& use : result.phases) phases_j += use.energy_j();
  EXPECT_NEAR(used_j, phases_j, 1e-9 * phases_j);
  EXPECT_NEAR(harvested_j, result.harvested_j, 1e-9 * result.harvested_j);
  const double all_losses_j = result.leakage_j + result.esr_j + result.clipped_j + result.conversion_j +
                              result.charging_j + result.off_j;
  EXPECT_NEAR(lost_j, all_losses_j, 1e-9 * std::max(all_losses_j, 1e-9));
}

TEST(Cycles, CoverAllTimeAndEnergyOfARun) {
  for (const AfterPersist after : {AfterPersist::shutdown, AfterPersist::sleep, AfterPersist::deep_sleep}) {
    Scenario scenario = eventful_scenario();
    scenario.mcu.after_persist = after;
    const RunResult result = run_with_all_cycles(scenario);
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_GT(result.persisted + result.false_alarms, 10U);
    expect_cycles_to_add_up(result);
  }
}

TEST(Cycles, CoverRunsThatLoseAndRunsThatNeverStart) {
  Scenario starved = starved_scenario();
  expect_cycles_to_add_up(run_with_all_cycles(starved));
  starved.mcu.on_loss = OnLoss::reformat;
  const RunResult lossy = run_with_all_cycles(starved);
  EXPECT_GT(lossy.lost, 10U);
  expect_cycles_to_add_up(lossy);
  Scenario dark = small_scenario();
  set_power(dark, 0);
  const RunResult result = run_with_all_cycles(dark);
  ASSERT_EQ(result.cycles.count(), 1U);
  EXPECT_FALSE(result.cycles.kept().at(0).turn_on_at);
}

TEST(Cycles, EventsAreInOrderAndAtTheirVoltages) {
  const Scenario scenario = eventful_scenario();
  const Thresholds& levels = scenario.supply.thresholds;
  const RunResult result = run_with_all_cycles(scenario);
  double lowest_end_v = 9;
  for (const auto& [number, cycle] : result.cycles.kept()) {
    Picoseconds at = cycle.begin_at;
    for (const Cycle::Event& event : cycle.events) {
      EXPECT_GE(event.point.at, at);
      at = event.point.at;
      const bool warns = event.kind == CycleEvent::warn;
      if (!warns && event.kind != CycleEvent::turn_on) continue;
      EXPECT_NEAR(event.point.v, warns ? levels.warn_v : levels.turn_on_v, 0.01) << number;
    }
    EXPECT_LE(at, cycle.end_at);
    if (cycle.end != CycleEnd::persisted) continue;
    ASSERT_TRUE(cycle.persist_end_v && cycle.lowest_v && cycle.persist);
    // With `shutdown` the voltage falls as long as the persist lasts, and the board is off after it.
    EXPECT_LE(*cycle.lowest_v, *cycle.persist_end_v);
    EXPECT_NEAR(*cycle.lowest_v, *cycle.persist_end_v, 0.02);
    EXPECT_LE(*cycle.persist, result.persist_bound.times.total());
    lowest_end_v = std::min(lowest_end_v, *cycle.persist_end_v);
    for (const VoltageEnvelope::Point& point : cycle.points) {
      EXPECT_GE(point.at, *cycle.turn_on_at);
      EXPECT_LE(point.at, cycle.end_at);
      EXPECT_GE(point.v, *cycle.lowest_v);
    }
    EXPECT_LE(cycle.points.size(), 64U);
  }
  EXPECT_EQ(lowest_end_v, result.lowest_persist_end_v);
  EXPECT_EQ(result.cycles.persist_times().count(), result.persist.time_s.count());
  EXPECT_EQ(result.cycles.restore_times().count(), result.restore.time_s.count());
  EXPECT_EQ(result.cycles.charging_times().count(), result.turn_ons);
}

TEST(Cycles, TheEnvelopeHoldsEveryEventOfTheRun) {
  const RunResult result = run_with_all_cycles(eventful_scenario());
  const VoltageEnvelope& envelope = result.cycles.envelope();
  EXPECT_LE(envelope.stretches().size(), 4096U);
  EXPECT_GT(envelope.stretches().size(), 2000U);
  for (const VoltageEnvelope::Stretch& stretch : envelope.stretches()) EXPECT_FALSE(stretch.empty);
  const auto end = static_cast<std::int64_t>(envelope.stretches().size()) * envelope.length().count;
  EXPECT_GE(end, result.simulated.count);
  for (const auto& [number, cycle] : result.cycles.kept()) {
    for (const Cycle::Event& event : cycle.events) {
      const auto index = static_cast<std::size_t>(event.point.at.count / envelope.length().count);
      const VoltageEnvelope::Stretch& stretch = envelope.stretches().at(index);
      EXPECT_LE(stretch.lowest.v, event.point.v) << number;
      EXPECT_GE(stretch.highest.v, event.point.v) << number;
    }
  }
}

// Nothing happens in 8 s: the edges are worked out within one span, as the closed form has them.
TEST(Cycles, TheEnvelopeOfOneSpanIsTheClosedForm) {
  SupplyConfig supply = small_scenario().supply;
  supply.initial_v = 1;
  std::vector<devices::TimedScript> script{{devices::ConstantScript{1e-5}, devices::kForever}};
  Ledger ledger;
  PowerTrain train(supply, devices::make_scripted_source(std::move(script), false), ledger);
  CycleLog log;
  train.watch(&log);
  EXPECT_EQ(train.run_until(seconds(8)), PowerEvent::none);
  train.close();
  const VoltageEnvelope& envelope = log.envelope();
  ASSERT_GT(envelope.stretches().size(), 1900U);
  const auto v_at = [&](double s) { return std::sqrt(1 + 2 * 1e-5 * s / supply.capacitor.capacitance_f); };
  for (std::size_t i = 0; i + 1 < envelope.stretches().size(); ++i) {
    const double from_s = static_cast<double>(i) * envelope.length().seconds();
    EXPECT_NEAR(envelope.stretches()[i].lowest.v, v_at(from_s), 1e-9) << i;
    EXPECT_NEAR(envelope.stretches()[i].highest.v, v_at(from_s + envelope.length().seconds()), 1e-9) << i;
  }
}

// A load of 1 mW under 2 mW for 20 ms and nothing for 20 ms, much shorter than a stretch: up and down by 20
// uJ.
TEST(Cycles, TheEnvelopeHoldsWhereTheVoltageTurns) {
  SupplyConfig supply = small_scenario().supply;
  supply.initial_v = 4;
  devices::SquareScript sun{.high_w = 2e-3, .period = devices::milliseconds(40), .duty = 0.5};
  std::vector<devices::TimedScript> script{{sun, devices::kForever}};
  Ledger ledger;
  PowerTrain train(supply, devices::make_scripted_source(std::move(script), false), ledger);
  EXPECT_EQ(train.run_until(seconds(1)), PowerEvent::recovered);
  train.set_load({.cpu_w = 1e-3}, Phase::run);
  CycleLog log;
  train.watch(&log);
  EXPECT_EQ(train.run_until(seconds(1000)), PowerEvent::none);
  train.close();
  const VoltageEnvelope& envelope = log.envelope();
  ASSERT_GT(envelope.length(), devices::milliseconds(80));
  const double highest_v = std::sqrt(16 + 2 * 20e-6 / supply.capacitor.capacitance_f);
  for (std::size_t i = 0; i + 1 < envelope.stretches().size(); ++i) {
    EXPECT_NEAR(envelope.stretches()[i].lowest.v, 4, 1e-9) << i;
    EXPECT_NEAR(envelope.stretches()[i].highest.v, highest_v, 1e-9) << i;
  }
}

// To be looked at changes nothing.
TEST(Cycles, AWatchedTrainDoesTheSame) {
  const auto after = [](CycleLog* log) {
    Ledger ledger;
    Scenario scenario = eventful_scenario();
    PowerTrain train(scenario.supply, open_source(scenario), ledger);
    if (log != nullptr) train.watch(log);
    for (int i = 1; i <= 1000; ++i) {
      if (train.powered()) train.set_load({.cpu_w = i % 3 * 1e-3, .storage_w = 1e-4}, Phase::run);
      for (PowerEvent event = PowerEvent::warn; event != PowerEvent::none;) {
        event = train.run_until(seconds(i * 1.1e-3));
        if (event == PowerEvent::brown_out) train.set_load({}, Phase::off);
      }
    }
    train.close();
    return std::pair(train.stored_j(), ledger.drawn_j());
  };
  CycleLog log;
  EXPECT_EQ(after(nullptr), after(&log));
}

Cycle made_up(CycleLog& log, const Ledger& ledger, std::int64_t number, std::int64_t persist_ps,
              double lowest_v, bool lost) {
  const Picoseconds begin{number * 1'000'000};
  log.turn_on({begin + Picoseconds{1000}, 3.6}, 1e-4);
  log.voltage({begin + Picoseconds{2000}, lowest_v}, true);
  Cycle made;
  made.lowest_v = lowest_v;
  if (lost) {
    log.event(CycleEvent::lost, {begin + Picoseconds{3000}, lowest_v});
  } else {
    log.persisted({persist_ps}, lowest_v);
    made.persist = Picoseconds{persist_ps};
  }
  log.end(false, {{(number + 1) * 1'000'000}, 2.7}, 1e-5, ledger, 0);
  return made;
}

// Against all of them, sorted.
TEST(Cycles, WhatIsKeptIsWhatIsNotable) {
  devices::SplitMix64 random(5);
  const Ledger ledger;
  CycleLog log;
  std::vector<Cycle> all;
  constexpr std::size_t kCount = 5000;
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto persist_ps = static_cast<std::int64_t>(random.next() % 5000);  // with ties
    const double lowest_v = 2.5 + static_cast<double>(random.next() % 1000) / 1000;
    const bool lost = random.next() % 50 == 0;
    all.push_back(made_up(log, ledger, static_cast<std::int64_t>(i), persist_ps, lowest_v, lost));
    all.back().number = i;
    all.back().end = lost ? CycleEnd::lost : CycleEnd::persisted;
  }
  std::set<std::uint64_t> expected;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (i < 100 || i >= kCount - 100 || all[i].end == CycleEnd::lost) expected.insert(i);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Cycle& a, const Cycle& b) { return *a.lowest_v < *b.lowest_v; });
  for (std::size_t i = 0; i < 500; ++i) expected.insert(all[i].number);
  std::stable_sort(all.begin(), all.end(),
                   [](const Cycle& a, const Cycle& b) { return a.number < b.number; });
  std::stable_sort(all.begin(), all.end(), [](const Cycle& a, const Cycle& b) {
    return a.persist.value_or(Picoseconds{-1}) > b.persist.value_or(Picoseconds{-1});
  });
  for (std::size_t i = 0; i < 500; ++i) expected.insert(all[i].number);
  std::set<std::uint64_t> kept;
  for (const auto& [number, cycle] : log.kept()) kept.insert(number);
  EXPECT_EQ(kept, expected);
}

// The promise of 20 MB at 100,000 outages, and at 100,000 losses.
TEST(Cycles, MemoryAndReportAreBounded) {
  for (const bool lost : {false, true}) {
    const Ledger ledger;
    CycleLog log;
    for (std::int64_t i = 0; i < 100'000; ++i) {
      // Ever longer, so that each is among the longest for a while, with as many points as there can be.
      const Picoseconds begin{i * 1'000'000'000};
      log.turn_on({begin + Picoseconds{1000}, 3.6123456789012345}, 1e-4 / 3);
      for (std::int64_t k = 1; k <= 64; ++k)
        log.voltage({begin + Picoseconds{k * 15'000'000},
                     3.0 + (k % 2 == 0 ? 0.1 : 0.3) / static_cast<double>(k + i)},
                    true);
      if (lost) log.event(CycleEvent::lost, {begin + Picoseconds{970'000'000}, 2.8});
      if (!lost) log.persisted({i}, 2.8);
      log.end(false, {begin + Picoseconds{1'000'000'000}, 2.7}, 1e-5 / 3, ledger, 0);
    }
    EXPECT_EQ(log.count(), 100'000U);
    EXPECT_LE(log.kept().size(), lost ? 11'200U : 1'200U);
    EXPECT_LT(cycle_sections(log).size(), 20'000'000U);
  }
}

TEST(Distribution, BinsTileAndQuantilesAreNeverBelow) {
  devices::SplitMix64 random(3);
  Distribution distribution;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t value = static_cast<std::int64_t>(random.next() >> (1 + random.next() % 63));
    all.push_back(value);
    distribution.add({value});
  }
  std::sort(all.begin(), all.end());
  std::uint64_t count = 0;
  std::int64_t end = 0;
  for (const Distribution::Bin& bin : distribution.bins()) {
    EXPECT_GE(bin.from.count, end);
    end = bin.to.count;
    EXPECT_LE(end - bin.from.count, std::max<std::int64_t>(1, bin.from.count / 128));
    const auto from = std::lower_bound(all.begin(), all.end(), bin.from.count);
    const auto to = std::lower_bound(all.begin(), all.end(), bin.to.count);
    EXPECT_EQ(static_cast<std::uint64_t>(to - from), bin.count);
    count += bin.count;
  }
  EXPECT_EQ(count, all.size());
  for (const std::uint64_t per_mille : {1U, 10U, 500U, 900U, 990U, 999U, 1000U}) {
    const std::int64_t exact = all[(all.size() * per_mille + 999) / 1000 - 1];
    const std::int64_t seen = distribution.quantile(per_mille).count;
    EXPECT_GE(seen, exact);
    EXPECT_LE(seen - exact, exact / 128);
  }
  EXPECT_EQ(distribution.quantile(1000).count, all.back());
}

}  // namespace
}  // namespace brownout::sim::testing
