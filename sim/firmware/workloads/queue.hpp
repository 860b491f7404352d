// Workload `queue`: the published doubly linked list, push one item and pop the oldest.
#pragma once

#include <cstdint>
#include <cstring>

#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"
#include "sim/firmware/workload_options.hpp"

namespace brownout::sim::firmware {

// Byte j of item i.
constexpr std::byte queue_item_byte(std::uint32_t i, std::uint32_t j) {
  const std::uint64_t mixed = 7001ULL * j + 301ULL * i;
  return static_cast<std::byte>((mixed % 17 + i % 239) & 0xFFU);
}

// A node is two 4-byte links (store addresses, 0: none) and the data. New items go in at the head.
inline constexpr std::uint32_t kQueueLinkBytes = 8;
inline constexpr std::uint32_t kMaxQueueItemBytes = 16'000;

class QueueWorkload {
 public:
  QueueWorkload(ObjectMemory& heap, Port& port, const QueueOptions& options)
      : heap_(heap), port_(port), options_(options), node_bytes_(kQueueLinkBytes + options.item_bytes) {}

  void run() {
    for (std::uint32_t i = 0; i < options_.length; ++i) {
      if (!push()) return;
    }
    for (std::uint32_t i = 0; i < options_.iterations; ++i) {
      if (!push() || !pop()) return;
      port_.charge(heap::Work::compute_cycle, options_.compute_cycles);
      port_.operation_done();
    }
  }

 private:
  static constexpr std::uint32_t kPrev = 0;
  static constexpr std::uint32_t kNext = 4;

  bool push() {
    heap::Result<heap::Buffer> made = heap_.make_buffer(node_bytes_);
    if (!made.ok()) return port_.failed(made.error(), "push: make a node");
    const heap::Buffer node = made.take();
    {
      auto result = heap_.write(node);
      if (!result.ok()) return port_.failed(result.error(), "push: write the node");
      const auto ref = result.take();
      std::memcpy(ref.data() + kNext, &head_, sizeof head_);
      for (std::uint32_t j = 0; j < options_.item_bytes; ++j) {
        ref.data()[kQueueLinkBytes + j] = queue_item_byte(pushed_, j);
      }
      port_.charge(heap::Work::copied_byte, node_bytes_);
    }
    if (head_ != 0 && !set_link(head_, kPrev, node.home())) return false;
    head_ = node.home();
    if (tail_ == 0) tail_ = node.home();
    ++pushed_;
    return true;
  }

  bool pop() {
    heap::Buffer node(tail_, node_bytes_);
    std::uint32_t newer = 0;
    if (!check(node, newer)) return false;
    if (newer != 0 && !set_link(newer, kNext, 0)) return false;
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the heap's free, not that of the C library
    if (const heap::Status status = heap_.free(node); !status.ok()) {
      return port_.failed(status.error(), "pop: free the node");
    }
    tail_ = newer;
    if (tail_ == 0) head_ = 0;
    ++popped_;
    return true;
  }

  // Reads the oldest node, compares its data with what was pushed, and gives its neighbour.
  bool check(const heap::Buffer& node, std::uint32_t& newer) {
    auto result = heap_.read(node);
    if (!result.ok()) return port_.failed(result.error(), "pop: read the node");
    const auto ref = result.take();
    std::memcpy(&newer, ref.data() + kPrev, sizeof newer);
    port_.charge(heap::Work::copied_byte, node_bytes_);
    for (std::uint32_t j = 0; j < options_.item_bytes; ++j) {
      if (ref.data()[kQueueLinkBytes + j] != queue_item_byte(popped_, j)) {
        return port_.failed(heap::Error::none, "pop: the item is not the one that was pushed");
      }
    }
    return true;
  }

  bool set_link(std::uint32_t home, std::uint32_t offset, std::uint32_t to) {
    const heap::Buffer node(home, node_bytes_);
    auto result = heap_.write(node, offset, sizeof to);
    if (!result.ok()) return port_.failed(result.error(), "link a node");
    const auto ref = result.take();
    std::memcpy(ref.data(), &to, sizeof to);
    port_.charge(heap::Work::copied_byte, sizeof to);
    return true;
  }

  ObjectMemory& heap_;
  Port& port_;
  QueueOptions options_;
  std::uint32_t node_bytes_;
  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
  std::uint32_t pushed_ = 0;
  std::uint32_t popped_ = 0;
};

}  // namespace brownout::sim::firmware
