// Errors on the wires: bits that flip, answers that do not come, and what each policy of the driver makes of
// them.
#include <array>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../heap/sanitized.hpp"
#include "devices/math/random.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/machine/sizing.hpp"
#include "sim/report/report.hpp"
#include "sim/report/size_report.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using devices::AbortGranularity;
using devices::TransferMode;
using heap::Verify;
using ::testing::HasSubstr;

constexpr std::uint64_t kStep = heap::testing::kSanitized ? 7 : 1;

// Strikes after drawn numbers of points, around `around` in the mean.
class Strikes final : public OutagePlan {
 public:
  Strikes(std::uint64_t seed, std::uint64_t around) : random_(seed), around_(around) { draw(); }
  Strike at(Point point) override {
    if (point.during != During::program && point.during != During::section) return Strike::none;
    if (left_-- > 0) return Strike::none;
    draw();
    return Strike::warning;
  }

 private:
  void draw() { left_ = random_.next() % (2 * around_); }

  devices::SplitMix64 random_;
  std::uint64_t around_;
  std::uint64_t left_ = 0;
};

RunResult run_planned(const Scenario& scenario, OutagePlan& plan, RunOptions options = {}) {
  options.plan = &plan;
  return run(scenario, std::move(options));
}

// Objects of 1 KiB, of which RAM has room for two: data bits by far outnumber those of addresses, flips of
// which no driver finds.
Scenario large_objects(Verify verify, std::uint32_t retries) {
  Scenario scenario = small_scenario();
  scenario.storage.part = *devices::find_fram_part("mb85rs4mt");
  scenario.storage.verify = verify;
  scenario.storage.retries = retries;
  scenario.storage.timeout = devices::microseconds(500);
  scenario.supply.capacitor.capacitance_f = 100e-3;
  scenario.heap.ram_bytes = 3072;
  scenario.heap.dirty_limit_bytes = 3072;
  scenario.heap.max_residents = 4;
  scenario.heap.store_bytes = 16 * 1024;
  CounterConfig counter;
  counter.objects = 6;
  counter.size_bytes = 1024;
  counter.compute_cycles = 100;
  scenario.workload = counter;
  scenario.stop = {{}, 1'000 / kStep};
  return scenario;
}

// --- none ----------------------------------------------------------------------------------------------

TEST(BusFaults, AReadyDriverCostsNothingWhereNothingFails) {
  Scenario scenario = small_scenario();
  const RunResult plain = run(scenario);
  EXPECT_EQ(nlohmann::json::parse(json_report(scenario, plain)).count("bus_faults"), 0U);
  scenario.storage.retries = 3;
  scenario.storage.timeout = devices::milliseconds(1);
  const RunResult ready = run(scenario);
  EXPECT_EQ(ready.fingerprint, plain.fingerprint);
  EXPECT_EQ(ready.noticed.repeated, 0U);
  EXPECT_TRUE(ready.pass) << ready.failure;
  EXPECT_FALSE(ready.wrong_bytes.has_value());
}

TEST(BusFaults, VerificationCostsTimeAndChangesNothingElse) {
  Scenario scenario = small_scenario();
  const RunResult plain = run(scenario);
  std::uint64_t operations = plain.operations;
  double persist_s = plain.persist.time_s.mean();
  for (const Verify verify : {Verify::read_back, Verify::read_twice}) {
    scenario.storage.verify = verify;
    const RunResult verified = run(scenario);
    EXPECT_TRUE(verified.pass) << verified.failure;
    EXPECT_LT(verified.operations, operations);
    EXPECT_GT(verified.persist.time_s.mean(), 1.5 * plain.persist.time_s.mean());
    if (verify == Verify::read_twice) {
      EXPECT_GT(verified.restore.time_s.mean(), 1.5 * plain.restore.time_s.mean());
      EXPECT_NEAR(verified.persist.time_s.mean(), persist_s, 0.05 * persist_s)
          << "a persist reads nothing else";
    }
    operations = verified.operations;
    persist_s = verified.persist.time_s.mean();
  }
}

// --- bits ----------------------------------------------------------------------------------------------

TEST(Planned, FlippedBitsWithoutVerificationAreFound) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Scenario scenario = large_objects(Verify::none, 5);
    scenario.seed = seed;
    scenario.storage.bus_faults.bit_error_rate = 1e-5;
    Strikes plan(seed, 3'000);
    const RunResult result = run_planned(scenario, plan);
    EXPECT_FALSE(result.pass) << "seed " << seed;
    EXPECT_EQ(result.stop_reason, StopReason::check_failed);
    EXPECT_GT(result.injected.transactions, 0U);
    EXPECT_EQ(result.noticed.written_differs + result.noticed.reads_differ, 0U);
  }
}

// Reads are not read back: what flips on the way to the program is not noticed.
TEST(Planned, FlippedBitsInReadsAreFoundWhereWritesAloneAreVerified) {
  Scenario scenario = large_objects(Verify::read_back, 5);
  scenario.storage.bus_faults.bit_error_rate = 1e-5;
  Strikes plan(1, 3'000);
  const RunResult result = run_planned(scenario, plan);
  EXPECT_FALSE(result.pass);
  EXPECT_GT(result.injected.received_bits, 0U);
}

TEST(BusFaults, ReadingTwiceWithRetriesCarriesALongRun) {
  Scenario scenario = large_objects(Verify::read_twice, 5);
  scenario.seed = 3;
  scenario.storage.bus_faults = {1e-5, 1e-3};
  Strikes plan(1, 3'000);
  const RunResult result = run_planned(scenario, plan);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_GT(result.persisted, 50 / kStep);
  const InjectedFaults& injected = result.injected;
  EXPECT_GT(injected.command_bits + injected.sent_bits + injected.received_bits, 300 / kStep);
  EXPECT_GT(injected.missing_answers, 5 / kStep);
  const NoticedFaults& noticed = result.noticed;
  EXPECT_GT(noticed.written_differs, 50 / kStep);
  EXPECT_GT(noticed.reads_differ, 50 / kStep);
  EXPECT_EQ(noticed.gave_up, 0U);
  // A mark that an outage has cut is damaged in the store, too, and nothing is repeated in the end.
  EXPECT_GE(noticed.repeated, noticed.timed_out + noticed.written_differs + noticed.reads_differ);
  EXPECT_LE(noticed.repeated, noticed.timed_out + noticed.written_differs + noticed.reads_differ +
                                  noticed.image_damaged + noticed.identity_wrong);
  // What flipped address bits did is where nothing is.
  EXPECT_LT(result.wrong_bytes, 4'096U);
}

// A bit of an address sends a write elsewhere. Reading back finds that the bytes are missing where they
// belong, and they are written there; that they also lie somewhere else nobody finds but the test bench.
TEST(Planned, AWriteThatWentElsewhereIsCounted) {
  Scenario scenario = small_scenario();
  scenario.storage.part = *devices::find_fram_part("mb85rs4mt");
  scenario.storage.verify = Verify::read_twice;
  scenario.storage.retries = 20;
  scenario.storage.bus_faults.bit_error_rate = 1e-4;
  scenario.supply.capacitor.capacitance_f = 100e-3;
  scenario.heap.store_bytes = 2048;
  scenario.stop = {{}, 300};
  std::uint64_t unseen = 0;
  for (scenario.seed = 1; scenario.seed <= 10; ++scenario.seed) {
    Strikes plan(scenario.seed, 1'000);
    const RunResult result = run_planned(scenario, plan);
    EXPECT_GT(result.injected.command_bits, 0U);
    if (result.noticed.gave_up == 0 && result.wrong_bytes.value_or(0) > 0) ++unseen;
  }
  EXPECT_GT(unseen, 0U);
}

// --- answers -------------------------------------------------------------------------------------------

TEST(BusFaults, TimeoutsAndRetriesCarryALongRun) {
  for (const Verify verify : {Verify::none, Verify::read_twice}) {
    Scenario scenario = small_scenario();
    scenario.storage.verify = verify;
    scenario.storage.retries = 6;
    scenario.storage.timeout = devices::microseconds(200);
    scenario.storage.bus_faults.missing_answer = 0.02;
    scenario.supply.capacitor.capacitance_f = 10e-3;
    scenario.stop = {{}, 3'000 / kStep};
    Strikes plan(1, 500);
    const RunResult result = run_planned(scenario, plan);
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_GT(result.injected.missing_answers, 200 / kStep);
    EXPECT_LE(result.noticed.timed_out, result.injected.missing_answers);
    EXPECT_GE(result.noticed.timed_out + result.bus_aborted, result.injected.missing_answers)
        << "or the persist interrupt stopped the transaction before it timed out";
    EXPECT_LE(result.noticed.timed_out, result.bus_timed_out);
    EXPECT_GE(result.noticed.repeated, result.noticed.timed_out);
    EXPECT_LE(result.noticed.repeated, result.noticed.timed_out + result.noticed.image_damaged);
    EXPECT_EQ(result.noticed.gave_up, 0U);
    EXPECT_EQ(result.wrong_bytes, 0U);
    EXPECT_EQ(result.noticed.written_differs + result.noticed.reads_differ, 0U);
  }
}

// What is lost during a phase: all transactions, or the first so many of it.
class Losing final : public OutagePlan {
 public:
  Losing(During during, std::uint64_t transactions, std::uint64_t strike_after = 3)
      : during_(during), left_(transactions), strike_after_(strike_after) {}
  Strike at(Point point) override {
    if (point.kind != PointKind::operation || point.during != During::program) return Strike::none;
    return ++operations_ == strike_after_ ? Strike::warning : Strike::none;
  }
  bool loses_transaction(During during) override {
    if (during == During::section) during = During::program;  // in which a transaction is begun
    const bool due = operations_ >= strike_after_ || during_ == During::program;
    if (during != during_ || !due || left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  During during_;
  std::uint64_t left_;
  std::uint64_t strike_after_;
  std::uint64_t operations_ = 0;
};

Scenario retrying(std::uint32_t retries) {
  Scenario scenario = small_scenario();
  scenario.storage.retries = retries;
  scenario.storage.timeout = devices::microseconds(100);
  scenario.supply.capacitor.capacitance_f = 1e-3;
  scenario.stop = {{}, 8};
  return scenario;
}

TEST(BusFaults, RetriesThatAreUsedUpAreAFinding) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  for (const std::uint32_t retries : {0U, 2U}) {
    const Scenario scenario = retrying(retries);
    const std::string after = retries == 0 ? "" : ", after 2 retries of a transfer";
    Losing in_persist(During::persist, kAll);
    const RunResult persist = run_planned(scenario, in_persist);
    EXPECT_FALSE(persist.pass);
    EXPECT_EQ(persist.failure, "the persist reported an error of the storage" + after);
    EXPECT_EQ(persist.bus_timed_out, retries + 1);
    Losing in_restore(During::start, kAll);
    const RunResult restore = run_planned(scenario, in_restore);
    EXPECT_FALSE(restore.pass);
    EXPECT_THAT(restore.failure, HasSubstr("the restore after a complete persist reported error"));
    EXPECT_THAT(restore.failure, HasSubstr(after));
    Losing in_program(During::program, kAll, 1'000);
    const RunResult program = run_planned(scenario, in_program);
    EXPECT_FALSE(program.pass);
    EXPECT_THAT(program.failure, HasSubstr("the workload could not go on"));
    EXPECT_THAT(program.failure, HasSubstr("(storage_failed)" + after));
  }
  Scenario scenario = retrying(3);
  scenario.storage.bus_faults.missing_answer = 1;
  const RunResult dead = run(scenario);
  EXPECT_EQ(
      dead.failure,
      "the workload could not go on: start the storage (storage_failed), after 3 retries of a transfer");
  EXPECT_EQ(dead.noticed.timed_out, 4U);
  EXPECT_EQ(dead.noticed.gave_up, 1U);
}

TEST(BusFaults, AsManyFailuresAsRetriesAreSurvived) {
  for (const During during : {During::persist, During::start, During::program}) {
    Losing plan(during, 2);
    const RunResult result = run_planned(retrying(2), plan);
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_EQ(result.persisted, 1U);
    EXPECT_EQ(result.noticed.timed_out, 2U);
    Losing more(during, 3);
    EXPECT_FALSE(run_planned(retrying(2), more).pass);
  }
}

// --- the bound -----------------------------------------------------------------------------------------

// Clock of 16 MHz: a cycle takes 62.5 ns, a byte at 8 MHz 1 us.
TEST(BusFaults, TheBoundIsASumOfAttempts) {
  constexpr std::int64_t kCycle = 62'500;
  constexpr std::int64_t kMicro = 1'000'000;
  Scenario scenario = small_scenario();
  const PersistBound plain = persist_bound(scenario);
  scenario.storage.retries = 2;
  scenario.storage.timeout = devices::microseconds(300);
  scenario.storage.verify = Verify::read_back;
  const PersistBound bound = persist_bound(scenario);
  EXPECT_EQ(bound.attempts, 3U);
  EXPECT_EQ(bound.bytes, 3U * 2 * 352);
  EXPECT_EQ(bound.transactions, 3U * 3);
  EXPECT_EQ(bound.chunks, 3 * plain.chunks);
  EXPECT_EQ(bound.times.section, plain.times.section);
  EXPECT_EQ(bound.times.stop, plain.times.stop);
  EXPECT_EQ(bound.times.call, plain.times.call * 3);
  EXPECT_EQ(bound.times.handovers, plain.times.handovers * 3);
  EXPECT_EQ(bound.times.copies, plain.times.copies * 3);
  EXPECT_EQ(bound.times.wire, plain.times.wire * 3);
  EXPECT_EQ(bound.times.checksum, plain.times.checksum * 3);
  EXPECT_EQ(bound.times.steps, plain.times.steps * 3);
  // Two timeouts, and what it takes to stop the controller.
  EXPECT_EQ(bound.times.timeouts.count, 2 * (300 * kMicro + kMicro / 2));
  const devices::TransferCosts& costs = scenario.storage.bus.costs(TransferMode::fifo);
  ASSERT_GE(costs.chunk_bytes, heap::kSecondPassBytes);
  // Six pieces of 64 B, opcode and address; two sums; critical sections: one of the driver and two of who
  // compares.
  const std::int64_t back = costs.setup_receive.count + costs.handover_send.count +
                            costs.copy_send_per_byte.count * 3 + costs.handover_receive.count * 6 +
                            costs.copy_receive_per_byte.count * 352 + kMicro * (352 + 3) +
                            kCycle * 12 * 2 * 352 + kCycle * 16 * 3;
  EXPECT_EQ(bound.times.read_back.count, 3 * back);
}

struct Board {
  const char* bus;
  TransferMode mode;
  AbortGranularity granularity;
};
constexpr std::array kBoards{Board{"polled", TransferMode::fifo, AbortGranularity::byte},
                             Board{"esp32c3-baremetal", TransferMode::fifo, AbortGranularity::chunk},
                             Board{"esp32c3-zephyr", TransferMode::fifo, AbortGranularity::transfer},
                             Board{"esp32c3-baremetal", TransferMode::dma, AbortGranularity::byte},
                             Board{"esp32c3-zephyr", TransferMode::dma, AbortGranularity::transfer},
                             Board{"polled", TransferMode::sliced, AbortGranularity::byte},
                             Board{"esp32c3-baremetal", TransferMode::sliced, AbortGranularity::transfer}};

// RAM full of dirty objects, and one more that it has no room for.
Scenario swapping(const Board& board, Verify verify, std::uint32_t retries) {
  Scenario scenario = small_scenario();
  scenario.storage.bus = *devices::find_spi_profile(board.bus);
  scenario.storage.transfer = board.mode;
  scenario.storage.slice_bytes = board.mode == TransferMode::sliced ? 24 : 0;
  scenario.storage.bus.costs(board.mode).abort_granularity = board.granularity;
  scenario.storage.verify = verify;
  scenario.storage.retries = retries;
  scenario.storage.timeout = devices::microseconds(150);
  scenario.supply.capacitor.capacitance_f = 10e-3;
  scenario.heap.ram_bytes = 1024;
  scenario.heap.store_bytes = 1024;
  scenario.heap.max_residents = 8;
  scenario.heap.dirty_limit_bytes = 1024;
  CounterConfig counter;
  counter.size_bytes = 64;
  counter.objects = 9;
  counter.compute_cycles = 20;
  scenario.workload = counter;
  scenario.stop = {{}, 40};
  return scenario;
}

// Lets all attempts of each persist but the last fail at their very end, by an answer that is missing.
class PersistAdversary final : public OutagePlan {
 public:
  PersistAdversary(std::uint64_t transactions_each, std::uint64_t retries)
      : each_(transactions_each), failing_(transactions_each * retries) {}
  Strike at(Point point) override {
    if (point.during != During::persist) seen_ = 0;
    if (point.kind != PointKind::operation || point.during != During::program) return Strike::none;
    return ++operations_ % 3 == 0 ? Strike::warning : Strike::none;
  }
  bool loses_transaction(During during) override {
    if (during != During::persist) return false;
    return ++seen_ % each_ == 0 && seen_ <= failing_;
  }

 private:
  std::uint64_t each_;
  std::uint64_t failing_;
  std::uint64_t seen_ = 0;
  std::uint64_t operations_ = 0;
};

// To the byte what the program comes to, so that images are full; and so many transactions an attempt has.
std::uint64_t fill_image(Scenario& scenario) {
  PersistAdversary none(1, 0);
  const RunResult probe = run_planned(scenario, none);
  EXPECT_TRUE(probe.pass) << probe.failure;
  const double on_bus = probe.persist.bytes.maximum();
  const bool verified = scenario.storage.verify != Verify::none;
  scenario.heap.dirty_limit_bytes =
      static_cast<std::uint32_t>(verified ? on_bus / 2 : on_bus) - scenario.mcu.os_save_bytes;
  return static_cast<std::uint64_t>(probe.persist.transactions.maximum());
}

TEST(BusFaults, TheAdversaryAttainsTheBound) {
  for (const Board& board : kBoards) {
    for (const Verify verify : {Verify::none, Verify::read_back}) {
      for (const std::uint32_t retries : {1U, 4U}) {
        Scenario scenario = swapping(board, verify, retries);
        scenario.storage.retries = 0;
        const std::uint64_t each = fill_image(scenario);
        PersistAdversary quiet(each, 0);
        const RunResult before = run_planned(scenario, quiet);
        scenario.storage.retries = retries;
        PersistAdversary adversary(each, retries);
        const RunResult result = run_planned(scenario, adversary);
        const std::string what =
            fmt::format("{} {} granularity {} verify {} retries {}", board.bus, devices::name_of(board.mode),
                        static_cast<int>(board.granularity), static_cast<int>(verify), retries);
        EXPECT_TRUE(result.pass) << what << ": " << result.failure;
        EXPECT_EQ(result.persisted, before.persisted) << what;
        // Of those that are not full it does not know the slices.
        if (board.mode == TransferMode::sliced) {
          EXPECT_GT(result.noticed.timed_out, 0U) << what;
        } else {
          EXPECT_EQ(result.noticed.timed_out, result.persisted * retries) << what;
        }
        // The last attempt is as long as the one without failures, and so is each that fails, but for the
        // timeout.
        const PersistBound bound = persist_bound(scenario);
        const double attempts_s = (retries + 1) * before.persist.time_s.maximum();
        const double timeouts_s = bound.times.timeouts.seconds();
        EXPECT_NEAR(result.persist.time_s.maximum(), attempts_s + timeouts_s, 0.02 * attempts_s) << what;
        EXPECT_LE(result.largest_over_bound.time, 1) << what;
        EXPECT_LE(result.largest_over_bound.energy, 1) << what;
        // By DMA the sums that are compared run beside the wire, which the bound does not count on.
        const bool beside = board.mode == TransferMode::dma && verify != Verify::none;
        EXPECT_GE(result.largest_over_bound.time, beside ? 0.75 : 0.85) << what;
      }
    }
  }
}

// Outages and failures at drawn places; persists, none of which exceeds its bound.
TEST(BusFaults, NoPersistOfACampaignExceedsItsBound) {
  std::uint64_t seed = 1;
  std::uint64_t outages = 0;
  for (const Board& board : kBoards) {
    for (const Verify verify : {Verify::none, Verify::read_back, Verify::read_twice}) {
      Scenario scenario = swapping(board, verify, 30);
      scenario.seed = seed;
      scenario.supply.capacitor.capacitance_f = 100e-3;
      scenario.storage.bus_faults.missing_answer = board.mode == TransferMode::sliced ? 0.003 : 0.05;
      scenario.stop.operations = 700 / kStep;
      Strikes plan(seed++, 200);
      const RunResult result = run_planned(scenario, plan);
      EXPECT_TRUE(result.pass) << board.bus << ": " << result.failure;
      EXPECT_EQ(result.wrong_bytes, 0U);
      EXPECT_EQ(result.persisted, result.outages_compared);
      outages += result.persisted;
    }
  }
  EXPECT_GT(outages, 5'000 / kStep);
}

TEST(Planned, ABoundWithoutTimeoutsOrAttemptsIsFound) {
  Scenario scenario = swapping(kBoards[0], Verify::read_back, 0);
  const std::uint64_t each = fill_image(scenario);
  scenario.storage.retries = 2;
  const PersistBound right = persist_bound(scenario);
  const auto failure_with = [&](PersistBound bound) {
    bound.rate(SupplyFlows(supply_of(scenario)), persist_range(scenario.supply));
    RunOptions options;
    options.bound = bound;
    PersistAdversary adversary(each, 2);
    return run_planned(scenario, adversary, options).failure;
  };
  EXPECT_EQ(failure_with(right), "");
  PersistBound without_timeouts = right;
  without_timeouts.times.timeouts = {};
  EXPECT_THAT(failure_with(without_timeouts), HasSubstr("from the warning level on"));
  PersistBound without_reading = right;
  without_reading.times.read_back = {};
  EXPECT_THAT(failure_with(without_reading), HasSubstr("from the warning level on"));
  Scenario once = scenario;
  once.storage.retries = 0;
  EXPECT_THAT(failure_with(persist_bound(once)), HasSubstr("above the bound of"));
}

// The capacitor is sized for all attempts.
TEST(BusFaults, SizeCountsRetriesAndTimeouts) {
  Scenario scenario = small_scenario();
  const Sizing plain = size_supply(scenario, std::nullopt, 0, 1);
  scenario.storage.retries = 3;
  scenario.storage.timeout = devices::milliseconds(1);
  scenario.storage.verify = Verify::read_back;
  const Sizing careful = size_supply(scenario, std::nullopt, 0, 1);
  EXPECT_GT(careful.persist_worst_f, 8 * plain.persist_worst_f);
  const std::string text = size_text(scenario, careful, false);
  EXPECT_THAT(text, HasSubstr("4 attempts together"));
  EXPECT_THAT(text, HasSubstr("timeouts"));
  EXPECT_THAT(text, HasSubstr("reading back"));
  EXPECT_THAT(size_text(small_scenario(), plain, false), ::testing::Not(HasSubstr("attempts")));
}

// --- reports and the other memories
// -------------------------------------------------------------------------

TEST(BusFaults, ReportsSayWhatWasInjectedAndNoticed) {
  Scenario scenario = retrying(5);
  scenario.storage.bus_faults.missing_answer = 0.05;
  const RunResult result = run(scenario);
  const auto report = nlohmann::json::parse(json_report(scenario, result));
  const auto& faults = report["bus_faults"];
  EXPECT_EQ(faults["injected"]["missing_answers"], result.injected.missing_answers);
  EXPECT_GT(result.injected.missing_answers, 0U);
  EXPECT_EQ(faults["noticed"]["timed_out"], result.noticed.timed_out);
  EXPECT_EQ(faults["policy"]["verify"], "none");
  EXPECT_EQ(faults["policy"]["retries"], 5);
  EXPECT_EQ(faults["wrong_bytes_in_store"], 0);
  EXPECT_THAT(summary(scenario, result), HasSubstr("answers missing"));
}

TEST(BusFaults, BaselinesRetryToo) {
  for (const auto kind :
       {firmware::MemoryKind::ram_snapshot, firmware::MemoryKind::direct, firmware::MemoryKind::pages}) {
    Scenario scenario = small_scenario();
    scenario.heap.memory.kind = kind;
    scenario.heap.ram_bytes = 1024;
    scenario.heap.dirty_limit_bytes = 1024;
    scenario.storage.retries = 8;
    scenario.storage.timeout = devices::microseconds(100);
    scenario.storage.bus_faults.missing_answer = 0.05;
    scenario.supply.capacitor.capacitance_f = 10e-3;
    scenario.stop = {{}, 2'000};
    Strikes plan(1, 100);
    const RunResult result = run_planned(scenario, plan);
    EXPECT_TRUE(result.pass) << static_cast<int>(kind) << ": " << result.failure;
    EXPECT_GT(result.persisted, 20U) << name_of(result.stop_reason);
    EXPECT_GT(result.noticed.timed_out, 2U);
    Losing in_persist(During::persist, ~std::uint64_t{0});
    Scenario quiet = scenario;
    quiet.storage.bus_faults = {};
    EXPECT_THAT(run_planned(quiet, in_persist).failure, HasSubstr("the persist reported an error"));
  }
}

}  // namespace
}  // namespace brownout::sim::testing
