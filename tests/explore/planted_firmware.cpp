// The firmware of one planted bug: one heap, the workloads that the bugs need, one factory. Compiled once a
// bug, with the folder of the bug's own headers in front of the others.
//
//   PLANTED_FACTORY    name of the factory, in brownout::sim::firmware
//   PLANTED_RAM, PLANTED_STORE, PLANTED_POLICY   modules of the heap
//   PLANTED_SCRIPT     1: with the workload `script`, which has objects that are dirty in parts
#include <memory>
#include <utility>
#include <variant>

#include "heap/policies/clock.hpp"
#include "heap/policies/in_order.hpp"
#include "heap/policies/round_robin.hpp"
#include "heap/ram_allocators/buddy.hpp"
#include "heap/ram_allocators/linked_list.hpp"
#include "heap/slots/standard.hpp"
#include "heap/store_allocators/buddy.hpp"
#include "heap/store_allocators/linked_list.hpp"
#include "sim/firmware/board_firmware.hpp"
#include "sim/firmware/memories/heap_memory.hpp"
#include "sim/firmware/workloads/counter.hpp"
#include "sim/firmware/workloads/run_workload.hpp"
#if PLANTED_SCRIPT
#include "sim/firmware/workloads/script.hpp"
#endif

namespace brownout::sim::firmware {

namespace {

// The build id is that of the firmware that the program links beside this one.
[[gnu::section("brownout_build_id"), gnu::used]] constexpr char kStamp[] = "not stamped     ";

struct PlantedModules {
  using Slot = heap::StandardSlot;
  template <class P>
  using RamAllocator = heap::PLANTED_RAM<P>;
  template <class P, class Gateway>
  using StoreAllocator = heap::PLANTED_STORE<P, Gateway>;
  using Policy = heap::PLANTED_POLICY;
  template <class P>
  using Checksum = heap::NibbleChecksum<P>;
};

}  // namespace

void run_workload(const WorkloadOptions& options, ObjectMemory& memory, Port& port) {
  if (const auto* counter = std::get_if<CounterOptions>(&options)) {
    return CounterWorkload(memory, port, *counter).run();
  }
#if PLANTED_SCRIPT
  if (const auto* script = std::get_if<ScriptOptions>(&options)) {
    return ScriptWorkload(memory, port, *script).run();
  }
#endif
  // The fuzzer's, which is in the firmware beside this one.
  if (const auto* custom = std::get_if<CustomOptions>(&options)) return custom->run(memory, port);
  port.give_up(heap::Error::bad_configuration, "run a workload that is not built in");
}

std::unique_ptr<Firmware> PLANTED_FACTORY(const Image& image, Port& port) {
  return std::make_unique<BoardFirmware<HeapMemory<PlatformShim, Driver, PlantedModules>>>(image, port);
}

}  // namespace brownout::sim::firmware
