// Time of the simulated world, and the few constants that go with it.
#pragma once

#include <cassert>
#include <compare>
#include <cstdint>
#include <limits>

namespace brownout::devices {

// A span or an instant of virtual time in whole picoseconds. int64 reaches 106 days; sums and
// differences that leave that range are a programming error and asserted.
struct Picoseconds {
  std::int64_t count = 0;

  friend constexpr auto operator<=>(Picoseconds, Picoseconds) = default;  // NOLINT(modernize-use-nullptr)

  friend constexpr Picoseconds operator+(Picoseconds a, Picoseconds b) {
    assert(b.count <= 0 || a.count <= std::numeric_limits<std::int64_t>::max() - b.count);
    return {a.count + b.count};
  }
  friend constexpr Picoseconds operator-(Picoseconds a, Picoseconds b) { return {a.count - b.count}; }
  friend constexpr Picoseconds operator*(Picoseconds a, std::int64_t times) { return {a.count * times}; }
  constexpr Picoseconds& operator+=(Picoseconds b) { return *this = *this + b; }
  constexpr Picoseconds& operator-=(Picoseconds b) { return *this = *this - b; }

  [[nodiscard]] constexpr double seconds() const { return static_cast<double>(count) / 1e12; }
};

inline constexpr Picoseconds kForever{std::numeric_limits<std::int64_t>::max()};
inline constexpr std::int64_t kPicosecondsPerSecond = 1'000'000'000'000;

constexpr Picoseconds nanoseconds(std::int64_t n) { return {n * 1'000}; }
constexpr Picoseconds microseconds(std::int64_t n) { return {n * 1'000'000}; }
constexpr Picoseconds milliseconds(std::int64_t n) { return {n * 1'000'000'000}; }

// Time of `cycles` periods of a clock of `hertz`, rounded down. Exact for any count below 9.2e18 / 1e12
// whole seconds plus remainder: the division is done in two parts so that nothing overflows.
constexpr Picoseconds cycles_at(std::uint64_t cycles, std::uint64_t hertz) {
  const std::uint64_t whole = cycles / hertz;
  const std::uint64_t rest = cycles % hertz;
  // rest < hertz <= 1e10, so rest * 1e12 needs 74 bits: split 1e12 into 1e6 * 1e6.
  const std::uint64_t high = rest * 1'000'000 / hertz;
  const std::uint64_t low = rest * 1'000'000 % hertz * 1'000'000 / hertz;
  return {static_cast<std::int64_t>(whole * 1'000'000'000'000 + high * 1'000'000 + low)};
}

}  // namespace brownout::devices
