#include "sim/report/storage_outlook.hpp"

#include <fmt/format.h>

#include "sim/scenario/quantity.hpp"

namespace brownout::sim {

std::optional<double> years_of_wear(const Scenario& scenario, const RunResult& result) {
  constexpr double kSecondsPerYear = 365.25 * 86'400;
  if (result.wear.accesses == 0 || result.simulated.count == 0) return std::nullopt;
  const double accesses_per_year = result.wear.accesses / result.simulated.seconds() * kSecondsPerYear;
  return scenario.storage.part.endurance / accesses_per_year;
}

bool knows_bus_faults(const Scenario& scenario) {
  const StorageConfig& storage = scenario.storage;
  return storage.bus_faults.any() || storage.retries > 0 || storage.timeout.count > 0 ||
         storage.verify != heap::Verify::none;
}

std::vector<std::string> warnings_of(const Scenario& scenario) {
  const StorageConfig& storage = scenario.storage;
  std::vector<std::string> warnings;
  if (storage.sck_hz > storage.part.max_sck_hz) {
    const auto hertz = [](std::uint64_t hz) {
      return format_quantity(static_cast<double>(hz), Dimension::frequency);
    };
    warnings.push_back(fmt::format("storage.sck is {}, and {} allows {}: no figure holds for the real part",
                                   hertz(storage.sck_hz), storage.part.name, hertz(storage.part.max_sck_hz)));
  }
  const auto& level_v = scenario.mcu.brown_out_level_v;
  if (level_v && *level_v < storage.part.min_vdd_v) {
    const auto volts = [](double v) { return format_quantity(v, Dimension::voltage); };
    warnings.push_back(
        fmt::format("mcu.brown_out_level is {}, and {} needs {}: in between the MCU drives a part that is "
                    "out of its range (storage.faults.power_loss: garbage_below_min_vdd)",
                    volts(*level_v), storage.part.name, volts(storage.part.min_vdd_v)));
  }
  return warnings;
}

}  // namespace brownout::sim
