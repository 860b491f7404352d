// The heap as an ObjectMemory.
#pragma once

#include "heap/heap.hpp"
#include "sim/firmware/object_memory.hpp"

namespace brownout::sim::firmware {

template <class P, class Storage, class Modules>
class HeapMemory final : public ObjectMemory {
 public:
  using Heap = heap::Heap<P, Storage, Modules>;

  HeapMemory(std::byte* ram, const heap::HeapConfig& config, Storage& storage, P& platform)
      : heap_(ram, config, storage, platform) {}

  heap::Result<heap::Handle> make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                        const std::byte* value) override {
    return heap_.make_bytes(size_bytes, dirtiness, value);
  }
  heap::Status free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) override {
    return heap_.free_bytes(handle, destroy);
  }
  heap::Result<heap::Lent> lend_reader(const heap::Handle& handle) override {
    return heap_.lend_reader(handle);
  }
  heap::Result<heap::Lent> lend_writer(const heap::Handle& handle, std::uint32_t offset_bytes,
                                       std::uint32_t size_bytes) override {
    return heap_.lend_writer(handle, offset_bytes, size_bytes);
  }
  void give_back(const heap::Lent& lent) override { heap_.give_back(lent); }
  heap::Status flush() override { return heap_.flush(); }

  [[nodiscard]] heap::Status configuration() const { return heap_.configuration(); }
  heap::Status format() override { return heap_.format(); }
  heap::Status persist(heap::ConstBytes os) override { return heap_.persist(os); }
  heap::Status restore(heap::MutableBytes os) override { return heap_.restore(os); }

 private:
  Heap heap_;
};

}  // namespace brownout::sim::firmware
