// --vcd, --trace-json and --window of the commands that write waves.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sim/cli/options.hpp"
#include "sim/waves/wave_files.hpp"

namespace brownout::sim::cli {

struct WaveOptions {
  std::string vcd;         // empty: not wanted
  std::string trace_json;  // likewise
  std::optional<waves::Window> window;
  [[nodiscard]] bool any() const { return !vcd.empty() || !trace_json.empty(); }
};

void add_wave_options(po::options_description& options);
// Throws InputError for a path that cannot be written to, the same path twice, a wrong window, or one without
// a file.
WaveOptions wave_options_of(const po::variables_map& values);
// Nothing if no file is wanted. Throws EnvironmentError. `window`: where none was asked for.
std::unique_ptr<waves::WaveFiles> open_waves(const WaveOptions& options, const waves::Title& title,
                                             const waves::Window& window);
// Finishes them, if there are any, and says so if their window has nothing in it. Throws EnvironmentError.
void finish_waves(const WaveOptions& options, const std::unique_ptr<waves::WaveFiles>& files);

}  // namespace brownout::sim::cli
