// What the heap costs: RAM and bytes of a checkpoint, to the byte.
#include <bit>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"
#include "heap/objects/list.hpp"

namespace brownout::heap::testing {
namespace {

static_assert(sizeof(StandardSlot) == 8 && sizeof(CompactSlot) == 4);
static_assert(sizeof(Control) == 32 && kSavedControlBytes == 24);
static_assert(sizeof(CheckpointHeader) == 32 && sizeof(CheckpointTrailer) == 8 && sizeof(RunningMark) == 8);
static_assert(sizeof(Handle) == 8 && sizeof(List<int>) == 12);

template <class Modules>
struct Footprint : ::testing::Test {
  using Board = CheckedBoard<Modules>;
  static constexpr std::uint32_t kSlotBytes = sizeof(typename Modules::Slot);
  static constexpr bool kCompact = kSlotBytes == 4;
  // Limit for at most five slots and 40 B of data.
  static HeapConfig config() {
    return fitted<Modules>({.ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 20}, 64);
  }
  static std::uint32_t empty_image_bytes() {
    const bool bits_apart = Modules::Policy::kReferenced && !kCompact;
    return 32 + 24 + 8 * (bits_apart ? 2 : 1) + 8;
  }
};
TYPED_TEST_SUITE(Footprint, SomeModules, ModuleNames);

// Nothing in RAM but the control block, and for each resident its slot and its data.
TYPED_TEST(Footprint, RamHoldsSlotsAndDataAndNothingElse) {
  constexpr std::uint32_t kEach = TestFixture::kSlotBytes;
  HeapConfig config = TestFixture::config();
  for (const std::uint32_t residents : {1U, 2U, 5U, 20U, 64U}) {
    config.max_residents = residents;
    Geometry geometry;
    ASSERT_EQ(Geometry::plan(config, 8192, TestFixture::Board::Heap::traits(), geometry), Error::none);
    EXPECT_EQ(geometry.objects_offset, 32 + round_up_8(residents * kEach));
    EXPECT_EQ(geometry.object_granules(), (1024 - geometry.objects_offset) / 8);
  }
  // 16 objects of one granule fill 16 granules.
  config.max_residents = 16;
  config.ram_bytes = 32 + 16 * (kEach + 8);
  typename TestFixture::Board board(config, 8192);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Object<std::uint64_t>> objects;
  for (std::uint64_t i = 0; i < 16; ++i) objects.push_back(board.heap().make(i).take());
  for (const auto& object : objects) EXPECT_TRUE(board.heap().is_resident(object));
  EXPECT_EQ(board.arena().control().free_granules, 0U);
}

TYPED_TEST(Footprint, AnImageGrowsByOneSlotAndTheDataOfADirtyObject) {
  typename TestFixture::Board board(TestFixture::config(), 8192);
  ASSERT_TRUE(board.heap().format().ok());
  const auto image_bytes = [&] {
    const std::uint64_t before = board.store.written;
    EXPECT_TRUE(board.persist().ok());
    return static_cast<std::uint32_t>(board.store.written - before);
  };
  std::uint32_t expected = TestFixture::empty_image_bytes();
  EXPECT_EQ(image_bytes(), expected);
  std::vector<Buffer> buffers;
  for (const std::uint32_t size : {8U, 16U, 1U, 64U, 32U, 8U}) {
    buffers.push_back(board.heap().make_buffer(size).take());
    expected += TestFixture::kSlotBytes + round_up_8(size);
    EXPECT_EQ(board.heap().checkpoint_bytes(), expected);
    EXPECT_EQ(image_bytes(), expected);
  }
}

// A clean resident costs an image nothing, once its slot is recorded; without records its slot.
TYPED_TEST(Footprint, ARecordedCleanResidentCostsAnImageNothing) {
  constexpr std::uint32_t kEach = TestFixture::kSlotBytes;
  HeapConfig config = TestFixture::config();
  // So that the last object is made at the price of all others' slots.
  config.dirty_limit_bytes = TestFixture::empty_image_bytes() + 3 * kEach + 64;
  if (TestFixture::kCompact) config.dirty_limit_bytes += 7 * kEach;
  typename TestFixture::Board board(config, 8192);
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> buffers;
  for (std::uint32_t i = 0; i < 8; ++i) buffers.push_back(board.heap().make_buffer(8).take());
  ASSERT_TRUE(board.heap().flush().ok());
  Buffer large = board.heap().make_buffer(56).take();
  auto writer = board.heap().write(large).take();
  std::uint32_t clean = 0;
  for (const Buffer& buffer : buffers) clean += board.heap().is_resident(buffer) ? 1 : 0;
  EXPECT_GE(clean, TestFixture::kCompact ? 4U : 8U);
  const std::uint32_t data_bytes = TestFixture::kCompact ? 64 : 56;
  // Of those between slots that are recorded, as many as the new one needed.
  std::uint32_t of_clean = 0;
  for (std::uint32_t i = 0; i < board.arena().slots(); ++i) {
    const auto& slot = board.arena().slot(i);
    of_clean += slot.used() && !slot.dirty() && slot.borrows() == 0 && slot.is_listed() ? kEach : 0;
  }
  EXPECT_LE(of_clean, TestFixture::kCompact ? clean * kEach : 2 * kEach);
  EXPECT_EQ(board.heap().checkpoint_bytes(),
            TestFixture::empty_image_bytes() + kEach + data_bytes + of_clean);
  const std::uint64_t before = board.store.written;
  ASSERT_TRUE(board.persist().ok());
  EXPECT_EQ(board.store.written - before, board.heap().checkpoint_bytes());
  board.poison();
  ASSERT_TRUE(board.restore().ok());
  EXPECT_EQ(board.arena().control().residents, clean + 1);
}

// A granule is 64 bits, for 64 blocks of 32 bytes.
TYPED_TEST(Footprint, PartialDirtinessCostsOneGranuleForEach2KiBOfData) {
  HeapConfig config =
      fitted<TypeParam>({.ram_bytes = 16'384, .dirty_limit_bytes = 6000, .max_residents = 4}, 4096);
  typename TestFixture::Board board(config, 40'000);
  ASSERT_TRUE(board.heap().format().ok());
  for (const std::uint32_t size : {8U, 2040U, 2048U, 2056U, 3000U}) {
    const std::uint32_t free_before = board.arena().control().free_granules;
    Buffer buffer = board.heap().make_buffer(size, Dirtiness::partial).take();
    const std::uint32_t data = (size + 7) / 8;
    std::uint32_t expected = data + (size <= 2048 ? 1 : 2);
    if (TestFixture::Board::Heap::RamAllocator::kPowersOfTwo) expected = std::bit_ceil(expected);
    if (TestFixture::kCompact) {
      const std::uint32_t leaf = board.heap().geometry().leaf_granules;
      expected = std::bit_ceil((data + (size <= 2048 ? 1 : 2) + leaf - 1) / leaf) * leaf;
    }
    EXPECT_EQ(free_before - board.arena().control().free_granules, expected) << size;
    ASSERT_TRUE(board.heap().free(buffer).ok());
  }
}

}  // namespace
}  // namespace brownout::heap::testing
