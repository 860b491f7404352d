#include "sim/waves/window.hpp"

#include <fmt/format.h>

#include "sim/scenario/input_error.hpp"
#include "sim/scenario/quantity.hpp"

namespace brownout::sim::waves {

Window parse_window(const std::string& text) {
  const Location where{"--window " + text, 0, 0};
  constexpr std::string_view kBetween = "..";
  const std::size_t at = text.find(kBetween);
  if (at == std::string::npos) {
    throw InputError(where, "needs two times with `..` between them, such as `12 ms..15 ms`");
  }
  const auto time = [&](std::string_view part, std::string_view what) {
    const std::size_t begin = part.find_first_not_of(' ');
    const std::size_t end = part.find_last_not_of(' ');
    if (begin == std::string_view::npos) {
      throw InputError(where, fmt::format("has no {}: two times are needed, such as `12 ms..15 ms`", what));
    }
    return parse_time({part.substr(begin, end - begin + 1), what, where}, {{}, kLongestTime});
  };
  const std::string_view view = text;
  const Window window{time(view.substr(0, at), "beginning"), time(view.substr(at + kBetween.size()), "end")};
  if (window.from >= window.to) {
    throw InputError(where, fmt::format("begins at {} and ends at {}: the end has to be later",
                                        format_time(window.from), format_time(window.to)));
  }
  return window;
}

}  // namespace brownout::sim::waves
