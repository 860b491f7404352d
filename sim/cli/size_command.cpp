#include <fmt/format.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/options.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/machine/sizing.hpp"
#include "sim/report/size_report.hpp"
#include "sim/report/write_file.hpp"

namespace brownout::sim::cli {
namespace {

constexpr const char* kUsage =
    R"(usage: brownout size SCENARIO.yaml [--set PATH=VALUE]... [--corners] [--monte-carlo N [--seed N]]
                     [--report FILE.json]

How big the capacitor has to be: the worst persist that the scenario's memory allows for, in bytes, time and
energy; the smallest capacitor that carries it from warn to brown-out at the worst corner of all tolerances,
nothing harvested; and what a start takes. Prints the calculation; the exit code is 0 if the scenario's
capacitor does for the persist at the worst corner, 1 if not.

)";

constexpr std::uint64_t kMostDraws = 1'000'000;

po::options_description options_of_size() {
  po::options_description options("options");
  options.add_options()                                            //
      ("set", po::value<std::vector<std::string>>()->composing(),  //
       "override a key of the scenario, as in supply.comparator.tolerance=\"2 %\"; may be given many "
       "times")                                                                                      //
      ("corners", "print the capacitor of each corner of the tolerances")                            //
      ("monte-carlo", po::value<std::string>(),                                                      //
       "draw the tolerances of so many boards, and say for how many the scenario's capacitor does")  //
      ("seed", po::value<std::string>(), "seed of the draws, instead of the scenario's")             //
      ("report", po::value<std::string>(), "write the calculation as JSON to this file")             //
      ("help", "this text")                                                                          //
      ("scenario", po::value<std::string>(), "the scenario file");
  return options;
}

struct Draws {
  std::uint64_t count = 0;
  std::optional<std::uint64_t> seed;
};

Draws draws_of(const po::variables_map& values) {
  Draws draws;
  if (values.count("seed") > 0) draws.seed = parse_number_flag("--seed", values["seed"].as<std::string>());
  if (values.count("monte-carlo") == 0) {
    if (!draws.seed) return draws;
    throw InputError({fmt::format("--seed {}", *draws.seed), 0, 0}, "goes with --monte-carlo N only");
  }
  const auto& text = values["monte-carlo"].as<std::string>();
  draws.count = parse_number_flag("--monte-carlo", text);
  if (draws.count < 1 || draws.count > kMostDraws) {
    throw InputError({"--monte-carlo " + text, 0, 0},
                     fmt::format("needs 1 to {} draws, such as --monte-carlo 10000", kMostDraws));
  }
  return draws;
}

// The largest operation of the run without outages; nothing if that run fails.
std::optional<Demand> measure_operation(const Scenario& scenario,
                                        const volatile std::sig_atomic_t* interrupted) {
  RunOptions options;
  options.interrupted = interrupted;
  const RunResult result = run_control(scenario, options).result;
  if (!result.failure.empty() || result.operations == 0) return std::nullopt;
  return Demand{result.largest_operation_j, largest_load_w(scenario), result.largest_operation_time};
}

}  // namespace

int size_command(const Arguments& arguments) {
  const auto parsed = parse_options(
      arguments, options_of_size(),
      {"brownout size", kUsage, "scenario", "needs a scenario file, such as scenarios/quickstart.yaml"});
  if (!parsed) return kExitDone;
  const po::variables_map& values = *parsed;
  const Draws draws = draws_of(values);
  const std::string report = output_path_of(values, "report");
  const Scenario scenario = scenario_of(values, {});
  const volatile std::sig_atomic_t* interrupted = watch_interrupts();
  const std::optional<Demand> operation = measure_operation(scenario, interrupted);
  if (*interrupted != 0) return kExitInterrupted;
  const Sizing sizing = size_supply(scenario, operation, draws.count, draws.seed.value_or(scenario.seed));
  if (!report.empty()) write_file(report, size_json(scenario, sizing));
  print(size_text(scenario, sizing, values.count("corners") > 0));
  return sizing.fits(scenario.supply) ? kExitDone : kExitFailed;
}

}  // namespace brownout::sim::cli
