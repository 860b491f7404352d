// Source, capacitor, comparators, converter and load, advanced from event to event.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "devices/supply/capacitor.hpp"
#include "devices/supply/source.hpp"
#include "sim/machine/ledger.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

enum class PowerEvent : std::uint8_t {
  none,       // the time that was asked for has passed
  warn,       // the warning is asserted: the terminal voltage fell to its level, a latency before
  brown_out,  // ... to the brown-out level, or the supply collapsed
  recovered,  // ... rose to the turn-on level after a warning
  source_ended,
};

// The latest instant at which the terminal voltage fell to the warning level.
struct WarnCrossing {
  Picoseconds at;
  double stored_j = 0;  // in the capacitor then
  double drawn_j = 0;   // from the beginning to then, as Ledger::drawn_j()
};

// Between two events the net power at the capacitor is constant; the state is solved in closed form when
// an event comes or the load changes, so the cost of a span does not depend on its length.
class PowerTrain {
 public:
  PowerTrain(const SupplyConfig& supply, std::unique_ptr<devices::Source> source, Ledger& ledger);

  [[nodiscard]] Picoseconds now() const { return now_; }
  // Terminal voltage now, under the present load. O(1).
  [[nodiscard]] double terminal_v();
  [[nodiscard]] double stored_j();
  // What load and converter take now.
  [[nodiscard]] double drawn_w() const { return load_.total_w() / efficiency_; }
  // What they took up to now, as Ledger::drawn_j(), without booking it.
  [[nodiscard]] double drawn_j() const { return ledger_.drawn_j() + drawn_w() * (now_ - settled_).seconds(); }

  // Comparator outputs. warn: asserted a latency after the warning level was crossed, even if the voltage
  // rose again in between; released at turn-on. powered: lost at the brown-out level, regained at turn-on.
  [[nodiscard]] bool warn_asserted() const { return warn_asserted_; }
  [[nodiscard]] bool powered() const { return powered_; }
  // Nothing before the first one; kept until the next one. Power that is lost before the warning came has
  // crossed its level all the same, with the step that took it past both at the latest.
  [[nodiscard]] const std::optional<WarnCrossing>& warn_crossing() const { return crossing_; }

  // The load from now on, and the phase it is booked under. A step that crosses a threshold shows as an
  // event at the next run_until, at this same instant.
  void set_load(const Load& load, Phase phase);
  [[nodiscard]] const Load& load() const { return load_; }
  [[nodiscard]] Phase phase() const { return phase_; }

  // Lets time pass until `until` or the next event, whichever is first.
  PowerEvent run_until(Picoseconds until);

  // True if under this load no event will ever come again.
  [[nodiscard]] bool nothing_ahead() const { return next_event_ == devices::kForever; }

  // A bench supply in place of the source, from the first call on: it covers what is drawn, and holds the
  // capacitor at its voltage limit (where that has none, above turn-on).
  void bench_on();
  // The bench supply delivers nothing, and has drained the capacitor to `terminal_v` under the present load.
  void bench_off(double terminal_v);
  [[nodiscard]] bool bench_holds() const { return bench_ == Bench::on; }

  // Books everything up to now. For reading the ledger in the middle.
  void settle();
  // Ends the books.
  void close();

 private:
  void pull_segment();
  // A source that follows the board: asks it what it delivers now; the second one books what it did so far.
  void ask_source();
  void ask_source_again();
  void find_next_event();
  PowerEvent take_event();
  void note_crossing();
  void bench_brings_to(double terminal_v);
  [[nodiscard]] double source_w() const { return bench_ == Bench::on ? drawn_w() : source_w_; }
  [[nodiscard]] double net_w() const { return drawn_w() - source_w(); }
  [[nodiscard]] bool board_is_off() const { return !powered_ || load_.total_w() == 0; }

  devices::Capacitor capacitor_;
  Thresholds thresholds_;
  Picoseconds latency_;
  double efficiency_ = 1;
  std::unique_ptr<devices::Source> source_;
  Ledger& ledger_;
  Load load_;
  Phase phase_ = Phase::off;
  double initial_j_ = 0;

  Picoseconds now_;
  Picoseconds settled_;
  Picoseconds segment_begin_;
  Picoseconds segment_end_;
  double source_w_ = 0;
  bool source_follows_board_ = false;
  devices::SourcePower asked_;  // what holds source_w_, if it follows the board
  bool source_ended_ = false;
  enum class Bench : std::uint8_t { none, on, off };
  Bench bench_ = Bench::none;

  Picoseconds next_event_;
  PowerEvent next_kind_ = PowerEvent::none;  // none: the source changes
  int events_at_this_instant_ = 0;
  std::optional<WarnCrossing> crossing_;
  bool warn_pending_ = false;  // crossed, not asserted yet
  bool warn_asserted_ = true;
  bool powered_ = false;
};

}  // namespace brownout::sim
