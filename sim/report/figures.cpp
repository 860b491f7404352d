#include "sim/report/figures.hpp"

#include <cmath>

#include <fmt/format.h>

namespace brownout::sim {

namespace {

struct Prefix {
  double factor;
  const char* name;
};
constexpr Prefix kPrefixes[] = {{1e6, "M"},  {1e3, "k"},  {1, ""},     {1e-3, "m"},
                                {1e-6, "u"}, {1e-9, "n"}, {1e-12, "p"}};

}  // namespace

std::string si(double value, const char* unit) {
  if (!std::isfinite(value)) return fmt::format("no {}", unit);
  if (value == 0) return fmt::format("0 {}", unit);
  for (const Prefix& prefix : kPrefixes) {
    if (std::fabs(value) < prefix.factor * 0.9995) continue;
    const double scaled = value / prefix.factor;
    const int decimals = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}{}", scaled, decimals, prefix.name, unit);
  }
  return fmt::format("{:.3g} {}", value, unit);
}

std::string si(double value, const char* unit, int digits) {
  if (!std::isfinite(value)) return fmt::format("no {}", unit);
  for (const Prefix& prefix : kPrefixes) {
    if (value == 0 || std::fabs(value) < prefix.factor) continue;
    return fmt::format("{:.{}g} {}{}", value / prefix.factor, digits, prefix.name, unit);
  }
  return fmt::format("{:.{}g} {}", value, digits, unit);
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

}  // namespace brownout::sim
