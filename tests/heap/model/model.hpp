// What the heap ought to hold, in the plainest way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "heap_under_test.hpp"

namespace brownout::heap::testing::model {

struct ModelObject {
  Handle handle;
  std::uint32_t home = 0;
  ObjectKind kind = ObjectKind::buffer;
  std::uint32_t list = 0;  // of a node
  std::vector<std::byte> content;
  std::uint32_t readers = 0;
  bool writer = false;
  std::byte* lent = nullptr;  // where it was lent, while it is borrowed
  // What a check saw, to tell what happened since the one before.
  struct Seen {
    bool resident = false;
    bool dirty = false;
    std::uint32_t slot = 0;
    std::uint32_t dirty_runs = 0;  // if it is partially dirty
  };
  Seen now;
  Seen before;

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(content.size()); }
  [[nodiscard]] bool borrowed() const { return writer || readers > 0; }
};

// A reference that the program holds. A writer may change bytes [begin, end).
struct HeldReference {
  ModelObject* object = nullptr;
  Lease lease;
  bool writer = false;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct Model {
  std::vector<std::unique_ptr<ModelObject>> objects;  // nodes included
  std::map<std::uint32_t, ModelObject*> by_home;
  std::array<std::vector<ModelObject*>, kLists> lists;
  std::vector<HeldReference> held;

  ModelObject& add(Handle handle, ObjectKind kind, std::vector<std::byte> content);
  void erase(const ModelObject& object);
  // Free for the program to free: all but nodes.
  [[nodiscard]] std::vector<ModelObject*> owned() const;
};

}  // namespace brownout::heap::testing::model
