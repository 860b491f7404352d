#include "sim/machine/sizing.hpp"

#include <algorithm>
#include <limits>

#include "devices/math/elementary.hpp"
#include "heap/layout.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/machine/machine.hpp"

namespace brownout::sim {
namespace {

// What the largest image costs beside its transactions.
struct LargestImage {
  double bytes = 0;   // the OS part included
  double pieces = 0;  // of memory that are gathered
  double steps = 0;   // of walks over slots or pages
};

LargestImage largest_heap_image(const Scenario& scenario, std::uint32_t object_bytes) {
  heap::Geometry geometry;
  static_cast<void>(firmware::plan_heap(heap_config_of(scenario), scenario.heap.memory,
                                        scenario.storage.part.size_bytes, geometry));
  const std::uint32_t slots = geometry.config.max_residents;
  const std::uint32_t bitmaps = geometry.modules.referenced_bits ? 2 : 1;
  const std::uint32_t object = heap::round_up_8(object_bytes) + geometry.modules.slot_bytes;
  const std::uint32_t objects = scenario.heap.dirty_limit_bytes / object + 1;
  const std::uint32_t runs_of_slots = std::min(objects, slots / 2 + 1);
  const std::uint32_t words_of_bitmaps = bitmaps * geometry.bitmap_bytes() / 8;
  LargestImage image;
  image.bytes = scenario.heap.dirty_limit_bytes + scenario.mcu.os_save_bytes;
  image.pieces = 4.0 + words_of_bitmaps + runs_of_slots + objects;
  // Counting, the bitmaps, dirty bits and dirty data each walk over all slots.
  image.steps = (3.0 + bitmaps) * slots + objects;
  return image;
}

LargestImage largest_image(const Scenario& scenario, std::uint32_t object_bytes) {
  if (scenario.heap.memory.kind == firmware::MemoryKind::heap)
    return largest_heap_image(scenario, object_bytes);
  const firmware::BaselinePlan plan = firmware::plan_baseline(heap_config_of(scenario), scenario.heap.memory,
                                                              scenario.storage.part.size_bytes);
  LargestImage image;
  image.bytes = plan.image_bytes + scenario.mcu.os_save_bytes;
  image.pieces = 5.0 + plan.pages;
  image.steps = 2.0 * plan.pages;
  return image;
}

}  // namespace

double capacitance_for(double energy_j, double power_w, const SupplyConfig& supply) {
  const double x1 = supply.thresholds.warn_v * supply.thresholds.warn_v;
  const double x2 = supply.thresholds.brown_out_v * supply.thresholds.brown_out_v;
  const double k = power_w * supply.capacitor.esr_ohm;
  const double usable = x1 - x2 - k * devices::log_of(x1 / x2);
  return usable > 0 ? 2 * energy_j / usable : std::numeric_limits<double>::infinity();
}

double capacitance_for_start(double energy_j, const SupplyConfig& supply) {
  const double on = supply.thresholds.turn_on_v;
  const double warn = supply.thresholds.warn_v;
  return 2 * energy_j / (on * on - warn * warn);
}

std::uint32_t smallest_object_bytes(const Scenario& scenario) {
  if (const auto* counter = std::get_if<CounterConfig>(&scenario.workload)) return counter->size_bytes;
  if (const auto* queue = std::get_if<QueueConfig>(&scenario.workload)) return queue->item_bytes + 8;
  if (const auto* script = std::get_if<ScriptWorkloadConfig>(&scenario.workload)) {
    std::uint32_t smallest = heap::kMaxRamBytes;
    for (const firmware::ObjectDemand& demand : demand_of(*script->program)) {
      const bool partial = demand.dirtiness == heap::Dirtiness::partial;
      smallest = std::min({smallest, demand.size_bytes, partial ? heap::kDirtyBlockBytes : smallest});
    }
    return smallest;
  }
  // Of a custom workload nothing is known: the worst case.
  if (std::holds_alternative<firmware::CustomOptions>(scenario.workload)) return heap::kGranule;
  const auto& sizes = std::get<KvsConfig>(scenario.workload).sizes;
  return *std::min_element(sizes.begin(), sizes.end());
}

double largest_load_w(const Scenario& scenario) {
  const devices::McuProfile& mcu = scenario.mcu.profile;
  const StorageConfig& storage = scenario.storage;
  const double active_a = mcu.active_a_at(scenario.mcu.clock_hz);
  double largest_a = active_a + storage.part.active_a_at(storage.sck_hz);
  if (const auto* script = std::get_if<ScriptWorkloadConfig>(&scenario.workload)) {
    for (const firmware::script::Step& step : script->program->steps) {
      const auto* phase = std::get_if<firmware::script::Phase>(&step.action);
      if (phase == nullptr) continue;
      const double load_a = static_cast<double>(phase->load_ua) / 1e6;
      const double cpu_a = phase->sleeping ? mcu.sleep_a : active_a;
      largest_a = std::max(largest_a, load_a + cpu_a + storage.part.standby_a);
    }
  }
  return mcu.rail_v * largest_a / scenario.supply.converter.efficiency;
}

PersistEstimate full_persist(const Scenario& scenario, std::uint32_t object_bytes) {
  const auto& storage = scenario.storage;
  const auto& costs = storage.bus.costs(storage.transfer);
  const auto& cpu = scenario.mcu.profile.costs;
  const LargestImage image = largest_image(scenario, object_bytes);
  const double bytes = image.bytes;
  const double pieces = image.pieces;
  const double wire_s = 8.0 / static_cast<double>(storage.sck_hz);
  const double copy_s = costs.copy_send_per_byte.seconds();
  const double handover_s = costs.handover_send.seconds();
  const double command_bytes = 2.0 + storage.part.address_bytes;

  const double slices = storage.slice_bytes > 0 ? bytes / storage.slice_bytes + pieces : 1;
  const double chunks = bytes / costs.chunk_bytes + pieces + (storage.slice_bytes > 0 ? slices : 0);
  PersistEstimate estimate;
  estimate.time_s =
      costs.call_write.seconds() + costs.abort_cost.seconds() +
      slices * (2 * costs.setup_send.seconds() + 2 * handover_s + command_bytes * (wire_s + copy_s)) +
      chunks * handover_s + bytes * (wire_s + copy_s) +
      (bytes * cpu.checksum_byte + image.steps * cpu.step + cpu.call + 4 * slices * cpu.section) /
          static_cast<double>(scenario.mcu.clock_hz);
  const double power_w =
      scenario.mcu.profile.rail_v *
      (scenario.mcu.profile.active_a_at(scenario.mcu.clock_hz) + storage.part.active_a_at(storage.sck_hz)) /
      scenario.supply.converter.efficiency;
  estimate.energy_j = estimate.time_s * power_w;
  const Picoseconds latency = scenario.supply.comparator.latency;
  const double delay_w = latency.count > 0 ? largest_load_w(scenario) : 0;
  estimate.delay_energy_j = latency.seconds() * delay_w;
  // The ESR's share grows with the power: the larger one is on the safe side.
  estimate.capacitance_f = capacitance_for(estimate.energy_j + estimate.delay_energy_j,
                                           std::max(power_w, delay_w), scenario.supply);
  return estimate;
}

}  // namespace brownout::sim
