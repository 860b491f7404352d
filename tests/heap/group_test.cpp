// Several heaps under one sequence: all of them whole, or none.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "heap/group.hpp"
#include "heap/storage/shared.hpp"
#include "heap/storage/truncated.hpp"
#include "heap_checks.hpp"
#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr std::uint32_t kOsBytes = 16;
constexpr HeapConfig kFirst{.ram_bytes = 512, .dirty_limit_bytes = 240, .max_residents = 5, .os_bytes = 0};
constexpr HeapConfig kSecond{.ram_bytes = 640, .dirty_limit_bytes = 288, .max_residents = 6, .os_bytes = 0};
constexpr HeapConfig kThird{.ram_bytes = 512, .dirty_limit_bytes = 256, .max_residents = 5, .os_bytes = kOsBytes};
constexpr std::uint32_t kPartBytes = 1536;

// One FRAM for three heaps of different modules, a part for each.
class ThreeHeaps {
 public:
  using Client = SharedStorage<TestStore>::Client;
  using Part = TruncatedStorage<Client>;
  using FirstHeap = Heap<TestPlatform, Part>;
  using SecondHeap = Heap<TestPlatform, Part, Compact<Clock>>;
  using ThirdHeap = Heap<TestPlatform, Part, Standard<BuddyRam, BuddyStore, RoundRobin>>;

  ThreeHeaps() {
    platform.interrupt = [this] { outage(); };
    boot();
  }

  // Everything that boot constructs.
  struct Booted {
    explicit Booted(ThreeHeaps& board)
        : shared(board.store),
          clients{Client(shared), Client(shared), Client(shared)},
          parts{Part(clients[0], 0, kPartBytes), Part(clients[1], kPartBytes, kPartBytes),
                Part(clients[2], 2 * kPartBytes, kPartBytes)},
          first(board.ram(0), kFirst, parts[0], board.platform),
          second(board.ram(1), kSecond, parts[1], board.platform),
          third(board.ram(2), kThird, parts[2], board.platform),
          group(first, second, third) {}
    SharedStorage<TestStore> shared;
    Client clients[3];
    Part parts[3];
    FirstHeap first;
    SecondHeap second;
    ThirdHeap third;
    Group<FirstHeap, SecondHeap, ThirdHeap> group;
  };

  // Constructed in place: references to heaps outlive an outage.
  void boot() { ::new (static_cast<void*>(memory_)) Booted(*this); }
  Booted& booted() { return *std::launder(reinterpret_cast<Booted*>(memory_)); }
  std::byte* ram(std::size_t heap) { return reinterpret_cast<std::byte*>(words_[heap]); }

  Status persist() { return booted().group.persist({os.data(), kOsBytes}); }
  Status restore() {
    boot();
    if (const Status status = booted().parts[0].start(); !status.ok()) return status;
    return booted().group.restore({os.data(), kOsBytes});
  }
  void poison() {
    ++pattern_;
    std::memset(words_, static_cast<int>(0xA0U ^ pattern_), sizeof words_);
    std::memset(memory_, static_cast<int>(0x50U ^ pattern_), sizeof memory_);
    std::fill(os.begin(), os.end(), std::byte{0});
  }
  void outage() {
    ++outages;
    ok = persist().ok() && ok;
    poison();
    store.abort();
    ok = restore().ok() && ok;
  }
  std::uint32_t sequence(std::size_t heap) {
    Control control;
    std::memcpy(&control, words_[heap], sizeof control);
    return control.sequence;
  }
  // The live RAM of all heaps.
  std::vector<std::byte> live() {
    std::vector<std::byte> all = live_part<FirstHeap>(0, booted().first);
    const std::vector<std::byte> second = live_part<SecondHeap>(1, booted().second);
    const std::vector<std::byte> third = live_part<ThirdHeap>(2, booted().third);
    all.insert(all.end(), second.begin(), second.end());
    all.insert(all.end(), third.begin(), third.end());
    return all;
  }

  TestPlatform platform;
  TestStore store{platform, 3 * kPartBytes};
  std::vector<std::byte> os = std::vector<std::byte>(kOsBytes);
  int outages = 0;
  bool ok = true;

 private:
  template <class H>
  std::vector<std::byte> live_part(std::size_t heap, const H& of) {
    return live_ram<typename H::Slot>({ram(heap), ram(heap) + of.geometry().config.ram_bytes}, of.geometry());
  }
  std::uint64_t words_[3][80] = {};
  alignas(Booted) std::byte memory_[sizeof(Booted)];
  unsigned pattern_ = 0;
};

// A board with something dirty in each heap.
struct Loaded {
  Loaded() {
    if (!board.booted().group.format().ok()) throw std::runtime_error("format");
    for (std::uint32_t i = 0; i < 4; ++i) {
      first.push_back(board.booted().first.make_buffer(40).take());
      second.push_back(board.booted().second.make_buffer(24).take());
      third.push_back(board.booted().third.make_buffer(56).take());
    }
    if (!board.booted().second.flush().ok()) throw std::runtime_error("flush");
    write(1);
    for (std::uint32_t i = 0; i < kOsBytes; ++i) board.os[i] = static_cast<std::byte>(i + 1);
  }
  void write(std::uint32_t seed) {
    put(board.booted().first, first[1], pattern(40, seed));
    put(board.booted().second, second[2], pattern(24, seed + 1));
    put(board.booted().third, third[3], pattern(56, seed + 2));
  }
  void expect_written(std::uint32_t seed) {
    EXPECT_EQ(get(board.booted().first, first[1]), pattern(40, seed));
    EXPECT_EQ(get(board.booted().second, second[2]), pattern(24, seed + 1));
    EXPECT_EQ(get(board.booted().third, third[3]), pattern(56, seed + 2));
  }

  ThreeHeaps board;
  std::vector<Buffer> first;
  std::vector<Buffer> second;
  std::vector<Buffer> third;
};

TEST(Group, BringsAllHeapsBack) {
  Loaded loaded;
  const std::vector<std::byte> live = loaded.board.live();
  const std::vector<std::byte> os = loaded.board.os;
  const std::uint64_t written = loaded.board.store.written;
  const std::uint64_t writes = loaded.board.store.writes;
  ASSERT_TRUE(loaded.board.persist().ok());
  EXPECT_EQ(loaded.board.store.writes, writes + 3) << "one transfer a heap";
  EXPECT_LE(loaded.board.store.written - written, 240 + 288 + 256 + kOsBytes);
  loaded.board.poison();
  ASSERT_TRUE(loaded.board.restore().ok());
  EXPECT_EQ(loaded.board.live(), live);
  EXPECT_EQ(loaded.board.os, os) << "goes with the last one";
  loaded.expect_written(1);
}

TEST(Group, HasOneSequence) {
  Loaded loaded;
  for (std::uint32_t i = 1; i < 5; ++i) {
    loaded.board.outage();
    ASSERT_TRUE(loaded.board.ok);
    for (std::size_t heap = 0; heap < 3; ++heap) EXPECT_EQ(loaded.board.sequence(heap), i);
    loaded.write(i);
    loaded.expect_written(i);
  }
}

// Whole if and only if all images are; never one heap of now with another of before.
TEST(Group, CutAtAnyByteOfAnyImage) {
  for (int images_before = 0; images_before < 3; ++images_before) {
    for (const bool runs_on : {false, true}) {
      const auto load = [&](Loaded& loaded) {
        for (int i = 0; i < images_before; ++i) {
          loaded.board.outage();
          if (!runs_on) continue;
          loaded.write(5);
          if (!loaded.board.booted().second.flush().ok()) throw std::runtime_error("flush");
        }
        loaded.write(9);
        loaded.board.store.written = 0;
      };
      Loaded complete;
      load(complete);
      ASSERT_TRUE(complete.board.persist().ok());
      const std::uint64_t bytes = complete.board.store.written;
      int whole = 0;
      int torn = 0;
      int before = 0;
      for (std::uint64_t cut = 0; cut <= bytes; ++cut) {
        Loaded loaded;
        load(loaded);
        const std::vector<std::byte> store_before = loaded.board.store.memory;
        loaded.board.store.cut_after = cut;
        ASSERT_TRUE(loaded.board.persist().ok());
        loaded.board.store.cut_after = ~std::uint64_t{0};
        const bool unchanged = loaded.board.store.memory == store_before;
        const bool equals_whole = loaded.board.store.memory == complete.board.store.memory;
        loaded.board.poison();
        const Status status = loaded.board.restore();
        if (equals_whole) {
          ASSERT_TRUE(status.ok()) << cut << " of " << bytes;
          loaded.expect_written(9);
          ++whole;
        } else if (unchanged) {
          // write(9) was lost; whether that shows depends on whether it wrote anything home.
          ASSERT_TRUE(status.error() == (images_before == 0 ? Error::empty : Error::stale) || status.ok()) << cut;
          ++before;
        } else {
          ASSERT_EQ(status.error(), images_before > 0 && runs_on && status.error() == Error::stale
                                        ? Error::stale
                                        : Error::torn)
              << cut << " of " << bytes;
          ++torn;
        }
      }
      EXPECT_GE(whole, 1);
      EXPECT_GE(before, 1);
      EXPECT_GT(torn, 300);
    }
  }
}

// An error in any image, even the last: RAM is as before, and the next call writes all of them.
TEST(Group, AnErrorInAnyImageIsRepeated) {
  Loaded probe;
  probe.board.store.polls = 0;
  ASSERT_TRUE(probe.board.persist().ok());
  const std::uint64_t polls = probe.board.store.polls;
  ASSERT_GT(polls, 300U);
  Loaded loaded;
  loaded.board.outage();
  for (std::uint64_t fail_at = 0; fail_at < polls; ++fail_at) {
    loaded.write(static_cast<std::uint32_t>(fail_at));
    const std::vector<std::byte> live = loaded.board.live();
    loaded.board.store.polls = 0;
    loaded.board.store.fail_at = fail_at;
    const Status failed = loaded.board.persist();
    loaded.board.store.fail_at = ~std::uint64_t{0};
    if (failed.ok()) break;
    ASSERT_EQ(failed.error(), Error::storage_failed);
    ASSERT_EQ(loaded.board.live(), live);
    for (std::size_t heap = 0; heap < 3; ++heap) ASSERT_EQ(loaded.board.sequence(heap), loaded.board.sequence(0));
    loaded.board.outage();
    ASSERT_TRUE(loaded.board.ok) << fail_at;
    ASSERT_EQ(loaded.board.live(), live);
    loaded.expect_written(static_cast<std::uint32_t>(fail_at));
  }
}

TEST(Group, ImagesOfDifferentSequencesAreTorn) {
  Loaded loaded;
  loaded.board.outage();
  // One heap by itself, which nobody is to do.
  ASSERT_TRUE(loaded.board.booted().second.persist({}).ok());
  loaded.board.poison();
  EXPECT_EQ(loaded.board.restore().error(), Error::torn);
}

TEST(Group, OneStaleHeapMakesItStale) {
  for (int heap = 0; heap < 3; ++heap) {
    Loaded loaded;
    loaded.board.outage();
    auto& heaps = loaded.board.booted();
    const Status flushed = heap == 0 ? heaps.first.flush() : heap == 1 ? heaps.second.flush() : heaps.third.flush();
    EXPECT_TRUE(flushed.ok());
    loaded.board.poison();
    EXPECT_EQ(loaded.board.restore().error(), Error::stale) << heap;
  }
}

TEST(Group, OneEmptyHeapAmongOthersIsTorn) {
  ThreeHeaps empty;
  EXPECT_EQ(empty.restore().error(), Error::empty);
  for (std::uint32_t heap = 0; heap < 3; ++heap) {
    Loaded loaded;
    loaded.board.outage();
    const auto begin = loaded.board.store.memory.begin() + heap * kPartBytes;
    std::fill(begin, begin + 1000, std::byte{0});
    loaded.board.poison();
    EXPECT_EQ(loaded.board.restore().error(), Error::torn) << heap;
  }
}

TEST(Group, RestoreWritesNothingAndCanBeCutAndRepeated) {
  Loaded loaded;
  const std::vector<std::byte> live = loaded.board.live();
  ASSERT_TRUE(loaded.board.persist().ok());
  const std::vector<std::byte> store = loaded.board.store.memory;
  std::uint64_t fail_at = 0;
  for (;; ++fail_at) {
    loaded.board.poison();
    loaded.board.store.polls = 0;
    loaded.board.store.fail_at = fail_at;
    const Status status = loaded.board.restore();
    loaded.board.store.fail_at = ~std::uint64_t{0};
    ASSERT_EQ(loaded.board.store.memory, store);
    if (status.ok()) break;
    ASSERT_EQ(status.error(), Error::storage_failed);
  }
  EXPECT_GT(fail_at, 500U);
  EXPECT_EQ(loaded.board.live(), live);
}

// Objects of all heaps in use at the same time, with an outage at every place.
TEST(Group, OutageEverywhere) {
  const auto workload = [](ThreeHeaps& board) {
    std::vector<std::byte> seen;
    auto& first = board.booted().first;
    auto& second = board.booted().second;
    auto& third = board.booted().third;
    std::vector<Object<std::uint32_t>> counters;
    for (std::uint32_t i = 0; i < 7; ++i) counters.push_back(first.make(i).take());
    Buffer middle = second.make_buffer(60, Dirtiness::partial).take();
    Buffer last = third.make_buffer(48).take();
    for (std::uint32_t i = 0; i < 6; ++i) {
      auto counter = first.write(counters[i * 3 % 7]).take();
      auto part = second.write(middle, i * 9, 3).take();
      auto whole = third.write(last).take();
      board.platform.charge(Work::copied_byte, 1);
      part[0] = static_cast<std::byte>(++*counter);
      whole[i] = part[0];
      board.platform.charge(Work::copied_byte, 1);
      seen.push_back(whole[i / 2]);
    }
    for (const auto& counter : counters) seen.push_back(static_cast<std::byte>(*first.read(counter).take()));
    const std::vector<std::byte> bytes = get(second, middle);
    seen.insert(seen.end(), bytes.begin(), bytes.end());
    return seen;
  };
  ThreeHeaps control;
  ASSERT_TRUE(control.booted().group.format().ok());
  const std::uint64_t begin = control.platform.places;
  const std::vector<std::byte> expected = workload(control);
  ASSERT_GT(control.platform.places - begin, 800U);
  for (std::uint64_t at = begin; at < control.platform.places; ++at) {
    ThreeHeaps board;
    ASSERT_TRUE(board.booted().group.format().ok());
    board.platform.strike_at = at;
    ASSERT_EQ(workload(board), expected) << at;
    ASSERT_TRUE(board.ok && board.outages == 1) << at;
  }
}

}  // namespace
}  // namespace brownout::heap::testing
