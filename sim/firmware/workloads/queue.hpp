// Workload `queue`: the published doubly linked list, push one item and pop the oldest.
#pragma once

#include <cstdint>
#include <cstring>

#include "sim/firmware/directory.hpp"
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
      : heap_(heap),
        port_(port),
        options_(options),
        node_bytes_(kQueueLinkBytes + options.item_bytes),
        directory_(heap, port, heap::root_name("queue"), kOldest) {}

  void run() {
    if (const heap::Status status = recover(); !status.ok()) {
      return port_.give_up(status.error(), "find the nodes again");
    }
    while (size() < options_.length) {
      if (!push()) return;
    }
    while (size() > options_.length) {  // an earlier life ended between push and pop
      if (!pop()) return;
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
  // The oldest node is in the directory under one of two numbers in turn, so that one of them is there at any
  // time. From it the links to newer nodes lead to all of them.
  static constexpr std::uint32_t kOldest = 2;

  [[nodiscard]] std::uint32_t size() const { return recovered_ + pushed_ - popped_; }

  // What an earlier life left, from the oldest node to the newest that can be reached.
  heap::Status recover() {
    if (const heap::Status status = directory_.open(); !status.ok()) return status;
    for (std::uint32_t number = 0; number < kOldest && tail_ == 0; ++number) {
      heap::Result<heap::Handle> found = directory_.find(number, {node_bytes_});
      if (!found.ok()) return found.error();
      oldest_ = found.value().valid() ? number : 0;
      tail_ = found.value().home();
    }
    std::uint32_t next = tail_;
    while (next != 0) {
      head_ = next;
      ++recovered_;
      if (const heap::Status status = read_link(head_, kPrev, next); !status.ok()) return status;
      if (next == 0) break;
      const heap::Buffer newer(next, node_bytes_);
      if (heap_.is_in_doubt(newer) || heap_.is_kept(newer, heap_.marks())) break;
      const heap::Status kept = heap_.keep(newer, heap_.marks());
      if (kept.error() == heap::Error::invalid_handle) break;
      if (!kept.ok()) return kept;
    }
    if (const heap::Status status = directory_.settle(); !status.ok()) return status;
    if (next == 0) return {};
    // The rest is gone. Before anything is made in its place.
    if (const heap::Status status = write_link(head_, kPrev, 0); !status.ok()) return status;
    return flush(head_);
  }

  // Home at once, if the program attaches.
  heap::Status flush(std::uint32_t home) {
    return heap_.attaches() ? heap_.flush_object(heap::Buffer(home, node_bytes_)) : heap::Status();
  }

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
    if (const heap::Status status = flush(node.home()); !status.ok()) {
      return port_.failed(status.error(), "push: flush the node");
    }
    if (head_ != 0 && !set_link(head_, kPrev, node.home())) return false;
    const heap::Status status = head_ != 0 ? flush(head_) : directory_.enter(oldest_, node);
    if (!status.ok()) return port_.failed(status.error(), "push: flush the link");
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
    if (const heap::Status status = move_oldest(newer); !status.ok()) {
      return port_.failed(status.error(), "pop: enter the oldest");
    }
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the heap's free, not that of the C library
    if (const heap::Status status = heap_.free(node); !status.ok()) {
      return port_.failed(status.error(), "pop: free the node");
    }
    tail_ = newer;
    if (tail_ == 0) head_ = 0;
    if (recovered_ > 0) {
      --recovered_;
    } else {
      ++popped_;
    }
    return true;
  }

  heap::Status move_oldest(std::uint32_t to) {
    const std::uint32_t before = oldest_;
    if (to != 0) {
      oldest_ = 1 - before;
      const heap::Buffer node(to, node_bytes_);
      if (const heap::Status status = directory_.enter(oldest_, node); !status.ok()) return status;
    }
    return directory_.leave(before);
  }

  // Reads the oldest node, compares its data with what was pushed, and gives its neighbour.
  bool check(const heap::Buffer& node, std::uint32_t& newer) {
    auto result = heap_.read(node);
    if (!result.ok()) return port_.failed(result.error(), "pop: read the node");
    const auto ref = result.take();
    std::memcpy(&newer, ref.data() + kPrev, sizeof newer);
    port_.charge(heap::Work::copied_byte, node_bytes_);
    if (recovered_ > 0) return true;  // nobody knows any more which item it is
    for (std::uint32_t j = 0; j < options_.item_bytes; ++j) {
      if (ref.data()[kQueueLinkBytes + j] != queue_item_byte(popped_, j)) {
        return port_.failed(heap::Error::none, "pop: the item is not the one that was pushed");
      }
    }
    return true;
  }

  heap::Status read_link(std::uint32_t home, std::uint32_t offset, std::uint32_t& to) {
    const heap::Buffer node(home, node_bytes_);
    auto result = heap_.read(node);
    if (!result.ok()) return result.error();
    std::memcpy(&to, result.value().data() + offset, sizeof to);
    port_.charge(heap::Work::copied_byte, sizeof to);
    return {};
  }

  heap::Status write_link(std::uint32_t home, std::uint32_t offset, std::uint32_t to) {
    const heap::Buffer node(home, node_bytes_);
    auto result = heap_.write(node, offset, sizeof to);
    if (!result.ok()) return result.error();
    std::memcpy(result.value().data(), &to, sizeof to);
    port_.charge(heap::Work::copied_byte, sizeof to);
    return {};
  }

  bool set_link(std::uint32_t home, std::uint32_t offset, std::uint32_t to) {
    const heap::Status status = write_link(home, offset, to);
    return status.ok() || port_.failed(status.error(), "link a node");
  }

  ObjectMemory& heap_;
  Port& port_;
  QueueOptions options_;
  std::uint32_t node_bytes_;
  Directory directory_;
  std::uint32_t oldest_ = 0;
  std::uint32_t recovered_ = 0;  // nodes of an earlier life that are still there
  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
  std::uint32_t pushed_ = 0;
  std::uint32_t popped_ = 0;
};

}  // namespace brownout::sim::firmware
