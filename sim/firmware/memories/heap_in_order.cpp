// Heaps with the policy `in_order`. One file a policy, because each holds seven heaps.
#include "sim/firmware/memories/heap_firmware.hpp"

namespace brownout::sim::firmware {

std::unique_ptr<Firmware> make_in_order_heap(const Image& image, Port& port) {
  return make_heap_firmware<heap::InOrder>(image, port);
}

heap::ModuleTraits in_order_traits(const MemoryOptions& options) {
  return heap_traits<heap::InOrder>(options);
}

}  // namespace brownout::sim::firmware
