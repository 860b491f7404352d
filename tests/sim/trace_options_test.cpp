// What a scenario makes of a trace (offset, scale, resampling), lists of resets, and what `brownout trace`
// says.
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bad_input/temp_folder.hpp"
#include "sim/trace/describe_trace.hpp"
#include "sim/trace/reset_list.hpp"
#include "sim/trace/trace_source.hpp"
#include "source_reading.hpp"

namespace brownout::sim::testing {
namespace {

using devices::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

const Location kNamedAt{"scenario.yaml", 4, 5};
constexpr std::int64_t kMs = 1'000'000'000;
constexpr std::string_view kFour = "time_ms,power_w\n0,1\n1,2\n2,3\n3,4\n";

class TraceOptions : public bad_input::TempFolderTest {
 protected:
  std::vector<Segment> segments(std::string_view text, TraceConfig config, std::size_t most = 1'000) const {
    config.path = write(text, "t.csv");
    return read_segments(*open_trace(config, kNamedAt), most);
  }
  std::string describe(std::string_view text, TraceConfig config = {}) const {
    config.path = write(text, "t.csv");
    return describe_trace(config, kNamedAt);
  }
  ResetList resets(std::string_view text, std::uint64_t clock_hz = 0) const {
    return read_reset_list({write(text, "r.txt"), clock_hz, 1}, kNamedAt);
  }
};

TEST_F(TraceOptions, OffsetBeginsInsideATrace) {
  TraceConfig config;
  config.offset = {kMs + kMs / 4};
  EXPECT_EQ(segments(kFour, config),
            (std::vector<Segment>{{3 * kMs / 4, 2}, {7 * kMs / 4, 3}, {11 * kMs / 4, 4}}));
  config.offset = milliseconds(2);
  EXPECT_EQ(segments(kFour, config), (std::vector<Segment>{{kMs, 3}, {2 * kMs, 4}}));
  // A trace that repeats starts over at its beginning, not at the offset.
  config.repeat = true;
  EXPECT_EQ(segments(kFour, config, 4),
            (std::vector<Segment>{{kMs, 3}, {2 * kMs, 4}, {3 * kMs, 1}, {4 * kMs, 2}}));
  config.offset = milliseconds(4);
  EXPECT_EQ(error_of_action([&] { segments(kFour, config); }),
            "t.csv:1:1: `offset` is 4 ms, but the trace lasts 4 ms; it must be less");
}

TEST_F(TraceOptions, ScaleIsAFactorOfThePower) {
  TraceConfig config;
  config.scale = 0.5;
  EXPECT_EQ(segments(kFour, config)[3].power_w, 2);
}

TEST_F(TraceOptions, ResamplingTakesMeansAndKeepsTheEnergy) {
  TraceConfig config;
  config.resample = milliseconds(2);
  EXPECT_EQ(segments(kFour, config), (std::vector<Segment>{{2 * kMs, 1.5}, {4 * kMs, 3.5}}));
  // What is left at the end is a shorter span, and a period begins anew.
  config.resample = milliseconds(3);
  config.repeat = true;
  EXPECT_EQ(segments(kFour, config, 4),
            (std::vector<Segment>{{3 * kMs, 2}, {4 * kMs, 4}, {7 * kMs, 2}, {8 * kMs, 4}}));
  // A night stays one segment, also where spans are shorter than samples.
  config.repeat = false;
  config.resample = {kMs / 4};
  EXPECT_EQ(segments(kFour, config),
            (std::vector<Segment>{{kMs, 1}, {2 * kMs, 2}, {3 * kMs, 3}, {4 * kMs, 4}}));
  const std::string night = "time_ms,power_w\n0,0\n10,0\n20,0\n30,5\n40,5\n";
  config.resample = milliseconds(4);
  EXPECT_EQ(segments(night, config), (std::vector<Segment>{{28 * kMs, 0}, {32 * kMs, 2.5}, {50 * kMs, 5}}));
}

TEST_F(TraceOptions, ResamplingAnySpanKeepsTheEnergy) {
  std::string text = "time_ms,power_w\n";
  double energy = 0;
  for (int i = 0; i < 500; ++i) {
    text += std::to_string(i) + "," + std::to_string(i * 7919 % 101) + "\n";
    energy += i * 7919 % 101 * 1e-3;
  }
  for (const std::int64_t length : {kMs / 3, kMs, 3 * kMs / 2, 7 * kMs, 499 * kMs, 600 * kMs}) {
    TraceConfig config;
    config.resample = {length};
    double sum = 0;
    std::int64_t last = 0;
    for (const Segment& segment : segments(text, config, 10'000)) {
      sum += segment.power_w * static_cast<double>(segment.end - last) / 1e12;
      last = segment.end;
    }
    EXPECT_NEAR(sum, energy, 1e-10 * energy) << length;
    EXPECT_EQ(last, 500 * kMs);
  }
}

TEST_F(TraceOptions, ResetListsInMillisecondsAndCycles) {
  EXPECT_EQ(resets("# icemu\n1.5\n 2 # second\r\n\n1e3\n").instants,
            (std::vector<Picoseconds>{{3 * kMs / 2}, {2 * kMs}, {1'000 * kMs}}));
  EXPECT_EQ(resets("8\n16000000\n", 16'000'000).instants,
            (std::vector<Picoseconds>{{500'000}, {1'000 * kMs}}));
  EXPECT_EQ(resets("1\n", 3'000'000).instants, (std::vector<Picoseconds>{{333'333}})) << "rounded down";
}

TEST_F(TraceOptions, WrongResetListsAreRefusedAtTheirPlace) {
  const auto error = [&](std::string_view text, std::uint64_t clock_hz = 0) {
    return error_of_action([&] { resets(text, clock_hz); });
  };
  EXPECT_EQ(error("1\n3\n2\n"),
            "r.txt:3:1: reset instant \"2\" is not after the one before, at 3 ms; they must ascend");
  EXPECT_EQ(error("1\n1\n"),
            "r.txt:2:1: reset instant \"1\" is not after the one before, at 1 ms; they must ascend");
  EXPECT_EQ(error("0\n"),
            "r.txt:1:1: reset instant \"0\" is the beginning of the run; the first must be after it");
  EXPECT_EQ(error(" -5\n"), "r.txt:1:2: reset instant \"-5\" is negative; time begins at 0");
  EXPECT_EQ(error("1,2\n"), "r.txt:1:1: reset instant \"1,2\" is not a number; there is one on each line");
  EXPECT_EQ(error("1.5\n", 1'000'000),
            "r.txt:1:1: reset instant \"1.5\" is not a whole number of cycles; with `unit: ms` it is a time");
  EXPECT_EQ(error("1e30\n", 1), "r.txt:1:1: reset instant \"1e30\" is later than 100 d; is the unit right?");
  EXPECT_EQ(error("1e30\n"), "r.txt:1:1: reset instant \"1e30\" is later than 100 d; is the unit right?");
  EXPECT_EQ(error("# none\n"), "r.txt:1:1: the list has no reset instants");
  EXPECT_EQ(error_of_action([&] {
              read_reset_list({"/nonexistent", 0, 1}, kNamedAt);
            }),
            "scenario.yaml:4:5: trace \"/nonexistent\": there is no such file");
}

TEST_F(TraceOptions, ATraceIsDescribed) {
  const std::string text = describe("time_ms,power_mw\n0,1\n1,0\n2,0.01\n3,3\n4,-1\n");
  EXPECT_EQ(text,
            "format       CSV, power\n"
            "samples      5\n"
            "rate         1 kHz, the median step is 1 ms\n"
            "duration     5 ms\n"
            "power        0 W to 3 mW, mean 802 uW\n"
            "energy       4.01e-06 J\n"
            "darkness     at most 1 ms, from 1 ms on, below 8.02 uW, 1 % of the mean\n"
            "defects\n"
            "  negative   1 samples of power below 0 W, taken as none\n");
  EXPECT_THAT(describe("0 3\n1 3\n"), HasSubstr("defects      none\n"));
  EXPECT_THAT(describe("0 3\n1 3\n"), HasSubstr("darkness     none below 3 uW"));
}

TEST_F(TraceOptions, DefectsComeWithTheirRemedies) {
  const std::string gap = "time_ms,power_mw\n0,1\n1,2\n2,3\n12,4\n13,5\n";
  const std::string refused = describe(gap);
  EXPECT_THAT(refused,
              HasSubstr("  gaps       1 steps above 1.5 times the median, the longest 10 ms: refused\n"));
  EXPECT_THAT(refused, HasSubstr("t.csv:5:1: a gap: time jumps from 2 ms to 12 ms"));
  EXPECT_THAT(refused, HasSubstr("`gaps: hold` lets the last sample go on"));
  EXPECT_THAT(refused, HasSubstr("above are those with `time: by_index`, `rate: 1 kHz`\n"));
  EXPECT_THAT(refused, HasSubstr("duration     5 ms\n"));
  TraceConfig config;
  config.gaps = TraceGaps::zero;
  const std::string dark = describe(gap, config);
  EXPECT_THAT(dark, HasSubstr("the longest 10 ms: gaps: zero\n"));
  EXPECT_THAT(dark, HasSubstr("duration     14 ms\n"));
  EXPECT_THAT(dark, HasSubstr("at most 9 ms, from 3 ms on"));
  EXPECT_THAT(dark, Not(HasSubstr("refused")));
  EXPECT_THAT(
      describe("0 1\n1 1\n2 1\n1.5 1\n3 1\n"),
      HasSubstr("  backwards  1 times not later than the one before, the first at line 4: refused\n"));
  EXPECT_EQ(error_of_action([&] { describe("time_ms,power_mw\n0,1\n1,x\n"); }),
            "t.csv:3:3: power \"x\" is not a number");
  EXPECT_EQ(error_of_action([&] { describe("time_ms,power_mw\n0,-1\n1,-1\n"); }),
            "t.csv:1:1: no sample has a power above 0 W, and some are below; is a sign the wrong way round?");
}

TEST_F(TraceOptions, AListOfResetsIsDescribed) {
  EXPECT_EQ(describe_resets({write("8\n24\n", "r.txt"), 16'000'000, 1}, kNamedAt),
            "format       reset instants, in cycles of 16 MHz\n"
            "instants     2\n"
            "last         1500 ns\n"
            "power on     500 ns to 1 us at a time\n");
}

}  // namespace
}  // namespace brownout::sim::testing
