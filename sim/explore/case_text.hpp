// What both kinds of replay strings are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brownout::sim::explore {

// What would be mistaken for a part of the string as %XX.
std::string escaped(std::string_view text);
// The same back; throws InputError, which shows `whole`.
std::string unescaped(std::string_view text, const std::string& whole);
// At least one part. O(length).
std::vector<std::string_view> split(std::string_view text, char at);

}  // namespace brownout::sim::explore
