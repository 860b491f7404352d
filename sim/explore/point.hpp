// Points: the instants of a program's course at which the supply can be made to fail, and how they are named
// and counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/firmware/port.hpp"

namespace brownout::sim::explore {

// All instants between two neighbouring points look alike to the firmware.
enum class PointClass : std::uint8_t {
  access,     // before a memory access of the firmware; only where that is instrumented
  byte,       // before a byte on the bus, or a set-up or hand-over of its controller
  operation,  // at the end of an operation of the workload
};
inline constexpr std::size_t kPointClasses = 3;

std::string_view name_of(PointClass point);
std::optional<PointClass> find_point_class(std::string_view name);
std::string_view name_of(firmware::MemoryCall call);
std::optional<firmware::MemoryCall> find_memory_call(std::string_view name);

// A point by where it is: in which call of the workload's memory (the first of its kind is 1), or behind it
// and before the next, and the how manieth point of its class there (from 0). Survives changes elsewhere.
struct Place {
  firmware::MemoryCall call = firmware::MemoryCall::start;
  std::uint64_t occurrence = 1;
  PointClass point = PointClass::byte;
  std::uint64_t offset = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

// As in "write#37+byte:12".
std::string to_string(const Place& place);
std::optional<Place> parse_place(std::string_view text);

// How a pass through the program begins, and what happens in it beside the outages that are tried.
enum class Course : std::uint8_t {
  first_image,   // an outage saves the first image of a new store
  second_image,  // there is one already: images take the other place
  wrapped,       // both places are taken, by the last two sequence numbers before they start over
  retries,       // each transfer is interrupted once, for good; what is tried falls into what follows
  resumes,       // the same by false alarms: persist, then no outage
  perturbed,     // what nobody may read is changed at the end of each operation
  interrupted,   // outages for good at every n-th access, in as many runs: so one at each access
};
inline constexpr std::size_t kCourses = 7;
std::string_view name_of(Course course);
std::optional<Course> find_course(std::string_view name);

// What happens at a point for good, of a course that was drawn (sim/fuzz/).
enum class Drawn : std::uint8_t {
  outage,       // persist, power off, restore
  false_alarm,  // persist, then no outage
  cut_persist,  // power fails in the persist too; what boot says of that is looked at, and it is taken back;
                // then an outage
  cut_restore,  // power fails in the restore too, once or several times
  perturb,      // as in Course::perturbed; at ends of operations only
  loss,         // power off without a persist: all that is volatile is gone, and the program starts anew
  late,  // the warning comes too late: power fails in the persist for good, and the program starts anew
};
inline constexpr std::size_t kDrawnKinds = 7;
std::string_view name_of(Drawn kind);
std::optional<Drawn> find_drawn(std::string_view name);

// Where it happens: at a point, or when the energy is used up.
enum class DrawnAt : std::uint8_t {
  access,  // as PointClass
  byte,
  operation,
  energy,  // the first instant, between any two units of work or bytes on the bus, at which the board has run
           // so long
};
inline constexpr std::size_t kDrawnPlaces = 4;
std::string_view name_of(DrawnAt at);
std::optional<DrawnAt> find_drawn_at(std::string_view name);

// At the `offset`-th point of that class (from 0) after the beginning of an operation of the workload, and
// after what was drawn before it; of `energy`, so many nanoseconds after that.
struct DrawnOutage {
  std::uint32_t operation = 0;
  DrawnAt at = DrawnAt::byte;
  std::uint32_t offset = 0;
  Drawn kind = Drawn::outage;
  std::uint32_t cut_at = 0;  // point of the bus in that persist or restore, or in the start after a loss
  std::uint32_t times =
      1;  // that a restore or that start is cut, each time one point further; 0 only of a loss
  friend bool operator==(const DrawnOutage&, const DrawnOutage&) = default;
};

struct PointCounts {
  std::uint64_t total = 0;
  std::uint64_t in_critical = 0;  // in critical sections, whose end the interrupt waits for
  std::uint64_t taken = 0;        // tried
  std::uint64_t shared =
      0;  // of these, those whose outage was that of another in the same section, at its end
  std::uint64_t happened = 0;  // outages: RAM overwritten, boot ran, bytes came back
  std::uint64_t dirty = 0;     // of these, with something to lose

  PointCounts& operator+=(const PointCounts& other);
};
using PointTable = std::array<PointCounts, kPointClasses>;

}  // namespace brownout::sim::explore
