// What a run found, as numbers. The report is made of this and of the scenario alone.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "devices/fram/fram_chip.hpp"
#include "sim/machine/bus_faults.hpp"
#include "sim/machine/cycle_log.hpp"
#include "sim/machine/ledger.hpp"
#include "sim/machine/persist_bound.hpp"
#include "sim/verify/recovery.hpp"

namespace brownout::sim {

enum class StopReason : std::uint8_t {
  time,
  operations,
  source_ended,
  never_turned_on,
  no_progress,
  lost,
  check_failed,
  interrupted,
};
std::string_view name_of(StopReason reason);

// Count, minimum, mean and maximum of a quantity.
class Statistic {
 public:
  void add(double value) {
    ++count_;
    sum_.add(value);
    minimum_ = value < minimum_ ? value : minimum_;
    maximum_ = value > maximum_ ? value : maximum_;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double minimum() const { return count_ > 0 ? minimum_ : 0; }
  [[nodiscard]] double maximum() const { return count_ > 0 ? maximum_ : 0; }
  [[nodiscard]] double mean() const { return count_ > 0 ? sum_.value() / static_cast<double>(count_) : 0; }

 private:
  std::uint64_t count_ = 0;
  Sum sum_;
  double minimum_ = std::numeric_limits<double>::infinity();
  double maximum_ = -std::numeric_limits<double>::infinity();
};

// Persists, or restores.
struct TransferStatistics {
  Statistic time_s;
  Statistic energy_j;  // at the capacitor: what the converter loses included
  Statistic bytes;
  Statistic transactions;
};

// The largest of all persists, as shares of the bound.
struct OverBound {
  double bytes = 0;
  double time = 0;
  double energy = 0;
};

// Time and energy of one phase, at the rail.
struct PhaseUse {
  Picoseconds time;
  double cpu_j = 0;
  double bus_j = 0;
  double storage_j = 0;
  double peripherals_j = 0;
  [[nodiscard]] double energy_j() const { return cpu_j + bus_j + storage_j + peripherals_j; }
};

// An outage that cost data. Energies are at the capacitor: what the converter loses included.
struct Loss {
  Picoseconds at;
  bool warned = false;                 // the persist had begun
  std::vector<std::uint32_t> objects;  // numbers of objects whose latest content is gone, the first 32
  std::uint64_t objects_total = 0;
  std::uint64_t bytes = 0;
  double warned_at_v = 0;           // terminal voltage as the warning was asserted, or power lost before
  double began_at_v = 0;            // ... as the persist began
  double delay_energy_j = 0;        // drawn during the comparator's latency, had it come to its end
  double persist_energy_j = 0;      // what the whole persist would have taken
  double lacked_j = 0;              // the part of these two that the capacitor no longer had
  double needed_capacitance_f = 0;  // that carries both from warn to brown-out, no harvest credited
  // A program that boots could go back to a checkpoint from before; unknown without a heap.
  std::optional<bool> older_restorable;
  std::optional<Recovered> recovered;  // with on_loss: attach, once a start has found its objects again
};

// Starts that found their objects again, and what became of these.
struct Attaches {
  std::uint64_t count = 0;
  std::uint64_t from_image = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t kept = 0;
  std::uint64_t fell_back = 0;
  std::uint64_t reclaimed = 0;
};

struct RunResult {
  StopReason stop_reason = StopReason::time;
  bool pass = false;
  bool complete = true;  // false: interrupted
  std::string failure;   // the check that failed, in words
  Picoseconds simulated;

  std::uint64_t persisted = 0;  // outages survived
  std::uint64_t lost = 0;
  std::uint64_t false_alarms = 0;
  std::uint64_t during_boot = 0;  // power failed again in boot or restore; nothing to lose
  std::uint64_t with_dirty_data = 0;
  std::vector<Loss> losses;  // the first 100
  Attaches attaches;

  std::uint64_t operations = 0;  // of the workload, all starts together
  std::uint64_t cold_starts = 0;
  std::uint64_t turn_ons = 0;

  TransferStatistics persist;
  TransferStatistics restore;
  double lowest_persist_end_v = std::numeric_limits<double>::infinity();
  // For the largest persist seen, from the warning level on, no harvest credited.
  double needed_capacitance_f = 0;
  PersistBound persist_bound;
  OverBound largest_over_bound;
  // At the capacitor, from turn-on to a running program; the control run's if that is larger.
  double largest_start_j = 0;
  // Of one operation that no outage fell into, and its time; the control run's.
  double largest_operation_j = 0;
  Picoseconds largest_operation_time;

  // Of a mapped part: no transactions; transfers of its driver, those that an interrupt dropped, bytes
  // copied.
  std::uint64_t bus_transactions = 0;
  std::uint64_t bus_transfers = 0;  // completed transactions with data: unsliced, the calls of the store
  std::uint64_t bus_aborted = 0;
  std::uint64_t bus_data_bytes = 0;
  std::uint64_t bus_drained_bytes = 0;
  std::uint64_t bus_timed_out = 0;
  InjectedFaults injected;
  NoticedFaults noticed;
  // Bytes of the store that were meant to be others when the run ended; nothing: not known, or no faults.
  std::optional<std::uint64_t> wrong_bytes;
  devices::FramViolations violations;
  devices::FramWear wear;  // when the run ended
  devices::FramDamage damage;

  // What was verified.
  std::uint64_t outages_compared = 0;  // state before and after equal, byte by byte
  std::uint64_t objects_compared = 0;  // with their copies outside the simulated RAM
  std::uint64_t reads_compared = 0;
  std::uint64_t control_operations = 0;  // of the run without outages that came first
  std::uint32_t longest_section_cycles = 0;

  // CPU time and energy charged by the uncalibrated constants.
  Picoseconds charged_cpu;
  double charged_cpu_j = 0;
  Picoseconds uncalibrated_bus;
  double uncalibrated_bus_j = 0;

  std::array<PhaseUse, kPhases> phases{};
  double harvested_j = 0;
  double leakage_j = 0;
  double esr_j = 0;
  double clipped_j = 0;
  double conversion_j = 0;
  double charging_j = 0;  // lost between the source and the capacitor
  double off_j = 0;       // drawn by the board while it was off
  double initial_j = 0;
  double final_j = 0;
  double final_v = 0;
  Ledger::Balance balance;
  std::uint64_t fingerprint = 0;
  CycleLog cycles;
};

}  // namespace brownout::sim
