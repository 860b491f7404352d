#include "sim/trace/trace_source.hpp"

#include <utility>

#include <fmt/format.h>

#include "sim/trace/sample_reader.hpp"
#include "sim/trace/step_histogram.hpp"
#include "sim/trace/trace_check.hpp"

namespace brownout::sim {
namespace {

class FileTraceSource final : public TraceSource {
 public:
  FileTraceSource(const TraceConfig& config, const Location& named_at)
      : config_(config), samples_(config, named_at), stats_(check_trace(samples_, config)) {
    begin_period();
  }

  std::optional<devices::SourceSegment> next() override;
  [[nodiscard]] std::optional<Picoseconds> period() const override {
    return config_.repeat ? std::optional(stats_.duration) : std::nullopt;
  }
  [[nodiscard]] const TraceStats& stats() const override { return stats_; }

 private:
  // A span within one period.
  struct Span {
    std::int64_t end = 0;
    double power_w = 0;
  };

  void begin_period();
  std::optional<Span> next_span();
  std::optional<Span> next_merged_span();
  std::int64_t take_sample();
  [[noreturn]] void fail_changed() const;

  TraceConfig config_;
  SampleReader samples_;
  TraceStats stats_;
  Int128 first_ps_ = 0;
  std::int64_t begin_ = 0;     // of the current sample, from the beginning of the period
  double power_w_ = 0;         // of the current sample
  std::uint64_t taken_ = 0;    // samples of this period, the current one included
  std::optional<Span> ahead_;  // the second half of a gap, or what did not merge
  std::optional<Span> unmerged_;
  std::int64_t base_ = 0;  // where the period began
  bool ended_ = false;
};

void FileTraceSource::fail_changed() const {
  throw InputError({config_.path, 0, 0}, "the trace has changed while it was read");
}

void FileTraceSource::begin_period() {
  const auto sample = samples_.next();
  if (!sample) fail_changed();
  first_ps_ = sample->time_ps;
  begin_ = 0;
  power_w_ = sample->power_w;
  taken_ = 1;
}

// Makes the next sample the current one and returns where it begins; at the end of the file, the end of the
// period.
std::int64_t FileTraceSource::take_sample() {
  const auto sample = samples_.next();
  const Int128 begin = sample ? sample->time_ps - first_ps_ : stats_.duration.count;
  const bool complete = sample ? taken_ < stats_.samples : taken_ == stats_.samples;
  // The first reading made sure of these; only another file breaks them.
  if (begin <= begin_ || begin > stats_.duration.count || !complete) fail_changed();
  ++taken_;
  begin_ = static_cast<std::int64_t>(begin);
  if (sample) power_w_ = sample->power_w;
  return begin_;
}

std::optional<FileTraceSource::Span> FileTraceSource::next_span() {
  if (ahead_) return std::exchange(ahead_, std::nullopt);
  if (taken_ > stats_.samples) return std::nullopt;
  const std::int64_t begin = begin_;
  const double power_w = power_w_;
  const std::int64_t end = take_sample();
  if (config_.gaps == TraceGaps::zero && is_gap(end - begin, stats_.median_step)) {
    ahead_ = Span{end, 0};
    return Span{begin + stats_.median_step.count, power_w};
  }
  return Span{end, power_w};
}

std::optional<FileTraceSource::Span> FileTraceSource::next_merged_span() {
  std::optional<Span> span = unmerged_ ? std::exchange(unmerged_, std::nullopt) : next_span();
  if (!span) return std::nullopt;
  while (const auto following = next_span()) {
    if (following->power_w != span->power_w) {
      unmerged_ = following;
      break;
    }
    span->end = following->end;
  }
  return span;
}

std::optional<devices::SourceSegment> FileTraceSource::next() {
  if (ended_) return std::nullopt;
  std::optional<Span> span = next_merged_span();
  if (!span && config_.repeat) {
    base_ += stats_.duration.count;
    samples_.rewind();
    begin_period();
    span = next_merged_span();
  }
  if (!span) {
    ended_ = true;
    return std::nullopt;
  }
  // Where time itself ends, so does a trace that repeats.
  if (span->end >= devices::kForever.count - base_) {
    ended_ = true;
    return devices::SourceSegment{devices::kForever, span->power_w};
  }
  return devices::SourceSegment{{base_ + span->end}, span->power_w};
}

}  // namespace

std::unique_ptr<TraceSource> open_trace(const TraceConfig& config, const Location& named_at) {
  return std::make_unique<FileTraceSource>(config, named_at);
}

}  // namespace brownout::sim
