// Partial dirtiness: of arrays and buffers only the blocks that were touched are written, home and in images.
#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{.ram_bytes = 1024, .dirty_limit_bytes = 600, .max_residents = 8, .os_bytes = 0};

// A board with an array of 25 granules of data, which is six blocks and a short one of 8 bytes, in a heap of
// the default modules.
struct WithArray {
  WithArray() : board(kConfig, 4096) {
    if (!board.heap().format().ok()) throw std::runtime_error("format");
    array = board.heap().make_array<std::uint16_t, 100>().take();
    board.partial_sizes[array.home()] = 200;
    auto ref = board.heap().write(array).take();
    for (std::uint32_t i = 0; i < 100; ++i) ref[i] = static_cast<std::uint16_t>(i * 3);
    expected.assign(ref.begin(), ref.end());
  }
  void clean() {
    if (!board.heap().flush().ok()) throw std::runtime_error("flush");
  }
  void set(std::uint32_t i, std::uint16_t value) {
    board.heap().write(array, i, 1).take()[0] = value;
    expected[i] = value;
  }
  std::uint64_t flushed_bytes() {
    const std::uint64_t before = board.store.written;
    clean();
    return board.store.written - before;
  }
  std::vector<std::uint16_t> content() {
    auto ref = board.heap().read(array).take();
    return {ref.begin(), ref.end()};
  }
  std::vector<std::uint16_t> content_at_home() {
    std::vector<std::uint16_t> elements(100);
    std::memcpy(elements.data(), &board.store.memory[array.home()], 200);
    return elements;
  }

  CheckedBoard<DefaultModules> board;
  Array<std::uint16_t, 100> array;
  std::vector<std::uint16_t> expected;
};

TEST(Array, BeginsAsZeros) {
  CheckedBoard<DefaultModules> board(kConfig, 4096);
  ASSERT_TRUE(board.heap().format().ok());
  for (int round = 0; round < 3; ++round) {
    auto array = board.heap().make_array<std::uint32_t, 20>().take();
    {
      auto ref = board.heap().write(array).take();
      EXPECT_EQ(ref.size(), 20U);
      for (std::uint32_t& element : ref) {
        EXPECT_EQ(element, 0U);
        element = 0xFFFF'FFFF;
      }
    }
    ASSERT_TRUE(board.heap().unload(array).ok());
    ASSERT_TRUE(board.heap().free(array).ok());
  }
}

TEST(Array, OnlyTouchedBlocksGoHome) {
  WithArray with;
  EXPECT_EQ(with.flushed_bytes(), 200U) << "a new one is dirty as a whole";
  with.set(0, 1000);
  EXPECT_EQ(with.flushed_bytes(), 32U);
  with.set(15, 1001);
  with.set(16, 1002);
  EXPECT_EQ(with.flushed_bytes(), 64U) << "both sides of a border";
  with.set(99, 1003);
  EXPECT_EQ(with.flushed_bytes(), 8U) << "the last block is short";
  with.set(20, 1004);
  with.set(70, 1005);
  with.set(21, 1006);
  const std::uint64_t writes = with.board.store.writes;
  EXPECT_EQ(with.flushed_bytes(), 64U);
  EXPECT_EQ(with.board.store.writes, writes + 2) << "a transfer for each run of blocks";
  EXPECT_EQ(with.flushed_bytes(), 0U) << "clean";
  EXPECT_EQ(with.content_at_home(), with.expected);
  { static_cast<void>(with.board.heap().write(with.array, 30, 40).take()); }
  EXPECT_EQ(with.flushed_bytes(), 4 * 32U) << "bytes 60 to 140 lie in blocks 1 to 4";
  { static_cast<void>(with.board.heap().write(with.array).take()); }
  EXPECT_EQ(with.flushed_bytes(), 200U) << "the whole array";
  EXPECT_EQ(with.board.structure(), "");
}

TEST(Array, OnlyTouchedBlocksAreInAnImage) {
  WithArray with;
  with.clean();
  const std::uint32_t clean = with.board.heap().checkpoint_bytes();
  const auto image_bytes = [&] {
    const std::uint64_t before = with.board.store.written;
    EXPECT_TRUE(with.board.persist().ok());
    return static_cast<std::uint32_t>(with.board.store.written - before);
  };
  EXPECT_EQ(image_bytes(), clean);
  with.set(40, 1000);
  EXPECT_EQ(image_bytes(), clean + 8 + 32) << "one granule of bits, one block";
  with.set(41, 1001);
  EXPECT_EQ(image_bytes(), clean + 8 + 32) << "the same block";
  with.set(99, 1002);
  EXPECT_EQ(image_bytes(), clean + 8 + 40);
  EXPECT_EQ(with.board.heap().checkpoint_bytes(), clean + 8 + 40);
  with.board.checked_outage();
  EXPECT_EQ(with.board.fault, "");
  EXPECT_EQ(with.content(), with.expected);
  EXPECT_EQ(with.flushed_bytes(), 8 + 40U) << "the mark, and what was dirty before the outage";
  EXPECT_EQ(with.content_at_home(), with.expected);
}

TEST(Array, ReadingMakesNothingDirty) {
  WithArray with;
  with.clean();
  const std::uint32_t clean = with.board.heap().checkpoint_bytes();
  EXPECT_EQ(with.content(), with.expected);
  EXPECT_EQ(with.board.heap().checkpoint_bytes(), clean);
  EXPECT_EQ(with.flushed_bytes(), 0U);
}

TEST(Array, LoadedAgainNothingIsDirty) {
  WithArray with;
  with.set(3, 77);
  ASSERT_TRUE(with.board.heap().unload(with.array).ok());
  // What lies in the block's RAM now must not be taken for dirty bits.
  Buffer garbage = with.board.heap().make_buffer(208).take();
  put(with.board.heap(), garbage, std::vector<std::byte>(208, std::byte{0xFF}));
  ASSERT_TRUE(with.board.heap().unload(garbage).ok());
  EXPECT_EQ(with.content(), with.expected);
  EXPECT_EQ(with.flushed_bytes(), 0U);
  EXPECT_EQ(with.board.structure(), "");
}

TEST(Array, ElementsBeyondTheEndAreOutOfRange) {
  WithArray with;
  auto& heap = with.board.heap();
  EXPECT_TRUE(heap.write(with.array, 99, 1).ok());
  EXPECT_TRUE(heap.write(with.array, 100, 0).ok());
  EXPECT_EQ(heap.write(with.array, 100, 1).error(), Error::out_of_range);
  EXPECT_EQ(heap.write(with.array, 99, 2).error(), Error::out_of_range);
  EXPECT_EQ(heap.write(with.array, 101, 0).error(), Error::out_of_range);
  EXPECT_EQ(heap.write(with.array, 1, 0xFFFF'FFFF).error(), Error::out_of_range);
  EXPECT_EQ(heap.write(with.array, 0xFFFF'FFFF, 2).error(), Error::out_of_range);
  EXPECT_TRUE(heap.write(with.array, 0, 100).ok()) << "no borrow is left behind";
  for (const Dirtiness dirtiness : {Dirtiness::whole, Dirtiness::partial}) {
    Buffer buffer = heap.make_buffer(33, dirtiness).take();
    EXPECT_TRUE(heap.write(buffer, 32, 1).ok());
    EXPECT_EQ(heap.write(buffer, 33, 1).error(), Error::out_of_range);
    EXPECT_EQ(heap.write(buffer, 0xFFFF'FFFF, 2).error(), Error::out_of_range);
  }
}

TEST(Array, NothingWrittenIsNothingDirty) {
  WithArray with;
  with.clean();
  { EXPECT_EQ(with.board.heap().write(with.array, 16, 0).take().size(), 0U); }
  EXPECT_EQ(with.flushed_bytes(), 0U);
  EXPECT_EQ(with.board.structure(), "");
}

// A buffer of either kind: the pieces that were written.
TEST(BufferDirtiness, WholeOrPartial) {
  CheckedBoard<DefaultModules> board(kConfig, 4096);
  ASSERT_TRUE(board.heap().format().ok());
  for (const Dirtiness dirtiness : {Dirtiness::whole, Dirtiness::partial}) {
    Buffer buffer = board.heap().make_buffer(130, dirtiness).take();
    put(board.heap(), buffer, pattern(130, 2));
    ASSERT_TRUE(board.heap().flush().ok());
    const std::uint64_t before = board.store.written;
    board.heap().write(buffer, 64, 32).take()[0] = std::byte{200};
    ASSERT_TRUE(board.heap().flush().ok());
    EXPECT_EQ(board.store.written - before, dirtiness == Dirtiness::whole ? 136U : 32U);
    std::vector<std::byte> expected = pattern(130, 2);
    expected[64] = std::byte{200};
    ASSERT_TRUE(board.heap().unload(buffer).ok());
    EXPECT_EQ(get(board.heap(), buffer), expected);
  }
}

// An array larger than what is left of the limit can be written in parts.
TEST(Array, OnlyWhatIsTouchedCountsAgainstTheLimit) {
  WithArray with;
  with.clean();
  Buffer pinned = with.board.heap().make_buffer(400).take();
  auto writer = with.board.heap().write(pinned).take();
  EXPECT_EQ(with.board.heap().write(with.array).error(), Error::dirty_limit);
  EXPECT_EQ(with.board.structure(), "");
  with.set(50, 999);
  EXPECT_EQ(with.board.heap().write(with.array, 0, 90).error(), Error::dirty_limit);
  EXPECT_EQ(with.content(), with.expected);
  EXPECT_EQ(with.board.structure(), "");
  EXPECT_LE(with.board.heap().checkpoint_bytes(), kConfig.dirty_limit_bytes);
}

TEST(Array, SizesThatCannotBe) {
  CheckedBoard<DefaultModules> board(kConfig, 4096);
  ASSERT_TRUE(board.heap().format().ok());
  const std::vector<std::byte> store = board.store.memory;
  EXPECT_EQ((board.heap().make_array<std::uint64_t, 64>().error()), Error::dirty_limit);
  // There are 116 granules of RAM for objects, and one is for the dirty bits.
  EXPECT_EQ((board.heap().make_array<std::uint64_t, 115>().error()), Error::dirty_limit);
  EXPECT_EQ((board.heap().make_array<std::uint64_t, 116>().error()), Error::too_large);
  EXPECT_EQ((board.heap().make_array<std::uint64_t, 2040>().error()), Error::too_large);
  EXPECT_EQ((board.heap().make_array<std::uint64_t, 100'000>().error()), Error::too_large);
  EXPECT_EQ(board.store.memory, store);
  EXPECT_TRUE((board.heap().make_array<std::uint64_t, 63>().ok()));
}

// Elements written at random in heaps of any modules, against a plain copy, with flushes, unloads, outages.
template <class Modules>
struct ArraysOfAnyModules : ::testing::Test {};
TYPED_TEST_SUITE(ArraysOfAnyModules, SomeModules, ModuleNames);

TYPED_TEST(ArraysOfAnyModules, KeepWhatIsWrittenInParts) {
  constexpr std::uint32_t kElements = 93;
  CheckedBoard<TypeParam> board(fitted<TypeParam>(kConfig, 280), 4096);
  ASSERT_TRUE(board.heap().format().ok());
  Random random(7);
  std::vector<Array<std::uint16_t, kElements>> arrays;
  std::vector<std::vector<std::uint16_t>> expected(5, std::vector<std::uint16_t>(kElements));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    arrays.push_back(board.heap().template make_array<std::uint16_t, kElements>().take());
    board.partial_sizes[arrays.back().home()] = 2 * kElements;
  }
  for (std::size_t round = 0; round < 600; ++round) {
    const std::size_t chosen = random() % arrays.size();
    {
      const std::uint32_t first = random() % kElements;
      const std::uint32_t count = random() % std::min(20U, kElements - first + 1);
      auto ref = board.heap().write(arrays[chosen], first, count);
      ASSERT_TRUE(ref.ok());
      for (std::uint32_t i = 0; i < count; ++i) {
        ref.value()[i] = expected[chosen][first + i] = static_cast<std::uint16_t>(random());
      }
      if (round % 7 == 0) board.checked_outage();
    }
    if (round % 11 == 0) {
      ASSERT_TRUE(board.heap().unload(arrays[random() % arrays.size()]).ok());
    }
    if (round % 31 == 0) {
      ASSERT_TRUE(board.heap().flush().ok());
    }
    if (round % 13 == 0) board.checked_outage();
    ASSERT_EQ(board.fault, "") << round;
    ASSERT_EQ(board.structure(), "") << round;
    auto ref = board.heap().read(arrays[round % arrays.size()]).take();
    ASSERT_TRUE(std::equal(ref.begin(), ref.end(), expected[round % arrays.size()].begin())) << round;
  }
}

// 256 granules of data have one granule of bits, 257 have two.
TYPED_TEST(ArraysOfAnyModules, AroundTheSizesAtWhichMoreBitsAreNeeded) {
  HeapConfig config = fitted<TypeParam>({.ram_bytes = 20'000, .dirty_limit_bytes = 9'000, .max_residents = 4}, 4200);
  for (const std::uint32_t granules : {255U, 256U, 257U, 258U, 259U, 511U, 512U, 513U, 514U}) {
    CheckedBoard<TypeParam> board(config, 40'000);
    ASSERT_TRUE(board.heap().format().ok());
    const std::uint32_t size = granules * kGranule;
    auto made = board.heap().make_buffer(size, Dirtiness::partial);
    ASSERT_TRUE(made.ok()) << granules << static_cast<int>(made.error());
    Buffer buffer = made.take();
    board.partial_sizes[buffer.home()] = size;
    put(board.heap(), buffer, pattern(size, 1));
    ASSERT_EQ(board.structure(), "") << granules;
    ASSERT_TRUE(board.heap().flush().ok());
    board.heap().write(buffer, size - 1, 1).take()[0] = std::byte{1};
    board.heap().write(buffer, 0, 1).take()[0] = std::byte{2};
    board.checked_outage();
    ASSERT_EQ(board.fault, "") << granules;
    const std::uint64_t before = board.store.written;
    ASSERT_TRUE(board.heap().flush().ok());
    // Compact slots do not know where the data end in a block of a power of two.
    std::uint32_t data = granules;
    if (std::is_same_v<typename TypeParam::Slot, CompactSlot>) {
      const std::uint32_t block = std::bit_ceil(granules + dirty_bits_for(granules));
      data = block - dirty_bits_in(block);
    }
    const std::uint32_t last_block = std::min(4U, data - (granules - 1) / 4 * 4) * kGranule;
    EXPECT_EQ(board.store.written - before, sizeof(RunningMark) + 32 + last_block) << granules;
    std::vector<std::byte> expected = pattern(size, 1);
    expected.back() = std::byte{1};
    expected.front() = std::byte{2};
    ASSERT_TRUE(board.heap().unload(buffer).ok());
    EXPECT_EQ(get(board.heap(), buffer), expected) << granules;
    EXPECT_TRUE(board.heap().free(buffer).ok());
    EXPECT_EQ(board.structure(), "");
  }
}

}  // namespace
}  // namespace brownout::heap::testing
