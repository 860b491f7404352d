// Two pieces of work timed in turns, so that what disturbs the machine disturbs both: their ratio means
// something where neither time does.
#pragma once

#include <chrono>

#include <benchmark/benchmark.h>

namespace brownout::bench {

// The benchmark's time is that of `work`; the counter `name` says how many times as long it takes as
// `reference`, which runs right before it in each iteration. What takes less than a microsecond runs in
// rounds of several, or the clock would be what is measured.
template <class Work, class Reference>
void alternate(benchmark::State& state, const char* name, Work work, Reference reference, int rounds = 1) {
  using Clock = std::chrono::steady_clock;
  double measured_s = 0;
  double reference_s = 0;
  while (state.KeepRunning()) {
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < rounds; ++i) reference();
    const Clock::time_point middle = Clock::now();
    for (int i = 0; i < rounds; ++i) work();
    const std::chrono::duration<double> measured = Clock::now() - middle;
    state.SetIterationTime(measured.count() / rounds);
    measured_s += measured.count();
    reference_s += std::chrono::duration<double>(middle - begin).count();
  }
  state.counters[name] = reference_s > 0 ? measured_s / reference_s : 0;
}

}  // namespace brownout::bench
