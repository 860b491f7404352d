// Source, capacitor, comparators, converter and load, advanced from event to event.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "devices/supply/capacitor.hpp"
#include "devices/supply/source.hpp"
#include "sim/machine/cycle_log.hpp"
#include "sim/machine/ledger.hpp"
#include "sim/machine/run_observer.hpp"
#include "sim/machine/supply_flows.hpp"
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

// Levels between which a voltage was, or may be.
struct VoltageRange {
  double lowest_v = 0;
  double highest_v = 0;
};

// Between two events the net power at the capacitor is constant; the state is solved in closed form when
// an event comes or the load changes, so the cost of a span does not depend on its length. Where a flow
// depends on the voltage, leaving a cell is such an event (supply_flows.hpp).
class PowerTrain {
 public:
  PowerTrain(const SupplyConfig& supply, std::unique_ptr<devices::Source> source, Ledger& ledger);

  // Tells `log` of the voltage from now on, and `observer` of voltage and supervisor; each outlives the
  // train, or is null. Nothing else changes by them.
  void watch(CycleLog* log, RunObserver* observer = nullptr);
  // Tells the observer of the spans up to now, without booking them.
  void show();

  [[nodiscard]] Picoseconds now() const { return now_; }
  // Terminal voltage now, under the present load. O(1).
  [[nodiscard]] double terminal_v();
  [[nodiscard]] double stored_j();
  [[nodiscard]] const SupplyFlows& flows() const { return flows_; }
  // What load and converter take now.
  [[nodiscard]] double drawn_w() const { return drawn_w_; }
  // What they took up to now, as Ledger::drawn_j(), without booking it.
  [[nodiscard]] double drawn_j() const { return ledger_.drawn_j() + drawn_w() * (now_ - settled_).seconds(); }

  // Comparator outputs. warn: looked at at multiples of the polling interval, and asserted a latency after
  // the voltage was seen at its level or below, even if it rose again in between; released at turn-on, or a
  // hysteresis above warn while the board is on. powered: lost at the brown-out level, regained at turn-on.
  [[nodiscard]] bool warn_asserted() const { return warning_ == Warning::asserted; }
  [[nodiscard]] bool powered() const { return powered_; }
  // Nothing before the first one; kept until the next one. Power that is lost before the warning came has
  // crossed its level all the same, with the step that took it past both at the latest.
  [[nodiscard]] const std::optional<WarnCrossing>& warn_crossing() const { return crossing_; }
  // When the warning of that crossing was due, or would have been.
  [[nodiscard]] Picoseconds warning_due() const { return sample_at_ + comparator_.latency; }
  // Of the capacitor's internal voltage, by the middles of cells; means nothing where flows do not depend on
  // it.
  [[nodiscard]] const VoltageRange& since_crossing() const { return since_crossing_; }

  // The load from now on, and the phase it is booked under. A step that crosses a threshold shows as an
  // event at the next run_until, at this same instant.
  void set_load(const Load& load, Phase phase);
  [[nodiscard]] const Load& load() const { return load_; }
  [[nodiscard]] Phase phase() const { return phase_; }

  // Lets time pass until `until` or the next event, whichever is first.
  PowerEvent run_until(Picoseconds until);

  // True if under this load no event will ever come again, but for going to and fro between two cells.
  [[nodiscard]] bool nothing_ahead() const {
    return next_event_ == devices::kForever ||
           (segment_end_ == devices::kForever && next_step_ != 0 && next_step_ == -last_step_ &&
            warning_ != Warning::crossed && warning_ != Warning::sampled);
  }

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
  // released: waits for the level; crossed: for the comparator's look at it; sampled: for the latency.
  enum class Warning : std::uint8_t { released, crossed, sampled, asserted };

  void pull_segment();
  // A source that follows the board: asks it what it delivers now; the second one books what it did so far.
  void ask_source();
  void ask_source_again();
  void note_source();
  void enter_cell(int cell);
  void find_flows();
  void find_next_event();
  void look_for_steps();
  void look_for_thresholds();
  void consider(std::optional<Picoseconds> after, PowerEvent kind);
  PowerEvent take_warning();
  PowerEvent take_event();
  void note_crossing();
  void bench_brings_to(double terminal_v);
  void log_voltage(Picoseconds at, const devices::Capacitor& capacitor);
  void log_span(devices::Capacitor before);
  void show_span(const devices::Capacitor& from, Picoseconds begin, Picoseconds end);
  void show_supply();
  [[nodiscard]] bool is_off() const { return load_.total_w() == 0; }
  [[nodiscard]] bool board_is_off() const { return !powered_ || is_off(); }
  [[nodiscard]] double out_w() const { return drawn_w_ + leaked_w_ + off_w_; }
  [[nodiscard]] double net_w() const { return bench_ == Bench::on ? 0 : out_w() - charged_w_; }

  devices::Capacitor capacitor_;
  Thresholds thresholds_;
  ComparatorConfig comparator_;
  SupplyFlows flows_;
  std::unique_ptr<devices::Source> source_;
  Ledger& ledger_;
  CycleLog* log_ = nullptr;
  RunObserver* observer_ = nullptr;
  Picoseconds shown_;   // up to when the observer knows the voltage
  bool rises_ = false;  // the capacitor's energy, in the latest span
  Load load_;
  Phase phase_ = Phase::off;
  double initial_j_ = 0;

  Picoseconds now_;
  Picoseconds settled_;
  Picoseconds segment_begin_;  // or when the cell was entered, if that was later
  Picoseconds segment_end_;
  double source_w_ = 0;
  bool source_follows_board_ = false;
  devices::SourcePower asked_;  // what holds source_w_, if it follows the board
  bool source_ended_ = false;
  enum class Bench : std::uint8_t { none, on, off };
  Bench bench_ = Bench::none;

  Picoseconds next_event_;
  PowerEvent next_kind_ = PowerEvent::none;  // none: the source or the cell changes
  int events_at_this_instant_ = 0;

  // Of the capacitor's voltage. Steps: to the cell above or below; 0: none.
  int cell_ = 0;
  int next_step_ = 0;
  int last_step_ = 0;
  // What flows in this cell, under this load and source.
  double drawn_w_ = 0;
  double leaked_w_ = 0;
  double off_w_ = 0;
  double charged_w_ = 0;

  std::optional<WarnCrossing> crossing_;
  Picoseconds sample_at_;  // the comparator's first look from that crossing on
  VoltageRange since_crossing_;
  Warning warning_ = Warning::asserted;
  bool powered_ = false;
};

}  // namespace brownout::sim
