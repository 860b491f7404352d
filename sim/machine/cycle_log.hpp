// What happened in each power cycle, and the voltage over the whole run, in bounded memory.
//
// A cycle begins where power was lost (the first one: with the run), and is the charging, the turn-on and
// what the board did until power is lost again. So every picosecond and every joule of a run is in exactly
// one cycle.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/machine/distribution.hpp"
#include "sim/machine/ledger.hpp"
#include "sim/machine/voltage_envelope.hpp"

namespace brownout::sim {

enum class CycleEvent : std::uint8_t {
  turn_on,
  restore_begin,
  restore_end,
  running,  // the program can be interrupted
  warn,
  persist_begin,
  persist_end,
  asleep,  // after the persist, waiting for what the supply does
  lost,
  power_off,
};
std::string_view name_of(CycleEvent event);

// How a cycle ended.
enum class CycleEnd : std::uint8_t {
  persisted,
  lost,
  in_boot,  // power failed in a first start, in boot or restore, with nothing to lose
  run_over,
};
std::string_view name_of(CycleEnd end);

// Energy of a stretch of time, by where it went; at the rail, but for what it says.
struct CycleEnergy {
  std::array<double, kPhases> phases_j{};
  double harvested_j = 0;
  double leakage_j = 0;
  double esr_j = 0;
  double clipped_j = 0;
  double conversion_j = 0;
  double charging_j = 0;
  double off_j = 0;
};

struct Cycle {
  struct Event {
    CycleEvent kind = CycleEvent::turn_on;
    VoltageEnvelope::Point point;
  };

  std::uint64_t number = 0;  // from 0
  CycleEnd end = CycleEnd::run_over;
  Picoseconds begin_at;
  std::optional<Picoseconds> turn_on_at;
  Picoseconds end_at;
  double begin_j = 0;    // in the capacitor
  double turn_on_j = 0;  // 0 if it never turned on
  double end_j = 0;
  CycleEnergy energy;
  std::uint64_t operations = 0;
  std::uint64_t false_alarms = 0;
  std::optional<Picoseconds> persist;  // the longest completed one, from the warning level on
  std::optional<Picoseconds> restore;
  std::optional<double> persist_end_v;  // the lowest after a persist
  std::optional<double> lowest_v;       // while the board worked: from turn-on on, not asleep, not off
  std::vector<Event> events;            // the first kEventsKept
  // The shape between the events, from turn-on on: the lowest and highest of up to 32 stretches.
  std::vector<VoltageEnvelope::Point> points;
  unsigned kept_because = 0;  // bits of CycleLog
};

class CycleLog {
 public:
  static constexpr std::size_t kFirst = 100;
  static constexpr std::size_t kLast = 100;
  static constexpr std::size_t kExtremes = 500;  // of the longest persist, and of the lowest voltage
  static constexpr std::size_t kLost = 10'000;
  static constexpr std::size_t kLostWithShape = 1'000;
  static constexpr std::size_t kEventsKept = 64;

  static constexpr unsigned kAsFirst = 1;
  static constexpr unsigned kAsLast = 2;
  static constexpr unsigned kAsLost = 4;
  static constexpr unsigned kAsLongestPersist = 8;
  static constexpr unsigned kAsLowestVoltage = 16;
  static constexpr unsigned kAsAsked = 32;

  // Every cycle is kept from now on, however many there are.
  void keep_all() { keep_all_ = true; }

  // The terminal voltage at an instant, while the board works or not. Between two calls, and those of
  // event(), it moved one way only.
  void voltage(VoltageEnvelope::Point point, bool works);
  // By when the next call has to come, if time passes.
  [[nodiscard]] Picoseconds next_edge() const {
    return shape_ ? std::min(envelope_.next_edge(), shape_->next_edge()) : envelope_.next_edge();
  }

  void turn_on(VoltageEnvelope::Point point, double stored_j);
  void event(CycleEvent kind, VoltageEnvelope::Point point);
  void persisted(Picoseconds from_warning_on, double end_v);
  void restored(Picoseconds time);
  void false_alarm() { ++now_.false_alarms; }
  // Power is gone, or the run is over: with the ledger settled, and the workload's operations so far.
  void end(bool run_over, VoltageEnvelope::Point point, double stored_j, const Ledger& ledger,
           std::uint64_t operations);
  // What the capacitor holds when the run begins.
  void begin(double stored_j) { now_.begin_j = stored_j; }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  // By their numbers.
  [[nodiscard]] const std::map<std::uint64_t, Cycle>& kept() const { return kept_; }
  [[nodiscard]] bool keeps_all() const { return keep_all_; }
  [[nodiscard]] const VoltageEnvelope& envelope() const { return envelope_; }
  // From the warning level on, as the bound of a persist counts.
  [[nodiscard]] const Distribution& persist_times() const { return persist_times_; }
  [[nodiscard]] const Distribution& restore_times() const { return restore_times_; }
  // From losing power, or the beginning of the run, to turn-on.
  [[nodiscard]] const Distribution& charging_times() const { return charging_times_; }

 private:
  // The most extreme of all cycles by a key; of equal ones the earlier.
  template <class Key>
  using Ranking = std::set<std::pair<Key, std::uint64_t>>;

  [[nodiscard]] CycleEnd how_it_ended(bool run_over) const;
  void keep(Cycle cycle);
  void unkeep(std::uint64_t number, unsigned reason);
  template <class Key>
  bool rank(Ranking<Key>& ranking, Key key, std::uint64_t number, unsigned reason);

  bool keep_all_ = false;
  std::uint64_t count_ = 0;
  std::uint64_t lost_ = 0;
  bool lost_now_ = false;
  bool asleep_ = false;
  std::uint64_t operations_ = 0;  // at the beginning of this cycle
  CycleEnergy booked_;            // likewise
  Cycle now_;
  std::optional<VoltageEnvelope> shape_;  // since turn-on
  std::map<std::uint64_t, Cycle> kept_;
  Ranking<std::int64_t> longest_;  // negative picoseconds
  Ranking<double> lowest_;
  VoltageEnvelope envelope_{4096, devices::microseconds(1)};
  Distribution persist_times_;
  Distribution restore_times_;
  Distribution charging_times_;
};

}  // namespace brownout::sim
