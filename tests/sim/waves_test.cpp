// Waves of runs and replays, read back: valid as their formats want it, and the same numbers as the report.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bad_input/temp_folder.hpp"
#include "sim/explore/replay.hpp"
#include "sim/fuzz/workbench.hpp"
#include "sim/report/report.hpp"
#include "sim/waves/point_window.hpp"
#include "sim/waves/wave_files.hpp"
#include "test_scenario.hpp"
#include "wave_reading.hpp"

namespace brownout::sim {
namespace {

using testing::begin_of_step;
using testing::run;
using testing::small_scenario;
using testing::step_of;
using testing::TraceFile;
using testing::VcdFile;
using testing::VcdReader;
using waves::WaveFiles;
using waves::Window;

class Waves : public bad_input::TempFolderTest {
 protected:
  struct Written {
    RunResult result;
    std::string report;
    std::string vcd_text;
    std::string json_text;
    VcdFile vcd;
    TraceFile json;
  };

  [[nodiscard]] std::string path(const char* name) const { return (folder() / name).string(); }
  static std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void read(Written& written) const {
    written.vcd_text = bytes_of(path("w.vcd"));
    written.json_text = bytes_of(path("w.json"));
    written.vcd = VcdReader::read(written.vcd_text);
    written.json = TraceFile::read(written.json_text);
    EXPECT_EQ(written.vcd.fault, "");
    EXPECT_EQ(written.json.fault, "");
  }
  [[nodiscard]] Written write(const Scenario& scenario, Window window = {}, RunOptions options = {}) const {
    Written written;
    WaveFiles files(path("w.vcd"), path("w.json"), {scenario.name, scenario.seed, ""}, window);
    options.observer = &files;
    written.result = run(scenario, options);
    files.finish();
    written.report = json_report(scenario, written.result);
    read(written);
    return written;
  }
};

std::uint64_t number(const std::string& bits) {
  EXPECT_EQ(bits.find_first_not_of("01"), std::string::npos) << bits;
  return std::stoull(bits, nullptr, 2);
}

std::uint64_t last_of(const VcdFile& vcd, const std::string& name) {
  return number(vcd.signal(name).changes.back().value);
}

// Boards on which different things happen, by name.
std::vector<std::pair<std::string, Scenario>> boards() {
  std::vector<std::pair<std::string, Scenario>> all;
  const auto add = [&all](const std::string& name, Scenario scenario) {
    scenario.name = name;
    all.emplace_back(name, std::move(scenario));
  };
  add("shutdown", small_scenario());
  Scenario scenario = small_scenario();
  scenario.mcu.after_persist = AfterPersist::sleep;
  scenario.supply.capacitor.esr_ohm = 2;
  add("sleep", scenario);
  scenario = small_scenario();
  scenario.mcu.after_persist = AfterPersist::deep_sleep;
  scenario.storage.transfer = devices::TransferMode::dma;
  add("deep sleep, DMA", scenario);
  scenario = testing::mapped_scenario();
  add("mapped", scenario);
  scenario = testing::starved_scenario();
  scenario.mcu.on_loss = OnLoss::reformat;
  add("lossy", scenario);
  scenario = small_scenario();
  scenario.storage.bus_faults.missing_answer = 0.01;
  scenario.storage.retries = 3;
  scenario.storage.timeout = devices::microseconds(50);
  add("missing answers", scenario);
  scenario = small_scenario();
  scenario.supply.thresholds = {2.8, 2.75, 2.7};
  add("cut in boot", scenario);
  return all;
}

TEST_F(Waves, AgreeWithTheReportWhateverHappens) {
  std::uint64_t losses = 0;
  std::uint64_t false_alarms = 0;
  std::uint64_t in_boot = 0;
  std::uint64_t timed_out = 0;
  for (const auto& [name, scenario] : boards()) {
    SCOPED_TRACE(name);
    const std::string report = json_report(scenario, run(scenario));
    const Written w = write(scenario);
    const RunResult& r = w.result;
    EXPECT_TRUE(w.report == report) << "who is told changes nothing";

    EXPECT_EQ(w.json.count("outage"), r.persisted);
    EXPECT_EQ(w.json.count("lost"), r.lost);
    EXPECT_EQ(w.json.count("false alarm"), r.false_alarms);
    EXPECT_EQ(w.json.count("power failed in boot"), r.during_boot);
    EXPECT_EQ(w.json.count("board", "persist", "whole"), r.persist.time_s.count());
    EXPECT_EQ(w.json.count("board", "restore", "whole"), r.restore.time_s.count());
    EXPECT_EQ(w.json.count("program", "operation", "done"), r.operations);
    EXPECT_EQ(last_of(w.vcd, "brownout.mcu.outages"), r.persisted + r.lost);
    EXPECT_EQ(last_of(w.vcd, "brownout.mcu.operations"), r.operations);
    const std::size_t persists = w.vcd.times_of("brownout.mcu.board", "11");
    EXPECT_EQ(persists, w.json.count("board", "persist", "whole") + w.json.count("board", "persist", "cut"));

    // Counts of the bus go on to the end of the operation that the run ended in, and through what a persist
    // that was cut would still have done; the time of the run does not.
    const std::size_t done = w.json.count("store", "", "done");
    const bool mapped = scenario.storage.part.is_mapped;
    const std::uint64_t counted = mapped ? r.bus_transfers : r.bus_transactions;
    EXPECT_LE(done, counted);
    EXPECT_GE(done + 200 + 200 * r.lost, counted);
    EXPECT_LE(w.json.count("store", "", "aborted"), r.bus_aborted);
    EXPECT_EQ(w.json.count("store", "", "timed out"), r.bus_timed_out);
    EXPECT_GT(r.persisted + r.false_alarms + r.during_boot + r.lost, 5U);
    EXPECT_GT(done, 50U);
    losses += r.lost;
    false_alarms += r.false_alarms;
    in_boot += r.during_boot;
    timed_out += r.bus_timed_out;
  }
  EXPECT_GT(losses, 0U);
  EXPECT_GT(false_alarms, 0U);
  EXPECT_GT(in_boot, 0U);
  EXPECT_GT(timed_out, 0U);
}

TEST_F(Waves, HaveEveryTransactionOfARunThatEndsWithAnOperation) {
  for (const auto mode :
       {devices::TransferMode::fifo, devices::TransferMode::dma, devices::TransferMode::sliced}) {
    Scenario scenario = small_scenario();
    scenario.storage.transfer = mode;
    scenario.storage.slice_bytes = mode == devices::TransferMode::sliced ? 8 : 0;
    scenario.stop.operations = 200;
    scenario.stop.time = testing::seconds(600);
    const Written w = write(scenario);
    ASSERT_EQ(w.result.stop_reason, StopReason::operations);
    ASSERT_GT(w.result.bus_aborted, 0U);
    EXPECT_EQ(w.json.count("store", "", "done"), w.result.bus_transactions);
    EXPECT_EQ(w.json.count("store", "", "aborted"), w.result.bus_aborted);
    std::uint64_t bytes = 0;
    for (const auto& slice : w.json.tracks.at("store")) bytes += slice.args.at("bytes").get<std::uint64_t>();
    EXPECT_EQ(bytes, w.result.bus_data_bytes);
    // In the dump: CS falls once a transaction, but for those that were stopped in their set-up.
    const std::size_t selected = w.vcd.times_of("brownout.store.cs_n", "0");
    EXPECT_GE(selected, w.result.bus_transactions);
    EXPECT_LE(selected, w.result.bus_transactions + w.result.bus_aborted);
    for (const auto& change : w.vcd.signal("brownout.store.cs_n").changes) {
      const bool named = w.vcd.value_at("brownout.store.opcode", change.at) != "x";
      ASSERT_TRUE(named || change.value == "1") << "selected without a transaction at " << change.at;
    }
  }
}

// Of the FRAM without a bus.
TEST_F(Waves, HaveTheTransfersOfMappedFram) {
  Scenario scenario = testing::mapped_scenario();
  scenario.stop.operations = 400;
  scenario.stop.time = testing::seconds(600);
  const Written w = write(scenario);
  ASSERT_EQ(w.result.stop_reason, StopReason::operations);
  EXPECT_EQ(w.json.count("store", "", "done"), w.result.bus_transfers);
  EXPECT_EQ(w.vcd.times_of("brownout.store.cs_n", "0"), 0U);
  EXPECT_EQ(w.vcd.times_of("brownout.store.opcode", "x"), 1U);
}

// The warning comes at one word of a transfer after the other.
class StrikeAtWord final : public OutagePlan {
 public:
  explicit StrikeAtWord(std::uint64_t every) : every_(every) {}
  Strike at(Point point) override {
    const bool here = point.kind == PointKind::byte && point.during == During::program;
    return here && ++words_ % every_ == 0 ? Strike::warning : Strike::none;
  }

 private:
  std::uint64_t every_;
  std::uint64_t words_ = 0;
};

TEST_F(Waves, KnowWhichTransferAnInterruptDropped) {
  for (const bool mapped : {false, true}) {
    Scenario scenario = mapped ? testing::mapped_scenario() : small_scenario();
    scenario.stop.operations = 100;
    scenario.stop.time.reset();
    StrikeAtWord plan(401);
    RunOptions options;
    options.plan = &plan;
    const Written w = write(scenario, {}, options);
    ASSERT_EQ(w.result.stop_reason, StopReason::operations) << w.result.failure;
    ASSERT_GT(w.result.persisted, 3U);
    EXPECT_EQ(w.json.count("store", "", "aborted"), w.result.bus_aborted);
    EXPECT_GE(w.result.bus_aborted, w.result.persisted / 2);
    EXPECT_EQ(w.json.count("store", "", "done"), mapped ? w.result.bus_transfers : w.result.bus_transactions);
  }
}

TEST_F(Waves, PhasesTileTheRunAndTakeTheTimesOfTheReport) {
  Scenario scenario = small_scenario();
  scenario.mcu.after_persist = AfterPersist::sleep;
  const Written w = write(scenario);
  // To the picosecond in the VCD; the slices are the same, in steps.
  const auto& changes = w.vcd.signal("brownout.mcu.board").changes;
  const auto& slices = w.json.tracks.at("board");
  ASSERT_EQ(changes.size(), slices.size());
  EXPECT_EQ(changes.front().at, 0);
  std::map<std::string, std::int64_t> times;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::int64_t begin = changes[i].at;
    const std::int64_t end = i + 1 < changes.size() ? changes[i + 1].at : w.result.simulated.count;
    EXPECT_EQ(slices[i].name, name_of(static_cast<Doing>(number(changes[i].value))));
    EXPECT_EQ(slices[i].begin, step_of(begin));
    EXPECT_EQ(slices[i].end, step_of(end));
    times[slices[i].name] += end - begin;
  }
  const auto time_of = [&w](Phase phase) {
    return w.result.phases[static_cast<std::size_t>(phase)].time.count;
  };
  // Of a first start the report has the work before the first transfer under boot.
  EXPECT_EQ(times["boot"] + times["run"], time_of(Phase::boot) + time_of(Phase::run));
  EXPECT_NEAR(static_cast<double>(times["boot"]), static_cast<double>(time_of(Phase::boot)), 5e9);
  EXPECT_EQ(times["persist"], time_of(Phase::persist));
  EXPECT_EQ(times["restore"], time_of(Phase::restore));
  EXPECT_EQ(times["off"] + times["asleep"], time_of(Phase::off));
  EXPECT_GT(times["asleep"], 0);
  EXPECT_EQ(w.vcd.times.back(), w.result.simulated.count);
}

TEST_F(Waves, VoltageIsThatOfTheRun) {
  for (const double esr_ohm : {0.0, 3.0}) {
    Scenario scenario = small_scenario();
    scenario.supply.capacitor.esr_ohm = esr_ohm;
    const Written w = write(scenario);
    const auto volts = [&w](std::int64_t at) {
      return std::stod(w.vcd.value_at("brownout.supply.voltage", at));
    };
    // With a resistance the load steps at that instant, too.
    double lowest_persist_end_v = 10;
    for (const auto& slice : w.json.tracks.at("board")) {
      if (slice.name != "persist" || slice.args.at("end") != "whole") continue;
      lowest_persist_end_v = std::min(lowest_persist_end_v, volts(begin_of_step(slice.end + 1)));
    }
    if (esr_ohm == 0) {
      EXPECT_NEAR(lowest_persist_end_v, w.result.lowest_persist_end_v, 1e-4);
    }
    EXPECT_NEAR(volts(w.result.simulated.count), w.result.final_v, 1e-4);
    std::string previous;
    for (const auto& change : w.vcd.signal("brownout.supply.voltage").changes) {
      const double v = std::stod(change.value);
      if (esr_ohm == 0 && !previous.empty()) {
        EXPECT_LE(std::abs(v - std::stod(previous)), 0.0102) << "at " << change.at;
      }
      previous = change.value;
    }
    // JSON has both sides of a step.
    double lowest = 10;
    double highest = 0;
    for (const auto& point : w.json.counters.at("voltage")) {
      lowest = std::min(lowest, point.args.at("V").get<double>());
      highest = std::max(highest, point.args.at("V").get<double>());
    }
    double lowest_v = 10;
    double highest_v = 0;
    for (const auto& stretch : w.result.cycles.envelope().stretches()) {
      lowest_v = std::min(lowest_v, stretch.lowest.v);
      highest_v = std::max(highest_v, stretch.highest.v);
    }
    EXPECT_NEAR(lowest, lowest_v, 1e-4);
    EXPECT_NEAR(highest, highest_v, 1e-4);
    // The same in both files, but that JSON keeps both sides of a step.
    std::map<std::int64_t, double> counted;
    for (const auto& point : w.json.counters.at("voltage")) counted[point.at] = point.args.at("V");
    std::map<std::int64_t, double> changed;
    for (const auto& change : w.vcd.signal("brownout.supply.voltage").changes)
      changed[step_of(change.at)] = std::stod(change.value);
    for (const auto& [step, v] : changed) {
      ASSERT_EQ(counted.count(step), 1U);
      ASSERT_NEAR(counted[step], v, 1e-9);
    }
    // The warning comes with its level, or with a step of the load that takes the voltage past it; and goes
    // with turn-on.
    const auto& points = w.json.counters.at("voltage");
    std::size_t next = 0;
    for (const auto& change : w.vcd.signal("brownout.supply.warning").changes) {
      if (change.at == 0) continue;
      const std::int64_t at = step_of(change.at);
      while (next < points.size() && points[next].at < at) ++next;
      const auto v_of = [&points](std::size_t i) { return points[i].args.at("V").get<double>(); };
      double least = v_of(next - 1);  // what does not change is not written again
      double most = least;
      for (std::size_t i = next; i < points.size() && points[i].at == at; ++i) {
        least = std::min(least, v_of(i));
        most = std::max(most, v_of(i));
      }
      const double level_v =
          change.value == "1" ? scenario.supply.thresholds.warn_v : scenario.supply.thresholds.turn_on_v;
      EXPECT_LE(least, level_v + 2e-4) << "at " << change.at;
      EXPECT_GE(most, level_v - 2e-4) << "at " << change.at;
    }
  }
}

TEST_F(Waves, HeapIsKnownWhileThereIsPower) {
  const Scenario scenario = small_scenario();
  const Written w = write(scenario);
  EXPECT_EQ(w.vcd.times_of("brownout.heap.dirty_bytes", "x"), w.result.persisted + 1)
      << "and before the first";
  std::uint64_t most = 0;
  for (const auto& change : w.vcd.signal("brownout.heap.dirty_bytes").changes) {
    if (change.value != "x") most = std::max(most, number(change.value));
  }
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, scenario.heap.dirty_limit_bytes);
  std::string objects;
  for (const auto& change : w.vcd.signal("brownout.heap.objects").changes) {
    if (change.value != "x") objects = change.value;
  }
  EXPECT_EQ(number(objects), 12U);
}

// Of a slice, what lies in a window.
std::vector<std::string> described(const TraceFile& file, const std::string& track, Window window) {
  std::vector<std::string> all;
  if (!file.tracks.contains(track)) return all;
  for (const auto& slice : file.tracks.at(track)) {
    const std::int64_t begin = std::max(slice.begin, step_of(window.from.count));
    const std::int64_t end = std::min(slice.end, step_of(window.to.count));
    if (begin < end) all.push_back(fmt::format("{} {} {} {}", begin, end, slice.name, slice.args.dump()));
  }
  std::sort(all.begin(), all.end());
  return all;
}

TEST_F(Waves, AWindowIsWhatTheWholeFileHasThere) {
  const Scenario scenario = small_scenario();
  const Written whole = write(scenario);
  const auto& board = whole.json.tracks.at("board");
  const auto persist = std::find_if(board.begin() + 40, board.end(),
                                    [](const auto& slice) { return slice.name == "persist"; });
  ASSERT_NE(persist, board.end());
  const std::int64_t begin = begin_of_step(persist->begin);
  const std::int64_t end = begin_of_step(persist->end);
  const std::int64_t middle = (begin + end) / 2;
  const Window windows[] = {
      {{begin - 777'777'777}, {end + 55'555'555'555}},
      {{middle}, {middle + 1'000'001}},
      {{begin}, {end}},
      {{1}, {2}},
      {{1'999'999'000'000}, {5'000'000'000'000}},
      {{0}, {3'000'000'000'000}},
  };
  for (const Window& window : windows) {
    SCOPED_TRACE(fmt::format("{} to {}", window.from.count, window.to.count));
    const Written part = write(scenario, window);
    EXPECT_TRUE(part.report == whole.report);
    for (const char* track : {"board", "program", "store", "powered", "warning"}) {
      if (!whole.json.tracks.contains(track)) continue;
      const auto expected = described(whole.json, track, window);
      EXPECT_EQ(described(part.json, track, window), expected) << track;
      if (expected.empty()) {
        EXPECT_EQ(part.json.tracks.count(track), 0U) << track;
      }
    }
    ASSERT_FALSE(part.vcd.times.empty());
    EXPECT_EQ(part.vcd.times.front(), window.from.count);
    EXPECT_EQ(part.vcd.times.back(), std::min(window.to.count, whole.result.simulated.count));
    for (const auto& [id, signal] : part.vcd.by_id) {
      for (const auto& change : signal.changes) {
        const std::string expected = whole.vcd.value_at(signal.name, change.at);
        if (signal.type == "real") {
          ASSERT_NEAR(std::stod(change.value), std::stod(expected), 0.0102)
              << signal.name << " at " << change.at;
        } else {
          ASSERT_EQ(change.value, expected) << signal.name << " at " << change.at;
        }
      }
      if (signal.type == "real") continue;
      EXPECT_EQ(part.vcd.value_at(signal.name, window.to.count),
                whole.vcd.value_at(signal.name, window.to.count))
          << signal.name;
    }
  }
  const Written none = write(scenario, {testing::seconds(3), testing::seconds(4)});
  EXPECT_TRUE(none.vcd.times.empty());
  EXPECT_TRUE(none.json.tracks.empty());
}

TEST_F(Waves, AreTheSameBytesForOneSeed) {
  Scenario scenario = small_scenario();
  const Written first = write(scenario);
  const Written second = write(scenario);
  EXPECT_EQ(first.vcd_text, second.vcd_text);
  EXPECT_EQ(first.json_text, second.json_text);
  scenario.seed = 2;
  scenario.supply.initial_v = 1;
  EXPECT_NE(write(scenario).vcd_text, first.vcd_text);
}

TEST_F(Waves, OfRunsThatDoNotGoWellAreWhole) {
  // Interrupted in the middle.
  Scenario scenario = small_scenario();
  static volatile std::sig_atomic_t interrupted = 0;
  RunOptions options;
  options.interrupted = &interrupted;
  options.progress = [](const Progress& progress) { interrupted = progress.outages >= 5 ? 1 : 0; };
  const Written cut = write(scenario, {}, options);
  EXPECT_EQ(cut.result.stop_reason, StopReason::interrupted);
  EXPECT_EQ(cut.json.count("outage"), cut.result.persisted);
  EXPECT_EQ(cut.vcd.times.back(), cut.result.simulated.count);
  // Without ever a turn-on.
  testing::set_power(scenario, 0);
  const Written dark = write(scenario);
  EXPECT_EQ(dark.result.stop_reason, StopReason::never_turned_on);
  EXPECT_FALSE(dark.vcd.times.empty());
  // A control run that failed, of which nothing is told.
  {
    WaveFiles files(path("w.vcd"), path("w.json"), {"a \"name\" with $end\nin it", 1, "note"}, {});
    files.finish();
  }
  Written nothing;
  read(nothing);
  EXPECT_EQ(nothing.vcd.by_id.size(), 13U);
  EXPECT_NE(nothing.json_text.find(R"("a \"name\" with $end\nin it")"), std::string::npos);
}

TEST_F(Waves, FilesAreWholeOrNotThere) {
  {
    WaveFiles files(path("w.vcd"), path("w.json"), {"x", 1, ""}, {});
    EXPECT_FALSE(std::filesystem::exists(path("w.vcd")));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder())) << "given up: nothing is left behind";
  EXPECT_THROW(WaveFiles("/nonexistent/w.vcd", "", {"x", 1, ""}, {}), EnvironmentError);
  WaveFiles full("/dev/full", path("w.json"), {"x", 1, ""}, {});
  RunOptions options;
  options.observer = &full;
  const RunResult result = run(small_scenario(), options);
  EXPECT_TRUE(result.pass);
  EXPECT_THROW(full.finish(), EnvironmentError);
}

// What a reader is for: files that are not right.
TEST_F(Waves, ReadersFindWhatIsPlanted) {
  Scenario scenario = small_scenario();
  scenario.stop.time = testing::seconds(0.5);
  const Written w = write(scenario);
  const auto vcd_with = [&w](const std::string& what, const std::string& by) {
    std::string text = w.vcd_text;
    const std::size_t at = text.find(what, text.find("$enddefinitions"));
    EXPECT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), by);
    return VcdReader::read(text).fault;
  };
  EXPECT_THAT(vcd_with("\nb1 d", "\nb1001 d"), ::testing::HasSubstr("not so wide"));
  EXPECT_THAT(vcd_with("\nb1 d", "\nb1 ~"), ::testing::HasSubstr("not declared"));
  EXPECT_THAT(vcd_with("\nb1 d", "\nb2 d"), ::testing::HasSubstr("no value"));
  EXPECT_THAT(vcd_with("\nb1 d", "\n1d"), ::testing::HasSubstr("one bit"));
  EXPECT_THAT(vcd_with("\n#500000000000\n", "\n#5\n"), ::testing::HasSubstr("time does not grow"));
  EXPECT_THAT(vcd_with("b0 f\n", ""), ::testing::HasSubstr("without a first value"));
  EXPECT_THAT(VcdReader::read(w.vcd_text.substr(0, 700)).fault, ::testing::Ne(""));
  const auto json_with = [&w](const std::string& what, const std::string& by) {
    std::string text = w.json_text;
    const std::size_t at = text.rfind(what);
    EXPECT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), by);
    return TraceFile::read(text).fault;
  };
  EXPECT_THAT(json_with(R"("tid":3,"ts":)", R"("tid":9,"ts":)"), ::testing::HasSubstr("without a name"));
  EXPECT_THAT(json_with("]}", "]"), ::testing::HasSubstr("no JSON"));
  // The first transfer, as if it ended in the middle of the second.
  const auto& store = w.json.tracks.at("store");
  const std::int64_t span = (store[1].begin + store[1].end) / 2 - store[0].begin;
  std::string longer = w.json_text;
  const std::size_t at = longer.find(R"("dur":)", longer.find(R"("tid":3,"ts":)")) + 6;
  longer.replace(at, longer.find(',', at) - at, fmt::format("{}", static_cast<double>(span) / 1024));
  EXPECT_THAT(TraceFile::read(longer).fault, ::testing::HasSubstr("in another that ends"));
  // And as if times were of whole picoseconds, which no double is.
  const auto slices = [](const char* ts) {
    return fmt::format(
        R"({{"traceEvents":[{{"name":"thread_name","ph":"M","tid":1,"args":{{"name":"board"}}}},)"
        R"({{"name":"a","ph":"X","tid":1,"ts":14504.088625,"dur":1.895}},)"
        R"({{"name":"b","ph":"X","tid":1,"ts":{},"dur":125.0}}]}})",
        ts);
  };
  EXPECT_THAT(TraceFile::read(slices("14505.983624999")).fault, ::testing::HasSubstr("in another that ends"));
  EXPECT_EQ(TraceFile::read(slices("14505.984375")).fault, "");
}

// An observer that is told less than happened: the counts show it.
class Forgetful final : public RunObserver {
 public:
  explicit Forgetful(RunObserver& told) : told_(told) {}
  void span(VoltageEnvelope::Point from, VoltageEnvelope::Point to) override { told_.span(from, to); }
  void access(Picoseconds at, const StoreAccess& what) override {
    if (++accesses_ != 100) told_.access(at, what);
  }
  void access_over(Picoseconds at, AccessEnd end, std::uint64_t bytes) override {
    told_.access_over(at, end, bytes);
  }
  void end(Picoseconds at) override { told_.end(at); }

 private:
  RunObserver& told_;
  std::uint64_t accesses_ = 0;
};

TEST_F(Waves, ATransactionThatIsNotToldIsMissed) {
  Scenario scenario = small_scenario();
  scenario.stop.operations = 200;
  scenario.stop.time = testing::seconds(600);
  WaveFiles files(path("w.vcd"), path("w.json"), {"x", 1, ""}, {});
  Forgetful forgetful(files);
  RunOptions options;
  options.observer = &forgetful;
  Written w;
  w.result = run(scenario, options);
  files.finish();
  read(w);
  EXPECT_EQ(w.json.count("store", "", "done") + 1, w.result.bus_transactions);
}

// --- windows ---------------------------------------------------------------------------------------

TEST(WaveWindow, IsTwoTimesWithUnits) {
  const Window window = waves::parse_window("12 ms..15.5 ms");
  EXPECT_EQ(window.from, devices::milliseconds(12));
  EXPECT_EQ(window.to, devices::microseconds(15'500));
  EXPECT_EQ(waves::parse_window("0s .. 1ps").to.count, 1);
  const auto refused = [](const std::string& text) -> std::string {
    try {
      waves::parse_window(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "taken";
  };
  EXPECT_EQ(refused("12 ms"),
            "--window 12 ms: needs two times with `..` between them, such as `12 ms..15 ms`");
  EXPECT_THAT(refused("12..15 ms"), ::testing::HasSubstr(R"(beginning: "12" needs a unit, such as 12 ms)"));
  EXPECT_THAT(refused("12 ms..15 V"), ::testing::HasSubstr("end"));
  EXPECT_THAT(refused("..15 ms"), ::testing::HasSubstr("has no beginning"));
  EXPECT_THAT(refused("15 ms.."), ::testing::HasSubstr("has no end"));
  EXPECT_EQ(refused("15 ms..15 ms"),
            "--window 15 ms..15 ms: begins at 15 ms and ends at 15 ms: the end has to be later");
  EXPECT_THAT(refused("15 ms..12 ms"), ::testing::HasSubstr("the end has to be later"));
  EXPECT_THAT(refused("-1 ms..12 ms"), ::testing::Ne("taken"));
  EXPECT_THAT(refused("1 ms..12 ms..13 ms"), ::testing::Ne("taken"));
}

// --- replays ---------------------------------------------------------------------------------------

class ReplayWaves : public Waves {
 protected:
  [[nodiscard]] Written replay_with(const std::string& text) const {
    Written written;
    explore::Case a_case = explore::parse_case(text);
    Scenario scenario = small_scenario();
    waves::PointWindow point;
    explore::replay(scenario, a_case, nullptr, nullptr, &point);
    window = point.window();
    WaveFiles files(path("w.vcd"), path("w.json"), {text, 1, ""}, window);
    const explore::Replayed replayed = explore::replay(scenario, a_case, nullptr, nullptr, &files);
    EXPECT_FALSE(replayed.failure.has_value()) << replayed.failure->what;
    EXPECT_TRUE(replayed.found);
    files.finish();
    read(written);
    return written;
  }
  mutable Window window;
};

TEST_F(ReplayWaves, GoFromSomeOperationsBeforeThePointToTheEndOfTheRestore) {
  const Written w = replay_with("e1~x.yaml~operations:20~seed:1~first_image~write#12+byte:40");
  EXPECT_EQ(w.json.count("outage"), 1U);
  EXPECT_EQ(w.json.count("board", "persist", "whole"), 1U);
  EXPECT_EQ(w.json.count("board", "restore", "whole"), 1U);
  EXPECT_EQ(w.json.count("program", "operation", "done"), waves::PointWindow::kOperationsBefore);
  EXPECT_GT(window.from.count, 0);
  EXPECT_EQ(w.json.tracks.at("board").back().name, "restore") << "the end";
  EXPECT_EQ(w.json.count("store", "", "aborted"), 1U) << "the point lies in a transaction";
  // The levels that the plan means.
  const auto& voltage = w.vcd.signal("brownout.supply.voltage").changes;
  ASSERT_EQ(voltage.size(), 4U);
  EXPECT_EQ(voltage[0].value, "3.6000");
  EXPECT_EQ(voltage[1].value, "3.0000");
  EXPECT_EQ(voltage[2].value, "2.7000");
  EXPECT_EQ(voltage[3].value, "3.6000");
  EXPECT_EQ(voltage[3].at - voltage[2].at, 1'000'000) << "a microsecond without power";
}

TEST_F(ReplayWaves, ShowASecondFailureToo) {
  Written w = replay_with("e1~x.yaml~operations:20~seed:1~second_image~write#12+byte:40~restore:30");
  EXPECT_EQ(w.json.count("board", "restore", "cut"), 1U);
  EXPECT_EQ(w.json.count("board", "restore", "whole"), 1U);
  EXPECT_EQ(w.json.count("power failed in boot"), 1U);
  w = replay_with("e1~x.yaml~operations:20~seed:1~second_image~write#12+byte:40~persist:30:discard");
  EXPECT_EQ(w.json.count("board", "persist", "cut"), 1U);
  EXPECT_EQ(w.json.count("board", "persist", "whole"), 0U)
      << "the one that was only to know its image is not shown";
  EXPECT_EQ(w.json.count("lost"), 1U);
  EXPECT_GE(w.json.count("store", "", "cut"), 1U);
}

TEST_F(ReplayWaves, AreOfCoursesWithOutagesForGood) {
  const Written retries = replay_with("e1~x.yaml~operations:6~seed:1~retries~write#5+byte:10");
  EXPECT_GE(retries.json.count("outage"), 2U);
  const Written resumes = replay_with("e1~x.yaml~operations:6~seed:1~resumes~write#5+byte:10");
  EXPECT_GE(resumes.json.count("false alarm"), 1U);
  EXPECT_EQ(resumes.json.count("outage"), 1U);
}

TEST_F(ReplayWaves, AreOfCasesOfTheFuzzerAsAWhole) {
  const fuzz::FuzzCase a_case = fuzz::parse_fuzz_case(
      "f1~seed:7~ram:512~policy:clock~ops:mk0.0.24.1,wr0.0.8.7,fl,wr0.0.8.9,fl,mk1.0.40.3,fl~2+byte:3:outage"
      "~4+operation:0:alarm~6+byte:5:persist:7~6+byte:2:restore:5:2");
  fuzz::Workbench bench(nullptr);
  fuzz::RunOptions options;
  options.thorough = true;
  WaveFiles files(path("w.vcd"), path("w.json"), {"x", 1, ""}, {});
  options.observer = &files;
  const fuzz::Outcome outcome = bench.run(a_case, options);
  EXPECT_FALSE(outcome.failure.has_value()) << outcome.failure->what;
  files.finish();
  Written w;
  read(w);
  EXPECT_EQ(w.json.count("program", "operation", "done"), 7U);
  EXPECT_EQ(w.json.count("outage") + w.json.count("false alarm"), outcome.board.suffered);
  EXPECT_EQ(outcome.board.suffered, 4U);
  EXPECT_EQ(w.json.count("lost"), 1U) << "the persist that was cut";
  EXPECT_EQ(w.json.count("taken back"), 1U);
  EXPECT_EQ(w.json.count("power failed in boot"), 2U);
}

}  // namespace
}  // namespace brownout::sim
