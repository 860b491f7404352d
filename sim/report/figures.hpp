// Numbers as people read them.
#pragma once

#include <string>

namespace brownout::sim {

// Three significant digits with an SI prefix: 12.3 mJ. "no J" if it is not finite.
std::string si(double value, const char* unit);
// The same with up to so many significant digits, zeros at the end left out.
std::string si(double value, const char* unit, int digits);

// 12.3 %
std::string percent(double share);

}  // namespace brownout::sim
