// Where a workload keeps its objects: the heap with any choice of modules, or a baseline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "heap/layout.hpp"
#include "heap/objects/list.hpp"
#include "heap/objects/typed.hpp"
#include "heap/roots.hpp"

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
  // The same for one object; a memory that knows no better writes everything.
  virtual heap::Status flush_object(const heap::Handle& /*handle*/) { return flush(); }

  // Named roots; see heap/heap.hpp. Only a heap has any.
  virtual heap::Status set_root(std::uint32_t /*name*/, const heap::Handle& /*handle*/) {
    return heap::Error::no_root;
  }
  virtual heap::Result<heap::Handle> find_root(std::uint32_t /*name*/) { return heap::Error::no_root; }
  virtual heap::Status clear_root(std::uint32_t /*name*/) { return heap::Error::no_root; }

  // For a program that attaches after a loss. Whether it does (mcu.on_loss: attach), so that it has to keep a
  // durable way to its objects; and whether it did at this start. It then says keep() of all that it can
  // reach and is_in_doubt() of nothing, before it reads it, and reclaim() before it writes or makes anything:
  // the next write home forgets what was in doubt. `marks` are marks(), also for heap::List::recover().
  [[nodiscard]] virtual bool attaches() const { return false; }
  [[nodiscard]] virtual bool attached() const { return false; }
  [[nodiscard]] virtual bool is_in_doubt(const heap::Handle& /*handle*/) const { return false; }
  [[nodiscard]] virtual heap::MutableBytes marks() { return {}; }
  virtual heap::Status keep(const heap::Handle& /*handle*/, heap::MutableBytes /*marks*/) {
    return heap::Error::invalid_handle;
  }
  [[nodiscard]] virtual bool is_kept(const heap::Handle& /*handle*/, heap::MutableBytes /*marks*/) const {
    return false;
  }
  virtual heap::Result<std::uint32_t> reclaim(heap::MutableBytes /*marks*/) { return std::uint32_t{0}; }

  // The life of the memory; see heap/heap.hpp.
  virtual heap::Status format() = 0;
  virtual heap::Status persist(heap::ConstBytes os) = 0;
  virtual heap::Status restore(heap::MutableBytes os) = 0;
};

}  // namespace brownout::sim::firmware
