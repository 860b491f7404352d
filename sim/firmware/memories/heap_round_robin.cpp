// Heaps with the policy `round_robin`. One file a policy, because each holds seven heaps.
#include "sim/firmware/memories/heap_firmware.hpp"

namespace brownout::sim::firmware {

std::unique_ptr<Firmware> make_round_robin_heap(const Image& image, Port& port) {
  return make_heap_firmware<heap::RoundRobin>(image, port);
}

heap::ModuleTraits round_robin_traits(const MemoryOptions& options) {
  return heap_traits<heap::RoundRobin>(options);
}

}  // namespace brownout::sim::firmware
