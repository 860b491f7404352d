// From the names of modules in a scenario to the types of a heap.
#pragma once

#include "heap/policies/clock.hpp"
#include "heap/policies/in_order.hpp"
#include "heap/policies/round_robin.hpp"
#include "heap/ram_allocators/buddy.hpp"
#include "heap/ram_allocators/linked_list.hpp"
#include "heap/slots/compact.hpp"
#include "heap/slots/standard.hpp"
#include "heap/store_allocators/block.hpp"
#include "heap/store_allocators/buddy.hpp"
#include "heap/store_allocators/linked_list.hpp"
#include "sim/firmware/memories/chosen_checksum.hpp"
#include "sim/firmware/memory_options.hpp"

namespace brownout::sim::firmware {

template <class SlotType, template <class> class Ram, template <class, class> class Store, class PolicyType>
struct Modules {
  using Slot = SlotType;
  template <class P>
  using RamAllocator = Ram<P>;
  template <class P, class Gateway>
  using StoreAllocator = Store<P, Gateway>;
  using Policy = PolicyType;
  template <class P>
  using Checksum = ChosenChecksum<P>;
};

// Standard slots and the RAM allocator: what is left is the store allocator.
template <template <class> class Ram, class PolicyType, class Use>
auto with_store_of(const MemoryOptions& options, Use use) {
  using heap::StandardSlot;
  switch (options.store_allocator) {
    case StoreAllocatorKind::buddy:
      return use.template operator()<Modules<StandardSlot, Ram, heap::BuddyStore, PolicyType>>();
    case StoreAllocatorKind::block:
      return use.template operator()<Modules<StandardSlot, Ram, heap::BlockStore, PolicyType>>();
    case StoreAllocatorKind::linked_list: break;
  }
  return use.template operator()<Modules<StandardSlot, Ram, heap::LinkedListStore, PolicyType>>();
}

// Calls use.template operator()<Modules>() with the chosen modules. Compact slots are for buddy and buddy,
// which the scenario has checked.
template <class PolicyType, class Use>
auto with_modules_of(const MemoryOptions& options, Use use) {
  if (options.slots == SlotKind::compact) {
    using Compact = Modules<heap::CompactSlot, heap::BuddyRam, heap::BuddyStore, PolicyType>;
    return use.template operator()<Compact>();
  }
  if (options.ram_allocator == RamAllocatorKind::linked_list) {
    return with_store_of<heap::LinkedListRam, PolicyType>(options, use);
  }
  return with_store_of<heap::BuddyRam, PolicyType>(options, use);
}

}  // namespace brownout::sim::firmware
