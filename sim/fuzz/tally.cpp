#include "sim/fuzz/tally.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace brownout::sim::fuzz {
namespace {

using explore::Drawn;
using explore::DrawnAt;

constexpr std::array<std::string_view, explore::kTransfers> kTransferNames = {
    "none", "command", "read_home", "write_home", "read_other", "write_mark", "write_other"};
constexpr std::array<std::string_view, explore::kFillStates> kStateNames = {
    "clean", "some", "much", "clean_full", "some_full", "much_full"};
// What an outage finds: an operation, the last of them that of a scenario's own workload.
constexpr std::size_t kCellActs = firmware::kFuzzActs + 1;
// The last one: so many or more.
constexpr std::size_t kOutagesARun = 9;
// Numbers by the powers of two that they are at least.
constexpr std::size_t kPowers = 21;

// Where each group begins.
struct Layout {
  std::vector<Tally::Name> names;
  std::size_t runs = 0;
  std::size_t acts = 0;
  std::size_t kinds = 0;
  std::size_t points = 0;
  std::size_t transfers = 0;
  std::size_t outages = 0;
  std::size_t outages_a_run = 0;
  std::size_t heap = 0;
  std::size_t damage = 0;
  std::size_t wires = 0;
  std::size_t losses = 0;
  std::size_t checks = 0;
  std::array<std::size_t, kKnobs> knobs{};
  std::size_t cells = 0;

  Layout() {
    runs = group("runs", {"runs", "failed", "without_outages", "operations", "refused"});
    std::vector<std::string> act_names;
    for (std::size_t i = 0; i < firmware::kFuzzActs; ++i)
      act_names.emplace_back(name_of(static_cast<firmware::FuzzAct>(i)));
    acts = group("operations", act_names);
    std::vector<std::string> kind_names;
    for (std::size_t i = 0; i < explore::kDrawnKinds; ++i)
      kind_names.emplace_back(explore::name_of(static_cast<Drawn>(i)));
    kinds = group("interruptions", kind_names);
    std::vector<std::string> point_names;
    for (std::size_t i = 0; i < explore::kDrawnPlaces; ++i)
      point_names.emplace_back(explore::name_of(static_cast<DrawnAt>(i)));
    points = group("points", point_names);
    transfers = group("in_transfer", {kTransferNames.begin(), kTransferNames.end()});
    outages = group("outages",
                    {"suffered", "dirty", "in_critical", "persists_cut", "cut_yet_whole", "restores_cut"});
    std::vector<std::string> numbers;
    for (std::size_t i = 0; i < kOutagesARun; ++i) numbers.push_back(fmt::format("{}", i));
    outages_a_run = group("outages_a_run", numbers);
    heap = group("heap", {"home_reads", "home_writes", "evictions"});
    damage = group("faults", {"bytes_cut", "garbage_bytes", "rows_lost"});
    wires = group("wires", {"runs", "missing", "sent_bits", "received_bits", "timed_out", "differed",
                            "repeated", "gave_up"});
    losses = group("losses", {"runs", "formats", "attaches", "from_image", "starts_cut", "in_doubt", "kept",
                              "fell_back", "reclaimed"});
    checks = group("checks", {"objects_compared", "bytes_persisted", "bytes_restored"});
    for (std::size_t i = 0; i < kKnobs; ++i) {
      const KnobInfo& info = info_of(static_cast<Knob>(i));
      std::vector<std::string> values(info.choices.begin(), info.choices.end());
      for (std::size_t power = 0; info.choices.empty() && power < kPowers; ++power)
        values.push_back(power == 0 ? "0" : fmt::format("{}", std::uint64_t{1} << (power - 1)));
      knobs[i] = group(fmt::format("board.{}", info.name), values);
    }
    std::vector<std::string> cell_names;
    for (std::size_t act = 0; act < kCellActs; ++act) {
      const std::string_view operation =
          act == firmware::kFuzzActs ? "workload" : name_of(static_cast<firmware::FuzzAct>(act));
      for (const std::string& point : point_names) {
        for (const std::string_view state : kStateNames)
          cell_names.push_back(fmt::format("{}.{}.{}", operation, point, state));
      }
    }
    cells = group("cells", cell_names);
  }

  std::size_t group(const std::string& name, const std::vector<std::string>& members) {
    const std::size_t first = names.size();
    for (const std::string& member : members) names.push_back({name, member});
    return first;
  }
};

const Layout& layout() {
  static const Layout made;
  return made;
}

}  // namespace

Tally::Tally() : counts_(layout().names.size(), 0) {}

const std::vector<Tally::Name>& Tally::names() { return layout().names; }

void Tally::add(const FuzzCase& a_case, const Outcome& outcome) {
  const Layout& at = layout();
  const explore::BoardResult& board = outcome.board;
  const auto add_at = [this](std::size_t first, std::initializer_list<std::uint64_t> values) {
    for (const std::uint64_t value : values) counts_[first++] += value;
  };
  const auto add_all = [this](std::size_t first, const auto& values) {
    for (const auto value : values) counts_[first++] += value;
  };
  add_at(at.runs, {1, outcome.failure ? 1U : 0U, a_case.outages.empty() ? 1U : 0U, board.operations,
                   outcome.counters.refused});
  add_all(at.acts, outcome.counters.done);
  add_all(at.kinds, board.drawn.kinds);
  add_all(at.points, board.drawn.points);
  add_all(at.transfers, board.drawn.in_transfer);
  add_at(at.outages, {board.suffered, board.drawn.dirty, board.drawn.in_critical, board.drawn.persists_cut,
                      board.nested_whole, board.drawn.restores_cut});
  std::uint64_t happened = 0;
  for (const std::uint64_t kind : board.drawn.kinds) happened += kind;
  ++counts_[at.outages_a_run + std::min<std::uint64_t>(happened, kOutagesARun - 1)];
  add_at(at.heap, {board.drawn.homes_read, board.drawn.homes_written, board.drawn.homes_written_for_room});
  add_at(at.damage, {board.damage.bytes_cut, board.damage.garbage_bytes, board.damage.rows_lost});
  const explore::DrawnCounts& drawn = board.drawn;
  const InjectedFaults& injected = drawn.injected;
  const NoticedFaults& noticed = drawn.noticed;
  add_at(at.wires, {injected.any() ? 1U : 0U, injected.missing_answers, injected.sent_bits,
                    injected.received_bits, noticed.timed_out, noticed.written_differs + noticed.reads_differ,
                    noticed.repeated, noticed.gave_up});
  add_at(at.losses, {board.lost() ? 1U : 0U, drawn.formats, drawn.attaches, drawn.attaches_from_image,
                     drawn.starts_cut, drawn.in_doubt, drawn.kept, drawn.fell_back, drawn.reclaimed});
  for (const explore::DrawnCell& cell : drawn.cells) {
    const std::size_t act = cell.operation < a_case.operations.size()
                                ? static_cast<std::size_t>(a_case.operations[cell.operation].act)
                                : firmware::kFuzzActs;
    const std::size_t place = act * explore::kDrawnPlaces + static_cast<std::size_t>(cell.at);
    ++counts_[at.cells + place * explore::kFillStates + static_cast<std::size_t>(cell.state)];
  }
  add_at(at.checks, {board.objects_compared, board.bytes_persisted, board.bytes_restored});
  for (std::size_t i = 0; i < kKnobs; ++i) {
    const std::uint32_t value = a_case.knobs[i];
    const bool chosen = !info_of(static_cast<Knob>(i)).choices.empty();
    ++counts_[at.knobs[i] + (chosen ? value : static_cast<std::size_t>(std::bit_width(value)))];
  }
  largest_bytes_over_bound = std::max(largest_bytes_over_bound, board.largest_bytes_over_bound);
  largest_time_over_bound = std::max(largest_time_over_bound, board.largest_time_over_bound);
}

void Tally::add(const Tally& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  largest_bytes_over_bound = std::max(largest_bytes_over_bound, other.largest_bytes_over_bound);
  largest_time_over_bound = std::max(largest_time_over_bound, other.largest_time_over_bound);
}

std::uint64_t Tally::of(std::string_view group, std::string_view name) const {
  for (std::size_t i = 0; i < names().size(); ++i) {
    if (names()[i].group == group && names()[i].name == name) return counts_[i];
  }
  return 0;
}

std::uint64_t Tally::cells_reached() const {
  const auto begin = counts_.begin() + static_cast<std::ptrdiff_t>(layout().cells);
  return static_cast<std::uint64_t>(
      std::count_if(begin, counts_.end(), [](std::uint64_t n) { return n > 0; }));
}

std::uint64_t Tally::sum_of(std::string_view group) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < names().size(); ++i) {
    if (names()[i].group == group) sum += counts_[i];
  }
  return sum;
}

}  // namespace brownout::sim::fuzz
