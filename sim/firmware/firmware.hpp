// The program in the board's flash, as the machine reaches it: reset vector, boot, persist interrupt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "heap/layout.hpp"
#include "heap/storage/spi_fram.hpp"
#include "heap/storage/verified.hpp"
#include "sim/firmware/baselines/plan.hpp"
#include "sim/firmware/memory_options.hpp"
#include "sim/firmware/port.hpp"
#include "sim/firmware/workload_options.hpp"

namespace brownout::sim::firmware {

// What the linker script and the flash hold.
struct Image {
  heap::HeapConfig heap;
  MemoryOptions memory;
  heap::SpiFramConfig storage;
  std::uint32_t mapped_bytes = 0;  // of FRAM in the address space; 0: `storage` is on the bus
  heap::Verify verify = heap::Verify::none;
  WorkloadOptions workload;
  std::span<std::byte> ram;      // the heap's, config.ram_bytes, aligned to 8
  std::span<std::byte> os_part;  // what the OS wants saved beside the heap
  bool attach = false;           // a start attaches to what is in the store; only with a heap
};

class Firmware {
 public:
  Firmware() = default;
  Firmware(const Firmware&) = delete;
  Firmware& operator=(const Firmware&) = delete;
  virtual ~Firmware() = default;

  // After a reset with nothing to bring back: makes an empty store, or attaches to what is in it, and runs
  // the workload to its end.
  virtual void cold_start() = 0;
  // The persist interrupt, on the stack of whatever it interrupts.
  virtual heap::Status persist() = 0;
  // After a reset: starts driver and heap anew and brings the checkpoint back.
  virtual heap::Status restore() = 0;
  // The same with the checkpoint before the newest, which is torn; empty if there is none.
  virtual heap::Status restore_older() = 0;
  // Memory of driver and heap objects, which loses its content with the supply like the heap's RAM.
  virtual std::span<std::byte> static_ram() = 0;
};

// Where everything lies in RAM and store of a heap with these modules; see heap::Geometry::plan().
heap::Error plan_heap(const heap::HeapConfig& config, const MemoryOptions& options,
                      std::uint32_t storage_bytes, heap::Geometry& geometry);

// The same for a baseline; what does not fit is in its `misfit`.
BaselinePlan plan_baseline(const heap::HeapConfig& config, const MemoryOptions& options,
                           std::uint32_t storage_bytes);

std::unique_ptr<Firmware> make_firmware(const Image& image, Port& port);

}  // namespace brownout::sim::firmware
