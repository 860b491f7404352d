// RAM allocator: first fit over an address-ordered, fully coalesced free list, in granules of 8 bytes.
//
// A block takes as many granules as were asked for, and no fit is refused for what it leaves over: a single
// granule has room for its own link. What is lost is lost to fragmentation between the blocks only.
//
//   reset                        O(1)
//   find, find_at, find_return   O(free blocks): a step for each
//   take, give_back              O(1): at most two free blocks, one link and the control are written
//   RAM                          none: links and lengths lie in the free blocks
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"

namespace brownout::heap {

template <Platform P>
class LinkedListRam {
 public:
  static constexpr std::uint32_t kId = 0x4C52;
  static constexpr bool kPowersOfTwo = false;  // of blocks

  // What a search found, for take() or give_back(). Numbers and sizes are in granules.
  struct Place {
    std::uint16_t block = 0;  // to be allocated or freed
    std::uint16_t granules = 0;
    std::uint16_t whole = 0;  // the free block that it is a part of: before take(), after give_back()
    std::uint16_t whole_granules = 0;
    std::uint16_t before = 0;  // the free block before the whole in the list, 0: it is the first
    std::uint16_t next = 0;    // the one behind the whole, 0: it is the last
  };

  LinkedListRam(Arena arena, P& platform) : arena_(arena), platform_(platform) {}

  // Frees everything: one block from the first granule to the end. O(1).
  void reset() {
    Control& control = arena_.control();
    const std::uint32_t first = arena_.geometry().first_granule();
    // 512 KiB are 65,536 granules; the structures take at least one of them, so the count fits.
    const std::uint16_t granules = narrow(arena_.geometry().object_granules());
    arena_.free_block(first) = {.next = 0, .granules = granules};
    control.free_head = narrow(first);
    control.free_granules = granules;
  }

  // First fit: the first `granules` of the lowest free block that has as many. False: there is none.
  // O(free blocks).
  [[nodiscard]] bool find(std::uint32_t granules, Place& place) const {
    std::uint16_t before = 0;
    for (std::uint16_t at = arena_.control().free_head; at != 0; at = arena_.free_block(at).next) {
      platform_.charge(Work::step, 1);
      if (arena_.free_block(at).granules >= granules) {
        place = part_of(at, before, at, granules);
        return true;
      }
      before = at;
    }
    return false;
  }

  // The granules [block, block + granules). False: they are not all free, or not of RAM. O(free blocks).
  [[nodiscard]] bool find_at(std::uint32_t block, std::uint32_t granules, Place& place) const {
    std::uint16_t before = 0;
    for (std::uint16_t at = arena_.control().free_head; at != 0 && at <= block;
         at = arena_.free_block(at).next) {
      platform_.charge(Work::step, 1);
      if (block + granules <= std::uint32_t{at} + arena_.free_block(at).granules) {
        place = part_of(at, before, block, granules);
        return true;
      }
      before = at;
    }
    return false;
  }

  // Allocates what find() or find_at() found; what is left over below and above stays free. O(1).
  void take(const Place& place) {
    const std::uint32_t end = std::uint32_t{place.block} + place.granules;
    const std::uint32_t whole_end = std::uint32_t{place.whole} + place.whole_granules;
    std::uint16_t next = place.next;
    if (end < whole_end) {
      arena_.free_block(end) = {.next = next, .granules = narrow(whole_end - end)};
      next = narrow(end);
    }
    if (place.whole < place.block) {
      arena_.free_block(place.whole) = {.next = next, .granules = narrow(place.block - place.whole)};
      next = place.whole;
    }
    link(place.before, next);
    Control& control = arena_.control();
    control.free_granules = narrow(control.free_granules - place.granules);
  }

  // Where the allocated granules [block, block + granules) go: between which free blocks, and with which of
  // them they are joined. O(free blocks).
  void find_return(std::uint32_t block, std::uint32_t granules, Place& place) const {
    std::uint16_t before = 0;
    std::uint16_t before_that = 0;
    std::uint16_t next = arena_.control().free_head;
    while (next != 0 && next < block) {
      platform_.charge(Work::step, 1);
      before_that = before;
      before = next;
      next = arena_.free_block(next).next;
    }
    std::uint32_t whole = block;
    std::uint32_t end = block + granules;
    if (end == next) {
      platform_.charge(Work::step, 1);
      end += arena_.free_block(next).granules;
      next = arena_.free_block(next).next;
    }
    if (before != 0 && std::uint32_t{before} + arena_.free_block(before).granules == block) {
      whole = before;
      before = before_that;
    }
    place = {.block = narrow(block),
             .granules = narrow(granules),
             .whole = narrow(whole),
             .whole_granules = narrow(end - whole),
             .before = before,
             .next = next};
  }

  // Frees what find_return() was asked for. O(1).
  void give_back(const Place& place) {
    arena_.free_block(place.whole) = {.next = place.next, .granules = place.whole_granules};
    link(place.before, place.whole);
    Control& control = arena_.control();
    control.free_granules = narrow(control.free_granules + place.granules);
  }

 private:
  static constexpr std::uint16_t narrow(std::uint32_t n) { return static_cast<std::uint16_t>(n); }

  // So many granules at `block`, a part of the free block `whole`. O(1).
  [[nodiscard]] Place part_of(std::uint16_t whole, std::uint16_t before, std::uint32_t block,
                              std::uint32_t granules) const {
    const FreeBlock free = arena_.free_block(whole);
    return {.block = narrow(block),
            .granules = narrow(granules),
            .whole = whole,
            .whole_granules = free.granules,
            .before = before,
            .next = free.next};
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
