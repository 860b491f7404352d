#include "sim/firmware/firmware.hpp"

#include <new>

#include "heap/heap.hpp"
#include "heap/storage/spi_fram.hpp"
#include "sim/firmware/workloads/counter.hpp"
#include "sim/firmware/workloads/kvs.hpp"
#include "sim/firmware/workloads/queue.hpp"

namespace brownout::sim::firmware {
namespace {

using Driver = heap::SpiFram<BusShim, PlatformShim>;
using TheHeap = heap::Heap<PlatformShim, Driver>;

// The image runs as it would from flash: its constants are here, its variables are in `Statics`, which
// has no content before boot code constructs it.
class FramFirmware final : public Firmware {
 public:
  FramFirmware(const Image& image, Port& port) : image_(image), port_(port), platform_(port), bus_(port) {
    static_cast<void>(heap::Geometry::plan(image.heap, image.storage.size_bytes, geometry_));
  }

  void cold_start() override {
    if (const heap::Status status = boot(); !status.ok()) {
      port_.give_up(status.error(), "start the storage");
      return;
    }
    if (const heap::Status status = statics().heap.format(); !status.ok()) {
      port_.give_up(status.error(), "format the store");
      return;
    }
    port_.unmask_persist();
    std::visit([this](const auto& options) { run(options); }, image_.workload);
  }

  heap::Status persist() override { return statics().heap.persist({image_.os_part.data(), os_bytes()}); }

  heap::Status restore() override {
    if (const heap::Status status = boot(); !status.ok()) return status;
    return statics().heap.restore({image_.os_part.data(), os_bytes()});
  }

  std::span<std::byte> static_ram() override { return memory_; }
  const heap::Geometry& geometry() const override { return geometry_; }

 private:
  struct Statics {
    Statics(const Image& image, BusShim& bus, PlatformShim& platform)
        : driver(bus, platform, image.storage), heap(image.ram.data(), image.heap, driver, platform) {}
    Driver driver;
    TheHeap heap;
  };
  static_assert(std::is_trivially_destructible_v<Driver> && std::is_trivially_destructible_v<TheHeap>,
                "abandoned without running destructors");

  Statics& statics() { return *std::launder(reinterpret_cast<Statics*>(memory_)); }
  [[nodiscard]] std::uint32_t os_bytes() const { return static_cast<std::uint32_t>(image_.os_part.size()); }

  heap::Status boot() {
    new (memory_) Statics(image_, bus_, platform_);
    if (const heap::Status status = statics().heap.configuration(); !status.ok()) return status;
    return statics().driver.start();
  }

  void run(const CounterOptions& options) { CounterWorkload(statics().heap, port_, options).run(); }
  void run(const QueueOptions& options) { QueueWorkload(statics().heap, port_, options).run(); }
  void run(const KvsOptions& options) { KvsWorkload(statics().heap, port_, options).run(); }

  Image image_;
  Port& port_;
  PlatformShim platform_;
  BusShim bus_;
  heap::Geometry geometry_;
  alignas(Statics) std::byte memory_[sizeof(Statics)] = {};
};

}  // namespace

std::unique_ptr<Firmware> make_firmware(const Image& image, Port& port) {
  return std::make_unique<FramFirmware>(image, port);
}

}  // namespace brownout::sim::firmware
