#include "sim/fuzz/workbench.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "sim/firmware/workloads/run_fuzz.hpp"
#include "sim/fuzz/draw.hpp"
#include "sim/machine/machine.hpp"
#include "sim/scenario/fit.hpp"

namespace brownout::sim::fuzz {
namespace {

using explore::Failure;

// Between two looks at all objects and structures.
constexpr std::uint64_t kBoundaryEvery = 16;

// The board of a case without a scenario: what is not drawn. Its supply is none that anything depends on.
constexpr const char* kBoard = R"(
name: fuzz
mcu: {profile: esp32c3, after_persist: sleep}
storage: {part: MB85RS64V, bus: esp32c3-baremetal, sck: 20 MHz}
supply:
  source: {kind: constant, power: 10 mW}
  capacitor: {capacitance: 2 mF}
  thresholds: {turn_on: 4.5 V, warn: 3.8 V, brown_out: 3.0 V}
heap: {ram: 1024 B, dirty_limit: 1024 B}
workload: {kind: counter, objects: 1, size: 4 B}
stop: {operations: 1}
)";
constexpr const char* kMappedBoard = R"(
name: fuzz
mcu: {profile: msp430fr5994, rail: 1.8 V, after_persist: sleep}
storage: {part: MSP430FR5994}
supply:
  source: {kind: constant, power: 10 mW}
  capacitor: {capacitance: 2 mF}
  thresholds: {turn_on: 3.0 V, warn: 2.3 V, brown_out: 1.85 V}
  converter: {path: direct}
heap: {ram: 1024 B, dirty_limit: 1024 B}
workload: {kind: counter, objects: 1, size: 4 B}
stop: {operations: 1}
)";

// How long a driver waits for a completion.
constexpr Picoseconds kTimeout = devices::microseconds(100);

template <class Choice>
void choose(Choice& to, std::uint32_t value) {
  to = static_cast<Choice>(value);
}

}  // namespace

std::string cause_of(const Failure& failure) {
  std::string text = fmt::format("{} in {}", failure.check, explore::name_of(failure.place.call));
  if (failure.nested == explore::Nested::persist) text += ", persist cut";
  if (failure.nested == explore::Nested::restore) text += ", restore cut";
  text += ": ";
  // Numbers differ from run to run, bytes in hexadecimal, too.
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const std::string& what = failure.what;
  for (std::size_t i = 0; i < what.size();) {
    std::size_t end = i;
    while (end < what.size() && is_word(what[end])) ++end;
    if (end == i) {
      text += what[i++];
      continue;
    }
    const std::string word = what.substr(i, end - i);
    const bool digits = std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    const bool byte = word.size() == 2 && word.find_first_not_of("abcdef") == std::string::npos;
    text += digits || byte ? "#" : word;
    i = end;
  }
  return text;
}

Workbench::Workbench(const Scenario* scenario, MakeFirmware make_firmware)
    : base_(scenario), make_firmware_(make_firmware) {
  if (scenario == nullptr) {
    scenario_ = parse_scenario(kBoard, "fuzz", {}, 1);
    mapped_ = parse_scenario(kMappedBoard, "fuzz", {}, 1);
  } else {
    for (std::size_t i = 0; i < kKnobs; ++i) {
      const std::string_view path = info_of(static_cast<Knob>(i)).path;
      fixed_[i] = scenario->locations.contains(path);
    }
    for (const Knob knob : {Knob::memory, Knob::page, Knob::storage})
      fixed_[static_cast<std::size_t>(knob)] = true;
    scenario_ = *scenario;
  }
}

// False: what the scenario leaves open does not fit what it fixes, so that all is as it is in the scenario.
bool Workbench::prepare(const FuzzCase& a_case) {
  const bool drawn = a_case.file.empty();
  const auto value = [&a_case](Knob knob) { return a_case.knobs[static_cast<std::size_t>(knob)]; };
  const auto open = [&](Knob knob) { return !fixed_[static_cast<std::size_t>(knob)]; };
  at_ =
      drawn && static_cast<StorageKind>(value(Knob::storage)) == StorageKind::mapped ? &mapped_ : &scenario_;
  Scenario& s = *at_;
  const auto set_number = [&](Knob knob, std::uint32_t& to) {
    if (open(knob)) to = value(knob);
  };
  s.seed = a_case.seed;
  firmware::MemoryOptions& memory = s.heap.memory;
  if (open(Knob::memory)) choose(memory.kind, value(Knob::memory));
  set_number(Knob::page, memory.page_bytes);
  const bool is_heap = memory.kind == firmware::MemoryKind::heap;
  if (drawn || is_heap) {
    set_number(Knob::residents, s.heap.max_residents);
    set_number(Knob::store, s.heap.store_bytes);
    set_number(Knob::unit, s.heap.store_unit_bytes);
    set_number(Knob::roots, s.heap.roots);
    if (open(Knob::intents)) s.heap.write_intents = value(Knob::intents) == 1;
    const bool modules = open(Knob::ram_allocator) && open(Knob::store_allocator) && open(Knob::slots);
    if (modules || (open(Knob::ram_allocator) && value(Knob::slots) == 0))
      choose(memory.ram_allocator, value(Knob::ram_allocator));
    if (modules || (open(Knob::store_allocator) && value(Knob::slots) == 0))
      choose(memory.store_allocator, value(Knob::store_allocator));
    if (modules) choose(memory.slots, value(Knob::slots));
    // Compact slots are for buddy and buddy.
    if (is_heap && memory.slots == firmware::SlotKind::compact) {
      memory.ram_allocator = firmware::RamAllocatorKind::buddy;
      memory.store_allocator = firmware::StoreAllocatorKind::buddy;
    }
    if (open(Knob::policy)) choose(memory.policy, value(Knob::policy));
    if (open(Knob::checksum)) choose(memory.checksum, value(Knob::checksum));
    if (open(Knob::on_loss)) {
      const bool attach = is_heap && static_cast<LossStart>(value(Knob::on_loss)) == LossStart::attach;
      s.mcu.on_loss = attach ? OnLoss::attach : OnLoss::reformat;
      if (attach && open(Knob::intents)) s.heap.write_intents = true;
    }
  }
  if (drawn) {
    s.heap.ram_bytes = value(Knob::ram);
    s.heap.dirty_limit_bytes = value(Knob::limit);
  }
  set_number(Knob::os, s.mcu.os_save_bytes);
  prepare_storage(a_case);
  if (!drawn) {
    for (int tries = 0; tries < 2; ++tries) {
      try {
        check_fit(s);
        return true;
      } catch (const InputError&) {
        if (s.mcu.on_loss != OnLoss::attach || !open(Knob::on_loss)) break;
        s.mcu.on_loss = OnLoss::reformat;
      }
    }
    const devices::FramFault fault = s.storage.power_loss;
    s = *base_;
    s.seed = a_case.seed;
    s.storage.power_loss = fault;
    return false;
  }
  program_.operations = a_case.operations;
  s.workload = firmware::CustomOptions{&firmware::run_fuzz, false};
  firmware::set_fuzz(&program_, &counters_);
  if (!fits(a_case.knobs)) {
    throw InputError({"replay", 0, 0},
                     fmt::format("a {} of {} B RAM with a limit of {} B does not fit its part of {} B",
                                 info_of(Knob::memory).choices[value(Knob::memory)], s.heap.ram_bytes,
                                 s.heap.dirty_limit_bytes, value(Knob::part)));
  }
  return true;
}

void Workbench::prepare_storage(const FuzzCase& a_case) {
  const auto value = [&a_case](Knob knob) { return a_case.knobs[static_cast<std::size_t>(knob)]; };
  const auto open = [&](Knob knob) { return !fixed_[static_cast<std::size_t>(knob)]; };
  Scenario& s = *at_;
  StorageConfig& storage = s.storage;
  const bool drawn = a_case.file.empty();
  if (drawn) storage.part.size_bytes.value = value(Knob::part);
  if (open(Knob::fault)) {
    choose(storage.power_loss, value(Knob::fault));
    const bool of_a_read = storage.power_loss == devices::FramFault::row_lost;
    const bool in_flight = storage.power_loss == devices::FramFault::garbage_in_flight;
    // Neither is one of mapped FRAM, and what power leaves damaged an attach has no way to bring back.
    if ((storage.part.is_mapped && (of_a_read || in_flight)) || s.mcu.on_loss == OnLoss::attach)
      storage.power_loss = devices::FramFault::discard;
  }
  if (storage.part.is_mapped) return;
  if (drawn) {
    storage.part.address_bytes.value = value(Knob::part) > 65'536 ? 3 : 2;
    storage.part.row_bytes.value = 8;
    storage.part.wel_cleared_by_write.value = value(Knob::wel) == 1;
  }
  if (open(Knob::transfer)) {
    choose(storage.transfer, value(Knob::transfer));
    storage.slice_bytes = storage.transfer == devices::TransferMode::sliced ? value(Knob::slice) : 0;
  }
  if (open(Knob::chunk)) {
    devices::TransferCosts& costs = storage.bus.costs(storage.transfer);
    costs.chunk_bytes = value(Knob::chunk);
    choose(costs.abort_granularity, value(Knob::abort));
  }
  if (open(Knob::verify)) choose(storage.verify, value(Knob::verify));
  if (open(Knob::retries)) storage.retries = value(Knob::retries);
  storage.timeout = wires_of(a_case).missing ? kTimeout
                    : base_ == nullptr       ? Picoseconds{}
                                             : base_->storage.timeout;
}

// Of the errors that were drawn, those that the driver has something against.
explore::WireFaults Workbench::wires_of(const FuzzCase& a_case) const {
  const auto value = [&a_case](Knob knob) { return a_case.knobs[static_cast<std::size_t>(knob)]; };
  const StorageConfig& storage = at_->storage;
  explore::WireFaults faults;
  const auto wires = static_cast<Wires>(value(Knob::wires));
  if (storage.part.is_mapped || fixed_[static_cast<std::size_t>(Knob::wires)] || storage.retries == 0)
    return faults;
  const auto is = [wires](Wires kind) { return wires == kind || wires == Wires::all; };
  faults.missing = is(Wires::missing);
  faults.sent = is(Wires::sent) && storage.verify != heap::Verify::none;
  faults.received = is(Wires::received) && storage.verify == heap::Verify::read_twice;
  faults.every = value(Knob::every);
  faults.retries = storage.retries;
  // As many as what has retries in common takes, twice over: the steps of a write home (see
  // heap/gateway.hpp), each WREN, WRITE and READ a slice. The longest are images, smaller than RAM and the OS
  // part together, and the table of the store, a byte for each 8.
  constexpr std::uint32_t kSteps = 4;
  const std::uint32_t bytes = at_->heap.ram_bytes + at_->mcu.os_save_bytes + 64 + storage.part.size_bytes / 8;
  faults.quiet = 2 * 3 * (kSteps + (storage.slice_bytes == 0 ? 0 : bytes / storage.slice_bytes));
  return faults;
}

explore::BoardResult Workbench::run_board(const FuzzCase& a_case, const RunOptions& options,
                                          const std::vector<explore::DrawnOutage>& drawn,
                                          const std::vector<std::uint64_t>* boundaries) {
  explore::BoardOptions board;
  const bool is_heap = at_->heap.memory.kind == firmware::MemoryKind::heap;
  auto start = static_cast<explore::Course>(a_case.knobs[static_cast<std::size_t>(Knob::start)]);
  if (start == explore::Course::wrapped && !is_heap) start = explore::Course::second_image;
  board.course = start;
  board.classes = {false, true, true};
  for (const explore::DrawnOutage& outage : drawn) {
    if (outage.at == explore::DrawnAt::access) board.classes[0] = true;
  }
  board.selection.to = 0;
  board.stops_at_failure = true;
  board.operations = a_case.file.empty() ? a_case.operations.size() : a_case.iterations;
  board.boundaries = boundaries;
  board.interrupted = options.interrupted;
  board.make_firmware = make_firmware_;
  board.before_outage = options.before_outage;
  board.drawn = &drawn;
  if (&drawn == &a_case.outages) board.observer = options.observer;
  board.boundary_every = options.thorough ? 1 : kBoundaryEvery;
  board.stacks = &stacks_;
  board.homes_at = ~0U;
  board.attaches = at_->mcu.on_loss == OnLoss::attach;
  board.wires = wires_of(a_case);
  if (is_heap) {
    heap::Geometry geometry;
    static_cast<void>(
        firmware::plan_heap(heap_config_of(*at_), at_->heap.memory, at_->storage.part.size_bytes, geometry));
    board.homes_at = geometry.store_base;
    board.empty_image_bytes = geometry.empty_image_bytes();
    board.dirty_limit_bytes = geometry.config.dirty_limit_bytes;
    board.max_residents = geometry.config.max_residents;
  }
  return explore::ExploreBoard(*at_, board).run();
}

Outcome Workbench::run(const FuzzCase& a_case, const RunOptions& options) {
  static_cast<void>(prepare(a_case));
  static const std::vector<explore::DrawnOutage> none;
  Outcome outcome;
  explore::BoardResult control;
  if (options.thorough) {
    counters_ = {};
    control = run_board(a_case, options, none, nullptr);
    if (!control.failures.empty()) {
      outcome.failure = control.failures.front();
      outcome.board = std::move(control);
      return outcome;
    }
  }
  counters_ = {};
  outcome.board =
      run_board(a_case, options, a_case.outages, options.thorough ? &control.boundaries : nullptr);
  outcome.counters = counters_;
  // A page goes home as a whole, with whatever lies behind its objects.
  const bool has_garbage = at_->heap.memory.kind == firmware::MemoryKind::pages;
  if (!outcome.board.failures.empty()) {
    outcome.failure = outcome.board.failures.front();
  } else if (options.thorough && !outcome.board.lost() &&
             ((outcome.board.store_digest != control.store_digest && !has_garbage) ||
              outcome.board.contents_digest != control.contents_digest)) {
    Failure& failure = outcome.failure.emplace();
    failure.of_program = true;
    failure.operations = outcome.board.operations;
    failure.check = "course";
    failure.what = "the store at the end is not as it was without outages";
  }
  return outcome;
}

}  // namespace brownout::sim::fuzz
