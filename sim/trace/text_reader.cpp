#include "sim/trace/text_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

// Digits that fit an unsigned 64-bit integer whatever they are.
constexpr std::size_t kFastDigits = 18;

constexpr std::size_t kExactDigits = 15;  // 10^15 < 2^53
constexpr std::array<double, 17> kPowersOfTen{1.0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                                              1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};

double power_of_ten(int exponent) {
  double power = 1;  // exact up to 10^22
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

std::int64_t integer_power_of_ten(int exponent) {
  std::int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

std::string_view without_quotes(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// These two by hand: find_first_of() calls memchr for every character of the line.
std::size_t skip_blanks(std::string_view line, std::size_t at) {
  while (at < line.size() && is_blank(line[at])) ++at;
  return at;
}

std::size_t skip_text(std::string_view line, std::size_t at) {
  while (at < line.size() && !is_blank(line[at])) ++at;
  return at;
}

// Digits and how many of them come after the point.
struct ShortDecimal {
  std::uint64_t digits = 0;
  std::size_t count = 0;
  std::size_t fraction = 0;
};

// `text` if it is at most 18 digits, perhaps a point, and nothing else, as most fields are.
std::optional<ShortDecimal> short_decimal(std::string_view text) {
  if (text.size() > kFastDigits + 1) return std::nullopt;
  ShortDecimal decimal;
  std::size_t fraction_at = text.size();
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] >= '0' && text[at] <= '9') {
      decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(text[at] - '0');
      ++decimal.count;
    } else if (text[at] == '.' && fraction_at == text.size()) {
      fraction_at = at + 1;
    } else {
      return std::nullopt;
    }
  }
  decimal.fraction = text.size() - fraction_at;
  if (decimal.count == 0 || decimal.count > kFastDigits) return std::nullopt;
  return decimal;
}

}  // namespace

TextReader::TextReader(const TraceConfig& config, const Location& named_at)
    : SampleReader(config), config_(config), lines_(config.path, named_at) {
  FormatFound found = find_format(lines_, config_);
  format_ = std::move(found.format);
  pending_ = found.first_sample;
  for (const Column& column : format_.columns) {
    if (column.role == ColumnRole::skipped) continue;
    Slot& slot = slots_.at(static_cast<std::size_t>(column.role));
    if (column.unit.exponent < 0) slot.scale_down = power_of_ten(-column.unit.exponent);
    if (column.unit.exponent > 0) slot.scale_up = power_of_ten(column.unit.exponent);
    if (column.role == ColumnRole::time) {
      time_unit_ = column.unit;
      exact_fractions_ = static_cast<std::size_t>(column.unit.exponent);
      for (std::size_t i = 0; i <= exact_fractions_; ++i) {
        time_factors_.at(i) = integer_power_of_ten(column.unit.exponent - static_cast<int>(i));
      }
    }
  }
}

void TextReader::rewind() {
  lines_.rewind();
  pending_ = find_format(lines_, config_).first_sample;
  index_ = 0;
}

Location TextReader::time_location() const { return lines_.location(slot(ColumnRole::time).offset); }

std::string TextReader::place() const { return fmt::format("line {}", lines_.line_number()); }

std::string TextReader::format() const {
  if (format_.mementos) return "Mementos text, voltage across a load";
  switch (format_.power_from) {
    case PowerFrom::power: return "CSV, power";
    case PowerFrom::voltage_current: return "CSV, voltage and current";
    default: return "CSV, voltage across a load";
  }
}

std::optional<Sample> TextReader::next() {
  if (pending_) {
    const std::string_view line = *pending_;
    pending_.reset();
    return read_sample(line);
  }
  while (const auto line = lines_.next()) {
    if (!is_skipped_line(*line)) return read_sample(*line);
  }
  return std::nullopt;
}

Sample TextReader::read_sample(std::string_view line) {
  if (format_.mementos) {
    split_mementos(line);
  } else {
    split_row(line);
  }
  Sample sample;
  // Whoever counts samples may have dates or nonsense for times; Mementos text is not that without numbers.
  if (!by_index() || format_.mementos) sample.time_ps = read_time();
  if (by_index()) sample.time_ps = time_of_index(index_++);
  const double power = raw_power();
  sample.clamped = power < 0;
  sample.power_w = power > 0 ? power : 0;
  return sample;
}

void TextReader::set_field(std::size_t column, std::string_view line, std::size_t begin, std::size_t end) {
  const ColumnRole role = format_.columns[column].role;
  if (role == ColumnRole::skipped) return;
  Slot& slot = slots_[static_cast<std::size_t>(role)];
  slot.text = without_quotes(line.substr(begin, end - begin));
  slot.offset = begin;
  if (!slot.text.empty()) slot.offset = static_cast<std::size_t>(slot.text.data() - line.data());
}

void TextReader::split_row(std::string_view line) {
  const std::size_t columns = format_.columns.size();
  std::size_t begin = 0;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::size_t end = line.find(format_.separator, begin);
    const bool last = end == std::string_view::npos;
    if (last && column + 1 < columns) {
      throw InputError(lines_.location(line.size()),
                       fmt::format("{} columns where the header has {}", column + 1, columns));
    }
    if (!last && column + 1 == columns) {
      throw InputError(lines_.location(end), fmt::format("more columns than the {} of the header", columns));
    }
    set_field(column, line, begin, last ? line.size() : end);
    begin = end + 1;
  }
}

void TextReader::split_mementos(std::string_view line) {
  const std::size_t time = skip_blanks(line, 0);
  const std::size_t time_end = skip_text(line, time);
  const std::size_t value = skip_blanks(line, time_end);
  const std::size_t value_end = skip_text(line, value);
  const std::size_t more = skip_blanks(line, value_end);
  if (value == line.size()) {
    throw InputError(lines_.location(line.size()), "1 column where Mementos text has two, `<ms> <V>`");
  }
  if (more != line.size()) {
    throw InputError(lines_.location(more), "more columns than the two of Mementos text, `<ms> <V>`");
  }
  set_field(0, line, time, time_end);
  set_field(1, line, value, value_end);
}

double TextReader::number(ColumnRole role) const {
  const Slot& of = slot(role);
  std::string_view text = of.text;
  if (const auto decimal = short_decimal(text); decimal && decimal->count <= kExactDigits) {
    // Both are exact, so that the division rounds once: the nearest double, as from_chars finds it in twice
    // the time.
    return static_cast<double>(decimal->digits) / kPowersOfTen.at(decimal->fraction) * of.scale_up /
           of.scale_down;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty() || error != std::errc() || !std::isfinite(value)) {
    const std::string_view name = kColumnRoleNames.at(static_cast<std::size_t>(role));
    const bool comma = text.find(',') != std::string_view::npos;
    throw InputError(lines_.location(of.offset),
                     fmt::format("{} {} is not a number{}", name, in_quotes(of.text),
                                 comma ? "; write a decimal point, not a comma" : ""));
  }
  return value * of.scale_up / of.scale_down;
}

Int128 TextReader::read_time() const {
  const std::string_view text = field(ColumnRole::time);
  const auto short_form = short_decimal(text);
  if (short_form && time_unit_.factor == 1 && short_form->fraction <= exact_fractions_) {
    return static_cast<Int128>(short_form->digits) * time_factors_.at(short_form->fraction);
  }
  const auto decimal = parse_decimal(text);
  if (!decimal) {
    throw InputError(time_location(), fmt::format("time {} is not a number", in_quotes(text)));
  }
  return *scaled(*decimal, time_unit_.factor, time_unit_.exponent, Rounding::nearest);
}

double TextReader::raw_power() const {
  double power = 0;
  if (format_.power_from == PowerFrom::power) {
    power = number(ColumnRole::power);
  } else {
    const double voltage = number(ColumnRole::voltage);
    switch (format_.power_from) {
      case PowerFrom::voltage_current: power = voltage * number(ColumnRole::current); break;
      case PowerFrom::voltage_load: power = voltage * voltage / config_.load_ohm; break;
      default: power = voltage * voltage / load_of_row(); break;
    }
  }
  check_power(power, lines_.location());
  return power;
}

double TextReader::load_of_row() const {
  const double load = number(ColumnRole::load);
  if (!(load > 0)) {
    throw InputError(lines_.location(slot(ColumnRole::load).offset),
                     fmt::format("load {} is not above 0 Ohm", in_quotes(field(ColumnRole::load))));
  }
  return load;
}

}  // namespace brownout::sim
