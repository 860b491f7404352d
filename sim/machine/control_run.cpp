#include "sim/machine/control_run.hpp"

#include <algorithm>
#include <limits>
#include <memory>

namespace brownout::sim {
namespace {

constexpr std::uint64_t kMostControlOperations = 10'000;
constexpr std::uint64_t kEndlessControlOperations = 2'000;

std::uint64_t control_operations(const Scenario& scenario) {
  const std::uint64_t wanted =
      firmware::ends(scenario.workload) ? kMostControlOperations : kEndlessControlOperations;
  return std::min(scenario.stop.operations.value_or(wanted), kMostControlOperations);
}

Scenario on_ideal_supply(const Scenario& scenario) {
  Scenario control = scenario;
  SupplyConfig& supply = control.supply;
  supply.capacitor.capacitance_f = 1;
  supply.capacitor.esr_ohm = 0;
  supply.capacitor.leakage_ohm = std::numeric_limits<double>::infinity();
  supply.leakage_a = 0;
  supply.charger = {};
  control.storage.bus_faults = {};  // whether the program is right, not whether the driver is
  supply.initial_v = supply.capacitor.max_voltage_v;
  control.stop.time.reset();
  control.stop.operations = control_operations(scenario);
  return control;
}

}  // namespace

ControlRun run_control(const Scenario& scenario, const RunOptions& options) {
  const Scenario control = on_ideal_supply(scenario);
  constexpr double kMoreThanAnyBoardDraws = 1000;
  const devices::Converter& converter = scenario.supply.converter;
  const bool is_fixed = converter.kind == devices::PathKind::ideal;
  const double power_w =
      kMoreThanAnyBoardDraws / (is_fixed ? converter.efficiency : devices::kLeastEfficiency);
  std::vector<devices::TimedScript> script{{devices::ConstantScript{power_w}, devices::kForever}};
  Ledger ledger;
  RunOptions quiet;
  quiet.interrupted = options.interrupted;
  quiet.fram_image = options.fram_image;
  Machine machine(control, devices::make_scripted_source(std::move(script), false), ledger, quiet);
  ControlRun run;
  run.result = machine.run();
  run.contents_digest = machine.contents_digest();
  if (run.result.failure.empty() && run.result.turn_ons != 1) run.result.failure = "the ideal supply failed";
  return run;
}

RunResult simulate(const Scenario& scenario, const RunOptions& options) {
  ControlRun control = run_control(scenario, options);
  if (!control.result.failure.empty()) {
    control.result.failure = "in the control run without outages: " + control.result.failure;
    control.result.stop_reason = StopReason::check_failed;
    control.result.pass = false;
    return std::move(control.result);
  }
  Ledger ledger;
  Machine machine(scenario, open_source(scenario), ledger, options);
  RunResult result = machine.run();
  result.control_operations = control.result.operations;
  result.largest_start_j = std::max(result.largest_start_j, control.result.largest_start_j);
  result.largest_operation_j = control.result.largest_operation_j;
  result.largest_operation_time = control.result.largest_operation_time;
  const bool comparable = result.stop_reason == StopReason::operations && result.lost == 0 &&
                          result.operations == control.result.operations && result.cold_starts == 1;
  if (comparable && result.failure.empty() && machine.contents_digest() != control.contents_digest) {
    result.failure = "the objects at the end differ from those of the control run";
    result.stop_reason = StopReason::check_failed;
    result.pass = false;
  }
  return result;
}

}  // namespace brownout::sim
