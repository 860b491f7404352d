// The files of waves that a command was asked for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/machine/run_observer.hpp"
#include "sim/report/write_file.hpp"
#include "sim/waves/title.hpp"
#include "sim/waves/window.hpp"

namespace brownout::sim::waves {

// Each is whole, or not there, however the run ends.
class WaveFiles final : public RunObserver {
 public:
  // Empty paths: not wanted. Throws EnvironmentError.
  WaveFiles(const std::string& vcd_path, const std::string& json_path, const Title& title, Window window);

  // Ends what nobody has ended, and renames. Throws EnvironmentError.
  void finish();
  // When the run ended.
  [[nodiscard]] devices::Picoseconds ended_at() const { return ended_at_; }

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
  struct Written {
    std::unique_ptr<OutputFile> file;
    std::unique_ptr<RunObserver> writer;
  };
  std::vector<Written> all_;
  bool ended_ = false;
  devices::Picoseconds ended_at_;
};

}  // namespace brownout::sim::waves
