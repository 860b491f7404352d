// Exploration of a scenario: every course of its program, every point of each, in several threads.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/explore_board.hpp"
#include "sim/explore/point.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::explore {

struct ExploreOptions {
  std::array<bool, kPointClasses> classes = {false, true, true};
  bool nested = false;            // --depth 2
  bool stops_at_failure = false;  // at the first one, if there is one job
  // Points are numbered through all courses, one after the other.
  std::uint64_t from = 0;
  std::optional<std::uint64_t> to;      // exclusive
  std::optional<std::uint64_t> sample;  // so many, drawn with the scenario's seed
  std::uint64_t operations = 0;         // of the workload
  std::uint64_t jobs = 1;
  const volatile std::sig_atomic_t* interrupted = nullptr;
  std::unique_ptr<firmware::Firmware> (*make_firmware)(const firmware::Image&, firmware::Port&) = nullptr;
  std::optional<PersistBound> bound;
  std::vector<Course> courses;  // empty: all that the scenario has
};

// What was found in one course.
struct CourseResult {
  Course course = Course::first_image;
  BoardResult board;
};

struct ExploreResult {
  std::vector<CourseResult> courses;
  PointTable points{};  // of all
  std::uint64_t operations = 0;
  std::uint64_t failed = 0;
  std::vector<Failure> failures;    // the first, by their points
  std::vector<Course> failures_in;  // of each
  bool all_taken = false;           // every point of every class asked for, in every course
  bool complete = true;             // false: interrupted
  [[nodiscard]] bool pass() const { return failed == 0; }
};

// The courses that there are for a scenario: resumes only where a persist can end in a false alarm; the wrap
// of the sequence only of a heap.
std::vector<Course> courses_of(const Scenario& scenario);

// Course `interrupted`: accesses from one outage for good to the next. More than any transfer has, or it
// would begin anew for ever: in slices that is many times as many.
std::uint64_t accesses_apart(const Scenario& scenario);

// How many operations of the scenario's workload are explored unless somebody says so: stop.operations, but
// kMostOperations at most.
inline constexpr std::uint64_t kMostOperations = 100'000;
std::uint64_t operations_of(const Scenario& scenario);

// Explores; the same result for any number of jobs. First every course runs without outages tried, which
// counts its points; if a check fails there, nothing is tried.
ExploreResult explore(const Scenario& scenario, const ExploreOptions& options);

}  // namespace brownout::sim::explore
