#include "devices/math/elementary.hpp"

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace brownout::devices {
namespace {

static_assert(std::numeric_limits<double>::is_iec559 && std::numeric_limits<double>::digits == 53);

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ln 2 in two parts: the first has 33 bits, so that its product with any exponent is exact.
constexpr double kLn2High = 0x1.62e42fefp-1;
constexpr double kLn2Low = 0x1.473de6af278edp-34;
constexpr double kInverseLn2 = 0x1.71547652b82fep+0;

// pi/2 in parts of 33 bits (products with a quadrant number below 2^20 are exact) and a rest.
constexpr double kHalfPi1 = 0x1.921fb544p+0;
constexpr double kHalfPi2 = 0x1.0b4611a6p-34;
constexpr double kHalfPi3 = 0x1.3198a2ep-69;
constexpr double kHalfPi4 = 0x1.b839a252049c1p-104;
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;

// Below this |x|, 1 + x lies within (sqrt(1/2), sqrt(2)) and the logarithm needs no reduction.
constexpr double kLogDirectLow = -0.29;
constexpr double kLogDirectHigh = 0.41;
constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
// Half of ln 2: below this |x| the exponential needs no reduction.
constexpr double kExpDirect = 0.3465;

constexpr std::uint64_t kMantissaMask = (std::uint64_t{1} << 52) - 1;
constexpr int kBias = 1023;

constexpr double factorial(int n) {
  double product = 1;
  for (int i = 2; i <= n; ++i) product *= i;  // exact up to 22!
  return product;
}

// 1/(first)!, 1/(first + step)!, ... with alternating signs if `sign` is -1.
template <std::size_t kCount>
constexpr std::array<double, kCount> inverse_factorials(int first, int step, double sign) {
  std::array<double, kCount> terms{};
  double current = 1;
  for (std::size_t i = 0; i < kCount; ++i) {
    terms[i] = current / factorial(first + step * static_cast<int>(i));
    current *= sign;
  }
  return terms;
}

// 2/3, 2/5, 2/7, ...: ln(1 + f) = 2 s + s z (2/3 + 2/5 z + ...) with s = f / (2 + f), z = s^2 <= 0.0295.
template <std::size_t kCount>
constexpr std::array<double, kCount> log_terms() {
  std::array<double, kCount> terms{};
  for (std::size_t i = 0; i < kCount; ++i) terms[i] = 2.0 / static_cast<double>(2 * i + 3);
  return terms;
}

constexpr auto kLogTerms = log_terms<11>();                    // rest below 2^-59
constexpr auto kExpTerms = inverse_factorials<13>(2, 1, 1.0);  // 1/2! .. 1/14!, rest below 2^-61
constexpr auto kSinTerms = inverse_factorials<9>(3, 2, -1.0);  // 1/3! .. 1/19!, for -x^3 (...)
constexpr auto kCosTerms = inverse_factorials<8>(4, 2, -1.0);  // 1/4! .. 1/18!, for x^4 (...)

template <std::size_t kCount>
double horner(const std::array<double, kCount>& terms, double x) {
  double sum = terms[kCount - 1];
  for (std::size_t i = kCount - 1; i > 0; --i) sum = sum * x + terms[i - 1];
  return sum;
}

// 2^exponent for a normal result.
double power_of_two(int exponent) {
  assert(exponent > -kBias && exponent <= kBias);
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + kBias) << 52);
}

// value * 2^exponent with at most one rounding; |value| in [1/2, 4), exponent within [-1080, 1030].
double scaled(double value, int exponent) {
  if (exponent > 1000) return value * power_of_two(exponent - 1000) * power_of_two(1000);
  if (exponent < -1000) return value * power_of_two(exponent + 1000) * power_of_two(-1000);
  return value * power_of_two(exponent);
}

struct Split {
  double fraction = 0;  // in (sqrt(1/2), sqrt(2)]
  int exponent = 0;
};

// x = fraction * 2^exponent; x positive, finite and normal.
Split split_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  Split split;
  split.exponent = static_cast<int>(bits >> 52) - kBias;
  split.fraction = std::bit_cast<double>((bits & kMantissaMask) | (std::uint64_t{kBias} << 52));
  if (split.fraction > kSqrt2) {
    split.fraction *= 0.5;
    ++split.exponent;
  }
  return split;
}

// f - ln(1 + f) for 1 + f within [sqrt(1/2), sqrt(2)]: f^2/2 - s (f^2/2 + R), no cancellation to speak of.
double log_core_deficit(double f) {
  const double s = f / (2 + f);
  const double z = s * s;
  const double rest = z * horner(kLogTerms, z);
  const double half_square = 0.5 * f * f;
  return half_square - s * (half_square + rest);
}

// exponent ln 2 + ln(1 + f) + small, where `small` is far below the rest.
double log_sum(int exponent, double f, double small) {
  const double deficit = log_core_deficit(f);
  if (exponent == 0) return f - (deficit - small);
  const double e = exponent;
  return e * kLn2High - ((deficit - (e * kLn2Low + small)) - f);
}

// e^r - 1 - r for |r| <= ln(2) / 2 (and a bit).
double exp_core_excess(double r) { return r * r * horner(kExpTerms, r); }

struct Reduced {
  int exponent = 0;  // x = exponent ln 2 + value + tail
  double value = 0;
  double tail = 0;
};

Reduced reduced_by_ln2(double x) {
  Reduced reduced;
  reduced.exponent = static_cast<int>(x * kInverseLn2 + (x < 0 ? -0.5 : 0.5));
  const double e = reduced.exponent;
  const double high = x - e * kLn2High;  // exact: the product is, and the two are close
  const double low = e * kLn2Low;
  reduced.value = high - low;
  reduced.tail = (high - reduced.value) - low;
  return reduced;
}

}  // namespace

double exp_of(double x) {
  if (x != x) return kNan;
  if (x > 709.79) return kInfinity;
  if (x < -745.14) return 0;
  const Reduced r = reduced_by_ln2(x);
  const double sum = 1 + (r.value + (exp_core_excess(r.value) + r.tail));
  return r.exponent == 0 ? sum : scaled(sum, r.exponent);
}

double expm1_of(double x) {
  if (x != x) return kNan;
  if (x > 709.79) return kInfinity;
  if (x < -40) return -1;  // e^-40 is below half an ulp of 1
  if (x == 0) return x;    // with its sign
  if (x > -kExpDirect && x < kExpDirect) return x + exp_core_excess(x);
  const Reduced r = reduced_by_ln2(x);
  // The tail's effect on the excess is r * tail, below 2^-54 of the whole, but costs one operation.
  const double e = r.value + (exp_core_excess(r.value) + (r.tail + r.tail * r.value));
  if (r.exponent == 0) return e;
  if (r.exponent > 60) return scaled(1 + e, r.exponent);  // the 1 to be taken off is out of sight
  if (r.exponent > 0) return power_of_two(r.exponent) * ((1 - power_of_two(-r.exponent)) + e);
  const double scale = power_of_two(r.exponent);
  return (scale - 1) + scale * e;
}

double expm1_excess_of(double x) {
  if (x > -kExpDirect && x < kExpDirect) return exp_core_excess(x);
  if (x == kInfinity) return kInfinity;
  return expm1_of(x) - x;
}

double log_of(double x) {
  if (x != x || x < 0) return kNan;
  if (x == 0) return -kInfinity;
  if (x == kInfinity) return kInfinity;
  int extra = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    extra = -54;
  }
  const Split split = split_of(x);
  return log_sum(split.exponent + extra, split.fraction - 1, 0);
}

double log1p_of(double x) {
  if (x != x || x < -1) return kNan;
  if (x == -1) return -kInfinity;
  if (x == kInfinity) return kInfinity;
  if (x > kLogDirectLow && x < kLogDirectHigh) return x - log_core_deficit(x);
  const double sum = 1 + x;
  // What the addition rounded off, relative to the sum: ln(sum + c) = ln(sum) + c / sum + ...
  const double lost = x > 1 ? 1 - (sum - x) : x - (sum - 1);
  const Split split = split_of(sum);
  return log_sum(split.exponent, split.fraction - 1, lost / sum);
}

double log1p_deficit_of(double x) {
  if (x > kLogDirectLow && x < kLogDirectHigh) return log_core_deficit(x);
  if (x == kInfinity) return kInfinity;
  return x - log1p_of(x);
}

double sin_of(double radians) {
  if (radians != radians) return kNan;
  if (radians == 0) return radians;  // with its sign
  assert(radians >= -kLongestSineArgument && radians <= kLongestSineArgument);
  const auto quadrant = static_cast<std::int32_t>(radians * kTwoOverPi + (radians < 0 ? -0.5 : 0.5));
  const double n = quadrant;
  // radians - n pi/2 as x + tail. The first difference is exact, the second is made exact by its error.
  const double first = radians - n * kHalfPi1;
  const double second = n * kHalfPi2;
  const double high = first - second;
  const double taken = first - high;
  const double error = (first - (high + taken)) + (taken - second);
  const double low = error - n * kHalfPi3 - n * kHalfPi4;
  const double x = high + low;
  const double tail = (high - x) + low;

  const double square = x * x;
  double result = 0;
  if ((quadrant & 1) == 0) {
    // sin(x + tail) = x - x^3 (1/3! - x^2/5! + ...) + tail (1 - x^2/2).
    const double cubic = x * square * horner(kSinTerms, square);
    result = x - (cubic - tail * (1 - 0.5 * square));
  } else {
    // cos(x + tail) = 1 - x^2/2 + x^4 (1/4! - ...) - x tail; w + ((1 - w) - x^2/2) is 1 - x^2/2 in two parts.
    const double half = 0.5 * square;
    const double w = 1 - half;
    result = w + (((1 - w) - half) + (square * square * horner(kCosTerms, square) - x * tail));
  }
  return (quadrant & 2) == 0 ? result : -result;
}

}  // namespace brownout::devices
