#include <string>

#include <fmt/format.h>

#include "sim/report/figures.hpp"
#include "sim/report/report.hpp"
#include "sim/report/storage_outlook.hpp"
#include "sim/scenario/choices.hpp"

namespace brownout::sim {
namespace {

std::string line(const char* label, const std::string& text) {
  return fmt::format("  {:<11}{}\n", label, text);
}

std::string transfer_line(const char* label, const TransferStatistics& all) {
  if (all.time_s.count() == 0) return line(label, "none");
  return line(label, fmt::format("{} x {} ({} to {}), {} each, {:.0f} to {:.0f} B", all.time_s.count(),
                                 si(all.time_s.mean(), "s"), si(all.time_s.minimum(), "s"),
                                 si(all.time_s.maximum(), "s"), si(all.energy_j.mean(), "J"),
                                 all.bytes.minimum(), all.bytes.maximum()));
}

std::string loss_lines(const Scenario& scenario, const RunResult& result) {
  std::string text;
  for (std::size_t i = 0; i < result.losses.size() && i < 3; ++i) {
    const Loss& loss = result.losses[i];
    std::string objects;
    for (std::size_t k = 0; k < loss.objects.size() && k < 8; ++k) {
      objects += fmt::format("{}{}", k == 0 ? "" : ", ", loss.objects[k]);
    }
    if (loss.objects_total > 8) objects += ", ...";
    text += line("LOST", fmt::format("at {}: {} dirty objects, {} B ({})", si(loss.at.seconds(), "s"),
                                     loss.objects_total, loss.bytes, objects));
    text += line("", fmt::format("{}; the persist takes {} and lacked {}",
                                 loss.warned ? "the persist was cut" : "the supply fell without a warning",
                                 si(loss.persist_energy_j, "J"), si(loss.lacked_j, "J")));
    if (loss.delay_energy_j > 0) {
      text += line("", fmt::format("with the comparator's delay before it, which takes {}",
                                   si(loss.delay_energy_j, "J")));
    }
    if (loss.older_restorable.value_or(false)) {
      text += line("", "a checkpoint from before is whole and current: a program could go back to it");
    }
    // Behind a slow comparator it begins lower in any case.
    const bool at_once = scenario.supply.comparator.longest_delay().count == 0;
    const double level_v = at_once ? scenario.supply.thresholds.warn_v : loss.warned_at_v;
    if (loss.warned && loss.began_at_v < 0.999 * level_v) {
      text += line("", fmt::format("it began at {:.3f} V: the warning had come before the program ran",
                                   loss.began_at_v));
    }
  }
  if (result.losses.empty() && result.stop_reason == StopReason::no_progress && result.operations == 0) {
    const auto& levels = scenario.supply.thresholds;
    const double c = scenario.supply.capacitor.capacitance_f;
    text +=
        line("STUCK",
             fmt::format("nothing was lost, but nothing done: a first start takes {}, and from turn-on to",
                         si(result.largest_start_j, "J")));
    text += line(
        "",
        fmt::format("warn the capacitor holds {}; it is {}, {} would do",
                    si(0.5 * c * (levels.turn_on_v * levels.turn_on_v - levels.warn_v * levels.warn_v), "J"),
                    si(c, "F"), si(recommended_capacitance(scenario, result), "F")));
  }
  if (result.losses.size() > 3) text += line("", fmt::format("and {} more", result.lost - 3));
  if (!result.losses.empty()) {
    text += line("capacitor", fmt::format("is {}; this persist needs {}, a full dirty limit {}",
                                          si(scenario.supply.capacitor.capacitance_f, "F"),
                                          si(result.losses.front().needed_capacitance_f, "F"),
                                          si(recommended_capacitance(scenario, result), "F")));
  }
  return text;
}

std::string storage_lines(const Scenario& scenario, const RunResult& result) {
  const devices::FramPart& part = scenario.storage.part;
  std::string text;
  if (const auto years = years_of_wear(scenario, result)) {
    const std::string lasts = *years < 10 ? fmt::format("{:.1f}", *years) : fmt::format("{:.0f}", *years);
    text += line("wear",
                 fmt::format("hottest row of {} B at {}: {} accesses; {:g} of them last {} years at "
                             "this rate{}",
                             part.row_bytes.value, result.wear.address, result.wear.accesses,
                             part.endurance.value, lasts, part.endurance.estimated ? " (an estimate)" : ""));
  }
  if (scenario.storage.power_loss != devices::FramFault::discard) {
    text += line("faults",
                 fmt::format("{}: {} bytes in flight as power failed; {} bytes of garbage, {} rows lost",
                             name_in(kPowerLossFaults, scenario.storage.power_loss), result.damage.bytes_cut,
                             result.damage.garbage_bytes, result.damage.rows_lost));
  }
  if (knows_bus_faults(scenario)) {
    const InjectedFaults& injected = result.injected;
    const NoticedFaults& noticed = result.noticed;
    text += line("wires",
                 fmt::format("{} bits flipped ({} in commands, {} sent, {} received) in {} transactions, {} "
                             "answers missing;",
                             injected.command_bits + injected.sent_bits + injected.received_bits,
                             injected.command_bits, injected.sent_bits, injected.received_bits,
                             injected.transactions, injected.missing_answers));
    text += line(
        "", fmt::format("noticed: {} timeouts, {} of writes, {} of reads, {} of checksums, {} of the "
                        "identity; {} repeated, {} given up;",
                        noticed.timed_out, noticed.written_differs, noticed.reads_differ,
                        noticed.image_damaged, noticed.identity_wrong, noticed.repeated, noticed.gave_up));
    text += line("", result.wrong_bytes ? fmt::format("{} bytes of the store are not what was sent for them",
                                                      *result.wrong_bytes)
                                        : "which bytes of the store are wrong is not known");
  }
  return text;
}

}  // namespace

std::string summary(const Scenario& scenario, const RunResult& result) {
  std::string text =
      fmt::format("{}: {} ({})\n", scenario.name, result.pass ? "PASS" : "FAIL",
                  result.complete ? name_of(result.stop_reason) : "interrupted: nothing was found so far");
  for (const std::string& warning : warnings_of(scenario)) text += line("WARNING", warning);
  if (!result.failure.empty()) text += line("failure", result.failure);
  text += line("simulated", fmt::format("{}, {} operations, {} turn-ons", si(result.simulated.seconds(), "s"),
                                        result.operations, result.turn_ons));
  text += line("outages",
               fmt::format("{} = {} persisted + {} lost, {} with dirty data; {} false alarms, {} in boot",
                           result.persisted + result.lost, result.persisted, result.lost,
                           result.with_dirty_data, result.false_alarms, result.during_boot));
  text += loss_lines(scenario, result);
  if (result.attaches.count > 0) {
    const Attaches& all = result.attaches;
    text +=
        line("attached", fmt::format("{} times, {} to a checkpoint; {} objects kept, {} of them older than "
                                     "their latest,",
                                     all.count, all.from_image, all.kept, all.fell_back));
    text += line("", fmt::format("{} in doubt, {} reclaimed", all.in_doubt, all.reclaimed));
  }
  text += transfer_line("persist", result.persist);
  if (result.persist.time_s.count() > 0) {
    const OverBound& largest = result.largest_over_bound;
    text += line("bound",
                 fmt::format("{}, {}, {} B from the warning level on; largest {:.2f}, {:.2f}, {:.2f} of it",
                             si(result.persist_bound.times.total().seconds(), "s"),
                             si(result.persist_bound.energy_j(), "J"), result.persist_bound.bytes,
                             largest.time, largest.energy, largest.bytes));
  }
  text += transfer_line("restore", result.restore);
  if (result.persist.time_s.count() > 0) {
    text += line("margin", fmt::format("lowest voltage after a persist {:.3f} V, brown-out {:.3f} V",
                                       result.lowest_persist_end_v, scenario.supply.thresholds.brown_out_v));
  }
  text += storage_lines(scenario, result);
  std::string phases;
  double used_j = 0;
  double on_s = 0;
  for (std::size_t i = 0; i < kPhases; ++i) {
    const PhaseUse& use = result.phases[i];
    used_j += use.energy_j();
    if (static_cast<Phase>(i) != Phase::off) on_s += use.time.seconds();
    phases +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", name_of(static_cast<Phase>(i)), si(use.energy_j(), "J"));
  }
  std::string converter;
  if (result.conversion_j != 0) converter = fmt::format(", converter {}", si(result.conversion_j, "J"));
  if (result.charging_j != 0) converter += fmt::format(", charger {}", si(result.charging_j, "J"));
  if (result.off_j != 0) converter += fmt::format(", board off {}", si(result.off_j, "J"));
  text += line("energy", fmt::format("harvested {}, used {}, leaked {}, ESR {}, clipped {}{}",
                                     si(result.harvested_j, "J"), si(used_j, "J"), si(result.leakage_j, "J"),
                                     si(result.esr_j, "J"), si(result.clipped_j, "J"), converter));
  text += line("", phases);
  const double simulated_s = result.simulated.seconds();
  text += line("on", fmt::format("{} of the time", percent(simulated_s > 0 ? on_s / simulated_s : 0)));
  const Uncalibrated uncalibrated = uncalibrated_share(result);
  text +=
      line("trust", fmt::format("books agree within {:.1e}; {} of the energy rests on uncalibrated constants",
                                result.balance.relative_error, percent(uncalibrated.energy_share)));
  text +=
      line("checked", fmt::format("{} outages byte by byte, {} objects, {} reads; control run {} operations",
                                  result.outages_compared, result.objects_compared, result.reads_compared,
                                  result.control_operations));
  return text;
}

}  // namespace brownout::sim
