// Policies against models, over both layouts of slots.
#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "heap/layout.hpp"
#include "heap/policies/clock.hpp"
#include "heap/policies/in_order.hpp"
#include "heap/policies/policy.hpp"
#include "heap/policies/round_robin.hpp"
#include "heap/slots/compact.hpp"
#include "heap/slots/standard.hpp"

namespace brownout::heap::testing {
namespace {

// A user's own policy: the largest object goes first, so that few have to go.
class LargestFirst {
 public:
  static constexpr std::uint32_t kId = 0x1'0000;  // of the user's own choice
  static constexpr bool kReferenced = false;

  template <class A, Platform P>
  static std::uint16_t next_to_flush(const A& arena, P& platform) {
    return largest(arena, platform, [](const auto& slot) { return may_flush(slot); });
  }
  template <class A, Platform P>
  static std::uint16_t next_to_unload(const A& arena, P& platform) {
    return largest(arena, platform, [](const auto& slot) { return may_unload(slot); });
  }

 private:
  template <class A, Platform P, class Qualifies>
  static std::uint16_t largest(const A& arena, P& platform, Qualifies qualifies) {
    std::uint16_t found = kNone;
    std::uint32_t most = 0;
    for (std::uint32_t at = 0; at < arena.slots(); ++at) {
      platform.charge(Work::step, 1);
      const std::uint32_t size = arena.slot(at).granules(arena.geometry());
      if (size <= most || !qualifies(arena.slot(at))) continue;
      most = size;
      found = static_cast<std::uint16_t>(at);
    }
    return found;
  }
};

using Random = std::mt19937;

std::uint32_t below(Random& random, std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); }

struct CountingPlatform {
  std::uint64_t steps = 0;
  void charge(Work, std::uint32_t n) { steps += n; }
  void enter_critical() {}
  void exit_critical() {}
  static std::uint32_t power_epoch() { return 0; }
  void wait_since_power_on(std::uint32_t) {}
};

template <class Slot>
inline constexpr bool kAllFit = Policy<InOrder, SlotArena<Slot>, CountingPlatform>&&
    Policy<Clock, SlotArena<Slot>, CountingPlatform>&& Policy<RoundRobin, SlotArena<Slot>, CountingPlatform>&&
        Policy<LargestFirst, SlotArena<Slot>, CountingPlatform>;
static_assert(kAllFit<StandardSlot> && kAllFit<CompactSlot>);
static_assert(!InOrder::kReferenced && !RoundRobin::kReferenced && Clock::kReferenced);
static_assert(InOrder::kId != Clock::kId && Clock::kId != RoundRobin::kId && RoundRobin::kId != InOrder::kId);

// RAM of a heap with slots only: object i, if it is resident, is in slot i.
template <class Slot>
class SlotBoard {
 public:
  explicit SlotBoard(std::uint32_t slots)
      : words_(sizeof(Control) / 8 + slots * sizeof(Slot) / 8 + slots + 300) {
    const ModuleTraits traits{
        .slot_bytes = sizeof(Slot),
        .max_slots = Slot::kMaxSlots,
        .max_leaves = Slot::kMaxLeaves == 0 ? 0 : 65'536,
        .max_units = Slot::kMaxUnits,
        .plan_store = [](std::uint32_t base, std::uint32_t end, std::uint32_t unit_bytes) {
          const std::uint32_t unit = unit_bytes == 0 ? kGranule : unit_bytes;
          return StorePlan{.first_unit = base, .unit_bytes = unit, .units = (end - base) / unit};
        }};
    const HeapConfig config{.ram_bytes = static_cast<std::uint32_t>(words_.size()) * kGranule,
                            .dirty_limit_bytes = 2048,
                            .max_residents = slots,
                            .store_bytes = slots * kGranule * 8};
    EXPECT_EQ(Geometry::plan(config, kMaxStoreBytes, traits, geometry_), Error::none);
    arena().control() = Control{};
    for (std::uint32_t i = 0; i < slots; ++i) arena().slot(i) = Slot::vacant(i, Record::vacant);
  }
  SlotBoard(const SlotBoard&) = delete;
  SlotBoard& operator=(const SlotBoard&) = delete;
  ~SlotBoard() = default;

  SlotArena<Slot> arena() { return {reinterpret_cast<std::byte*>(words_.data()), geometry_}; }
  CountingPlatform& platform() { return platform_; }
  std::vector<std::uint64_t>& words() { return words_; }
  std::uint32_t slots() { return arena().slots(); }
  std::uint32_t& hands() { return arena().control().policy_state; }

  // Object i becomes resident in slot i: of one leaf, neither dirty nor borrowed.
  Slot& load(std::uint32_t i, std::uint32_t leaves = 1) {
    const std::uint32_t home = geometry_.store.first_unit + i * 8 * geometry_.store.unit_bytes;
    const std::uint32_t granules = leaves * geometry_.leaf_granules;
    Slot& slot = arena().slot(i);
    slot = Slot::of(geometry_, home, geometry_.first_granule() + i * geometry_.leaf_granules, granules, false,
                    0);
    slot.set_next(i);
    return slot;
  }
  void unload(std::uint32_t i) { arena().slot(i) = Slot::vacant(i, Record::vacant); }

  // Anything that a slot can be, and things that a free slot should not be.
  void load_at_random(std::uint32_t i, Random& random) {
    Slot& slot = load(i);
    if (below(random, 4) == 0) unload(i);
    if (below(random, 3) == 0) {
      constexpr std::array<std::uint32_t, 4> kBorrows{1, 2, Slot::kMaxReaders, Slot::kWriter};
      slot.set_borrows(kBorrows[below(random, 4)]);
    }
    slot.set_dirty(below(random, 2) == 0);
    slot.set_referenced(below(random, 2) == 0);
  }

 private:
  Geometry geometry_;
  std::vector<std::uint64_t> words_;
  CountingPlatform platform_;
};

// Flushing and unloading have the same tests.
struct Flush {
  static constexpr std::uint32_t kShift = 0;
  template <class T, class Slot>
  static std::uint16_t next(SlotBoard<Slot>& board) {
    const SlotArena<Slot> arena = board.arena();
    return T::next_to_flush(arena, board.platform());
  }
  template <class Slot>
  static bool qualifies(const Slot& slot) {
    return slot.used() && slot.dirty() && slot.borrows() != Slot::kWriter;
  }
  template <class Slot>
  static void done(SlotBoard<Slot>& board, std::uint32_t i) {
    board.arena().slot(i).set_dirty(false);
  }
};
struct Unload {
  static constexpr std::uint32_t kShift = 16;
  template <class T, class Slot>
  static std::uint16_t next(SlotBoard<Slot>& board) {
    const SlotArena<Slot> arena = board.arena();
    return T::next_to_unload(arena, board.platform());
  }
  template <class Slot>
  static bool qualifies(const Slot& slot) {
    return slot.used() && slot.borrows() == 0;
  }
  template <class Slot>
  static void done(SlotBoard<Slot>& board, std::uint32_t i) {
    board.unload(i);
  }
};

// Models: a queue of slots a hand. What is chosen goes to the end of it, with all that were passed over.
class Queue {
 public:
  explicit Queue(std::uint32_t slots) {
    for (std::uint32_t i = 0; i < slots; ++i) queue_.push_back(i);
  }
  std::uint32_t turn() {
    const std::uint32_t first = queue_.front();
    queue_.splice(queue_.end(), queue_, queue_.begin());
    return first;
  }

 private:
  std::list<std::uint32_t> queue_;
};

struct InOrderModel {
  explicit InOrderModel(std::uint32_t) {}
  static std::uint16_t choose(const std::vector<bool>& qualifies, std::vector<bool>&) {
    const auto found = std::find(qualifies.begin(), qualifies.end(), true);
    return found == qualifies.end() ? kNone : static_cast<std::uint16_t>(found - qualifies.begin());
  }
};
struct RoundRobinModel {
  explicit RoundRobinModel(std::uint32_t slots) : queue(slots) {}
  std::uint16_t choose(const std::vector<bool>& qualifies, std::vector<bool>&) {
    if (std::find(qualifies.begin(), qualifies.end(), true) == qualifies.end()) return kNone;
    for (;;) {
      const std::uint32_t i = queue.turn();
      if (qualifies[i]) return static_cast<std::uint16_t>(i);
    }
  }
  Queue queue;
};
// Second chance as textbooks have it: the first in the queue goes, unless it is referenced; then it loses its
// bit and goes to the end as if it had just come in.
struct ClockModel {
  explicit ClockModel(std::uint32_t slots) : queue(slots) {}
  std::uint16_t choose(const std::vector<bool>& qualifies, std::vector<bool>& referenced) {
    if (std::find(qualifies.begin(), qualifies.end(), true) == qualifies.end()) return kNone;
    for (;;) {
      const std::uint32_t i = queue.turn();
      if (!qualifies[i]) continue;
      if (!referenced[i]) return static_cast<std::uint16_t>(i);
      referenced[i] = false;
    }
  }
  Queue queue;
};

// One choice by policy and model; nothing but hands and referenced bits may change.
template <class T, class Operation, class Slot, class Model>
std::uint16_t choose(SlotBoard<Slot>& board, Model& model) {
  const std::uint32_t slots = board.slots();
  std::vector<bool> qualifies(slots);
  std::vector<bool> referenced(slots);
  for (std::uint32_t i = 0; i < slots; ++i) {
    qualifies[i] = Operation::qualifies(board.arena().slot(i));
    referenced[i] = board.arena().slot(i).referenced();
  }
  std::vector<std::uint64_t> expected_words = board.words();
  const std::uint32_t hands = board.hands();
  const std::uint64_t steps = board.platform().steps;
  const std::uint16_t chosen = Operation::template next<T>(board);
  EXPECT_EQ(chosen, model.choose(qualifies, referenced));
  EXPECT_LE(board.platform().steps - steps, (T::kReferenced ? 2 : 1) * slots);
  EXPECT_GE(board.platform().steps - steps, 1U);
  EXPECT_EQ((board.hands() ^ hands) & ~(0xFFFFU << Operation::kShift), 0U) << "moved the other hand";
  if (chosen == kNone) {
    EXPECT_EQ(board.hands(), hands);
  }

  SlotArena<Slot> expected(reinterpret_cast<std::byte*>(expected_words.data()), board.arena().geometry());
  expected.control().policy_state = board.hands();
  for (std::uint32_t i = 0; i < slots; ++i) expected.slot(i).set_referenced(referenced[i]);
  EXPECT_EQ(expected_words, board.words());
  return chosen;
}

template <class T, class Model, class Slot>
void expect_agreement_with(unsigned seed, std::uint32_t slots, int operations) {
  SCOPED_TRACE(std::to_string(slots) + " slots, seed " + std::to_string(seed));
  SlotBoard<Slot> board(slots);
  Random random(seed);
  Model flush_model(slots);
  Model unload_model(slots);
  int chosen_count = 0;
  int none_count = 0;
  for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
    for (std::uint32_t changes = below(random, 4); changes > 0; --changes) {
      board.load_at_random(below(random, slots), random);
    }
    // Now and then all of them are writers, free, or referenced.
    if (below(random, 500) == 0) {
      const std::uint32_t what = below(random, 3);
      for (std::uint32_t at = 0; at < slots; ++at) {
        if (what == 0) board.unload(at);
        if (what == 1) board.load(at).set_borrows(Slot::kWriter);
        if (what == 2) board.load(at).set_dirty(true);
        board.arena().slot(at).set_referenced(what == 2);
      }
    }
    const bool flush = below(random, 2) == 0;
    const std::uint16_t chosen =
        flush ? choose<T, Flush>(board, flush_model) : choose<T, Unload>(board, unload_model);
    ++(chosen == kNone ? none_count : chosen_count);
    // Sometimes nothing comes of it: the storage failed.
    if (chosen == kNone || below(random, 8) == 0) continue;
    if (flush) {
      Flush::done(board, chosen);
    } else {
      Unload::done(board, chosen);
    }
  }
  EXPECT_GT(chosen_count, operations / 10);
  EXPECT_GT(none_count, 0);
}

template <class Slot>
class Policies : public ::testing::Test {};
struct SlotNames {
  template <class T>
  static std::string GetName(int) {  // NOLINT(readability-identifier-naming): googletest
    return std::is_same_v<T, CompactSlot> ? "Compact" : "Standard";
  }
};
using Layouts = ::testing::Types<StandardSlot, CompactSlot>;
TYPED_TEST_SUITE(Policies, Layouts, SlotNames);

TYPED_TEST(Policies, InOrderAgreesWithItsModel) {
  unsigned seed = 10;
  for (const std::uint32_t slots : {1U, 2U, 5U, 20U, 64U}) {
    expect_agreement_with<InOrder, InOrderModel, TypeParam>(++seed, slots, 20'000);
  }
}

TYPED_TEST(Policies, RoundRobinAgreesWithItsModel) {
  unsigned seed = 20;
  for (const std::uint32_t slots : {1U, 2U, 5U, 20U, 64U}) {
    expect_agreement_with<RoundRobin, RoundRobinModel, TypeParam>(++seed, slots, 20'000);
  }
}

TYPED_TEST(Policies, ClockGivesSecondChancesAsTextbooksSay) {
  unsigned seed = 30;
  for (const std::uint32_t slots : {1U, 2U, 5U, 20U, 64U}) {
    expect_agreement_with<Clock, ClockModel, TypeParam>(++seed, slots, 20'000);
  }
}

TEST(PoliciesOfManySlots, HandsReachTheLastOf4096) {
  expect_agreement_with<RoundRobin, RoundRobinModel, StandardSlot>(40, StandardSlot::kMaxSlots, 1'000);
  expect_agreement_with<Clock, ClockModel, StandardSlot>(41, StandardSlot::kMaxSlots, 1'000);
}

// A hand that points nowhere is one that points at slot 0.
template <class T, class Slot>
void expect_to_tolerate_any_hand(unsigned seed) {
  constexpr std::uint32_t kSlots = 5;
  Random random(seed);
  for (const std::uint32_t hand : {5U, 6U, 7U, 0x7FFFU, 0x8000U, 0xFFFEU, 0xFFFFU}) {
    for (int round = 0; round < 200; ++round) {
      SlotBoard<Slot> board(kSlots);
      SlotBoard<Slot> fresh(kSlots);
      for (std::uint32_t i = 0; i < kSlots; ++i) board.load_at_random(i, random);
      fresh.words() = board.words();
      board.hands() = hand << 16U | hand;
      ASSERT_EQ(Flush::next<T>(board), Flush::next<T>(fresh)) << "hand " << hand;
      ASSERT_EQ(Unload::next<T>(board), Unload::next<T>(fresh)) << "hand " << hand;
    }
  }
}

TYPED_TEST(Policies, HandsBeyondTheSlotsAreTolerated) {
  expect_to_tolerate_any_hand<InOrder, TypeParam>(50);
  expect_to_tolerate_any_hand<RoundRobin, TypeParam>(51);
  expect_to_tolerate_any_hand<Clock, TypeParam>(52);
}

TYPED_TEST(Policies, RoundRobinFlushesEveryOtherDirtyObjectBeforeOneAgain) {
  constexpr std::uint32_t kSlots = 20;
  SlotBoard<TypeParam> board(kSlots);
  const unsigned seed = 60;
  Random random(seed);  // NOLINT(cert-msc51-cpp): the same on every run
  for (std::uint32_t i = 0; i < kSlots; ++i) board.load(i).set_dirty(true);
  // Dirty since before which choice; chosen last at which.
  std::array<int, kSlots> waiting_since{};
  std::array<int, kSlots> flushed_at{};
  flushed_at.fill(-1);
  for (int now = 0; now < 5'000; ++now) {
    const std::uint16_t chosen = Flush::next<RoundRobin>(board);
    ASSERT_NE(chosen, kNone);
    for (std::uint32_t i = 0; i < kSlots; ++i) {
      if (i == chosen || !board.arena().slot(i).dirty()) continue;
      EXPECT_GT(waiting_since[i], flushed_at[chosen])
          << chosen << " flushed again, but " << i << " was dirty then and still waits";
    }
    flushed_at[chosen] = now;
    board.arena().slot(chosen).set_dirty(false);
    for (int writes = 0; writes < 2; ++writes) {
      const std::uint32_t i = below(random, kSlots);
      if (board.arena().slot(i).dirty()) continue;
      board.arena().slot(i).set_dirty(true);
      waiting_since[i] = now + 1;
    }
    if (this->HasFailure()) return;
  }
}

// Why the choice of what to flush matters. 20 objects, a dirty limit that 12 of them fit; 12 old ones are
// dirty when the program begins to write a cluster of 8 others, round after round.
class Thrashing : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kSlots = 20;
  static constexpr std::uint32_t kCluster = 8;  // in slots [0, 8)
  static constexpr std::uint32_t kMostDirty = 12;
  static constexpr int kRounds = 100;

  struct Counts {
    std::array<int, kSlots> flushes{};
    int old = 0;
    int cluster = 0;
    int last_round = -1;  // with a flush
    int most_of_one() const { return *std::max_element(flushes.begin(), flushes.end()); }
  };

  template <class T>
  static Counts write_cluster(std::uint32_t hands = 0) {
    SlotBoard<StandardSlot> board(kSlots);
    for (std::uint32_t i = 0; i < kSlots; ++i) {
      board.load(i).set_dirty(i >= kCluster);
      board.arena().slot(i).set_referenced(i >= kCluster);
    }
    board.hands() = hands;
    Counts counts;
    std::uint32_t dirty = kMostDirty;
    for (int round = 0; round < kRounds; ++round) {
      for (std::uint32_t i = 0; i < kCluster; ++i) {
        StandardSlot& slot = board.arena().slot(i);
        slot.set_referenced(true);  // as the heap does when an object is borrowed
        if (slot.dirty()) continue;
        if (dirty == kMostDirty) {
          const std::uint16_t chosen = Flush::next<T>(board);
          board.arena().slot(chosen).set_dirty(false);
          --dirty;
          ++counts.flushes[chosen];
          ++(chosen < kCluster ? counts.cluster : counts.old);
          counts.last_round = round;
        }
        slot.set_dirty(true);
        ++dirty;
      }
    }
    return counts;
  }
};

TEST_F(Thrashing, InOrderFlushesTheClusterAgainAndAgain) {
  const Counts counts = write_cluster<InOrder>();
  // The first write finds an old object in the lowest dirty slot, each of the other 799 one of the cluster.
  EXPECT_EQ(counts.old, 1);
  EXPECT_EQ(counts.cluster, kRounds * static_cast<int>(kCluster) - 1);
}

TEST_F(Thrashing, RoundRobinFlushesOldOnesOnceAndThenNoMore) {
  const Counts counts = write_cluster<RoundRobin>();
  EXPECT_EQ(counts.old, 8);
  EXPECT_EQ(counts.cluster, 0);
  EXPECT_EQ(counts.most_of_one(), 1);
  EXPECT_EQ(counts.last_round, 0);
}

TEST_F(Thrashing, ClockFlushesOldOnesOnceAndThenNoMore) {
  const Counts counts = write_cluster<Clock>();
  EXPECT_EQ(counts.old, 8);
  EXPECT_EQ(counts.cluster, 0);
  EXPECT_EQ(counts.most_of_one(), 1);
  EXPECT_EQ(counts.last_round, 0);
}

TEST_F(Thrashing, WhereverTheHandStands) {
  for (std::uint32_t hand = 0; hand < kSlots; ++hand) {
    SCOPED_TRACE(hand);
    const Counts round_robin = write_cluster<RoundRobin>(hand);
    // The hand may have to pass the cluster once to get at the old ones.
    EXPECT_EQ(round_robin.old, 8);
    EXPECT_LE(round_robin.cluster, 8);
    EXPECT_EQ(round_robin.most_of_one(), 1);
    EXPECT_LE(round_robin.last_round, 1);
    const Counts clock = write_cluster<Clock>(hand);
    EXPECT_EQ(clock.old, 8);
    EXPECT_EQ(clock.cluster, 0);
    EXPECT_EQ(clock.most_of_one(), 1);
    EXPECT_EQ(clock.last_round, 0);
  }
}

// RAM for 8 objects. 3 are used again and again, and between these uses another one each, once. How often one
// of the 3 has to be loaded.
template <class T>
int loads_of_what_is_in_use() {
  constexpr std::uint32_t kInUse = 3;
  SlotBoard<StandardSlot> board(8);
  std::vector<std::uint32_t> resident{0, 1, 2, 3, 4, 5, 6, 7};
  for (std::uint32_t i = 0; i < 8; ++i) board.load(i).set_referenced(true);
  int loads = 0;
  const auto use = [&](std::uint32_t object) {
    auto at = std::find(resident.begin(), resident.end(), object);
    if (at == resident.end()) {
      const std::uint16_t slot = Unload::next<T>(board);
      board.load(slot);
      at = resident.begin() + slot;
      *at = object;
      if (object < kInUse) ++loads;
    }
    board.arena().slot(static_cast<std::uint32_t>(at - resident.begin())).set_referenced(true);
  };
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    for (std::uint32_t object = 0; object < kInUse; ++object) use(object);
    use(8 + i);
  }
  return loads;
}

TEST(Clock, LoadsWhatIsUsedAllTheTimeLessOften) {
  EXPECT_EQ(loads_of_what_is_in_use<Clock>(), 3) << "each once, in the first round, which takes all bits";
  EXPECT_EQ(loads_of_what_is_in_use<RoundRobin>(), 501) << "3 every 6 of the others: it is FIFO";
  EXPECT_EQ(loads_of_what_is_in_use<InOrder>(), 999) << "the lowest slot goes, whatever it has";
}

TEST(Clock, TakesTwoRoundsIfAllAreReferencedAndNoMoreIfNoneQualifies) {
  SlotBoard<StandardSlot> board(16);
  for (std::uint32_t i = 0; i < 16; ++i) board.load(i).set_referenced(true);
  board.hands() = 5U << 16U;
  EXPECT_EQ(Unload::next<Clock>(board), 5);
  EXPECT_EQ(board.platform().steps, 17U);
  for (std::uint32_t i = 0; i < 16; ++i) EXPECT_FALSE(board.arena().slot(i).referenced());
  EXPECT_EQ(board.hands(), 6U << 16U);
  board.platform().steps = 0;
  EXPECT_EQ(Flush::next<Clock>(board), kNone);
  EXPECT_LE(board.platform().steps, 32U);
}

TEST(Clock, LeavesTheBitsOfWhatItMayNotChoose) {
  SlotBoard<StandardSlot> board(3);
  for (std::uint32_t i = 0; i < 3; ++i) board.load(i).set_referenced(true);
  board.arena().slot(0).set_borrows(StandardSlot::kWriter);
  board.arena().slot(0).set_dirty(true);
  board.arena().slot(2).set_dirty(true);
  EXPECT_EQ(Flush::next<Clock>(board), 2);
  EXPECT_TRUE(board.arena().slot(0).referenced()) << "has a writer";
  EXPECT_TRUE(board.arena().slot(1).referenced()) << "is clean";
  EXPECT_FALSE(board.arena().slot(2).referenced());
}

TYPED_TEST(Policies, AUsersOwnPolicyChoosesTheLargest) {
  SlotBoard<TypeParam> board(6);
  EXPECT_EQ(Unload::next<LargestFirst>(board), kNone);
  const std::array<std::uint32_t, 6> leaves{1, 4, 2, 8, 4, 1};
  for (std::uint32_t i = 0; i < 6; ++i) board.load(i, leaves[i]);
  EXPECT_EQ(Unload::next<LargestFirst>(board), 3);
  EXPECT_EQ(Flush::next<LargestFirst>(board), kNone);
  for (const std::uint32_t i : {0U, 2U, 4U}) board.arena().slot(i).set_dirty(true);
  EXPECT_EQ(Flush::next<LargestFirst>(board), 4);
  board.arena().slot(4).set_borrows(TypeParam::kWriter);
  EXPECT_EQ(Flush::next<LargestFirst>(board), 2);
}

}  // namespace
}  // namespace brownout::heap::testing
