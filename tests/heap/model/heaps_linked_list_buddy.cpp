#include "combinations.hpp"

namespace brownout::heap::testing::model {

std::span<const Combination> linked_list_buddy() {
  return with_each_policy<StandardSlot, LinkedListRam, BuddyStore>({"LinkedListBuddyInOrder", "LinkedListBuddyClock", "LinkedListBuddyRoundRobin"},
                                      {.compact = false, .ram = RamKind::linked_list, .store = StoreKind::buddy});
}

}  // namespace brownout::heap::testing::model
