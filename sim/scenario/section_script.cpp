// Section `workload` of kind `script`: what it names, its steps, and the program that they make.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "heap/layout.hpp"
#include "sim/scenario/nearest.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

namespace script = firmware::script;
using devices::Picoseconds;
using script::Pick;

constexpr std::array<std::string_view, 7> kScriptKeys{"kind",  "objects", "arrays",    "lists",
                                                      "setup", "loop",    "iterations"};
constexpr std::array<std::string_view, 3> kObjectKeys{"name", "size", "count"};
constexpr std::array<std::string_view, 4> kArrayKeys{"name", "element", "length", "count"};
constexpr std::array<std::string_view, 4> kListKeys{"name", "element", "limit", "on_full"};
constexpr std::array<std::string_view, 2> kOnFull{"drop_oldest", "skip"};

// The keys of each step; the first one is its name.
constexpr std::array<std::string_view, 4> kWriteKeys{"write", "pick", "first", "elements"};
constexpr std::array<std::string_view, 2> kReadKeys{"read", "pick"};
constexpr std::array<std::string_view, 2> kRenewKeys{"renew", "pick"};
constexpr std::array<std::string_view, 2> kPushKeys{"push", "at"};
constexpr std::array<std::string_view, 2> kPopKeys{"pop", "at"};
constexpr std::array<std::string_view, 1> kInsertKeys{"insert"};
constexpr std::array<std::string_view, 1> kRemoveKeys{"remove"};
constexpr std::array<std::string_view, 1> kScanKeys{"scan"};
constexpr std::array<std::string_view, 1> kFlushKeys{"flush"};
constexpr std::array<std::string_view, 1> kComputeKeys{"compute_cycles"};
constexpr std::array<std::string_view, 1> kSleepKeys{"sleep"};
constexpr std::array<std::string_view, 3> kLoadKeys{"load", "for", "cpu"};
constexpr std::array<std::string_view, 2> kRepeatKeys{"repeat", "do"};
constexpr std::array<std::string_view, 2> kMixKeys{"mix", "times"};
constexpr std::array<std::string_view, 2> kChoiceKeys{"weight", "do"};
// All of them, names first.
constexpr std::array<std::string_view, 22> kStepKeys{
    "write", "read", "renew",  "push", "pop",  "insert", "remove",   "scan", "flush", "compute_cycles",
    "sleep", "load", "repeat", "mix",  "pick", "first",  "elements", "at",   "for",   "cpu",
    "do",    "times"};

constexpr std::array<std::string_view, 2> kPicks{"next", "random"};
constexpr std::array<std::string_view, 2> kEnds{"front", "back"};
constexpr std::array<std::string_view, 1> kFlushes{"all"};
constexpr std::array<std::string_view, 2> kCpus{"busy", "sleep"};

constexpr std::uint32_t kMaxObjectBytes = heap::kMaxBlockGranules * heap::kGranule;
// The dirty bits of an array lie in its block.
constexpr std::uint32_t kMaxArrayBytes =
    (heap::kMaxBlockGranules - heap::dirty_bits_in(heap::kMaxBlockGranules)) * heap::kGranule;
constexpr WholeLimits kSizeLimits{1, kMaxObjectBytes};
constexpr WholeLimits kArrayElementLimits{1, kMaxArrayBytes};
constexpr WholeLimits kLengthLimits{1, kMaxArrayBytes};
constexpr WholeLimits kListElementLimits{1, kMaxObjectBytes - firmware::kScriptLinkBytes};
constexpr WholeLimits kCountLimits{1, firmware::kMaxScriptHandles};
constexpr WholeLimits kCycleLimits{1, 1'000'000'000};
constexpr WholeLimits kTimesLimits{1, 100'000};
constexpr WholeLimits kWeightLimits{1, 1'000'000};
constexpr WholeLimits kIterationLimits{1, 1'000'000'000};
constexpr Limits kCurrentLimits{0, 10};
// A clock that counts microseconds, and the longest time of a scenario left over.
constexpr TimeLimits kPhaseLimits{devices::microseconds(1),
                                  {std::int64_t{86'400} * devices::kPicosecondsPerSecond}};
constexpr std::size_t kMaxNames = 64;  // in each of the three lists
static_assert(kMaxNames <= firmware::kMaxScriptLists);
constexpr std::size_t kLongestName = 40;
constexpr std::size_t kMaxChoices = 32;
constexpr int kMaxDepth = 8;
// Of setup, and of one operation: a run can only be interrupted between two.
constexpr std::uint64_t kMaxExecuted = 100'000;

// --- names ---------------------------------------------------------------------------------------

enum class NameKind : std::uint8_t { object, array, list };

std::string_view noun_of(NameKind kind) {
  constexpr std::array<std::string_view, 3> kNouns{"an object", "an array", "a list"};
  return kNouns[static_cast<std::size_t>(kind)];
}

// What a scenario defines for its steps to use.
class Names {
 public:
  struct Name {
    std::string text;
    NameKind kind = NameKind::object;
    std::uint32_t index = 0;  // into the program's objects, or lists
    std::string place;        // path of the definition
    Found found;
    bool used = false;
  };

  [[nodiscard]] bool empty() const { return names_.empty(); }

  // The name of a definition; throws if it is taken.
  void add(const Section& definition, NameKind kind, std::size_t index) {
    const Found found = definition.need("name", "name: state");
    const std::string text = read_text(found, kLongestName, false);
    for (const Name& other : names_) {
      if (other.text == text) {
        found.fail(fmt::format("{} is the name of {} already", in_quotes(text), other.place));
      }
    }
    names_.push_back({text, kind, static_cast<std::uint32_t>(index), definition.found().path, found});
  }

  // The object or array that a step names; throws if there is none.
  const Name& use_object(const Found& found) {
    return use(
        found, [](NameKind kind) { return kind != NameKind::list; }, "an object or an array");
  }
  // The list that a step names.
  std::uint32_t use_list(const Found& found) {
    return use(
               found, [](NameKind kind) { return kind == NameKind::list; }, "a list")
        .index;
  }

  // Throws for the first name that no step uses.
  void check_use() const {
    for (const Name& name : names_) {
      if (!name.used) {
        name.found.fail(fmt::format("no step uses {}; use it or leave it out", in_quotes(name.text)));
      }
    }
  }

 private:
  template <class Fits>
  Name& use(const Found& found, Fits fits, std::string_view wanted) {
    const std::string_view text = scalar_text(found, "state");
    std::vector<std::string_view> fitting;
    for (Name& name : names_) {
      if (fits(name.kind)) fitting.push_back(name.text);
      if (name.text != text) continue;
      if (!fits(name.kind)) {
        found.fail(fmt::format("{} is {}; this step needs {}", in_quotes(text), noun_of(name.kind), wanted));
      }
      name.used = true;
      return name;
    }
    if (fitting.empty()) {
      found.fail(
          fmt::format("{} is not known: this step needs {}, and there is none", in_quotes(text), wanted));
    }
    fail_for_choice(found, text, fitting);
  }

  std::vector<Name> names_;
};

// --- values --------------------------------------------------------------------------------------

std::uint32_t count_or(const Section& section, std::string_view key, WholeLimits limits,
                       std::uint32_t otherwise) {
  const auto found = section.find(key);
  return found ? static_cast<std::uint32_t>(read_count(*found, limits)) : otherwise;
}

std::size_t choice_or(const Section& section, std::string_view key, std::span<const std::string_view> choices,
                      std::size_t otherwise) {
  const auto found = section.find(key);
  return found ? read_choice(*found, choices) : otherwise;
}

// `next`, `random` or an index up to `last`.
Pick read_pick(const Section& step, std::string_view key, std::uint32_t last) {
  const auto found = step.find(key);
  if (!found) return {};
  const std::string_view text = scalar_text(*found, "next");
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return {Pick::Kind::index, static_cast<std::uint32_t>(read_count(*found, {0, last}))};
  }
  if (std::find(kPicks.begin(), kPicks.end(), text) == kPicks.end()) {
    const auto meant = nearest(text, kPicks);
    found->fail(fmt::format("{} is not known{} (known: next, random, an index from 0 to {})", in_quotes(text),
                            meant ? fmt::format("; did you mean {}?", *meant) : "", last));
  }
  return {text == "next" ? Pick::Kind::next : Pick::Kind::random, 0};
}

std::uint64_t read_microseconds(const Found& found) {
  constexpr std::int64_t kPicosecondsPerMicrosecond = 1'000'000;
  const Picoseconds time = read_time(found, kPhaseLimits);
  if (time.count % kPicosecondsPerMicrosecond != 0) {
    found.fail(fmt::format("{} is not a whole number of microseconds", in_quotes(found.node->text)));
  }
  return static_cast<std::uint64_t>(time.count / kPicosecondsPerMicrosecond);
}

std::uint64_t read_microamperes(const Found& found) {
  const double current_a = read_quantity(found, Dimension::current, kCurrentLimits);
  const auto current_ua = std::llround(current_a * 1e6);
  // Both are the double nearest to the same decimal number, if it is one of microamperes.
  if (static_cast<double>(current_ua) / 1e6 != current_a) {
    found.fail(fmt::format("{} is not a whole number of microamperes", in_quotes(found.node->text)));
  }
  return static_cast<std::uint64_t>(current_ua);
}

// Steps that a block runs with all repetitions, at most a number far above kMaxExecuted. One that walks
// through a list counts as often as the list may have elements.
std::uint64_t executed(const firmware::ScriptProgram& program, script::Block block) {
  constexpr std::uint64_t kFarAbove = 1'000'000'000;
  const auto of_step = [&program](const auto& action) -> std::uint64_t {
    using Kind = std::decay_t<decltype(action)>;
    if constexpr (std::is_same_v<Kind, script::Repeat>) {
      return action.times * executed(program, action.body);
    } else if constexpr (std::is_same_v<Kind, script::Mix>) {
      std::uint64_t longest = 0;
      for (std::uint32_t i = 0; i < action.choices; ++i) {
        longest = std::max(longest, executed(program, program.choices[action.first_choice + i].body));
      }
      return action.times * longest;
    } else if constexpr (std::is_same_v<Kind, script::Scan> || std::is_same_v<Kind, script::Insert> ||
                         std::is_same_v<Kind, script::Remove>) {
      return program.lists[action.list].limit;
    } else {
      return 1;
    }
  };
  std::uint64_t total = 0;
  for (std::uint32_t i = block.first; i < block.first + block.size; ++i) {
    total = std::min(total + std::visit(of_step, program.steps[i].action), kFarAbove);
  }
  return total;
}

// --- the program ---------------------------------------------------------------------------------

class ProgramReader {
 public:
  explicit ProgramReader(const Section& workload) : workload_(workload) {}

  firmware::ScriptProgram read() {
    read_objects();
    read_arrays();
    read_lists();
    if (names_.empty()) {
      workload_.fail("needs `objects`, `arrays` or `lists`, such as `objects: [{name: state, size: 64 B}]`");
    }
    if (const auto setup = workload_.find("setup")) program_.setup = read_pass(*setup);
    program_.loop = read_pass(workload_.need("loop", "loop: [{write: state}]"));
    program_.iterations = count_or(workload_, "iterations", kIterationLimits, 0);
    names_.check_use();
    return std::move(program_);
  }

 private:
  using Action = decltype(script::Step::action);
  // A kind of step.
  struct Kind {
    std::span<const std::string_view> keys;                                  // its name comes first
    Action (ProgramReader::*read)(const Section& step, const Found& value);  // of that key
  };
  static const std::array<Kind, 14> kKinds;

  // What is defined.
  [[nodiscard]] std::vector<Found> definitions(std::string_view key) const {
    const auto list = workload_.find(key);
    return list ? workload_.items(*list, 1, kMaxNames) : std::vector<Found>{};
  }

  void read_objects() {
    for (const Found& item : definitions("objects")) {
      const Section object(item, kObjectKeys, workload_.locations());
      names_.add(object, NameKind::object, program_.objects.size());
      script::Objects objects;
      objects.element_bytes = read_bytes(object.need("size", "size: 64 B"), kSizeLimits);
      add(object, objects);
    }
  }

  void read_arrays() {
    for (const Found& item : definitions("arrays")) {
      const Section array(item, kArrayKeys, workload_.locations());
      names_.add(array, NameKind::array, program_.objects.size());
      script::Objects objects;
      objects.dirtiness = heap::Dirtiness::partial;
      objects.element_bytes = read_bytes(array.need("element", "element: 4 B"), kArrayElementLimits);
      const Found length = array.need("length", "length: 256");
      objects.length = static_cast<std::uint32_t>(read_count(length, kLengthLimits));
      if (std::uint64_t{objects.element_bytes} * objects.length > kMaxArrayBytes) {
        length.fail(fmt::format("{} elements of {} B are {} B; an array has at most {} B", objects.length,
                                objects.element_bytes, std::uint64_t{objects.element_bytes} * objects.length,
                                kMaxArrayBytes));
      }
      add(array, objects);
    }
  }

  // What objects and arrays have in common.
  void add(const Section& definition, script::Objects& objects) {
    objects.place = definition.found().path;
    objects.count = count_or(definition, "count", kCountLimits, 1);
    objects.first_handle = handles_;
    handles_ += objects.count;
    if (handles_ > firmware::kMaxScriptHandles) {
      definition.fail(fmt::format("objects and arrays up to here are {}; there may be {} in all", handles_,
                                  firmware::kMaxScriptHandles));
    }
    program_.objects.push_back(std::move(objects));
  }

  void read_lists() {
    for (const Found& item : definitions("lists")) {
      const Section section(item, kListKeys, workload_.locations());
      names_.add(section, NameKind::list, program_.lists.size());
      script::List list;
      list.element_bytes = read_bytes(section.need("element", "element: 24 B"), kListElementLimits);
      list.limit = static_cast<std::uint32_t>(read_count(section.need("limit", "limit: 32"), kCountLimits));
      list.on_full = static_cast<script::OnFull>(choice_or(section, "on_full", kOnFull, 0));
      program_.lists.push_back(list);
    }
  }

  // Steps.
  script::Block read_pass(const Found& list) {
    const script::Block block = read_block(list);
    if (executed(program_, block) > kMaxExecuted) {
      list.fail_at_key(fmt::format("one pass runs more than {} steps, repetitions included", kMaxExecuted));
    }
    return block;
  }

  // The steps of a block come to lie side by side, behind those inside them.
  script::Block read_block(const Found& list) {
    if (++depth_ > kMaxDepth) list.fail_at_key(fmt::format("steps nest deeper than {} levels", kMaxDepth));
    std::vector<script::Step> steps;
    for (const Found& item : workload_.items(list, 1, firmware::kMaxScriptSteps))
      steps.push_back(read_step(item));
    --depth_;
    const script::Block block{static_cast<std::uint32_t>(program_.steps.size()),
                              static_cast<std::uint32_t>(steps.size())};
    std::move(steps.begin(), steps.end(), std::back_inserter(program_.steps));
    return block;
  }

  script::Step read_step(const Found& item) {
    const Kind& kind = kind_of(item);
    if (++steps_ > firmware::kMaxScriptSteps) {
      item.fail_at_key(fmt::format("there are more than {} steps", firmware::kMaxScriptSteps));
    }
    const Section step(item, kind.keys, workload_.locations());
    const Found value = *step.find(kind.keys.front());
    return {value.path, (this->*kind.read)(step, value)};
  }

  static const Kind& kind_of(const Found& item) {
    if (item.node->kind != Node::Kind::map) check_keys(item, kStepKeys);
    const Kind* chosen = nullptr;
    for (const MapEntry& entry : item.node->entries) {
      const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                     [&](const Kind& one) { return one.keys.front() == entry.key; });
      if (kind == kKinds.end()) continue;
      if (chosen != nullptr) {
        throw InputError(entry.where, fmt::format("{}: has both `{}` and `{}`; a step does one thing",
                                                  item.path, chosen->keys.front(), entry.key));
      }
      chosen = &*kind;
    }
    if (chosen != nullptr) return *chosen;
    check_keys(item, kStepKeys);
    item.fail_at_key(fmt::format("does not say what to do, which is one of {}",
                                 fmt::join(std::span(kStepKeys).first(kKinds.size()), ", ")));
  }

  Action read_write(const Section& step, const Found& value) {
    const Names::Name& name = names_.use_object(value);
    const script::Objects& objects = program_.objects[name.index];
    script::Write write;
    write.objects = name.index;
    write.pick = read_pick(step, "pick", objects.count - 1);
    for (const std::string_view key : {"first", "elements"}) {
      const auto found = step.find(key);
      if (found && name.kind != NameKind::array) {
        found->fail_at_key(
            fmt::format("only goes with an array, and {} is {}", in_quotes(name.text), noun_of(name.kind)));
      }
    }
    const auto elements = step.find("elements");
    if (const auto first = step.find("first"); first && !elements) {
      first->fail_at_key("needs `elements` as well, such as `elements: 16`");
    }
    write.elements =
        elements ? static_cast<std::uint32_t>(read_count(*elements, {1, objects.length})) : objects.length;
    write.first = read_pick(step, "first", objects.length - write.elements);
    return write;
  }

  Action read_read(const Section& step, const Found& value) {
    const std::uint32_t objects = names_.use_object(value).index;
    return script::Read{objects, read_pick(step, "pick", program_.objects[objects].count - 1)};
  }

  Action read_renew(const Section& step, const Found& value) {
    const std::uint32_t objects = names_.use_object(value).index;
    return script::Renew{objects, read_pick(step, "pick", program_.objects[objects].count - 1)};
  }

  Action read_push(const Section& step, const Found& value) {
    const std::uint32_t list = names_.use_list(value);
    return script::Push{list, static_cast<script::End>(choice_or(step, "at", kEnds, 1))};
  }

  Action read_pop(const Section& step, const Found& value) {
    const std::uint32_t list = names_.use_list(value);
    return script::Pop{list, static_cast<script::End>(choice_or(step, "at", kEnds, 0))};
  }

  Action read_insert(const Section& /*step*/, const Found& value) {
    return script::Insert{names_.use_list(value)};
  }
  Action read_remove(const Section& /*step*/, const Found& value) {
    return script::Remove{names_.use_list(value)};
  }
  Action read_scan(const Section& /*step*/, const Found& value) {
    return script::Scan{names_.use_list(value)};
  }

  // Members, as kKinds wants them.
  // NOLINTBEGIN(readability-convert-member-functions-to-static)
  Action read_flush(const Section& /*step*/, const Found& value) {
    static_cast<void>(read_choice(value, kFlushes));
    return script::Flush{};
  }

  Action read_compute(const Section& /*step*/, const Found& value) {
    return script::Compute{static_cast<std::uint32_t>(read_count(value, kCycleLimits))};
  }

  Action read_sleep(const Section& /*step*/, const Found& value) {
    return script::Phase{read_microseconds(value), 0, true};
  }

  Action read_load(const Section& step, const Found& value) {
    script::Phase phase;
    phase.load_ua = read_microamperes(value);
    phase.duration_us = read_microseconds(step.need("for", "for: 3 ms"));
    phase.sleeping = choice_or(step, "cpu", kCpus, 0) == 1;
    return phase;
  }
  // NOLINTEND(readability-convert-member-functions-to-static)

  Action read_repeat(const Section& step, const Found& value) {
    const auto times = static_cast<std::uint32_t>(read_count(value, kTimesLimits));
    return script::Repeat{times, read_block(step.need("do", "do: [{write: state}]"))};
  }

  Action read_mix(const Section& step, const Found& value) {
    script::Mix mix;
    std::vector<script::Choice> choices;
    for (const Found& item : step.items(value, 2, kMaxChoices)) {
      const Section section(item, kChoiceKeys, workload_.locations());
      script::Choice choice;
      choice.weight = count_or(section, "weight", kWeightLimits, 1);
      choice.body = read_block(section.need("do", "do: [{write: state}]"));
      mix.total_weight += choice.weight;
      choices.push_back(choice);
    }
    mix.first_choice = static_cast<std::uint32_t>(program_.choices.size());
    mix.choices = static_cast<std::uint32_t>(choices.size());
    mix.times = count_or(step, "times", kTimesLimits, 1);
    program_.choices.insert(program_.choices.end(), choices.begin(), choices.end());
    return mix;
  }

  const Section& workload_;
  Names names_;
  firmware::ScriptProgram program_;
  std::uint32_t handles_ = 0;
  std::uint32_t steps_ = 0;
  int depth_ = 0;
};

constexpr std::array<ProgramReader::Kind, 14> ProgramReader::kKinds{{
    {kWriteKeys, &ProgramReader::read_write},
    {kReadKeys, &ProgramReader::read_read},
    {kRenewKeys, &ProgramReader::read_renew},
    {kPushKeys, &ProgramReader::read_push},
    {kPopKeys, &ProgramReader::read_pop},
    {kInsertKeys, &ProgramReader::read_insert},
    {kRemoveKeys, &ProgramReader::read_remove},
    {kScanKeys, &ProgramReader::read_scan},
    {kFlushKeys, &ProgramReader::read_flush},
    {kComputeKeys, &ProgramReader::read_compute},
    {kSleepKeys, &ProgramReader::read_sleep},
    {kLoadKeys, &ProgramReader::read_load},
    {kRepeatKeys, &ProgramReader::read_repeat},
    {kMixKeys, &ProgramReader::read_mix},
}};

}  // namespace

std::span<const std::string_view> script_workload_keys() { return kScriptKeys; }

firmware::ScriptOptions read_script_workload(const Section& workload, const ScenarioContext& context) {
  return {std::make_shared<const firmware::ScriptProgram>(ProgramReader(workload).read()), context.seed};
}

}  // namespace brownout::sim
