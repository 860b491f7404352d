// How often the samples of a trace are how far apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "devices/units.hpp"

namespace brownout::sim {

// Whether a step is a gap in a trace of that median step: above 1.5 times as long. Steps are at most 100
// days, so that nothing overflows.
constexpr bool is_gap(std::int64_t step, devices::Picoseconds median) {
  return step - median.count > median.count / 2;
}

// Counts step sizes and knows their median. Exact while there are at most kMaxDistinctSteps different ones;
// beyond, steps are rounded down to a multiple of a power of two picoseconds, the smallest for which they
// fit, so that memory is bounded (about 5 MB) and the median is low by less than that multiple.
class StepHistogram {
 public:
  static constexpr std::size_t kMaxDistinctSteps = 100'000;

  // Counts a step > 0. O(log of distinct steps), O(1) for the same step as before.
  void add(std::int64_t step);

  // The median, the lower one of two; 0 if nothing was counted. O(distinct steps).
  [[nodiscard]] devices::Picoseconds median() const;
  // How many steps are longer than 1.5 times the median; with a quantum above 1, give or take those near it.
  [[nodiscard]] std::uint64_t gaps() const;
  [[nodiscard]] devices::Picoseconds longest() const { return {longest_}; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // 1 while the median is exact.
  [[nodiscard]] std::int64_t quantum() const { return std::int64_t{1} << shift_; }

 private:
  void coarsen();

  std::map<std::int64_t, std::uint64_t> counts_;  // by step >> shift_
  unsigned shift_ = 0;
  std::uint64_t count_ = 0;
  std::int64_t longest_ = 0;
  std::int64_t last_key_ = -1;
  std::uint64_t* last_count_ = nullptr;  // of last_key_
};

}  // namespace brownout::sim
