#include "sim/cli/terminal.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace brownout::sim::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets one
  return value == nullptr ? "" : value;
}

// In the order in which the C library looks.
bool says_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos;
  }
  return false;
}

constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kGreen = "\x1b[1;32m";
constexpr std::string_view kFaint = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

// Labels are of two blanks and eleven columns.
constexpr std::size_t kLabelEnd = 13;
constexpr std::size_t kNarrowest = 30;

// How many bytes of UTF-8 the first `columns` characters are.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (begins && columns-- == 0) break;
  }
  return i;
}

// A word that is wider than the terminal stays whole.
std::string wrapped_line(std::string_view line, std::size_t columns) {
  constexpr std::size_t kNone = std::string_view::npos;
  const bool has_label = line.starts_with("  ");
  const std::size_t indent = has_label ? kLabelEnd : 2;
  std::size_t text_at = has_label ? std::min(kLabelEnd, line.size()) : 0;  // no break before it
  std::string result;
  for (std::size_t room = columns;; room = columns - indent) {
    const std::size_t fits = bytes_of(line, room);
    std::size_t at = kNone;
    if (fits < line.size()) {
      at = line.rfind(' ', fits);
      if (at == kNone || at <= text_at) at = line.find(' ', std::max(fits, text_at + 1));
    }
    if (at == kNone) return result.append(line);
    result.append(line.substr(0, at)).append("\n").append(indent, ' ');
    line.remove_prefix(at + 1);
    text_at = 0;
  }
}

std::string in_colour(std::string_view colour, std::string_view text) {
  return fmt::format("{}{}{}", colour, text, kPlain);
}

std::string coloured_line(std::string_view line) {
  for (const auto& [word, colour] : {std::pair{": PASS", kGreen}, std::pair{": FAIL", kRed}}) {
    const std::size_t at = line.starts_with(' ') ? std::string_view::npos : line.find(word);
    if (at == std::string_view::npos) continue;
    return std::string(line.substr(0, at + 2)) + in_colour(colour, line.substr(at + 2, 4)) +
           std::string(line.substr(at + 6));
  }
  if (!line.starts_with("  ") || line.size() < kLabelEnd || line[2] == ' ') return std::string(line);
  const std::string_view label = line.substr(0, kLabelEnd);
  const bool is_bad =
      label.starts_with("  LOST") || label.starts_with("  STUCK") || label.starts_with("  failure");
  return in_colour(is_bad ? kRed : kFaint, label) + std::string(line.substr(kLabelEnd));
}

template <class Change>
std::string each_line(const std::string& text, Change change) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    result += change(std::string_view(text).substr(begin, end - begin));
    if (end < text.size()) result += '\n';
    begin = end + 1;
  }
  return result;
}

}  // namespace

Terminal standard_output() {
  Terminal terminal;
  terminal.utf8 = says_utf8();
  if (isatty(STDOUT_FILENO) != 1) return terminal;
  terminal.is_terminal = true;
  terminal.colours = variable("NO_COLOR").empty() && variable("TERM") != "dumb" && !variable("TERM").empty();
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.columns = size.ws_col;
  return terminal;
}

std::string wrapped(const std::string& text, const Terminal& terminal) {
  if (!terminal.is_terminal || terminal.columns < kNarrowest) return text;
  return each_line(text, [&terminal](std::string_view line) { return wrapped_line(line, terminal.columns); });
}

std::string coloured(const std::string& text, const Terminal& terminal) {
  if (!terminal.colours) return text;
  return each_line(text, coloured_line);
}

}  // namespace brownout::sim::cli
