#include "sim/explore/point.hpp"

#include <charconv>

#include <fmt/format.h>

namespace brownout::sim::explore {
namespace {

using firmware::MemoryCall;

constexpr std::array<std::string_view, kPointClasses> kPointNames = {"access", "byte", "operation"};
constexpr std::array<std::string_view, firmware::kMemoryCalls> kCallNames = {
    "start", "make", "write", "give_back", "read", "free", "flush", "root", "keep"};
constexpr std::array<std::string_view, kCourses> kCourseNames = {
    "first_image", "second_image", "wrapped", "retries", "resumes", "perturbed", "interrupted"};

constexpr std::array<std::string_view, kDrawnKinds> kDrawnNames = {"outage",  "alarm", "persist", "restore",
                                                                   "perturb", "loss",  "late"};
constexpr std::array<std::string_view, kDrawnPlaces> kDrawnAtNames = {"access", "byte", "operation",
                                                                      "energy"};

template <class Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string_view name_of(PointClass point) { return kPointNames[static_cast<std::size_t>(point)]; }
std::optional<PointClass> find_point_class(std::string_view name) {
  return find<PointClass>(kPointNames, name);
}
std::string_view name_of(MemoryCall call) { return kCallNames[static_cast<std::size_t>(call)]; }
std::optional<MemoryCall> find_memory_call(std::string_view name) {
  return find<MemoryCall>(kCallNames, name);
}
std::string_view name_of(Course course) { return kCourseNames[static_cast<std::size_t>(course)]; }
std::optional<Course> find_course(std::string_view name) { return find<Course>(kCourseNames, name); }

std::string_view name_of(Drawn kind) { return kDrawnNames[static_cast<std::size_t>(kind)]; }
std::optional<Drawn> find_drawn(std::string_view name) { return find<Drawn>(kDrawnNames, name); }
std::string_view name_of(DrawnAt at) { return kDrawnAtNames[static_cast<std::size_t>(at)]; }
std::optional<DrawnAt> find_drawn_at(std::string_view name) { return find<DrawnAt>(kDrawnAtNames, name); }

std::string to_string(const Place& place) {
  return fmt::format("{}#{}+{}:{}", name_of(place.call), place.occurrence, name_of(place.point),
                     place.offset);
}

std::optional<Place> parse_place(std::string_view text) {
  const std::size_t hash = text.find('#');
  const std::size_t plus = text.find('+');
  const std::size_t colon = text.find(':');
  if (hash == std::string::npos || plus == std::string::npos || colon == std::string::npos || hash > plus ||
      plus > colon) {
    return std::nullopt;
  }
  const auto call = find_memory_call(text.substr(0, hash));
  const auto occurrence = number_in(text.substr(hash + 1, plus - hash - 1));
  const auto point = find_point_class(text.substr(plus + 1, colon - plus - 1));
  const auto offset = number_in(text.substr(colon + 1));
  if (!call || !occurrence || !point || !offset) return std::nullopt;
  return Place{*call, *occurrence, *point, *offset};
}

PointCounts& PointCounts::operator+=(const PointCounts& other) {
  total += other.total;
  in_critical += other.in_critical;
  taken += other.taken;
  shared += other.shared;
  happened += other.happened;
  dirty += other.dirty;
  return *this;
}

}  // namespace brownout::sim::explore
