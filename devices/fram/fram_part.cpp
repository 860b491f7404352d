#include "devices/fram/fram_part.hpp"

#include <vector>

#include "devices/names.hpp"

namespace brownout::devices {
namespace {

constexpr std::string_view kSheet = "data sheet";
constexpr std::string_view kSheetTypical = "data sheet, typical";
constexpr std::string_view kSheetMaximum = "data sheet, maximum";
constexpr std::string_view kFamily = "rule of the family: two address bytes up to 64 KiB, three above";
constexpr std::string_view kMemory = "data sheet, from memory";
constexpr std::string_view kMemoryMaximum = "data sheet, maximum, from memory";
constexpr std::string_view kLikeMb85rs64v = "taken over from the MB85RS64V";
constexpr std::string_view kTypicalWake = "typical of SPI FRAM: about 400 us";
constexpr std::string_view kNoSecondPoint = "proportional to the clock";
constexpr std::string_view kSlase54 = "data sheet SLASE54D";
constexpr std::string_view kEntry = "guess: the part is asleep at once";

template <class Value>
Figure<Value> from(std::string_view source, Value value) {
  return {value, source, false};
}
template <class Value>
Figure<Value> estimate(std::string_view source, Value value) {
  return {value, source, true};
}

constexpr std::uint32_t kibibytes(std::uint32_t n) { return n * 1024; }
constexpr std::uint64_t megahertz(std::uint64_t n) { return n * 1'000'000; }
constexpr FramIdentity fujitsu(std::uint8_t density, std::uint8_t product) {
  return {4, {0x04, 0x7F, density, product}};
}
constexpr FramIdentity cypress(std::uint8_t density, std::uint8_t revision) {
  return {9, {0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0xC2, density, revision}};
}

FramPart mb85rs64v() {
  return {
      .name = "mb85rs64v",
      .based_on = {},
      .size_bytes = from(kSheet, kibibytes(8)),
      .address_bytes = from(kFamily, 2U),
      .fast_read = estimate(kMemory, false),
      .has_sleep = from(kSheet, false),
      .rdid = from(kSheet, fujitsu(0x03, 0x02)),
      .max_sck_hz = from(kSheet, megahertz(20)),
      .min_vdd_v = from(kSheet, 3.0),
      .max_vdd_v = from(kSheet, 5.5),
      .active = from(kSheetTypical, FramCurrent{megahertz(20), 1.5e-3}),  // 2.5 mA at most
      .active_low = estimate(kNoSecondPoint, FramCurrent{}),
      .standby_a = from(kSheetTypical, 10e-6),
      .sleep_a = {},
      .wel_cleared_by_write = from(kSheet, true),
      .power_up = from("data sheet, at 3.3 V", microseconds(600)),
      .sleep_entry = {},
      .wake = {},
      .row_bytes = estimate(kMemory, 1U),
      .endurance = from(kSheet, 1e12),
      .reads_wear = from(kSheet, true),
      .retention = estimate(kMemory, FramRetention{10, 85}),
  };
}

FramPart mb85rs64t() {
  return {
      .name = "mb85rs64t",
      .based_on = {},
      .size_bytes = estimate(kMemory, kibibytes(8)),
      .address_bytes = from(kFamily, 2U),
      .fast_read = estimate(kMemory, true),
      .has_sleep = estimate(kMemory, true),
      .rdid = estimate(kMemory, fujitsu(0x23, 0x03)),
      .max_sck_hz = estimate(kMemory, megahertz(10)),
      .min_vdd_v = estimate(kMemory, 1.8),
      .max_vdd_v = estimate(kMemory, 3.6),
      .active = estimate(kMemoryMaximum, FramCurrent{megahertz(10), 0.8e-3}),
      .active_low = estimate(kNoSecondPoint, FramCurrent{}),
      .standby_a = estimate(kMemoryMaximum, 12e-6),
      .sleep_a = estimate(kMemoryMaximum, 8e-6),
      .wel_cleared_by_write = estimate(kLikeMb85rs64v, true),
      .power_up = estimate(kLikeMb85rs64v, microseconds(600)),
      .sleep_entry = estimate(kEntry, Picoseconds{}),
      .wake = estimate(kTypicalWake, microseconds(400)),
      .row_bytes = estimate(kMemory, 1U),
      .endurance = estimate(kMemory, 1e13),
      .reads_wear = estimate(kLikeMb85rs64v, true),
      .retention = estimate(kMemory, FramRetention{10, 85}),
  };
}

FramPart mb85rs256ty() {
  return {
      .name = "mb85rs256ty",
      .based_on = {},
      .size_bytes = from(kSheet, kibibytes(32)),
      .address_bytes = from(kFamily, 2U),
      .fast_read = estimate(kMemory, true),
      .has_sleep = from(kSheet, true),
      .rdid = estimate(kMemory, fujitsu(0x25, 0x03)),
      .max_sck_hz = from(kSheet, megahertz(40)),
      .min_vdd_v = from(kSheet, 1.8),
      .max_vdd_v = from(kSheet, 3.6),
      .active = from(kSheetMaximum, FramCurrent{megahertz(40), 2.5e-3}),
      .active_low = estimate(kNoSecondPoint, FramCurrent{}),
      .standby_a = from(kSheetMaximum, 50e-6),
      .sleep_a = from(kSheetMaximum, 12e-6),
      .wel_cleared_by_write = estimate(kLikeMb85rs64v, true),
      .power_up = estimate(kLikeMb85rs64v, microseconds(600)),
      .sleep_entry = estimate(kEntry, Picoseconds{}),
      .wake = estimate(kTypicalWake, microseconds(400)),
      .row_bytes = estimate(kMemory, 1U),
      .endurance = from(kSheet, 1e13),
      .reads_wear = estimate(kLikeMb85rs64v, true),
      .retention = estimate(kMemory, FramRetention{10, 85}),
  };
}

FramPart mb85rs2mta() {
  return {
      .name = "mb85rs2mta",
      .based_on = {},
      .size_bytes = estimate(kMemory, kibibytes(256)),
      .address_bytes = from(kFamily, 3U),
      .fast_read = estimate(kMemory, true),
      .has_sleep = estimate(kMemory, true),
      .rdid = estimate(kMemory, fujitsu(0x48, 0x03)),
      .max_sck_hz = estimate(kMemory, megahertz(40)),
      .min_vdd_v = estimate(kMemory, 1.7),
      .max_vdd_v = estimate(kMemory, 3.6),
      .active = estimate(kMemoryMaximum, FramCurrent{megahertz(40), 2.3e-3}),
      .active_low = estimate(kNoSecondPoint, FramCurrent{}),
      .standby_a = estimate(kMemoryMaximum, 50e-6),
      .sleep_a = estimate(kMemoryMaximum, 10e-6),
      .wel_cleared_by_write = estimate(kLikeMb85rs64v, true),
      .power_up = estimate(kLikeMb85rs64v, microseconds(600)),
      .sleep_entry = estimate(kEntry, Picoseconds{}),
      .wake = estimate(kTypicalWake, microseconds(400)),
      .row_bytes = estimate(kMemory, 1U),
      .endurance = estimate(kMemory, 1e13),
      .reads_wear = estimate(kLikeMb85rs64v, true),
      .retention = estimate(kMemory, FramRetention{10, 85}),
  };
}

FramPart mb85rs4mt() {
  return {
      .name = "mb85rs4mt",
      .based_on = {},
      .size_bytes = from(kSheet, kibibytes(512)),
      .address_bytes = from(kFamily, 3U),
      .fast_read = estimate(kMemory, true),
      .has_sleep = from(kSheet, true),
      .rdid = from(kSheet, fujitsu(0x49, 0x03)),
      .max_sck_hz = from(kSheet, megahertz(40)),
      .min_vdd_v = estimate(kMemory, 1.8),
      .max_vdd_v = estimate(kMemory, 3.6),
      .active = from(kSheetMaximum, FramCurrent{megahertz(40), 2.6e-3}),
      .active_low = estimate(kNoSecondPoint, FramCurrent{}),
      .standby_a = from(kSheetMaximum, 50e-6),
      .sleep_a = from(kSheetMaximum, 8e-6),
      .wel_cleared_by_write = estimate(kLikeMb85rs64v, true),
      .power_up = estimate(kLikeMb85rs64v, microseconds(600)),
      .sleep_entry = estimate(kEntry, Picoseconds{}),
      .wake = estimate(kTypicalWake, microseconds(400)),
      .row_bytes = estimate(kMemory, 1U),
      .endurance = from(kSheet, 1e13),
      .reads_wear = estimate(kLikeMb85rs64v, true),
      .retention = estimate(kMemory, FramRetention{10, 85}),
  };
}

FramPart cy15b104q() {
  return {
      .name = "cy15b104q",
      .based_on = {},
      .size_bytes = from(kSheet, kibibytes(512)),
      .address_bytes = from(kFamily, 3U),
      .fast_read = estimate(kMemory, true),
      .has_sleep = from(kSheet, true),
      .rdid = estimate(kMemory, cypress(0x26, 0x08)),
      .max_sck_hz = from(kSheet, megahertz(40)),
      .min_vdd_v = from(kSheet, 2.0),
      .max_vdd_v = from(kSheet, 3.6),
      .active = estimate(kMemoryMaximum, FramCurrent{megahertz(40), 3e-3}),
      .active_low = from(kSheet, FramCurrent{megahertz(1), 0.3e-3}),
      .standby_a = from(kSheetTypical, 100e-6),
      .sleep_a = from(kSheetTypical, 3e-6),
      .wel_cleared_by_write = estimate(kMemory, true),
      .power_up = estimate(kMemory, milliseconds(1)),
      .sleep_entry = estimate(kEntry, Picoseconds{}),
      .wake = estimate(kTypicalWake, microseconds(400)),
      .row_bytes = estimate("as the FM25W256", 8U),
      .endurance = from(kSheet, 1e14),
      .reads_wear = estimate(kMemory, true),
      .retention = estimate(kMemory, FramRetention{10, 85}),
  };
}

FramPart fm25w256() {
  return {
      .name = "fm25w256",
      .based_on = {},
      .size_bytes = from(kSheet, kibibytes(32)),
      .address_bytes = from(kFamily, 2U),
      .fast_read = estimate(kMemory, false),
      .has_sleep = from(kSheet, false),
      .rdid = estimate("no RDID; data sheet, from memory", FramIdentity{}),
      .max_sck_hz = from(kSheet, megahertz(20)),
      .min_vdd_v = from(kSheet, 2.7),
      .max_vdd_v = from(kSheet, 5.5),
      .active = estimate(kMemoryMaximum, FramCurrent{megahertz(20), 2e-3}),
      .active_low = from(kSheet, FramCurrent{megahertz(1), 0.25e-3}),
      .standby_a = from(kSheetTypical, 15e-6),
      .sleep_a = {},
      .wel_cleared_by_write = estimate(kMemory, true),
      .power_up = estimate(kMemory, milliseconds(1)),
      .sleep_entry = {},
      .wake = {},
      .row_bytes = from(kSheet, 8U),
      .endurance = from(kSheet, 1e14),
      .reads_wear = estimate(kMemory, true),
      .retention = estimate(kMemory, FramRetention{10, 85}),
  };
}

FramPart fm25v02a() {
  return {
      .name = "fm25v02a",
      .based_on = {},
      .size_bytes = estimate(kMemory, kibibytes(32)),
      .address_bytes = from(kFamily, 2U),
      .fast_read = estimate(kMemory, true),
      .has_sleep = estimate(kMemory, true),
      .rdid = estimate(kMemory, cypress(0x22, 0x08)),
      .max_sck_hz = estimate(kMemory, megahertz(40)),
      .min_vdd_v = estimate(kMemory, 2.0),
      .max_vdd_v = estimate(kMemory, 3.6),
      .active = estimate(kMemoryMaximum, FramCurrent{megahertz(40), 2.5e-3}),
      .active_low = estimate(kMemory, FramCurrent{megahertz(1), 0.22e-3}),
      .standby_a = estimate(kMemory, 90e-6),
      .sleep_a = estimate(kMemory, 5e-6),
      .wel_cleared_by_write = estimate(kMemory, true),
      .power_up = estimate(kMemory, microseconds(250)),
      .sleep_entry = estimate(kEntry, Picoseconds{}),
      .wake = estimate(kTypicalWake, microseconds(400)),
      .row_bytes = estimate("as the FM25W256", 8U),
      .endurance = estimate(kMemory, 1e14),
      .reads_wear = estimate(kMemory, true),
      .retention = estimate(kMemory, FramRetention{10, 85}),
  };
}

// All FRAM of the device, that of the program included. A row is what its controller reads and writes at
// once: 64 bits, with a check code over them.
FramPart msp430fr5994() {
  FramPart part;
  part.name = "msp430fr5994";
  part.is_mapped = true;
  part.size_bytes = from(kSlase54, kibibytes(256));
  part.access =
      from("data sheet SLASE54D: 125 ns a word; no wait state up to 8 MHz, one above", nanoseconds(125));
  part.min_vdd_v = from(kSlase54, 1.8);
  part.max_vdd_v = from(kSlase54, 3.6);
  part.row_bytes = estimate("family user's guide SLAU367, from memory: 64 bits", 8U);
  part.endurance = from("data sheet SLASE54D, minimum, reads and writes", 1e15);
  part.reads_wear = from(kSlase54, true);
  part.retention = from("data sheet SLASE54D, minimum; 100 years at 25 C", FramRetention{10, 85});
  return part;
}

const std::vector<FramPart>& parts() {
  static const std::vector<FramPart> all = {mb85rs64v(),  mb85rs64t(), mb85rs256ty(),
                                            mb85rs2mta(), mb85rs4mt(), cy15b104q(),
                                            fm25w256(),   fm25v02a(),  msp430fr5994()};
  return all;
}

}  // namespace

std::uint32_t estimates_in(const FramPart& part) {
  std::uint32_t estimates = 0;
  visit_figures(part,
                [&estimates](const char*, const auto& figure) { estimates += figure.estimated ? 1 : 0; });
  return estimates;
}

std::span<const FramPart> fram_parts() { return parts(); }

const FramPart* find_fram_part(std::string_view name) { return find_by_name(fram_parts(), name); }

}  // namespace brownout::devices
