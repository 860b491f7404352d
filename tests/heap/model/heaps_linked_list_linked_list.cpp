#include "combinations.hpp"

namespace brownout::heap::testing::model {

std::span<const Combination> linked_list_linked_list() {
  return with_each_policy<StandardSlot, LinkedListRam, LinkedListStore>({"LinkedListLinkedListInOrder", "LinkedListLinkedListClock", "LinkedListLinkedListRoundRobin"},
                                      {.compact = false, .ram = RamKind::linked_list, .store = StoreKind::linked_list});
}

}  // namespace brownout::heap::testing::model
