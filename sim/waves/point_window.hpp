// Where a replay is worth looking at.
#pragma once

#include <array>
#include <cstdint>

#include "sim/machine/run_observer.hpp"
#include "sim/waves/window.hpp"

namespace brownout::sim::waves {

// Watches a replay, to know from when on another one is written: some operations before its latest warning,
// or before its end if there was none.
class PointWindow final : public RunObserver {
 public:
  static constexpr std::uint64_t kOperationsBefore = 3;

  [[nodiscard]] Window window() const { return {warned_ ? from_ : oldest(), devices::kForever}; }

  void supply(devices::Picoseconds /*at*/, bool powered, bool warning) override {
    if (!powered || !warning) return;
    warned_ = true;
    from_ = oldest();
  }
  void operation_done(devices::Picoseconds at, std::uint64_t /*number*/) override {
    ends_[count_++ % ends_.size()] = at;
  }

 private:
  // The operation at hand, and so many before it.
  [[nodiscard]] devices::Picoseconds oldest() const {
    return count_ < ends_.size() ? devices::Picoseconds{} : ends_[count_ % ends_.size()];
  }

  std::array<devices::Picoseconds, kOperationsBefore + 1> ends_{};
  std::uint64_t count_ = 0;
  bool warned_ = false;
  devices::Picoseconds from_;
};

}  // namespace brownout::sim::waves
