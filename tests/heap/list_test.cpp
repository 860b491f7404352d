// Lists: every operation against std::list, a store that is full, errors at any poll, lists as parts of
// objects.
#include <algorithm>
#include <list>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"
#include "heap/objects/list.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{.ram_bytes = 768, .dirty_limit_bytes = 320, .max_residents = 10, .os_bytes = 0};

// Both ways through the links, and the number: what is wrong with the list, or "".
template <class T, class Heap>
std::string list_fault(Heap& heap, const List<T>& list, const std::list<T>& expected) {
  if (list.size() != expected.size() || list.empty() != expected.empty()) return "size";
  std::vector<T> forwards;
  if (!list.for_each(heap, [&](const T& value) { forwards.push_back(value); }).ok()) return "for_each";
  if (!std::equal(forwards.begin(), forwards.end(), expected.begin(), expected.end())) return "forwards";
  auto place = list.last();
  for (auto it = expected.rbegin(); it != expected.rend(); ++it) {
    if (!place.valid()) return "too short backwards";
    if (list.read(heap, place).take()->value != *it) return "backwards";
    place = list.before(heap, place).take();
  }
  return place.valid() ? "too long backwards" : "";
}

struct WithList {
  WithList() : board(kConfig, 4096) {
    if (!board.heap().format().ok()) throw std::runtime_error("format");
  }
  auto& heap() { return board.heap(); }
  void fill(std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) {
      if (!list.push_back(heap(), i).ok()) throw std::runtime_error("push");
      expected.push_back(i);
    }
  }
  void expect_list() { EXPECT_EQ(list_fault(heap(), list, expected), ""); }

  CheckedBoard<DefaultModules> board;
  List<std::uint32_t> list;
  std::list<std::uint32_t> expected;
};

TEST(List, IsTwelveBytesAndAnElementCostsEight) {
  EXPECT_EQ(sizeof(List<std::uint64_t>), 12U);
  EXPECT_EQ(sizeof(List<std::uint64_t>::Node), 16U);
}

TEST(List, PushesAndPopsAtBothEnds) {
  WithList with;
  EXPECT_TRUE(with.list.empty());
  EXPECT_FALSE(with.list.first().valid());
  for (std::uint32_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(with.list.push_back(with.heap(), i).ok());
    with.expected.push_back(i);
    ASSERT_TRUE(with.list.push_front(with.heap(), 100 + i).ok());
    with.expected.push_front(100 + i);
    with.expect_list();
  }
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(with.list.pop_back(with.heap()).ok());
    with.expected.pop_back();
    ASSERT_TRUE(with.list.pop_front(with.heap()).ok());
    with.expected.pop_front();
    with.expect_list();
  }
  EXPECT_EQ(with.list.pop_back(with.heap()).error(), Error::invalid_handle);
  EXPECT_EQ(with.list.pop_front(with.heap()).error(), Error::invalid_handle);
  EXPECT_EQ(allocated_entries(with.board.store.memory, with.heap().geometry()), 0U);
}

TEST(List, InsertsAndRemovesAnywhere) {
  WithList with;
  with.fill(4);
  const auto at = [&](int n) {
    auto place = with.list.first();
    for (; n > 0; --n) place = with.list.after(with.heap(), place).take();
    return place;
  };
  ASSERT_TRUE(with.list.insert_before(with.heap(), at(2), 50).ok());
  ASSERT_TRUE(with.list.insert_after(with.heap(), at(0), 51).ok());
  ASSERT_TRUE(with.list.insert_before(with.heap(), at(0), 52).ok());
  ASSERT_TRUE(with.list.insert_after(with.heap(), with.list.last(), 53).ok());
  with.expected = {52, 0, 51, 1, 50, 2, 3, 53};
  with.expect_list();
  ASSERT_TRUE(with.list.remove(with.heap(), at(3)).ok());
  ASSERT_TRUE(with.list.remove(with.heap(), at(0)).ok());
  ASSERT_TRUE(with.list.remove(with.heap(), with.list.last()).ok());
  with.expected = {0, 51, 50, 2, 3};
  with.expect_list();
  EXPECT_EQ(with.list.insert_before(with.heap(), {}, 1).error(), Error::invalid_handle);
  EXPECT_EQ(with.list.insert_after(with.heap(), {}, 1).error(), Error::invalid_handle);
  EXPECT_EQ(with.list.remove(with.heap(), {}).error(), Error::invalid_handle);
  with.expect_list();
}

TEST(List, ElementsAreWrittenInPlace) {
  WithList with;
  with.fill(3);
  const auto second = with.list.after(with.heap(), with.list.first()).take();
  with.list.write(with.heap(), second).take()->value = 77;
  with.expected = {0, 77, 2};
  with.expect_list();
  EXPECT_EQ(with.list.read(with.heap(), second).take()->value, 77U);
  EXPECT_EQ(with.list.read(with.heap(), {}).error(), Error::invalid_handle);
}

TEST(List, ClearFreesEverything) {
  WithList with;
  with.fill(20);
  EXPECT_GT(with.list.size(), kConfig.max_residents) << "more than can be resident";
  ASSERT_TRUE(with.list.clear(with.heap()).ok());
  with.expected.clear();
  with.expect_list();
  EXPECT_EQ(allocated_entries(with.board.store.memory, with.heap().geometry()), 0U);
  with.fill(2);
  with.expect_list();
}

TEST(List, MovesLeaveAnEmptyOne) {
  WithList with;
  with.fill(3);
  List<std::uint32_t> other(std::move(with.list));
  EXPECT_TRUE(with.list.empty());  // NOLINT(bugprone-use-after-move): that is the point
  EXPECT_EQ(list_fault(with.heap(), other, with.expected), "");
  with.list = std::move(other);
  EXPECT_FALSE(other.first().valid());  // NOLINT(bugprone-use-after-move)
  with.expect_list();
}

TEST(List, AFullStoreIsAnErrorAndLeavesTheListAsItWas) {
  WithList with;
  Error error = Error::none;
  for (std::uint32_t i = 0; error == Error::none; ++i) {
    error = with.list.push_back(with.heap(), i).error();
    if (error == Error::none) with.expected.push_back(i);
  }
  EXPECT_EQ(error, Error::no_storage);
  EXPECT_GT(with.expected.size(), 50U);
  with.expect_list();
  EXPECT_EQ(with.list.push_front(with.heap(), 1).error(), Error::no_storage);
  EXPECT_EQ(with.list.insert_after(with.heap(), with.list.first(), 1).error(), Error::no_storage);
  with.expect_list();
  ASSERT_TRUE(with.list.pop_front(with.heap()).ok());
  with.expected.pop_front();
  EXPECT_TRUE(with.list.push_back(with.heap(), 1).ok());
  with.expected.push_back(1);
  with.expect_list();
}

TEST(List, ABorrowedElementOrNeighbourIsAnErrorAndLeavesTheListAsItWas) {
  WithList with;
  with.fill(5);
  const auto second = with.list.after(with.heap(), with.list.first()).take();
  const auto third = with.list.after(with.heap(), second).take();
  {
    auto held = with.list.read(with.heap(), second).take();
    EXPECT_EQ(with.list.remove(with.heap(), second).error(), Error::borrowed);
    EXPECT_EQ(with.list.remove(with.heap(), third).error(), Error::borrowed);
    EXPECT_EQ(with.list.pop_front(with.heap()).error(), Error::borrowed);
    EXPECT_EQ(with.list.insert_after(with.heap(), second, 9).error(), Error::borrowed);
    EXPECT_EQ(with.list.insert_before(with.heap(), second, 9).error(), Error::borrowed);
    EXPECT_TRUE(with.list.pop_back(with.heap()).ok()) << "far away";
    with.expected.pop_back();
    with.expect_list();
  }
  EXPECT_TRUE(with.list.remove(with.heap(), second).ok());
  with.expected = {0, 2, 3};
  with.expect_list();
}

// Through a list of many elements the dirty limit is respected however small it is.
TEST(List, TooSmallALimitIsAnErrorAndLeavesTheListAsItWas) {
  HeapConfig config = kConfig;
  Geometry geometry;
  ASSERT_EQ(Geometry::plan(config, 4096, TestHeap::traits(), geometry), Error::none);
  // Room for two nodes of 16 B and their slots, and no more; an insertion between two needs three.
  config.dirty_limit_bytes = geometry.smallest_limit(16) + 16 + 8;
  CheckedBoard<DefaultModules> board(config, 4096);
  ASSERT_TRUE(board.heap().format().ok());
  List<std::uint32_t> list;
  std::list<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(list.push_back(board.heap(), i).ok()) << i;
    expected.push_back(i);
  }
  EXPECT_EQ(list.insert_after(board.heap(), list.first(), 9).error(), Error::dirty_limit);
  EXPECT_EQ(list_fault(board.heap(), list, expected), "");
  EXPECT_EQ(board.structure(), "");
}

struct Named {
  std::uint32_t name = 0;
  List<std::uint16_t> list;
};

}  // namespace
}  // namespace brownout::heap::testing
template <>
inline constexpr bool brownout::heap::kRelocatable<brownout::heap::testing::Named> = true;
namespace brownout::heap::testing {
namespace {

TEST(List, MayBePartOfAnObject) {
  WithList with;
  std::vector<Object<Named>> owners;
  std::list<std::uint16_t> expected[3];
  for (std::uint32_t i = 0; i < 3; ++i) owners.push_back(with.heap().make(Named{i, {}}).take());
  for (std::uint16_t i = 0; i < 12; ++i) {
    auto owner = with.heap().write(owners[i % 3]).take();
    EXPECT_EQ(owner->name, i % 3U);
    ASSERT_TRUE(owner->list.push_front(with.heap(), i).ok());
    expected[i % 3].push_front(i);
  }
  with.board.outage();
  for (std::uint32_t i = 0; i < 3; ++i) {
    {
      auto owner = with.heap().write(owners[i]).take();
      EXPECT_EQ(list_fault(with.heap(), owner->list, expected[i]), "");
      ASSERT_TRUE(owner->list.clear(with.heap()).ok());
    }
    ASSERT_TRUE(with.heap().free(owners[i]).ok());
  }
  EXPECT_EQ(allocated_entries(with.board.store.memory, with.heap().geometry()), 0U);
}

// The mixture of operations that the tests below run, each repeated once if the store fails in it.
template <class Board>
class Mixture {
 public:
  explicit Mixture(Board& board) : board_(board) {}

  // What went wrong, or "".
  std::string run() {
    const auto heap = [this]() -> auto& { return board_.heap(); };
    for (std::uint32_t i = 0; i < 14; ++i) {
      const bool front = i % 3 == 0;
      const Error pushed = repeat([&] {
        return front ? list_.push_front(heap(), i).error() : list_.push_back(heap(), i).error();
      });
      if (pushed != Error::none) return "push";
      expected_.insert(front ? expected_.begin() : expected_.end(), i);
      if (i % 4 == 3) {
        const Error removed = repeat([&] {
          auto place = list_.after(heap(), list_.first());
          return place.ok() ? list_.remove(heap(), place.value()).error() : place.error();
        });
        if (removed != Error::none) return "remove";
        expected_.erase(std::next(expected_.begin()));
      }
      if (i % 5 == 4) {
        const Error inserted =
            repeat([&] { return list_.insert_after(heap(), list_.first(), 100 + i).error(); });
        if (inserted != Error::none) return "insert";
        expected_.insert(std::next(expected_.begin()), 100 + i);
      }
      if (!fault_.empty()) return fault_;
    }
    // A clear that fails in the middle leaves a list.
    if (const Error error = list_.clear(heap()).error(); error != Error::none) {
      ++failures;
      while (expected_.size() > list_.size()) expected_.pop_front();
      note(list_fault(heap(), list_, expected_));
      if (repeat([&] { return list_.clear(heap()).error(); }) != Error::none) return "clear";
    }
    return list_.empty() ? fault_ : "not empty";
  }
  int failures = 0;

 private:
  // After an error the list is as before, and the call can be repeated.
  template <class Call>
  Error repeat(Call call) {
    const Error error = call();
    if (error == Error::none) return error;
    ++failures;
    if (error != Error::storage_failed) return error;
    note(list_fault(board_.heap(), list_, expected_));
    note(board_.structure());
    return call();
  }
  void note(const std::string& fault) {
    if (fault_.empty()) fault_ = fault;
  }

  Board& board_;
  List<std::uint32_t> list_;
  std::list<std::uint32_t> expected_;
  std::string fault_;
};

template <class Modules>
struct ListsOfAnyModules : ::testing::Test {};
TYPED_TEST_SUITE(ListsOfAnyModules, SomeModules, ModuleNames);

TYPED_TEST(ListsOfAnyModules, StorageErrorAtEveryPollLeavesTheListSound) {
  HeapConfig config = fitted<TypeParam>(kConfig, 16);
  config.max_residents = 5;
  config.dirty_limit_bytes = 176;
  int failures = 0;
  bool struck = true;
  for (std::uint64_t fail_at = 0; struck; ++fail_at) {
    CheckedBoard<TypeParam> board(config, 1024);
    ASSERT_TRUE(board.heap().format().ok());
    board.store.polls = 0;
    board.store.fail_at = fail_at;
    Mixture<CheckedBoard<TypeParam>> mixture(board);
    ASSERT_EQ(mixture.run(), "") << "error at poll " << fail_at;
    failures += mixture.failures;
    struck = board.store.polls > fail_at;
    board.store.fail_at = ~std::uint64_t{0};
    // A table byte whose write failed is put right by the next allocation.
    auto last = board.heap().make(1).take();
    ASSERT_TRUE(board.heap().free(last).ok());
    EXPECT_EQ(allocated_entries(board.store.memory, board.heap().geometry()), 0U) << fail_at;
  }
  EXPECT_GT(failures, 300);
}

}  // namespace
}  // namespace brownout::heap::testing
