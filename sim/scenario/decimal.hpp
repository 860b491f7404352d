// Decimal numbers kept exact until their unit is known.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "sim/scenario/quantity.hpp"

namespace brownout::sim {

// digits * 10^exponent. Digits beyond the 38th are dropped, with `inexact` set if they were not zero.
struct Decimal {
  Uint128 digits = 0;
  int exponent = 0;  // clamped to +-10,000
  bool negative = false;
  bool inexact = false;
};

// The length of the number at the beginning of `text`: [+-] digits [. digits] [e [+-] digits], where one of
// the two runs of digits may be missing. 0 if there is none. O(length).
std::size_t number_length(std::string_view text);

// `text` in full as a Decimal; nothing if it is not a number as above. O(length).
std::optional<Decimal> parse_decimal(std::string_view text);

// `text`, a number as above, times 10^exponent as the nearest double; infinity if it is too large for one.
double nearest_double(std::string_view text, int exponent);

enum class Rounding { exact, nearest };

// decimal * factor * 10^exponent as an integer: nothing if that is not whole (with Rounding::exact; `nearest`
// rounds half away from zero). Saturates at +-10^36.
std::optional<Int128> scaled(const Decimal& decimal, std::uint32_t factor, int exponent, Rounding rounding);

}  // namespace brownout::sim
