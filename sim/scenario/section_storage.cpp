// Section `storage` but for a part of the user's own.
#include <array>

#include <fmt/format.h>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::array<std::string_view, 10> kStorageKeys{"part",   "sck",    "transfer", "slice",   "bus",
                                                        "unsafe", "faults", "retries",  "timeout", "verify"};
constexpr std::array<std::string_view, 3> kFaultKeys{"power_loss", "bit_error_rate", "missing_answer"};

constexpr WholeLimits kSckLimits{1'000, 1'000'000'000};
constexpr WholeLimits kSliceLimits{1, 4'096};
constexpr WholeLimits kRetryLimits{0, 100};
constexpr TimeLimits kTimeoutLimits{devices::microseconds(1), devices::milliseconds(10'000)};
constexpr Limits kBitErrorLimits{0, 0.1};
constexpr Limits kMissingLimits{0, 1};

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

devices::FramFault read_power_loss(const Found& found, const devices::FramPart& part) {
  const auto fault = static_cast<devices::FramFault>(read_choice(found, kPowerLossFaults));
  if (!comes_up(fault, part)) {
    found.fail(fmt::format(
        "{} does not come up with {}, whose controller ends the access at hand as power fails: write "
        "discard or garbage_below_min_vdd",
        found.node->text, part.name));
  }
  return fault;
}

void read_policy(const Section& section, StorageConfig& storage) {
  if (const auto retries = section.find("retries")) {
    storage.retries = static_cast<std::uint32_t>(read_count(*retries, kRetryLimits));
  }
  if (const auto timeout = section.find("timeout")) storage.timeout = read_time(*timeout, kTimeoutLimits);
  if (const auto verify = section.find("verify")) {
    storage.verify = static_cast<heap::Verify>(read_choice(*verify, kVerify));
  }
}

void read_faults(const Section& section, StorageConfig& storage) {
  const auto faults = section.find_section("faults", kFaultKeys);
  if (!faults) return;
  const auto power_loss = faults->find("power_loss");
  const auto bits = faults->find("bit_error_rate");
  const auto missing = faults->find("missing_answer");
  if (!power_loss && !bits && !missing) {
    faults->fail("has nothing in it; write a fault such as `power_loss: garbage_in_flight`");
  }
  if (power_loss) storage.power_loss = read_power_loss(*power_loss, storage.part);
  BusFaultConfig& bus = storage.bus_faults;
  if (bits) bus.bit_error_rate = read_number(*bits, kBitErrorLimits);
  if (!missing) return;
  bus.missing_answer = read_number(*missing, kMissingLimits);
  if (bus.missing_answer > 0 && storage.timeout.count == 0) {
    missing->fail_at_key(
        "a driver without a timeout waits for ever; add one, such as `timeout: 1 ms` in storage");
  }
}

template <std::size_t kCount>
void refuse_bus(const Section& section, const std::array<std::string_view, kCount>& keys,
                const devices::FramPart& part) {
  for (const std::string_view key : keys) {
    if (const auto found = section.find(key)) {
      found->fail_at_key(
          fmt::format("{} lies in the address space of its MCU: there is no bus, leave this out", part.name));
    }
  }
}

// The CPU is all that a part in its address space needs.
void read_mapped(const Section& section, StorageConfig& storage, const McuConfig& mcu) {
  constexpr std::array<std::string_view, 8> kBusKeys{"sck",    "transfer", "slice",   "bus",
                                                     "unsafe", "retries",  "timeout", "verify"};
  constexpr std::array<std::string_view, 2> kWireFaults{"bit_error_rate", "missing_answer"};
  if (const auto faults = section.find_section("faults", kFaultKeys)) {
    refuse_bus(*faults, kWireFaults, storage.part);
  }
  read_faults(section, storage);
  refuse_bus(section, kBusKeys, storage.part);
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
  if (storage.part.is_mapped) {
    read_mapped(section, storage, mcu);
    return storage;
  }
  read_transfer(section, storage);
  storage.bus = read_bus(section, mcu, storage.transfer);
  storage.sck_asked_hz = read_sck(section, storage.part);
  storage.sck_hz = storage.bus.divider.at_most(storage.sck_asked_hz, mcu.clock_hz);
  if (storage.sck_hz == 0) {
    const auto slowest = static_cast<double>(storage.bus.divider.slowest(mcu.clock_hz));
    section.find("sck")->fail(fmt::format("{} is slower than {} can make it: at least {}",
                                          in_quotes(section.find("sck")->node->text), storage.bus.name,
                                          format_quantity(slowest, Dimension::frequency)));
  }
  read_policy(section, storage);
  read_faults(section, storage);
  return storage;
}

}  // namespace brownout::sim
