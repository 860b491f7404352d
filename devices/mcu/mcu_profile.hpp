// Microcontroller power states and the CPU cost of what the heap reports: one record a profile.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "devices/units.hpp"

namespace brownout::devices {

struct BootPhase {
  std::string name;
  Picoseconds duration;
  double current_a = 0;
};

// Cycles for each unit of work that firmware reports through its Platform (heap/platform.hpp names
// them). The report says what share of a run's time and energy rests on them.
struct CpuCosts {
  double call = 0;                    // entry, exit and argument checks of a heap operation
  double step = 0;                    // one step of a walk: a list node, a slot, a table entry
  double copied_byte = 0;             // a byte copied or set by the CPU
  double checksum_byte = 0;           // a byte of CRC-32C, nibble table
  double checksum_byte_by_table = 0;  // the same from a table of 256 words
  double section = 0;                 // a critical section, entered and left
  // Of copying to and from FRAM in the address space, for an MCU that has some; wait states come on top.
  double burst = 0;        // of up to 16 B, apart from its words: masking, loop
  double stored_word = 0;  // a word of 16 bits from RAM to FRAM
  double loaded_word = 0;  // the other way
};

struct McuProfile {
  std::string name;
  std::uint64_t clock_hz = 0;  // at which active_a holds
  double rail_v = 0;           // the regulated rail that the currents are drawn from
  double active_a = 0;
  double idle_a_at_0_hz = 0;  // active current extrapolated to no clock: active scales linearly above it
  double sleep_a = 0;         // RAM is kept
  double deep_sleep_a = 0;    // RAM is lost; waking up is a boot
  std::vector<BootPhase> boot;
  CpuCosts costs;
  // At which its own brown-out reset can be set, rising; by configuration, the first one by default. None:
  // not known of that profile.
  std::vector<double> brown_out_levels_v = {};
  std::string bus;               // default SPI profile
  bool maps_fram = false;        // has FRAM in its address space
  bool estimated = false;        // currents and clock, too, are not from a data sheet
  bool costs_estimated = false;  // not counted from a trace
  std::string sources;

  // Active current at another clock: linear between idle_a_at_0_hz and active_a.
  [[nodiscard]] double active_a_at(std::uint64_t hertz) const {
    return idle_a_at_0_hz +
           (active_a - idle_a_at_0_hz) * static_cast<double>(hertz) / static_cast<double>(clock_hz);
  }
};

std::span<const McuProfile> mcu_profiles();

// The profile of that name, compared without regard to case, or nullptr.
const McuProfile* find_mcu_profile(std::string_view name);

}  // namespace brownout::devices
