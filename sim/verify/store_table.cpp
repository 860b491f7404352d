#include "sim/verify/store_table.hpp"

#include <fmt/format.h>

#include "heap/store_allocators/linked_list.hpp"

namespace brownout::sim {
namespace {

struct Run {
  std::uint32_t first_unit = 0;
  std::uint32_t units = 0;
};

// Units of the run that a table byte begins; 0 for a free unit.
std::uint32_t units_of(firmware::StoreAllocatorKind kind, std::uint8_t code) {
  if (code == 0) return 0;
  if (kind == firmware::StoreAllocatorKind::linked_list) return heap::run_length_of(code);
  return code <= 32 ? 1U << (code - 1U) : 0xFFFF'FFFFU;
}

std::vector<Run> allocated_runs(const heap::StorePlan& plan, firmware::StoreAllocatorKind kind,
                                std::span<const std::uint8_t> store) {
  std::vector<Run> runs;
  if (kind == firmware::StoreAllocatorKind::block) {
    for (std::uint32_t unit = 0; unit < plan.units; ++unit) {
      if ((store[plan.table + unit / 8] >> unit % 8 & 1U) != 0) runs.push_back({unit, 1});
    }
    return runs;
  }
  for (std::uint32_t unit = 0; unit < plan.units;) {
    const std::uint32_t units = units_of(kind, store[plan.table + unit]);
    if (units > 0) runs.push_back({unit, units});
    unit += units == 0 ? 1 : units > plan.units ? plan.units : units;
  }
  return runs;
}

}  // namespace

std::optional<std::string> store_table_fault(const heap::StorePlan& plan, firmware::StoreAllocatorKind kind,
                                             std::span<const std::uint8_t> store,
                                             const std::vector<KnownObject>& objects) {
  const std::vector<Run> runs = allocated_runs(plan, kind, store);
  std::size_t next = 0;
  for (const Run& run : runs) {
    if (run.units > plan.units - run.first_unit) return "a run in the store reaches beyond its end";
    const std::uint32_t home = plan.first_unit + run.first_unit * plan.unit_bytes;
    if (kind == firmware::StoreAllocatorKind::buddy && run.first_unit % run.units != 0) {
      return fmt::format("the block at store address {} does not begin at a multiple of its size", home);
    }
    if (next == objects.size() || objects[next].home != home) {
      return fmt::format(
          "the store has {} allocated runs, the workload {} objects, or at other places (address {})",
          runs.size(), objects.size(), home);
    }
    if (objects[next].size_bytes > std::uint64_t{run.units} * plan.unit_bytes) {
      return fmt::format("the run at store address {} is too small for its object", home);
    }
    ++next;
  }
  if (next != objects.size()) {
    return fmt::format("the store has {} allocated runs, the workload {} objects", runs.size(),
                       objects.size());
  }
  return std::nullopt;
}

}  // namespace brownout::sim
