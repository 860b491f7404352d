// A firmware of one heap and two workloads, which compiles in seconds.
#include <memory>

#include "heap/policies/in_order.hpp"
#include "heap/ram_allocators/linked_list.hpp"
#include "heap/slots/standard.hpp"
#include "heap/store_allocators/linked_list.hpp"
#include "sim/firmware/board_firmware.hpp"
#include "sim/firmware/memories/heap_memory.hpp"
#include "sim/firmware/memories/heap_modules.hpp"
#include "sim/firmware/workloads/counter.hpp"
#include "sim/firmware/workloads/queue.hpp"
#include "sim/firmware/workloads/run_fuzz.hpp"

namespace brownout::sim::firmware {
namespace {

using OneHeap =
    HeapMemory<PlatformShim, Driver,
               Modules<heap::StandardSlot, heap::LinkedListRam, heap::LinkedListStore, heap::InOrder>>;

}  // namespace

void run_workload(const WorkloadOptions& options, ObjectMemory& memory, Port& port) {
  if (const auto* counter = std::get_if<CounterOptions>(&options))
    CounterWorkload(memory, port, *counter).run();
  if (const auto* queue = std::get_if<QueueOptions>(&options)) QueueWorkload(memory, port, *queue).run();
}

heap::Error plan_heap(const heap::HeapConfig& config, const MemoryOptions&, std::uint32_t storage_bytes,
                      heap::Geometry& geometry) {
  return heap::Geometry::plan(config, storage_bytes, OneHeap::Heap::traits(), geometry);
}

// The simulator's own code refers to these; no run of this test has a fuzzer's program, or a baseline.
void set_fuzz(const FuzzProgram*, FuzzCounters*) {}
void run_fuzz(ObjectMemory&, Port&) {}

BaselinePlan plan_baseline(const heap::HeapConfig& config, const MemoryOptions&,
                           std::uint32_t storage_bytes) {
  return plan_direct(config, storage_bytes);
}

std::unique_ptr<Firmware> make_firmware(const Image& image, Port& port) {
  return std::make_unique<BoardFirmware<OneHeap>>(image, port);
}

}  // namespace brownout::sim::firmware
