// A scenario as a typed value: what board, supply, heap and workload a run simulates. All quantities
// are SI, all choices are resolved. load_scenario() makes one from YAML and overrides.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "devices/bus/spi_profile.hpp"
#include "devices/fram/fram_faults.hpp"
#include "devices/fram/fram_part.hpp"
#include "devices/mcu/mcu_profile.hpp"
#include "devices/supply/capacitor.hpp"
#include "devices/supply/power_path.hpp"
#include "devices/supply/scripted_source.hpp"
#include "devices/supply/source.hpp"
#include "devices/units.hpp"
#include "heap/storage/verified.hpp"
#include "sim/firmware/memory_options.hpp"
#include "sim/firmware/workload_options.hpp"
#include "sim/scenario/document.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim {

using devices::Picoseconds;

enum class AfterPersist : std::uint8_t { sleep, deep_sleep, shutdown };
enum class OnLoss : std::uint8_t { stop, reformat, attach };

struct McuConfig {
  devices::McuProfile profile;  // with the overrides of the scenario applied
  std::uint64_t clock_hz = 0;
  std::uint32_t os_save_bytes = 0;
  std::optional<double> brown_out_level_v;  // its own reset decides when the board is off
  AfterPersist after_persist = AfterPersist::sleep;
  OnLoss on_loss = OnLoss::stop;
};

// Errors on the wires between controller and part.
struct BusFaultConfig {
  double bit_error_rate = 0;  // of each bit that is sent or received, commands included
  double missing_answer = 0;  // of each transaction: it reaches nobody and has no completion

  [[nodiscard]] bool any() const { return bit_error_rate > 0 || missing_answer > 0; }
};

// Of a part in the address space of its MCU there is no bus: what is said of one means nothing.
struct StorageConfig {
  devices::FramPart part;
  devices::SpiProfile bus;
  std::uint64_t sck_hz = 0;        // as the controller's divider makes it
  std::uint64_t sck_asked_hz = 0;  // at most that; 0: no file asked
  devices::TransferMode transfer = devices::TransferMode::fifo;
  std::uint32_t slice_bytes = 0;  // only with TransferMode::sliced
  devices::FramFault power_loss = devices::FramFault::discard;
  BusFaultConfig bus_faults;
  // What the driver does about them.
  std::uint32_t retries = 0;
  Picoseconds timeout;  // for a completion, from when it should have come; 0: none is waited for
  heap::Verify verify = heap::Verify::none;
};

// How a trace file with time that runs backwards or has gaps is treated.
enum class TraceTime : std::uint8_t { stamped, by_index };
enum class TraceGaps : std::uint8_t { error, hold, zero };

struct TraceConfig {
  std::string path;  // resolved
  TraceTime time = TraceTime::stamped;
  double rate_hz = 0;  // with by_index
  TraceGaps gaps = TraceGaps::error;
  double load_ohm = 30'000;  // for voltage across a load: Mementos
  bool load_given = false;   // load_ohm was written: a CSV trace of voltage alone needs that
  bool repeat = false;
  Picoseconds offset;    // into the trace, where the run begins
  double scale = 1;      // of the power
  Picoseconds resample;  // to the mean power of spans of that length; 0: as recorded
};

// A supply that fails at the instants of a list.
struct ResetConfig {
  std::string path;            // resolved
  std::uint64_t clock_hz = 0;  // whose cycles the list counts; 0: milliseconds
  double power_w = 0;
};

struct ScriptConfig {
  std::vector<devices::TimedScript> parts;
  bool repeat = false;
};

using SourceConfig = std::variant<TraceConfig, ScriptConfig, ResetConfig>;

struct Thresholds {
  double turn_on_v = 0;
  double warn_v = 0;
  double brown_out_v = 0;
};

// What compares the terminal voltage with the thresholds.
struct ComparatorConfig {
  Picoseconds latency;      // from the crossing of warn to the warning; 0: ideal. The others are ideal
  Picoseconds poll;         // warn is looked at once in that time, from 0 on; 0: all the time
  double tolerance = 0.05;  // of each threshold, relative; an estimate. For sizing: a run has them nominal
  // How far above warn the warning ends while the board is on; nothing: at turn-on.
  std::optional<double> hysteresis_v;

  // The longest from the crossing of warn to the warning.
  [[nodiscard]] Picoseconds longest_delay() const { return latency + poll; }
};

struct SupplyConfig {
  SourceConfig source;
  devices::CapacitorParameters capacitor;
  // Relative; an estimate: the usual class M of electrolytics. For sizing: a run has the nominal capacitance.
  double capacitance_tolerance = 0.2;
  double leakage_a = 0;  // whatever the voltage; beside the capacitor's insulation resistance
  double initial_v = 0;
  Thresholds thresholds;
  ComparatorConfig comparator;
  devices::Charger charger;      // from the source
  devices::Converter converter;  // to the rail
  double off_a = 0;              // of a board that is off and not disconnected, at the capacitor's voltage
  std::string preset;            // empty: none
};

struct HeapConfig {
  std::uint32_t ram_bytes = 0;
  std::uint32_t dirty_limit_bytes = 0;
  std::uint32_t max_residents = 0;     // 0: derived from ram_bytes
  std::uint32_t store_bytes = 0;       // for objects and their allocator; 0: all that the part has left
  std::uint32_t store_unit_bytes = 0;  // of the store allocator; 0: as it chooses
  std::uint32_t roots = 4;             // named roots that the store has room for
  bool write_intents = false;          // what is written home is noted in the store first
  firmware::MemoryOptions memory;      // the heap's modules, or a baseline in its place
};

using CounterConfig = firmware::CounterOptions;
using QueueConfig = firmware::QueueOptions;
using KvsConfig = firmware::KvsOptions;
using KeyDistribution = firmware::KvsKeys;
using ScriptWorkloadConfig = firmware::ScriptOptions;
using WorkloadConfig = firmware::WorkloadOptions;

struct StopConfig {
  std::optional<Picoseconds> time;
  std::optional<std::uint64_t> operations;
};

struct Scenario {
  std::string file;
  std::string name;
  std::string description;  // free text, may have several lines
  std::uint64_t seed = 1;
  McuConfig mcu;
  StorageConfig storage;
  SupplyConfig supply;
  HeapConfig heap;
  WorkloadConfig workload;
  StopConfig stop;

  // Where the key of a dotted path ("heap.dirty_limit") was written; its section or the file's first
  // line if it was left to its default. For errors that show only when parts are put together.
  [[nodiscard]] Location where(std::string_view path) const;
  std::map<std::string, Location, std::less<>> locations;
  // As it was written, overrides applied; null if it was made without a file.
  std::shared_ptr<const Node> document;
};

struct Override {
  std::string text;  // as given: path.to.key=value
};

// Reads, overrides, checks and resolves a scenario file. Throws InputError for anything the user got
// wrong. Does not open the trace's contents; open_source does.
Scenario load_scenario(const std::string& file, const std::vector<Override>& overrides,
                       std::optional<std::uint64_t> seed);

// As load_scenario, from text; `file` is for messages and for the folder that relative paths start from.
Scenario parse_scenario(const std::string& text, const std::string& file,
                        const std::vector<Override>& overrides, std::optional<std::uint64_t> seed);

// The source of a scenario, from its beginning. For a trace, the first call reads the whole file once
// to check it (constant memory), so that a wrong line is refused before anything runs.
std::unique_ptr<devices::Source> open_source(const Scenario& scenario);

}  // namespace brownout::sim
