// A byte's way through driver, controller and chip, next to the memcpy of the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <benchmark/benchmark.h>

#include "alternate.hpp"
#include "sim/machine/timing_bench.hpp"

namespace brownout::bench {
namespace {

constexpr std::uint32_t kBytes = 4096;

// measure_call() writes the bytes and reads them back, so each call moves them twice.
void spi(benchmark::State& state) {
  const sim::TimingSetup setup{*devices::find_fram_part("mb85rs64v"),
                               *devices::find_spi_profile("esp32c3-zephyr"), 20'000'000,
                               static_cast<devices::TransferMode>(state.range(0)), 0};
  std::vector<std::byte> from(kBytes, std::byte{0x5A});
  std::vector<std::byte> to(kBytes);
  const auto copy = [](std::vector<std::byte>& out, const std::vector<std::byte>& in) {
    std::memcpy(out.data(), in.data(), kBytes);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  };
  alternate(
      state, "wall_ratio_to_memcpy", [&] { benchmark::DoNotOptimize(sim::measure_call(setup, kBytes)); },
      [&] {
        copy(to, from);
        copy(from, to);
      },
      16);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * 2 * kBytes);
}
BENCHMARK(spi)->ArgName("dma")->Arg(0)->Arg(1)->UseManualTime()->MinTime(0.05)->Unit(benchmark::kMicrosecond);
static_assert(static_cast<int>(devices::TransferMode::fifo) == 0 &&
              static_cast<int>(devices::TransferMode::dma) == 1);

}  // namespace
}  // namespace brownout::bench
