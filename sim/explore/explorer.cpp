#include "sim/explore/explorer.hpp"

#include <algorithm>
#include <cassert>
#include <set>
#include <thread>

#include "devices/math/random.hpp"
#include "sim/hooks/access_hooks.hpp"

namespace brownout::sim::explore {
namespace {

constexpr std::size_t kFailuresKept = 20;
// Of a workload without an end, if the scenario does not say either.
constexpr std::uint64_t kEndlessOperations = 32;

BoardOptions board_options(const ExploreOptions& options, Course course) {
  BoardOptions board;
  board.course = course;
  board.classes = options.classes;
  // Nobody reads what is perturbed until the next operation has ended.
  if (course == Course::perturbed) board.classes = {false, false, options.classes[2]};
  board.operations = options.operations;
  board.interrupted = options.interrupted;
  board.stops_at_failure = options.stops_at_failure;
  board.make_firmware = options.make_firmware;
  board.bound = options.bound;
  return board;
}

std::uint64_t total_of(const PointTable& points) {
  std::uint64_t total = 0;
  for (const PointCounts& counts : points) total += counts.total;
  return total;
}

// Distinct numbers below `total`, ascending (Floyd's method: one draw a number).
std::vector<std::uint64_t> draw_sample(std::uint64_t total, std::uint64_t size, std::uint64_t seed) {
  devices::SplitMix64 random(seed);
  std::set<std::uint64_t> drawn;
  for (std::uint64_t top = total - size; top < total; ++top) {
    const std::uint64_t number = random.below(top + 1);
    if (!drawn.insert(number).second) drawn.insert(top);
  }
  return {drawn.begin(), drawn.end()};
}

void add(BoardResult& sum, BoardResult part) {
  for (std::size_t i = 0; i < kPointClasses; ++i) {
    sum.points[i].taken += part.points[i].taken;
    sum.points[i].shared += part.points[i].shared;
    sum.points[i].happened += part.points[i].happened;
    sum.points[i].dirty += part.points[i].dirty;
  }
  sum.nested_persists += part.nested_persists;
  sum.nested_restores += part.nested_restores;
  sum.nested_whole += part.nested_whole;
  sum.failed += part.failed;
  sum.bytes_persisted += part.bytes_persisted;
  sum.bytes_restored += part.bytes_restored;
  sum.stack_bytes_compared += part.stack_bytes_compared;
  sum.largest_bytes_over_bound = std::max(sum.largest_bytes_over_bound, part.largest_bytes_over_bound);
  sum.largest_time_over_bound = std::max(sum.largest_time_over_bound, part.largest_time_over_bound);
  sum.complete = sum.complete && part.complete;
  for (Failure& failure : part.failures) sum.failures.push_back(std::move(failure));
}

// What was tried and put back has left something behind, if the program then comes to other points.
bool goes_another_way(const BoardResult& counted, const BoardResult& tried) {
  if (!tried.complete || tried.failed > 0) return false;
  for (std::size_t i = 0; i < kPointClasses; ++i) {
    if (tried.points[i].total != counted.points[i].total) return true;
  }
  return tried.operations != counted.operations || tried.store_digest != counted.store_digest ||
         tried.contents_digest != counted.contents_digest;
}

void note_other_way(const CourseResult& course, BoardResult& tried) {
  Failure& failure = tried.failures.emplace_back();
  failure.course = course.course;
  failure.operations = tried.operations;
  failure.of_program = true;
  failure.check = "course";
  failure.what = "with outages tried the program came to other points, or to another end, than without";
  ++tried.failed;
}

// Tries the points of one course that the selection names, whose `index` counts from the course's first.
void try_points(const Scenario& scenario, const ExploreOptions& options, const Selection& selection,
                const std::vector<std::uint64_t>* boundaries, CourseResult& course) {
  std::vector<BoardResult> results(options.jobs);
  std::vector<std::thread> threads;
  for (std::uint64_t job = 0; job < options.jobs; ++job) {
    threads.emplace_back([&, job] {
      BoardOptions board = board_options(options, course.course);
      board.nested = options.nested;
      board.selection = selection;
      board.selection.job = job;
      board.selection.jobs = options.jobs;
      board.boundaries = boundaries;
      results[job] = ExploreBoard(scenario, board).run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (BoardResult& result : results) {
    if (goes_another_way(course.board, result)) note_other_way(course, result);
    add(course.board, std::move(result));
  }
  std::vector<Failure>& failures = course.board.failures;
  std::stable_sort(failures.begin(), failures.end(),
                   [](const Failure& a, const Failure& b) { return a.index < b.index; });
  if (failures.size() > kFailuresKept) failures.resize(kFailuresKept);
}

// Runs whose outages stay, the first at another access each: at the end every access has had one. With a
// sample, a few of these runs.
void interrupt_everywhere(const Scenario& scenario, const ExploreOptions& options, bool all,
                          const BoardResult& control, CourseResult& course) {
  constexpr std::uint64_t kFew = 16;
  const std::uint64_t apart = accesses_apart(scenario);
  const std::uint64_t phases = std::min(apart, control.points[0].total);
  const std::uint64_t step = all ? 1 : std::max<std::uint64_t>(1, phases / kFew);
  std::vector<BoardResult> results(options.jobs);
  std::vector<std::thread> threads;
  const auto interrupted = [&] { return options.interrupted != nullptr && *options.interrupted != 0; };
  for (std::uint64_t job = 0; job < options.jobs; ++job) {
    threads.emplace_back([&, job] {
      BoardResult& sum = results[job];
      for (std::uint64_t phase = job * step; phase < phases; phase += options.jobs * step) {
        if (interrupted() || (options.stops_at_failure && sum.failed > 0)) {
          sum.complete = !interrupted();
          return;
        }
        BoardOptions board = board_options(options, course.course);
        board.selection.to = 0;
        board.boundaries = &control.boundaries;
        board.for_good = {phase, apart};
        BoardResult result = ExploreBoard(scenario, board).run();
        const bool same =
            result.store_digest == control.store_digest && result.operations == control.operations;
        if (result.complete && result.failed == 0 && !same) {
          note_other_way(course, result);
          result.failures.back().phase = phase;
        }
        sum.suffered += result.suffered;
        add(sum, std::move(result));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (BoardResult& result : results) {
    course.board.suffered += result.suffered;
    add(course.board, std::move(result));
  }
  std::stable_sort(course.board.failures.begin(), course.board.failures.end(),
                   [](const Failure& a, const Failure& b) { return a.phase < b.phase; });
  if (course.board.failures.size() > kFailuresKept) course.board.failures.resize(kFailuresKept);
}

}  // namespace

std::vector<Course> courses_of(const Scenario& scenario) {
  std::vector<Course> courses = {Course::first_image, Course::second_image};
  if (scenario.heap.memory.kind == firmware::MemoryKind::heap) courses.push_back(Course::wrapped);
  courses.push_back(Course::retries);
  if (scenario.mcu.after_persist == AfterPersist::sleep) courses.push_back(Course::resumes);
  courses.push_back(Course::perturbed);
  if (firmware_is_instrumented()) courses.push_back(Course::interrupted);
  return courses;
}

std::uint64_t accesses_apart(const Scenario& scenario) {
  return scenario.storage.transfer == devices::TransferMode::sliced ? 64'007 : 4'001;
}

std::uint64_t operations_of(const Scenario& scenario) {
  const std::uint64_t endless = firmware::ends(scenario.workload) ? kMostOperations : kEndlessOperations;
  return std::min(scenario.stop.operations.value_or(endless), kMostOperations);
}

ExploreResult explore(const Scenario& scenario, const ExploreOptions& options) {
  assert(options.jobs > 0 && options.operations > 0);
  ExploreResult result;
  std::vector<Course> courses = options.courses.empty() ? courses_of(scenario) : options.courses;
  if (!options.classes[0]) std::erase(courses, Course::interrupted);
  // Without outages, to count.
  std::uint64_t total = 0;
  const std::vector<std::uint64_t>* boundaries = nullptr;
  result.courses.reserve(courses.size());
  for (const Course course : courses) {
    BoardOptions board = board_options(options, course);
    board.selection.to = 0;
    board.boundaries = boundaries;
    CourseResult& found = result.courses.emplace_back();
    found.course = course;
    if (course == Course::interrupted) continue;
    found.board = ExploreBoard(scenario, board).run();
    if (boundaries == nullptr) boundaries = &found.board.boundaries;
    total += total_of(found.board.points);
    result.operations = std::max(result.operations, found.board.operations);
    const BoardResult& first = result.courses.front().board;
    if (found.board.failed == 0 && found.board.store_digest != first.store_digest) {
      Failure& failure = found.board.failures.emplace_back();
      failure.course = course;
      failure.operations = found.board.operations;
      failure.of_program = true;
      failure.check = "course";
      failure.what = "the store at the end is not as it was without outages";
      found.board.failed = 1;
    }
    if (found.board.failed > 0) break;
  }
  const bool sound = result.courses.back().board.failed == 0 && result.courses.size() == courses.size();

  const std::uint64_t to = std::min(options.to.value_or(total), total);
  const std::uint64_t from = std::min(options.from, to);
  std::vector<std::uint64_t> sample;
  const bool sampled = options.sample && *options.sample < to - from;
  if (sampled) sample = draw_sample(to - from, *options.sample, scenario.seed);
  std::uint64_t first = 0;
  for (CourseResult& course : result.courses) {
    const std::uint64_t points = total_of(course.board.points);
    const std::uint64_t end = first + points;
    const bool goes_on = sound && !(options.stops_at_failure && result.failed > 0);
    // It has no numbered points: whoever asks for a range of these does not ask for it.
    const bool whole_range = from == 0 && to == total;
    if (course.course == Course::interrupted && goes_on && whole_range) {
      interrupt_everywhere(scenario, options, !sampled, result.courses.front().board, course);
    }
    if (goes_on && from < end && to > first) {
      Selection selection;
      selection.from = from > first ? from - first : 0;
      selection.to = std::min(to, end) - first;
      std::vector<std::uint64_t> here;
      for (const std::uint64_t number : sample) {
        if (number + from >= first && number + from < end) here.push_back(number + from - first);
      }
      if (sampled) selection.sample = &here;
      try_points(scenario, options, selection, boundaries, course);
    }
    for (std::size_t i = 0; i < kPointClasses; ++i) result.points[i] += course.board.points[i];
    result.failed += course.board.failed;
    result.complete = result.complete && course.board.complete;
    for (Failure& failure : course.board.failures) {
      if (result.failures.size() == kFailuresKept) break;
      failure.index += first;
      result.failures.push_back(failure);
    }
    first = end;
  }
  std::uint64_t taken = 0;
  for (const PointCounts& counts : result.points) taken += counts.taken;
  result.all_taken = taken == total && sound;
  return result;
}

}  // namespace brownout::sim::explore
