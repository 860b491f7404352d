#include "devices/mcu/mcu_profile.hpp"

#include "devices/names.hpp"

namespace brownout::devices {
namespace {

// Cycles of the heap's building blocks, estimated from what a compiler for a small in-order core makes
// of them: a call with its checks 40, a list step 12, a copied byte 1.25 (word copies and their ends), a byte
// of nibble-table CRC-32C 12, masking and unmasking interrupts 16. Not yet counted from a listing: every
// report says what share of its time and energy rests on them.
constexpr CpuCosts kEstimatedCosts = {
    .call = 40, .step = 12, .copied_byte = 1.25, .checksum_byte = 12, .section = 16};

const std::vector<McuProfile>& profiles() {
  static const std::vector<McuProfile> all = {
      {
          .name = "esp32c3",
          .clock_hz = 160'000'000,
          .rail_v = 3.3,
          .active_a = 25e-3,       // busy 23 to 31 mA by source
          .idle_a_at_0_hz = 9e-3,  // from 25 mA at 160 MHz and 17 mA at 80 MHz
          .sleep_a = 130e-6,       // light sleep
          .boot = {{"rom", milliseconds(5), 25e-3},
                   {"image load", milliseconds(20), 28e-3},
                   {"driver init", milliseconds(5), 25e-3}},
          .costs = kEstimatedCosts,
          .bus = "esp32c3-zephyr",
          .sources = "Espressif ESP32-C3 data sheet (currents); boot phases and CPU costs are estimates",
      },
      {
          .name = "cortex-m0plus",
          .clock_hz = 16'000'000,
          .rail_v = 3.0,
          .active_a = 1.6e-3,  // 100 uA/MHz
          .idle_a_at_0_hz = 0.1e-3,
          .sleep_a = 1e-6,
          .boot = {{"reset", microseconds(200), 1e-3}, {"driver init", microseconds(300), 1.6e-3}},
          .costs = kEstimatedCosts,
          .bus = "polled",
          .estimated = true,
          .sources = "generic Cortex-M0+ class microcontroller; all figures are estimates",
      },
  };
  return all;
}

}  // namespace

std::span<const McuProfile> mcu_profiles() { return profiles(); }

const McuProfile* find_mcu_profile(std::string_view name) { return find_by_name(mcu_profiles(), name); }

}  // namespace brownout::devices
