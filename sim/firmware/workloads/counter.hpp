// Workload `counter`: allocate, increment, read, free.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include "sim/firmware/directory.hpp"
#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"
#include "sim/firmware/workload_options.hpp"

namespace brownout::sim::firmware {

inline constexpr std::uint32_t kMaxCounterObjects = 4'000;

// So many handles, all invalid at first. A board's RAM has room for no more; here there is for the most that
// an option can ask for, and what is beyond `count` is never touched.
class CounterHandles {
 public:
  explicit CounterHandles(std::uint32_t count) {
    for (std::uint32_t k = 0; k < count; ++k) std::construct_at(&handles_[k]);
  }
  CounterHandles(const CounterHandles&) = delete;
  CounterHandles& operator=(const CounterHandles&) = delete;
  ~CounterHandles() {}  // NOLINT(modernize-use-equals-default): of a union nothing is destroyed

  heap::Buffer* data() { return handles_; }
  heap::Buffer& operator[](std::uint32_t k) { return handles_[k]; }

 private:
  static_assert(std::is_trivially_destructible_v<heap::Buffer>);
  union {
    heap::Buffer handles_[kMaxCounterObjects];  // NOLINT(readability-identifier-naming): of this class
  };
};

class CounterWorkload {
 public:
  CounterWorkload(ObjectMemory& heap, Port& port, const CounterOptions& options)
      : heap_(heap),
        port_(port),
        options_(options),
        directory_(heap, port, heap::root_name("counter"), options.objects),
        counters_(options.objects) {}

  void run() {
    const auto shape_of = [this](std::uint32_t) { return ObjectShape{options_.size_bytes}; };
    const heap::Status recovered = directory_.recover(counters_.data(), options_.objects, shape_of);
    if (!recovered.ok()) return port_.give_up(recovered.error(), "find the counters again");
    for (std::uint32_t k = 0; k < options_.objects; ++k) {
      if (!counters_[k].valid() && !make(k)) return;
    }
    for (std::uint32_t i = 0; options_.objects > 0; ++i) {
      const std::uint32_t k = i % options_.objects;
      const bool done = i % 16 == 15 ? renew(k) : increment(k);
      if (!done || !look_at((k + options_.objects / 2) % options_.objects)) return;
      port_.charge(heap::Work::compute_cycle, options_.compute_cycles);
      port_.operation_done();
    }
  }

 private:
  bool make(std::uint32_t k) {
    heap::Result<heap::Buffer> made = heap_.make_buffer(options_.size_bytes);
    if (!made.ok()) return port_.failed(made.error(), "make a counter");
    counters_[k] = made.take();
    const heap::Status entered = directory_.enter(k, counters_[k]);
    return entered.ok() || port_.failed(entered.error(), "enter a counter");
  }

  bool renew(std::uint32_t k) {
    if (const heap::Status status = directory_.leave(k); !status.ok()) {
      return port_.failed(status.error(), "take out a counter");
    }
    if (const heap::Status status = heap_.free(counters_[k]); !status.ok()) {
      return port_.failed(status.error(), "free a counter");
    }
    return make(k);
  }

  bool increment(std::uint32_t k) {
    auto result = heap_.write(counters_[k]);
    if (!result.ok()) return port_.failed(result.error(), "write a counter");
    const auto counter = result.take();
    std::uint32_t value = 0;
    std::memcpy(&value, counter.data(), sizeof value);
    ++value;
    std::memcpy(counter.data(), &value, sizeof value);
    // The last byte follows along, so that a torn object cannot look whole.
    if (counter.size() > sizeof value) {
      counter.data()[counter.size() - 1] = static_cast<std::byte>(value & 0xFFU);
    }
    port_.charge(heap::Work::copied_byte, 2 * sizeof value + 1);
    return true;
  }

  bool look_at(std::uint32_t k) {
    auto result = heap_.read(counters_[k]);
    if (!result.ok()) return port_.failed(result.error(), "read a counter");
    port_.charge(heap::Work::copied_byte, sizeof(std::uint32_t));
    return true;
  }

  ObjectMemory& heap_;
  Port& port_;
  CounterOptions options_;
  Directory directory_;
  CounterHandles counters_;
};

}  // namespace brownout::sim::firmware
