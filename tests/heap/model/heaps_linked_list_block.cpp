#include "combinations.hpp"

namespace brownout::heap::testing::model {

std::span<const Combination> linked_list_block() {
  return with_each_policy<StandardSlot, LinkedListRam, BlockStore>({"LinkedListBlockInOrder", "LinkedListBlockClock", "LinkedListBlockRoundRobin"},
                                      {.compact = false, .ram = RamKind::linked_list, .store = StoreKind::block});
}

}  // namespace brownout::heap::testing::model
