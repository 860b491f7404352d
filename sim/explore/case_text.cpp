#include "sim/explore/case_text.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "sim/scenario/input_error.hpp"

namespace brownout::sim::explore {
namespace {

constexpr std::string_view kReserved = "~?&%# '\"";

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = c > 0x20 && c < 0x7F && kReserved.find(c) == std::string::npos;
    out += plain ? std::string(1, c)
                 : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string unescaped(std::string_view text, const std::string& whole) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const char* begin = text.data() + i + 1;
    const char* end = text.data() + std::min(i + 3, text.size());
    const auto [stop, error] = std::from_chars(begin, end, value, 16);
    if (error != std::errc() || stop != begin + 2)
      throw InputError({"replay", 0, 0},
                       fmt::format("`{}` is no case: % has to be followed by two hexadecimal digits", whole));
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace brownout::sim::explore
