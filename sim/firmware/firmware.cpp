#include "sim/firmware/firmware.hpp"

#include "sim/firmware/memories/baseline_memories.hpp"
#include "sim/firmware/memories/heap_firmware.hpp"

namespace brownout::sim::firmware {
namespace {

std::unique_ptr<Firmware> make_heap(const Image& image, Port& port) {
  switch (image.memory.policy) {
    case PolicyKind::clock: return make_clock_heap(image, port);
    case PolicyKind::round_robin: return make_round_robin_heap(image, port);
    case PolicyKind::in_order: break;
  }
  return make_in_order_heap(image, port);
}

heap::ModuleTraits heap_traits_of(const MemoryOptions& options) {
  switch (options.policy) {
    case PolicyKind::clock: return clock_traits(options);
    case PolicyKind::round_robin: return round_robin_traits(options);
    case PolicyKind::in_order: break;
  }
  return in_order_traits(options);
}

}  // namespace

heap::Error plan_heap(const heap::HeapConfig& config, const MemoryOptions& options,
                      std::uint32_t storage_bytes, heap::Geometry& geometry) {
  return heap::Geometry::plan(config, storage_bytes, heap_traits_of(options), geometry);
}

std::unique_ptr<Firmware> make_firmware(const Image& image, Port& port) {
  return image.memory.kind == MemoryKind::heap ? make_heap(image, port) : make_baseline(image, port);
}

}  // namespace brownout::sim::firmware
