#include "sim/machine/power_train.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace brownout::sim {

using devices::kForever;

namespace {

// Voltage at the terminals where that inside is `internal_v`; half of it in the collapse.
double terminal_of(double internal_v, double net_w, double esr_ohm) {
  const double square = internal_v * internal_v - 4 * net_w * esr_ohm;
  return 0.5 * (internal_v + (square > 0 ? std::sqrt(square) : 0));
}

// Of an observer's spans.
constexpr double kShownStepV = 0.01;
constexpr Picoseconds kShortestShown = devices::nanoseconds(1);

}  // namespace

PowerTrain::PowerTrain(const SupplyConfig& supply, std::unique_ptr<devices::Source> source, Ledger& ledger)
    : capacitor_(supply.capacitor, supply.initial_v),
      thresholds_(supply.thresholds),
      comparator_(supply.comparator),
      flows_(supply),
      source_(std::move(source)),
      ledger_(ledger),
      initial_j_(capacitor_.energy_j()),
      cell_(SupplyFlows::cell_at(supply.initial_v)) {
  assert(comparator_.latency.count >= 0 && comparator_.poll.count >= 0);
  ledger_.note_supply(flows_);
  pull_segment();
  find_flows();
  find_next_event();
}

void PowerTrain::watch(CycleLog* log, RunObserver* observer) {
  settle();
  log_ = log;
  log_voltage(now_, capacitor_);
  observer_ = observer;
  shown_ = now_;
  show_supply();
}

// On a copy: booking a span in two pieces would round differently.
void PowerTrain::show() {
  if (observer_ == nullptr || shown_ == now_) return;
  devices::Capacitor from = capacitor_;
  if (shown_ > settled_) from.advance(shown_ - settled_, net_w());
  show_span(from, shown_, now_);
  shown_ = now_;
}

void PowerTrain::show_span(const devices::Capacitor& from, Picoseconds begin, Picoseconds end) {
  const double net = net_w();
  devices::Capacitor to = from;
  to.advance(end - begin, net);
  const double from_v = from.terminal_v(net);
  const double to_v = to.terminal_v(net);
  const bool is_small = from_v - to_v <= kShownStepV && to_v - from_v <= kShownStepV;
  if (is_small || end - begin <= kShortestShown) return observer_->span({begin, from_v}, {end, to_v});
  const Picoseconds middle{begin.count + (end.count - begin.count) / 2};
  show_span(from, begin, middle);
  to = from;
  to.advance(middle - begin, net);
  show_span(to, middle, end);
}

void PowerTrain::show_supply() {
  if (observer_ == nullptr) return;
  show();
  const double v = capacitor_.terminal_v(net_w());
  observer_->span({now_, v}, {now_, v});  // a step of the load may have crossed the level at once
  observer_->supply(now_, powered_, warn_asserted());
}

void PowerTrain::log_voltage(Picoseconds at, const devices::Capacitor& capacitor) {
  if (log_ == nullptr) return;
  log_->voltage({at, capacitor.terminal_v(net_w())}, !board_is_off() && phase_ != Phase::off);
}

// Of the span that has just been settled, which began with the capacitor as `before`: where the voltage
// turned or jumped, and the edges of the log's stretches. Between these it moves one way only.
void PowerTrain::log_span(devices::Capacitor before) {
  const bool rises = capacitor_.energy_j() > before.energy_j();
  const bool jumps = capacitor_.parameters().esr_ohm != 0;
  if (rises != rises_ || jumps) log_voltage(settled_, before);
  rises_ = rises;
  Picoseconds at = settled_;
  for (Picoseconds edge = log_->next_edge(); edge < now_; edge = log_->next_edge()) {
    before.advance(edge - at, net_w());
    at = edge;
    log_voltage(at, before);
  }
  if (jumps) log_voltage(now_, capacitor_);
}

double PowerTrain::terminal_v() {
  settle();
  return capacitor_.terminal_v(net_w());
}

double PowerTrain::stored_j() {
  settle();
  return capacitor_.energy_j();
}

void PowerTrain::set_load(const Load& load, Phase phase) {
  if (load == load_ && phase == phase_) return;
  settle();
  const bool same_power = load.total_w() == load_.total_w();
  const bool was_off = board_is_off();
  load_ = load;
  phase_ = phase;
  if (same_power) return;
  if (board_is_off() != was_off) ask_source_again();
  last_step_ = 0;
  find_flows();
  find_next_event();
}

PowerEvent PowerTrain::run_until(Picoseconds until) {
  for (;;) {
    if (until < next_event_ || next_event_ == kForever) {
      assert(until >= now_);
      if (until > now_) events_at_this_instant_ = 0;
      now_ = until;
      return PowerEvent::none;
    }
    if (next_event_ > now_) events_at_this_instant_ = 0;
    ++events_at_this_instant_;
    assert(events_at_this_instant_ < 1000 && "events without end at one instant");
    now_ = next_event_;
    settle();
    const PowerEvent event = take_event();
    if (event != PowerEvent::none) return event;
  }
}

PowerEvent PowerTrain::take_event() {
  PowerEvent event = next_kind_;
  switch (event) {
    case PowerEvent::none:
      if (next_step_ != 0) {
        last_step_ = next_step_;
        enter_cell(cell_ + next_step_);
      } else {
        last_step_ = 0;
        if (now_ < segment_end_) {
          ask_source_again();
        } else {
          pull_segment();
        }
      }
      find_flows();
      break;
    case PowerEvent::warn: event = take_warning(); break;
    case PowerEvent::brown_out:
      if (warning_ == Warning::released) note_crossing();
      powered_ = false;
      warning_ = Warning::asserted;
      show_supply();
      ask_source_again();
      find_flows();
      break;
    case PowerEvent::recovered:
      powered_ = true;
      warning_ = Warning::released;
      show_supply();
      break;
    case PowerEvent::source_ended: break;
  }
  if (event != PowerEvent::source_ended) find_next_event();
  return event;
}

// From the crossing to the warning, as far as this instant allows.
PowerEvent PowerTrain::take_warning() {
  if (warning_ == Warning::released) {
    note_crossing();
    warning_ = Warning::crossed;
  }
  if (warning_ == Warning::crossed && now_ >= sample_at_) {
    const bool seen = comparator_.poll.count == 0 || capacitor_.terminal_v(net_w()) <= thresholds_.warn_v;
    warning_ = seen ? Warning::sampled : Warning::released;
  }
  if (warning_ != Warning::sampled || now_ < warning_due()) return PowerEvent::none;
  warning_ = Warning::asserted;
  show_supply();
  return PowerEvent::warn;
}

void PowerTrain::note_crossing() {
  crossing_ = {now_, capacitor_.energy_j(), ledger_.drawn_j()};
  const double v = SupplyFlows::middle_of(cell_);
  since_crossing_ = {v, v};
  const std::int64_t poll = comparator_.poll.count;
  sample_at_ = poll == 0 ? now_ : Picoseconds{(now_.count + poll - 1) / poll * poll};
}

// The source's book is kept by segments and cells, however many events fall into one.
void PowerTrain::note_source() {
  ledger_.note_source(source_w_, cell_, now_ - segment_begin_);
  segment_begin_ = now_;
}

void PowerTrain::pull_segment() {
  note_source();
  const std::optional<devices::SourceSegment> segment = source_->next();
  if (!segment) {
    source_ended_ = true;
    source_w_ = 0;
    source_follows_board_ = false;
    return;
  }
  assert(segment->end > segment_begin_ && segment->power_w >= 0);
  segment_end_ = segment->end;
  source_w_ = segment->power_w;
  source_follows_board_ = segment->follows_board;
  if (source_follows_board_) ask_source();
}

void PowerTrain::ask_source() {
  asked_ = source_->power_for({capacitor_.internal_v(), board_is_off()});
  source_w_ = asked_.power_w;
}

void PowerTrain::ask_source_again() {
  if (!source_follows_board_) return;
  note_source();
  ask_source();
}

void PowerTrain::enter_cell(int cell) {
  if (!source_ended_ && bench_ == Bench::none) note_source();
  cell_ = cell;
  const double v = SupplyFlows::middle_of(cell_);
  since_crossing_ = {std::min(v, since_crossing_.lowest_v), std::max(v, since_crossing_.highest_v)};
}

void PowerTrain::find_flows() {
  drawn_w_ = flows_.drawn_w(load_.total_w(), cell_);
  leaked_w_ = flows_.leaked_w(cell_);
  off_w_ = is_off() ? flows_.off_w(cell_) : 0;
  charged_w_ = flows_.charged_w(source_w_, cell_);
}

void PowerTrain::bench_on() {
  settle();
  if (bench_ == Bench::none) note_source();
  source_w_ = 0;
  source_follows_board_ = false;
  bench_ = Bench::on;
  const double limit_v = capacitor_.parameters().max_voltage_v;
  bench_brings_to(std::isfinite(limit_v) ? limit_v : 1.1 * thresholds_.turn_on_v);
}

void PowerTrain::bench_off(double terminal_v) {
  settle();
  assert(bench_ != Bench::none && "it was switched on before");
  bench_ = Bench::off;
  bench_brings_to(terminal_v);
}

void PowerTrain::bench_brings_to(double terminal_v) {
  const double before_j = capacitor_.energy_j();
  last_step_ = 0;
  find_flows();
  capacitor_.bring_to(terminal_v, net_w());
  if (flows_.depends_on_voltage()) {
    enter_cell(SupplyFlows::cell_at(capacitor_.internal_v()));
    find_flows();
    capacitor_.bring_to(terminal_v, net_w());  // what flows there is another load
  }
  ledger_.note_moved(capacitor_.energy_j() - before_j);
  find_next_event();
  log_voltage(now_, capacitor_);
}

void PowerTrain::find_next_event() {
  next_step_ = 0;
  if (source_ended_) {
    next_event_ = now_;
    next_kind_ = PowerEvent::source_ended;
    return;
  }
  next_event_ = bench_ == Bench::none ? segment_end_ : kForever;
  next_kind_ = PowerEvent::none;
  look_for_thresholds();
  if (flows_.depends_on_voltage()) look_for_steps();
}

void PowerTrain::consider(std::optional<Picoseconds> after, PowerEvent kind) {
  if (!after || after->count > kForever.count - now_.count) return;
  const Picoseconds at = now_ + *after;
  // At one instant the source changes first, then thresholds in the order of severity.
  if (at < next_event_ || (at == next_event_ && next_kind_ == PowerEvent::warn)) {
    next_event_ = at;
    next_kind_ = kind;
  }
}

void PowerTrain::look_for_thresholds() {
  const double net = net_w();
  switch (warning_) {
    case Warning::released:
      consider(capacitor_.time_until_falls_to(thresholds_.warn_v, net), PowerEvent::warn);
      break;
    case Warning::crossed: consider(sample_at_ - now_, PowerEvent::warn); break;
    case Warning::sampled: consider(warning_due() - now_, PowerEvent::warn); break;
    case Warning::asserted: {
      const bool is_on = powered_ && !is_off();
      const double level_v = is_on && comparator_.hysteresis_v
                                 ? thresholds_.warn_v + *comparator_.hysteresis_v
                                 : thresholds_.turn_on_v;
      consider(capacitor_.time_until_rises_to(level_v, net), PowerEvent::recovered);
      break;
    }
  }
  if (powered_) {
    consider(capacitor_.time_until_falls_to(thresholds_.brown_out_v, net), PowerEvent::brown_out);
  }
  if (!source_follows_board_) return;
  const double esr_ohm = capacitor_.parameters().esr_ohm;
  // A voltage in the collapse has none at the terminals, and is an event anyway.
  const auto outside = [&](double v) { return v > 0 && v * v > 4 * net * esr_ohm; };
  if (outside(asked_.low_v)) {
    consider(capacitor_.time_until_falls_to(terminal_of(asked_.low_v, net, esr_ohm), net), PowerEvent::none);
  }
  if (outside(asked_.high_v) && asked_.high_v < capacitor_.parameters().max_voltage_v) {
    consider(capacitor_.time_until_rises_to(terminal_of(asked_.high_v, net, esr_ohm), net), PowerEvent::none);
  }
}

// Leaving a cell comes after anything else of the same instant: what that changes may keep it from happening.
void PowerTrain::look_for_steps() {
  const double net = net_w();
  const double esr_ohm = capacitor_.parameters().esr_ohm;
  const auto step = [&](std::optional<Picoseconds> after, int by) {
    if (!after || after->count > kForever.count - now_.count) return;
    if (now_ + *after >= next_event_) return;
    next_event_ = now_ + *after;
    next_kind_ = PowerEvent::none;
    next_step_ = by;
  };
  const double top_v = (cell_ + 1) * kCellV + kCellOverlapV;
  if (net < 0 && top_v < capacitor_.parameters().max_voltage_v) {
    step(capacitor_.time_until_rises_to(terminal_of(top_v, net, esr_ohm), net), 1);
  }
  const double bottom_v = cell_ * kCellV - kCellOverlapV;
  if (bottom_v > 0) step(capacitor_.time_until_falls_to(terminal_of(bottom_v, net, esr_ohm), net), -1);
}

void PowerTrain::settle() {
  if (settled_ == now_) return;
  show();
  Span span;
  span.duration = now_ - settled_;
  span.phase = phase_;
  span.load = load_;
  span.drawn_w = drawn_w_;
  span.source_w = bench_ == Bench::on ? out_w() : source_w_;
  span.charged_w = bench_ == Bench::on ? out_w() : charged_w_;
  span.leaked_w = leaked_w_;
  span.off_w = off_w_;
  if (bench_ == Bench::on) ledger_.note_bench(span.source_w, span.duration);
  if (log_ == nullptr) {
    span.losses = capacitor_.advance(span.duration, net_w());
  } else {
    const devices::Capacitor before = capacitor_;
    span.losses = capacitor_.advance(span.duration, net_w());
    log_span(before);
  }
  settled_ = now_;
  ledger_.book(span);
  ledger_.note_state(phase_, load_, cell_, span.duration);
}

void PowerTrain::close() {
  settle();
  if (!source_ended_ && bench_ == Bench::none) {
    note_source();
    segment_end_ = now_;
    source_w_ = 0;
    source_ended_ = true;
    find_flows();
  }
  ledger_.note_capacitor(initial_j_, capacitor_.energy_j());
}

}  // namespace brownout::sim
