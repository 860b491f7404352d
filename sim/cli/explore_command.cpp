#include <chrono>
#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/options.hpp"
#include "sim/explore/call_stack.hpp"
#include "sim/explore/minimise.hpp"
#include "sim/report/explore_report.hpp"
#include "sim/report/write_file.hpp"
#include "sim/scenario/input_error.hpp"
#include "sim/scenario/nearest.hpp"

namespace brownout::sim::cli {
namespace {

using namespace explore;

constexpr const char* kUsage =
    R"(usage: brownout explore SCENARIO.yaml [--points access,byte,operation] [--from N] [--to M] [--depth 1|2]
                        [--sample K] [--operations N] [--jobs N] [--seed N] [--set PATH=VALUE]...
                        [--report FILE.json] [--stats FILE.json] [--quiet]

Runs the scenario's workload once and lets the supply fail at every point of it: at each, everything is saved,
the persist interrupt saves, RAM is overwritten, boot code restores, what came back is compared, and all is put
back. Repeated for both places of an image, the wrap of its sequence, and with every transfer interrupted for
good. The exit code is 0 if nothing failed, 1 if something did.

)";

constexpr std::uint64_t kMostJobs = 256;
constexpr std::size_t kFailuresShown = 5;

po::options_description options_of_explore() {
  po::options_description options("options");
  options.add_options()                     //
      ("points", po::value<std::string>(),  //
       "classes of points, separated by commas: access (before each memory access of the firmware), byte (on "
       "the "
       "bus), operation (ends of operations); all that the build has, if not given")             //
      ("from", po::value<std::string>(), "the first point, counted from 0 through all courses")  //
      ("to", po::value<std::string>(), "the point behind the last one")                          //
      ("sample", po::value<std::string>(), "so many points, drawn with the seed")                //
      ("depth", po::value<std::string>(),
       "2: the supply fails again at every byte of the persist and of the restore that follow")      //
      ("operations", po::value<std::string>(), "of the workload, instead of the scenario's number")  //
      ("jobs", po::value<std::string>(), "threads; the report is the same for any number")           //
      ("seed", po::value<std::string>(), "seed of everything random, instead of the scenario's")     //
      ("set", po::value<std::vector<std::string>>()->composing(), "override a key of the scenario")  //
      ("report", po::value<std::string>(), "write the report as JSON to this file")                  //
      ("stats", po::value<std::string>(), "write the speed as JSON to this file")                    //
      ("quiet", "print nothing but errors")                                                          //
      ("help", "this text")                                                                          //
      ("scenario", po::value<std::string>(), "the scenario file");
  return options;
}

std::optional<std::uint64_t> number_of(const po::variables_map& values, const char* flag) {
  if (values.count(flag) == 0) return std::nullopt;
  return parse_number_flag(fmt::format("--{}", flag), values[flag].as<std::string>());
}

std::uint64_t limited(const po::variables_map& values, const char* flag, std::uint64_t otherwise,
                      std::uint64_t most) {
  const auto number = number_of(values, flag);
  if (!number) return otherwise;
  if (*number < 1 || *number > most) {
    throw InputError({fmt::format("--{} {}", flag, *number), 0, 0},
                     fmt::format("needs a number from 1 to {}", most));
  }
  return *number;
}

std::array<bool, kPointClasses> classes_of(const po::variables_map& values) {
  const bool instrumented = !firmware_build_id().empty();
  if (values.count("points") == 0) return {instrumented, true, true};
  std::array<bool, kPointClasses> classes{};
  std::string text = values["points"].as<std::string>();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string name = text.substr(begin, end - begin);
    const auto point = find_point_class(name);
    if (!point) {
      constexpr std::array<std::string_view, kPointClasses> kNames = {"access", "byte", "operation"};
      const auto near = nearest(name, kNames);
      throw InputError({"--points " + text, 0, 0},
                       fmt::format("`{}` is no class of points; {}", name,
                                   near ? fmt::format("did you mean `{}`?", *near)
                                        : "there are access, byte and operation"));
    }
    if (*point == PointClass::access && !instrumented) {
      throw InputError(
          {"--points " + text, 0, 0},
          "this program's firmware is not instrumented, so it has no access points; `./brownout explore` "
          "builds and runs the one whose firmware is");
    }
    classes[static_cast<std::size_t>(*point)] = true;
    begin = end + 1;
  }
  return classes;
}

ExploreOptions options_from(const po::variables_map& values, const Scenario& scenario) {
  ExploreOptions options;
  options.classes = classes_of(values);
  const std::uint64_t depth = limited(values, "depth", 1, 2);
  options.nested = depth == 2;
  options.from = number_of(values, "from").value_or(0);
  options.to = number_of(values, "to");
  if (options.to && *options.to <= options.from) {
    throw InputError({fmt::format("--to {}", *options.to), 0, 0},
                     fmt::format("has to be above --from, which is {}", options.from));
  }
  if (values.count("sample") > 0) options.sample = limited(values, "sample", 1, 100'000'000);
  options.operations = limited(values, "operations", operations_of(scenario), kMostOperations);
  options.jobs = limited(values, "jobs", 1, kMostJobs);
  return options;
}

std::vector<ShownFailure> shown_failures(const po::variables_map& values, const Scenario& scenario,
                                         const Exploration& exploration) {
  const auto& file = values["scenario"].as<std::string>();
  std::vector<ShownFailure> shown;
  for (const Failure& failure : exploration.result.failures) {
    if (shown.size() == kFailuresShown) break;
    ShownFailure& next = shown.emplace_back();
    if (shown.size() == 1 && exploration.result.complete) {
      const Minimised small =
          minimise(file, sets_of(values), scenario.seed, exploration.options, failure, exploration.build_id);
      next.failure = small.failure;
      next.replay = to_string(small.smallest);
      next.smaller_tried = small.tried;
      next.shrunk = small.shrunk;
    } else {
      next.failure = failure;
      next.replay = to_string(case_of(failure, file, sets_of(values), scenario.seed, exploration.build_id));
    }
    next.frames = firmware_frames(next.failure.stack);
  }
  return shown;
}

// CPU seconds of all threads.
double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int explore_command(const Arguments& arguments) {
  const auto parsed = parse_options(
      arguments, options_of_explore(),
      {"brownout explore", kUsage, "scenario", "needs a scenario file, such as scenarios/quickstart.yaml"});
  if (!parsed) return kExitDone;
  const po::variables_map& values = *parsed;
  const std::string report = output_path_of(values, "report");
  const std::string stats = output_path_of(values, "stats");
  const Scenario scenario = scenario_of(values, number_of(values, "seed"));
  Exploration exploration;
  exploration.options = options_from(values, scenario);
  exploration.build_id = firmware_build_id();
  const volatile std::sig_atomic_t* interrupted = watch_interrupts();
  exploration.options.interrupted = interrupted;

  const auto begin = std::chrono::steady_clock::now();  // of no result
  const double begin_cpu_s = cpu_s();
  exploration.result = explore::explore(scenario, exploration.options);
  const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double used_s = cpu_s() - begin_cpu_s;
  exploration.failures = shown_failures(values, scenario, exploration);

  std::uint64_t happened = 0;
  for (const PointCounts& counts : exploration.result.points) happened += counts.happened;
  if (!report.empty()) write_file(report, explore_json(scenario, exploration));
  if (!stats.empty()) {
    const nlohmann::ordered_json speed = {{"wall_s", wall_s}, {"cpu_s", used_s}, {"outages", happened}};
    write_file(stats, speed.dump(2) + "\n");
  }
  if (values.count("quiet") == 0) {
    print(explore_text(scenario, exploration));
    print(fmt::format("  speed      {:.0f} outages a CPU second, {:.1f} s\n",
                      used_s > 0 ? static_cast<double>(happened) / used_s : 0.0, wall_s));
  }
  if (!exploration.result.pass()) return kExitFailed;
  return exploration.result.complete ? kExitDone : kExitInterrupted;
}

}  // namespace brownout::sim::cli
