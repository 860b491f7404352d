// The table of units, and finding one.
#include <array>
#include <string>
#include <utility>

#include "sim/scenario/decimal.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

// No mHz: whoever writes it for a clock means MHz, and slow rates are written as 0.5 Hz.
constexpr std::array kUnits{
    Unit{"ps", Dimension::time, 1, 0},          Unit{"ns", Dimension::time, 1, 3},
    Unit{"us", Dimension::time, 1, 6},          Unit{"ms", Dimension::time, 1, 9},
    Unit{"s", Dimension::time, 1, 12},          Unit{"min", Dimension::time, 60, 12},
    Unit{"h", Dimension::time, 3'600, 12},      Unit{"d", Dimension::time, 86'400, 12},
    Unit{"nV", Dimension::voltage, 1, -9},      Unit{"uV", Dimension::voltage, 1, -6},
    Unit{"mV", Dimension::voltage, 1, -3},      Unit{"V", Dimension::voltage, 1, 0},
    Unit{"kV", Dimension::voltage, 1, 3},       Unit{"pA", Dimension::current, 1, -12},
    Unit{"nA", Dimension::current, 1, -9},      Unit{"uA", Dimension::current, 1, -6},
    Unit{"mA", Dimension::current, 1, -3},      Unit{"A", Dimension::current, 1, 0},
    Unit{"uOhm", Dimension::resistance, 1, -6}, Unit{"mOhm", Dimension::resistance, 1, -3},
    Unit{"Ohm", Dimension::resistance, 1, 0},   Unit{"kOhm", Dimension::resistance, 1, 3},
    Unit{"MOhm", Dimension::resistance, 1, 6},  Unit{"GOhm", Dimension::resistance, 1, 9},
    Unit{"pF", Dimension::capacitance, 1, -12}, Unit{"nF", Dimension::capacitance, 1, -9},
    Unit{"uF", Dimension::capacitance, 1, -6},  Unit{"mF", Dimension::capacitance, 1, -3},
    Unit{"F", Dimension::capacitance, 1, 0},    Unit{"kF", Dimension::capacitance, 1, 3},
    Unit{"pW", Dimension::power, 1, -12},       Unit{"nW", Dimension::power, 1, -9},
    Unit{"uW", Dimension::power, 1, -6},        Unit{"mW", Dimension::power, 1, -3},
    Unit{"W", Dimension::power, 1, 0},          Unit{"kW", Dimension::power, 1, 3},
    Unit{"Hz", Dimension::frequency, 1, 0},     Unit{"kHz", Dimension::frequency, 1, 3},
    Unit{"MHz", Dimension::frequency, 1, 6},    Unit{"GHz", Dimension::frequency, 1, 9},
    Unit{"B", Dimension::bytes, 1, 0},          Unit{"KB", Dimension::bytes, 1, 3},
    Unit{"kB", Dimension::bytes, 1, 3},         Unit{"KiB", Dimension::bytes, 1'024, 0},
    Unit{"MB", Dimension::bytes, 1, 6},         Unit{"MiB", Dimension::bytes, 1'048'576, 0},
    Unit{"%", Dimension::ratio, 1, -2},
};

// The spellings that mean the same, turned into the one of the table.
std::string normalised(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSpellings{{
      {"\xC2\xB5", "u"},        // U+00B5 micro sign
      {"\xCE\xBC", "u"},        // U+03BC Greek mu
      {"\xE2\x84\xA6", "Ohm"},  // U+2126 ohm sign
      {"\xCE\xA9", "Ohm"},      // U+03A9 Greek omega
      {"ohm", "Ohm"},
  }};
  std::string out(name);
  for (const auto& [from, to] : kSpellings) {
    if (const auto at = out.find(from); at != std::string::npos) out.replace(at, from.size(), to);
  }
  return out;
}

}  // namespace

const Unit* find_unit(std::string_view name, Dimension dimension) {
  const std::string wanted = normalised(name);
  for (const Unit& unit : kUnits) {
    if (unit.dimension == dimension && unit.name == wanted) return &unit;
  }
  return nullptr;
}

const Unit* find_unit_any_case(std::string_view name, Dimension dimension) {
  if (const Unit* exact = find_unit(name, dimension)) return exact;
  const std::string wanted = lower_ascii(normalised(name));
  const Unit* found = nullptr;
  for (const Unit& unit : kUnits) {
    if (unit.dimension != dimension || lower_ascii(unit.name) != wanted) continue;
    const bool same = found != nullptr && found->factor == unit.factor && found->exponent == unit.exponent;
    if (found != nullptr && !same) return nullptr;
    found = &unit;
  }
  return found;
}

std::optional<Dimension> dimension_of(std::string_view text) {
  const std::string_view name = trimmed(text.substr(number_length(text)));
  const std::string wanted = normalised(name);
  for (const Unit& unit : kUnits) {
    if (unit.name == wanted) return unit.dimension;
  }
  return std::nullopt;
}

}  // namespace brownout::sim
