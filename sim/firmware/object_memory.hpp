// Where a workload keeps its objects: the heap with any choice of modules, or a baseline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "heap/layout.hpp"
#include "heap/objects/list.hpp"
#include "heap/objects/typed.hpp"

namespace brownout::sim::firmware {

// Offers what a heap offers (make, read, write, free, lists; see heap/objects/), behind virtual functions, so
// that a workload is written and compiled once. A call through it costs no simulated time of its own.
class ObjectMemory : public heap::Typed<ObjectMemory> {
 public:
  ObjectMemory() = default;
  ObjectMemory(const ObjectMemory&) = delete;
  ObjectMemory& operator=(const ObjectMemory&) = delete;
  virtual ~ObjectMemory() = default;

  // See heap/objects/typed.hpp.
  virtual heap::Result<heap::Handle> make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                                const std::byte* value) = 0;
  virtual heap::Status free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) = 0;
  virtual heap::Result<heap::Lent> lend_reader(const heap::Handle& handle) = 0;
  virtual heap::Result<heap::Lent> lend_writer(const heap::Handle& handle, std::uint32_t offset_bytes,
                                               std::uint32_t size_bytes) = 0;
  virtual void give_back(const heap::Lent& lent) = 0;
  // Writes everything dirty home.
  virtual heap::Status flush() = 0;

  // The life of the memory; see heap/heap.hpp.
  virtual heap::Status format() = 0;
  virtual heap::Status persist(heap::ConstBytes os) = 0;
  virtual heap::Status restore(heap::MutableBytes os) = 0;
};

}  // namespace brownout::sim::firmware
