// The catalogue of FRAM parts against the data sheets.
#include "devices/fram/fram_part.hpp"

#include <gtest/gtest.h>

namespace brownout::devices {
namespace {

TEST(FramCatalogue, NamesAreFoundWithoutRegardToCase) {
  EXPECT_EQ(find_fram_part("MB85rs64V"), find_fram_part("mb85rs64v"));
  EXPECT_NE(find_fram_part("mb85rs64v"), nullptr);
  EXPECT_EQ(find_fram_part("mb85rs64"), nullptr);
}

// Figures that are no estimates, from the data sheets; 0 where one is not given.
TEST(FramCatalogue, FiguresOfTheDataSheets) {
  struct Sheet {
    const char* name = "";
    std::uint32_t size_bytes = 0;
    std::uint64_t max_sck_hz = 0;
    double min_vdd_v = 0;
    FramCurrent active;
    double standby_a = 0;
    double sleep_a = 0;
    double endurance = 0;
  };
  const Sheet sheets[] = {
      {"mb85rs64v", 8'192, 20'000'000, 3.0, {20'000'000, 1.5e-3}, 10e-6, 0, 1e12},
      {"mb85rs4mt", 524'288, 40'000'000, 0, {40'000'000, 2.6e-3}, 50e-6, 8e-6, 1e13},
      {"mb85rs256ty", 32'768, 40'000'000, 1.8, {40'000'000, 2.5e-3}, 50e-6, 12e-6, 1e13},
      {"cy15b104q", 524'288, 40'000'000, 2.0, {1'000'000, 0.3e-3}, 100e-6, 3e-6, 1e14},
      {"fm25w256", 32'768, 20'000'000, 2.7, {1'000'000, 0.25e-3}, 15e-6, 0, 1e14},
  };
  for (const Sheet& sheet : sheets) {
    const FramPart& part = *find_fram_part(sheet.name);
    EXPECT_EQ(part.size_bytes, sheet.size_bytes) << sheet.name;
    EXPECT_EQ(part.max_sck_hz, sheet.max_sck_hz) << sheet.name;
    EXPECT_EQ(part.min_vdd_v.estimated, sheet.min_vdd_v == 0) << sheet.name;
    EXPECT_TRUE(part.min_vdd_v.estimated || part.min_vdd_v == sheet.min_vdd_v) << sheet.name;
    EXPECT_EQ(part.active_a_at(sheet.active.sck_hz), sheet.active.current_a) << sheet.name;
    EXPECT_EQ(part.standby_a, sheet.standby_a) << sheet.name;
    EXPECT_EQ(part.has_sleep, sheet.sleep_a > 0) << sheet.name;
    EXPECT_EQ(part.sleep_a, sheet.sleep_a) << sheet.name;
    EXPECT_EQ(part.endurance, sheet.endurance) << sheet.name;
    EXPECT_FALSE(part.size_bytes.estimated || part.max_sck_hz.estimated || part.standby_a.estimated ||
                 part.has_sleep.estimated || part.endurance.estimated)
        << sheet.name;
  }
  const FramPart& small = *find_fram_part("mb85rs64v");
  EXPECT_EQ(small.power_up, microseconds(600));
  EXPECT_EQ(small.rdid, (FramIdentity{4, {0x04, 0x7F, 0x03, 0x02}}));
  EXPECT_EQ(find_fram_part("mb85rs4mt")->rdid, (FramIdentity{4, {0x04, 0x7F, 0x49, 0x03}}));
  EXPECT_EQ(find_fram_part("fm25w256")->row_bytes, 8U);
}

}  // namespace
}  // namespace brownout::devices
