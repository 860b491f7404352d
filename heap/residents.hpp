// The objects in RAM: their slots, their blocks, and the way from a home to its slot.
//
// The slots are a hash table of their own: an object whose main position is free or taken by an object that
// belongs elsewhere gets it, the other one moves; all others of a main position hang behind it in a chain.
// So a resident object is found in one step or a few, however many there are, without memory beside the
// slots.
//
// Invariant outside critical sections: chains ascend behind their main position, and the free list is the
// complement of all blocks: both are functions of what lies in which slot. The restore depends on it.
#pragma once

#include <cstdint>

#include "heap/platform.hpp"
#include "heap/ram_allocators/ram_allocator.hpp"
#include "heap/slots/slot.hpp"

namespace brownout::heap {

// One bit for each block of a partially dirty object, behind its data.
class DirtyBits {
 public:
  template <Slot S>
  DirtyBits(const SlotArena<S>& arena, const S& slot)
      : words_(reinterpret_cast<std::uint32_t*>(arena.data(slot) +
                                                data_granules(slot, arena.geometry()) * kGranule)),
        data_granules_(data_granules(slot, arena.geometry())) {}

  [[nodiscard]] std::uint32_t blocks() const {
    return (data_granules_ + kDirtyBlockGranules - 1) / kDirtyBlockGranules;
  }
  [[nodiscard]] bool test(std::uint32_t block) const { return (words_[block / 32] >> block % 32 & 1U) != 0; }
  // Those of [first, end), a word at a time. Returns the number of words.
  std::uint32_t set(std::uint32_t first, std::uint32_t end) {
    std::uint32_t words = 0;
    for (std::uint32_t at = first; at < end; ++words) {
      const std::uint32_t next = at / 32 * 32 + 32 < end ? at / 32 * 32 + 32 : end;
      const std::uint32_t below_next = next % 32 == 0 ? 0xFFFF'FFFFU : (std::uint32_t{1} << next % 32) - 1U;
      words_[at / 32] |= below_next & ~((std::uint32_t{1} << at % 32) - 1U);
      at = next;
    }
    return words;
  }
  // Of one block; the last one may be short.
  [[nodiscard]] std::uint32_t bytes_of(std::uint32_t block) const {
    const std::uint32_t left = data_granules_ - block * kDirtyBlockGranules;
    return (left < kDirtyBlockGranules ? left : kDirtyBlockGranules) * kGranule;
  }
  // What is dirty from `block` on, as far as it is in one piece. Moves `block` behind it; false at the end.
  bool next_run(std::uint32_t& block, std::uint32_t& offset_bytes, std::uint32_t& size_bytes) const {
    while (block < blocks() && !test(block)) ++block;
    if (block >= blocks()) return false;
    offset_bytes = block * kDirtyBlockBytes;
    for (size_bytes = 0; block < blocks() && test(block); ++block) size_bytes += bytes_of(block);
    return true;
  }
  [[nodiscard]] MutableBytes memory() const {
    return {reinterpret_cast<std::byte*>(words_), dirty_bits_for(data_granules_) * kGranule};
  }

 private:
  std::uint32_t* words_;
  std::uint32_t data_granules_;
};

// What a slot's object adds to an image beside the slot: its dirty bytes and their bits.
template <Slot S>
std::uint32_t dirty_bytes(const SlotArena<S>& arena, const S& slot) {
  if (!slot.dirty()) return 0;
  const Geometry& geometry = arena.geometry();
  if (!slot.partial()) return slot.granules(geometry) * kGranule;
  const DirtyBits bits(arena, slot);
  std::uint32_t bytes = bits.memory().size;
  for (std::uint32_t block = 0; block < bits.blocks(); ++block) {
    if (bits.test(block)) bytes += bits.bytes_of(block);
  }
  return bytes;
}

template <Platform P, Slot S, RamAllocator A>
class Residents {
 public:
  Residents(SlotArena<S> arena, P& platform)
      : arena_(arena), platform_(platform), ram_(static_cast<const Arena&>(arena), platform) {}

  [[nodiscard]] const SlotArena<S>& arena() const { return arena_; }
  [[nodiscard]] const Geometry& geometry() const { return arena_.geometry(); }
  [[nodiscard]] Control& control() const { return arena_.control(); }
  [[nodiscard]] S& slot(std::uint32_t index) const { return arena_.slot(index); }
  [[nodiscard]] std::byte* data(std::uint32_t index) const { return arena_.data(slot(index)); }

  // No residents, all RAM free, all records vacant.
  void reset() {
    Control& c = control();
    c.residents = 0;
    c.image_bytes = geometry().empty_image_bytes();
    for (std::uint32_t i = 0; i < arena_.slots(); ++i) slot(i) = S::vacant(i, Record::vacant);
    ram_.reset();
  }

  // The slot of a resident object, or kNone. O(1) expected.
  [[nodiscard]] std::uint16_t find(std::uint16_t key) const {
    platform_.charge(Work::step, 1);
    const std::uint16_t main = main_position(key, arena_.slots());
    return slot(main).key() == key ? main : find_behind(main, key);
  }

  [[nodiscard]] bool full() const { return control().residents >= arena_.slots(); }

  // Makes an object resident, as one that is being loaded: it has a writer and is not dirty; there has to be
  // a free slot. False if there is no room in RAM. Costs an image two slots at most. O(free blocks + slots in
  // use behind its main position), the critical section O(log RAM).
  [[nodiscard]] bool enter(std::uint32_t home, std::uint32_t granules, bool partial, std::uint16_t& index) {
    typename A::Place place;
    if (!ram_.find(granules, place)) return false;
    const S entering = S::of(geometry(), home, place.block, granules, partial, S::kWriter);
    const Way way = way_in(entering.key());
    {
      CriticalSection<P> section(platform_);
      ram_.take(place);
      ++control().residents;
      link(way, entering);
    }
    index = way.moves ? way.main : way.free;
    clear_bits(slot(index));
    return true;
  }

  // What leave() would add to an image at most: slots that the store has recorded change.
  [[nodiscard]] std::uint32_t cost_of_leaving(std::uint16_t index) const {
    const std::uint16_t next = slot(index).next();
    const bool at_main = before_in_chain(index) == kNone;
    std::uint32_t slots = slot(index).is_listed() ? 0 : 1;
    if (at_main && next != index && !slot(next).is_listed()) ++slots;
    return slots * slot_bytes();
  }

  // The object of the slot is no longer resident; its content is gone. The objects of other slots may change
  // theirs. O(free blocks), the critical section O(1).
  void leave(std::uint16_t index) {
    const S gone = slot(index);
    typename A::Place place;
    ram_.find_return(gone.block(geometry()), gone.granules(geometry()), place);
    const std::uint32_t bytes = dirty_bytes(arena_, gone);
    const std::uint16_t before = before_in_chain(index);
    CriticalSection<P> section(platform_);
    unlink(before, index);
    --control().residents;
    control().image_bytes -= bytes;
    ram_.give_back(place);
  }

  // Changes flags or borrows of a slot. An image never has more than Control::image_bytes says, in between
  // neither, and the change is in memory when this returns.
  template <class Change>
  void change(std::uint16_t index, Change apply) {
    S& slot = this->slot(index);
    S changed = slot;
    apply(changed);
    const bool was = slot.is_listed();
    const bool is = changed.is_listed();
    if (is && !was) control().image_bytes += slot_bytes();
    compiler_fence();
    apply(slot);
    compiler_fence();
    if (was && !is) control().image_bytes -= slot_bytes();
  }

  // Makes all of an object dirty, or the blocks of [offset, offset + size) of a partially dirty one: O(data /
  // 1 KiB), the critical section O(1). There has to be room for newly_dirty(). An image in between has fewer
  // bits than there will be, of blocks that still are as they are at home, or, while an object is being made,
  // that mean nothing yet.
  void set_dirty(std::uint16_t index, std::uint32_t offset_bytes, std::uint32_t size_bytes) {
    control().image_bytes += newly_dirty(index, offset_bytes, size_bytes);
    {
      CriticalSection<P> section(platform_);
      change(index, [](S& slot) { slot.set_dirty(true); });
    }
    if (!slot(index).partial()) return;
    const Blocks blocks(offset_bytes, size_bytes);
    platform_.charge(Work::step, DirtyBits(arena_, slot(index)).set(blocks.first, blocks.end));
  }
  // What that would add to an image beside the slot.
  [[nodiscard]] std::uint32_t newly_dirty(std::uint16_t index, std::uint32_t offset_bytes,
                                          std::uint32_t size_bytes) const {
    const S& seen = slot(index);
    if (!seen.partial()) return seen.dirty() ? 0 : seen.granules(geometry()) * kGranule;
    const DirtyBits bits(arena_, seen);
    const Blocks blocks(offset_bytes, size_bytes);
    std::uint32_t bytes = seen.dirty() ? 0 : bits.memory().size;
    for (std::uint32_t block = blocks.first; block < blocks.end; ++block) {
      if (!bits.test(block)) bytes += bits.bytes_of(block);
    }
    return bytes;
  }
  // After the object was written home. First the bits: one that is not dirty has none.
  void set_clean(std::uint16_t index) {
    const std::uint32_t bytes = dirty_bytes(arena_, slot(index));
    clear_bits(slot(index));
    change(index, [](S& slot) { slot.set_dirty(false); });
    control().image_bytes -= bytes;
  }
  void clear_bits(const S& slot) {
    if (!slot.partial()) return;
    const MutableBytes bits = DirtyBits(arena_, slot).memory();
    platform_.charge(Work::copied_byte, bits.size);
    __builtin_memset(bits.data, 0, bits.size);
    compiler_fence();
  }

  // Rebuilds chains, free list and counts from the slots, which the caller has read back; their `next` may
  // hold anything. False if they contradict each other. O(slots * free blocks).
  [[nodiscard]] bool rebuild() {
    ram_.reset();
    control().residents = 0;
    for (std::uint32_t i = 0; i < arena_.slots(); ++i) slot(i).set_next(i);
    for (std::uint32_t i = arena_.slots(); i-- > 0;) {
      const S& seen = slot(i);
      if (!seen.used()) continue;
      typename A::Place place;
      if (!ram_.find_at(seen.block(geometry()), seen.granules(geometry()), place)) return false;
      ram_.take(place);
      ++control().residents;
      if (!hang_behind_head(i)) return false;
    }
    return true;
  }

 private:
  struct Blocks {
    Blocks(std::uint32_t offset_bytes, std::uint32_t size_bytes)
        : first(offset_bytes / kDirtyBlockBytes),
          end((offset_bytes + size_bytes + kDirtyBlockBytes - 1) / kDirtyBlockBytes) {}
    std::uint32_t first;
    std::uint32_t end;
  };

  [[gnu::noinline]] [[nodiscard]] std::uint16_t find_behind(std::uint16_t main, std::uint16_t key) const {
    for (std::uint16_t i = main;;) {
      const std::uint16_t next = slot(i).next();
      if (next == i) return kNone;
      platform_.charge(Work::step, 1);
      if (slot(next).key() == key) return next;
      i = next;
    }
  }

  [[nodiscard]] std::uint32_t slot_bytes() const { return static_cast<std::uint32_t>(sizeof(S)); }

  // Where an object goes that enters: to its main position if that is free; else to another free slot, unless
  // the one at its main position does not belong there and moves to that slot.
  struct Way {
    std::uint16_t main = 0;
    std::uint16_t free = 0;              // equal to main if that is free
    std::uint16_t before = kNone;        // behind which the free slot is linked in
    std::uint16_t before_moved = kNone;  // what leads to the one that moves
    bool moves = false;
  };

  Way way_in(std::uint16_t key) const {
    Way way;
    way.main = main_position(key, arena_.slots());
    way.free = way.main;
    if (!slot(way.main).used()) return way;
    while (slot(way.free).used()) {
      platform_.charge(Work::step, 1);
      way.free =
          way.free + 1U == arena_.slots() ? std::uint16_t{0} : static_cast<std::uint16_t>(way.free + 1);
    }
    const std::uint16_t head = main_position(slot(way.main).key(), arena_.slots());
    way.moves = head != way.main;
    if (way.moves) way.before_moved = before_in_chain(way.main);
    // The last one of the chain that comes before the free slot, the one that moves apart.
    way.before = head;
    for (std::uint16_t i = head;;) {
      platform_.charge(Work::step, 1);
      if (i == head || (i < way.free && !(way.moves && i == way.main))) way.before = i;
      const std::uint16_t next = slot(i).next();
      if (next == i) break;
      i = next;
    }
    return way;
  }

  void link(const Way& way, S entering) {
    if (way.free == way.main) {
      put(way.main, entering, way.main);
      return;
    }
    if (way.moves) {
      S moving = slot(way.main);
      take_out(way.before_moved, way.main);
      put_behind(way.before, way.free, moving);
      put(way.main, entering, way.main);
      return;
    }
    put_behind(way.before, way.free, entering);
  }

  void unlink(std::uint16_t before, std::uint16_t index) {
    if (before != kNone) {
      take_out(before, index);
      put(index, S::vacant(index, Record::other), index);
      return;
    }
    const std::uint16_t second = slot(index).next();
    if (second != index) {
      const S moving = slot(second);
      put(index, moving, moving.next() == second ? index : moving.next());
    }
    put(second, S::vacant(second, Record::other), second);
  }

  // What leads to a slot in its chain; kNone if it is at its main position.
  [[nodiscard]] std::uint16_t before_in_chain(std::uint16_t index) const {
    std::uint16_t i = main_position(slot(index).key(), arena_.slots());
    if (i == index) return kNone;
    while (slot(i).next() != index) {
      platform_.charge(Work::step, 1);
      i = slot(i).next();
    }
    return i;
  }

  // Another content for a slot: what the store's record says of it is out of date, unless it says nothing.
  void put(std::uint16_t index, S content, std::uint16_t next) {
    const S old = slot(index);
    content.set_next(next);
    content.set_record(old.record() == Record::vacant ? Record::vacant : Record::other);
    control().image_bytes +=
        (content.is_listed() ? slot_bytes() : 0U) - (old.is_listed() ? slot_bytes() : 0U);
    slot(index) = content;
  }
  void put_behind(std::uint16_t before, std::uint16_t index, const S& content) {
    const std::uint16_t next = slot(before).next();
    put(index, content, next == before ? index : next);
    slot(before).set_next(index);
  }
  void take_out(std::uint16_t before, std::uint16_t index) {
    const std::uint16_t next = slot(index).next();
    slot(before).set_next(next == index ? before : next);
  }

  // For rebuild(), which goes down from the highest slot.
  bool hang_behind_head(std::uint32_t index) {
    const std::uint16_t head = main_position(slot(index).key(), arena_.slots());
    if (head == index) return true;
    if (!slot(head).used() || main_position(slot(head).key(), arena_.slots()) != head) return false;
    const std::uint16_t next = slot(head).next();
    slot(index).set_next(next == head ? index : next);
    slot(head).set_next(index);
    return true;
  }

  SlotArena<S> arena_;
  P& platform_;
  A ram_;
};

}  // namespace brownout::heap
