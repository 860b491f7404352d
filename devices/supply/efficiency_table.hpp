// Efficiency of a converter over input voltage and current: one small record a converter.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brownout::devices {

// Piecewise linear in the voltage and in the logarithm of the current; beyond its edges the edge holds. The
// current is the one that is known on the side away from the capacitor: what the source gives to a charger,
// what the rail takes from a converter.
struct EfficiencyTable {
  std::string name;
  std::vector<double> voltages_v;    // rising, at least one
  std::vector<double> currents_a;    // rising, above zero, at least one
  std::vector<double> efficiencies;  // a row for each voltage, 0 < efficiency <= 1
  std::string sources;

  // O(log of the table).
  [[nodiscard]] double at(double input_v, double current_a) const;
};

std::span<const EfficiencyTable> efficiency_tables();

// The table of that name, compared without regard to case, or nullptr.
const EfficiencyTable* find_efficiency_table(std::string_view name);

}  // namespace brownout::devices
