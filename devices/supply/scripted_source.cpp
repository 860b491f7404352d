#include "devices/supply/scripted_source.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>
#include <utility>

#include "devices/math/elementary.hpp"
#include "devices/math/random.hpp"

namespace brownout::devices {
namespace {

constexpr double kTwoPi = 0x1.921fb54442d18p+2;
constexpr std::int64_t kEnd = kForever.count;
// Longest run of equal segments that is looked through before the first of it is handed out: parts that are
// all alike would otherwise be merged until the end of time.
constexpr int kMostMerges = 64;

[[maybe_unused]] bool is_power(double value) { return value >= 0 && value - value == 0; }

// a + b, or kEnd where that is later; both are instants or spans, so not negative.
std::int64_t later(std::int64_t a, std::int64_t b) {
  assert(a >= 0 && b >= 0);
  return a > kEnd - b ? kEnd : a + b;
}

// Rounded to the nearest picosecond, halves up.
std::int64_t high_part(const SquareScript& script) {
  const double exact = static_cast<double>(script.period.count) * script.duty;
  const auto whole = static_cast<std::int64_t>(exact);
  return exact - static_cast<double>(whole) < 0.5 ? whole : whole + 1;
}

void check(const ConstantScript& script) {
  assert(is_power(script.power_w));
  static_cast<void>(script);
}

void check(const SquareScript& script) {
  assert(is_power(script.high_w) && is_power(script.low_w));
  assert(script.period.count > 0 && script.duty > 0 && script.duty < 1);
  static_cast<void>(script);
}

void check(const RampScript& script) {
  assert(is_power(script.from_w) && is_power(script.to_w));
  assert(script.duration.count > 0 && script.step.count > 0);
  static_cast<void>(script);
}

void check(const SineScript& script) {
  assert(script.mean_w - script.mean_w == 0 && script.amplitude_w - script.amplitude_w == 0);
  assert(script.period.count > 0 && script.step.count > 0);
  static_cast<void>(script);
}

void check(const BurstScript& script) {
  assert(is_power(script.low_w) && is_power(script.min_w) && is_power(script.max_w));
  assert(script.min_w <= script.max_w);
  assert(script.min_length.count >= 0 && script.min_length <= script.max_length);
  assert(script.min_gap.count >= 0 && script.min_gap <= script.max_gap);
  assert(script.max_length.count > 0 || script.max_gap.count > 0);
  static_cast<void>(script);
}

void check(const MarkovScript& script) {
  assert(is_power(script.on_w) && is_power(script.off_w));
  assert(script.mean_on.count > 0 && script.mean_off.count > 0);
  static_cast<void>(script);
}

void check(const SolarScript& script) {
  assert(is_power(script.peak_w) && script.clouds >= 0 && script.clouds <= 1);
  assert(script.step.count > 0 && script.daylight.count > 0 && script.daylight <= script.day);
  static_cast<void>(script);
}

// A stretch of constant power within a part, up to `end` from the part's beginning.
struct Piece {
  std::int64_t end = 0;
  double power_w = 0;
};

// Where a script is: everything but the position only for what is random.
struct Progress {
  std::int64_t position = 0;   // within the part
  bool is_burst_next = false;  // or on, of a Markov chain
  SplitMix64 random{0};
};

Piece next_piece(const ConstantScript& script, Progress&) { return {kEnd, script.power_w}; }

Piece next_piece(const SquareScript& script, Progress& progress) {
  const std::int64_t phase = progress.position % script.period.count;
  const std::int64_t begin = progress.position - phase;
  const std::int64_t high = high_part(script);
  if (phase < high) return {later(begin, high), script.high_w};
  return {later(begin, script.period.count), script.low_w};
}

Piece next_piece(const RampScript& script, Progress& progress) {
  if (progress.position >= script.duration.count) return {kEnd, script.to_w};
  const std::int64_t end = std::min(later(progress.position, script.step.count), script.duration.count);
  // The mean of a line over a step is its value in the middle.
  const double middle = 0.5 * (static_cast<double>(progress.position) + static_cast<double>(end));
  const double share = middle / static_cast<double>(script.duration.count);
  return {end, std::max(0.0, script.from_w + (script.to_w - script.from_w) * share)};
}

Piece next_piece(const SineScript& script, Progress& progress) {
  const std::int64_t phase = progress.position % script.period.count;
  const std::int64_t end = std::min(later(phase, script.step.count), script.period.count);
  const double middle = 0.5 * (static_cast<double>(phase) + static_cast<double>(end));
  const double sine = sin_of(kTwoPi * (middle / static_cast<double>(script.period.count)));
  return {later(progress.position - phase, end), std::max(0.0, script.mean_w + script.amplitude_w * sine)};
}

std::int64_t drawn_between(SplitMix64& random, Picoseconds low, Picoseconds high) {
  const auto choices = static_cast<std::uint64_t>(high.count - low.count) + 1;
  const std::uint64_t draw = random.below(choices);
  return low.count + static_cast<std::int64_t>(draw);
}

Piece next_piece(const BurstScript& script, Progress& progress) {
  for (;;) {
    const bool is_burst = progress.is_burst_next;
    progress.is_burst_next = !is_burst;
    std::int64_t length = 0;
    double power = script.low_w;
    if (is_burst) {
      length = drawn_between(progress.random, script.min_length, script.max_length);
      const double unit = progress.random.unit();
      power = script.min_w + (script.max_w - script.min_w) * unit;
    } else {
      length = drawn_between(progress.random, script.min_gap, script.max_gap);
    }
    if (length > 0) return {later(progress.position, length), power};
  }
}

// Exponential with that mean: at least 1 ps, and no more than time has left.
std::int64_t drawn_dwell(SplitMix64& random, Picoseconds mean) {
  const double unit = random.unit();
  const double exact = -static_cast<double>(mean.count) * log_of(1 - unit);
  if (exact >= static_cast<double>(kEnd)) return kEnd;
  return std::max<std::int64_t>(static_cast<std::int64_t>(exact), 1);
}

Piece next_piece(const MarkovScript& script, Progress& progress) {
  const bool is_on = progress.is_burst_next;
  progress.is_burst_next = !is_on;
  const std::int64_t length = drawn_dwell(progress.random, is_on ? script.mean_on : script.mean_off);
  return {later(progress.position, length), is_on ? script.on_w : script.off_w};
}

Piece next_piece(const SolarScript& script, Progress& progress) {
  const std::int64_t phase = progress.position % script.day.count;
  const std::int64_t sunrise = progress.position - phase;
  if (phase >= script.daylight.count) return {later(sunrise, script.day.count), 0};
  const std::int64_t end = std::min(later(phase, script.step.count), script.daylight.count);
  const double middle = 0.5 * (static_cast<double>(phase) + static_cast<double>(end));
  const double sine = sin_of(0.5 * kTwoPi * (middle / static_cast<double>(script.daylight.count)));
  double sky = 1;
  if (script.clouds > 0) {
    const double unit = progress.random.unit();
    sky -= script.clouds * unit;
  }
  return {later(sunrise, end), std::max(0.0, script.peak_w * sine * sky)};
}

// The seed of a script that draws, nothing of one that does not.
template <class Kind>
std::optional<std::uint64_t> seed_of(const Kind&) {
  return std::nullopt;
}
std::optional<std::uint64_t> seed_of(const BurstScript& script) { return script.seed; }
std::optional<std::uint64_t> seed_of(const MarkovScript& script) { return script.seed; }
std::optional<std::uint64_t> seed_of(const SolarScript& script) {
  return script.clouds > 0 ? std::optional(script.seed) : std::nullopt;
}

std::optional<std::uint64_t> seed_of(const Script& script) {
  return std::visit([](const auto& kind) { return seed_of(kind); }, script);
}

class ScriptedSource final : public Source {
 public:
  ScriptedSource(std::vector<TimedScript> parts, bool repeat) : parts_(std::move(parts)), repeat_(repeat) {
    assert(!parts_.empty());
    for (const TimedScript& part : parts_) {
      assert(part.duration.count > 0);
      assert(part.duration != kForever || (!repeat_ && &part == &parts_.back()));
      std::visit([](const auto& script) { check(script); }, part.script);
      Progress progress;
      if (const auto seed = seed_of(part.script)) progress.random = SplitMix64(*seed);
      progress_.push_back(progress);
    }
  }

  std::optional<SourceSegment> next() override {
    std::optional<SourceSegment> segment = ahead_ ? ahead_ : next_unmerged();
    ahead_.reset();
    if (!segment) return std::nullopt;
    for (int i = 0; i < kMostMerges; ++i) {
      ahead_ = next_unmerged();
      if (!ahead_ || ahead_->power_w != segment->power_w) break;
      segment = ahead_;
      ahead_.reset();
    }
    assert(segment->end > last_end_ && is_power(segment->power_w));
    last_end_ = segment->end;
    return segment;
  }

  [[nodiscard]] std::optional<Picoseconds> period() const override {
    if (repeat_) {
      std::int64_t sum = 0;
      for (const TimedScript& part : parts_) {
        if (seed_of(part.script)) return std::nullopt;
        sum = later(sum, part.duration.count);
      }
      if (sum == kEnd) return std::nullopt;
      return Picoseconds{sum};
    }
    if (parts_.size() != 1 || parts_.front().duration != kForever) return std::nullopt;
    const Script& only = parts_.front().script;
    if (const auto* square = std::get_if<SquareScript>(&only)) return square->period;
    if (const auto* sine = std::get_if<SineScript>(&only)) return sine->period;
    if (const auto* sun = std::get_if<SolarScript>(&only); sun != nullptr && !seed_of(only)) return sun->day;
    return std::nullopt;
  }

 private:
  // The next segment of the scripts as they stand; nothing after the last part or the end of time.
  std::optional<SourceSegment> next_unmerged() {
    if (part_ < parts_.size() && progress_[part_].position >= parts_[part_].duration.count) {
      begin_ = later(begin_, parts_[part_].duration.count);
      progress_[part_].position = 0;
      progress_[part_].is_burst_next = false;
      ++part_;
      if (part_ == parts_.size() && repeat_) part_ = 0;
    }
    if (part_ == parts_.size() || begin_ == kEnd) return std::nullopt;
    const TimedScript& part = parts_[part_];
    Progress& progress = progress_[part_];
    Piece piece =
        std::visit([&progress](const auto& script) { return next_piece(script, progress); }, part.script);
    assert(piece.end > progress.position);
    piece.end = std::min(piece.end, part.duration.count);
    progress.position = piece.end;
    const std::int64_t end = later(begin_, piece.end);
    if (end == kEnd) begin_ = kEnd;  // nothing can follow
    return SourceSegment{{end}, piece.power_w};
  }

  std::vector<TimedScript> parts_;
  bool repeat_;
  std::vector<Progress> progress_;  // of each part
  std::size_t part_ = 0;
  std::int64_t begin_ = 0;  // of the current part; kEnd: nothing follows
  std::optional<SourceSegment> ahead_;
  Picoseconds last_end_;
};

}  // namespace

std::unique_ptr<Source> make_scripted_source(std::vector<TimedScript> parts, bool repeat) {
  return std::make_unique<ScriptedSource>(std::move(parts), repeat);
}

}  // namespace brownout::devices
