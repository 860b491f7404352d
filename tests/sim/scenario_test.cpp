// Scenario files: every key and default, every kind of error with its place, overrides, and random damage.
#include "sim/scenario/scenario.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bad_input/part_cases.hpp"
#include "bad_input/scenario_cases.hpp"
#include "bad_input/scenario_texts.hpp"
#include "bad_input/temp_folder.hpp"
#include "sim/report/storage_outlook.hpp"
#include "sim/scenario/choices.hpp"

namespace brownout::sim {
namespace {

namespace fs = std::filesystem;
using bad_input::kFull;
using bad_input::kGood;
using bad_input::kMinimal;
using bad_input::replaced;
using devices::microseconds;
using devices::milliseconds;

constexpr Picoseconds seconds(std::int64_t n) { return {n * devices::kPicosecondsPerSecond}; }

class ScenarioTest : public bad_input::TempFolderTest {
 protected:
  Scenario load(std::string_view text, const std::vector<std::string>& sets = {},
                std::optional<std::uint64_t> seed = std::nullopt) const {
    std::vector<Override> overrides;
    overrides.reserve(sets.size());
    for (const std::string& set : sets) overrides.push_back({set});
    return load_scenario(write(text, "s.yaml"), overrides, seed);
  }

  std::string error_of(std::string_view text, const std::vector<std::string>& sets = {}) const {
    return error_of_action([&] { load(text, sets); });
  }
};

// kGood with another source, on the line of `source:`.
std::string with_source(std::string_view source) {
  return replaced(kGood, "  source:\n    kind: square\n    high: 2 mW\n    period: 100 ms\n    duty: 0.5\n",
                  "  source: " + std::string(source) + "\n");
}

TEST_F(ScenarioTest, EveryKeyIsRead) {
  const Scenario s = load(kFull);
  EXPECT_EQ(s.file, (folder() / "s.yaml").string());
  EXPECT_EQ(s.name, "everything");
  EXPECT_EQ(s.description, "several lines\nof text\n");
  EXPECT_EQ(s.seed, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(s.mcu.profile.name, "esp32c3");
  EXPECT_EQ(s.mcu.clock_hz, 80'000'000U);
  EXPECT_EQ(s.mcu.profile.rail_v, 3.0);
  EXPECT_EQ(s.mcu.profile.active_a, 15e-3);
  EXPECT_EQ(s.mcu.profile.active_a_at(s.mcu.clock_hz), 15e-3);  // measured at this clock: not scaled
  EXPECT_EQ(s.mcu.profile.sleep_a, 5e-6);
  EXPECT_EQ(s.mcu.profile.deep_sleep_a, 2e-6);
  ASSERT_EQ(s.mcu.profile.boot.size(), 2U);
  EXPECT_EQ(s.mcu.profile.boot[0].name, "one");
  EXPECT_EQ(s.mcu.profile.boot[1].duration, microseconds(2));
  EXPECT_EQ(s.mcu.profile.boot[0].current_a, 1e-3);
  EXPECT_EQ(s.mcu.os_save_bytes, 1'024U);
  EXPECT_EQ(s.mcu.after_persist, AfterPersist::shutdown);
  EXPECT_EQ(s.mcu.on_loss, OnLoss::reformat);
  const devices::CpuCosts& costs = s.mcu.profile.costs;
  EXPECT_EQ((std::array{costs.call, costs.step, costs.copied_byte, costs.checksum_byte,
                        costs.checksum_byte_by_table, costs.section}),
            (std::array{1.0, 2.5, 3.0, 4.0, 2.0, 0.0}));
  EXPECT_EQ(s.heap.memory.checksum, firmware::ChecksumKind::table);
  EXPECT_EQ(s.storage.part.name, "mb85rs4mt");
  EXPECT_EQ(s.storage.sck_asked_hz, 8'000'000U);
  EXPECT_EQ(s.storage.sck_hz, 5'000'000U) << "80 MHz by powers of two";
  EXPECT_EQ(s.storage.bus.sliced.cs_setup, devices::nanoseconds(50));
  EXPECT_EQ(s.storage.bus.sliced.abort_granularity, devices::AbortGranularity::chunk);
  EXPECT_EQ(s.storage.bus.fifo.cs_setup.count, 0) << "of the mode that is used only";
  EXPECT_EQ(s.storage.bus.tick.period, devices::milliseconds(2));
  EXPECT_EQ(s.storage.bus.tick.first_after_start, devices::milliseconds(2));
  EXPECT_FALSE(s.storage.bus.calibrated);
  EXPECT_EQ(s.storage.transfer, devices::TransferMode::sliced);
  EXPECT_EQ(s.storage.slice_bytes, 32U);
  EXPECT_EQ(s.storage.bus.name, "polled");
  const auto& trace = std::get<TraceConfig>(s.supply.source);
  EXPECT_EQ(trace.path, (folder() / "sub/harvest.csv").string());
  EXPECT_EQ(trace.time, TraceTime::by_index);
  EXPECT_EQ(trace.rate_hz, 2'500);
  EXPECT_EQ(trace.load_ohm, 10e3);
  EXPECT_TRUE(trace.load_given);
  EXPECT_TRUE(trace.repeat);
  EXPECT_EQ(s.supply.capacitor.capacitance_f, 1.5e-3);
  EXPECT_EQ(s.supply.leakage_a, 2e-6);
  EXPECT_TRUE(std::isinf(s.supply.capacitor.leakage_ohm));
  EXPECT_EQ(s.supply.capacitor.esr_ohm, 30e-3);
  EXPECT_EQ(s.supply.capacitor.max_voltage_v, 5);
  EXPECT_EQ(s.supply.initial_v, 4);
  EXPECT_EQ((std::array{s.supply.thresholds.turn_on_v, s.supply.thresholds.warn_v,
                        s.supply.thresholds.brown_out_v}),
            (std::array{3.2, 2.6, 2.1}));
  EXPECT_EQ(s.supply.capacitance_tolerance, 0.1);
  EXPECT_EQ(s.supply.comparator.latency, devices::nanoseconds(10'500));
  EXPECT_EQ(s.supply.comparator.tolerance, 0.03);
  EXPECT_EQ(s.supply.converter.efficiency, 0.85);
  EXPECT_EQ(
      (std::array{s.heap.ram_bytes, s.heap.dirty_limit_bytes, s.heap.max_residents, s.heap.store_bytes}),
      (std::array{65'536U, 16'384U, 64U, 262'144U}));
  EXPECT_EQ(s.heap.store_unit_bytes, 264U);
  EXPECT_EQ(s.heap.roots, 7U);
  EXPECT_TRUE(s.heap.write_intents);
  EXPECT_EQ(s.heap.memory.kind, firmware::MemoryKind::heap);
  EXPECT_EQ(s.heap.memory.ram_allocator, firmware::RamAllocatorKind::buddy);
  EXPECT_EQ(s.heap.memory.store_allocator, firmware::StoreAllocatorKind::block);
  EXPECT_EQ(s.heap.memory.policy, firmware::PolicyKind::round_robin);
  EXPECT_EQ(s.heap.memory.slots, firmware::SlotKind::standard);
  const auto& counter = std::get<CounterConfig>(s.workload);
  EXPECT_EQ((std::array{counter.objects, counter.size_bytes, counter.compute_cycles}),
            (std::array{3U, 24U, 0U}));
  EXPECT_EQ(s.stop.time, seconds(3'600));
  EXPECT_EQ(s.stop.operations, 1'000U);
}

TEST_F(ScenarioTest, WhatIsLeftOutHasItsDefault) {
  const Scenario s = load(kMinimal);
  const devices::McuProfile& profile = *devices::find_mcu_profile("cortex-m0plus");
  EXPECT_EQ(s.description, "");
  EXPECT_EQ(s.seed, 1U);
  EXPECT_EQ(s.mcu.clock_hz, profile.clock_hz);
  EXPECT_EQ(s.mcu.profile.active_a, profile.active_a);
  EXPECT_EQ(s.mcu.profile.boot.size(), profile.boot.size());
  EXPECT_EQ(s.mcu.profile.costs.call, profile.costs.call);
  EXPECT_EQ(s.mcu.os_save_bytes, 0U);
  EXPECT_EQ(s.mcu.after_persist, AfterPersist::sleep);
  EXPECT_EQ(s.mcu.on_loss, OnLoss::stop);
  EXPECT_EQ(s.storage.sck_asked_hz, devices::find_fram_part("mb85rs64v")->max_sck_hz);
  EXPECT_EQ(s.storage.sck_hz, 8'000'000U) << "half the clock of the MCU";
  EXPECT_EQ(s.storage.transfer, devices::TransferMode::fifo);
  EXPECT_EQ(s.storage.slice_bytes, 0U);
  EXPECT_EQ(s.storage.bus.name, profile.bus);
  const auto& trace = std::get<TraceConfig>(s.supply.source);
  EXPECT_EQ(trace.time, TraceTime::stamped);
  EXPECT_EQ(trace.gaps, TraceGaps::error);
  EXPECT_EQ(trace.load_ohm, 30e3);
  EXPECT_FALSE(trace.load_given);
  EXPECT_FALSE(trace.repeat);
  EXPECT_EQ(s.supply.initial_v, 0);
  EXPECT_EQ(s.supply.capacitor.esr_ohm, 0);
  EXPECT_EQ(s.supply.capacitor.max_voltage_v, 5.5);
  EXPECT_TRUE(std::isinf(s.supply.capacitor.leakage_ohm));
  EXPECT_EQ(s.supply.capacitance_tolerance, 0.2);
  EXPECT_EQ(s.supply.comparator.latency, Picoseconds{0});
  EXPECT_EQ(s.supply.comparator.tolerance, 0.05);
  EXPECT_EQ(s.supply.converter.efficiency, 1);
  EXPECT_EQ(s.heap.max_residents, 0U);
  EXPECT_EQ(s.heap.store_bytes, 0U);
  EXPECT_EQ(s.heap.store_unit_bytes, 0U);
  EXPECT_EQ(s.heap.memory.kind, firmware::MemoryKind::heap);
  EXPECT_EQ(s.heap.memory.ram_allocator, firmware::RamAllocatorKind::linked_list);
  EXPECT_EQ(s.heap.memory.store_allocator, firmware::StoreAllocatorKind::linked_list);
  EXPECT_EQ(s.heap.memory.policy, firmware::PolicyKind::in_order);
  EXPECT_EQ(s.heap.memory.slots, firmware::SlotKind::standard);
  EXPECT_EQ(std::get<CounterConfig>(s.workload).objects, CounterConfig{}.objects);
  EXPECT_FALSE(s.stop.time);  // a trace that is not repeated ends by itself
  EXPECT_FALSE(s.stop.operations);
}

// A part of the user's own has what it gives, and the rest from the one it is based on, as estimates.
TEST_F(ScenarioTest, PartsOfTheUsers) {
  const auto part = [&](const std::string& text) {
    return load(replaced(kMinimal, "MB85RS64V", text)).storage.part;
  };
  const devices::FramPart& base = *devices::find_fram_part("mb85rs4mt");
  const devices::FramPart small = part("{name: small, based_on: MB85RS4MT, size: 64 KiB}");
  EXPECT_EQ(small.name, "small");
  EXPECT_EQ(small.based_on, "mb85rs4mt");
  EXPECT_EQ(small.size_bytes, 65'536U);
  EXPECT_EQ(small.address_bytes, 2U);
  EXPECT_FALSE(small.size_bytes.estimated);
  EXPECT_EQ(small.size_bytes.source, "the scenario");
  EXPECT_EQ(small.max_sck_hz, base.max_sck_hz);
  EXPECT_TRUE(small.max_sck_hz.estimated);
  EXPECT_EQ(devices::estimates_in(small), 17U) << "all but size and address";
  EXPECT_EQ(part("{name: large, based_on: mb85rs64v, size: 128 KiB}").address_bytes, 3U);

  const devices::FramPart full = part(
      "{name: full, based_on: fm25w256, size: 8 KiB, address_bytes: 3, fast_read: true, sleep: true,"
      " rdid: 0a FF 7f, max_sck: 30 MHz, min_vdd: 1.5 V, max_vdd: 3.6 V, active_current: 3 mA,"
      " standby_current: 5 uA, sleep_current: 1 uA, wel_cleared_by_write: false, power_up: 100 us,"
      " sleep_entry: 2 us, wake: 300 us, row: 16 B, endurance: 1e10, reads_wear: false,"
      " retention: {years: 40, celsius: 25}}");
  EXPECT_EQ(devices::estimates_in(full), 0U);
  EXPECT_EQ(full.address_bytes, 3U);
  EXPECT_TRUE(full.fast_read);
  EXPECT_TRUE(full.has_sleep);
  EXPECT_EQ(full.rdid, (devices::FramIdentity{3, {0x0A, 0xFF, 0x7F}}));
  EXPECT_EQ(full.max_sck_hz, 30'000'000U);
  EXPECT_EQ((std::array{full.min_vdd_v.value, full.max_vdd_v.value}), (std::array{1.5, 3.6}));
  EXPECT_EQ(full.active_a_at(30'000'000), 3e-3);
  EXPECT_EQ(full.active_a_at(10'000'000), 1e-3) << "in proportion: it has no second point";
  EXPECT_EQ((std::array{full.standby_a.value, full.sleep_a.value}), (std::array{5e-6, 1e-6}));
  EXPECT_FALSE(full.wel_cleared_by_write);
  EXPECT_EQ(full.power_up, microseconds(100));
  EXPECT_EQ(full.sleep_entry, microseconds(2));
  EXPECT_EQ(full.wake, microseconds(300));
  EXPECT_EQ(full.row_bytes, 16U);
  EXPECT_EQ(full.endurance, 1e10);
  EXPECT_FALSE(full.reads_wear);
  EXPECT_EQ(full.retention.value.years, 40U);
  EXPECT_EQ(full.retention.value.celsius, 25);
  EXPECT_EQ(part("{name: mute, based_on: mb85rs64v, rdid: none}").rdid.value.size, 0U);
}

TEST_F(ScenarioTest, UnsafeClocksAndFaults) {
  const auto storage = [&](const std::string& keys) {
    return load(replaced(kMinimal, "part: MB85RS64V", "part: MB85RS64V, " + keys)).storage;
  };
  EXPECT_EQ(storage("sck: 40 MHz, unsafe: true, bus: esp32c3-zephyr").sck_hz, 40'000'000U);
  EXPECT_EQ(load(kMinimal).storage.power_loss, devices::FramFault::discard);
  for (std::size_t i = 0; i < kPowerLossFaults.size(); ++i) {
    const std::string name(kPowerLossFaults[i]);
    EXPECT_EQ(static_cast<std::size_t>(storage("faults: {power_loss: " + name + "}").power_loss), i);
  }
}

TEST_F(ScenarioTest, FaultsOnTheBusAndWhatTheDriverDoes) {
  const auto storage = [&](const std::string& keys) {
    return load(replaced(kMinimal, "part: MB85RS64V", "part: MB85RS64V, " + keys)).storage;
  };
  const StorageConfig plain = load(kMinimal).storage;
  EXPECT_FALSE(plain.bus_faults.any());
  EXPECT_EQ(plain.retries, 0U);
  EXPECT_EQ(plain.timeout.count, 0);
  EXPECT_EQ(plain.verify, heap::Verify::none);
  const StorageConfig all = storage(
      "retries: 4, timeout: 1.5 ms, verify: read_twice, "
      "faults: {bit_error_rate: 1e-9, missing_answer: 0.25, power_loss: row_lost}");
  EXPECT_EQ(all.retries, 4U);
  EXPECT_EQ(all.timeout, devices::microseconds(1'500));
  EXPECT_EQ(all.verify, heap::Verify::read_twice);
  EXPECT_EQ(all.bus_faults.bit_error_rate, 1e-9);
  EXPECT_EQ(all.bus_faults.missing_answer, 0.25);
  EXPECT_EQ(all.power_loss, devices::FramFault::row_lost);
  EXPECT_EQ(storage("verify: read_back").verify, heap::Verify::read_back);
  EXPECT_FALSE(storage("faults: {missing_answer: 0}").bus_faults.any()) << "and needs no timeout";
  EXPECT_EQ(storage("bus: {mode: 3}").bus.spi_mode, 3U);
  EXPECT_EQ(storage("bus: {mode: 0}").bus.spi_mode, 0U);
}

TEST_F(ScenarioTest, LevelsOfTheMcusOwnReset) {
  const std::string esp = replaced(kMinimal, "Cortex-M0plus", "esp32c3, brown_out_level: 2.51 V");
  const std::string high =
      replaced(replaced(esp, "warn: 2.5 V", "warn: 2.8 V"), "part: MB85RS64V", "part: mb85rs256ty");
  const Scenario without = load(replaced(high, ", brown_out: 2 V", ""));
  EXPECT_EQ(without.supply.thresholds.brown_out_v, 2.51);
  EXPECT_TRUE(warnings_of(without).empty());
  EXPECT_EQ(load(replaced(high, "brown_out: 2 V", "brown_out: 2.51 V")).supply.thresholds.brown_out_v, 2.51);
  EXPECT_THAT(error_of(replaced(esp, ", brown_out: 2 V", "")),
              ::testing::HasSubstr("2.5 V must be above mcu.brown_out_level, which is 2.51 V"));
  const std::string below = replaced(replaced(esp, "warn: 2.5 V", "warn: 2.8 V"), ", brown_out: 2 V", "");
  EXPECT_THAT(warnings_of(load(below)),
              ::testing::ElementsAre(::testing::HasSubstr("drives a part that is out of its range")));
  EXPECT_THAT(
      error_of(replaced(below, "capacitor:", "converter: {path: buck, efficiency: 85 %}\n  capacitor:")),
      ::testing::HasSubstr("a converter lies between the capacitor and the MCU's supply"));
  EXPECT_THAT(error_of(replaced(below, "capacitor:", "preset: bq25504\n  capacitor:")),
              ::testing::HasSubstr("supply.preset already says at which voltage the board goes off"));
}

TEST_F(ScenarioTest, Workloads) {
  const auto workload = [&](const char* text) {
    return load(replaced(kMinimal, "{kind: counter}", text)).workload;
  };
  const auto queue =
      std::get<QueueConfig>(workload("{kind: queue, length: 5, item_bytes: 100, compute_cycles: 7}"));
  EXPECT_EQ((std::array{queue.length, queue.item_bytes, queue.compute_cycles}), (std::array{5U, 100U, 7U}));
  EXPECT_EQ(std::get<QueueConfig>(workload("{kind: queue, item_bytes: 1 KiB}")).item_bytes, 1'024U);
  EXPECT_EQ(std::get<QueueConfig>(workload("{kind: queue}")).length, QueueConfig{}.length);
  EXPECT_EQ(std::get<KvsConfig>(workload("{kind: kvs}")).keys, KeyDistribution::random);
  for (std::size_t i = 0; i < kKeyDistributions.size(); ++i) {
    const auto kvs = std::get<KvsConfig>(
        workload(("{kind: kvs, keys: " + std::string(kKeyDistributions[i]) + "}").c_str()));
    EXPECT_EQ(static_cast<std::size_t>(kvs.keys), i);
  }
}

TEST_F(ScenarioTest, LeakageAsResistanceOrCurrentOrNone) {
  const auto supply_with = [&](const char* text) { return load(replaced(kGood, "10 MOhm", text)).supply; };
  EXPECT_EQ(supply_with("10 MOhm").capacitor.leakage_ohm, 10e6);
  EXPECT_EQ(supply_with("10 MOhm").leakage_a, 0);
  EXPECT_EQ(supply_with("1 uA").leakage_a, 1e-6);
  EXPECT_TRUE(std::isinf(supply_with("1 uA").capacitor.leakage_ohm));
  EXPECT_EQ(supply_with("0 A").leakage_a, 0);
}

TEST_F(ScenarioTest, APresetSaysWhatIsLeftOut) {
  const std::string all = replaced(std::string(kMinimal), "  capacitor: {capacitance: 100 uF}\n", "");
  const std::string bare = replaced(all, "  thresholds: {turn_on: 3 V, warn: 2.5 V, brown_out: 2 V}\n", "");
  const SupplyConfig supply = load(bare, {"supply.preset=BQ25570"}).supply;
  EXPECT_EQ(supply.preset, "bq25570");
  EXPECT_EQ(supply.capacitor.capacitance_f, 100e-6);
  EXPECT_EQ(supply.thresholds.turn_on_v, 3.0);
  EXPECT_EQ(supply.thresholds.warn_v, 2.5);
  EXPECT_EQ(supply.thresholds.brown_out_v, 2.4);
  EXPECT_EQ(supply.converter.kind, devices::PathKind::buck);
  EXPECT_EQ(supply.converter.table->name, "bq25570-buck");
  EXPECT_EQ(supply.converter.quiescent_a, 488e-9);
  EXPECT_EQ(supply.charger.table->name, "bq25570-charger");
  const SupplyConfig changed =
      load(bare, {"supply.preset=bq25504", "supply.thresholds.warn=2.5 V", "supply.comparator.poll=1 ms",
                  "supply.capacitor={capacitance: 1 mF}", "supply.charger.input_voltage=2 V",
                  "supply.converter={path: ldo, drop: 0.2 V}"})
          .supply;
  EXPECT_EQ(changed.thresholds.turn_on_v, 2.8);
  EXPECT_EQ(changed.thresholds.warn_v, 2.5);
  EXPECT_EQ(changed.comparator.poll, milliseconds(1));
  EXPECT_EQ(changed.capacitor.capacitance_f, 1e-3);
  EXPECT_EQ(changed.charger.input_v, 2);
  EXPECT_EQ(changed.charger.table->name, "bq25504-charger");
  EXPECT_EQ(changed.converter.kind, devices::PathKind::ldo);
  EXPECT_EQ(changed.converter.quiescent_a, 330e-9) << "the part is still there";
  EXPECT_EQ(load(bare, {"supply.preset=bq25504", "supply.capacitor.capacitance=1 mF"}).supply.comparator.poll,
            milliseconds(64));
}

TEST_F(ScenarioTest, PathsAndTables) {
  const SupplyConfig supply =
      load(kGood,
           {"supply.converter={path: boost, table: {voltages: [2 V, 3 V], currents: [10 uA, 1 mA, 10 mA], "
            "efficiencies: [[50 %, 0.6, 70 %], [55 %, 65 %, 75 %]]}, quiescent: 300 nA}",
            "supply.charger={path: diode, drop: 0.3 V, input_voltage: 4 V}", "supply.off_current=2 uA",
            "supply.comparator={poll: 64 ms, hysteresis: 0.1 V}"})
          .supply;
  EXPECT_EQ(supply.converter.kind, devices::PathKind::boost);
  EXPECT_EQ(supply.converter.table->at(3, 1e-3), 0.65);
  EXPECT_EQ(supply.converter.table->at(2, 10e-3), 0.7);
  EXPECT_EQ(supply.converter.quiescent_a, 300e-9);
  EXPECT_EQ(supply.charger.kind, devices::PathKind::diode);
  EXPECT_EQ(supply.charger.drop_v, 0.3);
  EXPECT_EQ(supply.charger.input_v, 4);
  EXPECT_EQ(supply.off_a, 2e-6);
  EXPECT_EQ(supply.comparator.poll, milliseconds(64));
  EXPECT_EQ(supply.comparator.hysteresis_v, 0.1);
  for (std::size_t i = 0; i < kPaths.size(); ++i) {
    const char* more[] = {
        "", ", drop: 0.1 V", ", drop: 0.1 V", ", efficiency: 0.8", ", efficiency: 0.8", ", power: 1 mW"};
    const std::string path = "supply.converter={path: " + std::string(kPaths[i]) + more[i] + "}";
    EXPECT_EQ(static_cast<std::size_t>(load(kGood, {path}).supply.converter.kind), i + 1);
  }
}

// Each key of the new sections alone leaves the others to their defaults.
TEST_F(ScenarioTest, ComparatorAndConverterInParts) {
  const SupplyConfig late = load(kGood, {"supply.comparator.latency=64 ms"}).supply;
  EXPECT_EQ(late.comparator.latency, milliseconds(64));
  EXPECT_EQ(late.comparator.tolerance, 0.05);
  EXPECT_EQ(late.converter.efficiency, 1);
  const SupplyConfig loose = load(kGood, {"supply.comparator={tolerance: 0 %}"}).supply;
  EXPECT_EQ(loose.comparator.latency, Picoseconds{0});
  EXPECT_EQ(loose.comparator.tolerance, 0);
  EXPECT_EQ(load(kGood, {"supply.converter={}"}).supply.converter.efficiency, 1);
  EXPECT_EQ(load(kGood, {"supply.converter.efficiency=1 %"}).supply.converter.efficiency, 0.01);
  EXPECT_EQ(load(kGood, {"supply.capacitor.tolerance=90 %"}).supply.capacitance_tolerance, 0.9);
}

TEST_F(ScenarioTest, Scripts) {
  const auto script = [&](const char* text) {
    return std::get<ScriptConfig>(load(with_source(text)).supply.source);
  };
  const auto only = [](const ScriptConfig& config) { return config.parts.at(0).script; };
  EXPECT_EQ(std::get<devices::ConstantScript>(only(script("{kind: constant, power: 150 uW}"))).power_w,
            150e-6);
  const auto square =
      std::get<devices::SquareScript>(only(script("{kind: square, high: 2 mW, period: 3 ms}")));
  EXPECT_EQ((std::array{square.high_w, square.low_w, square.duty}), (std::array{2e-3, 0.0, 0.5}));
  EXPECT_EQ(square.period, milliseconds(3));
  const auto ramp =
      std::get<devices::RampScript>(only(script("{kind: ramp, from: 1 W, to: 2 W, over: 1000001 us}")));
  EXPECT_EQ(ramp.duration, microseconds(1'000'001));
  EXPECT_EQ(ramp.step.count, 3'906'253'907);  // a 256th, rounded up
  EXPECT_EQ((std::array{ramp.from_w, ramp.to_w}), (std::array{1.0, 2.0}));
  const auto sine = std::get<devices::SineScript>(
      only(script("{kind: sine, mean: 1 mW, amplitude: 2 mW, period: 256 ms, step: 2 ms}")));
  EXPECT_EQ((std::array{sine.mean_w, sine.amplitude_w}), (std::array{1e-3, 2e-3}));
  EXPECT_EQ(sine.step, milliseconds(2));
  EXPECT_EQ(
      std::get<devices::SineScript>(only(script("{kind: sine, mean: 0 W, amplitude: 2 mW, period: 256 ms}")))
          .step,
      milliseconds(1));
  const auto config = script(
      "{kind: bursts, low: 1 uW, min: 1 mW, max: 2 mW, min_length: 1 ms, max_length: 2 ms, min_gap: 3 ms, "
      "max_gap: 4 ms, seed: 99, for: 5 s, repeat: true}");
  const auto bursts = std::get<devices::BurstScript>(only(config));
  EXPECT_EQ((std::array{bursts.low_w, bursts.min_w, bursts.max_w}), (std::array{1e-6, 1e-3, 2e-3}));
  EXPECT_EQ((std::array{bursts.min_length, bursts.max_length, bursts.min_gap, bursts.max_gap}),
            (std::array{milliseconds(1), milliseconds(2), milliseconds(3), milliseconds(4)}));
  EXPECT_EQ(bursts.seed, 99U);
  EXPECT_TRUE(config.repeat);
  EXPECT_EQ(config.parts[0].duration, seconds(5));
  EXPECT_EQ(script("{kind: constant, power: 0 W}").parts[0].duration, devices::kForever);
}

TEST_F(ScenarioTest, SequencesAndTheSeedsOfTheirBursts) {
  const std::string bursts =
      "{kind: bursts, min: 1 W, max: 1 W, min_length: 1 s, max_length: 1 s, min_gap: 1 s, max_gap: 1 s, for: "
      "9 s}";
  const std::string text = with_source("{kind: sequence, parts: [" + bursts + ", " + bursts + "]}");
  const auto seeds = [&](std::optional<std::uint64_t> seed) {
    const auto parts = std::get<ScriptConfig>(load(text, {}, seed).supply.source).parts;
    return std::array{std::get<devices::BurstScript>(parts.at(0).script).seed,
                      std::get<devices::BurstScript>(parts.at(1).script).seed};
  };
  const auto first = seeds(std::nullopt);
  EXPECT_EQ(first, seeds(7));  // the scenario's own seed
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(first, seeds(8));
  EXPECT_EQ(load(text, {}, 8).seed, 8U);
  // A sequence that ends needs no condition to stop.
  EXPECT_NO_THROW(load(replaced(text, "stop:\n  time: 60 s\n", "")));
}

TEST_F(ScenarioTest, BadScenariosAreRefusedInOneLine) {
  EXPECT_EQ(error_of(kGood), "no error");
  for (const bad_input::Case& c : bad_input::kCases) {
    EXPECT_EQ(error_of(replaced(kGood, c.from, c.to)), "s.yaml" + std::string(c.error)) << c.to;
  }
}

TEST_F(ScenarioTest, BadPartsAreRefusedInOneLine) {
  for (const bad_input::Case& c : bad_input::kPartCases) {
    EXPECT_EQ(error_of(replaced(kGood, c.from, c.to)), "s.yaml" + std::string(c.error)) << c.to;
  }
}

TEST_F(ScenarioTest, BadSourcesAreRefusedInOneLine) {
  for (const bad_input::Case& c : bad_input::kSourceCases) {
    EXPECT_EQ(error_of(with_source(c.to)), "s.yaml" + std::string(c.error)) << c.to;
  }
}

TEST_F(ScenarioTest, BadFilesAreRefused) {
  const auto load_error = [&](const std::string& file) {
    return error_of_action([&] { load_scenario((folder() / file).string(), {}, std::nullopt); });
  };
  EXPECT_EQ(load_error("none.yaml"), "none.yaml: cannot read this scenario: No such file or directory");
  fs::create_directory(folder() / "dir");
  EXPECT_EQ(load_error("dir"), "dir: is a directory; a scenario is a YAML file");
  const std::string empty =
      "s.yaml:1:1: is empty; a scenario has name, mcu, storage, supply, heap and workload";
  EXPECT_EQ(error_of(""), empty);
  EXPECT_EQ(error_of("# nothing\n"), empty);
  EXPECT_EQ(error_of("---\n"), empty);
  EXPECT_EQ(error_of("- a\n"), "s.yaml:1:1: is a list, not a map of `key: value` lines");
  EXPECT_EQ(error_of("name\n"), "s.yaml:1:1: is a value, not a map of `key: value` lines");
  EXPECT_EQ(error_of("{}"), "s.yaml:1:1: is an empty map, not a map of `key: value` lines");
  EXPECT_EQ(error_of("name: a\nx: \xC3("),
            "s.yaml:2:4: byte 0xc3 is not valid UTF-8; save the scenario as UTF-8");
  EXPECT_EQ(error_of(std::string("name: a\n\0b", 10)), "s.yaml:2:1: a NUL byte; a scenario is text in UTF-8");
  EXPECT_EQ(error_of(std::string((1U << 20U) + 1, ' ')),
            "s.yaml: is larger than 1048576 bytes; a scenario is smaller than that");
  EXPECT_EQ(error_of("a: " + std::string(40, '[') + std::string(40, ']')),
            "s.yaml:1:35: nested deeper than 32 levels");
  std::string many = "a: [";
  for (int i = 0; i < 50'000; ++i) many += "1,";
  EXPECT_EQ(error_of(many + "]"), "s.yaml:1:100001: more than 50000 values; a scenario is smaller than that");
  // What shields from alias bombs.
  EXPECT_EQ(error_of("a: &x [1]\nb: [*x, *x]\n"),
            "s.yaml:1:4: YAML anchors (&x) are not used in scenarios; write the value out");
  EXPECT_EQ(error_of("name: a\n\tb: c\n"),
            "s.yaml:2:1: not valid YAML: illegal tab when looking for indentation (indent with spaces)");
  EXPECT_EQ(error_of("name: [a\n"),
            "s.yaml:2:1: not valid YAML: end of sequence flow not found (a [ is not closed)");
  EXPECT_EQ(error_of("\xEF\xBB\xBF" + std::string(kGood)), "no error");
}

TEST_F(ScenarioTest, OverridesReplaceAndCreate) {
  EXPECT_EQ(load(kGood, {"heap.ram=16 KiB"}).heap.ram_bytes, 16'384U);
  EXPECT_EQ(load(kGood, {"heap.ram=16 KiB", "heap.ram=32 KiB"}).heap.ram_bytes, 32'768U);
  EXPECT_EQ(load(kMinimal, {"stop.time=5 s"}).stop.time, seconds(5));
  EXPECT_EQ(load(kMinimal, {"mcu.costs.call=5"}).mcu.profile.costs.call, 5);
  EXPECT_EQ(load(kGood, {"stop={operations: 3}"}).stop.time, std::nullopt);
  EXPECT_EQ(load(kGood, {"mcu.boot.0.time=7 ms"}).mcu.profile.boot.at(0).duration, milliseconds(7));
  EXPECT_TRUE(load(kGood, {"mcu.boot=[]"}).mcu.profile.boot.empty());
  EXPECT_EQ(load(kGood, {"name='a: b'"}).name, "a: b");
  EXPECT_EQ(load(kGood, {"name=a=b"}).name, "a=b");
  EXPECT_EQ(load(kGood, {"seed=3"}, 4).seed, 4U);
}

TEST_F(ScenarioTest, OverridesAreRefusedByTheirText) {
  const auto error = [&](const std::string& set) { return error_of(kGood, {set}); };
  EXPECT_EQ(error("heap.rma=4 KiB"),
            "--set heap.rma=4 KiB: unknown key \"rma\" in `heap`; did you mean `ram`?");
  EXPECT_EQ(error("hepa.ram=4 KiB"),
            "--set hepa.ram=4 KiB: unknown key \"hepa\" in a scenario; did you mean `heap`?");
  EXPECT_EQ(error("heap.ram=4096"), "--set heap.ram=4096: heap.ram: \"4096\" needs a unit, such as 4096 B");
  EXPECT_EQ(error("heap.ram=1 KiB"),
            "s.yaml:33:3: heap.dirty_limit: a dirty limit of 2048 B is above the RAM of the heap: heap.ram "
            "is 1024 B");
  EXPECT_EQ(error("heap.ram="), "--set heap.ram=: heap.ram: has no value; write one such as 4 KiB");
  EXPECT_EQ(error("heap.ram"), "--set heap.ram: needs path=value, such as heap.ram=8 KiB");
  EXPECT_EQ(error("=3"), "--set =3: the path has an empty part; write it such as heap.ram=8 KiB");
  EXPECT_EQ(error("heap..ram=3"),
            "--set heap..ram=3: the path has an empty part; write it such as heap.ram=8 KiB");
  EXPECT_EQ(error("heap.ram.x=3"), "--set heap.ram.x=3: `heap.ram` is the value \"8 KiB\", so it has no `x`");
  EXPECT_EQ(
      error("mcu.boot.1.time=3 s"),
      "--set mcu.boot.1.time=3 s: `mcu.boot` is a list of 1; \"1\" is not the index of one of them (from 0)");
  EXPECT_EQ(
      error("mcu.boot.x=3 s"),
      "--set mcu.boot.x=3 s: `mcu.boot` is a list of 1; \"x\" is not the index of one of them (from 0)");
  EXPECT_EQ(error("name=a: b"),
            "--set name=a: b: the value reads as a block of YAML, not as one value; put it in quotes, or "
            "write all of "
            "a collection in {} or []");
  EXPECT_EQ(
      error("stop={time: 1 s, time: 2 s}"),
      "--set stop={time: 1 s, time: 2 s}: key \"time\" is there twice; the first one is in the same map");
  EXPECT_EQ(error("name=&x y"),
            "--set name=&x y: YAML anchors (&x) are not used in scenarios; write the value out");
  EXPECT_EQ(error("name=a\xFF"), "--set name=a\\xff: is not text in UTF-8");
  EXPECT_EQ(error("name=[a"),
            "--set name=[a: the value reads as a block of YAML, not as one value; put it in quotes, or write "
            "all of a "
            "collection in {} or []");
}

TEST_F(ScenarioTest, PathsOfTheFileAndOfTheCommandLineStartElsewhere) {
  const auto path = [&](std::string_view text, const std::vector<std::string>& sets = {}) {
    return std::get<TraceConfig>(load(text, sets).supply.source).path;
  };
  EXPECT_EQ(path(kMinimal), (folder() / "harvest.csv").string());
  EXPECT_EQ(path(replaced(kMinimal, "harvest.csv", "/tmp/x.csv")), "/tmp/x.csv");
  EXPECT_EQ(path(kMinimal, {"supply.source.trace=other.csv"}), "other.csv");
  EXPECT_EQ(path(kMinimal, {"supply.source={trace: other.csv}"}), "other.csv");
  EXPECT_EQ(path(kMinimal, {"supply.source.repeat=true", "stop.time=1 s"}),
            (folder() / "harvest.csv").string());
}

TEST_F(ScenarioTest, OverridingTheKindOfASourceReplacesIt) {
  const auto source = [&](std::string_view text, const std::vector<std::string>& sets) {
    return load(text, sets).supply.source;
  };
  const std::string trace =
      with_source("{trace: a.csv, time: by_index, rate: 1 kHz, load: 3 kOhm, repeat: true}");
  const auto script =
      std::get<ScriptConfig>(source(trace, {"supply.source.power=1 mW", "supply.source.kind=constant"}));
  EXPECT_EQ(std::get<devices::ConstantScript>(script.parts.at(0).script).power_w, 1e-3);
  EXPECT_FALSE(script.repeat);
  EXPECT_EQ(std::get<TraceConfig>(source(kGood, {"supply.source.trace=b.csv"})).path, "b.csv");
  // Where one trace is put for another, what is said about it stays.
  EXPECT_EQ(std::get<TraceConfig>(source(trace, {"supply.source.trace=b.csv"})).rate_hz, 1e3);
  const auto back = std::get<TraceConfig>(
      source(kGood, {"supply.source.repeat=true", "supply.source.trace=b.csv", "supply.source.gaps=hold"}));
  EXPECT_TRUE(back.repeat);
  EXPECT_EQ(back.gaps, TraceGaps::hold);
  const auto other =
      std::get<ScriptConfig>(source(kGood, {"supply.source.kind=constant", "supply.source.power=1 mW"}));
  EXPECT_TRUE(std::holds_alternative<devices::ConstantScript>(other.parts.at(0).script));
  // The same kind keeps the file's parameters.
  EXPECT_NO_THROW(source(kGood, {"supply.source.kind=square"}));
  EXPECT_EQ(
      error_of(kGood, {"supply.source.trace=b", "supply.source.kind=constant"}),
      "--set supply.source.kind=constant: supply.source: has both `trace` and `kind`; a source is a file, a "
      "list of resets or a script, so leave one out");
  EXPECT_EQ(error_of(replaced(kGood, "duty", "dutty"), {"supply.source.trace=b"}),
            "s.yaml:21:5: unknown key \"dutty\" in `supply.source`; known keys are trace, time, rate, gaps, "
            "load, repeat, offset, scale, resample");
  // To a list of resets and away from it.
  const auto resets = std::get<ResetConfig>(
      source(kGood, {"supply.source.resets=r.txt", "supply.source.unit=ms", "supply.source.power=1 W"}));
  EXPECT_EQ(resets.path, "r.txt");
  const std::string list = with_source("{resets: r.txt, unit: ms, power: 1 W}");
  EXPECT_EQ(std::get<TraceConfig>(source(list, {"supply.source.trace=b.csv"})).path, "b.csv");
}

TEST_F(ScenarioTest, TraceOptionsResetsMarkovAndSun) {
  const auto source = [&](const char* text, std::optional<std::uint64_t> seed = {}) {
    return load(with_source(text), {}, seed).supply.source;
  };
  const auto trace = std::get<TraceConfig>(source("{trace: a, offset: 2 s, scale: 0.5, resample: 10 ms}"));
  EXPECT_EQ((std::array{trace.offset, trace.resample}), (std::array{seconds(2), milliseconds(10)}));
  EXPECT_EQ(trace.scale, 0.5);
  const auto plain = std::get<TraceConfig>(source("{trace: a}"));
  EXPECT_EQ((std::array{plain.offset, plain.resample}), (std::array{Picoseconds{}, Picoseconds{}}));
  EXPECT_EQ(plain.scale, 1);

  const auto resets = std::get<ResetConfig>(source("{resets: a, unit: cycles, clock: 16 MHz, power: 1 W}"));
  EXPECT_EQ(resets.clock_hz, 16'000'000U);
  EXPECT_EQ(resets.power_w, 1);

  const auto only = [](const SourceConfig& config) {
    return std::get<ScriptConfig>(config).parts.at(0).script;
  };
  const char* markov_text = "{kind: markov, on: 2 mW, off: 1 uW, mean_on: 1 s, mean_off: 2 s}";
  const auto markov = std::get<devices::MarkovScript>(only(source(markov_text)));
  EXPECT_EQ((std::array{markov.on_w, markov.off_w}), (std::array{2e-3, 1e-6}));
  EXPECT_EQ((std::array{markov.mean_on, markov.mean_off}), (std::array{seconds(1), seconds(2)}));
  EXPECT_NE(markov.seed, std::get<devices::MarkovScript>(only(source(markov_text, 8))).seed);

  const auto sun = std::get<devices::SolarScript>(only(source("{kind: solar, peak: 2 mW}")));
  EXPECT_EQ((std::array{sun.day, sun.daylight}), (std::array{seconds(86'400), seconds(43'200)}));
  EXPECT_EQ(sun.step, milliseconds(168'750));  // a 256th
  EXPECT_EQ(sun.clouds, 0);
  const auto clouds = std::get<devices::SolarScript>(
      only(source("{kind: solar, peak: 2 mW, day: 2 h, daylight: 1 h, step: 1 s, clouds: 30 %, seed: 9}")));
  EXPECT_EQ(clouds.clouds, 0.3);
  EXPECT_EQ(clouds.seed, 9U);
}

TEST_F(ScenarioTest, OverridingOtherChoicesDropsWhatBelongedToTheOldOne) {
  EXPECT_TRUE(std::holds_alternative<KvsConfig>(load(kGood, {"workload.kind=kvs"}).workload));
  EXPECT_EQ(load(kGood, {"storage.transfer=dma"}).storage.slice_bytes, 0U);
  EXPECT_EQ(load(kGood, {"storage.transfer=sliced"}).storage.slice_bytes, 64U);
  EXPECT_EQ(error_of(kGood, {"storage.transfer=dma", "storage.slice=8 B"}),
            "--set storage.slice=8 B: storage.slice: only goes with transfer: sliced, and transfer is dma");
  EXPECT_EQ(error_of(kGood, {"workload.kind=kvs", "workload.size=8 B"}),
            "--set workload.size=8 B: unknown key \"size\" in `workload`; did you mean `sizes`?");
}

TEST_F(ScenarioTest, PublishedWorkloadsAreOpenAndEndByThemselves) {
  const Scenario kvs = load(kGood, {"workload.kind=kvs", "workload.sizes=[8 B, 16 B, 32 B, 64 B]",
                                    "workload.counts=[256, 0, 0, 0]", "workload.iterations=50", "stop={}"});
  const auto& options = std::get<KvsConfig>(kvs.workload);
  EXPECT_EQ(options.sizes, (std::array<std::uint32_t, 4>{8, 16, 32, 64}));
  EXPECT_EQ(options.counts, (std::array<std::uint32_t, 4>{256, 0, 0, 0}));
  EXPECT_EQ(options.iterations, 50U);
  const Scenario queue = load(kGood, {"workload.kind=queue", "workload.iterations=60", "workload.length=0"});
  EXPECT_EQ(std::get<QueueConfig>(queue.workload).iterations, 60U);
  EXPECT_EQ(std::get<QueueConfig>(queue.workload).length, 0U);
}

TEST_F(ScenarioTest, WhereFindsTheKeyOrItsSection) {
  const Scenario s = load(kGood, {"heap.store=1 KiB"});
  const auto at = [&](const char* path) { return std::pair(s.where(path).line, s.where(path).column); };
  EXPECT_EQ(at("heap.dirty_limit"), std::pair(33, 3));
  EXPECT_EQ(at("heap.max_residents"), std::pair(31, 1));
  EXPECT_EQ(at("mcu.boot.0.time"), std::pair(9, 19));
  EXPECT_EQ(at("supply.source.kind"), std::pair(18, 5));
  EXPECT_EQ(at("supply.source.low"), std::pair(17, 3));
  EXPECT_EQ(at("description"), std::pair(1, 1));
  EXPECT_EQ(s.where("heap.store").file, "--set heap.store=1 KiB");
  EXPECT_EQ(s.where("description").file, s.file);
}

// Random damage to a valid text: it loads or is refused, and nothing else. A failure prints the seed, which
// BROWNOUT_TEST_SEED sets; BROWNOUT_TEST_CASES sets how many.
TEST_F(ScenarioTest, RandomDamageIsLoadedOrRefused) {
  const char* seed_text = std::getenv("BROWNOUT_TEST_SEED");
  const char* cases_text = std::getenv("BROWNOUT_TEST_CASES");
  const std::uint64_t seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10) : 20'240'611;
  const int cases = cases_text != nullptr ? static_cast<int>(std::strtol(cases_text, nullptr, 10)) : 20'000;
  std::uint64_t state = seed;
  const auto random = [&](std::uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33U) % below;
  };
  const std::array<std::string, 3> texts{std::string(kGood), std::string(kFull), std::string(kMinimal)};
  constexpr std::string_view kTricky = "{}[]:,-&*!#?|>'\"%@`\n\t \\.~0e\xC3";
  const std::string file = (folder() / "s.yaml").string();
  int loaded = 0;
  for (int i = 0; i < cases; ++i) {
    std::string text = texts.at(random(texts.size()));
    for (std::uint64_t edits = 1 + random(random(2) + 1); edits > 0 && !text.empty(); --edits) {
      const std::size_t at = random(text.size());
      const std::size_t length = 1 + random(random(8) == 0 ? 60 : 3);
      switch (random(5)) {
        case 0: text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << random(8))); break;
        case 1: text.erase(at, length); break;
        case 2: text.insert(at, text.substr(random(text.size()), length)); break;
        case 3: text.insert(at, 1, kTricky[random(kTricky.size())]); break;
        default: text[at] = kTricky[random(kTricky.size())]; break;
      }
    }
    try {
      parse_scenario(text, file, {}, std::nullopt);
      ++loaded;
    } catch (const InputError& error) {
      const std::string line = error.what();
      ASSERT_EQ(line.find('\n'), std::string::npos) << "seed " << seed << ", case " << i;
      ASSERT_TRUE(line.starts_with(folder().string())) << line;
    } catch (const std::exception& error) {
      FAIL() << "seed " << seed << ", case " << i << ": " << error.what() << "\n" << text;
    }
  }
  // Damage that is never or always noticed would mean that this test tests nothing.
  EXPECT_GT(loaded, cases / 50) << "seed " << seed;
  EXPECT_LT(loaded, cases / 2) << "seed " << seed;
  RecordProperty("seed", std::to_string(seed));
  std::printf("seed %llu: %d of %d damaged scenarios still load\n", static_cast<unsigned long long>(seed),
              loaded, cases);
}

}  // namespace
}  // namespace brownout::sim
