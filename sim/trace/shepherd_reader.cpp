#include "sim/trace/shepherd_reader.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kBlockRows = 65'536;
constexpr std::uint32_t kMaxWindow = 65'536;
constexpr const char* kGroup = "/data";
constexpr std::string_view kGroupHint =
    "a recording of Shepherd has a group /data with the columns time, voltage and current";

// Points in the order of their voltages, those of the same one averaged, those below 0 V left out.
std::vector<devices::IvPoint> sorted(std::vector<devices::IvPoint> points) {
  std::sort(points.begin(), points.end(), [](const devices::IvPoint& a, const devices::IvPoint& b) {
    return a.v < b.v || (a.v == b.v && a.a < b.a);
  });
  std::vector<devices::IvPoint> out;
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin;
    double sum_a = 0;
    for (; end < points.size() && points[end].v == points[begin].v; ++end) sum_a += points[end].a;
    if (points[begin].v >= 0) out.push_back({points[begin].v, sum_a / static_cast<double>(end - begin)});
    begin = end;
  }
  return out;
}

}  // namespace

ShepherdReader::ShepherdReader(const TraceConfig& config)
    : SampleReader(config), config_(config), file_(config.path) {
  if (config_.load_given)
    file_.fail("", "`load` is given, but this trace has voltage and current; leave it out");
  file_.need_group(kGroup, kGroupHint);
  read_kind();
  voltage_ = file_.column("/data/voltage", sizeof(std::uint32_t));
  current_ = file_.column("/data/current", sizeof(std::uint32_t));
  voltage_scale_ = scale_of(voltage_, "V", "3e-9");
  current_scale_ = scale_of(current_, "A", "250e-12");
  if (!by_index()) {
    if (!file_.has("/data/time")) {
      file_.fail(
          "/data/time",
          "there is no such dataset; for evenly spaced samples give `time: by_index` and `rate`, such as "
          "`rate: 100 kHz`");
    }
    time_ = file_.column("/data/time", sizeof(std::uint64_t));
    set_time_scale(scale_of(*time_, "s", "1e-9"));
    times_.resize(kBlockRows);
  }
  check_sizes();
  voltages_.resize(kBlockRows);
  currents_.resize(kBlockRows);
  samples_ = voltage_.size() / window_samples_;
}

void ShepherdReader::read_kind() {
  const auto kind = file_.text_attribute(kGroup, "datatype");
  if (!kind) file_.fail(kGroup, "has no attribute datatype; it must be ivsample or ivcurve");
  if (*kind == "ivsample") return;
  if (*kind != "ivcurve") {
    file_.fail(kGroup,
               fmt::format("datatype {} is not one that can be simulated; it must be ivsample or ivcurve",
                           in_quotes(*kind)));
  }
  const auto window = file_.number_attribute(kGroup, "window_samples");
  if (!window)
    file_.fail(kGroup, "has no attribute window_samples; with ivcurve it is the length of a sweep");
  if (!(*window >= 2 && *window <= kMaxWindow) || std::floor(*window) != *window) {
    file_.fail(kGroup, fmt::format("window_samples is {}; it must be a whole number from 2 to {}", *window,
                                   kMaxWindow));
  }
  window_samples_ = static_cast<std::uint32_t>(*window);
  set_rate(config_, window_samples_);
}

void ShepherdReader::check_sizes() const {
  const auto check = [this](const Hdf5Column& column) {
    if (column.size() == voltage_.size()) return;
    column.fail(fmt::format("has {} samples and {} has {}; they must have as many, is the file whole?",
                            column.size(), voltage_.name(), voltage_.size()));
  };
  check(current_);
  if (time_) check(*time_);
  if (voltage_.size() < window_samples_) {
    voltage_.fail(fmt::format("has {} samples, less than one sweep of {}", voltage_.size(), window_samples_));
  }
}

ShepherdReader::Scale ShepherdReader::scale_of(const Hdf5Column& column, std::string_view unit,
                                               std::string_view example) {
  const auto gain = column.number_attribute("gain");
  const auto offset = column.number_attribute("offset");
  if (!gain) column.fail(fmt::format("has no attribute gain, such as {}", example));
  if (!offset) column.fail("has no attribute offset, such as 0");
  if (!(*gain > 0))
    column.fail(fmt::format("has a gain of {}; it must be above 0, such as {}", *gain, example));
  const auto written = column.text_attribute("unit");
  if (written && *written != unit)
    column.fail(fmt::format("is in {}; it must be in {}", in_quotes(*written), unit));
  return {*gain, *offset};
}

void ShepherdReader::set_time_scale(const Scale& scale) {
  tick_ps_ = scale.gain * 1e12;
  constexpr double kLongestTick = 1e15;
  if (!(tick_ps_ <= kLongestTick))
    time_->fail(fmt::format("has a gain of {} s; it must be at most 1000", scale.gain));
  // 1e-9 is not exact in binary: its ticks are whole all the same, however many they are.
  const double nearest = std::floor(tick_ps_ + 0.5);
  if (nearest >= 1 && std::abs(tick_ps_ - nearest) <= 1e-9 * nearest)
    whole_tick_ps_ = static_cast<std::int64_t>(nearest);
}

void ShepherdReader::rewind() {
  row_ = 0;
  index_ = 0;
}

std::string ShepherdReader::format() const {
  return window_samples_ == 1 ? "Shepherd HDF5, ivsample"
                              : fmt::format("Shepherd HDF5, ivcurve, sweeps of {} samples", window_samples_);
}

std::string ShepherdReader::time_text() const {
  constexpr Int128 kNanosecond = 1'000;
  constexpr Int128 kSecond = 1'000'000'000;  // in nanoseconds
  const Int128 ns = last_time_ps_ / kNanosecond;
  return fmt::format("{}.{:09}", static_cast<std::int64_t>(ns / kSecond),
                     static_cast<std::int64_t>(ns % kSecond));
}

Location ShepherdReader::time_location() const {
  return {fmt::format("{}:/data/time[{}]", config_.path, (index_ - 1) * window_samples_), 0, 0};
}

std::string ShepherdReader::place() const {
  return fmt::format("/data/time[{}]", (index_ - 1) * window_samples_);
}

bool ShepherdReader::next_row() {
  const bool in_block = row_ >= block_begin_ && row_ < block_begin_ + block_rows_;
  if (in_block) return true;
  if (row_ == voltage_.size()) return false;
  block_begin_ = row_;
  block_rows_ = static_cast<std::size_t>(std::min<std::uint64_t>(kBlockRows, voltage_.size() - row_));
  voltage_.read(block_begin_, block_rows_, voltages_.data());
  current_.read(block_begin_, block_rows_, currents_.data());
  if (time_) time_->read(block_begin_, block_rows_, times_.data());
  return true;
}

// Where ticks are no whole picoseconds, counted from the first sample, so that large times lose no digits.
Int128 ShepherdReader::time_of(std::uint64_t raw) const {
  if (whole_tick_ps_ > 0) return static_cast<Int128>(raw) * whole_tick_ps_;
  const Int128 ticks = static_cast<Int128>(raw) - static_cast<Int128>(first_time_);
  return static_cast<Int128>(std::floor(static_cast<double>(ticks) * tick_ps_ + 0.5));
}

std::optional<Sample> ShepherdReader::next() {
  if (index_ == samples_ || !next_row()) return std::nullopt;
  const auto at = static_cast<std::size_t>(row_ - block_begin_);
  Sample sample;
  if (by_index()) {
    sample.time_ps = time_of_index(index_);
  } else {
    if (row_ == 0) first_time_ = times_[at];
    sample.time_ps = time_of(times_[at]);
  }
  last_time_ps_ = sample.time_ps;
  ++index_;
  if (window_samples_ > 1) return read_curve(std::move(sample));
  const double v = voltage_scale_.si(voltages_[at]);
  const double a = current_scale_.si(currents_[at]);
  ++row_;
  // Where both are below zero, their product is no power either.
  sample.clamped = v < 0 || a < 0;
  sample.power_w = sample.clamped ? 0 : v * a;
  if (!(sample.power_w <= kMaxTracePower))
    check_power(sample.power_w, {fmt::format("{}:/data[{}]", config_.path, row_ - 1), 0, 0});
  return sample;
}

Sample ShepherdReader::read_curve(Sample sample) {
  const Location where{fmt::format("{}:/data[{}]", config_.path, row_), 0, 0};
  std::vector<devices::IvPoint> points;
  points.reserve(window_samples_);
  for (std::uint32_t i = 0; i < window_samples_; ++i, ++row_) {
    next_row();
    const auto at = static_cast<std::size_t>(row_ - block_begin_);
    points.push_back({voltage_scale_.si(voltages_[at]), current_scale_.si(currents_[at])});
    if (points.back().a < 0) sample.clamped = true;
  }
  points = sorted(std::move(points));
  if (points.empty()) throw InputError(where, "a sweep whose voltages are all below 0 V");
  sample.curve = std::make_shared<const devices::IvCurve>(std::move(points));
  sample.power_w = sample.curve->max_power_w();
  check_power(sample.power_w, where);
  return sample;
}

}  // namespace brownout::sim
