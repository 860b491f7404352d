#include "devices/units.hpp"

#include <gtest/gtest.h>

namespace brownout::devices {
namespace {

TEST(CyclesAt, IsExactWhereTheClockDivides) {
  EXPECT_EQ(cycles_at(8, 20'000'000).count, 400'000);
  EXPECT_EQ(cycles_at(160'000'000, 160'000'000).count, kPicosecondsPerSecond);
}

TEST(CyclesAt, RoundsTotalsAndNotCycles) {
  // 80 MHz / 7: a period is 87,500 ps exactly; 3 MHz: 333,333.3 ps.
  EXPECT_EQ(cycles_at(3, 3'000'000).count, 1'000'000);
  EXPECT_EQ(cycles_at(1, 3'000'000).count, 333'333);
  EXPECT_EQ(cycles_at(3'000'000'001, 3'000'000).count, 1'000'000'000'333'333);
}

TEST(CyclesAt, NeverRunsBackwards) {
  for (std::uint64_t hertz : {1'000ULL, 11'428'571ULL, 33'333'333ULL, 999'999'937ULL}) {
    Picoseconds last{-1};
    for (std::uint64_t n = 0; n < 5'000; ++n) {
      const Picoseconds now = cycles_at(n, hertz);
      ASSERT_GT(now, last);
      const double exact = static_cast<double>(n) * 1e12 / static_cast<double>(hertz);
      ASSERT_LE(static_cast<double>(now.count), exact + 1e-6 * exact);
      ASSERT_GT(static_cast<double>(now.count), exact - 2 - 1e-9 * exact) << n << " cycles at " << hertz;
      last = now;
    }
  }
}

}  // namespace
}  // namespace brownout::devices
