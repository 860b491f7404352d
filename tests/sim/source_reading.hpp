// Reads what a trace hands out. Used by the tests of traces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <vector>

#include "devices/supply/source.hpp"

namespace brownout::sim::testing {

struct Segment {
  std::int64_t end = 0;
  double power_w = 0;
  friend bool operator==(const Segment&, const Segment&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Segment& segment) {
    return out << segment.end << " ps: " << segment.power_w << " W";
  }
};

// All segments, or the first `most`.
inline std::vector<Segment> read_segments(devices::Source& source, std::size_t most = 1'000) {
  std::vector<Segment> out;
  while (out.size() < most) {
    const auto segment = source.next();
    if (!segment) break;
    out.push_back({segment->end.count, segment->power_w});
  }
  return out;
}

}  // namespace brownout::sim::testing
