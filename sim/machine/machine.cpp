#include "sim/machine/machine.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "devices/math/random.hpp"
#include "sim/machine/sizing.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/verify/state.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kProgramStackBytes = 512 * 1024;
constexpr std::size_t kBootStackBytes = 128 * 1024;
// A program that completes no transfer in so many power cycles on end, or no operation in so many, never
// will.
constexpr std::uint32_t kCyclesWithoutTransfer = 100;
constexpr std::uint32_t kCyclesWithoutOperation = 10'000;
// How far the clock jumps at most between two looks at the keyboard.
constexpr Picoseconds kLongWait{600 * devices::kPicosecondsPerSecond};
constexpr std::uint64_t kOperationsPerReport = 256;
constexpr std::size_t kLossesKept = 100;
constexpr std::size_t kLostObjectsNamed = 32;

std::span<std::byte> bytes_of(std::vector<std::uint64_t>& words, std::size_t size) {
  return {reinterpret_cast<std::byte*>(words.data()), size};
}

std::uint32_t rounded_os_bytes(const Scenario& scenario) {
  return heap::round_up_8(scenario.mcu.os_save_bytes);
}

firmware::Image image_of(const Scenario& scenario, std::span<std::byte> ram, std::span<std::byte> os_part) {
  const StorageConfig& storage = scenario.storage;
  firmware::Image image;
  image.heap = heap_config_of(scenario);
  image.storage.size_bytes = storage.part.size_bytes;
  image.storage.address_bytes = storage.part.address_bytes;
  image.storage.power_up_us = static_cast<std::uint32_t>((storage.part.power_up.count + 999'999) / 1'000'000);
  image.storage.slice_bytes = storage.slice_bytes;
  image.storage.check_identity = true;
  for (std::size_t i = 0; i < storage.part.rdid.size(); ++i)
    image.storage.identity[i] = std::byte{storage.part.rdid[i]};
  image.workload = scenario.workload;
  image.ram = ram;
  image.os_part = os_part;
  return image;
}

}  // namespace

std::string_view name_of(StopReason reason) {
  switch (reason) {
    case StopReason::time: return "time";
    case StopReason::operations: return "operations";
    case StopReason::source_ended: return "source_ended";
    case StopReason::never_turned_on: return "never_turned_on";
    case StopReason::no_progress: return "no_progress";
    case StopReason::lost: return "lost";
    case StopReason::check_failed: return "check_failed";
    case StopReason::interrupted: return "interrupted";
  }
  return "";
}

heap::HeapConfig heap_config_of(const Scenario& scenario) {
  heap::HeapConfig config;
  config.ram_bytes = scenario.heap.ram_bytes;
  config.dirty_limit_bytes = scenario.heap.dirty_limit_bytes;
  config.max_residents = scenario.heap.max_residents;
  config.store_bytes = scenario.heap.store_bytes;
  config.os_bytes = rounded_os_bytes(scenario);
  return config;
}

Machine::Machine(const Scenario& scenario, std::unique_ptr<devices::Source> source, Ledger& ledger,
                 RunOptions options)
    : scenario_(scenario),
      options_(std::move(options)),
      ledger_(ledger),
      source_period_(source->period()),
      train_(scenario.supply, std::move(source), ledger),
      fram_(scenario.storage.part),
      bus_(scenario.storage.bus.costs(scenario.storage.transfer), scenario.storage.sck_hz, fram_, *this),
      tick_(scenario.storage.bus.tick),
      ram_words_(scenario.heap.ram_bytes / 8 + 1),
      ram_(bytes_of(ram_words_, scenario.heap.ram_bytes)),
      os_words_(rounded_os_bytes(scenario) / 8 + 1),
      os_part_(bytes_of(os_words_, rounded_os_bytes(scenario))),
      firmware_(firmware::make_firmware(image_of(scenario, ram_, os_part_), *this)),
      program_stack_(kProgramStackBytes),
      boot_stack_(kBootStackBytes),
      limit_(scenario.stop.time.value_or(kLongestTime)),
      pattern_(scenario.seed) {
  const McuConfig& mcu = scenario.mcu;
  active_w_ = mcu.profile.active_a_at(mcu.clock_hz) * mcu.profile.rail_v;
  const StorageConfig& storage = scenario.storage;
  fram_active_w_ = storage.part.active_a_at_max_sck * static_cast<double>(storage.sck_hz) /
                   static_cast<double>(storage.part.max_sck_hz) * mcu.profile.rail_v;
  fram_standby_w_ = storage.part.standby_a * mcu.profile.rail_v;
  result_.initial_j = train_.stored_j();
}

Machine::~Machine() = default;

// --- the life of the board -----------------------------------------------------------------------

RunResult Machine::run() {
  while (!frozen_ && wait_for_turn_on()) {
    fibers_.run(
        program_stack_, [](void* self) { static_cast<Machine*>(self)->cold_start(); }, this);
    program_stack_.poison(std::byte{0xA5});
    if (!frozen_) power_down();
  }
  return finish();
}

// On the program's stack: everything from the reset to the end of the workload.
void Machine::cold_start() {
  ++result_.cold_starts;
  shadow_.clear();
  verify_due_ = false;
  persist_unmasked_ = false;
  critical_depth_ = 0;
  enter(Mode::cold_boot, Phase::boot);
  boot_phases();
  enter(Mode::program, Phase::run);
  firmware_->cold_start();
  if (!frozen_) stop(StopReason::operations);
  verify_objects();
}

void Machine::boot_phases() {
  for (const devices::BootPhase& phase : scenario_.mcu.profile.boot) {
    use_current(phase.current_a);
    elapse(phase.duration, false);
  }
  tick_.start(train_.now());
  use(Activity::compute);
}

// From a board without power to one that boots. False if the run ended first.
bool Machine::wait_for_turn_on() {
  enter(Mode::off, Phase::off);
  use(Activity::off);
  Picoseconds period_end = source_period_ ? train_.now() + *source_period_ : devices::kForever;
  double period_v = train_.terminal_v();
  for (;;) {
    if (train_.nothing_ahead()) {
      stop(StopReason::no_progress);
      return false;
    }
    const Picoseconds step = std::min({limit_, period_end, train_.now() + kLongWait});
    switch (train_.run_until(step)) {
      case PowerEvent::recovered:
        power_on_at_ = train_.now();
        turn_on_load_j_ = ledger_.total_load_j();
        fram_.power_on(power_on_at_);
        ++result_.turn_ons;
        fingerprint_.add(Trace::turn_on, train_.now(), train_.terminal_v());
        return true;
      case PowerEvent::source_ended: stop(StopReason::source_ended); return false;
      case PowerEvent::warn:
      case PowerEvent::brown_out:  // after a shutdown, above the level: the board is off already
      case PowerEvent::none: break;
    }
    if (train_.now() == limit_) {
      stop(StopReason::time);
      return false;
    }
    if (options_.interrupted != nullptr && *options_.interrupted != 0) {
      stop(StopReason::interrupted);
      return false;
    }
    if (train_.now() == period_end) {
      // The voltage after a period is a growing function of that before: once it no longer rises, it
      // never will again.
      const double v = train_.terminal_v();
      if (v <= period_v * (1 + 1e-12)) {
        stop(StopReason::no_progress);
        return false;
      }
      period_v = v;
      period_end = train_.now() + *source_period_;
    }
  }
}

// --- outages -------------------------------------------------------------------------------------

bool Machine::interruptible() const {
  return mode_ == Mode::program && persist_unmasked_ && critical_depth_ == 0 && !frozen_ && !ghost_;
}

// On the stack of whatever it interrupts; returns when the interrupted code may go on. The warning is a
// level: if it stands again after the restore, the next persist follows at once.
void Machine::persist_interrupt() {
  const Activity interrupted = activity_;
  do {
    note_power_cycle();
    if (frozen_) break;
    const bool dirty = persist_now();
    const bool stays_up = scenario_.mcu.after_persist == AfterPersist::sleep && !sleep_until_outage();
    if (stays_up) {
      ++result_.false_alarms;
    } else {
      // A run that ended in the persist or asleep saw no outage; what was saved is brought back all the same.
      const bool happened = !frozen_;
      if (happened) ++result_.persisted;
      if (happened && dirty) ++result_.with_dirty_data;
      outage_and_restore();
      if (happened) ++result_.outages_compared;
    }
    enter(Mode::program, Phase::run);
    use(interrupted);
  } while (train_.warn_asserted() && !frozen_);
}

// Saves everything; true if something was dirty. Does not return if the energy is not enough.
bool Machine::persist_now() {
  enter(Mode::persist, Phase::persist);
  use(Activity::compute);
  ++epoch_;
  fill_pattern(os_part_);  // the OS's data are never the same twice
  ram_before_.assign(ram_.begin(), ram_.end());
  os_before_.assign(os_part_.begin(), os_part_.end());
  const bool dirty = reinterpret_cast<const heap::Control*>(ram_.data())->dirty_bytes > 0;
  const BusCounters before = bus_.counters();
  train_.settle();
  persist_begin_ = train_.now();
  persist_begin_j_ = ledger_.total_load_j();
  persist_begin_v_ = train_.terminal_v();
  fingerprint_.add(Trace::persist_begin, train_.now(), train_.terminal_v());

  const heap::Status status = firmware_->persist();
  if (ghost_) lose(true);
  if (!status.ok()) fail("the persist reported an error of the storage");

  train_.settle();
  const double energy_j = ledger_.total_load_j() - persist_begin_j_;
  const double time_s = (train_.now() - persist_begin_).seconds();
  if (!frozen_) {
    result_.persist.time_s.add(time_s);
    result_.persist.energy_j.add(energy_j);
    result_.persist.bytes.add(static_cast<double>(bus_.counters().data_bytes - before.data_bytes));
    result_.persist.transactions.add(static_cast<double>(bus_.counters().transactions - before.transactions));
    result_.lowest_persist_end_v = std::min(result_.lowest_persist_end_v, train_.terminal_v());
    const double needed = time_s > 0 ? capacitance_for(energy_j, energy_j / time_s, scenario_.supply) : 0;
    result_.needed_capacitance_f = std::max(result_.needed_capacitance_f, needed);
  }
  fingerprint_.add(Trace::persist_end, train_.now(), train_.terminal_v());
  return dirty;
}

// After a persist, waiting for what the supply does. True: it failed; false: it recovered.
bool Machine::sleep_until_outage() {
  enter(Mode::asleep, Phase::off);
  use(Activity::sleep);
  while (!frozen_) {
    switch (train_.run_until(std::min(limit_, train_.now() + kLongWait))) {
      case PowerEvent::brown_out: return true;
      case PowerEvent::recovered: return false;
      case PowerEvent::source_ended: stop(StopReason::source_ended); break;
      case PowerEvent::warn: break;
      case PowerEvent::none:
        if (train_.now() == limit_) stop(StopReason::time);
        if (options_.interrupted != nullptr && *options_.interrupted != 0) stop(StopReason::interrupted);
        break;
    }
  }
  return true;  // the run is over; what was saved is brought back once more, outside the record
}

// The time without power, then boot and restore, repeated for as long as power fails during these.
void Machine::outage_and_restore() {
  for (restored_ = false; !restored_;) {
    power_down();
    if (frozen_ || !wait_for_turn_on()) fram_.power_on(train_.now() - scenario_.storage.part.power_up);
    fibers_.run(
        boot_stack_, [](void* self) { static_cast<Machine*>(self)->boot_and_restore(); }, this);
    boot_stack_.poison(std::byte{0x5A});
    if (!restored_) {
      ++result_.during_boot;
      note_power_cycle();
    }
  }
  fail_if(outage_changed(firmware_->geometry(), ram_before_, ram_), "after a restore");
  if (!std::equal(os_part_.begin(), os_part_.end(), os_before_.begin()))
    fail("the OS part came back changed");
  verify_due_ = true;
  fingerprint_.add(Trace::restored, train_.now(), result_.persisted);
}

// On the second stack.
void Machine::boot_and_restore() {
  enter(Mode::boot, Phase::boot);
  boot_phases();
  enter(Mode::boot, Phase::restore);
  train_.settle();
  const Picoseconds begin = train_.now();
  const double begin_j = ledger_.total_load_j();
  const BusCounters before = bus_.counters();
  const heap::Status status = firmware_->restore();
  if (!status.ok()) {
    fail(fmt::format("the restore after a complete persist reported error {}",
                     static_cast<int>(status.error())));
  }
  train_.settle();
  if (!frozen_) {
    result_.restore.time_s.add((train_.now() - begin).seconds());
    result_.restore.energy_j.add(ledger_.total_load_j() - begin_j);
    result_.restore.bytes.add(static_cast<double>(bus_.counters().data_bytes - before.data_bytes));
    result_.restore.transactions.add(static_cast<double>(bus_.counters().transactions - before.transactions));
  }
  result_.largest_start_j = std::max(result_.largest_start_j, ledger_.total_load_j() - turn_on_load_j_);
  restored_ = true;
}

// Everything volatile goes, with a pattern that differs each time.
void Machine::power_down() {
  fram_.power_off();
  bus_.reset();
  selected_ = false;
  fill_pattern(ram_);
  fill_pattern(os_part_);
  fill_pattern(firmware_->static_ram());
  fingerprint_.add(Trace::power_off, train_.now());
}

// The supply fell below the brown-out level, or collapsed, while the CPU ran.
void Machine::power_failed() {
  fram_.power_off();
  bus_.reset();
  selected_ = false;
  switch (mode_) {
    case Mode::persist:
      ghost_ = true;  // lets the persist run on as a ghost, to learn what it lacked
      return;
    case Mode::program:
      if (!persist_unmasked_) break;
      ghost_ = true;
      train_.settle();
      persist_begin_ = train_.now();
      persist_begin_j_ = ledger_.total_load_j();
      persist_begin_v_ = train_.terminal_v();
      enter(Mode::persist, Phase::persist);
      use(Activity::compute);
      static_cast<void>(firmware_->persist());
      lose(false);
    case Mode::cold_boot: break;
    case Mode::boot: fibers_.abandon();
    case Mode::off:
    case Mode::asleep: assert(false && "these wait for the supply themselves"); break;
  }
  ++result_.during_boot;  // in a first start, with nothing to lose
  note_power_cycle();
  fibers_.abandon_all();
}

void Machine::lose(bool warned) {
  record_loss(warned);
  ghost_ = false;
  ghost_j_ = 0;
  ghost_time_ = {};
  note_power_cycle();
  if (scenario_.mcu.on_loss == OnLoss::stop) stop(StopReason::lost);
  fibers_.abandon_all();
}

void Machine::record_loss(bool warned) {
  train_.settle();
  ++result_.lost;
  fingerprint_.add(Trace::lost, train_.now(), result_.lost);
  if (result_.losses.size() >= kLossesKept) return;
  Loss& loss = result_.losses.emplace_back();
  loss.at = train_.now();
  loss.warned = warned;
  loss.began_at_v = persist_begin_v_;
  loss.lacked_j = ghost_j_;
  loss.persist_energy_j = ledger_.total_load_j() - persist_begin_j_ + ghost_j_;
  const double time_s = (train_.now() - persist_begin_ + ghost_time_).seconds();
  if (time_s > 0) {
    loss.needed_capacitance_f =
        capacitance_for(loss.persist_energy_j, loss.persist_energy_j / time_s, scenario_.supply);
  }
  const heap::Geometry& geometry = firmware_->geometry();
  const auto* slots = reinterpret_cast<const heap::Slot*>(ram_.data() + geometry.slots_offset);
  for (std::uint32_t i = 0; i < geometry.config.max_residents; ++i) {
    if (!slots[i].used() || !slots[i].dirty()) continue;
    ++loss.objects_total;
    loss.bytes += slots[i].size_bytes();
    const Shadow::Copy* copy = shadow_.find(slots[i].home());
    if (copy != nullptr && loss.objects.size() < kLostObjectsNamed) loss.objects.push_back(copy->number);
  }
}

// At the end of every power cycle: has the program come forward since the last one?
void Machine::note_power_cycle() {
  cycles_without_transfer_ = progress_ == progress_at_cycle_ ? cycles_without_transfer_ + 1 : 0;
  cycles_without_operation_ = result_.operations == operations_at_cycle_ ? cycles_without_operation_ + 1 : 0;
  progress_at_cycle_ = progress_;
  operations_at_cycle_ = result_.operations;
  if (cycles_without_transfer_ >= kCyclesWithoutTransfer ||
      cycles_without_operation_ >= kCyclesWithoutOperation) {
    stop(StopReason::no_progress);
  }
  if (options_.interrupted != nullptr && *options_.interrupted != 0) stop(StopReason::interrupted);
  if (options_.progress)
    options_.progress({train_.now(), result_.operations, result_.persisted + result_.lost});
}

// --- time ----------------------------------------------------------------------------------------

// Lets time pass under the present load; the persist interrupt strikes inside. Waiting for the wire ends
// with an interrupt, because the transfer does; CPU work goes on after it.
void Machine::elapse(Picoseconds span, bool ends_with_interrupt) {
  Picoseconds left = span;
  const std::uint32_t epoch = epoch_;
  while (left.count > 0 && !frozen_) {
    if (ghost_) {
      ghost_j_ += train_.load().total_w() * left.seconds();
      ghost_time_ += left;
      return;
    }
    const Picoseconds before = train_.now();
    const Picoseconds until = std::min(before + left, limit_);
    const PowerEvent event = train_.run_until(until);
    left -= train_.now() - before;
    if (event != PowerEvent::none) {
      on_event(event);
      if (ends_with_interrupt && epoch_ != epoch) return;
    } else if (train_.now() == limit_) {
      stop(StopReason::time);
    }
  }
}

void Machine::on_event(PowerEvent event) {
  fingerprint_.add(Trace::power_event, train_.now(), static_cast<std::uint64_t>(event));
  switch (event) {
    case PowerEvent::warn:
      if (interruptible()) persist_interrupt();
      break;
    case PowerEvent::brown_out: power_failed(); break;
    case PowerEvent::source_ended: stop(StopReason::source_ended); break;
    case PowerEvent::recovered: break;
    case PowerEvent::none: assert(false && "not an event"); break;
  }
}

void Machine::enter(Mode mode, Phase phase) {
  mode_ = mode;
  phase_ = phase;
}

void Machine::use(Activity activity) {
  activity_ = activity;
  if (frozen_) return;
  Load load;
  switch (activity) {
    case Activity::compute: load.cpu_w = active_w_; break;
    case Activity::bus: load.bus_w = active_w_; break;
    case Activity::sleep: load.cpu_w = scenario_.mcu.profile.sleep_a * scenario_.mcu.profile.rail_v; break;
    case Activity::off: break;
  }
  if (activity != Activity::off) load.storage_w = selected_ ? fram_active_w_ : fram_standby_w_;
  train_.set_load(load, phase_);
}

void Machine::use_current(double current_a) {
  if (frozen_) return;
  Load load;
  load.cpu_w = current_a * scenario_.mcu.profile.rail_v;
  load.storage_w = fram_standby_w_;
  train_.set_load(load, phase_);
}

void Machine::pass(Picoseconds span, BusTime spent_on) {
  if (frozen_) return;
  if (activity_ != Activity::bus) use(Activity::bus);
  if (spent_on == BusTime::driver && !scenario_.storage.bus.calibrated) {
    result_.uncalibrated_bus += span;
    result_.uncalibrated_bus_j += active_w_ * span.seconds();
  }
  elapse(tick_.stretch(train_.now(), span, spent_on == BusTime::dma), spent_on != BusTime::driver);
}

void Machine::storage_selected(bool selected) {
  selected_ = selected;
  use(Activity::bus);
}

// --- what firmware calls -------------------------------------------------------------------------

void Machine::charge(heap::Work work, std::uint32_t count) {
  if (frozen_) return;
  const devices::CpuCosts& costs = scenario_.mcu.profile.costs;
  const devices::TransferCosts& bus = scenario_.storage.bus.costs(scenario_.storage.transfer);
  const auto cycles = [&](double each) {
    charge_cycles(static_cast<std::uint64_t>(std::llround(each * 1000.0)) * count, false);
  };
  switch (work) {
    case heap::Work::call: return cycles(costs.call);
    case heap::Work::step: return cycles(costs.step);
    case heap::Work::copied_byte: return cycles(costs.copied_byte);
    case heap::Work::checksum_byte: return cycles(costs.checksum_byte);
    case heap::Work::section: return cycles(costs.section);
    case heap::Work::compute_cycle: return charge_cycles(std::uint64_t{count} * 1000, true);
    case heap::Work::storage_write_call: return pass(bus.call_write, BusTime::driver);
    case heap::Work::storage_read_call: return pass(bus.call_read, BusTime::driver);
    case heap::Work::storage_write_empty: return pass(bus.call_write_empty, BusTime::driver);
    case heap::Work::storage_read_empty: return pass(bus.call_read_empty, BusTime::driver);
  }
}

// The clock's period is a fraction: what a division leaves over goes into the next charge.
void Machine::charge_cycles(std::uint64_t millicycles, bool calibrated) {
  if (critical_depth_ > 0) section_millicycles_ += millicycles;
  if (activity_ != Activity::compute) use(Activity::compute);
  // 2^63 / 1e9 millicycles are 9.2 million cycles: longer work goes in parts.
  constexpr std::uint64_t kPart = 9'000'000'000;
  while (millicycles > 0) {
    const std::uint64_t part = std::min(millicycles, kPart);
    millicycles -= part;
    const std::uint64_t total = part * 1'000'000'000 + cycle_remainder_;
    const Picoseconds span{static_cast<std::int64_t>(total / scenario_.mcu.clock_hz)};
    cycle_remainder_ = total % scenario_.mcu.clock_hz;
    if (!calibrated && !ghost_) {
      result_.charged_cpu += span;
      result_.charged_cpu_j += active_w_ * span.seconds();
    }
    elapse(tick_.stretch(train_.now(), span, false), false);
    if (activity_ != Activity::compute) use(Activity::compute);
  }
}

void Machine::enter_critical() {
  if (critical_depth_++ == 0) section_millicycles_ = 0;
}

void Machine::exit_critical() {
  assert(critical_depth_ > 0);
  if (--critical_depth_ > 0) return;
  if (mode_ == Mode::program) {  // elsewhere nothing waits for its end
    const auto cycles = static_cast<std::uint32_t>((section_millicycles_ + 999) / 1000);
    result_.longest_section_cycles = std::max(result_.longest_section_cycles, cycles);
  }
  if (train_.warn_asserted() && interruptible()) persist_interrupt();
}

std::uint32_t Machine::power_epoch() { return epoch_; }

void Machine::wait_since_power_on(std::uint32_t us) {
  const Picoseconds until = power_on_at_ + devices::microseconds(us);
  if (until > train_.now()) {
    use(Activity::compute);
    elapse(until - train_.now(), false);
  }
}

void Machine::unmask_persist() {
  persist_unmasked_ = true;
  train_.settle();
  result_.largest_start_j = std::max(result_.largest_start_j, ledger_.total_load_j() - turn_on_load_j_);
  if (train_.warn_asserted() && interruptible()) persist_interrupt();
}

void Machine::begin_send(heap::ConstBytes command, heap::OutStream data) { bus_.begin_send(command, data); }
void Machine::begin_receive(heap::ConstBytes command, heap::InStream data) {
  bus_.begin_receive(command, data);
}

heap::TransferState Machine::poll_bus() {
  const std::uint64_t transfers = bus_.counters().transfers;
  const heap::TransferState state = bus_.poll();
  if (state == heap::TransferState::done) {
    fingerprint_.add(Trace::transfer, train_.now(), bus_.counters().data_bytes);
    if (mode_ == Mode::program && persist_unmasked_) progress_ += bus_.counters().transfers - transfers;
  }
  return state;
}

void Machine::abort_bus() { bus_.abort(); }

void Machine::object_made(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number) {
  if (shadow_.find(home) != nullptr) fail(fmt::format("store address {} was given out twice", home));
  shadow_.make(home, size_bytes, number);
}

void Machine::object_changed(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes) {
  shadow_.change(home, offset, bytes);
}

void Machine::object_read(std::uint32_t home, heap::ConstBytes bytes) {
  ++result_.reads_compared;
  fail_if(shadow_.differs(home, bytes), "in a read");
}

void Machine::object_freed(std::uint32_t home) { shadow_.free(home); }

void Machine::operation_done() {
  if (frozen_) {
    verify_objects();
    fibers_.abandon_all();
  }
  ++result_.operations;
  ++progress_;
  fingerprint_.add(Trace::operation, train_.now(), result_.operations);
  if (verify_due_) verify_objects();
  if (scenario_.stop.operations && result_.operations >= *scenario_.stop.operations) {
    stop(StopReason::operations);
    verify_objects();
    fibers_.abandon_all();
  }
  if (result_.operations % kOperationsPerReport == 0) {
    if (options_.interrupted != nullptr && *options_.interrupted != 0) stop(StopReason::interrupted);
    if (options_.progress)
      options_.progress({train_.now(), result_.operations, result_.persisted + result_.lost});
  }
}

void Machine::give_up(heap::Error error, const char* doing) {
  fail(fmt::format("the workload could not go on: {} (error {})", doing, static_cast<int>(error)));
}

// --- endings -------------------------------------------------------------------------------------

void Machine::stop(StopReason reason) {
  if (frozen_) return;
  frozen_ = true;
  const bool of_the_supply =
      reason == StopReason::time || reason == StopReason::source_ended || reason == StopReason::no_progress;
  result_.stop_reason = reason;
  // A run that ends in time but did nothing is no success.
  if (of_the_supply && result_.operations == 0) result_.stop_reason = StopReason::no_progress;
  if (of_the_supply && result_.turn_ons == 0) result_.stop_reason = StopReason::never_turned_on;
  fingerprint_.add(Trace::stopped, train_.now(), static_cast<std::uint64_t>(result_.stop_reason));
}

// Goes back to run() at once. Abandoned frames free nothing, so the words are moved out of them first.
void Machine::fail(std::string what) {
  frozen_ = false;
  stop(StopReason::check_failed);
  result_.failure = std::move(what);
  fibers_.abandon_all();
}

void Machine::fail_if(std::optional<std::string> fault, const char* when) {
  if (!fault) return;
  std::string what = fmt::format("{} at {} ps: {}", when, train_.now().count, *fault);
  fault.reset();
  fail(std::move(what));
}

// At the boundary of an operation: every object equals its copy, and the structures are sound.
void Machine::verify_objects() {
  verify_due_ = false;
  fail_if(object_fault(), "at the end of an operation");
  result_.objects_compared += shadow_.size();
}

std::optional<std::string> Machine::object_fault() const {
  const heap::Geometry& geometry = firmware_->geometry();
  if (auto fault = shadow_.differs_anywhere(geometry, ram_, fram_.memory())) return fault;
  return structure_fault(geometry, ram_, fram_.memory(), shadow_.homes());
}

RunResult Machine::finish() {
  train_.close();
  result_.simulated = train_.now();
  result_.bus_transactions = bus_.counters().transactions;
  result_.bus_aborted = bus_.counters().aborted;
  result_.bus_data_bytes = bus_.counters().data_bytes;
  result_.bus_drained_bytes = bus_.counters().drained_bytes;
  result_.violations = fram_.violations();
  result_.final_j = train_.stored_j();
  result_.final_v = train_.terminal_v();
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<Phase>(i);
    result_.phases[i] = {ledger_.time(phase), ledger_.cpu_j(phase), ledger_.bus_j(phase),
                         ledger_.storage_j(phase)};
  }
  result_.harvested_j = ledger_.harvested_j();
  result_.leakage_j = ledger_.leakage_j();
  result_.esr_j = ledger_.esr_j();
  result_.clipped_j = ledger_.clipped_j();
  result_.balance = ledger_.check();
  result_.fingerprint = fingerprint_.value();
  result_.complete = result_.stop_reason != StopReason::interrupted;
  if (result_.failure.empty() && result_.balance.relative_error > 1e-9) {
    result_.stop_reason = StopReason::check_failed;
    result_.failure = fmt::format("the energy books disagree by {:.3g} of the energy turned over ({})",
                                  result_.balance.relative_error, result_.balance.worst);
  }
  if (result_.failure.empty() && !(result_.violations == devices::FramViolations{})) {
    result_.stop_reason = StopReason::check_failed;
    result_.failure =
        fmt::format("the FRAM was misused: {} writes without WEL, {} accesses before t_PU, {} opcodes",
                    result_.violations.write_without_wel, result_.violations.access_before_ready,
                    result_.violations.unknown_opcode);
  }
  const StopReason reason = result_.stop_reason;
  result_.pass = result_.lost == 0 && result_.failure.empty() &&
                 (reason == StopReason::time || reason == StopReason::operations ||
                  reason == StopReason::source_ended || reason == StopReason::interrupted);
  return std::move(result_);
}

void Machine::fill_pattern(std::span<std::byte> bytes) {
  devices::SplitMix64 random(++pattern_);
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, bytes.size() - i));
  }
}

}  // namespace brownout::sim
