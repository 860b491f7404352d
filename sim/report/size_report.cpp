#include "sim/report/size_report.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/report/figures.hpp"
#include "sim/report/size_inputs.hpp"
#include "sim/report/storage_outlook.hpp"
#include "sim/scenario/quantity.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// --- text -----------------------------------------------------------------------------------------

std::string row(const std::string& label, const std::string& value, const std::string& remark = "") {
  if (remark.empty()) return fmt::format("  {:<29} {}\n", label, value);
  return fmt::format("  {:<29} {:<11} {}\n", label, value, remark);
}

std::string time_row(const char* label, Picoseconds time, const std::string& remark = "") {
  return row(label, si(time.seconds(), "s"), remark);
}

std::string capacitance(double farads) {
  return std::isfinite(farads) ? si(farads, "F") : std::string("none does");
}
std::string level(double volts) {
  return std::isfinite(volts) ? fmt::format("{:.3f} V", volts) : std::string("none does");
}

std::string written(const Input& input) {
  if (!std::isfinite(input.value)) return "none";
  if (input.dimension == Dimension::bytes) return format_bytes(static_cast<std::uint64_t>(input.value));
  return format_quantity(input.value, input.dimension);
}

std::string inputs_text(const Scenario& scenario) {
  std::string text = "inputs\n";
  for (const Input& input : inputs_of(scenario)) {
    text += row(input.key, written(input), input.origin);
  }
  return text + row("storage.bus", bus_origin(scenario));
}

bool is_ideal(const devices::Converter& converter) {
  return converter.has_efficiency() && converter.efficiency == 1 && converter.quiescent_a == 0;
}

// What the image takes on its way to the store.
std::string transfer_text(const PersistTimes& times, bool is_mapped) {
  if (is_mapped) {
    return time_row("call", times.call) + time_row("bursts of the copy, masked", times.handovers) +
           time_row("words by the CPU", times.copies) + time_row("checksum", times.checksum);
  }
  return time_row("stopping what is in flight", times.stop) + time_row("call and set-ups", times.call) +
         time_row("hand-overs of chunks", times.handovers) + time_row("copies by the CPU", times.copies) +
         time_row("bits on the wire", times.wire) + time_row("checksum beyond the wire", times.checksum);
}

std::string attempts_text(const PersistBound& bound) {
  return bound.attempts > 1 ? fmt::format(", {} attempts together", bound.attempts) : "";
}

std::string bound_text(const Scenario& scenario, const PersistBound& bound) {
  const PersistTimes& times = bound.times;
  const bool is_mapped = scenario.storage.part.is_mapped;
  std::string text = "worst persist, from the instant at which warn is reached\n";
  text += row("bytes", fmt::format("{} B", bound.bytes),
              is_mapped ? fmt::format("in {} pieces, {} bursts", bound.pieces, bound.chunks)
                        : fmt::format("in {} pieces, {} chunks, {} transactions{}", bound.pieces,
                                      bound.chunks, bound.transactions, attempts_text(bound)));
  text += time_row(
      scenario.supply.comparator.poll.count == 0 ? "comparator's latency" : "comparator's poll and latency",
      times.latency,
      times.latency.count == 0 ? "" : fmt::format("the program draws up to {}", si(bound.latency_w, "W")));
  text += time_row("critical section", times.section, fmt::format("{} cycles", bound.section_cycles));
  text += transfer_text(times, is_mapped);
  text += time_row("walks and other CPU work", times.steps);
  if (times.read_back.count > 0) text += time_row("reading back", times.read_back);
  if (times.timeouts.count > 0) {
    text += time_row("timeouts", times.timeouts, fmt::format("of {} attempts", bound.attempts - 1));
  }
  if (times.ticks.count > 0) text += time_row("ticks of the RTOS", times.ticks);
  text += time_row("time", times.total());
  text += row("energy in the latency", si(bound.latency_j, "J"));
  text += row("energy of the MCU", si(bound.mcu_j, "J"));
  if (!is_mapped) text += row("energy of the FRAM", si(bound.storage_j, "J"));
  const double lost_j = bound.energy_j() - bound.rail_j();
  return text + row("energy", si(bound.energy_j(), "J"),
                    is_ideal(scenario.supply.converter)
                        ? "at the capacitor"
                        : fmt::format("at the capacitor, {} of it for the converter", si(lost_j, "J")));
}

// How much is too little, or to spare.
std::string verdict(double has_f, double needed_f) {
  if (!std::isfinite(needed_f)) return "no capacitor is large enough";
  if (has_f >= needed_f) return fmt::format("fits, {:.3g} times what it takes", has_f / needed_f);
  return fmt::format("too small by {}", si(needed_f - has_f, "F"));
}

std::string window_remark(const Scenario& scenario, const Sizing& sizing) {
  if (sizing.window) return "";
  const Thresholds& levels = scenario.supply.thresholds;
  const Deviation worst = worst_for_persist(scenario.supply);
  return fmt::format(
      "  At that corner nothing is left between the levels: warn may be as low as {}, brown-out as high as\n"
      "  {}. Levels further apart or a smaller supply.comparator.tolerance are needed, not a larger\n"
      "  capacitor.\n",
      level(levels.warn_v * worst.warn), level(levels.brown_out_v * worst.brown_out));
}

std::string persist_text(const Scenario& scenario, const Sizing& sizing) {
  const SupplyConfig& supply = scenario.supply;
  const Thresholds& levels = supply.thresholds;
  const Deviation worst = worst_for_persist(supply);
  std::string text = "persist capacitor: that energy between warn and brown-out, nothing harvested\n";
  if (supply.capacitor.esr_ohm > 0) {
    text += row(
        "drop across the ESR",
        si(supply.capacitor.esr_ohm * sizing.persist.peak_w / (levels.brown_out_v * worst.brown_out), "V"),
        fmt::format("of {} at brown-out", si(sizing.persist.peak_w, "W")));
  }
  text += row("all parts nominal", capacitance(sizing.persist_nominal_f),
              fmt::format("{} to {}", level(levels.warn_v), level(levels.brown_out_v)));
  text += row("worst corner", capacitance(sizing.persist_worst_f),
              fmt::format("{} to {}, with {} of the capacitance", level(levels.warn_v * worst.warn),
                          level(levels.brown_out_v * worst.brown_out), percent(worst.capacitance)));
  text += window_remark(scenario, sizing);
  const double has_f = supply.capacitor.capacitance_f;
  return text + row("the scenario's", si(has_f, "F"), verdict(has_f, sizing.persist_worst_f));
}

std::string demand_remark(const Demand& demand) {
  return fmt::format("in {}", si(demand.time.seconds(), "s"));
}

std::string start_text(const Scenario& scenario, const Sizing& sizing) {
  const SupplyConfig& supply = scenario.supply;
  const StartDemand& start = sizing.start;
  std::string text =
      "start: boot, restore and one operation between turn-on and warn, nothing harvested, and the persist\n"
      "in reserve\n";
  text += row("boot", si(start.boot.energy_j, "J"), demand_remark(start.boot));
  text += row("restore", si(start.restore.energy_j, "J"),
              fmt::format("{}: an estimate, {} reads of {} B", demand_remark(start.restore),
                          start.restore_reads, start.restore_bytes));
  text += start.operation
              ? row("operation", si(start.operation->energy_j, "J"),
                    fmt::format("{}: the largest of a run without outages", demand_remark(*start.operation)))
              : row("operation", "not known", "taken as nothing: the run without outages failed");
  text += row("energy", si(start.total().energy_j, "J"));
  const double has_f = supply.capacitor.capacitance_f;
  text += row(fmt::format("turn-on at {}", level(supply.thresholds.turn_on_v)),
              capacitance(sizing.start_nominal_f),
              fmt::format("needed; {} at the worst corner: {}", capacitance(sizing.start_worst_f),
                          verdict(has_f, sizing.start_worst_f)));
  const double max_v = supply.capacitor.max_voltage_v;
  const bool above = sizing.turn_on_worst_v > max_v;
  text += row(fmt::format("capacitor of {}", si(has_f, "F")), level(sizing.turn_on_nominal_v),
              fmt::format("turn-on needed; {} at the worst corner{}", level(sizing.turn_on_worst_v),
                          above ? fmt::format(", above max_voltage ({})", level(max_v)) : ""));
  return text + row("smallest capacitor", capacitance(sizing.smallest_f()),
                    "for both, at the worst corners and the turn-on level as it is");
}

std::string corners_text(const Scenario& scenario, const Sizing& sizing) {
  const Thresholds& levels = scenario.supply.thresholds;
  std::string text = "corners of the persist capacitor\n  capacitance   warn       brown-out  needed\n";
  for (std::size_t i = 0; i < sizing.corners.size(); ++i) {
    const Corner& corner = sizing.corners[i];
    text += fmt::format("  {:<14}{:<11}{:<11}{}{}\n", percent(corner.parts.capacitance),
                        level(levels.warn_v * corner.parts.warn),
                        level(levels.brown_out_v * corner.parts.brown_out), capacitance(corner.capacitance_f),
                        i == sizing.worst_corner ? "  <- the worst" : "");
  }
  return text;
}

std::string spreads_text(const Sizing& sizing) {
  std::string text = "what each tolerance alone does to the persist capacitor\n";
  for (std::size_t i = 0; i < sizing.spreads.size(); ++i) {
    const Spread& spread = sizing.spreads[i];
    text +=
        row(spread.name, fmt::format("{} to {}{}", capacitance(spread.least_f), capacitance(spread.most_f),
                                     i == sizing.largest_spread ? "  <- dominates" : ""));
  }
  return text;
}

std::string monte_carlo_text(const Scenario& scenario, const Sizing& sizing) {
  const MonteCarlo& drawn = *sizing.monte_carlo;
  std::string text = fmt::format("{} boards drawn, each tolerance uniform within its bounds, seed {}\n",
                                 drawn.draws, drawn.seed);
  text += row(fmt::format("{} does for", si(scenario.supply.capacitor.capacitance_f, "F")),
              fmt::format("{:.4f} %", 100 * drawn.pass_share()), fmt::format("{} boards", drawn.passed));
  text += row("half of them need at most", capacitance(drawn.median_f));
  return text + row("99 % of them need at most", capacitance(drawn.p99_f));
}

// --- JSON -----------------------------------------------------------------------------------------

Json inputs_json(const Scenario& scenario) {
  Json list = Json::array();
  for (const Input& input : inputs_of(scenario)) {
    list.push_back({{"key", input.key}, {"value", number(input.value)}, {"origin", input.origin}});
  }
  list.push_back({{"key", "storage.bus"},
                  {"value", scenario.storage.part.is_mapped ? Json(nullptr)
                                                            : Json(std::string(scenario.storage.bus.name))},
                  {"origin", bus_origin(scenario)}});
  return list;
}

Json bound_json(const PersistBound& bound) {
  const PersistTimes& times = bound.times;
  Json json = {
      {"bytes", bound.bytes},
      {"pieces", bound.pieces},
      {"chunks", bound.chunks},
      {"transactions", bound.transactions},
      {"section_cycles", bound.section_cycles},
      {"time_s", times.total().seconds()},
      {"times_s",
       {{"latency", times.latency.seconds()},
        {"section", times.section.seconds()},
        {"stop", times.stop.seconds()},
        {"call", times.call.seconds()},
        {"handovers", times.handovers.seconds()},
        {"copies", times.copies.seconds()},
        {"wire", times.wire.seconds()},
        {"checksum", times.checksum.seconds()},
        {"steps", times.steps.seconds()},
        {"ticks", times.ticks.seconds()}}},
      {"energy_j", bound.energy_j()},
      {"energies_j", {{"latency", bound.latency_j}, {"mcu", bound.mcu_j}, {"storage", bound.storage_j}}},
      {"peak_w", bound.largest_w()}};
  if (bound.attempts > 1 || times.read_back.count > 0) {
    json["attempts"] = bound.attempts;
    json["times_s"]["read_back"] = times.read_back.seconds();
    json["times_s"]["timeouts"] = times.timeouts.seconds();
  }
  return json;
}

Json demand_json(const Demand& demand) {
  return {{"energy_j", demand.energy_j}, {"time_s", demand.time.seconds()}};
}

Json start_json(const Sizing& sizing) {
  const StartDemand& start = sizing.start;
  Json restore = demand_json(start.restore);
  restore["reads"] = start.restore_reads;
  restore["bytes"] = start.restore_bytes;
  return {{"boot", demand_json(start.boot)},
          {"restore_estimate", restore},
          {"operation", start.operation ? demand_json(*start.operation) : Json(nullptr)},
          {"energy_j", start.total().energy_j},
          {"nominal_f", number(sizing.start_nominal_f)},
          {"worst_f", number(sizing.start_worst_f)},
          {"turn_on_nominal_v", number(sizing.turn_on_nominal_v)},
          {"turn_on_worst_v", number(sizing.turn_on_worst_v)}};
}

Json corners_json(const Scenario& scenario, const Sizing& sizing) {
  const Thresholds& levels = scenario.supply.thresholds;
  Json list = Json::array();
  for (const Corner& corner : sizing.corners) {
    list.push_back({{"capacitance_factor", corner.parts.capacitance},
                    {"warn_v", levels.warn_v * corner.parts.warn},
                    {"brown_out_v", levels.brown_out_v * corner.parts.brown_out},
                    {"needed_f", number(corner.capacitance_f)}});
  }
  return list;
}

Json spreads_json(const Sizing& sizing) {
  Json list = Json::array();
  for (const Spread& spread : sizing.spreads) {
    list.push_back(
        {{"tolerance", spread.name}, {"least_f", number(spread.least_f)}, {"most_f", number(spread.most_f)}});
  }
  return list;
}

Json monte_carlo_json(const MonteCarlo& drawn) {
  return {{"draws", drawn.draws},
          {"seed", drawn.seed},
          {"passed", drawn.passed},
          {"pass_share", drawn.pass_share()},
          {"median_f", number(drawn.median_f)},
          {"p99_f", number(drawn.p99_f)}};
}

}  // namespace

std::string size_text(const Scenario& scenario, const Sizing& sizing, bool corners) {
  const double has_f = scenario.supply.capacitor.capacitance_f;
  std::string text = fmt::format("{}: {} is {} for the worst persist\n", scenario.name, si(has_f, "F"),
                                 sizing.fits(scenario.supply) ? "enough" : "TOO SMALL");
  for (const std::string& warning : warnings_of(scenario)) text += fmt::format("  WARNING: {}\n", warning);
  if (!(sizing.start_worst_f <= has_f)) {
    text += "  at the worst corner not enough for a start and an operation without any harvest\n";
  }
  text += inputs_text(scenario);
  text += bound_text(scenario, sizing.bound);
  text += persist_text(scenario, sizing);
  text += start_text(scenario, sizing);
  if (corners) text += corners_text(scenario, sizing);
  if (corners || sizing.monte_carlo) text += spreads_text(sizing);
  if (sizing.monte_carlo) text += monte_carlo_text(scenario, sizing);
  return text;
}

std::string size_json(const Scenario& scenario, const Sizing& sizing) {
  Json report;
  report["schema_version"] = kSizeSchemaVersion;
  report["version"] = BROWNOUT_VERSION;
  report["scenario"] = scenario.name;
  report["verdict"] = sizing.fits(scenario.supply) ? "fits" : "too_small";
  report["capacitance_f"] = scenario.supply.capacitor.capacitance_f;
  report["warnings"] = warnings_of(scenario);
  report["inputs"] = inputs_json(scenario);
  report["persist_bound"] = bound_json(sizing.bound);
  report["persist"] = {{"nominal_f", number(sizing.persist_nominal_f)},
                       {"worst_f", number(sizing.persist_worst_f)},
                       {"window_at_worst_corner", sizing.window}};
  report["start"] = start_json(sizing);
  report["smallest_f"] = number(sizing.smallest_f());
  report["corners"] = corners_json(scenario, sizing);
  report["worst_corner"] = sizing.worst_corner;
  report["tolerances"] = spreads_json(sizing);
  report["dominating_tolerance"] = sizing.spreads[sizing.largest_spread].name;
  report["monte_carlo"] = sizing.monte_carlo ? monte_carlo_json(*sizing.monte_carlo) : Json(nullptr);
  return report.dump(2) + "\n";
}

}  // namespace brownout::sim
