// The heap's own work in a persist and a restore: a store that is nothing but memory, next to the memcpy of
// the same RAM there and back.
#include "heap/heap.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include <benchmark/benchmark.h>

#include "alternate.hpp"

namespace brownout::bench {
namespace {

struct NoPlatform {
  void charge(heap::Work, std::uint32_t) {}
  void enter_critical() {}
  void exit_critical() {}
  std::uint32_t power_epoch() { return 0; }
  void wait_since_power_on(std::uint32_t) {}
};

class RamStore {
 public:
  explicit RamStore(std::uint32_t size_bytes) : memory_(size_bytes) {}
  std::uint32_t size_bytes() { return static_cast<std::uint32_t>(memory_.size()); }
  heap::Status start() { return {}; }
  heap::Status begin_write(std::uint32_t address, heap::OutStream data) {
    heap::ConstBytes piece;
    for (std::byte* at = &memory_.at(address); data.pull(piece); at += piece.size) {
      std::memcpy(at, piece.data, piece.size);
    }
    return {};
  }
  heap::Status begin_read(std::uint32_t address, heap::InStream data) {
    heap::MutableBytes piece;
    for (const std::byte* at = &memory_.at(address); data.pull(piece); at += piece.size) {
      std::memcpy(piece.data, at, piece.size);
    }
    return {};
  }
  heap::TransferState poll() { return heap::TransferState::done; }
  void abort() {}

 private:
  std::vector<std::byte> memory_;
};

// 16 residents of 208 B, `dirty` of them changed since the last flush.
void persist_and_restore(benchmark::State& state) {
  constexpr heap::HeapConfig kConfig{.ram_bytes = 4096,
                                     .dirty_limit_bytes = 4096,
                                     .max_residents = 16,
                                     .store_bytes = 16'384,
                                     .os_bytes = 256};
  std::vector<std::uint64_t> ram(kConfig.ram_bytes / 8);
  std::vector<std::byte> copy(kConfig.ram_bytes);
  std::vector<std::byte> os(kConfig.os_bytes);
  auto* const bytes = reinterpret_cast<std::byte*>(ram.data());
  NoPlatform platform;
  RamStore store(64 * 1024);
  std::optional<heap::Heap<NoPlatform, RamStore>> heap(std::in_place, bytes, kConfig, store, platform);
  bool good = heap->configuration().ok() && heap->format().ok();
  std::vector<heap::Buffer> objects(16);
  for (heap::Buffer& object : objects) {
    auto made = heap->make_buffer(208);
    good = good && made.ok();
    if (made.ok()) object = made.take();
  }
  good = good && heap->flush().ok();
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    good = good && heap->write(objects[static_cast<std::size_t>(i)]).ok();
  }
  alternate(
      state, "wall_ratio_to_memcpy",
      [&] {
        good = heap->persist({os.data(), kConfig.os_bytes}).ok() && good;
        heap.emplace(bytes, kConfig, store, platform);
        good = heap->restore({os.data(), kConfig.os_bytes}).ok() && good;
      },
      [&] {
        std::memcpy(copy.data(), bytes, kConfig.ram_bytes);
        benchmark::ClobberMemory();
        std::memcpy(bytes, copy.data(), kConfig.ram_bytes);
        benchmark::ClobberMemory();
      },
      16);
  if (!good) state.SkipWithError("the heap reported an error");
  state.counters["checkpoint_bytes"] = static_cast<double>(heap->checkpoint_bytes() + kConfig.os_bytes);
}
BENCHMARK(persist_and_restore)
    ->ArgName("dirty")
    ->Arg(0)
    ->Arg(4)
    ->Arg(16)
    ->UseManualTime()
    ->MinTime(0.05)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace brownout::bench
