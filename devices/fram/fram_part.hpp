// The catalogue of SPI FRAM parts: one record a part, each figure with its source.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "devices/units.hpp"

namespace brownout::devices {

struct FramPart {
  std::string_view name;  // lower case, as in a scenario
  std::uint32_t size_bytes = 0;
  std::uint32_t address_bytes = 0;  // 2 up to 64 KiB, 3 above
  std::uint64_t max_sck_hz = 0;
  double min_vdd_v = 0;
  double active_a_at_max_sck = 0;  // typical, scales with the clock
  double standby_a = 0;            // CS high
  std::array<std::uint8_t, 4> rdid{};
  Picoseconds power_up;              // t_PU: first access after VDD is good
  bool wel_cleared_by_write = true;  // WEL falls at the rise of CS after WRITE
  bool estimated = false;            // some figure is not from the data sheet
  std::string_view sources;

  // Active current at a clock: proportional to it.
  [[nodiscard]] double active_a_at(std::uint64_t sck_hz) const {
    return active_a_at_max_sck * static_cast<double>(sck_hz) / static_cast<double>(max_sck_hz);
  }
};

std::span<const FramPart> fram_parts();

// The record of that name, compared without regard to case, or nullptr. O(parts).
const FramPart* find_fram_part(std::string_view name);

}  // namespace brownout::devices
