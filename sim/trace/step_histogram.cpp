#include "sim/trace/step_histogram.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace brownout::sim {

void StepHistogram::add(std::int64_t step) {
  assert(step > 0);
  ++count_;
  longest_ = std::max(longest_, step);
  const std::int64_t key = step >> shift_;
  if (key == last_key_) {
    ++*last_count_;
    return;
  }
  last_key_ = key;
  last_count_ = &counts_[key];
  ++*last_count_;
  while (counts_.size() > kMaxDistinctSteps) coarsen();
}

void StepHistogram::coarsen() {
  ++shift_;
  std::map<std::int64_t, std::uint64_t> coarse;
  for (const auto& [key, count] : counts_) coarse[key >> 1U] += count;
  counts_ = std::move(coarse);
  last_key_ = -1;
  last_count_ = nullptr;
}

devices::Picoseconds StepHistogram::median() const {
  std::uint64_t seen = 0;
  for (const auto& [key, count] : counts_) {
    seen += count;
    if (2 * seen >= count_) return {std::max<std::int64_t>(key << shift_, 1)};
  }
  return {};
}

std::uint64_t StepHistogram::gaps() const {
  const devices::Picoseconds middle = median();
  std::uint64_t longer = 0;
  for (const auto& [key, count] : counts_) {
    if (is_gap(key << shift_, middle)) longer += count;
  }
  return longer;
}

}  // namespace brownout::sim
