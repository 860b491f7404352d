#include "combinations.hpp"

namespace brownout::heap::testing::model {

std::span<const Combination> compact() {
  return with_each_policy<CompactSlot, BuddyRam, BuddyStore>({"CompactBuddyBuddyInOrder", "CompactBuddyBuddyClock", "CompactBuddyBuddyRoundRobin"},
                                      {.compact = true, .ram = RamKind::buddy, .store = StoreKind::buddy});
}

}  // namespace brownout::heap::testing::model
