// Quantities with units, decimals, near misses, and how text is shown in messages.
#include "sim/scenario/quantity.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/scenario/decimal.hpp"
#include "sim/scenario/nearest.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr Limits kAny{0, 1e30};
constexpr TimeLimits kAnyTime{{0}, kLongestTime};
constexpr WholeLimits kAnyWhole{0, std::numeric_limits<std::uint64_t>::max()};
const Location kHere{"s.yaml", 3, 7};

double quantity(std::string_view text, Dimension dimension, Limits limits = kAny) {
  return parse_quantity({text, "key", kHere}, dimension, limits);
}
std::int64_t time_ps(std::string_view text) { return parse_time({text, "key", kHere}, kAnyTime).count; }
std::uint64_t whole(std::string_view text, Dimension dimension) {
  return parse_whole({text, "key", kHere}, dimension, kAnyWhole);
}

// The whole line of the error that `action` throws.
template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Quantity, EveryUnitIsTheNearestDouble) {
  struct Case {
    const char* text;
    Dimension dimension;
    double value;
  };
  for (const Case& c : std::initializer_list<Case>{{"7 nV", Dimension::voltage, 7e-9},
                                                   {"7uV", Dimension::voltage, 7e-6},
                                                   {"3 mV", Dimension::voltage, 3e-3},
                                                   {"3.3 V", Dimension::voltage, 3.3},
                                                   {"1.1 kV", Dimension::voltage, 1.1e3},
                                                   {"2 pA", Dimension::current, 2e-12},
                                                   {"488 nA", Dimension::current, 488e-9},
                                                   {"2 uA", Dimension::current, 2e-6},
                                                   {"2 \xC2\xB5"
                                                    "A",
                                                    Dimension::current, 2e-6},
                                                   {"2\xCE\xBC"
                                                    "A",
                                                    Dimension::current, 2e-6},
                                                   {"1.6 mA", Dimension::current, 1.6e-3},
                                                   {"0.7 A", Dimension::current, 0.7},
                                                   {"9 uOhm", Dimension::resistance, 9e-6},
                                                   {"30 mOhm", Dimension::resistance, 30e-3},
                                                   {"30 Ohm", Dimension::resistance, 30},
                                                   {"30 ohm", Dimension::resistance, 30},
                                                   {"30 \xCE\xA9", Dimension::resistance, 30},
                                                   {"3 k\xE2\x84\xA6", Dimension::resistance, 3e3},
                                                   {"10 MOhm", Dimension::resistance, 10e6},
                                                   {"1 GOhm", Dimension::resistance, 1e9},
                                                   {"4 pF", Dimension::capacitance, 4e-12},
                                                   {"4.7 nF", Dimension::capacitance, 4.7e-9},
                                                   {"4.7 uF", Dimension::capacitance, 4.7e-6},
                                                   {"1.5 mF", Dimension::capacitance, 1.5e-3},
                                                   {"0.1 F", Dimension::capacitance, 0.1},
                                                   {"1 kF", Dimension::capacitance, 1e3},
                                                   {"5 pW", Dimension::power, 5e-12},
                                                   {"5 nW", Dimension::power, 5e-9},
                                                   {"150 uW", Dimension::power, 150e-6},
                                                   {"0.3 mW", Dimension::power, 0.3e-3},
                                                   {"1 W", Dimension::power, 1},
                                                   {"1 kW", Dimension::power, 1e3},
                                                   {"0.5 Hz", Dimension::frequency, 0.5},
                                                   {"32.768 kHz", Dimension::frequency, 32768},
                                                   {"20 MHz", Dimension::frequency, 20e6},
                                                   {"1 GHz", Dimension::frequency, 1e9},
                                                   {"2.5", Dimension::number, 2.5},
                                                   {"5 %", Dimension::ratio, 0.05},
                                                   {"0.3%", Dimension::ratio, 0.003},
                                                   {"100 %", Dimension::ratio, 1},
                                                   {"0.05", Dimension::ratio, 0.05},
                                                   {" 1e-3 ", Dimension::number, 1e-3},
                                                   {".5 V", Dimension::voltage, 0.5},
                                                   {"5. V", Dimension::voltage, 5},
                                                   {"+1 V", Dimension::voltage, 1},
                                                   {"1E3 mV", Dimension::voltage, 1},
                                                   {"0 V", Dimension::voltage, 0},
                                                   {"1e-400 V", Dimension::voltage, 0}}) {
    EXPECT_EQ(quantity(c.text, c.dimension), c.value) << c.text;
  }
}

TEST(Quantity, TimesAreExact) {
  EXPECT_EQ(time_ps("1 ps"), 1);
  EXPECT_EQ(time_ps("0.1 ns"), 100);
  EXPECT_EQ(time_ps("0.001 ns"), 1);
  EXPECT_EQ(time_ps("1.000001us"), 1'000'001);
  EXPECT_EQ(time_ps("30 ms"), 30'000'000'000);
  EXPECT_EQ(time_ps("0.3 s"), 300'000'000'000);
  EXPECT_EQ(time_ps("123456.789012345678 s"), 123'456'789'012'345'678);  // more than a double holds
  EXPECT_EQ(time_ps("1 min"), 60 * devices::kPicosecondsPerSecond);
  EXPECT_EQ(time_ps("1.5 h"), 5'400 * devices::kPicosecondsPerSecond);
  EXPECT_EQ(time_ps("100 d"), 8'640'000 * devices::kPicosecondsPerSecond);
  EXPECT_EQ(time_ps("1e-12 s"), 1);
  EXPECT_EQ(time_ps("0 ms"), 0);
  EXPECT_EQ(error_of([] { time_ps("0.0001 ns"); }),
            "s.yaml:3:7: key: \"0.0001 ns\" is not a whole number of picoseconds; write fewer digits");
  EXPECT_EQ(error_of([] { time_ps("1e-13 s"); }),
            "s.yaml:3:7: key: \"1e-13 s\" is not a whole number of picoseconds; write fewer digits");
  EXPECT_EQ(error_of([] { time_ps("100.000001 d"); }),
            "s.yaml:3:7: key: \"100.000001 d\" is out of range: it must be between 0 s and 100 d");
  EXPECT_EQ(error_of([] { time_ps("1e9999 s"); }),
            "s.yaml:3:7: key: \"1e9999 s\" is out of range: it must be between 0 s and 100 d");
}

TEST(Quantity, WholeNumbersAreExact) {
  EXPECT_EQ(whole("1 B", Dimension::bytes), 1U);
  EXPECT_EQ(whole("2 KB", Dimension::bytes), 2'000U);
  EXPECT_EQ(whole("2 kB", Dimension::bytes), 2'000U);
  EXPECT_EQ(whole("4 KiB", Dimension::bytes), 4'096U);
  EXPECT_EQ(whole("0.5 KiB", Dimension::bytes), 512U);
  EXPECT_EQ(whole("1 MB", Dimension::bytes), 1'000'000U);
  EXPECT_EQ(whole("1.5MiB", Dimension::bytes), 1'572'864U);
  EXPECT_EQ(whole("18446744073709551615", Dimension::number), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(whole("1e3", Dimension::number), 1'000U);
  EXPECT_EQ(whole("32.768 kHz", Dimension::frequency), 32'768U);
  EXPECT_EQ(error_of([] { whole("0.3 KiB", Dimension::bytes); }),
            "s.yaml:3:7: key: \"0.3 KiB\" is not a whole number of bytes");
  EXPECT_EQ(error_of([] { whole("0.5 Hz", Dimension::frequency); }),
            "s.yaml:3:7: key: \"0.5 Hz\" is not a whole number of hertz");
  EXPECT_EQ(error_of([] { whole("1.5", Dimension::number); }),
            "s.yaml:3:7: key: \"1.5\" is not a whole number");
}

TEST(Quantity, ErrorsSayWhatWouldBeRight) {
  const auto capacitance = [](const char* text) {
    return error_of([&] { quantity(text, Dimension::capacitance, {1e-9, 1e3}); });
  };
  const std::string at = "s.yaml:3:7: key: ";
  EXPECT_EQ(capacitance("1.5"), at + "\"1.5\" needs a unit, such as 1.5 mF");
  EXPECT_EQ(capacitance("1.5 mV"),
            at + "\"1.5 mV\" is a voltage, not a capacitance; write it such as 1.5 mF");
  EXPECT_EQ(capacitance("1.5 mf"), at + "\"1.5 mf\" has an unknown unit \"mf\"; did you mean 1.5 mF?");
  EXPECT_EQ(capacitance("1.5 mF x"),
            at + "\"1.5 mF x\" is not a capacitance: unknown unit \"mF x\" (known: pF, nF, uF, mF, F, kF)");
  EXPECT_EQ(capacitance("-1 mF"), at + "\"-1 mF\" must not be negative");
  EXPECT_EQ(capacitance("nan"),
            at + "\"nan\" is not a capacitance; write a number with a unit, such as 1.5 mF");
  EXPECT_EQ(capacitance(".inf"),
            at + "\".inf\" is not a capacitance; write a number with a unit, such as 1.5 mF");
  EXPECT_EQ(capacitance(""), at + "\"\" is not a capacitance; write a number with a unit, such as 1.5 mF");
  EXPECT_EQ(capacitance("1 pF"), at + "\"1 pF\" is out of range: it must be between 1 nF and 1 kF");
  EXPECT_EQ(capacitance("1001 F"), at + "\"1001 F\" is out of range: it must be between 1 nF and 1 kF");
  EXPECT_EQ(capacitance("1e999 F"), at + "\"1e999 F\" is out of range: it must be between 1 nF and 1 kF");
  EXPECT_EQ(capacitance("1,5 mF"),
            at + "\"1,5 mF\" is not a capacitance: unknown unit \",5 mF\" (known: pF, nF, uF, mF, F, kF)");
  EXPECT_EQ(capacitance((std::string(61, '1') + " F").c_str()),
            at + "\"" + std::string(60, '1') + "...\" has too many digits");
  EXPECT_EQ(error_of([] { quantity("20 mHz", Dimension::frequency); }),
            at + "\"20 mHz\" has an unknown unit \"mHz\"; did you mean 20 MHz?");
  EXPECT_EQ(error_of([] { quantity("5 V", Dimension::number); }),
            at + "\"5 V\" is not a plain number; leave out \"V\"");
  EXPECT_EQ(error_of([] { whole("4096", Dimension::bytes); }), at + "\"4096\" needs a unit, such as 4096 B");
  EXPECT_EQ(error_of([] { time_ps("-3 s"); }), at + "\"-3 s\" must not be negative");
}

TEST(Quantity, RatiosArePlainOrPercent) {
  const auto ratio = [](const char* text) {
    return error_of([&] { quantity(text, Dimension::ratio, {0.01, 0.5}); });
  };
  const std::string at = "s.yaml:3:7: key: ";
  EXPECT_EQ(ratio("5 %"), "no error");
  EXPECT_EQ(ratio("1 %"), "no error");
  EXPECT_EQ(ratio("50 %"), "no error");
  EXPECT_EQ(ratio("0.05"), "no error");
  EXPECT_EQ(ratio("0.9 %"), at + "\"0.9 %\" is out of range: it must be between 1 % and 50 %");
  EXPECT_EQ(ratio("51 %"), at + "\"51 %\" is out of range: it must be between 1 % and 50 %");
  EXPECT_EQ(ratio("5"), at + "\"5\" is out of range: it must be between 1 % and 50 %; did you mean 5 %?");
  EXPECT_EQ(ratio("51"), at + "\"51\" is out of range: it must be between 1 % and 50 %");
  EXPECT_EQ(ratio("5 V"), at + "\"5 V\" is a voltage, not a ratio; write it such as 5 %");
  EXPECT_EQ(ratio("5 percent"), at + "\"5 percent\" is not a ratio: unknown unit \"percent\" (known: %)");
  EXPECT_EQ(ratio("five"), at + "\"five\" is not a ratio; write a number, such as 5 %");
  EXPECT_EQ(ratio("-5 %"), at + "\"-5 %\" must not be negative");
  EXPECT_EQ(error_of([] { quantity("5 %", Dimension::voltage); }),
            at + "\"5 %\" is a ratio, not a voltage; write it such as 3.3 V");
}

TEST(Quantity, LimitsAreInclusive) {
  EXPECT_EQ(quantity("1 nF", Dimension::capacitance, {1e-9, 1e3}), 1e-9);
  EXPECT_EQ(quantity("1 kF", Dimension::capacitance, {1e-9, 1e3}), 1e3);
  EXPECT_EQ(parse_time({"2 s", "key", kHere}, {{2'000'000'000'000}, {2'000'000'000'000}}).count,
            2'000'000'000'000);
  EXPECT_EQ(parse_whole({"7", "key", kHere}, Dimension::number, {7, 7}), 7U);
}

TEST(Quantity, Formatting) {
  EXPECT_EQ(format_quantity(1.5e-3, Dimension::capacitance), "1.5 mF");
  EXPECT_EQ(format_quantity(0, Dimension::power), "0 W");
  EXPECT_EQ(format_quantity(20e6, Dimension::frequency), "20 MHz");
  EXPECT_EQ(format_quantity(0.5, Dimension::frequency), "0.5 Hz");
  EXPECT_EQ(format_quantity(2.5, Dimension::number), "2.5");
  EXPECT_EQ(format_quantity(0.05, Dimension::ratio), "5 %");
  EXPECT_EQ(format_quantity(0, Dimension::ratio), "0 %");
  EXPECT_EQ(format_quantity(1e15, Dimension::resistance), "1e+06 GOhm");
  EXPECT_EQ(format_time({0}), "0 s");
  EXPECT_EQ(format_time(devices::milliseconds(1'001)), "1001 ms");
  EXPECT_EQ(format_time(kLongestTime), "100 d");
  EXPECT_EQ(format_bytes(4'096), "4 KiB");
  EXPECT_EQ(format_bytes(16U << 20U), "16 MiB");
  EXPECT_EQ(format_bytes(4'097), "4097 B");
  EXPECT_EQ(format_bytes(0), "0 B");
}

TEST(Decimal, NumbersAreFoundAtTheBeginning) {
  EXPECT_EQ(number_length("1.5 mF"), 3U);
  EXPECT_EQ(number_length("1e5"), 3U);
  EXPECT_EQ(number_length("1e"), 1U);
  EXPECT_EQ(number_length("1e+"), 1U);
  EXPECT_EQ(number_length("+.5e-3x"), 6U);
  EXPECT_EQ(number_length("."), 0U);
  EXPECT_EQ(number_length("-"), 0U);
  EXPECT_EQ(number_length(""), 0U);
  EXPECT_EQ(number_length("0x10"), 1U);
  EXPECT_FALSE(parse_decimal("1 "));
  EXPECT_FALSE(parse_decimal(""));
}

TEST(Decimal, ScalesAndRounds) {
  const auto nearest_of = [](std::string_view text, std::uint32_t factor, int exponent) {
    return static_cast<std::int64_t>(*scaled(*parse_decimal(text), factor, exponent, Rounding::nearest));
  };
  EXPECT_EQ(nearest_of("0.5", 1, 0), 1);
  EXPECT_EQ(nearest_of("0.49", 1, 0), 0);
  EXPECT_EQ(nearest_of("-0.5", 1, 0), -1);
  EXPECT_EQ(nearest_of("-2.4", 1, 0), -2);
  EXPECT_EQ(nearest_of("1", 60, 12), 60'000'000'000'000);
  EXPECT_EQ(nearest_of("0.1000000000000000055511151231257827", 1, 12), 100'000'000'000);
  EXPECT_EQ(nearest_of("00000000000000000000000000000000000000000000000000001", 1, 3), 1'000);
  EXPECT_EQ(nearest_of("1e-5000", 1, 12), 0);
  EXPECT_EQ(scaled(*parse_decimal("1e-5000"), 1, 12, Rounding::exact), std::nullopt);
  EXPECT_EQ(scaled(*parse_decimal("0e-5000"), 1, 12, Rounding::exact), Int128{0});
  EXPECT_GT(*scaled(*parse_decimal("1e5000"), 1, 12, Rounding::exact), Int128{kLongestTime.count});
  EXPECT_EQ(scaled(*parse_decimal("1" + std::string(30, '0') + "e-30"), 1, 12, Rounding::exact),
            Int128{1'000'000'000'000});
}

TEST(Decimal, NearestDoubleAgreesWithTheStandardLibrary) {
  std::uint64_t state = 12345;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const int exponent = static_cast<int>(state >> 59U) - 16;
    const std::string digits = std::to_string(state >> 11U);
    const std::string text = digits.substr(0, 1) + "." + digits.substr(1);
    const std::string shifted = text + "e" + std::to_string(exponent);
    double expected = 0;
    std::from_chars(shifted.data(), shifted.data() + shifted.size(), expected);
    ASSERT_EQ(nearest_double(text, exponent), expected) << shifted;
  }
  EXPECT_TRUE(std::isinf(nearest_double("1e300", 300)));
  EXPECT_EQ(nearest_double("1e-300", -300), 0.0);
}

TEST(Nearest, FindsWhatWasMeant) {
  constexpr std::array<std::string_view, 5> kKeys{"capacitance", "initial_voltage", "leakage", "esr",
                                                  "max_voltage"};
  EXPECT_EQ(nearest("capacitence", kKeys), "capacitance");
  EXPECT_EQ(nearest("capctnce", kKeys), std::nullopt);  // three edits in eight letters
  EXPECT_EQ(nearest("leakgae", kKeys), "leakage");
  EXPECT_EQ(nearest("ers", kKeys), "esr");
  EXPECT_EQ(nearest("ESR", kKeys), "esr");
  EXPECT_EQ(nearest("intial_votlage", kKeys), "initial_voltage");
  EXPECT_EQ(nearest("initialvoltages_", kKeys), "initial_voltage");  // a third of its length
  EXPECT_EQ(nearest("xyz", kKeys), std::nullopt);
  EXPECT_EQ(nearest("", kKeys), std::nullopt);
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), kKeys), std::nullopt);
  constexpr std::array<std::string_view, 2> kShort{"to", "for"};
  EXPECT_EQ(nearest("ab", kShort), std::nullopt);
  constexpr std::array<std::string_view, 2> kTie{"warm", "warp"};
  EXPECT_EQ(nearest("warn", kTie), "warm");
  EXPECT_EQ(edit_distance("abcd", "acbd"), 1U);  // a swap
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

TEST(Text, MessagesStayOnOneLine) {
  EXPECT_EQ(escaped("a\nb\tc\r\x01\x7F"), "a\\nb\\tc\\r\\x01\\x7f");
  EXPECT_EQ(escaped("\xC2\xB5\xE2\x84\xA6\xF0\x9F\x98\x80"), "\xC2\xB5\xE2\x84\xA6\xF0\x9F\x98\x80");
  EXPECT_EQ(escaped("\xC2\x85\xE2\x80\xA8"), "\\xc2\\x85\\xe2\\x80\\xa8");  // NEL and LINE SEPARATOR
  EXPECT_EQ(escaped("\xFF\xC3"), "\\xff\\xc3");
  EXPECT_EQ(in_quotes(std::string(59, 'a') + "\xC2\xB5"), "\"" + std::string(59, 'a') + "...\"");
  const InputError error({"a\nb", 1, 2}, "x\ny");
  EXPECT_STREQ(error.what(), "a\\nb:1:2: x\\ny");
  EXPECT_STREQ(InputError({"--set a=b", 0, 0}, "no").what(), "--set a=b: no");
}

TEST(Text, Utf8IsCheckedAsTheStandardSays) {
  EXPECT_EQ(first_invalid_utf8("ab\xC2\xB5"), std::nullopt);
  EXPECT_EQ(first_invalid_utf8("ab\xC2"), 2U);
  EXPECT_EQ(first_invalid_utf8("\xC0\x80"), 0U);          // overlong
  EXPECT_EQ(first_invalid_utf8("\xE0\x80\x80"), 0U);      // overlong
  EXPECT_EQ(first_invalid_utf8("a\xED\xA0\x80"), 1U);     // surrogate
  EXPECT_EQ(first_invalid_utf8("\xF4\x90\x80\x80"), 0U);  // above U+10FFFF
  EXPECT_EQ(first_invalid_utf8("\xF0\x8F\xBF\xBF"), 0U);  // overlong
  EXPECT_EQ(first_invalid_utf8("\xEF\xBF\xBF\xF4\x8F\xBF\xBF"), std::nullopt);
  EXPECT_EQ(first_invalid_utf8("\x80"), 0U);
}

}  // namespace
}  // namespace brownout::sim
