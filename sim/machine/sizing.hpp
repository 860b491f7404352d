// Which capacitor a persist needs. Energies and powers are at the capacitor: what the loads take from the
// rail, divided by the converter's efficiency.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// Capacitance that gives `energy_j` at `power_w` between the warning and the brown-out level, with the
// capacitor's ESR, no harvest and no leakage: C = 2 E / (x1 - x2 - P R ln(x1 / x2)), x the squares of the
// terminal voltages (devices/supply/capacitor.hpp). Infinite if no capacitance would do.
double capacitance_for(double energy_j, double power_w, const SupplyConfig& supply);

// Capacitance that gives `energy_j` between turn-on and the warning, no harvest credited and ESR left out of
// account: what a start needs.
double capacitance_for_start(double energy_j, const SupplyConfig& supply);

struct PersistEstimate {
  double time_s = 0;
  double energy_j = 0;
  double delay_energy_j = 0;  // drawn during the comparator's latency, before the persist begins
  double capacitance_f = 0;   // for both
};

// A persist that fills the dirty limit with objects of `object_bytes`, OS part included: transactions,
// chunks, bytes on the wire and the checksum, from the same constants that the simulation charges. During the
// comparator's latency the program draws what largest_load_w() says. Where DMA moves the bytes, the checksum
// runs beside the wire in part; added in full, it is on the safe side.
PersistEstimate full_persist(const Scenario& scenario, std::uint32_t object_bytes);

// The most that the program draws, at the capacitor: CPU and FRAM active, or a phase of a script with its
// load. What a custom workload switches on is not known.
double largest_load_w(const Scenario& scenario);

// The size of the smallest object of the scenario's workload.
std::uint32_t smallest_object_bytes(const Scenario& scenario);

}  // namespace brownout::sim
