// The machine as the firmware and the bus see it: time, work, interrupts, transfers, and the test bench.
#include <algorithm>
#include <cassert>
#include <cmath>

#include <fmt/format.h>

#include "sim/machine/machine.hpp"
#include "sim/machine/words.hpp"

namespace brownout::sim {
namespace {

constexpr std::uint64_t kOperationsPerReport = 256;

// As heap/types.hpp has it.
const char* name_of(heap::Error error) {
  switch (error) {
    case heap::Error::none: return "none";
    case heap::Error::no_ram: return "no_ram";
    case heap::Error::no_storage: return "no_storage";
    case heap::Error::dirty_limit: return "dirty_limit";
    case heap::Error::too_large: return "too_large";
    case heap::Error::no_slot: return "no_slot";
    case heap::Error::out_of_range: return "out_of_range";
    case heap::Error::invalid_handle: return "invalid_handle";
    case heap::Error::borrowed: return "borrowed";
    case heap::Error::storage_failed: return "storage_failed";
    case heap::Error::wrong_part: return "wrong_part";
    case heap::Error::bad_configuration: return "bad_configuration";
    case heap::Error::empty: return "empty";
    case heap::Error::torn: return "torn";
    case heap::Error::stale: return "stale";
    case heap::Error::foreign: return "foreign";
    case heap::Error::wrong_version: return "wrong_version";
    case heap::Error::no_root: return "no_root";
  }
  return "unknown";
}

}  // namespace

// Lets time pass under the present load; the persist interrupt strikes inside. Waiting for the wire ends
// with an interrupt, because the transfer does; CPU work goes on after it.
void Machine::elapse(Picoseconds span, bool ends_with_interrupt) {
  Picoseconds left = span;
  const std::uint32_t epoch = epoch_;
  while (left.count > 0 && !frozen_) {
    if (ghost_) {
      ghost_j_ += train_.drawn_w() * left.seconds();
      ghost_time_ += left;
      return;
    }
    const Picoseconds before = train_.now();
    const Picoseconds until = std::min(before + left, limit_);
    const PowerEvent event = train_.run_until(until);
    if (watches_vdd()) fram_.supply(train_.terminal_v());
    left -= train_.now() - before;
    if (computing_ && train_.now() > before) ++work_;
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
      note_delay();
      if (interruptible()) persist_interrupt();
      break;
    case PowerEvent::brown_out: power_failed(); break;
    case PowerEvent::source_ended: stop(StopReason::source_ended); break;
    case PowerEvent::recovered: break;
    case PowerEvent::none: assert(false && "not an event"); break;
  }
}

During Machine::during() const {
  switch (mode_) {
    case Mode::program:
      if (!persist_unmasked_) return During::start;
      return critical_depth_ > 0 ? During::section : During::program;
    case Mode::persist: return During::persist;
    case Mode::cold_boot:
    case Mode::boot: return During::start;
    case Mode::off:
    case Mode::asleep: break;
  }
  assert(false && "nothing runs");
  return During::start;
}

// The supply fails at this instant if the plan wants it; the time that passes next is the first to notice.
void Machine::plan_outage(PointKind kind) {
  if (options_.plan == nullptr || frozen_ || ghost_) return;
  const During doing = during();
  const Strike strike = options_.plan->at({kind, doing});
  if (strike == Strike::none) return;
  const bool warns = strike != Strike::power_loss;
  assert((!warns || doing == During::program || doing == During::section) && "nobody listens to a warning");
  if (warns && !train_.bench_holds()) return;  // it failed before, and the persist is still to come
  false_alarm_planned_ = strike == Strike::false_alarm;
  const Thresholds& levels = scenario_.supply.thresholds;
  train_.bench_off(warns ? levels.warn_v : levels.brown_out_v);
}

void Machine::enter(Mode mode, Phase phase) {
  mode_ = mode;
  phase_ = phase;
  if (RunObserver* told = observer()) told->doing(train_.now(), doing());
  // Without a bus, whose next transfer would say so, the load goes on as it is under the new phase.
  if (is_mapped() && !frozen_) train_.set_load(train_.load(), phase);
}

void Machine::use(Activity activity) {
  activity_ = activity;
  if (frozen_) return;
  const devices::McuProfile& mcu = scenario_.mcu.profile;
  Load load;
  switch (activity) {
    case Activity::compute: load.cpu_w = active_w_; break;
    case Activity::bus: load.bus_w = active_w_; break;
    case Activity::sleep: load.cpu_w = mcu.sleep_a * mcu.rail_v; break;
    case Activity::deep_sleep: load.cpu_w = mcu.deep_sleep_a * mcu.rail_v; break;
    case Activity::off: break;
  }
  if (activity != Activity::off) load.storage_w = selected_ ? fram_active_w_ : fram_standby_w_;
  if (mode_ == Mode::program) load.peripherals_w = peripherals_w_;
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
  plan_outage(spent_on == BusTime::driver ? PointKind::work : PointKind::byte);
  if (spent_on == BusTime::driver && !scenario_.storage.bus.calibrated) {
    result_.uncalibrated_bus += span;
    result_.uncalibrated_bus_j += active_w_ * span.seconds();
  }
  const bool beside = spent_on == BusTime::dma;
  elapse(beside ? tick_.stretch_beside(now(), span) : tick_.stretch(now(), span),
         spent_on != BusTime::driver);
}

void Machine::storage_selected(bool selected) {
  if (RunObserver* told = observer()) told->selected(train_.now(), selected);
  selected_ = selected;
  use(Activity::bus);
}

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
    case heap::Work::checksum_byte_by_table: return cycles(costs.checksum_byte_by_table);
    case heap::Work::section: return cycles(costs.section);
    case heap::Work::compute_cycle: return charge_cycles(std::uint64_t{count} * 1000, true);
    case heap::Work::storage_write_call:
      if (is_mapped()) return cycles(costs.call);
      return pass(bus.call_write, BusTime::driver);
    case heap::Work::storage_read_call:
      if (is_mapped()) return cycles(costs.call);
      return pass(bus.call_read, BusTime::driver);
    case heap::Work::storage_write_empty: return pass(bus.call_write_empty, BusTime::driver);
    case heap::Work::storage_read_empty: return pass(bus.call_read_empty, BusTime::driver);
  }
}

// The clock's period is a fraction: what a division leaves over goes into the next charge.
void Machine::charge_cycles(std::uint64_t millicycles, bool calibrated, PointKind kind) {
  if (critical_depth_ > 0) section_millicycles_ += millicycles;
  if (activity_ != Activity::compute) use(Activity::compute);
  plan_outage(kind);
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
    const bool outer = computing_;  // of the work that this one may have interrupted
    computing_ = calibrated && mode_ == Mode::program;
    elapse(tick_.stretch(now(), span), false);
    computing_ = outer;
    if (activity_ != Activity::compute) use(Activity::compute);
  }
}

void Machine::charge_copy(double cycles, PointKind kind) {
  if (!frozen_) charge_cycles(static_cast<std::uint64_t>(std::llround(cycles * 1000.0)), false, kind);
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
    // The run is over, and time stands still: the part answers all the same.
    if (train_.now() < until) {
      fram_.power_off();
      fram_.power_on(train_.now() - scenario_.storage.part.power_up);
    }
  }
}

void Machine::unmask_persist() {
  if (recovery_.pending() && !recovery_.attached()) fail("a start after a loss took the store for empty");
  persist_unmasked_ = true;
  note_running();
  operation_ = running_;
  operation_epoch_ = epoch_;
  if (RunObserver* told = observer()) told->program_starts(train_.now());
  result_.largest_start_j = std::max(result_.largest_start_j, ledger_.drawn_j() - turn_on_drawn_j_);
  if (train_.warn_asserted() && interruptible()) persist_interrupt();
}

// Time of a clock, not of the CPU: ticks of an RTOS do not stretch it.
void Machine::phase(std::uint64_t duration_us, std::uint64_t load_ua, bool sleeping) {
  if (frozen_) return;
  peripherals_w_ = static_cast<double>(load_ua) / 1e6 * scenario_.mcu.profile.rail_v;
  use(sleeping ? Activity::sleep : Activity::compute);
  // What a custom workload switches on is known from now on.
  result_.persist_bound.allow_load(train_.load().total_w(), train_.flows(), persist_range(scenario_.supply));
  computing_ = true;
  elapse(devices::microseconds(static_cast<std::int64_t>(duration_us)), false);
  computing_ = false;
  peripherals_w_ = 0;
  use(Activity::compute);
  tick_.skip_to(train_.now());
}

void Machine::begin_send(heap::ConstBytes command, heap::OutStream data) {
  show_access(command);
  bus_->begin_send(command, data);
  lose_as_planned();
}
void Machine::begin_receive(heap::ConstBytes command, heap::InStream data) {
  show_access(command);
  bus_->begin_receive(command, data);
  lose_as_planned();
}

void Machine::lose_as_planned() {
  if (options_.plan == nullptr || frozen_ || ghost_) return;
  if (options_.plan->loses_transaction(during())) bus_->lose();
}

void Machine::storage_event(heap::StorageEvent event) { result_.noticed.add(event); }

heap::TransferState Machine::poll_bus() {
  const std::uint64_t transfers = counters().transfers;
  const heap::TransferState state = bus_->poll();
  if (state == heap::TransferState::failed) show_access_over(AccessEnd::timed_out);
  if (state == heap::TransferState::done) {
    show_access_over(AccessEnd::done);
    fingerprint_.add(Trace::transfer, train_.now(), counters().data_bytes);
    if (mode_ == Mode::program && persist_unmasked_) progress_ += counters().transfers - transfers;
  }
  return state;
}

void Machine::abort_bus() {
  const std::uint64_t completed = counters().transactions;
  bus_->abort();  // one that cannot be stopped comes to its end
  show_access_over(counters().transactions > completed ? AccessEnd::done : AccessEnd::aborted);
}

// A burst, and then each of its words, as a point in time of its own. In a critical section: the interrupt
// waits, power that fails does not.
void Machine::store(std::uint32_t address, heap::ConstBytes bytes) {
  const devices::CpuCosts& costs = scenario_.mcu.profile.costs;
  const std::uint32_t waits = scenario_.storage.part.wait_states(scenario_.mcu.clock_hz);
  show_access({std::nullopt, address, true});
  charge_copy(costs.burst, PointKind::work);
  for_each_word(address, bytes, [&](std::uint32_t at, heap::ConstBytes word) {
    fram_.begin_store(at, word.size);
    charge_copy(costs.stored_word + waits, PointKind::byte);
    fram_.store(at, {reinterpret_cast<const std::uint8_t*>(word.data), word.size});
  });
  copies_.data_bytes += bytes.size;
}

// A row is waited for once; its other words come from the controller's cache.
void Machine::load(std::uint32_t address, heap::MutableBytes bytes) {
  const devices::CpuCosts& costs = scenario_.mcu.profile.costs;
  const devices::FramPart& part = scenario_.storage.part;
  const std::uint32_t waits = part.wait_states(scenario_.mcu.clock_hz);
  show_access({std::nullopt, address, false});
  charge_copy(costs.burst, PointKind::work);
  for_each_word(address, bytes, [&](std::uint32_t at, heap::MutableBytes word) {
    const bool is_in_cache = at != address && at % part.row_bytes != 0;
    charge_copy(costs.loaded_word + (is_in_cache ? 0 : waits), PointKind::byte);
    fram_.load(at, {reinterpret_cast<std::uint8_t*>(word.data), word.size});
  });
  copies_.data_bytes += bytes.size;
}

void Machine::copy_over(bool done) {
  ++(done ? copies_.transfers : copies_.aborted);
  show_access_over(done ? AccessEnd::done : AccessEnd::aborted);
  if (!done) return;
  fingerprint_.add(Trace::transfer, train_.now(), copies_.data_bytes);
  if (mode_ == Mode::program && persist_unmasked_) ++progress_;
}

void Machine::object_made(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number) {
  if (shadow_.find(home) != nullptr || recovery_.has(home))
    fail(fmt::format("store address {} was given out twice", home));
  shadow_.make(home, size_bytes, number);
}

void Machine::object_changed(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes) {
  if (shadow_.find(home) == nullptr)
    fail(fmt::format("an object was written at store address {} where there is none", home));
  shadow_.change(home, offset, bytes, fram_.memory());
}

void Machine::object_read(std::uint32_t home, heap::ConstBytes bytes) {
  ++result_.reads_compared;
  fail_if(shadow_.differs(home, bytes), "in a read");
}

void Machine::object_freed(std::uint32_t home) {
  shadow_.free(home);
  recovery_.free(home);
}

void Machine::object_in_doubt(std::uint32_t home) { recovery_.doubt(home); }

void Machine::attached(bool from_image) {
  fail_if(recovery_.attach(from_image), "in an attach");
  verify_due_ = true;
}

// What it has is what is home: the program has not written it since it attached.
void Machine::object_kept(std::uint32_t home, std::uint32_t size_bytes) {
  const std::span<const std::uint8_t> store = fram_.memory();
  if (home > store.size() || size_bytes > store.size() - home) fail("an object beyond the store was kept");
  const heap::ConstBytes content{reinterpret_cast<const std::byte*>(store.data()) + home, size_bytes};
  fail_if(recovery_.keep(home, content, shadow_), "after an attach");
}

void Machine::objects_reclaimed(std::uint32_t count) {
  end_recovery(count);
  fail_if(structure_fault(), "after an attach");
}

// The program has found its objects again; those that it has not are gone.
void Machine::end_recovery(std::uint32_t reclaimed) {
  if (!recovery_.pending()) return;
  const Recovered recovered = recovery_.end(reclaimed);
  fingerprint_.add(Trace::recovered, train_.now(), std::uint64_t{recovered.kept});
  Attaches& all = result_.attaches;
  ++all.count;
  all.from_image += recovered.from_image ? 1 : 0;
  all.in_doubt += recovered.in_doubt;
  all.kept += recovered.kept;
  all.fell_back += recovered.fell_back;
  all.reclaimed += recovered.reclaimed;
  if (result_.losses.size() == result_.lost) result_.losses.back().recovered = recovered;
}

void Machine::operation_done() {
  end_recovery(0);  // if the program never said so
  if (frozen_) {
    verify_objects();
    fibers_.abandon_all();
  }
  ++result_.operations;
  ++work_;
  if (RunObserver* told = observer()) told->operation_done(train_.now(), result_.operations);
  show_heap();
  note_operation();
  plan_outage(PointKind::operation);
  fingerprint_.add(Trace::operation, train_.now(), result_.operations);
  if (verify_due_) verify_objects();
  if (scenario_.stop.operations && result_.operations >= *scenario_.stop.operations) {
    stop(StopReason::operations);
    verify_objects();
    fibers_.abandon_all();
  }
  if (result_.operations % kOperationsPerReport == 0) {
    if (interrupted()) stop(StopReason::interrupted);
    if (options_.progress)
      options_.progress({train_.now(), result_.operations, result_.persisted + result_.lost});
  }
}

// What went before the first one, such as making the objects, is no part of an operation, unless there is no
// other.
void Machine::note_operation() {
  const Mark end{train_.now(), train_.drawn_j()};
  const double energy_j = end.drawn_j - operation_.drawn_j;
  const bool undisturbed = operation_epoch_ == epoch_;
  if (undisturbed && (result_.operations <= 2 || energy_j > result_.largest_operation_j)) {
    result_.largest_operation_j = energy_j;
    result_.largest_operation_time = end.at - operation_.at;
  }
  operation_ = end;
  operation_epoch_ = epoch_;
}

void Machine::calls(firmware::MemoryCall call) {
  if (RunObserver* told = observer()) told->memory_call(train_.now(), call);
}

// --- the observer --------------------------------------------------------------------------------

Doing Machine::doing() const {
  switch (mode_) {
    case Mode::off: return Doing::off;
    case Mode::cold_boot: return Doing::boot;
    case Mode::program: return Doing::run;
    case Mode::persist: return Doing::persist;
    case Mode::boot: return phase_ == Phase::boot ? Doing::boot : Doing::restore;
    case Mode::asleep: return Doing::asleep;
  }
  return Doing::off;
}

RunObserver* Machine::observer() {
  if (options_.observer == nullptr || frozen_ || ghost_) return nullptr;
  train_.show();
  return options_.observer;
}

void Machine::show(Moment what) {
  if (RunObserver* told = observer()) told->moment(train_.now(), what);
}

// Without a bus a transfer has several bursts, the first of which begins it.
void Machine::show_access(const StoreAccess& what) {
  if (access_shown_) return;
  RunObserver* told = observer();
  if (told == nullptr) return;
  access_shown_ = true;
  bytes_before_access_ = counters().data_bytes;
  told->access(train_.now(), what);
}

void Machine::show_access(heap::ConstBytes command) {
  if (options_.observer != nullptr) show_access(access_of(command));
}

void Machine::show_access_over(AccessEnd end) {
  if (!access_shown_) return;
  RunObserver* told = observer();
  if (told == nullptr) return;
  access_shown_ = false;
  told->access_over(train_.now(), end, counters().data_bytes - bytes_before_access_);
}

void Machine::show_power_cut() {
  show_access_over(AccessEnd::cut);
  RunObserver* told = observer();
  if (told != nullptr && selected_) told->selected(train_.now(), false);
}

void Machine::show_heap() {
  RunObserver* told = observer();
  if (told != nullptr) told->heap(train_.now(), heap_state_of(*inspector_, ram_, shadow_.objects()));
}

void Machine::give_up(heap::Error error, const char* doing) {
  std::string what = fmt::format("the workload could not go on: {} ({})", doing, name_of(error));
  what += after_retries(error);
  fail(std::move(what));
}

}  // namespace brownout::sim
