// What a harvester delivers: a sequence of spans of constant power.
#pragma once

#include <optional>

#include "devices/units.hpp"

namespace brownout::devices {

// Power from the end of the previous segment (or time 0) up to `end`, exclusive.
struct SourceSegment {
  Picoseconds end;
  double power_w = 0;  // >= 0, behind an ideal converter
};

// Hands out the segments in order. Sources are deterministic and are read once, front to back; two
// readers need two sources.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  // The next segment, whose end is later than that of the one before; nothing once the source has
  // ended. A source that goes on for ever ends its last segment at kForever. Amortised O(1).
  virtual std::optional<SourceSegment> next() = 0;

  // Length of one period of a source that repeats, nothing for one that does not.
  [[nodiscard]] virtual std::optional<Picoseconds> period() const { return std::nullopt; }
};

}  // namespace brownout::devices
