#include <gtest/gtest.h>

#include "devices/bus/rtos_tick.hpp"

namespace brownout::devices {
namespace {

constexpr RtosTick kTick{
    .period = microseconds(100), .cost = microseconds(10), .first_after_start = microseconds(50)};

TEST(TickClock, NoTickChangesNothing) {
  TickClock clock(RtosTick{});
  clock.start({});
  EXPECT_EQ(clock.stretch({}, milliseconds(5)), milliseconds(5));
}

TEST(TickClock, EachStrikeCostsItsTime) {
  TickClock clock(kTick);
  clock.start({});
  EXPECT_EQ(clock.stretch({}, microseconds(50)), microseconds(50)) << "ends as the first one strikes";
  EXPECT_EQ(clock.stretch(microseconds(50), microseconds(5)), microseconds(15));
  EXPECT_EQ(clock.stretch(microseconds(65), microseconds(200)), microseconds(220));
}

TEST(TickClock, StrikesInsideTheTimeThatStrikesTake) {
  TickClock clock(kTick);
  clock.start({});
  // 85 us of work: the strike at 50 pushes its end to 95; the next is at 150.
  EXPECT_EQ(clock.stretch({}, microseconds(85)), microseconds(95));
  TickClock close(kTick);
  close.start({});
  // 145 us: pushed to 155, which brings in the strike at 150.
  EXPECT_EQ(close.stretch({}, microseconds(145)), microseconds(165));
}

TEST(TickClock, DmaGoesOnBelowTheTick) {
  TickClock clock(kTick);
  clock.start({});
  EXPECT_EQ(clock.stretch_beside({}, microseconds(90)), microseconds(90));
  EXPECT_EQ(clock.stretch(microseconds(90), microseconds(10)), microseconds(10))
      << "the tick was over by then";
  // Byte by byte: the strike at 150 takes nothing from the wire, and what is left of it from the CPU.
  for (int at = 100; at < 155; ++at) clock.stretch_beside(microseconds(at), microseconds(1));
  EXPECT_EQ(clock.stretch(microseconds(155), microseconds(3)), microseconds(8));
  EXPECT_EQ(clock.stretch(microseconds(163), microseconds(3)), microseconds(3)) << "once";
}

TEST(TickClock, SkippedTicksStretchNothing) {
  TickClock clock(kTick);
  clock.start({});
  clock.skip_to(microseconds(50));
  EXPECT_EQ(clock.stretch(microseconds(50), microseconds(5)), microseconds(15))
      << "one that strikes then does";
  clock.skip_to(microseconds(100));
  clock.skip_to(microseconds(9'951));
  EXPECT_EQ(clock.stretch(microseconds(9'951), microseconds(99)), microseconds(99))
      << "the next is at 10,050";
  EXPECT_EQ(clock.stretch(microseconds(10'050), microseconds(1)), microseconds(11));
  TickClock none(RtosTick{});
  none.start({});
  none.skip_to(microseconds(7));
  EXPECT_EQ(none.stretch(microseconds(7), microseconds(5)), microseconds(5));
}

}  // namespace
}  // namespace brownout::devices
