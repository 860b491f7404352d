// Policy: round robin. Goes on behind the slot chosen last, with one hand for flushing and one for unloading.
//
// Every other dirty object is flushed before one is flushed again. So when accesses move on to another
// cluster of objects, the old ones are flushed once each, and then no more is, provided that the cluster fits
// the dirty limit. How often or how recently an object was used does not count; see Clock.
//
//   next_to_flush, next_to_unload   O(slots): a step a slot up to the one found, one round at most
//   policy_state                    both hands, 16 bits each; the referenced bits are not used
#pragma once

#include <cstdint>

#include "heap/policies/policy.hpp"

namespace brownout::heap {

class RoundRobin {
 public:
  static constexpr std::uint32_t kId = 0x5252;
  static constexpr bool kReferenced = false;

  // The first slot from the flush hand on that may be flushed; the hand moves behind it. kNone: there is none
  // (the hand stays). O(slots).
  template <class A, Platform P>
  static std::uint16_t next_to_flush(const A& arena, P& platform) {
    return next(arena, platform, kFlushShift, [](const auto& slot) { return may_flush(slot); });
  }
  // The first slot from the unload hand on that may be unloaded; the hand moves behind it. kNone: there is
  // none (the hand stays). O(slots).
  template <class A, Platform P>
  static std::uint16_t next_to_unload(const A& arena, P& platform) {
    return next(arena, platform, kUnloadShift, [](const auto& slot) { return may_unload(slot); });
  }

 private:
  static constexpr std::uint32_t kFlushShift = 0;
  static constexpr std::uint32_t kUnloadShift = 16;

  template <class A, Platform P, class Qualifies>
  static std::uint16_t next(const A& arena, P& platform, std::uint32_t shift, Qualifies qualifies) {
    const std::uint32_t slots = arena.slots();
    std::uint32_t at = arena.control().policy_state >> shift & 0xFFFFU;
    for (std::uint32_t left = slots; left != 0; --left, ++at) {
      platform.charge(Work::step, 1);
      if (at >= slots) at = 0;
      if (qualifies(arena.slot(at))) {
        move_hand(arena, shift, at + 1);
        return static_cast<std::uint16_t>(at);
      }
    }
    return kNone;
  }

  // Both hands are stored as one word: the persist interrupt may strike between any two stores.
  template <class A>
  static void move_hand(const A& arena, std::uint32_t shift, std::uint32_t slot) {
    std::uint32_t& hands = arena.control().policy_state;
    hands = (hands & ~(std::uint32_t{0xFFFF} << shift)) | slot << shift;
  }
};

}  // namespace brownout::heap
