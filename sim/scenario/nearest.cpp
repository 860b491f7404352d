#include "sim/scenario/nearest.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

// Nobody mistypes a name of this length, and the distance costs the product of the lengths.
constexpr std::size_t kLongest = 100;

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::string left = lower_ascii(a);
  const std::string right = lower_ascii(b);
  std::vector<std::size_t> before_last(right.size() + 1);
  std::vector<std::size_t> last(right.size() + 1);
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t substitution = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[right.size()];
}

std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string_view> candidates) {
  if (text.size() > kLongest) return std::nullopt;
  const std::size_t allowed = std::max<std::size_t>(2, text.size() / 3);
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(text, candidate);
    // "ab" is two edits from "to" and has nothing to do with it.
    const bool something_in_common = distance < std::min(text.size(), candidate.size());
    const bool near = distance <= allowed && (something_in_common || distance == 0);
    if (near && (!best || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace brownout::sim
