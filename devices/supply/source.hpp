// What a harvester delivers: a sequence of spans of constant power.
#pragma once

#include <limits>
#include <optional>

#include "devices/units.hpp"

namespace brownout::devices {

// Power from the end of the previous segment (or time 0) up to `end`, exclusive.
struct SourceSegment {
  Picoseconds end;
  double power_w = 0;          // >= 0, behind an ideal converter; the most there is if it follows the board
  bool follows_board = false;  // how much it is depends on the board: Source::power_for() says so
};

// What a source may depend on.
struct BoardState {
  double capacitor_v = 0;  // inside the capacitor, without what drops across its ESR
  bool is_off = false;     // browned out, or drawing nothing
};

// A constant power, to be asked for again as soon as the capacitor's voltage leaves the range, or the board
// goes off.
struct SourcePower {
  double power_w = 0;
  double low_v = 0;
  double high_v = std::numeric_limits<double>::infinity();
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

  // The power of the segment that next() gave last, now. Only asked for if that follows the board.
  virtual SourcePower power_for(const BoardState& board) {
    static_cast<void>(board);
    return {};
  }

  // Length of one period of a source that repeats, nothing for one that does not.
  [[nodiscard]] virtual std::optional<Picoseconds> period() const { return std::nullopt; }
};

}  // namespace brownout::devices
