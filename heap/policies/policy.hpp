// What the heap needs of a policy: which object to flush and which to unload next.
#pragma once

#include <concepts>
#include <cstdint>

#include "heap/platform.hpp"
#include "heap/slots/slot.hpp"

namespace brownout::heap {

// An object may be flushed if it is dirty and has no writer, unloaded if nobody borrows it.
template <Slot S>
constexpr bool may_flush(const S& slot) {
  return slot.used() && slot.dirty() && slot.borrows() != S::kWriter;
}
template <Slot S>
constexpr bool may_unload(const S& slot) {
  return slot.used() && slot.borrows() == 0;
}

//   next_to_flush(arena, platform)   a slot that may_flush(), kNone if there is none
//   next_to_unload(arena, platform)  a slot that may_unload(), kNone if there is none
// Both charge a step a slot that they look at. A policy's memory is Control::policy_state (0 in an empty
// heap) and, if kReferenced, the `referenced` bit of each slot, which the heap sets whenever the object is
// borrowed. Both are part of a checkpoint. Nothing may be kept anywhere else.
template <class T, class Arena, class P>
concept Policy = requires(const Arena& arena, P& platform) {
  { T::kId } -> std::convertible_to<std::uint32_t>;
  { T::kReferenced } -> std::convertible_to<bool>;
  { T::next_to_flush(arena, platform) } -> std::same_as<std::uint16_t>;
  { T::next_to_unload(arena, platform) } -> std::same_as<std::uint16_t>;
};

}  // namespace brownout::heap
