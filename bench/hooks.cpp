// What the hooks at the firmware's memory accesses cost: a workload on the hooked firmware next to the same
// on the plain one.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <vector>

#include <benchmark/benchmark.h>

#include "sim/firmware/firmware.hpp"
#include "sim/hooks/access_hooks.hpp"

namespace brownout::bench {

// make_firmware() of the hooked firmware, which CMakeLists.txt here gives this name: two firmwares in one
// program.
std::unique_ptr<sim::firmware::Firmware> make_hooked_firmware(
    const sim::firmware::Image& image,
    sim::firmware::Port& port) __asm__("brownout_bench_make_hooked_firmware");

namespace {

constexpr std::uint32_t kRamBytes = 1024;
constexpr std::uint32_t kStoreBytes = 8192;

// A store that moves bytes by memcpy, in no time: what is left is the firmware's own work.
class Board final : public sim::firmware::Port {
 public:
  using Make = std::unique_ptr<sim::firmware::Firmware> (*)(const sim::firmware::Image&,
                                                            sim::firmware::Port&);

  explicit Board(Make make) : ram_words_(kRamBytes / 8), os_words_(4), store_(kStoreBytes) {
    sim::firmware::Image image;
    image.heap = {.ram_bytes = kRamBytes, .dirty_limit_bytes = 768, .max_residents = 16, .os_bytes = 32};
    image.storage = {.size_bytes = kStoreBytes, .address_bytes = 2};
    image.workload = sim::firmware::QueueOptions{.length = 12, .item_bytes = 128, .iterations = 100};
    image.ram = std::as_writable_bytes(std::span(ram_words_));
    image.os_part = std::as_writable_bytes(std::span(os_words_));
    firmware_ = make(image, *this);
  }

  // One life: formats the store and runs the workload to its end. False: it gave up.
  bool run() {
    firmware_->cold_start();
    return !gave_up_;
  }

 private:
  void charge(heap::Work, std::uint32_t) override {}
  void enter_critical() override {}
  void exit_critical() override {}
  std::uint32_t power_epoch() override { return 1; }
  void wait_since_power_on(std::uint32_t) override {}
  void unmask_persist() override {}
  void begin_send(heap::ConstBytes command, heap::OutStream data) override {
    std::size_t at = address_of(command);
    for (heap::ConstBytes piece; data.pull(piece); at += piece.size) {
      std::memcpy(&store_[at], piece.data, piece.size);
    }
    done_ = true;
  }
  void begin_receive(heap::ConstBytes command, heap::InStream data) override {
    std::size_t at = address_of(command);
    for (heap::MutableBytes piece; data.pull(piece); at += piece.size) {
      std::memcpy(piece.data, &store_[at], piece.size);
    }
    done_ = true;
  }
  heap::TransferState poll_bus() override {
    const bool done = done_;
    done_ = false;
    return done ? heap::TransferState::done : heap::TransferState::none;
  }
  void abort_bus() override { done_ = false; }
  void store(std::uint32_t, heap::ConstBytes) override {}  // the board has a bus
  void load(std::uint32_t, heap::MutableBytes) override {}
  void copy_over(bool) override {}
  void phase(std::uint64_t, std::uint64_t, bool) override {}
  void object_made(std::uint32_t, std::uint32_t, std::uint32_t) override {}
  void object_changed(std::uint32_t, std::uint32_t, heap::ConstBytes) override {}
  void object_read(std::uint32_t, heap::ConstBytes) override {}
  void object_freed(std::uint32_t) override {}
  void object_in_doubt(std::uint32_t) override {}
  void attached(bool) override {}
  void object_kept(std::uint32_t, std::uint32_t) override {}
  void objects_reclaimed(std::uint32_t) override {}
  void operation_done() override {}
  void give_up(heap::Error, const char*) override { gave_up_ = true; }

  static std::size_t address_of(heap::ConstBytes command) {
    if (command.size < 3) return 0;
    return std::to_integer<std::size_t>(command.data[1]) * 256 +
           std::to_integer<std::size_t>(command.data[2]);
  }

  std::vector<std::uint64_t> ram_words_;
  std::vector<std::uint64_t> os_words_;
  std::vector<std::byte> store_;
  std::unique_ptr<sim::firmware::Firmware> firmware_;
  bool done_ = false;
  bool gave_up_ = false;
};

// Of this thread, so that others on the machine do not count.
double cpu_s() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Counter final : public sim::AccessListener {
 public:
  void access(const void*, std::uint32_t, bool, const void*) override { ++count; }
  std::uint64_t count = 0;
};

// `listening:0` nobody hears of the accesses; `listening:1` somebody counts them.
void access_hooks(benchmark::State& state) {
  Board plain(&sim::firmware::make_firmware);
  Board hooked(&make_hooked_firmware);
  Counter counter;
  {
    const sim::ListeningToAccesses listening(counter);
    if (!hooked.run() || !plain.run()) return state.SkipWithError("the workload gave up");
  }
  const auto hooks = static_cast<double>(counter.count);
  std::optional<sim::ListeningToAccesses> listening;
  if (state.range(0) != 0) listening.emplace(counter);

  double hooked_s = 0;
  double plain_s = 0;
  while (state.KeepRunning()) {
    const double begin_s = cpu_s();
    plain.run();
    const double middle_s = cpu_s();
    hooked.run();
    const double end_s = cpu_s();
    state.SetIterationTime(end_s - middle_s);
    hooked_s += end_s - middle_s;
    plain_s += middle_s - begin_s;
  }
  state.counters["cpu_ratio_to_plain"] = hooked_s / plain_s;
  state.counters["hooks_per_operation"] = hooks / 100;
  state.counters["ns_per_hook"] =
      (hooked_s - plain_s) / hooks / static_cast<double>(state.iterations()) * 1e9;
}
BENCHMARK(access_hooks)
    ->ArgName("listening")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->MinTime(0.2)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace brownout::bench
