// Bugs planted in copies of the firmware (planted/*.bug): none shows without outages, and the explorer finds
// each. What finds which, and after how many points, is printed as rows of the table in tests/README.md.
#include <cstring>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "planted_scenario.hpp"
#include "sim/machine/persist_bound.hpp"

namespace brownout::sim::testing {
namespace {

using namespace explore;

struct Bug {
  const char* name;
  const char* scenario;
  std::string_view
      needs;  // once; nested: a second failure of the supply; for_good: one that is not taken back
  const char* what;
  MakeFirmware make;
};

std::vector<Bug> all_planted() {
  return {
#define PLANTED(name, scenario, needs, what) {#name, scenario, needs, what, &firmware::make_##name},
#include "planted_list.hpp"
#undef PLANTED
  };
}

void PrintTo(const Bug& bug, std::ostream* out) { *out << bug.what; }

bool is_control(const Bug& bug) { return std::strncmp(bug.name, "control", 7) == 0; }

std::vector<Bug> bugs() {
  std::vector<Bug> bugs = all_planted();
  std::erase_if(bugs, is_control);
  return bugs;
}

// What is let loose on a bug. A class alone has the courses whose outages are all at its own points;
// `courses` are those that interrupt transfers for good, or change what nobody may read, without further
// outages.
enum class Way { operation, byte, access, courses, everything, nested, for_good };

// So many points, drawn, have the supply fail a second time.
constexpr std::uint64_t kNestedPoints = 150;

ExploreOptions options_of(Way way, const Scenario& scenario, const Bug& bug) {
  ExploreOptions options = explore_options(scenario, bug.make);
  options.stops_at_failure = true;
  const bool one_class = way != Way::everything && way != Way::courses;
  if (one_class) options.courses = {Course::first_image, Course::second_image, Course::wrapped};
  switch (way) {
    case Way::operation: options.classes = {false, false, true}; break;
    case Way::byte: options.classes = {false, true, false}; break;
    case Way::access: options.classes = {true, false, false}; break;
    case Way::courses:
      options.courses = {Course::first_image, Course::retries, Course::resumes, Course::perturbed};
      options.to = 0;
      break;
    case Way::everything:
    case Way::for_good: break;
    case Way::nested:
      options.classes = {false, true, true};
      options.nested = true;
      options.courses = {Course::first_image, Course::second_image, Course::retries};
      options.sample = kNestedPoints;
      break;
  }
  return options;
}

struct Outcome {
  bool found = false;
  bool of_program = false;   // in the course itself, before a point of it was tried
  std::uint64_t points = 0;  // tried, up to the one that found it
  Course course = Course::first_image;
  char check[16] = {};
  char what[160] = {};
};

Outcome look(const ExploreResult& result) {
  Outcome outcome;
  for (const PointCounts& counts : result.points) outcome.points += counts.taken;
  if (result.failures.empty()) return outcome;
  const Failure& failure = result.failures.front();
  outcome.found = true;
  outcome.of_program = failure.of_program;
  outcome.course = failure.course;
  failure.check.copy(outcome.check, sizeof outcome.check - 1);
  failure.what.copy(outcome.what, sizeof outcome.what - 1);
  return outcome;
}

// In a process of its own: a firmware with a bug may do anything. One that does not come back is `killed`.
template <class Run>
Outcome in_a_process(Run run) {
  constexpr unsigned kMostSeconds = 100;  // of real time
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    alarm(kMostSeconds);
    const Outcome outcome = run();
    _exit(write(pipe_ends[1], &outcome, sizeof outcome) == sizeof outcome ? 0 : 1);
  }
  close(pipe_ends[1]);
  Outcome outcome;
  const bool told = read(pipe_ends[0], &outcome, sizeof outcome) == sizeof outcome;
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (told) return outcome;
  outcome = {};
  outcome.found = true;
  std::strcpy(outcome.check, "killed");
  return outcome;
}

Outcome run_apart(const ExploreOptions& options, const Scenario& scenario) {
  return in_a_process([&] { return look(sim::explore::explore(scenario, options)); });
}

// Outages that are not taken back, at every access in turn: so many runs, each with one at each kEvery-th
// access.
Outcome for_good(const Bug& bug) {
  constexpr std::uint64_t kEvery = 4'001;
  const Scenario scenario = planted_scenario(bug.scenario);
  BoardOptions control;
  control.operations = 6;
  control.selection.to = 0;
  control.make_firmware = bug.make;
  const BoardResult without = ExploreBoard(scenario, control).run();
  Outcome outcome;
  for (std::uint64_t first = 0; first < kEvery && !outcome.found; ++first) {
    BoardOptions options = control;
    options.boundaries = &without.boundaries;
    options.for_good = {first, kEvery};
    const BoardResult result = ExploreBoard(scenario, options).run();
    outcome.points += result.suffered;
    if (result.failures.empty()) continue;
    outcome.found = true;
    result.failures.front().check.copy(outcome.check, sizeof outcome.check - 1);
    result.failures.front().what.copy(outcome.what, sizeof outcome.what - 1);
  }
  return outcome;
}

Outcome run_apart(Way way, const Bug& bug) {
  if (way == Way::for_good) return in_a_process([&] { return for_good(bug); });
  const Scenario scenario = planted_scenario(bug.scenario);
  return run_apart(options_of(way, scenario, bug), scenario);
}

std::string cell(const Outcome& outcome) {
  if (!outcome.found) return "-";
  if (std::strcmp(outcome.check, "killed") == 0) return "killed";
  if (outcome.of_program) return fmt::format("`{}`", name_of(outcome.course));
  return fmt::format("{}", outcome.points);
}

class Planted : public ::testing::TestWithParam<Bug> {};

TEST_P(Planted, IsFound) {
  const Bug& bug = GetParam();
  const Scenario scenario = planted_scenario(bug.scenario);
  ExploreOptions without = explore_options(scenario, bug.make);
  without.courses = {Course::first_image};
  without.to = 0;
  const Outcome control = run_apart(without, scenario);
  EXPECT_FALSE(control.found) << "shows without outages: " << control.check << ": " << control.what;

  std::string row = fmt::format("| {} |", bug.what);
  bool by_any = false;
  const char* check = "";
  Outcome last;
  for (const Way way : {Way::operation, Way::byte, Way::access, Way::courses}) {
    const Outcome outcome = run_apart(way, bug);
    row += fmt::format(" {} |", cell(outcome));
    by_any = by_any || outcome.found;
    if (outcome.found) last = outcome;
  }
  const bool once = bug.needs == "once";
  EXPECT_EQ(by_any, once) << "found by one failure of the supply: " << last.check << ": " << last.what;
  const bool nested = bug.needs == "nested";
  const Outcome all = run_apart(nested ? Way::nested : once ? Way::everything : Way::for_good, bug);
  EXPECT_TRUE(all.found) << bug.what;
  check = all.check;
  row += fmt::format(" {} | {} | {} |", once || nested ? "" : cell(all), nested ? cell(all) : "", check);
  fmt::print("{}\n", row);
  RecordProperty("row", row);
}

INSTANTIATE_TEST_SUITE_P(Bugs, Planted, ::testing::ValuesIn(bugs()),
                         [](const auto& bug) { return std::string(bug.param.name); });

// The same firmware without a bug, compiled in the same way.
class Control : public ::testing::TestWithParam<Bug> {};

TEST_P(Control, Passes) {
  const Bug& bug = GetParam();
  const Scenario scenario = planted_scenario(bug.scenario);
  ExploreOptions options = explore_options(scenario, bug.make);
  const ExploreResult result = sim::explore::explore(scenario, options);
  EXPECT_EQ(result.failed, 0U) << result.failures.front().check << ": " << result.failures.front().what;
  EXPECT_TRUE(result.all_taken);
  for (const PointCounts& counts : result.points) EXPECT_GT(counts.total, 0U);
  const ExploreResult nested = sim::explore::explore(scenario, options_of(Way::nested, scenario, bug));
  EXPECT_EQ(nested.failed, 0U) << nested.failures.front().check << ": " << nested.failures.front().what;
  const Outcome outcome = run_apart(Way::for_good, bug);
  EXPECT_FALSE(outcome.found) << outcome.check << ": " << outcome.what;
  EXPECT_GT(outcome.points, 5'000U);
}

std::vector<Bug> controls() {
  std::vector<Bug> controls = all_planted();
  std::erase_if(controls, [](const Bug& bug) { return !is_control(bug); });
  return controls;
}

INSTANTIATE_TEST_SUITE_P(Firmwares, Control, ::testing::ValuesIn(controls()),
                         [](const auto& bug) { return std::string(bug.param.name); });

// A bound that is one byte too low, where an image comes to it exactly.
TEST(PlantedBound, OneByteTooLowIsFound) {
  const Scenario scenario = planted_scenario("clock");
  Bug bug = {"bound", "clock", "once", "The bound of the persist is one byte too low.",
             &firmware::make_control_clock};
  std::string row = fmt::format("| {} |", bug.what);
  for (const Way way : {Way::operation, Way::byte, Way::access, Way::courses, Way::everything}) {
    ExploreOptions options = options_of(way, scenario, bug);
    options.bound = persist_bound(scenario);
    EXPECT_FALSE(run_apart(options, scenario).found);
    --options.bound->bytes;
    const Outcome outcome = run_apart(options, scenario);
    if (way != Way::everything) {
      row += fmt::format(" {} |", cell(outcome));
      continue;
    }
    EXPECT_TRUE(outcome.found);
    EXPECT_STREQ(outcome.check, "bound");
    row += fmt::format(" | | {} |", outcome.check);
  }
  fmt::print("{}\n", row);
}

// What cuts at the ends of operations miss, and what those at every byte on the bus miss besides: the value
// of access points as a number.
TEST(PlantedSummary, WhatIsFoundOnlyWithinOperationsOrBetweenBytes) {
  std::uint64_t single = 0;
  std::vector<std::string> missed;
  std::vector<std::string> only_accesses;
  for (const Bug& bug : bugs()) {
    if (bug.needs == "nested") continue;
    ++single;
    if (run_apart(Way::operation, bug).found) continue;
    missed.emplace_back(bug.name);
    if (run_apart(Way::byte, bug).found || run_apart(Way::courses, bug).found) continue;
    only_accesses.emplace_back(bug.name);
  }
  fmt::print("operation points alone miss {} of {} bugs\n", missed.size(), single);
  fmt::print("only access points find {}:", only_accesses.size());
  for (const std::string& name : only_accesses) fmt::print(" {}", name);
  fmt::print("\n");
  EXPECT_GE(missed.size(), 12U);
  EXPECT_GE(only_accesses.size(), 6U);
}

}  // namespace
}  // namespace brownout::sim::testing
