#include "sim/fuzz/fuzz_case.hpp"

#include <bit>
#include <charconv>

#include <fmt/format.h>

#include "heap/layout.hpp"
#include "sim/explore/case_text.hpp"
#include "sim/scenario/choices.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim::fuzz {
namespace {

using explore::Drawn;
using explore::DrawnAt;
using explore::DrawnOutage;
using firmware::FuzzAct;
using firmware::FuzzOperation;

constexpr std::string_view kFormat = "f1";
constexpr std::array<std::string_view, 2> kNoYes{"no", "yes"};
constexpr std::array<std::string_view, 3> kStarts{"first_image", "second_image", "wrapped"};
constexpr std::array<std::string_view, 2> kStorages{"bus", "mapped"};
constexpr std::array<std::string_view, 2> kLossStarts{"reformat", "attach"};
constexpr std::array<std::string_view, 5> kWires{"none", "missing", "sent", "received", "all"};
constexpr std::size_t kMostOperations = 10'000;
constexpr std::size_t kMostOutages = 1'000;

const std::array<KnobInfo, kKnobs> kInfos = {{
    {"ram", "heap.ram", 256, 65'536, 1'024, {}},
    {"limit", "heap.dirty_limit", 1, 65'536, 1'024, {}},
    {"residents", "heap.max_residents", 0, 1'024, 0, {}},
    {"store", "heap.store", 0, 524'288, 0, {}},
    {"unit", "heap.store_unit", 0, 1'024, 0, {}},
    {"os", "mcu.os_save_bytes", 0, 4'096, 0, {}},
    {"roots", "heap.roots", 0, heap::kMaxRoots, 4, {}},
    {"intents", "heap.write_intents", 0, 1, 0, kNoYes},
    {"ram_allocator", "heap.ram_allocator", 0, 1, 0, kRamAllocators},
    {"store_allocator", "heap.nv_allocator", 0, 2, 0, kNvAllocators},
    {"policy", "heap.policy", 0, 2, 0, kPolicies},
    {"slots", "heap.slots", 0, 1, 0, kSlots},
    {"checksum", "heap.checksum", 0, 1, 0, kChecksums},
    {"part", "storage.part", 1'024, 524'288, 8'192, {}},
    {"wel", "storage.part", 0, 1, 1, kNoYes},
    {"transfer", "storage.transfer", 0, 2, 0, kTransferModes},
    {"slice", "storage.slice", 1, 256, 4, {}},
    {"chunk", "storage.bus", 1, 65'535, 64, {}},
    {"abort", "storage.bus", 0, 2, 0, kAbortGranularities},
    {"fault", "storage.faults.power_loss", 0, 3, 0, kPowerLossFaults},
    {"start", "", 0, 2, 0, kStarts},
    {"memory", "heap.memory", 0, 3, 0, kMemories},
    {"page", "heap.page", 32, 512, 128, {}},
    {"storage", "storage.part", 0, 1, 0, kStorages},
    {"on_loss", "mcu.on_loss", 0, 1, 0, kLossStarts},
    {"verify", "storage.verify", 0, 2, 0, kVerify},
    {"retries", "storage.retries", 0, 16, 0, {}},
    {"wires", "storage.faults", 0, 4, 0, kWires},
    {"every", "", 1, 1'000'000, 100, {}},
}};

struct ActName {
  std::string_view code;
  std::string_view name;
};
constexpr std::array<ActName, firmware::kFuzzActs> kActs = {
    {{"mk", "make"},       {"wr", "write"},        {"rd", "read"},      {"fr", "free"},
     {"fl", "flush"},      {"fo", "flush_object"}, {"sr", "set_root"},  {"gr", "find_root"},
     {"cr", "clear_root"}, {"pf", "push_front"},   {"pb", "push_back"}, {"in", "insert"},
     {"qf", "pop_front"},  {"qb", "pop_back"},     {"rm", "remove"},    {"ch", "change"},
     {"sc", "scan"},       {"cl", "clear_list"},   {"cp", "compute"},   {"ww", "two_writers"},
     {"wb", "write_read"}, {"rk", "read_make"}}};

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  constexpr std::size_t kShown = 200;
  const std::string shown = text.size() <= kShown ? text : text.substr(0, kShown) + "...";
  throw InputError({"replay", 0, 0}, fmt::format("`{}` is no case: {}", shown, why));
}

std::string to_string(const FuzzOperation& operation) {
  std::string text(code_of(operation.act));
  std::size_t numbers = operation.n.size();
  while (numbers > 0 && operation.n[numbers - 1] == 0) --numbers;
  for (std::size_t i = 0; i < numbers; ++i) text += fmt::format("{}{}", i == 0 ? "" : ".", operation.n[i]);
  return text;
}

// That stand behind the kind of an interruption: where something is cut, and how often. Those of a loss may
// be missing: nothing is cut.
std::size_t numbers_of(Drawn kind, bool cuts) {
  switch (kind) {
    case Drawn::cut_persist:
    case Drawn::late: return 1;
    case Drawn::cut_restore: return 2;
    case Drawn::loss: return cuts ? 2 : 0;
    default: return 0;
  }
}

std::string to_string(const DrawnOutage& outage) {
  std::string text = fmt::format("{}+{}:{}:{}", outage.operation, explore::name_of(outage.at), outage.offset,
                                 explore::name_of(outage.kind));
  const std::size_t more = numbers_of(outage.kind, outage.times > 0);
  if (more > 0) text += fmt::format(":{}", outage.cut_at);
  if (more > 1) text += fmt::format(":{}", outage.times);
  return text;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<FuzzOperation> parse_operation(std::string_view text) {
  for (std::size_t i = 0; i < kActs.size(); ++i) {
    if (text.substr(0, 2) != kActs[i].code) continue;
    FuzzOperation operation;
    operation.act = static_cast<FuzzAct>(i);
    std::string_view rest = text.substr(2);
    for (std::size_t n = 0; !rest.empty(); ++n) {
      if (n == operation.n.size()) return std::nullopt;
      const std::size_t dot = rest.find('.');
      const auto number = number_in<std::uint16_t>(rest.substr(0, dot));
      if (!number || dot == rest.size() - 1) return std::nullopt;
      operation.n[n] = *number;
      rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    }
    return operation;
  }
  return std::nullopt;
}

std::optional<DrawnOutage> parse_outage(std::string_view text) {
  const std::size_t plus = text.find('+');
  if (plus == std::string_view::npos) return std::nullopt;
  DrawnOutage outage;
  const auto operation = number_in<std::uint32_t>(text.substr(0, plus));
  const auto words = explore::split(text.substr(plus + 1), ':');
  if (!operation || words.size() < 3) return std::nullopt;
  const auto at = explore::find_drawn_at(words[0]);
  const auto offset = number_in<std::uint32_t>(words[1]);
  const auto kind = explore::find_drawn(words[2]);
  if (!at || !offset || !kind) return std::nullopt;
  outage.operation = *operation;
  outage.at = *at;
  outage.offset = *offset;
  outage.kind = *kind;
  if (*kind == Drawn::perturb && *at != DrawnAt::operation) return std::nullopt;
  const bool cuts = words.size() > 3;
  if (*kind == Drawn::loss && !cuts) outage.times = 0;
  const std::size_t more = numbers_of(*kind, cuts);
  if (words.size() != 3 + more) return std::nullopt;
  if (more > 0) {
    const auto cut_at = number_in<std::uint32_t>(words[3]);
    if (!cut_at) return std::nullopt;
    outage.cut_at = *cut_at;
  }
  if (more > 1) {
    constexpr std::uint32_t kMostTimes = 100;
    const auto times = number_in<std::uint32_t>(words[4]);
    if (!times || *times == 0 || *times > kMostTimes) return std::nullopt;
    outage.times = *times;
  }
  return outage;
}

void parse_knob(Knob knob, std::string_view value, const std::string& text, FuzzCase& out) {
  const KnobInfo& info = info_of(knob);
  std::uint32_t& to = out.knobs[static_cast<std::size_t>(knob)];
  for (std::size_t i = 0; i < info.choices.size(); ++i) {
    if (info.choices[i] != value) continue;
    to = static_cast<std::uint32_t>(i);
    return;
  }
  const auto number = number_in<std::uint32_t>(value);
  if (!info.choices.empty() || !number || *number < info.least || *number > info.most) {
    std::string choices = fmt::format("a number from {} to {}", info.least, info.most);
    if (!info.choices.empty()) choices = fmt::format("one of {}", fmt::join(info.choices, ", "));
    refuse(text, fmt::format("`{}:{}` needs {}", info.name, value, choices));
  }
  const bool power = knob == Knob::part || knob == Knob::page;
  if (power && !std::has_single_bit(*number))
    refuse(text, fmt::format("`{}:{}` is no power of two", info.name, value));
  to = *number;
}

void parse_part(std::string_view part, const std::string& text, FuzzCase& out) {
  const std::size_t colon = part.find(':');
  const std::string_view name = part.substr(0, colon);
  const std::string_view value =
      colon == std::string_view::npos ? std::string_view() : part.substr(colon + 1);
  if (name.find('+') != std::string_view::npos) {
    const auto outage = parse_outage(part);
    if (!outage) {
      refuse(
          text,
          fmt::format("`{}` is no outage such as 12+byte:34:outage, :alarm, :persist:5, :restore:5:1, :loss, "
                      ":loss:5:1, :late:5, or 12+operation:0:perturb",
                      part));
    }
    if (out.outages.size() == kMostOutages) refuse(text, fmt::format("more than {} outages", kMostOutages));
    if (!out.outages.empty() && outage->operation < out.outages.back().operation)
      refuse(text, fmt::format("`{}` comes after a later outage", part));
    out.outages.push_back(*outage);
    return;
  }
  const auto number = [&] {
    const auto parsed = number_in<std::uint64_t>(value);
    if (!parsed) refuse(text, fmt::format("`{}` has no number", part));
    return *parsed;
  };
  if (name == "file") {
    const std::size_t query = value.find('?');
    out.file = explore::unescaped(value.substr(0, query), text);
    if (query == std::string_view::npos) return;
    for (const std::string_view set : explore::split(value.substr(query + 1), '&'))
      out.sets.push_back(explore::unescaped(set, text));
  } else if (name == "seed") {
    out.seed = number();
  } else if (name == "iterations") {
    out.iterations = number();
  } else if (name == "build") {
    out.build_id = std::string(value);
  } else if (name == "ops") {
    if (value.empty()) return;
    for (const std::string_view word : explore::split(value, ',')) {
      const auto operation = parse_operation(word);
      if (!operation) refuse(text, fmt::format("`{}` is no operation such as wr3.0.16.7", word));
      if (out.operations.size() == kMostOperations)
        refuse(text, fmt::format("more than {} operations", kMostOperations));
      out.operations.push_back(*operation);
    }
  } else {
    for (std::size_t i = 0; i < kKnobs; ++i) {
      if (kInfos[i].name == name) return parse_knob(static_cast<Knob>(i), value, text, out);
    }
    refuse(text,
           fmt::format(
               "`{}` is neither an outage nor one of file, seed, iterations, build, ops or what is drawn "
               "of a board",
               part));
  }
}

}  // namespace

const KnobInfo& info_of(Knob knob) { return kInfos[static_cast<std::size_t>(knob)]; }
std::string_view code_of(FuzzAct act) { return kActs[static_cast<std::size_t>(act)].code; }
std::string_view name_of(FuzzAct act) { return kActs[static_cast<std::size_t>(act)].name; }

Knobs plain_knobs() {
  Knobs knobs;
  for (std::size_t i = 0; i < kKnobs; ++i) knobs[i] = kInfos[i].plain;
  return knobs;
}

std::string to_string(const FuzzCase& a_case) {
  std::string text(kFormat);
  if (!a_case.file.empty()) text += fmt::format("~file:{}", explore::escaped(a_case.file));
  for (std::size_t i = 0; i < a_case.sets.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? '?' : '&', explore::escaped(a_case.sets[i]));
  text += fmt::format("~seed:{}", a_case.seed);
  for (std::size_t i = 0; i < kKnobs; ++i) {
    const KnobInfo& info = kInfos[i];
    const std::uint32_t value = a_case.knobs[i];
    if (value == info.plain) continue;
    text += info.choices.empty() ? fmt::format("~{}:{}", info.name, value)
                                 : fmt::format("~{}:{}", info.name, info.choices[value]);
  }
  if (a_case.iterations > 0) text += fmt::format("~iterations:{}", a_case.iterations);
  for (std::size_t i = 0; i < a_case.operations.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "~ops:" : ",", to_string(a_case.operations[i]));
  for (const DrawnOutage& outage : a_case.outages) text += fmt::format("~{}", to_string(outage));
  if (!a_case.build_id.empty()) text += fmt::format("~build:{}", a_case.build_id);
  return text;
}

bool is_fuzz_case(std::string_view text) { return text.substr(0, kFormat.size() + 1) == "f1~"; }

FuzzCase parse_fuzz_case(const std::string& text) {
  const auto parts = explore::split(text, '~');
  if (parts[0] != kFormat) refuse(text, fmt::format("it begins with `{}`, not with `{}`", parts[0], kFormat));
  FuzzCase out;
  out.knobs = plain_knobs();
  for (std::size_t i = 1; i < parts.size(); ++i) parse_part(parts[i], text, out);
  if (out.file.empty() && out.operations.empty()) refuse(text, "it has no operations");
  if (!out.file.empty() && out.iterations == 0) refuse(text, "it does not say how many iterations there are");
  return out;
}

}  // namespace brownout::sim::fuzz
