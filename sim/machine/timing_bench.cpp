#include "sim/machine/timing_bench.hpp"

#include <stdexcept>
#include <vector>

#include "devices/bus/rtos_tick.hpp"
#include "heap/storage/spi_fram.hpp"
#include "sim/machine/spi_controller.hpp"

namespace brownout::sim {
namespace {

// A board whose clock only runs: Platform, SpiBus and the bus's clock in one.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and held by nobody as a Timekeeper
class Bench final : public Timekeeper {
 public:
  explicit Bench(const TimingSetup& setup)
      : costs_(setup.bus.costs(setup.transfer)),
        tick_(setup.bus.tick),
        fram_(setup.part),
        bus_(costs_, setup.sck_hz, fram_, *this),
        now_(setup.part.power_up) {
    fram_.power_on({});
  }

  // Platform. CPU work of the driver is part of the measured set-up costs, so none is charged here.
  void charge(heap::Work work, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (work == heap::Work::storage_write_call) pass(costs_.call_write, BusTime::driver);
      if (work == heap::Work::storage_read_call) pass(costs_.call_read, BusTime::driver);
      if (work == heap::Work::storage_write_empty) pass(costs_.call_write_empty, BusTime::driver);
      if (work == heap::Work::storage_read_empty) pass(costs_.call_read_empty, BusTime::driver);
    }
  }
  void enter_critical() {}
  void exit_critical() {}
  static std::uint32_t power_epoch() { return 0; }
  void wait_since_power_on(std::uint32_t) {}

  // SpiBus
  void begin_send(heap::ConstBytes command, heap::OutStream data) { bus_.begin_send(command, data); }
  void begin_receive(heap::ConstBytes command, heap::InStream data) { bus_.begin_receive(command, data); }
  heap::TransferState poll() { return bus_.poll(); }
  void abort() { bus_.abort(); }

  // Timekeeper
  void pass(Picoseconds span, BusTime spent_on) override {
    now_ += spent_on == BusTime::dma ? tick_.stretch_beside(now_, span) : tick_.stretch(now_, span);
  }
  void storage_selected(bool) override {}
  [[nodiscard]] Picoseconds now() const override { return now_; }

  // The time that a call takes.
  template <class Call>
  Picoseconds time(Call call) {
    tick_.start(now_);
    const Picoseconds begin = now_;
    if (!call().ok()) throw std::logic_error("a transfer of the timing bench failed");
    return now_ - begin;
  }

 private:
  devices::TransferCosts costs_;
  devices::TickClock tick_;
  devices::FramChip fram_;
  SpiController bus_;
  Picoseconds now_;
};

}  // namespace

CallLatency measure_call(const TimingSetup& setup, std::uint32_t size_bytes) {
  Bench bench(setup);
  heap::SpiFramConfig config;
  config.size_bytes = setup.part.size_bytes;
  config.address_bytes = setup.part.address_bytes;
  config.slice_bytes = setup.transfer == devices::TransferMode::sliced ? setup.slice_bytes : 0;
  heap::SpiFram<Bench, Bench> driver(bench, bench, config);

  std::vector<std::byte> out(size_bytes);
  std::vector<std::byte> in(size_bytes);
  for (std::uint32_t i = 0; i < size_bytes; ++i) out[i] = static_cast<std::byte>((i * 31 + 7) & 0xFFU);
  CallLatency latency;
  latency.write = bench.time([&] {
    return heap::write_confirmed(driver, bench, 0, {out.data(), size_bytes});
  });
  latency.read = bench.time([&] { return heap::read_confirmed(driver, bench, 0, {in.data(), size_bytes}); });
  if (in != out) throw std::logic_error("the timing bench read back something else than it wrote");
  return latency;
}

}  // namespace brownout::sim
