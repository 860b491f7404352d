#include "sim/report/compare.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "bad_input/temp_folder.hpp"
#include "sim/machine/control_run.hpp"
#include "sim/report/page.hpp"
#include "sim/report/report.hpp"
#include "sim/report/sweep.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using Json = nlohmann::ordered_json;

class Compare : public bad_input::TempFolderTest {
 protected:
  static std::string report_of(double capacitance_f) {
    Scenario scenario = small_scenario();
    scenario.supply.capacitor.capacitance_f = capacitance_f;
    return json_report(scenario, run(scenario));
  }
  static const std::string& small() {
    static const std::string text = report_of(22e-6);
    return text;
  }
  static const std::string& large() {
    static const std::string text = report_of(47e-6);
    return text;
  }
  Compared compared(const std::vector<std::string>& texts, const std::vector<std::string>& rules = {}) {
    Compared all;
    for (std::size_t i = 0; i < texts.size(); ++i)
      all.files.push_back(
          read_report_file(write(texts[i], std::string(1, static_cast<char>('a' + i)) + ".json")));
    for (const std::string& rule : rules) all.rules.push_back(parse_rule(rule));
    all.comparisons = compare(all.files);
    all.results = apply_rules(all.files, all.comparisons, all.rules);
    return all;
  }
  static const Field* find(const Compared& all, const std::string& path) {
    for (const Field& field : all.comparisons.at(0).fields) {
      if (field.path == path) return &field;
    }
    return nullptr;
  }
};

TEST_F(Compare, EqualReportsAreEqualInEveryFormat) {
  const Compared all = compared({small(), small(), small()});
  ASSERT_EQ(all.comparisons.size(), 1U);
  EXPECT_TRUE(all.comparisons[0].is_equal());
  EXPECT_NE(compared_text(all).find("equal: all "), std::string::npos);
  EXPECT_NE(compared_markdown(all).find("equal: all "), std::string::npos);
  EXPECT_NE(compared_html(all).find("equal: all "), std::string::npos);
  EXPECT_EQ(Json::parse(compared_json(all))["comparisons"][0]["equal"], true);
  EXPECT_EQ(Json::parse(compared_json(all))["comparisons"][0]["fields"].size(), 0U);
}

TEST_F(Compare, WhatChangedIsThereWithItsChangeAndWhatIsEqualIsNot) {
  Compared all = compared({small(), large()});
  EXPECT_FALSE(all.comparisons[0].is_equal());
  const Field* capacitance = find(all, "configuration.capacitance_f");
  ASSERT_NE(capacitance, nullptr);
  EXPECT_NEAR(*change_of(*capacitance, 1), 25e-6, 1e-15);
  EXPECT_NEAR(*percent_change_of(*capacitance, 1), 100 * 25.0 / 22, 1e-9);
  EXPECT_FALSE(percent_change_of(*find(all, "outages.lost"), 1)) << "0 before and after";
  const std::string text = compared_text(all);
  EXPECT_NE(text.find("configuration.capacitance_f"), std::string::npos);
  EXPECT_EQ(text.find("configuration.mcu_clock_hz"), std::string::npos);
  EXPECT_NE(text.find("cycles.records"), std::string::npos) << "as a whole";
  EXPECT_EQ(text.find("cycles.records.0"), std::string::npos);
  all.with_equal = true;
  EXPECT_NE(compared_text(all).find("configuration.mcu_clock_hz"), std::string::npos);
  // Whatever the format, the numbers are those of the reports.
  const Json json = Json::parse(compared_json(all));
  const Json a = Json::parse(small());
  const Json b = Json::parse(large());
  std::size_t seen = 0;
  for (const Json& field : json["comparisons"][0]["fields"]) {
    if (field["path"] != "work.energy_per_operation_j") continue;
    EXPECT_EQ(field["values"][0], a["work"]["energy_per_operation_j"]);
    EXPECT_EQ(field["values"][1], b["work"]["energy_per_operation_j"]);
    ++seen;
  }
  EXPECT_EQ(seen, 1U);
}

TEST_F(Compare, RulesStrikeWhereTheyAreTrue) {
  Json a = Json::parse(small());
  Json b = a;
  a["work"]["energy_per_operation_j"] = 2.0;
  b["work"]["energy_per_operation_j"] = 2.1;
  const auto strikes = [&](const char* rule) {
    const Compared all = compared({a.dump(), b.dump()}, {rule});
    EXPECT_EQ(all.results.size(), 1U);
    return all.struck();
  };
  EXPECT_TRUE(strikes("work.energy_per_operation_j > +4.9%"));
  EXPECT_FALSE(strikes("work.energy_per_operation_j > +5.1%"));
  EXPECT_TRUE(strikes("work.energy_per_operation_j>+0.09"));
  EXPECT_FALSE(strikes("work.energy_per_operation_j > +0.11"));
  EXPECT_TRUE(strikes("work.energy_per_operation_j > 2.05"));
  EXPECT_FALSE(strikes("work.energy_per_operation_j > 2.15"));
  EXPECT_TRUE(strikes("work.energy_per_operation_j >= 2.1"));
  EXPECT_FALSE(strikes("work.energy_per_operation_j > 2.1"));
  EXPECT_TRUE(strikes("work.energy_per_operation_j <= 2.1"));
  EXPECT_FALSE(strikes("work.energy_per_operation_j < 2.1"));
  EXPECT_FALSE(strikes("work.energy_per_operation_j < -1%"));
  std::swap(a, b);
  EXPECT_TRUE(strikes("work.energy_per_operation_j < -4.7%"));
  EXPECT_FALSE(strikes("work.energy_per_operation_j < -4.8%"));
  // Upwards is upwards below zero, too.
  a["energy"]["final_voltage_v"] = -2.0;
  b["energy"]["final_voltage_v"] = -1.0;
  EXPECT_TRUE(strikes("energy.final_voltage_v > +49%"));
  EXPECT_FALSE(strikes("energy.final_voltage_v > +51%"));
  // From nothing to something is more than any percentage.
  a["outages"]["lost"] = 0;
  b["outages"]["lost"] = 1;
  EXPECT_TRUE(strikes("outages.lost > +1000000%"));
  b["outages"]["lost"] = 0;
  EXPECT_FALSE(strikes("outages.lost > +0%"));
}

TEST_F(Compare, EveryFileButTheFirstIsHeldToTheRules) {
  Json b = Json::parse(small());
  b["outages"]["lost"] = 3;
  const Compared all = compared({small(), small(), b.dump()}, {"outages.lost > 0"});
  ASSERT_EQ(all.results.size(), 2U);
  EXPECT_FALSE(all.results[0].struck);
  EXPECT_TRUE(all.results[1].struck);
  EXPECT_NE(compared_text(all).find("STRUCK outages.lost > 0: 3 in C"), std::string::npos);
}

TEST_F(Compare, WrongRulesAreRefused) {
  const auto refusal = [&](const char* rule) {
    return error_of_action([&] { compared({small(), large()}, {rule}); });
  };
  EXPECT_NE(refusal("work.energy_per_operation > 1").find("did you mean `work.energy_per_operation_j`"),
            std::string::npos);
  EXPECT_NE(refusal("nonsense > 1").find("no report has `nonsense`"), std::string::npos);
  EXPECT_NE(refusal("cycles.records > 1").find("needs a number"), std::string::npos);
  EXPECT_NE(refusal("verdict > 1").find("needs a number"), std::string::npos);
  EXPECT_NE(refusal("failure > 1").find("is null"), std::string::npos);
  for (const char* rule :
       {"", ">", "outages.lost", "outages.lost >", "> 1", "outages.lost = 1", "outages.lost > x",
        "outages.lost > 1x", "outages.lost > +", "outages.lost > %", "outages.lost > +-1",
        "outages.lost > ++1", "outages.lost > inf", "outages.lost > nan", "outages.lost >> 1"}) {
    EXPECT_NE(refusal(rule).find("needs PATH OP VALUE"), std::string::npos) << rule << ": " << refusal(rule);
  }
  EXPECT_NE(refusal("outages.lost > 5%").find("needs a sign"), std::string::npos);
}

TEST_F(Compare, ScenariosAreMatchedByTheirNames) {
  Json x = Json::parse(small());
  Json y = Json::parse(large());
  x["scenario"] = "x";
  y["scenario"] = "y";
  const Compared all = compared({Json::array({x, y}).dump(), Json::array({y}).dump()});
  ASSERT_EQ(all.comparisons.size(), 2U);
  EXPECT_EQ(all.comparisons[0].scenario, "x");
  EXPECT_FALSE(all.comparisons[0].is_equal()) << "one file lacks it";
  EXPECT_NE(all.comparisons[0].notes.at(0).find("no report of this scenario"), std::string::npos);
  EXPECT_TRUE(all.comparisons[1].is_equal());
  // Two single reports are meant to be compared, whatever their names.
  EXPECT_EQ(compared({x.dump(), y.dump()}).comparisons.size(), 1U);
  EXPECT_NE(error_of_action([&] {
              compared({Json::array({x, x}).dump(), x.dump()});
            }).find("two reports"),
            std::string::npos);
}

TEST_F(Compare, OlderAndNewerReportsAreExplained) {
  Json first = Json::parse(small());
  for (const char* key :
       {"schema", "hashes", "inputs", "progress", "margin", "distribution", "voltage", "cycles"})
    first.erase(key);
  first["schema_version"] = 1;
  const Compared old = compared({first.dump(), small()});
  EXPECT_NE(compared_text(old).find("schema versions differ: "), std::string::npos);
  EXPECT_NE(compared_text(old).find("progress.duty_cycle"), std::string::npos);
  Json later = Json::parse(small());
  later["schema_version"] = 3;
  EXPECT_NE(compared_text(compared({small(), later.dump()})).find("of a later brownout"), std::string::npos);
}

TEST_F(Compare, WrongFilesAreRefusedWithThePlace) {
  const auto refusal = [&](const std::string& text) {
    return error_of_action([&] { compared({small(), text}); });
  };
  EXPECT_EQ(refusal(""), "b.json: is empty");
  EXPECT_EQ(refusal("{\n  \"a\": 1,\n  x\n}").substr(0, 10), "b.json:3:3");
  for (const double share : {0.001, 0.1, 0.5, 0.999}) {
    const std::string cut =
        small().substr(0, static_cast<std::size_t>(share * static_cast<double>(small().size())));
    EXPECT_NE(refusal(cut).find("is cut short"), std::string::npos) << refusal(cut);
  }
  EXPECT_NE(refusal(small() + "x").find("is no JSON"), std::string::npos);
  EXPECT_NE(refusal("\xff\xfe\x00").find("is no JSON"), std::string::npos);
  EXPECT_NE(refusal("{\"schema_version\": 1e999}").find("is no JSON"), std::string::npos);
  EXPECT_NE(refusal("{}").find("no report of this program"), std::string::npos);
  EXPECT_NE(refusal("3").find("no report of this program"), std::string::npos);
  EXPECT_NE(refusal("[]").find("without a report"), std::string::npos);
  EXPECT_NE(refusal("[{}]").find("item 0 is JSON, but no report"), std::string::npos);
  EXPECT_NE(refusal("{\"schema\": \"brownout-explore\", \"schema_version\": 1}").find("`brownout explore`"),
            std::string::npos);
  EXPECT_NE(refusal("{\"schema\": \"brownout-run\"}").find("has no `schema_version`"), std::string::npos);
  EXPECT_NE(refusal("{\"schema\": \"brownout-run\", \"schema_version\": -1}").find("has no `schema_version`"),
            std::string::npos);
  EXPECT_NE(refusal("{\"schema\": \"brownout-run\", \"schema_version\": 2}").find("has no `scenario`"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(100'000, '[')).find("b.json"), std::string::npos);
  EXPECT_NE(refusal(std::string(100'000, '[') + std::string(100'000, ']')).find("deeper than"),
            std::string::npos);
  EXPECT_NE(error_of_action([&] { read_report_file(folder() / "missing.json"); }).find("cannot be read"),
            std::string::npos);
  EXPECT_NE(error_of_action([&] { read_report_file(folder()); }).find("is a directory"), std::string::npos);
}

// A byte that is lost anywhere is an error or another report, never a crash.
TEST_F(Compare, DamagedFilesAreRefusedOrRead) {
  Json json = Json::parse(small());
  for (const char* key : {"distribution", "voltage", "cycles"}) json.erase(key);
  const std::string text = json.dump();
  std::size_t refused = 0;
  for (std::size_t i = 0; i < text.size(); i += 7) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    if (error_of_action([&] { compared({text, damaged}); }) != "no error") ++refused;
  }
  EXPECT_GT(refused, 100U);
}

// What is in a report cannot become markup, or move a terminal's cursor.
TEST_F(Compare, NamesAreEscaped) {
  Json a = Json::parse(small());
  Json b = a;
  a["scenario"] = "<script>alert(1)</script>|x\x1b[2J";
  b["failure"] = "<b>&";
  const Compared all = compared({a.dump(), b.dump()});
  const std::string html = compared_html(all);
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_NE(html.find("&lt;b&gt;&amp;"), std::string::npos);
  EXPECT_EQ(compared_text(all).find('\x1b'), std::string::npos);
  EXPECT_EQ(compared_markdown(all).find("<script>"), std::string::npos);
}

// Nothing in a report can end the script that it is in, and a page without what it shows is refused.
TEST_F(Compare, APageIsMadeOfWholeReportsOnly) {
  Json json = Json::parse(small());
  json["scenario"] = "</script><script>alert(1)</script>";
  if (can_make_pages()) {
    const std::string page = page_html({read_report_file(write(json.dump(), "x.json"))});
    EXPECT_EQ(page.find("<script>alert"), std::string::npos);
    EXPECT_NE(page.find("\\u003cscript>alert"), std::string::npos);
    EXPECT_NE(page.find("&lt;script&gt;alert"), std::string::npos) << "the title";
  }
  const std::string svg = voltage_svg(read_report_file(write(json.dump(), "x.json")).reports.at(0));
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  for (const char* key : {"voltage", "cycles", "phases", "margin", "work", "distribution", "configuration"}) {
    for (const Json& wrong : {Json(nullptr), Json(3), Json("x"), Json::array(), Json::object()}) {
      Json damaged = Json::parse(small());
      damaged[key] = wrong;
      const ReportFile file = read_report_file(write(damaged.dump(), "damaged.json"));
      if (wrong.is_object() && (key == std::string("phases") || key == std::string("margin"))) continue;
      EXPECT_NE(error_of_action([&] { check_showable(file); }).find("of the right kind"), std::string::npos)
          << key;
    }
  }
}

constexpr const char* kBoard = R"(name: board
mcu: {profile: cortex-m0plus, os_save_bytes: 32 B, after_persist: shutdown}
storage: {part: MB85RS64V, sck: 8 MHz, transfer: fifo}
supply:
  source: {kind: square, high: 2 mW, low: 0 W, period: 400 ms, duty: 0.5}
  capacitor: {capacitance: 22 uF}
  thresholds: {turn_on: 3.6 V, warn: 3.0 V, brown_out: 2.7 V}
heap: {ram: 512 B, dirty_limit: 320 B}
workload: {kind: counter, objects: 8, size: 32 B}
stop: {time: 5 s}
)";

class SweepTest : public bad_input::TempFolderTest {
 protected:
  SweepOptions options(const std::vector<std::string>& axes, std::size_t jobs = 1) {
    SweepOptions all;
    all.file = write(kBoard, "board.yaml");
    for (const std::string& axis : axes) all.axes.push_back(parse_axis(axis));
    all.jobs = jobs;
    return all;
  }
};

TEST_F(SweepTest, RunsTheGridAndACellThatFailsIsAResult) {
  const std::vector<std::string> axes = {"supply.capacitor.capacitance=22 uF,47 uF",
                                         "supply.thresholds.brown_out=2.7 V,2.98 V"};
  const Sweep sweep = run_sweep(options(axes));
  ASSERT_EQ(sweep.cells.size(), 4U);
  EXPECT_TRUE(sweep.complete);
  EXPECT_EQ(sweep.cells[1].values, (std::vector<std::string>{"22 uF", "2.98 V"}));
  EXPECT_EQ(sweep.cells[0].results["verdict"], "pass");
  EXPECT_EQ(sweep.cells[1].results["verdict"], "fail");
  EXPECT_EQ(sweep.cells[1].results["outages.lost"], 1);
  // Each cell is what a run of its own says.
  const std::vector<Override> sets = {{"supply.capacitor.capacitance=47 uF"},
                                      {"supply.thresholds.brown_out=2.7 V"}};
  const Scenario scenario = load_scenario(folder() / "board.yaml", sets, std::nullopt);
  const Json report = Json::parse(json_report(scenario, simulate(scenario, {})));
  EXPECT_EQ(sweep.cells[2].results["work.operations"], report["work"]["operations"]);
  EXPECT_EQ(sweep.cells[2].results["persist.time_s.maximum"], report["persist"]["time_s"]["maximum"]);
  EXPECT_EQ(sweep.cells[2].results["hashes.scenario"], report["hashes"]["scenario"]);
  for (const auto& [path, value] : sweep.cells[2].results.items())
    EXPECT_FALSE(value.is_null()) << path << " is in no report";

  const std::string csv = sweep_csv(sweep);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
  EXPECT_EQ(csv.substr(0, csv.find(',')), "supply.capacitor.capacitance");
  EXPECT_EQ(Json::parse(sweep_json(sweep))["cells"][3]["set"]["supply.capacitor.capacitance"], "47 uF");
  EXPECT_NE(sweep_text(sweep).find("against the first"), std::string::npos);
  const Sweep parallel = run_sweep(options(axes, 4));
  EXPECT_EQ(sweep_json(parallel), sweep_json(sweep));
}

TEST_F(SweepTest, WrongGridsAreRefusedBeforeAnythingRuns) {
  const auto refusal = [&](const std::vector<std::string>& axes) {
    return error_of_action([&] { run_sweep(options(axes)); });
  };
  EXPECT_NE(refusal({"supply.capacitor.capacitance=22 uF,47 xF"}).find("47 xF"), std::string::npos);
  EXPECT_NE(refusal({"supply.capacitor.capacitanse=22 uF"}).find("did you mean"), std::string::npos);
  EXPECT_NE(refusal({"heap.dirty_limit=320 B,2 KiB"}).find("dirty_limit"), std::string::npos)
      << "does not fit";
  for (const char* axis : {"", "a", "=1", "a=", "a=1,,2", "a=1,"})
    EXPECT_NE(refusal({axis}).find("needs key=value"), std::string::npos) << axis;
  EXPECT_NE(refusal({"a=1,1"}).find("is there twice"), std::string::npos);
  std::string many;
  for (int i = 0; i < 101; ++i) many += (i == 0 ? "seed=" : ",") + std::to_string(i);
  EXPECT_NE(refusal({many, "supply" + many.substr(4)}).find("more than 10000 cells"), std::string::npos);
}

TEST(SweepAxis, CommasWithinCollectionsAndQuotesBelongToTheValue) {
  const SweepAxis axis =
      parse_axis("supply.source={kind: constant, power: 1 mW}, {kind: markov, x: [1, 2]},\"a,b\"");
  EXPECT_EQ(axis.key, "supply.source");
  EXPECT_EQ(axis.values, (std::vector<std::string>{"{kind: constant, power: 1 mW}",
                                                   "{kind: markov, x: [1, 2]}", "\"a,b\""}));
}

}  // namespace
}  // namespace brownout::sim::testing
