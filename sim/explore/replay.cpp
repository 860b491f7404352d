#include "sim/explore/replay.hpp"

#include <charconv>

#include <fmt/format.h>

#include "sim/explore/case_text.hpp"
#include "sim/explore/explorer.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim::explore {
namespace {

constexpr std::string_view kFormat = "e1";

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw InputError({"replay", 0, 0}, fmt::format("`{}` is no case: {}", text, why));
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr std::array<std::pair<std::string_view, devices::FramFault>, 4> kFaults = {
    {{"discard", devices::FramFault::discard},
     {"garbage_in_flight", devices::FramFault::garbage_in_flight},
     {"garbage_below_min_vdd", devices::FramFault::garbage_below_min_vdd},
     {"row_lost", devices::FramFault::row_lost}}};

std::string_view name_of_fault(devices::FramFault fault) {
  for (const auto& [name, known] : kFaults) {
    if (known == fault) return name;
  }
  return "";
}

std::string to_string(const BoardOptions::OnlyNested& nested) {
  if (nested.nested == Nested::restore) return fmt::format("restore:{}", nested.at);
  return fmt::format("persist:{}:{}", nested.at, name_of_fault(nested.fault));
}

std::optional<BoardOptions::OnlyNested> parse_nested(std::string_view text) {
  const auto parts = split(text, ':');
  BoardOptions::OnlyNested nested;
  const bool persist = parts[0] == "persist";
  if (parts.size() != (persist ? 3U : 2U)) return std::nullopt;
  const auto at = number_in(parts[1]);
  if (!at) return std::nullopt;
  nested.nested = persist ? Nested::persist : Nested::restore;
  nested.at = *at;
  if (!persist) return nested;
  for (const auto& [name, fault] : kFaults) {
    if (name != parts[2]) continue;
    nested.fault = fault;
    return nested;
  }
  return std::nullopt;
}

void parse_part(std::string_view part, const std::string& text, Case& out) {
  const auto starts = [&](std::string_view prefix) { return part.substr(0, prefix.size()) == prefix; };
  const auto number_behind = [&](std::string_view prefix) {
    const auto number = number_in(part.substr(prefix.size()));
    if (!number) refuse(text, fmt::format("`{}` has no number", part));
    return *number;
  };
  if (starts("operations:")) {
    out.operations = number_behind("operations:");
  } else if (starts("seed:")) {
    out.seed = number_behind("seed:");
  } else if (starts("phase:")) {
    out.phase = number_behind("phase:");
  } else if (starts("build:")) {
    out.build_id = std::string(part.substr(6));
  } else if (starts("persist:") || starts("restore:")) {
    out.nested = parse_nested(part);
    if (!out.nested) refuse(text, fmt::format("`{}` is not such as persist:45:discard or restore:45", part));
  } else if (const auto course = find_course(part)) {
    out.course = *course;
  } else if (const auto place = parse_place(part)) {
    out.place = place;
  } else {
    refuse(text, fmt::format("`{}` is neither a course nor a place such as write#37+byte:12", part));
  }
}

}  // namespace

std::string to_string(const Case& a_case) {
  std::string text = fmt::format("{}~{}", kFormat, escaped(a_case.file));
  for (std::size_t i = 0; i < a_case.sets.size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? '?' : '&', escaped(a_case.sets[i]));
  }
  text += fmt::format("~operations:{}~seed:{}~{}", a_case.operations, a_case.seed, name_of(a_case.course));
  if (a_case.course == Course::interrupted) text += fmt::format("~phase:{}", a_case.phase);
  if (a_case.place) text += fmt::format("~{}", to_string(*a_case.place));
  if (a_case.nested) text += fmt::format("~{}", to_string(*a_case.nested));
  if (!a_case.build_id.empty()) text += fmt::format("~build:{}", a_case.build_id);
  return text;
}

Case parse_case(const std::string& text) {
  const auto parts = split(text, '~');
  if (parts[0] != kFormat) refuse(text, fmt::format("it begins with `{}`, not with `{}`", parts[0], kFormat));
  if (parts.size() < 2 || parts[1].empty()) refuse(text, "it names no scenario");
  Case out;
  const std::size_t query = parts[1].find('?');
  out.file = unescaped(parts[1].substr(0, query), text);
  if (query != std::string_view::npos) {
    for (const std::string_view set : split(parts[1].substr(query + 1), '&'))
      out.sets.push_back(unescaped(set, text));
  }
  for (std::size_t i = 2; i < parts.size(); ++i) parse_part(parts[i], text, out);
  if (out.operations == 0) refuse(text, "it does not say how many operations there are");
  return out;
}

Case case_of(const Failure& failure, std::string file, std::vector<std::string> sets, std::uint64_t seed,
             std::string build_id) {
  Case out;
  out.file = std::move(file);
  out.sets = std::move(sets);
  out.seed = seed;
  out.operations = failure.operations + 1;
  out.course = failure.course;
  if (!failure.of_program) out.place = failure.place;
  out.phase = failure.phase;
  if (failure.nested != Nested::none) {
    out.nested = BoardOptions::OnlyNested{failure.nested, failure.nested_at, failure.fault};
  }
  const bool of_a_build =
      out.course == Course::interrupted || (out.place && out.place->point == PointClass::access);
  if (of_a_build) out.build_id = std::move(build_id);
  return out;
}

Replayed replay(const Scenario& scenario, const Case& a_case, void (*before_outage)(),
                std::unique_ptr<firmware::Firmware> (*make_firmware)(const firmware::Image&, firmware::Port&),
                RunObserver* observer) {
  Replayed out;
  if (a_case.place) out.place = *a_case.place;
  for (;;) {
    BoardOptions options;
    options.course = a_case.course;
    options.operations = a_case.operations;
    options.before_outage = before_outage;
    options.make_firmware = make_firmware;
    options.observer = observer;
    options.stops_at_failure = true;
    options.only_nested = a_case.nested;
    options.nested = a_case.nested.has_value();
    if (a_case.course == Course::interrupted) options.for_good = {a_case.phase, accesses_apart(scenario)};
    if (a_case.place) {
      options.selection.only = out.place;
    } else {
      options.selection.to = 0;
    }
    BoardResult result = ExploreBoard(scenario, options).run();
    if (!result.failures.empty()) out.failure = result.failures.front();
    std::uint64_t taken = 0;
    for (const PointCounts& counts : result.points) taken += counts.taken;
    out.found = out.found || taken > 0;
    if (!a_case.place || taken > 0 || result.nearest_offset == out.place.offset || !result.nearest_offset)
      return out;
    out.place.offset = *result.nearest_offset;  // of another build, or after a change: the last one before
  }
}

}  // namespace brownout::sim::explore
