// What a persist comes to, against the bound; and that the bound is a constant that is nearly attained.
#include "heap/bound.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr Geometry geometry_of(const HeapConfig& config) {
  Geometry geometry;
  // Throwing ends a constant expression.
  if (Geometry::plan(config, 16 * 1024, Heap<TestPlatform, TestStore>::traits(), geometry) != Error::none) {
    throw std::logic_error("configuration");
  }
  return geometry;
}

// 4 KiB, all of which may be dirty.
constexpr HeapConfig kFull{
    .ram_bytes = 4096, .dirty_limit_bytes = 4096, .max_residents = 15, .os_bytes = 256};
constexpr PersistBound kOfLarge =
    worst_case_persist(geometry_of(kFull), {.smallest_bytes = 256, .partial = false});
static_assert(kOfLarge.bytes <= 4096 + 256 && kOfLarge.os_bytes == 256 && kOfLarge.calls == 1);
static_assert(kOfLarge.pieces == 3 + 1 + 1 + 16,
              "frame, bitmap, OS part; fifteen objects and one run of slots");
static_assert(kOfLarge.checksum_bytes == kOfLarge.bytes - 8 + 28);
static_assert(worst_case_persist(geometry_of(kFull)).pieces >= kOfLarge.pieces,
              "smaller objects, more pieces");

// Counts what a persist is made of.
struct Measured {
  std::uint64_t bytes = 0;
  std::uint64_t pieces = 0;
  std::uint64_t steps = 0;
  std::uint64_t checksum_bytes = 0;
  std::uint64_t calls = 0;
};

// A store that looks at pieces.
class CountingStore {
 public:
  explicit CountingStore(std::uint32_t size) : memory(size) {}
  std::vector<std::byte> memory;
  Measured* measured = nullptr;

  std::uint32_t size_bytes() const { return static_cast<std::uint32_t>(memory.size()); }
  static Status start() { return {}; }
  Status begin_write(std::uint32_t address, OutStream data) {
    for (ConstBytes piece; data.pull(piece); address += piece.size) {
      std::copy_n(piece.data, piece.size, memory.begin() + address);
      if (measured == nullptr) continue;
      ++measured->pieces;
      measured->bytes += piece.size;
    }
    return {};
  }
  Status begin_read(std::uint32_t address, InStream data) {
    for (MutableBytes piece; data.pull(piece); address += piece.size) {
      std::copy_n(memory.begin() + address, piece.size, piece.data);
    }
    return {};
  }
  static TransferState poll() { return TransferState::done; }
  void abort() {}
};
struct CountingPlatform {
  Measured* measured = nullptr;
  void charge(Work work, std::uint32_t n) const {
    if (measured == nullptr) return;
    if (work == Work::step) measured->steps += n;
    if (work == Work::checksum_byte) measured->checksum_bytes += n;
    if (work == Work::call) measured->calls += n;
  }
  void enter_critical() {}
  void exit_critical() {}
  static std::uint32_t power_epoch() { return 1; }
  void wait_since_power_on(std::uint32_t) {}
};

template <class Modules>
struct BoundOfAnyModules : ::testing::Test {};
TYPED_TEST_SUITE(BoundOfAnyModules, SomeModules, ModuleNames);

// Random programs with objects of all kinds: no persist of theirs is beyond the bound in anything.
TYPED_TEST(BoundOfAnyModules, NoPersistExceedsIt) {
  std::uint64_t persists = 0;
  double nearest = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    Random random(seed);
    const bool partial = random() % 2 == 0;
    const std::uint32_t smallest = 1 + random() % 64;
    const HeapConfig config = fitted<TypeParam>({.ram_bytes = 800 + random() % 100 * 8,
                                                 .dirty_limit_bytes = 400 + random() % 600,
                                                 .max_residents = 4 + random() % 30,
                                                 .os_bytes = random() % 5 * 8},
                                                200);
    CountingPlatform platform;
    CountingStore store(8192);
    std::vector<std::uint64_t> ram(config.ram_bytes / 8);
    Heap<CountingPlatform, CountingStore, TypeParam> heap(reinterpret_cast<std::byte*>(ram.data()), config,
                                                          store, platform);
    if (!heap.configuration().ok()) continue;
    ASSERT_TRUE(heap.format().ok());
    const PersistBound bound =
        worst_case_persist(heap.geometry(), {.smallest_bytes = smallest, .partial = partial});
    std::vector<Buffer> buffers;
    std::vector<std::byte> os(config.os_bytes);
    for (std::uint32_t step = 0; step < 300; ++step) {
      if (buffers.size() < 20 && random() % 3 == 0) {
        const bool in_parts = partial && random() % 2 == 0;
        const std::uint32_t size = in_parts ? 1 + random() % 180 : smallest + random() % (200 - smallest);
        auto made = heap.make_buffer(size, in_parts ? Dirtiness::partial : Dirtiness::whole);
        if (made.ok()) buffers.push_back(made.take());
      } else if (!buffers.empty()) {
        const Buffer& buffer = buffers[random() % buffers.size()];
        static_cast<void>(heap.write(buffer, random() % buffer.size_bytes(), 1).ok());
      }
      if (step % 3 != 0) continue;
      Measured measured;
      store.measured = platform.measured = &measured;
      ASSERT_TRUE(heap.persist({os.data(), config.os_bytes}).ok());
      store.measured = platform.measured = nullptr;
      ++persists;
      ASSERT_LE(measured.bytes, bound.bytes) << seed;
      ASSERT_LE(measured.pieces, bound.pieces) << seed;
      ASSERT_LE(measured.steps, bound.steps) << seed;
      ASSERT_LE(measured.checksum_bytes, bound.checksum_bytes) << seed;
      ASSERT_LE(measured.calls, bound.calls) << seed;
      nearest = std::max(nearest, static_cast<double>(measured.bytes) / bound.bytes);
    }
  }
  EXPECT_GT(persists, 10'000U);
  EXPECT_GT(nearest, 0.97);
}

// The adversary of each size: everything dirty, as many objects as the limit allows for.
TEST(Bound, IsAttained) {
  for (const std::uint32_t size : {16U, 64U, 256U, 1024U}) {
    const std::uint32_t residents = 4096 / size;
    const HeapConfig config{
        .ram_bytes = 8192, .dirty_limit_bytes = 3916, .max_residents = residents, .os_bytes = 256};
    CountingPlatform platform;
    CountingStore store(32768);
    std::vector<std::uint64_t> ram(config.ram_bytes / 8);
    Heap<CountingPlatform, CountingStore> heap(reinterpret_cast<std::byte*>(ram.data()), config, store,
                                               platform);
    ASSERT_TRUE(heap.configuration().ok() && heap.format().ok());
    std::vector<Buffer> buffers;
    for (;;) {
      if (heap.checkpoint_bytes() + size + 16 > config.dirty_limit_bytes) break;
      auto made = heap.make_buffer(size);
      if (!made.ok()) break;
      buffers.push_back(made.take());
    }
    const PersistBound bound =
        worst_case_persist(heap.geometry(), {.smallest_bytes = size, .partial = false});
    Measured measured;
    store.measured = platform.measured = &measured;
    std::vector<std::byte> os(config.os_bytes);
    ASSERT_TRUE(heap.persist({os.data(), config.os_bytes}).ok());
    EXPECT_LE(measured.bytes, bound.bytes);
    EXPECT_GE(measured.bytes * 10, bound.bytes * (size == 1024 ? 8 : 9)) << size;
  }
}

}  // namespace
}  // namespace brownout::heap::testing
