// The explorer itself: which points it takes, what it says of them, and the way back from a failure's string.
#include <csignal>
#include <tuple>

#include <gtest/gtest.h>

#include "planted_scenario.hpp"
#include "sim/explore/minimise.hpp"
#include "sim/explore/replay.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim::testing {
namespace {

using namespace explore;

Scenario short_scenario() {
  Scenario scenario = planted_scenario("swapping");
  scenario.stop.operations = 3;
  return scenario;
}

// What a report says of failures.
std::vector<std::tuple<std::uint64_t, Course, std::string, std::string, std::string>> told(
    const ExploreResult& result) {
  std::vector<std::tuple<std::uint64_t, Course, std::string, std::string, std::string>> told;
  for (const Failure& failure : result.failures) {
    told.emplace_back(failure.index, failure.course, to_string(failure.place), failure.check, failure.what);
  }
  return told;
}

void expect_same(const ExploreResult& a, const ExploreResult& b) {
  for (std::size_t i = 0; i < kPointClasses; ++i) {
    EXPECT_EQ(a.points[i].total, b.points[i].total);
    EXPECT_EQ(a.points[i].in_critical, b.points[i].in_critical);
    EXPECT_EQ(a.points[i].taken, b.points[i].taken);
  }
  EXPECT_EQ(a.operations, b.operations);
  EXPECT_EQ(a.all_taken, b.all_taken);
  EXPECT_EQ(told(a), told(b));
}

std::uint64_t taken(const ExploreResult& result) {
  std::uint64_t taken = 0;
  for (const PointCounts& counts : result.points) taken += counts.taken;
  return taken;
}
std::uint64_t total(const ExploreResult& result) {
  std::uint64_t total = 0;
  for (const PointCounts& counts : result.points) total += counts.total;
  return total;
}
std::uint64_t happened(const ExploreResult& result) {
  std::uint64_t happened = 0;
  for (const PointCounts& counts : result.points) happened += counts.happened;
  return happened;
}

TEST(Explorer, TheNumberOfJobsChangesNothing) {
  const Scenario scenario = short_scenario();
  for (const MakeFirmware make : {&firmware::make_control, &firmware::make_lock_released_early}) {
    ExploreOptions options = explore_options(scenario, make);
    const ExploreResult one = sim::explore::explore(scenario, options);
    options.jobs = 4;
    const ExploreResult four = sim::explore::explore(scenario, options);
    expect_same(one, four);
    EXPECT_EQ(happened(one), happened(four));
    EXPECT_EQ(one.failed, four.failed);
    EXPECT_EQ(one.pass(), make == &firmware::make_control);
    EXPECT_TRUE(one.all_taken);
  }
}

TEST(Explorer, TwoRunsSayTheSame) {
  const Scenario scenario = short_scenario();
  const ExploreOptions options = explore_options(scenario, &firmware::make_borrows_lost);
  expect_same(sim::explore::explore(scenario, options), sim::explore::explore(scenario, options));
}

TEST(Explorer, RangesAddUp) {
  const Scenario scenario = short_scenario();
  ExploreOptions options = explore_options(scenario);
  options.classes = {false, true, true};
  const ExploreResult whole = sim::explore::explore(scenario, options);
  ASSERT_TRUE(whole.all_taken);
  const std::uint64_t points = total(whole);
  ASSERT_GT(points, 1'000U);
  std::uint64_t taken_in_parts = 0;
  std::uint64_t happened_in_parts = 0;
  for (const auto& [from, to] : {std::pair<std::uint64_t, std::uint64_t>{0, 1},
                                 {1, points / 3},
                                 {points / 3, points - 1},
                                 {points - 1, points + 100}}) {
    options.from = from;
    options.to = to;
    const ExploreResult part = sim::explore::explore(scenario, options);
    EXPECT_TRUE(part.pass());
    EXPECT_FALSE(part.all_taken);
    EXPECT_EQ(total(part), points);
    EXPECT_EQ(taken(part), std::min(to, points) - from);
    taken_in_parts += taken(part);
    happened_in_parts += happened(part);
  }
  EXPECT_EQ(taken_in_parts, points);
  EXPECT_EQ(happened_in_parts, happened(whole));
  EXPECT_EQ(happened(whole), points);
}

TEST(Explorer, AFailureHasTheSameNumberInARange) {
  const Scenario scenario = short_scenario();
  ExploreOptions options = explore_options(scenario, &firmware::make_lock_released_early);
  const ExploreResult whole = sim::explore::explore(scenario, options);
  ASSERT_FALSE(whole.failures.empty());
  const std::uint64_t first = whole.failures.front().index;
  options.from = first;
  options.to = first + 1;
  const ExploreResult there = sim::explore::explore(scenario, options);
  EXPECT_EQ(there.failed, 1U);
  EXPECT_EQ(told(there).front(), told(whole).front());
  options.from = 0;
  options.to = first;
  EXPECT_TRUE(sim::explore::explore(scenario, options).pass());
}

TEST(Explorer, ASampleIsAsLargeAsItIsSaidToBe) {
  const Scenario scenario = short_scenario();
  ExploreOptions options = explore_options(scenario);
  for (const std::uint64_t jobs : {1U, 3U}) {
    options.jobs = jobs;
    options.sample = 123;
    const ExploreResult sampled = sim::explore::explore(scenario, options);
    EXPECT_EQ(taken(sampled), 123U);
    EXPECT_FALSE(sampled.all_taken);
    EXPECT_TRUE(sampled.pass());
  }
  options.from = 500;
  options.to = 600;
  options.sample = 40;
  EXPECT_EQ(taken(sim::explore::explore(scenario, options)), 40U);
  options.sample = 101;  // more than there are: all
  EXPECT_EQ(taken(sim::explore::explore(scenario, options)), 100U);
}

TEST(Explorer, AnotherSeedDrawsAnotherSample) {
  Scenario scenario = short_scenario();
  ExploreOptions options = explore_options(scenario, &firmware::make_os_part_left_out);  // each point fails
  options.courses = {Course::first_image};
  options.sample = 5;
  const auto first = told(sim::explore::explore(scenario, options));
  ASSERT_EQ(first.size(), 5U);
  EXPECT_EQ(told(sim::explore::explore(scenario, options)), first);
  ++scenario.seed;
  EXPECT_NE(told(sim::explore::explore(scenario, options)), first);
}

TEST(Explorer, EachClassHasTheSamePointsWithAndWithoutTheOthers) {
  const Scenario scenario = short_scenario();
  ExploreOptions options = explore_options(scenario);
  options.courses = {Course::first_image, Course::second_image};
  const ExploreResult all = sim::explore::explore(scenario, options);
  for (std::size_t i = 0; i < kPointClasses; ++i) {
    options.classes = {};
    options.classes[i] = true;
    const ExploreResult alone = sim::explore::explore(scenario, options);
    EXPECT_EQ(alone.points[i].total, all.points[i].total);
    EXPECT_EQ(total(alone), all.points[i].total);
  }
  // Two courses, an operation's end each time.
  EXPECT_EQ(all.points[static_cast<std::size_t>(PointClass::operation)].total, 2U * 3U);
}

TEST(Explorer, StopsAtTheFirstFailureIfTold) {
  const Scenario scenario = short_scenario();
  ExploreOptions options = explore_options(scenario, &firmware::make_os_part_left_out);
  options.courses = {Course::first_image};
  options.stops_at_failure = true;
  const ExploreResult result = sim::explore::explore(scenario, options);
  EXPECT_EQ(result.failed, 1U);
  EXPECT_EQ(taken(result), 1U);
  EXPECT_FALSE(result.all_taken);
}

// An outage that is not taken back, at every access in turn: what the program does afterwards is what it
// would have done. So many runs, each of which has an outage at each 4001st access.
TEST(Explorer, AnOutageForGoodAtAnyAccessChangesNothing) {
  Scenario scenario = planted_scenario("swapping");
  scenario.stop.operations = 4;
  BoardOptions control;
  control.operations = 4;
  control.selection.to = 0;
  const BoardResult without = ExploreBoard(scenario, control).run();
  ASSERT_EQ(without.failed, 0U);
  constexpr std::uint64_t kEvery = 4'001;
  std::uint64_t suffered = 0;
  for (std::uint64_t first = 0; first < kEvery; ++first) {
    BoardOptions options = control;
    options.boundaries = &without.boundaries;
    options.for_good = {first, kEvery};
    const BoardResult result = ExploreBoard(scenario, options).run();
    suffered += result.suffered;
    ASSERT_EQ(result.failed, 0U) << "from access " << first << ": " << result.failures.front().check << ": "
                                 << result.failures.front().what;
    ASSERT_EQ(result.store_digest, without.store_digest) << first;
  }
  EXPECT_GT(suffered, 5'000U);
}

// Ctrl-C: what was done by then, and that it is not all.
TEST(Explorer, AnInterruptionEndsItWithWhatWasDone) {
  const Scenario scenario = short_scenario();
  volatile std::sig_atomic_t interrupted = 1;
  ExploreOptions options = explore_options(scenario);
  options.interrupted = &interrupted;
  for (const std::uint64_t jobs : {1U, 2U}) {
    options.jobs = jobs;
    const ExploreResult result = sim::explore::explore(scenario, options);
    EXPECT_FALSE(result.complete);
    EXPECT_FALSE(result.all_taken);
    EXPECT_LT(taken(result), total(result));
  }
  interrupted = 0;
  EXPECT_TRUE(sim::explore::explore(scenario, options).complete);
}

// --- strings -------------------------------------------------------------------------------------

void expect_same(const Case& a, const Case& b) {
  EXPECT_EQ(a.file, b.file);
  EXPECT_EQ(a.sets, b.sets);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.operations, b.operations);
  EXPECT_EQ(a.course, b.course);
  EXPECT_EQ(a.place, b.place);
  ASSERT_EQ(a.nested.has_value(), b.nested.has_value());
  if (a.nested) {
    EXPECT_EQ(a.nested->nested, b.nested->nested);
    EXPECT_EQ(a.nested->at, b.nested->at);
    EXPECT_EQ(a.nested->fault, b.nested->fault);
  }
  EXPECT_EQ(a.build_id, b.build_id);
}

TEST(Replay, AStringLeadsBackToItsCase) {
  Case plain;
  plain.file = "scenarios/queue.yaml";
  plain.operations = 3;
  Case odd = plain;
  odd.file = "a b/~c?d&e%f#g'h\"i\xC3\xA4\x01\x7F.yaml";
  odd.sets = {"heap.ram=512 B", "name=~&?%41", "a='x'", ""};
  odd.seed = ~std::uint64_t{0};
  odd.operations = ~std::uint64_t{0};
  odd.course = Course::perturbed;
  odd.place = Place{firmware::MemoryCall::give_back, 37, PointClass::access, 12};
  odd.build_id = "0123456789abcdef";
  std::vector<Case> cases = {plain, odd};
  for (std::size_t course = 0; course < kCourses; ++course) {
    Case one = plain;
    one.course = static_cast<Course>(course);
    cases.push_back(one);
  }
  for (std::size_t call = 0; call < firmware::kMemoryCalls; ++call) {
    for (std::size_t point = 0; point < kPointClasses; ++point) {
      Case one = plain;
      one.place =
          Place{static_cast<firmware::MemoryCall>(call), call + 1, static_cast<PointClass>(point), call};
      cases.push_back(one);
    }
  }
  for (const Nested nested : {Nested::persist, Nested::restore}) {
    for (const devices::FramFault fault :
         {devices::FramFault::discard, devices::FramFault::garbage_in_flight,
          devices::FramFault::garbage_below_min_vdd, devices::FramFault::row_lost}) {
      if (nested == Nested::restore && fault != devices::FramFault::discard) continue;
      Case one = plain;
      one.place = Place{};
      one.nested = BoardOptions::OnlyNested{nested, 45, fault};
      cases.push_back(one);
    }
  }
  for (const Case& a_case : cases) {
    const std::string text = to_string(a_case);
    SCOPED_TRACE(text);
    EXPECT_EQ(text.find_first_of(" '\"\n"), std::string::npos) << "would have to be quoted twice";
    expect_same(parse_case(text), a_case);
    EXPECT_EQ(to_string(parse_case(text)), text);
  }
}

TEST(Replay, WrongStringsAreRefusedWithWhatIsWrong) {
  const struct {
    const char* text;
    const char* complaint;
  } wrong[] = {
      {"", "begins with"},
      {"e2~a.yaml~operations:1", "begins with"},
      {"e1", "names no scenario"},
      {"e1~", "names no scenario"},
      {"e1~a.yaml", "how many operations"},
      {"e1~a.yaml~operations:0", "how many operations"},
      {"e1~a.yaml~operations:", "has no number"},
      {"e1~a.yaml~operations:-1", "has no number"},
      {"e1~a.yaml~operations:1x", "has no number"},
      {"e1~a.yaml~operations:18446744073709551616", "has no number"},
      {"e1~a.yaml~operations:1~seed:x", "has no number"},
      {"e1~a.yaml%4~operations:1", "hexadecimal"},
      {"e1~a.yaml%zz~operations:1", "hexadecimal"},
      {"e1~a.yaml~operations:1~write#1+byte", ""},
      {"e1~a.yaml~operations:1~write#x+byte:1", ""},
      {"e1~a.yaml~operations:1~scribble#1+byte:1", ""},
      {"e1~a.yaml~operations:1~write#1+bit:1", ""},
      {"e1~a.yaml~operations:1~write#1+byte:1~persist:1", "persist:45:discard"},
      {"e1~a.yaml~operations:1~write#1+byte:1~persist:1:lightning", "persist:45:discard"},
      {"e1~a.yaml~operations:1~write#1+byte:1~restore:1:discard", "persist:45:discard"},
      {"e1~a.yaml~operations:1~third_image", ""},
      {"e1~a.yaml~~operations:1", ""},
  };
  for (const auto& [text, complaint] : wrong) {
    SCOPED_TRACE(text);
    try {
      static_cast<void>(parse_case(text));
      ADD_FAILURE() << "taken for a case";
    } catch (const InputError& error) {
      EXPECT_NE(error.message().find(complaint), std::string::npos) << error.message();
    }
  }
}

// --- a failure again -----------------------------------------------------------------------------

Failure first_failure(const Scenario& scenario, MakeFirmware make, bool nested = false) {
  ExploreOptions options = explore_options(scenario, make);
  options.stops_at_failure = true;
  options.nested = nested;
  if (nested) {
    options.classes = {false, true, true};
    options.sample = 100;
  }
  const ExploreResult result = sim::explore::explore(scenario, options);
  EXPECT_FALSE(result.failures.empty());
  return result.failures.empty() ? Failure{} : result.failures.front();
}

TEST(Replay, ShowsAFailureAgainAndNoneOfACorrectFirmware) {
  const Scenario scenario = planted_scenario("swapping");
  const struct {
    const char* name;
    MakeFirmware make;
    bool nested;
  } bugs[] = {{"at a byte", &firmware::make_dirty_flag_cleared_early, false},
              {"at an access", &firmware::make_lock_released_early, false},
              {"in the program", &firmware::make_read_not_repeated, false},
              {"in a second failure", &firmware::make_trailer_checksum_not_compared, true}};
  for (const auto& [name, make, nested] : bugs) {
    SCOPED_TRACE(name);
    const Failure failure = first_failure(scenario, make, nested);
    EXPECT_EQ(failure.nested != Nested::none, nested);
    const Case a_case = parse_case(to_string(case_of(failure, planted_file("swapping"), {}, 1, "")));
    const Replayed again = replay(scenario, a_case, nullptr, make);
    ASSERT_TRUE(again.failure);
    EXPECT_EQ(again.failure->check, failure.check);
    EXPECT_EQ(again.failure->what, failure.what);
    EXPECT_EQ(again.failure->operations, failure.operations);
    EXPECT_EQ(again.found, a_case.place.has_value());
    const Replayed correct = replay(scenario, a_case, nullptr, &firmware::make_control);
    EXPECT_FALSE(correct.failure) << correct.failure->what;
  }
}

TEST(Replay, TakesTheNearestPlaceBeforeOneThatIsNotThere) {
  const Scenario scenario = planted_scenario("swapping");
  Case a_case;
  a_case.operations = 3;
  a_case.place = Place{firmware::MemoryCall::write, 1, PointClass::byte, 1'000'000};
  const Replayed replayed = replay(scenario, a_case);
  EXPECT_TRUE(replayed.found);
  EXPECT_LT(replayed.place.offset, 1'000'000U);
  EXPECT_FALSE(replayed.failure);
  a_case.place->occurrence = 1'000;
  EXPECT_FALSE(replay(scenario, a_case).found);
}

TEST(Minimise, MakesAFailureSmaller) {
  const Scenario scenario = planted_scenario("swapping");
  const MakeFirmware make = &firmware::make_dirty_flag_cleared_early;
  const Failure failure = first_failure(scenario, make);
  const ExploreOptions options = explore_options(scenario, make);
  const Minimised small = minimise(planted_file("swapping"), {}, scenario.seed, options, failure, "");
  EXPECT_GT(small.shrunk, 0U);
  EXPECT_GE(small.tried, small.shrunk);
  EXPECT_EQ(small.failure.check, failure.check);
  std::vector<Override> overrides;
  for (const std::string& set : small.smallest.sets) overrides.push_back({set});
  const Scenario shrunk = load_scenario(planted_file("swapping"), overrides, {});
  const auto& before = std::get<CounterConfig>(scenario.workload);
  const auto& after = std::get<CounterConfig>(shrunk.workload);
  EXPECT_TRUE(after.objects < before.objects || after.size_bytes < before.size_bytes);
  EXPECT_LT(shrunk.mcu.os_save_bytes, scenario.mcu.os_save_bytes);
  EXPECT_LE(small.smallest.operations, failure.operations + 1);
  const Replayed again = replay(shrunk, small.smallest, nullptr, make);
  ASSERT_TRUE(again.failure);
  EXPECT_EQ(again.failure->check, failure.check);
}

}  // namespace
}  // namespace brownout::sim::testing
