// Shepherd recordings: values, sweeps, chunks, and wrong files, each with its reason.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bad_input/temp_folder.hpp"
#include "recording.hpp"
#include "sim/trace/trace_source.hpp"
#include "source_reading.hpp"

namespace brownout::sim::testing {
namespace {

const Location kNamedAt{"scenario.yaml", 4, 5};
constexpr std::int64_t kTenMicroseconds = 10'000'000;

class ShepherdTest : public bad_input::TempFolderTest {
 protected:
  std::unique_ptr<TraceSource> open(const Recording& recording, TraceConfig config = {}) const {
    config.path = (folder() / "r.h5").string();
    write_recording(config.path, recording);
    return open_trace(config, kNamedAt);
  }

  std::string error_of(const Recording& recording, const TraceConfig& config = {}) const {
    return error_of_action([&] { open(recording, config); });
  }
};

TEST_F(ShepherdTest, PowerIsVoltageTimesCurrent) {
  const auto source = open({});
  EXPECT_EQ(source->stats().samples, 4U);
  EXPECT_EQ(source->stats().median_step.count, kTenMicroseconds);
  // raw x gain + offset, in doubles.
  const double v = 1e9 * 3e-9;
  EXPECT_EQ(read_segments(*source),
            (std::vector<Segment>{{kTenMicroseconds, v * (4e6 * 250e-12)},
                                  {2 * kTenMicroseconds, v * (8e6 * 250e-12)},
                                  {3 * kTenMicroseconds, 5e8 * 3e-9 * (4e6 * 250e-12)},
                                  {4 * kTenMicroseconds, 0}}));
}

TEST_F(ShepherdTest, TheOffsetCountsAndWhatIsBelowZeroIsNone) {
  Recording recording;
  recording.current_offset = -0.0015;
  const auto source = open(recording);
  EXPECT_EQ(source->stats().clamped, 3U);
  EXPECT_EQ(read_segments(*source)[1].power_w, 1e9 * 3e-9 * (8e6 * 250e-12 - 0.0015));
}

TEST_F(ShepherdTest, TimesAreExactHoweverLarge) {
  Recording recording;
  for (std::uint64_t& time : recording.time_ns) time += 1'700'000'000'000'000'001;
  EXPECT_EQ(read_segments(*open(recording))[1].end, 2 * kTenMicroseconds);
}

TEST_F(ShepherdTest, NothingDependsOnTheChunks) {
  Recording recording;
  recording.time_ns.clear();
  recording.voltage.clear();
  recording.current.clear();
  for (std::uint32_t i = 0; i < 150'000; ++i) {  // more than two blocks
    recording.time_ns.push_back(std::uint64_t{i} * 10'000);
    recording.voltage.push_back(900'000'000 + i * 7);
    recording.current.push_back(4'000'000 + i % 977 * 1'000);
  }
  const auto whole = read_segments(*open(recording), 200'000);
  ASSERT_EQ(whole.size(), 150'000U);
  EXPECT_EQ(whole[149'999].power_w,
            (900'000'000 + 149'999 * 7) * 3e-9 * ((4e6 + 149'999 % 977 * 1e3) * 250e-12));
  for (const hsize_t chunk : std::vector<hsize_t>{1'000, 65'537, 100'000}) {
    recording.chunk = chunk;
    recording.compressed = chunk != 1'000;
    EXPECT_EQ(read_segments(*open(recording), 200'000), whole) << chunk;
  }
}

TEST_F(ShepherdTest, RepetitionStartsOverAtTheFirstBlock) {
  TraceConfig config;
  config.repeat = true;
  const auto all = read_segments(*open({}, config), 9);
  EXPECT_EQ(all[4].power_w, all[0].power_w);
  EXPECT_EQ(all[8].end, 9 * kTenMicroseconds);
}

TEST_F(ShepherdTest, SamplesCanBeCounted) {
  TraceConfig config;
  config.time = TraceTime::by_index;
  config.rate_hz = 1e3;
  Recording recording;
  recording.left_out = "time";
  EXPECT_EQ(read_segments(*open(recording, config)).back().end, 4'000'000'000);
  EXPECT_EQ(error_of(recording),
            "r.h5:/data/time: there is no such dataset; for evenly spaced samples give `time: by_index` and "
            "`rate`, such as `rate: 100 kHz`");
}

// Two sweeps of four samples, downwards and upwards, and half a sweep.
Recording sweeps() {
  Recording recording;
  recording.datatype = "ivcurve";
  recording.window_samples = 4;
  recording.voltage = {900'000'000, 600'000'000, 300'000'000, 0, 0,
                       300'000'000, 300'000'000, 600'000'000, 0, 1};
  recording.current = {0, 4'000'000, 8'000'000, 8'000'000, 4'000'000, 4'000'000, 2'000'000, 0, 1, 1};
  recording.time_ns.clear();
  for (std::uint64_t i = 0; i < recording.voltage.size(); ++i) recording.time_ns.push_back(i * 10'000);
  return recording;
}

TEST_F(ShepherdTest, EachSweepIsACurve) {
  const auto source = open(sweeps());
  EXPECT_EQ(source->stats().samples, 2U);
  const auto first = source->next();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->follows_board);
  EXPECT_EQ(first->end.count, 4 * kTenMicroseconds);
  EXPECT_NEAR(source->power_for({0.8, false}).power_w, 0.8005 * 2e-3, 1e-12);
  EXPECT_EQ(source->power_for({2.8, false}).power_w, 0);
  ASSERT_TRUE(source->next());
  // Two currents at 0.9 V are averaged: 0.75 mA.
  EXPECT_NEAR(source->power_for({0.8995, false}).power_w, 0.9 * 0.75e-3, 1e-6);
  EXPECT_FALSE(source->next());
}

TEST_F(ShepherdTest, SweepsCanBeCountedByTheRateOfTheirSamples) {
  TraceConfig config;
  config.time = TraceTime::by_index;
  config.rate_hz = 1e3;
  const auto source = open(sweeps(), config);
  EXPECT_EQ(source->next()->end, devices::milliseconds(4));
  EXPECT_EQ(source->stats().duration, devices::milliseconds(8));
}

// The rate of a remedy is that of samples, not of sweeps.
TEST_F(ShepherdTest, SweepsThatAreNotInOrderAreRefused) {
  Recording recording = sweeps();
  for (std::size_t i = 0; i < 2; ++i) {
    recording.voltage.insert(recording.voltage.end(), {0, 1, 2, 3});
    recording.current.insert(recording.current.end(), {1, 1, 1, 1});
  }
  recording.time_ns.clear();
  for (std::uint64_t i = 0; i < recording.voltage.size(); ++i) recording.time_ns.push_back(i * 10'000);
  recording.time_ns[12] = 0;
  EXPECT_EQ(
      error_of(recording),
      "r.h5:/data/time[12]: time runs backwards, from 0.000080000 s to 0.000000000 s; `time: by_index` with "
      "`rate: 100 kHz` takes the samples as evenly spaced");
}

struct Wrong {
  const char* what;
  void (*spoil)(Recording&);
  std::string error;
};

TEST_F(ShepherdTest, WrongRecordingsAreRefusedWithTheirReason) {
  const std::vector<Wrong> wrongs{
      {"group", [](Recording& r) { r.group = "datas"; },
       "r.h5:/data: there is no such group; a recording of Shepherd has a group /data with the columns time, "
       "voltage and current"},
      {"dataset", [](Recording& r) { r.left_out = "current"; },
       "r.h5:/data/current: there is no such dataset"},
      {"kind missing", [](Recording& r) { r.datatype = ""; },
       "r.h5:/data: has no attribute datatype; it must be ivsample or ivcurve"},
      {"kind", [](Recording& r) { r.datatype = "isc_voc"; },
       "r.h5:/data: datatype \"isc_voc\" is not one that can be simulated; it must be ivsample or ivcurve"},
      {"gain missing", [](Recording& r) { r.without_scale = "voltage"; },
       "r.h5:/data/voltage: has no attribute gain, such as 3e-9"},
      {"gain", [](Recording& r) { r.voltage_gain = -3e-9; },
       "r.h5:/data/voltage: has a gain of -3e-09; it must be above 0, such as 3e-9"},
      {"unit", [](Recording& r) { r.voltage_unit = "mV"; },
       "r.h5:/data/voltage: is in \"mV\"; it must be in V"},
      {"floats", [](Recording& r) { r.voltage_type = H5T_IEEE_F64LE; },
       "r.h5:/data/voltage: holds floating-point numbers; it must be unsigned integers"},
      {"signed", [](Recording& r) { r.voltage_type = H5T_STD_I32LE; },
       "r.h5:/data/voltage: holds signed integers; it must be unsigned integers"},
      {"wide", [](Recording& r) { r.voltage_type = H5T_STD_U64LE; },
       "r.h5:/data/voltage: holds integers of 64 bit; at most 32"},
      {"short column", [](Recording& r) { r.current.pop_back(); },
       "r.h5:/data/current: has 3 samples and /data/voltage has 4; they must have as many, is the file "
       "whole?"},
      {"empty",
       [](Recording& r) {
         r.time_ns.clear();
         r.voltage.clear();
         r.current.clear();
       },
       "r.h5:/data/voltage: is empty; there must be a sample"},
      {"window missing", [](Recording& r) { r.datatype = "ivcurve"; },
       "r.h5:/data: has no attribute window_samples; with ivcurve it is the length of a sweep"},
      {"window too long",
       [](Recording& r) {
         r.datatype = "ivcurve";
         r.window_samples = 5;
       },
       "r.h5:/data/voltage: has 4 samples, less than one sweep of 5"},
      {"window of one",
       [](Recording& r) {
         r.datatype = "ivcurve";
         r.window_samples = 1;
       },
       "r.h5:/data: window_samples is 1; it must be a whole number from 2 to 65536"},
      {"unsorted", [](Recording& r) { r.time_ns[2] = 5'000; },
       "r.h5:/data/time[2]: time runs backwards, from 0.000010000 s to 0.000005000 s; `time: by_index` with "
       "`rate: 100 kHz` takes the samples as evenly spaced"},
      {"gap", [](Recording& r) { r.time_ns[3] = 50'000; },
       "r.h5:/data/time[3]: a gap: time jumps from 0.000020000 s to 0.000050000 s, 30 us where the steps are "
       "10 us; `gaps: hold` lets the last sample go on, `gaps: zero` takes no power, and `time: by_index` "
       "with "
       "`rate: 100 kHz` takes the samples as evenly spaced"},
      {"power", [](Recording& r) { r.voltage_gain = 1; },
       "r.h5:/data[0]: a power of 1 MW; above 1 kW a unit is wrong"},
      {"chunks",
       [](Recording& r) {
         r.time_ns.resize(5'000'000);
         for (std::size_t i = 0; i < r.time_ns.size(); ++i) r.time_ns[i] = i * 10'000;
         r.voltage.resize(5'000'000);
         r.current.resize(5'000'000);
         r.chunk = 5'000'000;
         r.compressed = true;
       },
       "r.h5:/data/voltage: has chunks of 20000000 B; at most 16777216, such as `h5repack -l CHUNK=100000 "
       "OLD "
       "NEW` makes"},
  };
  for (const Wrong& wrong : wrongs) {
    Recording recording;
    EXPECT_EQ(error_of(recording), "no error");
    wrong.spoil(recording);
    EXPECT_EQ(error_of(recording), wrong.error) << wrong.what;
  }
}

TEST_F(ShepherdTest, TruncatedFilesAreRefusedWhereverTheyAreCut) {
  TraceConfig config;
  config.path = (folder() / "r.h5").string();
  Recording recording;
  recording.chunk = 2;
  write_recording(config.path, recording);
  const auto size = std::filesystem::file_size(config.path);
  for (std::uintmax_t left = size - 1; left >= 8; left = left > 400 ? left - 97 : left - 1) {
    std::filesystem::resize_file(config.path, left);
    const std::string error = error_of_action([&] { open_trace(config, kNamedAt); });
    EXPECT_TRUE(error.starts_with("r.h5: HDF5, but cannot be opened: ")) << left << ": " << error;
    EXPECT_TRUE(error.ends_with("; is it whole?")) << left << ": " << error;
  }
}

// Of damage to the structure of a file the library knows what it knows; in what is compressed, each byte
// counts.
TEST_F(ShepherdTest, DamagedSamplesAreRefusedAtTheirPlace) {
  TraceConfig config;
  config.path = (folder() / "r.h5").string();
  Recording recording;
  recording.chunk = 4;
  recording.compressed = true;
  write_recording(config.path, recording);
  std::ifstream in(config.path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::size_t compressed = bytes.rfind("\x78\x01");  // of the column that was written last
  ASSERT_NE(compressed, std::string::npos);
  bytes[compressed + 6] = static_cast<char>(bytes[compressed + 6] ^ '\x55');
  std::ofstream(config.path, std::ios::binary) << bytes;
  const std::string error = error_of_action([&] { open_trace(config, kNamedAt); });
  EXPECT_TRUE(error.starts_with("r.h5:/data/current[0]: cannot be read: ")) << error;
}

TEST_F(ShepherdTest, ALoadIsNotForRecordings) {
  TraceConfig config;
  config.load_given = true;
  EXPECT_EQ(error_of({}, config),
            "r.h5: `load` is given, but this trace has voltage and current; leave it out");
}

}  // namespace
}  // namespace brownout::sim::testing
