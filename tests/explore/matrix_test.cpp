// What is explored in each run of the tests: the shipped scenarios, and heaps of all modules under every kind
// of workload. Exhaustive where that takes seconds; else so many points, drawn with the scenario's seed. With
// BROWNOUT_EXHAUSTIVE set in the environment (the CTest `explore_exhaustive`, labelled long), every point.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/explore/explorer.hpp"
#include "sim/hooks/access_hooks.hpp"
#include "sim/scenario/fit.hpp"

namespace brownout::sim::explore::testing {
namespace {

bool exhaustive() { return std::getenv("BROWNOUT_EXHAUSTIVE") != nullptr; }  // NOLINT(concurrency-mt-unsafe)

// Swapping: RAM has no room for all objects.
constexpr const char* kBoard = R"(
name: matrix
seed: 7
mcu: {profile: cortex-m0plus, os_save_bytes: 32 B, after_persist: sleep}
storage: {part: MB85RS64V, bus: polled, sck: 8 MHz}
supply:
  source: {kind: constant, power: 1 mW}
  capacitor: {capacitance: 470 uF}
  thresholds: {turn_on: 3.6 V, warn: 3.0 V, brown_out: 2.7 V}
heap: {ram: 512 B, dirty_limit: 320 B, store: 2 KiB}
)";

struct Workload {
  const char* name;
  const char* text;
  std::uint64_t operations;
};
constexpr Workload kWorkloads[] = {
    {"counter",
     "workload: {kind: counter, objects: 12, size: 40 B, compute_cycles: 100}\nstop: {operations: 20}\n", 20},
    {"queue", "workload: {kind: queue, length: 5, item_bytes: 48, iterations: 6}\n", 6},
    {"kvs",
     "workload: {kind: kvs, keys: distributed, sizes: [8, 24, 40, 56], counts: [3, 4, 3, 2], iterations: "
     "12}\n",
     12},
    {"objects",
     "workload:\n  kind: script\n  objects:\n    - {name: state, size: 48 B, count: 3}\n    - {name: big, "
     "size: 64 B}\n"
     "  setup:\n    - {write: big}\n  loop:\n    - {write: state}\n    - {renew: state}\n    - {read: big}\n "
     "   - {flush: "
     "all}\n    - {write: big}\n  iterations: 4\n",
     4},
    {"array",
     "workload:\n  kind: script\n  objects:\n    - {name: other, size: 56 B, count: 2}\n  arrays:\n    - "
     "{name: samples, "
     "element: 4 B, length: 28}\n  loop:\n    - {write: samples, first: next, elements: 3}\n    - {write: "
     "other}\n    - "
     "{read: samples}\n  iterations: 5\n",
     5},
    {"list",
     "workload:\n  kind: script\n  lists:\n    - {name: log, element: 24 B, limit: 8}\n  loop:\n    - {push: "
     "log}\n    - "
     "{push: log}\n    - {insert: log}\n    - {scan: log}\n    - {pop: log}\n    - {remove: log}\n  "
     "iterations: 3\n",
     3},
};

struct Modules {
  const char* ram;
  const char* store;
  const char* slots;
};
constexpr Modules kModules[] = {{"linked_list", "linked_list", "standard"},
                                {"linked_list", "buddy", "standard"},
                                {"linked_list", "block", "standard"},
                                {"buddy", "linked_list", "standard"},
                                {"buddy", "buddy", "standard"},
                                {"buddy", "block", "standard"},
                                {"buddy", "buddy", "compact"}};
constexpr const char* kPolicies[] = {"in_order", "clock", "round_robin"};

Scenario parsed(const std::string& text, const std::vector<std::string>& sets) {
  std::vector<Override> overrides;
  for (const std::string& set : sets) overrides.push_back({set});
  Scenario scenario = parse_scenario(text, "matrix.yaml", overrides, {});
  check_fit(scenario);
  return scenario;
}

ExploreOptions all_classes() {
  ExploreOptions options;
  options.classes = {firmware_is_instrumented(), true, true};
  return options;
}

void expect_pass(const ExploreResult& result, const std::string& name) {
  for (const Failure& failure : result.failures) {
    ADD_FAILURE() << name << ": " << name_of(failure.course) << " at " << to_string(failure.place) << ": "
                  << failure.check << ": " << failure.what;
  }
  std::uint64_t taken = 0;
  std::uint64_t happened = 0;
  std::uint64_t dirty = 0;
  for (const PointCounts& counts : result.points) {
    taken += counts.taken - counts.shared;
    happened += counts.happened;
    dirty += counts.dirty;
  }
  EXPECT_EQ(happened, taken) << name;
  EXPECT_GT(dirty, happened / 4) << name;
}

class Matrix : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(Matrix, NothingIsLost) {
  const auto [which, modules_at] = GetParam();
  const Workload& workload = kWorkloads[which];
  const Modules& modules = kModules[modules_at];
  for (std::size_t i = 0; i < std::size(kPolicies); ++i) {
    const bool blocks = std::string_view(modules.store) == "block";
    const Scenario scenario =
        parsed(std::string(kBoard) + workload.text,
               {fmt::format("heap.store_unit={} B", blocks ? 128 : 16),
                fmt::format("heap.ram_allocator={}", modules.ram),
                fmt::format("heap.nv_allocator={}", modules.store),
                fmt::format("heap.slots={}", modules.slots), fmt::format("heap.policy={}", kPolicies[i])});
    ExploreOptions options = all_classes();
    options.operations = workload.operations;
    constexpr std::uint64_t kDrawn = 4'000;
    if (!exhaustive()) options.sample = kDrawn;
    const ExploreResult result = explore(scenario, options);
    const std::string name =
        fmt::format("{} {} {} {} {}", workload.name, modules.ram, modules.store, modules.slots, kPolicies[i]);
    expect_pass(result, name);
    std::uint64_t total = 0;
    for (const PointCounts& counts : result.points) total += counts.total;
    EXPECT_EQ(result.all_taken, exhaustive() || total <= kDrawn) << name;
    EXPECT_EQ(result.operations, workload.operations) << name;
  }
}

std::string name_of_cell(const ::testing::TestParamInfo<Matrix::ParamType>& cell) {
  const Modules& modules = kModules[std::get<1>(cell.param)];
  return fmt::format("{}_{}_{}_{}", kWorkloads[std::get<0>(cell.param)].name, modules.ram, modules.store,
                     modules.slots);
}
INSTANTIATE_TEST_SUITE_P(All, Matrix,
                         ::testing::Combine(::testing::Range(std::size_t{0}, std::size(kWorkloads)),
                                            ::testing::Range(std::size_t{0}, std::size(kModules))),
                         name_of_cell);

// Every point of the smallest, in each run of the tests.
TEST(Exhaustive, EveryPointOfASmallCounter) {
  const Scenario scenario =
      parsed(std::string(kBoard) + "workload: {kind: counter, objects: 5, size: 40 B, compute_cycles: 0}\n",
             {"stop.operations=4", "heap.ram=256 B", "heap.dirty_limit=240 B", "heap.max_residents=3",
              "heap.store=512 B", "mcu.os_save_bytes=8 B"});
  ExploreOptions options = all_classes();
  options.operations = 4;
  const ExploreResult result = explore(scenario, options);
  expect_pass(result, "small");
  EXPECT_TRUE(result.all_taken);
}

// A second failure at every byte of every persist and restore, from points that are drawn.
TEST(Exhaustive, SecondFailuresOfASmallCounter) {
  const Scenario scenario =
      parsed(std::string(kBoard) + "workload: {kind: counter, objects: 5, size: 16 B, compute_cycles: 0}\n",
             {"stop.operations=4", "heap.ram=256 B", "heap.dirty_limit=240 B", "heap.max_residents=3",
              "heap.store=512 B", "mcu.os_save_bytes=8 B"});
  ExploreOptions options = all_classes();
  options.operations = 2;
  options.nested = true;
  if (!exhaustive()) options.sample = 200;
  const ExploreResult result = explore(scenario, options);
  expect_pass(result, "small, twice");
  std::uint64_t persists = 0;
  std::uint64_t whole = 0;
  std::uint64_t restores = 0;
  for (const CourseResult& course : result.courses) {
    persists += course.board.nested_persists;
    whole += course.board.nested_whole;
    restores += course.board.nested_restores;
  }
  EXPECT_GT(persists, 3U * 200 * 100);
  EXPECT_GT(restores, 200U * 100);
  // A cut in front of a byte that is there by chance.
  EXPECT_LT(whole, persists / 50);
}

class Shipped : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Shipped, NothingIsLost) {
  std::vector<Override> overrides;
  Scenario scenario = load_scenario(GetParam().string(), overrides, {});
  check_fit(scenario);
  ExploreOptions options = all_classes();
  // Of a large workload, what comes first.
  options.operations = std::min<std::uint64_t>(operations_of(scenario), exhaustive() ? 40 : 10);
  options.sample = exhaustive() ? 2'000'000 : 1'500;
  const ExploreResult result = explore(scenario, options);
  expect_pass(result, scenario.name);
  // The interrupt waits for a section's end: whatever happens there is seen by one outage only.
  const PointCounts& accesses = result.points[static_cast<std::size_t>(PointClass::access)];
  EXPECT_LE(accesses.in_critical * 10, accesses.total) << scenario.name;
}

std::vector<std::filesystem::path> shipped_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(BROWNOUT_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}
INSTANTIATE_TEST_SUITE_P(All, Shipped, ::testing::ValuesIn(shipped_files()),
                         [](const ::testing::TestParamInfo<std::filesystem::path>& file) {
                           std::string name = file.param.stem().string();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace brownout::sim::explore::testing
