// A grid of runs of one scenario, and its table.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace brownout::sim {

inline constexpr std::size_t kMostCells = 10'000;

struct SweepAxis {
  std::string key;  // dotted, as of --set
  std::vector<std::string> values;
};
// "key=v1,v2,...": commas within {}, [] and quotes belong to a value. Throws InputError.
SweepAxis parse_axis(const std::string& text);

struct SweepCell {
  std::vector<std::string> values;  // one an axis
  nlohmann::ordered_json results;   // by the paths of the run's report; empty if it did not run
};

struct Sweep {
  std::string scenario;
  std::vector<SweepAxis> axes;
  std::vector<SweepCell> cells;  // the last axis changes fastest
  bool complete = true;          // false: interrupted
};

struct SweepOptions {
  std::string file;
  std::vector<std::string> sets;
  std::optional<std::uint64_t> seed;
  std::vector<SweepAxis> axes;
  std::size_t jobs = 1;  // threads; the result is the same for any number
  const volatile std::sig_atomic_t* interrupted = nullptr;
  std::function<void(std::size_t done, std::size_t of)> progress;  // from any thread, one at a time
};

// Runs every cell. Throws InputError for a cell that is no valid scenario before any has run, and for what a
// run finds wrong with its trace.
Sweep run_sweep(const SweepOptions& options);

// The whole grid: a header of the varied keys and the paths of results, a row a cell.
std::string sweep_csv(const Sweep& sweep);
std::string sweep_json(const Sweep& sweep);
// The same for people, with the change of each cell against the first.
std::string sweep_text(const Sweep& sweep);

}  // namespace brownout::sim
