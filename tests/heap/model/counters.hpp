// What a run exercised.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>

#include "operation.hpp"

namespace brownout::heap::testing::model {

inline constexpr std::size_t kErrors = 17;

struct Counters {
  using ByKind = std::array<std::uint64_t, kOpKinds>;

  std::uint64_t operations = 0;  // of the heap; those that found nothing to work on do not count
  std::uint64_t sequences = 0;
  std::uint64_t checks = 0;
  ByKind by_kind = {};
  std::array<std::uint64_t, kErrors> errors = {};
  std::uint64_t most_residents = 0;

  std::uint64_t evictions = 0;      // objects unloaded because the policy chose them
  std::uint64_t policy_flushes = 0;  // objects flushed because the policy chose them
  std::uint64_t flushes = 0;        // by flush()
  std::uint64_t scattered_flushes = 0;  // of objects that were dirty in several pieces
  std::uint64_t record_writes = 0;
  std::uint64_t slots_moved = 0;    // of objects that stayed resident
  std::uint64_t readers_to_limit = 0;
  std::uint64_t borrows_ended = 0;
  std::uint64_t destroyed = 0;

  ByKind strikes_by_kind = {};       // the interrupt inside an operation
  std::uint64_t several_strikes = 0;  // more than one in an operation
  std::uint64_t false_alarms = 0;
  std::uint64_t deaths = 0;              // what would have been found was looked at
  std::uint64_t failed_persists = 0;
  std::uint64_t outages = 0;
  std::uint64_t cut_restores = 0;
  std::uint64_t outages_recorded = 0;   // with slots that the image leaves out
  std::uint64_t outages_partial = 0;    // with objects of which a part only is dirty
  std::uint64_t outages_loading = 0;    // with an object that is being loaded
  std::uint64_t outages_borrowed = 0;   // with references alive
  std::uint64_t torn = 0;
  std::uint64_t stale = 0;
  std::uint64_t restored_older = 0;  // the last image, the program having run on in RAM only
  std::uint64_t damaged = 0;

  ByKind faults_by_kind = {};
  std::array<std::uint64_t, kRegions> faults_by_region = {};
  std::array<std::uint64_t, kDamages> faults_at_begin = {};  // by what was done all the same
  std::array<std::uint64_t, kDamages> faults_at_poll = {};
  std::uint64_t faults_given_up = 0;
  std::uint64_t faults_repeated = 0;  // the operation failed again
  std::uint64_t repairs_due = 0;
  std::uint64_t repairs_settled = 0;
};

std::ostream& operator<<(std::ostream& out, const Counters& counters);

}  // namespace brownout::heap::testing::model
