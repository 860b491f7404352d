#include <bit>
#include <string>

#include <gtest/gtest.h>

#include "heap/store_allocators/store_allocator.hpp"
#include "sanitized.hpp"
#include "store_allocator_board.hpp"

namespace brownout::heap::testing::store_allocators {
namespace {

static_assert(StoreAllocator<LinkedListKind::Allocator> && !LinkedListKind::Allocator::kPowersOfTwo);
static_assert(StoreAllocator<BuddyKind::Allocator> && BuddyKind::Allocator::kPowersOfTwo);
static_assert(StoreAllocator<BlockKind::Allocator> && !BlockKind::Allocator::kPowersOfTwo);
static_assert(LinkedListKind::Allocator::kId != BuddyKind::Allocator::kId &&
              BuddyKind::Allocator::kId != BlockKind::Allocator::kId &&
              BlockKind::Allocator::kId != LinkedListKind::Allocator::kId);

constexpr std::uint32_t kBase = 264;
constexpr Outcome kFailures[] = {Outcome::fails_before, Outcome::fails_after};
constexpr Outcome kCuts[] = {Outcome::cut_before, Outcome::cut_after};

template <class Kind>
struct StoreAllocators : ::testing::Test {
  using Board = StoreBoard<Kind>;

  // The largest object that such a store can ever hold in one piece.
  static std::uint32_t largest_bytes(const StorePlan& plan) {
    std::uint32_t units = plan.units;
    while (Kind::run_units(units * plan.unit_bytes, plan.unit_bytes) > plan.units) --units;
    return kIsBlock ? plan.unit_bytes : units * plan.unit_bytes;
  }
  static constexpr bool kIsBlock = std::is_same_v<Kind, BlockKind>;

  // An object of 1 to `units` units.
  static std::uint32_t any_size(Random& random, const StorePlan& plan, std::uint32_t units) {
    return 1 + random() % (plan.unit_bytes * (kIsBlock ? 1 : units));
  }

  // One operation at random, 3 of 5 an allocation; what find() says is compared with what it ought to say.
  static void use(Board& board, Random& random, std::uint32_t units) {
    if (random() % 5 >= 3) {
      if (!board.objects.empty()) {
        ASSERT_TRUE(board.release(board.any_object(random)).ok());
      }
      return;
    }
    const StorePlan& plan = board.plan();
    const std::uint32_t size = any_size(random, plan, units);
    const std::optional<std::uint32_t> expected =
        Kind::expected(used_units(plan, board.model_runs()), Kind::run_units(size, plan.unit_bytes),
                       board.control().store_cursor);
    std::uint32_t home = 0;
    const Status status = board.allocate(size, &home);
    ASSERT_EQ(status.error(), expected ? Error::none : Error::no_storage) << size;
    if (expected) {
      ASSERT_EQ(home, plan.first_unit + *expected * plan.unit_bytes) << size;
    }
  }

  // Some use of a store that has just been formatted.
  static void age(Board& board, Random& random, int operations) {
    ASSERT_TRUE(board.format().ok());
    for (int i = 0; i < operations; ++i) {
      use(board, random, 6);
      if (::testing::Test::HasFatalFailure()) return;
    }
    ASSERT_EQ(board.fault(), "");
  }

  // Everything that is free can be had, unit by unit, and once all is released, in one piece.
  static void nothing_is_leaked(Board& board) {
    const std::uint32_t free = board.free_units();
    std::uint32_t got = 0;
    while (board.allocate(board.plan().unit_bytes).ok()) ++got;
    ASSERT_EQ(got, free);
    ASSERT_EQ(board.fault(), "");
    while (!board.objects.empty()) ASSERT_TRUE(board.release(board.objects.begin()->first).ok());
    ASSERT_EQ(board.table_runs(), Runs{});
    ASSERT_TRUE(board.allocate(largest_bytes(board.plan())).ok());
    ASSERT_EQ(board.fault(), "");
  }

  // Runs `test(operation, name)` for each kind of operation, on a store that is neither empty nor full.
  template <class Test>
  static void for_each_operation(Test test) {
    for (unsigned seed = 1; seed <= 12; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      Board board(kBase, kBase + (kIsBlock ? 2000 : 900), 0);
      const std::uint32_t size = any_size(random, board.plan(), 1 + seed % 3);
      // Objects and room enough for the operations that follow.
      do {
        age(board, random, 60 + static_cast<int>(seed) * 7);
        if (::testing::Test::HasFatalFailure()) return;
      } while (board.objects.size() < 3 || board.free_units() < 3 || !board.allocator().find(size).ok());
      const std::uint32_t home = board.any_object(random);
      test(
          board, [&] { return board.allocate(size); }, "allocate");
      test(
          board, [&] { return board.release(home); }, "release");
      if (::testing::Test::HasFatalFailure()) return;
    }
  }

  // Transfers that an operation makes from the state that the board is in, which it leaves as it was.
  template <class Operation>
  static std::size_t transfers_of(Board& board, Operation operation) {
    const auto before = board.snapshot();
    board.gateway.transfers.clear();
    EXPECT_TRUE(operation().ok());
    board.return_to(before);
    return board.gateway.transfers.size();
  }

  // The n-th transfer from now on, and no other, comes out like that.
  static void arm(Board& board, std::size_t n, Outcome fate) {
    board.gateway.transfers.clear();
    board.gateway.outcome = [n, fate](std::size_t call) { return call == n ? fate : Outcome::ok; };
  }
};

struct KindNames {
  template <class Kind>
  static std::string GetName(int) {  // NOLINT(readability-identifier-naming): googletest
    if (std::is_same_v<Kind, LinkedListKind>) return "LinkedList";
    return std::is_same_v<Kind, BuddyKind> ? "Buddy" : "Block";
  }
};
using Kinds = ::testing::Types<LinkedListKind, BuddyKind, BlockKind>;
TYPED_TEST_SUITE(StoreAllocators, Kinds, KindNames);

TYPED_TEST(StoreAllocators, PlanFillsTheRegion) {
  using Allocator = typename TypeParam::Allocator;
  for (const std::uint32_t base : {8U, 264U, 1023U, 25'096U}) {
    for (std::uint32_t size = 1; size < 140'000; size += size < 2000 ? 1 : 97) {
      for (const std::uint32_t unit : TypeParam::kUnits) {
        const StorePlan plan = Allocator::plan(base, base + size, unit);
        if (plan.units == 0) {
          // Not even one unit and its table byte.
          ASSERT_GT(round_up_8(base + 1) + (unit == 0 ? TypeParam::kDefaultUnit : unit), base + size)
              << size << " " << unit;
          continue;
        }
        ASSERT_EQ(plan.table, base);
        ASSERT_EQ(plan.table_bytes, (plan.units + TypeParam::kUnitsPerByte - 1) / TypeParam::kUnitsPerByte);
        ASSERT_GE(plan.first_unit, plan.table + plan.table_bytes);
        ASSERT_EQ(plan.first_unit % 8, 0U);
        ASSERT_EQ(plan.unit_bytes % 8, 0U);
        ASSERT_TRUE(unit == 0 || plan.unit_bytes == unit);
        ASSERT_LE(plan.first_unit + plan.units * plan.unit_bytes, base + size);
        // One unit more would not fit.
        const std::uint32_t more = plan.units + 1;
        const std::uint32_t table = (more + TypeParam::kUnitsPerByte - 1) / TypeParam::kUnitsPerByte;
        ASSERT_GT(round_up_8(base + table) + more * plan.unit_bytes, base + size) << size << " " << unit;
      }
      for (const std::uint32_t unit : TypeParam::kBadUnits) {
        ASSERT_EQ(Allocator::plan(base, base + size, unit).units, 0U) << unit;
      }
    }
    ASSERT_EQ(Allocator::plan(base, base, 0).units, 0U);
  }
  EXPECT_EQ(Allocator::plan(8, 8 + kMaxStoreBytes, 8).unit_bytes, 8U);
}

TYPED_TEST(StoreAllocators, DefaultUnits) {
  const auto unit = [](std::uint32_t size) { return TypeParam::Allocator::plan(8, 8 + size, 0).unit_bytes; };
  const bool block = std::is_same_v<TypeParam, BlockKind>;
  EXPECT_EQ(unit(16 * 1024 - 1), block ? 64U : 8U);
  EXPECT_EQ(unit(16 * 1024), block ? 64U : 16U);
  EXPECT_EQ(unit(63 * 1024 - 1), block ? 64U : 16U);
  EXPECT_EQ(unit(63 * 1024), block ? 64U : 32U);
}

// 20,000 operations on each of the smaller stores, each choice compared with the one that the algorithm ought
// to make.
TYPED_TEST(StoreAllocators, RandomUseAgreesWithTheModel) {
  unsigned seed = 100;
  for (const std::uint32_t size : {90U, 300U, 1000U, 4099U, 9000U, 17'000U, 66'000U}) {
    for (const std::uint32_t unit : TypeParam::kUnits) {
      StoreBoard<TypeParam> board(kBase, kBase + size, unit);
      if (board.plan().units == 0 || board.plan().units > (kSanitized ? 500 : 2000)) continue;
      ++seed;
      SCOPED_TRACE(std::to_string(size) + " B, unit " + std::to_string(unit) + ", seed " +
                   std::to_string(seed));
      Random random(seed);
      ASSERT_TRUE(board.format().ok());
      ASSERT_EQ(board.fault(), "");
      // Large objects fill a large store within the time.
      const std::uint32_t units = 2 + board.plan().units / (1 + random() % 30);
      int full = 0;
      const int check = board.plan().units < 200 ? (kSanitized ? 8 : 1) : 64;
      const int operations = board.plan().units < 500 ? 20'000 / (kSanitized ? 2 : 1) : 10'000;
      for (int i = 0; i < operations; ++i) {
        const std::size_t objects = board.objects.size();
        this->use(board, random, units);
        if (board.objects.size() == objects) ++full;
        if (i % check == 0) {
          ASSERT_EQ(board.fault(), "") << i;
        }
        if (this->HasFatalFailure()) return;
      }
      EXPECT_GT(full, 0) << "the store was never full";
      ASSERT_EQ(board.fault(), "");
      this->nothing_is_leaked(board);
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(StoreAllocators, AFullStoreRefillsAfterReleasesInAnyOrder) {
  for (const std::uint32_t size : {90U, 1000U, 5000U}) {
    for (const std::uint32_t unit : TypeParam::kUnits) {
      StoreBoard<TypeParam> board(kBase, kBase + size, unit);
      if (board.plan().units == 0) continue;
      SCOPED_TRACE(std::to_string(size) + " B, unit " + std::to_string(unit));
      Random random(7);
      ASSERT_TRUE(board.format().ok());
      for (int round = 0; round < 3; ++round) {
        std::vector<std::uint32_t> homes;
        std::uint32_t home = 0;
        Status status = board.allocate(board.plan().unit_bytes, &home);
        for (; status.ok(); status = board.allocate(board.plan().unit_bytes, &home)) homes.push_back(home);
        ASSERT_EQ(status.error(), Error::no_storage);
        ASSERT_EQ(homes.size(), board.plan().units);
        ASSERT_EQ(board.fault(), "");
        std::shuffle(homes.begin(), homes.end(), random);
        for (const std::uint32_t freed : homes) ASSERT_TRUE(board.release(freed).ok());
        ASSERT_EQ(board.table_runs(), Runs{});
        ASSERT_TRUE(board.allocate(this->largest_bytes(board.plan()), &home).ok());
        ASSERT_EQ(board.fault(), "");
        ASSERT_TRUE(board.release(home).ok());
      }
    }
  }
}

TYPED_TEST(StoreAllocators, FormatFreesEverything) {
  Random random(8);
  StoreBoard<TypeParam> board(kBase, kBase + 3000, 0);
  for (int round = 0; round < 20; ++round) {
    this->age(board, random, 200);
    if (this->HasFatalFailure()) return;
  }
  ASSERT_TRUE(board.format().ok());
  EXPECT_EQ(board.table_runs(), Runs{});
  this->nothing_is_leaked(board);
}

TYPED_TEST(StoreAllocators, FindsTheOnlyGapFromAnyCursor) {
  StoreBoard<TypeParam> board(kBase, kBase + 5000, 0);
  ASSERT_TRUE(board.format().ok());
  const std::uint32_t gap_units = TypeParam::kGapUnits;
  const std::uint32_t bytes = gap_units * board.plan().unit_bytes;
  std::vector<std::uint32_t> homes;
  std::uint32_t home = 0;
  while (board.allocate(bytes, &home).ok()) homes.push_back(home);
  ASSERT_EQ(homes.size(), board.plan().units / gap_units);
  for (const std::uint32_t gap : homes) {
    ASSERT_TRUE(board.release(gap).ok());
    for (std::uint32_t cursor = 0; cursor < board.plan().units + 9; ++cursor) {
      if (!TypeParam::is_cursor(cursor)) continue;
      board.control().store_cursor = cursor;
      Result<StorePlace> place = board.allocator().find(bytes);
      ASSERT_TRUE(place.ok()) << gap << " " << cursor;
      ASSERT_EQ(place.value().home, gap);
    }
    ASSERT_TRUE(board.allocate(bytes).ok());
  }
}

TYPED_TEST(StoreAllocators, ACursorBeyondTheEndIsTheBeginning) {
  StoreBoard<TypeParam> board(kBase, kBase + 2000, 0);
  ASSERT_TRUE(board.format().ok());
  for (const std::uint32_t cursor :
       {board.plan().table_bytes, board.plan().units, board.plan().units + 1, 0xFFFF'FFFFU}) {
    board.control().store_cursor = cursor;
    Result<StorePlace> place = board.allocator().find(1);
    ASSERT_TRUE(place.ok()) << cursor;
    const std::uint32_t expected = *TypeParam::expected(used_units(board.plan(), {}), 1, cursor);
    ASSERT_EQ(place.value().home, board.plan().first_unit + expected * board.plan().unit_bytes) << cursor;
  }
}

TYPED_TEST(StoreAllocators, WhatCanNeverFitIsRefused) {
  StoreBoard<TypeParam> board(kBase, kBase + 2000, 0);
  ASSERT_TRUE(board.format().ok());
  const bool block = std::is_same_v<TypeParam, BlockKind>;
  const Error refusal = block ? Error::too_large : Error::no_storage;
  const std::uint32_t largest = this->largest_bytes(board.plan());
  EXPECT_TRUE(board.allocator().find(largest).ok());
  for (const std::uint32_t size : {largest + 1, board.plan().units * board.plan().unit_bytes + 1, 16'376U,
                                   0x7FFF'FFFFU, 0xFFFF'FFF8U, 0xFFFF'FFFFU}) {
    EXPECT_EQ(board.allocator().find(size).error(), refusal) << size;
  }
}

// The state is in the store and in Control alone: two allocators that take turns are as good as one.
TYPED_TEST(StoreAllocators, AnotherAllocatorOnTheSameStoreGoesOn) {
  StoreBoard<TypeParam> board(kBase, kBase + 2000, 0);
  Random random(9);
  ASSERT_TRUE(board.format().ok());
  for (int i = 0; i < 5000; ++i) {
    board.construct();
    // Without Control too: the cursor is then at the beginning.
    if (random() % 8 == 0) board.boot();
    this->use(board, random, 12);
    if (this->HasFatalFailure()) return;
    ASSERT_EQ(board.fault(), "") << i;
  }
  this->nothing_is_leaked(board);
}

// Sound at every byte of its writes: each claim and each release is the write of one byte. And what every
// operation costs, as the headers say.
TYPED_TEST(StoreAllocators, EveryChangeIsOneByteAndTheCostIsAsDocumented) {
  const bool block = std::is_same_v<TypeParam, BlockKind>;
  StoreBoard<TypeParam> board(kBase, kBase + 6000, 0);
  std::vector<Transfer>& transfers = board.gateway.transfers;
  Random random(10);
  ASSERT_TRUE(board.format().ok());
  ASSERT_EQ(transfers.size(), 1U);
  EXPECT_TRUE(transfers[0].write);
  EXPECT_EQ(transfers[0].size, board.plan().table_bytes);
  const auto changed_bytes = [&](const Bytes& before) {
    int changed = 0;
    for (std::size_t i = 0; i < before.size(); ++i) changed += before[i] != board.gateway.memory[i] ? 1 : 0;
    return changed;
  };
  for (int i = 0; i < 3000; ++i) {
    const Bytes before = board.gateway.memory;
    const Control control = board.control();
    const std::uint32_t size = this->any_size(random, board.plan(), 40);
    transfers.clear();
    if (random() % 5 < 3) {
      const std::uint64_t steps = board.platform.steps;
      Result<StorePlace> place = board.allocator().find(size);
      const std::uint32_t units = TypeParam::run_units(size, board.plan().unit_bytes);
      EXPECT_LE(board.platform.steps - steps, board.plan().table_bytes + units);
      EXPECT_LE(transfers.size(), (board.plan().table_bytes + units) / 32 + 3);
      for (const Transfer& transfer : transfers) {
        EXPECT_FALSE(transfer.write);
        EXPECT_LE(transfer.size, 32U);
      }
      EXPECT_EQ(changed_bytes(before), 0) << "find() writes";
      EXPECT_EQ(std::memcmp(&control, &board.control(), sizeof control), 0) << "find() changes Control";
      if (!place.ok()) continue;
      transfers.clear();
      ASSERT_TRUE(board.allocator().claim(place.value()).ok());
      ASSERT_EQ(transfers.size(), 1U);
      EXPECT_EQ(transfers[0].address, place.value().entry);
      EXPECT_EQ(before[place.value().entry], place.value().before);
      EXPECT_EQ(board.gateway.memory[place.value().entry], place.value().claimed);
      board.objects.emplace(place.value().home, size);
    } else {
      if (board.objects.empty()) continue;
      ASSERT_TRUE(board.release(board.any_object(random)).ok());
      ASSERT_EQ(transfers.size(), block ? 2U : 1U);
      EXPECT_EQ(transfers[0].size, 1U);
    }
    EXPECT_TRUE(transfers.back().write);
    EXPECT_EQ(transfers.back().size, 1U);
    ASSERT_EQ(changed_bytes(before), 1) << i;
  }
}

// A search goes on over outages with what lies on its stack: allocator and Control are lost and brought back
// at every place where the interrupt may strike.
TYPED_TEST(StoreAllocators, AnOutageAnywhereChangesNothing) {
  std::uint64_t strikes = 0;
  this->for_each_operation([&](auto& board, auto operation, const char* name) {
    const auto before = board.snapshot();
    ASSERT_TRUE(operation().ok()) << name;
    const auto after = board.snapshot();
    for (std::uint64_t strike = 0, places = 1; strike < places; ++strike) {
      board.return_to(before);
      places = 0;
      board.platform.at_place = [&] {
        if (places++ == strike) board.outage();
      };
      ASSERT_TRUE(operation().ok());
      board.platform.at_place = nullptr;
      ++strikes;
      ASSERT_EQ(board.gateway.memory, after.memory) << name << " " << strike;
      ASSERT_EQ(std::memcmp(&board.control(), &after.control, sizeof after.control), 0)
          << name << " " << strike;
    }
    board.return_to(before);
  });
  EXPECT_GT(strikes, 100U);
}

// After an error the operation has not taken place, whatever became of the byte; nothing leaks, nothing is
// handed out twice.
TYPED_TEST(StoreAllocators, AfterAnErrorInAnyTransferTheNextOperationPutsItRight) {
  int errors = 0;
  this->for_each_operation([&](auto& board, auto operation, const char* name) {
    const auto before = board.snapshot();
    const std::size_t transfers = this->transfers_of(board, operation);
    using Next = std::function<Status()>;
    const std::uint32_t other = std::prev(board.objects.end())->first;
    const Next nexts[] = {[&] { return Status(board.allocator().find(1).error()); },
                          [&] { return board.allocate(1); },
                          [&] { return board.allocate(board.plan().unit_bytes); },
                          [&] { return board.release(board.objects.begin()->first); },
                          [&] { return board.release(other); },
                          [&] { return operation(); },
                          [&] { return board.format(); }};
    for (std::size_t n = 0; n < transfers; ++n) {
      for (const Outcome failure : kFailures) {
        for (std::size_t next = 0; next < std::size(nexts); ++next) {
          SCOPED_TRACE(std::string(name) + ", transfer " + std::to_string(n) + ", next " +
                       std::to_string(next) + (failure == Outcome::fails_before ? ", lost" : ", written"));
          board.return_to(before);
          this->arm(board, n, failure);
          ASSERT_EQ(operation().error(), Error::storage_failed);
          board.gateway.outcome = nullptr;
          ++errors;
          const Status status = nexts[next]();
          ASSERT_TRUE(status.ok() || status.error() == Error::no_storage);
          ASSERT_EQ(board.fault(), "");
          ASSERT_EQ(board.control().repair_at, 0U);
          this->nothing_is_leaked(board);
          if (this->HasFatalFailure()) return;
        }
      }
    }
    board.return_to(before);
  });
  EXPECT_GT(errors, 300);
}

// As long as the byte cannot be put right every operation fails, and changes nothing.
TYPED_TEST(StoreAllocators, WhileTheErrorLastsEveryOperationFails) {
  this->for_each_operation([&](auto& board, auto operation, const char* name) {
    const auto before = board.snapshot();
    const std::size_t transfers = this->transfers_of(board, operation);
    for (const Outcome first : kFailures) {
      for (const Outcome then : kFailures) {
        SCOPED_TRACE(name);
        board.return_to(before);
        // The last transfer is the write.
        this->arm(board, transfers - 1, first);
        ASSERT_EQ(operation().error(), Error::storage_failed);
        ASSERT_NE(board.control().repair_at, 0U);
        board.gateway.outcome = [&](std::size_t) { return then; };
        const std::uint32_t last = std::prev(board.objects.end())->first;
        for (int again = 0; again < 2; ++again) {
          board.gateway.transfers.clear();
          ASSERT_EQ(board.allocator().find(1).error(), Error::storage_failed);
          ASSERT_EQ(board.release(last).error(), Error::storage_failed);
          ASSERT_EQ(operation().error(), Error::storage_failed);
          ASSERT_EQ(board.allocator().claim({}).error(), Error::storage_failed);
          // All of them tried to write that byte, and nothing else.
          ASSERT_EQ(board.gateway.transfers.size(), 4U);
          for (const Transfer& transfer : board.gateway.transfers) {
            ASSERT_TRUE(transfer.write);
            ASSERT_EQ(transfer.address, board.control().repair_at);
          }
        }
        board.gateway.outcome = nullptr;
        ASSERT_TRUE(board.allocator().find(1).ok());
        ASSERT_EQ(board.fault(), "");
        this->nothing_is_leaked(board);
        if (this->HasFatalFailure()) return;
      }
    }
    board.return_to(before);
  });
}

// One transfer in eight fails, half of the failing writes take effect.
TYPED_TEST(StoreAllocators, RandomUseWithErrorsAgreesWithTheModel) {
  for (unsigned seed = 200; seed < 210; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    StoreBoard<TypeParam> board(kBase, kBase + 1500, 0);
    ASSERT_TRUE(board.format().ok());
    int errors = 0;
    for (int i = 0; i < 4000; ++i) {
      board.gateway.transfers.clear();
      board.gateway.outcome = [&](std::size_t) {
        if (random() % 8 != 0) return Outcome::ok;
        return random() % 2 == 0 ? Outcome::fails_before : Outcome::fails_after;
      };
      Status status;
      if (random() % 5 < 3) {
        status = board.allocate(this->any_size(random, board.plan(), 8));
      } else if (!board.objects.empty()) {
        status = board.release(board.any_object(random));
      }
      board.gateway.outcome = nullptr;
      if (status.error() == Error::storage_failed) ++errors;
      if (random() % 4 == 0) board.outage();
      if (status.ok() && board.control().repair_at == 0) {
        ASSERT_EQ(board.fault(), "") << i;
      }
    }
    EXPECT_GT(errors, 300);
    ASSERT_NE(board.allocator().find(1).error(), Error::storage_failed);
    ASSERT_EQ(board.fault(), "");
    this->nothing_is_leaked(board);
    if (this->HasFatalFailure()) return;
  }
}

// If nothing but the store survives, what is allocated is what was so before the operation or after it.
TYPED_TEST(StoreAllocators, AfterACutTheStoreIsAsBeforeTheOperationOrAsAfterIt) {
  this->for_each_operation([&](auto& board, auto operation, const char* name) {
    const auto before = board.snapshot();
    const std::size_t transfers = this->transfers_of(board, operation);
    static_cast<void>(operation());
    const auto after = board.snapshot();
    Random random(11);
    for (std::size_t n = 0; n < transfers; ++n) {
      // Cut at a transfer, or the supply fails for good while an error waits to be put right.
      for (const Outcome fate : {kCuts[0], kCuts[1], kFailures[0], kFailures[1]}) {
        SCOPED_TRACE(std::string(name) + ", transfer " + std::to_string(n));
        board.return_to(before);
        this->arm(board, n, fate);
        const bool cut = fate == Outcome::cut_before || fate == Outcome::cut_after;
        if (cut) {
          ASSERT_THROW(static_cast<void>(operation()), PowerCut);
        } else {
          ASSERT_EQ(operation().error(), Error::storage_failed);
        }
        board.gateway.outcome = nullptr;
        board.boot();
        const bool done = board.gateway.memory == after.memory;
        ASSERT_TRUE(done || board.gateway.memory == before.memory);
        board.objects = done ? after.objects : before.objects;
        for (int i = 0; i < 50; ++i) this->use(board, random, 6);
        ASSERT_EQ(board.fault(), "");
        this->nothing_is_leaked(board);
        if (this->HasFatalFailure()) return;
      }
    }
    board.return_to(before);
  });
}

// Cut while the byte of a failed write is being put right.
TYPED_TEST(StoreAllocators, ACutWhilePuttingAByteRightLeavesTheStoreAsBeforeOrAsAfter) {
  this->for_each_operation([&](auto& board, auto operation, const char* name) {
    const auto before = board.snapshot();
    const std::size_t transfers = this->transfers_of(board, operation);
    static_cast<void>(operation());
    const auto after = board.snapshot();
    for (const Outcome failure : kFailures) {
      for (const Outcome cut : kCuts) {
        SCOPED_TRACE(name);
        board.return_to(before);
        this->arm(board, transfers - 1, failure);
        ASSERT_EQ(operation().error(), Error::storage_failed);
        this->arm(board, 0, cut);
        ASSERT_THROW(static_cast<void>(board.allocator().find(1)), PowerCut);
        board.gateway.outcome = nullptr;
        board.boot();
        const bool done = board.gateway.memory == after.memory;
        ASSERT_TRUE(done || board.gateway.memory == before.memory);
        board.objects = done ? after.objects : before.objects;
        this->nothing_is_leaked(board);
        if (this->HasFatalFailure()) return;
      }
    }
    board.return_to(before);
  });
}

TYPED_TEST(StoreAllocators, AFormatThatFailedOrWasCutIsRepeated) {
  StoreBoard<TypeParam> board(kBase, kBase + 2000, 0);
  Random random(12);
  for (const Outcome fate : {kFailures[0], kFailures[1], kCuts[0], kCuts[1]}) {
    this->age(board, random, 150);
    // With a byte that waits to be put right.
    this->arm(board, 1, Outcome::fails_after);
    static_cast<void>(board.allocate(1));
    this->arm(board, 0, fate);
    if (fate == Outcome::cut_before || fate == Outcome::cut_after) {
      ASSERT_THROW(static_cast<void>(board.format()), PowerCut);
      board.boot();
    } else {
      ASSERT_EQ(board.format().error(), Error::storage_failed);
    }
    board.gateway.outcome = nullptr;
    ASSERT_TRUE(board.format().ok());
    ASSERT_EQ(board.fault(), "");
    this->nothing_is_leaked(board);
    if (this->HasFatalFailure()) return;
  }
}

// Whatever is in a table that nobody formatted: every operation comes to an end, inside the region.
TYPED_TEST(StoreAllocators, GarbageInTheTableMakesNoWalkRunWild) {
  StoreBoard<TypeParam> board(kBase, kBase + 3000, 0);
  for (unsigned seed = 300; seed < 800; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    board.boot();
    for (std::uint32_t at = board.gateway.table_begin; at < board.gateway.table_end; ++at) {
      board.gateway.memory[at] = static_cast<std::uint8_t>(random() % (1 + seed % 256));
    }
    const std::uint32_t size = this->any_size(random, board.plan(), 1 + seed % 20);
    Result<StorePlace> place = board.allocator().find(size);
    if (!place.ok()) {
      ASSERT_EQ(place.error(), Error::no_storage);
      continue;
    }
    ASSERT_GE(place.value().home, board.plan().first_unit);
    ASSERT_LE(place.value().home + size, board.geometry.store_end);
  }
}

TEST(LinkedListStoreRunCode, EveryLengthIsCoveredWithLittleWaste) {
  for (std::uint32_t units = 1; units < 200'000; ++units) {
    const std::uint32_t length = run_length_of(run_code_of(units));
    ASSERT_GE(length, units);
    ASSERT_LE(length, units + units / 8 + 1) << units;
    ASSERT_EQ(length, LinkedListKind::run_units(units * 8, 8)) << units;
    ASSERT_EQ(length, LinkedListKind::Allocator::units_for(units * 8, 8)) << units;
  }
}

// Small objects go into the smallest holes, so that a large block stays whole.
TEST(BuddyStoreFit, TakesTheSmallestBlockThatSuffices) {
  StoreBoard<BuddyKind> board(kBase, kBase + 44 + 44 * 8 + 4, 8);
  ASSERT_EQ(board.plan().units, 44U);  // blocks of 32, 8 and 4 units
  ASSERT_TRUE(board.format().ok());
  const auto unit_of = [&](std::uint32_t size) {
    std::uint32_t home = 0;
    EXPECT_TRUE(board.allocate(size, &home).ok());
    return (home - board.plan().first_unit) / 8;
  };
  EXPECT_EQ(unit_of(1), 40U);
  EXPECT_EQ(unit_of(16), 42U);
  EXPECT_EQ(unit_of(8), 41U);
  EXPECT_EQ(unit_of(33), 32U);
  EXPECT_EQ(unit_of(256), 0U);
  EXPECT_EQ(board.allocate(1).error(), Error::no_storage);
  EXPECT_EQ(board.fault(), "");
}

// A bit of the last table byte that stands for no block is never handed out, nor ever set.
TEST(BlockStoreBitmap, TheLastByteMayStandForLessThanEightBlocks) {
  for (std::uint32_t blocks = 1; blocks <= 40; ++blocks) {
    StoreBoard<BlockKind> board(kBase, kBase + 8 + blocks * 264, 264);
    ASSERT_EQ(board.plan().units, blocks);
    ASSERT_TRUE(board.format().ok());
    for (std::uint32_t i = 0; i < blocks; ++i) ASSERT_TRUE(board.allocate(264).ok()) << i;
    ASSERT_EQ(board.allocate(1).error(), Error::no_storage);
    ASSERT_EQ(board.fault(), "");
  }
}

}  // namespace
}  // namespace brownout::heap::testing::store_allocators
