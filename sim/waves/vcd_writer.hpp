// A run as a value change dump (IEEE 1364), for GTKWave and PulseView.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "sim/machine/run_observer.hpp"
#include "sim/report/write_file.hpp"
#include "sim/waves/title.hpp"
#include "sim/waves/window.hpp"

namespace brownout::sim::waves {

// One tick is 1 ps. Of several changes of a signal at one instant the last is written. The voltage is rounded
// to 0.1 mV. Memory does not grow with the run.
class VcdWriter final : public RunObserver {
 public:
  // `out` outlives this; whoever owns it finishes it.
  VcdWriter(OutputFile& out, const Title& title, Window window);

  void span(VoltageEnvelope::Point from, VoltageEnvelope::Point to) override;
  void supply(devices::Picoseconds at, bool powered, bool warning) override;
  void doing(devices::Picoseconds at, Doing what) override;
  void moment(devices::Picoseconds at, Moment what) override;
  void program_starts(devices::Picoseconds at) override;
  void operation_done(devices::Picoseconds at, std::uint64_t number) override;
  void memory_call(devices::Picoseconds at, firmware::MemoryCall call) override;
  void access(devices::Picoseconds at, const StoreAccess& what) override;
  void access_over(devices::Picoseconds at, AccessEnd end, std::uint64_t data_bytes) override;
  void selected(devices::Picoseconds at, bool selected) override;
  void heap(devices::Picoseconds at, const HeapState& state) override;
  void end(devices::Picoseconds at) override;

 private:
  enum Signal : std::uint8_t {
    voltage,
    powered,
    warning,
    board,
    outages,
    operations,
    call,
    cs_n,
    opcode,
    address,
    objects,
    residents,
    dirty_bytes,
  };
  static constexpr std::size_t kSignals = 13;

  struct Value {
    bool known = false;
    std::uint64_t number = 0;
    friend bool operator==(const Value&, const Value&) = default;
  };

  void advance(devices::Picoseconds at);
  void set(Signal signal, std::uint64_t number) { values_[signal] = {true, number}; }
  void forget(Signal signal) { values_[signal] = {}; }
  void set_voltage(double v);
  void dump();
  void write_time(devices::Picoseconds at);
  void write_changes();
  void write(std::size_t signal);

  OutputFile& out_;
  Window window_;
  devices::Picoseconds now_;
  std::array<Value, kSignals> values_{};
  std::array<Value, kSignals> written_{};
  bool dumped_ = false;
  devices::Picoseconds written_at_;
  std::string text_;
};

}  // namespace brownout::sim::waves
