#include "sim/machine/power_train.hpp"

#include <cassert>
#include <cmath>

namespace brownout::sim {

using devices::kForever;

namespace {

// Voltage at the terminals where that inside is `internal_v`; not in the collapse.
double terminal_of(double internal_v, double net_w, double esr_ohm) {
  return 0.5 * (internal_v + std::sqrt(internal_v * internal_v - 4 * net_w * esr_ohm));
}

}  // namespace

PowerTrain::PowerTrain(const SupplyConfig& supply, std::unique_ptr<devices::Source> source, Ledger& ledger)
    : capacitor_(supply.capacitor, supply.initial_v),
      thresholds_(supply.thresholds),
      latency_(supply.comparator.latency),
      efficiency_(supply.converter.efficiency),
      source_(std::move(source)),
      ledger_(ledger),
      initial_j_(capacitor_.energy_j()) {
  assert(latency_.count >= 0 && efficiency_ > 0 && efficiency_ <= 1);
  ledger_.note_converter(efficiency_);
  pull_segment();
  find_next_event();
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
  if (board_is_off() != was_off) ask_source_again();
  if (!same_power) find_next_event();
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
      if (now_ < segment_end_) {
        ask_source_again();
      } else {
        pull_segment();
      }
      break;
    case PowerEvent::warn:
      if (!warn_pending_) note_crossing();
      if (now_ < crossing_->at + latency_) {
        warn_pending_ = true;
        event = PowerEvent::none;
        break;
      }
      warn_pending_ = false;
      warn_asserted_ = true;
      break;
    case PowerEvent::brown_out:
      if (!warn_asserted_ && !warn_pending_) note_crossing();
      powered_ = false;
      warn_pending_ = false;
      warn_asserted_ = true;
      ask_source_again();
      break;
    case PowerEvent::recovered:
      powered_ = true;
      warn_asserted_ = false;
      break;
    case PowerEvent::source_ended: break;
  }
  if (event != PowerEvent::source_ended) find_next_event();
  return event;
}

void PowerTrain::note_crossing() { crossing_ = {now_, capacitor_.energy_j(), ledger_.drawn_j()}; }

// The source's book is kept by segments, however many events fall into one.
void PowerTrain::pull_segment() {
  ledger_.note_source(source_w_, segment_end_ - segment_begin_);
  segment_begin_ = segment_end_;
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
  ledger_.note_source(source_w_, now_ - segment_begin_);
  segment_begin_ = now_;
  ask_source();
}

void PowerTrain::bench_on() {
  settle();
  if (bench_ == Bench::none) ledger_.note_source(source_w_, now_ - segment_begin_);
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
  capacitor_.bring_to(terminal_v, net_w());
  ledger_.note_moved(capacitor_.energy_j() - before_j);
  find_next_event();
}

void PowerTrain::find_next_event() {
  if (source_ended_) {
    next_event_ = now_;
    next_kind_ = PowerEvent::source_ended;
    return;
  }
  next_event_ = bench_ == Bench::none ? segment_end_ : kForever;
  next_kind_ = PowerEvent::none;
  const auto consider = [this](std::optional<Picoseconds> after, PowerEvent kind) {
    if (!after || after->count > kForever.count - now_.count) return;
    const Picoseconds at = now_ + *after;
    // At one instant the source changes first, then thresholds in the order of severity.
    if (at < next_event_ || (at == next_event_ && next_kind_ == PowerEvent::warn)) {
      next_event_ = at;
      next_kind_ = kind;
    }
  };
  const double net = net_w();
  if (warn_asserted_) {
    consider(capacitor_.time_until_rises_to(thresholds_.turn_on_v, net), PowerEvent::recovered);
  } else if (warn_pending_) {
    consider(crossing_->at + latency_ - now_, PowerEvent::warn);
  } else {
    consider(capacitor_.time_until_falls_to(thresholds_.warn_v, net), PowerEvent::warn);
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

void PowerTrain::settle() {
  if (settled_ == now_) return;
  Span span;
  span.duration = now_ - settled_;
  span.phase = phase_;
  span.load = load_;
  span.drawn_w = drawn_w();
  span.source_w = source_w();
  if (bench_ == Bench::on) ledger_.note_source(span.source_w, span.duration);
  span.losses = capacitor_.advance(span.duration, net_w());
  settled_ = now_;
  ledger_.book(span);
  ledger_.note_state(phase_, load_, span.duration);
}

void PowerTrain::close() {
  settle();
  if (!source_ended_ && bench_ == Bench::none) {
    ledger_.note_source(source_w_, now_ - segment_begin_);
    segment_begin_ = now_;
    segment_end_ = now_;
    source_w_ = 0;
    source_ended_ = true;
  }
  ledger_.note_capacitor(initial_j_, capacitor_.energy_j());
}

}  // namespace brownout::sim
