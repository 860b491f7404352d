#include "devices/supply/efficiency_table.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>

#include "devices/math/elementary.hpp"
#include "devices/names.hpp"

namespace brownout::devices {
namespace {

// Where a value lies on an axis: between two neighbours, or on an edge twice.
struct Place {
  std::size_t low = 0;
  std::size_t high = 0;
};

Place place_on(const std::vector<double>& axis, double value) {
  const auto above = std::upper_bound(axis.begin(), axis.end(), value);
  if (above == axis.begin()) return {0, 0};
  if (above == axis.end()) return {axis.size() - 1, axis.size() - 1};
  const auto high = static_cast<std::size_t>(above - axis.begin());
  return {high - 1, high};
}

// The curves of the data sheets were not at hand: their shape and height as remembered.
constexpr const char* kRemembered = "estimate: the data sheet's curves from memory, within some 5 %";

const std::vector<EfficiencyTable>& tables() {
  static const std::vector<EfficiencyTable> all = {
      {
          .name = "bq25570-charger",  // over the harvester's voltage and current
          .voltages_v = {0.2, 0.5, 1.0, 2.0, 3.0},
          .currents_a = {10e-6, 100e-6, 1e-3, 10e-3, 100e-3},
          .efficiencies = {0.50, 0.68, 0.74, 0.75, 0.60,   //
                           0.68, 0.80, 0.83, 0.84, 0.76,   //
                           0.78, 0.86, 0.89, 0.89, 0.85,   //
                           0.86, 0.91, 0.92, 0.93, 0.91,   //
                           0.88, 0.92, 0.94, 0.95, 0.94},  //
          .sources = kRemembered,
      },
      {
          .name = "bq25570-buck",  // over the store's voltage and the output's current
          .voltages_v = {2.1, 3.0, 4.2, 5.5},
          .currents_a = {1e-6, 10e-6, 100e-6, 1e-3, 10e-3, 100e-3},
          .efficiencies = {0.60, 0.86, 0.91, 0.92, 0.93, 0.88,   //
                           0.56, 0.84, 0.90, 0.91, 0.92, 0.88,   //
                           0.50, 0.81, 0.88, 0.90, 0.91, 0.88,   //
                           0.45, 0.78, 0.86, 0.88, 0.90, 0.87},  //
          .sources = kRemembered,
      },
      {
          .name = "bq25504-charger",
          .voltages_v = {0.2, 0.5, 1.0, 2.0, 3.0},
          .currents_a = {10e-6, 100e-6, 1e-3, 10e-3, 100e-3},
          .efficiencies = {0.45, 0.65, 0.72, 0.74, 0.58,   //
                           0.66, 0.78, 0.82, 0.83, 0.74,   //
                           0.76, 0.85, 0.88, 0.88, 0.84,   //
                           0.85, 0.90, 0.92, 0.92, 0.90,   //
                           0.87, 0.92, 0.94, 0.94, 0.93},  //
          .sources = kRemembered,
      },
      {
          .name = "ltc3588-buck",  // of 3.3 V
          .voltages_v = {4.0, 6.0, 12.0, 18.0},
          .currents_a = {1e-6, 10e-6, 100e-6, 1e-3, 10e-3, 100e-3},
          .efficiencies = {0.45, 0.82, 0.92, 0.94, 0.94, 0.90,   //
                           0.40, 0.78, 0.89, 0.91, 0.91, 0.88,   //
                           0.27, 0.68, 0.83, 0.86, 0.86, 0.84,   //
                           0.20, 0.60, 0.78, 0.82, 0.83, 0.81},  //
          .sources = kRemembered,
      },
  };
  return all;
}

}  // namespace

double EfficiencyTable::at(double input_v, double current_a) const {
  assert(!voltages_v.empty() && efficiencies.size() == voltages_v.size() * currents_a.size());
  const Place row = place_on(voltages_v, input_v);
  const Place column = place_on(currents_a, current_a);
  const double right = column.low == column.high
                           ? 0
                           : log_of(current_a / currents_a[column.low]) /
                                 log_of(currents_a[column.high] / currents_a[column.low]);
  const auto along = [&](std::size_t r) {
    const double* values = efficiencies.data() + r * currents_a.size();
    return values[column.low] + right * (values[column.high] - values[column.low]);
  };
  const double low = along(row.low);
  if (row.low == row.high) return low;
  const double up = (input_v - voltages_v[row.low]) / (voltages_v[row.high] - voltages_v[row.low]);
  return low + up * (along(row.high) - low);
}

std::span<const EfficiencyTable> efficiency_tables() { return tables(); }

const EfficiencyTable* find_efficiency_table(std::string_view name) {
  return find_by_name(efficiency_tables(), name);
}

}  // namespace brownout::devices
