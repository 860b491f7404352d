#include "sim/machine/machine.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "sim/machine/control_run.hpp"
#include "sim/machine/sizing.hpp"
#include "sim/report/report.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

// A source that does something to the board whenever it changes while the board is off.
class Saboteur final : public devices::Source {
 public:
  Saboteur(std::unique_ptr<devices::Source> source, std::function<void()> deed)
      : source_(std::move(source)), deed_(std::move(deed)) {}
  std::optional<devices::SourceSegment> next() override {
    deed_();
    return source_->next();
  }

 private:
  std::unique_ptr<devices::Source> source_;
  std::function<void()> deed_;
};

TEST(Machine, SurvivesOutagesAndLosesNothing) {
  const RunResult result = run(small_scenario());
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.stop_reason, StopReason::time);
  EXPECT_GT(result.persisted, 20U);
  EXPECT_EQ(result.lost, 0U);
  EXPECT_EQ(result.outages_compared, result.persisted);
  EXPECT_GT(result.with_dirty_data, result.persisted / 2);
  EXPECT_GT(result.operations, 100U);
  EXPECT_EQ(result.simulated, seconds(2));
  EXPECT_LE(result.balance.relative_error, 1e-9);
  EXPECT_EQ(result.violations, devices::FramViolations{});
}

TEST(Machine, EachModeOfTransferSurvives) {
  for (const auto mode :
       {devices::TransferMode::fifo, devices::TransferMode::dma, devices::TransferMode::sliced}) {
    for (const char* bus : {"polled", "esp32c3-baremetal"}) {
      Scenario scenario = small_scenario();
      scenario.storage.bus = *devices::find_spi_profile(bus);
      scenario.storage.transfer = mode;
      scenario.storage.slice_bytes = mode == devices::TransferMode::sliced ? 8 : 0;
      const RunResult result = run(scenario);
      EXPECT_TRUE(result.pass) << bus << " " << devices::name_of(mode) << ": " << result.failure;
      EXPECT_GT(result.persisted, 10U) << bus << " " << devices::name_of(mode);
      EXPECT_GT(result.bus_aborted, 0U) << "no outage fell into a transfer: the test shows too little";
    }
  }
}

// A wire so slow that the checksum of a piece has room beside it.
Scenario dma_scenario() {
  Scenario scenario = small_scenario();
  scenario.storage.bus = *devices::find_spi_profile("esp32c3-baremetal");
  scenario.storage.transfer = devices::TransferMode::dma;
  scenario.storage.sck_hz = 2'000'000;
  return scenario;
}

TEST(Machine, ByDmaAPersistFormsItsChecksumBesideTheWire) {
  Scenario scenario = dma_scenario();
  const RunResult beside = run(scenario);
  EXPECT_TRUE(beside.pass) << beside.failure;
  EXPECT_GT(beside.persisted, 20U);
  EXPECT_LE(beside.balance.relative_error, 1e-12) << beside.balance.worst;
  scenario.storage.bus.dma.cpu_moves_bytes = true;  // at the same costs
  const RunResult in_turn = run(scenario);
  EXPECT_TRUE(in_turn.pass) << in_turn.failure;
  // A byte takes 4 us on the wire and 0.75 us in the checksum, which is all hidden but for short pieces.
  const double hidden_s = 320 * 0.75e-6;
  EXPECT_LT(beside.persist.time_s.mean(), in_turn.persist.time_s.mean() - 0.8 * hidden_s);
  EXPECT_LT(beside.persist.energy_j.mean(), 0.9 * in_turn.persist.energy_j.mean());
  const double wire_s = 4e-6 * beside.persist.bytes.mean();
  EXPECT_GT(beside.persist.time_s.mean(), wire_s);
}

// What a loss lacked is counted by the same law: its persist takes no more than one that was not cut.
TEST(Machine, ByDmaAGhostFormsItsChecksumBesideTheWire) {
  Scenario scenario = dma_scenario();
  const RunResult good = run(scenario);
  scenario.supply.comparator.latency = devices::milliseconds(10);  // power is lost before the warning comes
  scenario.mcu.on_loss = OnLoss::reformat;
  const RunResult lossy = run(scenario);
  EXPECT_TRUE(lossy.failure.empty()) << lossy.failure;
  ASSERT_GT(lossy.losses.size(), 10U);
  for (const Loss& loss : lossy.losses) {
    EXPECT_FALSE(loss.warned);
    EXPECT_GT(loss.persist_energy_j, good.persist.energy_j.minimum());
    EXPECT_LT(loss.persist_energy_j, 1.01 * good.persist.energy_j.maximum());
  }
}

TEST(Machine, ByDmaAPersistIsCutBesideTheWireToo) {
  Scenario scenario = dma_scenario();
  scenario.mcu.on_loss = OnLoss::reformat;
  std::uint64_t lost = 0;
  for (const double brown_out_v : {2.99, 2.98, 2.97, 2.96, 2.95, 2.94}) {
    scenario.supply.thresholds.brown_out_v = brown_out_v;
    const RunResult result = run(scenario);
    EXPECT_TRUE(result.failure.empty()) << result.failure;
    EXPECT_LE(result.balance.relative_error, 1e-12) << result.balance.worst;
    lost += result.lost;
  }
  EXPECT_GT(lost, 100U);
}

TEST(Machine, EachAbortGranularitySurvives) {
  for (const auto granularity : {devices::AbortGranularity::byte, devices::AbortGranularity::chunk,
                                 devices::AbortGranularity::transfer}) {
    Scenario scenario = small_scenario();
    scenario.storage.bus.fifo.abort_granularity = granularity;
    scenario.storage.bus.fifo.chunk_bytes = 16;
    const RunResult result = run(scenario);
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_GT(result.persisted, 20U);
    scenario.storage.transfer = devices::TransferMode::dma;
    scenario.storage.bus = *devices::find_spi_profile("esp32c3-baremetal");
    scenario.storage.bus.dma.abort_granularity = granularity;
    scenario.storage.bus.dma.chunk_bytes = 16;
    const RunResult by_dma = run(scenario);
    EXPECT_TRUE(by_dma.pass) << by_dma.failure;
    EXPECT_GT(by_dma.persisted, 20U);
  }
}

TEST(Machine, SameRunSameFingerprintAndReport) {
  const Scenario scenario = small_scenario();
  const RunResult a = run(scenario);
  const RunResult b = run(scenario);
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_EQ(json_report(scenario, a), json_report(scenario, b));
  Scenario other = scenario;
  other.heap.dirty_limit_bytes = 300;
  EXPECT_NE(run(other).fingerprint, a.fingerprint);
}

// Too small a capacitor: the report names what was lost and a capacitance that really does.
TEST(Machine, TooSmallACapacitorLosesAndSaysWhatWouldDo) {
  Scenario scenario = starved_scenario();
  const RunResult lossy = run(scenario);
  EXPECT_FALSE(lossy.pass);
  EXPECT_EQ(lossy.stop_reason, StopReason::lost);
  ASSERT_EQ(lossy.losses.size(), 1U);
  const Loss& loss = lossy.losses[0];
  EXPECT_TRUE(loss.warned);
  EXPECT_GT(loss.objects_total, 0U);
  EXPECT_EQ(loss.objects.size(), loss.objects_total);
  EXPECT_GT(loss.lacked_j, 0);
  EXPECT_LT(loss.lacked_j, loss.persist_energy_j);
  // What it had is what lies between the two thresholds, but for the harvest during the persist.
  const double available = 0.5 * 22e-6 * (3.0 * 3.0 - 2.95 * 2.95);
  EXPECT_NEAR(loss.persist_energy_j - loss.lacked_j, available, 0.5 * available);
  scenario.supply.capacitor.capacitance_f = recommended_capacitance(scenario, lossy);
  const RunResult good = run(scenario);
  EXPECT_TRUE(good.pass) << good.failure;
  EXPECT_GT(good.persisted, 10U);
  // The persist that was cut in its transfer is counted to its end, as if the power had lasted.
  EXPECT_GT(loss.persist_energy_j, 0.9 * good.persist.energy_j.minimum());
  EXPECT_LT(loss.persist_energy_j, 1.1 * good.persist.energy_j.maximum());
}

// A comparator that is slower than the charge between its levels: power is lost before the warning comes.
TEST(Machine, TooSlowAComparatorLosesWithoutAWarningAndSaysWhatWouldDo) {
  Scenario scenario = small_scenario();
  scenario.supply.comparator.latency = devices::milliseconds(10);
  const RunResult lossy = run(scenario);
  EXPECT_FALSE(lossy.pass);
  EXPECT_EQ(lossy.stop_reason, StopReason::lost);
  EXPECT_EQ(lossy.persisted, 0U);
  ASSERT_EQ(lossy.losses.size(), 1U);
  const Loss& loss = lossy.losses[0];
  EXPECT_FALSE(loss.warned);
  EXPECT_NEAR(loss.warned_at_v, 2.7, 1e-6) << "where power was lost";
  EXPECT_GT(loss.objects_total, 0U);
  EXPECT_GT(loss.persist_energy_j, 0);
  EXPECT_GT(loss.lacked_j, loss.persist_energy_j) << "the rest of the latency was lacking, too";
  // What it had is what lies between the two thresholds, and the harvest in between.
  const double available_j = 0.5 * 22e-6 * (3.0 * 3.0 - 2.7 * 2.7);
  const double had_j = loss.delay_energy_j + loss.persist_energy_j - loss.lacked_j;
  EXPECT_GT(had_j, 0.999 * available_j);
  EXPECT_LT(had_j, 2 * available_j);
  const std::string text = summary(scenario, lossy);
  EXPECT_NE(text.find("the supply fell without a warning"), std::string::npos) << text;
  EXPECT_NE(text.find("the comparator's delay"), std::string::npos) << text;
  EXPECT_NE(json_report(scenario, lossy).find("\"no_warning\""), std::string::npos);

  scenario.supply.capacitor.capacitance_f = recommended_capacitance(scenario, lossy);
  scenario.stop.time = seconds(10);
  const RunResult good = run(scenario);
  EXPECT_TRUE(good.pass) << good.failure;
  EXPECT_GT(good.persisted, 5U);
}

TEST(Machine, SlowComparatorCostsItsLatencyAndNoMore) {
  Scenario scenario = small_scenario();
  set_power(scenario, 1e-3);  // constant, so that each persist begins at the same voltage
  const RunResult ideal = run(scenario);
  scenario.supply.comparator.latency = devices::microseconds(500);
  const RunResult late = run(scenario);
  EXPECT_TRUE(late.pass) << late.failure;
  EXPECT_GT(late.persisted, 20U);
  EXPECT_LT(late.lowest_persist_end_v, ideal.lowest_persist_end_v);
  // 500 us of 4 to 8 mW, or of what draws most.
  const double usable = 3.0 * 3.0 - 2.7 * 2.7;
  const double delay_j = 0.5 * usable * (late.needed_capacitance_f - ideal.needed_capacitance_f);
  EXPECT_GT(delay_j, 0);
  EXPECT_LT(delay_j, 1.2 * 500e-6 * largest_load_w(scenario));
  const PersistBound bound = persist_bound(scenario);
  EXPECT_DOUBLE_EQ(bound.latency_j, 500e-6 * largest_load_w(scenario));
  EXPECT_EQ(bound.times.total() - ideal.persist_bound.times.total(), devices::microseconds(500));
  EXPECT_DOUBLE_EQ(bound.energy_j(), ideal.persist_bound.energy_j() + bound.latency_j);
}

TEST(Machine, ConverterLossesAreDrawnFromTheCapacitor) {
  Scenario scenario = small_scenario();
  scenario.supply.capacitor.capacitance_f = 47e-6;
  const RunResult ideal = run(scenario);
  const PersistBound ideal_bound = persist_bound(scenario);
  const double ideal_load_w = largest_load_w(scenario);
  EXPECT_EQ(ideal.conversion_j, 0);
  scenario.supply.converter.efficiency = 0.7;
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_GT(result.persisted, 10U);
  double used_j = 0;
  for (const PhaseUse& use : result.phases) used_j += use.energy_j();
  EXPECT_NEAR(result.conversion_j, used_j * (1 / 0.7 - 1), 1e-9 * used_j);
  EXPECT_LE(result.balance.relative_error, 1e-12) << result.balance.worst;
  // At the capacitor: more than the phases, which are at the rail.
  const double persist_rail_j = result.phases[static_cast<std::size_t>(Phase::persist)].energy_j();
  const double persist_j =
      result.persist.energy_j.mean() * static_cast<double>(result.persist.energy_j.count());
  EXPECT_NEAR(persist_j, persist_rail_j / 0.7, 1e-9 * persist_j);
  EXPECT_GT(result.largest_start_j, 1.3 * ideal.largest_start_j);
  EXPECT_LT(result.largest_start_j, 1.6 * ideal.largest_start_j);
  const PersistBound bound = persist_bound(scenario);
  EXPECT_EQ(bound.times.total(), ideal_bound.times.total());
  EXPECT_DOUBLE_EQ(bound.energy_j(), ideal_bound.energy_j() / 0.7);
  EXPECT_DOUBLE_EQ(largest_load_w(scenario), ideal_load_w / 0.7);
  const std::string text = summary(scenario, result);
  EXPECT_NE(text.find(", converter "), std::string::npos) << text;
  EXPECT_EQ(summary(scenario, ideal).find("converter"), std::string::npos);
}

TEST(Machine, ALossyConverterLosesAndTheRecommendedCapacitorDoes) {
  Scenario scenario = small_scenario();
  scenario.supply.thresholds.brown_out_v = 2.9;
  ASSERT_TRUE(run(scenario).pass);
  scenario.supply.converter.efficiency = 0.5;
  const RunResult lossy = run(scenario);
  ASSERT_EQ(lossy.losses.size(), 1U) << "the converter has to make the difference";
  const Loss& loss = lossy.losses[0];
  EXPECT_TRUE(loss.warned);
  const double available_j = 0.5 * 22e-6 * (3.0 * 3.0 - 2.9 * 2.9);
  EXPECT_NEAR(loss.persist_energy_j - loss.lacked_j, available_j, 0.5 * available_j);
  scenario.supply.capacitor.capacitance_f = recommended_capacitance(scenario, lossy);
  scenario.stop.time = seconds(10);
  const RunResult good = run(scenario);
  EXPECT_TRUE(good.pass) << good.failure;
  EXPECT_GT(good.persisted, 5U);
}

// 1 % of 1 kW is less than some board draws: the control run's source has to make up for it.
TEST(Machine, ControlRunIsIdealBehindAnyConverter) {
  Scenario scenario = small_scenario();
  scenario.mcu.profile.active_a = 10;
  scenario.supply.converter.efficiency = 0.01;
  const ControlRun control = run_control(scenario, {});
  EXPECT_TRUE(control.result.failure.empty()) << control.result.failure;
  EXPECT_EQ(control.result.turn_ons, 1U);
}

// A run may end while boot code waits for the part: time stands still then, but the start goes on.
TEST(Machine, ARunThatEndsInAStartIsNoFailure) {
  Scenario scenario = small_scenario();
  for (std::int64_t us = 0; us < 60'000; us += 100) {
    scenario.stop.time = devices::microseconds(us + 1);
    const RunResult result = run(scenario);
    ASSERT_EQ(result.failure, "") << us;
  }
}

// The warning is a level: one that rose during boot is taken as soon as the program could run.
TEST(Machine, WarningDuringBootIsNotMissed) {
  Scenario scenario = small_scenario();
  scenario.mcu.profile.boot = {
      {"long", devices::milliseconds(13), 1.6e-3}};  // 49 uJ net, 43 uJ to the warning
  scenario.supply.thresholds.brown_out_v = 2.5;
  scenario.supply.initial_v = 5;  // so that the first start succeeds
  set_power(scenario, 1e-3);
  const RunResult result = run(scenario);
  EXPECT_GT(result.persisted, 5U);
  EXPECT_EQ(result.lost, 0U);
  EXPECT_TRUE(result.failure.empty()) << result.failure;
  EXPECT_LT(result.lowest_persist_end_v, 2.9) << "persists began well below the warning level";
}

TEST(Machine, ReformatGoesOnAfterALoss) {
  Scenario scenario = starved_scenario();
  scenario.mcu.on_loss = OnLoss::reformat;
  const RunResult result = run(scenario);
  EXPECT_FALSE(result.pass) << "a loss is a loss";
  EXPECT_GT(result.lost, 3U);
  EXPECT_GT(result.cold_starts, 3U);
  EXPECT_EQ(result.stop_reason, StopReason::time);
  EXPECT_TRUE(result.failure.empty()) << result.failure;
}

TEST(Machine, FalseAlarmsResumeWithoutABoot) {
  Scenario scenario = small_scenario();
  scenario.mcu.after_persist = AfterPersist::sleep;
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_GT(result.false_alarms, 20U);
  // The run may end between a persist and what the supply does next.
  EXPECT_LE(result.persist.time_s.count() - (result.false_alarms + result.persisted), 1U);
  EXPECT_EQ(result.turn_ons, result.persisted + 1);
}

// In deep sleep RAM is lost: what would have been false alarms are boots and restores, at less current in
// between.
TEST(Machine, DeepSleepBootsWhetherTheSupplyRecoversOrFails) {
  Scenario scenario = small_scenario();
  scenario.mcu.profile.sleep_a = 100e-6;
  scenario.mcu.profile.deep_sleep_a = 1e-6;
  scenario.mcu.after_persist = AfterPersist::sleep;
  const RunResult light = run(scenario);
  scenario.mcu.after_persist = AfterPersist::deep_sleep;
  const RunResult deep = run(scenario);
  EXPECT_TRUE(deep.pass) << deep.failure;
  EXPECT_EQ(deep.false_alarms, 0U);
  EXPECT_GT(deep.persisted, 20U);
  EXPECT_EQ(deep.outages_compared, deep.persisted);
  EXPECT_EQ(deep.turn_ons, deep.persisted + 1);
  const auto off = static_cast<std::size_t>(Phase::off);
  EXPECT_GT(light.phases[off].cpu_j / light.phases[off].time.seconds(), 0.9 * 300e-6);
  EXPECT_LT(deep.phases[off].cpu_j / deep.phases[off].time.seconds(), 1.1 * 3e-6);
}

// Ticks of an RTOS that strike while the board sleeps take no time from what it does when it wakes.
TEST(Machine, TicksThatStrikeAsleepStretchNothing) {
  Scenario scenario = small_scenario();
  scenario.mcu.after_persist = AfterPersist::sleep;
  const RunResult without = run(scenario);
  ASSERT_GT(without.false_alarms, 20U);
  scenario.storage.bus.tick = {devices::milliseconds(1), devices::microseconds(300),
                               devices::milliseconds(1)};
  const RunResult with = run(scenario);
  EXPECT_TRUE(with.pass) << with.failure;
  EXPECT_GT(with.operations, without.operations / 2) << "0.7 of the time is left for them";
}

// A burst during a persist, or during the latency before it, can lift the supply to turn-on before the
// persist is over: no crossing is left to wait for.
TEST(Machine, SupplyThatIsBackBeforeThePersistEndsIsNotWaitedFor) {
  const devices::BurstScript bursts{0,
                                    1,
                                    1,
                                    devices::microseconds(60),
                                    devices::microseconds(60),
                                    devices::milliseconds(5),
                                    devices::milliseconds(25),
                                    3};
  for (const auto after : {AfterPersist::sleep, AfterPersist::deep_sleep, AfterPersist::shutdown}) {
    for (const Picoseconds latency : {Picoseconds{0}, devices::microseconds(300)}) {
      Scenario scenario = small_scenario();
      scenario.supply.source = ScriptConfig{{devices::TimedScript{bursts, devices::kForever}}, false};
      scenario.supply.comparator.latency = latency;
      scenario.mcu.after_persist = after;
      scenario.stop.time = seconds(10);
      const RunResult result = run(scenario);
      EXPECT_TRUE(result.pass) << result.failure;
      EXPECT_GT(result.persisted + result.false_alarms, 100U) << latency.count;
      EXPECT_GT(result.operations, 1000U) << latency.count;
    }
  }
}

TEST(Machine, NeverTurnsOnWithoutEnoughPower) {
  Scenario scenario = small_scenario();
  set_power(scenario, 0);
  EXPECT_EQ(run(scenario).stop_reason, StopReason::never_turned_on);
  // Leakage eats the harvest at 3.16 V, below turn-on.
  set_power(scenario, 10e-6);
  scenario.supply.capacitor.leakage_ohm = 1e6;
  scenario.stop.time.reset();
  scenario.stop.operations = 10;
  const RunResult leaking = run(scenario);
  EXPECT_EQ(leaking.stop_reason, StopReason::never_turned_on);
  EXPECT_FALSE(leaking.pass);
}

TEST(Machine, PeriodicSupplyThatNeverRisesEndsToo) {
  Scenario scenario = small_scenario();
  devices::SquareScript weak;
  weak.high_w = 20e-6;
  weak.period = devices::milliseconds(10);
  scenario.supply.source = ScriptConfig{{devices::TimedScript{weak, devices::kForever}}, false};
  scenario.supply.capacitor.leakage_ohm = 1e6;
  scenario.stop.time.reset();
  scenario.stop.operations = 10;
  EXPECT_EQ(run(scenario).stop_reason, StopReason::never_turned_on);
}

TEST(Machine, NoProgressIsAVerdictAndNoEndlessLoop) {
  Scenario scenario = small_scenario();
  scenario.mcu.profile.boot = {{"endless", devices::milliseconds(100), 1.6e-3}};  // takes more than a charge
  scenario.stop.time.reset();
  scenario.stop.operations = 10;
  const RunResult result = run(scenario);
  EXPECT_EQ(result.stop_reason, StopReason::no_progress);
  EXPECT_FALSE(result.pass);
  EXPECT_GT(result.during_boot, 50U);
}

// Computing goes on where it was interrupted: an operation may take as many power cycles as it likes.
TEST(Machine, LongComputingIsProgress) {
  Scenario scenario = small_scenario();
  std::get<CounterConfig>(scenario.workload).compute_cycles = 30'000'000;  // 1.9 s of 9 ms each
  scenario.stop.time.reset();
  scenario.stop.operations = 2;
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.stop_reason, StopReason::operations);
  EXPECT_GT(result.persisted, 200U);
}

TEST(Machine, PeriodsNearTheEndOfTimeDoNotOverflow) {
  Scenario scenario = small_scenario();
  devices::SquareScript season;
  season.high_w = 2e-6;
  season.period = seconds(90 * 86'400.0);
  scenario.supply.source = ScriptConfig{{devices::TimedScript{season, devices::kForever}}, false};
  scenario.supply.capacitor.capacitance_f = 10;
  scenario.stop.time = seconds(100 * 86'400.0);
  EXPECT_EQ(run(scenario).stop_reason, StopReason::never_turned_on);
}

TEST(Machine, SupplyThatDiesIsNoProgress) {
  Scenario scenario = small_scenario();
  scenario.supply.initial_v = 4;
  set_power(scenario, 0);
  scenario.stop.time = seconds(1000);
  const RunResult result = run(scenario);
  EXPECT_EQ(result.turn_ons, 1U);
  EXPECT_EQ(result.stop_reason, StopReason::no_progress);
}

TEST(Machine, SourceThatEndsEndsTheRunWithoutFailure) {
  Scenario scenario = small_scenario();
  auto& script = std::get<ScriptConfig>(scenario.supply.source);
  script.parts[0].duration = seconds(0.5);
  scenario.stop.time = seconds(10);
  const RunResult result = run(scenario);
  EXPECT_EQ(result.stop_reason, StopReason::source_ended);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.simulated, seconds(0.5));
}

TEST(Machine, WherePowerFailsTheRestoreIsRepeated) {
  Scenario scenario = small_scenario();
  // Enough to boot, not always enough to restore: long boot, small step to the warning.
  scenario.mcu.profile.boot = {{"long", devices::milliseconds(9), 1.6e-3}};
  scenario.supply.thresholds = {3.4, 3.1, 2.9};
  set_power(scenario, 1.5e-3);
  scenario.stop.time = seconds(20);
  const RunResult result = run(scenario);
  EXPECT_GT(result.during_boot + result.persisted, 50U);
  EXPECT_EQ(result.lost, 0U);
  EXPECT_TRUE(result.failure.empty()) << result.failure;
}

// Power that fails in a critical section of boot code must not leave the persist interrupt masked.
TEST(Machine, PowerFailingInACriticalSectionOfTheRestoreMasksNothing) {
  Scenario scenario = small_scenario();
  scenario.mcu.profile.costs.section = 16'000;  // the restore is critical sections, nearly
  scenario.supply.thresholds = {3.4, 3.1, 2.6};
  scenario.supply.capacitor.capacitance_f = 25e-6;
  scenario.supply.initial_v = 5.5;  // the first start succeeds
  scenario.mcu.profile.boot = {{"long", devices::milliseconds(4), 1.6e-3}};
  scenario.mcu.on_loss = OnLoss::reformat;
  supply_bursts(scenario, 0, 8e-3, devices::milliseconds(20), 5);
  scenario.stop.time = seconds(20);
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.failure.empty()) << result.failure;
  EXPECT_GT(result.during_boot, 0U) << "power never failed in boot: the test shows nothing";
  for (const Loss& loss : result.losses) EXPECT_TRUE(loss.warned) << "the interrupt stayed masked";
}

TEST(Machine, InterruptedRunSaysSoAndIsWhole) {
  static volatile std::sig_atomic_t flag = 0;
  flag = 0;
  RunOptions options;
  options.interrupted = &flag;
  options.progress = [](const Progress& progress) {
    if (progress.outages > 5) flag = 1;
  };
  const RunResult result = run(small_scenario(), options);
  EXPECT_EQ(result.stop_reason, StopReason::interrupted);
  EXPECT_FALSE(result.complete);
  EXPECT_TRUE(result.pass) << "no finding";
  EXPECT_LE(result.balance.relative_error, 1e-9);
  EXPECT_LT(result.simulated, seconds(2));
}

TEST(Machine, LongNightIsOneEvent) {
  Scenario scenario = small_scenario();
  devices::SquareScript day;
  day.high_w = 2e-3;
  day.period = seconds(86'400);
  day.duty = 0.00001;  // 0.864 s of sun
  scenario.supply.source = ScriptConfig{{devices::TimedScript{day, devices::kForever}}, false};
  scenario.supply.capacitor.leakage_ohm = 50e6;
  scenario.stop.time = seconds(3 * 86'400.0);
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_GT(result.persisted, 2U);
}

TEST(Machine, QueueAndKvsRunToTheirEnds) {
  Scenario scenario = small_scenario();
  scenario.storage.part = *devices::find_fram_part("mb85rs4mt");
  scenario.storage.sck_hz = 40'000'000;
  scenario.heap.ram_bytes = 4096;
  scenario.heap.dirty_limit_bytes = 2048;
  scenario.supply.capacitor.capacitance_f = 200e-6;
  scenario.stop.time = seconds(1000);
  QueueConfig queue;
  queue.length = 20;
  queue.iterations = 60;
  scenario.workload = queue;
  RunResult result = run(scenario);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.stop_reason, StopReason::operations);
  EXPECT_EQ(result.operations, 60U);
  EXPECT_GT(result.persisted, 0U);

  KvsConfig kvs;
  kvs.iterations = 100;
  kvs.sizes = {8, 16, 24, 32};
  scenario.workload = kvs;
  result = simulate(scenario, {});
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.operations, 100U);
  EXPECT_EQ(result.control_operations, 100U);
}

// Runs the small scenario and flips a bit in every third byte of [from, to) of the FRAM, once, while the
// board is off after a few outages.
RunResult run_damaged(std::size_t from, std::size_t to) {
  const Scenario scenario = small_scenario();
  Ledger ledger;
  Machine* machine = nullptr;
  int changes_while_off = 0;
  auto source = std::make_unique<Saboteur>(open_source(scenario), [&] {
    if (machine == nullptr || machine->fram().powered() || ++changes_while_off != 20) return;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): sabotage
    auto memory = const_cast<devices::FramChip&>(machine->fram()).memory();
    for (std::size_t i = from; i < to; i += 3) memory[i] ^= 0x10;
  });
  Machine sabotaged(scenario, std::move(source), ledger, {});
  machine = &sabotaged;
  return sabotaged.run();
}

// Planted: the saved image changes while the power is off. The restore refuses it.
TEST(Planted, DamagedImageIsFound) {
  const RunResult result = run_damaged(60, 700);
  EXPECT_EQ(result.stop_reason, StopReason::check_failed);
  EXPECT_NE(result.failure.find("the restore"), std::string::npos) << result.failure;
}

// Planted: objects' homes change behind the heap's back, which no checksum covers. The comparison of the
// state before and after the outage finds it, or the comparison with the copies.
TEST(Planted, DamagedHomesAreFound) {
  const RunResult result = run_damaged(1700, 8192);
  EXPECT_EQ(result.stop_reason, StopReason::check_failed);
  EXPECT_NE(result.failure.find("object"), std::string::npos) << result.failure;
  EXPECT_EQ(run_damaged(0, 0).stop_reason, StopReason::time) << "without damage there is nothing to find";
}

// Planted: an increment booked twice, and one not booked at all.
class DoubleBooking final : public Ledger {
 public:
  void book(const Span& span) override {
    Ledger::book(span);
    if (span.phase == Phase::persist && !done_) {
      done_ = true;
      Ledger::book(span);
    }
  }

 private:
  bool done_ = false;
};

class ForgottenBooking final : public Ledger {
 public:
  void book(const Span& span) override {
    if (span.phase == Phase::persist && span.load.bus_w > 0 && !done_) {
      done_ = true;
      return;
    }
    Ledger::book(span);
  }

 private:
  bool done_ = false;
};

// A span that the load does not pay for: the capacitor gives, the first book says nobody took.
class FreeOperation final : public Ledger {
 public:
  void book(const Span& span) override {
    Span free = span;
    if (span.phase == Phase::run && !done_) {
      done_ = true;
      free.load = Load{};
      free.drawn_w = 0;
    }
    Ledger::book(free);
  }

 private:
  bool done_ = false;
};

// A span whose converter worked for nothing.
class FreeConversion final : public Ledger {
 public:
  void book(const Span& span) override {
    Span free = span;
    if (span.phase == Phase::run && !done_) {
      done_ = true;
      free.drawn_w = span.load.total_w();
    }
    Ledger::book(free);
  }

 private:
  bool done_ = false;
};

template <class Planted>
RunResult run_with(double efficiency = 1) {
  Scenario scenario = small_scenario();
  scenario.supply.converter.efficiency = efficiency;
  Planted ledger;
  Machine machine(scenario, open_source(scenario), ledger, {});
  return machine.run();
}

TEST(Planted, BooksThatDisagreeAreFound) {
  for (const RunResult& result :
       {run_with<DoubleBooking>(), run_with<ForgottenBooking>(), run_with<FreeOperation>(),
        run_with<DoubleBooking>(0.8), run_with<FreeOperation>(0.8), run_with<FreeConversion>(0.8)}) {
    EXPECT_EQ(result.stop_reason, StopReason::check_failed);
    EXPECT_NE(result.failure.find("books"), std::string::npos) << result.failure;
    EXPECT_GT(result.balance.relative_error, 1e-9);
  }
  EXPECT_TRUE(run_with<Ledger>(0.8).failure.empty()) << "without an error there is nothing to find";
}

// Planted: the second book takes the converter for another one.
TEST(Planted, BooksOfTwoConvertersAreFound) {
  Scenario scenario = small_scenario();
  scenario.supply.converter.efficiency = 0.8;
  Ledger ledger;
  Machine machine(scenario, open_source(scenario), ledger, {});
  SupplyConfig other = scenario.supply;
  other.converter.efficiency = 0.801;
  ledger.note_supply(SupplyFlows(other));
  const RunResult result = machine.run();
  EXPECT_EQ(result.stop_reason, StopReason::check_failed);
  EXPECT_NE(result.failure.find("books"), std::string::npos) << result.failure;
}

}  // namespace
}  // namespace brownout::sim::testing
