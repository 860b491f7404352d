// A run of the fuzzer: the input is a case as `brownout replay` takes it. The mutator knows what a case is
// made of.
#include <algorithm>
#include <cstring>

#include "sim/fuzz/campaign.hpp"
#include "sim/fuzz/draw.hpp"
#include "sim/fuzz/workbench.hpp"
#include "sim/scenario/input_error.hpp"
#include "target.hpp"

#ifdef PLANTED_FACTORY
namespace brownout::sim::firmware {
std::unique_ptr<Firmware> PLANTED_FACTORY(const Image&, Port&);
}
#endif

namespace brownout::targets {
namespace {

#ifdef PLANTED_FACTORY
// The firmware with a planted bug, which has one choice of modules.
using sim::fuzz::Knob;
constexpr sim::fuzz::MakeFirmware kMakeFirmware = &sim::firmware::PLANTED_FACTORY;
const std::vector<std::pair<Knob, std::uint32_t>> kFixed = {
    {Knob::memory, 0},          {Knob::slots, 0},    {Knob::ram_allocator, 0},
    {Knob::store_allocator, 0}, {Knob::checksum, 0}, {Knob::policy, PLANTED_POLICY_CHOICE}};
#else
constexpr sim::fuzz::MakeFirmware kMakeFirmware = nullptr;
const std::vector<std::pair<sim::fuzz::Knob, std::uint32_t>> kFixed;
#endif

using devices::SplitMix64;
using sim::explore::Drawn;
using sim::explore::DrawnAt;
using sim::explore::DrawnOutage;
using sim::firmware::FuzzAct;
using sim::firmware::FuzzOperation;
using sim::fuzz::FuzzCase;

constexpr std::size_t kMostOperations = 300;
constexpr std::size_t kMostOutages = 40;

std::optional<FuzzCase> parsed(const std::string& text) {
  try {
    FuzzCase a_case = sim::fuzz::parse_fuzz_case(text);
    for (const auto& [knob, value] : kFixed) a_case.knobs[static_cast<std::size_t>(knob)] = value;
    const bool small = a_case.operations.size() <= kMostOperations && a_case.outages.size() <= kMostOutages;
    const bool own = a_case.file.empty() && a_case.build_id.empty();
    return small && own ? std::optional(std::move(a_case)) : std::nullopt;
  } catch (const sim::InputError&) {
    return std::nullopt;
  }
}

template <class Item>
auto at(std::vector<Item>& items, SplitMix64& random) {
  return items.begin() + static_cast<std::ptrdiff_t>(random.below(items.size() + 1));
}

void change_operations(FuzzCase& a_case, const FuzzCase& other, SplitMix64& random) {
  std::vector<FuzzOperation>& mine = a_case.operations;
  switch (random.below(5)) {
    case 0: {  // a span of another case
      const std::uint64_t first = random.below(other.operations.size());
      const std::uint64_t count =
          1 + random.below(std::min<std::size_t>(16, other.operations.size() - first));
      const auto from = other.operations.begin() + static_cast<std::ptrdiff_t>(first);
      mine.insert(at(mine, random), from, from + static_cast<std::ptrdiff_t>(count));
      return;
    }
    case 1: mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(random.below(mine.size()))); return;
    case 2: {
      FuzzOperation& one = mine[random.below(mine.size())];
      std::swap(one, mine[random.below(mine.size())]);
      return;
    }
    case 3:
      mine[random.below(mine.size())].act = static_cast<FuzzAct>(random.below(sim::firmware::kFuzzActs));
      return;
    default: {
      FuzzOperation& one = mine[random.below(mine.size())];
      std::uint16_t& number = one.n[random.below(one.n.size())];
      const std::uint64_t draw = random.below(4);
      number = static_cast<std::uint16_t>(draw == 0   ? random.below(16)
                                          : draw == 1 ? random.below(1'024)
                                          : draw == 2 ? number + 1
                                                      : number - 1U);
      return;
    }
  }
}

void change_outages(FuzzCase& a_case, const FuzzCase& other, SplitMix64& random) {
  std::vector<DrawnOutage>& mine = a_case.outages;
  if (mine.empty() || (random.below(4) == 0 && mine.size() < kMostOutages)) {
    if (!other.outages.empty()) mine.push_back(other.outages[random.below(other.outages.size())]);
  } else if (random.below(4) == 0) {
    mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(random.below(mine.size())));
  } else {
    DrawnOutage& one = mine[random.below(mine.size())];
    switch (random.below(6)) {
      case 0: one.operation = static_cast<std::uint32_t>(random.below(a_case.operations.size())); break;
      case 1: one.offset = static_cast<std::uint32_t>(random.below(512)); break;
      case 2: one.cut_at = static_cast<std::uint32_t>(random.below(512)); break;
      case 3: {
        one.kind = static_cast<Drawn>(random.below(sim::explore::kDrawnKinds));
        one.times =
            static_cast<std::uint32_t>(one.kind == Drawn::loss ? random.below(3) : 1 + random.below(3));
        if (one.kind == Drawn::perturb) one.at = DrawnAt::operation;
        break;
      }
      case 4:
        if (one.kind != Drawn::perturb) one.at = random.below(4) == 0 ? DrawnAt::energy : DrawnAt::byte;
        break;
      default: one.offset += random.below(2) == 0 ? 1U : ~0U; break;
    }
    one.offset = std::min(one.offset, one.at == DrawnAt::energy ? 100'000'000U : 100'000U);
  }
}

}  // namespace
}  // namespace brownout::targets

using namespace brownout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto a_case = targets::parsed(targets::text_of(data, size));
  if (!a_case || !sim::fuzz::fits(a_case->knobs)) return 0;
  static sim::fuzz::Workbench bench(nullptr, targets::kMakeFirmware);
  sim::fuzz::RunOptions options;
  options.thorough = true;
  const sim::fuzz::Outcome outcome = bench.run(*a_case, options);
  if (outcome.failure) {
    targets::report(outcome.failure->check + ": " + outcome.failure->what + "\nbrownout replay '" +
                    to_string(*a_case) + "'");
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned int seed) {
  devices::SplitMix64 random(seed);
  auto a_case = targets::parsed(targets::text_of(data, size));
  const std::uint64_t index = random.next() >> 16U;
  sim::fuzz::Setting setting;
  setting.fixed = targets::kFixed;
  const sim::fuzz::FuzzCase fresh = sim::fuzz::draw_case(setting, 1, index);
  if (!a_case) a_case = fresh;
  for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
    const std::uint64_t draw = random.below(8);
    if (draw == 0) {
      const std::uint64_t knob = random.below(sim::fuzz::kKnobs);
      a_case->knobs[knob] = fresh.knobs[knob];
    } else if (draw < 5 && a_case->operations.size() > 1) {
      targets::change_operations(*a_case, fresh, random);
    } else {
      targets::change_outages(*a_case, fresh, random);
    }
  }
  std::stable_sort(a_case->outages.begin(), a_case->outages.end(),
                   [](const auto& a, const auto& b) { return a.operation < b.operation; });
  std::string text = to_string(*a_case);
  // Too long for what libFuzzer gives room for: from its end.
  while (text.size() > most && a_case->operations.size() > 1) {
    a_case->operations.resize(a_case->operations.size() / 2);
    text = to_string(*a_case);
  }
  if (text.size() > most) return size;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
