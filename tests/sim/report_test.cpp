#include "sim/report/report.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bad_input/temp_folder.hpp"
#include "json_schema.hpp"
#include "sim/report/write_file.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using Json = nlohmann::json;

TEST(Report, HasTheFieldsThatUsersReadAndTheyAddUp) {
  Scenario scenario = small_scenario();
  scenario.supply.comparator.latency = devices::microseconds(10);
  scenario.supply.converter.efficiency = 0.9;
  scenario.supply.charger = {.kind = devices::PathKind::boost, .efficiency = 0.95};
  scenario.supply.off_a = 1e-6;
  const RunResult result = run(scenario);
  const Json report = Json::parse(json_report(scenario, result));
  for (const char* key :
       {"schema_version", "version",          "scenario",   "seed",    "verdict", "stop_reason",
        "complete",       "simulated_time_s", "outages",    "losses",  "phases",  "energy_by_consumer_j",
        "energy",         "balance",          "persist",    "restore", "work",    "capacitor",
        "uncalibrated",   "checks",           "fingerprint"}) {
    EXPECT_TRUE(report.contains(key)) << key;
  }
  EXPECT_EQ(report["schema"], "brownout-run");
  EXPECT_EQ(report["schema_version"], 2);
  EXPECT_EQ(report["verdict"], "pass");
  EXPECT_EQ(report["stop_reason"], "time");
  EXPECT_EQ(report["outages"]["total"].get<int>(),
            report["outages"]["persisted"].get<int>() + report["outages"]["lost"].get<int>());
  EXPECT_EQ(report["persist"]["count"], report["outages"]["persisted"]);

  double time_s = 0;
  double phases_j = 0;
  for (const auto& [name, phase] : report["phases"].items()) {
    time_s += phase["time_s"].get<double>();
    phases_j += phase["energy_j"].get<double>();
  }
  EXPECT_NEAR(time_s, report["simulated_time_s"].get<double>(), 1e-9);
  const Json& consumers = report["energy_by_consumer_j"];
  const double consumers_j = consumers["cpu"].get<double>() + consumers["bus"].get<double>() +
                             consumers["storage"].get<double>() + consumers["peripherals"].get<double>();
  EXPECT_NEAR(phases_j, consumers_j, 1e-12);
  const Json& energy = report["energy"];
  const double in = energy["harvested_j"].get<double>() + energy["initial_j"].get<double>();
  const double out = phases_j + consumers["leakage"].get<double>() + consumers["esr"].get<double>() +
                     consumers["clipped"].get<double>() + energy["conversion_j"].get<double>() +
                     consumers["charging"].get<double>() + consumers["off"].get<double>() +
                     energy["final_j"].get<double>();
  EXPECT_NEAR(in, out, 1e-9 * in);
  EXPECT_GT(energy["conversion_j"].get<double>(), 0);
  EXPECT_GT(consumers["charging"].get<double>(), 0);
  EXPECT_GT(consumers["off"].get<double>(), 0);
  EXPECT_EQ(energy["conversion_j"], consumers["conversion"]);
  EXPECT_EQ(report["configuration"]["converter_efficiency"], 0.9);
  EXPECT_EQ(report["configuration"]["comparator_latency_s"], 1e-5);
  EXPECT_EQ(report["configuration"]["comparator_tolerance"], 0.05);
  EXPECT_EQ(report["configuration"]["capacitance_tolerance"], 0.2);
  for (const char* what : {"time_s", "energy_j", "bytes", "transactions"}) {
    const Json& statistic = report["persist"][what];
    EXPECT_LE(statistic["minimum"].get<double>(), statistic["mean"].get<double>() * (1 + 1e-12)) << what;
    EXPECT_LE(statistic["mean"].get<double>(), statistic["maximum"].get<double>() * (1 + 1e-12)) << what;
  }
  EXPECT_EQ(report["persist"]["transactions"]["maximum"], 2) << "WREN and one burst";
  const Json& bound = report["persist_bound"];
  EXPECT_EQ(bound["bytes"], 352);
  EXPECT_EQ(bound["transactions"], 2);
  EXPECT_GE(bound["time_s"].get<double>(), report["persist"]["time_s"]["maximum"].get<double>());
  EXPECT_GE(bound["energy_j"].get<double>(), report["persist"]["energy_j"]["maximum"].get<double>());
  EXPECT_GE(bound["section_cycles"], report["checks"]["longest_section_cycles"]);
  EXPECT_EQ(bound["section_limit_cycles"], 500);
  for (const char* what : {"bytes", "time", "energy"}) {
    EXPECT_GT(bound["largest_over_bound"][what].get<double>(), 0.5) << what;
    EXPECT_LE(bound["largest_over_bound"][what].get<double>(), 1) << what;
  }
  EXPECT_NE(summary(scenario, result).find("  bound "), std::string::npos);
}

Json schema_of_runs() {
  std::ifstream in(std::string(BROWNOUT_SCHEMAS) + "/run-2.schema.json");
  return Json::parse(in);
}

// Runs of every kind: with losses, never turned on, false alarms, attached, on IV-like steps.
TEST(Report, FollowsThePublishedSchema) {
  const Json schema = schema_of_runs();
  std::vector<Scenario> scenarios = {small_scenario(), starved_scenario()};
  scenarios.push_back(small_scenario());
  set_power(scenarios.back(), 0);
  scenarios.push_back(small_scenario());
  scenarios.back().mcu.after_persist = AfterPersist::sleep;
  scenarios.back().supply.comparator.hysteresis_v = 0.1;
  scenarios.push_back(starved_scenario());
  scenarios.back().mcu.on_loss = OnLoss::attach;
  scenarios.back().heap.write_intents = true;
  scenarios.push_back(small_scenario());
  scenarios.back().heap.memory.kind = firmware::MemoryKind::direct;
  for (const Scenario& scenario : scenarios) {
    const RunResult result = run(scenario);
    EXPECT_EQ(result.failure, "");
    const std::vector<std::string> faults = schema_faults(schema, Json::parse(json_report(scenario, result)));
    EXPECT_TRUE(faults.empty()) << faults.front();
  }
}

// The first moments of each shipped scenario, with what its file says in the report.
TEST(Report, OfShippedScenariosFollowsThePublishedSchema) {
  const Json schema = schema_of_runs();
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(BROWNOUT_SOURCE_DIR) + "/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    const Scenario scenario = load_scenario(entry.path(), {{"stop.time=700 ms"}}, std::nullopt);
    const Json report = Json::parse(json_report(scenario, run(scenario)));
    const std::vector<std::string> faults = schema_faults(schema, report);
    EXPECT_TRUE(faults.empty()) << entry.path() << ": " << faults.front();
    EXPECT_EQ(report["inputs"]["stop"]["time"], "700 ms");
    ++count;
  }
  EXPECT_GE(count, 10);
}

// A validator that finds nothing would pass the test above.
TEST(Report, TheSchemaRefusesWhatIsNotOne) {
  const Json schema = schema_of_runs();
  const Scenario scenario = small_scenario();
  const Json good = Json::parse(json_report(scenario, run(scenario)));
  const auto fault_of = [&schema](const Json& report) {
    const std::vector<std::string> faults = schema_faults(schema, report);
    return faults.size() == 1 ? faults.front() : std::to_string(faults.size()) + " faults";
  };
  for (const auto& [key, value] : good.items()) {
    Json report = good;
    report.erase(key);
    EXPECT_EQ(fault_of(report), "report: lacks \"" + key + "\"");
  }
  Json report = good;
  report["persist"]["time_s"]["mean"] = "1 ms";
  EXPECT_EQ(fault_of(report), "report.persist.time_s.mean: is no [\"number\",\"null\"]: \"1 ms\"");
  report = good;
  report["cycles"]["records"][3]["surplus"] = 1;
  EXPECT_EQ(fault_of(report), "report.cycles.records.3: has surplus, which the schema does not know");
  report = good;
  report["verdict"] = "maybe";
  EXPECT_EQ(fault_of(report), "report.verdict: \"maybe\" is none of [\"pass\",\"fail\"]");
  report = good;
  report["schema_version"] = 1;
  EXPECT_EQ(fault_of(report), "report.schema_version: 1 is not 2");
  report = good;
  report["progress"]["duty_cycle"] = 1.5;
  EXPECT_EQ(fault_of(report), "report.progress.duty_cycle: 1.5 is above 1");
  report = good;
  report["operations"] = -1;
  report["outages"]["total"] = -1;
  EXPECT_EQ(fault_of(report), "2 faults");
}

// Against sums made from the rest of the report.
TEST(Report, ProgressAndMarginAreThoseOfTheRun) {
  const Scenario scenario = small_scenario();
  const RunResult result = run(scenario);
  const Json report = Json::parse(json_report(scenario, result));
  const double all_s = report["simulated_time_s"];
  const double off_s = report["phases"]["off"]["time_s"];
  const double run_s = report["phases"]["run"]["time_s"];
  EXPECT_NEAR(report["progress"]["duty_cycle"].get<double>(), 1 - off_s / all_s, 1e-12);
  EXPECT_NEAR(report["progress"]["unavailability"].get<double>(), 1 - run_s / all_s, 1e-12);
  const double operations = report["work"]["operations"];
  EXPECT_NEAR(report["progress"]["operations_per_joule"].get<double>(),
              operations / report["energy"]["used_j"].get<double>(), 1e-6);
  EXPECT_NEAR(report["margin"]["voltage_v"].get<double>(),
              report["persist"]["lowest_end_voltage_v"].get<double>() - 2.7, 1e-12);
  EXPECT_GT(report["margin"]["time_share"].get<double>(), 0);
  EXPECT_NEAR(report["margin"]["capacitance_ratio"].get<double>() *
                  report["capacitor"]["recommended_f"].get<double>(),
              22e-6, 1e-15);
  EXPECT_EQ(report["distribution"]["persist"]["count"], report["persist"]["count"]);
  EXPECT_LE(report["distribution"]["persist"]["maximum_s"].get<double>(),
            report["persist_bound"]["time_s"].get<double>());
  EXPECT_GE(report["distribution"]["persist"]["maximum_s"].get<double>(),
            report["persist"]["time_s"]["maximum"].get<double>());
}

TEST(Report, HashesTellScenariosApart) {
  const auto hashes = [](const std::string& set, const std::string& name, const std::string& order) {
    const std::string text =
        "name: " + name + "\ndescription: of " + name + "\n" + order +
        "mcu: {profile: cortex-m0plus}\nstorage: {part: MB85RS64V, sck: 8 MHz, transfer: fifo}\n"
        "supply: {source: {kind: constant, power: 0 W}, capacitor: {capacitance: 22 uF}, "
        "thresholds: {turn_on: 3.6 V, warn: 3 V, brown_out: 2.7 V}}\n"
        "heap: {ram: 512 B, dirty_limit: 320 B}\n" +
        (order.empty() ? "workload: {kind: counter}\nstop: {time: 1 ms}\n" : "");
    std::vector<Override> overrides;
    if (!set.empty()) overrides.push_back({set});
    const Scenario scenario = parse_scenario(text, "board.yaml", overrides, std::nullopt);
    const Json report = Json::parse(json_report(scenario, run(scenario)));
    EXPECT_EQ(report["inputs"]["heap"]["ram"], "512 B");
    EXPECT_FALSE(report["inputs"].contains("description"));
    return std::pair(report["hashes"]["scenario"].get<std::string>(),
                     report["hashes"]["configuration"].get<std::string>());
  };
  const auto plain = hashes("", "a", "");
  EXPECT_EQ(plain.first.size(), 16U);
  EXPECT_EQ(hashes("", "b", ""), plain) << "the name is no part of it";
  EXPECT_EQ(hashes("", "a", "stop: {time: 1 ms}\nworkload: {kind: counter}\n"), plain) << "nor is the order";
  const auto other_workload = hashes("workload.objects=3", "a", "");
  EXPECT_NE(other_workload.first, plain.first);
  EXPECT_EQ(other_workload.second, plain.second) << "the same board";
  const auto other_board = hashes("supply.capacitor.capacitance=23 uF", "a", "");
  EXPECT_NE(other_board.first, plain.first);
  EXPECT_NE(other_board.second, plain.second);
}

// Two runs over two traces of one name are not the same.
class HashOfATrace : public bad_input::TempFolderTest {};

TEST_F(HashOfATrace, IsThatOfItsBytes) {
  const auto hash = [this](const std::string& trace) {
    const std::string path = write(trace, "t.csv");
    const std::string text =
        "name: a\nmcu: {profile: cortex-m0plus}\nstorage: {part: MB85RS64V, sck: 8 MHz, transfer: fifo}\n"
        "supply: {source: {trace: t.csv}, capacitor: {capacitance: 22 uF}, "
        "thresholds: {turn_on: 3.6 V, warn: 3 V, brown_out: 2.7 V}}\n"
        "heap: {ram: 512 B, dirty_limit: 320 B}\nworkload: {kind: counter}\nstop: {time: 1 ms}\n";
    const Scenario scenario = parse_scenario(text, (folder() / "s.yaml").string(), {}, std::nullopt);
    const RunResult result = run(scenario);
    const std::string first = Json::parse(json_report(scenario, result))["hashes"]["scenario"];
    std::filesystem::remove(path);
    EXPECT_THROW(json_report(scenario, result), EnvironmentError) << "it is gone";
    return first;
  };
  const std::string plain = hash("time_s,power_w\n0,0.001\n1,0.002\n2,0.001\n");
  EXPECT_EQ(hash("time_s,power_w\n0,0.001\n1,0.002\n2,0.001\n"), plain);
  EXPECT_NE(hash("time_s,power_w\n0,0.001\n1,0.002\n2,0.003\n"), plain) << "behind where the run ended";
}

TEST(Report, LossesAreNamed) {
  const Scenario scenario = starved_scenario();
  const RunResult result = run(scenario);
  const Json report = Json::parse(json_report(scenario, result));
  EXPECT_EQ(report["verdict"], "fail");
  ASSERT_EQ(report["losses"].size(), 1U);
  EXPECT_GT(report["losses"][0]["lacked_j"].get<double>(), 0);
  EXPECT_GT(report["losses"][0]["objects_total"].get<int>(), 0);
  EXPECT_GT(report["capacitor"]["recommended_f"].get<double>(), 22e-6);
  const std::string text = summary(scenario, result);
  EXPECT_NE(text.find("LOST"), std::string::npos);
  EXPECT_NE(text.find("lacked"), std::string::npos);
}

TEST(Report, ValuesThatDoNotExistAreNull) {
  Scenario scenario = small_scenario();
  set_power(scenario, 0);
  const RunResult result = run(scenario);
  const Json report = Json::parse(json_report(scenario, result));
  EXPECT_TRUE(report["persist"]["lowest_end_voltage_v"].is_null());
  EXPECT_TRUE(report["persist"]["time_s"]["mean"].is_null());
  EXPECT_TRUE(report["persist_bound"]["largest_over_bound"]["time"].is_null());
  EXPECT_EQ(report["verdict"], "fail");
  EXPECT_FALSE(summary(scenario, result).empty());
}

class WriteFile : public bad_input::TempFolderTest {
 protected:
  static std::string read(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
};

TEST_F(WriteFile, ReplacesTheWholeFileAndLeavesNothingElse) {
  const std::string path = folder() / "report.json";
  write_file(path, "a much longer first text");
  write_file(path, "second");
  EXPECT_EQ(read(path), "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder()), {}), 1);
}

TEST_F(WriteFile, FailureKeepsTheOldFile) {
  EXPECT_THROW(write_file(folder() / "missing" / "report.json", "x"), EnvironmentError);
  EXPECT_THROW(write_file("/dev/full", "x"), EnvironmentError);
  EXPECT_TRUE(std::filesystem::exists("/dev/full"));
}

TEST_F(WriteFile, WrongPathsAreTheUsersError) {
  EXPECT_THROW(check_output_path("--report", folder()), InputError);
  EXPECT_THROW(check_output_path("--report", folder() / "missing" / "report.json"), InputError);
  EXPECT_THROW(check_output_path("--report", ""), InputError);
  EXPECT_NO_THROW(check_output_path("--report", folder() / "new.json"));
}

}  // namespace
}  // namespace brownout::sim::testing
