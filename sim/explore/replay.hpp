// A failing case as one short string, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/explore/explore_board.hpp"
#include "sim/explore/point.hpp"

namespace brownout::sim::explore {

// What has to be known to see a failure again: a scenario with what was changed of it, how the program
// begins, where the supply fails, and where it fails again.
struct Case {
  std::string file;
  std::vector<std::string> sets;  // as --set has them
  std::uint64_t seed = 1;
  std::uint64_t operations = 0;
  Course course = Course::first_image;
  // Nothing: the program itself goes wrong in that course.
  std::optional<Place> place;
  std::optional<BoardOptions::OnlyNested> nested;
  std::uint64_t phase = 0;  // of course `interrupted`
  std::string build_id;     // of the firmware whose accesses were counted; empty: of none
};

// As in "e1~queue.yaml?heap.ram=512%20B~operations:3~seed:1~retries~write#37+byte:12~persist:45:discard".
// What would be mistaken for a part of the string is written as %XX. O(length).
std::string to_string(const Case& a_case);
// The same back; throws InputError, with the part that is wrong.
Case parse_case(const std::string& text);

// The case of a failure of a scenario that was explored with those sets.
Case case_of(const Failure& failure, std::string file, std::vector<std::string> sets, std::uint64_t seed,
             std::string build_id);

struct Replayed {
  std::optional<Failure> failure;  // nothing: it did not show
  bool found = false;              // the place was there
  Place place;                     // that was taken: the nearest one if it was not
};

// Runs one course up to the place, and fails the supply there. O(one run).
// `make_firmware`: of a test that plants errors. `observer` is told of the run, if the place is there;
// nullptr: nobody is.
Replayed replay(const Scenario& scenario, const Case& a_case, void (*before_outage)() = nullptr,
                std::unique_ptr<firmware::Firmware> (*make_firmware)(const firmware::Image&,
                                                                     firmware::Port&) = nullptr,
                RunObserver* observer = nullptr);

}  // namespace brownout::sim::explore
