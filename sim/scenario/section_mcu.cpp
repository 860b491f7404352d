// Section `mcu`.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::array<std::string_view, 12> kMcuKeys{
    "profile", "clock",         "rail",          "active_current", "sleep_current", "deep_sleep_current",
    "boot",    "os_save_bytes", "after_persist", "on_loss",        "costs",         "brown_out_level"};
constexpr std::array<std::string_view, 9> kCostKeys{
    "call",    "step",  "copied_byte", "checksum_byte", "checksum_byte_by_table",
    "section", "burst", "stored_word", "loaded_word"};
constexpr std::array<std::string_view, 3> kMappedCostKeys{"burst", "stored_word", "loaded_word"};
constexpr std::array<std::string_view, 3> kBootKeys{"name", "time", "current"};

constexpr WholeLimits kClockLimits{1'000'000, 1'000'000'000};
constexpr Limits kRailLimits{0.5, 10};
constexpr Limits kActiveCurrentLimits{1e-9, 10};
constexpr Limits kCurrentLimits{0, 10};
constexpr Limits kCostLimits{0, 1e6};
constexpr Limits kLevelLimits{0.1, 10};
constexpr WholeLimits kOsSaveLimits{0, 65'536};
constexpr TimeLimits kBootTimeLimits{{1}, {3'600 * devices::kPicosecondsPerSecond}};
constexpr std::size_t kMaxBootPhases = 16;
constexpr std::size_t kLongestName = 200;

std::vector<devices::BootPhase> read_boot(const Section& mcu, const Found& list) {
  std::vector<devices::BootPhase> phases;
  for (const Found& item : mcu.items(list, 0, kMaxBootPhases)) {
    const Section phase(item, kBootKeys, mcu.locations());
    phases.push_back(
        {read_text(phase.need("name", "name: clock start"), kLongestName, false),
         read_time(phase.need("time", "time: 2 ms"), kBootTimeLimits),
         read_quantity(phase.need("current", "current: 1 mA"), Dimension::current, kCurrentLimits)});
  }
  return phases;
}

void override_costs(const Section& mcu, devices::McuProfile& profile) {
  const auto section = mcu.find_section("costs", kCostKeys);
  if (!section) return;
  for (const std::string_view key : kMappedCostKeys) {
    const auto found = section->find(key);
    if (found && !profile.maps_fram) {
      found->fail_at_key(fmt::format(
          "only goes with an MCU that has FRAM in its address space, which {} has not", profile.name));
    }
  }
  devices::CpuCosts& costs = profile.costs;
  const auto override_one = [&](std::string_view key, double& cost) {
    if (const auto found = section->find(key)) cost = read_number(*found, kCostLimits);
  };
  override_one("call", costs.call);
  override_one("step", costs.step);
  override_one("copied_byte", costs.copied_byte);
  override_one("checksum_byte", costs.checksum_byte);
  override_one("checksum_byte_by_table", costs.checksum_byte_by_table);
  override_one("section", costs.section);
  override_one("burst", costs.burst);
  override_one("stored_word", costs.stored_word);
  override_one("loaded_word", costs.loaded_word);
}

void override_profile(const Section& section, McuConfig& mcu) {
  devices::McuProfile& profile = mcu.profile;
  if (const auto rail = section.find("rail")) {
    profile.rail_v = read_quantity(*rail, Dimension::voltage, kRailLimits);
  }
  if (const auto sleep = section.find("sleep_current")) {
    profile.sleep_a = read_quantity(*sleep, Dimension::current, kCurrentLimits);
  }
  if (const auto sleep = section.find("deep_sleep_current")) {
    profile.deep_sleep_a = read_quantity(*sleep, Dimension::current, kCurrentLimits);
  }
  if (const auto boot = section.find("boot")) profile.boot = read_boot(section, *boot);
  override_costs(section, profile);
  if (const auto active = section.find("active_current")) {
    // Who writes the current has measured it at the clock that runs: nothing is left to scale.
    profile.active_a = read_quantity(*active, Dimension::current, kActiveCurrentLimits);
    profile.clock_hz = mcu.clock_hz;
  }
}

const devices::McuProfile& read_profile(const Section& section) {
  const Found found =
      section.need("profile", fmt::format("profile: {}", devices::mcu_profiles().front().name));
  const std::string_view name = scalar_text(found, devices::mcu_profiles().front().name);
  const devices::McuProfile* profile = devices::find_mcu_profile(name);
  if (profile == nullptr) fail_for_choice(found, name, names_of(devices::mcu_profiles()));
  return *profile;
}

// Levels are those that the hardware has; as close as a volt is written in a scenario.
double read_brown_out_level(const Found& found, const devices::McuProfile& profile) {
  const double wanted_v = read_quantity(found, Dimension::voltage, kLevelLimits);
  if (profile.brown_out_levels_v.empty()) {
    found.fail_at_key(fmt::format(
        "the levels of {} are not known; supply.thresholds.brown_out takes any voltage", profile.name));
  }
  std::vector<std::string> known;
  for (const double level_v : profile.brown_out_levels_v) {
    if (std::abs(level_v - wanted_v) < 1e-6) return level_v;
    known.push_back(format_quantity(level_v, Dimension::voltage));
  }
  const auto distance = [wanted_v](double a, double b) {
    return std::abs(a - wanted_v) < std::abs(b - wanted_v);
  };
  const double nearest_v =
      *std::min_element(profile.brown_out_levels_v.begin(), profile.brown_out_levels_v.end(), distance);
  found.fail(
      fmt::format("{} is no level of {}; the nearest is {} (it has {}). That of a supervisor at the "
                  "capacitor goes to supply.thresholds.brown_out",
                  in_quotes(found.node->text), profile.name, format_quantity(nearest_v, Dimension::voltage),
                  fmt::join(known, ", ")));
}

}  // namespace

McuConfig read_mcu(const Section& root) {
  const Section section = root.need_section("mcu", kMcuKeys);
  McuConfig mcu;
  mcu.profile = read_profile(section);
  mcu.clock_hz = mcu.profile.clock_hz;
  if (const auto clock = section.find("clock")) mcu.clock_hz = read_hertz(*clock, kClockLimits);
  override_profile(section, mcu);
  if (const auto save = section.find("os_save_bytes"))
    mcu.os_save_bytes = read_bytes_or_count(*save, kOsSaveLimits);
  if (const auto after = section.find("after_persist")) {
    mcu.after_persist = static_cast<AfterPersist>(read_choice(*after, kAfterPersist));
  }
  if (const auto level = section.find("brown_out_level")) {
    mcu.brown_out_level_v = read_brown_out_level(*level, mcu.profile);
  }
  if (const auto loss = section.find("on_loss"))
    mcu.on_loss = static_cast<OnLoss>(read_choice(*loss, kOnLoss));
  return mcu;
}

}  // namespace brownout::sim
