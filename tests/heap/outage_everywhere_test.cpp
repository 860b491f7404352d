// Workloads that are run again and again, with an outage at every single place where the persist interrupt
// can strike: each charge and each byte of each transfer, those of repeated transfers included. At each
// outage the live RAM has to come back, and in the end the same has been read as without any.
#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"
#include "heap/objects/list.hpp"

namespace brownout::heap::testing {
namespace {

using Seen = std::vector<std::byte>;

void must(Status status, const char* what) {
  if (!status.ok()) throw std::runtime_error(what);
}
template <class T>
T must(Result<T> result, const char* what) {
  if (!result.ok()) throw std::runtime_error(what + std::to_string(static_cast<int>(result.error())));
  return result.take();
}

// Whole objects, objects with partial dirtiness and a list, that fit neither RAM nor dirty limit together.
template <class Modules>
class Swapping {
 public:
  using Board = CheckedBoard<Modules>;
  static constexpr std::uint32_t kLargestBytes = 104;
  static constexpr std::uint32_t kStoreBytes = kIsBlock<Modules> ? 2560 : 1792;

  static HeapConfig config() {
    return fitted<Modules>({.ram_bytes = 832, .dirty_limit_bytes = 352, .max_residents = 7, .os_bytes = 8},
                           kLargestBytes);
  }
  static Seen run(Board& board) {
    Swapping workload(board);
    return workload.run();
  }

 private:
  explicit Swapping(Board& board) : board_(board) {}

  Seen run() {
    for (std::uint32_t i = 0; i < 4; ++i) wholes_.push_back(make_whole(40 + 8 * (i % 3)));
    for (std::uint32_t i = 0; i < 2; ++i) partials_.push_back(make_partial(90));
    array_ = must(heap().template make_array<std::uint16_t, 40>(), "make_array");
    know(array_);
    for (std::uint32_t i = 0; i < 10; ++i) {
      write_whole(i);
      write_partials(i);
      change_list(i);
      if (i % 5 == 2) replace(wholes_[i % wholes_.size()]);
      if (i % 4 == 3) must(heap().flush(), "flush");
      if (i % 3 == 1) must(heap().unload(partials_[i % 2]), "unload");
      check_structure();
    }
    read_all();
    free_all();
    return seen_;
  }

  void write_whole(std::uint32_t i) {
    Buffer& buffer = wholes_[(i * 3) % wholes_.size()];
    auto held = must(heap().read(wholes_[(i * 3 + 1) % wholes_.size()]), "read");
    auto ref = must(heap().write(buffer), "write");
    for (std::uint32_t k = 0; k < ref.size(); ++k) {
      board_.platform.charge(Work::copied_byte, 1);
      ref[k] = static_cast<std::byte>(i + k);
    }
    seen_.push_back(held[1]);
  }
  void write_partials(std::uint32_t i) {
    {
      auto ref = must(heap().write(partials_[i % 2], (i * 24) % 90, i % 2 == 0 ? 6 : 0), "write part");
      for (std::byte& b : ref) {
        board_.platform.charge(Work::copied_byte, 1);
        b = static_cast<std::byte>(0x80U + i);
      }
    }
    {
      auto ref = must(heap().write(array_, (i * 7) % 38, 2), "write elements");
      board_.platform.charge(Work::copied_byte, 1);
      ref[0] = static_cast<std::uint16_t>(i * 1000);
      board_.platform.charge(Work::copied_byte, 1);
      ref[1] = static_cast<std::uint16_t>(~i);
    }
    auto ref = must(heap().read(partials_[(i + 1) % 2]), "read part");
    seen_.push_back(ref[i]);
  }
  void change_list(std::uint32_t i) {
    must(i % 2 == 0 ? list_.push_back(heap(), i) : list_.push_front(heap(), i), "push");
    if (i % 3 == 2) must(list_.remove(heap(), must(list_.after(heap(), list_.first()), "after")), "remove");
    if (list_.size() > 4) must(list_.pop_back(heap()), "pop");
    must(list_.for_each(heap(), [this](std::uint32_t value) { see(value); }), "for_each");
  }
  void replace(Buffer& buffer) {
    must(heap().free(buffer), "free");
    buffer = make_whole(48);
  }

  void read_all() {
    for (const Buffer& buffer : wholes_) see_bytes(buffer);
    for (const Buffer& buffer : partials_) see_bytes(buffer);
    auto ref = must(heap().read(array_), "read array");
    for (const std::uint16_t element : ref) see(element);
  }
  void free_all() {
    for (Buffer& buffer : wholes_) must(heap().free(buffer), "free");
    for (Buffer& buffer : partials_) must(heap().free(buffer), "free");
    must(heap().free(array_), "free");
    must(list_.clear(heap()), "clear");
    check_structure();
    if (allocated_entries(board_.store.memory, heap().geometry()) != 0) throw std::runtime_error("leak");
  }

  typename Board::Heap& heap() { return board_.heap(); }
  Buffer make_whole(std::uint32_t bytes) { return must(heap().make_buffer(bytes), "make"); }
  Buffer make_partial(std::uint32_t bytes) {
    Buffer made = must(heap().make_buffer(bytes, Dirtiness::partial), "make partial");
    know(made);
    return made;
  }
  void know(const Handle& partial) { board_.partial_sizes[partial.home()] = partial.size_bytes(); }
  void see(std::uint32_t value) {
    seen_.push_back(static_cast<std::byte>(value));
    seen_.push_back(static_cast<std::byte>(value >> 8U));
  }
  void see_bytes(const Buffer& buffer) {
    const std::vector<std::byte> bytes = get(heap(), buffer);
    seen_.insert(seen_.end(), bytes.begin(), bytes.end());
  }
  void check_structure() {
    if (const std::string fault = board_.structure(); !fault.empty()) throw std::runtime_error(fault);
  }

  Board& board_;
  std::vector<Buffer> wholes_;
  std::vector<Buffer> partials_;
  Array<std::uint16_t, 40> array_;
  List<std::uint32_t> list_;
  Seen seen_;
};

// More small objects than slots, a full table, and a dirty limit so tight that clean residents have to be
// recorded (or unloaded, where there are no records) again and again, while slots move in the hash.
template <class Modules>
class Recording {
 public:
  using Board = CheckedBoard<Modules>;
  using Slot = typename Board::Slot;
  static constexpr std::uint32_t kResidents = 12;
  static constexpr std::uint32_t kStoreBytes = 1536;

  static HeapConfig config() {
    HeapConfig config = fitted<Modules>({.ram_bytes = 32 + kResidents * 8 + 160,
                                         .dirty_limit_bytes = 512,
                                         .max_residents = kResidents,
                                         .os_bytes = 0},
                                        16);
    Geometry geometry;
    if (Geometry::plan(config, kStoreBytes, Board::Heap::traits(), geometry) != Error::none) {
      throw std::runtime_error("configuration");
    }
    config.dirty_limit_bytes = geometry.smallest_limit(16) + 2 * sizeof(Slot);
    if (!Slot::kRecords) config.dirty_limit_bytes += kResidents * sizeof(Slot) / 2;
    return config;
  }
  static Seen run(Board& board) {
    Recording workload(board);
    return workload.run();
  }
  // That the workload does what it is for.
  static void expect_evidence(Board& board) {
    Recording workload(board);
    workload.watching_ = true;
    static_cast<void>(workload.run());
    EXPECT_GT(workload.moves_, 2) << "slots that moved in the hash";
    if (!Slot::kRecords) return;
    EXPECT_GT(workload.records_, 5) << "times that records were written";
    EXPECT_TRUE(workload.was_full_);
  }

 private:
  explicit Recording(Board& board) : board_(board) {}

  Seen run() {
    for (std::uint32_t i = 0; i < kResidents + 4; ++i) {
      objects_.push_back(must(heap().make(i), "make"));
      watch();
    }
    // Steps that share no factor with the number, so that every object's turn comes.
    for (std::uint32_t i = 0; i < 20; ++i) {
      borrow_two(i);
      if (i % 4 == 1) replace(objects_[(i * 5 + 3) % objects_.size()], i);
      if (i % 6 == 5) must(heap().unload(objects_[(i * 5 + 11) % objects_.size()]), "unload");
      watch();
    }
    for (auto& object : objects_) {
      seen_.push_back(static_cast<std::byte>(*must(heap().read(object), "read")));
      must(heap().free(object), "free");
      watch();
    }
    if (const std::string fault = board_.structure(); !fault.empty()) throw std::runtime_error(fault);
    if (allocated_entries(board_.store.memory, heap().geometry()) != 0) throw std::runtime_error("leak");
    return seen_;
  }
  void borrow_two(std::uint32_t i) {
    auto held = must(heap().read(objects_[(i * 5 + 8) % objects_.size()]), "read");
    seen_.push_back(static_cast<std::byte>(*held));
    auto ref = must(heap().write(objects_[i * 5 % objects_.size()]), "write");
    board_.platform.charge(Work::copied_byte, 1);
    *ref += 0x11 * i;
  }
  void replace(Object<std::uint32_t>& object, std::uint32_t value) {
    must(heap().free(object), "free");
    object = must(heap().make(value), "make again");
  }
  typename Board::Heap& heap() { return board_.heap(); }

  void watch() {
    if (!watching_) return;
    const auto arena = board_.arena();
    const Geometry& g = arena.geometry();
    std::map<std::uint32_t, std::uint32_t> slots;  // by home
    for (std::uint32_t i = 0; i < arena.slots(); ++i) {
      if (arena.slot(i).used()) slots[arena.slot(i).home(g)] = i;
    }
    for (const auto& [home, slot] : slots) {
      const auto before = slots_.find(home);
      moves_ += before != slots_.end() && before->second != slot ? 1 : 0;
    }
    slots_ = slots;
    was_full_ = was_full_ || slots.size() == kResidents;
    const auto begin = board_.store.memory.begin() + g.records_base;
    const std::vector<std::byte> written(begin, begin + (g.store_base - g.records_base));
    records_ += written != written_ ? 1 : 0;
    written_ = written;
  }

  Board& board_;
  std::vector<Object<std::uint32_t>> objects_;
  Seen seen_;
  bool watching_ = false;
  bool was_full_ = false;
  int moves_ = 0;
  int records_ = 0;
  std::map<std::uint32_t, std::uint32_t> slots_;
  std::vector<std::byte> written_;
};

template <class Modules>
class OutageEverywhere : public ::testing::Test {
 protected:
  // What a workload sees without an outage, and where its places lie.
  struct Control {
    Seen seen;
    std::uint64_t first = 0;  // after format, which is not protected
    std::uint64_t end = 0;
  };
  template <template <class> class Workload>
  static typename Workload<Modules>::Board board() {
    return typename Workload<Modules>::Board(Workload<Modules>::config(), Workload<Modules>::kStoreBytes);
  }
  template <template <class> class Workload>
  static Control control_run() {
    auto control = board<Workload>();
    must(control.heap().format(), "format");
    Control result;
    result.first = control.platform.places;
    result.seen = Workload<Modules>::run(control);
    result.end = control.platform.places;
    EXPECT_GT(result.end - result.first, 1000U);
    EXPECT_LT(control.platform.critical_places * 10, result.end) << "critical sections are a small share";
    return result;
  }
  // The workload with interrupts as `plan` arranges them on the board.
  template <template <class> class Workload, class Plan>
  static int run_with(const Control& control, std::uint64_t at, Plan plan) {
    auto struck = board<Workload>();
    must(struck.heap().format(), "format");
    plan(struck);
    try {
      EXPECT_EQ(Workload<Modules>::run(struck), control.seen) << "outage at place " << at;
    } catch (const std::runtime_error& error) {
      ADD_FAILURE() << "outage at place " << at << ": " << error.what() << " after " << struck.fault;
    }
    EXPECT_EQ(struck.fault, "") << "outage at place " << at;
    return struck.outages;
  }
  template <template <class> class Workload>
  static void once_everywhere(std::uint64_t step) {
    const Control control = control_run<Workload>();
    for (std::uint64_t at = control.first; at < control.end && !HasFailure(); at += step) {
      const int outages =
          run_with<Workload>(control, at, [at](auto& board) { board.platform.strike_at = at; });
      EXPECT_EQ(outages, 1) << at;
    }
  }
  // With a second and a third outage some places after the first: in repeated transfers, right after a
  // restore.
  template <template <class> class Workload>
  static void three_in_a_row(std::uint64_t step) {
    const Control control = control_run<Workload>();
    for (std::uint64_t at = control.first; at < control.end && !HasFailure(); at += step) {
      run_with<Workload>(control, at, [at](auto& board) {
        board.platform.strike_at = at;
        board.platform.interrupt = [&board, at] {
          board.checked_outage();
          if (board.outages < 3) board.platform.strike_at = board.platform.places + (at % 11);
        };
      });
    }
  }
  // Outages all the time, a random number of places apart.
  template <template <class> class Workload>
  static void storms(unsigned seeds) {
    const Control control = control_run<Workload>();
    int outages = 0;
    for (unsigned seed = 1; seed <= seeds && !HasFailure(); ++seed) {
      Random random(seed);
      outages += run_with<Workload>(control, seed, [&random, &control](auto& board) {
        const auto next = [&board, &random] {
          board.platform.strike_at = board.platform.places + random() % 200;
        };
        next();
        board.platform.interrupt = [&board, next] {
          board.checked_outage();
          next();
        };
        static_cast<void>(control);
      });
    }
    EXPECT_GT(outages, static_cast<int>(10 * seeds));
  }
};

template <class Modules>
using OutageEverywhereForSome = OutageEverywhere<Modules>;
TYPED_TEST_SUITE(OutageEverywhereForSome, SomeModules, ModuleNames);
TYPED_TEST_SUITE(OutageEverywhere, AllModules, ModuleNames);

TYPED_TEST(OutageEverywhere, TheWorkloadRecordsAndMovesSlots) {
  auto board = TestFixture::template board<Recording>();
  must(board.heap().format(), "format");
  Recording<TypeParam>::expect_evidence(board);
}
// The sanitizers see a third of the places; the released build, all.
TYPED_TEST(OutageEverywhereForSome, Swapping) {
  TestFixture::template once_everywhere<Swapping>(kSanitized ? 3 : 1);
}
TYPED_TEST(OutageEverywhereForSome, Recording) { TestFixture::template once_everywhere<Recording>(1); }
TYPED_TEST(OutageEverywhere, ThreeInARow) {
  TestFixture::template three_in_a_row<Swapping>(17);
  TestFixture::template three_in_a_row<Recording>(13);
}
TYPED_TEST(OutageEverywhere, Storms) {
  TestFixture::template storms<Swapping>(20);
  TestFixture::template storms<Recording>(20);
}

}  // namespace
}  // namespace brownout::heap::testing
