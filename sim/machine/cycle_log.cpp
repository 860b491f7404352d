#include "sim/machine/cycle_log.hpp"

#include <iterator>

namespace brownout::sim {
namespace {

constexpr std::size_t kShapeStretches = 32;
constexpr Picoseconds kShortestStretch = devices::milliseconds(1);

CycleEnergy booked_in(const Ledger& ledger) {
  CycleEnergy energy;
  for (std::size_t i = 0; i < kPhases; ++i) energy.phases_j[i] = ledger.load_j(static_cast<Phase>(i));
  energy.harvested_j = ledger.harvested_j();
  energy.leakage_j = ledger.leakage_j();
  energy.esr_j = ledger.esr_j();
  energy.clipped_j = ledger.clipped_j();
  energy.conversion_j = ledger.conversion_j();
  energy.charging_j = ledger.charging_j();
  energy.off_j = ledger.off_j();
  return energy;
}

CycleEnergy difference(const CycleEnergy& to, const CycleEnergy& from) {
  CycleEnergy energy;
  for (std::size_t i = 0; i < kPhases; ++i) energy.phases_j[i] = to.phases_j[i] - from.phases_j[i];
  energy.harvested_j = to.harvested_j - from.harvested_j;
  energy.leakage_j = to.leakage_j - from.leakage_j;
  energy.esr_j = to.esr_j - from.esr_j;
  energy.clipped_j = to.clipped_j - from.clipped_j;
  energy.conversion_j = to.conversion_j - from.conversion_j;
  energy.charging_j = to.charging_j - from.charging_j;
  energy.off_j = to.off_j - from.off_j;
  return energy;
}

std::vector<VoltageEnvelope::Point> points_of(const VoltageEnvelope& shape) {
  std::vector<VoltageEnvelope::Point> points;
  const auto add = [&points](const VoltageEnvelope::Point& point) {
    // The edge of a stretch is one of the next, too.
    if (points.empty() || points.back().at != point.at || points.back().v != point.v) points.push_back(point);
  };
  for (const VoltageEnvelope::Stretch& stretch : shape.stretches()) {
    if (stretch.empty) continue;
    const bool falls = stretch.highest.at < stretch.lowest.at;
    add(falls ? stretch.highest : stretch.lowest);
    add(falls ? stretch.lowest : stretch.highest);
  }
  return points;
}

}  // namespace

std::string_view name_of(CycleEvent event) {
  switch (event) {
    case CycleEvent::turn_on: return "turn_on";
    case CycleEvent::restore_begin: return "restore_begin";
    case CycleEvent::restore_end: return "restore_end";
    case CycleEvent::running: return "running";
    case CycleEvent::warn: return "warn";
    case CycleEvent::persist_begin: return "persist_begin";
    case CycleEvent::persist_end: return "persist_end";
    case CycleEvent::asleep: return "asleep";
    case CycleEvent::lost: return "lost";
    case CycleEvent::power_off: return "power_off";
  }
  return "";
}

std::string_view name_of(CycleEnd end) {
  switch (end) {
    case CycleEnd::persisted: return "persisted";
    case CycleEnd::lost: return "lost";
    case CycleEnd::in_boot: return "in_boot";
    case CycleEnd::run_over: return "run_over";
  }
  return "";
}

void CycleLog::voltage(VoltageEnvelope::Point point, bool works) {
  envelope_.add(point);
  if (shape_) shape_->add(point);
  if (works && point.v < now_.lowest_v.value_or(point.v + 1)) now_.lowest_v = point.v;
}

void CycleLog::turn_on(VoltageEnvelope::Point point, double stored_j) {
  now_.turn_on_at = point.at;
  now_.turn_on_j = stored_j;
  charging_times_.add(point.at - now_.begin_at);
  shape_.emplace(kShapeStretches, kShortestStretch, point.at);
  event(CycleEvent::turn_on, point);
}

void CycleLog::event(CycleEvent kind, VoltageEnvelope::Point point) {
  if (kind == CycleEvent::lost) lost_now_ = true;
  if (kind == CycleEvent::running) asleep_ = false;
  voltage(point, !asleep_);
  if (kind == CycleEvent::asleep) asleep_ = true;
  if (now_.events.size() < kEventsKept) now_.events.push_back({kind, point});
}

void CycleLog::persisted(Picoseconds from_warning_on, double end_v) {
  persist_times_.add(from_warning_on);
  now_.persist = std::max(now_.persist.value_or(from_warning_on), from_warning_on);
  now_.persist_end_v = std::min(now_.persist_end_v.value_or(end_v), end_v);
}

void CycleLog::restored(Picoseconds time) {
  restore_times_.add(time);
  now_.restore = time;
}

CycleEnd CycleLog::how_it_ended(bool run_over) const {
  if (lost_now_) return CycleEnd::lost;
  if (run_over) return CycleEnd::run_over;
  return now_.persist ? CycleEnd::persisted : CycleEnd::in_boot;
}

void CycleLog::end(bool run_over, VoltageEnvelope::Point point, double stored_j, const Ledger& ledger,
                   std::uint64_t operations) {
  if (run_over) {
    voltage(point, false);
  } else {
    event(CycleEvent::power_off, point);
  }
  now_.number = count_++;
  now_.end = how_it_ended(run_over);
  now_.end_at = point.at;
  now_.end_j = stored_j;
  const CycleEnergy booked = booked_in(ledger);
  now_.energy = difference(booked, booked_);
  now_.operations = operations - operations_;
  if (shape_) now_.points = points_of(*shape_);
  if (lost_now_) ++lost_;
  keep(std::move(now_));
  booked_ = booked;
  operations_ = operations;
  shape_.reset();
  lost_now_ = false;
  asleep_ = false;
  now_ = {};
  now_.begin_at = point.at;
  now_.begin_j = stored_j;
}

void CycleLog::keep(Cycle cycle) {
  const std::uint64_t number = cycle.number;
  cycle.kept_because = kAsLast | (number < kFirst ? kAsFirst : 0) | (keep_all_ ? kAsAsked : 0);
  if (cycle.end == CycleEnd::lost && lost_ <= kLost) cycle.kept_because |= kAsLost;
  if (cycle.persist && rank(longest_, -cycle.persist->count, number, kAsLongestPersist)) {
    cycle.kept_because |= kAsLongestPersist;
  }
  if (cycle.lowest_v && rank(lowest_, *cycle.lowest_v, number, kAsLowestVoltage)) {
    cycle.kept_because |= kAsLowestVoltage;
  }
  kept_.emplace(number, std::move(cycle));
  if (number >= kLast) unkeep(number - kLast, kAsLast);
}

void CycleLog::unkeep(std::uint64_t number, unsigned reason) {
  const auto found = kept_.find(number);
  if (found == kept_.end()) return;
  unsigned& reasons = found->second.kept_because;
  reasons &= ~reason;
  if (reasons == kAsLost && lost_ > kLostWithShape) found->second.points = {};
  if (reasons == 0) kept_.erase(found);
}

// True if it is among them; pushes out the last of too many.
template <class Key>
bool CycleLog::rank(Ranking<Key>& ranking, Key key, std::uint64_t number, unsigned reason) {
  ranking.emplace(key, number);
  if (ranking.size() <= kExtremes) return true;
  const auto last = std::prev(ranking.end());
  const std::uint64_t pushed_out = last->second;
  ranking.erase(last);
  if (pushed_out == number) return false;
  unkeep(pushed_out, reason);
  return true;
}

}  // namespace brownout::sim
