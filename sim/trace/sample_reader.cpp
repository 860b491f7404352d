#include "sim/trace/sample_reader.hpp"

#include <cmath>

#include <fmt/format.h>

#include "sim/trace/ekho_reader.hpp"
#include "sim/trace/shepherd_reader.hpp"
#include "sim/trace/text_reader.hpp"

namespace brownout::sim {

void SampleReader::set_rate(const TraceConfig& config, std::uint32_t measured_per_sample) {
  measured_per_sample_ = measured_per_sample;
  if (config.time == TraceTime::by_index)
    rate_uhz_ = static_cast<std::uint64_t>(std::floor(config.rate_hz * 1e6 + 0.5));
}

Int128 SampleReader::time_of_index(std::uint64_t index) const {
  constexpr Int128 kMicrohertzPicoseconds = 1'000'000'000'000'000'000;  // 1 s in ps times 1 Hz in uHz
  return static_cast<Int128>(index) * measured_per_sample_ * kMicrohertzPicoseconds /
         static_cast<Int128>(rate_uhz_);
}

void check_power(double power_w, const Location& where) {
  if (power_w <= kMaxTracePower) return;
  throw InputError(where, fmt::format("a power of {}; above {} a unit is wrong",
                                      format_quantity(power_w, Dimension::power),
                                      format_quantity(kMaxTracePower, Dimension::power)));
}

std::unique_ptr<SampleReader> open_samples(const TraceConfig& config, const Location& named_at) {
  check_trace_file(config.path, named_at);
  if (is_hdf5(config.path)) return std::make_unique<ShepherdReader>(config);
  LineReader lines(config.path, named_at);
  if (is_ekho(lines)) return std::make_unique<EkhoReader>(config, named_at);
  return std::make_unique<TextReader>(config, named_at);
}

}  // namespace brownout::sim
