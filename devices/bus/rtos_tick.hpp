// The periodic interrupt of an RTOS, as the time that it takes from whatever the CPU does.
#pragma once

#include "devices/bus/spi_profile.hpp"
#include "devices/units.hpp"

namespace brownout::devices {

class TickClock {
 public:
  explicit TickClock(const RtosTick& tick) : tick_(tick) {}

  // The tick timer starts: at boot, or before a call that is timed.
  void start(Picoseconds now) { next_ = now + tick_.first_after_start; }

  // How long `span` of work takes from `now` on, with the strikes that fall into it. Work that goes on
  // without the CPU is stretched only if a strike outlasts it. O(strikes).
  Picoseconds stretch(Picoseconds now, Picoseconds span, bool cpu_is_free) {
    if (tick_.period.count == 0) return span;
    Picoseconds end = now + span;
    while (next_ < end) {
      if (!cpu_is_free) {
        end += tick_.cost;
      } else if (next_ + tick_.cost > end) {
        end = next_ + tick_.cost;
      }
      next_ += tick_.period;
    }
    return end - now;
  }

  // Ticks before `now` struck while the CPU had nothing to do: they stretch nothing. O(1).
  void skip_to(Picoseconds now) {
    if (tick_.period.count == 0 || next_ >= now) return;
    const std::int64_t missed = ((now - next_).count + tick_.period.count - 1) / tick_.period.count;
    next_ += tick_.period * missed;
  }

 private:
  RtosTick tick_;
  Picoseconds next_;
};

}  // namespace brownout::devices
