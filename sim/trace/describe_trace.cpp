#include "sim/trace/describe_trace.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/trace/reset_list.hpp"
#include "sim/trace/sample_reader.hpp"
#include "sim/trace/trace_check.hpp"
#include "sim/trace/trace_source.hpp"

namespace brownout::sim {
namespace {

// Darkness is less than this share of the mean power: recorded darkness is noise, not zero.
constexpr double kDarkShare = 0.01;

std::string line(std::string_view name, const std::string& value) {
  return fmt::format("{:<13}{}\n", name, value);
}

std::string watts(double value) { return format_quantity(value, Dimension::power); }

// What the file holds, read without regard to whether its times can be simulated.
struct Contents {
  TraceSurvey survey;
  std::string format;
  bool has_time = false;
  bool has_curves = false;
};

Contents read_contents(const TraceConfig& config, const Location& named_at) {
  Contents contents;
  const auto samples = open_samples(config, named_at);
  if (const auto first = samples->next()) contents.has_curves = first->curve != nullptr;
  samples->rewind();
  survey_samples(*samples, contents.survey);
  contents.format = samples->format();
  contents.has_time = samples->has_time();
  return contents;
}

// What a run would get of it.
struct Played {
  double least_w = std::numeric_limits<double>::infinity();
  double most_w = 0;
  double energy_j = 0;
  Picoseconds duration;
};

// Calls `visit(duration, power)` for every segment.
template <class Visit>
void play(const TraceConfig& config, const Location& named_at, Visit visit) {
  const auto source = open_trace(config, named_at);
  Picoseconds begin;
  while (const auto segment = source->next()) {
    visit(segment->end - begin, segment->power_w);
    begin = segment->end;
  }
}

Played play_whole(const TraceConfig& config, const Location& named_at) {
  Played played;
  play(config, named_at, [&](Picoseconds duration, double power_w) {
    played.least_w = std::min(played.least_w, power_w);
    played.most_w = std::max(played.most_w, power_w);
    played.energy_j += power_w * duration.seconds();
    played.duration += duration;
  });
  return played;
}

struct Darkness {
  Picoseconds begin;
  Picoseconds length;
};

Darkness longest_darkness(const TraceConfig& config, const Location& named_at, double below_w) {
  Darkness longest;
  Darkness present;
  Picoseconds now;
  play(config, named_at, [&](Picoseconds duration, double power_w) {
    if (power_w >= below_w) present = {now + duration, {}};
    if (power_w < below_w) present.length += duration;
    now += duration;
    if (present.length > longest.length) longest = present;
  });
  return longest;
}

// The line by which a run would refuse it, or nothing.
std::optional<std::string> refusal(const TraceConfig& config, const Location& named_at) {
  try {
    open_trace(config, named_at);
  } catch (const InputError& error) {
    return error.what();
  }
  return std::nullopt;
}

std::string treatment_of_gaps(const TraceConfig& config) {
  if (config.time == TraceTime::by_index) return "evenly spaced";
  return config.gaps == TraceGaps::error ? "refused"
                                         : fmt::format("gaps: {}", name_in(kTraceGaps, config.gaps));
}

std::string describe_defects(const Contents& contents, const TraceConfig& config) {
  const TraceSurvey& survey = contents.survey;
  std::string text;
  if (survey.clamped > 0) {
    text += line("  negative", fmt::format("{} {}, taken as none", survey.clamped,
                                           contents.has_curves ? "curves with currents below 0 A"
                                                               : "samples of power below 0 W"));
  }
  if (survey.steps.gaps() > 0) {
    text += line("  gaps",
                 fmt::format("{} steps above 1.5 times the median, the longest {}: {}", survey.steps.gaps(),
                             format_time(survey.steps.longest()), treatment_of_gaps(config)));
  }
  if (survey.backward > 0) {
    text +=
        line("  backwards", fmt::format("{} times not later than the one before, the first at {}: refused",
                                        survey.backward, survey.backward_place));
  }
  return text.empty() ? line("defects", "none") : "defects\n" + text;
}

std::string describe_powers(const TraceConfig& config, const Location& named_at, bool has_curves) {
  const Played played = play_whole(config, named_at);
  const double mean_w = played.energy_j / played.duration.seconds();
  const Darkness dark = longest_darkness(config, named_at, kDarkShare * mean_w);
  std::string text = line("duration", format_time(played.duration));
  text += line("power", fmt::format("{} to {}, mean {}{}", watts(played.least_w), watts(played.most_w),
                                    watts(mean_w), has_curves ? "; the most that each curve gives" : ""));
  text += line("energy", fmt::format("{:.6g} J", played.energy_j));
  text += line("darkness", dark.length.count == 0
                               ? fmt::format("none below {}, 1 % of the mean", watts(kDarkShare * mean_w))
                               : fmt::format("at most {}, from {} on, below {}, 1 % of the mean",
                                             format_time(dark.length), format_time(dark.begin),
                                             watts(kDarkShare * mean_w)));
  return text;
}

}  // namespace

std::string describe_trace(TraceConfig config, const Location& named_at) {
  config.repeat = false;
  const Contents contents = read_contents(config, named_at);
  const Picoseconds median = contents.survey.steps.median();
  std::string text = line("format", contents.format);
  text += line("samples", fmt::format("{}{}", contents.survey.samples, contents.has_curves ? " curves" : ""));
  text += line("rate",
               config.time == TraceTime::by_index
                   ? fmt::format("{}, as given", format_quantity(config.rate_hz, Dimension::frequency))
                   : fmt::format("{}, the median step is {}", rate_of(contents.survey), format_time(median)));
  const std::string defects = describe_defects(contents, config);
  const auto refused = refusal(config, named_at);
  const bool is_for_its_times = refused && median.count > 0 && config.time == TraceTime::stamped &&
                                (contents.survey.backward > 0 || contents.survey.steps.gaps() > 0);
  if (refused && !is_for_its_times) open_trace(config, named_at);  // throws what it did
  if (is_for_its_times) {
    // Every trace with wrong times can be read like that.
    config.time = TraceTime::by_index;
    config.gaps = TraceGaps::error;
    config.rate_hz = contents.survey.rate_hz();
  }
  text += describe_powers(config, named_at, contents.has_curves);
  text += defects;
  if (is_for_its_times) {
    text += line("refused", *refused);
    text +=
        line("", fmt::format("duration, power and energy above are those with `time: by_index`, `rate: {}`",
                             rate_of(contents.survey)));
  }
  return text;
}

std::string describe_resets(const ResetConfig& config, const Location& named_at) {
  const ResetList list = read_reset_list(config, named_at);
  Picoseconds shortest = devices::kForever;
  Picoseconds longest;
  Picoseconds last;
  for (const Picoseconds instant : list.instants) {
    shortest = std::min(shortest, instant - last);
    longest = std::max(longest, instant - last);
    last = instant;
  }
  return line("format", fmt::format("reset instants, in {}",
                                    config.clock_hz == 0
                                        ? std::string("ms")
                                        : "cycles of " + format_quantity(static_cast<double>(config.clock_hz),
                                                                         Dimension::frequency))) +
         line("instants", fmt::format("{}", list.instants.size())) + line("last", format_time(last)) +
         line("power on", fmt::format("{} to {} at a time", format_time(shortest), format_time(longest)));
}

}  // namespace brownout::sim
