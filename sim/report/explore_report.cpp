#include "sim/report/explore_report.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/report/figures.hpp"
#include "sim/scenario/choices.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;
using namespace explore;

constexpr std::array<PointClass, kPointClasses> kClasses = {PointClass::access, PointClass::byte,
                                                            PointClass::operation};

bool wants(const Exploration& exploration, PointClass point) {
  return exploration.options.classes[static_cast<std::size_t>(point)];
}

struct Sums {
  std::uint64_t suffered = 0;     // outages and false alarms for good, in transfers
  std::uint64_t interrupted = 0;  // the same at accesses
  std::uint64_t nested_persists = 0;
  std::uint64_t nested_whole = 0;
  std::uint64_t nested_restores = 0;
  std::uint64_t bytes_persisted = 0;
  std::uint64_t bytes_restored = 0;
  std::uint64_t objects_compared = 0;
  double bytes_over_bound = 0;
  double time_over_bound = 0;
};

Sums sums_of(const ExploreResult& result) {
  Sums sums;
  for (const CourseResult& course : result.courses) {
    const BoardResult& board = course.board;
    (course.course == Course::interrupted ? sums.interrupted : sums.suffered) += board.suffered;
    sums.nested_persists += board.nested_persists;
    sums.nested_whole += board.nested_whole;
    sums.nested_restores += board.nested_restores;
    sums.bytes_persisted += board.bytes_persisted;
    sums.bytes_restored += board.bytes_restored;
    sums.objects_compared += board.objects_compared;
    sums.bytes_over_bound = std::max(sums.bytes_over_bound, board.largest_bytes_over_bound);
    sums.time_over_bound = std::max(sums.time_over_bound, board.largest_time_over_bound);
  }
  return sums;
}

PointCounts all_of(const PointTable& points) {
  PointCounts all;
  for (const PointCounts& counts : points) all += counts;
  return all;
}

Json counts_json(const PointCounts& counts) {
  return {{"total", counts.total},   {"in_critical", counts.in_critical}, {"taken", counts.taken},
          {"shared", counts.shared}, {"happened", counts.happened},       {"dirty", counts.dirty}};
}

Json table_json(const Exploration& exploration, const PointTable& points) {
  Json table = Json::object();
  for (const PointClass point : kClasses) {
    if (wants(exploration, point))
      table[std::string(name_of(point))] = counts_json(points[static_cast<std::size_t>(point)]);
  }
  return table;
}

Json failure_json(const ShownFailure& shown) {
  const Failure& failure = shown.failure;
  Json nested = nullptr;
  if (failure.nested != Nested::none) {
    nested = {{"in", failure.nested == Nested::persist ? "persist" : "restore"}, {"at", failure.nested_at}};
  }
  Json out = {{"index", failure.index},
              {"course", std::string(name_of(failure.course))},
              {"place", failure.of_program ? Json(nullptr) : Json(to_string(failure.place))},
              {"second_failure", nested},
              {"operations_before", failure.operations},
              {"check", failure.check},
              {"what", failure.what},
              {"replay", shown.replay}};
  // Whose frames are inlined is a compiler's choice.
  if (failure.place.point == PointClass::access && !shown.frames.empty()) out["stack"] = shown.frames;
  return out;
}

std::string percent_of(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? "0 %" : percent(static_cast<double>(part) / static_cast<double>(all));
}

std::string line(const char* label, const std::string& text) {
  return fmt::format("  {:<11}{}\n", label, text);
}

std::string point_lines(const Exploration& exploration) {
  std::string text;
  for (const PointClass point : kClasses) {
    if (!wants(exploration, point)) continue;
    const PointCounts& counts = exploration.result.points[static_cast<std::size_t>(point)];
    text +=
        line(std::string(name_of(point)).c_str(),
             fmt::format("{} points, {} in critical sections ({}); {} tried: {} outages, {} with dirty data",
                         counts.total, counts.in_critical, percent_of(counts.in_critical, counts.total),
                         counts.taken == counts.total ? "all" : fmt::format("{}", counts.taken),
                         counts.happened, counts.dirty));
  }
  return text;
}

std::string failure_lines(const ShownFailure& shown) {
  const Failure& failure = shown.failure;
  std::string where = failure.of_program ? fmt::format("after {} operations", failure.operations)
                                         : fmt::format("at {}, operation {}", to_string(failure.place),
                                                       failure.operations + 1);
  if (failure.nested == Nested::persist)
    where += fmt::format(", the persist cut at bus point {}", failure.nested_at);
  if (failure.nested == Nested::restore)
    where += fmt::format(", the restore cut at bus point {}", failure.nested_at);
  std::string text = line("FAILED", fmt::format("{} ({})", where, name_of(failure.course)));
  text += line("", fmt::format("{}: {}", failure.check, failure.what));
  for (const std::string& frame : shown.frames) text += line("", "  " + frame);
  if (shown.smaller_tried > 0) {
    text += line("", fmt::format("made smaller: {} of {} tries failed the same check", shown.shrunk,
                                 shown.smaller_tried));
  }
  return text + line("", fmt::format("brownout replay '{}'", shown.replay));
}

}  // namespace

bool is_proven(const Exploration& exploration) {
  const ExploreResult& result = exploration.result;
  for (const PointClass point : kClasses) {
    if (!wants(exploration, point)) return false;
  }
  return result.pass() && result.complete && result.all_taken && !exploration.build_id.empty();
}

std::vector<std::string> assumptions_of(const Scenario& scenario, const Exploration& exploration) {
  std::vector<std::string> out = {
      "each persist has its energy: the capacitor carries the bound (`brownout size`)",
      "the order of memory accesses is that of this build for the host, not the target's",
      "an interrupt between two instructions without an access between them is one at the access",
      "the OS saves and restores stack and registers; peripherals are not modelled",
      "the FRAM fails as modelled: a byte that was clocked in is kept"};
  if (scenario.storage.bus.tick.period.count > 0) out.emplace_back("the RTOS tick does not strike");
  if (!exploration.options.nested)
    out.emplace_back("power that fails in a persist or a restore: only with --depth 2");
  return out;
}

std::string explore_json(const Scenario& scenario, const Exploration& exploration) {
  const ExploreResult& result = exploration.result;
  const ExploreOptions& options = exploration.options;
  const Sums sums = sums_of(result);
  Json courses = Json::array();
  for (const CourseResult& course : result.courses) {
    courses.push_back({{"course", std::string(name_of(course.course))},
                       {"points", table_json(exploration, course.board.points)},
                       {"interrupted_for_good", course.board.suffered},
                       {"failed", course.board.failed}});
  }
  Json failures = Json::array();
  for (const ShownFailure& shown : exploration.failures) failures.push_back(failure_json(shown));
  Json report = {
      {"schema", "brownout-explore"},
      {"schema_version", kExploreSchemaVersion},
      {"brownout_version", BROWNOUT_VERSION},
      {"scenario", scenario.name},
      {"seed", scenario.seed},
      {"operations", result.operations},
      {"depth", options.nested ? 2 : 1},
      {"from", options.from},
      {"to", options.to ? Json(*options.to) : Json(nullptr)},
      {"sample", options.sample ? Json(*options.sample) : Json(nullptr)},
      {"complete", result.complete},
      {"pass", result.pass()},
      {"proven", is_proven(exploration)},
      {"assumptions", assumptions_of(scenario, exploration)},
      {"points", table_json(exploration, result.points)},
      {"courses", courses},
      {"second_failures",
       {{"persists_cut", sums.nested_persists},
        {"of_these_whole", sums.nested_whole},
        {"restores_cut", sums.nested_restores}}},
      {"verified",
       {{"states_compared", all_of(result.points).happened},
        {"objects_compared", sums.objects_compared},
        {"bytes_persisted", sums.bytes_persisted},
        {"bytes_restored", sums.bytes_restored},
        {"largest_over_bound", {{"bytes", sums.bytes_over_bound}, {"time", sums.time_over_bound}}}}},
      {"failed_points", result.failed},
      {"failures", failures}};
  if (wants(exploration, PointClass::access)) report["build_id"] = exploration.build_id;
  return report.dump(2) + "\n";
}

std::string explore_text(const Scenario& scenario, const Exploration& exploration) {
  const ExploreResult& result = exploration.result;
  const Sums sums = sums_of(result);
  std::string text =
      fmt::format("{}: {} operations, {} courses, {} power failures a point\n", scenario.name,
                  result.operations, result.courses.size(), exploration.options.nested ? 2 : 1);
  text += point_lines(exploration);
  if (exploration.options.nested) {
    text += line("again", fmt::format("{} persists cut ({} whole all the same), {} restores cut",
                                      sums.nested_persists, sums.nested_whole, sums.nested_restores));
  }
  std::string for_good = fmt::format("{} transfers were interrupted and not put back", sums.suffered);
  if (sums.interrupted > 0) for_good += fmt::format(", and the program at {} accesses", sums.interrupted);
  text += line("for good", for_good);
  text +=
      line("verified",
           fmt::format("RAM, OS part, stack and store after each outage; {} objects; bound: {} of the "
                       "bytes, {} of the time",
                       sums.objects_compared, percent(sums.bytes_over_bound), percent(sums.time_over_bound)));
  for (const ShownFailure& shown : exploration.failures) text += failure_lines(shown);
  if (!result.complete) text += line("stopped", "interrupted: what is above is what was done");
  if (is_proven(exploration)) {
    text +=
        line("PROVEN", "no moment of power loss costs this workload its data, for any number of outages, if");
    for (const std::string& assumption : assumptions_of(scenario, exploration))
      text += line("", "- " + assumption);
  } else if (result.pass()) {
    text += line("passed", wants(exploration, PointClass::access)
                               ? "no failure; not every point was taken"
                               : "no failure; without access points this is no proof");
  } else {
    text += line("FAILED", fmt::format("{} points failed", result.failed));
  }
  return text;
}

}  // namespace brownout::sim
