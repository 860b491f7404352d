// How fast a recording at 100 kHz is read: as a source, and as the source of a capacitor. Ten seconds of it.
#include <cstdint>
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "recording.hpp"
#include "sim/machine/power_train.hpp"
#include "sim/trace/trace_source.hpp"

namespace brownout::bench {
namespace {

constexpr std::uint32_t kSeconds = 10;
constexpr std::int64_t kSamples = std::int64_t{100'000} * kSeconds;

class RecordingFile {
 public:
  RecordingFile()
      : path_(
            (std::filesystem::temp_directory_path() / ("brownout_bench_" + std::to_string(getpid()) + ".h5"))
                .string()) {
    write_recording(path_, kSeconds);
  }
  RecordingFile(const RecordingFile&) = delete;
  RecordingFile& operator=(const RecordingFile&) = delete;
  ~RecordingFile() { std::filesystem::remove(path_); }

  // Reads it once, to check it.
  [[nodiscard]] std::unique_ptr<sim::TraceSource> open() const {
    sim::TraceConfig config;
    config.path = path_;
    return sim::open_trace(config, {});
  }

 private:
  std::string path_;
};

void recording_checked_and_read(benchmark::State& state) {
  const RecordingFile file;
  for (auto _ : state) {
    const auto source = file.open();
    while (const auto segment = source->next()) benchmark::DoNotOptimize(segment);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * kSamples);
}
BENCHMARK(recording_checked_and_read)->Unit(benchmark::kMillisecond);

void recording_on_a_capacitor(benchmark::State& state) {
  const RecordingFile file;
  sim::SupplyConfig supply;
  supply.capacitor.capacitance_f = 1e-3;
  supply.capacitor.max_voltage_v = 5.5;
  supply.capacitor.esr_ohm = 0.05;
  supply.capacitor.leakage_ohm = 1e6;
  supply.thresholds = {3.6, 3.0, 2.7};
  for (auto _ : state) {
    sim::Ledger ledger;
    sim::PowerTrain train(supply, file.open(), ledger);
    while (train.run_until(devices::kForever) != sim::PowerEvent::source_ended) {
    }
    benchmark::DoNotOptimize(train.stored_j());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * kSamples);
}
BENCHMARK(recording_on_a_capacitor)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace brownout::bench
