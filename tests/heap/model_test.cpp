// Random sequences of all operations, compared with a model in plain C++, on heaps of every combination of
// modules. A sequence that fails is shrunk and shown.
//
//   BROWNOUT_MODEL_SEED=n        this sequence only
//   BROWNOUT_MODEL_OPERATIONS=n  so many operations with each combination, from other seeds with
//   BROWNOUT_MODEL_FIRST=n       which is the first one
//   BROWNOUT_MODEL_FORK=1        sequences in processes of their own: shrinks those that crash
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model/campaign.hpp"
#include "model/combinations.hpp"

namespace brownout::heap::testing::model {
namespace {

constexpr std::uint32_t kCombinations = 21;
constexpr std::uint64_t kOperations = 50'000;  // with each of them
static_assert(kCombinations * kOperations >= 1'000'000);
// Sequences of a combination have seeds of their own; a thousand is more than are used.
constexpr std::uint64_t kSeedsApart = 1000;

std::vector<Combination> all_combinations() {
  std::vector<Combination> all;
  for (const auto group : {linked_list_linked_list(), linked_list_buddy(), linked_list_block(),
                           buddy_linked_list(), buddy_buddy(), buddy_block(), compact()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

// nullptr: not given.
const char* environment(const char* name) { return std::getenv(name); }  // NOLINT(concurrency-mt-unsafe)
std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

// ---- What was exercised

struct Expected {
  const char* what;
  std::uint64_t count;
  std::uint64_t least;  // for each 10,000 operations
};

void expect_all(const std::vector<Expected>& expected, std::uint64_t operations) {
  for (const Expected& each : expected) {
    EXPECT_GE(each.count, std::max<std::uint64_t>(1, each.least * operations / 10'000)) << each.what;
  }
}

std::uint64_t answers(const Counters& c, Error error) { return c.errors[static_cast<std::size_t>(error)]; }
std::uint64_t faults(const Counters& c, OpKind kind) {
  return c.faults_by_kind[static_cast<std::size_t>(kind)];
}
std::uint64_t faults(const Counters& c, Region region) {
  return c.faults_by_region[static_cast<std::size_t>(region)];
}
std::uint64_t strikes(const Counters& c, OpKind kind) {
  return c.strikes_by_kind[static_cast<std::size_t>(kind)];
}

void expect_operations(const Counters& c) {
  for (std::uint32_t kind = 0; kind < kOpKinds; ++kind) {
    EXPECT_GE(c.by_kind[kind], 4U) << name_of(static_cast<OpKind>(kind));
  }
}

void expect_everything_happened(const Modules& modules, const Counters& c) {
  expect_all({{"evictions", c.evictions, 500},
              {"flushes by the policy", c.policy_flushes, 300},
              {"flushes by the program", c.flushes, 100},
              {"flushes in several pieces", c.scattered_flushes, 10},
              {"slots moved", c.slots_moved, 20},
              {"full RAM", answers(c, Error::no_ram), 2},
              {"full store", answers(c, Error::no_storage), 20},
              {"dirty limit", answers(c, Error::dirty_limit), 100},
              {"no slot", answers(c, Error::no_slot), 2},
              {"too large", answers(c, Error::too_large), 10},
              {"borrowed", answers(c, Error::borrowed), 200},
              {"out of range", answers(c, Error::out_of_range), 10},
              {"invalid handle", answers(c, Error::invalid_handle), 10},
              {"readers to the limit", c.readers_to_limit, 2},
              {"borrows ended", c.borrows_ended, 3},
              {"destructors", c.destroyed, 10}},
             c.operations);
  if (!modules.compact) {
    expect_all({{"writes of records", c.record_writes, 200},
                {"outages with recorded slots", c.outages_recorded, 50},
                {"errors in the records", faults(c, Region::records), 5}},
               c.operations);
  }
  EXPECT_GE(c.most_residents, modules.compact ? 40U : 1000U);
}

void expect_outages(const Counters& c) {
  for (const OpKind kind :
       {OpKind::make, OpKind::free, OpKind::read, OpKind::write, OpKind::write_part, OpKind::hold_reader,
        OpKind::hold_writer, OpKind::give_back, OpKind::flush, OpKind::unload, OpKind::push, OpKind::insert,
        OpKind::remove, OpKind::pop, OpKind::iterate, OpKind::walk, OpKind::end_borrows}) {
    EXPECT_GE(strikes(c, kind), 1U) << "an outage inside of " << name_of(kind);
  }
  expect_all({{"several outages in an operation", c.several_strikes, 50},
              {"false alarms", c.false_alarms, 50},
              {"outages", c.outages, 300},
              {"outages with partly dirty objects", c.outages_partial, 50},
              {"outages while an object is loaded", c.outages_loading, 5},
              {"outages with references", c.outages_borrowed, 100},
              {"deaths", c.deaths, 50},
              {"persists that failed", c.failed_persists, 5},
              {"restores that failed first", c.cut_restores, 2},
              {"torn images", c.torn, 10},
              {"damaged images", c.damaged, 5},
              {"stale images", c.stale, 5},
              {"images of a program that ran on in RAM only", c.restored_older, 1}},
             c.operations);
}

void expect_storage_errors(const Counters& c) {
  for (const OpKind kind : {OpKind::make, OpKind::free, OpKind::read, OpKind::write, OpKind::write_part,
                            OpKind::hold_reader, OpKind::hold_writer, OpKind::flush, OpKind::push,
                            OpKind::insert, OpKind::remove, OpKind::pop, OpKind::false_alarm}) {
    EXPECT_GE(faults(c, kind), 1U) << "an error in " << name_of(kind);
  }
  for (const Region region : {Region::mark, Region::checkpoints, Region::table, Region::units}) {
    EXPECT_GE(faults(c, region), 1U) << "region " << static_cast<int>(region);
  }
  for (std::size_t damage = 0; damage < kDamages; ++damage) {
    EXPECT_GE(c.faults_at_begin[damage], 10U) << damage;
    EXPECT_GE(c.faults_at_poll[damage], 10U) << damage;
  }
  expect_all({{"given up", c.faults_given_up, 20},
              {"failed again", c.faults_repeated, 10},
              {"repairs due", c.repairs_due, 5},
              {"repairs settled", c.repairs_settled, 5}},
             c.operations);
}

class Model : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(Model, AgreesWithHeap) {
  const Combination combination = all_combinations()[GetParam()];
  Campaign campaign{.first_seed = GetParam() * kSeedsApart, .operations = kOperations};
  const char* seed = environment("BROWNOUT_MODEL_SEED");
  const char* operations = environment("BROWNOUT_MODEL_OPERATIONS");
  const char* first = environment("BROWNOUT_MODEL_FIRST");
  if (operations != nullptr) campaign.operations = number(operations);
  if (first != nullptr) campaign.first_seed = number(first);
  if (seed != nullptr) campaign = {.first_seed = number(seed), .operations = 1};
  campaign.in_children = environment("BROWNOUT_MODEL_FORK") != nullptr;

  const Outcome outcome = run_campaign(combination, campaign);
  std::cout << combination.modules.name << ", seeds " << campaign.first_seed << " to "
            << outcome.next_seed - 1 << '\n'
            << outcome.counters;
  ASSERT_TRUE(outcome.failure.empty()) << outcome.failure;
  EXPECT_GE(outcome.counters.operations, campaign.operations);
  RecordProperty("operations", std::to_string(outcome.counters.operations));
  if (seed != nullptr || operations != nullptr || first != nullptr) return;
  EXPECT_EQ(outcome.impossible, 0U);
  EXPECT_LE(outcome.next_seed - campaign.first_seed, kSeedsApart);
  expect_operations(outcome.counters);
  expect_everything_happened(combination.modules, outcome.counters);
  expect_outages(outcome.counters);
  expect_storage_errors(outcome.counters);
}

std::string name_of_combination(const ::testing::TestParamInfo<std::uint32_t>& info) {
  return all_combinations()[info.param].modules.name;
}
INSTANTIATE_TEST_SUITE_P(OfEachCombination, Model, ::testing::Range(0U, kCombinations), name_of_combination);

TEST(ModelCombinations, AreAllOfThem) { EXPECT_EQ(all_combinations().size(), kCombinations); }

// ---- A heap that is broken on purpose

// After a flush it forgets what is written through a reference to a part.
class ForgetfulHeap : public RealHeap<Chosen<StandardSlot, LinkedListRam, LinkedListStore, InOrder>> {
 public:
  using RealHeap::RealHeap;

  Error flush() override {
    flushed_ = true;
    return RealHeap::flush();
  }
  Error write(ObjectKind kind, Handle& handle, bool whole, std::uint32_t first, std::uint32_t count,
              Lease& lease) override {
    const Error error = RealHeap::write(kind, handle, whole, first, count, lease);
    if (error == Error::none && flushed_ && !whole && count > 0) {
      elsewhere_.assign(lease.data, lease.data + std::size_t{count} * 4);
      lease.data = elsewhere_.data();
    }
    return error;
  }

 private:
  bool flushed_ = false;
  std::vector<std::byte> elsewhere_;
};

TEST(ModelShrinking, LeavesAFewOperationsOfAThousand) {
  Combination broken = all_combinations()[0];
  broken.modules.name = "Forgetful";
  broken.make = [](const Modules& modules, const HeapConfig& config, std::uint32_t store_bytes) {
    return std::unique_ptr<HeapUnderTest>(std::make_unique<ForgetfulHeap>(modules, config, store_bytes));
  };
  const Outcome outcome = run_campaign(broken, {.first_seed = 1, .operations = 20'000});
  ASSERT_FALSE(outcome.failure.empty());
  // A buffer is made, everything flushed, a part written.
  EXPECT_LE(outcome.operations_left, 3U) << outcome.failure;
  std::cout << outcome.failure;
}

// Dies of what a sequence does, instead of a wrong answer.
class MortalHeap : public RealHeap<Chosen<StandardSlot, LinkedListRam, LinkedListStore, InOrder>> {
 public:
  using RealHeap::RealHeap;
  Error unload(const Handle& handle) override {
    if (handle.partial() && is_resident(handle)) std::abort();
    return RealHeap::unload(handle);
  }
};

TEST(ModelShrinking, OfASequenceThatCrashes) {
  Combination broken = all_combinations()[0];
  broken.modules.name = "Mortal";
  broken.make = [](const Modules& modules, const HeapConfig& config, std::uint32_t store_bytes) {
    return std::unique_ptr<HeapUnderTest>(std::make_unique<MortalHeap>(modules, config, store_bytes));
  };
  const Outcome outcome = run_campaign(broken, {.first_seed = 1, .operations = 20'000, .in_children = true});
  // A buffer is made and unloaded.
  EXPECT_EQ(outcome.operations_left, 2U) << outcome.failure;
  EXPECT_NE(outcome.reason.find("died"), std::string::npos) << outcome.reason;
}

}  // namespace
}  // namespace brownout::heap::testing::model
