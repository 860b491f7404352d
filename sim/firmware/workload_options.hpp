// What a scenario can choose of the workloads.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <variant>

#include "sim/firmware/script_program.hpp"

namespace brownout::sim::firmware {

// Objects that are incremented in turn; every sixteenth operation frees its object and makes it anew.
// Goes on until the run is stopped.
struct CounterOptions {
  std::uint32_t objects = 8;            // 1 .. 4,000
  std::uint32_t size_bytes = 16;        // 4 .. 16,376; the counter is the first word
  std::uint32_t compute_cycles = 1000;  // between two operations
};

// A doubly linked list used as a queue: push an item, pop the oldest. An item is 8 bytes of links and its
// data.
struct QueueOptions {
  std::uint32_t length = 32;       // items before the first iteration, 0 .. 4,000
  std::uint32_t item_bytes = 256;  // 4 .. 16,000
  std::uint32_t iterations = 10'000;
  std::uint32_t compute_cycles = 0;
};

inline constexpr std::uint32_t kKvsObjects = 256;

enum class KvsKeys : std::uint8_t { random, sequential, partitioned, distributed };

// 256 objects of four sizes that are overwritten whole, in an order drawn from one of four distributions. Of fewer, a key
// is taken modulo their number.
struct KvsOptions {
  KvsKeys keys = KvsKeys::random;
  std::array<std::uint32_t, 4> sizes = {32, 128, 256, 1024};
  std::array<std::uint32_t, 4> counts = {64, 128, 32, 32};  // 1 to 256 in all
  std::uint32_t iterations = 10'000;
  std::uint32_t compute_cycles = 0;

  [[nodiscard]] std::uint32_t objects() const { return counts[0] + counts[1] + counts[2] + counts[3]; }
};

// A workload of the user.
struct ScriptOptions {
  std::shared_ptr<const ScriptProgram> program;
  std::uint64_t seed = 1;  // of what it draws: picks, mixes, data
};

class ObjectMemory;
class Port;

// A function that a program of the user brings along (sim/scenario/custom_workloads.hpp).
using CustomRun = void (*)(ObjectMemory& memory, Port& port);
struct CustomOptions {
  CustomRun run = nullptr;
  bool attaches = false;  // it finds its objects again after an attach
};

using WorkloadOptions = std::variant<CounterOptions, QueueOptions, KvsOptions, ScriptOptions, CustomOptions>;

// Whether the workload comes to an end by itself. Nobody can tell of a custom one.
inline bool ends(const WorkloadOptions& options) {
  if (const auto* script = std::get_if<ScriptOptions>(&options)) return script->program->iterations > 0;
  return !std::holds_alternative<CounterOptions>(options) && !std::holds_alternative<CustomOptions>(options);
}

}  // namespace brownout::sim::firmware
