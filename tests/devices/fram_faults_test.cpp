// What is left in an FRAM whose supply fails in the middle of a byte.
#include <vector>

#include <gtest/gtest.h>

#include "fram_bus.hpp"

namespace brownout::devices {
namespace {

using testing::Bus;
using testing::Bytes;

// A chip in the middle of a byte at address 16 of the MB85RS64V, with rows of 8 B, all 0x55.
class Fault : public ::testing::Test {
 protected:
  static FramChip cut_in(std::uint8_t opcode, const FramFaults& faults, double vdd_v = 3.3) {
    FramPart part = *find_fram_part("mb85rs64v");
    part.row_bytes.value = 8;
    FramChip chip(part, faults);
    for (std::uint8_t& byte : chip.memory()) byte = 0x55;
    chip.power_on({});
    Bus bus(chip, part.power_up);
    bus.transact({0x06});
    chip.select(part.power_up);
    chip.supply(vdd_v);
    for (const std::uint8_t byte : bus.address(opcode, 15)) chip.clock_byte(byte);
    chip.clock_byte(0xA1);
    chip.cut_byte();
    chip.power_off();
    return chip;
  }
  // Addresses that are neither 0x55 nor what was written.
  static std::vector<std::uint32_t> damaged(const FramChip& chip, std::uint8_t at_15) {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < chip.memory().size(); ++i) {
      if (chip.memory()[i] != (i == 15 ? at_15 : 0x55)) found.push_back(i);
    }
    return found;
  }
  using Addresses = std::vector<std::uint32_t>;
};

TEST_F(Fault, DiscardLeavesTheByteAsItWas) {
  for (const std::uint8_t opcode : Bytes{0x02, 0x03}) {
    const FramChip chip = cut_in(opcode, {});
    EXPECT_EQ(damaged(chip, opcode == 0x02 ? 0xA1 : 0x55), Addresses{});
    EXPECT_EQ(chip.damage(), (FramDamage{1, 0, 0}));
  }
}

TEST_F(Fault, GarbageInFlightIsOneByteOfAWrite) {
  const FramFaults faults{FramFault::garbage_in_flight, 1};
  const FramChip written = cut_in(0x02, faults);
  EXPECT_EQ(damaged(written, 0xA1), Addresses{16});
  EXPECT_EQ(written.damage(), (FramDamage{1, 1, 0}));
  const FramChip read = cut_in(0x03, faults);
  EXPECT_EQ(damaged(read, 0x55), Addresses{});
  EXPECT_EQ(read.damage(), (FramDamage{1, 0, 0}));
}

TEST_F(Fault, GarbageComesFromTheSeedAlone) {
  const auto garbage = [](std::uint64_t seed) {
    return cut_in(0x02, {FramFault::garbage_in_flight, seed}).memory()[16];
  };
  EXPECT_EQ(garbage(7), garbage(7));
  EXPECT_NE(garbage(7), garbage(8));
}

TEST_F(Fault, BelowTheLowestVddEachByteThatIsWrittenIsGarbage) {
  const FramFaults faults{FramFault::garbage_below_min_vdd, 3};
  const FramChip below = cut_in(0x02, faults, 2.99);
  EXPECT_EQ(damaged(below, 0xA1), (Addresses{15, 16}));
  EXPECT_EQ(below.damage(), (FramDamage{1, 2, 0}));
  EXPECT_EQ(damaged(cut_in(0x02, faults, 3.0), 0xA1), Addresses{}) << "within its range";
  EXPECT_EQ(damaged(cut_in(0x03, faults, 2.99), 0x55), Addresses{}) << "reads write nothing";
  EXPECT_EQ(damaged(cut_in(0x02, {FramFault::garbage_in_flight, 3}, 2.99), 0xA1), Addresses{16})
      << "of another class it is the byte in flight alone";
}

TEST_F(Fault, ARowThatIsBeingReadIsLostWhole) {
  const FramFaults faults{FramFault::row_lost, 5};
  const FramChip read = cut_in(0x03, faults);
  EXPECT_EQ(damaged(read, 0x55), (Addresses{16, 17, 18, 19, 20, 21, 22, 23}));
  EXPECT_EQ(read.damage(), (FramDamage{1, 8, 1}));
  EXPECT_EQ(damaged(cut_in(0x02, faults), 0xA1), Addresses{}) << "a write is no read";
}

TEST_F(Fault, PowerThatFailsBetweenTwoBytesDamagesNothing) {
  for (const FramFault fault : {FramFault::garbage_in_flight, FramFault::row_lost}) {
    FramChip chip(*find_fram_part("mb85rs64v"), {fault, 9});
    chip.power_on({});
    chip.select(chip.part().power_up);
    for (const std::uint8_t byte : Bytes{0x03, 0, 0, 0}) chip.clock_byte(byte);
    chip.power_off();
    EXPECT_EQ(chip.damage(), FramDamage{});
  }
}

TEST_F(Fault, AProtectedByteIsNeverGarbage) {
  FramChip chip(*find_fram_part("mb85rs64v"), {FramFault::garbage_in_flight, 1});
  chip.power_on({});
  Bus bus(chip, chip.part().power_up);
  bus.transact({0x06});
  bus.transact({0x01, 0x0C});
  bus.transact({0x06});
  chip.select(chip.part().power_up);
  for (const std::uint8_t byte : bus.address(0x02, 0)) chip.clock_byte(byte);
  chip.cut_byte();
  chip.power_off();
  EXPECT_EQ(chip.damage(), (FramDamage{1, 0, 0}));
}

}  // namespace
}  // namespace brownout::devices
