#include "sim/trace/trace_check.hpp"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "sim/scenario/quantity.hpp"
#include "sim/trace/step_histogram.hpp"

namespace brownout::sim {
namespace {

void add_step(TraceSurvey& survey, const SampleReader& samples, Int128 step) {
  if (step > kLongestTime.count) {
    throw InputError(
        samples.time_location(),
        fmt::format("the time jumps by more than {}; is the unit right?", format_time(kLongestTime)));
  }
  if (step > 0) {
    survey.steps.add(static_cast<std::int64_t>(step));
  } else if (survey.backward++ == 0) {
    survey.backward_place = samples.place();
  }
}

}  // namespace

void survey_samples(SampleReader& samples, TraceSurvey& survey) {
  survey.measured_per_sample = samples.measured_per_sample();
  while (const auto sample = samples.next()) {
    if (survey.samples == 0) {
      survey.first_ps = sample->time_ps;
    } else if (!samples.by_index()) {
      add_step(survey, samples, sample->time_ps - survey.last_ps);
    }
    ++survey.samples;
    if (sample->clamped) ++survey.clamped;
    if (sample->power_w > 0) survey.any_power = true;
    survey.last_ps = sample->time_ps;
  }
}

double TraceSurvey::rate_hz() const {
  const auto median = static_cast<double>(steps.median().count);
  return median > 0 ? 1e12 * measured_per_sample / median : 0;
}

std::string rate_of(const TraceSurvey& survey) {
  const double rate_hz = survey.rate_hz();
  return rate_hz > 0 ? format_quantity(rate_hz, Dimension::frequency) : "1 kHz";
}

namespace {

// The end of a message that says how to read evenly spaced samples whatever their stamps.
std::string by_index_remedy(const TraceSurvey& survey) {
  return fmt::format("`time: by_index` with `rate: {}` takes the samples as evenly spaced", rate_of(survey));
}

// Names the first step that is wrong; the survey knows that there is one.
class OffenceFinder {
 public:
  OffenceFinder(SampleReader& samples, const TraceConfig& config, const TraceSurvey& survey)
      : samples_(samples), config_(config), survey_(survey), median_(survey.steps.median()) {}

  // Throws InputError at the first offence. Returns if there is none up to where the file cannot be read.
  void find() {
    samples_.rewind();
    Int128 last_ps = 0;
    std::string last_text;
    for (bool first = true; const auto sample = samples_.next(); first = false) {
      const Int128 step = sample->time_ps - last_ps;
      if (!first && step <= 0) fail_backward(last_text, step);
      if (!first && config_.gaps == TraceGaps::error && is_gap(static_cast<std::int64_t>(step), median_))
        fail_gap(last_text, step);
      last_ps = sample->time_ps;
      last_text = samples_.time_text();
    }
  }

 private:
  [[nodiscard]] std::string times(const std::string& before) const {
    return fmt::format("from {0} {2} to {1} {2}", before, samples_.time_text(), samples_.time_unit());
  }

  [[noreturn]] void fail_backward(const std::string& before, Int128 step) const {
    const std::string what = step < 0
                                 ? fmt::format("time runs backwards, {}", times(before))
                                 : fmt::format("time stands still at {} {}", before, samples_.time_unit());
    throw InputError(samples_.time_location(), fmt::format("{}; {}", what, by_index_remedy(survey_)));
  }

  [[noreturn]] void fail_gap(const std::string& before, Int128 step) const {
    const std::string what =
        fmt::format("a gap: time jumps {}, {} where the steps are {}", times(before),
                    format_time({static_cast<std::int64_t>(step)}), format_time(median_));
    if (!survey_.backward_place.empty()) {
      throw InputError(samples_.time_location(),
                       fmt::format("{}, and on {} it runs backwards or stands still; {}", what,
                                   survey_.backward_place, by_index_remedy(survey_)));
    }
    throw InputError(
        samples_.time_location(),
        fmt::format("{}; `gaps: hold` lets the last sample go on, `gaps: zero` takes no power, and {}", what,
                    by_index_remedy(survey_)));
  }

  SampleReader& samples_;
  const TraceConfig& config_;
  const TraceSurvey& survey_;
  Picoseconds median_;
};

bool has_offence(const TraceSurvey& survey, const TraceConfig& config) {
  const bool gap =
      config.gaps == TraceGaps::error && is_gap(survey.steps.longest().count, survey.steps.median());
  return !survey.backward_place.empty() || gap;
}

// Reads everything. An offence that comes before a line that cannot be read is the one to be named.
void survey_or_fail(SampleReader& samples, const TraceConfig& config, TraceSurvey& survey) {
  std::optional<InputError> unreadable;
  try {
    survey_samples(samples, survey);
  } catch (const InputError& error) {
    unreadable = error;
  }
  if (has_offence(survey, config)) OffenceFinder(samples, config, survey).find();
  if (unreadable) throw InputError(*unreadable);
}

// The length of a trace: up to the last sample, and what that holds for.
Int128 duration_of(const TraceSurvey& survey, const SampleReader& samples) {
  if (samples.by_index()) return samples.time_of_index(survey.samples);
  return survey.last_ps - survey.first_ps + survey.steps.median().count;
}

void check_survey(const TraceSurvey& survey, const TraceConfig& config, const SampleReader& samples) {
  const Location at_end{config.path, 1, 1};
  if (survey.samples == 0) throw InputError(at_end, "the trace has no samples");
  if (survey.samples == 1 && !samples.by_index()) {
    throw InputError(samples.time_location(),
                     "the trace has a single sample, so nothing says how long it holds; "
                     "`time: by_index` with `rate` does");
  }
  if (survey.clamped > 0 && !survey.any_power) {
    throw InputError(at_end,
                     "no sample has a power above 0 W, and some are below; is a sign the wrong way round?");
  }
  if (duration_of(survey, samples) > kLongestTime.count) {
    throw InputError(at_end, fmt::format("the trace is longer than {}", format_time(kLongestTime)));
  }
  if (config.offset.count >= duration_of(survey, samples)) {
    throw InputError(
        at_end,
        fmt::format("`offset` is {}, but the trace lasts {}; it must be less", format_time(config.offset),
                    format_time({static_cast<std::int64_t>(duration_of(survey, samples))})));
  }
}

}  // namespace

TraceStats check_trace(SampleReader& samples, const TraceConfig& config) {
  TraceSurvey survey;
  survey_or_fail(samples, config, survey);
  check_survey(survey, config, samples);
  TraceStats stats;
  stats.samples = survey.samples;
  stats.clamped = survey.clamped;
  stats.duration = {static_cast<std::int64_t>(duration_of(survey, samples))};
  stats.median_step = samples.by_index() ? Picoseconds{static_cast<std::int64_t>(samples.time_of_index(1))}
                                         : survey.steps.median();
  stats.gaps = survey.steps.gaps();
  samples.rewind();
  return stats;
}

}  // namespace brownout::sim
