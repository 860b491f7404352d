// The order in which an image has its pieces: slots, dirty bits, dirty data, each by ascending slot.
#pragma once

#include <cstdint>

#include "heap/residents.hpp"

namespace brownout::heap {

// Runs of neighbouring slots of which is_in(index) is true, where they lie. Moves `index` behind the run;
// false at the end. A step a slot.
template <Platform P, Slot S, class IsIn>
bool next_slots(const SlotArena<S>& arena, P& platform, std::uint32_t& index, IsIn is_in,
                MutableBytes& piece) {
  const std::uint32_t begin = index;
  while (index < arena.slots() && !is_in(index)) ++index;
  const std::uint32_t first = index;
  while (index < arena.slots() && is_in(index)) ++index;
  platform.charge(Work::step, index - begin);
  if (index == first) return false;
  piece = {reinterpret_cast<std::byte*>(&arena.slot(first)),
           (index - first) * static_cast<std::uint32_t>(sizeof(S))};
  return true;
}

// Dirty bits of the objects that have some. A step a slot.
template <Platform P, Slot S>
class BitsWalk {
 public:
  BitsWalk(const SlotArena<S>& arena, P& platform) : arena_(arena), platform_(platform) {}
  bool next(MutableBytes& piece) {
    while (index_ < arena_.slots()) {
      const S& slot = arena_.slot(index_++);
      platform_.charge(Work::step, 1);
      if (!slot.used() || !slot.dirty() || !slot.partial()) continue;
      piece = DirtyBits(arena_, slot).memory();
      return true;
    }
    return false;
  }

 private:
  const SlotArena<S>& arena_;
  P& platform_;
  std::uint32_t index_ = 0;
};

// Dirty data: objects, and runs of dirty blocks of objects that are dirty in parts. A step a slot and a run.
template <Platform P, Slot S>
class DataWalk {
 public:
  DataWalk(const SlotArena<S>& arena, P& platform) : arena_(arena), platform_(platform) {}
  bool next(MutableBytes& piece) {
    while (index_ < arena_.slots()) {
      const S& slot = arena_.slot(index_);
      platform_.charge(Work::step, 1);
      if (slot.used() && slot.dirty()) {
        if (!slot.partial()) {
          piece = {arena_.data(slot), slot.granules(arena_.geometry()) * kGranule};
          ++index_;
          return true;
        }
        std::uint32_t offset = 0;
        if (DirtyBits(arena_, slot).next_run(block_, offset, piece.size)) {
          piece.data = arena_.data(slot) + offset;
          return true;
        }
      }
      ++index_;
      block_ = 0;
    }
    return false;
  }

 private:
  const SlotArena<S>& arena_;
  P& platform_;
  std::uint32_t index_ = 0;
  std::uint32_t block_ = 0;
};

}  // namespace brownout::heap
