// Heaps with the policy `clock`. One file a policy, because each holds seven heaps.
#include "sim/firmware/memories/heap_firmware.hpp"

namespace brownout::sim::firmware {

std::unique_ptr<Firmware> make_clock_heap(const Image& image, Port& port) {
  return make_heap_firmware<heap::Clock>(image, port);
}

heap::ModuleTraits clock_traits(const MemoryOptions& options) { return heap_traits<heap::Clock>(options); }

}  // namespace brownout::sim::firmware
