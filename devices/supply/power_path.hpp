// What lies between the source and the capacitor, and between the capacitor and the rail.
#pragma once

#include <cstdint>
#include <optional>

#include "devices/supply/efficiency_table.hpp"

namespace brownout::devices {

enum class PathKind : std::uint8_t {
  ideal,     // one efficiency for everything
  direct,    // a wire
  diode,     // a wire that loses `drop_v`
  ldo,       // a linear regulator that needs `drop_v` across it
  buck,      // switched, by table or by one efficiency
  boost,     // ... upwards
  constant,  // of a converter: it draws `constant_w` as long as the board is on, as published evaluations
             // count
};

// No path is worse: a table and a division by next to nothing end here.
inline constexpr double kLeastEfficiency = 0.01;

constexpr bool is_switched(PathKind kind) { return kind == PathKind::buck || kind == PathKind::boost; }
constexpr bool is_one_efficiency(PathKind kind) { return kind == PathKind::ideal || is_switched(kind); }

// From the source to the capacitor. A source is a power; with `input_v` it is a current at that voltage.
struct Charger {
  PathKind kind = PathKind::ideal;
  double efficiency = 1;                   // ideal; buck and boost without a table
  std::optional<EfficiencyTable> table{};  // buck and boost, over input_v and the source's current
  double drop_v = 0;                       // diode and ldo
  double input_v = 0;                      // 0: direct and diode follow the capacitor's voltage

  [[nodiscard]] bool depends_on_voltage() const;
  [[nodiscard]] bool has_efficiency() const { return !table && is_one_efficiency(kind); }
  // Share of `source_w` that reaches a capacitor of that voltage, 0 to 1. Wire, diode and regulator pass the
  // source's current on: V / input_v, or V / (V + drop) where the source follows; nothing flows uphill.
  [[nodiscard]] double efficiency_at(double source_w, double capacitor_v) const;
};

// From the capacitor to the rail.
struct Converter {
  PathKind kind = PathKind::ideal;
  double efficiency = 1;
  std::optional<EfficiencyTable>
      table{};             // buck and boost, over the capacitor's voltage and the rail's current
  double drop_v = 0;       // diode and ldo
  double quiescent_a = 0;  // out of the capacitor, whether the board is on or off
  double constant_w = 0;   // constant
  double rail_v = 0;       // of the loads; who builds the board knows it

  [[nodiscard]] bool depends_on_voltage() const;
  [[nodiscard]] bool has_efficiency() const { return !table && is_one_efficiency(kind); }
  // What the loads and their conversion draw from the terminals, the quiescent current apart. Wire, diode and
  // regulator pass the rail's current on. Where they, or a buck, have less than the rail's voltage left the
  // load is taken to draw constant power, which is the worse case.
  [[nodiscard]] double drawn_w(double load_w, double terminal_v) const;
  // The same behind an ESR, at the terminal voltage that the load itself leaves; within 1e-12 of it.
  [[nodiscard]] double drawn_w(double load_w, double internal_v, double esr_ohm) const;
};

}  // namespace brownout::devices
