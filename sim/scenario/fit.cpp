#include "sim/scenario/fit.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "heap/store_allocators/linked_list.hpp"
#include "sim/firmware/directory.hpp"
#include "sim/machine/machine.hpp"
#include "sim/scenario/choices.hpp"

namespace brownout::sim {
namespace {

// The objects that a workload has at the same time, by size. None of a custom one: nobody knows before it
// runs, and then it is told what does not fit.
struct Objects {
  struct Kind {
    std::uint64_t count = 0;
    std::uint32_t size_bytes = 0;
  };
  std::vector<Kind> kinds;
  std::string words;
};

Objects own_objects_of(const WorkloadConfig& workload) {
  if (const auto* counter = std::get_if<CounterConfig>(&workload)) {
    return {{{counter->objects, counter->size_bytes}},
            fmt::format("{} objects of {} B", counter->objects, counter->size_bytes)};
  }
  if (const auto* queue = std::get_if<QueueConfig>(&workload)) {
    const std::uint32_t node = queue->item_bytes + 8;
    return {{{std::uint64_t{queue->length} + 1, node}},
            fmt::format("{} nodes of {} B (one spare for push before pop)", queue->length + 1, node)};
  }
  if (const auto* script = std::get_if<firmware::ScriptOptions>(&workload)) {
    Objects objects;
    for (const firmware::ObjectDemand& demand : firmware::demand_of(*script->program)) {
      objects.kinds.push_back({demand.count, demand.size_bytes});
    }
    objects.words = "the script's objects, arrays and lists";
    return objects;
  }
  if (std::holds_alternative<firmware::CustomOptions>(workload)) return {};
  const auto& kvs = std::get<KvsConfig>(workload);
  Objects objects;
  for (std::size_t i = 0; i < kvs.sizes.size(); ++i) objects.kinds.push_back({kvs.counts[i], kvs.sizes[i]});
  objects.words = "256 objects of four sizes";
  return objects;
}

// With the directory of a workload that attaches.
Objects objects_of(const Scenario& scenario) {
  Objects objects = own_objects_of(scenario.workload);
  const bool custom = std::holds_alternative<firmware::CustomOptions>(scenario.workload);
  if (scenario.mcu.on_loss != OnLoss::attach || custom) return objects;
  std::uint64_t entries = 0;
  for (const Objects::Kind& kind : objects.kinds) entries += kind.count;
  if (std::holds_alternative<QueueConfig>(scenario.workload)) entries = 1;  // nodes lead to each other
  const std::uint32_t pages = firmware::Directory::pages_for(static_cast<std::uint32_t>(entries));
  objects.kinds.push_back({pages, firmware::Directory::kPageBytes});
  objects.words += fmt::format(" and {} pages of {} B that lead to them", pages,
                               std::uint32_t{firmware::Directory::kPageBytes});
  return objects;
}

std::uint32_t largest_of(const Objects& objects) {
  std::uint32_t largest = 0;
  for (const Objects::Kind& kind : objects.kinds) {
    if (kind.count > 0) largest = std::max(largest, kind.size_bytes);
  }
  return largest;
}

// Units of the store that an object takes; all of them if none would do.
std::uint64_t units_for(const heap::StorePlan& plan, firmware::StoreAllocatorKind allocator,
                        std::uint32_t size_bytes) {
  const std::uint32_t exact = (size_bytes + plan.unit_bytes - 1) / plan.unit_bytes;
  switch (allocator) {
    case firmware::StoreAllocatorKind::linked_list: return heap::run_length_of(heap::run_code_of(exact));
    case firmware::StoreAllocatorKind::buddy: return std::bit_ceil(exact);
    case firmware::StoreAllocatorKind::block: break;
  }
  return exact;
}

// Throws if mark, checkpoints, records and objects do not fit the part.
void check_store(const Scenario& scenario, const heap::HeapConfig& config, const heap::Geometry& geometry) {
  const std::uint32_t part_bytes =
      std::min<std::uint32_t>(scenario.storage.part.size_bytes, heap::kMaxStoreBytes);
  if (std::uint64_t{geometry.store_base} + std::max(config.store_bytes, 1U) <= part_bytes) return;
  const std::string before = fmt::format(
      "{} B superblock and marks + 2 x ({} B dirty limit + {} B OS part) + {} B intent and roots + {} B slot "
      "records = {} B before the objects",
      geometry.checkpoint_base, heap::round_up_8(config.dirty_limit_bytes), config.os_bytes,
      geometry.records_base - geometry.intent_base, geometry.store_base - geometry.records_base,
      geometry.store_base);
  throw InputError(
      scenario.where(config.store_bytes == 0 ? "heap.dirty_limit" : "heap.store"),
      config.store_bytes == 0
          ? fmt::format("{} leave no room for objects: storage.part {} has {} B", before,
                        scenario.storage.part.name, part_bytes)
          : fmt::format(
                "the heap is larger than the part: {} and {} B store are {} B, storage.part {} has {} B",
                before, config.store_bytes, std::uint64_t{geometry.store_base} + config.store_bytes,
                scenario.storage.part.name, part_bytes));
}

// The default of max_residents counts in the arithmetic, so the plan is made in steps that each explain.
void check_heap(const Scenario& scenario, heap::Geometry& geometry) {
  const heap::HeapConfig config = heap_config_of(scenario);
  const heap::Error error =
      firmware::plan_heap(config, scenario.heap.memory, scenario.storage.part.size_bytes, geometry);
  if (error == heap::Error::none) return;
  const std::uint32_t residents = geometry.config.max_residents;
  if (residents > geometry.modules.max_slots) {
    throw InputError(scenario.where("heap.max_residents"),
                     fmt::format("{} residents are too many: heap.slots {} allow {}", residents,
                                 name_in(kSlots, scenario.heap.memory.slots), geometry.modules.max_slots));
  }
  const std::uint32_t least_ram = geometry.objects_offset + heap::kGranule + 2 * geometry.bitmap_bytes();
  if (config.ram_bytes < least_ram) {
    throw InputError(
        scenario.where("heap.ram"),
        fmt::format(
            "a heap of {} B RAM is too small: its structures for {} residents take {} B, and the room "
            "for objects has to be {} B at least",
            config.ram_bytes, residents, geometry.objects_offset, least_ram - geometry.objects_offset));
  }
  if (geometry.smallest_limit(heap::kGranule) > config.dirty_limit_bytes) {
    throw InputError(
        scenario.where("heap.dirty_limit"),
        fmt::format("a dirty limit of {} B is too small: with {} residents an image takes {} B before any "
                    "object, three slots {} B and the smallest object {} B, {} B in all",
                    config.dirty_limit_bytes, residents, geometry.empty_image_bytes(),
                    3 * geometry.modules.slot_bytes, heap::kGranule,
                    geometry.smallest_limit(heap::kGranule)));
  }
  check_store(scenario, config, geometry);
  throw InputError(
      scenario.where("heap.store_unit"),
      fmt::format("the store of {} B cannot be divided for nv_allocator {} with units of {} B",
                  geometry.config.store_bytes, name_in(kNvAllocators, scenario.heap.memory.store_allocator),
                  config.store_unit_bytes));
}

void check_workload(const Scenario& scenario, const heap::Geometry& geometry) {
  const Objects objects = objects_of(scenario);
  const std::uint32_t object_ram = geometry.object_granules() * heap::kGranule;
  const std::uint32_t largest = heap::round_up_8(largest_of(objects));
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
        fmt::format("the workload's largest object ({} B) needs a dirty limit of {} B (an image takes {} B "
                    "before any object, three slots {} B, the object); it is {} B",
                    largest, geometry.smallest_limit(largest), geometry.empty_image_bytes(),
                    3 * geometry.modules.slot_bytes, geometry.config.dirty_limit_bytes));
  }
  const firmware::StoreAllocatorKind allocator = scenario.heap.memory.store_allocator;
  const heap::StorePlan& plan = geometry.store;
  if (allocator == firmware::StoreAllocatorKind::block && largest > plan.unit_bytes) {
    throw InputError(scenario.where("heap.store_unit"),
                     fmt::format("the workload's largest object ({} B) does not fit a block of nv_allocator "
                                 "block: heap.store_unit is {} B",
                                 largest, plan.unit_bytes));
  }
  std::uint64_t units = 0;
  for (const Objects::Kind& kind : objects.kinds) {
    units += kind.count * units_for(plan, allocator, kind.size_bytes);
  }
  if (units > plan.units) {
    throw InputError(
        scenario.where("workload.kind"),
        fmt::format("the workload cannot fit the store: {} take {} units of {} B, the store of {} B has {} "
                    "(beside {} B table)",
                    objects.words, units, plan.unit_bytes, geometry.store_end - geometry.store_base,
                    plan.units, plan.table_bytes));
  }
}

[[noreturn]] void fail_for_misfit(const Scenario& scenario, const firmware::BaselinePlan& plan) {
  const heap::HeapConfig config = heap_config_of(scenario);
  const std::string_view memory = name_in(kMemories, scenario.heap.memory.kind);
  switch (plan.misfit) {
    case firmware::Misfit::dirty_limit:
      throw InputError(
          scenario.where("heap.dirty_limit"),
          fmt::format("a dirty limit of {} B is too small for memory {}: an image with one dirty "
                      "page takes {} B",
                      config.dirty_limit_bytes, memory, plan.paged_image_bytes(1, 1)));
    case firmware::Misfit::store:
      throw InputError(
          scenario.where("heap.ram"),
          fmt::format(
              "memory {} does not fit the store: two images of {} B and the OS part leave no room for "
              "objects; storage.part {} has {} B",
              memory, plan.image_bytes, scenario.storage.part.name, scenario.storage.part.size_bytes.value));
    case firmware::Misfit::ram:
    case firmware::Misfit::none:
    case firmware::Misfit::page_bytes:
    case firmware::Misfit::os_bytes: break;
  }
  throw InputError(
      scenario.where("heap.ram"),
      fmt::format("{} B of RAM are too little or too much for memory {}", config.ram_bytes, memory));
}

// All objects at once have to fit RAM, or the store with direct access.
void check_baseline(const Scenario& scenario) {
  const firmware::MemoryOptions& memory = scenario.heap.memory;
  const firmware::BaselinePlan plan =
      firmware::plan_baseline(heap_config_of(scenario), memory, scenario.storage.part.size_bytes);
  if (!plan.status().ok()) fail_for_misfit(scenario, plan);
  const Objects objects = objects_of(scenario);
  std::uint64_t needed = 0;
  for (const Objects::Kind& kind : objects.kinds) needed += kind.count * heap::round_up_8(kind.size_bytes);
  const std::uint64_t room = memory.kind == firmware::MemoryKind::direct
                                 ? std::uint64_t{plan.geometry.store.units} * plan.geometry.store.unit_bytes
                                 : plan.geometry.config.ram_bytes - plan.geometry.objects_offset;
  if (needed > room) {
    throw InputError(
        scenario.where("heap.ram"),
        fmt::format("memory {} has to hold all objects at once: {} take {} B, it has room for {} B",
                    name_in(kMemories, memory.kind), objects.words, needed, room));
  }
}

// A program that attaches finds its objects again by named roots.
void check_attach(const Scenario& scenario) {
  const Location where = scenario.where("mcu.on_loss");
  if (scenario.heap.memory.kind != firmware::MemoryKind::heap) {
    throw InputError(where, fmt::format("attach needs a heap: memory {} has no roots to find its objects by",
                                        name_in(kMemories, scenario.heap.memory.kind)));
  }
  std::uint32_t roots = 1;
  if (const auto* script = std::get_if<firmware::ScriptOptions>(&scenario.workload)) {
    if (!script->program->lists.empty()) {
      throw InputError(where,
                       "attach does not go with a script that has `lists`: it could not find their "
                       "elements again; use `objects` and `arrays`");
    }
    if (script->program->setup.size > 0) roots = 2;  // one says that it was run
  }
  if (const auto* custom = std::get_if<firmware::CustomOptions>(&scenario.workload)) {
    if (!custom->attaches) {
      throw InputError(where,
                       "attach needs a workload that finds its objects again: add it with "
                       "CustomStart::attaches (sim/scenario/custom_workloads.hpp)");
    }
    return;
  }
  if (scenario.heap.roots < roots) {
    throw InputError(scenario.where("heap.roots"),
                     fmt::format("on_loss: attach needs {} with this workload; heap.roots is {}",
                                 roots == 1 ? "a root" : "two roots", scenario.heap.roots));
  }
}

}  // namespace

void check_fit(const Scenario& scenario) {
  if (scenario.mcu.profile.rail_v < scenario.storage.part.min_vdd_v) {
    throw InputError(scenario.where("storage.part"),
                     fmt::format("{} needs a supply of {} V at least; the rail of mcu.profile {} has {} V",
                                 scenario.storage.part.name, scenario.storage.part.min_vdd_v.value,
                                 scenario.mcu.profile.name, scenario.mcu.profile.rail_v));
  }
  if (scenario.mcu.profile.rail_v > scenario.storage.part.max_vdd_v) {
    throw InputError(scenario.where("storage.part"),
                     fmt::format("{} takes a supply of {} V at most; the rail of mcu.profile {} has {} V",
                                 scenario.storage.part.name, scenario.storage.part.max_vdd_v.value,
                                 scenario.mcu.profile.name, scenario.mcu.profile.rail_v));
  }
  if (scenario.mcu.on_loss == OnLoss::attach) check_attach(scenario);
  if (scenario.heap.memory.kind != firmware::MemoryKind::heap) {
    check_baseline(scenario);
    return;
  }
  heap::Geometry geometry;
  check_heap(scenario, geometry);
  check_workload(scenario, geometry);
}

}  // namespace brownout::sim
