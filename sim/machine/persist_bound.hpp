// What the worst persist of a scenario costs on its board: heap::worst_case_persist() in bytes, transactions,
// time, and energy at the capacitor. Every run compares its persists with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "heap/bound.hpp"
#include "sim/machine/power_train.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// A persist counts from the instant at which the terminal voltage falls to the warning level, or from the
// later one at which the program could be interrupted, to its end. Whole picoseconds, rounded up. Where the
// store has retries, from `call` to `read_back` of all attempts together: each but the last one fails at its
// very end.
struct PersistTimes {
  Picoseconds latency;    // of the comparator, and the longest until it looks: the program goes on meanwhile
  Picoseconds section;    // the longest critical section, which the interrupt waits for
  Picoseconds stop;       // of what is in flight
  Picoseconds call;       // of the storage driver, and the set-ups of its transactions
  Picoseconds handovers;  // of chunks; of a mapped part the bursts of the copy, apart from its words
  Picoseconds copies;     // by the CPU
  Picoseconds wire;       // bits
  Picoseconds checksum;   // beyond the wire where the two overlap, which they do by DMA
  Picoseconds steps;      // of walks over slots or pages, and all other CPU work
  Picoseconds read_back;  // of what was written, and what is compared by
  Picoseconds timeouts;   // of completions that do not come, one in each attempt that fails
  Picoseconds ticks;      // of an RTOS that strike meanwhile

  [[nodiscard]] Picoseconds total() const {
    return latency + section + stop + call + handovers + copies + wire + checksum + steps + read_back +
           timeouts + ticks;
  }
};

struct PersistBound {
  std::uint32_t attempts = 1;
  std::uint32_t bytes = 0;           // on the bus, the OS part included, commands apart
  std::uint32_t pieces = 0;          // of memory that are gathered
  std::uint64_t transactions = 0;    // none of a mapped part
  std::uint64_t chunks = 0;          // of the data; of a mapped part bursts
  std::uint32_t section_cycles = 0;  // the longest critical section
  std::uint32_t section_limit_cycles = 0;
  PersistTimes times;
  // At the rail: the program in the latency, the MCU, and the FRAM aside and selected.
  double program_rail_w = 0;
  double mcu_rail_w = 0;
  double standby_rail_w = 0;
  double selected_rail_w = 0;
  Picoseconds apart;  // of the persist, with the FRAM not selected
  // At the capacitor, while its internal voltage is within what it was rated for.
  VoltageRange rated;
  double latency_j = 0;
  double mcu_j = 0;
  double storage_j = 0;
  double latency_w = 0;  // the most that the program draws
  double persist_w = 0;  // the most that the persist draws

  [[nodiscard]] double energy_j() const { return latency_j + mcu_j + storage_j; }
  // The same at the rail.
  [[nodiscard]] double rail_j() const;
  [[nodiscard]] double largest_w() const;
  // For a program that turns out to draw more than could be known: the latency passes under its load.
  void allow_load(double rail_w, const SupplyFlows& flows, const VoltageRange& range);
  // Works out the figures at the capacitor, where it costs most within the range.
  void rate(const SupplyFlows& flows, const VoltageRange& range);
};

// Terminal voltages between which a persist takes place that nothing charges.
VoltageRange persist_range(const SupplyConfig& supply);

PersistBound persist_bound(const Scenario& scenario);

// A persist that was seen, counted in the same way.
struct PersistCost {
  std::uint64_t bytes = 0;
  std::uint64_t transactions = 0;
  Picoseconds time;
  double energy_j = 0;
};

// What of it is above the bound, and by how much, in words; nothing if it holds.
std::optional<std::string> excess_over(const PersistBound& bound, const PersistCost& cost);

// The most that the program draws, at the rail: CPU and FRAM active, or a phase of a script with its load.
// What a custom workload switches on is not known.
double largest_rail_w(const Scenario& scenario);
// The same at the capacitor, where it is most while a persist may take place.
double largest_load_w(const Scenario& scenario);

// Cycles for a byte of an image's checksum, by the way in which the scenario's memory forms it.
double checksum_byte_cycles(const Scenario& scenario);

// What the scenario's workload says of its objects. Of a custom one nothing is known: the worst case.
heap::Population population_of(const WorkloadConfig& workload);

// Of a critical section, in charged cycles. The heap's sections keep it at the costs that are shipped; where
// those of a scenario are so high that its bound is above, that counts.
inline constexpr std::uint32_t kSectionLimitCycles = 500;

}  // namespace brownout::sim
