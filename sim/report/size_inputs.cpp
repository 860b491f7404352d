#include "sim/report/size_inputs.hpp"

#include <fmt/format.h>

#include "sim/firmware/firmware.hpp"
#include "sim/machine/machine.hpp"
#include "sim/scenario/choices.hpp"

namespace brownout::sim {
namespace {

class Inputs {
 public:
  explicit Inputs(const Scenario& scenario) : scenario_(scenario) {}

  // `otherwise` is where the value comes from if the scenario does not give it.
  void add(const char* key, double value, Dimension dimension, const std::string& otherwise) {
    all_.push_back({key, value, dimension, origin_of(key, otherwise)});
  }
  [[nodiscard]] std::vector<Input> take() { return std::move(all_); }

 private:
  [[nodiscard]] std::string origin_of(const char* key, const std::string& otherwise) const {
    const auto found = scenario_.locations.find(key);
    if (found == scenario_.locations.end()) return otherwise;
    if (found->second.line == 0) return "given by --set";
    return fmt::format("given, line {}", found->second.line);
  }

  const Scenario& scenario_;
  std::vector<Input> all_;
};

std::uint32_t residents_of(const Scenario& scenario) {
  heap::Geometry geometry;
  static_cast<void>(firmware::plan_heap(heap_config_of(scenario), scenario.heap.memory,
                                        scenario.storage.part.size_bytes, geometry));
  return geometry.config.max_residents;
}

// Of CPU and FRAM while a persist takes place.
double least_efficiency(const Scenario& scenario) {
  const PersistBound bound = persist_bound(scenario);
  return (bound.mcu_rail_w + bound.selected_rail_w) / bound.persist_w;
}

void add_supply(const Scenario& scenario, Inputs& inputs) {
  const SupplyConfig& supply = scenario.supply;
  const std::string estimate = "default, an estimate";
  const std::string preset = fmt::format("preset {}", supply.preset);
  inputs.add("supply.capacitor.capacitance", supply.capacitor.capacitance_f, Dimension::capacitance, preset);
  inputs.add("supply.capacitor.tolerance", supply.capacitance_tolerance, Dimension::ratio, estimate);
  inputs.add("supply.capacitor.esr", supply.capacitor.esr_ohm, Dimension::resistance, "default, ideal");
  const bool has_current = supply.leakage_a > 0;
  inputs.add("supply.capacitor.leakage", has_current ? supply.leakage_a : supply.capacitor.leakage_ohm,
             has_current ? Dimension::current : Dimension::resistance, "default, ideal");
  inputs.add("supply.thresholds.turn_on", supply.thresholds.turn_on_v, Dimension::voltage, preset);
  inputs.add("supply.thresholds.warn", supply.thresholds.warn_v, Dimension::voltage, preset);
  inputs.add("supply.thresholds.brown_out", supply.thresholds.brown_out_v, Dimension::voltage,
             scenario.mcu.brown_out_level_v ? "mcu.brown_out_level" : preset);
  inputs.add("supply.comparator.tolerance", supply.comparator.tolerance, Dimension::ratio, estimate);
  inputs.add("supply.comparator.latency", supply.comparator.latency.seconds(), Dimension::time,
             "default, ideal");
  if (supply.comparator.poll.count > 0) {
    inputs.add("supply.comparator.poll", supply.comparator.poll.seconds(), Dimension::time, preset);
  }
  const devices::Converter& converter = supply.converter;
  if (converter.has_efficiency()) {
    inputs.add("supply.converter.efficiency", converter.efficiency, Dimension::ratio, "default, ideal");
  } else {
    const std::string how = fmt::format("{}{}", path_name(converter.kind),
                                        converter.table ? " by table " + converter.table->name : "");
    inputs.add("supply.converter (least)", least_efficiency(scenario), Dimension::ratio, how);
  }
  if (converter.quiescent_a > 0) {
    inputs.add("supply.converter.quiescent", converter.quiescent_a, Dimension::current, preset);
  }
}

void add_board(const Scenario& scenario, Inputs& inputs) {
  const devices::McuProfile& mcu = scenario.mcu.profile;
  const StorageConfig& storage = scenario.storage;
  const std::string name = fmt::format("profile {}", mcu.name);
  const std::string estimate = name + ", an estimate";
  const std::string profile = mcu.estimated ? estimate : name;
  inputs.add("mcu.clock", static_cast<double>(scenario.mcu.clock_hz), Dimension::frequency, profile);
  inputs.add("mcu.rail", mcu.rail_v, Dimension::voltage, profile);
  inputs.add("mcu.active_current", mcu.active_a_at(scenario.mcu.clock_hz), Dimension::current, profile);
  Picoseconds boot;
  for (const devices::BootPhase& phase : mcu.boot) boot += phase.duration;
  inputs.add("mcu.boot", boot.seconds(), Dimension::time, estimate);
  const std::string counted = mcu.costs_estimated ? estimate : name + ", counted instructions";
  const bool by_table = scenario.heap.memory.checksum == firmware::ChecksumKind::table;
  inputs.add("mcu.costs.call", mcu.costs.call, Dimension::number, counted);
  inputs.add("mcu.costs.step", mcu.costs.step, Dimension::number, counted);
  inputs.add(by_table ? "mcu.costs.checksum_byte_by_table" : "mcu.costs.checksum_byte",
             checksum_byte_cycles(scenario), Dimension::number, counted);
  inputs.add("mcu.costs.section", mcu.costs.section, Dimension::number, counted);
  if (storage.part.is_mapped) {
    inputs.add("mcu.costs.burst", mcu.costs.burst, Dimension::number, counted);
    inputs.add("mcu.costs.stored_word", mcu.costs.stored_word, Dimension::number, counted);
  }
  inputs.add("mcu.os_save_bytes", scenario.mcu.os_save_bytes, Dimension::bytes, "default");
  const auto of_part = [&storage](bool estimated) {
    return fmt::format("part {}{}", storage.part.name, estimated ? ", an estimate" : "");
  };
  if (storage.part.is_mapped) {
    inputs.add("storage.part (access)", storage.part.access.value.seconds(), Dimension::time,
               of_part(storage.part.access.estimated));
    return;
  }
  inputs.add("storage.sck", static_cast<double>(storage.sck_hz), Dimension::frequency,
             of_part(storage.part.max_sck_hz.estimated));
  if (storage.retries > 0) {
    inputs.add("storage.retries", storage.retries, Dimension::number, "default");
  }
  if (storage.timeout.count > 0) {
    inputs.add("storage.timeout", storage.timeout.seconds(), Dimension::time, "default");
  }
  inputs.add("storage.part (active current)", storage.part.active_a_at(storage.sck_hz), Dimension::current,
             of_part(storage.part.active.estimated));
}

void add_memory(const Scenario& scenario, Inputs& inputs) {
  inputs.add("heap.ram", scenario.heap.ram_bytes, Dimension::bytes, "");
  inputs.add("heap.dirty_limit", scenario.heap.dirty_limit_bytes, Dimension::bytes, "");
  if (scenario.heap.memory.kind != firmware::MemoryKind::heap) return;
  inputs.add("heap.max_residents", residents_of(scenario), Dimension::number, "default");
  const heap::Population population = population_of(scenario.workload);
  inputs.add("workload (smallest object)", population.smallest_bytes, Dimension::bytes,
             population.partial ? "from the workload, dirty in parts" : "from the workload");
}

}  // namespace

std::vector<Input> inputs_of(const Scenario& scenario) {
  Inputs inputs(scenario);
  add_supply(scenario, inputs);
  add_board(scenario, inputs);
  add_memory(scenario, inputs);
  return inputs.take();
}

std::string bus_origin(const Scenario& scenario) {
  if (scenario.storage.part.is_mapped) {
    const std::uint32_t waits = scenario.storage.part.wait_states(scenario.mcu.clock_hz);
    return fmt::format("none: in the address space, {} wait state{} at this clock", waits,
                       waits == 1 ? "" : "s");
  }
  const devices::SpiProfile& bus = scenario.storage.bus;
  return fmt::format("{} by {}, {}", bus.name, devices::name_of(scenario.storage.transfer),
                     bus.calibrated ? "measured; how a transfer is stopped is an estimate" : "estimates");
}

}  // namespace brownout::sim
