// From the names of modules in a scenario to the types of a heap.
#pragma once

#include "heap/checksum.hpp"
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
  using Checksum = heap::NibbleChecksum<P>;
};

// Calls use.template operator()<Modules>() with the chosen modules. Compact slots are for buddy and buddy,
// which the scenario has checked.
template <class PolicyType, class Use>
auto with_modules_of(const MemoryOptions& options, Use use) {
  using heap::BlockStore;
  using heap::BuddyRam;
  using heap::BuddyStore;
  using heap::LinkedListRam;
  using heap::LinkedListStore;
  using heap::StandardSlot;
  if (options.slots == SlotKind::compact) {
    return use.template operator()<Modules<heap::CompactSlot, BuddyRam, BuddyStore, PolicyType>>();
  }
  const bool list = options.ram_allocator == RamAllocatorKind::linked_list;
  switch (options.store_allocator) {
    case StoreAllocatorKind::buddy:
      return list ? use.template operator()<Modules<StandardSlot, LinkedListRam, BuddyStore, PolicyType>>()
                  : use.template operator()<Modules<StandardSlot, BuddyRam, BuddyStore, PolicyType>>();
    case StoreAllocatorKind::block:
      return list ? use.template operator()<Modules<StandardSlot, LinkedListRam, BlockStore, PolicyType>>()
                  : use.template operator()<Modules<StandardSlot, BuddyRam, BlockStore, PolicyType>>();
    case StoreAllocatorKind::linked_list: break;
  }
  return list ? use.template operator()<Modules<StandardSlot, LinkedListRam, LinkedListStore, PolicyType>>()
              : use.template operator()<Modules<StandardSlot, BuddyRam, LinkedListStore, PolicyType>>();
}

}  // namespace brownout::sim::firmware
