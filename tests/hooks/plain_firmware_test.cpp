// The plain firmware, as most programs link it, has no hooks.
#include <gtest/gtest.h>

#include "../sim/test_scenario.hpp"
#include "sim/hooks/access_hooks.hpp"

namespace brownout::sim::testing {
namespace {

class Counter final : public AccessListener {
 public:
  void access(const void*, std::uint32_t, bool, const void*) override { ++heard; }
  std::uint64_t heard = 0;
};

TEST(PlainFirmware, HasNoHooksAndNoName) {
  EXPECT_FALSE(firmware_is_instrumented());
  EXPECT_EQ(firmware_build_id(), "");
  Counter counter;
  {
    const ListeningToAccesses listening(counter);
    Scenario scenario = small_scenario();
    scenario.stop.operations = 10;
    EXPECT_EQ(run(scenario).operations, 10U);
  }
  EXPECT_EQ(counter.heard, 0U);
}

}  // namespace
}  // namespace brownout::sim::testing
