// Independent trials that seldom succeed, without a draw for each.
#pragma once

#include <cassert>
#include <cstdint>
#include <limits>

#include "devices/math/elementary.hpp"
#include "devices/math/random.hpp"

namespace brownout::devices {

// Each trial is an event with the same probability p. How many are none before the next event is
// geometrically distributed, P(n) = (1 - p)^n p, and drawn by inversion: n = floor(ln(1 - u) / ln(1 - p)). So
// a draw an event, and none at all for p = 0.
class RareEvents {
 public:
  // p in [0, 1].
  RareEvents(double probability, std::uint64_t seed)
      : probability_(probability), log_of_none_(log1p_of(-probability)), random_(seed) {
    assert(probability >= 0 && probability <= 1);
    draw();
  }

  // Trials before the next event. O(1).
  [[nodiscard]] std::uint64_t ahead() const { return ahead_; }
  // So many trials go by, at most ahead(). O(1).
  void pass(std::uint64_t trials) {
    assert(trials <= ahead_);
    if (ahead_ != kNever) ahead_ -= trials;
  }
  // The trial that is an event goes by: ahead() was 0. O(1).
  void take() {
    assert(ahead_ == 0);
    draw();
  }
  // One trial: whether it is an event. O(1).
  bool next() {
    if (ahead_ > 0) {
      pass(1);
      return false;
    }
    take();
    return true;
  }

 private:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  void draw() {
    ahead_ = kNever;
    if (probability_ == 0) return;
    const double u = random_.unit();
    const double gap = log1p_of(-u) / log_of_none_;
    constexpr double kLongest = 9e18;
    if (gap < kLongest) ahead_ = static_cast<std::uint64_t>(gap);
  }

  double probability_;
  double log_of_none_;
  SplitMix64 random_;
  std::uint64_t ahead_ = kNever;
};

}  // namespace brownout::devices
