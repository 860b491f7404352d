// A run as trace events (the JSON format of chrome://tracing), for Perfetto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/machine/run_observer.hpp"
#include "sim/report/write_file.hpp"
#include "sim/waves/title.hpp"
#include "sim/waves/window.hpp"

namespace brownout::sim::waves {

// Slices are written as they end, so not in the order of their beginnings; those of a track nest. `ts` and
// `dur` are microseconds, rounded down to 1/1024. The voltage is rounded to 0.1 mV. Memory does not grow with
// the run.
class TraceJsonWriter final : public RunObserver {
 public:
  // `out` outlives this; whoever owns it finishes it.
  TraceJsonWriter(OutputFile& out, const Title& title, Window window);

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
  enum class Track : std::uint8_t { board, program, store, powered, warning };
  struct Slice {
    bool open = false;
    devices::Picoseconds begin;
  };

  void note(devices::Picoseconds at);
  void event(std::string_view text);
  // `args` is the inside of an object. Cut to the window.
  void slice(Track track, std::string_view name, devices::Picoseconds begin, devices::Picoseconds end,
             std::string_view args);
  void instant(Track track, char scope, std::string_view name, devices::Picoseconds at);
  void level(Slice& slice, Track track, std::string_view name, bool on, devices::Picoseconds at);
  void counter(std::string_view name, devices::Picoseconds at, std::string_view args);
  void voltage(devices::Picoseconds at, double v);
  void write_heap(devices::Picoseconds at);
  void close_board(devices::Picoseconds at);
  void close_call(devices::Picoseconds at);
  void close_operation(devices::Picoseconds at, std::string_view end);
  void write_access(devices::Picoseconds at, std::string_view end, std::uint64_t data_bytes);

  OutputFile& out_;
  Window window_;
  bool first_ = true;
  bool in_window_ = false;

  Doing doing_ = Doing::off;
  Slice board_;
  std::string_view ending_;  // of the persist or restore at hand
  Slice operation_;
  std::uint64_t operations_ = 0;
  Slice call_;
  firmware::MemoryCall which_ = firmware::MemoryCall::start;
  Slice access_;
  StoreAccess what_;
  Slice powered_;
  Slice warning_;
  std::optional<HeapState> heap_;
  std::optional<std::int64_t> tenths_mv_;
  std::string text_;
};

}  // namespace brownout::sim::waves
