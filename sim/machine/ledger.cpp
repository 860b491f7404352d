#include "sim/machine/ledger.hpp"

#include <cassert>
#include <cmath>

namespace brownout::sim {

std::string_view name_of(Phase phase) {
  constexpr std::string_view kNames[kPhases] = {"boot", "run", "persist", "restore", "off"};
  return kNames[static_cast<std::size_t>(phase)];
}

void Ledger::book(const Span& span) {
  assert(span.duration.count >= 0);
  const double seconds = span.duration.seconds();
  const std::size_t i = index(span.phase);
  time_[i] += span.duration;
  cpu_[i].add(span.load.cpu_w * seconds);
  bus_[i].add(span.load.bus_w * seconds);
  storage_[i].add(span.load.storage_w * seconds);
  peripherals_[i].add(span.load.peripherals_w * seconds);
  conversion_.add((span.drawn_w - span.load.total_w()) * seconds);
  harvested_.add(span.source_w * seconds);
  charging_.add((span.source_w - span.charged_w) * seconds);
  constant_leakage_.add(span.leaked_w * seconds);
  off_.add(span.off_w * seconds);
  leakage_.add(span.losses.leakage_j);
  esr_.add(span.losses.esr_j);
  clipped_.add(span.losses.clipped_j);
}

void Ledger::add_time(StateTime& state, int cell, Picoseconds duration) const {
  state.time += duration;
  if (!flows_.depends_on_voltage()) return;
  const auto i = static_cast<std::size_t>(cell);
  if (i >= state.in_cell.size()) state.in_cell.resize(i + 1);
  state.in_cell[i] += duration;
}

void Ledger::note_state(Phase phase, const Load& load, int cell, Picoseconds duration) {
  if (last_state_ < states_.size() && states_[last_state_].phase == phase &&
      states_[last_state_].load == load) {
    add_time(states_[last_state_], cell, duration);
    return;
  }
  for (last_state_ = 0; last_state_ < states_.size(); ++last_state_) {
    StateTime& state = states_[last_state_];
    if (state.phase == phase && state.load == load) {
      add_time(state, cell, duration);
      return;
    }
  }
  add_time(states_.emplace_back(StateTime{phase, load, {}, {}}), cell, duration);
}

void Ledger::note_source(double power_w, int cell, Picoseconds duration) {
  source_integral_.add(power_w * duration.seconds());
  charging_integral_.add((power_w - flows_.charged_w(power_w, cell)) * duration.seconds());
}

void Ledger::note_bench(double power_w, Picoseconds duration) {
  source_integral_.add(power_w * duration.seconds());
}

// Time in each state and cell x power.
Ledger::SupplyUse Ledger::use_of_supply() const {
  SupplyUse use;
  const auto add = [&](const Load& load, int cell, double seconds) {
    const double load_w = load.total_w();
    use.conversion_j += (flows_.drawn_w(load_w, cell) - load_w) * seconds;
    use.leakage_j += flows_.leaked_w(cell) * seconds;
    if (load_w == 0) use.off_j += flows_.off_w(cell) * seconds;
  };
  for (const StateTime& state : states_) {
    if (!flows_.depends_on_voltage()) add(state.load, 0, state.time.seconds());
    for (std::size_t i = 0; i < state.in_cell.size(); ++i) {
      if (state.in_cell[i].count > 0) add(state.load, static_cast<int>(i), state.in_cell[i].seconds());
    }
  }
  return use;
}

void Ledger::note_capacitor(double first_j, double last_j) {
  first_j_ = first_j;
  last_j_ = last_j;
}

double Ledger::total_load_j() const {
  double total = 0;
  for (std::size_t i = 0; i < kPhases; ++i) total += load_j(static_cast<Phase>(i));
  return total;
}

Ledger::Balance Ledger::check() const {
  double cpu = 0;
  double bus = 0;
  double storage = 0;
  double peripherals = 0;
  for (const StateTime& state : states_) {
    const double seconds = state.time.seconds();
    cpu += state.load.cpu_w * seconds;
    bus += state.load.bus_w * seconds;
    storage += state.load.storage_w * seconds;
    peripherals += state.load.peripherals_w * seconds;
  }
  double cpu_first = 0;
  double bus_first = 0;
  double storage_first = 0;
  double peripherals_first = 0;
  for (std::size_t i = 0; i < kPhases; ++i) {
    cpu_first += cpu_[i].value();
    bus_first += bus_[i].value();
    storage_first += storage_[i].value();
    peripherals_first += peripherals_[i].value();
  }
  const SupplyUse use = use_of_supply();
  const double losses = leakage_.value() + esr_j() + clipped_j();

  Balance balance;
  balance.turned_over_j = source_integral_.value() + first_j_ + moved_.value();
  balance.first_book_j = drawn_j() + charging_j() + off_j() + constant_leakage_.value() + losses + last_j_;
  balance.second_book_j = cpu + bus + storage + peripherals + use.conversion_j + charging_integral_.value() +
                          use.off_j + use.leakage_j + losses + last_j_;
  const double scale = balance.turned_over_j > 0 ? balance.turned_over_j : 1.0;
  const auto compare = [&](const char* what, double a, double b) {
    const double error = std::fabs(a - b) / scale;
    if (error <= balance.relative_error && !balance.worst.empty()) return;
    balance.relative_error = error;
    balance.worst = what;
  };
  compare("cpu", cpu_first, cpu);
  compare("bus", bus_first, bus);
  compare("storage", storage_first, storage);
  compare("peripherals", peripherals_first, peripherals);
  compare("conversion", conversion_j(), use.conversion_j);
  compare("charging", charging_j(), charging_integral_.value());
  compare("constant leakage", constant_leakage_.value(), use.leakage_j);
  compare("load of a board that is off", off_j(), use.off_j);
  compare("source", harvested_j(), source_integral_.value());
  compare("conservation, first book", harvested_j() + first_j_ + moved_.value(), balance.first_book_j);
  compare("conservation, second book", balance.turned_over_j, balance.second_book_j);
  return balance;
}

}  // namespace brownout::sim
