#include "sim/verify/state.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <fmt/format.h>

#include "heap/memory/linked_list_store.hpp"

namespace brownout::sim {
namespace {

using heap::kGranule;

// Reads a structure by value at an offset of the heap's RAM.
template <class T>
T read_at(std::span<const std::byte> ram, std::size_t offset) {
  assert(offset + sizeof(T) <= ram.size());
  T value;
  std::memcpy(&value, ram.data() + offset, sizeof value);
  return value;
}

heap::Slot slot_at(const heap::Geometry& geometry, std::span<const std::byte> ram, std::uint32_t index) {
  return read_at<heap::Slot>(ram, geometry.slots_offset + index * sizeof(heap::Slot));
}

// Marks the bytes that have to survive: structures, contents of resident objects, heads of free blocks.
std::vector<bool> live_bytes(const heap::Geometry& geometry, std::span<const std::byte> ram) {
  std::vector<bool> live(ram.size(), false);
  const auto mark = [&](std::size_t from, std::size_t size) {
    std::fill_n(live.begin() + static_cast<std::ptrdiff_t>(from), size, true);
  };
  mark(0, sizeof(heap::Control));
  mark(geometry.slots_offset, geometry.bucket_offset + geometry.buckets * 2U - geometry.slots_offset);
  for (const std::size_t field :
       {offsetof(heap::Control, sequence), offsetof(heap::Control, marked_sequence)}) {
    std::fill_n(live.begin() + static_cast<std::ptrdiff_t>(field), 4, false);
  }
  for (std::uint32_t i = 0; i < geometry.config.max_residents; ++i) {
    const heap::Slot slot = slot_at(geometry, ram, i);
    if (slot.used() && !slot.loading()) mark(slot.ram_offset(), slot.size_bytes());
  }
  std::uint32_t granule = read_at<heap::Control>(ram, 0).free_head;
  while (granule != 0) {
    mark(granule * kGranule, sizeof(heap::FreeBlock));
    granule = read_at<heap::FreeBlock>(ram, granule * kGranule).next;
  }
  return live;
}

std::string place_of(const heap::Geometry& geometry, std::span<const std::byte> ram, std::size_t offset) {
  if (offset < sizeof(heap::Control)) return "the control block";
  if (offset < geometry.chain_offset) return fmt::format("slot {}", (offset - geometry.slots_offset) / 8);
  if (offset < geometry.objects_offset) return "the index";
  for (std::uint32_t i = 0; i < geometry.config.max_residents; ++i) {
    const heap::Slot slot = slot_at(geometry, ram, i);
    if (!slot.used() || offset < slot.ram_offset() || offset >= slot.ram_offset() + slot.size_bytes())
      continue;
    return fmt::format("byte {} of the object at home {}", offset - slot.ram_offset(), slot.home());
  }
  return "the free list";
}

std::optional<std::string> ram_fault(const heap::Geometry& geometry, std::span<const std::byte> ram) {
  const auto control = read_at<heap::Control>(ram, 0);
  const std::uint32_t end = geometry.config.ram_bytes / kGranule;
  std::vector<char> owner(end, 0);
  const auto claim = [&](std::uint32_t block, std::uint32_t granules) {
    if (block < geometry.objects_offset / kGranule || block + granules > end) return false;
    for (std::uint32_t g = block; g < block + granules; ++g) {
      if (owner[g] != 0) return false;
      owner[g] = 1;
    }
    return true;
  };
  std::uint32_t used = 0;
  std::uint32_t dirty = 0;
  std::uint32_t high = 0;
  for (std::uint32_t i = 0; i < geometry.config.max_residents; ++i) {
    const heap::Slot slot = slot_at(geometry, ram, i);
    if (!slot.used()) continue;
    ++used;
    high = i + 1;
    if (slot.dirty()) dirty += slot.size_bytes();
    if (!claim(slot.block, slot.granules())) return fmt::format("the block of slot {} overlaps another", i);
  }
  std::uint32_t previous_end = 0;
  for (std::uint32_t at = control.free_head; at != 0;) {
    const auto block = read_at<heap::FreeBlock>(ram, at * kGranule);
    if (at <= previous_end && previous_end != 0) return "free list is out of order or not joined";
    if (block.granules == 0 || !claim(at, block.granules)) return "a free block overlaps another block";
    previous_end = at + block.granules;
    at = block.next;
  }
  const auto first = owner.begin() + static_cast<std::ptrdiff_t>(geometry.objects_offset / kGranule);
  if (std::find(first, owner.end(), 0) != owner.end()) return "RAM has leaked: granules that nobody owns";
  if (used != control.slots_used || high != control.slot_high) return "slot counts differ from a recount";
  if (dirty != control.dirty_bytes) {
    return fmt::format("dirty bytes are counted as {}, a recount gives {}", control.dirty_bytes, dirty);
  }
  const std::uint32_t checkpoint = heap::kCheckpointOverheadBytes + high * 8U + dirty;
  if (checkpoint > geometry.config.dirty_limit_bytes) {
    return fmt::format("a checkpoint would take {} bytes, the limit is {}", checkpoint,
                       geometry.config.dirty_limit_bytes);
  }
  return std::nullopt;
}

// Every slot in use hangs in the chain of its address once, chains ascend, and nothing else is in them.
std::optional<std::string> index_fault(const heap::Geometry& geometry, std::span<const std::byte> ram) {
  const std::uint32_t slots = geometry.config.max_residents;
  std::vector<std::uint32_t> found(slots, 0);
  for (std::uint32_t bucket = 0; bucket < geometry.buckets; ++bucket) {
    std::uint32_t last = 0;
    bool first = true;
    for (std::uint32_t at = read_at<std::uint16_t>(ram, geometry.bucket_offset + bucket * 2U);
         at != heap::kNone; at = read_at<std::uint16_t>(ram, geometry.chain_offset + at * 2U)) {
      if (at >= slots) return fmt::format("the index leads to slot {} of {}", at, slots);
      if (!first && at <= last) return fmt::format("the chain of bucket {} does not ascend", bucket);
      if (geometry.bucket_of(slot_at(geometry, ram, at).home()) != bucket) {
        return fmt::format("slot {} is in the wrong chain", at);
      }
      ++found[at];
      last = at;
      first = false;
    }
  }
  for (std::uint32_t i = 0; i < slots; ++i) {
    const std::uint32_t expected = slot_at(geometry, ram, i).used() ? 1 : 0;
    if (found[i] != expected) return fmt::format("slot {} is found {} times through the index", i, found[i]);
  }
  return std::nullopt;
}

std::optional<std::string> store_fault(const heap::Geometry& geometry, std::span<const std::uint8_t> store,
                                       const std::vector<std::uint32_t>& homes) {
  const heap::StorePlan plan = heap::StorePlan::of(geometry.store_base, geometry.store_end);
  std::vector<std::uint32_t> allocated;
  for (std::uint32_t unit = 0; unit < plan.units;) {
    const std::uint8_t code = store[plan.table + unit];
    if (code != 0) allocated.push_back(plan.first_unit + unit * plan.unit_bytes);
    unit += code == 0 ? 1 : heap::run_length_of(code);
    if (unit > plan.units) return "a run in the store reaches beyond its end";
  }
  if (allocated != homes) {
    return fmt::format("the store has {} allocated runs, the workload {} objects, or at other places",
                       allocated.size(), homes.size());
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> outage_changed(const heap::Geometry& geometry, std::span<const std::byte> before,
                                          std::span<const std::byte> after) {
  assert(before.size() == after.size());
  const std::vector<bool> live = live_bytes(geometry, before);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!live[i] || before[i] == after[i]) continue;
    return fmt::format("RAM offset {} ({}) was {:02x} before the outage and is {:02x} after it", i,
                       place_of(geometry, before, i), static_cast<unsigned>(before[i]),
                       static_cast<unsigned>(after[i]));
  }
  return std::nullopt;
}

std::optional<std::string> structure_fault(const heap::Geometry& geometry, std::span<const std::byte> ram,
                                           std::span<const std::uint8_t> store,
                                           const std::vector<std::uint32_t>& homes) {
  if (auto fault = ram_fault(geometry, ram)) return fault;
  if (auto fault = index_fault(geometry, ram)) return fault;
  return store_fault(geometry, store, homes);
}

}  // namespace brownout::sim
