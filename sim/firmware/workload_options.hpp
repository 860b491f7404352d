// What a scenario can choose of the built-in workloads.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

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

// 256 objects of four sizes that are overwritten whole, in an order drawn from one of four distributions.
struct KvsOptions {
  KvsKeys keys = KvsKeys::random;
  std::array<std::uint32_t, 4> sizes = {32, 128, 256, 1024};
  std::array<std::uint32_t, 4> counts = {64, 128, 32, 32};  // 256 in all
  std::uint32_t iterations = 10'000;
  std::uint32_t compute_cycles = 0;
};

using WorkloadOptions = std::variant<CounterOptions, QueueOptions, KvsOptions>;

}  // namespace brownout::sim::firmware
