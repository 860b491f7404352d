#include "sim/machine/machine.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <fmt/format.h>

#include "sim/machine/sizing.hpp"
#include "sim/scenario/quantity.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kProgramStackBytes = 512 * 1024;
constexpr std::size_t kBootStackBytes = 128 * 1024;
// A program that completes no transfer and computes nothing in so many power cycles on end, or completes no
// operation and computes nothing in so many, will never come forward.
constexpr std::uint32_t kCyclesWithoutTransfer = 100;
constexpr std::uint32_t kCyclesWithoutWork = 10'000;
// How far the clock jumps at most between two looks at the keyboard.
constexpr Picoseconds kLongWait{600 * devices::kPicosecondsPerSecond};
constexpr std::size_t kLossesKept = 100;
constexpr std::size_t kLostObjectsNamed = 32;

std::span<std::byte> bytes_of(std::vector<std::uint64_t>& words, std::size_t size) {
  return {reinterpret_cast<std::byte*>(words.data()), size};
}

std::uint32_t rounded_os_bytes(const Scenario& scenario) {
  return heap::round_up_8(scenario.mcu.os_save_bytes);
}

// Garbage has draws of its own, apart from those of RAM and sources.
devices::FramFaults faults_of(const Scenario& scenario) {
  constexpr std::uint64_t kGarbage = 0x4652'414D'2067'6172;
  return {scenario.storage.power_loss, scenario.seed ^ kGarbage};
}

// A bench supply has no leakage to cover.
SupplyConfig supply_of(const Scenario& scenario, bool planned) {
  SupplyConfig supply = supply_of(scenario);
  if (planned) {
    supply.capacitor.leakage_ohm = std::numeric_limits<double>::infinity();
    supply.leakage_a = 0;
  }
  return supply;
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
  config.store_unit_bytes = scenario.heap.store_unit_bytes;
  config.os_bytes = rounded_os_bytes(scenario);
  config.max_roots = scenario.heap.roots;
  config.write_intents = scenario.heap.write_intents;
  return config;
}

firmware::Image image_of(const Scenario& scenario, std::span<std::byte> ram, std::span<std::byte> os_part) {
  const StorageConfig& storage = scenario.storage;
  firmware::Image image;
  image.heap = heap_config_of(scenario);
  image.memory = scenario.heap.memory;
  image.storage.size_bytes = storage.part.size_bytes;
  image.storage.address_bytes = storage.part.address_bytes;
  image.storage.power_up_us =
      static_cast<std::uint32_t>((storage.part.power_up.value.count + 999'999) / 1'000'000);
  image.storage.slice_bytes = storage.slice_bytes;
  image.storage.retries = storage.retries;
  image.verify = storage.verify;
  const devices::FramIdentity& identity = storage.part.rdid;
  image.storage.identity_bytes = identity.size;
  for (std::uint32_t i = 0; i < identity.size; ++i) image.storage.identity[i] = std::byte{identity.bytes[i]};
  if (storage.part.is_mapped) image.mapped_bytes = storage.part.size_bytes;
  image.workload = scenario.workload;
  image.ram = ram;
  image.os_part = os_part;
  image.attach = scenario.mcu.on_loss == OnLoss::attach;
  return image;
}

std::unique_ptr<MemoryInspector> make_inspector(const Scenario& scenario) {
  const firmware::MemoryOptions& memory = scenario.heap.memory;
  const std::uint32_t storage_bytes = scenario.storage.part.size_bytes;
  if (memory.kind != firmware::MemoryKind::heap) {
    const firmware::BaselinePlan plan =
        firmware::plan_baseline(heap_config_of(scenario), memory, storage_bytes);
    assert(plan.status().ok() && "the scenario was checked");
    return make_baseline_inspector(plan, memory.kind);
  }
  heap::Geometry geometry;
  const heap::Error error = firmware::plan_heap(heap_config_of(scenario), memory, storage_bytes, geometry);
  assert(error == heap::Error::none && "the scenario was checked");
  static_cast<void>(error);
  return make_heap_inspector(geometry, memory);
}

Machine::Machine(const Scenario& scenario, std::unique_ptr<devices::Source> source, Ledger& ledger,
                 RunOptions options)
    : scenario_(scenario),
      options_(std::move(options)),
      ledger_(ledger),
      source_period_(source->period()),
      train_(supply_of(scenario, options_.plan != nullptr), std::move(source), ledger),
      fram_(scenario.storage.part, faults_of(scenario)),
      tick_(scenario.storage.bus.tick),
      ram_words_(scenario.heap.ram_bytes / 8 + 1),
      ram_(bytes_of(ram_words_, scenario.heap.ram_bytes)),
      os_words_(rounded_os_bytes(scenario) / 8 + 1),
      os_part_(bytes_of(os_words_, rounded_os_bytes(scenario))),
      firmware_(firmware::make_firmware(image_of(scenario, ram_, os_part_), *this)),
      inspector_(make_inspector(scenario)),
      program_stack_(kProgramStackBytes),
      boot_stack_(kBootStackBytes),
      limit_(scenario.stop.time.value_or(kLongestTime)),
      pattern_(scenario.seed) {
  if (!is_mapped()) {
    const StorageConfig& storage = scenario.storage;
    Timekeeper& clock = *this;
    bus_.emplace(storage.bus.costs(storage.transfer), storage.sck_hz, fram_, clock);
  }
  const McuConfig& mcu = scenario.mcu;
  active_w_ = mcu.profile.active_a_at(mcu.clock_hz) * mcu.profile.rail_v;
  const StorageConfig& storage = scenario.storage;
  fram_active_w_ = storage.part.active_a_at(storage.sck_hz) * mcu.profile.rail_v;
  fram_standby_w_ = storage.part.standby_a * mcu.profile.rail_v;
  result_.initial_j = train_.stored_j();
  if (storage.bus_faults.any()) faults_.emplace(storage.bus_faults, storage.part.size_bytes, scenario.seed);
  inject_faults(true);
  result_.cycles.begin(result_.initial_j);
  if (options_.all_cycles) result_.cycles.keep_all();
  train_.watch(&result_.cycles, options_.observer);
  result_.persist_bound = options_.bound ? *options_.bound : persist_bound(scenario);
  if (attaches()) shadow_.follow_versions();
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
  recovery_.start();
  verify_due_ = false;
  persist_unmasked_ = false;
  critical_depth_ = 0;
  computing_ = false;
  peripherals_w_ = 0;
  enter(Mode::cold_boot, Phase::boot);
  boot_phases();
  enter(Mode::program, Phase::run);
  firmware_->cold_start();
  // A custom workload may forget to say so, and would then pass whatever it did.
  if (!frozen_ && result_.operations == 0) fail("the workload ended without an operation (operation_done())");
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
  if (options_.plan != nullptr) train_.bench_on();
  // Back at turn-on before the persist ended: no crossing is left to wait for.
  if (train_.powered() && !train_.warn_asserted()) {
    note_turn_on();
    return true;
  }
  const auto one_period_on = [this] {
    const bool reachable = source_period_ && *source_period_ < devices::kForever - train_.now();
    return reachable ? train_.now() + *source_period_ : devices::kForever;
  };
  Picoseconds period_end = one_period_on();
  double period_v = train_.terminal_v();
  for (;;) {
    if (train_.nothing_ahead()) {
      stop(StopReason::no_progress);
      return false;
    }
    const Picoseconds step = std::min({limit_, period_end, train_.now() + kLongWait});
    switch (train_.run_until(step)) {
      case PowerEvent::recovered: note_turn_on(); return true;
      case PowerEvent::source_ended: stop(StopReason::source_ended); return false;
      case PowerEvent::warn:
      case PowerEvent::brown_out:  // after a shutdown, above the level: the board is off already
      case PowerEvent::none: break;
    }
    if (train_.now() == limit_) {
      stop(StopReason::time);
      return false;
    }
    if (interrupted()) {
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
      period_end = one_period_on();
    }
  }
}

void Machine::note_turn_on() {
  train_.settle();
  power_on_at_ = train_.now();
  turn_on_drawn_j_ = ledger_.drawn_j();
  fram_.power_on(power_on_at_);
  ++result_.turn_ons;
  result_.cycles.turn_on({power_on_at_, train_.terminal_v()}, train_.stored_j());
  fingerprint_.add(Trace::turn_on, train_.now(), train_.terminal_v());
}

// --- outages -------------------------------------------------------------------------------------

bool Machine::interruptible() const {
  return mode_ == Mode::program && persist_unmasked_ && critical_depth_ == 0 && !frozen_ && !ghost_;
}

// On the stack of whatever it interrupts; returns when the interrupted code may go on. The warning is a
// level: if it stands again after the restore, the next persist follows at once.
void Machine::persist_interrupt() {
  assert(critical_depth_ == 0);
  const Activity activity = activity_;
  const bool computing = computing_;
  do {
    note_power_cycle();
    if (frozen_) break;
    const bool dirty = persist_now();
    const AfterPersist after = scenario_.mcu.after_persist;
    const bool recovered = after != AfterPersist::shutdown && !sleep_until_outage();
    if (recovered && after == AfterPersist::sleep) {
      ++result_.false_alarms;
      result_.cycles.false_alarm();
      show(Moment::false_alarm);
      tick_.skip_to(train_.now());  // what struck asleep took nobody's time
    } else {
      // A run that ended in the persist or asleep saw no outage; what was saved is brought back all the same.
      const bool happened = !frozen_;
      if (happened) ++result_.persisted;
      if (happened && dirty) ++result_.with_dirty_data;
      show(Moment::outage);
      outage_and_restore();
      if (happened) ++result_.outages_compared;
    }
    enter(Mode::program, Phase::run);
    note_running();
    use(activity);
    computing_ = computing;
  } while (train_.warn_asserted() && !frozen_);
}

// Saves everything; true if something was dirty. Does not return if the energy is not enough.
bool Machine::persist_now() {
  tick_.skip_to(train_.now());  // those of a phase that it interrupts
  if (is_mapped()) show_access_over(AccessEnd::aborted);
  enter(Mode::persist, Phase::persist);
  show_heap();
  use(Activity::compute);
  ++epoch_;
  fill_pattern(os_part_);  // the OS's data are never the same twice
  ram_before_.assign(ram_.begin(), ram_.end());
  os_before_.assign(os_part_.begin(), os_part_.end());
  const bool dirty = anything_dirty();
  if (bus_) bus_->catch_up_with_wire();
  const BusCounters before = counters();
  note_persist_begin();
  log(CycleEvent::persist_begin);
  fingerprint_.add(Trace::persist_begin, train_.now(), train_.terminal_v());

  const heap::Status status = firmware_->persist();
  if (ghost_) lose(true);
  if (!status.ok()) {
    std::string what = fmt::format("the persist reported an error of the storage{}", after_retries(status));
    fail(std::move(what));
  }
  if (attaches()) {
    shadow_.note_image(fram_.memory());
    recovery_.note_image(fram_.memory());
  }

  train_.settle();
  const double energy_j = ledger_.drawn_j() - persist_begin_j_;
  const double time_s = (train_.now() - persist_begin_).seconds();
  if (!frozen_) {
    result_.persist.time_s.add(time_s);
    result_.persist.energy_j.add(energy_j);
    result_.persist.bytes.add(static_cast<double>(counters().data_bytes - before.data_bytes));
    result_.persist.transactions.add(static_cast<double>(counters().transactions - before.transactions));
    result_.lowest_persist_end_v = std::min(result_.lowest_persist_end_v, train_.terminal_v());
    result_.cycles.persisted(train_.now() - crossing_.at, train_.terminal_v());
    log(CycleEvent::persist_end);
    show(Moment::persisted);
    check_persist(before);
  }
  fingerprint_.add(Trace::persist_end, train_.now(), train_.terminal_v());
  return dirty;
}

// From the warning level on, so that waiting for the end of a critical section counts.
void Machine::check_persist(const BusCounters& before) {
  PersistCost cost;
  cost.bytes = counters().data_bytes - before.data_bytes;
  cost.transactions = counters().transactions - before.transactions;
  cost.time = train_.now() - crossing_.at;
  cost.energy_j = ledger_.drawn_j() - crossing_.drawn_j;
  if (cost.time.count > 0) {
    const double needed_f =
        capacitance_for(cost.energy_j, cost.energy_j / cost.time.seconds(), scenario_.supply);
    result_.needed_capacitance_f = std::max(result_.needed_capacitance_f, needed_f);
  }
  const PersistBound bound = bound_at(train_.since_crossing());
  OverBound& largest = result_.largest_over_bound;
  largest.bytes = std::max(largest.bytes, static_cast<double>(cost.bytes) / bound.bytes);
  largest.time = std::max(largest.time, cost.time.seconds() / bound.times.total().seconds());
  largest.energy = std::max(largest.energy, cost.energy_j / bound.energy_j());
  fail_if(excess_over(bound, cost), "in a persist");
}

// The bound is that of the range in which a persist is sized; a source can lift the voltage above it.
PersistBound Machine::bound_at(const VoltageRange& range) const {
  PersistBound bound = result_.persist_bound;
  const VoltageRange& rated = bound.rated;
  const bool covers = range.lowest_v > rated.lowest_v - kCellV && range.highest_v < rated.highest_v + kCellV;
  if (!covers && train_.flows().depends_on_voltage()) {
    bound.rate(train_.flows(),
               {std::min(range.lowest_v, rated.lowest_v), std::max(range.highest_v, rated.highest_v)});
  }
  return bound;
}

// Apart, because a persist that is cut never returns, and what its frames own would be lost with it.
bool Machine::anything_dirty() const { return inspector_->anything_dirty(ram_, shadow_.objects()); }

// The latency ends here, with the warning or with the loss of power.
void Machine::note_delay() {
  train_.settle();
  delay_ = {ledger_.drawn_j() - train_.warn_crossing()->drawn_j, 0, train_.terminal_v()};
  log(CycleEvent::warn);
}

void Machine::note_running() {
  train_.settle();
  running_ = {train_.now(), ledger_.drawn_j()};
  log(CycleEvent::running);
}

// The warning level may have been crossed before the program ran, in boot or restore.
void Machine::note_persist_begin() {
  train_.settle();
  const WarnCrossing& crossing = *train_.warn_crossing();
  crossing_ = crossing.at >= running_.at ? Mark{crossing.at, crossing.drawn_j} : running_;
  persist_begin_ = train_.now();
  persist_begin_j_ = ledger_.drawn_j();
  persist_begin_v_ = train_.terminal_v();
}

// After a persist, waiting for what the supply does. True: it failed; false: it recovered.
bool Machine::sleep_until_outage() {
  enter(Mode::asleep, Phase::off);
  use(scenario_.mcu.after_persist == AfterPersist::sleep ? Activity::sleep : Activity::deep_sleep);
  log(CycleEvent::asleep);
  if (false_alarm_planned_ && !frozen_) train_.bench_on();
  false_alarm_planned_ = false;
  if (!frozen_ && !train_.warn_asserted()) return false;  // back before the persist ended
  while (!frozen_) {
    switch (train_.run_until(std::min(limit_, train_.now() + kLongWait))) {
      case PowerEvent::brown_out: return true;
      case PowerEvent::recovered: return false;
      case PowerEvent::source_ended: stop(StopReason::source_ended); break;
      case PowerEvent::warn: break;
      case PowerEvent::none:
        if (train_.now() == limit_) stop(StopReason::time);
        if (interrupted()) stop(StopReason::interrupted);
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
      show(Moment::in_boot);
      note_power_cycle();
    }
  }
  fail_if(state_fault(), "after a restore");
  if (!std::equal(os_part_.begin(), os_part_.end(), os_before_.begin()))
    fail("the OS part came back changed");
  verify_due_ = true;
  fingerprint_.add(Trace::restored, train_.now(), result_.persisted);
  show_heap();
}

// Apart, as anything_dirty(): a check that fails never returns.
std::optional<std::string> Machine::state_fault() const {
  return inspector_->outage_changed(ram_before_, ram_, shadow_.objects());
}

// On the second stack. What a boot before it left off in the middle of is forgotten.
void Machine::boot_and_restore() {
  critical_depth_ = 0;
  computing_ = false;
  enter(Mode::boot, Phase::boot);
  boot_phases();
  enter(Mode::boot, Phase::restore);
  train_.settle();
  const Picoseconds begin = train_.now();
  const double begin_j = ledger_.drawn_j();
  const BusCounters before = counters();
  log(CycleEvent::restore_begin);
  const heap::Status status = firmware_->restore();
  if (!status.ok()) {
    std::string what = fmt::format("the restore after a complete persist reported error {}{}",
                                   static_cast<int>(status.error()), after_retries(status));
    fail(std::move(what));
  }
  train_.settle();
  if (!frozen_) {
    result_.largest_start_j = std::max(result_.largest_start_j, ledger_.drawn_j() - turn_on_drawn_j_);
    result_.cycles.restored(train_.now() - begin);
    log(CycleEvent::restore_end);
    show(Moment::restored);
    result_.restore.time_s.add((train_.now() - begin).seconds());
    result_.restore.energy_j.add(ledger_.drawn_j() - begin_j);
    result_.restore.bytes.add(static_cast<double>(counters().data_bytes - before.data_bytes));
    result_.restore.transactions.add(static_cast<double>(counters().transactions - before.transactions));
  }
  restored_ = true;
}

void Machine::cut_storage() {
  show_power_cut();
  if (bus_) bus_->reset();
  fram_.power_off();
  selected_ = false;
}

// Everything volatile goes, with a pattern that differs each time.
void Machine::power_down() {
  cut_storage();
  fill_pattern(ram_);
  fill_pattern(os_part_);
  fill_pattern(firmware_->static_ram());
  fingerprint_.add(Trace::power_off, train_.now());
  if (frozen_) return;  // the last cycle ends with the run
  const double terminal_v = train_.terminal_v();
  result_.cycles.end(false, {train_.now(), terminal_v}, train_.stored_j(), ledger_, result_.operations);
}

void Machine::log(CycleEvent event) {
  if (!frozen_) result_.cycles.event(event, {train_.now(), train_.terminal_v()});
}

// The supply fell below the brown-out level, or collapsed, while the CPU ran.
void Machine::power_failed() {
  if (mode_ == Mode::persist) {
    // Lets the persist run on as a ghost, from within its transfer, to learn what it lacked.
    show_power_cut();
    if (bus_) bus_->settle();
    fram_.power_off();
    ghost_ = true;
    inject_faults(false);
    return;
  }
  cut_storage();
  switch (mode_) {
    case Mode::program:
      if (!persist_unmasked_) break;
      ghost_ = true;
      inject_faults(false);
      // Lost before the warning came: as a ghost, the program runs on until it was due.
      if (const Picoseconds due = train_.warning_due(); due >= train_.now()) {
        note_delay();
        ghost_time_ = due - train_.now();
        delay_.lacked_j = train_.drawn_w() * ghost_time_.seconds();
      }
      note_persist_begin();
      enter(Mode::persist, Phase::persist);
      use(Activity::compute);
      static_cast<void>(firmware_->persist());
      lose(false);
    case Mode::cold_boot: break;
    case Mode::boot: fibers_.abandon();
    case Mode::persist:
    case Mode::off:
    case Mode::asleep: assert(false && "a persist goes on, the others wait for the supply themselves"); break;
  }
  ++result_.during_boot;  // in a first start, with nothing to lose
  show(Moment::in_boot);
  note_power_cycle();
  fibers_.abandon_all();
}

void Machine::lose(bool warned) {
  record_loss(warned);
  ghost_ = false;
  show(Moment::lost);
  inject_faults(true);
  ghost_j_ = 0;
  ghost_time_ = {};
  note_power_cycle();
  if (scenario_.mcu.on_loss == OnLoss::stop) stop(StopReason::lost);
  fibers_.abandon_all();
}

void Machine::record_loss(bool warned) {
  train_.settle();
  ++result_.lost;
  log(CycleEvent::lost);
  fingerprint_.add(Trace::lost, train_.now(), result_.lost);
  const bool kept = result_.losses.size() < kLossesKept;
  const std::optional<bool> restorable = kept || attaches() ? image_is_usable() : std::nullopt;
  if (kept) describe_loss(warned, restorable);
  if (attaches()) recovery_.begin(shadow_, fram_.memory(), restorable.value_or(false), warned);
}

void Machine::describe_loss(bool warned, std::optional<bool> restorable) {
  Loss& loss = result_.losses.emplace_back();
  loss.at = train_.now();
  loss.warned = warned;
  loss.older_restorable = restorable;
  loss.warned_at_v = delay_.end_v;
  loss.began_at_v = persist_begin_v_;
  loss.delay_energy_j = delay_.drawn_j + delay_.lacked_j;
  loss.lacked_j = delay_.lacked_j + ghost_j_;
  loss.persist_energy_j = ledger_.drawn_j() - persist_begin_j_ + ghost_j_;
  const double since_crossing_j = ledger_.drawn_j() - crossing_.drawn_j + loss.lacked_j;
  const double time_s = (train_.now() - crossing_.at + ghost_time_).seconds();
  if (time_s > 0) {
    loss.needed_capacitance_f =
        capacitance_for(since_crossing_j, since_crossing_j / time_s, scenario_.supply);
  }
  for (const auto& [home, resident] : inspector_->residents(ram_, shadow_.objects())) {
    if (resident.dirty_bytes == 0) continue;
    ++loss.objects_total;
    loss.bytes += resident.dirty_bytes;
    const Shadow::Copy* copy = shadow_.find(home);
    if (copy != nullptr && loss.objects.size() < kLostObjectsNamed) loss.objects.push_back(copy->number);
  }
}

// Whether boot code would find a checkpoint that is whole and current: the store has that of the last
// persist, or all of the one that was cut.
std::optional<bool> Machine::image_is_usable() {
  if (scenario_.heap.memory.kind != firmware::MemoryKind::heap) return std::nullopt;
  if (scratch_ == nullptr) scratch_ = std::make_unique<ScratchBoard>(scenario_);
  return scratch_->finds_image(fram_);
}

// At the end of every power cycle: has the program come forward since the last one?
void Machine::note_power_cycle() {
  cycles_without_transfer_ = progress_ + work_ == progress_at_cycle_ ? cycles_without_transfer_ + 1 : 0;
  cycles_without_work_ = work_ == work_at_cycle_ ? cycles_without_work_ + 1 : 0;
  progress_at_cycle_ = progress_ + work_;
  work_at_cycle_ = work_;
  if (cycles_without_transfer_ >= kCyclesWithoutTransfer || cycles_without_work_ >= kCyclesWithoutWork) {
    stop(StopReason::no_progress);
  }
  if (interrupted()) stop(StopReason::interrupted);
  if (options_.progress)
    options_.progress({train_.now(), result_.operations, result_.persisted + result_.lost});
}

}  // namespace brownout::sim
