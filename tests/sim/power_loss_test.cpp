// What power that fails in the middle of a byte on the bus does to a run, by class of fault.
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/machine/outage_plan.hpp"
#include "sim/report/report.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using devices::FramFault;
using ::testing::HasSubstr;

// Loses power at the point of that number among those of a kind during `during`, once.
class LosePower final : public OutagePlan {
 public:
  LosePower(PointKind kind, During during, std::uint64_t at) : kind_(kind), during_(during), at_(at) {}
  Strike at(Point point) override {
    if (point.during == During::program && point.kind == PointKind::operation && during_ != During::program) {
      return ++operations_ == 3 ? Strike::warning : Strike::none;
    }
    if (point.during != during_ || point.kind != kind_ || operations_ < before()) return Strike::none;
    return seen_++ == at_ ? Strike::power_loss : Strike::none;
  }

 private:
  [[nodiscard]] std::uint64_t before() const { return during_ == During::program ? 0 : 3; }

  PointKind kind_;
  During during_;
  std::uint64_t at_;
  std::uint64_t seen_ = 0;
  std::uint64_t operations_ = 0;
};

RunResult run_cut(FramFault fault, During during, std::uint64_t at) {
  Scenario scenario = small_scenario();
  scenario.storage.power_loss = fault;
  scenario.supply.capacitor.capacitance_f = 300e-6;
  scenario.stop = {{}, 8};
  LosePower plan(PointKind::byte, during, at);
  RunOptions options;
  options.plan = &plan;
  return run(scenario, options);
}

// Between two bytes the CPU is at work, and by FIFO nothing is on the wire then; by DMA the last chunk is,
// while the checksum of the next piece is worked out.
TEST(PowerLoss, AtWorkAByteIsInFlightByDmaAlone) {
  for (const auto mode : {devices::TransferMode::fifo, devices::TransferMode::dma}) {
    Scenario scenario = small_scenario();
    scenario.storage.transfer = mode;
    scenario.storage.bus = *devices::find_spi_profile("esp32c3-baremetal");
    scenario.storage.sck_hz = 1'000'000;  // slow, so that the wire is busy all the while
    scenario.supply.capacitor.capacitance_f = 2e-3;
    scenario.stop = {{}, 8};
    std::uint64_t cut = 0;
    for (std::uint64_t at = 0; at < 60; ++at) {
      LosePower plan(PointKind::work, During::persist, at);
      RunOptions options;
      options.plan = &plan;
      cut += run(scenario, options).damage.bytes_cut;
    }
    EXPECT_EQ(cut > 0, mode == devices::TransferMode::dma) << devices::name_of(mode) << " " << cut;
  }
}

TEST(PowerLoss, InAPersistTheByteInFlightIsWhatTheClassSays) {
  for (std::uint64_t at = 10; at < 60; at += 7) {
    EXPECT_EQ(run_cut(FramFault::discard, During::persist, at).damage, (devices::FramDamage{1, 0, 0})) << at;
    EXPECT_EQ(run_cut(FramFault::garbage_in_flight, During::persist, at).damage,
              (devices::FramDamage{1, 1, 0}))
        << at;
    EXPECT_EQ(run_cut(FramFault::row_lost, During::persist, at).damage, (devices::FramDamage{1, 0, 0})) << at;
  }
}

// Restoring writes nothing, so it can be cut and repeated, unless reading itself destroys what is read. The
// checksum notices: no object comes back wrong.
TEST(PowerLoss, InARestoreALostRowOfTheImageIsNoticed) {
  bool repeated = false;
  bool refused = false;
  for (std::uint64_t at = 100; at < 400; at += 20) {
    const RunResult intact = run_cut(FramFault::discard, During::start, at);
    EXPECT_TRUE(intact.pass) << at << ": " << intact.failure;
    repeated |= intact.during_boot == 1;
    const RunResult lost = run_cut(FramFault::row_lost, During::start, at);
    EXPECT_LE(lost.damage.rows_lost, 1U);
    if (lost.pass) continue;
    refused = true;
    EXPECT_EQ(lost.damage.rows_lost, 1U) << at;
    EXPECT_THAT(lost.failure, HasSubstr("the restore after a complete persist reported error")) << at;
  }
  EXPECT_TRUE(repeated);
  EXPECT_TRUE(refused) << "no cut fell into the image: the test shows too little";
}

// Power is lost without a warning, in the middle of writes home and of the allocator's table. What a byte of
// garbage has torn is in doubt; nothing comes back wrong, no table is left that cannot be read.
TEST(PowerLoss, AnAttachNamesWhatAByteOfGarbageHasTorn) {
  for (const auto allocator : {firmware::StoreAllocatorKind::linked_list, firmware::StoreAllocatorKind::buddy,
                               firmware::StoreAllocatorKind::block}) {
    Scenario scenario = small_scenario();
    scenario.storage.power_loss = FramFault::garbage_in_flight;
    scenario.mcu.on_loss = OnLoss::attach;
    scenario.heap.write_intents = true;
    scenario.heap.ram_bytes = 768;
    scenario.heap.dirty_limit_bytes = 400;
    scenario.heap.memory.store_allocator = allocator;
    scenario.supply.thresholds.brown_out_v = 2.96;
    scenario.supply.comparator.latency = devices::microseconds(300);
    std::get<CounterConfig>(scenario.workload).compute_cycles = 30;
    supply_bursts(scenario, 0, 8e-3, devices::milliseconds(20), 5);
    scenario.stop.time = seconds(20);
    const RunResult result = run(scenario);
    EXPECT_EQ(result.failure, "");
    EXPECT_EQ(result.stop_reason, StopReason::time);
    EXPECT_GT(result.damage.garbage_bytes, 20U);
    EXPECT_GT(result.attaches.in_doubt, 10U);
  }
}

// The MCU goes on writing between the FRAM's lowest VDD and its own brown-out level. 3.0 V to 2.7 V here, and
// the persist begins at 3.0 V.
TEST(PowerLoss, BelowTheLowestVddAPersistIsGarbageAndNoticed) {
  Scenario scenario = small_scenario();
  scenario.storage.power_loss = FramFault::garbage_below_min_vdd;
  const RunResult result = run(scenario);
  EXPECT_FALSE(result.pass);
  EXPECT_GT(result.damage.garbage_bytes, 100U);
  EXPECT_THAT(result.failure, HasSubstr("the restore after a complete persist reported error"));
  EXPECT_THAT(summary(scenario, result), HasSubstr("garbage_below_min_vdd: "));

  scenario.supply.thresholds = {3.9, 3.6, 3.0};  // no window
  const RunResult above = run(scenario);
  EXPECT_TRUE(above.pass) << above.failure;
  EXPECT_EQ(above.damage.garbage_bytes, 0U);
}

TEST(PowerLoss, GarbageIsTheSameInEachRunOfASeed) {
  const auto fingerprint = [](std::uint64_t seed) {
    Scenario scenario = starved_scenario();
    scenario.seed = seed;
    scenario.storage.power_loss = FramFault::garbage_in_flight;
    std::vector<std::uint8_t> image;
    RunOptions options;
    options.fram_image = &image;
    static_cast<void>(run(scenario, options));
    return image;
  };
  EXPECT_EQ(fingerprint(1), fingerprint(1));
}

}  // namespace
}  // namespace brownout::sim::testing
