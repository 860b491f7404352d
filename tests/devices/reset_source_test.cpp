// A supply that fails at given instants.
#include "devices/supply/reset_source.hpp"

#include <gtest/gtest.h>

namespace brownout::devices {
namespace {

constexpr BoardState kOn{3, false};
constexpr BoardState kOff{2, true};

TEST(ResetSource, NoPowerFromAnInstantUntilTheBoardIsOff) {
  const auto source = make_reset_source({{100}, {300}}, 2);
  EXPECT_EQ(source->next()->end.count, 100);
  EXPECT_EQ(source->power_for(kOn).power_w, 2);
  EXPECT_EQ(source->power_for(kOff).power_w, 2);
  const auto cut = source->next();
  EXPECT_EQ(cut->end.count, 300);
  EXPECT_TRUE(cut->follows_board);
  EXPECT_EQ(source->power_for(kOn).power_w, 0);
  EXPECT_EQ(source->power_for(kOn).power_w, 0);
  EXPECT_EQ(source->power_for(kOff).power_w, 2);
  EXPECT_EQ(source->power_for(kOn).power_w, 2) << "once it was off, power is back";
}

TEST(ResetSource, AnInstantWhileTheBoardIsOffChangesNothing) {
  const auto source = make_reset_source({{100}}, 2);
  static_cast<void>(source->next());
  EXPECT_EQ(source->next()->end, kForever);
  EXPECT_EQ(source->power_for(kOff).power_w, 2);
  EXPECT_EQ(source->power_for(kOn).power_w, 2);
  EXPECT_FALSE(source->next());
}

}  // namespace
}  // namespace brownout::devices
