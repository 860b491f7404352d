// Tables at their places and between them, the formulas of each path, and that records make sense.
#include "devices/supply/power_path.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "devices/supply/supply_preset.hpp"

namespace brownout::devices {
namespace {

EfficiencyTable small_table() {
  return {"small", {2.0, 4.0}, {1e-5, 1e-3, 1e-2}, {0.5, 0.7, 0.8, 0.6, 0.9, 0.7}, "test"};
}

TEST(EfficiencyTable, IsWhatItSaysAtItsPlacesAndPiecewiseLinearBetween) {
  const EfficiencyTable table = small_table();
  for (std::size_t v = 0; v < 2; ++v) {
    for (std::size_t a = 0; a < 3; ++a) {
      EXPECT_NEAR(table.at(table.voltages_v[v], table.currents_a[a]), table.efficiencies[v * 3 + a], 1e-15);
    }
  }
  EXPECT_NEAR(table.at(3, 1e-5), 0.55, 1e-15) << "linear in the voltage";
  EXPECT_NEAR(table.at(2, 1e-4), 0.6, 1e-15) << "linear in the logarithm of the current";
  EXPECT_NEAR(table.at(2.5, std::sqrt(1e-5)), 0.7625, 1e-14) << "(0.75 * 3 + 0.8) / 4";
}

TEST(EfficiencyTable, HoldsItsEdges) {
  const EfficiencyTable table = small_table();
  EXPECT_EQ(table.at(0, 1e-5), 0.5);
  EXPECT_EQ(table.at(9, 1e-5), 0.6);
  EXPECT_EQ(table.at(2, 0), 0.5);
  EXPECT_EQ(table.at(2, 1), 0.8);
  const EfficiencyTable one{"one", {3.0}, {1e-3}, {0.8}, "test"};
  for (const double v : {0.0, 3.0, 9.0}) EXPECT_EQ(one.at(v, v), 0.8);
}

TEST(Converter, LinearPathsPassTheRailsCurrentOn) {
  for (const PathKind kind : {PathKind::direct, PathKind::diode, PathKind::ldo}) {
    Converter path{.kind = kind};
    path.drop_v = kind == PathKind::direct ? 0 : 0.2;
    path.rail_v = 3;
    EXPECT_TRUE(path.depends_on_voltage());
    EXPECT_NEAR(path.drawn_w(6e-3, 4.5), 9e-3, 1e-17) << "2 mA at 4.5 V";
    EXPECT_EQ(path.drawn_w(0, 4.5), 0);
    // Below 3.2 V the rail falls, and the load keeps its power.
    EXPECT_NEAR(path.drawn_w(6e-3, 2.2), 6e-3 * 2.2 / (2.2 - path.drop_v), 1e-17);
  }
}

TEST(Converter, BehindAnEsrItSeesWhatTheLoadLeaves) {
  Converter ldo{.kind = PathKind::ldo};
  ldo.drop_v = 0.1;
  ldo.rail_v = 3;
  // 10 mA through 20 Ohm: 0.2 V.
  EXPECT_NEAR(ldo.drawn_w(30e-3, 4.2, 20), 10e-3 * 4.0, 1e-12 * 40e-3);
  Converter buck{.kind = PathKind::buck, .table = small_table()};
  buck.rail_v = 1;
  const double drawn = buck.drawn_w(10e-3, 4.0, 30);
  const double terminal = 0.5 * (4.0 + std::sqrt(16 - 4 * drawn * 30));
  EXPECT_NEAR(drawn, buck.drawn_w(10e-3, terminal), 1e-12 * drawn);
}

TEST(Converter, OneEfficiencyAndConstantPowerDoNotDependOnTheVoltage) {
  Converter buck{.kind = PathKind::buck, .efficiency = 0.8};
  EXPECT_FALSE(buck.depends_on_voltage());
  EXPECT_DOUBLE_EQ(buck.drawn_w(8e-3, 1), 10e-3);
  Converter constant{.kind = PathKind::constant};
  constant.constant_w = 132e-3;
  EXPECT_EQ(constant.drawn_w(1e-3, 3), 132e-3);
  EXPECT_EQ(constant.drawn_w(0, 3), 0) << "off is off";
  EXPECT_EQ(constant.drawn_w(0.2, 3), 0.2) << "it cannot deliver more than it draws";
}

TEST(Charger, LinearPathsPassTheSourcesCurrentOn) {
  Charger diode{.kind = PathKind::diode};
  diode.drop_v = 0.5;
  EXPECT_DOUBLE_EQ(diode.efficiency_at(1e-3, 2.0), 0.8) << "the source follows";
  diode.input_v = 4;
  EXPECT_DOUBLE_EQ(diode.efficiency_at(1e-3, 2.0), 0.5) << "1 mW at 4 V is 250 uA, at 2 V 0.5 mW";
  EXPECT_DOUBLE_EQ(diode.efficiency_at(1e-3, 3.49), 0.8725);
  EXPECT_EQ(diode.efficiency_at(1e-3, 3.5), 0) << "nothing flows uphill";
  Charger wire{.kind = PathKind::direct};
  EXPECT_EQ(wire.efficiency_at(1e-3, 2), 1);
  EXPECT_FALSE(wire.depends_on_voltage());
}

TEST(Charger, SwitchedPathsLookUpTheSourcesVoltageAndCurrent) {
  Charger boost{.kind = PathKind::boost, .table = small_table()};
  boost.input_v = 2;
  EXPECT_FALSE(boost.depends_on_voltage());
  EXPECT_NEAR(boost.efficiency_at(2e-3, 5), 0.7, 1e-15) << "1 mA at 2 V";
  Charger buck = boost;
  buck.kind = PathKind::buck;
  EXPECT_TRUE(buck.depends_on_voltage());
  EXPECT_NEAR(buck.efficiency_at(2e-3, 1.9), 0.7, 1e-15);
  EXPECT_EQ(buck.efficiency_at(2e-3, 2.0), 0);
}

TEST(Catalogue, TablesAndPresetsMakeSense) {
  for (const EfficiencyTable& table : efficiency_tables()) {
    ASSERT_EQ(table.efficiencies.size(), table.voltages_v.size() * table.currents_a.size()) << table.name;
    EXPECT_TRUE(std::is_sorted(table.voltages_v.begin(), table.voltages_v.end())) << table.name;
    EXPECT_TRUE(std::is_sorted(table.currents_a.begin(), table.currents_a.end())) << table.name;
    for (const double efficiency : table.efficiencies) {
      EXPECT_GE(efficiency, kLeastEfficiency);
      EXPECT_LE(efficiency, 1);
    }
    EXPECT_FALSE(table.sources.empty());
  }
  for (const SupplyPreset& preset : supply_presets()) {
    EXPECT_FALSE(preset.sources.empty()) << preset.name;
    EXPECT_EQ(preset.turn_on_v.has_value(), preset.brown_out_v.has_value());
    if (!preset.turn_on_v) continue;
    EXPECT_GT(*preset.turn_on_v, *preset.warn_v) << preset.name;
    EXPECT_GT(*preset.warn_v, *preset.brown_out_v) << preset.name;
    EXPECT_GE(preset.max_voltage_v.value_or(5.5), *preset.turn_on_v) << preset.name;
  }
  // Published figures.
  const SupplyPreset& bq25570 = *find_supply_preset("BQ25570");
  EXPECT_EQ(*bq25570.turn_on_v, 3.0);
  EXPECT_EQ(*bq25570.warn_v, 2.5);
  EXPECT_EQ(*bq25570.brown_out_v, 2.4);
  EXPECT_EQ(*bq25570.capacitance_f, 100e-6);
  EXPECT_EQ(bq25570.converter.quiescent_a, 488e-9);
  const SupplyPreset& bq25504 = *find_supply_preset("bq25504");
  EXPECT_EQ(*bq25504.turn_on_v, 2.8);
  EXPECT_EQ(*bq25504.warn_v, 2.34);
  EXPECT_EQ(bq25504.poll, milliseconds(64));
  const SupplyPreset& diode = *find_supply_preset("diode-capacitor");
  EXPECT_EQ(*diode.capacitance_f, 47e-6);
  EXPECT_EQ(*diode.turn_on_v, 2.0);
  EXPECT_EQ(*diode.brown_out_v, 1.8);
  EXPECT_DOUBLE_EQ(find_supply_preset("constant-132mw")->converter.constant_w, 3.3 * 40e-3);
}

}  // namespace
}  // namespace brownout::devices
