// Which capacitor a persist needs. Energies and powers are at the capacitor: what the converter draws for the
// loads where it does worst, between the levels as far as tolerances move them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/machine/persist_bound.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// Capacitance that gives `energy_j` at `power_w` while the terminal voltage under that load falls from
// `from_v` to `to_v`, no harvest, no leakage: C = 2 E / (x1 - x2 - P R ln(x1 / x2)), x the squares of the
// voltages (devices/supply/capacitor.hpp). Below sqrt(P R) the supply collapses. Infinite if no capacitance
// would do.
double capacitance_between(double energy_j, double power_w, double from_v, double to_v, double esr_ohm);

// The same between the scenario's warning and brown-out level.
double capacitance_for(double energy_j, double power_w, const SupplyConfig& supply);

// Capacitance that gives `energy_j` between turn-on and the warning, no harvest credited and ESR left out of
// account: what a start needs.
double capacitance_for_start(double energy_j, const SupplyConfig& supply);

// What is asked of a capacitor.
struct Demand {
  double energy_j = 0;
  double peak_w = 0;
  Picoseconds time;
};
Demand demand_of(const PersistBound& bound);

// What a real part has of the nominal value, as factors.
struct Deviation {
  double capacitance = 1;
  double turn_on = 1;
  double warn = 1;
  double brown_out = 1;
};

// The nominal capacitance that meets a demand between two levels, such as warn and brown-out, if parts
// deviate by that much. The load sets in as the level is crossed, at the peak for all of the time, through
// the ESR; what leaks meanwhile comes on top; nothing is harvested. Infinite if the levels leave nothing.
double persist_capacitance(const Demand& persist, const SupplyConfig& supply, const Deviation& parts);
double start_capacitance(const Demand& start, const SupplyConfig& supply, const Deviation& parts);
// The nominal turn-on level with which a capacitance does for a start.
double turn_on_for(const Demand& start, double capacitance_f, const SupplyConfig& supply,
                   const Deviation& parts);

// All that is least for the persist, or for the start, within the scenario's tolerances.
Deviation worst_for_persist(const SupplyConfig& supply);
Deviation worst_for_start(const SupplyConfig& supply);

// What a charge from turn-on on has to do before the persist.
struct StartDemand {
  Demand boot;
  Demand restore;  // an estimate: the worst of an image
  std::uint32_t restore_reads = 0;
  std::uint32_t restore_bytes = 0;
  std::optional<Demand> operation;  // the largest of the control run; nothing if it found none

  [[nodiscard]] Demand total() const;
};
StartDemand start_demand(const Scenario& scenario, std::optional<Demand> operation);

// One of the corners that tolerances span.
struct Corner {
  Deviation parts;
  double capacitance_f = 0;  // that the persist needs
};

// A tolerance, and what it alone does to the capacitance that the persist needs, all else nominal.
struct Spread {
  std::string name;  // the key in the scenario
  double least_f = 0;
  double most_f = 0;
};

struct MonteCarlo {
  std::uint64_t draws = 0;
  std::uint64_t seed = 0;
  std::uint64_t passed = 0;
  double median_f = 0;  // needed
  double p99_f = 0;     // 99 % of the draws need no more

  [[nodiscard]] double pass_share() const { return static_cast<double>(passed) / static_cast<double>(draws); }
};

// The whole calculation, for the report of `brownout size`.
struct Sizing {
  PersistBound bound;
  Demand persist;
  double persist_nominal_f = 0;
  double persist_worst_f = 0;
  bool window = false;  // of the worst corner: warn is above brown-out
  StartDemand start;
  double start_nominal_f = 0;  // at the scenario's turn-on level
  double start_worst_f = 0;
  double turn_on_nominal_v = 0;  // with the scenario's capacitor
  double turn_on_worst_v = 0;
  std::vector<Corner> corners;
  std::size_t worst_corner = 0;
  std::vector<Spread> spreads;
  std::size_t largest_spread = 0;
  std::optional<MonteCarlo> monte_carlo;

  // That does for both, at the worst corners and the scenario's turn-on level.
  [[nodiscard]] double smallest_f() const {
    return persist_worst_f > start_worst_f ? persist_worst_f : start_worst_f;
  }
  // The scenario's capacitor does for the persist, whatever the parts deviate.
  [[nodiscard]] bool fits(const SupplyConfig& supply) const {
    return persist_worst_f <= supply.capacitor.capacitance_f;
  }
};

// `operation`: the largest of a run without outages. `draws` 0: no Monte Carlo.
Sizing size_supply(const Scenario& scenario, std::optional<Demand> operation, std::uint64_t draws,
                   std::uint64_t seed);

}  // namespace brownout::sim
