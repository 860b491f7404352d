// Verified outages a CPU second: a heap of 4 KiB with a dirty limit of 1 KiB on an MB85RS64V, whose power fails at
// every byte on the bus and every end of an operation. Beside it the physical limit: a bare memcpy of the same state
// (RAM, and as much as the largest image has) there and back.
#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <vector>

#include <benchmark/benchmark.h>

#include "sim/explore/explorer.hpp"
#include "sim/scenario/fit.hpp"

namespace brownout::bench {
namespace {

constexpr const char* kScenario = R"(
name: explored
mcu: {profile: esp32c3, os_save_bytes: 64 B, after_persist: shutdown}
storage: {part: MB85RS64V, bus: esp32c3-baremetal, transfer: dma, sck: 20 MHz}
supply:
  source: {kind: constant, power: 20 mW}
  capacitor: {capacitance: 1500 uF}
  thresholds: {turn_on: 4.5 V, warn: 3.6 V, brown_out: 3.0 V}
heap: {ram: 4 KiB, dirty_limit: 1 KiB, store: 4400 B}
workload: {kind: counter, objects: 15, size: 256 B, compute_cycles: 1000}
stop: {operations: 200}
)";

// CPU time of this thread, which another program on the machine does not take part in.
double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Nanoseconds of a copy of so many bytes there and back.
double copy_ns(std::size_t bytes) {
  std::vector<std::byte> state(bytes, std::byte{1});
  std::vector<std::byte> saved(bytes);
  constexpr int kTimes = 20'000;
  const double begin = cpu_s();
  for (int i = 0; i < kTimes; ++i) {
    std::memcpy(saved.data(), state.data(), bytes);
    benchmark::DoNotOptimize(saved.data());
    benchmark::ClobberMemory();
    std::memcpy(state.data(), saved.data(), bytes);
    benchmark::DoNotOptimize(state.data());
    benchmark::ClobberMemory();
  }
  return (cpu_s() - begin) * 1e9 / kTimes;
}

void explored_outages(benchmark::State& state) {
  const char* checksum = state.range(0) == 0 ? "heap.checksum=nibble" : "heap.checksum=table";
  const sim::Scenario scenario = sim::parse_scenario(kScenario, "explored.yaml", {{checksum}}, {});
  sim::check_fit(scenario);
  double dirty = 0;
  double persisted = 0;
  double restored = 0;
  double used_s = 0;
  while (state.KeepRunning()) {
    sim::explore::BoardOptions options;
    options.classes = {false, true, true};
    options.operations = 200;
    const double begin = cpu_s();
    const sim::explore::BoardResult result = sim::explore::ExploreBoard(scenario, std::move(options)).run();
    used_s += cpu_s() - begin;
    if (result.failed > 0) {
      state.SkipWithError(result.failures.front().what.c_str());
      return;
    }
    for (const sim::explore::PointCounts& counts : result.points) dirty += static_cast<double>(counts.dirty);
    persisted += static_cast<double>(result.bytes_persisted);
    restored += static_cast<double>(result.bytes_restored);
  }
  const double outage_ns = used_s * 1e9 / dirty;
  state.counters["dirty_outages_per_cpu_s"] = dirty / used_s;
  state.counters["bytes_persisted"] = persisted / dirty;
  state.counters["bytes_restored"] = restored / dirty;
  state.counters["times_a_copy_of_the_state"] = outage_ns / copy_ns(scenario.heap.ram_bytes + 1024);
}
BENCHMARK(explored_outages)->ArgName("table")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace brownout::bench
