#include "combinations.hpp"

namespace brownout::heap::testing::model {

std::span<const Combination> buddy_linked_list() {
  return with_each_policy<StandardSlot, BuddyRam, LinkedListStore>({"BuddyLinkedListInOrder", "BuddyLinkedListClock", "BuddyLinkedListRoundRobin"},
                                      {.compact = false, .ram = RamKind::buddy, .store = StoreKind::linked_list});
}

}  // namespace brownout::heap::testing::model
