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
  heap::Status flush_object(const heap::Handle& handle) override { return heap_.flush(handle); }
  heap::Status set_root(std::uint32_t name, const heap::Handle& handle) override {
    return heap_.set_root(name, handle);
  }
  heap::Result<heap::Handle> find_root(std::uint32_t name) override { return heap_.find_root(name); }
  heap::Status clear_root(std::uint32_t name) override { return heap_.clear_root(name); }
  heap::Status keep(const heap::Handle& handle, heap::MutableBytes marks) override {
    return heap_.keep(handle, marks);
  }
  [[nodiscard]] bool is_kept(const heap::Handle& handle, heap::MutableBytes marks) const override {
    return heap_.is_kept(handle, marks);
  }
  heap::Result<std::uint32_t> reclaim(heap::MutableBytes marks) override { return heap_.reclaim(marks); }

  [[nodiscard]] heap::Status configuration() const { return heap_.configuration(); }
  heap::Status format() override { return heap_.format(); }
  heap::Status persist(heap::ConstBytes os) override { return heap_.persist(os); }
  heap::Status restore(heap::MutableBytes os) override { return heap_.restore(os); }
  heap::Status restore_older(heap::MutableBytes os) { return heap_.restore_older(os); }
  [[nodiscard]] std::uint32_t marks_bytes() const { return heap_.marks_bytes(); }
  heap::Result<heap::Attached> attach(heap::MutableBytes marks, heap::MutableBytes os,
                                      heap::InDoubt in_doubt) {
    return heap_.attach(marks, os, in_doubt);
  }

 private:
  Heap heap_;
};

}  // namespace brownout::sim::firmware
