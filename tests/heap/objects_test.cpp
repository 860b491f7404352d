// Typed objects: values that come and go as bytes, destructors, handles as parts of objects, empty types.
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "checked_board.hpp"

namespace brownout::heap::testing {
namespace {

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
};
struct Empty {};
struct alignas(8) Aligned {
  std::uint8_t byte = 0;
};

// Has a destructor that counts, and can be moved as bytes.
struct Tracked {
  Tracked() noexcept = default;
  explicit Tracked(int value) : id(value) { ++constructed; }
  Tracked(Tracked&& other) noexcept : id(std::exchange(other.id, 0)) {}
  Tracked(const Tracked&) = delete;
  Tracked& operator=(const Tracked&) = delete;
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked() {
    if (id != 0) destroyed.push_back(id);
  }
  static inline int constructed = 0;
  static inline std::vector<int> destroyed;

  int id = 0;
  int payload[5] = {};
};

// A tree of objects: two owners of the same type in each.
struct Tree {
  std::uint32_t value = 0;
  Object<std::uint64_t> leaf;
  Buffer name;
};

}  // namespace
}  // namespace brownout::heap::testing
template <>
inline constexpr bool brownout::heap::kRelocatable<brownout::heap::testing::Tracked> = true;
template <>
inline constexpr bool brownout::heap::kRelocatable<brownout::heap::testing::Tree> = true;

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{.ram_bytes = 768, .dirty_limit_bytes = 384, .max_residents = 8, .os_bytes = 0};

struct Objects : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(board.heap().format().ok());
    Tracked::constructed = 0;
    Tracked::destroyed.clear();
  }
  TestHeap& heap() { return board.heap(); }
  void expect_no_leak() {
    EXPECT_EQ(allocated_entries(board.store.memory, heap().geometry()), 0U);
    EXPECT_EQ(board.structure(), "");
  }
  CheckedBoard<DefaultModules> board{kConfig, 4096};
};

TEST_F(Objects, KeepWhatIsWritten) {
  auto point = heap().make(Point{3, 4}).take();
  {
    auto ref = heap().write(point).take();
    EXPECT_EQ(ref->x, 3);
    ref->y = 5;
    (*ref).x = 6;
  }
  board.outage();
  ASSERT_TRUE(heap().unload(point).ok());
  auto ref = heap().read(point).take();
  EXPECT_EQ(ref->x, 6);
  EXPECT_EQ(ref.data()->y, 5);
}

TEST_F(Objects, AreAlignedTo8Bytes) {
  for (int i = 0; i < 5; ++i) {
    auto small = heap().make(static_cast<char>(i)).take();
    auto aligned = heap().make(Aligned{}).take();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(heap().read(small).take().data()) % 8, 0U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(heap().read(aligned).take().data()) % 8, 0U);
  }
}

TEST_F(Objects, EmptyTypesTakeAPlaceOfTheirOwn) {
  auto first = heap().make(Empty{}).take();
  auto second = heap().make(Empty{}).take();
  EXPECT_NE(first.home(), second.home());
  EXPECT_NE(heap().read(first).take().data(), heap().read(second).take().data());
  ASSERT_TRUE(heap().unload(first).ok());
  EXPECT_TRUE(heap().write(first).ok());
  EXPECT_TRUE(heap().free(first).ok());
  EXPECT_TRUE(heap().free(second).ok());
  expect_no_leak();
}

TEST_F(Objects, ADestructorRunsOnceWhenTheObjectIsFreed) {
  auto object = heap().make(Tracked(7)).take();
  EXPECT_EQ(Tracked::constructed, 1);
  EXPECT_EQ(Tracked::destroyed, std::vector<int>{}) << "it moved into the heap";
  ASSERT_TRUE(heap().unload(object).ok());
  board.outage();
  EXPECT_EQ(heap().read(object).take()->id, 7);
  EXPECT_EQ(Tracked::destroyed, std::vector<int>{});
  ASSERT_TRUE(heap().free(object).ok());
  EXPECT_EQ(Tracked::destroyed, std::vector<int>{7});
  EXPECT_EQ(heap().free(object).error(), Error::invalid_handle);
  EXPECT_EQ(Tracked::destroyed, std::vector<int>{7});
  expect_no_leak();
}

TEST_F(Objects, ADestructorSeesAnObjectThatWasNotResident) {
  auto object = heap().make(Tracked(8)).take();
  heap().write(object).take()->payload[4] = 99;
  ASSERT_TRUE(heap().unload(object).ok());
  ASSERT_FALSE(heap().is_resident(object));
  ASSERT_TRUE(heap().free(object).ok());
  EXPECT_EQ(Tracked::destroyed, std::vector<int>{8});
}

TEST_F(Objects, AnObjectThatCannotBeFreedIsNotDestroyed) {
  auto object = heap().make(Tracked(9)).take();
  {
    auto ref = heap().read(object).take();
    EXPECT_EQ(heap().free(object).error(), Error::borrowed);
  }
  int failures = 0;
  for (std::uint64_t fail_at = 0;; ++fail_at) {
    ASSERT_TRUE(heap().unload(object).ok());
    board.store.polls = 0;
    board.store.fail_at = fail_at;
    const Status status = heap().free(object);
    board.store.fail_at = ~std::uint64_t{0};
    if (status.ok()) break;
    ++failures;
    EXPECT_EQ(status.error(), Error::storage_failed);
    EXPECT_TRUE(object.valid());
    EXPECT_EQ(Tracked::destroyed, std::vector<int>{}) << fail_at;
    EXPECT_EQ(heap().read(object).take()->id, 9);
  }
  EXPECT_GT(failures, 20) << "each byte that is read to load it, and the byte of the table";
  EXPECT_EQ(Tracked::destroyed, std::vector<int>{9});
}

// Whatever make() returns, one object comes of one value.
TEST_F(Objects, AMakeThatFailsDestroysTheValueOnce) {
  std::vector<Object<Tracked>> objects;
  Error error = Error::none;
  int id = 0;
  while (error == Error::none) {
    auto made = heap().make(Tracked(++id));
    error = made.error();
    if (made.ok()) objects.push_back(made.take());
  }
  EXPECT_EQ(error, Error::no_storage);
  EXPECT_EQ(Tracked::destroyed, std::vector<int>{id});
  for (auto& object : objects) ASSERT_TRUE(heap().free(object).ok());
  ASSERT_EQ(Tracked::destroyed.size(), static_cast<std::size_t>(id)) << "each once";
  Tracked::destroyed.clear();
  for (std::uint64_t fail_at = 0;; ++fail_at) {
    board.store.polls = 0;
    board.store.fail_at = fail_at;
    auto made = heap().make(Tracked(1000));
    board.store.fail_at = ~std::uint64_t{0};
    if (made.ok()) {
      EXPECT_EQ(Tracked::destroyed, std::vector<int>(static_cast<std::size_t>(fail_at), 1000));
      Object<Tracked> object = made.take();
      EXPECT_TRUE(heap().free(object).ok());
      break;
    }
    EXPECT_EQ(made.error(), Error::storage_failed);
  }
  expect_no_leak();
}

TEST_F(Objects, HandlesMayBePartsOfObjects) {
  std::vector<Object<Tree>> trees;
  for (std::uint32_t i = 0; i < 6; ++i) {
    Tree tree;
    tree.value = i;
    tree.leaf = heap().make(std::uint64_t{i} * 1'000'000'000).take();
    tree.name = heap().make_buffer(20 + i).take();
    put(heap(), tree.name, pattern(20 + i, i));
    trees.push_back(heap().make(std::move(tree)).take());
  }
  board.outage();
  for (std::uint32_t i = 0; i < 6; ++i) {
    {
      auto tree = heap().read(trees[i]).take();
      EXPECT_EQ(tree->value, i);
      EXPECT_EQ(*heap().read(tree->leaf).take(), std::uint64_t{i} * 1'000'000'000);
      EXPECT_EQ(get(heap(), tree->name), pattern(20 + i, i));
    }
    {
      auto tree = heap().write(trees[i]).take();
      ASSERT_TRUE(heap().free(tree->leaf).ok());
      EXPECT_FALSE(tree->leaf.valid());
      ASSERT_TRUE(heap().free(tree->name).ok());
    }
    ASSERT_TRUE(heap().free(trees[i]).ok());
  }
  expect_no_leak();
}

TEST_F(Objects, WhatIsLargerThanAnyObjectMayBeIsRefused) {
  struct Large {
    std::byte bytes[16'384];
  };
  EXPECT_EQ(heap().make(Large{}).error(), Error::too_large);
  struct LargerThanRam {
    std::byte bytes[700];
  };
  EXPECT_EQ(heap().make(LargerThanRam{}).error(), Error::too_large);
  struct LargerThanTheLimit {
    std::byte bytes[320];
  };
  EXPECT_EQ(heap().make(LargerThanTheLimit{}).error(), Error::dirty_limit);
  expect_no_leak();
}

}  // namespace
}  // namespace brownout::heap::testing
