#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/machine/sizing.hpp"
#include "sim/report/cycle_sections.hpp"
#include "sim/report/inputs.hpp"
#include "sim/report/report.hpp"
#include "sim/report/storage_outlook.hpp"
#include "sim/scenario/choices.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr Phase kAllPhases[] = {Phase::boot, Phase::run, Phase::persist, Phase::restore, Phase::off};

// JSON has no infinity.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json statistic(const Statistic& values) {
  if (values.count() == 0) return {{"minimum", nullptr}, {"mean", nullptr}, {"maximum", nullptr}};
  return {{"minimum", values.minimum()}, {"mean", values.mean()}, {"maximum", values.maximum()}};
}

Json transfers(const TransferStatistics& all) {
  return {{"count", all.time_s.count()},
          {"time_s", statistic(all.time_s)},
          {"energy_j", statistic(all.energy_j)},
          {"bytes", statistic(all.bytes)},
          {"transactions", statistic(all.transactions)}};
}

Json by_phase(const RunResult& result) {
  Json phases = Json::object();
  for (const Phase phase : kAllPhases) {
    const PhaseUse& use = result.phases[static_cast<std::size_t>(phase)];
    phases[std::string(name_of(phase))] = {{"time_s", use.time.seconds()},
                                           {"time_ps", use.time.count},
                                           {"energy_j", use.energy_j()},
                                           {"cpu_j", use.cpu_j},
                                           {"bus_j", use.bus_j},
                                           {"storage_j", use.storage_j},
                                           {"peripherals_j", use.peripherals_j}};
  }
  return phases;
}

Json consumers(const RunResult& result) {
  double cpu = 0;
  double bus = 0;
  double storage = 0;
  double peripherals = 0;
  for (const PhaseUse& use : result.phases) {
    cpu += use.cpu_j;
    bus += use.bus_j;
    storage += use.storage_j;
    peripherals += use.peripherals_j;
  }
  return {{"cpu", cpu},
          {"bus", bus},
          {"storage", storage},
          {"peripherals", peripherals},
          {"leakage", result.leakage_j},
          {"esr", result.esr_j},
          {"clipped", result.clipped_j},
          {"conversion", result.conversion_j},
          {"charging", result.charging_j},
          {"off", result.off_j}};
}

Json recovered(const std::optional<Recovered>& found) {
  if (!found) return nullptr;
  return {{"from_image", found->from_image},
          {"in_doubt", found->in_doubt},
          {"kept", found->kept},
          {"fell_back", found->fell_back},
          {"reclaimed", found->reclaimed}};
}

Json restorable(const std::optional<bool>& older) { return older ? Json(*older) : Json(nullptr); }

Json losses(const RunResult& result) {
  Json list = Json::array();
  for (const Loss& loss : result.losses) {
    list.push_back({{"time_s", loss.at.seconds()},
                    {"time_ps", loss.at.count},
                    {"cause", loss.warned ? "persist_cut" : "no_warning"},
                    {"objects", loss.objects},
                    {"objects_total", loss.objects_total},
                    {"bytes", loss.bytes},
                    {"warned_at_v", loss.warned_at_v},
                    {"began_at_v", loss.began_at_v},
                    {"delay_energy_j", loss.delay_energy_j},
                    {"persist_energy_j", loss.persist_energy_j},
                    {"lacked_j", loss.lacked_j},
                    {"needed_capacitance_f", number(loss.needed_capacitance_f)},
                    {"older_restorable", restorable(loss.older_restorable)},
                    {"attached", recovered(loss.recovered)}});
  }
  return list;
}

std::string_view name_of_path(devices::PathKind kind) {
  return kind == devices::PathKind::ideal ? "efficiency" : path_name(kind);
}

// One number, the name of a table, or what follows from the voltages.
template <class Path>
Json efficiency_of(const Path& path) {
  if (path.table) return path.table->name;
  return path.has_efficiency() ? Json(path.efficiency) : Json(nullptr);
}

// Of a mapped part there is no bus to say anything of.
template <class Value>
Json of_bus(const Scenario& scenario, const Value& value) {
  return scenario.storage.part.is_mapped ? Json(nullptr) : Json(value);
}

Json configuration(const Scenario& scenario) {
  const auto& supply = scenario.supply;
  const firmware::MemoryOptions& memory = scenario.heap.memory;
  Json json = {{"mcu", scenario.mcu.profile.name},
               {"mcu_clock_hz", scenario.mcu.clock_hz},
               {"os_save_bytes", scenario.mcu.os_save_bytes},
               {"part", scenario.storage.part.name},
               {"bus", of_bus(scenario, std::string(scenario.storage.bus.name))},
               {"sck_hz", of_bus(scenario, scenario.storage.sck_hz)},
               {"sck_asked_hz", of_bus(scenario, scenario.storage.sck_asked_hz)},
               {"transfer", of_bus(scenario, std::string(devices::name_of(scenario.storage.transfer)))},
               {"slice_bytes", of_bus(scenario, scenario.storage.slice_bytes)},
               {"capacitance_f", supply.capacitor.capacitance_f},
               {"esr_ohm", supply.capacitor.esr_ohm},
               {"leakage_ohm", number(supply.capacitor.leakage_ohm)},
               {"leakage_a", supply.leakage_a},
               {"max_voltage_v", supply.capacitor.max_voltage_v},
               {"turn_on_v", supply.thresholds.turn_on_v},
               {"warn_v", supply.thresholds.warn_v},
               {"brown_out_v", supply.thresholds.brown_out_v},
               {"capacitance_tolerance", supply.capacitance_tolerance},
               {"comparator_latency_s", supply.comparator.latency.seconds()},
               {"comparator_poll_s", supply.comparator.poll.seconds()},
               {"comparator_hysteresis_v",
                supply.comparator.hysteresis_v ? Json(*supply.comparator.hysteresis_v) : Json(nullptr)},
               {"comparator_tolerance", supply.comparator.tolerance},
               {"supply_preset", supply.preset.empty() ? Json(nullptr) : Json(supply.preset)},
               {"charger_path", std::string(name_of_path(supply.charger.kind))},
               {"charger_efficiency", efficiency_of(supply.charger)},
               {"converter_path", std::string(name_of_path(supply.converter.kind))},
               {"converter_efficiency", efficiency_of(supply.converter)},
               {"quiescent_a", supply.converter.quiescent_a},
               {"off_a", supply.off_a},
               {"ram_bytes", scenario.heap.ram_bytes},
               {"dirty_limit_bytes", scenario.heap.dirty_limit_bytes},
               {"memory", std::string(name_in(kMemories, memory.kind))},
               {"ram_allocator", std::string(name_in(kRamAllocators, memory.ram_allocator))},
               {"nv_allocator", std::string(name_in(kNvAllocators, memory.store_allocator))},
               {"policy", std::string(name_in(kPolicies, memory.policy))},
               {"slots", std::string(name_in(kSlots, memory.slots))},
               {"checksum", std::string(name_in(kChecksums, memory.checksum))}};
  if (scenario.storage.bus.spi_mode != 0) json["spi_mode"] = scenario.storage.bus.spi_mode;
  if (scenario.mcu.brown_out_level_v) json["mcu_brown_out_level_v"] = *scenario.mcu.brown_out_level_v;
  return json;
}

Json storage_of(const Scenario& scenario, const RunResult& result) {
  const devices::FramPart& part = scenario.storage.part;
  const devices::FramViolations& misuse = result.violations;
  const auto years = years_of_wear(scenario, result);
  return {{"estimates", devices::estimates_in(part)},
          {"wear",
           {{"row_bytes", part.row_bytes.value},
            {"reads_wear", part.reads_wear.value},
            {"endurance", part.endurance.value},
            {"hottest_row_address", result.wear.address},
            {"hottest_row_accesses", result.wear.accesses},
            {"years_at_this_rate", years ? Json(*years) : Json(nullptr)}}},
          {"misuse",
           {{"write_without_wel", misuse.write_without_wel},
            {"access_before_ready", misuse.access_before_ready},
            {"unknown_opcode", misuse.unknown_opcode},
            {"write_protected", misuse.write_protected}}},
          {"faults",
           {{"power_loss", std::string(name_in(kPowerLossFaults, scenario.storage.power_loss))},
            {"bytes_cut", result.damage.bytes_cut},
            {"garbage_bytes", result.damage.garbage_bytes},
            {"rows_lost", result.damage.rows_lost}}}};
}

// What was injected is counted by the test bench, what was noticed by the firmware.
Json bus_faults_of(const Scenario& scenario, const RunResult& result) {
  const StorageConfig& storage = scenario.storage;
  const InjectedFaults& injected = result.injected;
  const NoticedFaults& noticed = result.noticed;
  return {{"bit_error_rate", storage.bus_faults.bit_error_rate},
          {"missing_answer", storage.bus_faults.missing_answer},
          {"policy",
           {{"retries", storage.retries},
            {"timeout_s", storage.timeout.seconds()},
            {"verify", std::string(name_in(kVerify, storage.verify))}}},
          {"injected",
           {{"command_bits", injected.command_bits},
            {"sent_bits", injected.sent_bits},
            {"received_bits", injected.received_bits},
            {"transactions_hit", injected.transactions},
            {"missing_answers", injected.missing_answers}}},
          {"noticed",
           {{"timed_out", noticed.timed_out},
            {"written_differs", noticed.written_differs},
            {"reads_differ", noticed.reads_differ},
            {"identity_wrong", noticed.identity_wrong},
            {"image_damaged", noticed.image_damaged}}},
          {"repeated", noticed.repeated},
          {"gave_up", noticed.gave_up},
          {"wrong_bytes_in_store", result.wrong_bytes ? Json(*result.wrong_bytes) : Json(nullptr)}};
}

// Of the scenario as written, without its name, which says nothing about what was simulated, and of the bytes
// of a file that it names.
Json hashes(const Scenario& scenario) {
  Json inputs = inputs_of(scenario);
  if (inputs.is_null()) return {{"scenario", nullptr}, {"configuration", hash_of(configuration(scenario))}};
  inputs.erase("name");
  inputs["seed"] = scenario.seed;
  const std::string file = hash_of_source_file(scenario);
  if (!file.empty()) inputs["hash of the source's file"] = file;
  return {{"scenario", hash_of(inputs)}, {"configuration", hash_of(configuration(scenario))}};
}

// How much of the time the board was on, and the program ran; work for time and energy.
Json progress(const RunResult& result) {
  const auto share = [&result](Picoseconds time) {
    return result.simulated.count > 0 ? Json(time.seconds() / result.simulated.seconds()) : Json(nullptr);
  };
  const auto each = [](double count, double of) { return of > 0 ? Json(count / of) : Json(nullptr); };
  Picoseconds on;
  double used_j = 0;
  for (const Phase phase : kAllPhases) {
    const PhaseUse& use = result.phases[static_cast<std::size_t>(phase)];
    used_j += use.energy_j();
    if (phase != Phase::off) on += use.time;
  }
  const Picoseconds running = result.phases[static_cast<std::size_t>(Phase::run)].time;
  const auto operations = static_cast<double>(result.operations);
  return {{"duty_cycle", share(on)},
          {"unavailability", share(result.simulated - running)},
          {"operations_per_second", each(operations, result.simulated.seconds())},
          {"operations_per_joule", each(operations, used_j)},
          {"operations_per_harvested_joule", each(operations, result.harvested_j)}};
}

// What is left: volts above brown-out after the worst persist, shares of the bound that it did not take, and
// how often the capacitance would do. Null without a persist.
Json margin(const Scenario& scenario, const RunResult& result) {
  const bool any = result.persist.time_s.count() > 0;
  const auto left = [any](double value) { return any ? number(value) : Json(nullptr); };
  const double recommended_f = recommended_capacitance(scenario, result);
  return {{"voltage_v", left(result.lowest_persist_end_v - scenario.supply.thresholds.brown_out_v)},
          {"time_share", left(1 - result.largest_over_bound.time)},
          {"energy_share", left(1 - result.largest_over_bound.energy)},
          {"capacitance_ratio", number(scenario.supply.capacitor.capacitance_f / recommended_f)}};
}

// Shares are null if there was no persist.
Json bound_of(const RunResult& result) {
  const PersistBound& bound = result.persist_bound;
  const OverBound& largest = result.largest_over_bound;
  const bool any = result.persist.time_s.count() > 0;
  const auto share = [any](double value) { return any ? Json(value) : Json(nullptr); };
  return {
      {"bytes", bound.bytes},
      {"pieces", bound.pieces},
      {"transactions", bound.transactions},
      {"time_s", bound.times.total().seconds()},
      {"time_ps", bound.times.total().count},
      {"energy_j", bound.energy_j()},
      {"section_cycles", bound.section_cycles},
      {"section_limit_cycles", bound.section_limit_cycles},
      {"largest_over_bound",
       {{"bytes", share(largest.bytes)}, {"time", share(largest.time)}, {"energy", share(largest.energy)}}}};
}

}  // namespace

Uncalibrated uncalibrated_share(const RunResult& result) {
  const PhaseUse& boot = result.phases[static_cast<std::size_t>(Phase::boot)];
  double on_s = 0;
  double energy_j = 0;
  for (const Phase phase : kAllPhases) {
    const PhaseUse& use = result.phases[static_cast<std::size_t>(phase)];
    if (phase != Phase::off) on_s += use.time.seconds();
    energy_j += use.energy_j();
  }
  Uncalibrated share;
  const double time_s =
      boot.time.seconds() + result.charged_cpu.seconds() + result.uncalibrated_bus.seconds();
  if (on_s > 0) share.time_share = time_s / on_s;
  if (energy_j > 0)
    share.energy_share = (boot.energy_j() + result.charged_cpu_j + result.uncalibrated_bus_j) / energy_j;
  return share;
}

double recommended_capacitance(const Scenario& scenario, const RunResult& result) {
  const Demand full = demand_of(result.persist_bound);
  double needed =
      std::max(capacitance_for(full.energy_j, full.peak_w, scenario.supply), result.needed_capacitance_f);
  needed = std::max(needed, capacitance_for_start(result.largest_start_j, scenario.supply));
  for (const Loss& loss : result.losses) needed = std::max(needed, loss.needed_capacitance_f);
  return needed;
}

std::string json_report(const Scenario& scenario, const RunResult& result) {
  const Uncalibrated uncalibrated = uncalibrated_share(result);
  const auto operations = static_cast<double>(result.operations);
  double used_j = 0;
  for (const PhaseUse& use : result.phases) used_j += use.energy_j();

  Json report;
  report["schema"] = kReportSchema;
  report["schema_version"] = kReportSchemaVersion;
  report["version"] = BROWNOUT_VERSION;
  report["scenario"] = scenario.name;
  report["seed"] = scenario.seed;
  report["verdict"] = result.pass ? "pass" : "fail";
  report["stop_reason"] = std::string(name_of(result.stop_reason));
  report["complete"] = result.complete;
  report["failure"] = result.failure.empty() ? Json(nullptr) : Json(result.failure);
  report["warnings"] = warnings_of(scenario);
  report["hashes"] = hashes(scenario);
  report["configuration"] = configuration(scenario);
  report["inputs"] = inputs_of(scenario);
  report["simulated_time_s"] = result.simulated.seconds();
  report["simulated_time_ps"] = result.simulated.count;
  report["outages"] = {{"total", result.persisted + result.lost},
                       {"persisted", result.persisted},
                       {"lost", result.lost},
                       {"false_alarms", result.false_alarms},
                       {"during_boot", result.during_boot},
                       {"with_dirty_data", result.with_dirty_data},
                       {"attached", result.attaches.count}};
  report["losses"] = losses(result);
  report["attaches"] = {{"count", result.attaches.count},         {"from_image", result.attaches.from_image},
                        {"in_doubt", result.attaches.in_doubt},   {"kept", result.attaches.kept},
                        {"fell_back", result.attaches.fell_back}, {"reclaimed", result.attaches.reclaimed}};
  report["starts"] = {{"turn_ons", result.turn_ons}, {"cold_starts", result.cold_starts}};
  report["phases"] = by_phase(result);
  report["energy_by_consumer_j"] = consumers(result);
  report["energy"] = {{"harvested_j", result.harvested_j},   {"initial_j", result.initial_j},
                      {"final_j", result.final_j},           {"used_j", used_j},
                      {"conversion_j", result.conversion_j}, {"final_voltage_v", result.final_v}};
  report["balance"] = {{"turned_over_j", result.balance.turned_over_j},
                       {"first_book_j", result.balance.first_book_j},
                       {"second_book_j", result.balance.second_book_j},
                       {"relative_error", result.balance.relative_error},
                       {"worst", result.balance.worst}};
  report["persist"] = transfers(result.persist);
  report["persist"]["lowest_end_voltage_v"] = number(result.lowest_persist_end_v);
  report["persist_bound"] = bound_of(result);
  report["restore"] = transfers(result.restore);
  report["work"] = {
      {"operations", result.operations},
      {"operations_per_second",
       result.simulated.count > 0 ? Json(operations / result.simulated.seconds()) : Json(nullptr)},
      {"energy_per_operation_j", operations > 0 ? Json(used_j / operations) : Json(nullptr)},
      {"largest_operation_j", result.largest_operation_j}};
  report["progress"] = progress(result);
  report["margin"] = margin(scenario, result);
  report["capacitor"] = {{"capacitance_f", scenario.supply.capacitor.capacitance_f},
                         {"needed_by_largest_persist_f", number(result.needed_capacitance_f)},
                         {"recommended_f", number(recommended_capacitance(scenario, result))}};
  report["bus"] = {{"transactions", result.bus_transactions},
                   {"transfers", result.bus_transfers},
                   {"aborted", result.bus_aborted},
                   {"data_bytes", result.bus_data_bytes},
                   {"drained_bytes", result.bus_drained_bytes}};
  if (scenario.storage.part.is_mapped) {
    report["bus"] = nullptr;
    report["copies"] = {{"transfers", result.bus_transfers},
                        {"abandoned", result.bus_aborted},
                        {"bytes", result.bus_data_bytes}};
  }
  report["storage"] = storage_of(scenario, result);
  if (knows_bus_faults(scenario)) report["bus_faults"] = bus_faults_of(scenario, result);
  report["uncalibrated"] = {{"time_share", uncalibrated.time_share},
                            {"energy_share", uncalibrated.energy_share},
                            {"energy_change_at_50_percent", 0.5 * uncalibrated.energy_share}};
  report["checks"] = {{"control_operations", result.control_operations},
                      {"outages_compared", result.outages_compared},
                      {"objects_compared", result.objects_compared},
                      {"reads_compared", result.reads_compared},
                      {"longest_section_cycles", result.longest_section_cycles}};
  report["fingerprint"] = fmt::format("{:016x}", result.fingerprint);
  std::string text = report.dump(2);
  text.resize(text.size() - 2);  // the line feed and the brace that end it
  return text + ",\n" + cycle_sections(result.cycles) + "\n}\n";
}

}  // namespace brownout::sim
