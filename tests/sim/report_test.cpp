#include "sim/report/report.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bad_input/temp_folder.hpp"
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
  EXPECT_EQ(report["schema_version"], 1);
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
