// The project's random numbers: one small generator with a documented sequence.
#pragma once

#include <cassert>
#include <cstdint>

namespace brownout::devices {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014; the
// constants are those of Vigna's public-domain splitmix64.c). Every seed is good; period 2^64. Unlike
// the standard's distributions, what is derived from it here is the same everywhere. Draw once per
// statement: the order of two draws within one expression is not defined.
class SplitMix64 {
 public:
  explicit constexpr SplitMix64(std::uint64_t seed) : state_(seed) {}

  // 64 random bits. O(1).
  constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  // Uniform in [0, 1), a multiple of 2^-53. One draw.
  constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // Uniform in [0, n), n > 0, without bias: draws below 2^64 mod n are rejected, so that the rest is a
  // whole number of runs of n. Fewer than two draws on average, one nearly always for small n.
  constexpr std::uint64_t below(std::uint64_t n) {
    assert(n > 0);
    const std::uint64_t threshold = (0 - n) % n;
    std::uint64_t draw = next();
    while (draw < threshold) draw = next();
    return draw % n;
  }

 private:
  std::uint64_t state_;
};

}  // namespace brownout::devices
