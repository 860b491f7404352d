#include "sim/scenario/fit.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "heap/memory/linked_list_store.hpp"
#include "sim/machine/machine.hpp"

namespace brownout::sim {
namespace {

struct Demand {
  std::uint32_t largest_object_bytes = 0;
  std::uint64_t units = 0;  // of the store, for all objects at once
  std::string objects;      // in words
};

Demand demand_of(const WorkloadConfig& workload, const heap::StorePlan& plan) {
  if (const auto* counter = std::get_if<CounterConfig>(&workload)) {
    return {counter->size_bytes, std::uint64_t{counter->objects} * plan.units_for(counter->size_bytes),
            fmt::format("{} objects of {} B", counter->objects, counter->size_bytes)};
  }
  if (const auto* queue = std::get_if<QueueConfig>(&workload)) {
    const std::uint32_t node = queue->item_bytes + 8;
    return {node, (std::uint64_t{queue->length} + 1) * plan.units_for(node),
            fmt::format("{} nodes of {} B (one spare for push before pop)", queue->length + 1, node)};
  }
  const auto& kvs = std::get<KvsConfig>(workload);
  Demand demand;
  for (std::size_t i = 0; i < kvs.sizes.size(); ++i) {
    demand.largest_object_bytes = std::max(demand.largest_object_bytes, kvs.sizes[i]);
    demand.units += std::uint64_t{kvs.counts[i]} * plan.units_for(kvs.sizes[i]);
  }
  demand.objects = "256 objects of four sizes";
  return demand;
}

// The default of max_residents counts in the arithmetic, so the plan is made in steps that each explain.
void check_heap(const Scenario& scenario, heap::Geometry& geometry) {
  const heap::HeapConfig config = heap_config_of(scenario);
  const std::uint32_t least = heap::kCheckpointOverheadBytes + sizeof(heap::Slot) + heap::kGranule;
  if (config.dirty_limit_bytes < least) {
    throw InputError(
        scenario.where("heap.dirty_limit"),
        fmt::format("a dirty limit of {} B is too small: header and trailer take {} B, a slot {} B and the "
                    "smallest object {} B, {} B in all",
                    config.dirty_limit_bytes, heap::kCheckpointOverheadBytes, sizeof(heap::Slot),
                    heap::kGranule, least));
  }
  const heap::Error error = heap::Geometry::plan(config, scenario.storage.part.size_bytes, geometry);
  if (error == heap::Error::none) return;
  if (config.ram_bytes < geometry.objects_offset + heap::kGranule) {
    throw InputError(
        scenario.where("heap.ram"),
        fmt::format("a heap of {} B RAM is too small: its structures for {} residents take {} B, and an "
                    "object at least {} B",
                    config.ram_bytes, geometry.config.max_residents, geometry.objects_offset,
                    heap::kGranule));
  }
  if (geometry.smallest_limit(heap::kGranule) > config.dirty_limit_bytes) {
    throw InputError(
        scenario.where("heap.max_residents"),
        fmt::format("{} residents need a dirty limit of {} B at least ({} B header and trailer, {} x {} B "
                    "slots, {} B object), heap.dirty_limit is {} B",
                    geometry.config.max_residents, geometry.smallest_limit(heap::kGranule),
                    heap::kCheckpointOverheadBytes, geometry.config.max_residents, sizeof(heap::Slot),
                    heap::kGranule, config.dirty_limit_bytes));
  }
  const std::string checkpoints = fmt::format(
      "{} B mark + 2 x ({} B dirty limit + {} B OS part) = {} B for checkpoints", sizeof(heap::RunningMark),
      heap::round_up_8(config.dirty_limit_bytes), config.os_bytes, geometry.store_base);
  throw InputError(
      scenario.where(config.store_bytes == 0 ? "heap.dirty_limit" : "heap.store"),
      config.store_bytes == 0
          ? fmt::format("{} leave no room for objects: storage.part {} has {} B", checkpoints,
                        scenario.storage.part.name, scenario.storage.part.size_bytes)
          : fmt::format(
                "the heap is larger than the part: {} and {} B store are {} B, storage.part {} has {} B",
                checkpoints, config.store_bytes, std::uint64_t{geometry.store_base} + config.store_bytes,
                scenario.storage.part.name, scenario.storage.part.size_bytes));
}

void check_workload(const Scenario& scenario, const heap::Geometry& geometry) {
  const heap::StorePlan plan = heap::StorePlan::of(geometry.store_base, geometry.store_end);
  const Demand demand = demand_of(scenario.workload, plan);
  const std::uint32_t object_ram = geometry.config.ram_bytes - geometry.objects_offset;
  const std::uint32_t largest = heap::round_up_8(demand.largest_object_bytes);
  if (largest > object_ram) {
    throw InputError(
        scenario.where("workload.kind"),
        fmt::format("the workload's largest object ({} B) does not fit the heap's RAM: heap.ram {} B less "
                    "{} B structures leave {} B",
                    largest, geometry.config.ram_bytes, geometry.objects_offset, object_ram));
  }
  if (geometry.smallest_limit(largest) > geometry.config.dirty_limit_bytes) {
    throw InputError(
        scenario.where("heap.dirty_limit"),
        fmt::format("the workload's largest object ({} B) needs a dirty limit of {} B ({} B header and "
                    "trailer, {} x {} B slots, the object); it is {} B; heap.max_residents may be lowered",
                    largest, geometry.smallest_limit(largest), heap::kCheckpointOverheadBytes,
                    geometry.config.max_residents, sizeof(heap::Slot), geometry.config.dirty_limit_bytes));
  }
  if (demand.units > plan.units) {
    throw InputError(
        scenario.where("workload.kind"),
        fmt::format("the workload cannot fit the store: {} take {} units of {} B, the store of {} B has {} "
                    "(beside {} B table)",
                    demand.objects, demand.units, plan.unit_bytes, geometry.store_end - geometry.store_base,
                    plan.units, plan.units));
  }
}

}  // namespace

void check_fit(const Scenario& scenario) {
  if (scenario.mcu.profile.rail_v < scenario.storage.part.min_vdd_v) {
    throw InputError(scenario.where("storage.part"),
                     fmt::format("{} needs a supply of {} V at least; the rail of mcu.profile {} has {} V",
                                 scenario.storage.part.name, scenario.storage.part.min_vdd_v,
                                 scenario.mcu.profile.name, scenario.mcu.profile.rail_v));
  }
  heap::Geometry geometry;
  check_heap(scenario, geometry);
  check_workload(scenario, geometry);
}

}  // namespace brownout::sim
