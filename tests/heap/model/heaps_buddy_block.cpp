#include "combinations.hpp"

namespace brownout::heap::testing::model {

std::span<const Combination> buddy_block() {
  return with_each_policy<StandardSlot, BuddyRam, BlockStore>({"BuddyBlockInOrder", "BuddyBlockClock", "BuddyBlockRoundRobin"},
                                      {.compact = false, .ram = RamKind::buddy, .store = StoreKind::block});
}

}  // namespace brownout::heap::testing::model
