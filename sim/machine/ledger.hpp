// Two independent books of where time and energy went.
//
// Book one adds up the increments of every span of time, as they happen. Book two knows only how long the
// board was in each state and cell of voltage (time x power, which it works out itself at the end), the
// integral of the source and of what its charger loses, by the source's segments, and the capacitor's energy
// at both ends. Neither reads the other; check() compares them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "devices/supply/capacitor.hpp"
#include "devices/units.hpp"
#include "sim/machine/supply_flows.hpp"

namespace brownout::sim {

using devices::Picoseconds;

enum class Phase : std::uint8_t { boot, run, persist, restore, off };
inline constexpr std::size_t kPhases = 5;
std::string_view name_of(Phase phase);

// Power drawn from the rail, by who draws it. cpu: the MCU while it computes, or sleeps; bus: the MCU while
// it drives or waits for a transfer; storage: the FRAM; peripherals: what else the program switches on.
struct Load {
  double cpu_w = 0;
  double bus_w = 0;
  double storage_w = 0;
  double peripherals_w = 0;
  [[nodiscard]] double total_w() const { return cpu_w + bus_w + storage_w + peripherals_w; }
  friend bool operator==(const Load&, const Load&) = default;
};

// A running sum that loses nothing to rounding that matters (Neumaier's compensated summation).
class Sum {
 public:
  void add(double value) {
    const double next = sum_ + value;
    const double larger = (sum_ < 0 ? -sum_ : sum_) >= (value < 0 ? -value : value) ? sum_ : value;
    const double smaller = larger == sum_ ? value : sum_;
    lost_ += (larger - next) + smaller;
    sum_ = next;
  }
  [[nodiscard]] double value() const { return sum_ + lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

struct Span {
  Picoseconds duration;
  Phase phase = Phase::off;
  Load load;
  double drawn_w = 0;  // by the converter that feeds the load
  double source_w = 0;
  double charged_w = 0;  // what of it reaches the capacitor
  double leaked_w = 0;   // by a constant leakage current
  double off_w = 0;      // by a board that is off
  devices::Capacitor::Losses losses;
};

class Ledger {
 public:
  Ledger() = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  virtual ~Ledger() = default;

  // Book one. Virtual so that a test can plant an error.
  virtual void book(const Span& span);
  // Book two.
  void note_state(Phase phase, const Load& load, int cell, Picoseconds duration);
  void note_supply(const SupplyFlows& flows) { flows_ = flows; }
  // Of the source, and of a bench supply that needs no charger.
  void note_source(double power_w, int cell, Picoseconds duration);
  void note_bench(double power_w, Picoseconds duration);
  void note_capacitor(double first_j, double last_j);
  // Both: what a bench supply put into the capacitor, or took from it, at one instant.
  void note_moved(double energy_j) { moved_.add(energy_j); }

  [[nodiscard]] Picoseconds time(Phase phase) const { return time_[index(phase)]; }
  [[nodiscard]] double cpu_j(Phase phase) const { return cpu_[index(phase)].value(); }
  [[nodiscard]] double bus_j(Phase phase) const { return bus_[index(phase)].value(); }
  [[nodiscard]] double storage_j(Phase phase) const { return storage_[index(phase)].value(); }
  [[nodiscard]] double peripherals_j(Phase phase) const { return peripherals_[index(phase)].value(); }
  [[nodiscard]] double load_j(Phase phase) const {
    return cpu_j(phase) + bus_j(phase) + storage_j(phase) + peripherals_j(phase);
  }
  [[nodiscard]] double total_load_j() const;
  [[nodiscard]] double conversion_j() const { return conversion_.value(); }
  [[nodiscard]] double charging_j() const { return charging_.value(); }
  [[nodiscard]] double off_j() const { return off_.value(); }
  // Energy of the loads at the capacitor: what they took from the rail, and what the converter lost.
  [[nodiscard]] double drawn_j() const { return total_load_j() + conversion_j(); }
  [[nodiscard]] double harvested_j() const { return harvested_.value(); }
  [[nodiscard]] double leakage_j() const { return leakage_.value() + constant_leakage_.value(); }
  [[nodiscard]] double esr_j() const { return esr_.value(); }
  [[nodiscard]] double clipped_j() const { return clipped_.value(); }

  struct Balance {
    double turned_over_j = 0;   // harvested, plus what the capacitor gave
    double first_book_j = 0;    // what the increments say was used and stored
    double second_book_j = 0;   // what time x power says
    double relative_error = 0;  // largest disagreement / turned over
    std::string worst;          // which comparison disagrees most
  };
  // Compares the books: each consumer, the source, and both balances. Agreement is relative_error <= 1e-9.
  [[nodiscard]] Balance check() const;

 private:
  static std::size_t index(Phase phase) { return static_cast<std::size_t>(phase); }

  std::array<Picoseconds, kPhases> time_{};
  std::array<Sum, kPhases> cpu_;
  std::array<Sum, kPhases> bus_;
  std::array<Sum, kPhases> storage_;
  std::array<Sum, kPhases> peripherals_;
  Sum conversion_;
  Sum charging_;
  Sum off_;
  Sum harvested_;
  Sum leakage_;
  Sum constant_leakage_;
  Sum esr_;
  Sum clipped_;
  Sum moved_;

  struct StateTime {
    Phase phase = Phase::off;
    Load load;
    Picoseconds time;
    std::vector<Picoseconds> in_cell;  // the same by cells, if flows depend on them
  };
  struct SupplyUse {
    double conversion_j = 0;
    double leakage_j = 0;
    double off_j = 0;
  };
  void add_time(StateTime& state, int cell, Picoseconds duration) const;
  [[nodiscard]] SupplyUse use_of_supply() const;
  std::vector<StateTime> states_;  // a dozen distinct states, searched linearly
  std::size_t last_state_ = 0;
  SupplyFlows flows_;
  Sum source_integral_;
  Sum charging_integral_;
  double first_j_ = 0;
  double last_j_ = 0;
};

}  // namespace brownout::sim
