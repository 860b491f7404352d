#include "sim/scenario/quantity.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "sim/scenario/decimal.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

// Longer numbers are a slip of the hand, and nothing of this program needs so many digits.
constexpr std::size_t kLongestNumber = 60;

// How messages speak of a dimension.
struct Wording {
  std::string_view noun;
  std::string_view units;         // all that are understood
  std::string_view example_unit;  // the likeliest, for "such as"
  std::string_view example;
};

const Wording& wording(Dimension dimension) {
  static constexpr std::array<Wording, 10> kWordings{{
      {"a time", "ps, ns, us, ms, s, min, h, d", "ms", "30 ms"},
      {"a voltage", "nV, uV, mV, V, kV", "V", "3.3 V"},
      {"a current", "pA, nA, uA, mA, A", "mA", "2 mA"},
      {"a resistance", "uOhm, mOhm, Ohm, kOhm, MOhm, GOhm", "kOhm", "30 kOhm"},
      {"a capacitance", "pF, nF, uF, mF, F, kF", "mF", "1.5 mF"},
      {"a power", "pW, nW, uW, mW, W, kW", "uW", "150 uW"},
      {"a frequency", "Hz, kHz, MHz, GHz", "MHz", "20 MHz"},
      {"a size", "B, KB, KiB, MB, MiB", "B", "4 KiB"},
      {"a plain number", "none", "", "8"},
      {"a ratio", "%", "%", "5 %"},
  }};
  return kWordings[static_cast<std::size_t>(dimension)];
}

bool goes_without_unit(Dimension dimension) {
  return dimension == Dimension::number || dimension == Dimension::ratio;
}

[[noreturn]] void fail(const Written& written, const std::string& complaint) {
  throw InputError(written.where, fmt::format("{}: {} {}", written.what, in_quotes(written.text), complaint));
}

// A number and its unit, taken apart.
struct Parts {
  std::string_view number;
  Unit unit;
};

[[noreturn]] void fail_for_unit(const Written& written, std::string_view number, std::string_view unit,
                                Dimension dimension) {
  const Wording& words = wording(dimension);
  if (unit.empty()) fail(written, fmt::format("needs a unit, such as {} {}", number, words.example_unit));
  if (dimension == Dimension::number) {
    fail(written, fmt::format("is not {}; leave out {}", words.noun, in_quotes(unit)));
  }
  if (const auto other = dimension_of(written.text)) {
    fail(written,
         fmt::format("is {}, not {}; write it such as {}", wording(*other).noun, words.noun, words.example));
  }
  // "mhz", "MV", "KHZ": one unit differs in case only.
  if (const Unit* meant = find_unit_any_case(unit, dimension)) {
    fail(written,
         fmt::format("has an unknown unit {}; did you mean {} {}?", in_quotes(unit), number, meant->name));
  }
  fail(written,
       fmt::format("is not {}: unknown unit {} (known: {})", words.noun, in_quotes(unit), words.units));
}

Unit unit_of(const Written& written, std::string_view number, std::string_view name, Dimension dimension) {
  if (goes_without_unit(dimension) && name.empty()) return Unit{"", dimension};
  const Unit* unit = find_unit(name, dimension);
  if (unit == nullptr) fail_for_unit(written, number, name, dimension);
  return *unit;
}

Parts take_apart(const Written& written, Dimension dimension) {
  const std::string_view text = trimmed(written.text);
  const std::size_t length = number_length(text);
  if (length == 0) {
    const Wording& words = wording(dimension);
    fail(written, fmt::format("is not {}; write a number{}, such as {}", words.noun,
                              goes_without_unit(dimension) ? "" : " with a unit", words.example));
  }
  const std::string_view number = text.substr(0, length);
  if (length > kLongestNumber) fail(written, "has too many digits");
  const Unit unit = unit_of(written, number, trimmed(text.substr(length)), dimension);
  if (number.front() == '-') fail(written, "must not be negative");
  return {number, unit};
}

std::string format_whole(std::uint64_t value, Dimension dimension) {
  if (dimension == Dimension::bytes) return format_bytes(value);
  if (dimension == Dimension::frequency) return format_quantity(static_cast<double>(value), dimension);
  return fmt::format("{}", value);
}

[[noreturn]] void fail_for_range(const Written& written, const std::string& min, const std::string& max) {
  fail(written, fmt::format("is out of range: it must be between {} and {}", min, max));
}

}  // namespace

double parse_quantity(const Written& written, Dimension dimension, Limits limits) {
  const Parts parts = take_apart(written, dimension);
  // Every unit that comes here is a power of ten, so that one rounding is all there is.
  const double value = nearest_double(parts.number, parts.unit.exponent);
  if (!(value >= limits.min && value <= limits.max)) {
    const std::string min = format_quantity(limits.min, dimension);
    const std::string max = format_quantity(limits.max, dimension);
    // Whoever writes 20 for a ratio means 20 %.
    const double as_percent = nearest_double(parts.number, -2);
    const bool percent_left_out = dimension == Dimension::ratio && parts.unit.name.empty() &&
                                  as_percent >= limits.min && as_percent <= limits.max;
    if (percent_left_out) {
      fail(written, fmt::format("is out of range: it must be between {} and {}; did you mean {} %?", min, max,
                                parts.number));
    }
    fail_for_range(written, min, max);
  }
  return value;
}

devices::Picoseconds parse_time(const Written& written, TimeLimits limits) {
  const Parts parts = take_apart(written, Dimension::time);
  const auto decimal = parse_decimal(parts.number);
  const auto count =
      scaled(decimal.value_or(Decimal{}), parts.unit.factor, parts.unit.exponent, Rounding::exact);
  if (!count) fail(written, "is not a whole number of picoseconds; write fewer digits");
  if (*count < limits.min.count || *count > limits.max.count) {
    fail_for_range(written, format_time(limits.min), format_time(limits.max));
  }
  return {static_cast<std::int64_t>(*count)};
}

std::uint64_t parse_whole(const Written& written, Dimension dimension, WholeLimits limits) {
  const Parts parts = take_apart(written, dimension);
  const auto decimal = parse_decimal(parts.number);
  const auto count =
      scaled(decimal.value_or(Decimal{}), parts.unit.factor, parts.unit.exponent, Rounding::exact);
  if (!count) {
    const std::string_view unit = dimension == Dimension::bytes       ? " of bytes"
                                  : dimension == Dimension::frequency ? " of hertz"
                                                                      : "";
    fail(written, fmt::format("is not a whole number{}", unit));
  }
  if (*count < static_cast<Int128>(limits.min) || *count > static_cast<Int128>(limits.max)) {
    fail_for_range(written, format_whole(limits.min, dimension), format_whole(limits.max, dimension));
  }
  return static_cast<std::uint64_t>(*count);
}

std::string_view example_of(Dimension dimension) { return wording(dimension).example; }

std::string format_quantity(double value, Dimension dimension) {
  struct Prefix {
    std::string_view name;
    double scale;
  };
  static constexpr std::array<Prefix, 8> kPrefixes{
      {{"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1.0}, {"m", 1e-3}, {"u", 1e-6}, {"n", 1e-9}, {"p", 1e-12}}};
  static constexpr std::array<std::string_view, 10> kSymbols{"s", "V",  "A", "Ohm", "F",
                                                             "W", "Hz", "B", "",    "%"};
  const std::string_view symbol = kSymbols[static_cast<std::size_t>(dimension)];
  if (dimension == Dimension::number) return fmt::format("{:.6g}", value);
  if (dimension == Dimension::ratio) return fmt::format("{:.6g} %", 100 * value);
  if (value == 0 || !std::isfinite(value)) return fmt::format("{:.6g} {}", value, symbol);
  const double magnitude = std::abs(value);
  const Prefix* fitting = &kPrefixes.back();
  for (const Prefix& prefix : kPrefixes) {
    if (magnitude >= prefix.scale) {
      fitting = &prefix;
      break;
    }
  }
  // There is no millihertz to write.
  if (dimension == Dimension::frequency && fitting->scale < 1.0) return fmt::format("{:.6g} Hz", value);
  return fmt::format("{:.6g} {}{}", value / fitting->scale, fitting->name, symbol);
}

std::string format_time(devices::Picoseconds time) {
  struct Step {
    std::string_view name;
    std::int64_t count;
  };
  static constexpr std::array<Step, 7> kSteps{{{"d", 86'400'000'000'000'000},
                                               {"h", 3'600'000'000'000'000},
                                               {"s", 1'000'000'000'000},
                                               {"ms", 1'000'000'000},
                                               {"us", 1'000'000},
                                               {"ns", 1'000},
                                               {"ps", 1}}};
  for (const Step& step : kSteps) {
    const bool whole = time.count % step.count == 0;
    if (time.count != 0 && whole) return fmt::format("{} {}", time.count / step.count, step.name);
  }
  return "0 s";
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::uint64_t kKibi = 1'024;
  if (bytes != 0 && bytes % (kKibi * kKibi) == 0) return fmt::format("{} MiB", bytes / (kKibi * kKibi));
  if (bytes != 0 && bytes % kKibi == 0) return fmt::format("{} KiB", bytes / kKibi);
  return fmt::format("{} B", bytes);
}

}  // namespace brownout::sim
