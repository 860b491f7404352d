#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{
    .ram_bytes = 2048, .dirty_limit_bytes = 1024, .max_residents = 16, .store_bytes = 0, .os_bytes = 0};

class RamFixture : public ::testing::Test {
 protected:
  RamFixture() : words_(kConfig.ram_bytes / 8) {
    EXPECT_EQ(Geometry::plan(kConfig, 8192, geometry_), Error::none);
    arena().control() = Control{};
  }
  Arena arena() { return {reinterpret_cast<std::byte*>(words_.data()), geometry_}; }
  std::uint32_t first() const { return geometry_.objects_offset / kGranule; }
  std::uint32_t end() const { return kConfig.ram_bytes / kGranule; }

  // The free list has to be the complement of the allocated blocks: ascending, joined, complete.
  void expect_canonical(const std::map<std::uint32_t, std::uint32_t>& blocks) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> expected;
    std::uint32_t at = first();
    std::uint32_t free = 0;
    for (const auto& [block, size] : blocks) {
      if (block > at) expected.emplace_back(at, block - at);
      at = block + size;
    }
    if (at < end()) expected.emplace_back(at, end() - at);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> seen;
    for (std::uint16_t block = arena().control().free_head; block != 0;
         block = arena().free_block(block).next) {
      seen.emplace_back(block, arena().free_block(block).granules);
      free += arena().free_block(block).granules;
      ASSERT_LT(seen.size(), 1000U);
    }
    ASSERT_EQ(seen, expected);
    ASSERT_EQ(arena().control().free_granules, free);
  }

  Geometry geometry_;
  std::vector<std::uint64_t> words_;
  TestPlatform platform_;
};

TEST_F(RamFixture, RandomUseKeepsTheListCanonical) {
  LinkedListRam<TestPlatform> ram(arena(), platform_);
  ram.reset();
  std::map<std::uint32_t, std::uint32_t> blocks;
  Random random(1);
  std::uint64_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0) {
      const std::uint32_t size = 1 + random() % 24;
      LinkedListRam<TestPlatform>::Fit fit;
      if (!ram.find(size, fit)) {
        ++refused;
        continue;
      }
      ram.take(fit, size);
      blocks[fit.block] = size;
    } else if (!blocks.empty()) {
      auto it = blocks.begin();
      std::advance(it, random() % blocks.size());
      ram.give_back(ram.before(it->first), it->first, it->second);
      blocks.erase(it);
    }
    expect_canonical(blocks);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(refused, 100U) << "RAM was never full";
}

TEST_F(RamFixture, RebuildingAtGivenPlacesGivesTheSameList) {
  LinkedListRam<TestPlatform> ram(arena(), platform_);
  Random random(2);
  for (int round = 0; round < 300; ++round) {
    std::map<std::uint32_t, std::uint32_t> blocks;
    for (std::uint32_t at = first() + random() % 3; at < end();) {
      const std::uint32_t size = std::min<std::uint32_t>(1 + random() % 10, end() - at);
      blocks[at] = size;
      at += size + random() % 5;
    }
    ram.reset();
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order(blocks.begin(), blocks.end());
    std::shuffle(order.begin(), order.end(), random);
    for (const auto& [block, size] : order) {
      LinkedListRam<TestPlatform>::Fit fit;
      ASSERT_TRUE(ram.find_at(block, size, fit));
      ram.take_at(fit, block, size);
    }
    expect_canonical(blocks);
    LinkedListRam<TestPlatform>::Fit fit;
    for (const auto& [block, size] : blocks) ASSERT_FALSE(ram.find_at(block, size, fit)) << "taken twice";
  }
}

TEST_F(RamFixture, UsesEveryGranule) {
  LinkedListRam<TestPlatform> ram(arena(), platform_);
  ram.reset();
  LinkedListRam<TestPlatform>::Fit fit;
  for (std::uint32_t i = first(); i < end(); ++i) {
    ASSERT_TRUE(ram.find(1, fit));
    ram.take(fit, 1);
  }
  EXPECT_FALSE(ram.find(1, fit));
  EXPECT_EQ(arena().control().free_granules, 0);
}

}  // namespace
}  // namespace brownout::heap::testing
