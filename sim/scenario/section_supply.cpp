// Section `supply` but for its source.
#include <array>

#include <fmt/format.h>

#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::array<std::string_view, 5> kSupplyKeys{"source", "capacitor", "thresholds", "comparator",
                                                      "converter"};
constexpr std::array<std::string_view, 3> kThresholdKeys{"turn_on", "warn", "brown_out"};
constexpr std::array<std::string_view, 6> kCapacitorKeys{"capacitance", "initial_voltage", "leakage",
                                                         "esr",         "max_voltage",     "tolerance"};
constexpr std::array<std::string_view, 2> kComparatorKeys{"latency", "tolerance"};
constexpr std::array<std::string_view, 1> kConverterKeys{"efficiency"};

constexpr Limits kThresholdLimits{1e-3, 100};
constexpr Limits kVoltageLimits{0, 100};
constexpr Limits kCapacitanceLimits{1e-9, 1e3};
constexpr Limits kEsrLimits{0, 1e6};
constexpr Limits kInsulationLimits{1, 1e15};
constexpr Limits kLeakageLimits{0, 1};
constexpr Limits kCapacitanceToleranceLimits{0, 0.9};
constexpr Limits kThresholdToleranceLimits{0, 0.5};
constexpr Limits kEfficiencyLimits{0.01, 1};
constexpr TimeLimits kLatencyLimits{{0}, {devices::kPicosecondsPerSecond}};
constexpr double kDefaultMaxVoltage = 5.5;  // of a supercapacitor pair, the usual part

std::string volts(double value) { return format_quantity(value, Dimension::voltage); }

Thresholds read_thresholds(const Section& supply) {
  const Section section = supply.need_section("thresholds", kThresholdKeys);
  const Found turn_on = section.need("turn_on", "turn_on: 3.0 V");
  const Found warn = section.need("warn", "warn: 2.5 V");
  const Found brown_out = section.need("brown_out", "brown_out: 2.0 V");
  const Thresholds thresholds{read_quantity(turn_on, Dimension::voltage, kThresholdLimits),
                              read_quantity(warn, Dimension::voltage, kThresholdLimits),
                              read_quantity(brown_out, Dimension::voltage, kThresholdLimits)};
  if (thresholds.warn_v >= thresholds.turn_on_v) {
    warn.fail_at_key(fmt::format("{} must be below {}, which is {}", volts(thresholds.warn_v), turn_on.path,
                                 volts(thresholds.turn_on_v)));
  }
  if (thresholds.brown_out_v >= thresholds.warn_v) {
    brown_out.fail_at_key(fmt::format("{} must be below {}, which is {}", volts(thresholds.brown_out_v),
                                      warn.path, volts(thresholds.warn_v)));
  }
  return thresholds;
}

// A leakage is an insulation resistance, or the current through it at the turn-on threshold.
double read_leakage_ohm(const Found& found, double turn_on_v) {
  const std::string_view text = scalar_text(found, "10 MOhm or 1 uA");
  const Dimension dimension = dimension_of(text).value_or(Dimension::number);
  if (dimension == Dimension::resistance) return read_quantity(found, dimension, kInsulationLimits);
  if (dimension != Dimension::current) {
    found.fail(fmt::format("{} is neither a resistance, such as 10 MOhm, nor a current, such as 1 uA",
                           in_quotes(text)));
  }
  const double leakage_a = read_quantity(found, dimension, kLeakageLimits);
  if (leakage_a == 0) return std::numeric_limits<double>::infinity();
  return turn_on_v / leakage_a;
}

void check_max_voltage(const Section& section, double max_v, const Thresholds& thresholds) {
  if (max_v >= thresholds.turn_on_v) return;
  constexpr std::string_view kTurnOn = "supply.thresholds.turn_on";
  if (const auto found = section.find("max_voltage")) {
    found->fail_at_key(fmt::format("{} must not be below {}, which is {}", volts(max_v), kTurnOn,
                                   volts(thresholds.turn_on_v)));
  }
  throw InputError(section.locations().find(kTurnOn)->second,
                   fmt::format("{}: {} must not be above {}, which is {} where it is left out", kTurnOn,
                               volts(thresholds.turn_on_v), section.path_of("max_voltage"), volts(max_v)));
}

void read_capacitor(const Section& supply_section, SupplyConfig& supply) {
  const Section section = supply_section.need_section("capacitor", kCapacitorKeys);
  devices::CapacitorParameters& capacitor = supply.capacitor;
  capacitor.capacitance_f = read_quantity(section.need("capacitance", "capacitance: 1.5 mF"),
                                          Dimension::capacitance, kCapacitanceLimits);
  if (const auto esr = section.find("esr")) {
    capacitor.esr_ohm = read_quantity(*esr, Dimension::resistance, kEsrLimits);
  }
  if (const auto leakage = section.find("leakage")) {
    capacitor.leakage_ohm = read_leakage_ohm(*leakage, supply.thresholds.turn_on_v);
  }
  capacitor.max_voltage_v = kDefaultMaxVoltage;
  if (const auto max = section.find("max_voltage")) {
    capacitor.max_voltage_v = read_quantity(*max, Dimension::voltage, kVoltageLimits);
  }
  check_max_voltage(section, capacitor.max_voltage_v, supply.thresholds);
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

ComparatorConfig read_comparator(const Section& supply) {
  ComparatorConfig comparator;
  const auto section = supply.find_section("comparator", kComparatorKeys);
  if (!section) return comparator;
  if (const auto latency = section->find("latency")) {
    comparator.latency = read_time(*latency, kLatencyLimits);
  }
  if (const auto tolerance = section->find("tolerance")) {
    comparator.tolerance = read_quantity(*tolerance, Dimension::ratio, kThresholdToleranceLimits);
  }
  return comparator;
}

ConverterConfig read_converter(const Section& supply) {
  ConverterConfig converter;
  const auto section = supply.find_section("converter", kConverterKeys);
  if (!section) return converter;
  if (const auto efficiency = section->find("efficiency")) {
    converter.efficiency = read_quantity(*efficiency, Dimension::ratio, kEfficiencyLimits);
  }
  return converter;
}

}  // namespace

SupplyConfig read_supply(const Section& root, const ScenarioContext& context) {
  const Section section = root.need_section("supply", kSupplyKeys);
  SupplyConfig supply;
  supply.source = read_source(section, context);
  supply.thresholds = read_thresholds(section);
  read_capacitor(section, supply);
  supply.comparator = read_comparator(section);
  supply.converter = read_converter(section);
  return supply;
}

}  // namespace brownout::sim
