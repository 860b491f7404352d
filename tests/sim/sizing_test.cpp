// The capacitor that a persist needs: against formulas and against the model of the capacitor.
#include "sim/machine/sizing.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "devices/supply/capacitor.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/report/size_report.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

SupplyConfig some_supply() {
  SupplyConfig supply = small_scenario().supply;
  supply.thresholds = {3.6, 3.0, 2.5};
  supply.capacitance_tolerance = 0;
  supply.comparator.tolerance = 0;
  return supply;
}

constexpr Demand kDemand{20e-6, 8e-3, devices::milliseconds(3)};

TEST(Sizing, WithoutEsrItIsTheTextbookFormula) {
  SupplyConfig supply = some_supply();
  const double nominal_f = 2 * 20e-6 / (3.0 * 3.0 - 2.5 * 2.5);
  EXPECT_NEAR(persist_capacitance(kDemand, supply, {}), nominal_f, 1e-18);
  EXPECT_NEAR(capacitance_for(20e-6, 8e-3, supply), nominal_f, 1e-18);
  supply.capacitance_tolerance = 0.2;
  supply.comparator.tolerance = 0.05;
  const double worst_f = 2 * 20e-6 / (2.85 * 2.85 - 2.625 * 2.625) / 0.8;
  EXPECT_NEAR(persist_capacitance(kDemand, supply, worst_for_persist(supply)), worst_f, 1e-15);
  const double start_f = 2 * 20e-6 / (3.42 * 3.42 - 3.15 * 3.15) / 0.8;
  EXPECT_NEAR(start_capacitance(kDemand, supply, worst_for_start(supply)), start_f, 1e-15);
}

// The load sets in with the internal voltage at the level; the model of the capacitor then delivers exactly
// the energy before its terminals are at brown-out.
TEST(Sizing, WithEsrTheCapacitorDeliversWhatWasAskedForAndNoMore) {
  for (const double esr_ohm : {0.1, 5.0, 40.0}) {
    for (const double power_w : {8e-3, 20e-3}) {
      SupplyConfig supply = some_supply();
      supply.capacitor.esr_ohm = esr_ohm;
      const Demand demand{20e-6, power_w, devices::milliseconds(1)};
      const double needed_f = persist_capacitance(demand, supply, {});
      EXPECT_GT(needed_f, persist_capacitance(demand, some_supply(), {}));
      devices::CapacitorParameters parameters{.capacitance_f = needed_f, .esr_ohm = esr_ohm};
      const devices::Capacitor capacitor(parameters, 3.0);
      const auto time = capacitor.time_until_falls_to(2.5, power_w);
      ASSERT_TRUE(time);
      EXPECT_NEAR(time->seconds() * power_w, 20e-6, 1e-9 * 20e-6 + 2e-12 * power_w) << esr_ohm;
    }
  }
}

// What leaks is taken at the level that it begins at: on the safe side, and not by much.
TEST(Sizing, LeakageIsPaidFor) {
  SupplyConfig supply = some_supply();
  supply.capacitor.leakage_ohm = 5'000;
  const Demand demand{20e-6, 20e-6 / 3e-3, devices::milliseconds(3)};
  const double needed_f = persist_capacitance(demand, supply, {});
  devices::CapacitorParameters parameters{.capacitance_f = needed_f, .leakage_ohm = 5'000};
  const devices::Capacitor capacitor(parameters, 3.0);
  const auto time = capacitor.time_until_falls_to(2.5, demand.peak_w);
  ASSERT_TRUE(time);
  EXPECT_GT(*time, demand.time);
  EXPECT_LT(time->seconds(), 1.1 * demand.time.seconds());
}

TEST(Sizing, WithoutAWindowNoCapacitanceDoes) {
  SupplyConfig supply = some_supply();
  supply.comparator.tolerance = 0.1;  // 2.7 V and 2.75 V
  EXPECT_TRUE(std::isinf(persist_capacitance(kDemand, supply, worst_for_persist(supply))));
  supply.comparator.tolerance = 0;
  supply.capacitor.esr_ohm = 1000;  // 8 mW through 1 kOhm: 8 V^2
  EXPECT_TRUE(std::isinf(persist_capacitance(kDemand, supply, {})));
  EXPECT_TRUE(std::isinf(capacitance_between(1, 1, 3, 3, 0)));
}

TEST(Sizing, TheTurnOnLevelIsTheInverseOfTheCapacitance) {
  for (const double esr_ohm : {0.0, 3.0}) {
    SupplyConfig supply = some_supply();
    supply.capacitor.esr_ohm = esr_ohm;
    supply.capacitor.leakage_ohm = 1e6;
    supply.capacitance_tolerance = 0.2;
    supply.comparator.tolerance = 0.03;
    for (const Deviation& parts : {Deviation{}, worst_for_start(supply)}) {
      const double turn_on_v = turn_on_for(kDemand, 30e-6, supply, parts);
      supply.thresholds.turn_on_v = turn_on_v;
      EXPECT_NEAR(start_capacitance(kDemand, supply, parts), 30e-6, 1e-15);
    }
  }
  EXPECT_TRUE(std::isinf(turn_on_for({1e9, 1, {}}, 1e-9, some_supply(), {})));
}

TEST(Sizing, MoreToleranceNeedsMoreCapacitance) {
  Scenario scenario = small_scenario();
  const auto worst_f = [&] { return size_supply(scenario, {}, 0, 1).persist_worst_f; };
  scenario.supply.capacitance_tolerance = 0;
  scenario.supply.comparator.tolerance = 0;
  double last_f = worst_f();
  EXPECT_EQ(last_f, size_supply(scenario, {}, 0, 1).persist_nominal_f);
  const auto grows = [&](const char* what) {
    const double now_f = worst_f();
    EXPECT_GT(now_f, last_f) << what;
    last_f = now_f;
  };
  for (const double tolerance : {0.1, 0.2, 0.5, 0.9}) {
    scenario.supply.capacitance_tolerance = tolerance;
    grows("capacitance");
  }
  for (const double tolerance : {0.01, 0.02, 0.04, 0.05}) {
    scenario.supply.comparator.tolerance = tolerance;
    grows("thresholds");
  }
  scenario.supply.comparator.latency = devices::microseconds(10);
  grows("latency");
  scenario.supply.converter.efficiency = 0.9;
  grows("efficiency");
  scenario.supply.capacitor.esr_ohm = 0.5;
  grows("ESR");
  scenario.supply.capacitor.leakage_ohm = 1e6;
  grows("leakage");
  scenario.supply.leakage_a = 1e-6;
  grows("constant leakage");
  scenario.supply.comparator.poll = devices::microseconds(10);
  grows("poll");
  scenario.supply.converter.quiescent_a = 1e-6;
  grows("quiescent current");
  scenario.supply.converter.kind = devices::PathKind::buck;
  scenario.supply.converter.table =
      devices::EfficiencyTable{"worse below", {2.6, 2.65}, {1e-3}, {0.8, 0.9}, "test"};
  grows("table: brown-out may be as low as that");
  scenario.mcu.os_save_bytes += 8;
  grows("OS part");
  scenario.supply.comparator.tolerance = 0.06;
  const Sizing sizing = size_supply(scenario, {}, 0, 1);
  EXPECT_FALSE(sizing.window);
  EXPECT_FALSE(sizing.fits(scenario.supply));
  EXPECT_NE(size_text(scenario, sizing, false).find("nothing is left between the levels"), std::string::npos);
  EXPECT_NE(size_text(scenario, sizing, false).find("TOO SMALL"), std::string::npos);
}

TEST(Sizing, TheWorstCornerIsTheWorst) {
  Scenario scenario = small_scenario();
  scenario.supply.comparator.tolerance = 0.03;
  const Sizing sizing = size_supply(scenario, {}, 0, 1);
  ASSERT_EQ(sizing.corners.size(), 8U);
  const Corner& worst = sizing.corners[sizing.worst_corner];
  EXPECT_EQ(worst.capacitance_f, sizing.persist_worst_f);
  EXPECT_LT(worst.parts.capacitance, 1);
  EXPECT_LT(worst.parts.warn, 1);
  EXPECT_GT(worst.parts.brown_out, 1);
  for (const Corner& corner : sizing.corners) EXPECT_LE(corner.capacitance_f, worst.capacitance_f);
  for (const Spread& spread : sizing.spreads) {
    EXPECT_LT(spread.least_f, sizing.persist_nominal_f) << spread.name;
    EXPECT_GT(spread.most_f, sizing.persist_nominal_f) << spread.name;
  }
  EXPECT_EQ(sizing.spreads[sizing.largest_spread].name, "warn");
  scenario.supply.capacitance_tolerance = 0.8;
  const Sizing loose = size_supply(scenario, {}, 0, 1);
  EXPECT_EQ(loose.spreads[loose.largest_spread].name, "capacitance");
}

TEST(Sizing, MonteCarloIsDeterministicAndWithinTheCorners) {
  Scenario scenario = small_scenario();
  scenario.supply.comparator.tolerance = 0.03;
  const auto drawn = [&](std::uint64_t draws, std::uint64_t seed) {
    return size_supply(scenario, {}, draws, seed);
  };
  EXPECT_EQ(size_json(scenario, drawn(1000, 7)), size_json(scenario, drawn(1000, 7)));
  EXPECT_NE(size_json(scenario, drawn(1000, 7)), size_json(scenario, drawn(1000, 8)));
  const Sizing sizing = drawn(20'000, 1);
  const MonteCarlo& all = *sizing.monte_carlo;
  EXPECT_GT(all.median_f, 0.9 * sizing.persist_nominal_f);
  EXPECT_LT(all.median_f, 1.1 * sizing.persist_nominal_f);
  EXPECT_GT(all.p99_f, all.median_f);
  EXPECT_LT(all.p99_f, sizing.persist_worst_f);
  const auto share_with = [&](double capacitance_f) {
    scenario.supply.capacitor.capacitance_f = capacitance_f;
    return drawn(20'000, 1).monte_carlo->pass_share();
  };
  EXPECT_EQ(share_with(sizing.persist_worst_f), 1);
  EXPECT_NEAR(share_with(all.median_f), 0.5, 1e-4);
  EXPECT_NEAR(share_with(all.p99_f), 0.99, 1e-4);
  double least_f = sizing.persist_worst_f;
  for (const Corner& corner : sizing.corners) least_f = std::min(least_f, corner.capacitance_f);
  EXPECT_EQ(share_with(0.999 * least_f), 0);
  EXPECT_FALSE(drawn(0, 1).monte_carlo);
  EXPECT_EQ(drawn(1, 1).monte_carlo->median_f, drawn(1, 1).monte_carlo->p99_f);
}

// The worst board that the tolerances allow for, with the capacitor as calculated, loses nothing.
TEST(Sizing, TheCalculatedCapacitorDoesAtTheWorstCorner) {
  for (const double esr_ohm : {0.0, 2.0}) {
    Scenario scenario = small_scenario();
    scenario.supply.thresholds = {3.9, 3.0, 2.6};
    scenario.supply.capacitor.esr_ohm = esr_ohm;
    scenario.supply.capacitor.leakage_ohm = 3e6;
    scenario.supply.comparator.latency = devices::microseconds(200);
    scenario.supply.converter.efficiency = 0.8;
    set_power(scenario, 1e-3);
    const Sizing sizing = size_supply(scenario, {}, 0, 1);
    const Deviation worst = worst_for_persist(scenario.supply);
    scenario.supply.capacitor.capacitance_f = sizing.persist_worst_f * worst.capacitance;
    scenario.supply.thresholds.warn_v *= worst.warn;
    scenario.supply.thresholds.brown_out_v *= worst.brown_out;
    scenario.stop.time = seconds(10);
    const RunResult result = run(scenario);
    EXPECT_TRUE(result.failure.empty()) << result.failure;
    EXPECT_EQ(result.lost, 0U) << esr_ohm;
    EXPECT_GT(result.persisted, 20U) << esr_ohm;
  }
}

// The estimate is above what was seen, and of its size.
TEST(Sizing, StartIsWhatARunTakes) {
  for (const char* bus : {"polled", "esp32c3-zephyr"}) {
    Scenario scenario = small_scenario();
    scenario.storage.bus = *devices::find_spi_profile(bus);
    scenario.supply.capacitor.capacitance_f = 150e-6;
    scenario.stop.time = seconds(10);
    const RunResult result = simulate(scenario, {});
    ASSERT_TRUE(result.pass) << result.failure;
    const StartDemand start = start_demand(scenario, Demand{result.largest_operation_j, 0, {}});
    EXPECT_GT(start.restore.energy_j, result.restore.energy_j.maximum()) << bus;
    EXPECT_LT(start.restore.energy_j, 2 * result.restore.energy_j.maximum()) << bus;
    EXPECT_NEAR(start.boot.energy_j, 3.0 * (0.2e-3 * 1e-3 + 0.3e-3 * 1.6e-3 + 0.5e-3 * 10e-6), 1e-12);
    EXPECT_EQ(start.boot.time, devices::microseconds(500));
    EXPECT_GT(result.largest_operation_j, 3000 / 16e6 * 4.8e-3) << "the computing alone";
    EXPECT_LT(result.largest_operation_j, 1e-4);
    EXPECT_GT(result.largest_operation_time, devices::microseconds(187));
    EXPECT_DOUBLE_EQ(start.total().energy_j,
                     start.boot.energy_j + start.restore.energy_j + result.largest_operation_j);
  }
}

TEST(Sizing, ReportSaysTheSameInTextAndJson) {
  Scenario scenario = small_scenario();
  scenario.locations["supply.capacitor.capacitance"] = {"x.yaml", 12, 3};
  scenario.locations["supply.thresholds.warn"] = {"--set supply.thresholds.warn=3 V", 0, 0};
  const Sizing sizing = size_supply(scenario, Demand{1e-6, 5e-3, devices::milliseconds(1)}, 100, 3);
  const std::string text = size_text(scenario, sizing, true);
  for (const char* words : {"given, line 12", "given by --set", "default, an estimate", "default, ideal",
                            "an estimate, ", "profile cortex-m0plus, an estimate", "<- the worst",
                            "<- dominates", "100 boards", "seed 3", "worst persist", "critical section"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
  const auto report = nlohmann::json::parse(size_json(scenario, sizing));
  EXPECT_EQ(report["verdict"], sizing.fits(scenario.supply) ? "fits" : "too_small");
  EXPECT_EQ(report["persist"]["worst_f"], sizing.persist_worst_f);
  EXPECT_EQ(report["persist"]["nominal_f"], sizing.persist_nominal_f);
  double time_s = 0;
  for (const auto& [name, term] : report["persist_bound"]["times_s"].items()) time_s += term.get<double>();
  EXPECT_NEAR(time_s, report["persist_bound"]["time_s"].get<double>(), 1e-15);
  double energy_j = 0;
  for (const auto& [name, term] : report["persist_bound"]["energies_j"].items())
    energy_j += term.get<double>();
  EXPECT_NEAR(energy_j, report["persist_bound"]["energy_j"].get<double>(), 1e-18);
  EXPECT_EQ(report["corners"].size(), 8U);
  EXPECT_EQ(report["monte_carlo"]["draws"], 100);
  EXPECT_EQ(report["start"]["operation"]["energy_j"], 1e-6);
  // What does not exist is null.
  const auto bare = nlohmann::json::parse(size_json(scenario, size_supply(scenario, {}, 0, 1)));
  EXPECT_TRUE(bare["monte_carlo"].is_null());
  EXPECT_TRUE(bare["start"]["operation"].is_null());
  scenario.supply.comparator.tolerance = 0.1;
  const auto closed = nlohmann::json::parse(size_json(scenario, size_supply(scenario, {}, 0, 1)));
  EXPECT_TRUE(closed["persist"]["worst_f"].is_null());
  EXPECT_FALSE(closed["persist"]["window_at_worst_corner"].get<bool>());
}

}  // namespace
}  // namespace brownout::sim::testing
