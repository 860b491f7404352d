#include "sim/trace/trace_source.hpp"

#include <utility>

#include "sim/trace/sample_reader.hpp"
#include "sim/trace/step_histogram.hpp"
#include "sim/trace/trace_check.hpp"

namespace brownout::sim {
namespace {

class FileTraceSource final : public TraceSource {
 public:
  FileTraceSource(const TraceConfig& config, const Location& named_at)
      : config_(config),
        samples_(open_samples(config, named_at)),
        stats_(check_trace(*samples_, config)),
        base_(-config.offset.count) {
    begin_period();
    if (curve_ && config_.resample.count > 0) {
      throw InputError({config_.path, 0, 0},
                       "`resample` is for powers, and this trace has IV curves; leave it out");
    }
  }

  std::optional<devices::SourceSegment> next() override;
  devices::SourcePower power_for(const devices::BoardState& board) override;
  [[nodiscard]] std::optional<Picoseconds> period() const override {
    return config_.repeat ? std::optional(stats_.duration) : std::nullopt;
  }
  [[nodiscard]] const TraceStats& stats() const override { return stats_; }

 private:
  using Curve = std::shared_ptr<const devices::IvCurve>;

  // A span within one period, of a power or of a curve.
  struct Span {
    std::int64_t end = 0;
    double power_w = 0;
    Curve curve;
  };

  void begin_period();
  void hold(const Sample& sample);
  std::optional<Span> next_span();
  std::optional<Span> next_resampled_span();
  std::optional<Span> next_merged_span();
  std::optional<Span> next_span_of_run();
  std::int64_t take_sample();
  [[noreturn]] void fail_changed() const;

  TraceConfig config_;
  std::unique_ptr<SampleReader> samples_;
  TraceStats stats_;
  Int128 first_ps_ = 0;
  std::int64_t begin_ = 0;     // of the current sample, from the beginning of the period
  double power_w_ = 0;         // of the current sample
  Curve curve_;                // of the current sample, or nothing
  std::uint64_t taken_ = 0;    // samples of this period, the current one included
  std::optional<Span> ahead_;  // the second half of a gap, or what did not merge
  std::optional<Span> unmerged_;
  std::int64_t resampled_end_ = 0;  // of what has been resampled, in the period
  std::optional<Span> resampled_;   // what began in a span of resampling and reaches beyond it
  Curve given_;                     // of the segment that next() gave last, or nothing
  devices::IvFollower follower_;
  std::int64_t base_;  // where the period began; negative for what an offset skips
  bool ended_ = false;
};

devices::SourcePower FileTraceSource::power_for(const devices::BoardState& board) {
  devices::SourcePower power = follower_.follow(*given_, board.capacitor_v);
  power.power_w *= config_.scale;
  return power;
}

void FileTraceSource::hold(const Sample& sample) {
  power_w_ = sample.power_w * config_.scale;
  curve_ = sample.curve;
}

void FileTraceSource::fail_changed() const {
  throw InputError({config_.path, 0, 0}, "the trace has changed while it was read");
}

void FileTraceSource::begin_period() {
  const auto sample = samples_->next();
  if (!sample) fail_changed();
  first_ps_ = sample->time_ps;
  begin_ = 0;
  hold(*sample);
  taken_ = 1;
  resampled_end_ = 0;
}

// Makes the next sample the current one and returns where it begins; at the end of the file, the end of the
// period.
std::int64_t FileTraceSource::take_sample() {
  const auto sample = samples_->next();
  const Int128 begin = sample ? sample->time_ps - first_ps_ : stats_.duration.count;
  const bool complete = sample ? taken_ < stats_.samples : taken_ == stats_.samples;
  // The first reading made sure of these; only another file breaks them.
  if (begin <= begin_ || begin > stats_.duration.count || !complete) fail_changed();
  ++taken_;
  begin_ = static_cast<std::int64_t>(begin);
  if (sample) hold(*sample);
  return begin_;
}

std::optional<FileTraceSource::Span> FileTraceSource::next_span() {
  if (ahead_) return std::exchange(ahead_, std::nullopt);
  if (taken_ > stats_.samples) return std::nullopt;
  const std::int64_t begin = begin_;
  const double power_w = power_w_;
  Curve curve = std::move(curve_);
  const std::int64_t end = take_sample();
  if (config_.gaps == TraceGaps::zero && is_gap(end - begin, stats_.median_step)) {
    ahead_ = Span{end, 0, nullptr};
    return Span{begin + stats_.median_step.count, power_w, std::move(curve)};
  }
  return Span{end, power_w, std::move(curve)};
}

// The mean power of the next span of resampling, or a power that holds for several of them. Energy is kept.
std::optional<FileTraceSource::Span> FileTraceSource::next_resampled_span() {
  const std::int64_t length = config_.resample.count;
  if (length == 0) return next_span();
  const std::int64_t begin = resampled_end_;
  std::int64_t at = begin;
  double sum = 0;  // power x picoseconds
  while (at - begin < length) {
    std::optional<Span> span = resampled_ ? std::exchange(resampled_, std::nullopt) : next_span();
    if (!span) break;
    std::int64_t end = span->end;
    if (end - begin > length) {
      end = begin + length;
      if (at == begin) end = begin + (span->end - begin) / length * length;
      if (end < span->end) resampled_ = span;
    }
    if (at == begin && end - begin >= length) {
      resampled_end_ = end;
      return Span{end, span->power_w, nullptr};
    }
    sum += span->power_w * static_cast<double>(end - at);
    at = end;
  }
  if (at == begin) return std::nullopt;
  resampled_end_ = at;
  return Span{at, sum / static_cast<double>(at - begin), nullptr};
}

std::optional<FileTraceSource::Span> FileTraceSource::next_merged_span() {
  std::optional<Span> span = unmerged_ ? std::exchange(unmerged_, std::nullopt) : next_resampled_span();
  if (!span) return std::nullopt;
  while (auto following = next_resampled_span()) {
    if (following->power_w != span->power_w || following->curve || span->curve) {
      unmerged_ = following;
      break;
    }
    span->end = following->end;
  }
  return span;
}

// Of this period, or of the next one if the trace repeats.
std::optional<FileTraceSource::Span> FileTraceSource::next_span_of_run() {
  std::optional<Span> span = next_merged_span();
  if (span || !config_.repeat) return span;
  base_ += stats_.duration.count;
  samples_->rewind();
  begin_period();
  return next_merged_span();
}

std::optional<devices::SourceSegment> FileTraceSource::next() {
  if (ended_) return std::nullopt;
  std::optional<Span> span = next_span_of_run();
  while (span && span->end <= -base_) span = next_span_of_run();
  if (!span) {
    ended_ = true;
    return std::nullopt;
  }
  given_ = std::move(span->curve);
  devices::SourceSegment segment{devices::kForever, span->power_w, given_ != nullptr};
  // Where time itself ends, so does a trace that repeats.
  ended_ = base_ > 0 && span->end >= devices::kForever.count - base_;
  if (!ended_) segment.end = {base_ + span->end};
  return segment;
}

}  // namespace

std::unique_ptr<TraceSource> open_trace(const TraceConfig& config, const Location& named_at) {
  return std::make_unique<FileTraceSource>(config, named_at);
}

}  // namespace brownout::sim
