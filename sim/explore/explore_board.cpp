#include "sim/explore/explore_board.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include <execinfo.h>
#include <fmt/format.h>
#include <xxhash.h>

#include "sim/machine/machine.hpp"
#include "sim/machine/words.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define BROWNOUT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BROWNOUT_ASAN 1
#endif
#endif

namespace brownout::sim::explore {
namespace {

using firmware::MemoryCall;

// The address sanitizer puts red zones between the variables of a live stack, which nobody may read.
#ifdef BROWNOUT_ASAN
constexpr bool kComparesStack = false;
#else
constexpr bool kComparesStack = true;
#endif

constexpr std::size_t kProgramStackBytes = 512 * 1024;
constexpr std::size_t kSecondStackBytes = 128 * 1024;
// Of the live stack, what is compared at each point: frames of the call at hand. At the end of an operation
// all of it is.
constexpr std::size_t kNearStackBytes = 4096;
// Units of work after which a persist or a boot is taken for one that never ends: hundreds of times what the
// largest heap takes.
constexpr std::uint64_t kEndlessCharges = 20'000'000;
constexpr std::size_t kFailuresKept = 20;
constexpr int kMostFrames = 48;
// Points are dealt to jobs in turns of so many.
constexpr std::uint64_t kTurn = 64;
// Bytes that a part takes for anything before the MCU's own brown-out.
constexpr std::uint64_t kBytesBelowVdd = 4;
// A row that is lost on its way out is none that a persist reads.
constexpr std::array<devices::FramFault, 3> kFaultsOfAPersist = {devices::FramFault::discard,
                                                                 devices::FramFault::garbage_in_flight,
                                                                 devices::FramFault::garbage_below_min_vdd};

std::span<std::byte> bytes_of(std::vector<std::uint64_t>& words, std::size_t size) {
  return {reinterpret_cast<std::byte*>(words.data()), size};
}

bool same(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

void copy_to(std::span<std::byte> to, std::span<const std::byte> from) {
  assert(to.size() == from.size());
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

std::uint64_t digest_of(const void* bytes, std::size_t size, std::uint64_t seed) {
  return XXH64(bytes, size, seed);
}

// As both kinds of image have it.
std::uint32_t length_of(std::span<const std::uint8_t> image) {
  static_assert(offsetof(heap::CheckpointHeader, length) == offsetof(firmware::SnapshotHeader, length));
  std::uint32_t length = 0;
  std::memcpy(&length, image.data() + offsetof(heap::CheckpointHeader, length), sizeof length);
  return std::min(length, static_cast<std::uint32_t>(image.size()));
}

devices::FramFaults faults_of(const Scenario& scenario) {
  return {scenario.storage.power_loss, scenario.seed};
}

}  // namespace

BoardStacks::BoardStacks() : program(kProgramStackBytes), second(kSecondStackBytes) {}

ExploreBoard::ExploreBoard(const Scenario& scenario, const BoardOptions& options)
    : scenario_(scenario),
      options_(options),
      bound_(options_.bound ? *options_.bound : persist_bound(scenario)),
      fram_(scenario.storage.part, faults_of(scenario)),
      ram_words_(scenario.heap.ram_bytes / 8 + 1),
      ram_(bytes_of(ram_words_, scenario.heap.ram_bytes)),
      os_words_(heap_config_of(scenario).os_bytes / 8 + 1),
      os_part_(bytes_of(os_words_, heap_config_of(scenario).os_bytes)),
      inspector_(make_inspector(scenario)),
      area_(inspector_->checkpoint_area()),
      own_stacks_(options_.stacks == nullptr ? std::make_unique<BoardStacks>() : nullptr),
      program_stack_(options_.stacks == nullptr ? own_stacks_->program : options_.stacks->program),
      second_stack_(options_.stacks == nullptr ? own_stacks_->second : options_.stacks->second),
      pattern_(scenario.seed),
      random_(scenario.seed ^ 0x7065'7274'7572'62ULL),
      wire_random_(scenario.seed ^ 0x7769'7265'7321ULL) {
  if (!scenario.storage.part.is_mapped) {
    Timekeeper& clock = *this;
    const devices::TransferCosts& costs = scenario.storage.bus.costs(scenario.storage.transfer);
    bus_.emplace(costs, scenario.storage.sck_hz, fram_, clock);
    if (options_.wires.any()) {
      faults_.emplace(BusFaultConfig{}, 0, scenario.seed);
      bus_->inject(&*faults_, scenario.storage.timeout);
      wire_left_ = wire_random_.below(2 * std::uint64_t{options_.wires.every} + 1);
      wire_left_aside_ = wire_random_.below(2 * std::uint64_t{options_.wires.every} + 1);
    }
  }
  if (options_.attaches) shadow_.follow_versions();
  if (options_.drawn != nullptr) result_.drawn.cells.reserve(options_.drawn->size());
  const auto make = options_.make_firmware != nullptr ? options_.make_firmware : &firmware::make_firmware;
  firmware::Image image = image_of(scenario, ram_, os_part_);
  image.attach = options_.attaches;
  firmware_ = make(image, *this);
  constexpr std::uint64_t kSecond = 1'000'000'000'000;
  const std::uint64_t common = std::gcd(kSecond, 1000 * scenario.mcu.clock_hz);
  period_ = kSecond / common;
  periods_ = 1000 * scenario.mcu.clock_hz / common;
  most_millicycles_ = std::numeric_limits<std::int64_t>::max() / period_;
  const devices::CpuCosts& costs = scenario.mcu.profile.costs;
  const double cycles[kWorkKinds] = {
      costs.call,    costs.step, costs.copied_byte, costs.checksum_byte, costs.checksum_byte_by_table,
      costs.section, 1};
  for (std::size_t i = 0; i < kWorkKinds; ++i) {
    millicycles_of_[i] = static_cast<std::uint64_t>(std::llround(cycles[i] * 1000.0));
  }
  static_assert(static_cast<std::size_t>(heap::Work::compute_cycle) + 1 == kWorkKinds);
}

ExploreBoard::~ExploreBoard() = default;

BoardResult ExploreBoard::run() {
  fram_.ignore_wear();
  fram_.note_overwritten(&ahead_);
  fram_.power_on(Picoseconds{} - scenario_.storage.part.power_up.value);
  mode_ = Mode::start;
  show_supply(true, false, scenario_.supply.thresholds.turn_on_v);
  show_doing(Doing::boot);
  const auto body = [](void* self) {
    auto* board = static_cast<ExploreBoard*>(self);
    board->firmware_->cold_start();
    if (board->result_.operations == 0)
      board->fail_program("progress", "the workload ended without an operation");
    board->verify_boundary();
  };
  {
    std::optional<ListeningToAccesses> listening;
    AccessListener& self = *this;
    if (options_.classes[static_cast<std::size_t>(PointClass::access)]) listening.emplace(self);
    recovery_.start();
    for (fibers_.run(program_stack_, body, this); lost_; fibers_.run(program_stack_, body, this))
      start_again();
  }
  show_end();
  mode_ = Mode::off;
  const std::span<const std::uint8_t> store = std::as_const(fram_).memory();
  result_.store_digest = digest_of(store.data(), area_.marks, 0);
  result_.store_digest =
      digest_of(store.data() + area_.end(), store.size() - area_.end(), result_.store_digest);
  result_.contents_digest = shadow_.digest();
  result_.damage = fram_.damage();
  if (faults_) {
    const std::uint64_t missing = result_.drawn.injected.missing_answers;
    result_.drawn.injected = faults_->injected();
    result_.drawn.injected.missing_answers = missing;
  }
  return std::move(result_);
}

// --- points --------------------------------------------------------------------------------------

void ExploreBoard::at(PointClass point) {
  assert(mode_ == Mode::program);
  const auto kind = static_cast<std::size_t>(point);
  place_.point = point;
  place_.offset = offsets_[kind]++;
  if (!options_.classes[kind]) return;
  if (options_.drawn != nullptr) {
    if (drawn_armed_ && is_drawn(point)) strike();
    return;
  }
  const std::uint64_t index = next_++;
  PointCounts& counts = result_.points[kind];
  ++counts.total;
  if (critical_depth_ > 0) {
    ++counts.in_critical;
    if (!section_) section_ = index;
  }
  // Points of one section have one outage, so one job has them all.
  if (!is_selected(index, section_.value_or(index))) return;
  ++counts.taken;
  if (critical_depth_ == 0) {
    crossing_ = now();
    try_outage(point, index);
  } else if (deferred_.any) {
    ++counts.shared;
  } else {
    deferred_ = {true, point, index, place_, now()};
  }
}

bool ExploreBoard::is_selected(std::uint64_t index, std::uint64_t dealt) {
  const Selection& selection = options_.selection;
  if (selection.only) {
    const Place& only = *selection.only;
    const bool here =
        place_.call == only.call && place_.occurrence == only.occurrence && place_.point == only.point;
    if (here && place_.offset <= only.offset) result_.nearest_offset = place_.offset;
    return place_ == only;
  }
  if (selection.sample != nullptr) {
    const std::vector<std::uint64_t>& sample = *selection.sample;
    while (next_sampled_ < sample.size() && sample[next_sampled_] < index) ++next_sampled_;
    if (next_sampled_ == sample.size() || sample[next_sampled_] != index) return false;
  }
  return index >= selection.from && index < selection.to && dealt / kTurn % selection.jobs == selection.job;
}

void ExploreBoard::exit_critical() {
  assert(critical_depth_ > 0);
  if (--critical_depth_ > 0 || mode_ != Mode::program) return;
  section_.reset();
  if (deferred_.any) try_deferred();
  if (suffer_due_) suffer();
  if (drawn_waits_) strike();
}

// The interrupt waited for the end of the section: one outage for all of its points.
void ExploreBoard::try_deferred() {
  const Deferred deferred = deferred_;
  deferred_ = {};
  crossing_ = deferred.since;
  place_ = deferred.place;
  try_outage(deferred.point, deferred.index);
}

void ExploreBoard::pass(Picoseconds span, BusTime spent_on) {
  if (pass_point(spent_on != BusTime::driver)) bus_time_ += span;
}

// An instant on the way to the store. False if the program was interrupted for good there.
bool ExploreBoard::pass_point(bool moves_data) {
  if (mode_ == Mode::program) {
    if (armed_ && moves_data && wire_bytes_++ == armed_at_) {
      if (critical_depth_ == 0) {
        suffer();
        return false;
      }
      suffer_due_ = true;
    }
    at(PointClass::byte);
  } else if (mode_ == Mode::start) {
    if (start_cut_ && bus_points_++ == *start_cut_) {
      ++result_.drawn.starts_cut;
      lose_power();
    }
  } else if (cut_at_) {
    const std::uint64_t at = bus_points_++;
    // Below VDDmin the MCU goes on driving the part for a while.
    if (at + kBytesBelowVdd >= *cut_at_) fram_.supply(0);
    if (at == *cut_at_) cut_power();
  }
  return true;
}

bool ExploreBoard::is_undisturbed(Picoseconds span) const {
  if (mode_ == Mode::start) return !start_cut_;
  if (mode_ != Mode::program) return !cut_at_;
  if (options_.drawn == nullptr) return false;
  if (!drawn_armed_) return true;
  if (by_energy_) return now() + span < due_;
  return (*options_.drawn)[next_drawn_].at == DrawnAt::operation;
}

// --- an outage -----------------------------------------------------------------------------------

// Not inlined: its frame is the end of the stack that is compared.
__attribute__((noinline)) void ExploreBoard::try_outage(PointClass point, std::uint64_t index) {
  if (options_.interrupted != nullptr && *options_.interrupted != 0) {
    result_.complete = false;
    mode_ = Mode::off;
    fibers_.abandon_all();
  }
  if (options_.before_outage != nullptr) options_.before_outage();
  index_ = index;
  const bool at_boundary = point == PointClass::operation;
  save(static_cast<const std::byte*>(__builtin_frame_address(0)),
       at_boundary ? kProgramStackBytes : kNearStackBytes);
  show_warning();
  const bool dirty = inspector_->anything_dirty(ram_, known());
  const std::uint64_t failed = result_.failed;
  if (!options_.only_nested) {
    bool whole = run_persist();
    if (whole) {
      power_cycle();
      whole = run_restore();
    }
    if (!whole) note_failure();
    if (auto fault = whole ? state_fault() : std::nullopt) note_failure("state", std::move(*fault));
    if (auto fault = whole ? written_fault() : std::nullopt) note_failure("store", std::move(*fault));
    if (auto fault = whole && at_boundary ? objects_fault() : std::nullopt) {
      note_failure("objects", std::move(*fault));
    }
    if (whole) {
      PointCounts& counts = result_.points[static_cast<std::size_t>(point)];
      ++counts.happened;
      if (dirty) ++counts.dirty;
    }
  }
  if (options_.nested && result_.failed == failed) try_nested();
  show_end();
  put_back();
  if (result_.failed == failed) return;
  result_.failed = failed + 1;  // points, not findings
  if (!options_.stops_at_failure) return;
  mode_ = Mode::off;
  fibers_.abandon_all();
}

void ExploreBoard::save(const std::byte* stack_pointer, std::size_t stack_limit) {
  saved_.ram.assign(ram_.begin(), ram_.end());
  const std::span<std::byte> statics = firmware_->static_ram();
  saved_.statics.assign(statics.begin(), statics.end());
  saved_.chip = fram_.registers();
  if (bus_) saved_.bus.emplace(*bus_);
  saved_.bus_time = bus_time_;
  saved_.millicycles = millicycles_;
  saved_.epoch = epoch_;
  if constexpr (kComparesStack) {
    const std::byte* top = program_stack_.base() + program_stack_.size_bytes();
    const auto size = std::min(static_cast<std::size_t>(top - stack_pointer), stack_limit);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    saved_.stack = {const_cast<std::byte*>(stack_pointer), size};
    saved_.stack_bytes.assign(saved_.stack.begin(), saved_.stack.end());
  }
  note_program_writes();
  fram_.note_overwritten(&aside_);
  fill_pattern(os_part_);  // the OS's data are never the same twice
  saved_.os.assign(os_part_.begin(), os_part_.end());
}

void ExploreBoard::put_back() {
  rewind();
  fram_.note_overwritten(&ahead_);
  mode_ = Mode::program;
}

// Everything is as it was saved.
void ExploreBoard::rewind() {
  const Picoseconds until = now();
  fram_.undo(aside_);
  fram_.put_back(saved_.chip);
  fram_.set_power_loss(scenario_.storage.power_loss);
  if (bus_) bus_.emplace(*saved_.bus);
  copy_to(ram_, saved_.ram);
  copy_to(os_part_, saved_.os);
  copy_to(firmware_->static_ram(), saved_.statics);
  // The stream of a transfer that cannot be stopped went on, and it may lie on the stack.
  if (!same(saved_.stack, saved_.stack_bytes)) copy_to(saved_.stack, saved_.stack_bytes);
  bus_time_ = saved_.bus_time;
  millicycles_ = saved_.millicycles;
  epoch_ = saved_.epoch;
  critical_depth_ = 0;
  show_taken_back(until);
}

bool ExploreBoard::run_aside(void (*body)(void*)) {
  charges_ = 0;
  check_ = nullptr;
  was_cut_ = false;
  const NotListening quiet;
  return fibers_.run(second_stack_, body, this);
}

bool ExploreBoard::run_persist() {
  return run_aside([](void* self) { static_cast<ExploreBoard*>(self)->persist_body(); });
}

bool ExploreBoard::run_restore() {
  return run_aside([](void* self) {
    auto* board = static_cast<ExploreBoard*>(self);
    board->restore_body(false);
    if (!board->status_.ok()) {
      board->fault_aside("restore", fmt::format("the restore after a complete persist reported error {}",
                                                static_cast<int>(board->status_.error())));
    }
  });
}

// The interrupt. It runs on a stack of its own only so that it can be abandoned.
void ExploreBoard::persist_body() {
  mode_ = Mode::persist;
  if (!bus_) show_access_over(AccessEnd::aborted);
  show_doing(Doing::persist);
  show_heap();
  ++epoch_;
  const std::uint32_t sequence = heap::following_sequence(control());
  image_address_ = area_.places + (sequence & 1U) * area_.place_bytes;
  if (bus_) bus_->catch_up_with_wire();
  const BusCounters before = counters();
  const heap::Status status = firmware_->persist();
  if (!status.ok()) fault_aside("persist", "the persist reported an error of the storage");
  if (critical_depth_ != 0) fault_aside("section", "the persist left a critical section open");
  show_moment(Moment::persisted);
  persist_shown_ = !unseen_;
  PersistCost cost;
  cost.bytes = counters().data_bytes - before.data_bytes;
  cost.transactions = counters().transactions - before.transactions;
  cost.time = now() - crossing_;
  result_.bytes_persisted += cost.bytes;
  result_.largest_bytes_over_bound =
      std::max(result_.largest_bytes_over_bound, static_cast<double>(cost.bytes) / bound_.bytes);
  result_.largest_time_over_bound =
      std::max(result_.largest_time_over_bound, cost.time.seconds() / bound_.times.total().seconds());
  if (auto excess = excess_over(bound_, cost)) {
    std::string words = std::move(*excess);
    excess.reset();
    fault_aside("bound", std::move(words));
  }
}

// Boot code. What an outage before it left off in the middle of is forgotten.
void ExploreBoard::restore_body(bool older) {
  mode_ = Mode::restore;
  show_doing(Doing::restore);
  critical_depth_ = 0;
  const std::uint64_t before = counters().data_bytes;
  status_ = older ? firmware_->restore_older() : firmware_->restore();
  const std::uint64_t bytes = counters().data_bytes - before;
  result_.bytes_restored += bytes;
  show_moment(status_.ok() ? Moment::restored : Moment::refused);
  if (status_.ok() && bytes == 0) fault_aside("restore", "no bytes came back");
}

// Everything volatile goes, with a pattern that differs each time; then the board has power again.
void ExploreBoard::power_cycle() {
  show_power_cycle();
  if (bus_) bus_->reset();
  fram_.power_off();
  fill_pattern(ram_);
  fill_pattern(os_part_);
  fill_pattern(firmware_->static_ram());
  critical_depth_ = 0;
  fram_.power_on(now() - scenario_.storage.part.power_up.value);
}

// RAM, OS part and live stack are as they were.
std::optional<std::string> ExploreBoard::state_fault() {
  if (auto fault = inspector_->outage_changed(saved_.ram, ram_, known())) return fault;
  if (!std::equal(os_part_.begin(), os_part_.end(), saved_.os.begin()))
    return "the OS part came back changed";
  // What a transfer reads until it is stopped may have its place on the stack.
  if (may_drain()) return std::nullopt;
  result_.stack_bytes_compared += saved_.stack.size();
  if (!same(saved_.stack, saved_.stack_bytes)) {
    return "the stack of the interrupted program was changed";
  }
  return std::nullopt;
}

// A transfer was in flight, which the controller does not stop at once.
bool ExploreBoard::may_drain() const {
  const devices::TransferCosts& costs = scenario_.storage.bus.costs(scenario_.storage.transfer);
  if (!saved_.bus || !saved_.bus->is_active()) return false;
  return costs.abort_granularity != devices::AbortGranularity::byte || saved_.bus->is_asking();
}

// A persist writes to the place whose turn it is, a restore to nothing.
std::optional<std::string> ExploreBoard::written_fault() {
  for (const devices::FramOverwritten::Span& span : aside_.spans()) {
    if (may_drain() && (span.address < area_.places || span.address >= area_.end())) continue;
    if (span.address >= image_address_ &&
        span.address + span.size_bytes <= image_address_ + area_.place_bytes) {
      continue;
    }
    return fmt::format("{} B were written at store address {}, outside the image in turn at {}",
                       span.size_bytes, span.address, image_address_);
  }
  if (!(fram_.violations() == devices::FramViolations{}))
    return "the FRAM was misused, such as a WRITE without WREN";
  return std::nullopt;
}

// --- the supply fails again ----------------------------------------------------------------------

// In the restore, whose image is in the store; then, from the beginning, in the persist.
void ExploreBoard::try_nested() {
  const auto wanted = [this](Nested nested) {
    return !options_.only_nested || options_.only_nested->nested == nested;
  };
  unseen_ = options_.only_nested && wanted(Nested::persist);  // only that its image is known
  if (options_.only_nested && !run_persist()) return note_failure();
  note_image_bytes();
  if (wanted(Nested::restore)) cut_restores();
  if (options_.only_nested && !wanted(Nested::persist)) show_end();
  rewind();
  unseen_ = false;
  if (!wanted(Nested::persist)) return;
  for (const devices::FramFault fault : kFaultsOfAPersist) {
    if (!options_.only_nested || options_.only_nested->fault == fault) cut_persists(fault);
  }
}

void ExploreBoard::cut_restores() {
  nested_ = Nested::restore;
  nested_fault_ = devices::FramFault::discard;
  fram_.set_power_loss(nested_fault_);
  for (nested_at_ = first_nested();; ++nested_at_) {
    power_cycle();
    const bool ended = run_cut([](void* self) { static_cast<ExploreBoard*>(self)->restore_body(false); });
    if (ended) break;
    if (!was_cut_) {
      note_failure();
      break;
    }
    ++result_.nested_restores;
    power_cycle();
    if (!run_restore()) {
      note_failure();
    } else if (auto fault = state_fault()) {
      note_failure("state", std::move(*fault));
    }
    if (options_.only_nested) break;
  }
  nested_ = Nested::none;
}

void ExploreBoard::cut_persists(devices::FramFault fault) {
  nested_ = Nested::persist;
  nested_fault_ = fault;
  for (nested_at_ = first_nested();; ++nested_at_) {
    rewind();
    fram_.set_power_loss(fault);
    const bool ended = run_cut([](void* self) { static_cast<ExploreBoard*>(self)->persist_body(); });
    if (ended) break;
    if (!was_cut_) {
      note_failure();
      break;
    }
    ++result_.nested_persists;
    fram_.set_power_loss(devices::FramFault::discard);
    if (auto wrong = verdict_fault()) note_failure("verdict", std::move(*wrong));
    if (options_.only_nested) break;
  }
  nested_ = Nested::none;
}

bool ExploreBoard::run_cut(void (*body)(void*)) {
  cut_at_ = nested_at_;
  bus_points_ = 0;
  const bool ended = run_aside(body);
  cut_at_.reset();
  return ended;
}

// At a point of the bus: whoever waits for it is abandoned.
void ExploreBoard::cut_power() {
  was_cut_ = true;
  show_cut(mode_ == Mode::persist ? Moment::lost : Moment::in_boot);
  if (bus_) bus_->reset();
  fram_.power_off();
  fibers_.abandon();
}

// What boot says of the store that a cut persist has left, against what is there.
std::optional<std::string> ExploreBoard::verdict_fault() {
  const std::span<const std::uint8_t> place = place_in_turn();
  const std::uint32_t length = length_of(image_);
  const bool whole = std::equal(image_.begin(), image_.begin() + length, place.begin());
  // A transfer of the program that is not stopped at once goes on in the persist.
  Written written = written_;
  written.note(aside_, area_);
  const bool older_stands = older_.valid && !written.homes;
  if (!boot_says(false)) return std::move(fault_);
  if (whole) {
    ++result_.nested_whole;
    if (!status_.ok()) return fmt::format("the image is whole, and the restore reported error {}", error());
    return state_fault();
  }
  if (status_.ok()) {
    if (!older_stands)
      return older_.valid ? "a stale image was restored" : "an image that was cut was restored";
    return older_fault();
  }
  const heap::Error first = status_.error();
  if (first != heap::Error::torn && first != heap::Error::stale && first != heap::Error::empty) {
    return fmt::format("the image was cut, and the restore reported error {}", error());
  }
  const bool stale = first == heap::Error::stale;
  if (!boot_says(true)) return std::move(fault_);
  if (status_.ok() && !older_stands) return "a stale image was restored as the older one";
  if (status_.ok()) return older_fault();
  // Boot code of a baseline looks at the newest image alone.
  if (scenario_.heap.memory.kind != firmware::MemoryKind::heap) return std::nullopt;
  // A mark is in the store before what it announces.
  if (older_stands && !older_.is_home && !(stale && written.marks)) {
    return fmt::format("the image before the one that was cut stands, and the restore reported error {}",
                       error());
  }
  return std::nullopt;
}

bool ExploreBoard::boot_says(bool older) {
  power_cycle();
  const auto body = older ? [](void* self) { static_cast<ExploreBoard*>(self)->restore_body(true); }
                          : [](void* self) { static_cast<ExploreBoard*>(self)->restore_body(false); };
  return run_aside(body);
}

std::optional<std::string> ExploreBoard::older_fault() {
  if (auto fault = inspector_->outage_changed(older_.ram, ram_, older_.objects))
    return "in the older image: " + std::move(*fault);
  if (!std::equal(os_part_.begin(), os_part_.end(), older_.os.begin()))
    return "the older OS part came back changed";
  return std::nullopt;
}

// --- the course of the program -------------------------------------------------------------------

void ExploreBoard::unmask_persist() {
  if (recovery_.pending() && !recovery_.attached())
    fail_program("attach", "a start after a loss took the store for empty");
  start_cut_.reset();
  mode_ = Mode::program;
  show_doing(Doing::run);
  if (RunObserver* told = observer()) told->program_starts(shown_);
  calls(MemoryCall::start);
  arm_drawn();
  if (lost_) {  // not the first start
    lost_ = false;
    return;
  }
  switch (options_.course) {
    case Course::second_image: suffer(true); break;
    case Course::wrapped:
      // As if so many checkpoints had been made: the program runs on since one of them.
      control().sequence = control().marked_sequence = 0xFFFF'FFFDU;
      suffer(true);
      suffer(true);
      break;
    case Course::first_image:
    case Course::retries:
    case Course::resumes:
    case Course::perturbed:
    case Course::interrupted: break;
  }
}

void ExploreBoard::calls(MemoryCall call) {
  call_ = call;
  const std::uint64_t occurrence = ++occurrences_[static_cast<std::size_t>(call)];
  place_ = {call, occurrence, PointClass::byte, 0};
  offsets_ = {};
  interrupted_.clear();
  suffered_in_call_ = 0;
  if (RunObserver* told = observer()) told->memory_call(shown_, call);
}

void ExploreBoard::begin_send(heap::ConstBytes command, heap::OutStream data) {
  arm(digest_of(command.data, command.size, command.size), command.size);
  if (options_.drawn != nullptr && mode_ == Mode::program) note_transaction(command);
  if (options_.observer != nullptr) show_access(access_of(command));
  bus_->begin_send(command, data);
  if (faults_) disturb(command, false);
}

void ExploreBoard::begin_receive(heap::ConstBytes command, heap::InStream data) {
  arm(digest_of(command.data, command.size, command.size), command.size);
  if (options_.drawn != nullptr && mode_ == Mode::program) note_transaction(command);
  if (options_.observer != nullptr) show_access(access_of(command));
  bus_->begin_receive(command, data);
  if (faults_) disturb(command, true);
}

// Each transaction of a call is interrupted once: at its first byte, at its first byte of data, or later.
void ExploreBoard::arm(std::uint64_t transaction, std::uint64_t command_bytes) {
  if (mode_ != Mode::program) return;
  armed_ = false;
  if (options_.course != Course::retries && options_.course != Course::resumes) return;
  if (!interrupted_.insert(transaction).second) return;
  armed_ = true;
  wire_bytes_ = 0;
  constexpr std::uint64_t kLater = 5;
  const std::uint64_t turn = result_.suffered % 3;
  armed_at_ = turn == 0 ? 0 : turn == 1 ? command_bytes : command_bytes + kLater;
}

heap::TransferState ExploreBoard::poll_bus() {
  const heap::TransferState state = bus_->poll();
  if (state == heap::TransferState::done) show_access_over(AccessEnd::done);
  // One that was shorter is interrupted at its end.
  if (state == heap::TransferState::done && armed_ && mode_ == Mode::program) suffer();
  return state;
}

void ExploreBoard::abort_bus() {
  const std::uint64_t completed = counters().transactions;
  bus_->abort();  // one that cannot be stopped comes to its end
  show_access_over(counters().transactions > completed ? AccessEnd::done : AccessEnd::aborted);
}

// Without a bus: the first burst of a transfer.
void ExploreBoard::open_copy(std::uint32_t address, bool writes) {
  if (copying_ || mode_ != Mode::program) return;
  copying_ = true;
  if (options_.drawn != nullptr && mode_ == Mode::program) note_transfer(address, !writes);
  arm(std::uint64_t{address} * 2 + (writes ? 1 : 0), 1);
}

void ExploreBoard::store(std::uint32_t address, heap::ConstBytes bytes) {
  const devices::CpuCosts& costs = scenario_.mcu.profile.costs;
  const std::uint32_t waits = scenario_.storage.part.wait_states(scenario_.mcu.clock_hz);
  open_copy(address, true);
  show_access({std::nullopt, address, true});
  spend_cycles(costs.burst);
  for_each_word(address, bytes, [&](std::uint32_t at, heap::ConstBytes word) {
    fram_.begin_store(at, word.size);
    static_cast<void>(pass_point(true));
    spend_cycles(costs.stored_word + waits);
    fram_.store(at, {reinterpret_cast<const std::uint8_t*>(word.data), word.size});
  });
  copies_.data_bytes += bytes.size;
}

void ExploreBoard::load(std::uint32_t address, heap::MutableBytes bytes) {
  const devices::CpuCosts& costs = scenario_.mcu.profile.costs;
  const devices::FramPart& part = scenario_.storage.part;
  const std::uint32_t waits = part.wait_states(scenario_.mcu.clock_hz);
  open_copy(address, false);
  show_access({std::nullopt, address, false});
  spend_cycles(costs.burst);
  for_each_word(address, bytes, [&](std::uint32_t at, heap::MutableBytes word) {
    static_cast<void>(pass_point(true));
    const bool is_in_cache = at != address && at % part.row_bytes != 0;
    spend_cycles(costs.loaded_word + (is_in_cache ? 0 : waits));
    fram_.load(at, {reinterpret_cast<std::uint8_t*>(word.data), word.size});
  });
  copies_.data_bytes += bytes.size;
}

void ExploreBoard::copy_over(bool done) {
  show_access_over(done ? AccessEnd::done : AccessEnd::aborted);
  if (mode_ != Mode::program) return;
  copying_ = false;
  if (done && armed_) suffer();
}

void ExploreBoard::spend_cycles(double cycles) {
  millicycles_ += static_cast<std::uint64_t>(std::llround(cycles * 1000.0));
}

void ExploreBoard::suffer_at_access() {
  if (accesses_ == 0) accesses_ = options_.for_good.first + 1;
  if (accesses_ > 1) {
    --accesses_;
  } else if (critical_depth_ == 0) {
    accesses_ = options_.for_good.every;
    stop_if_endless();
    suffer(true);
  }
}

// A transfer with more accesses than there are between two outages begins anew for ever.
void ExploreBoard::stop_if_endless() {
  constexpr std::uint64_t kMostInACall = 2'000;
  if (++suffered_in_call_ > kMostInACall) fail_program("progress", "a call of the memory never ends");
}

// An outage, or a false alarm, that is not taken back.
void ExploreBoard::suffer() { suffer(options_.course != Course::resumes); }

__attribute__((noinline)) void ExploreBoard::suffer(bool outage) {
  armed_ = false;
  suffer_due_ = false;
  copying_ = false;
  ++result_.suffered;
  crossing_ = now();
  save(static_cast<const std::byte*>(__builtin_frame_address(0)), kNearStackBytes);
  show_warning();
  // Those are of every job, and count in none.
  const std::uint64_t bytes_persisted = result_.bytes_persisted;
  const std::uint64_t bytes_restored = result_.bytes_restored;
  bool whole = run_persist();
  if (whole && outage) {
    power_cycle();
    whole = run_restore();
  }
  result_.bytes_persisted = bytes_persisted;
  result_.bytes_restored = bytes_restored;
  if (!whole) fail_program(check_, std::move(fault_));
  if (auto fault = outage ? state_fault() : std::nullopt) fail_program("state", std::move(*fault));
  if (auto fault = written_fault()) fail_program("store", std::move(*fault));
  if (!outage) show_moment(Moment::false_alarm);
  show_resumed();
  older_.valid = true;
  older_.ram = saved_.ram;
  older_.os = saved_.os;
  older_.objects = known();
  written_ = {};
  aside_.clear();
  fram_.note_overwritten(&ahead_);
  mode_ = Mode::program;
}

// --- what was drawn --------------------------------------------------------------------------------

// At the beginning of an operation, and after what was drawn before.
void ExploreBoard::arm_drawn() {
  if (options_.drawn == nullptr || drawn_armed_ || drawn_waits_ || next_drawn_ == options_.drawn->size())
    return;
  const DrawnOutage& next = (*options_.drawn)[next_drawn_];
  if (next.operation > result_.operations) return;
  drawn_armed_ = true;
  drawn_left_ = next.offset;
  by_energy_ = next.at == DrawnAt::energy;
  if (by_energy_) due_ = now() + devices::nanoseconds(next.offset);
}

bool ExploreBoard::is_drawn(PointClass point) {
  if (by_energy_) return now() >= due_ && strikes_at_once();
  if (static_cast<PointClass>((*options_.drawn)[next_drawn_].at) != point) return false;
  if (drawn_left_ > 0) {
    --drawn_left_;
    return false;
  }
  return strikes_at_once();
}

// False: the interrupt waits for the end of a critical section. Power that fails without one does not.
bool ExploreBoard::strikes_at_once() {
  drawn_armed_ = by_energy_ = false;
  crossing_ = now();
  if (critical_depth_ == 0) return true;
  ++result_.drawn.in_critical;
  if ((*options_.drawn)[next_drawn_].kind == Drawn::loss) return true;
  drawn_waits_ = true;
  return false;
}

// Not inlined: its frame is the end of the stack that is compared.
__attribute__((noinline)) void ExploreBoard::strike() {
  const DrawnOutage& drawn = (*options_.drawn)[next_drawn_];
  drawn_waits_ = false;
  struck_ = true;
  index_ = next_drawn_++;
  if (options_.before_outage != nullptr) options_.before_outage();
  if (drawn.kind == Drawn::perturb) {
    ++result_.drawn.kinds[static_cast<std::size_t>(drawn.kind)];
    perturb();
    return arm_drawn();
  }
  count_strike(drawn);
  if (drawn.kind == Drawn::loss) {
    starts_to_cut_ = drawn.times;
    lose_power();
  }
  const bool at_boundary = drawn.at == DrawnAt::operation;
  save(static_cast<const std::byte*>(__builtin_frame_address(0)),
       at_boundary ? kProgramStackBytes : kNearStackBytes);
  show_warning();
  if (drawn.kind == Drawn::late) {
    if (!persist_too_late()) fail_program(check_, std::move(fault_));
    lose_power();
  }
  bool whole = drawn.kind != Drawn::cut_persist || cut_drawn_persist();
  if (whole) whole = run_persist();
  const bool outage = drawn.kind != Drawn::false_alarm;
  if (whole && drawn.kind == Drawn::cut_restore) whole = cut_drawn_restore();
  if (whole && outage) {
    power_cycle();
    whole = run_restore();
  }
  if (!whole) fail_program(check_, std::move(fault_));
  if (auto fault = outage ? state_fault() : std::nullopt) fail_program("state", std::move(*fault));
  if (auto fault = written_fault()) fail_program("store", std::move(*fault));
  nested_ = Nested::none;
  if (!outage) show_moment(Moment::false_alarm);
  show_resumed();
  note_image();
  copying_ = false;
  aside_.clear();
  fram_.note_overwritten(&ahead_);
  mode_ = Mode::program;
  // What was interrupted begins anew, and the attempts that had failed still count.
  missing_left_ = 0;
  wire_left_ = std::max<std::uint64_t>(wire_left_, options_.wires.quiet);
  arm_drawn();
}

// The image of what was saved is whole.
void ExploreBoard::note_image() {
  older_.valid = true;
  older_.is_home = false;
  older_.ram.swap(saved_.ram);
  older_.os.swap(saved_.os);
  older_.objects = known();
  written_ = {};
  if (!options_.attaches) return;
  shadow_.note_image(std::as_const(fram_).memory());
  recovery_.note_image(std::as_const(fram_).memory());
}

void ExploreBoard::count_strike(const DrawnOutage& drawn) {
  ++result_.suffered;
  DrawnCounts& counts = result_.drawn;
  ++counts.kinds[static_cast<std::size_t>(drawn.kind)];
  ++counts.points[static_cast<std::size_t>(drawn.at)];
  ++counts.in_transfer[static_cast<std::size_t>(copying_ || (bus_ && bus_->is_active()) ? transfer_
                                                                                        : Transfer::none)];
  const bool dirty = inspector_->anything_dirty(ram_, known());
  if (dirty) ++counts.dirty;
  counts.cells.push_back({static_cast<std::uint32_t>(result_.operations), drawn.at, fill_state(dirty)});
}

FillState ExploreBoard::fill_state(bool dirty) {
  if (options_.max_residents == 0) return dirty ? FillState::some : FillState::clean;
  const std::uint32_t used = control().image_bytes - options_.empty_image_bytes;
  const std::uint32_t room = options_.dirty_limit_bytes - options_.empty_image_bytes;
  const auto state = static_cast<std::uint8_t>(!dirty ? 0U : 2 * used < room ? 1U : 2U);
  const bool full = control().residents == options_.max_residents;
  return static_cast<FillState>(state + (full ? 3U : 0U));
}

// What the persist that is due will write. False: it ended in a fault.
bool ExploreBoard::learn_image() {
  unseen_ = true;
  if (!run_persist()) return false;
  note_image_bytes();
  rewind();
  unseen_ = false;
  return true;
}

void ExploreBoard::note_image_bytes() {
  const std::span<const std::uint8_t> place = place_in_turn();
  image_.assign(place.begin(), place.end());
}

// False: it ended in a fault. A cut at its very end leaves an image that is whole.
bool ExploreBoard::persist_too_late() {
  if (!learn_image()) return false;
  nested_at_ = (*options_.drawn)[index_].cut_at;
  const bool ended = run_cut([](void* self) { static_cast<ExploreBoard*>(self)->persist_body(); });
  if (!ended && !was_cut_) return false;
  lost_late_ = true;
  const auto length = static_cast<std::ptrdiff_t>(length_of(image_));
  if (!std::equal(image_.begin(), image_.begin() + length, place_in_turn().begin())) return true;
  // What was written home until then came before the image, also by a transfer that went on in the persist.
  note_program_writes();
  aside_.clear();
  note_image();
  return true;
}

// Of the program, or of boot code before it. Never comes back.
void ExploreBoard::lose_power() {
  if (mode_ == Mode::start && image_found_) note_brought_home();
  if (fram_.powered()) show_cut(mode_ == Mode::start ? Moment::in_boot : Moment::lost);
  lost_ = true;
  mode_ = Mode::off;
  if (fram_.powered()) {
    if (bus_) bus_->reset();
    fram_.power_off();
  }
  fibers_.abandon_all();
}

// A start writes what an image has for the store, as far as it came: the image still stands, unless it said
// otherwise.
void ExploreBoard::note_brought_home() {
  Written written;
  written.note(ahead_, area_);
  written_.marks = written_.marks || written.marks;
  ahead_.clear();
}

// The reset after a loss: what is in the store is all that there is.
void ExploreBoard::start_again() {
  // What the program left where the next one will have its own; of all of its stack it would take longer than
  // a run.
  constexpr std::size_t kPoisoned = 8192;
  fill_pattern({program_stack_.base() + program_stack_.size_bytes() - kPoisoned, kPoisoned});
  if (options_.attaches) {
    if (scratch_ == nullptr) scratch_ = std::make_unique<ScratchBoard>(scenario_);
    image_found_ = scratch_->finds_image(fram_);
    recovery_.begin(shadow_, std::as_const(fram_).memory(), image_found_, lost_late_);
  } else {
    shadow_.clear();
    ++result_.drawn.formats;
  }
  known_is_old_ = true;
  lost_late_ = false;
  fill_pattern(ram_);
  fill_pattern(os_part_);
  fill_pattern(firmware_->static_ram());
  critical_depth_ = 0;
  nested_ = Nested::none;
  note_program_writes();
  written_.note(aside_, area_);
  aside_.clear();
  fram_.note_overwritten(&ahead_);
  fram_.set_power_loss(scenario_.storage.power_loss);
  copying_ = drawn_armed_ = by_energy_ = false;
  const DrawnOutage& drawn = (*options_.drawn)[index_];
  bus_points_ = 0;
  start_cut_.reset();
  if (starts_to_cut_ > 0) start_cut_ = drawn.cut_at + (drawn.times - starts_to_cut_--);
  fram_.power_on(now() - scenario_.storage.part.power_up.value);
  mode_ = Mode::start;
  show_supply(true, false, scenario_.supply.thresholds.turn_on_v);
  show_doing(Doing::boot);
  recovery_.start();
}

void ExploreBoard::attached(bool from_image) {
  ++result_.drawn.attaches;
  if (from_image) ++result_.drawn.attaches_from_image;
  if (from_image) {
    note_brought_home();
    older_.is_home = true;
  }
  if (auto fault = recovery_.attach(from_image)) fail_program("attach", std::move(*fault));
}

// What it has is what is home: the program has not written it since it attached.
void ExploreBoard::object_kept(std::uint32_t home, std::uint32_t size_bytes) {
  const std::span<const std::uint8_t> store = std::as_const(fram_).memory();
  if (home > store.size() || size_bytes > store.size() - home)
    fail_program("attach", "an object beyond the store was kept");
  const heap::ConstBytes content{reinterpret_cast<const std::byte*>(store.data()) + home, size_bytes};
  if (auto fault = recovery_.keep(home, content, shadow_)) fail_program("attach", std::move(*fault));
  known_is_old_ = true;
}

void ExploreBoard::objects_reclaimed(std::uint32_t count) {
  end_recovery(count);
  if (auto fault = inspector_->structure_fault(ram_, std::as_const(fram_).memory(), known()))
    fail_program("attach", std::move(*fault));
}

// The program has found its objects again; those that it has not are gone.
void ExploreBoard::end_recovery(std::uint32_t reclaimed) {
  if (!recovery_.pending()) return;
  const Recovered recovered = recovery_.end(reclaimed);
  result_.drawn.in_doubt += recovered.in_doubt;
  result_.drawn.kept += recovered.kept;
  result_.drawn.fell_back += recovered.fell_back;
  result_.drawn.reclaimed += recovered.reclaimed;
}

// Of the transaction that has just begun.
void ExploreBoard::disturb(heap::ConstBytes command, bool receives) {
  const WireFaults& wires = options_.wires;
  std::uint64_t& wire_left = mode_ == Mode::program ? wire_left_ : wire_left_aside_;
  std::uint32_t& missing_left = mode_ == Mode::program ? missing_left_ : missing_left_aside_;
  if (missing_left > 0) {
    --missing_left;
    ++result_.drawn.injected.missing_answers;
    bus_->lose();
    return;
  }
  if (wire_left > 0) {
    --wire_left;
    return;
  }
  const bool writes = std::to_integer<std::uint8_t>(command.data[0]) == devices::fram_opcode::kWrite;
  const bool flips = receives ? wires.received : wires.sent && writes;
  const bool misses = wires.missing && (!flips || wire_random_.below(2) == 0);
  if (!flips && !misses) return;  // the next one
  if (misses) {
    missing_left = static_cast<std::uint32_t>(wire_random_.below(wires.retries));
    ++result_.drawn.injected.missing_answers;
    bus_->lose();
  } else {
    const auto byte = static_cast<std::uint32_t>(wire_random_.below(8));
    const auto bit = static_cast<std::uint32_t>(wire_random_.below(8));
    faults_->flip(byte, bit);
  }
  wire_left = wires.quiet + wire_random_.below(2 * std::uint64_t{wires.every} + 1);
}

// False: it ended in a fault.
bool ExploreBoard::cut_drawn_persist() {
  const DrawnOutage& drawn = (*options_.drawn)[index_];
  if (!learn_image()) return false;
  nested_ = Nested::persist;
  nested_at_ = drawn.cut_at;
  nested_fault_ = scenario_.storage.power_loss;
  // A row that is lost on its way out is one that the program reads, and nothing brings it back.
  if (nested_fault_ == devices::FramFault::row_lost) nested_fault_ = devices::FramFault::discard;
  fram_.set_power_loss(nested_fault_);
  const bool ended = run_cut([](void* self) { static_cast<ExploreBoard*>(self)->persist_body(); });
  if (!ended && !was_cut_) return false;
  fram_.set_power_loss(devices::FramFault::discard);
  if (was_cut_) {
    ++result_.drawn.persists_cut;
    if (auto wrong = verdict_fault()) {
      check_ = "verdict";
      fault_ = std::move(*wrong);
      return false;
    }
  }
  nested_ = Nested::none;
  rewind();
  return true;
}

bool ExploreBoard::cut_drawn_restore() {
  const DrawnOutage& drawn = (*options_.drawn)[index_];
  nested_ = Nested::restore;
  nested_fault_ = devices::FramFault::discard;
  fram_.set_power_loss(nested_fault_);
  for (std::uint32_t i = 0; i < drawn.times; ++i) {
    nested_at_ = drawn.cut_at + i;
    power_cycle();
    const bool ended = run_cut([](void* self) { static_cast<ExploreBoard*>(self)->restore_body(false); });
    if (ended) break;
    if (!was_cut_) return false;
    ++result_.drawn.restores_cut;
  }
  fram_.set_power_loss(scenario_.storage.power_loss);
  return true;
}

// What a transaction of the program is for.
void ExploreBoard::note_transaction(heap::ConstBytes command) {
  const auto opcode = std::to_integer<std::uint8_t>(command.data[0]);
  const bool reads = opcode == devices::fram_opcode::kRead || opcode == devices::fram_opcode::kFstrd;
  if (!reads && opcode != devices::fram_opcode::kWrite) {
    transfer_ = Transfer::command;
    return;
  }
  std::uint32_t address = 0;
  for (std::uint32_t i = 1; i <= scenario_.storage.part.address_bytes; ++i) {
    address = address << 8U | std::to_integer<std::uint8_t>(command.data[i]);
  }
  note_transfer(address, reads);
}

void ExploreBoard::note_transfer(std::uint32_t address, bool reads) {
  if (address >= options_.homes_at) {
    transfer_ = reads ? Transfer::read_home : Transfer::write_home;
    ++(reads ? result_.drawn.homes_read : result_.drawn.homes_written);
    const bool for_room =
        call_ == MemoryCall::make || call_ == MemoryCall::write || call_ == MemoryCall::read;
    if (!reads && for_room) ++result_.drawn.homes_written_for_room;
    return;
  }
  const bool mark = address >= area_.marks && address < area_.places;
  transfer_ = reads ? Transfer::read_other : mark ? Transfer::write_mark : Transfer::write_other;
}

void ExploreBoard::note_program_writes() {
  written_.note(ahead_, area_);
  ahead_.clear();
}

void ExploreBoard::Written::note(const devices::FramOverwritten& writes, const CheckpointArea& area) {
  for (const devices::FramOverwritten::Span& span : writes.spans()) {
    if (span.address >= area.marks && span.address < area.places) {
      marks = true;
    } else if (span.address < area.marks || span.address >= area.end()) {
      homes = true;
    }
  }
}

// The set of what may differ, at random legal values: the power epoch; the sequence, where no image counts;
// both places and the marks as far as no image in them counts. A header that is neither valid nor nothing
// would be that of a newer image which was cut: those are nothing.
void ExploreBoard::perturb() {
  epoch_ += 1 + static_cast<std::uint32_t>(random_.below(1000));
  heap::Control& control = this->control();
  if (control.has_disowned()) return;
  note_program_writes();
  scramble(heap::following_sequence(control) & 1U);
  if (control.sequence != control.marked_sequence) return;
  scramble(control.sequence & 1U);
  fill_random(area_.marks, area_.places - area_.marks);
  const auto sequence = static_cast<std::uint32_t>(2 + random_.below(0xFFFF'FF00U));
  control.sequence = control.marked_sequence = sequence;
  older_.valid = false;
}

void ExploreBoard::scramble(std::uint32_t place) {
  constexpr auto kHeader = static_cast<std::uint32_t>(sizeof(heap::CheckpointHeader));
  const std::uint32_t address = area_.places + place * area_.place_bytes;
  std::fill_n(fram_.memory().begin() + address, kHeader, std::uint8_t{0});
  fill_random(address + kHeader, area_.place_bytes - kHeader);
}

void ExploreBoard::fill_random(std::uint32_t address, std::uint32_t size_bytes) {
  for (std::uint32_t i = 0; i < size_bytes; ++i) {
    fram_.memory()[address + i] = static_cast<std::uint8_t>(random_.next() >> 56U);
  }
}

void ExploreBoard::operation_done() {
  end_recovery(0);  // if the program never said so
  ++result_.operations;
  if (RunObserver* told = observer()) told->operation_done(shown_, result_.operations);
  show_heap();
  const bool last = result_.operations >= options_.operations;
  if (last || struck_ || result_.operations % options_.boundary_every == 0) verify_boundary();
  struck_ = false;
  arm_drawn();
  place_.point = PointClass::operation;
  at(PointClass::operation);
  if (struck_) {
    if (auto fault = objects_fault()) fail_program("objects", std::move(*fault));
  }
  if (options_.course == Course::perturbed) perturb();
  if (result_.operations < options_.operations) return;
  mode_ = Mode::off;
  fibers_.abandon_all();
}

// Objects equal their copies, structures are sound, and all is as it was in the run without outages.
void ExploreBoard::verify_boundary() {
  if (auto fault = objects_fault()) fail_program("objects", std::move(*fault));
  result_.objects_compared += shadow_.size();
  // Of what was drawn, as far as a run without outages is known.
  if (options_.drawn != nullptr && options_.boundary_every > 1) return;
  spans_.clear();
  inspector_->live_spans(ram_, known(), spans_);
  std::uint64_t digest = 0;
  for (const RamSpan& span : spans_) digest = digest_of(ram_.data() + span.offset, span.size_bytes, digest);
  const std::size_t at = result_.boundaries.size();
  result_.boundaries.push_back(digest);
  // What a loss has cost is gone.
  if (options_.boundaries == nullptr || result_.lost()) return;
  if (at < options_.boundaries->size() && (*options_.boundaries)[at] == digest) return;
  fail_program("course",
               fmt::format("RAM at the end of operation {} is not as it was without outages", at + 1));
}

std::optional<std::string> ExploreBoard::objects_fault() {
  if (auto fault = shadow_.differs_anywhere(*inspector_, ram_, fram_.memory())) return fault;
  return inspector_->structure_fault(ram_, fram_.memory(), known());
}

// --- the rest of the port ------------------------------------------------------------------------

void ExploreBoard::charge(heap::Work work, std::uint32_t count) {
  if (mode_ != Mode::program && ++charges_ > kEndlessCharges && mode_ != Mode::start) {
    fault_aside("progress", "the persist or the restore never ends");
  }
  const auto kind = static_cast<std::size_t>(work);
  if (kind < kWorkKinds) {
    millicycles_ += millicycles_of_[kind] * count;
    if (by_energy_ && mode_ == Mode::program && now() >= due_ && strikes_at_once()) strike();
    return;
  }
  const devices::TransferCosts& bus = scenario_.storage.bus.costs(scenario_.storage.transfer);
  switch (work) {
    case heap::Work::storage_write_call: return spend(bus.call_write);
    case heap::Work::storage_read_call: return spend(bus.call_read);
    case heap::Work::storage_write_empty: return spend(bus.call_write_empty);
    case heap::Work::storage_read_empty: return spend(bus.call_read_empty);
    default: assert(false && "a unit of work without a cost");
  }
}

const std::vector<KnownObject>& ExploreBoard::known() {
  if (known_is_old_) known_ = shadow_.objects();
  known_is_old_ = false;
  return known_;
}

void ExploreBoard::object_made(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number) {
  if (shadow_.find(home) != nullptr || recovery_.has(home))
    fail_program("objects", fmt::format("store address {} was given out twice", home));
  shadow_.make(home, size_bytes, number);
  known_is_old_ = true;
}

void ExploreBoard::object_freed(std::uint32_t home) {
  shadow_.free(home);
  recovery_.free(home);
  known_is_old_ = true;
}

void ExploreBoard::object_changed(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes) {
  if (shadow_.find(home) == nullptr) {
    fail_program("objects",
                 fmt::format("an object was written at store address {} where there is none", home));
  }
  shadow_.change(home, offset, bytes, std::as_const(fram_).memory());
}

void ExploreBoard::object_read(std::uint32_t home, heap::ConstBytes bytes) {
  if (auto fault = shadow_.differs(home, bytes)) fail_program("objects", "in a read: " + std::move(*fault));
}

void ExploreBoard::give_up(heap::Error error, const char* doing) {
  fail_program("progress",
               fmt::format("the workload could not go on: {} (error {})", doing, static_cast<int>(error)));
}

// --- the observer --------------------------------------------------------------------------------

RunObserver* ExploreBoard::observer() {
  if (options_.observer == nullptr || unseen_) return nullptr;
  const Picoseconds at = now() + ahead_of_clock_;
  if (at > shown_) options_.observer->span({shown_, shown_v_}, {at, shown_v_});
  shown_ = at;
  return options_.observer;
}

void ExploreBoard::show_selected(bool selected) {
  if (RunObserver* told = observer()) told->selected(shown_, selected);
}

void ExploreBoard::show_access(const StoreAccess& what) {
  if (access_shown_) return;
  RunObserver* told = observer();
  if (told == nullptr) return;
  access_shown_ = true;
  bytes_before_access_ = counters().data_bytes;
  told->access(shown_, what);
}

void ExploreBoard::show_access_over(AccessEnd end) {
  if (!access_shown_) return;
  RunObserver* told = observer();
  if (told == nullptr) return;
  access_shown_ = false;
  told->access_over(shown_, end, counters().data_bytes - bytes_before_access_);
}

void ExploreBoard::show_heap() {
  if (RunObserver* told = observer()) told->heap(shown_, heap_state_of(*inspector_, ram_, known()));
}

void ExploreBoard::show_doing(Doing what) {
  if (RunObserver* told = observer()) told->doing(shown_, what);
}

void ExploreBoard::show_moment(Moment what) {
  if (RunObserver* told = observer()) told->moment(shown_, what);
}

void ExploreBoard::show_supply(bool powered, bool warning, double voltage_v) {
  RunObserver* told = observer();
  if (told == nullptr) return;
  shown_v_ = voltage_v;
  told->supply(shown_, powered, warning);
}

void ExploreBoard::show_warning() {
  persist_shown_ = false;
  show_supply(true, true, scenario_.supply.thresholds.warn_v);
}

void ExploreBoard::show_resumed() {
  show_supply(true, false, scenario_.supply.thresholds.turn_on_v);
  show_doing(Doing::run);
}

void ExploreBoard::show_cut(Moment what) {
  show_access_over(AccessEnd::cut);
  show_selected(false);
  show_moment(what);
  show_supply(false, true, scenario_.supply.thresholds.brown_out_v);
  show_doing(Doing::off);
}

// Time without power is no part of the board's clock.
void ExploreBoard::show_power_cycle() {
  if (observer() == nullptr) return;
  constexpr Picoseconds kWithoutPower = devices::microseconds(1);
  if (persist_shown_) show_moment(Moment::outage);
  persist_shown_ = false;
  show_access_over(AccessEnd::cut);
  show_selected(false);
  show_supply(false, true, scenario_.supply.thresholds.brown_out_v);
  show_doing(Doing::off);
  ahead_of_clock_ += kWithoutPower;
  show_supply(true, false, scenario_.supply.thresholds.turn_on_v);
}

// What comes next begins where what was taken back began, and is shown behind it.
void ExploreBoard::show_taken_back(Picoseconds until) {
  if (options_.observer == nullptr || unseen_ || until == now()) return;
  ahead_of_clock_ += until - now();
  show_moment(Moment::taken_back);
  show_warning();
}

void ExploreBoard::show_end() {
  unseen_ = false;
  RunObserver* told = observer();
  if (told == nullptr) return;
  told->end(shown_);
  options_.observer = nullptr;
}

// --- findings ------------------------------------------------------------------------------------

// Abandoned frames free nothing, so the words are moved out of them first.
void ExploreBoard::fault_aside(const char* check, std::string what) {
  check_ = check;
  fault_ = std::move(what);
  fibers_.abandon();
}

void ExploreBoard::fail_program(const char* check, std::string what) {
  note_failure(check, std::move(what), true);
  lost_ = false;
  mode_ = Mode::off;
  fibers_.abandon_all();
}

void ExploreBoard::note_failure() { note_failure(check_, std::move(fault_)); }

void ExploreBoard::note_failure(const char* check, std::string what, bool of_program) {
  ++result_.failed;
  if (result_.failures.size() >= kFailuresKept) return;
  Failure& failure = result_.failures.emplace_back();
  failure.index = index_;
  failure.course = options_.course;
  failure.operations = result_.operations;
  failure.phase = options_.for_good.first;
  failure.of_program = of_program;
  failure.place = place_;
  failure.nested = nested_;
  failure.nested_at = nested_at_;
  failure.fault = nested_fault_;
  failure.check = check;
  failure.what = std::move(what);
  void* frames[kMostFrames];
  const int count = backtrace(frames, kMostFrames);
  failure.stack.assign(frames, frames + count);
}

// A Weyl sequence: no two words of a memory are the same, nor those of one place twice in a row.
void ExploreBoard::fill_pattern(std::span<std::byte> bytes) {
  constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15ULL;
  std::uint64_t word = pattern_;
  std::size_t i = 0;
  for (; i + sizeof word <= bytes.size(); i += sizeof word) {
    word += kOdd;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  word += kOdd;
  std::memcpy(bytes.data() + i, &word, bytes.size() - i);
  pattern_ = word;
}

}  // namespace brownout::sim::explore
