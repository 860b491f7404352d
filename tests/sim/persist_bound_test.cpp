// The bound of a persist: against sums made by hand, and never below what a run takes.
#include "sim/machine/persist_bound.hpp"

#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/firmware/firmware.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/machine/sizing.hpp"
#include "sim/report/report.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using devices::AbortGranularity;
using devices::TransferMode;

heap::PersistBound work_of(const Scenario& scenario) {
  heap::Geometry geometry;
  EXPECT_EQ(firmware::plan_heap(heap_config_of(scenario), scenario.heap.memory,
                                scenario.storage.part.size_bytes, geometry),
            heap::Error::none);
  return heap::worst_case_persist(geometry, population_of(scenario.workload));
}

// The clock of the small scenario is 16 MHz: a cycle takes 62.5 ns, a bit of 8 MHz 125 ns.
constexpr std::int64_t kCycle = 62'500;
constexpr std::int64_t kMicro = 1'000'000;

TEST(PersistBound, PolledIsASumOfTerms) {
  Scenario scenario = small_scenario();
  const heap::PersistBound work = work_of(scenario);
  const PersistBound bound = persist_bound(scenario);
  EXPECT_EQ(bound.bytes, 320U + 32U);
  EXPECT_EQ(bound.transactions, 2U) << "WREN and WRITE";
  EXPECT_EQ(bound.chunks, work.pieces) << "a piece has one chunk";
  const PersistTimes& times = bound.times;
  EXPECT_EQ(times.latency.count, 0);
  EXPECT_EQ(times.section.count, kCycle * (16 + 12 * work.section_steps));
  EXPECT_EQ(times.stop.count, kMicro / 2) << "at once, for the cost of it";
  EXPECT_EQ(times.call.count, 2 * 2 * kMicro) << "two set-ups";
  EXPECT_EQ(times.handovers.count, kMicro / 2 * (2 + work.pieces));
  // Opcode WREN, opcode and two bytes of address, data.
  EXPECT_EQ(times.copies.count, kMicro / 2 * (4 + 352));
  EXPECT_EQ(times.wire.count, kMicro * (4 + 352));
  // All but the trailer, and the header up to its own checksum once more.
  EXPECT_EQ(times.checksum.count, kCycle * 12 * (352 - 8 + 28));
  EXPECT_EQ(times.steps.count, kCycle * (12 * work.steps + 40 + 2 * 16));
  EXPECT_EQ(times.ticks.count, 0);
  // 1.6 mA and, selected, 1.5 mA x 8 / 20 at 3 V; 10 uA in set-ups and while it is stopped.
  const double apart_s = 4.5e-6;
  EXPECT_NEAR(bound.mcu_j, 4.8e-3 * times.total().seconds(), 1e-15);
  EXPECT_NEAR(bound.storage_j, 1.8e-3 * (times.total().seconds() - apart_s) + 30e-6 * apart_s, 1e-15);
  EXPECT_EQ(bound.latency_j, 0);
  EXPECT_DOUBLE_EQ(bound.largest_w(), 6.6e-3);
}

TEST(PersistBound, LatencyPassesUnderTheLargestLoad) {
  Scenario scenario = small_scenario();
  scenario.supply.comparator.latency = devices::microseconds(100);
  scenario.supply.converter.efficiency = 0.5;
  PersistBound bound = persist_bound(scenario);
  EXPECT_EQ(bound.times.latency, devices::microseconds(100));
  EXPECT_NEAR(bound.latency_j, 100e-6 * 6.6e-3 / 0.5, 1e-15);
  const double without_j = bound.energy_j() - bound.latency_j;
  const SupplyFlows flows(scenario.supply);
  bound.allow_load(0.5, flows, persist_range(scenario.supply));
  EXPECT_NEAR(bound.energy_j(), without_j + 100e-6, 1e-15);
  EXPECT_EQ(bound.largest_w(), 1);
  bound.allow_load(0.25, flows, persist_range(scenario.supply));
  EXPECT_EQ(bound.largest_w(), 1) << "it never sinks";
}

TEST(PersistBound, SlicesHaveTransactionsOfTheirOwn) {
  Scenario scenario = small_scenario();
  const PersistBound whole = persist_bound(scenario);
  scenario.storage.transfer = TransferMode::sliced;
  scenario.storage.slice_bytes = 7;
  const heap::PersistBound work = work_of(scenario);
  const PersistBound bound = persist_bound(scenario);
  const std::int64_t slices = 51;  // of 352 B
  EXPECT_EQ(bound.transactions, 2U * slices);
  EXPECT_EQ(bound.chunks, work.pieces + slices - 1U) << "a slice ends a piece";
  EXPECT_EQ(bound.times.call.count, slices * 2 * 2 * kMicro);
  EXPECT_EQ(bound.times.wire.count, kMicro * (352 + slices * 4));
  EXPECT_EQ(bound.times.steps - whole.times.steps, (Picoseconds{kCycle * 16 * 2 * (slices - 1)}));
  EXPECT_EQ(bound.times.checksum, whole.times.checksum);
}

// A board whose DMA leaves the CPU free: 20 MHz, so 400 ns a byte, hand-overs of 2 us.
Scenario dma_scenario() {
  Scenario scenario = small_scenario();
  scenario.storage.bus = *devices::find_spi_profile("esp32c3-baremetal");
  scenario.storage.transfer = TransferMode::dma;
  scenario.storage.sck_hz = 20'000'000;
  return scenario;
}

TEST(PersistBound, ByDmaAChecksumThatIsFasterThanTheWireCostsNothingBeyondIt) {
  Scenario scenario = dma_scenario();
  scenario.mcu.clock_hz = 160'000'000;  // 75 ns a byte
  const PersistBound bound = persist_bound(scenario);
  // The header's own, before the transfer; a picosecond a piece for rounding.
  EXPECT_EQ(bound.times.checksum.count, 28 * 75'000 + bound.pieces);
  EXPECT_EQ(bound.times.wire.count, 400'000 * (352 + 4));
  EXPECT_EQ(bound.times.handovers.count, 2 * kMicro * (2 + bound.pieces));
  EXPECT_EQ(bound.times.copies.count, 0);
}

TEST(PersistBound, ByDmaASlowerChecksumCostsWhatItIsSlowerThanTheWire) {
  const PersistBound bound = persist_bound(dma_scenario());  // 16 MHz: 750 ns a byte
  EXPECT_EQ(bound.times.checksum.count, (352 - 8) * 350'000 + 28 * 750'000 + bound.pieces);
}

// Beside all but the last chunk of a long piece the CPU waits: an OS part of 10,000 B has two such chunks.
TEST(PersistBound, ByDmaOnlyTheLastChunkOfAPieceHasAChecksumBesideIt) {
  Scenario scenario = dma_scenario();
  scenario.storage.part = *devices::find_fram_part("mb85rs4mt");
  scenario.mcu.os_save_bytes = 10'000;
  scenario.mcu.clock_hz = 160'000'000;
  const PersistBound bound = persist_bound(scenario);
  EXPECT_EQ(bound.bytes, 10'320U);
  EXPECT_EQ(bound.times.checksum.count, 2 * 4092 * 75'000 + 28 * 75'000 + bound.pieces);
  EXPECT_EQ(bound.chunks, bound.pieces + (10'320U - bound.pieces) / 4092);
}

TEST(PersistBound, WhatCannotBeStoppedIsWaitedFor) {
  Scenario scenario = small_scenario();
  scenario.storage.bus.fifo.chunk_bytes = 16;
  const Picoseconds at_once = persist_bound(scenario).times.stop;
  scenario.storage.bus.fifo.abort_granularity = AbortGranularity::chunk;
  EXPECT_EQ(persist_bound(scenario).times.stop - at_once, devices::microseconds(16));
  scenario.storage.bus.fifo.abort_granularity = AbortGranularity::transfer;
  const PersistBound bound = persist_bound(scenario);
  EXPECT_EQ(bound.transactions, 3U) << "what ends first ends in the persist";
  // Set-up, command, chunks, copies and bits of the longest transfer of the program.
  const std::int64_t bytes = work_of(scenario).longest_transfer_bytes;
  const std::int64_t expected =
      2 * kMicro + kMicro / 2 + 3 * kMicro * 3 / 2 + (bytes + 15) / 16 * kMicro / 2 + bytes * kMicro * 3 / 2;
  EXPECT_EQ((bound.times.stop - at_once).count, expected);
  scenario.storage.transfer = TransferMode::sliced;
  scenario.storage.slice_bytes = 8;
  scenario.storage.bus.sliced.abort_granularity = AbortGranularity::transfer;
  EXPECT_EQ((persist_bound(scenario).times.stop - at_once).count,
            2 * kMicro + kMicro / 2 + 3 * kMicro * 3 / 2 + kMicro / 2 + 8 * kMicro * 3 / 2);
}

TEST(PersistBound, TicksStrikeAsOftenAsTheyCan) {
  Scenario scenario = small_scenario();
  const Picoseconds busy = persist_bound(scenario).times.total();
  devices::RtosTick& tick = scenario.storage.bus.tick;
  tick.cost = devices::microseconds(10);
  // So long apart that the second one would strike just as the persist ends.
  tick.period = busy + tick.cost;
  EXPECT_EQ(persist_bound(scenario).times.ticks, tick.cost);
  tick.period -= Picoseconds{1};
  EXPECT_EQ(persist_bound(scenario).times.ticks, tick.cost * 2);
}

TEST(PersistBound, PopulationIsWhatTheWorkloadSays) {
  const auto is = [](const WorkloadConfig& workload, std::uint32_t smallest_bytes,
                     std::uint32_t largest_bytes, bool partial) {
    const heap::Population population = population_of(workload);
    EXPECT_EQ(population.smallest_bytes, smallest_bytes);
    EXPECT_EQ(population.largest_bytes, largest_bytes);
    EXPECT_EQ(population.partial, partial);
  };
  is(CounterConfig{.size_bytes = 40}, 40, 40, false);
  is(QueueConfig{.item_bytes = 256}, 264, 264, false);
  is(KvsConfig{}, 32, 1024, false);
  is(KvsConfig{.sizes = {32, 128, 256, 1024}, .counts = {0, 192, 32, 32}}, 128, 1024, false);
  auto program = std::make_shared<firmware::ScriptProgram>();
  program->objects.push_back({.place = "", .element_bytes = 64});
  program->lists.push_back({.element_bytes = 24, .limit = 4});
  is(ScriptWorkloadConfig{program, 1}, 32, 64, false);
  program->objects.push_back(
      {.place = "", .element_bytes = 4, .length = 10, .dirtiness = heap::Dirtiness::partial});
  is(ScriptWorkloadConfig{program, 1}, 32, 64, true);
  is(firmware::CustomOptions{}, heap::kGranule, 0, true);
}

// The limit of critical sections holds for any heap at the costs that were counted.
TEST(PersistBound, SectionsKeepTheirLimit) {
  Scenario scenario = small_scenario();
  scenario.workload = firmware::CustomOptions{};
  scenario.storage.part = *devices::find_fram_part("mb85rs4mt");
  scenario.heap.ram_bytes = heap::kMaxRamBytes;
  scenario.heap.dirty_limit_bytes = 64 * 1024;
  for (const devices::McuProfile& profile : devices::mcu_profiles()) {
    if (profile.costs_estimated) continue;
    scenario.mcu.profile = profile;
    const PersistBound bound = persist_bound(scenario);
    EXPECT_GT(bound.section_cycles, 200U);
    EXPECT_LE(bound.section_cycles, kSectionLimitCycles);
    EXPECT_EQ(bound.section_limit_cycles, kSectionLimitCycles);
  }
  scenario.mcu.profile.costs.section = 8000;
  EXPECT_GT(persist_bound(scenario).section_limit_cycles, 8000U) << "costs of a scenario's own";
}

TEST(PersistBound, SaysWhatIsAboveIt) {
  const PersistBound bound = persist_bound(small_scenario());
  PersistCost cost{bound.bytes, bound.transactions, bound.times.total(), bound.energy_j()};
  EXPECT_FALSE(excess_over(bound, cost));
  const auto found = [&](PersistCost worse, const char* words) {
    const auto excess = excess_over(bound, worse);
    ASSERT_TRUE(excess) << words;
    EXPECT_NE(excess->find(words), std::string::npos) << *excess;
  };
  PersistCost worse = cost;
  worse.bytes += 1;
  found(worse, "353 B, 1 B above the bound of 352 B");
  worse = cost;
  worse.transactions += 2;
  found(worse, "4 transactions, 2 above the bound of 2");
  worse = cost;
  worse.time += Picoseconds{1};
  found(worse, "1 ps above the bound");
  worse = cost;
  worse.energy_j *= 1.001;
  found(worse, "(0.1 % above)");
}

// --- runs -----------------------------------------------------------------------------------------

void expect_held(const Scenario& scenario, const std::string& what) {
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.failure.empty()) << what << ": " << result.failure;
  EXPECT_GT(result.persist.time_s.count(), 5U) << what;
  const OverBound& largest = result.largest_over_bound;
  EXPECT_GT(largest.time, 0.4) << what;
  EXPECT_LE(largest.time, 1) << what;
  EXPECT_LE(largest.energy, 1 + 1e-9) << what;
  EXPECT_LE(largest.bytes, 1) << what;
  EXPECT_LE(result.longest_section_cycles, result.persist_bound.section_cycles) << what;
}

TEST(PersistBound, HoldsForEachBusAndGranularity) {
  for (const devices::SpiProfile& profile : devices::spi_profiles()) {
    for (const auto mode : {TransferMode::fifo, TransferMode::sliced}) {
      for (const auto granularity :
           {AbortGranularity::byte, AbortGranularity::chunk, AbortGranularity::transfer}) {
        Scenario scenario = small_scenario();
        scenario.storage.bus = profile;
        scenario.storage.transfer = mode;
        scenario.storage.slice_bytes = mode == TransferMode::sliced ? 16 : 0;
        scenario.storage.bus.fifo.abort_granularity = granularity;
        scenario.storage.bus.sliced.abort_granularity = granularity;
        scenario.storage.sck_hz = 7'000'000;  // a byte is no whole number of picoseconds
        scenario.storage.bus.costs(mode).cs_setup = devices::nanoseconds(300);
        scenario.storage.bus.costs(mode).cs_hold = devices::nanoseconds(700);
        scenario.supply.comparator.latency = devices::microseconds(30);
        scenario.supply.converter.efficiency = 0.85;
        scenario.supply.capacitor.capacitance_f = 150e-6;
        scenario.stop.time = seconds(5);
        expect_held(scenario, fmt::format("{} {} {}", profile.name, devices::name_of(mode),
                                          static_cast<int>(granularity)));
      }
    }
  }
}

// The checksum beside the wire, as the controller has it; and the bound near it for full images.
TEST(PersistBound, HoldsByDma) {
  for (const devices::SpiProfile& profile : devices::spi_profiles()) {
    for (const std::uint64_t clock_hz : {16'000'000U, 160'000'000U}) {
      for (const std::uint32_t chunk_bytes : {24U, 4092U}) {
        Scenario scenario = small_scenario();
        scenario.storage.bus = profile;
        scenario.storage.bus.dma.chunk_bytes = chunk_bytes;
        scenario.storage.transfer = TransferMode::dma;
        scenario.storage.sck_hz = 17'000'000;
        scenario.mcu.clock_hz = clock_hz;
        scenario.supply.capacitor.capacitance_f = 150e-6;
        scenario.heap.ram_bytes = 1024;
        scenario.heap.dirty_limit_bytes = 648;
        scenario.heap.max_residents = 12;
        std::get<CounterConfig>(scenario.workload).objects = 24;
        scenario.stop.time = seconds(10);
        expect_held(scenario, fmt::format("{} at {} Hz, {} B", profile.name, clock_hz, chunk_bytes));
      }
    }
  }
}

TEST(PersistBound, HoldsForEachMemoryAndItsModules) {
  using namespace firmware;
  std::vector<MemoryOptions> memories;
  for (const auto policy : {PolicyKind::in_order, PolicyKind::clock, PolicyKind::round_robin}) {
    for (const auto ram : {RamAllocatorKind::linked_list, RamAllocatorKind::buddy}) {
      for (const auto store : {StoreAllocatorKind::linked_list, StoreAllocatorKind::buddy}) {
        memories.push_back({.ram_allocator = ram, .store_allocator = store, .policy = policy});
      }
    }
    memories.push_back({.ram_allocator = RamAllocatorKind::buddy,
                        .store_allocator = StoreAllocatorKind::buddy,
                        .policy = policy,
                        .slots = SlotKind::compact});
  }
  for (const auto kind : {MemoryKind::ram_snapshot, MemoryKind::direct, MemoryKind::pages}) {
    memories.push_back({.kind = kind, .page_bytes = 32});
  }
  for (const MemoryOptions& memory : memories) {
    for (const auto after : {AfterPersist::shutdown, AfterPersist::sleep}) {
      Scenario scenario = small_scenario();
      scenario.heap.memory = memory;
      scenario.heap.ram_bytes = 768;
      scenario.heap.dirty_limit_bytes = 448;
      scenario.mcu.after_persist = after;
      scenario.supply.capacitor.capacitance_f = 47e-6;
      expect_held(scenario, fmt::format("memory {} {} {} {} {}", static_cast<int>(memory.kind),
                                        static_cast<int>(memory.ram_allocator),
                                        static_cast<int>(memory.store_allocator),
                                        static_cast<int>(memory.policy), static_cast<int>(memory.slots)));
    }
  }
}

// The other way to form the same checksum: half the time for it, in the bound and in the run; the same image.
TEST(PersistBound, AChecksumByTableTakesHalfTheTime) {
  Scenario scenario = small_scenario();
  std::vector<std::uint8_t> image;
  RunOptions options;
  options.fram_image = &image;
  scenario.stop = {{}, 200};
  const RunResult nibble = run(scenario, options);
  const std::vector<std::uint8_t> image_by_nibble = image;
  scenario.heap.memory.checksum = firmware::ChecksumKind::table;
  const RunResult table = run(scenario, options);
  EXPECT_TRUE(nibble.pass) << nibble.failure;
  EXPECT_TRUE(table.pass) << table.failure;
  EXPECT_EQ(nibble.persist_bound.times.checksum, table.persist_bound.times.checksum * 2);
  EXPECT_LT(table.persist.time_s.maximum(), nibble.persist.time_s.maximum());
  EXPECT_GT(table.largest_over_bound.time, 0.4);
  scenario.stop.operations = 20;  // before the first outage, where neither has had the time to differ
  run(scenario, options);
  const std::vector<std::uint8_t> early_by_table = image;
  scenario.heap.memory.checksum = firmware::ChecksumKind::nibble;
  run(scenario, options);
  EXPECT_EQ(image, early_by_table);
  EXPECT_NE(image, image_by_nibble);
  // A baseline has the nibble one, whatever is asked for.
  scenario.heap.memory = {.kind = firmware::MemoryKind::direct, .checksum = firmware::ChecksumKind::table};
  EXPECT_EQ(checksum_byte_cycles(scenario), scenario.mcu.profile.costs.checksum_byte);
}

// The adversary: RAM full of dirty objects, each of them smaller than a chunk. The bound is not far above it.
TEST(PersistBound, IsTight) {
  for (const char* bus : {"polled", "esp32c3-zephyr"}) {
    for (const auto mode : {TransferMode::fifo, TransferMode::sliced}) {
      Scenario scenario = small_scenario();
      scenario.storage.bus = *devices::find_spi_profile(bus);
      scenario.storage.transfer = mode;
      scenario.storage.slice_bytes = mode == TransferMode::sliced ? 16 : 0;
      scenario.supply.capacitor.capacitance_f = 150e-6;
      scenario.heap.ram_bytes = 1024;
      scenario.heap.dirty_limit_bytes = 648;  // to the byte what so many objects and their slots take
      scenario.heap.max_residents = 12;
      std::get<CounterConfig>(scenario.workload).objects = 12;
      scenario.stop.time = seconds(10);
      const RunResult result = run(scenario);
      EXPECT_TRUE(result.failure.empty()) << result.failure;
      EXPECT_GE(result.largest_over_bound.time, 0.9) << bus << " " << devices::name_of(mode);
      EXPECT_GE(result.largest_over_bound.energy, 0.88) << bus << " " << devices::name_of(mode);
      EXPECT_GE(result.largest_over_bound.bytes, 0.95) << bus << " " << devices::name_of(mode);
      EXPECT_EQ(result.lost, 0U);
    }
  }
}

// A persist counts from the warning level: waiting for the end of a critical section is part of it.
TEST(PersistBound, WaitingForACriticalSectionCounts) {
  Scenario scenario = small_scenario();
  scenario.mcu.profile.costs.section = 2'000;  // 125 us, half of the time of a program of sections
  scenario.stop.time = testing::seconds(20);   // so that one of the largest persists has to wait, too
  scenario.supply.capacitor.capacitance_f = 47e-6;
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.failure.empty()) << result.failure;
  const double longest_s = result.largest_over_bound.time * result.persist_bound.times.total().seconds();
  EXPECT_GT(longest_s, result.persist.time_s.maximum() + 20e-6);
  // What carries the largest persist carries the waiting, too.
  const double of_persist_f = 2 * result.persist.energy_j.maximum() / (3.0 * 3.0 - 2.7 * 2.7);
  EXPECT_GT(result.needed_capacitance_f, 1.01 * of_persist_f);
}

// Planted: a bound that is one byte, one transaction, a picosecond, a billionth or a cycle too low.
TEST(Planted, ABoundThatIsTooLowIsFound) {
  Scenario scenario = small_scenario();
  const RunResult good = run(scenario);
  ASSERT_TRUE(good.pass) << good.failure;
  const PersistBound held = good.persist_bound;
  const auto bytes = static_cast<std::uint32_t>(good.persist.bytes.maximum());
  const auto run_with = [&](const PersistBound& bound) {
    RunOptions options;
    options.bound = bound;
    return run(scenario, options);
  };
  const auto is_found = [&](const PersistBound& bound, const char* words) {
    const RunResult result = run_with(bound);
    EXPECT_FALSE(result.pass) << words;
    EXPECT_EQ(result.stop_reason, StopReason::check_failed) << words;
    EXPECT_NE(result.failure.find(words), std::string::npos) << result.failure;
  };
  PersistBound exact = held;
  exact.bytes = bytes;
  EXPECT_TRUE(run_with(exact).pass) << "without an error there is nothing to find";
  PersistBound low = exact;
  low.bytes -= 1;
  is_found(low, fmt::format("it wrote {} B, 1 B above the bound", bytes).c_str());
  low = held;
  low.transactions = 1;
  is_found(low, "1 above the bound of 1");
  // The largest persist, in picoseconds.
  const double largest = good.largest_over_bound.time * static_cast<double>(held.times.total().count);
  exact = held;
  exact.times = {};
  exact.times.wire = {std::llround(largest)};
  EXPECT_TRUE(run_with(exact).pass) << run_with(exact).failure;
  low = exact;
  low.times.wire -= Picoseconds{2};
  is_found(low, "ps above the bound");
  low = held;
  const double scale = good.largest_over_bound.energy * (1 - 1e-6);
  low.latency_j = 0;
  low.mcu_j = held.energy_j() * scale;
  low.storage_j = 0;
  is_found(low, "J above the bound");
  low = held;
  low.section_cycles = good.longest_section_cycles - 1;
  is_found(low, "1 above the bound of");
  low = held;
  low.section_limit_cycles = good.longest_section_cycles - 1;
  is_found(low, "1 above the limit of");
}

// A full image: the bound by itself is found to be too low by one byte.
TEST(Planted, OneByteOfAFullImageIsFound) {
  Scenario scenario = small_scenario();
  const RunResult probe = run(scenario);
  scenario.heap.dirty_limit_bytes = static_cast<std::uint32_t>(probe.persist.bytes.maximum()) - 32;
  const RunResult full = run(scenario);
  ASSERT_TRUE(full.pass) << full.failure;
  ASSERT_EQ(full.largest_over_bound.bytes, 1) << "no image was full: the test shows nothing";
  RunOptions options;
  options.bound = persist_bound(scenario);
  options.bound->bytes -= 1;
  const RunResult result = run(scenario, options);
  EXPECT_EQ(result.stop_reason, StopReason::check_failed);
  EXPECT_NE(result.failure.find("1 B above the bound"), std::string::npos) << result.failure;
  EXPECT_NE(result.failure.find("in a persist"), std::string::npos) << result.failure;
}

// The adversary of the named configuration full-image: all objects dirty and nothing harvested. The bound's
// capacitance C carries its persist; so does R C, where R is the share of the bound that it takes; 0.99 R C
// does not.
TEST(PersistBound, TheCapacitorOfTheBoundIsNoLargerThanItHasToBe) {
  for (const char* bus : {"esp32c3-baremetal", "esp32c3-zephyr"}) {
    for (const auto mode : {TransferMode::dma, TransferMode::fifo}) {
      Scenario scenario =
          load_scenario(std::string(BROWNOUT_SOURCE_DIR) + "/scenarios/full-image.yaml", {}, {});
      scenario.storage.bus = *devices::find_spi_profile(bus);
      scenario.storage.transfer = mode;
      // Charged to the limit while the program makes everything dirty; then dark.
      scenario.supply.source =
          ScriptConfig{{devices::TimedScript{devices::ConstantScript{0.5}, devices::milliseconds(60)},
                        devices::TimedScript{devices::ConstantScript{0}, devices::kForever}},
                       false};
      scenario.stop = {seconds(1), {}};
      const PersistBound bound = persist_bound(scenario);
      const double enough_f = capacitance_for(bound.energy_j(), bound.persist_w, scenario.supply);
      const auto run_with = [&scenario](double capacitance_f) {
        scenario.supply.capacitor.capacitance_f = capacitance_f;
        return run(scenario);
      };
      const std::string name = fmt::format("{} {}", bus, devices::name_of(mode));
      const RunResult seen = run_with(enough_f);
      EXPECT_EQ(seen.persisted, 1U) << name << ": " << seen.failure;
      EXPECT_EQ(seen.lost, 0U) << name;
      const double share = seen.largest_over_bound.energy;
      EXPECT_GE(share, 0.9) << name;
      EXPECT_LE(share, 1.0) << name;
      EXPECT_EQ(run_with(share * enough_f * 1.0001).lost, 0U) << name;
      EXPECT_EQ(run_with(0.99 * share * enough_f).lost, 1U) << name;
    }
  }
}

}  // namespace
}  // namespace brownout::sim::testing
