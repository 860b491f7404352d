// What somebody who mistyped a name probably meant.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace brownout::sim {

// Number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal
// string alignment), ASCII letters compared without case. O(|a| |b|).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the smallest edit distance to `text`, the first of several; nothing if even that one
// is further away than 2 and than a third of the length of `text`, or shares nothing with it. Texts longer
// than 100 bytes have no near candidate. O(|text| x all candidates).
std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace brownout::sim
