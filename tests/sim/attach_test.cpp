// Programs that attach after a loss: they find their objects again, and what they find is judged.
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/machine/control_run.hpp"
#include "sim/report/report.hpp"
#include "sim/scenario/custom_workloads.hpp"
#include "sim/scenario/fit.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using firmware::ObjectMemory;
using firmware::Port;
using firmware::StoreAllocatorKind;
using ::testing::HasSubstr;

// The small scenario with so little between warning and brown-out that a persist may not fit.
Scenario attaching(double brown_out_v = 2.95) {
  Scenario scenario = small_scenario();
  scenario.mcu.on_loss = OnLoss::attach;
  scenario.heap.write_intents = true;
  scenario.heap.ram_bytes = 768;
  scenario.heap.dirty_limit_bytes = 400;
  scenario.supply.thresholds.brown_out_v = brown_out_v;
  return scenario;
}

void use_bursts(Scenario& scenario) { supply_bursts(scenario, 0.2e-3, 6e-3, devices::milliseconds(25), 7); }

// Some persists fit and some do not, and often nothing is written home between two of them.
Scenario with_checkpoints(double brown_out_v) {
  Scenario scenario = attaching(brown_out_v);
  use_bursts(scenario);
  scenario.heap.ram_bytes = 2048;
  scenario.heap.dirty_limit_bytes = 700;
  scenario.workload = CounterConfig{.objects = 8, .size_bytes = 40, .compute_cycles = 20'000};
  scenario.stop.time = seconds(4);
  return scenario;
}

WorkloadConfig script() {
  const std::string text =
      "name: s\n"
      "mcu: {profile: cortex-m0plus}\n"
      "storage: {part: MB85RS64V}\n"
      "supply:\n"
      "  source: {kind: constant, power: 1 mW}\n"
      "  capacitor: {capacitance: 100 uF}\n"
      "  thresholds: {turn_on: 3 V, warn: 2.5 V, brown_out: 2 V}\n"
      "heap: {ram: 1 KiB, dirty_limit: 512 B}\n"
      "workload:\n"
      "  kind: script\n"
      "  objects: [{name: a, size: 24 B, count: 5}]\n"
      "  arrays: [{name: s, element: 4 B, length: 30, count: 2}]\n"
      "  setup: [{write: a, pick: random}]\n"
      "  loop: [{write: a, pick: random}, {write: s, first: random, elements: 9}, {renew: a, pick: random},\n"
      "         {renew: s}, {read: s}, {compute_cycles: 3000}]\n"
      "stop: {time: 1 s}\n";
  return parse_scenario(text, "s.yaml", {}, std::nullopt).workload;
}

std::vector<WorkloadConfig> workloads() {
  CounterConfig counter;
  counter.objects = 9;
  counter.size_bytes = 40;
  counter.compute_cycles = 2000;
  QueueConfig queue;
  queue.length = 6;
  queue.item_bytes = 40;
  queue.iterations = 1'000'000;
  queue.compute_cycles = 2000;
  KvsConfig kvs;
  kvs.sizes = {1, 2, 3, 4};
  kvs.iterations = 1'000'000;
  kvs.compute_cycles = 500;
  return {counter, queue, script(), kvs};
}

struct Modules {
  StoreAllocatorKind store = StoreAllocatorKind::linked_list;
  bool compact = false;
};
constexpr Modules kModules[] = {{StoreAllocatorKind::linked_list},
                                {StoreAllocatorKind::buddy},
                                {StoreAllocatorKind::block},
                                {StoreAllocatorKind::buddy, true}};

void use(const Modules& modules, Scenario& scenario) {
  scenario.heap.memory.store_allocator = modules.store;
  if (modules.store == StoreAllocatorKind::block) scenario.heap.store_unit_bytes = 128;
  if (!modules.compact) return;
  scenario.heap.memory.slots = firmware::SlotKind::compact;
  scenario.heap.memory.ram_allocator = firmware::RamAllocatorKind::buddy;
}

// 256 objects and their directory take more of a part, and more than a small charge to be found again.
void make_room_for_kvs(Scenario& scenario) {
  if (!std::holds_alternative<KvsConfig>(scenario.workload)) return;
  scenario.storage.part = *devices::find_fram_part("mb85rs4mt");
  const bool blocks = scenario.heap.memory.store_allocator == StoreAllocatorKind::block;
  scenario.heap.store_unit_bytes = blocks ? 64 : 0;
  scenario.heap.store_bytes = blocks ? 20'000 : 8'000;
  scenario.supply.capacitor.capacitance_f *= 10;
  Thresholds& levels = scenario.supply.thresholds;
  levels.brown_out_v = levels.warn_v - (levels.warn_v - levels.brown_out_v) / 10;
  scenario.stop.time = seconds(30);
}

class EachWorkload : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EachWorkload, GoesOnFromWhatIsInTheStore) {
  for (const Modules& modules : kModules) {
    Attaches all;
    std::uint64_t operations = 0;
    for (const double brown_out_v : {2.94, 2.96, 2.98}) {
      Scenario scenario = attaching(brown_out_v);
      use(modules, scenario);
      use_bursts(scenario);
      scenario.stop.time = seconds(6);
      scenario.workload = workloads()[GetParam()];
      make_room_for_kvs(scenario);
      ASSERT_NO_THROW(check_fit(scenario));
      const RunResult result = run(scenario);
      SCOPED_TRACE(summary(scenario, result));
      EXPECT_EQ(result.failure, "");
      EXPECT_EQ(result.pass, result.lost == 0) << "a loss is a loss";
      EXPECT_EQ(result.stop_reason, StopReason::time);
      operations += result.operations;
      // The last start may not have come so far.
      EXPECT_LE(result.attaches.count, result.lost);
      all.count += result.attaches.count;
      all.kept += result.attaches.kept;
      all.reclaimed += result.attaches.reclaimed;
    }
    EXPECT_GT(operations, 20U);
    EXPECT_GT(all.count, 5U) << "the test shows too little";
    EXPECT_GT(all.kept, 3 * all.count);
    EXPECT_GT(all.reclaimed, 0U);
  }
}

std::string name_of_workload(const ::testing::TestParamInfo<std::size_t>& info) {
  static constexpr const char* kNames[] = {"Counter", "Queue", "Script", "Kvs"};
  return kNames[info.param];
}
INSTANTIATE_TEST_SUITE_P(Attach, EachWorkload, ::testing::Range(std::size_t{0}, std::size_t{4}),
                         name_of_workload);

TEST(Attach, ComesFromAHomeOrACheckpointAndSaysWhich) {
  Attaches all;
  for (const double brown_out_v : {2.91, 2.93, 2.94}) {
    const Scenario scenario = with_checkpoints(brown_out_v);
    const RunResult result = run(scenario);
    SCOPED_TRACE(summary(scenario, result));
    EXPECT_EQ(result.failure, "");
    ASSERT_EQ(result.losses.size(), result.lost);
    for (const Loss& loss : result.losses) {
      ASSERT_TRUE(loss.older_restorable.has_value());
      if (!loss.recovered) continue;
      EXPECT_LE(loss.recovered->fell_back, loss.recovered->kept);
      EXPECT_TRUE(*loss.older_restorable || !loss.recovered->from_image);
    }
    all.count += result.attaches.count;
    all.from_image += result.attaches.from_image;
    all.fell_back += result.attaches.fell_back;
    all.in_doubt += result.attaches.in_doubt;
  }
  EXPECT_GT(all.from_image, 0U);
  EXPECT_GT(all.count, all.from_image);
  EXPECT_GT(all.fell_back, 0U);
  EXPECT_GT(all.in_doubt, 0U);
}

TEST(Attach, GoesOnAfterALossWithoutAWarning) {
  Scenario scenario = attaching();
  scenario.supply.comparator.latency = devices::milliseconds(2);
  const RunResult result = run(scenario);
  EXPECT_EQ(result.failure, "");
  ASSERT_GT(result.losses.size(), 3U);
  EXPECT_FALSE(result.losses.front().warned);
  EXPECT_GT(result.attaches.count, 3U);
}

// Power fails in boot, in the attach, and in what the program does to find its objects.
TEST(Attach, IsRepeatedWhenItIsCutItself) {
  std::uint64_t during_boot = 0;
  std::uint64_t attaches = 0;
  for (const double boot_ms : {4.0, 6.0, 8.0, 9.0}) {
    for (const Modules& modules : kModules) {
      Scenario scenario = attaching(2.9);
      use(modules, scenario);
      scenario.mcu.profile.boot = {
          {"long", devices::microseconds(static_cast<std::int64_t>(boot_ms * 1e3)), 1.6e-3}};
      scenario.mcu.profile.costs.step = 100;
      scenario.mcu.profile.costs.copied_byte = 200;  // objects are being written most of the time
      scenario.supply.thresholds = {3.4, 3.1, 3.03};
      scenario.supply.initial_v = 5.5;
      use_bursts(scenario);
      scenario.stop.time = seconds(10);
      const RunResult result = run(scenario);
      EXPECT_EQ(result.failure, "") << boot_ms;
      during_boot += result.during_boot;
      attaches += result.attaches.count;
    }
  }
  EXPECT_GT(during_boot, 100U);
  EXPECT_GT(attaches, 50U);
}

TEST(Attach, SameRunSameReport) {
  const Scenario scenario = attaching(2.93);
  const RunResult a = run(scenario);
  EXPECT_GT(a.attaches.count, 0U);
  EXPECT_EQ(json_report(scenario, a), json_report(scenario, run(scenario)));
  EXPECT_THAT(json_report(scenario, a), HasSubstr("\"older_restorable\": "));
  EXPECT_THAT(json_report(scenario, a), HasSubstr("\"fell_back\": "));
  EXPECT_THAT(summary(scenario, a), HasSubstr("  attached   "));
}

TEST(Attach, TheControlRunIsThatOfTheSameProgram) {
  Scenario scenario = attaching(2.7);
  scenario.stop.operations = 50;
  scenario.stop.time = seconds(20);
  const RunResult result = simulate(scenario, {});
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.control_operations, 50U);
  EXPECT_EQ(result.attaches.count, 0U);
}

// A loss says whether the store had a checkpoint to go back to, whatever follows it.
TEST(Losses, SayWhetherACheckpointWasLeft) {
  std::uint64_t restorable = 0;
  std::uint64_t not_restorable = 0;
  for (const double brown_out_v : {2.91, 2.93, 2.94}) {
    Scenario scenario = with_checkpoints(brown_out_v);
    scenario.mcu.on_loss = OnLoss::reformat;
    scenario.heap.write_intents = false;
    const RunResult result = run(scenario);
    EXPECT_EQ(result.failure, "");
    for (const Loss& loss : result.losses) {
      ASSERT_TRUE(loss.older_restorable.has_value());
      ++(*loss.older_restorable ? restorable : not_restorable);
      EXPECT_FALSE(loss.recovered.has_value());
    }
  }
  EXPECT_GT(restorable, 0U);
  EXPECT_GT(not_restorable, 0U);
  Scenario baseline = starved_scenario();
  baseline.heap.memory.kind = firmware::MemoryKind::direct;
  baseline.supply.thresholds.brown_out_v = 2.99;
  const RunResult result = run(baseline);
  ASSERT_EQ(result.losses.size(), 1U);
  EXPECT_FALSE(result.losses[0].older_restorable.has_value());
}

// --- what does not go together ----------------------------------------------------------------------

std::string refusal(const Scenario& scenario) {
  try {
    check_fit(scenario);
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

TEST(AttachFit, RefusesWhatCouldNotFindItsObjects) {
  EXPECT_EQ(refusal(attaching()), "none");
  for (const auto kind :
       {firmware::MemoryKind::ram_snapshot, firmware::MemoryKind::direct, firmware::MemoryKind::pages}) {
    Scenario baseline = attaching();
    baseline.heap.memory.kind = kind;
    EXPECT_THAT(refusal(baseline), HasSubstr("attach needs a heap: memory "));
  }
  Scenario custom = attaching();
  custom.workload = firmware::CustomOptions{nullptr, false};
  EXPECT_THAT(refusal(custom), HasSubstr("attach needs a workload that finds its objects again"));
  Scenario rootless = attaching();
  rootless.heap.roots = 0;
  EXPECT_THAT(refusal(rootless),
              HasSubstr("on_loss: attach needs a root with this workload; heap.roots is 0"));
  rootless.workload = script();
  rootless.heap.roots = 1;
  EXPECT_THAT(refusal(rootless), HasSubstr("needs two roots with this workload; heap.roots is 1"));
  rootless.heap.roots = 2;
  EXPECT_EQ(refusal(rootless), "none");
  Scenario lists = attaching();
  auto options = std::get<firmware::ScriptOptions>(script());
  firmware::ScriptProgram program = *options.program;
  program.lists.emplace_back();
  options.program = std::make_shared<const firmware::ScriptProgram>(program);
  lists.workload = options;
  EXPECT_THAT(refusal(lists), HasSubstr("attach does not go with a script that has `lists`"));
  // The directory takes room, too.
  Scenario full = attaching();
  full.workload = CounterConfig{.objects = 95, .size_bytes = 64, .compute_cycles = 0};
  full.heap.store_bytes = 7'000;
  EXPECT_THAT(refusal(full), HasSubstr("95 objects of 64 B and 14 pages of 64 B that lead to them take"));
  full.mcu.on_loss = OnLoss::reformat;
  EXPECT_EQ(refusal(full), "none");
}

TEST(AttachFit, IntentsAreTheDefaultOfAttach) {
  const auto heap_with = [](const std::string& mcu, const std::string& heap) {
    return parse_scenario("name: s\nmcu: {profile: cortex-m0plus" + mcu +
                              "}\nstorage: {part: MB85RS64V}\nsupply:\n"
                              "  source: {kind: constant, power: 1 mW}\n"
                              "  capacitor: {capacitance: 100 uF}\n"
                              "  thresholds: {turn_on: 3 V, warn: 2.5 V, brown_out: 2 V}\n"
                              "heap: {ram: 1 KiB, dirty_limit: 512 B" +
                              heap + "}\nworkload: {kind: counter}\nstop: {time: 1 s}\n",
                          "s.yaml", {}, std::nullopt)
        .heap;
  };
  EXPECT_FALSE(heap_with("", "").write_intents);
  EXPECT_EQ(heap_with("", "").roots, 4U);
  EXPECT_FALSE(heap_with(", on_loss: reformat", "").write_intents);
  EXPECT_TRUE(heap_with(", on_loss: attach", "").write_intents);
  EXPECT_FALSE(heap_with(", on_loss: attach", ", write_intents: false").write_intents);
  EXPECT_TRUE(heap_with("", ", write_intents: true").write_intents);
}

// --- workloads of a user's -------------------------------------------------------------------------

constexpr std::uint32_t kCount = heap::root_name("count");

struct Flaws {
  bool reclaim = true;
  bool keep = true;
};

// A counter, and every now and then an object that nothing durable leads to.
void count(const Flaws& flaws, ObjectMemory& memory, Port& port) {
  heap::Object<std::uint32_t> counter;
  if (memory.attached()) {
    auto found = memory.root<std::uint32_t>(kCount);
    if (found.ok() && !memory.is_in_doubt(found.value())) {
      counter = found.take();
      if (flaws.keep && !memory.keep(counter, memory.marks()).ok())
        return port.give_up(heap::Error::none, "keep");
    }
    if (flaws.reclaim && !memory.reclaim(memory.marks()).ok())
      return port.give_up(heap::Error::none, "reclaim");
  }
  if (!counter.valid()) {
    auto made = memory.make(std::uint32_t{0});
    if (!made.ok()) return port.give_up(made.error(), "make the counter");
    counter = made.take();
    if (memory.attaches()) {
      const heap::Status status = memory.set_root(kCount, counter);
      if (!status.ok()) return port.give_up(status.error(), "set the root");
    }
  }
  heap::Object<std::uint64_t> other;
  for (std::uint32_t i = 0;; ++i) {
    {
      auto write = memory.write(counter);
      if (!write.ok()) return port.give_up(write.error(), "count");
      ++*write.value();
    }
    if (i % 4 == 1) {
      other = memory.make(std::uint64_t{i}).take();
      if (!memory.flush_object(other).ok()) return port.give_up(heap::Error::none, "flush");
    }
    if (i % 4 == 3 && !memory.free(other).ok()) return port.give_up(heap::Error::none, "free");
    port.charge(heap::Work::compute_cycle, 4'000);
    port.operation_done();
  }
}

void count_well(ObjectMemory& memory, Port& port) { count({}, memory, port); }
void count_and_leak(ObjectMemory& memory, Port& port) { count({.reclaim = false}, memory, port); }
void count_without_keeping(ObjectMemory& memory, Port& port) { count({.keep = false}, memory, port); }

Scenario custom(firmware::CustomRun workload) {
  Scenario scenario = attaching();
  scenario.mcu.os_save_bytes = 256;
  scenario.stop.time = seconds(8);
  use_bursts(scenario);
  scenario.workload = firmware::CustomOptions{workload, true};
  return scenario;
}

TEST(AttachedCustomWorkloads, GoOn) {
  const RunResult result = run(custom(count_well));
  EXPECT_EQ(result.failure, "");
  EXPECT_GT(result.attaches.count, 3U);
  EXPECT_GT(result.attaches.kept, 3U);
  EXPECT_GT(result.attaches.reclaimed, 0U);
}

TEST(AttachedCustomWorkloads, SayThatTheyDo) {
  if (find_custom_workload("attaches") == nullptr)
    add_workload("attaches", count_well, CustomStart::attaches);
  if (find_custom_workload("does-not") == nullptr) add_workload("does-not", count_well);
  EXPECT_TRUE(custom_workload_attaches("attaches"));
  EXPECT_FALSE(custom_workload_attaches("does-not"));
  EXPECT_FALSE(custom_workload_attaches("nobody"));
  Scenario scenario = custom(count_well);
  EXPECT_NO_THROW(check_fit(scenario));
  scenario.workload = firmware::CustomOptions{count_well, false};
  EXPECT_THROW(check_fit(scenario), InputError);
}

TEST(Planted, AProgramThatForgetsToReclaimIsFound) {
  EXPECT_THAT(run(custom(count_and_leak)).failure, HasSubstr("allocated runs"));
}

TEST(Planted, AProgramThatUsesWhatItHasNotKeptIsFound) {
  EXPECT_THAT(run(custom(count_without_keeping)).failure, HasSubstr("where there is none"));
}

// Planted: without intents nobody says which object a cut has torn, and the program goes on with it.
TEST(Planted, ATornObjectIsFound) {
  std::string failure;
  for (int i = 0; i < 40 && failure.empty(); ++i) {
    Scenario scenario = attaching(2.90);
    scenario.heap.write_intents = false;
    scenario.supply.comparator.latency = devices::microseconds(900 + 10 * i);
    CounterConfig counter;
    counter.objects = 12;
    counter.size_bytes = 200;
    counter.compute_cycles = 0;
    scenario.workload = counter;
    scenario.heap.ram_bytes = 1024;
    scenario.heap.dirty_limit_bytes = 800;
    scenario.stop.time = seconds(10);
    failure = run(scenario).failure;
  }
  EXPECT_THAT(failure, HasSubstr("has a content that was never written home as a whole"));
}

// A source that does something to the store when it changes while the board is off, once after a loss.
class Saboteur final : public devices::Source {
 public:
  Saboteur(std::unique_ptr<devices::Source> source, std::function<void()> deed)
      : source_(std::move(source)), deed_(std::move(deed)) {}
  std::optional<devices::SourceSegment> next() override {
    deed_();
    return source_->next();
  }

 private:
  std::unique_ptr<devices::Source> source_;
  std::function<void()> deed_;
};

RunResult run_damaged(std::size_t from, std::size_t to) {
  const Scenario scenario = attaching();
  Ledger ledger;
  Machine* machine = nullptr;
  int changes_while_off = 0;
  auto source = std::make_unique<Saboteur>(open_source(scenario), [&] {
    if (machine == nullptr || machine->fram().powered() || ++changes_while_off != 12) return;
    // The damage of a part that forgets; nobody else may write there.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    auto memory = const_cast<devices::FramChip&>(machine->fram()).memory();
    for (std::size_t i = from; i < to; i += 3) memory[i] ^= 0x10;
  });
  Machine sabotaged(scenario, std::move(source), ledger, {});
  machine = &sabotaged;
  return sabotaged.run();
}

TEST(Planted, HomesThatChangeBeforeAnAttachAreFound) {
  const RunResult result = run_damaged(1700, 8192);
  EXPECT_EQ(result.stop_reason, StopReason::check_failed) << result.attaches.count;
  EXPECT_NE(result.failure, "");
  EXPECT_EQ(run_damaged(0, 0).failure, "") << "without damage there is nothing to find";
}

TEST(Planted, AStoreThatIsTakenForEmptyAfterALossIsFound) {
  EXPECT_THAT(run_damaged(0, 56).failure, HasSubstr("took the store for empty"));
}

}  // namespace
}  // namespace brownout::sim::testing
