// All combinations of modules that the model tests cover. Each group is compiled in a file of its own.
#pragma once

#include <memory>
#include <span>

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

#include "real_heap.hpp"

namespace brownout::heap::testing::model {

template <class S, template <class> class Ram, template <class, class> class Store, class P>
struct Chosen {
  using Slot = S;
  template <class Platform>
  using RamAllocator = Ram<Platform>;
  template <class Platform, class Gateway>
  using StoreAllocator = Store<Platform, Gateway>;
  using Policy = P;
  template <class Platform>
  using Checksum = NibbleChecksum<Platform>;
};

// One for each policy.
std::span<const Combination> linked_list_linked_list();
std::span<const Combination> linked_list_buddy();
std::span<const Combination> linked_list_block();
std::span<const Combination> buddy_linked_list();
std::span<const Combination> buddy_buddy();
std::span<const Combination> buddy_block();
std::span<const Combination> compact();

template <class Slot, template <class> class Ram, template <class, class> class Store, class Policy>
std::unique_ptr<HeapUnderTest> make_heap(const Modules& modules, const HeapConfig& config,
                                         std::uint32_t store_bytes) {
  using Heap = RealHeap<Chosen<Slot, Ram, Store, Policy>>;
  return std::make_unique<Heap>(modules, config, store_bytes);
}

// The three combinations of a group: `modules` with each policy. The names say what the modules are.
template <class Slot, template <class> class Ram, template <class, class> class Store>
std::span<const Combination> with_each_policy(const char* const (&names)[3], const Modules& modules) {
  const auto with = [&](const char* name, PolicyKind policy) {
    Modules chosen = modules;
    chosen.name = name;
    chosen.policy = policy;
    return chosen;
  };
  static const Combination combinations[] = {
      {with(names[0], PolicyKind::in_order), &make_heap<Slot, Ram, Store, InOrder>},
      {with(names[1], PolicyKind::clock), &make_heap<Slot, Ram, Store, Clock>},
      {with(names[2], PolicyKind::round_robin), &make_heap<Slot, Ram, Store, RoundRobin>}};
  return combinations;
}

}  // namespace brownout::heap::testing::model
