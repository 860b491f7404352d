// The test bench around a workload's memory: keeps a copy of every object outside the simulated RAM.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/firmware/attachment.hpp"
#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"

namespace brownout::sim::firmware {

// Passes everything on to the memory under test and tells the port what the program made, changed, read and
// freed. What a reader is lent is compared at once; what a writer changed counts from when it gives it back.
// Costs no simulated time, is no part of the program that would be flashed, and is not lost with the supply.
class CheckedMemory final : public ObjectMemory {
 public:
  // `attachment` outlives this. Objects are numbered from `first_number` on.
  CheckedMemory(ObjectMemory& memory, Port& port, Attachment& attachment, std::uint32_t first_number = 0)
      : memory_(memory), port_(port), attachment_(attachment), made_(first_number) {}

  heap::Result<heap::Handle> make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                        const std::byte* value) override;
  heap::Status free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) override;
  heap::Result<heap::Lent> lend_reader(const heap::Handle& handle) override;
  heap::Result<heap::Lent> lend_writer(const heap::Handle& handle, std::uint32_t offset_bytes,
                                       std::uint32_t size_bytes) override;
  void give_back(const heap::Lent& lent) override;
  heap::Status flush() override {
    port_.calls(MemoryCall::flush);
    return memory_.flush();
  }
  heap::Status flush_object(const heap::Handle& handle) override {
    port_.calls(MemoryCall::flush);
    return memory_.flush_object(handle);
  }
  heap::Status set_root(std::uint32_t name, const heap::Handle& handle) override {
    port_.calls(MemoryCall::root);
    return memory_.set_root(name, handle);
  }
  heap::Result<heap::Handle> find_root(std::uint32_t name) override {
    port_.calls(MemoryCall::root);
    return memory_.find_root(name);
  }
  heap::Status clear_root(std::uint32_t name) override {
    port_.calls(MemoryCall::root);
    return memory_.clear_root(name);
  }
  [[nodiscard]] bool attaches() const override { return attachment_.wanted; }
  [[nodiscard]] bool attached() const override { return attachment_.attached; }
  [[nodiscard]] bool is_in_doubt(const heap::Handle& handle) const override;
  [[nodiscard]] heap::MutableBytes marks() override {
    return {attachment_.marks.data(), static_cast<std::uint32_t>(attachment_.marks.size())};
  }
  heap::Status keep(const heap::Handle& handle, heap::MutableBytes marks) override;
  [[nodiscard]] bool is_kept(const heap::Handle& handle, heap::MutableBytes marks) const override {
    return memory_.is_kept(handle, marks);
  }
  heap::Result<std::uint32_t> reclaim(heap::MutableBytes marks) override;
  heap::Status format() override { return memory_.format(); }
  heap::Status persist(heap::ConstBytes os) override { return memory_.persist(os); }
  heap::Status restore(heap::MutableBytes os) override { return memory_.restore(os); }

  // The number that the next object gets.
  [[nodiscard]] std::uint32_t next_number() const { return made_; }

 private:
  // An object that a writer has, and what part of it.
  struct Written {
    const std::byte* data;
    std::uint32_t home;
    std::uint32_t offset_bytes;
    std::uint32_t size_bytes;
  };

  ObjectMemory& memory_;
  Port& port_;
  Attachment& attachment_;
  std::vector<Written> written_;
  std::uint32_t made_;
};

// Puts a new one around `memory` in the place of the last. Objects of an earlier life that the program has
// attached to keep their numbers.
CheckedMemory& check_memory(std::optional<CheckedMemory>& place, ObjectMemory& memory, Port& port,
                            Attachment& attachment);

}  // namespace brownout::sim::firmware
