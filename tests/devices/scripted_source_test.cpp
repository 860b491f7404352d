// Sources that are written down: exact instants, powers and the rules for sequences.
#include "devices/supply/scripted_source.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace brownout::devices {
namespace {

using Segments = std::vector<std::pair<std::int64_t, double>>;  // end in ps, power

// The first segments, and the rules that every source keeps.
Segments read(Source& source, std::size_t most) {
  Segments segments;
  Picoseconds last;
  while (segments.size() < most) {
    const auto segment = source.next();
    if (!segment) break;
    EXPECT_GT(segment->end, last);
    EXPECT_GE(segment->power_w, 0);
    last = segment->end;
    segments.emplace_back(segment->end.count, segment->power_w);
  }
  return segments;
}

Segments read(std::vector<TimedScript> parts, bool repeat, std::size_t most = 1'000) {
  const auto source = make_scripted_source(std::move(parts), repeat);
  return read(*source, most);
}

std::optional<Picoseconds> period_of(std::vector<TimedScript> parts, bool repeat) {
  return make_scripted_source(std::move(parts), repeat)->period();
}

BurstScript bursts() {
  return {.low_w = 0.25,
          .min_w = 1,
          .max_w = 3,
          .min_length = {10},
          .max_length = {20},
          .min_gap = {5},
          .max_gap = {7},
          .seed = 42};
}

TEST(ScriptedSource, ConstantLastsForEverOrItsTime) {
  EXPECT_EQ(read({{ConstantScript{2.5}}}, false), (Segments{{kForever.count, 2.5}}));
  EXPECT_EQ(read({{ConstantScript{2.5}, {1'000}}}, false), (Segments{{1'000, 2.5}}));
}

TEST(ScriptedSource, SquareHasExactEdges) {
  const SquareScript square{.high_w = 3, .low_w = 1, .period = {10}, .duty = 0.26};
  EXPECT_EQ(read({{square}}, false, 5), (Segments{{3, 3}, {10, 1}, {13, 3}, {20, 1}, {23, 3}}));
  EXPECT_EQ(read({{square, {22}}}, false), (Segments{{3, 3}, {10, 1}, {13, 3}, {20, 1}, {22, 3}}));
  // A day later the edges are where they were, to the picosecond.
  const SquareScript third{.high_w = 3, .low_w = 1, .period = {333'333'333'333}, .duty = 1.0 / 3};
  const Segments day = read({{third}}, false, 2 * 259'200);
  EXPECT_EQ(day.back().first, 259'200 * 333'333'333'333);
  EXPECT_EQ(day[day.size() - 2].first, 259'199 * 333'333'333'333 + 111'111'111'111);
  // Halves that round to nothing are no segments.
  const SquareScript thin{.high_w = 3, .low_w = 1, .period = {10}, .duty = 0.01};
  EXPECT_EQ(read({{thin, {30}}}, false), (Segments{{30, 1}}));
  const SquareScript thick{.high_w = 3, .low_w = 1, .period = {10}, .duty = 0.99};
  EXPECT_EQ(read({{thick, {30}}}, false), (Segments{{30, 3}}));
}

TEST(ScriptedSource, SquareReachesTheEndOfTime) {
  const SquareScript slow{.high_w = 3, .low_w = 1, .period = {kForever.count / 2}, .duty = 0.5};
  const Segments segments = read({{slow}}, false);
  ASSERT_EQ(segments.size(), 5U);  // two periods, and 1 ps of the third
  EXPECT_EQ(segments.back(), (std::pair<std::int64_t, double>{kForever.count, 3}));
}

TEST(ScriptedSource, RampHoldsTheMeanOfEachStep) {
  const RampScript ramp{.from_w = 1, .to_w = 3, .duration = {10}, .step = {4}};
  EXPECT_EQ(read({{ramp}}, false), (Segments{{4, 1.4}, {8, 2.2}, {10, 2.8}, {kForever.count, 3}}));
  EXPECT_EQ(read({{ramp, {9}}}, false), (Segments{{4, 1.4}, {8, 2.2}, {9, 2.8}}));
  EXPECT_EQ(read({{ramp, {12}}}, false), (Segments{{4, 1.4}, {8, 2.2}, {10, 2.8}, {12, 3}}));
  // The energy of the ramp is that of the line, whatever the step.
  const RampScript fall{.from_w = 7, .to_w = 0, .duration = {1'000'003}, .step = {977}};
  double energy = 0;
  std::int64_t last = 0;
  for (const auto& [end, power] : read({{fall, {1'000'003}}}, false, 10'000)) {
    energy += static_cast<double>(end - last) * power;
    last = end;
  }
  EXPECT_NEAR(energy, 3.5 * 1'000'003, 1e-6);
}

TEST(ScriptedSource, SineHoldsTheMiddleOfEachStepAndRepeatsExactly) {
  const SineScript sine{.mean_w = 1, .amplitude_w = 2, .period = {1'000}, .step = {30}};
  const Segments segments = read({{sine}}, false, 60);
  std::int64_t begin = 0;
  for (const auto& [end, power] : segments) {
    if (power > 0) {
      EXPECT_LE(end - begin, 30);
      const double middle = 0.5 * static_cast<double>(begin + end);
      EXPECT_NEAR(power, 1 + 2 * std::sin(2 * 3.14159265358979323846 * middle / 1'000), 1e-12);
    } else {
      EXPECT_GT(end - begin, 300);  // all steps below zero are one segment
    }
    begin = end;
  }
  std::vector<Segments> periods(2);
  std::int64_t from = 0;
  for (const auto& [end, power] : read({{sine, {2'000}}}, false)) {
    periods.at(from < 1'000 ? 0 : 1).emplace_back(end <= 1'000 ? end : end - 1'000, power);
    from = end;
  }
  EXPECT_GT(periods[0].size(), 20U);
  EXPECT_EQ(periods[0], periods[1]);
}

TEST(ScriptedSource, BurstsKeepTheirBoundsAndReachThem) {
  const Segments segments = read({{bursts()}}, false, 4'000);
  ASSERT_EQ(segments.size(), 4'000U);
  std::vector<int> lengths(21);
  std::vector<int> gaps(8);
  double sum = 0;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto [end, power] = segments[i];
    const auto length = static_cast<std::size_t>(end - last);
    last = end;
    if (i % 2 == 0) {
      EXPECT_EQ(power, 0.25);
      ++gaps.at(length);
    } else {
      EXPECT_GE(power, 1);
      EXPECT_LE(power, 3);
      sum += power;
      ++lengths.at(length);
    }
  }
  for (std::size_t i = 0; i < lengths.size(); ++i) EXPECT_EQ(lengths[i] > 0, i >= 10) << i;
  for (std::size_t i = 0; i < gaps.size(); ++i) EXPECT_EQ(gaps[i] > 0, i >= 5) << i;
  EXPECT_NEAR(sum / 2'000, 2, 0.06);
  // The same seed gives the same bursts, another one others.
  EXPECT_EQ(read({{bursts()}}, false, 100), read({{bursts()}}, false, 100));
  BurstScript other = bursts();
  other.seed = 43;
  EXPECT_NE(read({{other}}, false, 100), read({{bursts()}}, false, 100));
}

TEST(ScriptedSource, BurstsWithoutGapsHaveNoEmptySegments) {
  BurstScript script = bursts();
  script.min_gap = {0};
  script.max_gap = {1};
  EXPECT_EQ(read({{script}}, false, 500).size(), 500U);  // read() checks the ends
}

TEST(ScriptedSource, SequencePlaysEachPartFromItsBeginning) {
  const SquareScript square{.high_w = 3, .low_w = 1, .period = {10}, .duty = 0.5};
  const std::vector<TimedScript> parts{{square, {12}}, {ConstantScript{2}, {8}}};
  EXPECT_EQ(read(parts, false), (Segments{{5, 3}, {10, 1}, {12, 3}, {20, 2}}));
  EXPECT_EQ(read(parts, true, 8),
            (Segments{{5, 3}, {10, 1}, {12, 3}, {20, 2}, {25, 3}, {30, 1}, {32, 3}, {40, 2}}));
}

TEST(ScriptedSource, RepeatedBurstsGoOnDrawing) {
  const std::vector<TimedScript> parts{{bursts(), {200}}};
  const Segments segments = read(parts, true, 200);
  std::vector<Segments> rounds(4);
  std::int64_t last = 0;
  for (const auto& [end, power] : segments) {
    const auto round = static_cast<std::size_t>(last / 200);
    if (round >= rounds.size()) break;
    rounds[round].emplace_back(end % 200, power);
    last = end;
  }
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    EXPECT_FALSE(rounds[i].empty());
    EXPECT_TRUE(i == 0 || rounds[i] != rounds[i - 1]);
  }
  // Each round begins with a gap, wherever the one before was cut off.
  std::int64_t start = 0;
  for (const auto& [end, power] : segments) {
    if (end <= start) continue;
    EXPECT_EQ(power, 0.25) << "at " << start;
    start += 200;
  }
}

TEST(ScriptedSource, EqualNeighboursAreMergedAndAlikePartsDoNotHang) {
  EXPECT_EQ(read({{ConstantScript{1}, {5}}, {ConstantScript{1}, {6}}, {ConstantScript{2}, {7}}}, false),
            (Segments{{11, 1}, {18, 2}}));
  const Segments alike = read({{ConstantScript{1}, {5}}}, true, 10);
  ASSERT_EQ(alike.size(), 10U);
  EXPECT_GT(alike.front().first, 5);
}

TEST(ScriptedSource, RepetitionEndsAtTheEndOfTime) {
  const Picoseconds third{kForever.count / 3 - 1};
  const Segments segments = read({{ConstantScript{1}, third}, {ConstantScript{2}, third}}, true);
  ASSERT_EQ(segments.size(), 4U);
  EXPECT_EQ(segments[2].first, 3 * third.count);
  EXPECT_EQ(segments[3].first, kForever.count);
}

TEST(ScriptedSource, ReportsItsPeriod) {
  const SquareScript square{.high_w = 3, .low_w = 1, .period = {10}, .duty = 0.5};
  const SineScript sine{.mean_w = 1, .amplitude_w = 2, .period = {1'000}, .step = {30}};
  EXPECT_EQ(period_of({{square}}, false), Picoseconds{10});
  EXPECT_EQ(period_of({{sine}}, false), Picoseconds{1'000});
  EXPECT_EQ(period_of({{square, {25}}}, false), std::nullopt);
  EXPECT_EQ(period_of({{square, {25}}}, true), Picoseconds{25});
  EXPECT_EQ(period_of({{square, {25}}, {ConstantScript{1}, {5}}}, true), Picoseconds{30});
  EXPECT_EQ(period_of({{square, {25}}, {bursts(), {5}}}, true), std::nullopt);
  EXPECT_EQ(period_of({{ConstantScript{1}}}, false), std::nullopt);
  EXPECT_EQ(period_of({{ConstantScript{1}, {5}}, {square}}, false), std::nullopt);
  EXPECT_EQ(period_of({{bursts()}}, false), std::nullopt);
}

TEST(ScriptedSource, MarkovStatesLastAsLongAsTheirMeans) {
  const MarkovScript markov{
      .on_w = 2, .off_w = 0.5, .mean_on = {3'000'000}, .mean_off = {1'000'000}, .seed = 7};
  const Segments segments = read({{markov}}, false, 40'000);
  ASSERT_EQ(segments.size(), 40'000U);
  double on = 0;
  double off = 0;
  std::size_t short_on = 0;  // below the median of an exponential, mean x ln 2
  std::int64_t last = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto length = static_cast<double>(segments[i].first - last);
    last = segments[i].first;
    EXPECT_EQ(segments[i].second, i % 2 == 0 ? 0.5 : 2);
    (i % 2 == 0 ? off : on) += length;
    if (i % 2 == 1 && length < 3'000'000 * 0.6931) ++short_on;
  }
  EXPECT_NEAR(on / 20'000, 3'000'000, 60'000);  // three sigma of a mean of 20,000
  EXPECT_NEAR(off / 20'000, 1'000'000, 20'000);
  EXPECT_NEAR(static_cast<double>(short_on), 10'000, 210);
  EXPECT_EQ(read({{markov}}, false, 100), read({{markov}}, false, 100));
  MarkovScript other = markov;
  other.seed = 8;
  EXPECT_NE(read({{other}}, false, 100), read({{markov}}, false, 100));
  EXPECT_EQ(period_of({{markov, {9'000'000}}}, true), std::nullopt);
}

TEST(ScriptedSource, MarkovDwellsEndWithTime) {
  const Picoseconds long_mean{kForever.count / 2};
  const MarkovScript markov{.on_w = 2, .off_w = 0, .mean_on = long_mean, .mean_off = long_mean, .seed = 3};
  const Segments segments = read({{markov}}, false);
  EXPECT_EQ(segments.back().first, kForever.count);
}

TEST(ScriptedSource, SunRisesWithTheDayAndNightIsOneSegment) {
  const SolarScript sun{.peak_w = 3, .day = {24'000}, .daylight = {12'010}, .step = {10}, .clouds = 0};
  const Segments day = read({{sun}}, false, 2'404);  // an odd number of steps, or noon would be one
  double energy = 0;
  std::int64_t last = 0;
  for (const auto& [end, power] : day) {
    if (end <= 24'000) energy += power * static_cast<double>(end - last);
    last = end;
  }
  // The mean of half a sine is 2 / pi.
  EXPECT_NEAR(energy, 3 * 12'010 * 2 / 3.14159265358979, 1e-2);
  EXPECT_EQ(day[1'200].first, 12'010);
  EXPECT_EQ(day[1'201], (std::pair<std::int64_t, double>{24'000, 0}));
  EXPECT_EQ(day[1'202].second, day[0].second);
  EXPECT_EQ(period_of({{sun}}, false), Picoseconds{24'000});
}

TEST(ScriptedSource, CloudsTakeAwayAShareOfTheSun) {
  SolarScript sun{.peak_w = 3, .day = {24'000}, .daylight = {12'010}, .step = {10}, .clouds = 0, .seed = 5};
  const Segments clear = read({{sun}}, false, 1'201);
  sun.clouds = 0.4;
  const Segments cloudy = read({{sun}}, false, 1'201);
  double sum = 0;
  for (std::size_t i = 0; i < clear.size(); ++i) {
    ASSERT_EQ(cloudy[i].first, clear[i].first);
    const double share = cloudy[i].second / clear[i].second;
    EXPECT_GE(share, 0.6);
    EXPECT_LE(share, 1);
    sum += share;
  }
  EXPECT_NEAR(sum / 1'201, 0.8, 0.01);
  EXPECT_EQ(period_of({{sun}}, false), std::nullopt);
  // The next day has other clouds.
  EXPECT_NE(read({{sun}}, false, 2'404)[1'202].second, cloudy[0].second);
}

}  // namespace
}  // namespace brownout::devices
