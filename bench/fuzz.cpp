// The fuzzer: runs a CPU second, drawing included, of one thread.
#include <cstdint>

#include <benchmark/benchmark.h>

#include "sim/fuzz/draw.hpp"
#include "sim/fuzz/tally.hpp"
#include "sim/fuzz/workbench.hpp"

namespace brownout::bench {
namespace {

// As a campaign has them: one run in thirty-two is looked at closely, twice. Of each run no more outages than
// the argument says; 0: as they are drawn.
constexpr std::uint64_t kRuns = 1'024;

void fuzz_runs(benchmark::State& state) {
  sim::fuzz::Workbench bench(nullptr);
  sim::fuzz::Tally tally;
  std::uint64_t index = 0;
  const auto most = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < kRuns; ++i, ++index) {
      sim::fuzz::FuzzCase a_case = sim::fuzz::draw_case({}, 1, index);
      if (most > 0 && a_case.outages.size() > most) a_case.outages.resize(most);
      sim::fuzz::RunOptions options;
      options.thorough = index % 32 == 0;
      const sim::fuzz::Outcome outcome = bench.run(a_case, options);
      if (outcome.failure) return state.SkipWithError(outcome.failure->what.c_str());
      tally.add(a_case, outcome);
    }
  }
  const auto runs = static_cast<double>(index);
  state.counters["runs_per_cpu_s"] = benchmark::Counter(runs, benchmark::Counter::kIsRate);
  state.counters["operations_per_run"] = static_cast<double>(tally.of("runs", "operations")) / runs;
  state.counters["outages_per_run"] = static_cast<double>(tally.of("outages", "suffered")) / runs;
}

BENCHMARK(fuzz_runs)->Name("fuzz")->ArgName("most_outages")->Arg(4)->Arg(0)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace brownout::bench
