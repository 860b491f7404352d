// One test for each defect or gap of the heap that this one follows, vNV-Heap in Rust, called the peer here.
#include <algorithm>
#include <cstring>
#include <functional>
#include <list>
#include <set>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"
#include "heap/group.hpp"
#include "heap/objects/list.hpp"
#include "heap/storage/sliced.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 12, .os_bytes = 0};

template <class Modules>
struct PeersDefects : ::testing::Test {};
TYPED_TEST_SUITE(PeersDefects, SomeModules, ModuleNames);

// The peer: a mutable access evicted the very object it lent when the dirty budget was short (lost update).
TYPED_TEST(PeersDefects, OwnTargetEvictedByAMutableAccess) {
  HeapConfig config = fitted<TypeParam>(kConfig, 128);
  config.max_residents = 4;
  config.dirty_limit_bytes = 256;  // for one object of 104 B (compact: 128 B)
  CheckedBoard<TypeParam> board(config, 4096);
  ASSERT_TRUE(board.heap().format().ok());
  Buffer a = board.heap().make_buffer(104).take();
  Buffer b = board.heap().make_buffer(104).take();
  for (std::uint32_t i = 0; i < 6; ++i) {
    for (Buffer* buffer : {&a, &b}) {
      const std::uint32_t seed = 10 * i + (buffer == &a ? 0 : 5);
      {
        auto ref = board.heap().write(*buffer).take();
        std::memcpy(ref.data(), pattern(104, seed).data(), 104);
        EXPECT_TRUE(board.heap().is_resident(*buffer));
        EXPECT_EQ(board.structure(), "") << "dirty, and within the limit";
      }
      EXPECT_EQ(get(board.heap(), *buffer), pattern(104, seed));
    }
  }
}

// The peer: its buddy allocator in RAM handed out overlapping blocks.
TYPED_TEST(PeersDefects, OverlappingBlocksInRam) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 128), 8192);
  ASSERT_TRUE(board.heap().format().ok());
  Random random(3);
  std::vector<Buffer> buffers;
  for (int i = 0; i < 400; ++i) {
    if (buffers.size() == 14 || (random() % 3 == 0 && !buffers.empty())) {
      std::swap(buffers[random() % buffers.size()], buffers.back());
      ASSERT_TRUE(board.heap().free(buffers.back()).ok());
      buffers.pop_back();
    } else {
      buffers.push_back(board.heap().make_buffer(1 + random() % 128).take());
    }
    ASSERT_EQ(board.structure(), "") << i;
  }
}

// The peer: a persist that was cut was delivered as good data. (At every byte: CheckpointOfAnyModules.)
TYPED_TEST(PeersDefects, CutPersistDeliveredAsGood) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 64), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  Buffer buffer = board.heap().make_buffer(64).take();
  put(board.heap(), buffer, pattern(64, 1));
  board.store.written = 0;
  board.store.cut_after = board.heap().checkpoint_bytes() - 20;
  ASSERT_TRUE(board.persist().ok()) << "nobody notices that the power is gone";
  board.poison();
  EXPECT_EQ(board.restore().error(), Error::torn);
}

// The peer: a bit flipped in the saved image was delivered as good data. (Every bit: CheckpointOfAnyModules.)
TYPED_TEST(PeersDefects, FlippedBitDeliveredAsGood) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 64), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  Buffer buffer = board.heap().make_buffer(64).take();
  put(board.heap(), buffer, std::vector<std::byte>(64, std::byte{0x77}));
  ASSERT_TRUE(board.persist().ok());
  auto& memory = board.store.memory;
  const auto begin = memory.begin() + board.heap().geometry().checkpoint_address(1);
  const std::vector<std::byte> run(32, std::byte{0x77});
  *std::search(begin, memory.end(), run.begin(), run.end()) ^= std::byte{0x10};
  board.poison();
  EXPECT_EQ(board.restore().error(), Error::torn);
}

// The peer: compacted RAM in place first, so an error of the storage in the persist destroyed it.
TYPED_TEST(PeersDefects, RamDestroyedByAFailingPersist) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 64), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> buffers;
  for (std::uint32_t i = 0; i < 5; ++i) {
    buffers.push_back(board.heap().make_buffer(24).take());
    put(board.heap(), buffers.back(), pattern(24, i));
  }
  ASSERT_TRUE(board.heap().free(buffers[1]).ok()) << "a gap to compact";
  const auto live = [&] { return live_ram<typename TypeParam::Slot>(board.ram_copy(), board.heap().geometry()); };
  const std::vector<std::byte> before = live();
  board.store.fail_at = board.store.polls + 150;
  EXPECT_EQ(board.persist().error(), Error::storage_failed);
  EXPECT_EQ(live(), before);
  EXPECT_EQ(get(board.heap(), buffers[4]), pattern(24, 4));
}

// The peer: took its lock above the 4-byte slices, so an interrupt in the first of them waited for all 256.
TEST(PeersDefect, InterruptWaitsForAWholeFlush) {
  const HeapConfig config{.ram_bytes = 2048, .dirty_limit_bytes = 1200, .max_residents = 4, .os_bytes = 0};
  for (const std::uint32_t slice_bytes : {4U, 4096U}) {
    TestPlatform platform;
    TestStore store(platform, 8192);
    SlicedStorage<TestStore> sliced(store, slice_bytes);
    std::vector<std::uint64_t> ram(2048 / 8);
    Heap heap(reinterpret_cast<std::byte*>(ram.data()), config, sliced, platform);
    ASSERT_TRUE(heap.format().ok());
    Buffer buffer = heap.make_buffer(1024).take();
    put(heap, buffer, pattern(1024, 1));
    const std::uint64_t before = store.written;
    std::uint64_t flushed = ~std::uint64_t{0};
    std::uint64_t persisted = 0;
    bool struck = false;
    platform.interrupt = [&] {
      flushed = store.written - before;
      EXPECT_TRUE(heap.persist({}).ok());
      persisted = store.written - before - flushed;
      struck = true;
    };
    // Some places on, one a byte, the flush is under way.
    platform.strike_at = platform.places + 16;
    ASSERT_TRUE(heap.flush().ok());
    ASSERT_TRUE(struck);
    EXPECT_GT(flushed, 0U);
    EXPECT_LE(flushed, 16U) << "of 1,024: the rest does not go before the persist";
    EXPECT_GT(persisted, 1024U) << "the object was dirty still";
    EXPECT_EQ(get(heap, buffer), pattern(1024, 1));
    EXPECT_EQ(store.memory[buffer.home() + 1023], pattern(1024, 1)[1023]) << "the flush was repeated";
  }
}

// The peer: 1 + 3n calls to restore n objects, each metadata record read twice.
TEST(PeersDefect, RestoreReadsEverythingAgainAndAgain) {
  for (const bool clean : {false, true}) {
    std::vector<std::uint64_t> reads;
    for (const std::uint32_t objects : {2U, 6U}) {
      CheckedBoard<DefaultModules> board(kConfig, 8192);
      ASSERT_TRUE(board.heap().format().ok());
      for (std::uint32_t i = 0; i < objects; ++i) static_cast<void>(board.heap().make_buffer(32).take());
      const Status flushed = clean ? board.heap().flush() : Status{};
      ASSERT_TRUE(flushed.ok());
      ASSERT_TRUE(board.persist().ok());
      const std::uint32_t image = board.heap().checkpoint_bytes();
      board.poison();
      const std::uint64_t reads_before = board.store.reads;
      const std::uint64_t polls_before = board.store.polls;
      ASSERT_TRUE(board.restore().ok());
      reads.push_back(board.store.reads - reads_before);
      // A poll a byte and one at the end: each byte of the image is read once, and beside it the other
      // header, the marks, and the homes of what is clean.
      const std::uint64_t bytes = board.store.polls - polls_before - reads.back();
      EXPECT_EQ(bytes, image + sizeof(CheckpointHeader) + sizeof(RunningMarks) + (clean ? objects * 32 : 0));
    }
    EXPECT_EQ(reads[0], clean ? 5U : 3U);
    EXPECT_EQ(reads[1], clean ? 9U : 3U) << "one for each clean object, none for a dirty one";
  }
}

// The peer: one call of the persist a record and an object; here one transfer whatever there is.
TYPED_TEST(PeersDefects, PersistOfManyTransfers) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 64), 8192);
  ASSERT_TRUE(board.heap().format().ok());
  for (int i = 0; i < 9; ++i) static_cast<void>(board.heap().make_buffer(16).take());
  const std::uint64_t writes = board.store.writes;
  const std::uint64_t reads = board.store.reads;
  ASSERT_TRUE(board.persist().ok());
  EXPECT_EQ(board.store.writes, writes + 1);
  EXPECT_EQ(board.store.reads, reads);
}

// The peer: clean residents took part of the dirty budget for their metadata.
TEST(PeersDefect, CleanResidentsUseUpTheDirtyBudget) {
  HeapConfig config = kConfig;
  config.ram_bytes = 4096;
  config.max_residents = 100;
  config.dirty_limit_bytes = 360;
  CheckedBoard<DefaultModules> board(config, 8192);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Object<std::uint64_t>> objects;
  for (std::uint64_t i = 0; i < 90; ++i) objects.push_back(board.heap().make(i).take());
  // The most that can be dirty at all with this limit.
  const std::uint32_t most = config.dirty_limit_bytes - board.heap().geometry().smallest_limit(0);
  Buffer large = board.heap().make_buffer(most & ~7U).take();
  EXPECT_TRUE(board.heap().write(large).ok());
  std::size_t resident = 0;
  for (const auto& object : objects) resident += board.heap().is_resident(object) ? 1U : 0U;
  EXPECT_EQ(resident, objects.size()) << "nothing had to be unloaded";
  EXPECT_EQ(board.structure(), "");
}

// The peer: flushed the lowest address first, so that accesses that cluster there thrash.
TEST(PeersDefect, FlushOrderThrashes) {
  // Writes home that a cluster of four objects in low slots causes, written in turn after four in high slots
  // that are not used any more; the limit is for six of the eight.
  const auto writes_of = [](auto modules) {
    using Modules = decltype(modules);
    HeapConfig config = kConfig;
    config.max_residents = 8;
    Geometry geometry;
    EXPECT_EQ(Geometry::plan(config, 8192, TestBoardOf<Modules>::Heap::traits(), geometry), Error::none);
    config.dirty_limit_bytes = geometry.smallest_limit(0) + 6 * (8 + 32);
    CheckedBoard<Modules> board(config, 8192);
    EXPECT_TRUE(board.heap().format().ok());
    std::vector<Buffer> buffers;
    buffers.reserve(8);
    for (int i = 0; i < 8; ++i) buffers.push_back(board.heap().make_buffer(32).take());
    EXPECT_TRUE(board.heap().flush().ok());
    const auto slot_of = [&](const Buffer& buffer) {
      std::uint32_t i = 0;
      while (board.arena().slot(i).key() != buffer.home() / kGranule) ++i;
      return i;
    };
    std::sort(buffers.begin(), buffers.end(),
              [&](const Buffer& a, const Buffer& b) { return slot_of(a) < slot_of(b); });
    for (std::size_t i = 4; i < 8; ++i) put(board.heap(), buffers[i], pattern(32, 1));
    const std::uint64_t before = board.store.writes;
    for (std::uint32_t round = 0; round < 50; ++round) {
      for (std::size_t i = 0; i < 4; ++i) put(board.heap(), buffers[i], pattern(32, round));
    }
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(get(board.heap(), buffers[i]), pattern(32, 49));
    return board.store.writes - before;
  };
  EXPECT_GT(writes_of(Standard<LinkedListRam, LinkedListStore, InOrder>{}), 50U) << "as documented";
  EXPECT_LE(writes_of(Standard<LinkedListRam, LinkedListStore, RoundRobin>{}), 12U);
  EXPECT_LE(writes_of(Standard<LinkedListRam, LinkedListStore, Clock>{}), 12U);
}

// The peer: searched its residents from the first to the last (6 ns at the head, 223 ns behind 55 others).
TEST(PeersDefect, ResidentsSearchedLinearly) {
  const auto steps_with = [](std::uint32_t residents) {
    const HeapConfig config{.ram_bytes = 20'000, .dirty_limit_bytes = 2048, .max_residents = 1200, .os_bytes = 0};
    TestBoard board(config, 64 * 1024);
    EXPECT_TRUE(board.heap().format().ok());
    std::vector<Object<std::uint64_t>> objects;
    for (std::uint64_t i = 0; i < residents; ++i) objects.push_back(board.heap().make(i).take());
    std::uint64_t worst = 0;
    const std::uint64_t before = board.platform.charged;
    for (const auto& object : objects) {
      const std::uint64_t charged = board.platform.charged;
      EXPECT_TRUE(board.heap().is_resident(object));
      worst = std::max(worst, board.platform.charged - charged);
    }
    EXPECT_LE(worst, 10U) << "of " << residents;
    return static_cast<double>(board.platform.charged - before) / residents;
  };
  EXPECT_EQ(steps_with(1), 1.0);
  EXPECT_LT(steps_with(1000), 2.0);
}

// The peer: panicked when an object with partial dirtiness was written.
TYPED_TEST(PeersDefects, PartialDirtinessPanics) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 256), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  auto array = board.heap().template make_array<std::uint8_t, 200>().take();
  board.partial_sizes[array.home()] = 200;
  ASSERT_TRUE(board.heap().flush().ok());
  const std::uint32_t clean = board.heap().checkpoint_bytes();
  board.heap().write(array, 100, 1).take()[0] = 9;
  EXPECT_EQ(board.heap().checkpoint_bytes(), clean + 8 + 32);
  board.checked_outage();
  EXPECT_EQ(board.fault, "");
  EXPECT_EQ(board.heap().read(array).take()[100], 9);
}

// The peer: there could be only one heap.
TEST(PeersDefect, SecondHeapRefused) {
  CheckedBoard<DefaultModules> first(kConfig, 4096);
  CheckedBoard<Compact<Clock>> second(kConfig, 4096);
  ASSERT_TRUE(first.heap().format().ok());
  ASSERT_TRUE(second.heap().format().ok());
  auto here = first.heap().make(1).take();
  auto there = second.heap().make(2).take();
  first.checked_outage();
  EXPECT_EQ(*first.heap().read(here).take() + *second.heap().read(there).take(), 3);
}

// The peer: a failed construction left the persist hook pointing at freed memory.
TEST(PeersDefect, FailedConstructionLeavesSomethingBehind) {
  TestBoard board(kConfig);
  ASSERT_TRUE(board.heap().format().ok());
  const std::vector<std::byte> ram = board.ram_copy();
  const std::vector<std::byte> store = board.store.memory;
  HeapConfig impossible = kConfig;
  impossible.dirty_limit_bytes = 16;
  {
    const TestHeap refused(board.ram(), impossible, board.store, board.platform);
    EXPECT_EQ(refused.configuration().error(), Error::bad_configuration);
  }
  EXPECT_EQ(board.ram_copy(), ram);
  EXPECT_EQ(board.store.memory, store);
  board.outage();
  EXPECT_TRUE(board.restore_status.ok()) << "the heap that there is goes on";
}

// The peer: panicked on an error of the storage in persist, restore and unload.
TYPED_TEST(PeersDefects, StorageErrorsPanic) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 64), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  Buffer buffer = board.heap().make_buffer(40).take();
  put(board.heap(), buffer, pattern(40, 1));
  const auto fail_next = [&] { board.store.fail_at = board.store.polls; };
  fail_next();
  EXPECT_EQ(board.heap().unload(buffer).error(), Error::storage_failed);
  fail_next();
  EXPECT_EQ(board.persist().error(), Error::storage_failed);
  ASSERT_TRUE(board.persist().ok());
  board.poison();
  fail_next();
  EXPECT_EQ(board.restore().error(), Error::storage_failed);
  ASSERT_TRUE(board.restore().ok());
  EXPECT_EQ(get(board.heap(), buffer), pattern(40, 1));
}

// The peer: an allocation that failed after the store had given a place lost that place.
TYPED_TEST(PeersDefects, FailedAllocationLeaksStorage) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 64), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  int failures = 0;
  // At any poll; the byte of the table is written in one of them, and confirmed in the next.
  for (std::uint64_t fail_at = 0;; ++fail_at) {
    board.store.polls = 0;
    board.store.fail_at = fail_at;
    auto made = board.heap().make_buffer(40);
    board.store.fail_at = ~std::uint64_t{0};
    if (made.ok()) {
      Buffer buffer = made.take();
      ASSERT_TRUE(board.heap().free(buffer).ok());
      break;
    }
    EXPECT_EQ(made.error(), Error::storage_failed);
    ++failures;
    Buffer next = board.heap().make_buffer(8).take();
    ASSERT_TRUE(board.heap().free(next).ok());
    EXPECT_EQ(allocated_entries(board.store.memory, board.heap().geometry()), 0U) << fail_at;
    EXPECT_EQ(board.structure(), "");
  }
  EXPECT_GT(failures, 5);
}

// The peer: a mutable reference that was forgotten pinned its object for ever.
TEST(PeersDefect, ForgottenMutableReferencePinsItsObject) {
  CheckedBoard<DefaultModules> board(kConfig, 4096);
  ASSERT_TRUE(board.heap().format().ok());
  auto object = board.heap().make(5).take();
  alignas(8) std::byte forgotten[sizeof(MutRef<TestHeap, int>)];
  **::new (forgotten) MutRef<TestHeap, int>(board.heap().write(object).take()) = 6;
  std::memset(forgotten, 0, sizeof forgotten);
  EXPECT_EQ(board.heap().write(object).error(), Error::borrowed);
  EXPECT_EQ(board.heap().end_borrows(), 1U);
  EXPECT_EQ(*board.heap().write(object).take(), 6);
  EXPECT_TRUE(board.heap().unload(object).ok());
  EXPECT_EQ(board.structure(), "");
}

// The peer: panicked when an element was pushed to a list on a full store.
TYPED_TEST(PeersDefects, PushToAListOnAFullStorePanics) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 40), 2048);
  ASSERT_TRUE(board.heap().format().ok());
  List<std::uint64_t> list;
  std::uint32_t pushed = 0;
  Error error = Error::none;
  for (; error == Error::none; ++pushed) error = list.push_back(board.heap(), pushed).error();
  EXPECT_EQ(error, Error::no_storage);
  EXPECT_EQ(list.size(), pushed - 1);
  std::uint64_t next = 0;
  EXPECT_TRUE(list.for_each(board.heap(), [&](std::uint64_t value) { EXPECT_EQ(value, next++); }).ok());
  EXPECT_EQ(next, list.size());
}

// The peer: types without a size failed on its block allocator.
TYPED_TEST(PeersDefects, ZeroSizedTypesFail) {
  struct Nothing {};
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 8), 2048);
  ASSERT_TRUE(board.heap().format().ok());
  std::set<std::uint32_t> homes;
  std::vector<Object<Nothing>> objects;
  for (int i = 0; i < 20; ++i) {
    objects.push_back(board.heap().make(Nothing{}).take());
    homes.insert(objects.back().home());
  }
  EXPECT_EQ(homes.size(), 20U);
  for (auto& object : objects) {
    EXPECT_TRUE(board.heap().read(object).ok());
    EXPECT_TRUE(board.heap().free(object).ok());
  }
  auto buffer = board.heap().make_buffer(0).take();
  EXPECT_EQ(board.heap().read(buffer).take().size(), 0U);
  EXPECT_TRUE(board.heap().free(buffer).ok());
  EXPECT_EQ(allocated_entries(board.store.memory, board.heap().geometry()), 0U);
}

// The peer: its RAM allocator refused a fit that would leave 1 to 15 bytes, too few for its own header.
TEST(PeersDefect, RamFitRefusedThatLeavesALittle) {
  HeapConfig config = kConfig;
  config.max_residents = 4;
  config.ram_bytes = 32 + 4 * 8 + 64;
  for (const std::uint32_t left : {0U, 8U, 16U}) {
    CheckedBoard<DefaultModules> board(config, 4096);
    ASSERT_TRUE(board.heap().format().ok());
    Buffer buffer = board.heap().make_buffer(64 - left).take();
    Buffer rest;
    if (left > 0) rest = board.heap().make_buffer(left).take();
    EXPECT_TRUE(board.heap().is_resident(buffer));
    EXPECT_EQ(board.heap().is_resident(rest), left > 0) << "the little that is left is of use";
    EXPECT_EQ(board.arena().control().free_granules, 0U);
  }
}

// The peer: 20 B in RAM and 17 B in a checkpoint for each resident object, clean ones too.
TEST(PeersDefect, MetadataSizes) {
  EXPECT_EQ(sizeof(StandardSlot), 8U);
  EXPECT_EQ(sizeof(CompactSlot), 4U);
  const auto image_bytes_of_one_more = [](auto modules, bool dirty) {
    CheckedBoard<decltype(modules)> board(kConfig, 4096);
    EXPECT_TRUE(board.heap().format().ok());
    const std::uint32_t before = board.heap().checkpoint_bytes();
    EXPECT_TRUE(board.heap().make(std::uint64_t{1}).ok());
    const Status flushed = dirty ? Status{} : board.heap().flush();
    EXPECT_TRUE(flushed.ok());
    return board.heap().checkpoint_bytes() - before;
  };
  EXPECT_EQ(image_bytes_of_one_more(DefaultModules{}, true), 8U + 8U);
  EXPECT_EQ(image_bytes_of_one_more(DefaultModules{}, false), 8U) << "and nothing once it is recorded";
  EXPECT_EQ(image_bytes_of_one_more(Compact<InOrder>{}, true), 4U + 8U);
  EXPECT_EQ(image_bytes_of_one_more(Compact<InOrder>{}, false), 4U);
}

// The peer: allocator heads, budget and clock hands lay in RAM that the OS had to save.
TYPED_TEST(PeersDefects, StateOfTheModulesNotInTheImage) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 64), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> buffers;
  for (std::uint32_t i = 0; i < 20; ++i) buffers.push_back(board.heap().make_buffer(60).take());
  const Control before = board.arena().control();
  EXPECT_NE(before.store_cursor | before.policy_state | (std::is_same_v<typename TypeParam::Policy, InOrder>), 0U);
  board.checked_outage();
  const Control& after = board.arena().control();
  EXPECT_EQ(board.fault, "");
  EXPECT_EQ(after.store_cursor, before.store_cursor);
  EXPECT_EQ(after.policy_state, before.policy_state);
  EXPECT_EQ(after.image_bytes, before.image_bytes);
  EXPECT_EQ(after.free_head, before.free_head);
}

}  // namespace
}  // namespace brownout::heap::testing
