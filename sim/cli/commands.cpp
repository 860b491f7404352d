#include "sim/cli/commands.hpp"

#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

#include <fmt/format.h>

#include "sim/cli/options.hpp"
#include "sim/report/write_file.hpp"
#include "sim/scenario/input_error.hpp"
#include "sim/scenario/nearest.hpp"

namespace brownout::sim::cli {
namespace {

constexpr std::string_view kHelp =
    R"(brownout: deterministic power-failure simulator for intermittently powered microcontrollers

usage: brownout COMMAND [ARGUMENTS]
       brownout COMMAND --help

commands
  run SCENARIO.yaml   run a scenario end to end and report what it found
  compare A.json B.json
                      what changed between reports, with rules that guard a CI
  report FILE.json    a page to look at: voltage, energy, persists
  sweep SCENARIO.yaml run a grid of variants, and print one table
  size SCENARIO.yaml  how big its capacitor has to be, line by line
  explore SCENARIO.yaml
                      cut the power at every point of its workload, and verify that nothing is lost
  fuzz [SCENARIO.yaml]
                      draw boards, operations and outages, as many as there is time for, and verify the same
  merge REPORT...     join the reports of a campaign of fuzz that ran on several machines
  replay CASE         see a failure again that explore or fuzz has found
  inspect IMAGE       what a store holds, as a run or a dump of a real part left it
  trace FILE          what is in a trace: rate, power, energy, darkness, defects and their remedies
  timing              latencies of storage calls on a part, bus and transfer mode, as CSV
  parts [NAME]        FRAM parts; the record of one, with the source of each figure
  list                parts, MCU profiles, bus profiles, workloads, allocators, policies, supplies

commands of the launcher ./brownout
  test                install what is missing, build, run all tests
  bench               install what is missing, build, run the benchmarks

options
  --help, --version

exit codes
  0 verified or done      1 verification failed, data lost, or a rule of yours struck
  2 wrong input           3 the environment failed (disk full, no memory)
  130 interrupted without a finding
)";

struct Command {
  std::string_view name;
  int (*run)(const Arguments&);
};
constexpr std::array<Command, 14> kCommands = {{{"run", run_command},
                                                {"compare", compare_command},
                                                {"report", report_command},
                                                {"sweep", sweep_command},
                                                {"size", size_command},
                                                {"explore", explore_command},
                                                {"fuzz", fuzz_command},
                                                {"merge", merge_command},
                                                {"replay", replay_command},
                                                {"inspect", inspect_command},
                                                {"trace", trace_command},
                                                {"timing", timing_command},
                                                {"parts", parts_command},
                                                {"list", list_command}}};

int dispatch(const Arguments& arguments) {
  if (arguments.empty()) {
    std::fputs(kHelp.data(), stderr);
    return kExitBadInput;
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print(std::string(kHelp));
    return kExitDone;
  }
  if (name == "--version") {
    print(fmt::format("brownout {}\n", BROWNOUT_VERSION));
    return kExitDone;
  }
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(Arguments(arguments.begin() + 1, arguments.end()));
  }
  constexpr std::array<std::string_view, 18> kNames = {
      "run",     "compare", "report", "sweep", "size", "explore", "fuzz",  "merge",  "replay",
      "inspect", "trace",   "timing", "parts", "list", "test",    "bench", "--help", "--version"};
  const auto near = nearest(name, kNames);
  const std::string hint = near ? fmt::format("did you mean `{}`?", *near) : "see `brownout --help`";
  throw InputError({"brownout", 0, 0}, fmt::format("unknown command `{}`; {}", name, hint));
}

// Memory may be what is missing, so this one needs none.
int complain(int code, const char* what) {
  std::fputs(what, stderr);
  std::fputc('\n', stderr);
  return code;
}

}  // namespace

int run_program(const Arguments& arguments) {
  try {
    return dispatch(arguments);
  } catch (const InputError& error) {
    return complain(kExitBadInput, error.what());
  } catch (const EnvironmentError& error) {
    return complain(kExitEnvironment, (std::string("brownout: ") + error.what()).c_str());
  } catch (const std::bad_alloc&) {
    return complain(kExitEnvironment, "brownout: out of memory");
  } catch (const std::exception& error) {
    return complain(kExitEnvironment, (std::string("brownout: internal error: ") + error.what()).c_str());
  }
}

}  // namespace brownout::sim::cli
