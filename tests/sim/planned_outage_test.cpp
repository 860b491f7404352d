// Outages at chosen points of the program's course, through the machine's own bus: nothing is lost, and each
// persist is within its bound.
#include <array>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../heap/sanitized.hpp"
#include "devices/math/random.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/machine/outage_plan.hpp"
#include "sim/machine/sizing.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using devices::AbortGranularity;
using devices::TransferMode;

// Strikes once, at the point of that number among those that the program has.
class OneStrike final : public OutagePlan {
 public:
  explicit OneStrike(std::uint64_t at, Strike strike = Strike::warning) : at_(at), strike_(strike) {}

  Strike at(Point point) override {
    if (point.during != During::program && point.during != During::section) return Strike::none;
    counts_[static_cast<std::size_t>(point.kind)] += 1;
    in_sections_ += point.during == During::section ? 1 : 0;
    return seen_++ == at_ ? strike_ : Strike::none;
  }

  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  [[nodiscard]] std::uint64_t count(PointKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t in_sections() const { return in_sections_; }

 private:
  std::uint64_t at_;
  Strike strike_;
  std::uint64_t seen_ = 0;
  std::uint64_t in_sections_ = 0;
  std::array<std::uint64_t, 3> counts_{};
};

// Under the sanitizers a run takes many times as long, and a few points are as good as all.
constexpr std::uint64_t kStep = heap::testing::kSanitized ? 7 : 1;

constexpr std::uint64_t kNever = ~std::uint64_t{0};

// Strikes again and again, after a drawn number of points; `around` in the mean.
class RandomStrikes final : public OutagePlan {
 public:
  RandomStrikes(std::uint64_t seed, std::uint64_t around) : random_(seed), around_(around) { draw(); }

  Strike at(Point point) override {
    if (point.during != During::program && point.during != During::section) return Strike::none;
    if (left_-- > 0) return Strike::none;
    draw();
    return Strike::warning;
  }

 private:
  void draw() { left_ = random_.next() % (2 * around_); }

  devices::SplitMix64 random_;
  std::uint64_t around_;
  std::uint64_t left_ = 0;
};

struct Planned {
  RunResult result;
  std::uint64_t digest = 0;
};

Planned run_planned(const Scenario& scenario, OutagePlan& plan) {
  RunOptions options;
  options.plan = &plan;
  Ledger ledger;
  Machine machine(scenario, open_source(scenario), ledger, options);
  Planned planned;
  planned.result = machine.run();
  planned.digest = machine.contents_digest();
  return planned;
}

// The modes of the bus with what can be stopped in each, a board without one, and policies and allocators in
// turn.
struct Board {
  const char* bus;
  TransferMode mode;
  AbortGranularity granularity;
  firmware::MemoryOptions memory;
  bool is_mapped = false;  // FRAM in the address space, no bus
};

std::vector<Board> boards() {
  using namespace firmware;
  const MemoryOptions plain;
  const MemoryOptions clocked{.ram_allocator = RamAllocatorKind::buddy,
                              .store_allocator = StoreAllocatorKind::buddy,
                              .policy = PolicyKind::clock};
  const MemoryOptions compact{.ram_allocator = RamAllocatorKind::buddy,
                              .store_allocator = StoreAllocatorKind::buddy,
                              .policy = PolicyKind::round_robin,
                              .slots = SlotKind::compact};
  return {{"polled", TransferMode::fifo, AbortGranularity::byte, plain},
          {"esp32c3-baremetal", TransferMode::fifo, AbortGranularity::chunk, clocked},
          {"esp32c3-zephyr", TransferMode::fifo, AbortGranularity::transfer, plain},
          {"esp32c3-baremetal", TransferMode::dma, AbortGranularity::byte, compact},
          {"esp32c3-zephyr", TransferMode::dma, AbortGranularity::transfer, clocked},
          {"polled", TransferMode::sliced, AbortGranularity::byte, clocked},
          {"esp32c3-baremetal", TransferMode::sliced, AbortGranularity::transfer, compact},
          {"mapped", TransferMode::fifo, AbortGranularity::byte, plain, true},
          {"mapped", TransferMode::fifo, AbortGranularity::byte, compact, true}};
}

// Six objects where RAM has room for three: each operation loads one and writes another one home.
Scenario swapping(const Board& board) {
  Scenario scenario = board.is_mapped ? mapped_scenario() : small_scenario();
  if (!board.is_mapped) {
    scenario.storage.bus = *devices::find_spi_profile(board.bus);
    scenario.storage.transfer = board.mode;
    scenario.storage.slice_bytes = board.mode == TransferMode::sliced ? 8 : 0;
    scenario.storage.bus.costs(board.mode).abort_granularity = board.granularity;
  }
  scenario.supply.capacitor.capacitance_f = 300e-6;
  scenario.heap.memory = board.memory;
  scenario.heap.ram_bytes = 512;
  scenario.heap.max_residents = 3;
  scenario.heap.store_bytes = 512;
  auto& counter = std::get<CounterConfig>(scenario.workload);
  counter.objects = 6;
  counter.compute_cycles = 20;
  scenario.stop = {{}, 8};
  return scenario;
}

std::string name_of(const Board& board) {
  return fmt::format("{} {} granularity {} slots {}", board.bus, devices::name_of(board.mode),
                     static_cast<int>(board.granularity), static_cast<int>(board.memory.slots));
}

TEST(PlannedOutage, WithoutAStrikeNothingHappens) {
  const Scenario scenario = swapping(boards().front());
  OneStrike plan(kNever);
  const Planned planned = run_planned(scenario, plan);
  EXPECT_TRUE(planned.result.pass) << planned.result.failure;
  EXPECT_EQ(planned.result.persisted, 0U);
  EXPECT_EQ(planned.digest, run_control(scenario, {}).contents_digest);
  EXPECT_GT(plan.count(PointKind::byte), 1'000U);
  EXPECT_EQ(plan.count(PointKind::operation), 8U);
}

// Points up to here can be struck: behind the last operation's end no time passes any more.
std::uint64_t strikable(const OneStrike& plan) { return plan.seen() - 1; }

// The interrupt at every byte that the program has on the bus, and before every piece of work that it
// reports: in each load and write-back, between WREN and WRITE, in each update of an allocator, in each
// critical section.
TEST(PlannedOutage, AWarningAtAnyPointLosesNothing) {
  for (const Board& board : boards()) {
    const Scenario scenario = swapping(board);
    OneStrike none(kNever);
    const Planned control = run_planned(scenario, none);
    ASSERT_TRUE(control.result.pass) << name_of(board) << ": " << control.result.failure;
    ASSERT_GT(none.in_sections(), 20U);
    std::uint64_t stopped = 0;
    for (std::uint64_t at = 0; at < strikable(none); at += kStep) {
      OneStrike plan(at);
      const Planned planned = run_planned(scenario, plan);
      const RunResult& result = planned.result;
      ASSERT_TRUE(result.pass) << name_of(board) << ", point " << at << ": " << result.failure;
      ASSERT_EQ(result.persisted, 1U) << name_of(board) << ", point " << at;
      ASSERT_EQ(result.outages_compared, 1U);
      ASSERT_EQ(planned.digest, control.digest) << name_of(board) << ", point " << at;
      stopped += result.bus_aborted;
    }
    if (board.granularity != AbortGranularity::transfer) {
      EXPECT_GT(stopped, none.count(PointKind::byte) / 2 / kStep)
          << name_of(board) << ": few transfers were stopped";
    }
  }
}

TEST(PlannedOutage, AFalseAlarmAtAnyPointLosesNothing) {
  Scenario scenario = swapping(boards().front());
  scenario.mcu.after_persist = AfterPersist::sleep;
  OneStrike none(kNever);
  const Planned control = run_planned(scenario, none);
  for (std::uint64_t at = 0; at < strikable(none); at += 3) {
    OneStrike plan(at, Strike::false_alarm);
    const Planned planned = run_planned(scenario, plan);
    ASSERT_TRUE(planned.result.pass) << "point " << at << ": " << planned.result.failure;
    ASSERT_EQ(planned.result.false_alarms, 1U) << "point " << at;
    ASSERT_EQ(planned.digest, control.digest) << "point " << at;
  }
}

// What a strike is: at the level of the warning, or below the one at which the board fails.
TEST(PlannedOutage, PowerLossWithoutWarningLosesWhatIsDirty) {
  const Scenario scenario = swapping(boards().front());
  OneStrike none(kNever);
  run_planned(scenario, none);
  OneStrike plan(none.seen() / 2, Strike::power_loss);
  const RunResult result = run_planned(scenario, plan).result;
  EXPECT_EQ(result.lost, 1U);
  ASSERT_EQ(result.losses.size(), 1U);
  EXPECT_FALSE(result.losses.front().warned);
  EXPECT_GT(result.losses.front().objects_total, 0U);
}

TEST(Planned, AWarningWithTooLittleBelowItIsLost) {
  Scenario scenario = swapping(boards().front());
  scenario.supply.thresholds.brown_out_v = 2.9999;
  OneStrike none(kNever);
  run_planned(scenario, none);
  OneStrike plan(none.seen() / 2);
  const RunResult result = run_planned(scenario, plan).result;
  EXPECT_EQ(result.lost, 1U);
  EXPECT_TRUE(result.losses.front().warned);
}

// --- the bound ---------------------------------------------------------------------------------------

// RAM full of dirty objects, and one more that it has no room for: in each operation one is written home,
// with everything dirty until that has ended. The dirty limit is to the byte what that takes.
Scenario full(const Board& board) {
  Scenario scenario = swapping(board);
  scenario.heap.ram_bytes = 1024;
  scenario.heap.store_bytes = 1024;
  scenario.heap.max_residents = 8;
  auto& counter = std::get<CounterConfig>(scenario.workload);
  counter.size_bytes = 64;
  counter.objects = 8;
  scenario.stop = {{}, 40};
  OneStrike plan(kNever);
  scenario.heap.dirty_limit_bytes = scenario.heap.ram_bytes;
  run_planned(scenario, plan);
  OneStrike late(strikable(plan) - 1);
  const Planned probe = run_planned(scenario, late);
  EXPECT_EQ(probe.result.persisted, 1U) << probe.result.failure;
  scenario.heap.dirty_limit_bytes =
      static_cast<std::uint32_t>(probe.result.persist.bytes.maximum()) - scenario.mcu.os_save_bytes;
  counter.objects = 9;
  return scenario;
}

// Outages without end, at drawn points of programs that swap, with some or with everything dirty: none of
// their persists is above its bound in bytes, transactions, time or energy, nothing is lost, and each was
// compared.
TEST(PlannedOutage, NoPersistOfACampaignExceedsItsBound) {
  constexpr std::uint64_t kOutages = 100'000 / kStep;
  std::uint64_t outages = 0;
  std::uint64_t dirty = 0;
  std::uint64_t seed = 1;
  for (const Board& board : boards()) {
    for (const bool is_full : {true, false}) {
      Scenario scenario = is_full ? full(board) : swapping(board);
      scenario.stop.operations = 8'000 / kStep;
      RandomStrikes plan(seed++, 200);
      const RunResult result = run_planned(scenario, plan).result;
      EXPECT_TRUE(result.pass) << name_of(board) << ": " << result.failure;
      EXPECT_EQ(result.persisted, result.outages_compared);
      outages += result.persisted;
      dirty += result.with_dirty_data;
      const OverBound& largest = result.largest_over_bound;
      EXPECT_LE(largest.time, 1);
      if (!is_full) continue;
      EXPECT_EQ(largest.bytes, 1) << name_of(board);
      EXPECT_GE(largest.time, 0.92) << name_of(board);
      // Between two slices the FRAM is not selected, and the bound does not count how many there are.
      EXPECT_GE(largest.energy, board.mode == TransferMode::sliced ? 0.89 : 0.92) << name_of(board);
    }
  }
  EXPECT_GE(outages, kOutages);
  EXPECT_GE(dirty, outages / 10 * 9);
}

// The adversary, looked for among all points of the operations that first find everything dirty, that comes
// nearest to the bound; and what it shows of the capacitor: the bound's carries the persist, one of its share
// of the bound does, one a hundredth smaller does not.
TEST(PlannedOutage, TheAdversaryAttainsTheBound) {
  for (const Board& board : {boards()[0], boards()[2], boards()[7]}) {
    Scenario scenario = full(board);
    scenario.stop.operations = 8;
    OneStrike before(kNever);
    run_planned(scenario, before);
    scenario.stop.operations = 10;
    OneStrike all(kNever);
    run_planned(scenario, all);
    const PersistBound bound = persist_bound(scenario);
    scenario.supply.capacitor.capacitance_f =
        capacitance_for(bound.energy_j(), bound.persist_w, scenario.supply);
    double share = 0;
    std::uint64_t adversary = 0;
    double time_share = 0;
    for (std::uint64_t at = before.seen(); at < strikable(all); ++at) {
      OneStrike plan(at);
      const RunResult result = run_planned(scenario, plan).result;
      ASSERT_TRUE(result.pass) << name_of(board) << ", point " << at << ": " << result.failure;
      time_share = std::max(time_share, result.largest_over_bound.time);
      if (result.largest_over_bound.energy <= share) continue;
      share = result.largest_over_bound.energy;
      adversary = at;
    }
    EXPECT_GE(share, 0.9) << name_of(board);
    EXPECT_GE(time_share, 0.9) << name_of(board);
    EXPECT_LE(share, 1) << name_of(board);
    const double bound_f = scenario.supply.capacitor.capacitance_f;
    const auto lost_with = [&](double capacitance_f) {
      scenario.supply.capacitor.capacitance_f = capacitance_f;
      OneStrike plan(adversary);
      return run_planned(scenario, plan).result.lost;
    };
    EXPECT_EQ(lost_with(share * bound_f * 1.0001), 0U) << name_of(board);
    EXPECT_EQ(lost_with(0.99 * share * bound_f), 1U) << name_of(board);
  }
}

}  // namespace
}  // namespace brownout::sim::testing
