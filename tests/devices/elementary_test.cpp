// The elementary functions against the C library's long double versions, and the random numbers against
// their published sequence.
#include "devices/math/elementary.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "devices/math/random.hpp"

namespace brownout::devices {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kSeed = 20240607;

// Distance of `value` from the exact `reference` in units in the last place of the reference.
double ulps(double value, long double reference) {
  const auto near = static_cast<double>(reference);
  const double size = std::fabs(near);
  const double unit =
      std::max(std::nextafter(size, kInfinity) - size, std::numeric_limits<double>::denorm_min());
  return static_cast<double>(std::fabs(static_cast<long double>(value) - reference) /
                             static_cast<long double>(unit));
}

// Uniform in [low, high).
double between(SplitMix64& random, double low, double high) { return low + (high - low) * random.unit(); }

// A number of either sign whose exponent is uniform in [low, high].
double of_any_size(SplitMix64& random, int low, int high) {
  const int exponents = high - low + 1;
  const auto exponent = static_cast<int>(random.below(static_cast<std::uint64_t>(exponents))) + low;
  const double sign = random.below(2) == 0 ? 1.0 : -1.0;
  return sign * std::ldexp(1 + random.unit(), exponent);
}

template <typename Function, typename Reference, typename Draw>
double worst_of(Function function, Reference reference, Draw draw, int count = 400'000) {
  SplitMix64 random(kSeed);
  double worst = 0;
  double where = 0;
  for (int i = 0; i < count; ++i) {
    const double x = draw(random);
    const double error = ulps(function(x), reference(static_cast<long double>(x)));
    if (!(error <= worst)) {
      worst = error;
      where = x;
    }
  }
  ::testing::Test::RecordProperty("worst_ulp", std::to_string(worst));
  std::printf("  worst %.3f ulp at %a\n", worst, where);
  return worst;
}

long double deficit_reference(long double x) {
  if (std::fabs(x) > 0.01L) return x - std::log1p(x);
  long double sum = 0;
  long double power = x;
  for (int n = 2; n < 14; ++n) {
    power *= -x;
    sum -= power / n;
  }
  return sum;
}

long double excess_reference(long double x) {
  if (std::fabs(x) > 0.01L) return std::expm1(x) - x;
  long double sum = 0;
  long double term = x;
  for (int n = 2; n < 14; ++n) {
    term *= x / n;
    sum += term;
  }
  return sum;
}

TEST(Elementary, ExpIsWithinOneUlp) {
  const auto reference = [](long double x) { return std::exp(x); };
  EXPECT_LT(worst_of(exp_of, reference, [](SplitMix64& r) { return between(r, -745, 709.7); }), 1.0);
  EXPECT_LT(worst_of(exp_of, reference, [](SplitMix64& r) { return between(r, -2, 2); }), 1.0);
  EXPECT_LT(worst_of(exp_of, reference, [](SplitMix64& r) { return of_any_size(r, -60, 8); }), 1.0);
}

TEST(Elementary, LogIsWithinOneUlp) {
  const auto reference = [](long double x) { return std::log(x); };
  EXPECT_LT(worst_of(log_of, reference, [](SplitMix64& r) { return std::fabs(of_any_size(r, -1074, 1023)); }),
            1.0);
  EXPECT_LT(worst_of(log_of, reference, [](SplitMix64& r) { return between(r, 0.25, 4); }), 1.0);
  EXPECT_LT(worst_of(log_of, reference, [](SplitMix64& r) { return 1 + of_any_size(r, -52, -3); }), 1.0);
}

TEST(Elementary, Log1pIsWithinOneUlpAlsoForTinyArguments) {
  const auto reference = [](long double x) { return std::log1p(x); };
  EXPECT_LT(worst_of(log1p_of, reference, [](SplitMix64& r) { return of_any_size(r, -1022, -2); }), 1.0);
  EXPECT_LT(worst_of(log1p_of, reference, [](SplitMix64& r) { return between(r, -0.9999, 3); }), 1.0);
  EXPECT_LT(worst_of(log1p_of, reference, [](SplitMix64& r) { return std::fabs(of_any_size(r, -2, 1023)); }),
            1.0);
}

TEST(Elementary, Expm1IsWithinTwoUlpAlsoForTinyArguments) {
  const auto reference = [](long double x) { return std::expm1(x); };
  EXPECT_LT(worst_of(expm1_of, reference, [](SplitMix64& r) { return of_any_size(r, -1022, -2); }), 2.0);
  EXPECT_LT(worst_of(expm1_of, reference, [](SplitMix64& r) { return between(r, -3, 3); }), 2.0);
  EXPECT_LT(worst_of(expm1_of, reference, [](SplitMix64& r) { return between(r, -50, 709.7); }), 2.0);
}

TEST(Elementary, DeficitAndExcessKeepTheirDigits) {
  EXPECT_LT(
      worst_of(log1p_deficit_of, deficit_reference, [](SplitMix64& r) { return of_any_size(r, -400, -2); }),
      8.0);
  EXPECT_LT(
      worst_of(log1p_deficit_of, deficit_reference, [](SplitMix64& r) { return between(r, -0.999, 5); }),
      8.0);
  EXPECT_LT(
      worst_of(expm1_excess_of, excess_reference, [](SplitMix64& r) { return of_any_size(r, -400, -2); }),
      8.0);
  EXPECT_LT(worst_of(expm1_excess_of, excess_reference, [](SplitMix64& r) { return between(r, -5, 5); }),
            8.0);
}

TEST(Elementary, SineIsWithinOneUlpUpToAMillion) {
  const auto reference = [](long double x) { return std::sin(x); };
  EXPECT_LT(worst_of(sin_of, reference, [](SplitMix64& r) { return between(r, -1e6, 1e6); }), 1.0);
  EXPECT_LT(worst_of(sin_of, reference, [](SplitMix64& r) { return between(r, -7, 7); }), 1.0);
  EXPECT_LT(worst_of(sin_of, reference, [](SplitMix64& r) { return of_any_size(r, -1000, 0); }), 1.0);
  // Next to the multiples of pi/2 the reduction has to supply digits that the argument does not have.
  EXPECT_LT(worst_of(sin_of, reference,
                     [](SplitMix64& r) {
                       const auto n = static_cast<double>(r.below(636'000));
                       return n * 0x1.921fb54442d18p+0;
                     }),
            1.0);
}

TEST(Elementary, EdgesAreExact) {
  EXPECT_EQ(exp_of(0.0), 1.0);
  EXPECT_EQ(exp_of(-0.0), 1.0);
  EXPECT_EQ(exp_of(kInfinity), kInfinity);
  EXPECT_EQ(exp_of(-kInfinity), 0.0);
  EXPECT_EQ(exp_of(710.0), kInfinity);
  EXPECT_EQ(exp_of(709.785), kInfinity);
  EXPECT_LT(exp_of(709.78), kInfinity);
  EXPECT_EQ(exp_of(-746.0), 0.0);
  EXPECT_GT(exp_of(-745.0), 0.0);
  EXPECT_TRUE(std::isnan(exp_of(kNan)));

  EXPECT_EQ(log_of(1.0), 0.0);
  EXPECT_EQ(log_of(0.0), -kInfinity);
  EXPECT_EQ(log_of(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(log_of(-1.0)));
  EXPECT_TRUE(std::isnan(log_of(kNan)));
  EXPECT_EQ(log_of(std::numeric_limits<double>::denorm_min()),
            std::log(std::numeric_limits<double>::denorm_min()));

  EXPECT_TRUE(std::signbit(log1p_of(-0.0)));
  EXPECT_FALSE(std::signbit(log1p_of(0.0)));
  EXPECT_EQ(log1p_of(-1.0), -kInfinity);
  EXPECT_EQ(log1p_of(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(log1p_of(-1.5)));
  EXPECT_TRUE(std::isnan(log1p_of(kNan)));

  EXPECT_TRUE(std::signbit(expm1_of(-0.0)));
  EXPECT_EQ(expm1_of(0.0), 0.0);
  EXPECT_EQ(expm1_of(-kInfinity), -1.0);
  EXPECT_EQ(expm1_of(-1e300), -1.0);
  EXPECT_EQ(expm1_of(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(expm1_of(kNan)));

  EXPECT_EQ(log1p_deficit_of(0.0), 0.0);
  EXPECT_EQ(log1p_deficit_of(-1.0), kInfinity);
  EXPECT_EQ(log1p_deficit_of(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(log1p_deficit_of(-2.0)));
  EXPECT_EQ(expm1_excess_of(0.0), 0.0);
  EXPECT_EQ(expm1_excess_of(kInfinity), kInfinity);
  EXPECT_EQ(expm1_excess_of(-kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(expm1_excess_of(kNan)));

  EXPECT_TRUE(std::signbit(sin_of(-0.0)));
  EXPECT_EQ(sin_of(0.0), 0.0);
  EXPECT_EQ(sin_of(0x1p-60), 0x1p-60);
  EXPECT_TRUE(std::isnan(sin_of(kNan)));
}

// The bits themselves: a compiler that contracts or reorders something gives other ones.
TEST(Elementary, ResultsHaveTheseBits) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto mix = [&hash](double value) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 0x100000001b3ULL;
  };
  SplitMix64 random(kSeed);
  for (int i = 0; i < 20'000; ++i) {
    const double x = of_any_size(random, -40, 7);
    mix(exp_of(x));
    mix(expm1_of(x));
    mix(expm1_excess_of(x));
    mix(log_of(std::fabs(x)));
    mix(log1p_of(std::fabs(x)));
    mix(log1p_deficit_of(std::fabs(x)));
    mix(sin_of(x));
  }
  EXPECT_EQ(hash, 16'989'691'800'653'466'268ULL);
}

TEST(Random, FollowsThePublishedSequence) {
  // The first outputs of splitmix64.c for the seed 1234567.
  constexpr std::array<std::uint64_t, 5> kPublished = {6457827717110365317ULL, 3203168211198807973ULL,
                                                       9817491932198370423ULL, 4593380528125082431ULL,
                                                       16408922859458223821ULL};
  SplitMix64 random(1234567);
  for (const std::uint64_t expected : kPublished) EXPECT_EQ(random.next(), expected);
}

TEST(Random, UnitStaysBelowOneAndFillsItsBins) {
  SplitMix64 random(kSeed);
  std::array<int, 16> bins{};
  for (int i = 0; i < 160'000; ++i) {
    const double value = random.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++bins[static_cast<std::size_t>(value * 16)];
  }
  for (const int bin : bins) EXPECT_NEAR(bin, 10'000, 500);  // five standard deviations
}

TEST(Random, BelowHasNoBiasEvenForHugeRanges) {
  SplitMix64 random(kSeed);
  EXPECT_EQ(random.below(1), 0U);
  // With n = 3/4 of 2^64 the remainder alone would fall into the lower third half of the time.
  const std::uint64_t n = 3ULL << 62;
  int lower_third = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::uint64_t value = random.below(n);
    ASSERT_LT(value, n);
    if (value < n / 3) ++lower_third;
  }
  EXPECT_NEAR(lower_third, 10'000, 410);
}

}  // namespace
}  // namespace brownout::devices
