#include <algorithm>
#include <chrono>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/options.hpp"
#include "sim/cli/terminal.hpp"
#include "sim/cli/wave_options.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/report/report.hpp"
#include "sim/report/sparkline.hpp"
#include "sim/report/write_file.hpp"

namespace brownout::sim::cli {
namespace {

constexpr const char* kUsage =
    R"(usage: brownout run SCENARIO.yaml [--set PATH=VALUE]... [--report FILE.json] [--cycles all]
                    [--image FILE] [--vcd FILE] [--trace-json FILE] [--window FROM..TO]
                    [--seed N] [--quiet]

Runs the real heap on the simulated board: a control run without outages first, then the scenario, with the
persist interrupt at the exact instant at which the supply sinks to the warning level. Prints a summary; the
exit code is 0 if everything was verified, 1 if data were lost or a check failed.

--vcd and --trace-json write what happened over time, as it happens, however long the run is: some 200 bytes a
transaction, and 900, so a --window pays. Nothing else changes by them.
  brownout run scenarios/quickstart.yaml --vcd run.vcd --window "30 ms..200 ms"     then: gtkwave run.vcd
  brownout run scenarios/quickstart.yaml --trace-json run.json --window "0 s..2 s"  then: https://ui.perfetto.dev

)";

// One line on a terminal, overwritten a few times a second; nothing in a pipe.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted) : on_(wanted && isatty(STDERR_FILENO) == 1) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

  void show(const Progress& progress) {
    if (!on_) return;
    const auto now = std::chrono::steady_clock::now();  // for the eye only; no result sees it
    if (shown_ && now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    shown_ = true;
    std::fprintf(stderr, "\r\033[K%.3f s simulated, %llu operations, %llu outages", progress.now.seconds(),
                 static_cast<unsigned long long>(progress.operations),
                 static_cast<unsigned long long>(progress.outages));
  }

 private:
  bool on_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

int exit_code(const RunResult& result) {
  if (!result.pass) return kExitFailed;
  return result.stop_reason == StopReason::interrupted ? kExitInterrupted : kExitDone;
}

po::options_description options_of_run() {
  po::options_description options("options");
  options.add_options()                                            //
      ("set", po::value<std::vector<std::string>>()->composing(),  //
       "override a key of the scenario, as in supply.capacitor.capacitance=\"47 uF\"; may be given many "
       "times")                                                                      //
      ("report", po::value<std::string>(), "write the report as JSON to this file")  //
      ("image", po::value<std::string>(),
       "write the FRAM's bytes at the end of the run, or at the loss that ended it, to this file; see "
       "`brownout inspect`")  //
      ("cycles", po::value<std::string>(),
       "which power cycles the report has a record of: `notable` (the first and last 100, each lost one up "
       "to "
       "10,000, the 500 with the longest persist and the 500 with the lowest voltage) or `all`")  //
      ("seed", po::value<std::string>(), "seed of everything random, instead of the scenario's")  //
      ("quiet", "print nothing but errors")                                                       //
      ("help", "this text")                                                                       //
      ("scenario", po::value<std::string>(), "the scenario file");
  add_wave_options(options);
  return options;
}

// With the voltage as a line, as wide as fits; other lines broken where they are wider.
std::string text_for(const Scenario& scenario, const RunResult& result, const Terminal& terminal) {
  std::string text = summary(scenario, result);
  constexpr std::size_t kLabel = 13;
  constexpr std::size_t kMost = 80;
  const std::size_t columns = std::min(terminal.columns, kMost);
  if (terminal.utf8 && columns > kLabel) {
    const std::string line =
        sparkline(result.cycles.envelope(), columns - kLabel, scenario.supply.thresholds.brown_out_v);
    if (!line.empty()) text += fmt::format("  voltage    {}\n", line);
  }
  return coloured(wrapped(text, terminal), terminal);
}

bool wants_all_cycles(const po::variables_map& values) {
  if (values.count("cycles") == 0) return false;
  const auto& which = values["cycles"].as<std::string>();
  if (which != "all" && which != "notable") {
    throw InputError({"--cycles " + which, 0, 0}, "there are `all` and `notable`");
  }
  return which == "all";
}

}  // namespace

int run_command(const Arguments& arguments) {
  const auto parsed = parse_options(
      arguments, options_of_run(),
      {"brownout run", kUsage, "scenario", "needs a scenario file, such as scenarios/quickstart.yaml"});
  if (!parsed) return kExitDone;
  const po::variables_map& values = *parsed;
  std::optional<std::uint64_t> seed;
  if (values.count("seed") > 0) seed = parse_number_flag("--seed", values["seed"].as<std::string>());
  const std::string report = output_path_of(values, "report");
  const std::string image = output_path_of(values, "image");
  const WaveOptions waves = wave_options_of(values);
  const bool quiet = values.count("quiet") > 0;
  const bool all_cycles = wants_all_cycles(values);
  const Scenario scenario = scenario_of(values, seed);

  RunOptions run_options;
  run_options.all_cycles = all_cycles;
  run_options.interrupted = watch_interrupts();
  std::vector<std::uint8_t> fram;
  if (!image.empty()) run_options.fram_image = &fram;
  const auto wave_files = open_waves(waves, {scenario.name, scenario.seed, ""}, {});
  run_options.observer = wave_files.get();
  RunResult result;
  {
    ProgressLine line(!quiet);
    run_options.progress = [&line](const Progress& progress) { line.show(progress); };
    result = simulate(scenario, run_options);
  }
  if (!report.empty()) write_file(report, json_report(scenario, result));
  if (!image.empty()) write_file(image, {reinterpret_cast<const char*>(fram.data()), fram.size()});
  finish_waves(waves, wave_files);
  if (!quiet) print(text_for(scenario, result, standard_output()));
  return exit_code(result);
}

}  // namespace brownout::sim::cli
