// The heap's operations: swapping, borrows, limits, reasons, errors of the store at any poll.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"
#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kSmall{
    .ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 12, .store_bytes = 0, .os_bytes = 16};

template <class Modules>
struct HeapOfAnyModules : ::testing::Test {};
TYPED_TEST_SUITE(HeapOfAnyModules, SomeModules, ModuleNames);

TYPED_TEST(HeapOfAnyModules, SwapsWhatDoesNotFitRam) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kSmall, 104), 8192);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> buffers;
  for (std::uint32_t i = 0; i < 30; ++i) {
    auto made = board.heap().make_buffer(100);
    ASSERT_TRUE(made.ok()) << i;
    buffers.push_back(made.take());
    put(board.heap(), buffers.back(), pattern(100, i));
    EXPECT_LE(board.heap().checkpoint_bytes(), kSmall.dirty_limit_bytes);
    ASSERT_EQ(board.structure(), "") << i;
  }
  for (std::uint32_t i = 0; i < 30; ++i) EXPECT_EQ(get(board.heap(), buffers[i]), pattern(100, i)) << i;
  EXPECT_GT(board.store.writes, 20U) << "nothing was swapped: the test shows nothing";
  for (Buffer& buffer : buffers) EXPECT_TRUE(board.heap().free(buffer).ok());
  EXPECT_EQ(allocated_entries(board.store.memory, board.heap().geometry()), 0U);
  EXPECT_EQ(board.structure(), "");
}

TYPED_TEST(HeapOfAnyModules, FullStoreIsAnErrorAndLeaksNothing) {
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kSmall, 64), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> buffers;
  std::size_t full = 0;
  for (int round = 0; round < 5; ++round) {
    for (;;) {
      auto made = board.heap().make_buffer(64);
      if (!made.ok()) {
        EXPECT_EQ(made.error(), Error::no_storage);
        break;
      }
      buffers.push_back(made.take());
    }
    ASSERT_EQ(board.structure(), "");
    if (round == 0) full = buffers.size();
    ASSERT_GT(full, 20U);
    EXPECT_EQ(buffers.size(), full) << round;
    for (Buffer& buffer : buffers) ASSERT_TRUE(board.heap().free(buffer).ok());
    buffers.clear();
  }
}

// An error of the store at any poll of any operation: the call says so, nothing is lost or leaked, and the
// same call works when it is repeated. An outage after each operation brings back what was there.
TYPED_TEST(HeapOfAnyModules, StorageErrorAnywhereLeavesTheHeapSound) {
  // So tight that slots are recorded, too.
  HeapConfig config = fitted<TypeParam>(kSmall, 56);
  config.ram_bytes = 640;
  config.max_residents = 8;
  config.dirty_limit_bytes = 248;
  std::uint64_t failures = 0;
  for (std::uint64_t fail_at = 0; !::testing::Test::HasFailure(); ++fail_at) {
    CheckedBoard<TypeParam> board(config, kIsBlock<TypeParam> ? 1536 : 1280);
    ASSERT_TRUE(board.heap().format().ok());
    std::vector<Buffer> buffers;
    board.store.polls = 0;
    board.store.fail_at = fail_at;
    bool struck = false;
    const auto until_ok = [&](const char* what, auto call) {
      for (int attempt = 0; attempt < 2; ++attempt) {
        const Status status = call();
        EXPECT_EQ(board.structure(), "") << what << fail_at;
        if (board.store.polls > fail_at && !struck) {
          struck = true;
          board.checked_outage();
        }
        EXPECT_EQ(board.fault, "") << what << fail_at;
        if (status.ok()) return;
        EXPECT_EQ(status.error(), Error::storage_failed) << what << fail_at;
        ++failures;
      }
      FAIL() << what << " not repeatable after an error at poll " << fail_at;
    };
    for (std::uint32_t i = 0; i < 9; ++i) {
      until_ok("make", [&]() -> Status {
        auto made = board.heap().make_buffer(i % 4 == 0 ? 48 : 8, i % 3 == 0 ? Dirtiness::partial : Dirtiness::whole);
        if (!made.ok()) return made.error();
        buffers.push_back(made.take());
        if (buffers.back().partial()) board.partial_sizes[buffers.back().home()] = buffers.back().size_bytes();
        return {};
      });
      until_ok("write", [&]() -> Status {
        auto ref = board.heap().write(buffers.back());
        if (!ref.ok()) return ref.error();
        std::memcpy(ref.value().data(), pattern(ref.value().size(), i).data(), ref.value().size());
        return {};
      });
      until_ok("read", [&]() { return Status(board.heap().read(buffers[i / 2]).error()); });
      if (i % 5 == 4) {
        board.partial_sizes.erase(buffers[i - 2].home());
        until_ok("free", [&] { return board.heap().free(buffers[i - 2]); });
        until_ok("make again", [&]() -> Status {
          auto made = board.heap().make_buffer(8);
          if (!made.ok()) return made.error();
          buffers[i - 2] = made.take();
          return {};
        });
        put(board.heap(), buffers[i - 2], pattern(8, i - 2));
      }
      if (i % 4 == 3) until_ok("unload", [&] { return board.heap().unload(buffers[i - 1]); });
    }
    until_ok("flush", [&] { return board.heap().flush(); });
    EXPECT_TRUE(board.store.polls <= fail_at || struck);
    board.store.fail_at = ~std::uint64_t{0};
    for (std::uint32_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(get(board.heap(), buffers[i]), pattern(buffers[i].size_bytes(), i)) << fail_at;
      EXPECT_TRUE(board.heap().free(buffers[i]).ok());
    }
    EXPECT_EQ(allocated_entries(board.store.memory, board.heap().geometry()), 0U) << fail_at;
    if (!struck) break;
  }
  EXPECT_GT(failures, 200U);
}

// Operations at random, errors at random that nobody repeats, outages at random, against plain copies.
template <class Modules>
class RandomUse {
 public:
  explicit RandomUse(unsigned seed) : random_(seed), board_(config(), kIsBlock<Modules> ? 2560 : 1536) {
    if (!board_.heap().format().ok()) throw std::runtime_error("format");
  }

  // What went wrong, or "".
  std::string run(int operations) {
    for (int i = 0; i < operations; ++i) {
      board_.store.fail_at = random_() % 3 == 0 ? board_.store.polls + random_() % 60 : ~std::uint64_t{0};
      std::string fault = step();
      board_.store.fail_at = ~std::uint64_t{0};
      if (!fault.empty()) return fault;
      if (std::string found = board_.structure(); !found.empty()) return found;
      if (random_() % 4 != 0) continue;
      board_.checked_outage();
      if (!board_.fault.empty()) return board_.fault;
    }
    return check_and_free_all();
  }
  std::uint32_t errors = 0;

 private:
  using Heap = typename CheckedBoard<Modules>::Heap;
  struct Known {
    Buffer handle;
    std::vector<std::byte> content;
  };

  static HeapConfig config() {
    HeapConfig config{.ram_bytes = 560, .dirty_limit_bytes = 512, .max_residents = 9, .os_bytes = 8};
    config = fitted<Modules>(config, 64);
    Geometry geometry;
    if (Geometry::plan(config, 4096, Heap::traits(), geometry) != Error::none) throw std::runtime_error("plan");
    config.dirty_limit_bytes = geometry.smallest_limit(64) + geometry.modules.slot_bytes;
    if (!Heap::Slot::kRecords) config.dirty_limit_bytes += 16;
    return config;
  }

  std::string step() {
    switch (random_() % 8) {
      case 0:
      case 1: return make();
      case 2: return free_any();
      case 3:
      case 4: return write_any();
      case 5: return read_any();
      case 6: held_.clear(); return "";
      default: return judge(objects_.empty() ? Error::none : board_.heap().unload(any().handle).error());
    }
  }
  Known& any() { return objects_[random_() % objects_.size()]; }
  // These reasons may come at any time in a heap as small and as busy as this.
  std::string judge(Error error) {
    errors += error == Error::storage_failed ? 1 : 0;
    if (error == Error::storage_failed && board_.store.polls > board_.store.fail_at) return "";
    const bool usual = error == Error::none || error == Error::borrowed || error == Error::no_slot ||
                       error == Error::no_ram || error == Error::dirty_limit || error == Error::no_storage;
    return usual ? "" : "unexpected error " + std::to_string(static_cast<int>(error));
  }

  std::string make() {
    if (objects_.size() >= 14) return free_any();
    const std::uint32_t size = random_() % 3 == 0 ? 40 + random_() % 16 : 1 + random_() % 8;
    auto made = board_.heap().make_buffer(size, random_() % 4 == 0 ? Dirtiness::partial : Dirtiness::whole);
    if (!made.ok()) return judge(made.error());
    if (made.value().partial()) board_.partial_sizes[made.value().home()] = size;
    objects_.push_back({made.take(), std::vector<std::byte>(size)});
    return "";
  }
  std::string free_any() {
    if (objects_.empty()) return "";
    Known& gone = any();
    const std::uint32_t home = gone.handle.home();
    const Status status = board_.heap().free(gone.handle);
    if (!status.ok()) return judge(status.error());
    board_.partial_sizes.erase(home);
    std::swap(gone, objects_.back());
    objects_.pop_back();
    return "";
  }
  std::string write_any() {
    if (objects_.empty()) return "";
    Known& known = any();
    const std::uint32_t size = known.handle.size_bytes();
    const std::uint32_t first = known.handle.partial() ? random_() % size : 0;
    const std::uint32_t count = 1 + random_() % (size - first);
    auto ref = board_.heap().write(known.handle, first, count);
    if (!ref.ok()) return judge(ref.error());
    for (std::uint32_t i = 0; i < count; ++i) {
      if (ref.value()[i] != known.content[first + i]) return "content on write";
      ref.value()[i] = known.content[first + i] = static_cast<std::byte>(random_());
    }
    return "";
  }
  std::string read_any() {
    if (objects_.empty()) return "";
    Known& known = any();
    auto ref = board_.heap().read(known.handle);
    if (!ref.ok()) return judge(ref.error());
    if (!std::equal(known.content.begin(), known.content.end(), ref.value().begin())) return "content";
    if (held_.size() < 2) held_.push_back(ref.take());
    return "";
  }
  std::string check_and_free_all() {
    held_.clear();
    for (Known& known : objects_) {
      if (get(board_.heap(), known.handle) != known.content) return "content in the end";
      if (!board_.heap().free(known.handle).ok()) return "free in the end";
    }
    if (!board_.heap().flush().ok()) return "flush in the end";
    // A table byte whose write failed is put right by the next allocation.
    Buffer last = board_.heap().make_buffer(8).take();
    if (!board_.heap().free(last).ok()) return "free";
    return allocated_entries(board_.store.memory, board_.heap().geometry()) == 0 ? "" : "leak";
  }

  Random random_;
  CheckedBoard<Modules> board_;
  std::vector<Known> objects_;
  std::vector<SpanRef<Heap, std::byte>> held_;
};

TYPED_TEST(HeapOfAnyModules, RandomUseWithErrorsThatNobodyRepeats) {
  std::uint32_t errors = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    RandomUse<TypeParam> use(seed);
    ASSERT_EQ(use.run(150), "") << "seed " << seed;
    errors += use.errors;
  }
  EXPECT_GT(errors, 1000U);
}

TEST(Heap, OneWriterOrManyReaders) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  auto object = board.heap().make(7);
  ASSERT_TRUE(object.ok());
  {
    auto reader = board.heap().read(object.value());
    auto other = board.heap().read(object.value());
    EXPECT_TRUE(reader.ok() && other.ok());
    EXPECT_EQ(board.heap().write(object.value()).error(), Error::borrowed);
    EXPECT_EQ(board.heap().free(object.value()).error(), Error::borrowed);
    EXPECT_EQ(board.heap().unload(object.value()).error(), Error::borrowed);
  }
  {
    auto writer = board.heap().write(object.value());
    EXPECT_TRUE(writer.ok());
    EXPECT_EQ(board.heap().write(object.value()).error(), Error::borrowed);
    EXPECT_EQ(board.heap().read(object.value()).error(), Error::borrowed);
    EXPECT_EQ(board.heap().free(object.value()).error(), Error::borrowed);
    EXPECT_EQ(board.heap().unload(object.value()).error(), Error::borrowed);
  }
  EXPECT_TRUE(board.heap().free(object.value()).ok());
  EXPECT_FALSE(object.value().valid());
}

TEST(Heap, RefusesTheFifteenthReader) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  auto object = board.heap().make(7);
  std::vector<Ref<TestHeap, int>> readers;
  for (std::uint32_t i = 0; i < 14; ++i) readers.push_back(board.heap().read(object.value()).take());
  EXPECT_EQ(board.heap().read(object.value()).error(), Error::borrowed);
  readers.pop_back();
  EXPECT_TRUE(board.heap().read(object.value()).ok());
}

TEST(Heap, BorrowedObjectsStayWhereTheyAre) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  auto kept = board.heap().make_buffer(64);
  ASSERT_TRUE(kept.ok());
  put(board.heap(), kept.value(), pattern(64, 9));
  auto ref = board.heap().read(kept.value());
  ASSERT_TRUE(ref.ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(board.heap().make_buffer(90).ok());
  board.outage();
  EXPECT_EQ(std::memcmp(ref.value().data(), pattern(64, 9).data(), 64), 0);
}

// While an object is borrowed its slot may move in the hash; the borrow is given back all the same.
TEST(Heap, GivesBackWhatMovedInTheHash) {
  HeapConfig config = kSmall;
  config.ram_bytes = 4096;
  config.max_residents = 13;
  config.dirty_limit_bytes = 2048;
  CheckedBoard<DefaultModules> board(config, 8192);
  ASSERT_TRUE(board.heap().format().ok());
  int moved = 0;
  for (std::uint32_t first = 0; first < 12; ++first) {
    std::vector<Object<std::uint64_t>> objects;
    for (std::uint64_t i = 0; i < 12; ++i) objects.push_back(board.heap().make(i).take());
    const auto slot_of = [&](const Handle& handle) {
      std::uint32_t i = 0;
      while (board.arena().slot(i).key() != handle.home() / kGranule) ++i;
      return i;
    };
    {
      auto ref = board.heap().write(objects[first]).take();
      const std::uint32_t before = slot_of(objects[first]);
      for (std::uint32_t i = 0; i < 12; ++i) {
        if (i == first) continue;
        ASSERT_TRUE(board.heap().free(objects[i]).ok());
      }
      moved += slot_of(objects[first]) != before ? 1 : 0;
    }
    EXPECT_EQ(board.arena().slot(slot_of(objects[first])).borrows(), 0U);
    EXPECT_EQ(board.structure(), "");
    EXPECT_TRUE(board.heap().free(objects[first]).ok());
  }
  EXPECT_GT(moved, 0) << "no slot moved: the test shows nothing";
}

TEST(Heap, ReferencesCanBeMoved) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  auto object = board.heap().make(7).take();
  {
    auto writer = board.heap().write(object).take();
    auto moved = std::move(writer);
    *moved = 8;
    EXPECT_EQ(board.heap().read(object).error(), Error::borrowed) << "the move keeps the borrow";
  }
  EXPECT_EQ(*board.heap().read(object).take(), 8);
  EXPECT_TRUE(board.heap().free(object).ok()) << "given back once";
}

TEST(Heap, SizesFromNothingToTheLargest) {
  HeapConfig config{.ram_bytes = 40'000, .dirty_limit_bytes = 20'000, .max_residents = 8};
  TestBoard board(config, 100'000);
  ASSERT_TRUE(board.heap().format().ok());
  constexpr std::uint32_t kLargest = 2047 * 8;
  for (const std::uint32_t size : {0U, 1U, 7U, 8U, 9U, 31U, 32U, 33U, kLargest - 1, kLargest}) {
    for (const Dirtiness dirtiness : {Dirtiness::whole, Dirtiness::partial}) {
      auto made = board.heap().make_buffer(size, dirtiness);
      // The dirty bits count: 8 granules of them for 2,039 of data.
      if (dirtiness == Dirtiness::partial && size > 2039 * 8) {
        EXPECT_EQ(made.error(), Error::too_large);
        continue;
      }
      ASSERT_TRUE(made.ok()) << size;
      EXPECT_EQ(made.value().size_bytes(), size);
      EXPECT_EQ(get(board.heap(), made.value()), std::vector<std::byte>(size)) << "zeros at first";
      put(board.heap(), made.value(), pattern(size, 3));
      ASSERT_TRUE(board.heap().unload(made.value()).ok());
      EXPECT_FALSE(board.heap().is_resident(made.value()));
      EXPECT_EQ(get(board.heap(), made.value()), pattern(size, 3));
      EXPECT_TRUE(board.heap().free(made.value()).ok());
    }
  }
  EXPECT_EQ(board.heap().make_buffer(2039 * 8, Dirtiness::partial).error(), Error::none);
  EXPECT_EQ(board.heap().make_buffer(kLargest + 1).error(), Error::too_large);
  EXPECT_EQ(board.heap().make_buffer(0xFFFF'FFFF).error(), Error::too_large);
}

TEST(Heap, SaysWhyItCannot) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  const std::vector<std::byte> store = board.store.memory;
  const std::vector<std::byte> ram = board.ram_copy();
  // 1,024 B less control and slots.
  EXPECT_EQ(board.heap().make_buffer(1024 - 32 - 12 * 8 + 1).error(), Error::too_large);
  EXPECT_EQ(board.heap().make_buffer(1024 - 32 - 12 * 8).error(), Error::dirty_limit);
  EXPECT_EQ(board.store.memory, store);
  EXPECT_EQ(board.ram_copy(), ram) << "nothing is left behind";

  Buffer a = board.heap().make_buffer(300).take();
  Buffer b = board.heap().make_buffer(300).take();
  {
    auto held = board.heap().write(a);
    ASSERT_TRUE(held.ok());
    const std::uint32_t bytes = board.heap().checkpoint_bytes();
    EXPECT_EQ(board.heap().write(b).error(), Error::dirty_limit) << "300 B are pinned dirty, 300 more exceed 512";
    EXPECT_EQ(board.heap().checkpoint_bytes(), bytes);
    EXPECT_TRUE(board.heap().read(b).ok()) << "no borrow is left behind";
    EXPECT_EQ(board.heap().make_buffer(300).error(), Error::dirty_limit);
    Buffer c = board.heap().make_buffer(100).take();
    EXPECT_EQ(board.heap().make_buffer(300).error(), Error::dirty_limit);
    EXPECT_TRUE(board.heap().free(c).ok());
  }
  EXPECT_TRUE(board.heap().write(b).ok());
}

TEST(Heap, AllResidentsBorrowedIsNoSlotAndAllRamIsNoRam) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Object<int>> objects;
  objects.reserve(13);
  for (int i = 0; i < 13; ++i) objects.push_back(board.heap().make(i).take());
  {
    std::vector<Ref<TestHeap, int>> readers;
    for (std::size_t i = 0; i < 12; ++i) readers.push_back(board.heap().read(objects[i]).take());
    EXPECT_EQ(board.heap().read(objects[12]).error(), Error::no_slot);
    EXPECT_EQ(board.heap().make(1).error(), Error::no_slot);
    readers.pop_back();
    EXPECT_TRUE(board.heap().read(objects[12]).ok());
  }
  for (auto& object : objects) ASSERT_TRUE(board.heap().free(object).ok());
  Buffer a = board.heap().make_buffer(400).take();
  Buffer b = board.heap().make_buffer(400).take();
  auto held_a = board.heap().read(a);
  auto held_b = board.heap().read(b);
  ASSERT_TRUE(held_a.ok() && held_b.ok());
  EXPECT_EQ(board.heap().make_buffer(400).error(), Error::no_ram);
}

TEST(Heap, FailedAllocationGivesItsStorageBack) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  const std::vector<std::byte> before = board.store.memory;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(board.heap().make_buffer(700).error(), Error::dirty_limit);
  EXPECT_EQ(board.store.memory, before);
}

TEST(Heap, HandlesThatOwnNothingAreRefused) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  const auto expect_refused = [&](Object<int>& object) {
    EXPECT_FALSE(object.valid());  // NOLINT(clang-analyzer-cplusplus.Move): that is the point
    EXPECT_EQ(board.heap().read(object).error(), Error::invalid_handle);
    EXPECT_EQ(board.heap().write(object).error(), Error::invalid_handle);
    EXPECT_EQ(board.heap().free(object).error(), Error::invalid_handle);
    EXPECT_FALSE(board.heap().is_resident(object));
    EXPECT_TRUE(board.heap().unload(object).ok()) << "what is not resident need not be unloaded";
  };
  Object<int> never;
  expect_refused(never);
  Object<int> object = board.heap().make(7).take();
  const Object<int> other = std::move(object);
  expect_refused(object);  // NOLINT(bugprone-use-after-move): that is the point
  EXPECT_EQ(*board.heap().read(other).take(), 7);
  Object<int> freed = board.heap().make(8).take();
  EXPECT_TRUE(board.heap().free(freed).ok());
  expect_refused(freed);
  Buffer no_buffer;
  EXPECT_EQ(board.heap().read(no_buffer).error(), Error::invalid_handle);
  EXPECT_EQ(board.heap().write(no_buffer).error(), Error::invalid_handle);
  EXPECT_EQ(board.heap().free(no_buffer).error(), Error::invalid_handle);
}

// A reference that never dies pins its object; end_borrows() is the way out.
TEST(Heap, EndBorrowsReleasesForgottenReferences) {
  CheckedBoard<DefaultModules> board(kSmall, 8192);
  ASSERT_TRUE(board.heap().format().ok());
  Object<int> read_only = board.heap().make(1).take();
  Object<int> written = board.heap().make(2).take();
  {
    alignas(MutRef<TestHeap, int>) std::byte forgotten[3][sizeof(MutRef<TestHeap, int>)];
    ::new (forgotten[0]) Ref<TestHeap, int>(board.heap().read(read_only).take());
    ::new (forgotten[1]) Ref<TestHeap, int>(board.heap().read(read_only).take());
    **::new (forgotten[2]) MutRef<TestHeap, int>(board.heap().write(written).take()) = 3;
  }
  EXPECT_EQ(board.heap().free(read_only).error(), Error::borrowed);
  EXPECT_EQ(board.heap().read(written).error(), Error::borrowed);
  EXPECT_EQ(board.heap().end_borrows(), 2U) << "objects";
  EXPECT_EQ(board.heap().end_borrows(), 0U);
  EXPECT_EQ(board.structure(), "");
  EXPECT_EQ(*board.heap().read(written).take(), 3);
  EXPECT_TRUE(board.heap().free(read_only).ok());
}

TEST(Heap, UnloadGivesRamBackAndFlushesFirst) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  Buffer buffer = board.heap().make_buffer(200).take();
  put(board.heap(), buffer, pattern(200, 5));
  const auto free_granules = [&] { return board.arena().control().free_granules; };
  EXPECT_TRUE(board.heap().is_resident(buffer));
  const std::uint32_t before = free_granules();
  ASSERT_TRUE(board.heap().unload(buffer).ok());
  EXPECT_FALSE(board.heap().is_resident(buffer));
  EXPECT_EQ(free_granules(), before + 200 / kGranule);
  const std::uint64_t writes = board.store.writes;
  ASSERT_TRUE(board.heap().unload(buffer).ok());
  EXPECT_EQ(get(board.heap(), buffer), pattern(200, 5));
  ASSERT_TRUE(board.heap().unload(buffer).ok());
  EXPECT_EQ(board.store.writes, writes) << "a clean object is not written again";
}

TEST(Heap, FlushWritesWhatNobodyWrites) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  Buffer a = board.heap().make_buffer(40).take();
  Buffer b = board.heap().make_buffer(40).take();
  ASSERT_TRUE(board.heap().flush().ok());
  put(board.heap(), a, pattern(40, 1));
  auto held = board.heap().write(b).take();
  const auto home = [&](const Buffer& buffer) {
    return std::vector<std::byte>(board.store.memory.begin() + buffer.home(),
                                  board.store.memory.begin() + buffer.home() + 40);
  };
  held[0] = std::byte{77};
  ASSERT_TRUE(board.heap().flush().ok());
  EXPECT_EQ(home(a), pattern(40, 1));
  EXPECT_EQ(home(b), std::vector<std::byte>(40)) << "a writer may be in the middle of a change";
  const std::uint64_t writes = board.store.writes;
  ASSERT_TRUE(board.heap().flush().ok());
  EXPECT_EQ(board.store.writes, writes);
}

TEST(Heap, ConfigurationThatDoesNotFitIsRefused) {
  constexpr ModuleTraits kTraits = TestHeap::traits();
  Geometry geometry;
  EXPECT_EQ(Geometry::plan(kSmall, 8192, kTraits, geometry), Error::none);
  for (HeapConfig config :
       {HeapConfig{.ram_bytes = 48, .dirty_limit_bytes = 512},
        HeapConfig{.ram_bytes = 600 * 1024, .dirty_limit_bytes = 512},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 40},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 0xFFFF'FFFF},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 0x8000'0000},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 200},
        HeapConfig{.ram_bytes = 8192, .dirty_limit_bytes = 5000},
        HeapConfig{.ram_bytes = 64 * 1024, .dirty_limit_bytes = 1024, .max_residents = 4097},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .store_bytes = 8000},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .store_bytes = 0xFFFF'FFF8},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .store_unit_bytes = 12},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .os_bytes = 4},
        HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .os_bytes = 0x8000'0000}}) {
    EXPECT_EQ(Geometry::plan(config, 8192, kTraits, geometry), Error::bad_configuration)
        << config.ram_bytes << " " << config.dirty_limit_bytes << " " << config.os_bytes;
  }
}

// The least limit for an object suffices for it, and 8 bytes less do not.
TYPED_TEST(HeapOfAnyModules, SmallestLimitIsEnoughForOneObjectAtATime) {
  using Board = CheckedBoard<TypeParam>;
  HeapConfig config = fitted<TypeParam>({.ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 6}, 64);
  Geometry geometry;
  ASSERT_EQ(Geometry::plan(config, 4096, Board::Heap::traits(), geometry), Error::none);
  config.dirty_limit_bytes = geometry.smallest_limit(64);
  Board board(config, 4096);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> buffers;
  for (std::uint32_t i = 0; i < 10; ++i) {
    auto made = board.heap().make_buffer(64);
    ASSERT_TRUE(made.ok()) << i << " " << static_cast<int>(made.error());
    buffers.push_back(made.take());
    put(board.heap(), buffers.back(), pattern(64, i));
    ASSERT_EQ(board.structure(), "");
  }
  for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(get(board.heap(), buffers[i]), pattern(64, i));
  EXPECT_EQ(board.heap().make_buffer(64 + 24).ok(), false);
}

// Time is charged explicitly, so an operation that reported no work would be free.
TEST(Heap, EveryOperationChargesItsWork) {
  TestBoard board(kSmall);
  std::uint64_t last = 0;
  const auto expect_charged = [&](const char* what, std::uint64_t at_least) {
    EXPECT_GE(board.platform.charged - last, at_least) << what;
    last = board.platform.charged;
  };
  ASSERT_TRUE(board.heap().format().ok());
  Buffer buffer = board.heap().make_buffer(200).take();
  expect_charged("make: a byte each for 200 zeros", 200);
  static_cast<void>(board.heap().write(buffer));
  expect_charged("write", 1);
  static_cast<void>(board.heap().read(buffer));
  expect_charged("read", 1);
  ASSERT_TRUE(board.persist().ok());
  expect_charged("persist: the checksum of 200 bytes", 200);
  board.poison();
  ASSERT_TRUE(board.restore().ok());
  expect_charged("restore: the checksum again", 200);
  ASSERT_TRUE(board.heap().flush().ok());
  expect_charged("flush", 1);
  static_cast<void>(board.heap().is_resident(buffer));
  expect_charged("is_resident", 1);
  ASSERT_TRUE(board.heap().unload(buffer).ok());
  expect_charged("unload", 1);
  static_cast<void>(board.heap().end_borrows());
  expect_charged("end_borrows", 1);
  ASSERT_TRUE(board.heap().free(buffer).ok());
  expect_charged("free", 1);
}

}  // namespace
}  // namespace brownout::heap::testing
