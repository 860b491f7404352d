// Section `storage` but for a part of the user's own.
#include <array>

#include <fmt/format.h>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::array<std::string_view, 7> kStorageKeys{"part", "sck",    "transfer", "slice",
                                                       "bus",  "unsafe", "faults"};
constexpr std::array<std::string_view, 1> kFaultKeys{"power_loss"};

constexpr WholeLimits kSckLimits{1'000, 1'000'000'000};
constexpr WholeLimits kSliceLimits{1, 4'096};

std::uint64_t read_sck(const Section& section, const devices::FramPart& part) {
  const auto unsafe_found = section.find("unsafe");
  const bool unsafe = unsafe_found && read_boolean(*unsafe_found);
  const auto found = section.find("sck");
  if (!found) return part.max_sck_hz;
  const std::uint64_t sck = read_hertz(*found, kSckLimits);
  if (sck > part.max_sck_hz && !unsafe) {
    found->fail(
        fmt::format("{} is above what {} allows: at most {}; `unsafe: true` in storage lets it pass, "
                    "with a warning",
                    in_quotes(found->node->text), part.name,
                    format_quantity(static_cast<double>(part.max_sck_hz), Dimension::frequency)));
  }
  return sck;
}

void read_transfer(const Section& section, StorageConfig& storage) {
  if (const auto transfer = section.find("transfer")) {
    storage.transfer = static_cast<devices::TransferMode>(read_choice(*transfer, kTransferModes));
  }
  const auto slice = section.find("slice");
  const bool sliced = storage.transfer == devices::TransferMode::sliced;
  if (slice && !sliced) {
    slice->fail_at_key(fmt::format("only goes with transfer: sliced, and transfer is {}",
                                   kTransferModes.at(static_cast<std::size_t>(storage.transfer))));
  }
  if (sliced && !slice) section.fail("transfer: sliced needs `slice` as well, such as `slice: 64 B`");
  if (slice) storage.slice_bytes = read_bytes(*slice, kSliceLimits);
}

// The controller of a mapped part ends the access at hand, and what it has read is back in its row by then.
bool comes_up(devices::FramFault fault, const devices::FramPart& part) {
  return !part.is_mapped || fault == devices::FramFault::discard ||
         fault == devices::FramFault::garbage_below_min_vdd;
}

devices::FramFault read_power_loss(const Section& storage, const devices::FramPart& part) {
  const auto section = storage.find_section("faults", kFaultKeys);
  if (!section) return devices::FramFault::discard;
  const Found found = section->need("power_loss", "power_loss: garbage_in_flight");
  const auto fault = static_cast<devices::FramFault>(read_choice(found, kPowerLossFaults));
  if (!comes_up(fault, part)) {
    found.fail(fmt::format(
        "{} does not come up with {}, whose controller ends the access at hand as power fails: write "
        "discard or garbage_below_min_vdd",
        found.node->text, part.name));
  }
  return fault;
}

// The CPU is all that a part in its address space needs.
void check_mapped(const Section& section, const StorageConfig& storage, const McuConfig& mcu) {
  constexpr std::array<std::string_view, 5> kBusKeys{"sck", "transfer", "slice", "bus", "unsafe"};
  for (const std::string_view key : kBusKeys) {
    if (const auto found = section.find(key)) {
      found->fail_at_key(fmt::format(
          "{} lies in the address space of its MCU: there is no bus, leave this out", storage.part.name));
    }
  }
  if (mcu.profile.maps_fram) return;
  std::string able;
  for (const devices::McuProfile& profile : devices::mcu_profiles()) {
    if (profile.maps_fram) able += (able.empty() ? "" : ", ") + profile.name;
  }
  section.find("part")->fail_at_key(
      fmt::format("{} lies in the address space of its MCU, and mcu.profile is {}: it goes with {}",
                  storage.part.name, mcu.profile.name, able));
}

}  // namespace

StorageConfig read_storage(const Section& root, const McuConfig& mcu) {
  const Section section = root.need_section("storage", kStorageKeys);
  StorageConfig storage;
  storage.part = read_part(section);
  storage.power_loss = read_power_loss(section, storage.part);
  if (storage.part.is_mapped) {
    check_mapped(section, storage, mcu);
    return storage;
  }
  read_transfer(section, storage);
  storage.bus = read_bus(section, mcu, storage.transfer);
  storage.sck_asked_hz = read_sck(section, storage.part);
  storage.sck_hz = storage.bus.divider.at_most(storage.sck_asked_hz, mcu.clock_hz);
  return storage;
}

}  // namespace brownout::sim
