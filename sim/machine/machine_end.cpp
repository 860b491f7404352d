// How a run ends: stopped, failed or finished, and what is verified then.
#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "devices/math/random.hpp"
#include "sim/machine/machine.hpp"

namespace brownout::sim {

void Machine::stop(StopReason reason) {
  if (frozen_) return;
  frozen_ = true;
  note_faults();
  inject_faults(false);
  // Now: the program goes on to the end of its operation, and writes.
  if (options_.fram_image != nullptr)
    options_.fram_image->assign(fram_.memory().begin(), fram_.memory().end());
  result_.wear = fram_.hottest_row();
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
  if (auto fault = shadow_.differs_anywhere(*inspector_, ram_, fram_.memory())) return fault;
  return structure_fault();
}

std::optional<std::string> Machine::structure_fault() const {
  return inspector_->structure_fault(ram_, fram_.memory(), shadow_.objects());
}

RunResult Machine::finish() {
  train_.close();
  const double terminal_v = train_.terminal_v();
  result_.cycles.end(true, {train_.now(), terminal_v}, train_.stored_j(), ledger_, result_.operations);
  result_.simulated = train_.now();
  if (options_.observer != nullptr) options_.observer->end(train_.now());
  result_.bus_transactions = counters().transactions;
  result_.bus_transfers = counters().transfers;
  result_.bus_aborted = counters().aborted;
  result_.bus_data_bytes = counters().data_bytes;
  result_.bus_drained_bytes = counters().drained_bytes;
  result_.bus_timed_out = counters().timed_out;
  result_.violations = fram_.violations();
  result_.damage = fram_.damage();
  result_.final_j = train_.stored_j();
  result_.final_v = train_.terminal_v();
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<Phase>(i);
    result_.phases[i] = {ledger_.time(phase), ledger_.cpu_j(phase), ledger_.bus_j(phase),
                         ledger_.storage_j(phase), ledger_.peripherals_j(phase)};
  }
  result_.harvested_j = ledger_.harvested_j();
  result_.leakage_j = ledger_.leakage_j();
  result_.esr_j = ledger_.esr_j();
  result_.clipped_j = ledger_.clipped_j();
  result_.conversion_j = ledger_.conversion_j();
  result_.charging_j = ledger_.charging_j();
  result_.off_j = ledger_.off_j();
  result_.balance = ledger_.check();
  result_.fingerprint = fingerprint_.value();
  result_.complete = result_.stop_reason != StopReason::interrupted;
  if (result_.failure.empty() && result_.balance.relative_error > 1e-9) {
    result_.stop_reason = StopReason::check_failed;
    result_.failure = fmt::format("the energy books disagree by {:.3g} of the energy turned over ({})",
                                  result_.balance.relative_error, result_.balance.worst);
  }
  // An opcode in which a bit flipped is no misuse by the driver.
  const bool garbled = result_.injected.transactions + result_.injected.missing_answers > 0;
  if (result_.failure.empty() && !garbled && !(result_.violations == devices::FramViolations{})) {
    result_.stop_reason = StopReason::check_failed;
    result_.failure = fmt::format(
        "the FRAM was misused: {} writes without WEL, {} accesses before t_PU, {} opcodes, {} "
        "protected bytes",
        result_.violations.write_without_wel, result_.violations.access_before_ready,
        result_.violations.unknown_opcode, result_.violations.write_protected);
  }
  if (result_.failure.empty()) check_sections();
  const StopReason reason = result_.stop_reason;
  result_.pass = result_.lost == 0 && result_.failure.empty() &&
                 (reason == StopReason::time || reason == StopReason::operations ||
                  reason == StopReason::source_ended || reason == StopReason::interrupted);
  return std::move(result_);
}

// Only in time that counts: neither when the run is over, nor in what a persist would still have done.
void Machine::inject_faults(bool on) {
  if (bus_) bus_->inject(on && faults_ ? &*faults_ : nullptr, scenario_.storage.timeout);
}

void Machine::note_faults() {
  if (!faults_ || result_.wrong_bytes) return;
  result_.injected = faults_->injected();
  // Bytes that a power failure has damaged were not meant either.
  if (scenario_.storage.power_loss == devices::FramFault::discard)
    result_.wrong_bytes = faults_->wrong_bytes(fram_.memory());
}

std::string Machine::after_retries(heap::Status status) const {
  if (status.error() != heap::Error::storage_failed || result_.noticed.gave_up == 0) return "";
  return fmt::format(", after {} retries of a transfer", scenario_.storage.retries);
}

void Machine::check_sections() {
  const std::uint32_t longest = result_.longest_section_cycles;
  const PersistBound& bound = result_.persist_bound;
  const bool above_limit = longest > bound.section_limit_cycles;
  if (!above_limit && longest <= bound.section_cycles) return;
  const std::uint32_t most = above_limit ? bound.section_limit_cycles : bound.section_cycles;
  result_.stop_reason = StopReason::check_failed;
  result_.failure = fmt::format("the longest critical section took {} cycles, {} above the {} of {}", longest,
                                longest - most, above_limit ? "limit" : "bound", most);
}

void Machine::fill_pattern(std::span<std::byte> bytes) {
  devices::SplitMix64 random(++pattern_);
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, bytes.size() - i));
  }
}

}  // namespace brownout::sim
