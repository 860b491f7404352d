// Key `storage.bus`: a profile, or a map that changes figures of one.
#include <array>

#include <fmt/format.h>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::array<std::string_view, 17> kBusKeys{
    "mode",          "profile",          "source_clock", "chunk",        "setup_send", "setup_receive",
    "handover_send", "handover_receive", "copy_send",    "copy_receive", "cs_setup",   "cs_hold",
    "call_write",    "call_read",        "abort",        "abort_cost",   "tick"};
constexpr std::array<std::string_view, 3> kTickKeys{"period", "cost", "first"};

constexpr WholeLimits kSourceLimits{1'000'000, 1'000'000'000};
constexpr WholeLimits kChunkLimits{1, 65'536};
constexpr TimeLimits kSpanLimits{{0}, devices::milliseconds(100)};
constexpr TimeLimits kPeriodLimits{devices::microseconds(10), devices::milliseconds(10'000)};

const devices::SpiProfile& find_profile(const Found& found, std::string_view example) {
  const std::string_view name = scalar_text(found, example);
  const devices::SpiProfile* bus = devices::find_spi_profile(name);
  if (bus == nullptr) fail_for_choice(found, name, names_of(devices::spi_profiles()));
  return *bus;
}

// True if a figure of the timing is no longer that of the profile.
bool override_times(const Section& section, devices::TransferCosts& costs) {
  bool changed = false;
  const auto override_one = [&](std::string_view key, Picoseconds& span) {
    const auto found = section.find(key);
    if (!found) return;
    span = read_time(*found, kSpanLimits);
    changed = true;
  };
  override_one("setup_send", costs.setup_send);
  override_one("setup_receive", costs.setup_receive);
  override_one("handover_send", costs.handover_send);
  override_one("handover_receive", costs.handover_receive);
  override_one("copy_send", costs.copy_send_per_byte);
  override_one("copy_receive", costs.copy_receive_per_byte);
  override_one("cs_setup", costs.cs_setup);
  override_one("cs_hold", costs.cs_hold);
  override_one("call_write", costs.call_write);
  override_one("call_read", costs.call_read);
  override_one("abort_cost", costs.abort_cost);
  if (const auto chunk = section.find("chunk")) {
    costs.chunk_bytes = read_bytes(*chunk, kChunkLimits);
    changed = true;
  }
  return changed;
}

void override_tick(const Section& section, devices::RtosTick& tick) {
  const auto given = section.find_section("tick", kTickKeys);
  if (!given) return;
  const Found period = given->need("period", "period: 1 ms");
  tick.period = read_time(period, kPeriodLimits);
  tick.cost = read_time(given->need("cost", "cost: 450 us"), kSpanLimits);
  if (tick.cost >= tick.period) period.fail_at_key("a tick has to be over before the next one strikes");
  const auto first = given->find("first");
  tick.first_after_start = first ? read_time(*first, kPeriodLimits) : tick.period;
}

std::uint32_t read_mode(const Found& found) {
  const std::uint64_t mode = read_count(found, {0, 3});
  if (mode == 1 || mode == 2) {
    found.fail(
        fmt::format("{} samples at the falling edge, and the parts take bits at the rising one: mode 0 or 3",
                    in_quotes(found.node->text)));
  }
  return static_cast<std::uint32_t>(mode);
}

devices::SpiProfile read_bus_map(const Section& section, std::string_view default_profile,
                                 devices::TransferMode transfer) {
  const auto profile = section.find("profile");
  devices::SpiProfile bus =
      profile ? find_profile(*profile, default_profile) : *devices::find_spi_profile(default_profile);
  if (const auto source = section.find("source_clock"))
    bus.divider.source_hz = read_hertz(*source, kSourceLimits);
  devices::TransferCosts& costs = bus.costs(transfer);
  if (override_times(section, costs)) bus.calibrated = false;
  if (const auto abort = section.find("abort"))
    costs.abort_granularity =
        static_cast<devices::AbortGranularity>(read_choice(*abort, kAbortGranularities));
  override_tick(section, bus.tick);
  if (const auto mode = section.find("mode")) bus.spi_mode = read_mode(*mode);
  return bus;
}

}  // namespace

devices::SpiProfile read_bus(const Section& storage, const McuConfig& mcu, devices::TransferMode transfer) {
  const std::string_view usual = mcu.profile.bus;
  const auto found = storage.find("bus");
  if (!found) return *devices::find_spi_profile(usual);
  if (found->node->kind != Node::Kind::map) return find_profile(*found, usual);
  return read_bus_map(Section(*found, kBusKeys, storage.locations()), usual, transfer);
}

}  // namespace brownout::sim
