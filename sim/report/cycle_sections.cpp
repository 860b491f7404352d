#include "sim/report/cycle_sections.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;
using Point = VoltageEnvelope::Point;

Json seconds_or_null(const std::optional<Picoseconds>& time) {
  return time ? Json(time->seconds()) : Json(nullptr);
}
Json volts_or_null(const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); }

Json distribution(const Distribution& times) {
  const auto quantile = [&times](std::uint64_t per_mille) {
    return times.count() > 0 ? Json(times.quantile(per_mille).seconds()) : Json(nullptr);
  };
  Json histogram = Json::array();
  for (const Distribution::Bin& bin : times.bins())
    histogram.push_back({bin.from.seconds(), bin.to.seconds(), bin.count});
  return {{"count", times.count()}, {"p50_s", quantile(500)},  {"p90_s", quantile(900)},
          {"p99_s", quantile(990)}, {"p999_s", quantile(999)}, {"maximum_s", quantile(1000)},
          {"histogram", histogram}};
}

Json voltage(const VoltageEnvelope& envelope) {
  Json lowest = Json::array();
  Json highest = Json::array();
  for (const VoltageEnvelope::Stretch& stretch : envelope.stretches()) {
    lowest.push_back(stretch.empty ? Json(nullptr) : Json(stretch.lowest.v));
    highest.push_back(stretch.empty ? Json(nullptr) : Json(stretch.highest.v));
  }
  return {{"stretch_s", envelope.length().seconds()}, {"lowest_v", lowest}, {"highest_v", highest}};
}

Json reasons(unsigned why) {
  constexpr std::pair<unsigned, const char*> kReasons[] = {{CycleLog::kAsFirst, "first"},
                                                           {CycleLog::kAsLast, "last"},
                                                           {CycleLog::kAsLost, "lost"},
                                                           {CycleLog::kAsLongestPersist, "longest_persist"},
                                                           {CycleLog::kAsLowestVoltage, "lowest_voltage"},
                                                           {CycleLog::kAsAsked, "asked"}};
  Json names = Json::array();
  for (const auto& [bit, name] : kReasons) {
    if ((why & bit) != 0) names.push_back(name);
  }
  return names;
}

Json record(const Cycle& cycle) {
  Json used = Json::object();
  for (std::size_t i = 0; i < kPhases; ++i)
    used[std::string(name_of(static_cast<Phase>(i)))] = cycle.energy.phases_j[i];
  Json events = Json::array();
  for (const Cycle::Event& event : cycle.events)
    events.push_back({std::string(name_of(event.kind)), event.point.at.seconds(), event.point.v});
  Json points = Json::array();
  for (const Point& point : cycle.points) points.push_back({point.at.seconds(), point.v});
  const CycleEnergy& energy = cycle.energy;
  return {{"cycle", cycle.number},
          {"end", std::string(name_of(cycle.end))},
          {"kept_as", reasons(cycle.kept_because)},
          {"begin_s", cycle.begin_at.seconds()},
          {"turn_on_s", seconds_or_null(cycle.turn_on_at)},
          {"end_s", cycle.end_at.seconds()},
          {"begin_j", cycle.begin_j},
          {"turn_on_j", cycle.turn_on_at ? Json(cycle.turn_on_j) : Json(nullptr)},
          {"end_j", cycle.end_j},
          {"harvested_j", energy.harvested_j},
          {"used_j", used},
          {"leakage_j", energy.leakage_j},
          {"esr_j", energy.esr_j},
          {"clipped_j", energy.clipped_j},
          {"conversion_j", energy.conversion_j},
          {"charging_j", energy.charging_j},
          {"off_j", energy.off_j},
          {"operations", cycle.operations},
          {"false_alarms", cycle.false_alarms},
          {"persist_s", seconds_or_null(cycle.persist)},
          {"restore_s", seconds_or_null(cycle.restore)},
          {"persist_end_v", volts_or_null(cycle.persist_end_v)},
          {"lowest_v", volts_or_null(cycle.lowest_v)},
          {"events", events},
          {"points", points}};
}

}  // namespace

std::string cycle_sections(const CycleLog& log) {
  std::string text = fmt::format(
      "  \"distribution\": {{\n    \"persist\": {},\n    \"restore\": {},\n    \"charging\": {}\n  }},\n",
      distribution(log.persist_times()).dump(), distribution(log.restore_times()).dump(),
      distribution(log.charging_times()).dump());
  text += fmt::format("  \"voltage\": {},\n", voltage(log.envelope()).dump());
  text += fmt::format(
      "  \"cycles\": {{\n    \"count\": {},\n    \"lost\": {},\n    \"kept\": {},\n    \"all_kept\": {},\n"
      "    \"records\": [",
      log.count(), log.lost(), log.kept().size(), log.kept().size() == log.count());
  const char* before = "\n      ";
  for (const auto& [number, cycle] : log.kept()) {
    text += before;
    text += record(cycle).dump();
    before = ",\n      ";
  }
  return text + "\n    ]\n  }";
}

}  // namespace brownout::sim
