// xoshiro128**, the generator of the published key-value workload. Public domain algorithm by Blackman
// and Vigna (https://prng.di.unimi.it/).
#pragma once

#include <cstdint>

namespace brownout::sim::firmware {

class Xoshiro128 {
 public:
  constexpr Xoshiro128(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) : s_{a, b, c, d} {}

  // From sixteen bytes, four little-endian words.
  static constexpr Xoshiro128 from_bytes(const std::uint8_t (&seed)[16]) {
    std::uint32_t s[4] = {};
    for (unsigned i = 0; i < 16; ++i) s[i / 4] |= std::uint32_t{seed[i]} << (8U * (i % 4U));
    return {s[0], s[1], s[2], s[3]};
  }

  constexpr std::uint32_t next() {
    const std::uint32_t result = rotate(s_[1] * 5U, 7) * 9U;
    const std::uint32_t t = s_[1] << 9U;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = rotate(s_[3], 11);
    return result;
  }

 private:
  static constexpr std::uint32_t rotate(std::uint32_t x, int k) { return (x << k) | (x >> (32 - k)); }
  std::uint32_t s_[4];
};

}  // namespace brownout::sim::firmware
