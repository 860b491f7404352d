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

devices::FramFault read_power_loss(const Section& storage) {
  const auto section = storage.find_section("faults", kFaultKeys);
  if (!section) return devices::FramFault::discard;
  const Found found = section->need("power_loss", "power_loss: garbage_in_flight");
  return static_cast<devices::FramFault>(read_choice(found, kPowerLossFaults));
}

}  // namespace

StorageConfig read_storage(const Section& root, const McuConfig& mcu) {
  const Section section = root.need_section("storage", kStorageKeys);
  StorageConfig storage;
  storage.part = read_part(section);
  read_transfer(section, storage);
  storage.bus = read_bus(section, mcu, storage.transfer);
  storage.sck_asked_hz = read_sck(section, storage.part);
  storage.sck_hz = storage.bus.divider.at_most(storage.sck_asked_hz, mcu.clock_hz);
  storage.power_loss = read_power_loss(section);
  return storage;
}

}  // namespace brownout::sim
