// Sources that are written down instead of recorded: constant, square, ramp, sine, random bursts, a Markov
// chain of on and off, days of sun, and sequences of these.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "devices/supply/source.hpp"

namespace brownout::devices {

struct ConstantScript {
  double power_w = 0;
};

struct SquareScript {
  double high_w = 0;
  double low_w = 0;
  Picoseconds period;  // > 0
  double duty = 0.5;   // share of the period at high_w, which comes first; 0 < duty < 1
};

// From from_w to to_w over `duration`, held in steps whose power is the mean of the line over the step;
// afterwards to_w.
struct RampScript {
  double from_w = 0;
  double to_w = 0;
  Picoseconds duration;  // > 0
  Picoseconds step;      // > 0
};

// mean + amplitude sin(2 pi t / period), below zero clamped, held in steps with the value at mid-step. The
// steps start over with each period (the last of one may be shorter), so that all periods are alike.
struct SineScript {
  double mean_w = 0;
  double amplitude_w = 0;
  Picoseconds period;
  Picoseconds step;
};

// Bursts of random power, length and distance, uniform between the bounds (inclusive, for the times), from a
// seed. A gap comes first. Not both of max_length and max_gap may be 0.
struct BurstScript {
  double low_w = 0;  // between the bursts
  double min_w = 0;
  double max_w = 0;
  Picoseconds min_length;
  Picoseconds max_length;
  Picoseconds min_gap;
  Picoseconds max_gap;
  std::uint64_t seed = 0;
};

// A Markov chain of two states in continuous time: how long each lasts is exponential with its mean, whatever
// came before; rounded down to a picosecond, at least one. It begins off.
struct MarkovScript {
  double on_w = 0;
  double off_w = 0;
  Picoseconds mean_on;
  Picoseconds mean_off;
  std::uint64_t seed = 0;
};

// Days that begin with sunrise: for `daylight` the clear sky gives peak sin(pi t / daylight), then it is
// night for the rest of `day`. Held in steps with the value at mid-step; in each step clouds take away a
// random share, uniform from 0 to `clouds`.
struct SolarScript {
  double peak_w = 0;
  Picoseconds day;
  Picoseconds daylight;  // at most a day
  Picoseconds step;
  double clouds = 0;  // 0 to 1
  std::uint64_t seed = 0;
};

using Script = std::variant<ConstantScript, SquareScript, RampScript, SineScript, BurstScript, MarkovScript,
                            SolarScript>;

struct TimedScript {
  Script script;
  Picoseconds duration = kForever;  // when the next part of a sequence begins
};

// The parts one after the other, each from its own beginning; `repeat` starts over after the last (all
// durations must then be finite; what is random goes on drawing, it does not repeat itself). Without
// it the source ends with its last part. Neighbouring segments of equal power are handed out as one (a run
// of very many in pieces). period() is the sum of the durations if the parts repeat and none is random, and
// the script's own for a single square, sine or sun without clouds that lasts for ever. Parameters out of
// range are a programming error and asserted: there is at least one part, powers are finite and not negative,
// times positive (bursts: not negative), and only the last part may last for ever.
std::unique_ptr<Source> make_scripted_source(std::vector<TimedScript> parts, bool repeat);

}  // namespace brownout::devices
