// Distances between rare events, against what independent trials would give.
#include "devices/math/rare_events.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace brownout::devices {
namespace {

TEST(RareEvents, NeverAndAlways) {
  RareEvents never(0, 1);
  EXPECT_EQ(never.ahead(), ~std::uint64_t{0});
  never.pass(1'000'000);
  EXPECT_FALSE(never.next());
  EXPECT_EQ(never.ahead(), ~std::uint64_t{0});
  RareEvents always(1, 1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(always.next());
}

// Mean (1 - p) / p and variance (1 - p) / p^2 of the distance, within five standard errors; and how often it
// is 0.
TEST(RareEvents, DistancesAreGeometric) {
  for (const double p : {0.5, 0.1, 1e-3, 1e-6}) {
    RareEvents events(p, 42);
    constexpr int kEvents = 200'000;
    double sum = 0;
    int at_once = 0;
    for (int i = 0; i < kEvents; ++i) {
      const std::uint64_t ahead = events.ahead();
      sum += static_cast<double>(ahead);
      at_once += ahead == 0 ? 1 : 0;
      events.pass(ahead);
      events.take();
    }
    const double deviation = std::sqrt((1 - p) / (p * p) / kEvents);
    EXPECT_NEAR(sum / kEvents, (1 - p) / p, 5 * deviation) << p;
    EXPECT_NEAR(at_once, kEvents * p, 5 * std::sqrt(kEvents * p * (1 - p)) + 1) << p;
  }
}

// One at a time or many at once: the events are the same.
TEST(RareEvents, StepsDoNotMatter) {
  RareEvents single(0.01, 9);
  RareEvents leaps(0.01, 9);
  std::uint64_t trial = 0;
  for (int i = 0; i < 1'000; ++i) {
    while (!single.next()) ++trial;
    std::uint64_t leapt = leaps.ahead();
    leaps.pass(leapt / 2);
    leaps.pass(leapt - leapt / 2);
    leaps.take();
    EXPECT_EQ(trial, leapt);
    trial = 0;
  }
}

// The sequence is part of every report that uses it.
TEST(RareEvents, IsTheSameEverywhere) {
  RareEvents events(1e-3, 7);
  std::uint64_t hash = 0;
  for (int i = 0; i < 1'000; ++i) {
    hash = hash * 0x9e37'79b9'7f4a'7c15ULL + events.ahead();
    events.pass(events.ahead());
    events.take();
  }
  EXPECT_EQ(hash, 11934277280972114186U);
}

}  // namespace
}  // namespace brownout::devices
