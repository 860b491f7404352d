// Quantities with units as people write them: "1.5 mF", "20 MHz", "4 KiB", "30 ms", "150 uW".
//
// A quantity is a decimal number (digits, an optional point, an optional exponent), an optional space and a
// unit. Units are SI and case counts, since mW is not MW: the prefixes p n u m k M G go before V A Ohm F W Hz
// and s where they make sense; u may be written as either micro sign, Ohm as either omega or in lower case.
// Times also know min, h and d; sizes know B, KB and kB (1000), KiB, MB and MiB. A ratio is a plain number or
// one with %.
//
// All functions are O(length of the text) and throw InputError at the place of the value for a missing,
// unknown or wrong unit, a negative number, rubbish, and a value outside the limits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "devices/units.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim {

enum class Dimension : std::uint8_t {
  time,
  voltage,
  current,
  resistance,
  capacitance,
  power,
  frequency,
  bytes,
  number,  // without a unit
  ratio,   // 0.05 or 5 %
};

// __int128 is an extension of both compilers; exact times need it.
__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

// One unit is factor * 10^exponent of the base: picosecond, volt, ampere, ohm, farad, watt, hertz, byte, 1.
struct Unit {
  std::string_view name;
  Dimension dimension = Dimension::number;
  std::uint32_t factor = 1;
  int exponent = 0;
};

// The unit of that dimension and name (micro and omega in any of their spellings), or nullptr.
const Unit* find_unit(std::string_view name, Dimension dimension);

// As find_unit, but "MV", "mv" and "KOHM" are taken for what they must mean if nothing has exactly that
// name and one unit alone differs from it in case only. For headers of columns, which are often in one case.
const Unit* find_unit_any_case(std::string_view name, Dimension dimension);

// The dimension of the unit at the end of `text`, if it is one.
std::optional<Dimension> dimension_of(std::string_view text);

// A value as written: `what` names it in messages, as in "heap.ram".
struct Written {
  std::string_view text;
  std::string_view what;
  const Location& where;
};

// Inclusive, in the SI unit of the dimension.
struct Limits {
  double min = 0;
  double max = 0;
};
struct TimeLimits {
  devices::Picoseconds min;
  devices::Picoseconds max;
};
struct WholeLimits {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

// No time of a scenario or of a trace is longer: what Picoseconds holds, with room for sums.
inline constexpr devices::Picoseconds kLongestTime{std::int64_t{100} * 86'400 *
                                                   devices::kPicosecondsPerSecond};

// A quantity of any dimension but time and bytes, in SI units, correctly rounded ("1.5 mF" is the double
// nearest to 0.0015).
double parse_quantity(const Written& written, Dimension dimension, Limits limits);

// A time in whole picoseconds, exactly: "0.1 ns" is 100 ps. What is not a whole number of picoseconds is an
// error.
devices::Picoseconds parse_time(const Written& written, TimeLimits limits);

// A quantity that has to be whole in its base unit: bytes, hertz, or a plain number (a count).
std::uint64_t parse_whole(const Written& written, Dimension dimension, WholeLimits limits);

// A quantity of that dimension as it would be written, for "such as".
std::string_view example_of(Dimension dimension);

// A value with its unit for a message: "1.5 mF", "4 KiB", "100 d", "5 %". Six significant digits.
std::string format_quantity(double value, Dimension dimension);
std::string format_time(devices::Picoseconds time);
std::string format_bytes(std::uint64_t bytes);

}  // namespace brownout::sim
