// Firmware with a heap, by its policy.
#pragma once

#include <memory>

#include "sim/firmware/board_firmware.hpp"
#include "sim/firmware/memories/heap_memory.hpp"
#include "sim/firmware/memories/heap_modules.hpp"

namespace brownout::sim::firmware {

template <class PolicyType>
std::unique_ptr<Firmware> make_heap_firmware(const Image& image, Port& port) {
  return with_modules_of<PolicyType>(image.memory, [&]<class M>() -> std::unique_ptr<Firmware> {
    return std::make_unique<BoardFirmware<HeapMemory<PlatformShim, Driver, M>>>(image, port);
  });
}

template <class PolicyType>
heap::ModuleTraits heap_traits(const MemoryOptions& options) {
  return with_modules_of<PolicyType>(options,
                                     []<class M>() { return heap::Heap<PlatformShim, Driver, M>::traits(); });
}

std::unique_ptr<Firmware> make_in_order_heap(const Image& image, Port& port);
std::unique_ptr<Firmware> make_clock_heap(const Image& image, Port& port);
std::unique_ptr<Firmware> make_round_robin_heap(const Image& image, Port& port);
heap::ModuleTraits in_order_traits(const MemoryOptions& options);
heap::ModuleTraits clock_traits(const MemoryOptions& options);
heap::ModuleTraits round_robin_traits(const MemoryOptions& options);

}  // namespace brownout::sim::firmware
