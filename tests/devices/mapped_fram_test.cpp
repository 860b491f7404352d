// A part in the address space of its MCU, as the CPU sees it.
#include <vector>

#include <gtest/gtest.h>

#include "devices/fram/fram_chip.hpp"
#include "devices/mcu/mcu_profile.hpp"

namespace brownout::devices {
namespace {

using Bytes = std::vector<std::uint8_t>;

const FramPart& mapped() { return *find_fram_part("msp430fr5994"); }

class MappedChip : public ::testing::Test {
 protected:
  static FramChip powered(const FramFaults& faults = {}) {
    FramChip chip(mapped(), faults);
    chip.power_on({});
    return chip;
  }
  static void store(FramChip& chip, std::uint32_t at, const Bytes& word) {
    chip.begin_store(at, static_cast<std::uint32_t>(word.size()));
    chip.store(at, word);
  }
  static Bytes load(FramChip& chip, std::uint32_t at, std::size_t size) {
    Bytes word(size);
    chip.load(at, word);
    return word;
  }
};

TEST_F(MappedChip, ReadsBackWhatWasStoredAtOnce) {
  FramChip chip = powered();
  store(chip, 0, {1, 2});
  store(chip, 7, {3});
  store(chip, mapped().size_bytes - 2, {4, 5});
  EXPECT_EQ(load(chip, 0, 2), (Bytes{1, 2}));
  EXPECT_EQ(load(chip, 6, 2), (Bytes{0, 3}));
  EXPECT_EQ(load(chip, mapped().size_bytes - 1, 1), Bytes{5});
  EXPECT_EQ(chip.violations(), FramViolations{}) << "there is nothing to wait for, no WEL";
}

TEST_F(MappedChip, WithoutPowerNothingHappens) {
  FramChip chip = powered();
  store(chip, 4, {1, 2});
  chip.power_off();
  store(chip, 4, {3, 4});
  EXPECT_EQ(load(chip, 4, 2), (Bytes{0xFF, 0xFF}));
  chip.power_on({});
  EXPECT_EQ(load(chip, 4, 2), (Bytes{1, 2}));
}

TEST_F(MappedChip, EachWordThatIsWrittenAndEachRowThatIsReadWears) {
  FramChip chip = powered();
  for (const std::uint32_t at : {16U, 18U, 20U, 22U}) store(chip, at, {1, 2});
  EXPECT_EQ(chip.hottest_row().address, 16U);
  EXPECT_EQ(chip.hottest_row().accesses, 4U) << "the row is written anew for each";
  for (int i = 0; i < 3; ++i) load(chip, 16, 2);
  EXPECT_EQ(chip.hottest_row().accesses, 5U) << "once: it is in the cache";
  load(chip, 24, 2);
  load(chip, 16, 2);
  EXPECT_EQ(chip.hottest_row().accesses, 6U);
}

TEST_F(MappedChip, AWordIsWrittenAsAWholeOrNotAtAll) {
  for (const double vdd_v : {3.0, 1.7}) {
    FramChip chip = powered();
    chip.supply(vdd_v);
    store(chip, 8, {1, 2});
    chip.begin_store(8, 2);
    chip.power_off();
    EXPECT_EQ(chip.memory()[8], 1);
    EXPECT_EQ(chip.memory()[9], 2);
    EXPECT_EQ(chip.damage(), (FramDamage{2, 0, 0})) << "bytes";
  }
}

TEST_F(MappedChip, BelowTheLowestVddWordsAreGarbage) {
  FramChip chip = powered({FramFault::garbage_below_min_vdd, 5});
  chip.supply(1.8);
  store(chip, 8, {1, 2});
  EXPECT_EQ(chip.damage(), FramDamage{}) << "within its range";
  chip.supply(1.79);
  store(chip, 10, {3, 4});
  EXPECT_EQ(chip.damage(), (FramDamage{0, 2, 0}));
  chip.begin_store(8, 2);
  chip.power_off();
  EXPECT_EQ(chip.damage(), (FramDamage{2, 4, 0})) << "that in flight too";
  EXPECT_FALSE(chip.memory()[8] == 1 && chip.memory()[9] == 2);
  chip.power_on({});
  store(chip, 8, {5, 6});
  EXPECT_EQ(load(chip, 8, 2), (Bytes{5, 6}));
}

TEST(MappedPart, WaitsForItsAccessAboveEightMegahertz) {
  EXPECT_EQ(mapped().wait_states(1'000'000), 0U);
  EXPECT_EQ(mapped().wait_states(8'000'000), 0U);
  EXPECT_EQ(mapped().wait_states(8'000'001), 1U);
  EXPECT_EQ(mapped().wait_states(16'000'000), 1U);
  EXPECT_EQ(mapped().wait_states(16'000'001), 2U);
  EXPECT_EQ(mapped().wait_states(1'000'000'000), 124U);
}

// SLASE54D.
TEST(MappedPart, FiguresOfTheDataSheet) {
  const FramPart& part = mapped();
  EXPECT_TRUE(part.is_mapped);
  EXPECT_EQ(part.size_bytes, 262'144U);
  EXPECT_EQ(part.access, nanoseconds(125));
  EXPECT_EQ(part.min_vdd_v, 1.8);
  EXPECT_EQ(part.max_vdd_v, 3.6);
  EXPECT_EQ(part.endurance, 1e15);
  EXPECT_EQ(part.row_bytes, 8U);
  EXPECT_EQ(estimates_in(part), 1U) << "its row";
  EXPECT_EQ(part.active_a_at(0), 0) << "the MCU has it";
  EXPECT_EQ(part.standby_a, 0);
  const McuProfile& mcu = *find_mcu_profile("msp430fr5994");
  EXPECT_TRUE(mcu.maps_fram);
  EXPECT_TRUE(mcu.costs_estimated);
  EXPECT_EQ(mcu.clock_hz, 16'000'000U);
  EXPECT_DOUBLE_EQ(mcu.active_a_at(8'000'000), 8 * 118e-6);
  EXPECT_EQ(mcu.sleep_a, 0.5e-6);
}

// No bus, no figure of one.
TEST(MappedPart, TheRecordHasWhatItHasAndNothingElse) {
  std::vector<std::string> keys;
  visit_figures(mapped(), [&keys](const char* key, const auto& figure) {
    keys.emplace_back(key);
    EXPECT_FALSE(figure.source.empty()) << key;
  });
  EXPECT_EQ(keys, (std::vector<std::string>{"size", "access", "min_vdd", "max_vdd", "row", "endurance",
                                            "reads_wear", "retention"}));
}

}  // namespace
}  // namespace brownout::devices
