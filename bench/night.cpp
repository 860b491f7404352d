// The same two half seconds of sun with a second of darkness between them, and with twelve hours: time
// without power is to cost nothing.
#include <cstdint>

#include <benchmark/benchmark.h>

#include "alternate.hpp"
#include "sim/machine/machine.hpp"

namespace brownout::bench {
namespace {

constexpr std::int64_t kShort = 1;
constexpr std::int64_t kNight = 12 * 3600;

// A small board on 22 uF: an outage every ten milliseconds or so of sun, as little work as there can be.
sim::Scenario board(std::int64_t dark_s) {
  const auto seconds = [](std::int64_t s) {
    return devices::Picoseconds{s * devices::kPicosecondsPerSecond};
  };
  sim::Scenario scenario;
  scenario.name = "night";
  scenario.mcu.profile = *devices::find_mcu_profile("cortex-m0plus");
  scenario.mcu.clock_hz = scenario.mcu.profile.clock_hz;
  scenario.mcu.os_save_bytes = 32;
  scenario.mcu.after_persist = sim::AfterPersist::shutdown;
  scenario.storage.part = *devices::find_fram_part("mb85rs64v");
  scenario.storage.bus = *devices::find_spi_profile("polled");
  scenario.storage.sck_hz = 8'000'000;
  scenario.supply.capacitor.capacitance_f = 22e-6;
  scenario.supply.capacitor.leakage_ohm = 50e6;
  scenario.supply.capacitor.max_voltage_v = 5.5;
  scenario.supply.thresholds = {3.6, 3.0, 2.7};
  const devices::TimedScript sun{devices::ConstantScript{2e-3}, devices::milliseconds(500)};
  scenario.supply.source =
      sim::ScriptConfig{{sun, {devices::ConstantScript{0}, seconds(dark_s)}, sun}, false};
  scenario.heap.ram_bytes = 512;
  scenario.heap.dirty_limit_bytes = 320;
  sim::CounterConfig counter;
  counter.objects = 12;
  counter.size_bytes = 40;
  counter.compute_cycles = 3000;
  scenario.workload = counter;
  return scenario;
}

bool run(const sim::Scenario& scenario, double& outages) {
  sim::Ledger ledger;
  sim::Machine machine(scenario, sim::open_source(scenario), ledger, {});
  const sim::RunResult result = machine.run();
  outages = static_cast<double>(result.persisted);
  return result.pass && result.stop_reason == sim::StopReason::source_ended && result.persisted > 0;
}

// Its own time, and how many times that of the run with one second of darkness.
void dark(benchmark::State& state) {
  const sim::Scenario measured = board(state.range(0));
  const sim::Scenario reference = board(kShort);
  double outages = 0;
  bool good = true;
  alternate(
      state, "wall_ratio_to_1s", [&] { good = run(measured, outages) && good; },
      [&] { good = run(reference, outages) && good; });
  if (!good) state.SkipWithError("the run did not pass");
  state.counters["outages"] = outages;
}
BENCHMARK(dark)->ArgName("seconds")->Arg(kShort)->Arg(kNight)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace brownout::bench
