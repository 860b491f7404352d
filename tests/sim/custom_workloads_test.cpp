#include "sim/scenario/custom_workloads.hpp"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/machine/control_run.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {
namespace {

using firmware::ObjectMemory;
using firmware::Port;
using testing::HasSubstr;

// A Cortex-M0+ on 47 uF that sees an outage about every 50 ms.
Scenario board(const std::string& workload, const std::string& more = "on_loss: stop",
               const std::string& capacitance = "47 uF") {
  const std::string text =
      "name: custom\n"
      "mcu: {profile: cortex-m0plus, after_persist: shutdown, " +
      more +
      "}\n"
      "storage: {part: MB85RS64V, sck: 8 MHz}\n"
      "supply:\n"
      "  source: {kind: square, high: 4 mW, period: 50 ms}\n"
      "  capacitor: {capacitance: " +
      capacitance +
      "}\n"
      "  thresholds: {turn_on: 3.4 V, warn: 2.9 V, brown_out: 2.6 V}\n"
      "heap: {ram: 1 KiB, dirty_limit: 512 B}\n"
      "workload: " +
      workload +
      "\n"
      "stop: {time: 2 s}\n";
  return parse_scenario(text, "s.yaml", {}, std::nullopt);
}

std::string error_of(const std::string& workload) {
  try {
    board(workload);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// A workload under a name; tests share a process, or do not.
std::string custom(const std::string& name, firmware::CustomRun run) {
  if (find_custom_workload(name) == nullptr) add_workload(name, run);
  return "{kind: custom, name: " + name + "}";
}

void count_to(std::uint32_t operations, ObjectMemory& memory, Port& port) {
  auto made = memory.make(std::uint32_t{0});
  if (!made.ok()) return port.give_up(made.error(), "make the counter");
  const auto counter = made.take();
  for (std::uint32_t i = 0; i < operations; ++i) {
    if (auto count = memory.write(counter); count.ok()) ++*count.value();
    port.charge(heap::Work::compute_cycle, 16'000);
    port.operation_done();
  }
}

void count_on(ObjectMemory& memory, Port& port) { count_to(0xFFFF'FFFF, memory, port); }
void count_to_300(ObjectMemory& memory, Port& port) { count_to(300, memory, port); }
void do_nothing(ObjectMemory& /*memory*/, Port& /*port*/) {}
void ask_for_too_much(ObjectMemory& memory, Port& port) {
  auto made = memory.make_buffer(600);
  if (!made.ok()) port.give_up(made.error(), "make a buffer");
}

TEST(CustomWorkloads, AreAddedOnceUnderAName) {
  custom("added", count_on);
  EXPECT_EQ(find_custom_workload("added"), &count_on);
  EXPECT_EQ(find_custom_workload("adde"), nullptr);
  EXPECT_THAT(custom_workload_names(), testing::Contains("added"));
  const auto refusal = [](std::string_view name, firmware::CustomRun run) -> std::string {
    try {
      add_workload(name, run);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(refusal("added", count_on), "add_workload(\"added\"): there is a workload of this name already");
  EXPECT_EQ(refusal("", count_on), "add_workload(\"\"): a name has 1 to 40 characters, not 0");
  EXPECT_THAT(refusal(std::string(41, 'x'), count_on), HasSubstr("1 to 40 characters, not 41"));
  for (const char* name : {"two words", "{x}", "caf\xC3\xA9", "line\n", "a:b"}) {
    EXPECT_THAT(refusal(name, count_on), HasSubstr("consists of the letters")) << name;
  }
  EXPECT_EQ(refusal("nobody", nullptr), "add_workload(\"nobody\"): there is no function");
  EXPECT_EQ(refusal(std::string(40, 'x'), count_on), "none");
}

TEST(CustomWorkloads, AScenarioNamesOneThatThereIs) {
  EXPECT_EQ(std::get<firmware::CustomOptions>(board(custom("sensor", count_on)).workload).run, &count_on);
  EXPECT_THAT(error_of("{kind: custom, name: sensr}"),
              HasSubstr("s.yaml:9:32: workload.name: \"sensr\" is not known; did you mean sensor? (known: "));
  EXPECT_EQ(error_of("{kind: custom}"),
            "s.yaml:9:1: workload: `name` is missing; write it such as `name: sensor`");
  EXPECT_THAT(error_of("{kind: custom, name: [sensor]}"), HasSubstr("workload.name: is a list"));
  EXPECT_THAT(error_of("{kind: custom, name: sensor, size: 8 B}"), HasSubstr("unknown key \"size\""));
  EXPECT_THAT(error_of("{kind: counter, name: sensor}"), HasSubstr("unknown key \"name\""));
}

TEST(CustomWorkloads, SurviveOutages) {
  const RunResult result = simulate(board(custom("counts-on", count_on)), {});
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.stop_reason, StopReason::time);
  EXPECT_GT(result.persisted, 10U);
  EXPECT_EQ(result.control_operations, 2'000U);
}

TEST(CustomWorkloads, EndTheRunWhenTheyReturn) {
  const RunResult result = simulate(board(custom("counts", count_to_300)), {});
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_EQ(result.stop_reason, StopReason::operations);
  EXPECT_EQ(result.operations, 300U);
  EXPECT_EQ(result.control_operations, 300U);
  EXPECT_GT(result.persisted, 2U);
}

TEST(CustomWorkloads, BeginAnewAfterALoss) {
  const RunResult result = simulate(
      board(custom("starts-over", count_on), "os_save_bytes: 2 KiB, on_loss: reformat", "4.7 uF"), {});
  EXPECT_GT(result.lost, 1U);
  EXPECT_GT(result.cold_starts, 1U);
  EXPECT_EQ(result.failure, "");
}

TEST(CustomWorkloads, HaveToCompleteOperations) {
  const RunResult result = simulate(board(custom("idle", do_nothing)), {});
  EXPECT_FALSE(result.pass);
  EXPECT_THAT(result.failure, HasSubstr("ended without an operation (operation_done())"));
}

TEST(CustomWorkloads, SayWhyTheyCannotGoOn) {
  const RunResult result = simulate(board(custom("greedy", ask_for_too_much)), {});
  EXPECT_FALSE(result.pass);
  EXPECT_THAT(result.failure, HasSubstr("could not go on: make a buffer (dirty_limit)"));
}

}  // namespace
}  // namespace brownout::sim
