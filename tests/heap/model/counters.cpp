#include "counters.hpp"

#include <ostream>

namespace brownout::heap::testing::model {
namespace {

constexpr const char* kRegionNames[kRegions] = {"mark", "checkpoints", "records", "table", "units"};
constexpr const char* kDamageNames[kDamages] = {"nothing done", "half done", "all done"};

void print_kinds(std::ostream& out, const char* title, const Counters::ByKind& counts) {
  out << "  " << title << ':';
  for (std::uint32_t kind = 0; kind < kOpKinds; ++kind) {
    if (counts[kind] > 0) out << ' ' << name_of(static_cast<OpKind>(kind)) << ' ' << counts[kind];
  }
  out << '\n';
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Counters& c) {
  out << "  " << c.operations << " operations in " << c.sequences << " sequences, " << c.checks
      << " checks, at most " << c.most_residents << " residents\n";
  print_kinds(out, "operations", c.by_kind);
  out << "  answers:";
  for (std::size_t error = 0; error < kErrors; ++error) {
    if (c.errors[error] > 0) out << ' ' << name_of(static_cast<Error>(error)) << ' ' << c.errors[error];
  }
  out << "\n  evictions " << c.evictions << ", flushed by the policy " << c.policy_flushes << ", by the program "
      << c.flushes << ", in several pieces " << c.scattered_flushes << ", writes of records " << c.record_writes << ", slots moved " << c.slots_moved
      << ", readers to the limit " << c.readers_to_limit << ", borrows ended " << c.borrows_ended
      << ", destructors " << c.destroyed << '\n';
  print_kinds(out, "interrupted", c.strikes_by_kind);
  out << "  more than once " << c.several_strikes << ", false alarms " << c.false_alarms << ", deaths "
      << c.deaths << ", persists that failed " << c.failed_persists << "; outages "
      << c.outages << ": with recorded slots " << c.outages_recorded << ", partially dirty " << c.outages_partial
      << ", loading " << c.outages_loading << ", borrowed " << c.outages_borrowed << ", restore failed first "
      << c.cut_restores << "; torn " << c.torn << ", stale " << c.stale << ", the image before "
      << c.restored_older << ", damaged " << c.damaged << '\n';
  print_kinds(out, "storage errors", c.faults_by_kind);
  out << "  storage errors in:";
  for (std::size_t region = 0; region < kRegions; ++region) {
    out << ' ' << kRegionNames[region] << ' ' << c.faults_by_region[region];
  }
  out << "; at begin / poll:";
  for (std::size_t damage = 0; damage < kDamages; ++damage) {
    out << ' ' << kDamageNames[damage] << ' ' << c.faults_at_begin[damage] << " / " << c.faults_at_poll[damage];
  }
  out << "; given up " << c.faults_given_up << ", failed again " << c.faults_repeated << "; repairs due "
      << c.repairs_due << ", settled " << c.repairs_settled << '\n';
  return out;
}

}  // namespace brownout::heap::testing::model
