// Checks of a heap from the outside: what its RAM holds, worked out anew by other means than the heap's own.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "heap/residents.hpp"

namespace brownout::heap::testing {

// Sizes in bytes of objects with partial dirtiness, by home. What lies behind them in their blocks is
// nobody's.
using PartialSizes = std::map<std::uint32_t, std::uint32_t>;

// The RAM with 0 in place of everything that an outage may change: the two sequence numbers, and what is
// nobody's, such as the inside of free blocks.
template <class Slot>
class LiveRam {
 public:
  LiveRam(std::vector<std::byte> ram, const Geometry& geometry, const PartialSizes& partial_sizes)
      : ram_(std::move(ram)), arena_(ram_.data(), geometry), sizes_(partial_sizes), live_(ram_.size()) {
    arena_.control().sequence = 0;
    arena_.control().marked_sequence = 0;
    keep(0, geometry.slots_offset + geometry.config.max_residents * geometry.modules.slot_bytes);
    for (std::uint32_t at = arena_.control().free_head; at != 0; at = arena_.free_block(at).next) {
      keep(at * kGranule, sizeof(FreeBlock));
    }
    for (std::uint32_t i = 0; i < arena_.slots(); ++i) {
      if (arena_.slot(i).used()) keep_data(arena_.slot(i));
    }
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return live_; }

 private:
  void keep(std::uint32_t offset, std::uint32_t size_bytes) {
    std::memcpy(live_.data() + offset, ram_.data() + offset, size_bytes);
  }
  void keep_data(const Slot& slot) {
    if (!slot.dirty() && slot.borrows() == Slot::kWriter) return;  // being loaded
    const Geometry& g = arena_.geometry();
    const std::uint32_t offset = slot.block(g) * kGranule;
    if (!slot.partial()) return keep(offset, slot.granules(g) * kGranule);
    const std::uint32_t data_bytes = data_granules(slot, g) * kGranule;
    keep(offset + data_bytes, bits_granules(slot, g) * kGranule);
    if (const auto known = sizes_.find(slot.home(g)); known != sizes_.end()) {
      return keep(offset, known->second);
    }
    // Just being made: what is not dirty is behind its end.
    for (std::uint32_t at = 0; at < data_bytes; at += kGranule) {
      const std::uint32_t block = at / kDirtyBlockBytes;
      const auto bits = static_cast<unsigned>(arena_.data(slot)[data_bytes + block / 8]);
      if ((bits >> block % 8 & 1U) != 0) keep(offset + at, kGranule);
    }
  }

  std::vector<std::byte> ram_;
  SlotArena<Slot> arena_;
  const PartialSizes& sizes_;
  std::vector<std::byte> live_;
};

template <class Slot>
std::vector<std::byte> live_ram(std::vector<std::byte> ram, const Geometry& geometry,
                                const PartialSizes& partial_sizes = {}) {
  return LiveRam<Slot>(std::move(ram), geometry, partial_sizes).bytes();
}

// What a checkpoint of these slots has to write, the OS part apart.
template <class Slot>
std::uint32_t recounted_image_bytes(const SlotArena<Slot>& arena) {
  const Geometry& g = arena.geometry();
  std::uint32_t bytes = g.empty_image_bytes();
  for (std::uint32_t i = 0; i < arena.slots(); ++i) {
    const Slot& slot = arena.slot(i);
    const bool changed = slot.used() ? slot.dirty() || slot.borrows() != 0 || slot.record() != Record::same
                                     : slot.record() == Record::other;
    if (Slot::kRecords ? changed : slot.used()) bytes += static_cast<std::uint32_t>(sizeof(Slot));
    if (!slot.used() || !slot.dirty()) continue;
    const std::uint32_t data_bytes = data_granules(slot, g) * kGranule;
    if (!slot.partial()) {
      bytes += data_bytes;
      continue;
    }
    bytes += slot.granules(g) * kGranule - data_bytes;
    const auto* bits = arena.data(slot) + data_bytes;
    for (std::uint32_t at = 0; at < data_bytes; at += kGranule) {
      const std::uint32_t block = at / kDirtyBlockBytes;
      if ((static_cast<unsigned>(bits[block / 8]) >> block % 8 & 1U) != 0) bytes += kGranule;
    }
  }
  return bytes;
}

// Between two operations: every granule of RAM is in one block, the hash finds every object, the counters
// are those of the slots. What is wrong, or "".
template <class Slot>
std::string structure_fault(const SlotArena<Slot>& arena, bool blocks_are_powers_of_two) {
  const Geometry& g = arena.geometry();
  const Control& control = arena.control();
  std::vector<int> owners(g.object_granules());
  const auto own = [&](std::uint32_t block, std::uint32_t granules) {
    for (std::uint32_t i = 0; i < granules; ++i) {
      const std::uint32_t at = block - g.first_granule() + i;
      if (at >= owners.size() || owners[at]++ != 0) return false;
    }
    return true;
  };
  std::uint32_t free_granules = 0;
  for (std::uint32_t block = control.free_head; block != 0; block = arena.free_block(block).next) {
    if (!own(block, arena.free_block(block).granules)) return "free block " + std::to_string(block);
    free_granules += arena.free_block(block).granules;
  }
  if (free_granules != control.free_granules) return "free granules";

  std::uint32_t residents = 0;
  std::vector<int> reached(arena.slots());
  for (std::uint32_t main = 0; main < arena.slots(); ++main) {
    if (!arena.slot(main).used()) {
      if (arena.slot(main).next() != main) return "a free slot leads on: " + std::to_string(main);
      continue;
    }
    ++residents;
    const std::uint32_t granules = arena.slot(main).granules(g);
    if (!own(arena.slot(main).block(g), blocks_are_powers_of_two ? std::bit_ceil(granules) : granules)) {
      return "block of " + std::to_string(main);
    }
    if (main_position(arena.slot(main).key(), arena.slots()) != main) continue;
    for (std::uint32_t at = main;;) {
      if (!arena.slot(at).used() || main_position(arena.slot(at).key(), arena.slots()) != main) {
        return "stranger in the chain of " + std::to_string(main);
      }
      ++reached[at];
      const std::uint32_t next = arena.slot(at).next();
      if (next == at) break;
      if (next >= arena.slots() || next == main || (at != main && next < at)) return "chain does not ascend";
      at = next;
    }
  }
  for (std::uint32_t i = 0; i < arena.slots(); ++i) {
    if (reached[i] != (arena.slot(i).used() ? 1 : 0)) return "slot not found: " + std::to_string(i);
  }
  for (const int owner : owners) {
    if (owner != 1) return "granule of nobody";
  }
  if (residents != control.residents) return "residents";
  if (recounted_image_bytes(arena) != control.image_bytes) return "image bytes";
  if (control.image_bytes > g.config.dirty_limit_bytes) return "dirty limit";
  return "";
}

// Whether the store allocator has a bit for each unit, in place of a byte that is a length.
inline bool has_bits(const StorePlan& plan) { return plan.table_bytes < plan.units; }
// What the store allocator's table has: its bits, or its bytes that are not 0.
inline std::uint32_t allocated_entries(const std::vector<std::byte>& store, const Geometry& g) {
  std::uint32_t entries = 0;
  for (std::uint32_t i = 0; i < g.store.table_bytes; ++i) {
    const auto byte = std::to_integer<std::uint8_t>(store.at(g.store.table + i));
    entries += has_bits(g.store) ? static_cast<std::uint32_t>(std::popcount(byte)) : byte != 0 ? 1U : 0U;
  }
  return entries;
}

}  // namespace brownout::heap::testing
