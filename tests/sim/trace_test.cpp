// Trace files: every format, exact times, gaps and their remedies, damage with its place, repetition.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bad_input/scenario_texts.hpp"
#include "bad_input/temp_folder.hpp"
#include "sim/trace/step_histogram.hpp"
#include "sim/trace/trace_source.hpp"
#include "source_reading.hpp"

namespace brownout::sim {
namespace {

using devices::milliseconds;

using testing::read_segments;
using testing::Segment;

const Location kNamedAt{"scenario.yaml", 4, 5};

class TraceTest : public bad_input::TempFolderTest {
 protected:
  std::unique_ptr<TraceSource> open(std::string_view text, TraceConfig config = {}) const {
    config.path = write(text, "t.csv");
    return open_trace(config, kNamedAt);
  }

  // All segments, or the first `most`.
  std::vector<Segment> segments(std::string_view text, const TraceConfig& config = {},
                                std::size_t most = 1'000) const {
    return read_segments(*open(text, config), most);
  }

  std::string error_of(std::string_view text, const TraceConfig& config = {}) const {
    return error_of_action([&] { open(text, config); });
  }
};

TraceConfig by_index(double rate_hz) {
  TraceConfig config;
  config.time = TraceTime::by_index;
  config.rate_hz = rate_hz;
  return config;
}

TraceConfig with_gaps(TraceGaps gaps) {
  TraceConfig config;
  config.gaps = gaps;
  return config;
}

TraceConfig with_load(double ohm) {
  TraceConfig config;
  config.load_ohm = ohm;
  config.load_given = true;
  return config;
}

constexpr std::int64_t kMs = 1'000'000'000;

TEST_F(TraceTest, MementosTextIsVoltageAcrossALoad) {
  const std::vector<Segment> expected{{kMs, 9.0 / 30e3}, {3 * kMs, 2.25 / 30e3}};
  EXPECT_EQ(segments("103717744\t3\n103717745\t1.5\n103717746\t-1.5\n"),
            expected);  // squared, whatever its sign
  EXPECT_EQ(segments("103717744 3\n103717745  1.5 \n 103717746 \t 1.50"), expected);
  EXPECT_EQ(segments("# from a field day\n\n0.000 3\r\n1.0 15e-1\r\n2 1.5\r\n"), expected);
  EXPECT_EQ(segments("0\t3\n1\t3\n", with_load(9)), (std::vector<Segment>{{2 * kMs, 1.0}}));
}

TEST_F(TraceTest, CsvHeadersInTheirManySpellings) {
  const std::vector<Segment> expected{{kMs, 2e-3}, {2 * kMs, 4e-3}};
  for (const char* header :
       {"time_ms,power_mw", "Time [ms],Power [mW]", "TIME(MS),POWER(MW)", "t_ms,p_mw",
        "timestamp ms, power mW", "\"time (ms)\",\"power [mW]\"", "  time_[ms] , power_(mW)"}) {
    EXPECT_EQ(segments(std::string(header) + "\n7,2\n8,4\n"), expected) << header;
  }
  EXPECT_EQ(segments("time_ms;power_mw\n7;2\n8;4\n"), expected);
  EXPECT_EQ(segments("time_ms\tpower_mw\n7\t2\n8\t4\n"), expected);
  EXPECT_EQ(segments("\xEF\xBB\xBFtime_ms,power_mw\r\n\r\n# note\r\n7,2\r\n \t\n8,4"), expected);
  EXPECT_EQ(segments("power_mw,temp_c,time_s,comment\n2,20,0.007,a b\n4,21,0.008,\n"), expected);
  EXPECT_EQ(segments("time_us,power_uw\n7000,2000\n8000,+4.0e3\n"), expected);
  EXPECT_EQ(segments("time_\xC2\xB5s,power_\xC2\xB5W\n\"7000\", \"2000\" \n8000,4000\n"), expected);
}

TEST_F(TraceTest, PowerFromVoltageAndCurrentOrLoad) {
  EXPECT_EQ(segments("time_s,current_ma,voltage_mv\n0,2,3000\n1,1,3000\n")[0].power_w, 3.0 * (2.0 / 1e3));
  EXPECT_EQ(segments("time_s,voltage_v,load_kohm\n0,3,9\n1,3,3\n")[1].power_w, 9.0 / 3e3);
  EXPECT_EQ(segments("time_s,v_v,r_MOhm\n0,3,9\n1,3,3\n")[0].power_w, 9.0 / 9e6);
  EXPECT_EQ(segments("time_s,voltage_v\n0,3\n1,2\n", with_load(1e3))[0].power_w, 9e-3);
  EXPECT_EQ(segments("time_s,power_w,voltage_v,current_a\n0,1,5,5\n1,2,5,5\n")[0].power_w, 1.0);
  EXPECT_EQ(error_of("time_s,voltage_v\n0,3\n"),
            "t.csv:1:1: this trace has a voltage, but neither a current nor a load; say across which "
            "resistance it was "
            "measured, such as `load: 30 kOhm`");
  EXPECT_EQ(error_of("time_s,power_w\n0,3\n", with_load(3)),
            "t.csv:1:1: `load` is given, but this trace has a power column; leave it out");
  EXPECT_EQ(error_of("time_s,voltage_v,current_a\n0,3,3\n", with_load(3)),
            "t.csv:1:1: `load` is given, but this trace has voltage and current; leave it out");
  EXPECT_EQ(error_of("time_s,voltage_v,load_ohm\n0,3,3\n", with_load(3)),
            "t.csv:1:1: `load` is given, but this trace has a load column; leave it out");
  EXPECT_EQ(error_of("time_s,voltage_v,load_ohm\n0,3,0\n"), "t.csv:2:5: load \"0\" is not above 0 Ohm");
}

TEST_F(TraceTest, BadHeadersAreRefused) {
  const auto error = [&](const char* header) { return error_of(std::string(header) + "\n0,1\n1,1\n"); };
  EXPECT_EQ(error("time_s,powr_uw"), "t.csv:1:8: column \"powr_uw\" is not known; did you mean power_uw?");
  EXPECT_EQ(error("time,power_uw"), "t.csv:1:1: column \"time\" needs a unit in its name, such as time_ms");
  EXPECT_EQ(error("time_s,power"), "t.csv:1:8: column \"power\" needs a unit in its name, such as power_uw");
  EXPECT_EQ(error("time_s,power_uv"),
            "t.csv:1:8: column \"power_uv\" has an unknown unit \"uv\"; write it such as power_uw");
  EXPECT_EQ(error("time_s,power_w,p_w"),
            "t.csv:1:16: column \"p_w\" is a second power column; leave one out");
  EXPECT_EQ(
      error("time_s,load_MOHM"),
      "t.csv:1:8: column \"load_MOHM\" has an unknown unit \"MOHM\"; write it such as load_ohm");  // m or M?
  EXPECT_EQ(error("time_s,temp_c"),
            "t.csv:1:1: no columns that make a power; there must be one such as power_uw, or voltage_v with "
            "current_ma, or voltage_v with a load");
  EXPECT_EQ(error("index,power_w"),
            "t.csv:1:1: no time column such as time_ms; for evenly spaced samples give `time: by_index` and "
            "`rate`, "
            "such as `rate: 1 kHz`");
  EXPECT_EQ(error("0,1"),
            "t.csv:1:1: the trace begins with \"0,1\", which is neither a line of column names, such as "
            "time_ms,power_uw, nor Mementos text, `<ms> <V>`");
  EXPECT_EQ(error(("time_s,power_w" + std::string(255, ',')).c_str()), "t.csv:1:1: 257 columns; at most 256");
}

TEST_F(TraceTest, BadRowsAreRefusedAtTheirPlace) {
  const auto error = [&](const std::string& row) {
    return error_of("time_s,power_w\n0,1\n" + row + "\n2,1\n");
  };
  EXPECT_EQ(error("1,1"), "no error");
  EXPECT_EQ(error("1"), "t.csv:3:2: 1 columns where the header has 2");
  EXPECT_EQ(error("1,1,1"), "t.csv:3:4: more columns than the 2 of the header");
  EXPECT_EQ(error("1,abc"), "t.csv:3:3: power \"abc\" is not a number");
  EXPECT_EQ(error("1, 1x"), "t.csv:3:4: power \"1x\" is not a number");
  EXPECT_EQ(error("1,"), "t.csv:3:3: power \"\" is not a number");
  EXPECT_EQ(error("1,nan"), "t.csv:3:3: power \"nan\" is not a number");
  EXPECT_EQ(error("1,-inf"), "t.csv:3:3: power \"-inf\" is not a number");
  EXPECT_EQ(error("1,1e999"), "t.csv:3:3: power \"1e999\" is not a number");
  EXPECT_EQ(error("1,."), "t.csv:3:3: power \".\" is not a number");
  EXPECT_EQ(error("1,1.2.3"), "t.csv:3:3: power \"1.2.3\" is not a number");
  EXPECT_EQ(error("one,1"), "t.csv:3:1: time \"one\" is not a number");
  EXPECT_EQ(error(" nan,1"), "t.csv:3:2: time \"nan\" is not a number");
  EXPECT_EQ(error("1,1001"), "t.csv:3:1: a power of 1.001 kW; above 1 kW a unit is wrong");
  EXPECT_EQ(error("1e30,1"), "t.csv:3:1: the time jumps by more than 100 d; is the unit right?");
  EXPECT_EQ(error(std::string("1,\0001", 4)), "t.csv:3:3: a NUL byte; a trace is text");
  EXPECT_EQ(error(std::string(65'537, ' ')), "t.csv:3:1: a line longer than 65536 bytes; is this a trace?");
  EXPECT_EQ(error(std::string(3'000'000, '1')),
            "t.csv:3:1: a line longer than 65536 bytes; is this a trace?");
  EXPECT_EQ(error(std::string(65'533, ' ') + "1,1"), "no error");  // 64 KiB
  EXPECT_EQ(error(std::string(65'533, ' ') + "1,1\r"), "no error");
  EXPECT_EQ(error_of("time_s;power_w\n0;0,5\n"),
            "t.csv:2:3: power \"0,5\" is not a number; write a decimal point, not a comma");
  EXPECT_EQ(error_of("0\t1\n1\n"), "t.csv:2:2: 1 column where Mementos text has two, `<ms> <V>`");
  EXPECT_EQ(error_of("0\t1\n1\t1\t1\n"), "t.csv:2:5: more columns than the two of Mementos text, `<ms> <V>`");
  EXPECT_EQ(error_of("0\t1\n1\tx\n"), "t.csv:2:3: voltage \"x\" is not a number");
  EXPECT_EQ(error_of("0\t1\nx\t1\n", by_index(1)), "t.csv:2:1: time \"x\" is not a number");
}

TEST_F(TraceTest, BadFilesAreRefused) {
  const auto error = [&](const std::string& path) {
    TraceConfig config;
    config.path = path;
    return error_of_action([&] { open_trace(config, kNamedAt); });
  };
  EXPECT_EQ(error("/nonexistent/x.csv"),
            "scenario.yaml:4:5: trace \"/nonexistent/x.csv\": there is no such file");
  EXPECT_EQ(error("/tmp"), "scenario.yaml:4:5: trace \"/tmp\": is a directory, not a file");
  EXPECT_EQ(error("/dev/null"),
            "scenario.yaml:4:5: trace \"/dev/null\": is not a regular file; a trace is read more than once");
  EXPECT_EQ(error_of(""), "t.csv:1:1: the trace is empty");
  EXPECT_EQ(error_of("\n# nothing\n"), "t.csv:1:1: the trace has nothing but empty lines and comments");
  EXPECT_EQ(error_of("time_s,power_w\n"), "t.csv:1:1: the trace has no samples");
  EXPECT_EQ(error_of("time_s,power_w\n0,1\n"),
            "t.csv:2:1: the trace has a single sample, so nothing says how long it holds; `time: by_index` "
            "with `rate` "
            "does");
}

TEST_F(TraceTest, TimesAreExactAndStartAtZero) {
  const auto ends = [&](const char* unit, std::initializer_list<const char*> times) {
    std::string text = std::string("time_") + unit + ",power_w\n";
    int power = 0;
    for (const char* time : times) text += std::string(time) + "," + std::to_string(++power % 2) + "\n";
    std::vector<std::int64_t> out;
    for (const Segment& segment : segments(text)) out.push_back(segment.end);
    return out;
  };
  using Ends = std::vector<std::int64_t>;
  EXPECT_EQ(ends("ns", {"0.1", "0.2", "0.3"}), (Ends{100, 200, 300}));
  EXPECT_EQ(ends("s", {"0.1", "0.2", "0.3", "0.4"}), (Ends{100 * kMs, 200 * kMs, 300 * kMs, 400 * kMs}));
  // Seconds of the epoch with picoseconds: 22 digits.
  EXPECT_EQ(ends("s", {"1700000000.000000000001", "1700000000.000000000002", "1700000000.000000000003"}),
            (Ends{1, 2, 3}));
  EXPECT_EQ(ends("us", {"1.7e15", "1700000000000001", "1700000000000002.0"}),
            (Ends{1'000'000, 2'000'000, 3'000'000}));
  EXPECT_EQ(ends("ns", {"-1", "0", "1"}), (Ends{1'000, 2'000, 3'000}));
  EXPECT_EQ(ends("min", {"0", "0.5", "1"}), (Ends{30'000 * kMs, 60'000 * kMs, 90'000 * kMs}));
  // What is finer than a picosecond is rounded.
  EXPECT_EQ(ends("s", {"0", "0.0009999999999999998", "0.002"}), (Ends{kMs, 2 * kMs, 3 * kMs}));
}

TEST_F(TraceTest, TheLastSampleHoldsForTheMedianStep) {
  const auto source = open("time_ms,power_w\n0,1\n10,2\n21,3\n30,4\n");  // 10, 11, 9
  EXPECT_EQ(source->stats().median_step, milliseconds(10));
  EXPECT_EQ(source->stats().duration, milliseconds(40));
  EXPECT_EQ(source->stats().samples, 4U);
  EXPECT_EQ(source->period(), std::nullopt);
  EXPECT_EQ(segments("time_ms,power_w\n0,1\n10,2\n21,3\n30,4\n").back(), (Segment{40 * kMs, 4}));
  // Equal powers are one segment.
  EXPECT_EQ(segments("time_ms,power_w\n0,1\n1,1\n2,0\n3,-0.0\n4,1\n"),
            (std::vector<Segment>{{2 * kMs, 1}, {4 * kMs, 0}, {5 * kMs, 1}}));
}

TEST_F(TraceTest, NegativePowerIsNoneAndCounted) {
  const std::string text = "time_ms,power_w\n0,1\n1,-1e-9\n2,0\n3,-2\n";
  EXPECT_EQ(segments(text), (std::vector<Segment>{{kMs, 1}, {4 * kMs, 0}}));
  EXPECT_EQ(open(text)->stats().clamped, 2U);
  EXPECT_EQ(error_of("time_ms,power_w\n0,-1\n1,0\n"),
            "t.csv:1:1: no sample has a power above 0 W, and some are below; is a sign the wrong way round?");
  EXPECT_EQ(error_of("time_ms,power_w\n0,0\n1,0\n"), "no error");
}

constexpr std::string_view kGap = "time_ms,power_w\n0,1\n1,2\n2,3\n12,4\n13,5\n14,6\n";

TEST_F(TraceTest, GapsAreRefusedHeldOrDark) {
  EXPECT_EQ(error_of(kGap),
            "t.csv:5:1: a gap: time jumps from 2 ms to 12 ms, 10 ms where the steps are 1 ms; `gaps: hold` "
            "lets the "
            "last sample go on, `gaps: zero` takes no power, and `time: by_index` with `rate: 1 kHz` takes "
            "the samples "
            "as evenly spaced");
  EXPECT_EQ(segments(kGap, with_gaps(TraceGaps::hold)),
            (std::vector<Segment>{
                {kMs, 1}, {2 * kMs, 2}, {12 * kMs, 3}, {13 * kMs, 4}, {14 * kMs, 5}, {15 * kMs, 6}}));
  EXPECT_EQ(
      segments(kGap, with_gaps(TraceGaps::zero)),
      (std::vector<Segment>{
          {kMs, 1}, {2 * kMs, 2}, {3 * kMs, 3}, {12 * kMs, 0}, {13 * kMs, 4}, {14 * kMs, 5}, {15 * kMs, 6}}));
  EXPECT_EQ(open(kGap, with_gaps(TraceGaps::hold))->stats().gaps, 1U);
  EXPECT_EQ(segments(kGap, by_index(1e3)).back(), (Segment{6 * kMs, 6}));
  // 1.5 times the median is no gap, one picosecond more is.
  EXPECT_EQ(error_of("time_ps,power_w\n0,1\n2,1\n4,1\n7,1\n"), "no error");
  EXPECT_NE(error_of("time_ps,power_w\n0,1\n2,1\n4,1\n8,1\n"), "no error");
}

TEST_F(TraceTest, TimeThatDoesNotGoForwardIsOnlyCuredByCounting) {
  const std::string back = "time_ms,power_w\n0,1\n1,2\n1.5,3\n1.2,4\n2,5\n3,6\n4,7\n";
  const std::string expected =
      "t.csv:5:1: time runs backwards, from 1.5 ms to 1.2 ms; `time: by_index` with `rate: 1 kHz` takes the "
      "samples as "
      "evenly spaced";
  EXPECT_EQ(error_of(back), expected);
  EXPECT_EQ(error_of(back, with_gaps(TraceGaps::hold)), expected);
  EXPECT_EQ(error_of(back, with_gaps(TraceGaps::zero)), expected);
  EXPECT_EQ(segments(back, by_index(1e3)).back(), (Segment{7 * kMs, 7}));
  EXPECT_EQ(
      error_of("time_ms,power_w\n0,1\n1,2\n1,3\n2,4\n"),
      "t.csv:4:1: time stands still at 1 ms; `time: by_index` with `rate: 1 kHz` takes the samples as evenly "
      "spaced");
  // Where one stamp is late, the gap before it comes first, and no treatment of gaps helps.
  const std::string late = "5 1\n6 1\n7 1\n1008 1\n9 1\n10 1\n";
  EXPECT_EQ(
      error_of(late),
      "t.csv:4:1: a gap: time jumps from 7 ms to 1008 ms, 1001 ms where the steps are 1 ms, and on line 5 it "
      "runs "
      "backwards or stands still; `time: by_index` with `rate: 1 kHz` takes the samples as evenly spaced");
  EXPECT_EQ(error_of(late, with_gaps(TraceGaps::hold)).substr(0, 46),
            "t.csv:5:1: time runs backwards, from 1008 ms t");
  EXPECT_EQ(open(late, by_index(1e3))->stats().duration, milliseconds(6));
  // The first line that is wrong is named, whatever is wrong further down.
  EXPECT_EQ(error_of(back + "5,x\n"), expected);
  EXPECT_EQ(error_of("time_ms,power_w\n0,1\n1,x\n0,1\n"), "t.csv:3:3: power \"x\" is not a number");
}

TEST_F(TraceTest, CountedSamplesNeedNoTime) {
  EXPECT_EQ(segments("power_w\n1\n2\n", by_index(4)), (std::vector<Segment>{{250 * kMs, 1}, {500 * kMs, 2}}));
  EXPECT_EQ(segments("date,power_w\n2024-05-01,1\n2024-05-02,2\n", by_index(4)).back(),
            (Segment{500 * kMs, 2}));
  EXPECT_EQ(segments("time_s,power_w\nnoon,1\nlater,2\n", by_index(4)).back(), (Segment{500 * kMs, 2}));
  EXPECT_EQ(segments("power_w\n1\n", by_index(4)), (std::vector<Segment>{{250 * kMs, 1}}));
  // A third of a second each: no error builds up.
  EXPECT_EQ(segments("power_w\n1\n2\n3\n", by_index(3)),
            (std::vector<Segment>{{333'333'333'333, 1}, {666'666'666'666, 2}, {1'000'000'000'000, 3}}));
  // The second reading counts from 0 again.
  EXPECT_EQ(segments("power_w\n1\n2\n", by_index(3)),
            (std::vector<Segment>{{333'333'333'333, 1}, {666'666'666'666, 2}}));
  EXPECT_EQ(error_of("power_w\n" + std::string(20'000, '1').replace(1, 1, "\n"), by_index(1)).substr(0, 9),
            "t.csv:3:1");
  std::string longer = "power_w\n";
  for (int i = 0; i < 9'000; ++i) longer += "1\n";
  EXPECT_EQ(error_of(longer, by_index(1e-3)), "t.csv:1:1: the trace is longer than 100 d");
}

TEST_F(TraceTest, RepetitionStartsOver) {
  TraceConfig config;
  config.repeat = true;
  const std::string text = "time_ms,power_w\n5,1\n6,2\n";
  EXPECT_EQ(open(text, config)->period(), milliseconds(2));
  EXPECT_EQ(segments(text, config, 5),
            (std::vector<Segment>{{kMs, 1}, {2 * kMs, 2}, {3 * kMs, 1}, {4 * kMs, 2}, {5 * kMs, 1}}));
  // Powers that are equal across the end stay two segments, or a constant trace would never hand out one.
  EXPECT_EQ(segments("time_ms,power_w\n5,1\n6,1\n", config, 2),
            (std::vector<Segment>{{2 * kMs, 1}, {4 * kMs, 1}}));
  TraceConfig zero = config;
  zero.gaps = TraceGaps::zero;
  EXPECT_EQ(segments(kGap, zero, 9)[7], (Segment{16 * kMs, 1}));
  // Mementos text, whose first line is a sample.
  EXPECT_EQ(segments("5 3\n6 0\n", config, 3)[2], (Segment{3 * kMs, 9.0 / 30e3}));
}

TEST_F(TraceTest, RepetitionEndsWithTimeItself) {
  TraceConfig config;
  config.repeat = true;
  const auto all = segments("time_h,power_w\n0,1\n1000,2\n", config);  // a period of 2000 h: 83 days
  EXPECT_EQ(all.size(), 3U);
  EXPECT_EQ(all.back(), (Segment{devices::kForever.count, 1}));
}

TEST_F(TraceTest, AFileThatChangesIsNoticed) {
  const auto source = open("time_ms,power_w\n0,1\n1,2\n2,3\n", [] {
    TraceConfig config;
    config.repeat = true;
    return config;
  }());
  for (int i = 0; i < 3; ++i) source->next();
  write("time_ms,power_w\n0,1\n1,2\n", "t.csv");
  EXPECT_EQ(error_of_action([&] {
              for (int i = 0; i < 10; ++i) source->next();
            }),
            "t.csv: the trace has changed while it was read");
}

TEST_F(TraceTest, LinesAcrossTheBufferAreWhole) {
  // 3 MB of lines of odd lengths: each one counts.
  std::string text = "time_ms,power_w\n";
  int lines = 0;
  while (text.size() < 3'000'000) {
    text += std::to_string(lines) + "," + std::to_string(lines % 997) + "\n" +
            (lines % 5 == 0 ? "# filler\n" : "");
    ++lines;
  }
  const auto source = open(text);
  EXPECT_EQ(source->stats().samples, static_cast<std::uint64_t>(lines));
  for (int i = 0; i < lines; ++i) {
    const auto segment = source->next();
    ASSERT_TRUE(segment);
    ASSERT_EQ(segment->power_w, i % 997);
    ASSERT_EQ(segment->end.count, (i + 1) * kMs);
  }
  EXPECT_FALSE(source->next());
}

TEST_F(TraceTest, OpenSourceChoosesTraceOrScript) {
  write("time_ms,power_w\n0,1\n1,2\n", "harvest.csv");
  const std::string file = write(bad_input::kMinimal, "s.yaml");
  const auto source = open_source(load_scenario(file, {}, std::nullopt));
  EXPECT_EQ(source->next()->power_w, 1.0);
  const auto script = open_source(load_scenario(
      file, {{"supply.source={kind: constant, power: 1 mW}"}, {"stop.time=1 s"}}, std::nullopt));
  EXPECT_EQ(script->next()->power_w, 1e-3);
  EXPECT_EQ(
      error_of_action([&] { open_source(load_scenario(file, {{"supply.source.trace=/x"}}, std::nullopt)); }),
      "--set supply.source.trace=/x: trace \"/x\": there is no such file");
  std::filesystem::remove(folder() / "harvest.csv");
  EXPECT_EQ(error_of_action([&] { open_source(load_scenario(file, {}, std::nullopt)); }).substr(0, 20),
            "s.yaml:6:12: trace \"");
}

// The field parser has a short way and a long one, by the number of digits: both give the nearest double.
TEST_F(TraceTest, ShortAndLongNumbersAreTheNearestDouble) {
  std::vector<std::string> numbers{"0.0723148",         "2.10761", "123.456789012345",
                                   "0.000000000000001", ".5",      "5."};
  std::uint64_t state = 99;
  for (int i = 0; i < 2'000; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::string digits =
        std::to_string(1'000'000'000'000'000'000ULL + state % 1'000'000'000'000'000'000ULL);
    numbers.push_back("0." + digits.substr(1, 13 + state % 7));
  }
  std::string text = "power_w\n";
  for (const std::string& number : numbers) text += number + "\n";
  const auto read = segments(text, by_index(1), numbers.size());
  ASSERT_EQ(read.size(), numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(read[i].power_w, std::strtod(numbers[i].c_str(), nullptr)) << numbers[i];
  }
}

TEST(StepHistogram, TheMedianIsExactWhileStepsAreFew) {
  StepHistogram histogram;
  EXPECT_EQ(histogram.median().count, 0);
  for (const std::int64_t step : {5, 1, 9, 9, 3}) histogram.add(step);
  EXPECT_EQ(histogram.median().count, 5);
  histogram.add(1);
  EXPECT_EQ(histogram.median().count, 3);  // the lower one of two
  EXPECT_EQ(histogram.longest().count, 9);
  EXPECT_EQ(histogram.gaps(), 3U);  // 5, 9, 9
  EXPECT_EQ(histogram.quantum(), 1);
}

TEST(StepHistogram, ManyDistinctStepsAreRounded) {
  StepHistogram histogram;
  constexpr std::int64_t kSteps = 300'000;
  for (std::int64_t i = 0; i < kSteps; ++i) histogram.add(1'000'000 + i * 7);
  EXPECT_EQ(histogram.count(), 300'000U);
  EXPECT_GT(histogram.quantum(), 1);
  EXPECT_LE(histogram.quantum(), 64);
  const std::int64_t exact = 1'000'000 + (kSteps / 2 - 1) * 7;
  EXPECT_LE(histogram.median().count, exact);
  EXPECT_GT(histogram.median().count, exact - histogram.quantum());
}

}  // namespace
}  // namespace brownout::sim
