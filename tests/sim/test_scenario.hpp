// A small scenario for tests, built without YAML.
#pragma once

#include <memory>

#include "sim/machine/machine.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::testing {

inline constexpr Picoseconds seconds(double s) { return {static_cast<std::int64_t>(s * 1e12)}; }

// A Cortex-M0+ on a 22 uF capacitor with the counter workload; 2 mW of harvest while the sun shines.
inline Scenario small_scenario() {
  Scenario scenario;
  scenario.name = "small";
  scenario.mcu.profile = *devices::find_mcu_profile("cortex-m0plus");
  // Few cycles, and even ones, so that sums can be made by hand.
  scenario.mcu.profile.costs = {.call = 40,
                                .step = 12,
                                .copied_byte = 1.25,
                                .checksum_byte = 12,
                                .checksum_byte_by_table = 6,
                                .section = 16};
  scenario.mcu.clock_hz = scenario.mcu.profile.clock_hz;
  scenario.mcu.os_save_bytes = 32;
  scenario.mcu.after_persist = AfterPersist::shutdown;
  scenario.storage.part = *devices::find_fram_part("mb85rs64v");
  scenario.storage.bus = *devices::find_spi_profile("polled");
  scenario.storage.sck_hz = 8'000'000;
  scenario.supply.capacitor.capacitance_f = 22e-6;
  scenario.supply.capacitor.max_voltage_v = 5.5;
  scenario.supply.thresholds = {3.6, 3.0, 2.7};
  devices::SquareScript sun;
  sun.high_w = 2e-3;
  sun.period = devices::milliseconds(40);
  sun.duty = 0.5;
  scenario.supply.source = ScriptConfig{{devices::TimedScript{sun, devices::kForever}}, false};
  scenario.heap.ram_bytes = 512;
  scenario.heap.dirty_limit_bytes = 320;
  CounterConfig counter;
  counter.objects = 12;
  counter.size_bytes = 40;
  counter.compute_cycles = 3000;
  scenario.workload = counter;
  scenario.stop.time = seconds(2);
  return scenario;
}

// Bursts and gaps of any length, so that power fails anywhere: not in step with the workload.
inline void supply_bursts(Scenario& scenario, double low_w, double max_w, devices::Picoseconds max_gap,
                          std::uint64_t seed) {
  const devices::BurstScript bursts{
      low_w,   0.5e-3, max_w, devices::milliseconds(1), devices::milliseconds(20), devices::milliseconds(1),
      max_gap, seed};
  scenario.supply.source = ScriptConfig{{devices::TimedScript{bursts, devices::kForever}}, false};
}

// The same with its FRAM in the address space of an MSP430, at 16 MHz: a wait state.
inline Scenario mapped_scenario() {
  Scenario scenario = small_scenario();
  devices::McuProfile& profile = scenario.mcu.profile;
  const devices::CpuCosts costs = profile.costs;
  profile = *devices::find_mcu_profile("msp430fr5994");
  profile.costs = costs;
  profile.costs.burst = 8;
  profile.costs.stored_word = 5;
  profile.costs.loaded_word = 4;
  scenario.storage = {};
  scenario.storage.part = *devices::find_fram_part("msp430fr5994");
  scenario.heap.store_bytes = 4096;
  return scenario;
}

// The same with so little between warning and brown-out that a persist does not fit.
inline Scenario starved_scenario() {
  Scenario scenario = small_scenario();
  scenario.supply.thresholds.brown_out_v = 2.95;
  return scenario;
}

inline RunResult run(const Scenario& scenario, RunOptions options = {}) {
  Ledger ledger;
  Machine machine(scenario, open_source(scenario), ledger, std::move(options));
  return machine.run();
}

inline void set_power(Scenario& scenario, double power_w) {
  scenario.supply.source =
      ScriptConfig{{devices::TimedScript{devices::ConstantScript{power_w}, devices::kForever}}, false};
}

}  // namespace brownout::sim::testing
