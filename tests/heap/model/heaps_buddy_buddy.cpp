#include "combinations.hpp"

namespace brownout::heap::testing::model {

std::span<const Combination> buddy_buddy() {
  return with_each_policy<StandardSlot, BuddyRam, BuddyStore>({"BuddyBuddyInOrder", "BuddyBuddyClock", "BuddyBuddyRoundRobin"},
                                      {.compact = false, .ram = RamKind::buddy, .store = StoreKind::buddy});
}

}  // namespace brownout::heap::testing::model
