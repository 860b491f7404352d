// Lists of workload `script`.
#pragma once

#include <cstdint>
#include <cstring>

#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"
#include "sim/firmware/script_program.hpp"

namespace brownout::sim::firmware {

// What a list keeps outside its nodes.
struct ScriptListHead {
  std::uint32_t first = 0;  // homes, 0: none
  std::uint32_t last = 0;
  std::uint32_t size = 0;
};

// A doubly linked list like heap::List, of elements whose size is known at run time only. A node is a buffer:
// the homes of its neighbours (before, after; 0: none), then the element. Nodes are named by their homes.
// Errors are those of the memory.
class ScriptList {
 public:
  // `kind` and `head` outlive this.
  ScriptList(ObjectMemory& memory, Port& port, const script::List& kind, ScriptListHead& head)
      : memory_(memory), port_(port), kind_(kind), head_(head) {}

  [[nodiscard]] const script::List& kind() const { return kind_; }
  [[nodiscard]] std::uint32_t first() const { return head_.first; }
  [[nodiscard]] std::uint32_t last() const { return head_.last; }
  [[nodiscard]] std::uint32_t size() const { return head_.size; }
  [[nodiscard]] bool full() const { return head_.size >= kind_.limit; }
  [[nodiscard]] heap::Buffer node(std::uint32_t home) const { return {home, kind_.node_bytes()}; }

  // Reads a node, all of it, and gives the one behind it. O(1).
  heap::Result<std::uint32_t> look_at(std::uint32_t home) {
    const heap::Result<Links> links = read(home, kind_.node_bytes());
    if (!links.ok()) return links.error();
    return std::uint32_t{links.value().after};
  }

  // The node at a position below size(), counted from the first: walks there. O(position).
  heap::Result<std::uint32_t> at(std::uint32_t position) {
    std::uint32_t home = head_.first;
    for (; position > 0; --position) {
      const heap::Result<Links> links = read(home, sizeof(Links));
      if (!links.ok()) return links.error();
      home = links.value().after;
    }
    return home;
  }

  // Makes a node of zeros in front of `next`, or at the end if that is 0. O(1).
  heap::Result<std::uint32_t> insert_before(std::uint32_t next) {
    std::uint32_t previous = head_.last;
    if (next != 0) {
      const heap::Result<Links> links = read(next, sizeof(Links));
      if (!links.ok()) return links.error();
      previous = links.value().before;
    }
    heap::Result<heap::Buffer> made = memory_.make_buffer(kind_.node_bytes());
    if (!made.ok()) return made.error();
    std::uint32_t home = made.value().home();
    if (const heap::Status status = join(previous, home); !status.ok()) return status.error();
    if (const heap::Status status = join(home, next); !status.ok()) return status.error();
    ++head_.size;
    return home;
  }

  // Takes a node out and frees it. O(1).
  heap::Status remove(std::uint32_t home) {
    const heap::Result<Links> links = read(home, sizeof(Links));
    if (!links.ok()) return links.error();
    if (const heap::Status status = join(links.value().before, links.value().after); !status.ok()) {
      return status;
    }
    heap::Buffer gone = node(home);
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the heap's free, not that of the C library
    if (const heap::Status status = memory_.free(gone); !status.ok()) return status;
    --head_.size;
    return {};
  }

 private:
  // The beginning of a node.
  struct Links {
    std::uint32_t before = 0;
    std::uint32_t after = 0;
  };
  static_assert(sizeof(Links) == kScriptLinkBytes);

  // Reads so many bytes of a node, the links among them.
  heap::Result<Links> read(std::uint32_t home, std::uint32_t size_bytes) {
    const heap::Buffer from = node(home);
    auto result = memory_.read(from);
    if (!result.ok()) return result.error();
    const auto bytes = result.take();
    Links links;
    std::memcpy(&links, bytes.data(), sizeof links);
    port_.charge(heap::Work::copied_byte, size_bytes);
    return links;
  }

  // Makes two nodes neighbours; where one of them is 0, the other becomes an end of the list.
  heap::Status join(std::uint32_t before, std::uint32_t after) {
    if (before == 0) {
      head_.first = after;
    } else if (const heap::Status status = set_link(before, offsetof(Links, after), after); !status.ok()) {
      return status;
    }
    if (after == 0) {
      head_.last = before;
      return {};
    }
    return set_link(after, offsetof(Links, before), before);
  }

  heap::Status set_link(std::uint32_t home, std::uint32_t offset_bytes, std::uint32_t to) {
    const heap::Buffer of = node(home);
    auto result = memory_.write(of, offset_bytes, sizeof to);
    if (!result.ok()) return result.error();
    const auto bytes = result.take();
    std::memcpy(bytes.data(), &to, sizeof to);
    port_.charge(heap::Work::copied_byte, sizeof to);
    return {};
  }

  ObjectMemory& memory_;
  Port& port_;
  const script::List& kind_;
  ScriptListHead& head_;
};

}  // namespace brownout::sim::firmware
