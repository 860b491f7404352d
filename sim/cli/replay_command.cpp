#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/options.hpp"
#include "sim/cli/wave_options.hpp"
#include "sim/explore/call_stack.hpp"
#include "sim/explore/replay.hpp"
#include "sim/fuzz/workbench.hpp"
#include "sim/report/write_file.hpp"
#include "sim/scenario/fit.hpp"
#include "sim/scenario/input_error.hpp"
#include "sim/waves/point_window.hpp"

// Where a debugger stops: the firmware's frames are below it.
extern "C" __attribute__((noinline)) void brownout_before_outage() { __asm__ __volatile__(""); }

namespace brownout::sim::cli {
namespace {

using namespace explore;

constexpr const char* kUsage =
    R"(usage: brownout replay CASE [--gdb] [--vcd FILE] [--trace-json FILE] [--window FROM..TO]

Runs the case that `brownout explore` or `brownout fuzz` has printed, or left in a corpus, up to its point, and fails the
supply there. The exit code is 1 if it fails again, 0 if it does not.

--vcd and --trace-json write what happened before the point, in the persist and in the restore: from the three
operations before it on, or as --window says; all of a case of the fuzzer. The board has no capacitor: time is that of
its bus and CPU, without boot, with 1 us without power, and the voltage is the level that the plan means: turn_on,
from the point on warn, then brown_out.

)";

po::options_description options_of_replay() {
  po::options_description options("options");
  options.add_options()                                                  //
      ("gdb", "start gdb, which stops at the point, before the outage")  //
      ("help", "this text")                                              //
      ("case", po::value<std::string>(), "the case, as it was printed, in quotes; or a file of a corpus");
  add_wave_options(options);
  return options;
}

[[noreturn]] void start_gdb(const std::string& text) {
  std::array<char, 4096> self{};
  if (readlink("/proc/self/exe", self.data(), self.size() - 1) <= 0)
    throw EnvironmentError("cannot find this program");
  const char* const arguments[] = {"gdb",    "-q",
                                   "-ex",    "set breakpoint pending on",
                                   "-ex",    "break brownout_before_outage",
                                   "-ex",    "run",
                                   "-ex",    "backtrace",
                                   "--args", self.data(),
                                   "replay", text.c_str(),
                                   nullptr};
  execvp("gdb", const_cast<char* const*>(arguments));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  throw EnvironmentError("cannot start gdb; on Debian: apt-get install gdb");
}

Scenario scenario_of_case(const Case& a_case) {
  Scenario scenario = scenario_named(a_case.file, a_case.sets, a_case.seed);
  check_fit(scenario);
  return scenario;
}

int tell(const std::optional<Failure>& failure) {
  if (!failure) {
    print("it does not fail\n");
    return kExitDone;
  }
  print(fmt::format("it fails: {}: {}\n", failure->check, failure->what));
  for (const std::string& frame : firmware_frames(failure->stack)) print(fmt::format("  {}\n", frame));
  return kExitFailed;
}

constexpr const char* kNoSupply =
    "no supply is modelled: the voltage is the level that is meant, 1 us is without power, and boot takes no "
    "time";

// A case of the fuzzer: gdb stops before each of its outages.
int replay_fuzz(const std::string& text, bool with_gdb, const WaveOptions& waves) {
  const fuzz::FuzzCase a_case = fuzz::parse_fuzz_case(text);
  if (!a_case.build_id.empty() && firmware_build_id().empty()) {
    throw InputError(
        {"brownout replay", 0, 0},
        "the case has an outage at an access, and this program's firmware is not instrumented; use "
        "`./brownout replay`");
  }
  if (with_gdb) start_gdb(text);
  if (!a_case.build_id.empty() && a_case.build_id != firmware_build_id()) {
    print(fmt::format("the case is of build {}, this is {}: accesses may be numbered differently\n",
                      a_case.build_id, firmware_build_id()));
  }
  std::optional<Scenario> scenario;
  if (!a_case.file.empty()) scenario = scenario_named(a_case.file, a_case.sets, std::nullopt);
  fuzz::Workbench bench(scenario ? &*scenario : nullptr);
  fuzz::RunOptions options;
  options.thorough = true;
  options.before_outage = &brownout_before_outage;
  fuzz::Outcome outcome = bench.run(a_case, options);
  if (!outcome.failure) {
    // What a look at everything finds first may hide it.
    options.thorough = false;
    outcome = bench.run(a_case, options);
  }
  if (const auto files = open_waves(waves, {text, a_case.seed, kNoSupply}, {})) {
    options.before_outage = nullptr;
    options.observer = files.get();
    static_cast<void>(bench.run(a_case, options));
    finish_waves(waves, files);
  }
  return tell(outcome.failure);
}

// Once more, now that the place is known; and once to know from when on.
void write_waves(const WaveOptions& waves, const std::string& text, const Scenario& scenario, Case a_case,
                 const Replayed& replayed) {
  if (!waves.any()) return;
  if (a_case.place) a_case.place = replayed.place;
  waves::PointWindow point;
  replay(scenario, a_case, nullptr, nullptr, &point);
  const auto files = open_waves(waves, {text, scenario.seed, kNoSupply}, point.window());
  replay(scenario, a_case, nullptr, nullptr, files.get());
  finish_waves(waves, files);
}

}  // namespace

int replay_command(const Arguments& arguments) {
  const auto parsed =
      parse_options(arguments, options_of_replay(),
                    {"brownout replay", kUsage, "case", "needs a case, as `brownout explore` prints it"});
  if (!parsed) return kExitDone;
  const std::string text = case_of((*parsed)["case"].as<std::string>());
  const WaveOptions waves = wave_options_of(*parsed);
  if (waves.any() && parsed->count("gdb") > 0) {
    throw InputError({"brownout replay --gdb", 0, 0},
                     "writes no files; leave out --vcd and --trace-json, or --gdb");
  }
  if (fuzz::is_fuzz_case(text)) return replay_fuzz(text, parsed->count("gdb") > 0, waves);
  const Case a_case = parse_case(text);
  const Scenario scenario = scenario_of_case(a_case);
  const bool accesses =
      a_case.course == Course::interrupted || (a_case.place && a_case.place->point == PointClass::access);
  if (accesses && firmware_build_id().empty()) {
    throw InputError({"brownout replay", 0, 0},
                     "the case has an access point, and this program's firmware is not instrumented; use "
                     "`./brownout replay`");
  }
  if (parsed->count("gdb") > 0) start_gdb(text);
  const Replayed replayed = replay(scenario, a_case, &brownout_before_outage);
  write_waves(waves, text, scenario, a_case, replayed);
  if (accesses && a_case.build_id != firmware_build_id()) {
    print(fmt::format("the case is of build {}, this is {}: accesses may be numbered differently\n",
                      a_case.build_id, firmware_build_id()));
  }
  if (a_case.place && !replayed.found) {
    print(fmt::format("there is no {}: the call is not made, or has no such point\n",
                      to_string(*a_case.place)));
  } else if (a_case.place && !(replayed.place == *a_case.place)) {
    print(fmt::format("there is no {}; taken instead: {}\n", to_string(*a_case.place),
                      to_string(replayed.place)));
  }
  return tell(replayed.failure);
}

}  // namespace brownout::sim::cli
