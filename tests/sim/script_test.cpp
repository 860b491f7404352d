// Workload `script`: what the YAML becomes, what each step does, and scripts on the machine.
#include "sim/firmware/workloads/script.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bad_input/scenario_texts.hpp"
#include "bad_input/script_cases.hpp"
#include "bad_input/temp_folder.hpp"
#include "sim/firmware/checked_memory.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/report/report.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using firmware::ScriptProgram;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A scenario with this workload, without its kind, from line 36 on.
std::string with_workload(std::string_view text) {
  return bad_input::replaced(bad_input::kGood, "  kind: counter\n  size: 16 B\n",
                             "  kind: script\n" + std::string(text));
}

firmware::ScriptOptions script_of(std::string_view text, std::uint64_t seed = 7) {
  const Scenario scenario = parse_scenario(with_workload(text), "s.yaml", {}, seed);
  return std::get<firmware::ScriptOptions>(scenario.workload);
}

// --- a bench for the interpreter alone -------------------------------------------------------------

// Writes down what the workload asks of its board; its clock stands still.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and nobody holds it as a Port
class FakePort final : public firmware::Port {
 public:
  std::vector<std::string> log;
  std::uint64_t copied_bytes = 0;
  std::uint64_t operations = 0;
  std::uint32_t most_bytes_at_once = 0;

  void charge(heap::Work work, std::uint32_t count) override {
    if (work == heap::Work::compute_cycle) log.push_back(fmt::format("compute {}", count));
    if (work != heap::Work::copied_byte) return;
    copied_bytes += count;
    most_bytes_at_once = std::max(most_bytes_at_once, count);
  }
  void phase(std::uint64_t duration_us, std::uint64_t load_ua, bool sleeping) override {
    log.push_back(fmt::format("{} {} us, {} uA", sleeping ? "sleep" : "busy", duration_us, load_ua));
  }
  void operation_done() override {
    ++operations;
    log.emplace_back("done");
  }
  void give_up(heap::Error error, const char* doing) override {
    log.push_back(fmt::format("{} failed: {}", doing, static_cast<int>(error)));
  }

  void enter_critical() override {}
  void exit_critical() override {}
  std::uint32_t power_epoch() override { return 1; }
  void wait_since_power_on(std::uint32_t) override {}
  void unmask_persist() override {}
  void begin_send(heap::ConstBytes, heap::OutStream) override {}
  void begin_receive(heap::ConstBytes, heap::InStream) override {}
  heap::TransferState poll_bus() override { return heap::TransferState::done; }
  void abort_bus() override {}
  void store(std::uint32_t, heap::ConstBytes) override {}
  void load(std::uint32_t, heap::MutableBytes) override {}
  void copy_over(bool) override {}
  void object_made(std::uint32_t, std::uint32_t, std::uint32_t) override {}
  void object_changed(std::uint32_t, std::uint32_t, heap::ConstBytes) override {}
  void object_read(std::uint32_t, heap::ConstBytes) override {}
  void object_freed(std::uint32_t) override {}
  void object_in_doubt(std::uint32_t) override {}
  void attached(bool) override {}
  void object_kept(std::uint32_t, std::uint32_t) override {}
  void objects_reclaimed(std::uint32_t) override {}
};

// Objects in a map. They are called a, b, c ... in the order in which they were made.
class FakeMemory final : public firmware::ObjectMemory {
 public:
  struct Object {
    std::vector<std::byte> bytes;
    heap::Dirtiness dirtiness = heap::Dirtiness::whole;
    std::string name;
    int readers = 0;
    bool writer = false;
  };
  std::map<std::uint32_t, Object> objects;  // by home
  std::vector<std::string>* log = nullptr;  // not the links of lists
  std::size_t most_objects = 0;
  std::size_t most_writers = 0;
  std::size_t fails_from = SIZE_MAX;  // objects made before making fails

  heap::Result<heap::Handle> make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                        const std::byte* value) override {
    EXPECT_EQ(value, nullptr);
    if (made_ >= fails_from) return heap::Error::no_storage;
    const std::uint32_t home = next_home_;
    next_home_ += 8;
    std::string name(1, static_cast<char>('a' + made_++ % 26));
    log->push_back(fmt::format("make {} {}", name, size_bytes));
    objects[home] = {std::vector<std::byte>(size_bytes), dirtiness, name};
    most_objects = std::max(most_objects, objects.size());
    return heap::Handle(home, size_bytes, dirtiness);
  }
  heap::Status free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) override {
    EXPECT_EQ(destroy, nullptr);
    const Object& object = at(handle);
    EXPECT_EQ(object.readers, 0);
    EXPECT_FALSE(object.writer);
    log->push_back(fmt::format("free {}", object.name));
    objects.erase(handle.home());
    handle = heap::Handle();
    return {};
  }
  heap::Result<heap::Lent> lend_reader(const heap::Handle& handle) override {
    Object& object = at(handle);
    EXPECT_FALSE(object.writer);
    ++object.readers;
    log->push_back(fmt::format("read {}", object.name));
    return heap::Lent{object.bytes.data(), 0, 0};
  }
  heap::Result<heap::Lent> lend_writer(const heap::Handle& handle, std::uint32_t offset_bytes,
                                       std::uint32_t size_bytes) override {
    Object& object = at(handle);
    EXPECT_EQ(object.readers, 0);
    EXPECT_FALSE(object.writer);
    EXPECT_LE(offset_bytes + size_bytes, object.bytes.size());
    object.writer = true;
    std::size_t writers = 0;
    for (const auto& [home, other] : objects) writers += other.writer ? 1 : 0;
    most_writers = std::max(most_writers, writers);
    log->push_back(fmt::format("write {} {}+{}", object.name, offset_bytes, size_bytes));
    return heap::Lent{object.bytes.data(), 0, 0};
  }
  void give_back(const heap::Lent& lent) override {
    for (auto& [home, object] : objects) {
      if (object.bytes.data() != lent.data) continue;
      object.writer ? static_cast<void>(object.writer = false) : static_cast<void>(--object.readers);
    }
  }
  heap::Status flush() override {
    log->push_back("flush");
    return {};
  }
  heap::Status format() override { return {}; }
  heap::Status persist(heap::ConstBytes) override { return {}; }
  heap::Status restore(heap::MutableBytes) override { return {}; }

  [[nodiscard]] const Object& named(std::string_view name) const {
    for (const auto& [home, object] : objects) {
      if (object.name == name) return object;
    }
    ADD_FAILURE() << name;
    return objects.begin()->second;
  }
  [[nodiscard]] std::string borrowed() const {
    std::string names;
    for (const auto& [home, object] : objects)
      names += object.writer || object.readers > 0 ? object.name : "";
    return names;
  }

 private:
  Object& at(const heap::Handle& handle) {
    EXPECT_TRUE(objects.contains(handle.home())) << handle.home();
    Object& object = objects[handle.home()];
    EXPECT_EQ(object.bytes.size(), handle.size_bytes());
    EXPECT_EQ(object.dirtiness == heap::Dirtiness::partial, handle.partial());
    return object;
  }

  std::uint32_t next_home_ = 8;
  std::size_t made_ = 0;
};

struct Bench {
  FakePort port;
  FakeMemory memory;

  explicit Bench(std::string_view text, std::uint64_t seed = 7) {
    memory.log = &port.log;
    const firmware::ScriptOptions options = script_of(text, seed);
    firmware::ScriptWorkload(memory, port, options).run();
    EXPECT_EQ(memory.borrowed(), "") << "references that were not given back";
  }

  // What happened from the `n`th operation on, before the next one is done; `make`s of the beginning are in
  // that of setup, which is number 0 together with the first operation.
  [[nodiscard]] std::vector<std::string> operation(std::uint64_t n) const {
    std::vector<std::string> lines;
    std::uint64_t done = 0;
    for (const std::string& line : port.log) {
      if (line == "done") {
        ++done;
      } else if (done == n) {
        lines.push_back(line);
      }
    }
    return lines;
  }
  // Everything that begins with this.
  [[nodiscard]] std::vector<std::string> all(std::string_view prefix) const {
    std::vector<std::string> lines;
    for (const std::string& line : port.log) {
      if (line.starts_with(prefix)) lines.push_back(line);
    }
    return lines;
  }
};

// --- the program -----------------------------------------------------------------------------------

TEST(Script, EveryKeyIsRead) {
  const firmware::ScriptOptions options = script_of(R"(
  objects: [{name: state, size: 1 KiB, count: 4}, {name: one, size: 3 B}]
  arrays: [{name: samples, element: 4 B, length: 256, count: 2}]
  lists: [{name: log, element: 24 B, limit: 32, on_full: skip}, {name: ring, element: 8 B, limit: 2}]
  setup: [{write: state, pick: 3}]
  loop:
    - {write: samples, pick: random, first: random, elements: 16}
    - {write: samples, first: 240, elements: 16}
    - {read: one}
    - {renew: state, pick: next}
    - {push: log}
    - {push: log, at: front}
    - {pop: ring}
    - {pop: ring, at: back}
    - {insert: log}
    - {remove: log}
    - {scan: log}
    - {flush: all}
    - {compute_cycles: 1000000000}
    - {sleep: 1 d}
    - {load: 15.25 mA, for: 3 ms}
    - {load: 10 A, for: 1 us, cpu: sleep}
    - repeat: 3
      do:
        - mix: [{do: [{read: one}]}, {weight: 9, do: [{read: state}, {read: samples}]}]
          times: 2
  iterations: 1000
)",
                                                    11);
  const ScriptProgram& program = *options.program;
  EXPECT_EQ(options.seed, 11U);
  EXPECT_EQ(program.iterations, 1'000U);
  ASSERT_EQ(program.objects.size(), 3U);
  EXPECT_EQ(program.objects[0].size_bytes(), 1'024U);
  EXPECT_EQ(program.objects[0].count, 4U);
  EXPECT_EQ(program.objects[0].dirtiness, heap::Dirtiness::whole);
  EXPECT_EQ(program.objects[1].first_handle, 4U);
  EXPECT_EQ(program.objects[2].first_handle, 5U);
  EXPECT_EQ(program.objects[2].size_bytes(), 1'024U);
  EXPECT_EQ(program.objects[2].dirtiness, heap::Dirtiness::partial);
  EXPECT_EQ(program.objects[2].place, "workload.arrays.0");
  ASSERT_EQ(program.lists.size(), 2U);
  EXPECT_EQ(program.lists[0].node_bytes(), 32U);
  EXPECT_EQ(program.lists[0].limit, 32U);
  EXPECT_EQ(program.lists[0].on_full, firmware::script::OnFull::skip);
  EXPECT_EQ(program.lists[1].on_full, firmware::script::OnFull::drop_oldest);

  ASSERT_EQ(program.setup.size, 1U);
  ASSERT_EQ(program.loop.size, 17U);
  const auto step = [&program](std::uint32_t i) { return program.steps.at(program.loop.first + i); };
  EXPECT_EQ(step(0).place, "workload.loop.0.write");
  const auto write = std::get<firmware::script::Write>(step(0).action);
  EXPECT_EQ(write.pick.kind, firmware::script::Pick::Kind::random);
  EXPECT_EQ(write.first.kind, firmware::script::Pick::Kind::random);
  EXPECT_EQ(write.elements, 16U);
  EXPECT_EQ(std::get<firmware::script::Write>(step(1).action).first.index, 240U);
  EXPECT_EQ(std::get<firmware::script::Push>(step(4).action).at, firmware::script::End::back);
  EXPECT_EQ(std::get<firmware::script::Push>(step(5).action).at, firmware::script::End::front);
  EXPECT_EQ(std::get<firmware::script::Pop>(step(6).action).at, firmware::script::End::front);
  EXPECT_EQ(std::get<firmware::script::Pop>(step(7).action).at, firmware::script::End::back);
  const auto load = std::get<firmware::script::Phase>(step(14).action);
  EXPECT_EQ((std::array<std::uint64_t, 2>{load.duration_us, load.load_ua}),
            (std::array<std::uint64_t, 2>{3'000, 15'250}));
  EXPECT_FALSE(load.sleeping);
  EXPECT_TRUE(std::get<firmware::script::Phase>(step(15).action).sleeping);
  EXPECT_EQ(std::get<firmware::script::Phase>(step(13).action).duration_us, 86'400'000'000U);
  const auto repeat = std::get<firmware::script::Repeat>(step(16).action);
  EXPECT_EQ(repeat.times, 3U);
  ASSERT_EQ(repeat.body.size, 1U);
  const auto& inner = program.steps.at(repeat.body.first);
  EXPECT_EQ(inner.place, "workload.loop.16.do.0.mix");
  const auto mix = std::get<firmware::script::Mix>(inner.action);
  EXPECT_EQ((std::array{mix.times, mix.choices, mix.total_weight}), (std::array{2U, 2U, 10U}));
  EXPECT_EQ(program.choices.at(mix.first_choice + 1).body.size, 2U);
}

TEST(Script, DemandCountsNodesOfListsAsObjects) {
  const auto demand = demand_of(*script_of(R"(
  objects: [{name: state, size: 60 B, count: 4}]
  arrays: [{name: samples, element: 4 B, length: 100}]
  lists: [{name: log, element: 24 B, limit: 32}]
  loop: [{write: state}, {write: samples}, {push: log}]
)")
                                     .program);
  ASSERT_EQ(demand.size(), 3U);
  EXPECT_EQ((std::array{demand[0].size_bytes, demand[0].count}), (std::array{60U, 4U}));
  EXPECT_EQ((std::array{demand[1].size_bytes, demand[1].count}), (std::array{400U, 1U}));
  EXPECT_EQ(demand[1].dirtiness, heap::Dirtiness::partial);
  EXPECT_EQ((std::array{demand[2].size_bytes, demand[2].count}), (std::array{32U, 32U}));
  EXPECT_EQ(demand[2].dirtiness, heap::Dirtiness::whole);
}

TEST(Script, EndsWithItsIterationsOnly) {
  const char* const loop = "  objects: [{name: a, size: 8 B}]\n  loop: [{write: a}]\n";
  EXPECT_FALSE(firmware::ends(script_of(loop)));
  EXPECT_TRUE(firmware::ends(script_of(std::string(loop) + "  iterations: 1\n")));
  const auto without_stop = [&](const std::string& text) {
    return bad_input::replaced(with_workload(text), "stop:\n  time: 60 s\n", "");
  };
  EXPECT_NO_THROW(parse_scenario(without_stop(std::string(loop) + "  iterations: 1\n"), "s.yaml", {}, {}));
  EXPECT_THROW(parse_scenario(without_stop(loop), "s.yaml", {}, {}), InputError);
}

TEST(Script, TheExampleOfTheReadmeLoads) {
  std::ifstream in(std::string(BROWNOUT_SOURCE_DIR) + "/scenarios/README.md");
  std::string text;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "      kind: script") {
      inside = true;
    } else if (inside) {
      if (!line.starts_with("      ")) break;
      text += line.substr(4) + "\n";
    }
  }
  const firmware::ScriptOptions options = script_of(text);
  EXPECT_EQ(options.program->lists.size(), 1U);
  EXPECT_EQ(options.program->loop.size, 3U);
}

class ScriptInput : public bad_input::TempFolderTest {};

TEST_F(ScriptInput, BadScriptsAreRefusedInOneLine) {
  const std::string good = with_workload(bad_input::kScript);
  const auto error_of = [this](const std::string& text) {
    return error_of_action([&] { load_scenario(write(text, "s.yaml"), {}, {}); });
  };
  EXPECT_EQ(error_of(good), "no error");
  for (const bad_input::Case& c : bad_input::kScriptCases) {
    EXPECT_EQ(error_of(bad_input::replaced(good, c.from, c.to)), "s.yaml" + std::string(c.error)) << c.to;
  }
}

// Limits that take more text than a case has room for: what is allowed just loads, one more does not.
TEST_F(ScriptInput, LimitsOfNamesStepsAndNesting) {
  const auto error_of = [](const std::string& text) -> std::string {
    try {
      parse_scenario(with_workload(text), "s.yaml", {}, {});
    } catch (const InputError& error) {
      return error.message();
    }
    return "no error";
  };
  const auto names = [](int count) {
    std::string objects = "  objects:\n";
    std::string loop = "  loop:\n";
    for (int i = 0; i < count; ++i) {
      objects += fmt::format("    - {{name: n{}, size: 8 B}}\n", i);
      loop += fmt::format("    - {{write: n{}}}\n", i);
    }
    return objects + loop;
  };
  EXPECT_EQ(error_of(names(64)), "no error");
  EXPECT_EQ(error_of(names(65)), "workload.objects: has 65 items; it must have 1 to 64");

  const std::string one = "  objects: [{name: a, size: 8 B}]\n";
  const auto steps = [&](int count) {
    std::string text = one + "  setup: [{repeat: 1, do: [{write: a}, {write: a}]}]\n  loop:\n";
    for (int i = 0; i < count; ++i) text += "    - {write: a}\n";
    return text;
  };
  EXPECT_EQ(error_of(steps(997)), "no error");
  EXPECT_EQ(error_of(steps(998)), "workload.loop.997: there are more than 1000 steps");
  EXPECT_EQ(error_of(steps(1'001)), "workload.loop: has 1001 items; it must have 1 to 1000");

  const auto nested = [&](int depth, const std::string& begin, const std::string& end) {
    std::string text = "{write: a}";
    for (int i = 1; i < depth; ++i) text.insert(0, begin).append(end);
    return one + "  loop: [" + text + "]\n";
  };
  for (const auto& [begin, end] : {std::pair<std::string, std::string>{"{repeat: 1, do: [", "]}"},
                                   {"{mix: [{do: [{write: a}]}, {do: [", "]}]}"}}) {
    EXPECT_EQ(error_of(nested(8, begin, end)), "no error");
    EXPECT_THAT(error_of(nested(9, begin, end)), HasSubstr("eeper than")) << begin;
  }
  EXPECT_THAT(error_of(nested(9, "{repeat: 1, do: [", "]}")), HasSubstr("steps nest deeper than 8 levels"));

  const auto choices = [&](int count) {
    std::string text = one + "  loop:\n    - mix:\n";
    for (int i = 0; i < count; ++i) text += "        - {do: [{write: a}]}\n";
    return text;
  };
  EXPECT_EQ(error_of(choices(32)), "no error");
  EXPECT_EQ(error_of(choices(33)), "workload.loop.0.mix: has 33 items; it must have 2 to 32");

  EXPECT_EQ(error_of("  loop: [{compute_cycles: 1}]\n"),
            "workload: needs `objects`, `arrays` or `lists`, such as `objects: [{name: state, size: 64 B}]`");
  EXPECT_EQ(error_of(one), "workload: `loop` is missing; write it such as `loop: [{write: state}]`");
  EXPECT_EQ(error_of(one + "  loop: [{write: a}, {push: b}]\n"),
            "workload.loop.1.push: \"b\" is not known: this step needs a list, and there is none");

  // What a pass runs: the longest choice of a mix counts, a walk counts as the list's limit.
  const auto pass = [&](const std::string& loop) {
    return error_of(one + "  lists: [{name: l, element: 8 B, limit: 100}]\n  loop: [{push: l}, {write: a}, " +
                    loop + "]\n");
  };
  const std::string too_many = "workload.loop: one pass runs more than 100000 steps, repetitions included";
  EXPECT_EQ(pass("{repeat: 99998, do: [{write: a}]}"), "no error");
  EXPECT_EQ(pass("{repeat: 99999, do: [{write: a}]}"), too_many);
  EXPECT_EQ(pass("{repeat: 100000, do: [{repeat: 100000, do: [{repeat: 100000, do: [{repeat: 100000, do: "
                 "[{repeat: 100000, do: [{write: a}]}]}]}]}]}"),
            too_many);
  EXPECT_EQ(pass("{mix: [{do: [{write: a}]}, {do: [{write: a}, {write: a}]}], times: 49999}"), "no error");
  EXPECT_EQ(pass("{mix: [{do: [{write: a}]}, {do: [{write: a}, {write: a}]}], times: 50000}"), too_many);
  for (const char* const walk : {"scan", "insert", "remove"}) {
    EXPECT_EQ(pass(fmt::format("{{repeat: 999, do: [{{{}: l}}]}}", walk)), "no error");
    EXPECT_EQ(pass(fmt::format("{{repeat: 1000, do: [{{{}: l}}]}}", walk)), too_many);
  }
}

// --- the steps -------------------------------------------------------------------------------------

TEST(ScriptSteps, SetupRunsOnceAfterAllObjectsAreMade) {
  const Bench bench(R"(
  objects: [{name: state, size: 5 B, count: 2}]
  arrays: [{name: samples, element: 2 B, length: 3}]
  setup: [{write: state, pick: 1}, {write: samples}]
  loop: [{read: state}]
  iterations: 2
)");
  EXPECT_THAT(bench.port.log, ElementsAre("make a 5", "make b 5", "make c 6", "write b 0+5", "write c 0+6",
                                          "read a", "done", "read b", "done"));
  EXPECT_EQ(bench.memory.named("a").dirtiness, heap::Dirtiness::whole);
  EXPECT_EQ(bench.memory.named("c").dirtiness, heap::Dirtiness::partial);
  EXPECT_EQ(bench.port.copied_bytes, 5U + 6U + 5U + 5U);
}

TEST(ScriptSteps, EachStepTakesItsOwnTurns) {
  const Bench bench(R"(
  objects: [{name: s, size: 8 B, count: 3}]
  loop: [{write: s}, {write: s}, {read: s, pick: 2}, {repeat: 2, do: [{read: s, pick: next}]}]
  iterations: 3
)");
  EXPECT_THAT(bench.all("write"), ElementsAre("write a 0+8", "write a 0+8", "write b 0+8", "write b 0+8",
                                              "write c 0+8", "write c 0+8"));
  EXPECT_THAT(bench.all("read"), ElementsAre("read c", "read a", "read b", "read c", "read c", "read a",
                                             "read c", "read b", "read c"));
}

TEST(ScriptSteps, ArraysAreWrittenInParts) {
  const Bench next(R"(
  arrays: [{name: x, element: 2 B, length: 10, count: 2}]
  loop: [{write: x, elements: 4}]
  iterations: 5
)");
  EXPECT_THAT(next.all("write"),
              ElementsAre("write a 0+8", "write a 8+8", "write b 0+8", "write b 8+8", "write a 0+8"))
      << "the last two elements are too few for a part; the next array comes when one has been gone through";
  const Bench fixed(R"(
  arrays: [{name: x, element: 2 B, length: 10, count: 2}]
  loop: [{write: x, first: 6, elements: 4}, {write: x, pick: 1}]
  iterations: 3
)");
  EXPECT_THAT(fixed.all("write"), ElementsAre("write a 12+8", "write b 0+20", "write b 12+8", "write b 0+20",
                                              "write a 12+8", "write b 0+20"));
  const Bench random(R"(
  arrays: [{name: x, element: 3 B, length: 10, count: 1}]
  loop: [{write: x, first: random, elements: 8}]
  iterations: 100
)");
  const auto writes = random.all("write");
  EXPECT_EQ(std::set<std::string>(writes.begin(), writes.end()),
            (std::set<std::string>{"write a 0+24", "write a 3+24", "write a 6+24"}));
}

TEST(ScriptSteps, RandomPicksReachEveryObject) {
  const Bench bench(R"(
  objects: [{name: s, size: 8 B, count: 5}]
  loop: [{write: s, pick: random}, {renew: s, pick: 0}, {read: s, pick: random}]
  iterations: 200
)");
  std::map<std::string, int> count;
  for (const std::string& line : bench.all("write")) ++count[line];
  EXPECT_GT(count["write b 0+8"], 20);
  EXPECT_GT(count["write e 0+8"], 20);
  EXPECT_EQ(bench.all("free").size(), 200U);
}

TEST(ScriptSteps, RenewFreesAndMakesZeros) {
  const Bench bench(R"(
  objects: [{name: s, size: 9 B, count: 2}]
  arrays: [{name: x, element: 1 B, length: 4}]
  setup: [{repeat: 2, do: [{write: s}]}]
  loop: [{renew: s}, {renew: x}]
  iterations: 1
)");
  EXPECT_THAT(bench.operation(0), ElementsAre("make a 9", "make b 9", "make c 4", "write a 0+9",
                                              "write b 0+9", "free a", "make d 9", "free c", "make e 4"));
  EXPECT_THAT(bench.memory.named("d").bytes, Each(std::byte{0}));
  EXPECT_EQ(bench.memory.named("e").dirtiness, heap::Dirtiness::partial);
}

TEST(ScriptSteps, DataAreFreshEachTimeAndDependOnTheSeed) {
  const std::string text = R"(
  objects: [{name: s, size: 70 B, count: 2}]
  loop: [{write: s}]
  iterations: 2
)";
  const Bench bench(text);
  const auto& first = bench.memory.named("a").bytes;
  EXPECT_NE(first, bench.memory.named("b").bytes);
  EXPECT_EQ(first, Bench(text).memory.named("a").bytes);
  EXPECT_NE(first, Bench(text, 8).memory.named("a").bytes);
  // No stretch of it is left as it was, the end included.
  for (std::size_t i = 0; i < 70; i += 5) {
    EXPECT_NE(std::count(first.begin() + static_cast<long>(i), first.begin() + static_cast<long>(i) + 5,
                         std::byte{0}),
              5);
  }
  EXPECT_NE(Bench(text).memory.named("b").bytes[69], std::byte{0});
  EXPECT_LE(bench.port.most_bytes_at_once, 64U)
      << "time passes inside of a write, so that outages fall into it";
}

// What is picked does not depend on how many bytes are written.
TEST(ScriptSteps, PicksDoNotDependOnSizes) {
  const auto reads = [](const char* size) {
    return Bench(fmt::format(R"(
  objects: [{{name: s, size: {}}}, {{name: r, size: 8 B, count: 9}}]
  loop: [{{write: s}}, {{read: r, pick: random}}]
  iterations: 50
)",
                             size))
        .all("read");
  };
  EXPECT_EQ(reads("1 B"), reads("999 B"));
}

// Elements of a list, in order, as the two bytes that each begins with; empty if its links are inconsistent.
std::vector<std::string> elements_of(const FakeMemory& memory) {
  const auto link = [&](std::uint32_t home, std::size_t offset) {
    std::uint32_t to = 0;
    std::memcpy(&to, memory.objects.at(home).bytes.data() + offset, sizeof to);
    return to;
  };
  std::vector<std::string> names;
  for (const auto& [home, object] : memory.objects) {
    if (link(home, 0) != 0) continue;
    if (!names.empty()) return {};  // two beginnings
    std::uint32_t before = 0;
    for (std::uint32_t at = home; at != 0; before = at, at = link(at, 4)) {
      if (link(at, 0) != before || names.size() > memory.objects.size()) return {};
      names.push_back(memory.objects.at(at).name);
    }
  }
  if (names.size() != memory.objects.size()) return {};
  return names;
}

TEST(ScriptSteps, PushAndPopAtBothEnds) {
  const auto after = [](const char* steps, const char* limit = "9") {
    const Bench bench(fmt::format(
        "  lists: [{{name: l, element: 3 B, limit: {}}}]\n  loop: [{}]\n  iterations: 1\n", limit, steps));
    EXPECT_LE(bench.memory.most_writers, 1U);
    return elements_of(bench.memory);
  };
  EXPECT_THAT(after("{push: l}, {push: l}, {push: l}"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(after("{push: l}, {push: l, at: front}, {push: l, at: back}"), ElementsAre("b", "a", "c"));
  EXPECT_THAT(after("{repeat: 3, do: [{push: l}]}, {pop: l}"), ElementsAre("b", "c"));
  EXPECT_THAT(after("{repeat: 3, do: [{push: l}]}, {pop: l, at: back}"), ElementsAre("a", "b"));
  EXPECT_THAT(after("{push: l}, {pop: l}, {pop: l}, {push: l}, {push: l}"), ElementsAre("b", "c"))
      << "a pop of nothing is skipped";
  // The oldest goes: the one at the other end.
  EXPECT_THAT(after("{repeat: 5, do: [{push: l}]}", "3"), ElementsAre("c", "d", "e"));
  EXPECT_THAT(after("{repeat: 5, do: [{push: l, at: front}]}", "3"), ElementsAre("e", "d", "c"));
  EXPECT_THAT(after("{repeat: 5, do: [{push: l}]}", "1"), ElementsAre("e"));
  EXPECT_THAT(after("{repeat: 5, do: [{push: l, at: front}]}", "1"), ElementsAre("e"));
  EXPECT_THAT(after("{repeat: 5, do: [{push: l}]}", "3, on_full: skip"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(after("{repeat: 5, do: [{insert: l}]}", "3, on_full: skip"), ::testing::SizeIs(3));
}

TEST(ScriptSteps, PopLooksAtWhatItTakes) {
  const Bench bench(R"(
  lists: [{name: l, element: 100 B, limit: 4}]
  setup: [{push: l}]
  loop: [{pop: l}, {pop: l}]
  iterations: 1
)");
  EXPECT_EQ(bench.all("read").front(), "read a");
  EXPECT_EQ(bench.all("free"), std::vector<std::string>{"free a"});
  EXPECT_GE(bench.port.copied_bytes, 100U + 108U) << "written once, read once with its links";
  EXPECT_TRUE(bench.memory.objects.empty());
}

// The limit is kept at every moment, not only when a step is over: the store is planned for it.
TEST(ScriptSteps, AFullListNeverHasOneTooMany) {
  for (const char* const step : {"{push: l}", "{push: l, at: front}", "{insert: l}"}) {
    const Bench bench(fmt::format(
        "  lists: [{{name: l, element: 8 B, limit: 4}}]\n  loop: [{}]\n  iterations: 20\n", step));
    EXPECT_EQ(bench.memory.most_objects, 4U) << step;
    EXPECT_EQ(elements_of(bench.memory).size(), 4U) << step;
  }
}

TEST(ScriptSteps, InsertAndRemoveAnywhere) {
  std::set<std::vector<std::string>> orders;
  std::set<std::vector<std::string>> left;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Bench inserted(
        "  lists: [{name: l, element: 1 B, limit: 9}]\n  loop: [{repeat: 3, do: [{insert: l}]}]\n"
        "  iterations: 1\n",
        seed);
    orders.insert(elements_of(inserted.memory));
    const Bench removed(
        "  lists: [{name: l, element: 1 B, limit: 9}]\n"
        "  loop: [{remove: l}, {repeat: 3, do: [{push: l}]}, {remove: l}]\n  iterations: 1\n",
        seed);
    left.insert(elements_of(removed.memory));
  }
  // In front of one that is there: the first one stays last.
  EXPECT_EQ(orders, (std::set<std::vector<std::string>>{{"b", "c", "a"}, {"c", "b", "a"}}));
  EXPECT_EQ(left, (std::set<std::vector<std::string>>{{"a", "b"}, {"a", "c"}, {"b", "c"}}));
}

TEST(ScriptSteps, ScanReadsEachElementOnceInOrder) {
  const Bench bench(R"(
  lists: [{name: l, element: 4 B, limit: 9}]
  setup: [{push: l}, {push: l, at: front}, {push: l}]
  loop: [{scan: l}]
  iterations: 2
)");
  EXPECT_THAT(bench.operation(1), ElementsAre("read b", "read a", "read c"));
}

TEST(ScriptSteps, TwoListsAreTwoLists) {
  const Bench bench(R"(
  lists: [{name: l, element: 4 B, limit: 9}, {name: m, element: 6 B, limit: 9}]
  loop: [{push: l}, {push: m}, {push: l}, {pop: m}]
  iterations: 1
)");
  EXPECT_THAT(bench.all("make"), ElementsAre("make a 12", "make b 14", "make c 12"));
  EXPECT_THAT(elements_of(bench.memory), ElementsAre("a", "c"));
}

TEST(ScriptSteps, ComputingSleepingLoadsAndFlush) {
  const Bench bench(R"(
  objects: [{name: s, size: 8 B}]
  loop:
    - {write: s}
    - {flush: all}
    - {compute_cycles: 2000}
    - {sleep: 10 ms}
    - {load: 15 mA, for: 3 ms}
    - {load: 1 uA, for: 1 s, cpu: sleep}
    - {load: 0 A, for: 2 us, cpu: busy}
  iterations: 1
)");
  EXPECT_THAT(bench.port.log,
              ElementsAre("make a 8", "write a 0+8", "flush", "compute 2000", "sleep 10000 us, 0 uA",
                          "busy 3000 us, 15000 uA", "sleep 1000000 us, 1 uA", "busy 2 us, 0 uA", "done"));
}

TEST(ScriptSteps, AMixDrawsByWeight) {
  const Bench bench(R"(
  objects: [{name: s, size: 8 B}]
  loop:
    - mix: [{weight: 3, do: [{compute_cycles: 3}]}, {do: [{compute_cycles: 1}, {read: s}]}, {weight: 6, do: [{compute_cycles: 6}]}]
      times: 10
  iterations: 1000
)");
  std::map<std::string, int> count;
  for (const std::string& line : bench.port.log) ++count[line];
  EXPECT_EQ(count["compute 1"] + count["compute 3"] + count["compute 6"], 10'000);
  EXPECT_EQ(count["read a"], count["compute 1"]);
  EXPECT_NEAR(count["compute 1"], 1'000, 150);
  EXPECT_NEAR(count["compute 3"], 3'000, 250);
  EXPECT_NEAR(count["compute 6"], 6'000, 250);
  EXPECT_EQ(bench.port.operations, 1'000U);
}

TEST(ScriptSteps, BlocksNest) {
  const Bench bench(R"(
  objects: [{name: s, size: 8 B}]
  loop:
    - repeat: 2
      do: [{compute_cycles: 1}, {repeat: 2, do: [{compute_cycles: 2}]}, {compute_cycles: 3}]
    - {read: s}
  iterations: 1
)");
  EXPECT_THAT(bench.port.log,
              ElementsAre("make a 8", "compute 1", "compute 2", "compute 2", "compute 3", "compute 1",
                          "compute 2", "compute 2", "compute 3", "read a", "done"));
}

TEST(ScriptSteps, AnErrorNamesItsStep) {
  const firmware::ScriptOptions options = script_of(R"(
  objects: [{name: s, size: 8 B, count: 2}]
  lists: [{name: l, element: 8 B, limit: 9}]
  loop: [{write: s}, {repeat: 2, do: [{write: s}, {push: l}]}, {write: s}]
)");
  for (const auto& [fails_from, place] :
       {std::pair<std::size_t, const char*>{1, "workload.objects.0"}, {3, "workload.loop.1.do.1.push"}}) {
    FakePort port;
    FakeMemory memory;
    memory.log = &port.log;
    memory.fails_from = fails_from;
    firmware::ScriptWorkload(memory, port, options).run();
    EXPECT_EQ(port.log.back(),
              fmt::format("{} failed: {}", place, static_cast<int>(heap::Error::no_storage)));
    EXPECT_EQ(port.operations, 0U);
    EXPECT_EQ(memory.borrowed(), "");
  }
}

// --- on the machine --------------------------------------------------------------------------------

Scenario machine_scenario(std::string_view text) {
  Scenario scenario = small_scenario();
  scenario.heap.ram_bytes = 1'024;
  scenario.heap.dirty_limit_bytes = 640;
  scenario.workload = script_of(text);
  return scenario;
}

const PhaseUse& use_of(const RunResult& result, Phase phase) {
  return result.phases[static_cast<std::size_t>(phase)];
}

// Of the program, while it runs.
double mcu_j(const RunResult& result) {
  return use_of(result, Phase::run).cpu_j + use_of(result, Phase::run).bus_j;
}

double peripherals_j(const RunResult& result) {
  double total_j = 0;
  for (const PhaseUse& use : result.phases) total_j += use.peripherals_j;
  return total_j;
}

constexpr const char* kEverything = R"(
  objects: [{name: state, size: 44 B, count: 6}]
  arrays: [{name: samples, element: 4 B, length: 64, count: 2}]
  lists: [{name: log, element: 20 B, limit: 12}, {name: jobs, element: 9 B, limit: 5, on_full: skip}]
  setup: [{write: state}, {repeat: 4, do: [{push: jobs}]}]
  loop:
    - {load: 200 uA, for: 300 us}
    - {write: samples, first: next, elements: 5}
    - {push: log}
    - {scan: jobs}
    - mix:
        - {weight: 4, do: [{write: state, pick: random}, {read: samples}]}
        - {weight: 2, do: [{renew: state, pick: random}, {write: samples, first: random, elements: 30}]}
        - {weight: 3, do: [{remove: log}, {insert: jobs}, {pop: jobs, at: back}]}
        - {do: [{flush: all}, {load: 3 mA, for: 500 us, cpu: sleep}]}
      times: 3
    - {compute_cycles: 900}
    - {sleep: 1500 us}
  iterations: 300
)";

TEST(ScriptOnTheMachine, SurvivesOutagesAndEndsLikeItsControlRun) {
  Scenario scenario = machine_scenario(kEverything);
  scenario.stop.time = seconds(100);
  const RunResult result = simulate(scenario, {});
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.stop_reason, StopReason::operations);
  EXPECT_EQ(result.operations, 300U);
  EXPECT_EQ(result.control_operations, 300U) << "or the objects at the end were not compared";
  EXPECT_GT(result.persisted, 20U);
  EXPECT_GT(result.with_dirty_data, result.persisted / 2);
  EXPECT_GT(result.reads_compared, 1'000U);
}

TEST(ScriptOnTheMachine, SameSeedSameReportOtherSeedOtherRun) {
  Scenario scenario = machine_scenario(kEverything);
  const RunResult a = run(scenario);
  const RunResult b = run(scenario);
  EXPECT_EQ(json_report(scenario, a), json_report(scenario, b));
  scenario.workload = script_of(kEverything, 8);
  EXPECT_NE(run(scenario).fingerprint, a.fingerprint);
}

// 100 times 2 ms at 5 mA and 3 V, however often the power failed in between.
TEST(ScriptOnTheMachine, APhaseTakesItsTimeAndEnergyWithAndWithoutOutages) {
  const Scenario scenario = [] {
    Scenario s = machine_scenario(R"(
  objects: [{name: s, size: 16 B}]
  loop: [{load: 5 mA, for: 2 ms, cpu: sleep}, {write: s}]
  iterations: 100
)");
    s.stop.time = seconds(100);
    return s;
  }();
  Scenario ideal = scenario;
  ideal.supply.initial_v = 5;
  set_power(ideal, 1);
  const RunResult quiet = run(ideal);
  const RunResult stormy = run(scenario);
  EXPECT_EQ(quiet.persisted, 0U);
  EXPECT_GT(stormy.persisted, 20U);
  for (const RunResult* result : {&quiet, &stormy}) {
    EXPECT_TRUE(result->pass) << result->failure;
    EXPECT_EQ(result->operations, 100U);
    EXPECT_NEAR(peripherals_j(*result), 100 * 2e-3 * 5e-3 * 3, 1e-12);
    EXPECT_NEAR(use_of(*result, Phase::run).peripherals_j, peripherals_j(*result), 1e-15)
        << "the load is off in boot, persist, restore, and without power";
  }
  // 0.2 s asleep at 1 uA, and some heap at 1.6 mA.
  const double heap_s = use_of(quiet, Phase::run).time.seconds() - 0.2;
  EXPECT_GT(heap_s, 0);
  EXPECT_LT(heap_s, 0.02);
  EXPECT_NEAR(mcu_j(quiet), 3 * (0.2 * 1e-6 + heap_s * 1.6e-3), 1e-9);
  EXPECT_NEAR(use_of(stormy, Phase::run).time.seconds(), use_of(quiet, Phase::run).time.seconds(), 1e-3);
}

TEST(ScriptOnTheMachine, ABusyPhaseCostsTheCpuToo) {
  Scenario scenario = machine_scenario(R"(
  objects: [{name: s, size: 16 B}]
  loop: [{load: 0 A, for: 10 ms}, {read: s}]
  iterations: 10
)");
  scenario.supply.initial_v = 5;
  set_power(scenario, 1);
  const RunResult result = run(scenario);
  EXPECT_EQ(peripherals_j(result), 0);
  EXPECT_NEAR(mcu_j(result), 3 * 1.6e-3 * use_of(result, Phase::run).time.seconds(), 1e-9);
}

// A phase that takes many charges of the capacitor goes on after each outage: that is progress.
TEST(ScriptOnTheMachine, LongPhasesAreProgress) {
  for (const char* const cpu : {"busy", "sleep"}) {
    Scenario scenario = machine_scenario(fmt::format(R"(
  objects: [{{name: s, size: 16 B}}]
  loop: [{{load: 5 mA, for: 2 s, cpu: {}}}]
  setup: [{{write: s}}]
  iterations: 1
)",
                                                     cpu));
    scenario.stop.time = seconds(1'000);
    const RunResult result = run(scenario);
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_EQ(result.stop_reason, StopReason::operations);
    EXPECT_GT(result.persisted, 200U);
    EXPECT_NEAR(peripherals_j(result), 2 * 5e-3 * 3, 1e-9);
  }
}

TEST(ScriptOnTheMachine, TheLoadIsOffAfterALoss) {
  Scenario scenario = starved_scenario();
  scenario.mcu.on_loss = OnLoss::reformat;
  scenario.workload = script_of(R"(
  objects: [{name: s, size: 40 B, count: 6}]
  loop: [{write: s}, {load: 1 mA, for: 20 ms}]
)");
  const RunResult result = run(scenario);
  EXPECT_GT(result.cold_starts, 3U);
  EXPECT_TRUE(result.failure.empty()) << result.failure;
  EXPECT_GT(use_of(result, Phase::run).peripherals_j, 0);
  EXPECT_EQ(use_of(result, Phase::boot).peripherals_j, 0);
  EXPECT_EQ(use_of(result, Phase::persist).peripherals_j, 0);
}

// The ticks of a sleep are not made up for by the work that follows.
TEST(ScriptOnTheMachine, TicksOfASleepStretchNothing) {
  Scenario scenario = machine_scenario(R"(
  objects: [{name: s, size: 16 B}]
  loop: [{sleep: 1 s}, {compute_cycles: 160}, {write: s}]
  iterations: 10
)");
  scenario.storage.bus = *devices::find_spi_profile("esp32c3-zephyr-tick");
  scenario.supply.initial_v = 5;
  set_power(scenario, 1);
  scenario.stop.time = seconds(100);
  const RunResult result = run(scenario);
  EXPECT_EQ(result.operations, 10U);
  EXPECT_NEAR(use_of(result, Phase::run).time.seconds(), 10, 0.02);
}

TEST(ScriptOnTheMachine, AnEndlessScriptGoesOnUntilItIsStopped) {
  Scenario scenario =
      machine_scenario("  objects: [{name: s, size: 16 B}]\n  loop: [{write: s}, {sleep: 1 ms}]\n");
  scenario.stop.time.reset();
  scenario.stop.operations = 123;
  const RunResult result = simulate(scenario, {});
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.operations, 123U);
  EXPECT_EQ(result.control_operations, 123U);
}

TEST(ScriptOnTheMachine, WhatDoesNotFitSaysWhichStep) {
  const Scenario scenario =
      machine_scenario("  lists: [{name: l, element: 300 B, limit: 100}]\n  loop: [{push: l}]\n");
  const RunResult result = run(scenario);
  EXPECT_EQ(result.stop_reason, StopReason::check_failed);
  EXPECT_THAT(result.failure, HasSubstr("workload.loop.0.push"));
}

// Scripts drawn at random, on a heap of random modules, with outages: whatever they do, nothing is lost and
// every object ends up as in the control run. A failure prints the script; BROWNOUT_TEST_SEED sets the first
// seed, BROWNOUT_TEST_CASES how many there are.
class RandomScript {
 public:
  explicit RandomScript(std::uint64_t seed) : random_(firmware::Xoshiro128::from_seed(seed, 99)) {}

  std::string text() {
    std::string text = "  objects:\n";
    for (int i = number(1, 3); i > 0; --i) {
      text += fmt::format("    - {{name: {}, size: {} B, count: {}}}\n", named(objects_, "o"), number(1, 120),
                          number(1, 6));
    }
    text += "  arrays:\n";
    for (int i = number(1, 2); i > 0; --i) {
      const int length = number(1, 90);
      text += fmt::format("    - {{name: {}, element: {} B, length: {}, count: {}}}\n", named(arrays_, "a"),
                          number(1, 5), length, number(1, 2));
      lengths_.push_back(length);
    }
    text += "  lists:\n";
    for (int i = number(1, 2); i > 0; --i) {
      text += fmt::format("    - {{name: {}, element: {} B, limit: {}, on_full: {}}}\n", named(lists_, "l"),
                          number(1, 60), number(1, 10), one_of({"drop_oldest", "skip"}));
    }
    text += "  setup:\n";
    for (const auto& name : objects_) text += fmt::format("    - {{write: {}}}\n", name);
    for (const auto& name : arrays_) text += fmt::format("    - {{write: {}}}\n", name);
    for (const auto& name : lists_) text += fmt::format("    - {{push: {}}}\n", name);
    return text + "  loop: " + steps(3) + "\n  iterations: 150\n";
  }

  int number(int from, int to) {
    return from + static_cast<int>(random_.below(static_cast<std::uint32_t>(to - from + 1)));
  }

 private:
  std::string one_of(std::initializer_list<const char*> choices) {
    return *(choices.begin() + number(0, static_cast<int>(choices.size()) - 1));
  }
  std::string name_in(const std::vector<std::string>& names) {
    return names[static_cast<std::size_t>(number(0, static_cast<int>(names.size()) - 1))];
  }
  static std::string named(std::vector<std::string>& names, const char* prefix) {
    names.push_back(fmt::format("{}{}", prefix, names.size()));
    return names.back();
  }
  std::string pick() { return one_of({"", ", pick: next", ", pick: random", ", pick: 0"}); }

  std::string steps(int depth) {
    std::string text = step(depth);
    for (int i = number(0, 5); i > 0; --i) text += ", " + step(depth);
    return "[" + text + "]";
  }

  std::string step(int depth) {
    const int kind = number(0, depth > 0 ? 15 : 12);
    if (kind <= 1) return fmt::format("{{write: {}{}}}", name_in(objects_), pick());
    if (kind <= 3) return part();
    if (kind == 4)
      return fmt::format("{{read: {}{}}}", name_in(number(0, 1) == 0 ? objects_ : arrays_), pick());
    if (kind == 5)
      return fmt::format("{{renew: {}{}}}", name_in(number(0, 2) > 0 ? objects_ : arrays_), pick());
    if (kind == 6) return fmt::format("{{push: {}, at: {}}}", name_in(lists_), one_of({"front", "back"}));
    if (kind == 7) return fmt::format("{{pop: {}, at: {}}}", name_in(lists_), one_of({"front", "back"}));
    if (kind == 8) return fmt::format("{{{}: {}}}", one_of({"insert", "remove", "scan"}), name_in(lists_));
    if (kind == 9) return fmt::format("{{compute_cycles: {}}}", number(1, 3'000));
    if (kind == 10) return fmt::format("{{sleep: {} us}}", number(1, 3'000));
    if (kind == 11)
      return fmt::format("{{load: {} uA, for: {} us, cpu: {}}}", number(0, 4'000), number(1, 2'000),
                         one_of({"busy", "sleep"}));
    if (kind == 12) return number(0, 3) == 0 ? "{flush: all}" : part();
    if (kind == 13) return fmt::format("{{repeat: {}, do: {}}}", number(1, 3), steps(depth - 1));
    const std::string first = steps(depth - 1);
    const std::string second = steps(depth - 1);
    return fmt::format("{{mix: [{{weight: {}, do: {}}}, {{do: {}}}], times: {}}}", number(1, 5), first,
                       second, number(1, 3));
  }

  std::string part() {
    const auto array = static_cast<std::size_t>(number(0, static_cast<int>(arrays_.size()) - 1));
    const int elements = number(1, lengths_[array]);
    const std::string first = one_of({"next", "random", "0"});
    return fmt::format("{{write: {}{}, first: {}, elements: {}}}", arrays_[array], pick(), first, elements);
  }

  firmware::Xoshiro128 random_;
  std::vector<std::string> objects_;
  std::vector<std::string> arrays_;
  std::vector<std::string> lists_;
  std::vector<int> lengths_;
};

TEST(ScriptOnTheMachine, RandomScriptsLoseNothing) {
  const auto from_environment = [](const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
  };
  const std::uint64_t first = from_environment("BROWNOUT_TEST_SEED", 1);
  const std::uint64_t cases = from_environment("BROWNOUT_TEST_CASES", 30);
  std::uint64_t outages = 0;
  for (std::uint64_t seed = first; seed < first + cases; ++seed) {
    RandomScript script(seed);
    const std::string text = script.text();
    SCOPED_TRACE(fmt::format("seed {}\n{}", seed, text));
    Scenario scenario = machine_scenario(text);
    scenario.stop.time = seconds(1'000);
    auto& memory = scenario.heap.memory;
    memory.policy = static_cast<firmware::PolicyKind>(script.number(0, 2));
    memory.ram_allocator = static_cast<firmware::RamAllocatorKind>(script.number(0, 1));
    memory.store_allocator = static_cast<firmware::StoreAllocatorKind>(script.number(0, 1));
    const bool buddies = memory.ram_allocator == firmware::RamAllocatorKind::buddy &&
                         memory.store_allocator == firmware::StoreAllocatorKind::buddy;
    if (buddies && script.number(0, 1) == 1) memory.slots = firmware::SlotKind::compact;
    const RunResult result = simulate(scenario, {});
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_EQ(result.operations, 150U);
    EXPECT_EQ(result.control_operations, 150U);
    outages += result.persisted;
    if (HasFailure()) break;
  }
  EXPECT_GT(outages, 10 * cases);
}

// Planted: a span whose peripherals the first book forgets.
class ForgottenPeripherals final : public Ledger {
 public:
  void book(const Span& span) override {
    Span forgetful = span;
    if (span.load.peripherals_w > 0 && !done_) {
      done_ = true;
      forgetful.load.peripherals_w = 0;
    }
    Ledger::book(forgetful);
  }

 private:
  bool done_ = false;
};

TEST(Planted, PeripheralsMissingInABookAreFound) {
  const Scenario scenario = machine_scenario(kEverything);
  ForgottenPeripherals ledger;
  const RunResult result = Machine(scenario, open_source(scenario), ledger, {}).run();
  EXPECT_EQ(result.stop_reason, StopReason::check_failed);
  EXPECT_THAT(result.failure, HasSubstr("books"));
}

}  // namespace
}  // namespace brownout::sim::testing
