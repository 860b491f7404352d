// The samples of a trace file, whatever its format: a time, and a power or an IV curve.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "devices/supply/iv_curve.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// More than this is a wrong unit, not a harvester.
inline constexpr double kMaxTracePower = 1e3;

struct Sample {
  Int128 time_ps = 0;                             // as stamped, rounded to a picosecond; by_index: from 0
  double power_w = 0;                             // >= 0; of a curve the most that it gives
  bool clamped = false;                           // was negative; of a curve one of its currents
  std::shared_ptr<const devices::IvCurve> curve;  // or nothing
};

// Throws InputError, from all of its functions, at what is wrong with the file.
class SampleReader {
 public:
  SampleReader(const SampleReader&) = delete;
  SampleReader& operator=(const SampleReader&) = delete;
  virtual ~SampleReader() = default;

  // The next sample, or nothing at the end.
  virtual std::optional<Sample> next() = 0;
  // Starts over at the first sample.
  virtual void rewind() = 0;

  // "Mementos text".
  [[nodiscard]] virtual std::string format() const = 0;
  // Whether the file has times at all.
  [[nodiscard]] virtual bool has_time() const = 0;
  // The time of the last sample as written, its unit ("ms"), and where it stands: for messages, in full and
  // as "line 5".
  [[nodiscard]] virtual std::string time_text() const = 0;
  [[nodiscard]] virtual std::string_view time_unit() const = 0;
  [[nodiscard]] virtual Location time_location() const = 0;
  [[nodiscard]] virtual std::string place() const = 0;

  // How many samples of `rate` one of next() is: more than one of an IV curve that was swept.
  [[nodiscard]] std::uint32_t measured_per_sample() const { return measured_per_sample_; }
  [[nodiscard]] bool by_index() const { return rate_uhz_ > 0; }
  // The time of the sample with that index when time is by_index, rounded down.
  [[nodiscard]] Int128 time_of_index(std::uint64_t index) const;

 protected:
  // Rate of the samples, of which each that next() gives out is `measured_per_sample`.
  explicit SampleReader(const TraceConfig& config) { set_rate(config, 1); }
  void set_rate(const TraceConfig& config, std::uint32_t measured_per_sample);

 private:
  // With by_index: 10^18 / rate in microhertz picoseconds between two measurements.
  std::uint64_t rate_uhz_ = 0;
  std::uint32_t measured_per_sample_ = 1;
};

// Opens a trace in the format that its first bytes say.
std::unique_ptr<SampleReader> open_samples(const TraceConfig& config, const Location& named_at);

// Throws InputError at `where` for a power that no harvester has.
void check_power(double power_w, const Location& where);

}  // namespace brownout::sim
