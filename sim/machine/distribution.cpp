#include "sim/machine/distribution.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace brownout::sim {

using devices::Picoseconds;

namespace {

// The seven bits below the highest one choose among 128 bins of each power of two.
constexpr std::uint32_t kBits = 7;
constexpr std::uint32_t kPerOctave = 1U << kBits;

std::uint32_t bin_of(std::uint64_t value) {
  const auto width = static_cast<std::uint32_t>(std::bit_width(value));
  if (width <= kBits + 1) return static_cast<std::uint32_t>(value);  // up to 255: one bin each
  const std::uint32_t shift = width - kBits - 1;
  return shift * kPerOctave + static_cast<std::uint32_t>(value >> shift);
}

std::int64_t lower_end(std::uint32_t bin) {
  if (bin < 2 * kPerOctave) return bin;
  const std::uint32_t shift = bin / kPerOctave - 1;
  return static_cast<std::int64_t>(bin - shift * kPerOctave) << shift;
}

}  // namespace

void Distribution::add(Picoseconds time) {
  assert(time.count >= 0);
  ++counts_[bin_of(static_cast<std::uint64_t>(time.count))];
  ++count_;
  largest_ = std::max(largest_, time);
}

Picoseconds Distribution::quantile(std::uint64_t per_mille) const {
  assert(count_ > 0 && per_mille >= 1 && per_mille <= 1000);
  std::uint64_t needed = (count_ * per_mille + 999) / 1000;
  for (const auto& [bin, count] : counts_) {
    if (count >= needed) return std::min(largest_, Picoseconds{lower_end(bin + 1) - 1});
    needed -= count;
  }
  return largest_;
}

std::vector<Distribution::Bin> Distribution::bins() const {
  std::vector<Bin> all;
  all.reserve(counts_.size());
  for (const auto& [bin, count] : counts_) all.push_back({{lower_end(bin)}, {lower_end(bin + 1)}, count});
  return all;
}

}  // namespace brownout::sim
