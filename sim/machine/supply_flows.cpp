#include "sim/machine/supply_flows.hpp"

#include <algorithm>

namespace brownout::sim {

SupplyConfig supply_of(const Scenario& scenario) {
  SupplyConfig supply = scenario.supply;
  supply.converter.rail_v = scenario.mcu.profile.rail_v;
  return supply;
}

SupplyFlows::SupplyFlows(const SupplyConfig& supply)
    : charger_(supply.charger),
      converter_(supply.converter),
      esr_ohm_(supply.capacitor.esr_ohm),
      leakage_a_(supply.leakage_a),
      off_a_(supply.off_a),
      depends_(charger_.depends_on_voltage() || converter_.depends_on_voltage() ||
               leakage_a_ + off_a_ + converter_.quiescent_a > 0) {}

bool SupplyFlows::is_proportional() const {
  return converter_.kind != devices::PathKind::constant && !converter_.depends_on_voltage() &&
         converter_.quiescent_a == 0;
}

bool SupplyFlows::currents_flow(int cell) const {
  constexpr int kLowestCell = 4;
  const double current_a = leakage_a_ + off_a_ + converter_.quiescent_a;
  return cell >= kLowestCell && middle_of(cell) > 8 * current_a * esr_ohm_;
}

double SupplyFlows::drawn_w(double load_w, int cell) const {
  const double drawn = converter_.drawn_w(load_w, middle_of(cell), esr_ohm_);
  return currents_flow(cell) ? drawn + converter_.quiescent_a * middle_of(cell) : drawn;
}

double SupplyFlows::leaked_w(int cell) const {
  return currents_flow(cell) ? leakage_a_ * middle_of(cell) : 0;
}

double SupplyFlows::off_w(int cell) const { return currents_flow(cell) ? off_a_ * middle_of(cell) : 0; }

double SupplyFlows::charged_w(double source_w, int cell) const {
  return source_w * charger_.efficiency_at(source_w, middle_of(cell));
}

double SupplyFlows::most_drawn_w(double load_w, double lowest_v, double highest_v) const {
  const int first = std::max(0, cell_at(lowest_v) - 1);
  if (!depends_) return drawn_w(load_w, first);
  double most = 0;
  for (int cell = first; cell <= cell_at(highest_v) + 1; ++cell) most = std::max(most, drawn_w(load_w, cell));
  return most;
}

double SupplyFlows::internal_v(double load_w, double lowest_v, double terminal_v) const {
  return terminal_v + most_drawn_w(load_w, lowest_v, terminal_v) * esr_ohm_ / terminal_v;
}

}  // namespace brownout::sim
