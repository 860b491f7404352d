// The catalogue of FRAM parts, on an SPI bus or in an MCU's address space: one record a part, each figure
// with its source.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "devices/units.hpp"

namespace brownout::devices {

// A figure and where it comes from; reads as its value.
template <class Value>
struct Figure {
  Value value{};
  std::string_view source;  // a literal
  bool estimated = false;   // not from the data sheet, or not checked against it

  // NOLINTNEXTLINE(google-explicit-constructor,hicpp-explicit-conversions): who computes needs the value only
  constexpr operator const Value&() const { return value; }
};

// Opcodes that every part knows but for the last three.
namespace fram_opcode {
inline constexpr std::uint8_t kWrsr = 0x01;
inline constexpr std::uint8_t kWrite = 0x02;
inline constexpr std::uint8_t kRead = 0x03;
inline constexpr std::uint8_t kWrdi = 0x04;
inline constexpr std::uint8_t kRdsr = 0x05;
inline constexpr std::uint8_t kWren = 0x06;
inline constexpr std::uint8_t kFstrd = 0x0B;
inline constexpr std::uint8_t kRdid = 0x9F;
inline constexpr std::uint8_t kSleep = 0xB9;
}  // namespace fram_opcode

// What RDID answers. Those of the Cypress family begin with six bytes 7F.
struct FramIdentity {
  std::uint32_t size = 0;  // 0: the part has no RDID
  std::array<std::uint8_t, 9> bytes{};
  friend bool operator==(const FramIdentity&, const FramIdentity&) = default;
};

// Current while selected, at a clock.
struct FramCurrent {
  std::uint64_t sck_hz = 0;
  double current_a = 0;
};

struct FramRetention {
  std::uint32_t years = 0;
  int celsius = 0;
};

struct FramPart {
  std::string name;      // lower case in the catalogue
  std::string based_on;  // of a user's part: whose figures it has where it gives none
  // It lies in the address space of its MCU, whose active current has that of its accesses: no bus, and none
  // of the figures that go with one.
  bool is_mapped = false;
  Figure<std::uint32_t> size_bytes;     // a power of two
  Figure<Picoseconds> access = {};      // to a row by the CPU, at most 1 us; of a mapped part
  Figure<std::uint32_t> address_bytes;  // 2 up to 64 KiB, 3 above
  Figure<bool> fast_read;               // FSTRD: a dummy byte between address and data
  Figure<bool> has_sleep;               // SLEEP
  Figure<FramIdentity> rdid;
  Figure<std::uint64_t> max_sck_hz;
  Figure<double> min_vdd_v;
  Figure<double> max_vdd_v;
  Figure<FramCurrent> active;      // at a high clock
  Figure<FramCurrent> active_low;  // at a low one; 0 A at 0 Hz where none is known
  Figure<double> standby_a;        // CS high
  Figure<double> sleep_a;
  Figure<bool> wel_cleared_by_write;  // WEL falls at the rise of CS after WRITE
  Figure<Picoseconds> power_up;       // t_PU: first access after VDD is good
  Figure<Picoseconds> sleep_entry;    // from the rise of CS after SLEEP
  Figure<Picoseconds> wake;           // from the fall of CS that wakes it to the first access
  Figure<std::uint32_t> row_bytes;    // that wear together and are restored together; a power of two
  Figure<double> endurance;           // accesses of a row
  Figure<bool> reads_wear;            // a read is an access: it is destructive, the row is restored
  Figure<FramRetention> retention;

  // Cycles that the CPU waits for an access to a mapped part, beside the one that any access takes. O(1).
  [[nodiscard]] std::uint32_t wait_states(std::uint64_t clock_hz) const {
    const auto access_ps = static_cast<std::uint64_t>(access.value.count);
    const std::uint64_t cycles = (access_ps * clock_hz + kPicosecondsPerSecond - 1) / kPicosecondsPerSecond;
    return cycles > 1 ? static_cast<std::uint32_t>(cycles - 1) : 0;
  }

  // On straight lines from 0 A at 0 Hz through what is known, and on; 0 A of a mapped part. O(1).
  [[nodiscard]] double active_a_at(std::uint64_t sck_hz) const {
    if (is_mapped) return 0;
    const FramCurrent& low = active_low.value;
    const FramCurrent& high = active.value;
    const auto at_hz = static_cast<double>(sck_hz);
    if (sck_hz < low.sck_hz) return low.current_a * at_hz / static_cast<double>(low.sck_hz);
    const auto low_hz = static_cast<double>(low.sck_hz);
    return low.current_a +
           (high.current_a - low.current_a) * (at_hz - low_hz) / (static_cast<double>(high.sck_hz) - low_hz);
  }
};

// Calls visit(key, figure) for each figure that the part has, in the order of the record; keys as a scenario
// writes them. `Part` is FramPart, const or not.
template <class Part, class Visit>
void visit_figures(Part& part, Visit visit) {
  visit("size", part.size_bytes);
  if (part.is_mapped) {
    visit("access", part.access);
  } else {
    visit("address_bytes", part.address_bytes);
    visit("fast_read", part.fast_read);
    visit("sleep", part.has_sleep);
    visit("rdid", part.rdid);
    visit("max_sck", part.max_sck_hz);
  }
  visit("min_vdd", part.min_vdd_v);
  visit("max_vdd", part.max_vdd_v);
  if (!part.is_mapped) {
    visit("active_current", part.active);
    if (part.active_low.value.sck_hz > 0) visit("active_current", part.active_low);
    visit("standby_current", part.standby_a);
    if (part.has_sleep) visit("sleep_current", part.sleep_a);
    visit("wel_cleared_by_write", part.wel_cleared_by_write);
    visit("power_up", part.power_up);
    if (part.has_sleep) visit("sleep_entry", part.sleep_entry);
    if (part.has_sleep) visit("wake", part.wake);
  }
  visit("row", part.row_bytes);
  visit("endurance", part.endurance);
  visit("reads_wear", part.reads_wear);
  visit("retention", part.retention);
}

// How many figures of the record are estimates. O(figures).
std::uint32_t estimates_in(const FramPart& part);

std::span<const FramPart> fram_parts();

// The record of that name, compared without regard to case, or nullptr. O(parts).
const FramPart* find_fram_part(std::string_view name);

}  // namespace brownout::devices
