// Policy: the lowest slot that qualifies. Keeps nothing, so a checkpoint is as small as it gets.
//
// A slot's number says nothing about when its object was used. As long as all objects that a stretch of the
// program writes fit the dirty limit together with what was dirty before it, that is all the same; if they do
// not, objects in low slots are flushed and dirtied again in turn while others stay dirty (thrashing).
//
//   next_to_flush, next_to_unload   O(slots): a step a slot up to the one found
//   policy_state, referenced bits   not used
#pragma once

#include <cstdint>

#include "heap/policies/policy.hpp"

namespace brownout::heap {

class InOrder {
 public:
  static constexpr std::uint32_t kId = 0x4F49;
  static constexpr bool kReferenced = false;

  // The lowest slot that may be flushed; kNone: there is none. O(slots).
  template <class A, Platform P>
  static std::uint16_t next_to_flush(const A& arena, P& platform) {
    return lowest(arena, platform, [](const auto& slot) { return may_flush(slot); });
  }
  // The lowest slot that may be unloaded; kNone: there is none. O(slots).
  template <class A, Platform P>
  static std::uint16_t next_to_unload(const A& arena, P& platform) {
    return lowest(arena, platform, [](const auto& slot) { return may_unload(slot); });
  }

 private:
  template <class A, Platform P, class Qualifies>
  static std::uint16_t lowest(const A& arena, P& platform, Qualifies qualifies) {
    for (std::uint32_t at = 0; at < arena.slots(); ++at) {
      platform.charge(Work::step, 1);
      if (qualifies(arena.slot(at))) return static_cast<std::uint16_t>(at);
    }
    return kNone;
  }
};

}  // namespace brownout::heap
