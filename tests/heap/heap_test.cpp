#include <stdexcept>

#include <gtest/gtest.h>

#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kSmall{
    .ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 12, .store_bytes = 0, .os_bytes = 16};

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
};

TEST(Heap, KeepsWhatIsWritten) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  auto point = board.heap().make(Point{3, 4});
  ASSERT_TRUE(point.ok());
  {
    auto ref = board.heap().write(point.value());
    ASSERT_TRUE(ref.ok());
    EXPECT_EQ(ref.value()->x, 3);
    ref.value()->y = 5;
  }
  auto ref = board.heap().read(point.value());
  ASSERT_TRUE(ref.ok());
  EXPECT_EQ(ref.value()->y, 5);
}

TEST(Heap, SwapsWhatDoesNotFitRam) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> buffers;
  for (std::uint32_t i = 0; i < 30; ++i) {
    auto made = board.heap().make_buffer(100);
    ASSERT_TRUE(made.ok()) << i;
    buffers.push_back(made.take());
    put(board.heap(), buffers.back(), pattern(100, i));
    EXPECT_LE(board.heap().checkpoint_bytes(), kSmall.dirty_limit_bytes);
  }
  for (std::uint32_t i = 0; i < 30; ++i) EXPECT_EQ(get(board.heap(), buffers[i]), pattern(100, i)) << i;
  EXPECT_GT(board.store.writes, 20U) << "nothing was swapped: the test shows nothing";
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
  }
  {
    auto writer = board.heap().write(object.value());
    EXPECT_TRUE(writer.ok());
    EXPECT_EQ(board.heap().write(object.value()).error(), Error::borrowed);
    EXPECT_EQ(board.heap().read(object.value()).error(), Error::borrowed);
  }
  EXPECT_TRUE(board.heap().free(object.value()).ok());
  EXPECT_FALSE(object.value().valid());
}

TEST(Heap, RefusesTheThirtyFirstReader) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  auto object = board.heap().make(7);
  std::vector<Ref<TestHeap, int>> readers;
  for (std::uint32_t i = 0; i < Slot::kMaxReaders; ++i)
    readers.push_back(board.heap().read(object.value()).take());
  EXPECT_EQ(board.heap().read(object.value()).error(), Error::borrowed);
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
  EXPECT_EQ(std::memcmp(ref.value().data(), pattern(64, 9).data(), 64), 0);
}

// The peer's heap evicts the very object that it is about to lend when the dirty budget is short.
TEST(Heap, MakingRoomNeverEvictsItsOwnTarget) {
  HeapConfig config = kSmall;
  config.max_residents = 4;
  config.dirty_limit_bytes =
      kCheckpointOverheadBytes + 4 * sizeof(Slot) + 104;  // one object of 104 B may be dirty
  TestBoard board(config);
  ASSERT_TRUE(board.heap().format().ok());
  Buffer a = board.heap().make_buffer(104).take();
  put(board.heap(), a, pattern(104, 1));
  Buffer b = board.heap().make_buffer(104).take();
  put(board.heap(), b, pattern(104, 2));
  for (std::uint32_t i = 0; i < 6; ++i) {
    put(board.heap(), a, pattern(104, 10 + i));
    put(board.heap(), b, pattern(104, 20 + i));
    EXPECT_EQ(get(board.heap(), a), pattern(104, 10 + i));
    EXPECT_EQ(get(board.heap(), b), pattern(104, 20 + i));
    EXPECT_LE(board.heap().checkpoint_bytes(), config.dirty_limit_bytes);
  }
}

TEST(Heap, SaysWhyItCannot) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  EXPECT_EQ(board.heap().make_buffer(0).error(), Error::too_large);
  EXPECT_EQ(board.heap().make_buffer(kMaxObjectBytes + 1).error(), Error::too_large);
  EXPECT_EQ(board.heap().make_buffer(1000).error(), Error::dirty_limit);
  HeapConfig wide = kSmall;
  wide.dirty_limit_bytes = 1024;
  TestBoard wide_board(wide);
  ASSERT_TRUE(wide_board.heap().format().ok());
  EXPECT_EQ(wide_board.heap().make_buffer(900).error(), Error::no_ram);
  Buffer a = board.heap().make_buffer(300).take();
  Buffer b = board.heap().make_buffer(300).take();
  auto held = board.heap().write(a);
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(board.heap().write(b).error(), Error::dirty_limit)
      << "300 B are pinned dirty, 300 more exceed 512";
}

TEST(Heap, FullStoreIsAnErrorAndLeaksNothing) {
  TestBoard board(kSmall, 4096);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> buffers;
  for (;;) {
    auto made = board.heap().make_buffer(64);
    if (!made.ok()) {
      EXPECT_EQ(made.error(), Error::no_storage);
      break;
    }
    buffers.push_back(made.take());
  }
  ASSERT_GT(buffers.size(), 20U);
  const std::size_t full = buffers.size();
  for (int round = 0; round < 5; ++round) {
    for (Buffer& buffer : buffers) ASSERT_TRUE(board.heap().free(buffer).ok());
    buffers.clear();
    for (std::size_t i = 0; i < full; ++i) {
      auto made = board.heap().make_buffer(64);
      ASSERT_TRUE(made.ok()) << round << " " << i;
      buffers.push_back(made.take());
    }
    EXPECT_EQ(board.heap().make_buffer(64).error(), Error::no_storage);
  }
}

TEST(Heap, FailedAllocationGivesItsStorageBack) {
  TestBoard board(kSmall);
  ASSERT_TRUE(board.heap().format().ok());
  const std::vector<std::byte> before = board.store.memory;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(board.heap().make_buffer(700).error(), Error::dirty_limit);
  EXPECT_EQ(board.store.memory, before);
}

TEST(Heap, ConfigurationThatDoesNotFitIsRefused) {
  for (HeapConfig config : {HeapConfig{.ram_bytes = 48, .dirty_limit_bytes = 64},
                            HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 40},
                            HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 200},
                            HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 60},
                            HeapConfig{.ram_bytes = 8192, .dirty_limit_bytes = 5000},
                            HeapConfig{.ram_bytes = 1024, .dirty_limit_bytes = 512, .store_bytes = 8000}}) {
    Geometry geometry;
    EXPECT_EQ(Geometry::plan(config, 8192, geometry), Error::bad_configuration) << config.ram_bytes;
  }
  Geometry geometry;
  EXPECT_EQ(Geometry::plan(kSmall, 8192, geometry), Error::none);
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
  expect_charged("format", 1);
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
  ASSERT_TRUE(board.heap().free(buffer).ok());
  expect_charged("free", 1);
}

// A storage error at any poll of any operation: the call says so, nothing is lost, and the same call works
// when it is repeated.
TEST(Heap, StorageErrorAnywhereLeavesTheHeapSound) {
  std::uint64_t failures = 0;
  for (std::uint64_t fail_at = 0;; ++fail_at) {
    TestBoard board(kSmall);
    ASSERT_TRUE(board.heap().format().ok());
    std::vector<Buffer> buffers;
    board.store.polls = 0;
    board.store.fail_at = fail_at;
    const auto until_ok = [&](auto call) {
      for (int attempt = 0; attempt < 2; ++attempt) {
        if (call().ok()) return;
        ++failures;
      }
      FAIL() << "not repeatable after an error at poll " << fail_at;
    };
    for (std::uint32_t i = 0; i < 14; ++i) {
      until_ok([&]() -> Status {
        auto made = board.heap().make_buffer(90);
        if (!made.ok()) return made.error();
        buffers.push_back(made.take());
        return {};
      });
      until_ok([&]() -> Status {
        auto ref = board.heap().write(buffers.back());
        if (!ref.ok()) return ref.error();
        std::memcpy(ref.value().data(), pattern(90, i).data(), 90);
        return {};
      });
      if (i % 5 == 4) {
        until_ok([&] { return board.heap().free(buffers[i - 2]); });
      }
    }
    until_ok([&] { return board.heap().flush(); });
    const bool struck = board.store.polls > fail_at;
    board.store.fail_at = ~std::uint64_t{0};
    for (std::uint32_t i = 0; i < buffers.size(); ++i) {
      if (buffers[i].valid()) {
        EXPECT_EQ(get(board.heap(), buffers[i]), pattern(90, i)) << fail_at;
      }
    }
    if (!struck || ::testing::Test::HasFailure()) break;
  }
  EXPECT_GT(failures, 1000U);
}

}  // namespace
}  // namespace brownout::heap::testing
