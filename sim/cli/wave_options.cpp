#include "sim/cli/wave_options.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "sim/scenario/quantity.hpp"

namespace brownout::sim::cli {

void add_wave_options(po::options_description& options) {
  options.add_options()  //
      ("vcd", po::value<std::string>(),
       "write voltage, supply, bus and heap over time to this file, for GTKWave or PulseView")  //
      ("trace-json", po::value<std::string>(),
       "write phases, operations and transfers as slices, and the voltage, to this file, for "
       "https://ui.perfetto.dev")  //
      ("window", po::value<std::string>(),
       "write only what happens between two times, such as \"12 ms..15 ms\", to these two files");
}

WaveOptions wave_options_of(const po::variables_map& values) {
  WaveOptions options;
  options.vcd = output_path_of(values, "vcd");
  options.trace_json = output_path_of(values, "trace-json");
  if (options.any() && options.vcd == options.trace_json) {
    throw InputError({"--trace-json " + options.trace_json, 0, 0},
                     "is the file of --vcd, too; needs one of its own");
  }
  if (values.count("window") == 0) return options;
  const auto& window = values["window"].as<std::string>();
  options.window = waves::parse_window(window);
  if (!options.any()) {
    throw InputError({"--window " + window, 0, 0},
                     "limits what --vcd and --trace-json write; give one of them");
  }
  return options;
}

std::unique_ptr<waves::WaveFiles> open_waves(const WaveOptions& options, const waves::Title& title,
                                             const waves::Window& window) {
  if (!options.any()) return nullptr;
  return std::make_unique<waves::WaveFiles>(options.vcd, options.trace_json, title,
                                            options.window.value_or(window));
}

void finish_waves(const WaveOptions& options, const std::unique_ptr<waves::WaveFiles>& files) {
  if (files == nullptr) return;
  files->finish();
  if (!options.window || options.window->from <= files->ended_at()) return;
  std::fputs(
      fmt::format("brownout: --window begins at {}, and the run ended at {}: there is nothing to write\n",
                  format_time(options.window->from), format_time(files->ended_at()))
          .c_str(),
      stderr);
}

}  // namespace brownout::sim::cli
