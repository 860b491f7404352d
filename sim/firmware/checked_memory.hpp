// The test bench around a workload's memory: keeps a copy of every object outside the simulated RAM.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"

namespace brownout::sim::firmware {

// Passes everything on to the memory under test and tells the port what the program made, changed, read and
// freed. What a reader is lent is compared at once; what a writer changed counts from when it gives it back.
// Costs no simulated time, is no part of the program that would be flashed, and is not lost with the supply.
class CheckedMemory final : public ObjectMemory {
 public:
  CheckedMemory(ObjectMemory& memory, Port& port) : memory_(memory), port_(port) {}

  heap::Result<heap::Handle> make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                        const std::byte* value) override;
  heap::Status free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) override;
  heap::Result<heap::Lent> lend_reader(const heap::Handle& handle) override;
  heap::Result<heap::Lent> lend_writer(const heap::Handle& handle, std::uint32_t offset_bytes,
                                       std::uint32_t size_bytes) override;
  void give_back(const heap::Lent& lent) override;
  heap::Status flush() override { return memory_.flush(); }
  heap::Status format() override { return memory_.format(); }
  heap::Status persist(heap::ConstBytes os) override { return memory_.persist(os); }
  heap::Status restore(heap::MutableBytes os) override { return memory_.restore(os); }

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
  std::vector<Written> written_;
  std::uint32_t made_ = 0;
};

}  // namespace brownout::sim::firmware
