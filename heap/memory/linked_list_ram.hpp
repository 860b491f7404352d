// RAM allocator: first fit over an address-ordered, fully coalesced free list, in granules of 8 bytes.
//
// Blocks carry no header (the slot knows their size) and no fit is refused for what it would leave over.
// The list is canonical: it is a function of the set of allocated blocks alone. So it is not saved: the
// restore rebuilds it from the slots, and an interrupted search goes on in the very list it began in.
// Each search only reads; each change is O(1), for a critical section.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"

namespace brownout::heap {

template <Platform P>
class LinkedListRam {
 public:
  // A free block that is large enough, and the one before it in the list (0: the head).
  struct Fit {
    std::uint16_t before = 0;
    std::uint16_t block = 0;
  };

  LinkedListRam(Arena arena, P& platform) : arena_(arena), platform_(platform) {}

  // One free block from the first granule after the structures to the end of RAM.
  void reset() {
    Control& control = arena_.control();
    const std::uint32_t first = arena_.geometry().objects_offset / kGranule;
    const std::uint32_t end = arena_.geometry().config.ram_bytes / kGranule;
    control.free_head = narrow(first);
    // 512 KiB are 65,536 granules; the structures take at least one of them, so the count fits.
    control.free_granules = narrow(end - first);
    arena_.free_block(first) = {0, narrow(end - first)};
  }

  // First fit. O(free blocks). False if there is none.
  [[nodiscard]] bool find(std::uint32_t granules, Fit& fit) const {
    fit.before = 0;
    for (std::uint16_t at = arena_.control().free_head; at != 0; at = arena_.free_block(at).next) {
      platform_.charge(Work::step, 1);
      if (arena_.free_block(at).granules >= granules) {
        fit.block = at;
        return true;
      }
      fit.before = at;
    }
    return false;
  }

  // Takes the first granules of a block that find() returned. O(1).
  void take(Fit fit, std::uint32_t granules) { take_at(fit, fit.block, granules); }

  // The free block that contains [block, block + granules). O(free blocks). False if it is not free.
  [[nodiscard]] bool find_at(std::uint32_t block, std::uint32_t granules, Fit& fit) const {
    fit.before = before(block + 1);
    fit.block = fit.before;
    if (fit.block == 0) return false;
    const std::uint32_t end = std::uint32_t{fit.block} + arena_.free_block(fit.block).granules;
    fit.before = before(fit.block);
    return block + granules <= end;
  }

  // Takes [block, block + granules) out of the free block `fit`, which contains it. O(1).
  void take_at(Fit fit, std::uint32_t block, std::uint32_t granules) {
    const FreeBlock whole = arena_.free_block(fit.block);
    const std::uint32_t end = std::uint32_t{fit.block} + whole.granules;
    std::uint16_t next = whole.next;
    if (block + granules < end) {
      const std::uint16_t rest = narrow(block + granules);
      arena_.free_block(rest) = {next, narrow(end - block - granules)};
      next = rest;
    }
    if (block > fit.block) {
      arena_.free_block(fit.block) = {next, narrow(block - fit.block)};
    } else {
      link(fit.before, next);
    }
    arena_.control().free_granules = narrow(arena_.control().free_granules - granules);
  }

  // The last free block below `granule`, 0 if none: where a freed block is to be linked in. O(free blocks).
  [[nodiscard]] std::uint16_t before(std::uint32_t granule) const {
    std::uint16_t last = 0;
    for (std::uint16_t at = arena_.control().free_head; at != 0 && at < granule;
         at = arena_.free_block(at).next) {
      platform_.charge(Work::step, 1);
      last = at;
    }
    return last;
  }

  // Links a block in behind `previous` (from before()) and joins it with its neighbours. O(1).
  void give_back(std::uint16_t previous, std::uint32_t block, std::uint32_t granules) {
    Control& control = arena_.control();
    control.free_granules = narrow(control.free_granules + granules);
    std::uint32_t begin = block;
    std::uint32_t size = granules;
    std::uint16_t next = previous == 0 ? control.free_head : arena_.free_block(previous).next;
    if (next != 0 && block + granules == next) {
      size += arena_.free_block(next).granules;
      next = arena_.free_block(next).next;
    }
    if (previous != 0 && std::uint32_t{previous} + arena_.free_block(previous).granules == block) {
      begin = previous;
      size += arena_.free_block(previous).granules;
    } else {
      link(previous, narrow(block));
    }
    arena_.free_block(begin) = {next, narrow(size)};
  }

 private:
  static std::uint16_t narrow(std::uint32_t n) { return static_cast<std::uint16_t>(n); }
  void link(std::uint16_t previous, std::uint16_t next) {
    if (previous == 0) {
      arena_.control().free_head = next;
    } else {
      arena_.free_block(previous).next = next;
    }
  }

  Arena arena_;
  P& platform_;
};

}  // namespace brownout::heap
