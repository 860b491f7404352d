#include "sim/machine/persist_bound.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

#include <fmt/format.h>

#include "heap/storage/mapped_fram.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/machine/machine.hpp"
#include "sim/scenario/quantity.hpp"

namespace brownout::sim {
namespace {

using devices::AbortGranularity;
using devices::TransferCosts;

Picoseconds rounded_up(Uint128 numerator, std::uint64_t denominator) {
  return {static_cast<std::int64_t>((numerator + denominator - 1) / denominator)};
}

std::uint64_t divided_up(std::uint64_t n, std::uint64_t by) { return (n + by - 1) / by; }

// As the machine charges it.
std::uint64_t millicycles(double cycles) { return static_cast<std::uint64_t>(std::llround(cycles * 1000.0)); }

// The largest image of a memory, in the units of heap::PersistBound.
struct LargestImage {
  heap::PersistBound work;
  std::uint32_t longest_piece_bytes = 0;  // the OS part apart
  // Whether the checksum of a piece is formed while that piece is on the wire, by a controller that lets it.
  bool overlaps = false;
  bool even = false;  // every piece has whole words, at even addresses
};

heap::StorePolicy policy_of(const Scenario& scenario) {
  return {scenario.storage.retries, scenario.storage.verify != heap::Verify::none};
}

LargestImage largest_heap_image(const Scenario& scenario) {
  heap::Geometry geometry;
  static_cast<void>(firmware::plan_heap(heap_config_of(scenario), scenario.heap.memory,
                                        scenario.storage.part.size_bytes, geometry));
  LargestImage image;
  image.work = heap::worst_case_persist(geometry, population_of(scenario.workload), policy_of(scenario));
  image.overlaps = true;
  image.even = true;
  image.longest_piece_bytes = image.work.longest_transfer_bytes;
  return image;
}

// Header, control, spans or flags and runs of dirty pages, OS part, trailer. Runs are counted before they are
// written, and each walk looks twice at where a run begins and ends.
LargestImage largest_baseline_image(const Scenario& scenario) {
  const heap::HeapConfig config = heap_config_of(scenario);
  const firmware::BaselinePlan plan =
      firmware::plan_baseline(config, scenario.heap.memory, scenario.storage.part.size_bytes);
  const std::uint32_t dirty = plan.pages > 0 ? plan.dirty_pages_allowed(1) : 0;
  const std::uint32_t runs = std::min(dirty, plan.pages / 2 + 1);
  LargestImage image;
  heap::PersistBound& work = image.work;
  work.os_bytes = config.os_bytes;
  work.bytes = plan.image_bytes + config.os_bytes;
  work.attempts = 1 + policy_of(scenario).retries;
  work.read_back_bytes = policy_of(scenario).verified ? work.bytes : 0;
  work.pieces = 4 + runs + (config.os_bytes > 0 ? 1 : 0);
  work.steps = 2 * (plan.pages + 2 * runs + 2);
  work.checksum_bytes = work.bytes - static_cast<std::uint32_t>(sizeof(heap::CheckpointTrailer)) +
                        static_cast<std::uint32_t>(offsetof(firmware::SnapshotHeader, checksum));
  work.calls = 1;
  work.longest_transfer_bytes = plan.geometry.config.ram_bytes;
  image.longest_piece_bytes = work.bytes;
  return image;
}

// Everything that the terms are made of.
class Board {
 public:
  explicit Board(const Scenario& scenario)
      : costs_(scenario.storage.bus.costs(scenario.storage.transfer)),
        tick_(scenario.storage.bus.tick),
        cpu_(scenario.mcu.profile.costs),
        checksum_cycles_(checksum_byte_cycles(scenario)),
        clock_hz_(scenario.mcu.clock_hz),
        sck_hz_(scenario.storage.sck_hz),
        slice_bytes_(scenario.storage.slice_bytes),
        timeout_(scenario.storage.timeout),
        verified_(policy_of(scenario).verified),
        command_bytes_(1 + scenario.storage.part.address_bytes) {}

  [[nodiscard]] const TransferCosts& costs() const { return costs_; }
  [[nodiscard]] const devices::CpuCosts& cpu() const { return cpu_; }
  [[nodiscard]] std::uint64_t command_bytes() const { return command_bytes_; }

  [[nodiscard]] Picoseconds wire(std::uint64_t bytes) const {
    return rounded_up(Uint128{bytes} * 8 * devices::kPicosecondsPerSecond, sck_hz_);
  }
  [[nodiscard]] Picoseconds cpu_time(Uint128 all_millicycles) const {
    return rounded_up(all_millicycles * (devices::kPicosecondsPerSecond / 1000), clock_hz_);
  }
  [[nodiscard]] std::uint64_t slices(std::uint64_t bytes) const {
    return slice_bytes_ == 0 ? 1 : divided_up(bytes, slice_bytes_);
  }

  // `pieces` of at least one byte, cut at the ends of slices as well. Sum over n parts of p bytes, rounded up
  // to chunks of c: at most n + (sum of (p - 1)) / c.
  [[nodiscard]] std::uint64_t chunks(std::uint64_t bytes, std::uint64_t pieces) const {
    const std::uint64_t parts = std::min(pieces + slices(bytes) - 1, bytes);
    return parts + (bytes - parts) / costs_.chunk_bytes;
  }

  // What the controller takes to stop the worst transaction of the program, its own cost apart.
  [[nodiscard]] Picoseconds stop(std::uint64_t longest_transfer_bytes) const {
    std::uint64_t bytes = longest_transfer_bytes;
    if (slice_bytes_ > 0) bytes = std::min<std::uint64_t>(bytes, slice_bytes_);
    switch (costs_.abort_granularity) {
      case AbortGranularity::byte: return {};
      case AbortGranularity::chunk:
        return wire(std::min<std::uint64_t>(std::max(bytes, command_bytes_), costs_.chunk_bytes));
      case AbortGranularity::transfer: break;
    }
    // A second pass is received in small pieces, of which a slice cuts two.
    const std::uint64_t sent_chunks = divided_up(bytes, costs_.chunk_bytes);
    const std::uint64_t received_chunks =
        sent_chunks + (verified_ ? divided_up(bytes, heap::kSecondPassBytes) + 1 : 0);
    const Picoseconds sent = costs_.setup_send + costs_.handover_send * signed_of(sent_chunks) +
                             costs_.copy_send_per_byte * signed_of(bytes);
    const Picoseconds received = costs_.setup_receive + costs_.handover_receive * signed_of(received_chunks) +
                                 costs_.copy_receive_per_byte * signed_of(bytes);
    return std::max(sent, received) + costs_.cs_setup + costs_.cs_hold + command() + wire(bytes) + timeout_;
  }
  // Of one attempt that has no completion: the driver waits, then stops the controller.
  [[nodiscard]] Picoseconds given_up() const {
    return timeout_.count > 0 ? timeout_ + costs_.abort_cost : Picoseconds{};
  }
  // A read call by the driver, in pieces of VerifiedStorage's, and two sums: of what goes out, and of what
  // comes back. Both are formed by the CPU alone at the worst.
  [[nodiscard]] Picoseconds read_back(std::uint64_t bytes) const {
    if (bytes == 0) return {};
    const std::uint64_t transactions = slices(bytes);
    const std::uint64_t command_chunks = divided_up(command_bytes_, costs_.chunk_bytes);
    const std::uint64_t command_bytes = transactions * command_bytes_;
    return costs_.call_read +
           (costs_.setup_receive + costs_.cs_setup + costs_.cs_hold +
            costs_.handover_send * signed_of(command_chunks)) *
               signed_of(transactions) +
           costs_.copy_send_per_byte * signed_of(command_bytes) +
           costs_.handover_receive * signed_of(chunks_back(bytes)) +
           costs_.copy_receive_per_byte * signed_of(bytes) + wire(bytes + command_bytes) +
           cpu_time(Uint128{millicycles(cpu_.checksum_byte)} * 2 * bytes) +
           // Critical sections: of the driver before each transaction, and of who compares before the call
           // and after it.
           cpu_time(Uint128{millicycles(cpu_.section)} * (2 + transactions));
  }
  [[nodiscard]] std::uint64_t chunks_back(std::uint64_t bytes) const {
    constexpr std::uint64_t kPiece = heap::kSecondPassBytes;
    const std::uint64_t chunk = costs_.chunk_bytes;
    if (slice_bytes_ == 0)
      return bytes / kPiece * divided_up(kPiece, chunk) + divided_up(bytes % kPiece, chunk);
    return chunks(bytes, divided_up(bytes, kPiece));
  }
  // Opcode and address, sent.
  [[nodiscard]] Picoseconds command() const {
    const std::uint64_t chunks = divided_up(command_bytes_, costs_.chunk_bytes);
    return costs_.handover_send * signed_of(chunks) + costs_.copy_send_per_byte * signed_of(command_bytes_) +
           wire(command_bytes_);
  }

  // Beyond the wire. By DMA the checksum of a piece runs beside its last chunk; the trailer has none. Each
  // piece's part is rounded by itself.
  [[nodiscard]] Picoseconds checksum(const LargestImage& image) const {
    const heap::PersistBound& work = image.work;
    const std::uint64_t each = millicycles(checksum_cycles_);
    const Picoseconds all = cpu_time(Uint128{each} * work.checksum_bytes);
    if (costs_.cpu_moves_bytes || !image.overlaps || slice_bytes_ > 0) return all;
    const std::uint64_t streamed = work.bytes - sizeof(heap::CheckpointTrailer);
    const Picoseconds beside = wire(streamed);
    const Picoseconds formed = cpu_time(Uint128{each} * streamed);
    const std::uint64_t chunk = costs_.chunk_bytes;
    // All but the last chunk of a long piece has nothing beside it.
    const std::uint64_t in_long_pieces = image.longest_piece_bytes > chunk ? streamed : work.os_bytes;
    const std::uint64_t alone = in_long_pieces / chunk * chunk;
    const Picoseconds not_beside = std::min(wire(alone), cpu_time(Uint128{each} * alone));
    const Picoseconds beyond = formed > beside ? formed - beside : Picoseconds{};
    return beyond + not_beside + cpu_time(Uint128{each} * (work.checksum_bytes - streamed)) +
           Picoseconds{work.pieces};
  }

  // Time `busy` of a CPU that takes ticks, the worst moment being just before one: n strikes fit if the last
  // one comes before busy + (n - 1) costs are over. Waiting for DMA is stretched as much.
  [[nodiscard]] Picoseconds ticks(Picoseconds busy) const {
    if (tick_.period.count == 0) return {};
    assert(tick_.cost < tick_.period);
    const auto between = static_cast<std::uint64_t>((tick_.period - tick_.cost).count);
    return tick_.cost * signed_of(divided_up(static_cast<std::uint64_t>(busy.count), between));
  }

  static std::int64_t signed_of(std::uint64_t n) { return static_cast<std::int64_t>(n); }

 private:
  const TransferCosts& costs_;
  const devices::RtosTick& tick_;
  const devices::CpuCosts& cpu_;
  double checksum_cycles_;
  std::uint64_t clock_hz_;
  std::uint64_t sck_hz_;
  std::uint32_t slice_bytes_;
  Picoseconds timeout_;
  bool verified_;
  std::uint64_t command_bytes_;
};

void add_bus_times(const Board& board, const LargestImage& image, PersistBound& bound) {
  const heap::PersistBound& work = image.work;
  const TransferCosts& costs = board.costs();
  const devices::CpuCosts& cpu = board.cpu();
  const std::uint64_t slices = board.slices(work.bytes);
  const std::uint64_t attempts = work.attempts;
  bound.chunks = attempts * board.chunks(work.bytes, work.pieces);
  // A transaction that cannot be stopped ends in the persist.
  const bool ends_first = costs.abort_granularity == AbortGranularity::transfer;
  bound.transactions = attempts * slices * (work.read_back_bytes > 0 ? 3 : 2) + (ends_first ? 1 : 0);
  const auto times = [](std::uint64_t n) { return Board::signed_of(n); };
  PersistTimes& t = bound.times;
  const std::uint64_t section = millicycles(cpu.section) + millicycles(cpu.step) * work.section_steps;
  bound.section_cycles = static_cast<std::uint32_t>(divided_up(section, 1000));
  t.section = board.cpu_time(section);
  t.stop = board.stop(work.longest_transfer_bytes) + costs.abort_cost;
  // WREN and WRITE for each slice.
  t.call = costs.call_write * times(attempts) + costs.setup_send * times(attempts * 2 * slices);
  const std::uint64_t command_chunks = 1 + divided_up(board.command_bytes(), costs.chunk_bytes);
  t.handovers = costs.handover_send * times(attempts * slices * command_chunks + bound.chunks) +
                (costs.cs_setup + costs.cs_hold) * times(attempts * 2 * slices);
  const std::uint64_t sent_bytes = work.bytes + slices * (1 + board.command_bytes());
  t.copies = costs.copy_send_per_byte * times(attempts * sent_bytes);
  t.wire = board.wire(attempts * sent_bytes);
  t.checksum = board.checksum(image) * times(attempts);
  // Critical sections of the driver: before each transaction.
  t.steps = board.cpu_time((Uint128{millicycles(cpu.step)} * work.steps +
                            Uint128{millicycles(cpu.call)} * work.calls +
                            Uint128{millicycles(cpu.section)} * 2 * slices) *
                           attempts);
  t.read_back = board.read_back(work.read_back_bytes) * times(attempts);
  t.timeouts = board.given_up() * times(attempts - 1);
  t.ticks = board.ticks(t.total() - t.latency);
}

// What a burst takes apart from its words, and what a word takes.
std::uint64_t burst_millicycles(const Scenario& scenario) {
  return millicycles(scenario.mcu.profile.costs.burst);
}
std::uint64_t word_millicycles(const Scenario& scenario) {
  return millicycles(scenario.mcu.profile.costs.stored_word +
                     scenario.storage.part.wait_states(scenario.mcu.clock_hz));
}

// Copies by the CPU instead of a transfer. Each piece is cut into bursts, and into words; one at an odd
// address takes an access more.
void add_mapped_times(const Scenario& scenario, const LargestImage& image, PersistBound& bound) {
  const Board board(scenario);
  const heap::PersistBound& work = image.work;
  const devices::CpuCosts& cpu = board.cpu();
  const std::uint64_t odd = image.even ? 0 : work.pieces;
  bound.chunks = work.pieces + (work.bytes - work.pieces) / heap::kBurstBytes + odd;
  const std::uint64_t words = work.bytes / 2 + odd;
  PersistTimes& t = bound.times;
  const std::uint64_t of_heap = millicycles(cpu.section) + millicycles(cpu.step) * work.section_steps;
  const std::uint64_t of_driver =
      burst_millicycles(scenario) + heap::kBurstBytes / 2 * word_millicycles(scenario);
  const std::uint64_t section = std::max(of_heap, of_driver);
  bound.section_cycles = static_cast<std::uint32_t>(divided_up(section, 1000));
  t.section = board.cpu_time(section);
  t.call = board.cpu_time(millicycles(cpu.call));
  t.handovers = board.cpu_time(Uint128{burst_millicycles(scenario)} * bound.chunks);
  t.copies = board.cpu_time(Uint128{word_millicycles(scenario)} * words);
  t.checksum = board.cpu_time(Uint128{millicycles(checksum_byte_cycles(scenario))} * work.checksum_bytes);
  t.steps = board.cpu_time(Uint128{millicycles(cpu.step)} * work.steps +
                           Uint128{millicycles(cpu.call)} * work.calls);
}

void add_powers(const Scenario& scenario, PersistBound& bound) {
  const devices::McuProfile& mcu = scenario.mcu.profile;
  const devices::FramPart& part = scenario.storage.part;
  bound.mcu_rail_w = mcu.rail_v * mcu.active_a_at(scenario.mcu.clock_hz);
  bound.standby_rail_w = mcu.rail_v * part.standby_a;
  bound.selected_rail_w =
      std::max(mcu.rail_v * part.active_a_at(scenario.storage.sck_hz), bound.standby_rail_w);
  bound.program_rail_w = bound.times.latency.count > 0 ? largest_rail_w(scenario) : 0;
  // Not selected: while the driver sets up, and after a transaction was stopped.
  const TransferCosts& costs = scenario.storage.bus.costs(scenario.storage.transfer);
  const std::int64_t stops = 1 + (scenario.storage.timeout.count > 0 ? bound.attempts - 1 : 0);
  bound.apart = bound.times.call + costs.abort_cost * stops;
}

std::string by(double above, double bound) {
  return bound > 0 ? fmt::format(" ({:.3g} % above)", 100 * above / bound) : "";
}

}  // namespace

double PersistBound::largest_w() const { return std::max(latency_w, persist_w); }

double PersistBound::rail_j() const {
  const Picoseconds persist = times.total() - times.latency;
  return times.latency.seconds() * program_rail_w + persist.seconds() * mcu_rail_w +
         apart.seconds() * standby_rail_w + (persist - apart).seconds() * selected_rail_w;
}

void PersistBound::allow_load(double rail_w, const SupplyFlows& flows, const VoltageRange& range) {
  if (times.latency.count == 0 || rail_w <= program_rail_w) return;
  program_rail_w = rail_w;
  rate(flows, range);
}

// The MCU has what it draws alone, the FRAM what comes on top. What is left by the largest load is what a
// smaller one begins with.
void PersistBound::rate(const SupplyFlows& flows, const VoltageRange& range) {
  const double largest_w = std::max(program_rail_w, mcu_rail_w + selected_rail_w);
  rated = {range.lowest_v, flows.internal_v(largest_w, range.lowest_v, range.highest_v)};
  const auto most_w = [&](double rail_w) {
    return flows.most_drawn_w(rail_w, rated.lowest_v, rated.highest_v);
  };
  const double mcu_w = most_w(mcu_rail_w);
  const auto on_top_w = [&](double rail_w) {
    return flows.is_proportional() ? most_w(rail_w) : most_w(mcu_rail_w + rail_w) - mcu_w;
  };
  const double standby_w = on_top_w(standby_rail_w);
  const double selected_w = on_top_w(selected_rail_w);
  const Picoseconds persist = times.total() - times.latency;
  mcu_j = persist.seconds() * mcu_w;
  storage_j = apart.seconds() * standby_w + (persist - apart).seconds() * selected_w;
  persist_w = mcu_w + selected_w;
  latency_w = most_w(program_rail_w);
  latency_j = times.latency.seconds() * latency_w;
}

VoltageRange persist_range(const SupplyConfig& supply) {
  return {supply.thresholds.brown_out_v, supply.thresholds.warn_v};
}

PersistBound persist_bound(const Scenario& scenario) {
  const bool is_heap = scenario.heap.memory.kind == firmware::MemoryKind::heap;
  const LargestImage image = is_heap ? largest_heap_image(scenario) : largest_baseline_image(scenario);
  PersistBound bound;
  const heap::PersistBound& work = image.work;
  bound.attempts = work.attempts;
  bound.bytes = work.attempts * (work.bytes + work.read_back_bytes);
  bound.pieces = work.pieces;
  bound.times.latency = scenario.supply.comparator.longest_delay();
  if (scenario.storage.part.is_mapped) {
    add_mapped_times(scenario, image, bound);
  } else {
    add_bus_times(Board(scenario), image, bound);
  }
  bound.section_limit_cycles = std::max(kSectionLimitCycles, bound.section_cycles);
  add_powers(scenario, bound);
  bound.rate(SupplyFlows(supply_of(scenario)), persist_range(scenario.supply));
  return bound;
}

// Energies are sums of products, rounded in another order than the ledger's.
std::optional<std::string> excess_over(const PersistBound& bound, const PersistCost& cost) {
  constexpr double kRounding = 1 + 1e-9;
  if (cost.bytes > bound.bytes) {
    return fmt::format("it wrote {} B, {} B above the bound of {} B", cost.bytes, cost.bytes - bound.bytes,
                       bound.bytes);
  }
  if (cost.transactions > bound.transactions) {
    return fmt::format("it took {} transactions, {} above the bound of {}", cost.transactions,
                       cost.transactions - bound.transactions, bound.transactions);
  }
  if (const Picoseconds most = bound.times.total(); cost.time > most) {
    return fmt::format("it took {} ps from the warning level on, {} ps above the bound of {} ps{}",
                       cost.time.count, (cost.time - most).count, most.count,
                       by((cost.time - most).seconds(), most.seconds()));
  }
  if (const double most_j = bound.energy_j(); cost.energy_j > most_j * kRounding) {
    return fmt::format("it drew {:.6g} J from the warning level on, {:.3g} J above the bound of {:.6g} J{}",
                       cost.energy_j, cost.energy_j - most_j, most_j, by(cost.energy_j - most_j, most_j));
  }
  return std::nullopt;
}

double checksum_byte_cycles(const Scenario& scenario) {
  const firmware::MemoryOptions& memory = scenario.heap.memory;
  const bool by_table =
      memory.kind == firmware::MemoryKind::heap && memory.checksum == firmware::ChecksumKind::table;
  const devices::CpuCosts& costs = scenario.mcu.profile.costs;
  return by_table ? costs.checksum_byte_by_table : costs.checksum_byte;
}

heap::Population population_of(const WorkloadConfig& workload) {
  heap::Population population;  // of a custom workload nobody knows more
  const auto add = [&population](std::uint32_t size_bytes) {
    population.smallest_bytes = std::min(population.smallest_bytes, size_bytes);
    population.largest_bytes = std::max(population.largest_bytes, size_bytes);
  };
  if (!std::holds_alternative<firmware::CustomOptions>(workload)) population = {heap::kMaxRamBytes, false, 0};
  if (const auto* counter = std::get_if<CounterConfig>(&workload)) {
    add(counter->size_bytes);
  } else if (const auto* queue = std::get_if<QueueConfig>(&workload)) {
    add(queue->item_bytes + 8);
  } else if (const auto* kvs = std::get_if<KvsConfig>(&workload)) {
    for (std::size_t i = 0; i < kvs->sizes.size(); ++i) {
      if (kvs->counts[i] > 0) add(kvs->sizes[i]);
    }
  } else if (const auto* script = std::get_if<ScriptWorkloadConfig>(&workload)) {
    for (const firmware::ObjectDemand& demand : demand_of(*script->program)) {
      if (demand.dirtiness == heap::Dirtiness::partial) population.partial = true;
      add(demand.size_bytes);
    }
  }
  return population;
}

double largest_load_w(const Scenario& scenario) {
  const VoltageRange range = persist_range(scenario.supply);
  return SupplyFlows(supply_of(scenario))
      .most_drawn_w(largest_rail_w(scenario), range.lowest_v, range.highest_v);
}

double largest_rail_w(const Scenario& scenario) {
  const devices::McuProfile& mcu = scenario.mcu.profile;
  const StorageConfig& storage = scenario.storage;
  const double active_a = mcu.active_a_at(scenario.mcu.clock_hz);
  double largest_a =
      active_a + std::max<double>(storage.part.active_a_at(storage.sck_hz), storage.part.standby_a);
  if (const auto* script = std::get_if<ScriptWorkloadConfig>(&scenario.workload)) {
    for (const firmware::script::Step& step : script->program->steps) {
      const auto* phase = std::get_if<firmware::script::Phase>(&step.action);
      if (phase == nullptr) continue;
      const double load_a = static_cast<double>(phase->load_ua) / 1e6;
      const double cpu_a = phase->sleeping ? mcu.sleep_a : active_a;
      largest_a = std::max(largest_a, load_a + cpu_a + storage.part.standby_a);
    }
  }
  return mcu.rail_v * largest_a;
}

}  // namespace brownout::sim
