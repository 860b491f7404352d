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

  // From any seed, spread by SplitMix64 as the generator's authors advise. Streams of one seed differ.
  static constexpr Xoshiro128 from_seed(std::uint64_t seed, std::uint64_t stream) {
    std::uint64_t state = spread(seed) ^ stream;
    state += kSpreadStep;
    const std::uint64_t low = spread(state);
    state += kSpreadStep;
    const std::uint64_t high = spread(state);
    return {static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(low >> 32U),
            static_cast<std::uint32_t>(high), static_cast<std::uint32_t>(high >> 32U)};
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

  // In [0, n), n > 0. One draw, whatever n: a value is at most n / 2^32 more likely than it should be.
  constexpr std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>((std::uint64_t{next()} * n) >> 32U);
  }

 private:
  static constexpr std::uint64_t kSpreadStep = 0x9E37'79B9'7F4A'7C15ULL;
  static constexpr std::uint64_t spread(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58'476D'1CE4'E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D0'49BB'1331'11EBULL;
    return z ^ (z >> 31U);
  }

  static constexpr std::uint32_t rotate(std::uint32_t x, int k) { return (x << k) | (x >> (32 - k)); }
  std::uint32_t s_[4];
};

}  // namespace brownout::sim::firmware
