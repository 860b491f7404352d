// The periodic interrupt of an RTOS, as the time that it takes from whatever the CPU does.
#pragma once

#include "devices/bus/spi_profile.hpp"
#include "devices/units.hpp"

namespace brownout::devices {

class TickClock {
 public:
  explicit TickClock(const RtosTick& tick) : tick_(tick) {}

  // The tick timer starts: at boot, or before a call that is timed.
  void start(Picoseconds now) {
    next_ = now + tick_.first_after_start;
    busy_until_ = {};
  }

  // How long `span` of the CPU's work takes from `now` on: with what is left of a strike before it, and the
  // strikes that fall into it. O(strikes).
  Picoseconds stretch(Picoseconds now, Picoseconds span) {
    if (tick_.period.count == 0) return span;
    Picoseconds end = now + span;
    if (busy_until_ > now) end += busy_until_ - now;
    while (next_ < end) {
      end += tick_.cost;
      next_ += tick_.period;
    }
    return end - now;
  }

  // The same for `span` of something that goes on without the CPU: strikes take nothing from it, but the
  // CPU's work that follows waits for their end. O(strikes).
  Picoseconds stretch_beside(Picoseconds now, Picoseconds span) {
    if (tick_.period.count == 0) return span;
    for (; next_ < now + span; next_ += tick_.period) busy_until_ = next_ + tick_.cost;
    return span;
  }

  // Ticks before `now` struck while the CPU had nothing to do: they stretch nothing. O(1).
  void skip_to(Picoseconds now) {
    if (tick_.period.count == 0 || next_ >= now) return;
    const std::int64_t missed = ((now - next_).count + tick_.period.count - 1) / tick_.period.count;
    next_ += tick_.period * missed;
    busy_until_ = {};
  }

 private:
  RtosTick tick_;
  Picoseconds next_;
  Picoseconds busy_until_;  // of the latest strike beside something else
};

}  // namespace brownout::devices
