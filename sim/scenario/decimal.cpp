#include "sim/scenario/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

#include <fmt/format.h>

namespace brownout::sim {
namespace {

constexpr int kMaxDigits = 38;         // 10^38 < 2^128
constexpr int kMaxExponent = 10'000;   // beyond any double and any sum of exponents
constexpr int kSaturationDigits = 36;  // 10^36 < 2^127, above any time in picoseconds

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  return length;
}

// The exponent after the 'e', clamped; `text` is an optional sign and digits.
int parse_exponent(std::string_view text) {
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  int value = 0;
  for (const char c : text) value = std::min(value * 10 + (c - '0'), kMaxExponent);
  return negative ? -value : value;
}

void append_digit(Decimal& decimal, int& significant, char c, bool fraction) {
  if (significant == 0 && c == '0') {
    if (fraction) --decimal.exponent;
    return;
  }
  if (significant == kMaxDigits) {
    decimal.inexact = decimal.inexact || c != '0';
    if (!fraction) ++decimal.exponent;
    return;
  }
  ++significant;
  decimal.digits = decimal.digits * 10 + static_cast<unsigned>(c - '0');
  if (fraction) --decimal.exponent;
}

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

}  // namespace

std::size_t number_length(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const std::size_t before = digits_length(text.substr(at));
  at += before;
  std::size_t after = 0;
  if (at < text.size() && text[at] == '.') {
    after = digits_length(text.substr(at + 1));
    if (before + after > 0) at += 1 + after;
  }
  if (before + after == 0) return 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t sign = 0;
    if (at + 1 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-')) sign = 1;
    const std::size_t length = digits_length(text.substr(at + 1 + sign));
    if (length > 0) at += 1 + sign + length;  // otherwise the e belongs to what follows
  }
  return at;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  if (text.empty() || number_length(text) != text.size()) return std::nullopt;
  Decimal decimal;
  decimal.negative = text.front() == '-';
  if (decimal.negative || text.front() == '+') text.remove_prefix(1);
  int significant = 0;
  bool fraction = false;
  int exponent = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '.') {
      fraction = true;
    } else if (is_digit(text[at])) {
      append_digit(decimal, significant, text[at], fraction);
    } else {
      exponent = parse_exponent(text.substr(at + 1));
      break;
    }
  }
  decimal.exponent = std::clamp(decimal.exponent + exponent, -kMaxExponent, kMaxExponent);
  return decimal;
}

double nearest_double(std::string_view text, int exponent) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const std::size_t mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) exponent += parse_exponent(text.substr(mark + 1));
  const std::string shifted = fmt::format("{}e{}", text.substr(0, mark), exponent);
  double value = 0;
  const auto [end, error] = std::from_chars(shifted.data(), shifted.data() + shifted.size(), value);
  static_cast<void>(end);
  if (error == std::errc()) return value;
  // Out of range: from_chars does not say on which side.
  const std::optional<Decimal> decimal = parse_decimal(shifted);
  const bool huge = decimal && decimal->digits != 0 && decimal->exponent > 0;
  return huge ? std::numeric_limits<double>::infinity() : 0.0;
}

std::optional<Int128> scaled(const Decimal& decimal, std::uint32_t factor, int exponent, Rounding rounding) {
  if (decimal.inexact && rounding == Rounding::exact) return std::nullopt;
  if (decimal.digits == 0) return 0;
  Uint128 digits = decimal.digits;
  int shift = decimal.exponent + exponent;
  // Trailing zeros first, so that the product below fits wherever the result does.
  while (digits % 10 == 0) {
    digits /= 10;
    ++shift;
  }
  const Int128 limit = power_of_ten(kSaturationDigits);
  const auto signed_result = [&](Int128 magnitude) { return decimal.negative ? -magnitude : magnitude; };
  // With the factor (at most 2^32) 28 digits still fit; more of them mean a value that is not whole in any
  // unit of this program, or one that rounds.
  while (digits >= static_cast<Uint128>(power_of_ten(28))) {
    if (rounding == Rounding::exact && shift < 0) return std::nullopt;
    digits /= 10;
    ++shift;
  }
  Uint128 value = digits * factor;
  for (; shift > 0; --shift) {
    value *= 10;
    if (value >= static_cast<Uint128>(limit)) return signed_result(limit);
  }
  if (shift == 0) return signed_result(static_cast<Int128>(std::min(value, static_cast<Uint128>(limit))));
  if (shift < -kMaxDigits) return rounding == Rounding::exact ? std::nullopt : std::optional<Int128>(0);
  Uint128 divisor = 1;
  for (int i = 0; i < -shift; ++i) divisor *= 10;
  const Uint128 rest = value % divisor;
  if (rest != 0 && rounding == Rounding::exact) return std::nullopt;
  const Uint128 whole = value / divisor + (rest >= divisor - rest ? 1 : 0);
  return signed_result(static_cast<Int128>(std::min(whole, static_cast<Uint128>(limit))));
}

}  // namespace brownout::sim
