// The energy buffer: a capacitor with series resistance, insulation resistance and a voltage limit.
#pragma once

#include <limits>
#include <optional>

#include "devices/units.hpp"

namespace brownout::devices {

struct CapacitorParameters {
  double capacitance_f = 0;                                        // > 0
  double esr_ohm = 0;                                              // >= 0
  double leakage_ohm = std::numeric_limits<double>::infinity();    // > 0; infinity: none
  double max_voltage_v = std::numeric_limits<double>::infinity();  // internal voltage where charging clips
};

// The load is a constant net power at the terminals: positive discharges, negative charges (what the board
// draws, its converter's losses included, less what the harvester delivers behind an ideal one). All
// parameters are asserted; net loads are finite.
//
// At the voltage limit the charger throttles: it replaces what leaks and no more, and the rest of what it
// offers is counted as clipped. A charger too weak to replace the leakage does not hold the limit.
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
  // the supply collapses (Vc^2 = 4 P R; without ESR where it is empty): if the target is at or below the
  // terminal voltage of the collapse the time is that of the collapse, rounded down, so that advancing by
  // it is legal, and zero when less than 1 ps is left. Otherwise, after advance() by the time returned
  // terminal_v() is at or past the target, to the last bit. A wait of more than 1e18 ps counts as never.
  // Closed form and one trial step, O(1).
  [[nodiscard]] std::optional<Picoseconds> time_until_falls_to(double target_v, double net_load_w) const;
  [[nodiscard]] std::optional<Picoseconds> time_until_rises_to(double target_v, double net_load_w) const;

  // Lets `span` pass under a constant net load and returns the losses. The caller stops at a collapse
  // (time_until_falls_to): going further is a programming error. Harvested - delivered - losses is the
  // change of energy_j() within 1e-12 of what was turned over or stored, and a span that is taken in pieces
  // ends where it ends in one. O(1): a few flops without ESR and leakage; with ESR a bounded Newton
  // iteration (normally two to four steps) in the closed form.
  Losses advance(Picoseconds span, double net_load_w);

  // A bench supply brings it to where the terminals have `terminal_v`, or by an ulp less, while `net_load_w` flows.
  // Asserted: no more than the voltage limit, and not in the collapse. O(1).
  void bring_to(double terminal_v, double net_load_w);

 private:
  [[nodiscard]] double full_energy_j() const;
  [[nodiscard]] bool is_held_full(double net_load_w) const;
  [[nodiscard]] Losses stay_full(double seconds, double net_load_w) const;
  [[nodiscard]] std::optional<Picoseconds> first_arrival(double seconds, double target_v, double net_load_w,
                                                         bool falling) const;
  Losses advance_without_esr(double seconds, double net_load_w);
  Losses advance_with_esr(double seconds, double net_load_w);
  void add_energy(double joules);
  void set_energy(double joules);

  CapacitorParameters parameters_;
  double energy_j_ = 0;
  // What energy_j_ lost to rounding so far (Knuth's two-sum). Without it a step of 1 ps could be smaller
  // than half an ulp of the energy, and a load in many small steps would never discharge anything.
  double energy_rest_j_ = 0;
};

}  // namespace brownout::devices
