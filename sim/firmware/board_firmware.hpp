// The program in flash for any kind of memory: driver, memory, workload.
#pragma once

#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "heap/storage/spi_fram.hpp"
#include "sim/firmware/checked_memory.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/firmware/workloads/run_workload.hpp"

namespace brownout::sim::firmware {

using Driver = heap::SpiFram<BusShim, PlatformShim>;

// A memory in its RAM and on its storage; pages have a size, too.
template <class Memory>
Memory make_memory(const Image& image, Driver& driver, PlatformShim& platform) {
  if constexpr (std::is_constructible_v<Memory, std::byte*, const heap::HeapConfig&, std::uint32_t, Driver&,
                                        PlatformShim&>) {
    return Memory(image.ram.data(), image.heap, image.memory.page_bytes, driver, platform);
  } else {
    return Memory(image.ram.data(), image.heap, driver, platform);
  }
}

// The image runs as it would from flash: its constants are here, its variables are in `Statics`, which has no
// content before boot code constructs it.
template <class Memory>
class BoardFirmware final : public Firmware {
 public:
  BoardFirmware(Image image, Port& port)
      : image_(std::move(image)), port_(port), platform_(port), bus_(port) {}

  void cold_start() override {
    if (const heap::Status status = boot(); !status.ok()) {
      port_.give_up(status.error(), "start the storage");
      return;
    }
    if (const heap::Status status = statics().memory.format(); !status.ok()) {
      port_.give_up(status.error(), "format the store");
      return;
    }
    port_.unmask_persist();
    checked_.emplace(statics().memory, port_);
    run_workload(image_.workload, *checked_, port_);
  }

  heap::Status persist() override { return statics().memory.persist({image_.os_part.data(), os_bytes()}); }

  heap::Status restore() override {
    if (const heap::Status status = boot(); !status.ok()) return status;
    return statics().memory.restore({image_.os_part.data(), os_bytes()});
  }

  std::span<std::byte> static_ram() override { return memory_; }

 private:
  struct Statics {
    Statics(const Image& image, BusShim& bus, PlatformShim& platform)
        : driver(bus, platform, image.storage), memory(make_memory<Memory>(image, driver, platform)) {}
    Driver driver;
    Memory memory;
  };

  Statics& statics() { return *std::launder(reinterpret_cast<Statics*>(memory_)); }
  [[nodiscard]] std::uint32_t os_bytes() const { return static_cast<std::uint32_t>(image_.os_part.size()); }

  heap::Status boot() {
    // Abandoned without running destructors: nothing in it owns anything outside.
    new (memory_) Statics(image_, bus_, platform_);
    if (const heap::Status status = statics().memory.configuration(); !status.ok()) return status;
    return statics().driver.start();
  }

  Image image_;
  Port& port_;
  PlatformShim platform_;
  BusShim bus_;
  std::optional<CheckedMemory> checked_;
  alignas(Statics) std::byte memory_[sizeof(Statics)] = {};
};

}  // namespace brownout::sim::firmware
