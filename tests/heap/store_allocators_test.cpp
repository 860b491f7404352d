#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

// The gateway that an allocator writes through, without heap or outages.
struct PlainGateway {
  TestStore& store;
  TestPlatform& platform;
  Status write_home(std::uint32_t address, ConstBytes bytes) {
    return write_confirmed(store, platform, address, bytes);
  }
  Status read_home(std::uint32_t address, MutableBytes bytes) {
    return read_confirmed(store, platform, address, bytes);
  }
};

struct StoreFixture : ::testing::Test {
  TestPlatform platform;
  TestStore store{platform, 8192};
  PlainGateway gateway{store, platform};
  Geometry geometry = [] {
    Geometry g;
    g.store_base = 1024;
    g.store_end = 8192;
    return g;
  }();
  LinkedListStore<TestPlatform, PlainGateway> allocator{geometry, platform, gateway};
};

TEST(RunCode, EveryLengthIsCoveredWithLittleWaste) {
  for (std::uint32_t units = 1; units < 200'000; ++units) {
    const std::uint32_t length = run_length_of(run_code_of(units));
    ASSERT_GE(length, units);
    ASSERT_LE(length, units + units / 8 + 1) << units;
  }
}

TEST(StorePlan, TableAndUnitsFitTheRegion) {
  for (std::uint32_t base : {8U, 264U, 1024U, 25'096U}) {
    for (std::uint32_t size = 16; size < 140'000; size += 7) {
      const StorePlan plan = StorePlan::of(base, base + size);
      ASSERT_GE(plan.first_unit, plan.table + plan.units);
      ASSERT_EQ(plan.first_unit % 8, 0U);
      ASSERT_LE(plan.first_unit + plan.units * plan.unit_bytes, base + size);
      // No more than two units are left unused.
      ASSERT_GT((plan.units + 3) * (plan.unit_bytes + 1) + 8, size) << size;
    }
  }
}

TEST_F(StoreFixture, RandomUseNeverOverlaps) {
  store.memory.assign(8192, std::byte{0xEE});
  ASSERT_TRUE(allocator.format().ok());
  std::map<std::uint32_t, std::uint32_t> runs;
  Random random(3);
  std::uint32_t cursor = 0;
  std::uint64_t full = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 5 < 3) {
      const std::uint32_t size = 1 + random() % 700;
      Result<std::uint32_t> home = allocator.allocate(size, cursor);
      if (!home.ok()) {
        ASSERT_EQ(home.error(), Error::no_storage);
        ++full;
        continue;
      }
      const std::uint32_t begin = home.value();
      const std::uint32_t end = begin + allocator.plan().units_for(size) * allocator.plan().unit_bytes;
      ASSERT_GE(begin, allocator.plan().first_unit);
      ASSERT_LE(end, 8192U);
      const auto after = runs.lower_bound(begin);
      ASSERT_TRUE(after == runs.end() || after->first >= end);
      ASSERT_TRUE(after == runs.begin() || std::prev(after)->second <= begin);
      runs[begin] = end;
    } else if (!runs.empty()) {
      auto it = runs.begin();
      std::advance(it, random() % runs.size());
      ASSERT_TRUE(allocator.release(it->first).ok());
      runs.erase(it);
    }
  }
  EXPECT_GT(full, 100U);
  for (const auto& [begin, end] : runs) ASSERT_TRUE(allocator.release(begin).ok());
  cursor = 0;
  EXPECT_TRUE(allocator.allocate(allocator.plan().units * 8 / 9 * 8, cursor).ok())
      << "freed runs did not join";
}

TEST_F(StoreFixture, FindsTheOnlyGapFromAnyCursor) {
  ASSERT_TRUE(allocator.format().ok());
  const std::uint32_t units = allocator.plan().units;
  std::uint32_t cursor = 0;
  std::vector<std::uint32_t> homes;
  for (std::uint32_t i = 0; i < units / 4; ++i) homes.push_back(allocator.allocate(32, cursor).take());
  for (std::size_t gap = 0; gap < homes.size(); gap += 37) {
    ASSERT_TRUE(allocator.release(homes[gap]).ok());
    for (std::uint32_t start = 0; start < units; start += 4) {
      std::uint32_t from = start;
      Result<std::uint32_t> home = allocator.allocate(32, from);
      ASSERT_TRUE(home.ok()) << gap << " " << start;
      ASSERT_EQ(home.value(), homes[gap]);
      ASSERT_TRUE(allocator.release(home.value()).ok());
    }
    std::uint32_t from = 0;
    homes[gap] = allocator.allocate(32, from).take();
  }
}

// Sound at every byte of its writes: each allocation and each release is the write of one byte.
TEST_F(StoreFixture, EveryChangeIsOneByte) {
  ASSERT_TRUE(allocator.format().ok());
  std::uint32_t cursor = 0;
  Random random(4);
  std::vector<std::uint32_t> homes;
  for (int i = 0; i < 200; ++i) {
    const std::vector<std::byte> before = store.memory;
    if (i % 3 < 2) {
      Result<std::uint32_t> home = allocator.allocate(1 + random() % 60, cursor);
      ASSERT_TRUE(home.ok());
      homes.push_back(home.value());
    } else {
      ASSERT_TRUE(allocator.release(homes.back()).ok());
      homes.pop_back();
    }
    int changed = 0;
    for (std::size_t k = 0; k < before.size(); ++k) changed += before[k] != store.memory[k] ? 1 : 0;
    ASSERT_EQ(changed, 1) << i;
  }
}

}  // namespace
}  // namespace brownout::heap::testing
