#include "devices/fram/fram_chip.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fram_bus.hpp"

namespace brownout::devices {
namespace {

using testing::Bus;
using testing::Bytes;

std::vector<std::string> catalogue() {
  std::vector<std::string> names;
  for (const FramPart& part : fram_parts()) {
    if (!part.is_mapped) names.push_back(part.name);
  }
  return names;
}

// The behaviour of each part on a bus against its record.
class EveryPart : public ::testing::TestWithParam<std::string> {
 protected:
  EveryPart() : chip(*find_fram_part(GetParam())), bus(chip, chip.part().power_up) { chip.power_on({}); }
  FramChip chip;
  Bus bus;
};

TEST_P(EveryPart, ReadsBackWhatWasWritten) {
  bus.write(0x123, {1, 2, 3});
  EXPECT_EQ(bus.read(0x122, 5), (Bytes{0, 1, 2, 3, 0}));
  EXPECT_EQ(chip.violations(), FramViolations{});
}

TEST_P(EveryPart, WriteNeedsWrenEachTime) {
  bus.write(0, {7});
  EXPECT_EQ(bus.status() & 2, 0) << "WEL falls at the end of a WRITE";
  Bytes out = bus.address(0x02, 0);
  out.push_back(9);
  bus.transact(out);
  EXPECT_EQ(bus.read(0, 1), Bytes{7});
  EXPECT_EQ(chip.violations().write_without_wel, 1U);
}

TEST_P(EveryPart, WrenSetsAndWrdiClearsWel) {
  bus.transact({0x06});
  EXPECT_EQ(bus.status(), 2);
  bus.transact({0x04});
  EXPECT_EQ(bus.status(), 0);
}

TEST_P(EveryPart, RollsOverAtTheEnd) {
  const std::uint32_t last = chip.part().size_bytes - 1;
  bus.write(last, {1, 2});
  EXPECT_EQ(bus.read(last, 3), (Bytes{1, 2, 0}));
  EXPECT_EQ(bus.read(0, 1), Bytes{2});
}

TEST_P(EveryPart, IgnoresTheUpperAddressBits) {
  bus.write(5, {0x55});
  const std::uint32_t alias = chip.part().size_bytes + 5;
  EXPECT_EQ(bus.read(alias, 1), Bytes{0x55});
}

TEST_P(EveryPart, IdentifiesItselfIfItCan) {
  const FramIdentity& id = chip.part().rdid;
  if (id.size == 0) {
    EXPECT_EQ(bus.transact({0x9F}, 2), (Bytes{0xFF, 0xFF}));
    EXPECT_EQ(chip.violations().unknown_opcode, 1U);
    return;
  }
  Bytes expected(id.bytes.begin(), id.bytes.begin() + id.size);
  expected.push_back(id.bytes[0]);  // and again
  EXPECT_EQ(bus.transact({0x9F}, id.size + 1), expected);
  EXPECT_EQ(chip.violations().unknown_opcode, 0U);
}

TEST_P(EveryPart, ReadsFastWithADummyByteIfItCan) {
  bus.write(7, {0x11, 0x22});
  Bytes command = bus.address(0x0B, 7);
  command.push_back(0xEE);
  if (chip.part().fast_read) {
    EXPECT_EQ(bus.transact(command, 2), (Bytes{0x11, 0x22}));
    EXPECT_EQ(chip.violations().unknown_opcode, 0U);
  } else {
    EXPECT_EQ(bus.transact(command, 2), (Bytes{0xFF, 0xFF}));
    EXPECT_EQ(chip.violations().unknown_opcode, 1U);
  }
}

// The first fall of CS wakes it, and is no access; before it is awake, an access is misuse.
TEST_P(EveryPart, SleepsAndWakesIfItCan) {
  bus.write(3, {0x33});
  bus.transact({0xB9});
  if (!chip.part().has_sleep) {
    EXPECT_FALSE(chip.asleep());
    EXPECT_EQ(chip.violations().unknown_opcode, 1U);
    EXPECT_EQ(bus.read(3, 1), Bytes{0x33});
    return;
  }
  EXPECT_TRUE(chip.asleep());
  const Picoseconds asleep = chip.part().power_up + chip.part().sleep_entry;
  Bus waking(chip, asleep);
  EXPECT_EQ(waking.read(3, 1), Bytes{0xFF});
  EXPECT_FALSE(chip.asleep());
  EXPECT_EQ(chip.violations(), FramViolations{});
  Bus early(chip, asleep + chip.part().wake - Picoseconds{1});
  EXPECT_EQ(early.read(3, 1), Bytes{0xFF});
  EXPECT_EQ(chip.violations().access_before_ready, 1U);
  Bus awake(chip, asleep + chip.part().wake);
  EXPECT_EQ(awake.read(3, 1), Bytes{0x33});
  EXPECT_EQ(chip.violations().access_before_ready, 1U);
}

TEST_P(EveryPart, SleepEndsWithThePower) {
  if (!chip.part().has_sleep) return;
  bus.transact({0xB9});
  chip.power_off();
  chip.power_on(milliseconds(10));
  Bus again(chip, milliseconds(10) + chip.part().power_up);
  EXPECT_EQ(again.status(), 0);
}

TEST_P(EveryPart, AnyOtherOpcodeIsCountedAndChangesNothing) {
  bus.write(0, {0x5A});
  std::uint64_t unknown = 0;
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    const FramPart& part = chip.part();
    const bool known = (opcode >= 1 && opcode <= 6) || (opcode == 0x0B && part.fast_read) ||
                       (opcode == 0x9F && part.rdid.value.size > 0) || (opcode == 0xB9 && part.has_sleep);
    if (known) continue;
    EXPECT_EQ(bus.transact({static_cast<std::uint8_t>(opcode), 0, 0, 0, 0, 0}, 1), Bytes{0xFF});
    EXPECT_EQ(chip.violations().unknown_opcode, ++unknown) << opcode;
  }
  EXPECT_EQ(bus.status(), 0);
  EXPECT_EQ(bus.read(0, 1), Bytes{0x5A});
}

TEST_P(EveryPart, WriteStatusNeedsWrenToo) {
  bus.transact({0x01, 0x0C});
  EXPECT_EQ(bus.status(), 0);
  EXPECT_EQ(chip.violations().write_without_wel, 1U);
}

// WPEN means the status register alone, and only while the WP pin is low.
TEST_P(EveryPart, WpenAndTheWpPinLockTheStatusRegister) {
  bus.transact({0x06});
  bus.transact({0x01, 0x84});
  chip.drive_write_protect(true);
  bus.transact({0x06});
  bus.transact({0x01, 0x00});
  EXPECT_EQ(bus.status(), 0x84);
  EXPECT_EQ(chip.violations().write_protected, 1U);
  bus.write(1, {0x66});
  EXPECT_EQ(bus.read(1, 1), Bytes{0x66});
  chip.drive_write_protect(false);
  bus.transact({0x06});
  bus.transact({0x01, 0x00});
  EXPECT_EQ(bus.status(), 0);
  chip.drive_write_protect(true);  // without WPEN the pin means nothing
  bus.transact({0x06});
  bus.transact({0x01, 0x04});
  EXPECT_EQ(bus.status(), 0x04);
}

TEST_P(EveryPart, ProtectionOutlivesThePowerAndIsCounted) {
  bus.transact({0x06});
  bus.transact({0x01, 0x0C});
  chip.power_off();
  chip.power_on(milliseconds(10));
  Bus again(chip, milliseconds(10) + chip.part().power_up);
  EXPECT_EQ(again.status(), 0x0C);
  again.write(0, {1, 2, 3});
  EXPECT_EQ(again.read(0, 3), (Bytes{0, 0, 0}));
  EXPECT_EQ(chip.violations().write_protected, 3U);
}

TEST_P(EveryPart, ByteThatIsCutByTheRiseOfCsIsNotWritten) {
  bus.write(10, {0x55, 0x55});
  bus.transact({0x06});
  chip.select(chip.part().power_up);
  for (const std::uint8_t byte : bus.address(0x02, 10)) chip.clock_byte(byte);
  chip.clock_byte(0xA1);
  chip.cut_byte();
  chip.deselect(chip.part().power_up);
  EXPECT_EQ(bus.read(10, 2), (Bytes{0xA1, 0x55}));
  EXPECT_EQ(chip.damage(), FramDamage{}) << "power did not fail";
  chip.power_off();
  EXPECT_EQ(chip.damage(), FramDamage{}) << "nothing is in flight any more";
}

TEST_P(EveryPart, AnOpcodeThatIsCutDoesNothing) {
  chip.select(chip.part().power_up);
  chip.cut_byte();
  chip.deselect(chip.part().power_up);
  EXPECT_EQ(bus.status(), 0);
  EXPECT_EQ(chip.violations(), FramViolations{});
}

// Of a row in one transaction one access, whether it is read or written; the first of the hottest.
TEST_P(EveryPart, CountsAccessesOfRows) {
  const std::uint32_t row = chip.part().row_bytes;
  bus.write(2 * row, Bytes(row, 1));
  EXPECT_EQ(chip.hottest_row().address, 2 * row);
  EXPECT_EQ(chip.hottest_row().accesses, 1U);
  bus.read(row, 2 * std::size_t{row});
  bus.read(4 * row, 1);
  EXPECT_EQ(chip.hottest_row().address, 2 * row);
  EXPECT_EQ(chip.hottest_row().accesses, 2U);
  bus.write(0, {1});
  bus.status();
  EXPECT_EQ(chip.hottest_row().accesses, 2U) << "other rows, and what is no access of the array";
  for (int i = 0; i < 3; ++i) bus.read(5 * row, 1);
  EXPECT_EQ(chip.hottest_row().address, 5 * row);
  EXPECT_EQ(chip.hottest_row().accesses, 3U) << "one after the other, each counts";
}

TEST_P(EveryPart, CurrentGrowsWithTheClock) {
  const FramPart& part = chip.part();
  EXPECT_EQ(part.active_a_at(part.active.value.sck_hz), part.active.value.current_a);
  EXPECT_EQ(part.active_a_at(0), 0);
  double before_a = 0;
  for (std::uint64_t sck_hz = 500'000; sck_hz <= part.max_sck_hz; sck_hz += 500'000) {
    EXPECT_GT(part.active_a_at(sck_hz), before_a) << sck_hz;
    before_a = part.active_a_at(sck_hz);
  }
  const FramCurrent& low = part.active_low;
  EXPECT_EQ(part.active_a_at(low.sck_hz), low.current_a);
}

TEST_P(EveryPart, RecordIsWholeAndEachFigureHasItsSource) {
  const FramPart& part = chip.part();
  visit_figures(part,
                [](const char* key, const auto& figure) { EXPECT_FALSE(figure.source.empty()) << key; });
  EXPECT_EQ(part.address_bytes, part.size_bytes > 65'536 ? 3U : 2U);
  EXPECT_LT(part.min_vdd_v, part.max_vdd_v);
  EXPECT_LE(part.active.value.sck_hz, part.max_sck_hz);
  EXPECT_GT(part.standby_a, 0);
  EXPECT_GT(part.power_up.value.count, 0);
  EXPECT_GE(part.endurance, 1e12);
  EXPECT_GT(part.retention.value.years, 0U);
  if (part.has_sleep) {
    EXPECT_LT(part.sleep_a, part.standby_a);
    EXPECT_GT(part.wake.value.count, 0);
  }
}

TEST_P(EveryPart, WriteIsCommittedByteByByte) {
  bus.transact({0x06});
  chip.select(chip.part().power_up);
  for (const std::uint8_t byte : bus.address(0x02, 10)) chip.clock_byte(byte);
  chip.clock_byte(0xA1);
  EXPECT_EQ(chip.memory()[10], 0xA1);
  EXPECT_EQ(chip.memory()[11], 0);
  chip.power_off();
  EXPECT_EQ(chip.memory()[10], 0xA1) << "what was clocked in stays";
}

TEST_P(EveryPart, LosesWelWithThePower) {
  bus.transact({0x06});
  chip.power_off();
  chip.power_on(milliseconds(1));
  EXPECT_EQ(chip.status() & 2, 0);
}

TEST_P(EveryPart, AnswersNothingBeforeItIsReady) {
  bus.write(0, {1});
  chip.power_off();
  chip.power_on(milliseconds(10));
  Bus early(chip, milliseconds(10) + chip.part().power_up - Picoseconds{1});
  EXPECT_EQ(early.read(0, 1), Bytes{0xFF});
  EXPECT_EQ(chip.violations().access_before_ready, 1U);
  Bus on_time(chip, milliseconds(10) + chip.part().power_up);
  EXPECT_EQ(on_time.read(0, 1), Bytes{1});
}

TEST_P(EveryPart, WithoutPowerNothingHappens) {
  chip.power_off();
  bus.transact({0x06});
  bus.write(0, {1});
  EXPECT_EQ(chip.memory()[0], 0);
}

TEST_P(EveryPart, BlockProtectionCoversWhatItSays) {
  const std::uint32_t size = chip.part().size_bytes;
  const std::uint32_t first_protected[4] = {size, size / 4 * 3, size / 2, 0};
  for (std::uint8_t bits = 0; bits < 4; ++bits) {
    bus.transact({0x06});
    bus.transact({0x01, static_cast<std::uint8_t>(bits << 2)});
    EXPECT_EQ(bus.status(), bits << 2);
    for (const std::uint32_t at : {0U, size / 2 - 1, size / 2, size / 4 * 3 - 1, size / 4 * 3, size - 1}) {
      chip.memory()[at] = 0;
      bus.write(at, {0x77});
      EXPECT_EQ(chip.memory()[at], at < first_protected[bits] ? 0x77 : 0) << int{bits} << " at " << at;
    }
  }
}

TEST_P(EveryPart, StatusKeepsReadOnlyBitsAtZero) {
  bus.transact({0x06});
  bus.transact({0x01, 0xFF});
  EXPECT_EQ(bus.status(), 0x8C);
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryPart, ::testing::ValuesIn(catalogue()),
                         [](const auto& tested) { return tested.param; });

// Properties that no part of the catalogue has.
TEST(OtherParts, WelMayStaySetAfterAWrite) {
  FramPart part = *find_fram_part("mb85rs64v");
  part.wel_cleared_by_write.value = false;
  FramChip chip(part);
  chip.power_on({});
  Bus bus(chip, part.power_up);
  bus.write(0, {1});
  EXPECT_EQ(bus.status(), 2);
  Bytes out = bus.address(0x02, 1);
  out.push_back(2);
  bus.transact(out);
  EXPECT_EQ(bus.read(0, 2), (Bytes{1, 2}));
  EXPECT_EQ(chip.violations(), FramViolations{});
}

TEST(OtherParts, ReadsMayNotWear) {
  FramPart part = *find_fram_part("mb85rs64v");
  part.reads_wear.value = false;
  FramChip chip(part);
  chip.power_on({});
  Bus bus(chip, part.power_up);
  bus.read(0, 8);
  EXPECT_EQ(chip.hottest_row().accesses, 0U);
}

TEST(OtherParts, FallingAsleepTakesItsTimeBeforeItCanWake) {
  FramPart part = *find_fram_part("mb85rs4mt");
  part.sleep_entry.value = microseconds(10);
  FramChip chip(part);
  chip.power_on({});
  Bus(chip, part.power_up).transact({0xB9});
  Bus(chip, part.power_up + microseconds(4)).transact({0x05});  // before it is asleep
  const Picoseconds awake = part.power_up + microseconds(10) + part.wake;
  EXPECT_EQ(Bus(chip, awake - Picoseconds{1}).status(), 0xFF);
  EXPECT_EQ(Bus(chip, awake).status(), 0);
}

}  // namespace
}  // namespace brownout::devices
