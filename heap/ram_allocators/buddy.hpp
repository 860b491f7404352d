// RAM allocator: buddy system. A block is a power of two of leaves, aligned to its size as counted from the
// first granule. A block and its buddy, the other half of the next larger block, are joined when both are
// free. The RAM need not be a power of two: what would lie beyond its end counts as allocated.
//
// A block is rounded up to a power of two of leaves, which loses up to a half of it; all sizes here are in
// granules of 8 bytes and are those asked for, the rounding is the allocator's own. Free blocks are the
// largest aligned ones that have nothing allocated in them, so they are a function of what is allocated. They
// are linked in order of addresses, in one list for all sizes: a list a size would cost RAM, and a search
// through all of them.
//
//   reset          O(log RAM)
//   find           O(free blocks): a step for each, less if a block has just the right size
//   find_at        O(free blocks up to there)
//   find_return    O(free blocks up to there): at most two steps for each
//   take           O(log RAM): a half each time that a block is split, one link and the control are written
//   give_back      O(1): one free block, one link and the control are written
//   RAM            none: links and lengths lie in the free blocks
#pragma once

#include <bit>
#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"

namespace brownout::heap {

template <Platform P>
class BuddyRam {
 public:
  static constexpr std::uint32_t kId = 0x4252;
  static constexpr bool kPowersOfTwo = true;  // of blocks

  // What a search found, for take() or give_back(). Numbers and sizes are in granules.
  struct Place {
    std::uint16_t block = 0;     // to be allocated or freed
    std::uint16_t granules = 0;  // rounded up
    std::uint16_t whole = 0;     // the free block that it is a part of: before take(), after give_back()
    std::uint16_t whole_granules = 0;
    std::uint16_t before = 0;  // the free block before the whole in the list, 0: it is the first
    std::uint16_t next = 0;    // the one behind the whole, 0: it is the last
  };

  BuddyRam(Arena arena, P& platform) : arena_(arena), platform_(platform) {}

  // Frees everything: the largest aligned blocks from the first granule on, which are the powers of two that
  // the number of granules is the sum of. O(log RAM).
  void reset() {
    Control& control = arena_.control();
    const std::uint32_t granules = arena_.geometry().object_granules();
    std::uint16_t next = 0;
    for (std::uint32_t rest = granules; rest != 0;) {
      const std::uint32_t size = lowest_bit(rest);
      rest -= size;
      next = link_in(first() + rest, size, next);
    }
    control.free_head = next;
    control.free_granules = narrow(granules);
  }

  // Best fit: the beginning of the smallest free block that is large enough, of the lowest among equals.
  // False: there is none. O(free blocks).
  [[nodiscard]] bool find(std::uint32_t granules, Place& place) const {
    const std::uint32_t size = rounded(granules);
    std::uint32_t best = kNoSize;
    std::uint16_t before = 0;
    for (std::uint16_t at = arena_.control().free_head; at != 0 && best != size;
         at = arena_.free_block(at).next) {
      platform_.charge(Work::step, 1);
      const std::uint32_t found = arena_.free_block(at).granules;
      if (found >= size && found < best) {
        best = found;
        place = part_of(at, before, at, size);
      }
      before = at;
    }
    return best != kNoSize;
  }

  // The block of that size that begins at `block`. False: it is not all free, not of RAM, or no block of that
  // size may begin there. O(free blocks).
  [[nodiscard]] bool find_at(std::uint32_t block, std::uint32_t granules, Place& place) const {
    const std::uint32_t size = rounded(granules);
    if (((block - first()) & (size - 1)) != 0) return false;
    std::uint16_t before = 0;
    for (std::uint16_t at = arena_.control().free_head; at != 0 && at <= block;
         at = arena_.free_block(at).next) {
      platform_.charge(Work::step, 1);
      if (block + size <= std::uint32_t{at} + arena_.free_block(at).granules) {
        place = part_of(at, before, block, size);
        return true;
      }
      before = at;
    }
    return false;
  }

  // Allocates what find() or find_at() found; the halves split off stay free. O(log RAM).
  void take(const Place& place) {
    // A halving is half a step.
    platform_.charge(Work::step, (width(place.whole_granules) - width(place.granules) + 1) / 2);
    if (place.block == place.whole) {
      take_beginning(place);
    } else {
      take_inside(place);
    }
    Control& control = arena_.control();
    control.free_granules = narrow(control.free_granules - place.granules);
  }

  // Where the allocated block of that size at `block` goes: what it is once it is joined with its buddy, that
  // with its own, and so on; and between which free blocks that is. O(free blocks).
  void find_return(std::uint32_t block, std::uint32_t granules, Place& place) const {
    const std::uint32_t size = rounded(granules);
    std::uint32_t lower_buddies = 0;  // a bit for each size of which there is one to join with
    std::uint16_t before = 0;
    std::uint16_t next = arena_.control().free_head;
    while (next != 0 && next < block) {
      platform_.charge(Work::step, 1);
      const std::uint32_t below = arena_.free_block(next).granules;
      if (next == buddy(block, below)) lower_buddies |= below;
      before = next;
      next = arena_.free_block(next).next;
    }
    // An upper buddy can only be the next free block: all that lies between is in the block already.
    std::uint32_t whole = block;
    std::uint32_t whole_size = size;
    for (;; whole_size *= 2) {
      const std::uint32_t other = buddy(whole, whole_size);
      if (other < whole) {
        if ((lower_buddies & whole_size) == 0) break;
        whole = other;
      } else {
        if (other != next || arena_.free_block(next).granules != whole_size) break;
        platform_.charge(Work::step, 1);
        next = arena_.free_block(next).next;
      }
    }
    place = {.block = narrow(block),
             .granules = narrow(size),
             .whole = narrow(whole),
             .whole_granules = narrow(whole_size),
             .before = whole == block ? before : last_below(whole),
             .next = next};
  }

  // Frees what find_return() was asked for. O(1).
  void give_back(const Place& place) {
    link(place.before, link_in(place.whole, place.whole_granules, place.next));
    Control& control = arena_.control();
    control.free_granules = narrow(control.free_granules + place.granules);
  }

 private:
  static constexpr std::uint32_t kNoSize = 0xFFFF'FFFFU;

  static constexpr std::uint16_t narrow(std::uint32_t n) { return static_cast<std::uint16_t>(n); }
  static constexpr std::uint32_t lowest_bit(std::uint32_t n) { return n & (~n + 1U); }

  // Of a power of two: its exponent and one.
  static constexpr std::uint32_t width(std::uint32_t n) {
    return static_cast<std::uint32_t>(std::bit_width(n));
  }

  [[nodiscard]] std::uint32_t first() const { return arena_.geometry().first_granule(); }

  // The size of a block that holds so many granules. O(1).
  [[nodiscard]] std::uint32_t rounded(std::uint32_t granules) const {
    const std::uint32_t leaf = arena_.geometry().leaf_granules;
    return granules <= leaf ? leaf : std::bit_ceil(granules);
  }

  // The buddy of the block of that size in which granule `within` lies; it may lie beyond the end. O(1).
  [[nodiscard]] std::uint32_t buddy(std::uint32_t within, std::uint32_t size) const {
    return first() + (((within - first()) & ~(size - 1)) ^ size);
  }

  // So many granules at `block`, a part of the free block `whole`. O(1).
  [[nodiscard]] Place part_of(std::uint16_t whole, std::uint16_t before, std::uint32_t block,
                              std::uint32_t size) const {
    const FreeBlock free = arena_.free_block(whole);
    return {.block = narrow(block),
            .granules = narrow(size),
            .whole = whole,
            .whole_granules = free.granules,
            .before = before,
            .next = free.next};
  }

  // The last free block below that granule, 0 if there is none. O(free blocks).
  [[nodiscard]] std::uint16_t last_below(std::uint32_t granule) const {
    std::uint16_t last = 0;
    for (std::uint16_t at = arena_.control().free_head; at != 0 && at < granule;
         at = arena_.free_block(at).next) {
      platform_.charge(Work::step, 1);
      last = at;
    }
    return last;
  }

  // What find() found: all halves are above it.
  void take_beginning(const Place& place) {
    std::uint16_t next = place.next;
    for (std::uint32_t size = place.whole_granules / 2U; size >= place.granules; size /= 2)
      next = link_in(std::uint32_t{place.block} + size, size, next);
    link(place.before, next);
  }

  // What find_at() found. From the highest address to the lowest, so that each half is linked to the one
  // above it: the halves above the block, the largest first, then those below it, the smallest first.
  void take_inside(const Place& place) {
    std::uint16_t next = place.next;
    for (std::uint32_t size = place.whole_granules / 2U; size >= place.granules; size /= 2) {
      const std::uint32_t half = buddy(place.block, size);
      if (half > place.block) next = link_in(half, size, next);
    }
    for (std::uint32_t size = place.granules; size < place.whole_granules; size *= 2) {
      const std::uint32_t half = buddy(place.block, size);
      if (half < place.block) next = link_in(half, size, next);
    }
    link(place.before, next);
  }

  // Writes a free block that `next` follows in the list, and gives its number. O(1).
  std::uint16_t link_in(std::uint32_t block, std::uint32_t size, std::uint16_t next) {
    arena_.free_block(block) = {.next = next, .granules = narrow(size)};
    return narrow(block);
  }

  // Makes `next` follow `before` in the list (0: makes it the first). O(1).
  void link(std::uint16_t before, std::uint16_t next) {
    if (before == 0) {
      arena_.control().free_head = next;
    } else {
      arena_.free_block(before).next = next;
    }
  }

  Arena arena_;
  P& platform_;
};

}  // namespace brownout::heap
