// What flows where, at a voltage of the capacitor.
//
// Where a flow depends on the voltage, the capacitor's internal voltage is cut into cells of 1/256 V, and
// within a cell each flow is constant power, that of the cell's middle. So the capacitor's closed forms hold
// from one cell to the next, and where a step begins depends on the state alone, not on who looks at it.
// Cells overlap by 1/32 of their width, or a supply in balance at an edge would go to and fro without end.
//
// Error bounds: the voltage that a flow is taken at is within 33/64 of a cell (2.0 mV) of the capacitor's at
// any moment. Over whole cells on the way up or down the error of a constant current is 1/64 of a cell (0.06
// mV) of the voltage, 2e-5 at 3 V. A converter sees the terminals as its own load leaves them, without what
// the source lifts them through the ESR.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// The scenario's supply with what its converter has to know of the board.
SupplyConfig supply_of(const Scenario& scenario);

inline constexpr double kCellV = 1.0 / 256;
inline constexpr double kCellOverlapV = kCellV / 64;  // beyond each edge

class SupplyFlows {
 public:
  SupplyFlows() = default;
  explicit SupplyFlows(const SupplyConfig& supply);

  // Whether any flow depends on the voltage. Otherwise cells mean nothing.
  [[nodiscard]] bool depends_on_voltage() const { return depends_; }

  // Whether what is drawn is a multiple of the load.
  [[nodiscard]] bool is_proportional() const;

  [[nodiscard]] static int cell_at(double internal_v) { return static_cast<int>(internal_v / kCellV); }
  [[nodiscard]] static double middle_of(int cell) { return (cell + 0.5) * kCellV; }

  // All in watts. Loads and what their conversion and its quiescent current take from the capacitor.
  [[nodiscard]] double drawn_w(double load_w, int cell) const;
  // Through a constant leakage current.
  [[nodiscard]] double leaked_w(int cell) const;
  // By a board that is off.
  [[nodiscard]] double off_w(int cell) const;
  // What the charger makes of the source's power.
  [[nodiscard]] double charged_w(double source_w, int cell) const;

  // The most that a load draws while the internal voltage is between two levels.
  [[nodiscard]] double most_drawn_w(double load_w, double lowest_v, double highest_v) const;
  // The internal voltage with which a load still leaves `terminal_v`, where it draws most above `lowest_v`.
  [[nodiscard]] double internal_v(double load_w, double lowest_v, double terminal_v) const;

 private:
  // Currents end next to 0 V, and where they would drop an eighth of the voltage in the ESR.
  [[nodiscard]] bool currents_flow(int cell) const;

  devices::Charger charger_;
  devices::Converter converter_;
  double esr_ohm_ = 0;
  double leakage_a_ = 0;
  double off_a_ = 0;
  bool depends_ = false;
};

}  // namespace brownout::sim
