// A heap whose store lies in the address space: an outage at every word and every charge, power lost for good
// soon after it.
#include "heap/storage/mapped_fram.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "heap_checks.hpp"
#include "sanitized.hpp"
#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};
constexpr std::uint32_t kStoreBytes = 1280;

// Memory of which each word is a place for the interrupt, and may be the last one before power is lost for
// good.
class CutWindow {
 public:
  explicit CutWindow(TestPlatform& platform) : memory(kStoreBytes), platform_(platform) {}

  void store(std::uint32_t address, ConstBytes bytes) {
    for (std::uint32_t i = 0; i < bytes.size; i += 2) {
      platform_.place();
      if (words_left == 0) throw PowerLost();
      if (words_left != kNever) --words_left;
      const std::uint32_t size = std::min(2U, bytes.size - i);
      before_store(address + i);
      std::memcpy(memory.data() + address + i, bytes.data + i, size);
    }
  }
  void load(std::uint32_t address, MutableBytes bytes) {
    for (std::uint32_t i = 0; i < bytes.size; i += 2) {
      platform_.place();
      std::memcpy(bytes.data + i, memory.data() + address + i, std::min(2U, bytes.size - i));
    }
  }

  std::vector<std::byte> memory;
  std::uint64_t words_left = kNever;
  std::function<void(std::uint32_t)> before_store = [](std::uint32_t) {};

 private:
  TestPlatform& platform_;
};

using Fram = MappedFram<CutWindow, TestPlatform>;
using MappedHeap = Heap<TestPlatform, Fram>;
using TestSlot = MappedHeap::Slot;

// Six objects where RAM has room for three.
class MappedBoard {
 public:
  static constexpr HeapConfig kConfig{
      .ram_bytes = 256, .dirty_limit_bytes = 256, .max_residents = 4, .os_bytes = 8};

  MappedBoard() : words_(kConfig.ram_bytes / 8) {
    boot();
    platform.interrupt = [this] { outage(); };
    window.before_store = [this](std::uint32_t address) { check_mark(address); };
  }

  TestPlatform platform;
  CutWindow window{platform};
  std::uint64_t outages = 0;
  std::uint64_t unmarked = 0;        // words outside the images without the mark that has to precede them
  std::uint64_t cut_after = kNever;  // words after the outage
  std::vector<std::byte> at_outage;  // the store then

  MappedHeap& heap() { return *std::launder(reinterpret_cast<MappedHeap*>(heap_memory_)); }
  void boot() {
    new (fram_memory_) Fram(window, platform, kStoreBytes);
    Fram& fram = *std::launder(reinterpret_cast<Fram*>(fram_memory_));
    new (heap_memory_) MappedHeap(ram(), kConfig, fram, platform);
    if (!fram.start().ok()) throw std::runtime_error("start");
  }
  Status restore() {
    boot();
    return heap().restore({os_, sizeof os_});
  }

  // What the objects held in the end. The outage comes at the place of that number after the format.
  std::vector<std::uint32_t> run(std::uint64_t strike_at = kNever) {
    must(heap().format());
    platform.places = 0;
    platform.strike_at = strike_at;
    struct Block {
      std::uint32_t words[8];
    };
    std::vector<Object<Block>> objects;
    for (std::uint32_t i = 0; i < 6; ++i) objects.push_back(must(heap().make(Block{{i}})));
    for (std::uint32_t i = 0; i < 14; ++i) {
      {
        auto block = must(heap().write(objects[i * 5 % 6]));
        for (std::uint32_t& word : block->words) word += i + 1;
      }
      if (i % 5 == 4) {
        must(heap().free(objects[i % 6]));
        objects[i % 6] = must(heap().make(Block{{100 + i}}));
      }
      if (i % 4 == 3) must(heap().flush());
    }
    std::vector<std::uint32_t> seen;
    for (auto& object : objects) {
      auto block = must(heap().read(object));
      seen.insert(seen.end(), std::begin(block->words), std::end(block->words));
    }
    return seen;
  }

  // Homes, and all else that a restore relies on beside the image.
  [[nodiscard]] static std::vector<std::byte> homes(const std::vector<std::byte>& store,
                                                    const Geometry& geometry) {
    return {store.begin() + geometry.intent_base, store.end()};
  }

 private:
  static void must(Status status) {
    if (!status.ok()) throw std::runtime_error("an operation failed");
  }
  template <class T>
  static T must(Result<T> result) {
    if (!result.ok()) throw std::runtime_error("an operation failed");
    return result.take();
  }

  std::byte* ram() { return reinterpret_cast<std::byte*>(words_.data()); }
  std::vector<std::byte> ram_copy() { return {ram(), ram() + kConfig.ram_bytes}; }

  void outage() {
    ++outages;
    const Geometry geometry = heap().geometry();
    const std::vector<std::byte> live = live_ram<TestSlot>(ram_copy(), geometry, {});
    must(heap().persist({os_, sizeof os_}));
    latest_ = heap().following_sequence() - 1;
    at_outage = window.memory;
    std::memset(ram(), 0xA5, kConfig.ram_bytes);
    std::memset(heap_memory_, 0x5A, sizeof heap_memory_);
    std::memset(fram_memory_, 0x5A, sizeof fram_memory_);
    must(restore());
    if (live_ram<TestSlot>(ram_copy(), geometry, {}) != live) throw std::runtime_error("live RAM differs");
    window.words_left = cut_after;
  }

  // Once there is an image, the first word outside of images and marks has the mark of that image before it.
  void check_mark(std::uint32_t address) {
    if (outages == 0 || address < heap().geometry().intent_base) return;
    RunningMarks marks;
    std::memcpy(&marks, window.memory.data() + heap().geometry().marks_address(), sizeof marks);
    unmarked += marks.sequence() != latest_ ? 1 : 0;
  }

  std::vector<std::uint64_t> words_;
  alignas(Fram) std::byte fram_memory_[sizeof(Fram)];
  alignas(MappedHeap) std::byte heap_memory_[sizeof(MappedHeap)];
  std::byte os_[8] = {};
  std::uint32_t latest_ = 0;
};

TEST(MappedHeap, AnOutageAnywhereLosesNothingAndNoHomeIsWrittenWithoutTheMark) {
  const std::vector<std::uint32_t> expected = MappedBoard().run();
  std::uint64_t place = 0;
  for (;; place += kSanitized ? 5 : 1) {
    MappedBoard board;
    ASSERT_EQ(board.run(place), expected) << place;
    ASSERT_EQ(board.unmarked, 0U) << place;
    if (board.outages == 0) break;
  }
  EXPECT_GT(place, 400U);
}

// Power is lost for good within a few words after the outage: what boot restores then belongs to the store as
// it is.
TEST(MappedHeap, WhatIsRestoredBelongsToTheStore) {
  std::uint64_t current = 0;
  std::uint64_t stale = 0;
  for (std::uint64_t place = 0;; place += kSanitized ? 17 : 3) {
    bool struck = false;
    for (const std::uint64_t words : {0U, 1U, 2U, 3U, 4U, 6U, 9U, 14U, 30U}) {
      MappedBoard board;
      board.cut_after = words;
      try {
        static_cast<void>(board.run(place));
        continue;
      } catch (const PowerLost&) {
        struck = true;
      }
      MappedBoard after;
      after.window.memory = board.window.memory;
      const Status status = after.restore();
      const Geometry geometry = after.heap().geometry();
      if (status.ok()) {
        ++current;
        ASSERT_EQ(MappedBoard::homes(board.window.memory, geometry),
                  MappedBoard::homes(board.at_outage, geometry))
            << place << ", " << words << " words";
      } else {
        ++stale;
        ASSERT_EQ(status.error(), Error::stale) << place << ", " << words << " words";
      }
    }
    if (!struck) break;
  }
  EXPECT_GT(current, 100U);
  EXPECT_GT(stale, 100U);
}

}  // namespace
}  // namespace brownout::heap::testing
