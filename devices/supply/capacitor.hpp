// The energy buffer: a capacitor with series resistance, insulation resistance and a voltage limit.
#pragma once

#include <limits>
#include <optional>

#include "devices/units.hpp"

namespace brownout::devices {

struct CapacitorParameters {
  double capacitance_f = 0;                                    // > 0
  double esr_ohm = 0;                                          // >= 0
  double leakage_ohm = std::numeric_limits<double>::infinity();  // > 0; infinity: none
  double max_voltage_v = std::numeric_limits<double>::infinity();  // internal voltage where charging clips
};

// The load is a constant net power at the terminals: positive discharges, negative charges (what the
// harvester delivers less what the board draws, both behind ideal converters).
class Capacitor {
 public:
  // Where the energy of a step went that reached neither the load nor the capacitor.
  struct Losses {
    double leakage_j = 0;
    double esr_j = 0;
    double clipped_j = 0;
  };

  Capacitor(CapacitorParameters parameters, double internal_v);

  [[nodiscard]] const CapacitorParameters& parameters() const { return parameters_; }
  [[nodiscard]] double energy_j() const { return energy_j_; }
  [[nodiscard]] double internal_v() const;

  // Voltage at the terminals while `net_load_w` flows: the larger root of Vt (Vc - Vt) = P R. Where the
  // load asks for more than the capacitor can deliver through its ESR (Vc^2 < 4 P R) this is Vc / 2.
  [[nodiscard]] double terminal_v(double net_load_w) const;

  // Time until the terminal voltage reaches `target_v` under a constant net load, rounded up to 1 ps;
  // zero if it is there or past it in the direction of travel (falling: <=, rising: >=); nothing if it
  // never gets there. `falling` names the direction that is waited for. A falling wait also ends where
  // the supply collapses (Vc^2 = 4 P R). Closed form, O(1).
  [[nodiscard]] std::optional<Picoseconds> time_until_falls_to(double target_v, double net_load_w) const;
  [[nodiscard]] std::optional<Picoseconds> time_until_rises_to(double target_v, double net_load_w) const;

  // Lets `span` pass under a constant net load and returns the losses. The caller stops at a collapse
  // (time_until_falls_to): going further is a programming error. O(1).
  Losses advance(Picoseconds span, double net_load_w);

 private:
  CapacitorParameters parameters_;
  double energy_j_ = 0;
};

}  // namespace brownout::devices
