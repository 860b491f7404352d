// What the standard output is, for the eye only.
#pragma once

#include <cstddef>
#include <string>

namespace brownout::sim::cli {

struct Terminal {
  bool is_terminal = false;  // not a pipe, and not a file
  bool colours = false;      // a terminal, TERM is not dumb, and NO_COLOR is not set or empty
  bool utf8 = false;         // the locale's variables say so
  std::size_t columns = 80;  // of the terminal; 80 elsewhere
};
Terminal standard_output();

// Lines that are wider than the terminal are broken at blanks; what is left of them begins below their text.
// As it is elsewhere than on a terminal, and on one too narrow for that.
std::string wrapped(const std::string& text, const Terminal& terminal);

// PASS green; FAIL, LOST and STUCK red; the labels of lines faint. As it is without colours.
std::string coloured(const std::string& text, const Terminal& terminal);

}  // namespace brownout::sim::cli
