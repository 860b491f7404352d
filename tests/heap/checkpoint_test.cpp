#include <stdexcept>

#include <gtest/gtest.h>

#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{
    .ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 12, .store_bytes = 0, .os_bytes = 24};

// A board with dirty, clean and swapped-out objects.
struct Loaded {
  explicit Loaded(const HeapConfig& config = kConfig) : board(config) {
    if (!board.heap().format().ok()) throw std::runtime_error("format");
    for (std::uint32_t i = 0; i < 14; ++i) {
      buffers.push_back(board.heap().make_buffer(60).take());
      put(board.heap(), buffers.back(), pattern(60, i));
    }
    static_cast<void>(get(board.heap(), buffers[0]));
    for (std::size_t i = 0; i < board.os.size(); ++i) board.os[i] = static_cast<std::byte>(0xC0 + i);
  }
  void expect_contents() {
    for (std::uint32_t i = 0; i < buffers.size(); ++i)
      ASSERT_EQ(get(board.heap(), buffers[i]), pattern(60, i)) << i;
  }
  std::uint32_t image_bytes() { return board.heap().checkpoint_bytes() + kConfig.os_bytes; }
  // Makes something dirty and writes something home: the program runs on.
  void run_on() {
    put(board.heap(), buffers[3], pattern(60, 3));
    ASSERT_TRUE(board.heap().flush().ok());
  }

  TestBoard board;
  std::vector<Buffer> buffers;
};

// Control fields that an outage may change are set aside by value.
std::vector<std::byte> comparable(TestBoard& board) {
  std::vector<std::byte> ram = board.ram_copy();
  Control control;
  std::memcpy(&control, ram.data(), sizeof control);
  control.sequence = 0;
  control.marked_sequence = 0;
  std::memcpy(ram.data(), &control, sizeof control);
  // The inside of free blocks is nobody's, and so is the gap behind the control block.
  const Geometry& g = board.heap().geometry();
  std::memset(ram.data() + sizeof control, 0, g.slots_offset - sizeof control);
  const Arena arena(ram.data(), g);
  for (std::uint32_t block = control.free_head; block != 0; block = arena.free_block(block).next) {
    const std::uint32_t size = arena.free_block(block).granules * kGranule;
    std::memset(arena.at(block * kGranule + sizeof(FreeBlock)), 0, size - sizeof(FreeBlock));
  }
  return ram;
}

TEST(Checkpoint, RestoresRamAndOsPart) {
  Loaded loaded;
  const std::vector<std::byte> before = comparable(loaded.board);
  const std::vector<std::byte> os = loaded.board.os;
  loaded.board.outage();
  ASSERT_TRUE(loaded.board.persist_status.ok());
  ASSERT_TRUE(loaded.board.restore_status.ok());
  EXPECT_EQ(comparable(loaded.board), before);
  EXPECT_EQ(loaded.board.os, os);
  loaded.expect_contents();
}

TEST(Checkpoint, IsOneBurstThatKeepsToTheLimit) {
  Loaded loaded;
  const std::uint64_t writes = loaded.board.store.writes;
  const std::uint64_t written = loaded.board.store.written;
  const std::uint32_t image = loaded.image_bytes();
  ASSERT_TRUE(loaded.board.persist().ok());
  EXPECT_EQ(loaded.board.store.writes, writes + 1);
  EXPECT_EQ(loaded.board.store.written, written + image);
  EXPECT_LE(image, kConfig.dirty_limit_bytes + kConfig.os_bytes);
  EXPECT_GT(image, kConfig.dirty_limit_bytes / 2) << "hardly anything was dirty: the test shows nothing";
}

// Two places in turn: a persist never touches the image before it.
TEST(Checkpoint, TakesItsTwoPlacesInTurn) {
  Loaded loaded;
  const Geometry g = loaded.board.heap().geometry();
  const auto image = [&](std::uint32_t place) {
    const auto begin =
        loaded.board.store.memory.begin() + static_cast<std::ptrdiff_t>(g.checkpoint_address(place));
    return std::vector<std::byte>(begin, begin + static_cast<std::ptrdiff_t>(g.checkpoint_stride));
  };
  for (std::uint32_t i = 1; i < 6; ++i) {
    const std::vector<std::byte> other = image(i + 1);
    const std::vector<std::byte> own = image(i);
    ASSERT_TRUE(loaded.board.persist().ok());
    EXPECT_EQ(image(i + 1), other);
    EXPECT_NE(image(i), own);
  }
}

TEST(Checkpoint, EmptyStoreHasNone) {
  TestBoard board(kConfig);
  EXPECT_EQ(board.restore().error(), Error::empty);
  ASSERT_TRUE(board.heap().format().ok());
  EXPECT_EQ(board.restore().error(), Error::empty);
}

// Cut after each byte: whole if and only if the image is.
TEST(Checkpoint, CutAtAnyByteIsTornOrTheOldOneOrWhole) {
  for (int slots_used_before = 0; slots_used_before < 3; ++slots_used_before) {
    std::uint64_t whole = 0;
    std::uint64_t torn = 0;
    std::uint64_t nothing_happened = 0;
    for (std::uint64_t cut = 0;; ++cut) {
      Loaded loaded;
      for (int i = 0; i < slots_used_before; ++i) {
        loaded.board.outage();
        loaded.run_on();
        put(loaded.board.heap(), loaded.buffers[5], pattern(60, 5));
      }
      const std::uint32_t image = loaded.image_bytes();
      if (cut > image) break;
      const std::vector<std::byte> store_before = loaded.board.store.memory;
      loaded.board.store.written = 0;
      loaded.board.store.cut_after = cut;
      ASSERT_TRUE(loaded.board.persist().ok());
      loaded.board.store.cut_after = ~std::uint64_t{0};
      const bool unchanged = loaded.board.store.memory == store_before;
      std::vector<std::byte> partial = loaded.board.store.memory;
      loaded.board.poison();
      const Status status = loaded.board.restore();
      // What the whole image would have been, to know whether the cut one equals it by chance.
      Loaded complete;
      for (int i = 0; i < slots_used_before; ++i) {
        complete.board.outage();
        complete.run_on();
        put(complete.board.heap(), complete.buffers[5], pattern(60, 5));
      }
      ASSERT_TRUE(complete.board.persist().ok());
      const bool equals_whole = partial == complete.board.store.memory;
      ASSERT_EQ(status.ok(), equals_whole) << "cut after " << cut << " of " << image;
      if (status.ok()) {
        ++whole;
        loaded.expect_contents();
      } else if (unchanged) {
        ++nothing_happened;
        ASSERT_EQ(status.error(), slots_used_before == 0 ? Error::empty : Error::stale) << cut;
      } else {
        ++torn;
        ASSERT_EQ(status.error(), Error::torn) << cut;
      }
    }
    EXPECT_GE(whole, 1U);
    EXPECT_GT(torn, 200U);
    EXPECT_GE(nothing_happened, 1U);
  }
}

TEST(Checkpoint, EveryFlippedBitIsRecognised) {
  Loaded loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  const Geometry g = loaded.board.heap().geometry();
  const std::uint32_t base = g.checkpoint_address(1);
  const std::uint32_t image = loaded.image_bytes();
  for (std::uint32_t bit = 0; bit < image * 8; ++bit) {
    loaded.board.store.memory[base + bit / 8] ^= std::byte{1} << (bit % 8);
    loaded.board.poison();
    const Status status = loaded.board.restore();
    ASSERT_FALSE(status.ok()) << "bit " << bit;
    loaded.board.store.memory[base + bit / 8] ^= std::byte{1} << (bit % 8);
  }
  loaded.board.poison();
  EXPECT_TRUE(loaded.board.restore().ok());
}

// After a restore the first write home makes the checkpoint stale; before that it is current.
TEST(Checkpoint, RunningOnMakesItStale) {
  Loaded loaded;
  loaded.board.outage();
  loaded.board.poison();
  EXPECT_TRUE(loaded.board.restore().ok()) << "nothing was written since";
  loaded.run_on();
  loaded.board.poison();
  EXPECT_EQ(loaded.board.restore().error(), Error::stale);
}

TEST(Checkpoint, ResumingWithoutABootMakesItStaleToo) {
  Loaded loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  loaded.run_on();
  loaded.board.poison();
  EXPECT_EQ(loaded.board.restore().error(), Error::stale);
}

// The mark that is cut counts as not written: at that moment no home has been touched.
TEST(Checkpoint, CutMarkLeavesItCurrent) {
  for (std::uint64_t cut = 0; cut <= sizeof(RunningMark); ++cut) {
    Loaded loaded;
    loaded.board.outage();
    loaded.board.store.written = 0;
    loaded.board.store.cut_after = cut;
    loaded.run_on();
    loaded.board.store.cut_after = ~std::uint64_t{0};
    loaded.board.poison();
    const Status status = loaded.board.restore();
    if (cut < sizeof(RunningMark)) {
      EXPECT_TRUE(status.ok()) << cut;
      loaded.expect_contents();
    } else {
      EXPECT_EQ(status.error(), Error::stale);
    }
  }
}

TEST(Checkpoint, RestoreWritesNothingAndCanBeCutAndRepeated) {
  Loaded loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  const std::vector<std::byte> store = loaded.board.store.memory;
  for (std::uint64_t cut = 0; cut < 4000; cut += 13) {
    loaded.board.poison();
    loaded.board.store.polls = 0;
    loaded.board.store.fail_at = cut;  // the restore ends in the middle
    const Status status = loaded.board.restore();
    loaded.board.store.fail_at = ~std::uint64_t{0};
    ASSERT_EQ(loaded.board.store.memory, store);
    if (status.ok()) break;
    ASSERT_EQ(status.error(), Error::storage_failed);
    loaded.board.poison();
    ASSERT_TRUE(loaded.board.restore().ok());
    loaded.expect_contents();
    if (HasFatalFailure()) return;
    // Reading may have swapped and so marked: the image is laid out anew.
    ASSERT_TRUE(loaded.board.persist().ok());
    loaded.board.store.memory = store;
  }
}

TEST(Checkpoint, OtherConfigurationIsForeign) {
  Loaded loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  HeapConfig other = kConfig;
  other.max_residents = 11;
  TestBoard second(other);
  second.store.memory = loaded.board.store.memory;
  EXPECT_EQ(second.restore().error(), Error::foreign);
}

TEST(Checkpoint, SequenceWrapsAround) {
  Loaded loaded;
  auto* control = reinterpret_cast<Control*>(loaded.board.ram());
  control->sequence = 0xFFFF'FFFDU;
  for (int i = 0; i < 6; ++i) {
    const std::uint32_t before = control->sequence;
    loaded.board.outage();
    ASSERT_TRUE(loaded.board.restore_status.ok()) << before;
    ASSERT_EQ(control->sequence, before == 0xFFFF'FFFFU ? 2U : before + 1)
        << "the two places are used in turn across the wrap";
    loaded.expect_contents();
    loaded.run_on();
  }
}

TEST(Checkpoint, FailedPersistLeavesRamAsItWas) {
  Loaded loaded;
  const std::vector<std::byte> before = loaded.board.ram_copy();
  loaded.board.store.polls = 0;
  loaded.board.store.fail_at = 100;
  EXPECT_EQ(loaded.board.persist().error(), Error::storage_failed);
  EXPECT_EQ(loaded.board.ram_copy(), before);
  EXPECT_TRUE(loaded.board.persist().ok());
}

}  // namespace
}  // namespace brownout::heap::testing
