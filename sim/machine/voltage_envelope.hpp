// The lowest and highest voltage of each stretch of time, in constant memory.
#pragma once

#include <cstddef>
#include <vector>

#include "devices/units.hpp"

namespace brownout::sim {

// So many equal stretches from `origin` on. When time passes the last one, each two become one of twice the
// length: no stretch is left out, and what a stretch says stays true.
class VoltageEnvelope {
 public:
  // An instant and the terminal voltage then.
  struct Point {
    devices::Picoseconds at;
    double v = 0;
  };
  struct Stretch {
    Point lowest;
    Point highest;
    bool empty = true;
  };

  // Asserted: `stretches` even and not 0, `length` above 0.
  VoltageEnvelope(std::size_t stretches, devices::Picoseconds length, devices::Picoseconds origin = {});

  // In the order of time, from the origin on. O(1) but for the doublings, of which there are 63 at most.
  void add(Point point);

  // The end of the stretch that the latest point lies in.
  [[nodiscard]] devices::Picoseconds next_edge() const { return next_edge_; }
  [[nodiscard]] devices::Picoseconds origin() const { return origin_; }
  [[nodiscard]] devices::Picoseconds length() const { return length_; }
  // From the origin to the latest point; one without a point is empty.
  [[nodiscard]] const std::vector<Stretch>& stretches() const { return stretches_; }

 private:
  void double_length();

  std::size_t most_;
  devices::Picoseconds length_;
  devices::Picoseconds origin_;
  devices::Picoseconds next_edge_;
  std::vector<Stretch> stretches_;
};

}  // namespace brownout::sim
