// Supplies by name: one record a preset. What a record does not know the scenario has to say.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "devices/supply/power_path.hpp"
#include "devices/units.hpp"

namespace brownout::devices {

struct SupplyPreset {
  std::string name;
  std::optional<double> capacitance_f{};
  std::optional<double> max_voltage_v{};
  std::optional<double> turn_on_v{};
  std::optional<double> warn_v{};
  std::optional<double> brown_out_v{};
  Picoseconds poll{};  // of the warning; 0: continuous
  Charger charger{};
  Converter converter{};
  std::string sources;
};

std::span<const SupplyPreset> supply_presets();

// The preset of that name, compared without regard to case, or nullptr.
const SupplyPreset* find_supply_preset(std::string_view name);

}  // namespace brownout::devices
