// Every scenario that is shipped runs, passes, and shows what its comment says.
#include <filesystem>
#include <ostream>

#include <gtest/gtest.h>

#include "sim/machine/control_run.hpp"
#include "sim/report/report.hpp"
#include "sim/scenario/fit.hpp"

namespace brownout::sim {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(BROWNOUT_SOURCE_DIR) / "scenarios";

struct Expected {
  const char* name;
  std::uint64_t outages;       // at least
  std::uint64_t false_alarms;  // at least
  StopReason stop_reason;
};

// NOLINTNEXTLINE(readability-identifier-naming): googletest
void PrintTo(const Expected& expected, std::ostream* out) { *out << expected.name; }

constexpr Expected kExpected[] = {
    {"false-alarm", 2, 20, StopReason::time}, {"full-image", 10, 0, StopReason::operations},
    {"kvs", 2, 0, StopReason::operations},    {"night", 20, 1000, StopReason::time},
    {"queue", 18, 0, StopReason::operations}, {"quickstart", 20, 0, StopReason::time},
    {"rf-counter", 20, 0, StopReason::time},  {"sliced", 5, 0, StopReason::operations},
    {"sensor-log", 20, 0, StopReason::time},  {"harvester-ic", 50, 0, StopReason::time},
    {"msp430", 10, 100, StopReason::time},    {"queue-fifo", 18, 0, StopReason::operations},
};

class Shipped : public ::testing::TestWithParam<Expected> {};

TEST_P(Shipped, PassesAndLosesNothing) {
  const Expected& expected = GetParam();
  const Scenario scenario = load_scenario(kFolder / (std::string(expected.name) + ".yaml"), {}, {});
  EXPECT_EQ(scenario.name, expected.name);
  check_fit(scenario);
  const RunResult result = simulate(scenario, {});
  EXPECT_TRUE(result.pass) << result.failure << "\n" << summary(scenario, result);
  EXPECT_EQ(result.stop_reason, expected.stop_reason);
  EXPECT_EQ(result.lost, 0U);
  EXPECT_GE(result.persisted, expected.outages);
  EXPECT_GE(result.false_alarms, expected.false_alarms);
  EXPECT_LE(result.balance.relative_error, 1e-9);
  EXPECT_GT(result.with_dirty_data, 0U);
  EXPECT_GT(result.control_operations, 0U);
  EXPECT_LE(result.persist.bytes.maximum(),
            scenario.heap.dirty_limit_bytes + heap::round_up_8(scenario.mcu.os_save_bytes))
      << "the dirty limit is the most that one checkpoint writes, the OS part apart";
  EXPECT_LE(result.longest_section_cycles, result.persist_bound.section_limit_cycles);
  if (!scenario.mcu.profile.costs_estimated) {
    EXPECT_EQ(result.persist_bound.section_limit_cycles, 500U);
  }
  EXPECT_GE(scenario.supply.capacitor.capacitance_f, recommended_capacitance(scenario, result))
      << "the shipped capacitor is to be large enough for a full dirty limit";
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Shipped, ::testing::ValuesIn(kExpected), [](const auto& shipped) {
  std::string name = shipped.param.name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

// The same board behind a power-good that is looked at every 64 ms: no warning comes in time, unless the
// capacitor carries the wait as well.
TEST(Shipped, AWarningThatIsPolledIsWorthALargerCapacitor) {
  const auto with = [](const char* capacitance) {
    return simulate(load_scenario(kFolder / "harvester-ic.yaml",
                                  {{"supply.preset=bq25504"},
                                   {std::string("supply.capacitor.capacitance=") + capacitance},
                                   {"stop.time=100 s"}},
                                  {}),
                    {});
  };
  const RunResult late = with("100 uF");
  ASSERT_EQ(late.stop_reason, StopReason::lost);
  EXPECT_FALSE(late.losses[0].warned);
  const RunResult carried = with("3.3 mF");
  EXPECT_TRUE(carried.pass) << carried.failure;
  EXPECT_GT(carried.persisted, 10U);
}

// The worst persist takes little more than its bits on the wire, and a fraction of what was published for
// slices.
TEST(Shipped, TheFullImageGoesOutAtTheSpeedOfTheWire) {
  const RunResult result = simulate(load_scenario(kFolder / "full-image.yaml", {}, {}), {});
  const double wire_s = result.persist.bytes.maximum() * 8 / 40e6;
  constexpr double kPublishedS = 75.6e-3;
  EXPECT_GE(result.persist.bytes.maximum(), 0.95 * 3916);
  EXPECT_LE(result.persist.time_s.maximum(), 1.1 * wire_s);
  EXPECT_LE(result.persist.time_s.maximum(), kPublishedS / 60);
  EXPECT_GE(result.largest_over_bound.time, 0.9);
  EXPECT_GE(result.largest_over_bound.energy, 0.9);
  EXPECT_GE(result.largest_over_bound.bytes, 0.9);
}

// By FIFO and by DMA: nothing but the mode differs, and DMA saves in less than half the time.
TEST(Shipped, TheQueuesDifferInTheTransferModeOnly) {
  const Scenario fifo = load_scenario(kFolder / "queue-fifo.yaml", {}, {});
  const Scenario dma = load_scenario(kFolder / "queue.yaml", {}, {});
  ASSERT_NE(fifo.storage.transfer, dma.storage.transfer);
  const Scenario made =
      load_scenario(kFolder / "queue.yaml", {{"storage.transfer=fifo"}, {"name=queue-fifo"}}, {});
  const RunResult by_fifo = simulate(fifo, {});
  EXPECT_TRUE(json_report(made, simulate(made, {})) == json_report(fifo, by_fifo));
  const RunResult by_dma = simulate(dma, {});
  EXPECT_LT(by_dma.persist.time_s.maximum(), 0.5 * by_fifo.persist.time_s.maximum());
  EXPECT_LT(by_dma.needed_capacitance_f, 0.5 * by_fifo.needed_capacitance_f);
}

TEST(Shipped, NoneIsForgotten) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    count += entry.path().extension() == ".yaml" ? 1 : 0;
  }
  EXPECT_EQ(count, std::size(kExpected));
}

}  // namespace
}  // namespace brownout::sim
