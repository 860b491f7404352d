#include "sim/trace/ekho_reader.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "sim/scenario/decimal.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/scenario/text.hpp"
#include "sim/trace/trace_format.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kMaxPoints = 4'097;  // 2^12 + 1
constexpr double kMaxVoltage = 100;

std::string_view without_comment(std::string_view line) { return line.substr(0, line.find('#')); }

bool is_whole(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// 2^count + 1, or 0 where that is more than a curve may have.
std::size_t points_of_exponent(std::size_t count) { return count <= 12 ? (std::size_t{1} << count) + 1 : 0; }

}  // namespace

bool is_ekho(LineReader& lines) {
  while (const auto line = lines.next()) {
    if (!is_skipped_line(*line)) return is_whole(trimmed(without_comment(*line)));
  }
  return false;
}

EkhoReader::EkhoReader(const TraceConfig& config, const Location& named_at)
    : SampleReader(config), lines_(config.path, named_at) {
  if (config.load_given)
    throw InputError({config.path, 0, 0}, "`load` is given, but this trace has IV curves; leave it out");
  read_head();
}

void EkhoReader::rewind() {
  lines_.rewind();
  read_head();
  index_ = 0;
}

std::string EkhoReader::format() const {
  return fmt::format("Ekho surface, {} currents from {} to {}", points_,
                     format_quantity(min_v_, Dimension::voltage),
                     format_quantity(max_v_, Dimension::voltage));
}

std::string EkhoReader::place() const { return fmt::format("line {}", lines_.line_number()); }

std::optional<Sample> EkhoReader::next() {
  if (!next_line()) return std::nullopt;
  return read_curve();
}

bool EkhoReader::next_line() {
  std::optional<std::string_view> line;
  do {
    line = lines_.next();
    if (!line) return false;
  } while (is_skipped_line(*line));
  const std::string_view text = without_comment(*line);
  fields_.clear();
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view field = trimmed(text.substr(begin, end - begin));
    fields_.push_back({field, field.empty() ? begin : static_cast<std::size_t>(field.data() - line->data())});
    if (end == text.size()) return true;
    begin = end + 1;
  }
}

const EkhoReader::Field& EkhoReader::need_line(std::string_view what) {
  if (!next_line()) throw InputError(lines_.location(), fmt::format("the surface ends before {}", what));
  return fields_.front();
}

void EkhoReader::read_head() {
  const Field& count = need_line("its first line, the count of currents");
  const auto decimal = parse_decimal(count.text);
  const auto whole = decimal ? scaled(*decimal, 1, 0, Rounding::exact) : std::nullopt;
  if (!whole || *whole < 1 || *whole > static_cast<Int128>(kMaxPoints)) {
    throw InputError(
        lines_.location(count.offset),
        fmt::format("a surface of {} currents; there must be 2 to {}", in_quotes(count.text), kMaxPoints));
  }
  count_ = static_cast<std::size_t>(*whole);
  const Field& low = need_line("its second line, `Vmin,Vmax`");
  if (fields_.size() != 2) {
    throw InputError(
        lines_.location(low.offset),
        fmt::format("{} values where the second line of a surface has two, `Vmin,Vmax`", fields_.size()));
  }
  min_v_ = number(fields_[0], "Vmin");
  max_v_ = number(fields_[1], "Vmax");
  if (!(min_v_ >= 0 && min_v_ < max_v_ && max_v_ <= kMaxVoltage)) {
    throw InputError(
        lines_.location(low.offset),
        fmt::format("voltages from {} V to {} V; they must rise, from 0 V or above to at most {} V",
                    fields_[0].text, fields_[1].text, kMaxVoltage));
  }
}

double EkhoReader::number(const Field& field, std::string_view what) const {
  const bool is_number = !field.text.empty() && number_length(field.text) == field.text.size();
  const double value = is_number ? nearest_double(field.text, 0) : 0;
  if (!is_number || !std::isfinite(value)) {
    throw InputError(lines_.location(field.offset),
                     fmt::format("{} {} is not a number", what, in_quotes(field.text)));
  }
  return value;
}

Int128 EkhoReader::read_time() const {
  const auto decimal = parse_decimal(time_text_);
  if (!decimal)
    throw InputError(time_location(), fmt::format("time {} is not a number", in_quotes(time_text_)));
  constexpr int kPicosecondExponent = 12;
  return *scaled(*decimal, 1, kPicosecondExponent, Rounding::nearest);
}

void EkhoReader::check_count() const {
  const std::size_t currents = fields_.size() - 1;
  const bool first = points_ == 0;
  const bool right = first ? currents >= 2 && (currents == count_ || currents == points_of_exponent(count_))
                           : currents == points_;
  if (right) return;
  const std::string wanted =
      first ? fmt::format("the count is {}, so there must be {}{}", count_, count_,
                          points_of_exponent(count_) > 0
                              ? fmt::format(" or 2^{} + 1 = {}", count_, points_of_exponent(count_))
                              : std::string())
            : fmt::format("the curves before have {}", points_);
  throw InputError(lines_.location(fields_.back().offset),
                   fmt::format("a curve of {} currents; {}", currents, wanted));
}

Sample EkhoReader::read_curve() {
  time_text_ = fields_.front().text;
  time_offset_ = fields_.front().offset;
  check_count();
  points_ = fields_.size() - 1;
  Sample sample;
  sample.time_ps = by_index() ? time_of_index(index_++) : read_time();
  std::vector<devices::IvPoint> points(points_);
  const double step_v = (max_v_ - min_v_) / static_cast<double>(points_ - 1);
  for (std::size_t i = 0; i < points_; ++i) {
    points[i] = {min_v_ + step_v * static_cast<double>(i), number(fields_[i + 1], "current")};
    if (points[i].a < 0) sample.clamped = true;
  }
  sample.curve = std::make_shared<const devices::IvCurve>(std::move(points));
  sample.power_w = sample.curve->max_power_w();
  check_power(sample.power_w, lines_.location());
  return sample;
}

}  // namespace brownout::sim
