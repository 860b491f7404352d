// Whole runs: the control run without outages, then the scenario, with everything that is verified.
#include "scenarios.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "sim/machine/control_run.hpp"
#include "sim/scenario/fit.hpp"

namespace brownout::bench {
namespace {

void run_scenario(benchmark::State& state, const std::string& file) {
  const sim::Scenario scenario = sim::load_scenario(file, {}, {});
  sim::check_fit(scenario);
  double simulated_s = 0;
  double outages = 0;
  double operations = 0;
  while (state.KeepRunning()) {
    const sim::RunResult result = sim::simulate(scenario, {});
    if (!result.pass) {
      state.SkipWithError(result.failure.empty() ? "the scenario did not pass" : result.failure.c_str());
      return;
    }
    simulated_s += result.simulated.seconds();
    outages += static_cast<double>(result.persisted + result.lost);
    operations += static_cast<double>(result.operations + result.control_operations);
  }
  state.counters["simulated_s_per_wall_s"] = {simulated_s, benchmark::Counter::kIsRate};
  state.counters["outages_per_s"] = {outages, benchmark::Counter::kIsRate};
  state.counters["operations_per_s"] = {operations, benchmark::Counter::kIsRate};
}

}  // namespace

void register_scenarios() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(BROWNOUT_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) {
    const std::string name = "scenario/" + file.stem().string();
    benchmark::RegisterBenchmark(name.c_str(), run_scenario, file.string())
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
}

}  // namespace brownout::bench
