#include "sim/machine/sizing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "devices/math/elementary.hpp"
#include "devices/math/random.hpp"
#include "heap/storage/mapped_fram.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/machine/machine.hpp"

namespace brownout::sim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Twice the energy, over the capacitance, that lies between two squares of terminal voltages under a load.
double usable_between(double x1, double x2, double k) {
  const double least = std::max(x2, k);
  return x1 > least ? x1 - least - k * devices::log_of(x1 / least) : 0;
}

// Terminal voltage once a load sets in; 0 if the capacitor cannot deliver it.
double under_load(double internal_v, double k) {
  const double square = internal_v * internal_v - 4 * k;
  return square > 0 ? 0.5 * (internal_v + std::sqrt(square)) : 0;
}

// What leaks on the way from a voltage down, at the most.
double leaked_j(const Demand& demand, double from_v, const SupplyConfig& supply) {
  return from_v * (from_v / supply.capacitor.leakage_ohm + supply.leakage_a) * demand.time.seconds();
}

double needed(const Demand& demand, double from_v, double to_v, const SupplyConfig& supply) {
  const double esr_ohm = supply.capacitor.esr_ohm;
  const double begin_v = under_load(from_v, demand.peak_w * esr_ohm);
  return capacitance_between(demand.energy_j + leaked_j(demand, from_v, supply), demand.peak_w, begin_v, to_v,
                             esr_ohm);
}

// Between two levels, whatever parts deviate.
VoltageRange widest(double low_v, double high_v, const SupplyConfig& supply) {
  const double tolerance = supply.comparator.tolerance;
  return {low_v * (1 - tolerance), high_v * (1 + tolerance)};
}

// At the capacitor, where a start costs most.
double start_w(const Scenario& scenario, double rail_w) {
  const Thresholds& levels = scenario.supply.thresholds;
  const VoltageRange range = widest(levels.warn_v, levels.turn_on_v, scenario.supply);
  return SupplyFlows(supply_of(scenario)).most_drawn_w(rail_w, range.lowest_v, range.highest_v);
}

double active_w(const Scenario& scenario) {
  const devices::McuProfile& mcu = scenario.mcu.profile;
  const double storage_a = std::max<double>(scenario.storage.part.active_a_at(scenario.storage.sck_hz),
                                            scenario.storage.part.standby_a);
  return start_w(scenario, mcu.rail_v * (mcu.active_a_at(scenario.mcu.clock_hz) + storage_a));
}

Demand boot_demand(const Scenario& scenario) {
  const devices::McuProfile& mcu = scenario.mcu.profile;
  Demand demand;
  for (const devices::BootPhase& phase : mcu.boot) {
    const double power_w =
        start_w(scenario, mcu.rail_v * (phase.current_a + scenario.storage.part.standby_a));
    demand.energy_j += power_w * phase.duration.seconds();
    demand.peak_w = std::max(demand.peak_w, power_w);
    demand.time += phase.duration;
  }
  return demand;
}

// Reads of a restore.
struct Reads {
  std::uint64_t calls = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pieces = 0;
  std::uint64_t checksum_bytes = 0;
  std::uint64_t steps = 0;
};

// Walks over all slots: of records, bitmaps, slots, chains, free list, dirty bits and data, homes.
constexpr std::uint64_t kRestoreWalks = 14;

// Both headers, the mark, the records, one image, and of what is resident and not in that image each home.
Reads heap_reads(const Scenario& scenario, const heap::Geometry& geometry, std::uint32_t image_bytes) {
  const std::uint32_t slots = geometry.config.max_residents;
  const std::uint32_t slot_bytes = geometry.modules.slot_bytes;
  const heap::Population population = population_of(scenario.workload);
  const std::uint32_t smallest = std::max(heap::kGranule, heap::round_up_8(population.smallest_bytes));
  const std::uint32_t room = geometry.object_granules() * heap::kGranule;
  const std::uint32_t residents = std::min(slots, room / smallest);
  const std::uint32_t content = image_bytes - geometry.empty_image_bytes();
  // Of objects that are dirty in parts the home is read as well.
  const std::uint32_t in_image =
      population.partial ? 0 : std::min(residents, content / (smallest + slot_bytes));
  const std::uint64_t records = geometry.modules.records ? std::uint64_t{slots} * slot_bytes : 0;
  const std::uint64_t homes = residents - in_image;
  Reads reads;
  reads.calls = 4 + (records > 0 ? 1 : 0) + homes;
  reads.checksum_bytes = image_bytes + geometry.config.os_bytes + 2 * sizeof(heap::CheckpointHeader);
  reads.bytes =
      sizeof(heap::RunningMark) + reads.checksum_bytes + records + room - std::uint64_t{in_image} * smallest;
  reads.pieces = reads.calls + 8 + in_image + slots / 2;
  reads.steps = kRestoreWalks * slots;
  return reads;
}

// Both headers, the mark, one image, and homes of pages that it does not have.
Reads baseline_reads(const Scenario& scenario) {
  const heap::HeapConfig config = heap_config_of(scenario);
  const firmware::BaselinePlan plan =
      firmware::plan_baseline(config, scenario.heap.memory, scenario.storage.part.size_bytes);
  const std::uint32_t dirty = plan.pages > 0 ? std::min(plan.pages, plan.dirty_pages_allowed(plan.pages)) : 0;
  Reads reads;
  reads.calls = 5 + (plan.pages > 0 ? 2 + std::uint64_t{dirty} : 0);
  reads.checksum_bytes = plan.image_bytes + config.os_bytes + 2 * sizeof(firmware::SnapshotHeader);
  reads.bytes =
      sizeof(heap::RunningMark) + reads.checksum_bytes + std::uint64_t{plan.pages - dirty} * plan.page_bytes;
  reads.pieces = reads.calls + 4 + dirty;
  reads.steps = 8 * std::uint64_t{plan.pages};
  return reads;
}

// Bursts and words by the CPU.
double mapped_cycles(const Scenario& scenario, const Reads& reads) {
  const devices::CpuCosts& cpu = scenario.mcu.profile.costs;
  const devices::FramPart& part = scenario.storage.part;
  const auto bytes = static_cast<double>(reads.bytes);
  const double bursts = bytes / heap::kBurstBytes + static_cast<double>(reads.pieces);
  return static_cast<double>(reads.calls) * cpu.call + bursts * cpu.burst + bytes / 2 * cpu.loaded_word +
         (bytes / part.row_bytes + bursts) * part.wait_states(scenario.mcu.clock_hz);
}

Picoseconds time_of(const Scenario& scenario, const Reads& reads) {
  const StorageConfig& storage = scenario.storage;
  const devices::CpuCosts& cpu = scenario.mcu.profile.costs;
  double cycles = static_cast<double>(reads.checksum_bytes) * checksum_byte_cycles(scenario) +
                  static_cast<double>(reads.steps) * cpu.step + static_cast<double>(reads.calls) * cpu.call;
  if (storage.part.is_mapped) {
    cycles += mapped_cycles(scenario, reads);
    return {static_cast<std::int64_t>(cycles / static_cast<double>(scenario.mcu.clock_hz) * 1e12) + 1};
  }
  const devices::TransferCosts& costs = storage.bus.costs(storage.transfer);
  const std::uint64_t command_bytes = 1 + storage.part.address_bytes;
  const auto bytes = static_cast<double>(reads.bytes);
  const auto calls = static_cast<double>(reads.calls);
  const double slices = storage.slice_bytes == 0 ? calls : bytes / storage.slice_bytes + calls;
  const double chunks =
      bytes / costs.chunk_bytes + static_cast<double>(reads.pieces) + (storage.slice_bytes == 0 ? 0 : slices);
  const double wire_s = 8.0 / static_cast<double>(storage.sck_hz);
  const double bus_s =
      calls * costs.call_read.seconds() +
      slices * (costs.setup_receive.seconds() + costs.cs_setup.seconds() + costs.cs_hold.seconds() +
                costs.handover_send.seconds() +
                static_cast<double>(command_bytes) * (costs.copy_send_per_byte.seconds() + wire_s)) +
      chunks * costs.handover_receive.seconds() + bytes * (costs.copy_receive_per_byte.seconds() + wire_s);
  cycles += (calls + slices) * cpu.section;
  const bool twice = storage.verify == heap::Verify::read_twice;
  const double verify_cycles = twice ? 2 * bytes * cpu.checksum_byte : 0;
  const double total_s =
      (twice ? 2 : 1) * bus_s + (cycles + verify_cycles) / static_cast<double>(scenario.mcu.clock_hz);
  return {static_cast<std::int64_t>(total_s * 1e12) + 1};
}

void estimate_restore(const Scenario& scenario, StartDemand& start) {
  Reads reads;
  if (scenario.heap.memory.kind == firmware::MemoryKind::heap) {
    heap::Geometry geometry;
    static_cast<void>(firmware::plan_heap(heap_config_of(scenario), scenario.heap.memory,
                                          scenario.storage.part.size_bytes, geometry));
    const heap::PersistBound full = heap::worst_case_persist(geometry, population_of(scenario.workload));
    // Homes one by one can take longer than an image that has the objects.
    const Reads of_full = heap_reads(scenario, geometry, full.bytes - full.os_bytes);
    const Reads of_empty = heap_reads(scenario, geometry, geometry.empty_image_bytes());
    reads = time_of(scenario, of_full) < time_of(scenario, of_empty) ? of_empty : of_full;
  } else {
    reads = baseline_reads(scenario);
  }
  Picoseconds time = time_of(scenario, reads);
  // The part may not be ready when boot is over.
  const Picoseconds power_up = scenario.storage.part.power_up;
  if (power_up > start.boot.time) time += power_up - start.boot.time;
  const double power_w = active_w(scenario);
  start.restore = {time.seconds() * power_w, power_w, time};
  start.restore_reads = static_cast<std::uint32_t>(reads.calls);
  start.restore_bytes = static_cast<std::uint32_t>(reads.bytes);
}

std::vector<Corner> corners_of(const Demand& persist, const SupplyConfig& supply) {
  std::vector<Corner> corners;
  for (const double capacitance : {-1, 1}) {
    for (const double warn : {-1, 1}) {
      for (const double brown_out : {1, -1}) {
        Deviation parts;
        parts.capacitance = 1 + capacitance * supply.capacitance_tolerance;
        parts.warn = 1 + warn * supply.comparator.tolerance;
        parts.brown_out = 1 + brown_out * supply.comparator.tolerance;
        corners.push_back({parts, persist_capacitance(persist, supply, parts)});
      }
    }
  }
  return corners;
}

std::vector<Spread> spreads_of(const Demand& persist, const SupplyConfig& supply) {
  const auto alone = [&](const char* name, double Deviation::*which, double tolerance) {
    Deviation low;
    Deviation high;
    low.*which = 1 - tolerance;
    high.*which = 1 + tolerance;
    const double at_low = persist_capacitance(persist, supply, low);
    const double at_high = persist_capacitance(persist, supply, high);
    return Spread{name, std::min(at_low, at_high), std::max(at_low, at_high)};
  };
  return {alone("capacitance", &Deviation::capacitance, supply.capacitance_tolerance),
          alone("warn", &Deviation::warn, supply.comparator.tolerance),
          alone("brown_out", &Deviation::brown_out, supply.comparator.tolerance)};
}

MonteCarlo draw(const Demand& persist, const SupplyConfig& supply, std::uint64_t draws, std::uint64_t seed) {
  MonteCarlo result;
  result.draws = draws;
  result.seed = seed;
  devices::SplitMix64 random(seed);
  const auto within = [&random](double tolerance) { return 1 + tolerance * (2 * random.unit() - 1); };
  std::vector<double> needs;
  needs.reserve(draws);
  for (std::uint64_t i = 0; i < draws; ++i) {
    Deviation parts;
    parts.capacitance = within(supply.capacitance_tolerance);
    parts.warn = within(supply.comparator.tolerance);
    parts.brown_out = within(supply.comparator.tolerance);
    needs.push_back(persist_capacitance(persist, supply, parts));
    if (needs.back() <= supply.capacitor.capacitance_f) ++result.passed;
  }
  std::sort(needs.begin(), needs.end());
  const auto quantile = [&](std::uint64_t percent) { return needs[(draws * percent + 99) / 100 - 1]; };
  result.median_f = quantile(50);
  result.p99_f = quantile(99);
  return result;
}

}  // namespace

double capacitance_between(double energy_j, double power_w, double from_v, double to_v, double esr_ohm) {
  const double usable = usable_between(from_v * from_v, to_v * to_v, power_w * esr_ohm);
  return usable > 0 ? 2 * energy_j / usable : kInfinity;
}

double capacitance_for(double energy_j, double power_w, const SupplyConfig& supply) {
  return capacitance_between(energy_j, power_w, supply.thresholds.warn_v, supply.thresholds.brown_out_v,
                             supply.capacitor.esr_ohm);
}

double capacitance_for_start(double energy_j, const SupplyConfig& supply) {
  const double on = supply.thresholds.turn_on_v;
  const double warn = supply.thresholds.warn_v;
  return 2 * energy_j / (on * on - warn * warn);
}

Demand demand_of(const PersistBound& bound) {
  return {bound.energy_j(), bound.largest_w(), bound.times.total()};
}

double persist_capacitance(const Demand& persist, const SupplyConfig& supply, const Deviation& parts) {
  const Thresholds& levels = supply.thresholds;
  return needed(persist, levels.warn_v * parts.warn, levels.brown_out_v * parts.brown_out, supply) /
         parts.capacitance;
}

double start_capacitance(const Demand& start, const SupplyConfig& supply, const Deviation& parts) {
  const Thresholds& levels = supply.thresholds;
  return needed(start, levels.turn_on_v * parts.turn_on, levels.warn_v * parts.warn, supply) /
         parts.capacitance;
}

// The larger the level, the less capacitance it takes: halving finds it to the last bit or two.
double turn_on_for(const Demand& start, double capacitance_f, const SupplyConfig& supply,
                   const Deviation& parts) {
  SupplyConfig with = supply;
  const auto does = [&](double turn_on_v) {
    with.thresholds.turn_on_v = turn_on_v;
    return start_capacitance(start, with, parts) <= capacitance_f;
  };
  double low = 0;
  double high = supply.thresholds.warn_v;
  constexpr double kFarAboveAnySupply = 1e6;
  while (!does(high)) {
    low = high;
    high *= 2;
    if (high > kFarAboveAnySupply) return kInfinity;
  }
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (does(middle) ? high : low) = middle;
  }
  return high;
}

Deviation worst_for_persist(const SupplyConfig& supply) {
  return {.capacitance = 1 - supply.capacitance_tolerance,
          .warn = 1 - supply.comparator.tolerance,
          .brown_out = 1 + supply.comparator.tolerance};
}

Deviation worst_for_start(const SupplyConfig& supply) {
  return {.capacitance = 1 - supply.capacitance_tolerance,
          .turn_on = 1 - supply.comparator.tolerance,
          .warn = 1 + supply.comparator.tolerance};
}

Demand StartDemand::total() const {
  Demand total = boot;
  const auto add = [&total](const Demand& part) {
    total.energy_j += part.energy_j;
    total.peak_w = std::max(total.peak_w, part.peak_w);
    total.time += part.time;
  };
  add(restore);
  if (operation) add(*operation);
  return total;
}

StartDemand start_demand(const Scenario& scenario, std::optional<Demand> operation) {
  StartDemand start;
  start.boot = boot_demand(scenario);
  estimate_restore(scenario, start);
  start.operation = operation;
  return start;
}

Sizing size_supply(const Scenario& scenario, std::optional<Demand> operation, std::uint64_t draws,
                   std::uint64_t seed) {
  const SupplyConfig& supply = scenario.supply;
  Sizing sizing;
  sizing.bound = persist_bound(scenario);
  sizing.bound.rate(SupplyFlows(supply_of(scenario)),
                    widest(supply.thresholds.brown_out_v, supply.thresholds.warn_v, supply));
  sizing.persist = demand_of(sizing.bound);
  const Deviation worst = worst_for_persist(supply);
  sizing.persist_nominal_f = persist_capacitance(sizing.persist, supply, {});
  sizing.persist_worst_f = persist_capacitance(sizing.persist, supply, worst);
  sizing.window = supply.thresholds.warn_v * worst.warn > supply.thresholds.brown_out_v * worst.brown_out;

  sizing.start = start_demand(scenario, operation);
  const Demand start = sizing.start.total();
  sizing.start_nominal_f = start_capacitance(start, supply, {});
  sizing.start_worst_f = start_capacitance(start, supply, worst_for_start(supply));
  const double capacitance_f = supply.capacitor.capacitance_f;
  sizing.turn_on_nominal_v = turn_on_for(start, capacitance_f, supply, {});
  sizing.turn_on_worst_v = turn_on_for(start, capacitance_f, supply, worst_for_start(supply));

  sizing.corners = corners_of(sizing.persist, supply);
  const auto less = [](const Corner& a, const Corner& b) { return a.capacitance_f < b.capacitance_f; };
  sizing.worst_corner = static_cast<std::size_t>(
      std::max_element(sizing.corners.begin(), sizing.corners.end(), less) - sizing.corners.begin());
  sizing.spreads = spreads_of(sizing.persist, supply);
  const auto narrower = [](const Spread& a, const Spread& b) {
    return a.most_f - a.least_f < b.most_f - b.least_f;
  };
  sizing.largest_spread = static_cast<std::size_t>(
      std::max_element(sizing.spreads.begin(), sizing.spreads.end(), narrower) - sizing.spreads.begin());
  if (draws > 0) sizing.monte_carlo = draw(sizing.persist, supply, draws, seed);
  return sizing;
}

}  // namespace brownout::sim
