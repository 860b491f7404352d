// What the supply costs: twenty seconds of a source that changes a thousand times a second, without a load.
#include "sim/machine/power_train.hpp"

#include <cstdint>
#include <memory>

#include <benchmark/benchmark.h>

#include "alternate.hpp"

namespace brownout::bench {
namespace {

constexpr std::int64_t kEvents = 20'000;
constexpr devices::Picoseconds kEnd = devices::milliseconds(kEvents);

std::unique_ptr<devices::Source> one_kilohertz() {
  devices::SquareScript square;
  square.high_w = 100e-6;
  square.period = devices::milliseconds(2);
  return devices::make_scripted_source({{square, devices::kForever}}, false);
}

sim::SupplyConfig supply(bool ideal) {
  sim::SupplyConfig config;
  config.capacitor.capacitance_f = 1e-3;
  config.capacitor.max_voltage_v = 5.5;
  if (!ideal) {
    config.capacitor.esr_ohm = 0.05;
    config.capacitor.leakage_ohm = 1e6;
  }
  config.thresholds = {3.6, 3.0, 2.7};
  return config;
}

void power_train(benchmark::State& state) {
  const sim::SupplyConfig config = supply(state.range(0) == 0);
  alternate(
      state, "wall_ratio_to_source_alone",
      [&] {
        sim::Ledger ledger;
        sim::PowerTrain train(config, one_kilohertz(), ledger);
        while (train.now() < kEnd) benchmark::DoNotOptimize(train.run_until(kEnd));
        train.close();
        benchmark::DoNotOptimize(ledger.check());
      },
      [&] {
        const auto source = one_kilohertz();
        for (std::int64_t i = 0; i < kEvents; ++i) benchmark::DoNotOptimize(source->next());
      });
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * kEvents);
}
BENCHMARK(power_train)
    ->ArgName("esr_and_leakage")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace brownout::bench
