// Policy: which object to flush or to unload next. In order: the lowest slot that qualifies.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"

namespace brownout::heap {

template <Platform P>
class InOrder {
 public:
  // The first slot that is dirty and may be written back (no mutable borrow); kNone if there is none.
  static std::uint16_t next_to_flush(const Arena& arena, P& platform) {
    return first(arena, platform,
                 [](const Slot& slot) { return slot.dirty() && slot.borrows() != Slot::kWriter; });
  }
  // The first slot that nobody borrows; kNone if there is none.
  static std::uint16_t next_to_unload(const Arena& arena, P& platform) {
    return first(arena, platform, [](const Slot& slot) { return slot.borrows() == 0; });
  }

 private:
  template <class Qualifies>
  static std::uint16_t first(const Arena& arena, P& platform, Qualifies qualifies) {
    for (std::uint16_t i = 0; i < arena.control().slot_high; ++i) {
      platform.charge(Work::step, 1);
      if (arena.slot(i).used() && qualifies(arena.slot(i))) return i;
    }
    return kNone;
  }
};

}  // namespace brownout::heap
