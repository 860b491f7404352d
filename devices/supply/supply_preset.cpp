#include "devices/supply/supply_preset.hpp"

#include <vector>

#include "devices/names.hpp"

namespace brownout::devices {
namespace {

EfficiencyTable table(std::string_view name) { return *find_efficiency_table(name); }

// published: a figure that publications name for such a board. estimate: from memory, or a usual value.
const std::vector<SupplyPreset>& presets() {
  static const std::vector<SupplyPreset> all = {
      {
          .name = "bq25570",
          .capacitance_f = 100e-6,  // published
          .max_voltage_v = 5.5,     // estimate: highest voltage of the store
          .turn_on_v = 3.0,         // published: output on, and power-good
          .warn_v = 2.5,            // published: power-good falls
          .brown_out_v = 2.4,       // published: output off
          .charger = {.kind = PathKind::boost,
                      .table = table("bq25570-charger"),
                      .input_v = 1.0},  // estimate: a few cells in series
          .converter = {.kind = PathKind::buck,
                        .table = table("bq25570-buck"),
                        .quiescent_a = 488e-9},  // data sheet, typical
          .sources = "levels and 100 uF as published, quiescent current of the data sheet (typical); tables, "
                     "harvester's voltage and limit are estimates",
      },
      {
          .name = "bq25504",
          .max_voltage_v = 5.25,     // data sheet: highest setting of the overvoltage level
          .turn_on_v = 2.8,          // published: power-good
          .warn_v = 2.34,            // published: power-good falls
          .brown_out_v = 1.9,        // estimate: a board of 1.8 V behind a switch
          .poll = milliseconds(64),  // published, of one model
          .charger = {.kind = PathKind::boost,
                      .table = table("bq25504-charger"),
                      .input_v = 1.0},             // estimate
          .converter = {.kind = PathKind::direct,  // the part has no output converter
                        .quiescent_a = 330e-9},    // data sheet, typical
          .sources =
              "power-good 2.8/2.34 V and its poll of 64 ms as published; limit and quiescent current of the "
              "data sheet (SLUSAH0, typical); brown-out, table and harvester's voltage are estimates",
      },
      {
          .name = "ltc3588",
          .max_voltage_v = 20,  // estimate: the shunt at its input
          .turn_on_v = 5.05,    // estimate: lockout of the 3.3 V output, rising
          .warn_v = 4.2,        // estimate: a comparator beside it, since it has none for its input
          .brown_out_v = 3.67,  // estimate: lockout, falling
          .charger = {.kind = PathKind::diode, .drop_v = 0.8},  // estimate: two diodes of the bridge
          .converter = {.kind = PathKind::buck,
                        .table = table("ltc3588-buck"),
                        .quiescent_a = 950e-9},  // estimate: data sheet from memory
          .sources = "all figures are estimates: the data sheet (3.3 V output) from memory; warn is a "
                     "comparator of its own",
      },
      {
          .name = "diode-capacitor",
          .capacitance_f = 47e-6,                               // published
          .turn_on_v = 2.0,                                     // published: output on
          .warn_v = 1.9,                                        // estimate: half way
          .brown_out_v = 1.8,                                   // published: output off
          .charger = {.kind = PathKind::diode, .drop_v = 0.3},  // estimate: a Schottky diode
          .converter = {.kind = PathKind::direct},
          .sources = "47 uF and output 2.0/1.8 V as published; warn and the diode's drop are estimates",
      },
      {
          .name = "constant-132mw",
          .converter = {.kind = PathKind::constant, .constant_w = 132e-3},  // published
          .sources = "3.3 V x 40 mA whatever the board does, as the published evaluation of vNV-Heap counts "
                     "(LCTES 2025)",
      },
  };
  return all;
}

}  // namespace

std::span<const SupplyPreset> supply_presets() { return presets(); }

const SupplyPreset* find_supply_preset(std::string_view name) { return find_by_name(supply_presets(), name); }

}  // namespace brownout::devices
