#include <gtest/gtest.h>

#include "devices/bus/rtos_tick.hpp"

namespace brownout::devices {
namespace {

constexpr RtosTick kTick{
    .period = microseconds(100), .cost = microseconds(10), .first_after_start = microseconds(50)};

TEST(TickClock, NoTickChangesNothing) {
  TickClock clock(RtosTick{});
  clock.start({});
  EXPECT_EQ(clock.stretch({}, milliseconds(5), false), milliseconds(5));
}

TEST(TickClock, EachStrikeCostsItsTime) {
  TickClock clock(kTick);
  clock.start({});
  EXPECT_EQ(clock.stretch({}, microseconds(50), false), microseconds(50)) << "ends as the first one strikes";
  EXPECT_EQ(clock.stretch(microseconds(50), microseconds(5), false), microseconds(15));
  EXPECT_EQ(clock.stretch(microseconds(65), microseconds(200), false), microseconds(220));
}

TEST(TickClock, StrikesInsideTheTimeThatStrikesTake) {
  TickClock clock(kTick);
  clock.start({});
  // 85 us of work: the strike at 50 pushes its end to 95; the next is at 150.
  EXPECT_EQ(clock.stretch({}, microseconds(85), false), microseconds(95));
  TickClock close(kTick);
  close.start({});
  // 145 us: pushed to 155, which brings in the strike at 150.
  EXPECT_EQ(close.stretch({}, microseconds(145), false), microseconds(165));
}

TEST(TickClock, DmaGoesOnBelowTheTick) {
  TickClock clock(kTick);
  clock.start({});
  EXPECT_EQ(clock.stretch({}, microseconds(90), true), microseconds(90));
  TickClock late(kTick);
  late.start({});
  EXPECT_EQ(late.stretch({}, microseconds(55), true), microseconds(60)) << "noticed when the tick is over";
}

TEST(TickClock, SkippedTicksStretchNothing) {
  TickClock clock(kTick);
  clock.start({});
  clock.skip_to(microseconds(50));
  EXPECT_EQ(clock.stretch(microseconds(50), microseconds(5), false), microseconds(15))
      << "one that strikes then does";
  clock.skip_to(microseconds(100));
  clock.skip_to(microseconds(9'951));
  EXPECT_EQ(clock.stretch(microseconds(9'951), microseconds(99), false), microseconds(99))
      << "the next is at 10,050";
  EXPECT_EQ(clock.stretch(microseconds(10'050), microseconds(1), false), microseconds(11));
  TickClock none(RtosTick{});
  none.start({});
  none.skip_to(microseconds(7));
  EXPECT_EQ(none.stretch(microseconds(7), microseconds(5), false), microseconds(5));
}

}  // namespace
}  // namespace brownout::devices
