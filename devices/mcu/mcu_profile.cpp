#include "devices/mcu/mcu_profile.hpp"

#include "devices/names.hpp"

namespace brownout::devices {
namespace {

// Cycles of the heap's building blocks, from instructions counted in a trace of the heap compiled with -Os
// for each target, zero wait states (bench/instruction_counts/README.md has the method and what single
// operations deviate by). What a load or a jump takes on the core of the ESP32-C3 is not published: 1 and 2
// cycles more are assumed.
constexpr CpuCosts kRv32imcCosts = {.call = 228,
                                    .step = 30,
                                    .copied_byte = 3.8,
                                    .checksum_byte = 23.5,
                                    .checksum_byte_by_table = 16.5,
                                    .section = 73};
constexpr CpuCosts kCortexM0PlusCosts = {.call = 253,
                                         .step = 45,
                                         .copied_byte = 4.3,
                                         .checksum_byte = 27.5,
                                         .checksum_byte_by_table = 19.5,
                                         .section = 122};

// Nobody has counted the heap on an MSP430. What it does for a byte of checksum and a word of a copy is the
// cycles, after the CPU's tables, of the loops that clang 14 makes with -Os --target=msp430, and a wait state
// for every four words of code that do not fit the cache; the rest is 2.2 times what the Cortex-M0+ takes:
// twice for 16-bit registers, a tenth more for wait states.
constexpr CpuCosts kMsp430Costs = {.call = 560,
                                   .step = 100,
                                   .copied_byte = 6,
                                   .checksum_byte = 86,
                                   .checksum_byte_by_table = 36,
                                   .section = 270,
                                   .burst = 40,
                                   .stored_word = 12,
                                   .loaded_word = 12};

const std::vector<McuProfile>& profiles() {
  static const std::vector<McuProfile> all = {
      {
          .name = "esp32c3",
          .clock_hz = 160'000'000,
          .rail_v = 3.3,
          .active_a = 25e-3,       // busy 23 to 31 mA by source
          .idle_a_at_0_hz = 9e-3,  // from 25 mA at 160 MHz and 17 mA at 80 MHz
          .sleep_a = 130e-6,       // light sleep
          .deep_sleep_a = 5e-6,
          .boot = {{"rom", milliseconds(5), 25e-3},
                   {"image load", milliseconds(20), 28e-3},
                   {"driver init", milliseconds(5), 25e-3}},
          .costs = kRv32imcCosts,
          .brown_out_levels_v = {2.51, 2.64, 2.76, 2.92, 3.10, 3.27},
          .bus = "esp32c3-zephyr",
          .sources =
              "Espressif ESP32-C3 data sheet (currents); boot phases are estimates, CPU costs are counted",
      },
      {
          .name = "cortex-m0plus",
          .clock_hz = 16'000'000,
          .rail_v = 3.0,
          .active_a = 1.6e-3,  // 100 uA/MHz
          .idle_a_at_0_hz = 0.1e-3,
          .sleep_a = 1e-6,
          .deep_sleep_a = 0.3e-6,
          .boot = {{"reset", microseconds(200), 1e-3}, {"driver init", microseconds(300), 1.6e-3}},
          .costs = kCortexM0PlusCosts,
          .bus = "polled",
          .estimated = true,
          .sources =
              "generic Cortex-M0+ class microcontroller; all figures but the counted CPU costs are estimates",
      },
      {
          .name = "msp430fr5994",
          .clock_hz = 16'000'000,
          .rail_v = 3.0,
          .active_a = 16 * 118e-6,  // 118 uA/MHz, executing from FRAM
          .idle_a_at_0_hz = 0,
          .sleep_a = 0.5e-6,        // LPM3 on the VLO
          .deep_sleep_a = 0.35e-6,  // LPM3.5 with the RTC
          .boot = {{"reset", microseconds(500), 204e-6},
                   {"clock and driver init", microseconds(300), 1.9e-3}},
          .costs = kMsp430Costs,
          .bus = "polled",
          .maps_fram = true,
          .costs_estimated = true,
          .sources =
              "TI data sheet SLASE54D (clock, currents, 0.5 ms and 102 nAs from power-up to active mode); "
              "its supervisor "
              "holds it in reset below about 1.8 V (estimate); driver init and CPU costs are estimates",
      },
  };
  return all;
}

}  // namespace

std::span<const McuProfile> mcu_profiles() { return profiles(); }

const McuProfile* find_mcu_profile(std::string_view name) { return find_by_name(mcu_profiles(), name); }

}  // namespace brownout::devices
