// The instrumented firmware as the simulator links it.
#include "sim/hooks/access_hooks.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "watched_board.hpp"

namespace brownout::sim::testing {
namespace {

using firmware::MemoryKind;
using firmware::MemoryOptions;
using firmware::PolicyKind;
using firmware::RamAllocatorKind;
using firmware::SlotKind;
using firmware::StoreAllocatorKind;

firmware::CounterOptions counter() { return {.objects = 12, .size_bytes = 96}; }
firmware::QueueOptions queue() { return {.length = 12, .item_bytes = 128, .iterations = 100}; }

std::vector<MemoryOptions> all_memories() {
  std::vector<MemoryOptions> memories;
  for (const auto policy : {PolicyKind::in_order, PolicyKind::clock, PolicyKind::round_robin}) {
    for (const auto ram : {RamAllocatorKind::linked_list, RamAllocatorKind::buddy}) {
      for (const auto store :
           {StoreAllocatorKind::linked_list, StoreAllocatorKind::buddy, StoreAllocatorKind::block}) {
        memories.push_back({.ram_allocator = ram, .store_allocator = store, .policy = policy});
      }
    }
    memories.push_back({.ram_allocator = RamAllocatorKind::buddy,
                        .store_allocator = StoreAllocatorKind::buddy,
                        .policy = policy,
                        .slots = SlotKind::compact});
  }
  return memories;
}

Accesses accesses_of(const MemoryOptions& memory, const firmware::WorkloadOptions& workload,
                     std::uint64_t operations) {
  WatchedBoard board(memory, workload);
  board.run(operations);
  EXPECT_FALSE(board.fault()) << *board.fault();
  return board.accesses();
}

TEST(AccessHooks, TheBuildHasAName) {
  EXPECT_TRUE(firmware_is_instrumented());
  EXPECT_EQ(firmware_build_id().size(), 16U);
  EXPECT_EQ(firmware_build_id().find_first_not_of("0123456789abcdef"), std::string_view::npos);
}

TEST(AccessHooks, EveryChangeOfMemoryIsAnnouncedRightBeforeWithEveryHeap) {
  for (const MemoryOptions& memory : all_memories()) {
    SCOPED_TRACE(::testing::Message()
                 << "policy " << static_cast<int>(memory.policy) << ", ram "
                 << static_cast<int>(memory.ram_allocator) << ", store "
                 << static_cast<int>(memory.store_allocator) << ", slots " << static_cast<int>(memory.slots));
    for (const firmware::WorkloadOptions& workload : {firmware::WorkloadOptions{counter()}, {queue()}}) {
      const Accesses accesses = accesses_of(memory, workload, 64);
      EXPECT_GT(accesses.changed_bytes, 2'000U);
      EXPECT_GT(accesses.in_ram, 5'000U);
      EXPECT_GT(accesses.reads, accesses.writes);
      EXPECT_EQ(accesses.foreign, 0U);
      EXPECT_EQ(accesses.too_long, 0U);
    }
  }
}

TEST(AccessHooks, SoItIsWithEveryBaseline) {
  for (const MemoryKind kind : {MemoryKind::ram_snapshot, MemoryKind::direct, MemoryKind::pages}) {
    SCOPED_TRACE(static_cast<int>(kind));
    const Accesses accesses =
        accesses_of({.kind = kind}, firmware::CounterOptions{.objects = 6, .size_bytes = 64}, 64);
    EXPECT_GT(accesses.changed_bytes, 500U);
    EXPECT_EQ(accesses.foreign, 0U);
    EXPECT_EQ(accesses.too_long, 0U);
  }
}

TEST(AccessHooks, AChangeThatIsNotAnnouncedIsFound) {
  WatchedBoard board({}, counter());
  board.plant_at(40);
  board.run(64);
  ASSERT_TRUE(board.fault());
  EXPECT_NE(board.fault()->find("RAM changed at byte 512 before access"), std::string::npos)
      << *board.fault();
}

TEST(AccessHooks, AreTheSameInEveryRunAndEveryThread) {
  const Accesses first = accesses_of({}, counter(), 100);
  EXPECT_EQ(accesses_of({}, counter(), 100), first);
  std::vector<Accesses> beside(3);
  std::vector<std::thread> threads;
  threads.reserve(beside.size());
  for (Accesses& accesses : beside) {
    threads.emplace_back([&accesses] { accesses = accesses_of({}, counter(), 100); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Accesses& accesses : beside) EXPECT_EQ(accesses, first);
}

TEST(AccessHooks, NobodyHasToListen) {
  WatchedBoard board({}, counter());
  board.run_unheard(10);
  EXPECT_EQ(board.accesses().all(), 0U);
}

// Runs the program anew inside an access: once unheard, once heard by somebody else.
class Nesting final : public AccessListener {
 public:
  void access(const void*, std::uint32_t, bool, const void*) override {
    ++heard;
    if (heard != 500) return;
    WatchedBoard unheard({}, counter());
    unheard.run_unheard(10);
    inner = accesses_of({}, counter(), 10);
  }
  std::uint64_t heard = 0;
  Accesses inner;
};

TEST(AccessHooks, InsideAListenerOnlyAnotherOneHears) {
  const Accesses alone = accesses_of({}, counter(), 10);
  WatchedBoard board({}, counter());
  Nesting listener;
  {
    const ListeningToAccesses listening(listener);
    board.run_unheard(10);
  }
  EXPECT_EQ(listener.inner, alone);
  EXPECT_EQ(listener.heard, alone.all());
  EXPECT_EQ(board.accesses().all(), 0U);
}

TEST(AccessHooks, AreHeardAgainAfterAStackWasAbandonedInsideOne) {
  const Accesses uncut = accesses_of({}, counter(), 64);
  WatchedBoard board({}, counter());
  board.cut(20);
  board.run(64);
  EXPECT_FALSE(board.fault()) << *board.fault();
  EXPECT_EQ(board.accesses().all(), 20 * WatchedBoard::kAccessesPerCut + uncut.all());
}

}  // namespace
}  // namespace brownout::sim::testing
