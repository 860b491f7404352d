// FRAM in the address space of its MCU, through the machine: words as points in time, bound, books, reports,
// scenarios.
#include <cmath>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/firmware/firmware.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/machine/outage_plan.hpp"
#include "sim/machine/sizing.hpp"
#include "sim/machine/words.hpp"
#include "sim/report/report.hpp"
#include "sim/report/size_report.hpp"
#include "sim/scenario/fit.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kCycle = 62'500;  // of 16 MHz

heap::Geometry geometry_of(const Scenario& scenario) {
  heap::Geometry geometry;
  EXPECT_EQ(firmware::plan_heap(heap_config_of(scenario), scenario.heap.memory,
                                scenario.storage.part.size_bytes, geometry),
            heap::Error::none);
  return geometry;
}

TEST(MappedWords, AreWholeWhereTheyCanBe) {
  const auto sizes = [](std::uint32_t address, std::uint32_t size) {
    std::vector<std::uint32_t> all;
    const std::vector<std::byte> bytes(size);
    for_each_word(address, heap::ConstBytes{bytes.data(), size},
                  [&all](std::uint32_t, heap::ConstBytes word) { all.push_back(word.size); });
    return all;
  };
  using Sizes = std::vector<std::uint32_t>;
  EXPECT_EQ(sizes(0, 4), (Sizes{2, 2}));
  EXPECT_EQ(sizes(1, 4), (Sizes{1, 2, 1}));
  EXPECT_EQ(sizes(2, 3), (Sizes{2, 1}));
  EXPECT_EQ(sizes(3, 0), Sizes{});
}

// --- the bound -----------------------------------------------------------------------------------------

TEST(MappedBound, IsASumOfTerms) {
  Scenario scenario = mapped_scenario();
  const heap::PersistBound work =
      heap::worst_case_persist(geometry_of(scenario), population_of(scenario.workload));
  const PersistBound bound = persist_bound(scenario);
  EXPECT_EQ(bound.bytes, 320U + 32U);
  EXPECT_EQ(bound.transactions, 0U);
  EXPECT_EQ(bound.chunks, work.pieces + (352 - work.pieces) / 16);
  const PersistTimes& times = bound.times;
  // The heap's longest section, which is longer than a burst of eight words with a wait state each.
  EXPECT_GT(16 + 12 * work.section_steps, 8 + 8 * 6U - 13U);
  EXPECT_EQ(times.section.count, kCycle * std::max(16 + 12 * work.section_steps, 8U + 8 * 6));
  EXPECT_EQ(times.call.count, kCycle * 40);
  EXPECT_EQ(times.handovers.count, kCycle * 8 * static_cast<std::int64_t>(bound.chunks));
  EXPECT_EQ(times.copies.count, kCycle * (5 + 1) * 352 / 2);
  EXPECT_EQ(times.checksum.count, kCycle * 12 * (352 - 8 + 28));
  EXPECT_EQ(times.steps.count, kCycle * (12 * work.steps + 40));
  EXPECT_EQ((times.stop + times.wire + times.ticks + times.latency).count, 0);
  EXPECT_NEAR(bound.mcu_j, 16 * 118e-6 * 3.0 * times.total().seconds(), 1e-15);
  EXPECT_EQ(bound.storage_j, 0) << "in the current of the MCU";

  scenario.mcu.clock_hz = 8'000'000;  // no wait state
  EXPECT_EQ(persist_bound(scenario).times.copies.count, 2 * kCycle * 5 * 352 / 2);
  scenario.mcu.profile.costs.stored_word = 50;
  EXPECT_EQ(persist_bound(scenario).section_cycles, 8U + 8 * 50) << "a burst is a critical section, too";
}

TEST(MappedBound, HoldsForEachMemoryAndComesNear) {
  using namespace firmware;
  std::vector<MemoryOptions> memories;
  for (const auto policy : {PolicyKind::in_order, PolicyKind::clock}) {
    memories.push_back({.policy = policy});
    memories.push_back({.ram_allocator = RamAllocatorKind::buddy,
                        .store_allocator = StoreAllocatorKind::buddy,
                        .policy = policy,
                        .slots = SlotKind::compact});
  }
  memories.push_back({.store_allocator = StoreAllocatorKind::block, .checksum = ChecksumKind::table});
  for (const auto kind : {MemoryKind::ram_snapshot, MemoryKind::direct, MemoryKind::pages}) {
    memories.push_back({.kind = kind, .page_bytes = 32});
  }
  for (const MemoryOptions& memory : memories) {
    for (const auto after : {AfterPersist::shutdown, AfterPersist::sleep}) {
      Scenario scenario = mapped_scenario();
      scenario.heap.memory = memory;
      scenario.heap.ram_bytes = 768;
      scenario.heap.dirty_limit_bytes = 448;
      scenario.mcu.after_persist = after;
      scenario.supply.comparator.latency = devices::microseconds(30);
      scenario.mcu.profile.rail_v = 1.8;  // a current, whatever the voltage
      scenario.supply.converter.kind = devices::PathKind::direct;
      const RunResult result = run(scenario);
      EXPECT_TRUE(result.pass) << static_cast<int>(memory.kind) << ": " << result.failure;
      EXPECT_GT(result.persist.time_s.count(), 5U);
      EXPECT_LE(result.largest_over_bound.time, 1);
      EXPECT_GT(result.largest_over_bound.time, 0.6) << static_cast<int>(memory.kind);
      EXPECT_LE(result.largest_over_bound.energy, 1 + 1e-9);
      EXPECT_LE(result.longest_section_cycles, result.persist_bound.section_cycles);
    }
  }
}

// Planted: one word less, one burst less.
TEST(Planted, ABoundOfAMappedPartThatIsTooLowIsFound) {
  const Scenario scenario = mapped_scenario();
  const RunResult before = run(scenario);
  ASSERT_TRUE(before.pass) << before.failure;
  RunOptions options;
  options.bound = before.persist_bound;
  PersistTimes& times = options.bound->times;
  const double slack_s = (1 - before.largest_over_bound.time) * times.total().seconds();
  times.copies -= Picoseconds{static_cast<std::int64_t>(slack_s * 1e12) + 6 * kCycle};
  EXPECT_THAT(run(scenario, options).failure, HasSubstr("above the bound"));
}

// --- words and power -----------------------------------------------------------------------------------

// A warning at the third operation; then power is lost for good at the word of that number of the persist.
class CutPersist final : public OutagePlan {
 public:
  explicit CutPersist(std::uint64_t at) : at_(at) {}
  Strike at(Point point) override {
    if (point.during == During::program && point.kind == PointKind::operation) {
      return ++operations_ == 3 ? Strike::warning : Strike::none;
    }
    if (point.during != During::persist || point.kind != PointKind::byte) return Strike::none;
    return words_++ == at_ ? Strike::power_loss : Strike::none;
  }
  [[nodiscard]] std::uint64_t words() const { return words_; }

 private:
  std::uint64_t at_;
  std::uint64_t words_ = 0;
  std::uint64_t operations_ = 0;
};

struct Cut {
  RunResult result;
  std::vector<std::uint8_t> store;
  std::uint64_t words = 0;
};

Cut cut_persist(std::uint64_t at) {
  Scenario scenario = mapped_scenario();
  scenario.supply.capacitor.capacitance_f = 300e-6;
  scenario.stop = {{}, 5};
  CutPersist plan(at);
  Cut cut;
  RunOptions options;
  options.plan = &plan;
  options.fram_image = &cut.store;
  cut.result = run(scenario, options);
  cut.words = plan.words();
  return cut;
}

// Words that came before are there, those that follow are not; a word is whole.
TEST(MappedPower, LostAtAnyWordOfAPersistItLeavesTheWordsBeforeIt) {
  const std::uint32_t place = geometry_of(mapped_scenario()).checkpoint_base;
  const std::uint32_t stride = geometry_of(mapped_scenario()).checkpoint_stride;
  const Cut none = cut_persist(0);
  ASSERT_EQ(none.result.lost, 1U);
  // The image goes to one of the two places.
  const Cut late = cut_persist(100);
  std::uint32_t base = place;
  while (none.store[base] == late.store[base] && none.store[base + 1] == late.store[base + 1]) base += stride;
  std::uint64_t words = 0;
  for (std::uint64_t at = 0;; ++at) {
    const Cut cut = cut_persist(at);
    if (cut.result.lost == 0) break;
    ASSERT_TRUE(cut.result.losses.front().warned);
    ASSERT_EQ(cut.words, at + 1);
    ASSERT_EQ(cut.result.damage.bytes_cut, 2U);
    for (std::uint32_t i = 0; i < none.store.size(); ++i) {
      const bool written = i >= base && i < base + 2 * at;
      if (!written) {
        ASSERT_EQ(cut.store[i], none.store[i]) << at << " " << i;
      } else if (at <= 100) {
        ASSERT_EQ(cut.store[i], late.store[i]) << at << " " << i;
      }
    }
    ++words;
  }
  EXPECT_GT(words, 100U);
}

// What a persist takes more or less if a word, a burst, a wait state does.
TEST(MappedPower, APersistTakesItsWordsItsBurstsAndAWaitStateAWord) {
  const auto cycles = [](const Scenario& changed) {
    CutPersist plan(~std::uint64_t{0});
    RunOptions options;
    options.plan = &plan;
    const RunResult result = run(changed, options);
    EXPECT_EQ(result.persisted, 1U) << result.failure;
    EXPECT_EQ(static_cast<double>(plan.words()), result.persist.bytes.maximum() / 2);
    return std::pair{std::llround(result.persist.time_s.maximum() * 1e12 / kCycle),
                     static_cast<long long>(plan.words())};
  };
  Scenario scenario = mapped_scenario();
  scenario.supply.capacitor.capacitance_f = 300e-6;
  scenario.stop = {{}, 5};
  const auto [plain, words] = cycles(scenario);
  ASSERT_GT(words, 100);
  Scenario other = scenario;
  other.mcu.profile.costs.stored_word += 10;
  EXPECT_EQ(cycles(other).first - plain, 10 * words);
  other = scenario;
  other.storage.part.access.value = devices::nanoseconds(62);
  EXPECT_EQ(plain - cycles(other).first, words) << "one wait state less";
  other = scenario;
  other.mcu.profile.costs.burst += 10;
  const auto bursts = (cycles(other).first - plain) / 10;
  EXPECT_EQ((cycles(other).first - plain) % 10, 0);
  EXPECT_GE(bursts, words / 8);
  EXPECT_LE(bursts, static_cast<long long>(persist_bound(scenario).chunks));
}

// The same of a restore, which loads: rows are waited for once.
TEST(MappedPower, ARestoreTakesItsWordsItsBurstsAndAWaitStateARow) {
  const auto restore = [](const Scenario& changed) {
    CutPersist plan(~std::uint64_t{0});
    RunOptions options;
    options.plan = &plan;
    const RunResult result = run(changed, options);
    EXPECT_EQ(result.restore.time_s.count(), 1U) << result.failure;
    return std::pair{std::llround(result.restore.time_s.maximum() * 1e12 / kCycle),
                     std::llround(result.restore.bytes.maximum() / 2)};
  };
  Scenario scenario = mapped_scenario();
  scenario.supply.capacitor.capacitance_f = 300e-6;
  scenario.stop = {{}, 5};
  const auto [plain, words] = restore(scenario);
  ASSERT_GT(words, 100);
  Scenario other = scenario;
  other.mcu.profile.costs.loaded_word += 10;
  EXPECT_EQ(restore(other).first - plain, 10 * words);
  other = scenario;
  other.mcu.profile.costs.burst += 10;
  const auto bursts = (restore(other).first - plain) / 10;
  EXPECT_GE(bursts, words / 8);
  EXPECT_LE(bursts, words / 2);
  other = scenario;
  other.storage.part.access.value = devices::nanoseconds(62);
  const auto waits = plain - restore(other).first;
  EXPECT_GE(waits, words / 4);
  EXPECT_LE(waits, words / 4 + bursts);
}

TEST(MappedPower, BelowTheLowestVddAPersistIsGarbageAndNoticed) {
  Scenario scenario = mapped_scenario();
  scenario.storage.power_loss = devices::FramFault::garbage_below_min_vdd;
  scenario.supply.capacitor.capacitance_f = 47e-6;
  scenario.supply.thresholds = {2.4, 1.79, 1.5};
  const RunResult result = run(scenario);
  EXPECT_FALSE(result.pass);
  EXPECT_GT(result.damage.garbage_bytes, 100U);
  EXPECT_THAT(result.failure, HasSubstr("the restore after a complete persist reported error"));
  scenario.supply.thresholds = {2.8, 2.3, 1.8};  // no window
  const RunResult above = run(scenario);
  EXPECT_TRUE(above.pass) << above.failure;
  EXPECT_EQ(above.damage.garbage_bytes, 0U);
}

// The loss names what was lacked, and a capacitor that does.
TEST(MappedPower, TooSmallACapacitorLosesAndTheRecommendedOneDoes) {
  Scenario scenario = mapped_scenario();
  scenario.supply.capacitor.capacitance_f = 2e-6;
  scenario.supply.thresholds.turn_on_v = 5;
  scenario.supply.thresholds.brown_out_v = 2.95;
  const RunResult result = run(scenario);
  ASSERT_EQ(result.lost, 1U);
  EXPECT_GT(result.losses.front().lacked_j, 0);
  scenario.supply.capacitor.capacitance_f = 1.01 * recommended_capacitance(scenario, result);
  const RunResult again = run(scenario);
  EXPECT_TRUE(again.pass) << again.failure;
  EXPECT_GT(again.persisted, 3U);
}

TEST(MappedPower, AnAttachFindsWhatWasHome) {
  for (const auto allocator :
       {firmware::StoreAllocatorKind::linked_list, firmware::StoreAllocatorKind::buddy}) {
    Scenario scenario = mapped_scenario();
    scenario.mcu.on_loss = OnLoss::attach;
    scenario.heap.write_intents = true;
    scenario.heap.ram_bytes = 768;
    scenario.heap.dirty_limit_bytes = 400;
    scenario.heap.memory.store_allocator = allocator;
    scenario.supply.thresholds.brown_out_v = 2.97;
    scenario.supply.comparator.latency = devices::microseconds(300);
    std::get<CounterConfig>(scenario.workload).compute_cycles = 30;
    scenario.stop.time = seconds(4);
    const RunResult result = run(scenario);
    EXPECT_EQ(result.failure, "");
    EXPECT_GT(result.lost, 5U);
    EXPECT_GT(result.attaches.count, 5U);
    EXPECT_GT(result.attaches.kept, 20U);
  }
}

TEST(MappedPower, TwoRunsOfASeedAreTheSameAndPhasesHaveWhatTheyTake) {
  const Scenario scenario = mapped_scenario();
  const RunResult result = run(scenario);
  EXPECT_EQ(result.fingerprint, run(scenario).fingerprint);
  EXPECT_TRUE(result.pass) << result.failure;
  for (const PhaseUse& use : result.phases) {
    EXPECT_EQ(use.bus_j, 0);
    EXPECT_EQ(use.storage_j, 0);
  }
  const auto phase = [&result](Phase which) { return result.phases[static_cast<std::size_t>(which)]; };
  Picoseconds boot;
  for (const devices::BootPhase& part : scenario.mcu.profile.boot) boot += part.duration;
  EXPECT_EQ(phase(Phase::boot).time, boot * static_cast<std::int64_t>(result.turn_ons)) << "and nothing else";
  EXPECT_NEAR(phase(Phase::persist).time.seconds(),
              result.persist.time_s.mean() * static_cast<double>(result.persist.time_s.count()), 1e-12);
  EXPECT_GT(phase(Phase::restore).time.count, 0);
  EXPECT_LE(result.balance.relative_error, 1e-9);
  const Uncalibrated uncalibrated = uncalibrated_share(result);
  EXPECT_GT(uncalibrated.energy_share, 0.1);
  EXPECT_LT(uncalibrated.energy_share, 1) << "the workload's cycles are no estimate";
}

// --- scenarios and reports -------------------------------------------------------------------------------

constexpr std::string_view kText = R"(name: on chip
mcu: {profile: MSP430FR5994, costs: {stored_word: 9}}
storage: {part: MSP430FR5994}
supply:
  source: {kind: constant, power: 1 mW}
  capacitor: {capacitance: 47 uF}
  thresholds: {turn_on: 3 V, warn: 2.4 V, brown_out: 1.9 V}
heap: {ram: 1 KiB, dirty_limit: 512 B, store: 8 KiB}
workload: {kind: counter}
stop: {operations: 20}
)";

Scenario scenario_with(const std::vector<Override>& overrides) {
  Scenario scenario = parse_scenario(std::string(kText), "s.yaml", overrides, std::nullopt);
  check_fit(scenario);
  return scenario;
}

TEST(MappedScenario, NeedsNothingButThePart) {
  const Scenario scenario = scenario_with({});
  EXPECT_TRUE(scenario.storage.part.is_mapped);
  EXPECT_EQ(scenario.mcu.profile.costs.stored_word, 9);
  EXPECT_EQ(scenario.mcu.profile.costs.loaded_word, 12);
  EXPECT_TRUE(simulate(scenario, {}).pass);
}

TEST(MappedScenario, APartOfOnesOwnIsWhatTheProgramLeaves) {
  const Scenario scenario = scenario_with(
      {{"storage.part={name: fr5969, based_on: msp430fr5994, size: 64 KiB, access: 60 ns, row: 16 B}"}});
  EXPECT_TRUE(scenario.storage.part.is_mapped);
  EXPECT_EQ(scenario.storage.part.size_bytes, 65'536U);
  EXPECT_EQ(scenario.storage.part.wait_states(16'000'000), 0U);
  EXPECT_EQ(devices::estimates_in(scenario.storage.part), 5U);
  EXPECT_TRUE(simulate(scenario, {}).pass);
}

// An override with a part on chip leaves what the file says of a bus behind; one of its own stays, to be
// refused.
TEST(MappedScenario, TakesThePlaceOfAPartOnABus) {
  std::string text(kText);
  text.replace(text.find("{part: MSP430FR5994}"), 20,
               "{part: MB85RS64V, sck: 4 MHz, transfer: sliced, slice: 8 B}");
  const auto load = [&text](const std::vector<Override>& overrides) {
    return parse_scenario(text, "s.yaml", overrides, std::nullopt);
  };
  EXPECT_FALSE(load({}).storage.part.is_mapped);
  EXPECT_TRUE(load({{"storage.part=msp430fr5994"}}).storage.part.is_mapped);
  EXPECT_TRUE(load({{"storage.part={name: x, based_on: msp430fr5994}"}}).storage.part.is_mapped);
  EXPECT_THROW(load({{"storage.part=msp430fr5994"}, {"storage.sck=1 MHz"}}), InputError);
  EXPECT_EQ(load({{"storage.part=mb85rs4mt"}}).storage.slice_bytes, 8U);
}

// And what it says of wires; a fault that such a part has, too, stays.
TEST(MappedScenario, HasNoWiresToErr) {
  std::string text(kText);
  text.replace(text.find("{part: MSP430FR5994}"), 20,
               "{part: MB85RS64V, retries: 2, timeout: 1 ms, verify: read_twice, faults: {FAULTS}}");
  const auto load = [&text](const std::string& faults) {
    std::string with = text;
    with.replace(with.find("FAULTS"), 6, faults);
    return parse_scenario(with, "s.yaml", {{"storage.part=msp430fr5994"}}, std::nullopt).storage;
  };
  for (const char* faults : {"bit_error_rate: 1e-6, missing_answer: 0.1",
                             "bit_error_rate: 1e-6, power_loss: garbage_below_min_vdd"}) {
    const StorageConfig storage = load(faults);
    EXPECT_TRUE(storage.part.is_mapped) << faults;
    EXPECT_EQ(storage.retries, 0U) << faults;
    EXPECT_EQ(storage.timeout.count, 0) << faults;
    EXPECT_EQ(storage.verify, heap::Verify::none) << faults;
    EXPECT_FALSE(storage.bus_faults.any()) << faults;
  }
  EXPECT_EQ(load("power_loss: garbage_below_min_vdd").power_loss, devices::FramFault::garbage_below_min_vdd);
  EXPECT_THROW(load("power_loss: row_lost"), InputError);
}

TEST(MappedReport, SaysNothingOfABus) {
  const Scenario scenario = mapped_scenario();
  const RunResult result = run(scenario);
  const auto report = nlohmann::json::parse(json_report(scenario, result));
  for (const char* key : {"bus", "sck_hz", "sck_asked_hz", "transfer", "slice_bytes"}) {
    EXPECT_TRUE(report["configuration"][key].is_null()) << key;
  }
  EXPECT_TRUE(report["bus"].is_null());
  EXPECT_GT(report["copies"]["transfers"], 10);
  EXPECT_GT(report["copies"]["bytes"], report["persist"]["bytes"]["maximum"]);
  EXPECT_EQ(report["persist"]["transactions"]["maximum"], 0);
  EXPECT_EQ(report["energy_by_consumer_j"]["bus"], 0);
  EXPECT_EQ(report["storage"]["wear"]["row_bytes"], 8);
  EXPECT_GT(report["storage"]["wear"]["hottest_row_accesses"], 10);
  EXPECT_TRUE(report["warnings"].empty());
  EXPECT_THAT(summary(scenario, result), HasSubstr("hottest row of 8 B"));
  const auto on_bus = nlohmann::json::parse(json_report(small_scenario(), run(small_scenario())));
  EXPECT_FALSE(on_bus.contains("copies"));
}

TEST(MappedReport, SizingHasTheCopyInPlaceOfTheBus) {
  const Scenario scenario = scenario_with({});
  const Sizing sizing = size_supply(scenario, std::nullopt, 0, 1);
  const std::string text = size_text(scenario, sizing, false);
  EXPECT_THAT(
      text,
      HasSubstr("storage.bus                   none: in the address space, 1 wait state at this clock"));
  EXPECT_THAT(text, HasSubstr("words by the CPU"));
  EXPECT_THAT(text, HasSubstr("mcu.costs.step                100         profile msp430fr5994, an estimate"));
  EXPECT_THAT(text, Not(HasSubstr("on the wire")));
  EXPECT_THAT(text, Not(HasSubstr("energy of the FRAM")));
  EXPECT_THAT(text, Not(HasSubstr("storage.sck")));
  const auto json = nlohmann::json::parse(size_json(scenario, sizing));
  EXPECT_TRUE(json["inputs"].back()["value"].is_null());
  EXPECT_EQ(json["persist_bound"]["times_s"]["wire"], 0);

  // The estimate of a restore is above what restores take.
  Scenario running = mapped_scenario();
  const RunResult result = run(running);
  const StartDemand start = start_demand(running, std::nullopt);
  EXPECT_GE(start.restore.time.seconds(), result.restore.time_s.maximum());
  EXPECT_LE(start.restore.time.seconds(), 2 * result.restore.time_s.maximum());
  running.mcu.clock_hz = 32'000'000;  // three wait states: less than twice as fast
  EXPECT_GT(start_demand(running, std::nullopt).restore.time.count, start.restore.time.count / 2);
}

}  // namespace
}  // namespace brownout::sim::testing
