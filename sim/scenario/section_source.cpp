// Section `supply.source`: a trace or a script.
#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <variant>

#include <fmt/format.h>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/sections.hpp"

namespace brownout::sim {
namespace {

using devices::Picoseconds;

// `for` comes last but one and `repeat` last: a part of a sequence has all keys of its kind but the last.
constexpr std::array<std::string_view, 9> kTraceKeys{"trace",  "time",   "rate",  "gaps",    "load",
                                                     "repeat", "offset", "scale", "resample"};
constexpr std::array<std::string_view, 4> kResetKeys{"resets", "unit", "clock", "power"};
constexpr std::array<std::string_view, 4> kConstantKeys{"kind", "power", "for", "repeat"};
constexpr std::array<std::string_view, 7> kSquareKeys{"kind", "high", "low",   "period",
                                                      "duty", "for",  "repeat"};
constexpr std::array<std::string_view, 7> kRampKeys{"kind", "from", "to", "over", "step", "for", "repeat"};
constexpr std::array<std::string_view, 7> kSineKeys{"kind", "mean", "amplitude", "period",
                                                    "step", "for",  "repeat"};
constexpr std::array<std::string_view, 11> kBurstKeys{
    "kind", "low", "min", "max", "min_length", "max_length", "min_gap", "max_gap", "seed", "for", "repeat"};
constexpr std::array<std::string_view, 8> kMarkovKeys{"kind",     "on",   "off", "mean_on",
                                                      "mean_off", "seed", "for", "repeat"};
constexpr std::array<std::string_view, 9> kSolarKeys{"kind",   "peak", "day", "daylight", "step",
                                                     "clouds", "seed", "for", "repeat"};
constexpr std::array<std::string_view, 3> kSequenceKeys{"kind", "parts", "repeat"};
constexpr std::array<std::string_view, 30> kScriptKeys{
    "kind",    "power",    "high", "low",       "period",   "duty",   "from",       "to",
    "over",    "step",     "mean", "amplitude", "min",      "max",    "on",         "off",
    "mean_on", "mean_off", "peak", "day",       "daylight", "clouds", "min_length", "max_length",
    "min_gap", "max_gap",  "seed", "parts",     "for",      "repeat"};

constexpr Limits kPowerLimits{0, 1e3};
constexpr Limits kRateLimits{1e-3, 1e9};
constexpr Limits kLoadLimits{1e-3, 1e9};
constexpr Limits kScaleLimits{1e-6, 1e6};
constexpr WholeLimits kClockLimits{1, 10'000'000'000};
constexpr Picoseconds kDay = devices::milliseconds(86'400'000);
// Shorter spans make more segments than anybody waits for.
constexpr TimeLimits kTimeLimits{devices::microseconds(1), kLongestTime};
constexpr std::int64_t kShortestHalf = 1'000;  // ps, of a square wave
constexpr std::int64_t kDefaultSteps = 256;    // of a ramp, and of a period of a sine
constexpr std::size_t kMaxParts = 1'000;
constexpr std::size_t kLongestPath = 4'096;

// Indices in kSourceKinds.
constexpr std::size_t kConstant = 0;
constexpr std::size_t kSquare = 1;
constexpr std::size_t kRamp = 2;
constexpr std::size_t kSine = 3;
constexpr std::size_t kBursts = 4;
constexpr std::size_t kMarkov = 5;
constexpr std::size_t kSolar = 6;
constexpr std::size_t kSequence = 7;

std::span<const std::string_view> keys_of(std::size_t kind) {
  switch (kind) {
    case kConstant: return kConstantKeys;
    case kSquare: return kSquareKeys;
    case kRamp: return kRampKeys;
    case kSine: return kSineKeys;
    case kBursts: return kBurstKeys;
    case kMarkov: return kMarkovKeys;
    case kSolar: return kSolarKeys;
    default: return kSequenceKeys;
  }
}

// A well-mixed number for what part `index` draws (splitmix64), so that parts differ.
std::uint64_t derived_seed(std::uint64_t seed, std::size_t index) {
  std::uint64_t mixed = seed + 0x9E3779B97F4A7C15ULL * (static_cast<std::uint64_t>(index) + 1);
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31U);
}

double need_power(const Section& section, std::string_view key) {
  return read_quantity(section.need(key, fmt::format("{}: 150 uW", key)), Dimension::power, kPowerLimits);
}

double power_or_zero(const Section& section, std::string_view key) {
  const auto found = section.find(key);
  return found ? read_quantity(*found, Dimension::power, kPowerLimits) : 0.0;
}

Picoseconds need_time(const Section& section, std::string_view key) {
  return read_time(section.need(key, fmt::format("{}: 30 ms", key)), kTimeLimits);
}

std::string watts(double value) { return format_quantity(value, Dimension::power); }

devices::SquareScript read_square(const Section& section) {
  devices::SquareScript square;
  square.high_w = need_power(section, "high");
  square.low_w = power_or_zero(section, "low");
  square.period = need_time(section, "period");
  if (square.low_w > square.high_w) {
    section.find("low")->fail_at_key(fmt::format("{} must not be above {}, which is {}", watts(square.low_w),
                                                 section.path_of("high"), watts(square.high_w)));
  }
  if (const auto duty = section.find("duty")) {
    square.duty = read_number(*duty, {0, 1});
    const auto period = static_cast<double>(square.period.count);
    const double shorter = std::min(square.duty, 1 - square.duty) * period;
    if (shorter < static_cast<double>(kShortestHalf)) {
      duty->fail(fmt::format(
          "{} leaves less than 1 ns of a period of {} to one of the halves; it is a share above 0 "
          "and below 1, such as 0.5",
          duty->node->text, format_time(square.period)));
    }
  }
  return square;
}

// The step that a slope is cut into: a default number of them, rounded up.
Picoseconds read_step(const Section& section, Picoseconds whole, std::string_view whole_key) {
  const auto found = section.find("step");
  if (!found) return {(whole.count + kDefaultSteps - 1) / kDefaultSteps};
  const Picoseconds step = read_time(*found, kTimeLimits);
  if (step > whole) {
    found->fail_at_key(fmt::format("{} must not be longer than {}, which is {}", format_time(step),
                                   section.path_of(whole_key), format_time(whole)));
  }
  return step;
}

devices::RampScript read_ramp(const Section& section) {
  devices::RampScript ramp;
  ramp.from_w = need_power(section, "from");
  ramp.to_w = need_power(section, "to");
  ramp.duration = need_time(section, "over");
  ramp.step = read_step(section, ramp.duration, "over");
  return ramp;
}

devices::SineScript read_sine(const Section& section) {
  devices::SineScript sine;
  sine.mean_w = need_power(section, "mean");
  sine.amplitude_w = need_power(section, "amplitude");
  sine.period = need_time(section, "period");
  sine.step = read_step(section, sine.period, "period");
  return sine;
}

// `max` below `min`, in either of their spellings.
template <typename T>
void check_order(const Section& section, std::string_view min_key, T min, std::string_view max_key, T max,
                 std::string (*format)(T)) {
  if (!(max < min)) return;
  section.find(max_key)->fail_at_key(fmt::format("{} must not be below {}, which is {}", format(max),
                                                 section.path_of(min_key), format(min)));
}

std::uint64_t read_seed(const Section& section, std::uint64_t default_seed) {
  const auto seed = section.find("seed");
  return seed ? read_count(*seed, kAnyCount) : default_seed;
}

devices::BurstScript read_bursts(const Section& section, std::uint64_t default_seed) {
  devices::BurstScript bursts;
  bursts.low_w = power_or_zero(section, "low");
  bursts.min_w = need_power(section, "min");
  bursts.max_w = need_power(section, "max");
  bursts.min_length = need_time(section, "min_length");
  bursts.max_length = need_time(section, "max_length");
  bursts.min_gap = need_time(section, "min_gap");
  bursts.max_gap = need_time(section, "max_gap");
  check_order<double>(section, "min", bursts.min_w, "max", bursts.max_w, watts);
  check_order<Picoseconds>(section, "min_length", bursts.min_length, "max_length", bursts.max_length,
                           format_time);
  check_order<Picoseconds>(section, "min_gap", bursts.min_gap, "max_gap", bursts.max_gap, format_time);
  bursts.seed = read_seed(section, default_seed);
  return bursts;
}

devices::MarkovScript read_markov(const Section& section, std::uint64_t default_seed) {
  devices::MarkovScript markov;
  markov.on_w = need_power(section, "on");
  markov.off_w = power_or_zero(section, "off");
  markov.mean_on = need_time(section, "mean_on");
  markov.mean_off = need_time(section, "mean_off");
  markov.seed = read_seed(section, default_seed);
  return markov;
}

devices::SolarScript read_solar(const Section& section, std::uint64_t default_seed) {
  devices::SolarScript sun;
  sun.peak_w = need_power(section, "peak");
  const auto day = section.find("day");
  const auto daylight = section.find("daylight");
  sun.day = day ? read_time(*day, kTimeLimits) : kDay;
  sun.daylight = daylight ? read_time(*daylight, kTimeLimits) : Picoseconds{(sun.day.count + 1) / 2};
  if (sun.daylight > sun.day) {
    daylight->fail_at_key(fmt::format("{} must not be longer than {}, which is {}", format_time(sun.daylight),
                                      section.path_of("day"), format_time(sun.day)));
  }
  sun.step = read_step(section, sun.daylight, "daylight");
  if (const auto clouds = section.find("clouds"))
    sun.clouds = read_quantity(*clouds, Dimension::ratio, {0, 1});
  sun.seed = read_seed(section, default_seed);
  return sun;
}

devices::Script read_script(const Section& section, std::size_t kind, std::uint64_t default_seed) {
  switch (kind) {
    case kConstant: return devices::ConstantScript{need_power(section, "power")};
    case kSquare: return read_square(section);
    case kRamp: return read_ramp(section);
    case kSine: return read_sine(section);
    case kMarkov: return read_markov(section, default_seed);
    case kSolar: return read_solar(section, default_seed);
    default: return read_bursts(section, default_seed);
  }
}

std::size_t read_kind(const Found& source, std::span<const std::string_view> kinds) {
  const Node& kind = source.node->find("kind")->value;
  const std::string path = fmt::format("{}.kind", source.path);
  return read_choice({&kind, path, source.node->find("kind")->where}, kinds);
}

devices::TimedScript read_part(const Section& sequence, const Found& item, std::uint64_t default_seed) {
  if (item.node->kind != Node::Kind::map || !has_key(item, "kind")) {
    check_keys(item, kScriptKeys);
    item.fail_at_key("`kind` is missing; write it such as `kind: constant`");
  }
  // Sequences do not nest.
  const std::size_t kind = read_kind(item, std::span(kSourceKinds).first(kSequence));
  const auto keys = keys_of(kind);
  const Section section(item, keys.first(keys.size() - 1), sequence.locations());
  static_cast<void>(section.find("kind"));
  devices::TimedScript part{read_script(section, kind, default_seed), devices::kForever};
  if (const auto duration = section.find("for")) part.duration = read_time(*duration, kTimeLimits);
  return part;
}

// Every part that another one follows has to end, and all of them together have to fit in time.
void check_durations(const std::vector<devices::TimedScript>& parts, const std::vector<Found>& items,
                     bool repeat) {
  Picoseconds total;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (parts[i].duration == devices::kForever) {
      if (last && !repeat) return;
      items[i].fail_at_key(
          fmt::format("`for` is missing: {} needs a length, such as `for: 2 s`",
                      last ? "the last part of what repeats" : "a part that another one follows"));
    }
    if (parts[i].duration > kLongestTime - total) {
      items[i].fail_at_key(fmt::format("the parts up to here are longer than {}", format_time(kLongestTime)));
    }
    total += parts[i].duration;
  }
}

ScriptConfig read_sequence(const Section& section, std::uint64_t seed) {
  ScriptConfig script;
  const Found list = section.need("parts", "parts: [{kind: constant, power: 1 mW, for: 2 s}]");
  const auto items = section.items(list, 1, kMaxParts);
  for (std::size_t i = 0; i < items.size(); ++i) {
    script.parts.push_back(read_part(section, items[i], derived_seed(seed, i)));
  }
  if (const auto repeat = section.find("repeat")) script.repeat = read_boolean(*repeat);
  check_durations(script.parts, items, script.repeat);
  return script;
}

ScriptConfig read_single(const Section& section, std::size_t kind, std::uint64_t seed) {
  ScriptConfig script;
  devices::TimedScript part{read_script(section, kind, derived_seed(seed, 0)), devices::kForever};
  const auto duration = section.find("for");
  if (duration) part.duration = read_time(*duration, kTimeLimits);
  script.parts.push_back(part);
  if (const auto repeat = section.find("repeat")) {
    script.repeat = read_boolean(*repeat);
    if (script.repeat && !duration)
      repeat->fail_at_key("needs `for`, the length of what repeats, such as `for: 2 s`");
  }
  return script;
}

// A path of the file counts from the file's folder, one of the command line from where that was typed.
std::string resolved_path(const Found& found, const ScenarioContext& context) {
  const std::filesystem::path path(read_text(found, kLongestPath, false));
  if (path.is_absolute() || found.node->from_override || context.folder.empty()) return path.string();
  return (std::filesystem::path(context.folder) / path).string();
}

void read_trace_time(const Section& section, TraceConfig& trace) {
  if (const auto time = section.find("time"))
    trace.time = static_cast<TraceTime>(read_choice(*time, kTraceTimes));
  const auto rate = section.find("rate");
  const auto gaps = section.find("gaps");
  if (gaps) trace.gaps = static_cast<TraceGaps>(read_choice(*gaps, kTraceGaps));
  if (trace.time == TraceTime::stamped) {
    if (rate) rate->fail_at_key("only goes with time: by_index; stamped traces have their own times");
    return;
  }
  if (!rate) section.fail("time: by_index needs `rate` as well, such as `rate: 1 kHz`");
  trace.rate_hz = read_quantity(*rate, Dimension::frequency, kRateLimits);
  if (gaps && trace.gaps != TraceGaps::error) {
    gaps->fail_at_key("has no meaning with time: by_index, whose samples are evenly spaced; leave it out");
  }
}

TraceConfig read_trace(const Section& section, const ScenarioContext& context) {
  TraceConfig trace;
  trace.path = resolved_path(section.need("trace", "trace: harvest.csv"), context);
  read_trace_time(section, trace);
  if (const auto load = section.find("load")) {
    trace.load_ohm = read_quantity(*load, Dimension::resistance, kLoadLimits);
    trace.load_given = true;
  }
  if (const auto repeat = section.find("repeat")) trace.repeat = read_boolean(*repeat);
  if (const auto offset = section.find("offset"))
    trace.offset = read_time(*offset, {Picoseconds{0}, kLongestTime});
  if (const auto scale = section.find("scale")) trace.scale = read_number(*scale, kScaleLimits);
  if (const auto resample = section.find("resample")) trace.resample = read_time(*resample, kTimeLimits);
  return trace;
}

ResetConfig read_resets(const Section& section, const ScenarioContext& context) {
  ResetConfig resets;
  resets.path = resolved_path(section.need("resets", "resets: resets.txt"), context);
  const std::size_t unit = read_choice(section.need("unit", "unit: ms"), kResetUnits);
  const auto clock = section.find("clock");
  if (unit == 0 && clock) clock->fail_at_key("only goes with unit: cycles; leave it out");
  if (unit != 0 && !clock)
    section.fail("unit: cycles needs `clock` as well, whose cycles they are, such as `clock: 16 MHz`");
  if (clock) resets.clock_hz = read_hertz(*clock, kClockLimits);
  resets.power_w = need_power(section, "power");
  return resets;
}

// None of the keys is there that say what a source is.
[[noreturn]] void fail_without_kind(const Found& source) {
  std::vector<std::string_view> all(kTraceKeys.begin(), kTraceKeys.end());
  all.insert(all.end(), kResetKeys.begin(), kResetKeys.end());
  all.insert(all.end(), kScriptKeys.begin(), kScriptKeys.end());
  check_keys(source, all);
  source.fail_at_key(
      "needs `trace` (a file), `kind` (a script) or `resets` (a list), such as `kind: constant`");
}

enum class SourceSort : std::uint8_t { trace, resets, script };

SourceSort sort_of(const Found& source) {
  const bool is_map = source.node->kind == Node::Kind::map;
  constexpr std::array<std::string_view, 3> kSorts{"trace", "resets", "kind"};
  const MapEntry* chosen = nullptr;
  std::size_t sort = 0;
  for (std::size_t i = 0; i < kSorts.size(); ++i) {
    const MapEntry* entry = is_map ? source.node->find(kSorts.at(i)) : nullptr;
    if (entry == nullptr) continue;
    if (chosen != nullptr) {
      throw InputError(
          entry->where,
          fmt::format("{}: has both `{}` and `{}`; a source is a file, a list of resets or a script, "
                      "so leave one out",
                      source.path, kSorts.at(sort), kSorts.at(i)));
    }
    chosen = entry;
    sort = i;
  }
  if (chosen == nullptr) fail_without_kind(source);
  return static_cast<SourceSort>(sort);
}

}  // namespace

std::span<const std::string_view> trace_keys() { return kTraceKeys; }
std::span<const std::string_view> reset_keys() { return kResetKeys; }
std::span<const std::string_view> script_keys() { return kScriptKeys; }

SourceConfig read_source(const Section& supply, const ScenarioContext& context) {
  const Found source = supply.need("source", "source: {kind: constant, power: 1 mW}");
  switch (sort_of(source)) {
    case SourceSort::trace: return read_trace(Section(source, kTraceKeys, supply.locations()), context);
    case SourceSort::resets: return read_resets(Section(source, kResetKeys, supply.locations()), context);
    case SourceSort::script: break;
  }
  const std::size_t chosen = read_kind(source, kSourceKinds);
  const Section section(source, keys_of(chosen), supply.locations());
  static_cast<void>(section.find("kind"));
  return chosen == kSequence ? read_sequence(section, context.seed)
                             : read_single(section, chosen, context.seed);
}

bool ends(const SourceConfig& source) {
  if (const auto* trace = std::get_if<TraceConfig>(&source)) return !trace->repeat;
  if (std::holds_alternative<ResetConfig>(source)) return false;
  const auto& script = std::get<ScriptConfig>(source);
  return !script.repeat && script.parts.back().duration != devices::kForever;
}

}  // namespace brownout::sim
