// `storage.part`: a name of the catalogue, or a record of the user's own.
#include <array>
#include <bit>
#include <string>

#include <fmt/format.h>

#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

using devices::Figure;
using devices::FramPart;

constexpr std::array<std::string_view, 22> kPartKeys{"name",
                                                     "based_on",
                                                     "size",
                                                     "access",
                                                     "address_bytes",
                                                     "fast_read",
                                                     "sleep",
                                                     "rdid",
                                                     "max_sck",
                                                     "min_vdd",
                                                     "max_vdd",
                                                     "active_current",
                                                     "standby_current",
                                                     "sleep_current",
                                                     "wel_cleared_by_write",
                                                     "power_up",
                                                     "sleep_entry",
                                                     "wake",
                                                     "row",
                                                     "endurance",
                                                     "reads_wear",
                                                     "retention"};
constexpr std::array<std::string_view, 3> kSleepKeys{"sleep_current", "sleep_entry", "wake"};
constexpr std::array<std::string_view, 12> kSpiKeys{"address_bytes",
                                                    "fast_read",
                                                    "sleep",
                                                    "rdid",
                                                    "max_sck",
                                                    "active_current",
                                                    "standby_current",
                                                    "sleep_current",
                                                    "wel_cleared_by_write",
                                                    "power_up",
                                                    "sleep_entry",
                                                    "wake"};
constexpr std::array<std::string_view, 2> kRetentionKeys{"years", "celsius"};

constexpr std::size_t kLongestName = 40;
constexpr std::uint32_t kTwoAddressBytes = 65'536;  // that they reach
constexpr WholeLimits kSizeLimits{256, 16'777'216};
constexpr WholeLimits kAddressLimits{2, 3};
constexpr WholeLimits kRowLimits{1, 256};
constexpr WholeLimits kSckLimits{1'000, 1'000'000'000};
constexpr Limits kVddLimits{0.5, 10};
constexpr Limits kCurrentLimits{0, 1};
constexpr Limits kEnduranceLimits{1, 1e18};
constexpr TimeLimits kTimeLimits{{0}, {devices::kPicosecondsPerSecond}};
constexpr TimeLimits kAccessLimits{{1}, devices::microseconds(1)};
constexpr WholeLimits kYearLimits{1, 1'000};
constexpr WholeLimits kCelsiusLimits{0, 150};
constexpr std::string_view kGiven = "the scenario";

template <class Value>
Figure<Value> given(Value value) {
  return {value, kGiven, false};
}

std::uint32_t read_power_of_two(const Found& found, WholeLimits limits) {
  const std::uint32_t bytes = read_bytes(found, limits);
  if (!std::has_single_bit(bytes)) {
    found.fail(fmt::format("{} is no power of two: {} or {} would be one", in_quotes(found.node->text),
                           format_bytes(std::bit_floor(bytes)), format_bytes(std::bit_ceil(bytes))));
  }
  return bytes;
}

// Bytes of two hexadecimal digits with spaces between them, or `none`.
devices::FramIdentity read_identity(const Found& found) {
  devices::FramIdentity identity;
  const std::string_view text = scalar_text(found, "04 7F 49 03");
  if (text == "none") return identity;
  const auto digit = [&](std::size_t at) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::string lower = at < text.size() ? lower_ascii(text.substr(at, 1)) : "";
    const std::size_t value = lower.empty() ? std::string_view::npos : kDigits.find(lower);
    if (value == std::string_view::npos || identity.size == identity.bytes.size()) {
      found.fail(fmt::format(
          "{} is neither `none` nor 1 to 9 bytes of two hexadecimal digits with one space between "
          "them, such as 04 7F 49 03",
          in_quotes(text)));
    }
    return value;
  };
  for (std::size_t at = 0;; at += 3) {
    const std::size_t high = digit(at);
    const std::size_t low = digit(at + 1);
    identity.bytes[identity.size++] = static_cast<std::uint8_t>(high * 16 + low);
    if (at + 2 == text.size()) return identity;
    if (text[at + 2] != ' ') static_cast<void>(digit(text.size()));
  }
}

const FramPart& read_catalogue_name(const Found& found) {
  const std::string_view name = scalar_text(found, devices::fram_parts().front().name);
  const FramPart* part = devices::find_fram_part(name);
  if (part == nullptr) fail_for_choice(found, name, names_of(devices::fram_parts()));
  return *part;
}

std::string read_new_name(const Section& section) {
  const Found found = section.need("name", "name: my part");
  std::string name = read_text(found, kLongestName, false);
  if (devices::find_fram_part(name) != nullptr) {
    found.fail(
        fmt::format("{} is a part of the catalogue; a part of your own has another name", in_quotes(name)));
  }
  return name;
}

void read_size(const Section& section, FramPart& part) {
  if (const auto size = section.find("size")) {
    part.size_bytes = given(read_power_of_two(*size, kSizeLimits));
    if (!part.is_mapped)
      part.address_bytes = {part.size_bytes > kTwoAddressBytes ? 3U : 2U, "by the size", false};
  }
  if (const auto address = section.find("address_bytes")) {
    part.address_bytes = given(static_cast<std::uint32_t>(read_count(*address, kAddressLimits)));
    if (part.address_bytes == 2 && part.size_bytes > kTwoAddressBytes) {
      address->fail(fmt::format("two address bytes reach {}; the part has {}", format_bytes(kTwoAddressBytes),
                                format_bytes(part.size_bytes)));
    }
  }
  if (const auto row = section.find("row")) part.row_bytes = given(read_power_of_two(*row, kRowLimits));
}

void read_supply(const Section& section, FramPart& part) {
  const auto read_vdd = [&](std::string_view key, Figure<double>& figure) {
    auto found = section.find(key);
    if (found) figure = given(read_quantity(*found, Dimension::voltage, kVddLimits));
    return found;
  };
  const auto min = read_vdd("min_vdd", part.min_vdd_v);
  const auto max = read_vdd("max_vdd", part.max_vdd_v);
  if (part.min_vdd_v < part.max_vdd_v) return;
  const std::string complaint =
      fmt::format("the lowest supply has to be below the highest: min_vdd is {}, max_vdd {}",
                  format_quantity(part.min_vdd_v, Dimension::voltage),
                  format_quantity(part.max_vdd_v, Dimension::voltage));
  (max ? *max : *min).fail(complaint);
}

// The clock comes first: the active current is that at the highest one.
void read_clock_and_currents(const Section& section, FramPart& part) {
  if (const auto sck = section.find("max_sck")) part.max_sck_hz = given(read_hertz(*sck, kSckLimits));
  if (const auto active = section.find("active_current")) {
    const double current_a = read_quantity(*active, Dimension::current, kCurrentLimits);
    part.active = given(devices::FramCurrent{part.max_sck_hz, current_a});
    part.active_low = {};
  }
  if (const auto standby = section.find("standby_current")) {
    part.standby_a = given(read_quantity(*standby, Dimension::current, kCurrentLimits));
  }
}

void override_flag(const Section& section, std::string_view key, Figure<bool>& figure) {
  if (const auto found = section.find(key)) figure = given(read_boolean(*found));
}

void override_time(const Section& section, std::string_view key, Figure<Picoseconds>& figure) {
  if (const auto found = section.find(key)) figure = given(read_time(*found, kTimeLimits));
}

void read_sleep(const Section& section, FramPart& part) {
  const bool inherited = part.has_sleep;
  override_flag(section, "sleep", part.has_sleep);
  for (const std::string_view key : kSleepKeys) {
    const auto found = section.find(key);
    if (found && !part.has_sleep) {
      found->fail_at_key(fmt::format("only goes with sleep: true, which {} has not", part.name));
    }
  }
  if (part.has_sleep && !inherited) {
    static_cast<void>(section.need("sleep_current", "sleep_current: 8 uA"));
    static_cast<void>(section.need("wake", "wake: 400 us"));
  }
  if (const auto sleep = section.find("sleep_current")) {
    part.sleep_a = given(read_quantity(*sleep, Dimension::current, kCurrentLimits));
  }
  override_time(section, "sleep_entry", part.sleep_entry);
  override_time(section, "wake", part.wake);
}

void read_wear(const Section& section, FramPart& part) {
  if (const auto endurance = section.find("endurance")) {
    part.endurance = given(read_number(*endurance, kEnduranceLimits));
  }
  override_flag(section, "reads_wear", part.reads_wear);
  if (const auto retention = section.find_section("retention", kRetentionKeys)) {
    const std::uint64_t years = read_count(retention->need("years", "years: 10"), kYearLimits);
    const std::uint64_t celsius = read_count(retention->need("celsius", "celsius: 85"), kCelsiusLimits);
    part.retention =
        given(devices::FramRetention{static_cast<std::uint32_t>(years), static_cast<int>(celsius)});
  }
}

// A part has a bus or lies in the address space; what goes with the other is refused.
void check_keys_of(const Section& section, const FramPart& part) {
  if (part.is_mapped) {
    for (const std::string_view key : kSpiKeys) {
      const auto found = section.find(key);
      if (!found) continue;
      found->fail_at_key(fmt::format(
          "only goes with a part on a bus; {} lies in the address space of its MCU", part.based_on));
    }
  } else if (const auto access = section.find("access")) {
    access->fail_at_key(fmt::format(
        "only goes with a part in the address space of its MCU, such as msp430fr5994; {} is on a bus",
        part.based_on));
  }
}

// What is left out is taken over, as an estimate.
FramPart read_own_part(const Section& section) {
  const FramPart& base =
      read_catalogue_name(section.need("based_on", "based_on: " + devices::fram_parts().front().name));
  FramPart part = base;
  part.name = read_new_name(section);
  part.based_on = base.name;
  devices::visit_figures(part, [](const char*, auto& figure) { figure.estimated = true; });
  check_keys_of(section, part);
  if (const auto access = section.find("access")) part.access = given(read_time(*access, kAccessLimits));
  read_size(section, part);
  override_flag(section, "fast_read", part.fast_read);
  if (const auto rdid = section.find("rdid")) part.rdid = given(read_identity(*rdid));
  read_supply(section, part);
  read_clock_and_currents(section, part);
  override_flag(section, "wel_cleared_by_write", part.wel_cleared_by_write);
  override_time(section, "power_up", part.power_up);
  read_sleep(section, part);
  read_wear(section, part);
  return part;
}

}  // namespace

FramPart read_part(const Section& storage) {
  const Found found = storage.need("part", "part: " + devices::fram_parts().front().name);
  if (found.node->kind != Node::Kind::map) return read_catalogue_name(found);
  return read_own_part(Section(found, kPartKeys, storage.locations()));
}

}  // namespace brownout::sim
