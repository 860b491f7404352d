// Every combination of the heap's modules, for typed tests.
#pragma once

#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include "heap/heap.hpp"
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
#include "sanitized.hpp"
#include "test_board.hpp"

namespace brownout::heap::testing {

template <class S, template <class> class Ram, template <class, class> class Store, class Chosen>
struct ModulesOf {
  using Slot = S;
  template <class P>
  using RamAllocator = Ram<P>;
  template <class P, class Gateway>
  using StoreAllocator = Store<P, Gateway>;
  using Policy = Chosen;
  template <class P>
  using Checksum = NibbleChecksum<P>;
};

template <template <class> class Ram, template <class, class> class Store, class Chosen>
using Standard = ModulesOf<StandardSlot, Ram, Store, Chosen>;
template <class Chosen>
using Compact = ModulesOf<CompactSlot, BuddyRam, BuddyStore, Chosen>;

// A few that have every module at least once, for tests that take long.
using SomeModules =
    ::testing::Types<Standard<LinkedListRam, LinkedListStore, InOrder>, Standard<BuddyRam, BlockStore, Clock>,
                     Standard<LinkedListRam, BuddyStore, RoundRobin>, Compact<Clock>, Compact<InOrder>>;

using EveryCombination = ::testing::Types<
    Standard<LinkedListRam, LinkedListStore, InOrder>, Standard<LinkedListRam, LinkedListStore, RoundRobin>,
    Standard<LinkedListRam, LinkedListStore, Clock>, Standard<LinkedListRam, BuddyStore, InOrder>,
    Standard<LinkedListRam, BuddyStore, RoundRobin>, Standard<LinkedListRam, BuddyStore, Clock>,
    Standard<LinkedListRam, BlockStore, InOrder>, Standard<LinkedListRam, BlockStore, RoundRobin>,
    Standard<LinkedListRam, BlockStore, Clock>, Standard<BuddyRam, LinkedListStore, InOrder>,
    Standard<BuddyRam, LinkedListStore, RoundRobin>, Standard<BuddyRam, LinkedListStore, Clock>,
    Standard<BuddyRam, BuddyStore, InOrder>, Standard<BuddyRam, BuddyStore, RoundRobin>,
    Standard<BuddyRam, BuddyStore, Clock>, Standard<BuddyRam, BlockStore, InOrder>,
    Standard<BuddyRam, BlockStore, RoundRobin>, Standard<BuddyRam, BlockStore, Clock>, Compact<InOrder>,
    Compact<RoundRobin>, Compact<Clock>>;

// All of them are instantiated as released only: under the sanitizers the few take minutes less to compile.
// (The model tests have all of them there, too.)
using AllModules = std::conditional_t<kSanitized, SomeModules, EveryCombination>;

template <class Modules>
using StoreAllocatorOf =
    typename Modules::template StoreAllocator<TestPlatform, Gateway<TestPlatform, TestStore>>;
template <class Modules>
inline constexpr bool kIsBlock =
    std::is_same_v<StoreAllocatorOf<Modules>, BlockStore<TestPlatform, Gateway<TestPlatform, TestStore>>>;

// The configuration with blocks of the store that hold objects of `largest_bytes`.
template <class Modules>
constexpr HeapConfig fitted(HeapConfig config, std::uint32_t largest_bytes) {
  if (kIsBlock<Modules>) config.store_unit_bytes = round_up_8(largest_bytes);
  return config;
}

struct ModuleNames {
  template <class Modules>
  static std::string GetName(int) {  // NOLINT(readability-identifier-naming): googletest
    using Ram = typename Modules::template RamAllocator<TestPlatform>;
    using Store = StoreAllocatorOf<Modules>;
    using Chosen = typename Modules::Policy;
    std::string name = std::is_same_v<typename Modules::Slot, CompactSlot> ? "Compact" : "";
    name += std::is_same_v<Ram, BuddyRam<TestPlatform>> ? "Buddy" : "Linked";
    name += kIsBlock<Modules> ? "Block" : Store::kPowersOfTwo ? "Buddy" : "Linked";
    name += std::is_same_v<Chosen, Clock> ? "Clock" : std::is_same_v<Chosen, RoundRobin> ? "Robin" : "Order";
    return name;
  }
};

}  // namespace brownout::heap::testing
