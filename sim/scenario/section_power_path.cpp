// Sections `supply.charger` and `supply.converter`.
#include <array>

#include <fmt/format.h>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

using devices::EfficiencyTable;
using devices::PathKind;

constexpr std::array<std::string_view, 5> kChargerKeys{"efficiency", "path", "table", "drop",
                                                       "input_voltage"};
constexpr std::array<std::string_view, 6> kConverterKeys{"efficiency", "path",  "table",
                                                         "drop",       "power", "quiescent"};
constexpr std::array<std::string_view, 3> kTableKeys{"voltages", "currents", "efficiencies"};

constexpr Limits kEfficiencyLimits{devices::kLeastEfficiency, 1};
constexpr Limits kDropLimits{0, 10};
constexpr Limits kInputLimits{1e-3, 100};
constexpr Limits kConstantLimits{1e-9, 1e3};
constexpr Limits kQuiescentLimits{0, 1};
constexpr Limits kAxisVoltageLimits{1e-3, 100};
constexpr Limits kAxisCurrentLimits{1e-9, 100};
constexpr std::size_t kMostPlaces = 32;  // on an axis

std::vector<double> read_axis(const Section& table, std::string_view key, std::string_view example,
                              Dimension dimension, Limits limits) {
  std::vector<double> axis;
  for (const Found& item : table.items(table.need(key, example), 1, kMostPlaces)) {
    const double value = read_quantity(item, dimension, limits);
    if (!axis.empty() && value <= axis.back()) {
      item.fail(fmt::format("{} must be above the one before, which is {}", format_quantity(value, dimension),
                            format_quantity(axis.back(), dimension)));
    }
    axis.push_back(value);
  }
  return axis;
}

EfficiencyTable read_table(const Section& path, const Found& found) {
  if (found.node->kind != Node::Kind::map) {
    const std::string_view name = scalar_text(found, devices::efficiency_tables().front().name);
    const EfficiencyTable* table = devices::find_efficiency_table(name);
    if (table == nullptr) fail_for_choice(found, name, names_of(devices::efficiency_tables()));
    return *table;
  }
  const Section section(found, kTableKeys, path.locations());
  EfficiencyTable table;
  table.name = "given";
  table.voltages_v =
      read_axis(section, "voltages", "voltages: [2 V, 4 V]", Dimension::voltage, kAxisVoltageLimits);
  table.currents_a =
      read_axis(section, "currents", "currents: [10 uA, 1 mA]", Dimension::current, kAxisCurrentLimits);
  const Found rows = section.need("efficiencies", "efficiencies: [[70 %, 85 %], [75 %, 90 %]]");
  for (const Found& row : section.items(rows, table.voltages_v.size(), table.voltages_v.size())) {
    for (const Found& item : section.items(row, table.currents_a.size(), table.currents_a.size())) {
      table.efficiencies.push_back(read_quantity(item, Dimension::ratio, kEfficiencyLimits));
    }
  }
  return table;
}

// A key that the path has a use for, or nothing; one that it has none for is refused.
std::optional<Found> find_for(const Section& section, std::string_view key, bool has_use,
                              std::string_view goes_with) {
  auto found = section.find(key);
  if (found && !has_use) found->fail_at_key(fmt::format("only goes with {}", goes_with));
  return found;
}

// Another path starts from nothing; the same one keeps what its preset has.
template <class Path>
void read_kind(const Section& section, std::span<const std::string_view> kinds, Path& path) {
  const auto found = section.find("path");
  if (!found) return;
  const auto kind = static_cast<PathKind>(read_choice(*found, kinds) + 1);
  if (kind == path.kind) return;
  path = {};
  path.kind = kind;
}

template <class Path>
void read_efficiency(const Section& section, Path& path) {
  const bool is_switched = devices::is_switched(path.kind);
  const auto efficiency = find_for(section, "efficiency", devices::is_one_efficiency(path.kind),
                                   "path: buck or boost, or without a path");
  const auto table = find_for(section, "table", is_switched, "path: buck or boost");
  if (efficiency && table) table->fail_at_key("goes without `efficiency`: a table says it all");
  if (efficiency) {
    path.efficiency = read_quantity(*efficiency, Dimension::ratio, kEfficiencyLimits);
    path.table.reset();
  }
  if (table) path.table = read_table(section, *table);
  if (section.find("path") && is_switched && !efficiency && !path.table) {
    section.find("path")->fail_at_key("needs `efficiency` or `table` as well, such as `efficiency: 85 %`");
  }
}

template <class Path>
void read_drop(const Section& section, Path& path) {
  const bool drops = path.kind == PathKind::diode || path.kind == PathKind::ldo;
  if (const auto drop = find_for(section, "drop", drops, "path: diode or ldo")) {
    path.drop_v = read_quantity(*drop, Dimension::voltage, kDropLimits);
  } else if (drops && path.drop_v == 0) {
    section.fail(
        "`drop` is missing: a diode's forward voltage, or what the regulator needs; write it such as "
        "`drop: 300 mV`");
  }
}

void read_input_voltage(const Section& section, devices::Charger& charger) {
  const bool has_use = charger.kind != PathKind::ideal && (charger.kind != PathKind::boost || charger.table);
  if (const auto input = find_for(section, "input_voltage", has_use, "a path; of path: boost with `table`")) {
    charger.input_v = read_quantity(*input, Dimension::voltage, kInputLimits);
  } else if (charger.input_v == 0 && (charger.table || charger.kind == PathKind::ldo)) {
    section.fail(
        "`input_voltage` is missing: at which the source delivers its power; write it such as "
        "`input_voltage: 1 V`");
  }
}

}  // namespace

devices::Charger read_charger(const Section& supply, const devices::Charger& preset) {
  devices::Charger charger = preset;
  const auto section = supply.find_section("charger", kChargerKeys);
  if (!section) return charger;
  read_kind(*section, std::span(kPaths).first(kPaths.size() - 1), charger);
  read_efficiency(*section, charger);
  read_drop(*section, charger);
  read_input_voltage(*section, charger);
  return charger;
}

devices::Converter read_converter(const Section& supply, const devices::Converter& preset) {
  devices::Converter converter = preset;
  const auto section = supply.find_section("converter", kConverterKeys);
  if (!section) return converter;
  read_kind(*section, kPaths, converter);
  converter.quiescent_a = preset.quiescent_a;
  read_efficiency(*section, converter);
  read_drop(*section, converter);
  const bool is_constant = converter.kind == PathKind::constant;
  if (const auto power = find_for(*section, "power", is_constant, "path: constant")) {
    converter.constant_w = read_quantity(*power, Dimension::power, kConstantLimits);
  } else if (is_constant && converter.constant_w == 0) {
    section->fail(
        "`power` is missing: what is drawn as long as the board is on; write it such as "
        "`power: 132 mW`");
  }
  if (const auto quiescent = section->find("quiescent")) {
    converter.quiescent_a = read_quantity(*quiescent, Dimension::current, kQuiescentLimits);
  }
  return converter;
}

}  // namespace brownout::sim
