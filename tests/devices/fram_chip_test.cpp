#include "devices/fram/fram_chip.hpp"

#include <gtest/gtest.h>

namespace brownout::devices {
namespace {

// Speaks to a chip one transaction at a time.
class Bus {
 public:
  explicit Bus(FramChip& chip, Picoseconds now) : chip_(chip), now_(now) {}

  std::vector<std::uint8_t> transact(const std::vector<std::uint8_t>& out, std::size_t in = 0) {
    chip_.select(now_);
    for (const std::uint8_t byte : out) chip_.clock_byte(byte);
    std::vector<std::uint8_t> seen;
    for (std::size_t i = 0; i < in; ++i) seen.push_back(chip_.clock_byte(0));
    chip_.deselect();
    return seen;
  }
  std::vector<std::uint8_t> address(std::uint8_t opcode, std::uint32_t address) const {
    std::vector<std::uint8_t> bytes{opcode};
    for (std::uint32_t i = chip_.part().address_bytes; i-- > 0;) {
      bytes.push_back(static_cast<std::uint8_t>(address >> (8 * i)));
    }
    return bytes;
  }
  void write(std::uint32_t at, std::vector<std::uint8_t> data) {
    transact({0x06});
    std::vector<std::uint8_t> out = address(0x02, at);
    out.insert(out.end(), data.begin(), data.end());
    transact(out);
  }
  std::vector<std::uint8_t> read(std::uint32_t at, std::size_t size) {
    return transact(address(0x03, at), size);
  }
  std::uint8_t status() { return transact({0x05}, 1)[0]; }

 private:
  FramChip& chip_;
  Picoseconds now_;
};

using Bytes = std::vector<std::uint8_t>;

class EveryPart : public ::testing::TestWithParam<const char*> {
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

TEST_P(EveryPart, IdentifiesItself) {
  const auto id = chip.part().rdid;
  EXPECT_EQ(bus.transact({0x9F}, 4), Bytes(id.begin(), id.end()));
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

TEST_P(EveryPart, UnknownOpcodesAreCounted) {
  bus.transact({0x33, 1, 2});
  EXPECT_EQ(chip.violations().unknown_opcode, 1U);
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryPart, ::testing::Values("mb85rs64v", "mb85rs4mt"));

TEST(FramCatalogue, NamesAreFoundWithoutRegardToCase) {
  EXPECT_EQ(find_fram_part("MB85rs64V"), find_fram_part("mb85rs64v"));
  EXPECT_NE(find_fram_part("mb85rs64v"), nullptr);
  EXPECT_EQ(find_fram_part("mb85rs64"), nullptr);
}

// Figures of the data sheets.
TEST(FramCatalogue, FiguresOfTheDataSheets) {
  const FramPart& small = *find_fram_part("mb85rs64v");
  EXPECT_EQ(small.size_bytes, 8192U);
  EXPECT_EQ(small.max_sck_hz, 20'000'000U);
  EXPECT_EQ(small.power_up, microseconds(600));
  EXPECT_EQ(small.rdid, (std::array<std::uint8_t, 4>{0x04, 0x7F, 0x03, 0x02}));
  const FramPart& large = *find_fram_part("mb85rs4mt");
  EXPECT_EQ(large.size_bytes, 524'288U);
  EXPECT_EQ(large.max_sck_hz, 40'000'000U);
  EXPECT_EQ(large.address_bytes, 3U);
}

}  // namespace
}  // namespace brownout::devices
