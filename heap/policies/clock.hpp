// Policy: clock (second chance). The hand goes round the slots; one that qualifies, but whose object was
// borrowed since the hand last passed, is passed over once and its referenced bit cleared.
//
// Objects used all the time stay dirty and resident, while those used once go: what LRU is for, at a bit a
// slot. Flushing and unloading have a hand each. They share the bits: each clears them only in the slots that
// it could have chosen, so a borrow protects an object from the hand that comes first.
//
//   next_to_flush, next_to_unload   O(slots): a step a slot up to the one found, two rounds at most
//   policy_state                    both hands, 16 bits each
//   referenced bits                 used: a bit a slot more in every checkpoint
#pragma once

#include <cstdint>

#include "heap/policies/policy.hpp"

namespace brownout::heap {

class Clock {
 public:
  static constexpr std::uint32_t kId = 0x4B43;
  static constexpr bool kReferenced = true;

  // From the flush hand on, the first slot that may be flushed and is not referenced (any more); the hand
  // moves behind it. kNone: there is none (the hand stays). O(slots).
  template <class A, Platform P>
  static std::uint16_t next_to_flush(const A& arena, P& platform) {
    return next(arena, platform, kFlushShift, [](const auto& slot) { return may_flush(slot); });
  }
  // From the unload hand on, the first slot that may be unloaded and is not referenced (any more); the hand
  // moves behind it. kNone: there is none (the hand stays). O(slots).
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
    // The first round clears the bits of all that qualify, so the second finds one, if there is one.
    for (std::uint32_t left = 2 * slots; left != 0; --left, ++at) {
      platform.charge(Work::step, 1);
      if (at >= slots) at = 0;
      auto& slot = arena.slot(at);
      if (!qualifies(slot)) continue;
      if (slot.referenced()) {
        slot.set_referenced(false);
        continue;
      }
      move_hand(arena, shift, at + 1);
      return static_cast<std::uint16_t>(at);
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
