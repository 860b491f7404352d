// Elementary functions whose results have the same bits from every compiler and C library.
//
// The standard leaves the last bits of std::exp and its kin to the C library, so a report that used
// them would depend on the machine. These use nothing but IEEE-754 binary64 + - * / and bit handling,
// in a fixed order (the build forbids contraction into fused multiply-add).
//
// Method: argument reduction with split constants, then Taylor series of the reduced argument with
// the truncation below 2^-57 of the result; coefficients are the exact rationals, rounded once. The
// reconstruction that keeps low-order parts follows the well-known scheme of Ng (fdlibm, 1993).
// The error bounds are in units in the last place (ulp) of the result and are checked by
// tests/devices/elementary_test.cpp. All functions: O(1), NaN gives NaN, no errno, no exceptions.
#pragma once

namespace brownout::devices {

// e^x, within 1 ulp; exp_of(0) == 1. Above 709.78 infinity, below -745.13 zero; a subnormal result is
// within 1 ulp of the subnormal.
[[nodiscard]] double exp_of(double x);

// Natural logarithm, within 1 ulp; log_of(1) == 0. Zero gives -infinity, a negative argument NaN,
// infinity infinity; subnormal arguments are as exact as the others.
[[nodiscard]] double log_of(double x);

// ln(1 + x), within 1 ulp also for tiny x; keeps the sign of zero. -1 gives -infinity, less NaN.
[[nodiscard]] double log1p_of(double x);

// e^x - 1, within 2 ulp also for tiny x; keeps the sign of zero. Far below zero -1, above 709.78
// infinity.
[[nodiscard]] double expm1_of(double x);

// x - ln(1 + x), which is x^2/2 - x^3/3 + ... and never negative: within 8 ulp, where the difference of
// the two would have lost all digits for small x. -1 gives infinity, less NaN.
[[nodiscard]] double log1p_deficit_of(double x);

// e^x - 1 - x, which is x^2/2 + x^3/6 + ... and never negative: within 8 ulp, again also for small x.
[[nodiscard]] double expm1_excess_of(double x);

// Sine of an angle in radians, |radians| <= kLongestSineArgument (asserted): within 1 ulp, also next to
// the multiples of pi. Keeps the sign of zero.
inline constexpr double kLongestSineArgument = 1e6;
[[nodiscard]] double sin_of(double radians);

}  // namespace brownout::devices
