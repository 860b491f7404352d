// Section `supply` but for its source.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "devices/supply/supply_preset.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::array<std::string_view, 8> kSupplyKeys{"source",    "capacitor", "thresholds",  "comparator",
                                                      "converter", "charger",   "off_current", "preset"};
constexpr std::array<std::string_view, 3> kThresholdKeys{"turn_on", "warn", "brown_out"};
constexpr std::array<std::string_view, 6> kCapacitorKeys{"capacitance", "initial_voltage", "leakage",
                                                         "esr",         "max_voltage",     "tolerance"};
constexpr std::array<std::string_view, 4> kComparatorKeys{"latency", "tolerance", "poll", "hysteresis"};

constexpr Limits kThresholdLimits{1e-3, 100};
constexpr Limits kVoltageLimits{0, 100};
constexpr Limits kCapacitanceLimits{1e-9, 1e3};
constexpr Limits kEsrLimits{0, 1e6};
constexpr Limits kInsulationLimits{1, 1e15};
constexpr Limits kLeakageLimits{0, 1};
constexpr Limits kCapacitanceToleranceLimits{0, 0.9};
constexpr Limits kThresholdToleranceLimits{0, 0.5};
constexpr Limits kOffLimits{0, 1};
constexpr TimeLimits kLatencyLimits{{0}, {devices::kPicosecondsPerSecond}};
constexpr TimeLimits kPollLimits{{0}, {10 * devices::kPicosecondsPerSecond}};
constexpr double kDefaultMaxVoltage = 5.5;  // of a supercapacitor pair, the usual part

std::string volts(double value) { return format_quantity(value, Dimension::voltage); }

const devices::SupplyPreset& read_preset(const Section& supply) {
  static const devices::SupplyPreset none{};
  const auto found = supply.find("preset");
  if (!found) return none;
  const std::string_view name = scalar_text(*found, devices::supply_presets().front().name);
  const devices::SupplyPreset* preset = devices::find_supply_preset(name);
  if (preset == nullptr) fail_for_choice(*found, name, names_of(devices::supply_presets()));
  return *preset;
}

// A voltage that the scenario gives, or its preset.
struct Level {
  double v = 0;
  std::string path;
  std::optional<Found> found;
};

Level read_level(const Section& section, std::string_view key, std::string_view example,
                 std::optional<double> preset_v) {
  if (preset_v && !section.find(key)) return {*preset_v, section.path_of(key), std::nullopt};
  const Found found = section.need(key, example);
  return {read_quantity(found, Dimension::voltage, kThresholdLimits), found.path, found};
}

// Where the MCU's own reset switches the board off. A voltage that is given all the same has to be that one.
Level read_brown_out(const Section& section, std::optional<double> preset_v, const McuConfig& mcu) {
  if (!mcu.brown_out_level_v) return read_level(section, "brown_out", "brown_out: 2.0 V", preset_v);
  Level level{*mcu.brown_out_level_v, "mcu.brown_out_level", std::nullopt};
  if (const auto found = section.find("brown_out")) {
    if (std::abs(read_quantity(*found, Dimension::voltage, kThresholdLimits) - level.v) > 1e-6) {
      found->fail(fmt::format("{} is not mcu.brown_out_level, which is {}; leave one of the two out",
                              in_quotes(found->node->text), volts(level.v)));
    }
    level.found = found;
  }
  return level;
}

// The level is one of the MCU's supply, which is the capacitor's only if nothing lies between.
void check_level_applies(const Section& supply_section, const SupplyConfig& supply) {
  const auto given = supply_section.locations().find("mcu.brown_out_level");
  const auto refuse = [&](const char* why) {
    throw InputError(given->second,
                     fmt::format("mcu.brown_out_level: {}; write supply.thresholds.brown_out", why));
  };
  if (!supply.preset.empty()) refuse("supply.preset already says at which voltage the board goes off");
  const devices::PathKind kind = supply.converter.kind;
  if (kind != devices::PathKind::ideal && kind != devices::PathKind::direct) {
    refuse("a converter lies between the capacitor and the MCU's supply");
  }
}

// Presets alone are in order.
void check_order(const Level& lower, const Level& upper) {
  if (lower.v < upper.v) return;
  if (lower.found) {
    lower.found->fail_at_key(
        fmt::format("{} must be below {}, which is {}", volts(lower.v), upper.path, volts(upper.v)));
  }
  upper.found->fail_at_key(
      fmt::format("{} must be above {}, which is {}", volts(upper.v), lower.path, volts(lower.v)));
}

Thresholds read_thresholds(const Section& supply, const devices::SupplyPreset& preset, const McuConfig& mcu) {
  if (preset.turn_on_v && preset.warn_v && preset.brown_out_v && !supply.find("thresholds")) {
    return {*preset.turn_on_v, *preset.warn_v, *preset.brown_out_v};
  }
  const Section section = supply.need_section("thresholds", kThresholdKeys);
  const Level turn_on = read_level(section, "turn_on", "turn_on: 3.0 V", preset.turn_on_v);
  const Level warn = read_level(section, "warn", "warn: 2.5 V", preset.warn_v);
  const Level brown_out = read_brown_out(section, preset.brown_out_v, mcu);
  check_order(warn, turn_on);
  check_order(brown_out, warn);
  return {turn_on.v, warn.v, brown_out.v};
}

// A leakage is an insulation resistance, or a current that does not depend on the voltage.
void read_leakage(const Found& found, SupplyConfig& supply) {
  const std::string_view text = scalar_text(found, "10 MOhm or 1 uA");
  const Dimension dimension = dimension_of(text).value_or(Dimension::number);
  if (dimension == Dimension::resistance) {
    supply.capacitor.leakage_ohm = read_quantity(found, dimension, kInsulationLimits);
  } else if (dimension == Dimension::current) {
    supply.leakage_a = read_quantity(found, dimension, kLeakageLimits);
  } else {
    found.fail(fmt::format("{} is neither a resistance, such as 10 MOhm, nor a current, such as 1 uA",
                           in_quotes(text)));
  }
}

void check_max_voltage(const Section& supply_section, const SupplyConfig& supply) {
  const double max_v = supply.capacitor.max_voltage_v;
  const double turn_on_v = supply.thresholds.turn_on_v;
  if (max_v >= turn_on_v) return;
  constexpr std::string_view kTurnOn = "supply.thresholds.turn_on";
  const auto capacitor = supply_section.find_section("capacitor", kCapacitorKeys);
  if (const auto found = capacitor ? capacitor->find("max_voltage") : std::nullopt) {
    found->fail_at_key(
        fmt::format("{} must not be below {}, which is {}", volts(max_v), kTurnOn, volts(turn_on_v)));
  }
  const auto given = supply_section.locations().find(kTurnOn);
  const auto preset = supply_section.locations().find("supply.preset");
  throw InputError(given != supply_section.locations().end() ? given->second : preset->second,
                   fmt::format("{}: {} must not be above {}, which is {} where it is left out", kTurnOn,
                               volts(turn_on_v), "supply.capacitor.max_voltage", volts(max_v)));
}

void read_capacitor(const Section& supply_section, const devices::SupplyPreset& preset,
                    SupplyConfig& supply) {
  devices::CapacitorParameters& capacitor = supply.capacitor;
  capacitor.max_voltage_v = preset.max_voltage_v.value_or(kDefaultMaxVoltage);
  if (preset.capacitance_f) {
    capacitor.capacitance_f = *preset.capacitance_f;
    if (!supply_section.find("capacitor")) return;
  }
  const Section section = supply_section.need_section("capacitor", kCapacitorKeys);
  const auto capacitance =
      preset.capacitance_f ? section.find("capacitance") : section.need("capacitance", "capacitance: 1.5 mF");
  if (capacitance) {
    capacitor.capacitance_f = read_quantity(*capacitance, Dimension::capacitance, kCapacitanceLimits);
  }
  if (const auto esr = section.find("esr")) {
    capacitor.esr_ohm = read_quantity(*esr, Dimension::resistance, kEsrLimits);
  }
  if (const auto leakage = section.find("leakage")) {
    read_leakage(*leakage, supply);
  }
  if (const auto max = section.find("max_voltage")) {
    capacitor.max_voltage_v = read_quantity(*max, Dimension::voltage, kVoltageLimits);
  }
  if (const auto tolerance = section.find("tolerance")) {
    supply.capacitance_tolerance = read_quantity(*tolerance, Dimension::ratio, kCapacitanceToleranceLimits);
  }
  const auto initial = section.find("initial_voltage");
  if (!initial) return;
  supply.initial_v = read_quantity(*initial, Dimension::voltage, kVoltageLimits);
  if (supply.initial_v > capacitor.max_voltage_v) {
    initial->fail_at_key(fmt::format("{} must not be above {}, which is {}", volts(supply.initial_v),
                                     section.path_of("max_voltage"), volts(capacitor.max_voltage_v)));
  }
}

ComparatorConfig read_comparator(const Section& supply, const devices::SupplyPreset& preset,
                                 const Thresholds& thresholds) {
  ComparatorConfig comparator;
  comparator.poll = preset.poll;
  const auto section = supply.find_section("comparator", kComparatorKeys);
  if (!section) return comparator;
  if (const auto latency = section->find("latency")) {
    comparator.latency = read_time(*latency, kLatencyLimits);
  }
  if (const auto poll = section->find("poll")) comparator.poll = read_time(*poll, kPollLimits);
  if (const auto hysteresis = section->find("hysteresis")) {
    comparator.hysteresis_v = read_quantity(*hysteresis, Dimension::voltage, kThresholdLimits);
    if (thresholds.warn_v + *comparator.hysteresis_v > thresholds.turn_on_v) {
      hysteresis->fail_at_key(fmt::format("{} above {}, which is {}, must not lead above {}, which is {}",
                                          volts(*comparator.hysteresis_v), "supply.thresholds.warn",
                                          volts(thresholds.warn_v), "supply.thresholds.turn_on",
                                          volts(thresholds.turn_on_v)));
    }
  }
  if (const auto tolerance = section->find("tolerance")) {
    comparator.tolerance = read_quantity(*tolerance, Dimension::ratio, kThresholdToleranceLimits);
  }
  return comparator;
}

}  // namespace

SupplyConfig read_supply(const Section& root, const ScenarioContext& context, const McuConfig& mcu) {
  const Section section = root.need_section("supply", kSupplyKeys);
  SupplyConfig supply;
  const devices::SupplyPreset& preset = read_preset(section);
  supply.preset = preset.name;
  supply.source = read_source(section, context);
  supply.thresholds = read_thresholds(section, preset, mcu);
  read_capacitor(section, preset, supply);
  check_max_voltage(section, supply);
  supply.comparator = read_comparator(section, preset, supply.thresholds);
  supply.charger = read_charger(section, preset.charger);
  supply.converter = read_converter(section, preset.converter);
  if (mcu.brown_out_level_v) check_level_applies(section, supply);
  if (const auto off = section.find("off_current")) {
    supply.off_a = read_quantity(*off, Dimension::current, kOffLimits);
  }
  return supply;
}

}  // namespace brownout::sim
