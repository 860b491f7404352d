// The objects in RAM: their slots, their blocks, and an index from store address to slot.
//
// Invariant outside critical sections: free list and index are functions of the slots (free list: the
// complement of all blocks; index: chains in ascending slot order). The restore depends on it.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"

namespace brownout::heap {

template <Platform P, class RamAllocator>
class Residents {
 public:
  Residents(Arena arena, P& platform) : arena_(arena), platform_(platform), ram_(arena, platform) {}

  [[nodiscard]] const Arena& arena() const { return arena_; }
  [[nodiscard]] Control& control() const { return arena_.control(); }
  [[nodiscard]] Slot& slot(std::uint32_t index) const { return arena_.slot(index); }
  [[nodiscard]] std::byte* data(const Slot& slot) const { return arena_.at(slot.ram_offset()); }

  // No residents, all RAM free.
  void reset() {
    const Geometry& geometry = arena_.geometry();
    Control& c = control();
    c.slot_high = 0;
    c.slots_used = 0;
    c.dirty_bytes = 0;
    for (std::uint32_t i = 0; i < geometry.config.max_residents; ++i) {
      slot(i) = Slot{};
      arena_.chain(i) = kNone;
    }
    clear_index();
    ram_.reset();
  }

  // The slot of a resident object, or kNone. O(1) expected.
  [[nodiscard]] std::uint16_t find(std::uint32_t home) const {
    for (std::uint16_t i = arena_.bucket(arena_.geometry().bucket_of(home)); i != kNone;
         i = arena_.chain(i)) {
      platform_.charge(Work::step, 1);
      if (slot(i).home() == home) return i;
    }
    return kNone;
  }

  // The lowest free slot, or kNone. O(slots in use).
  [[nodiscard]] std::uint16_t lowest_free_slot() const {
    const Control& c = control();
    if (c.slots_used < c.slot_high) {
      for (std::uint16_t i = 0; i < c.slot_high; ++i) {
        platform_.charge(Work::step, 1);
        if (!slot(i).used()) return i;
      }
    }
    return c.slot_high < arena_.geometry().config.max_residents ? c.slot_high : kNone;
  }

  // Makes `home` resident in slot `index`, with the flags given. False if there is no room in RAM.
  // O(free blocks + chain), its critical section O(1) but for the chain.
  [[nodiscard]] bool enter(std::uint16_t index, std::uint32_t home, std::uint32_t granules,
                           std::uint32_t flags) {
    typename RamAllocator::Fit fit;
    if (!ram_.find(granules, fit)) return false;
    CriticalSection<P> section(platform_);
    ram_.take(fit, granules);
    slot(index) = {home | flags, fit.block, static_cast<std::uint16_t>(granules)};
    count_in(index);
    link(index);
    return true;
  }

  // The object of the slot is no longer resident; its content is gone. O(free blocks).
  void leave(std::uint16_t index) {
    const Slot gone = slot(index);
    const std::uint16_t previous = ram_.before(gone.block);
    CriticalSection<P> section(platform_);
    unlink(index);
    Control& c = control();
    if (gone.dirty()) c.dirty_bytes -= gone.size_bytes();
    slot(index) = Slot{};
    --c.slots_used;
    while (c.slot_high > 0 && !slot(c.slot_high - 1U).used()) --c.slot_high;
    ram_.give_back(previous, gone.block, gone.granules());
  }

  void set_dirty(std::uint16_t index, bool dirty) {
    CriticalSection<P> section(platform_);
    Slot& s = slot(index);
    if (s.dirty() == dirty) return;
    s.set_flag(Slot::kDirty, dirty);
    if (dirty) {
      control().dirty_bytes += s.size_bytes();
    } else {
      control().dirty_bytes -= s.size_bytes();
    }
  }
  void set_loaded(std::uint16_t index) { slot(index).set_flag(Slot::kLoading, false); }

  // Rebuilds index, free list and counts from slots [0, slot_high), which the caller has read back.
  // False if they contradict each other. O(slots * free blocks).
  [[nodiscard]] bool rebuild(std::uint16_t slot_high) {
    const std::uint32_t slots = arena_.geometry().config.max_residents;
    Control& c = control();
    c.slot_high = slot_high;
    c.slots_used = 0;
    c.dirty_bytes = 0;
    for (std::uint32_t i = 0; i < slots; ++i) arena_.chain(i) = kNone;
    for (std::uint32_t i = slot_high; i < slots; ++i) slot(i) = Slot{};
    clear_index();
    ram_.reset();
    for (std::uint16_t i = 0; i < slot_high; ++i) {
      if (!slot(i).used()) continue;
      typename RamAllocator::Fit fit;
      if (!ram_.find_at(slot(i).block, slot(i).granules(), fit)) return false;
      ram_.take_at(fit, slot(i).block, slot(i).granules());
      ++c.slots_used;
      if (slot(i).dirty()) c.dirty_bytes += slot(i).size_bytes();
      link(i);
    }
    return true;
  }

 private:
  void clear_index() {
    for (std::uint32_t i = 0; i < arena_.geometry().buckets; ++i) arena_.bucket(i) = kNone;
  }
  void count_in(std::uint16_t index) {
    Control& c = control();
    ++c.slots_used;
    if (index >= c.slot_high) c.slot_high = static_cast<std::uint16_t>(index + 1U);
    if (slot(index).dirty()) c.dirty_bytes += slot(index).size_bytes();
  }
  // The link that leads to slot `index`, or would in ascending order.
  std::uint16_t& link_to(std::uint16_t index) {
    std::uint16_t* at = &arena_.bucket(arena_.geometry().bucket_of(slot(index).home()));
    while (*at != kNone && *at < index) {
      platform_.charge(Work::step, 1);
      at = &arena_.chain(*at);
    }
    return *at;
  }
  void link(std::uint16_t index) {
    std::uint16_t& at = link_to(index);
    arena_.chain(index) = at;
    at = index;
  }
  void unlink(std::uint16_t index) {
    link_to(index) = arena_.chain(index);
    arena_.chain(index) = kNone;
  }

  Arena arena_;
  P& platform_;
  RamAllocator ram_;
};

}  // namespace brownout::heap
