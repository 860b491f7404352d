// The program in flash for any kind of memory: driver, memory, workload.
#pragma once

#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "heap/storage/verified.hpp"
#include "sim/firmware/attachment.hpp"
#include "sim/firmware/board_driver.hpp"
#include "sim/firmware/checked_memory.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/firmware/workloads/run_workload.hpp"

namespace brownout::sim::firmware {

using Driver = heap::VerifiedStorage<BoardDriver, PlatformShim>;

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
      : image_(std::move(image)),
        port_(port),
        platform_(port, image_.memory.checksum),
        bus_(port),
        window_(port) {
    attachment_.wanted = image_.attach;
  }

  void cold_start() override {
    if (const heap::Status status = boot(); !status.ok()) {
      port_.give_up(status.error(), "start the storage");
      return;
    }
    const heap::Status attached = attach();
    if (!attached.ok() && attached.error() != heap::Error::empty) {
      port_.give_up(attached.error(), "attach to the store");
      return;
    }
    if (!attached.ok()) {
      if (const heap::Status status = statics().memory.format(); !status.ok()) {
        port_.give_up(status.error(), "format the store");
        return;
      }
    }
    port_.unmask_persist();
    run_workload(image_.workload, check_memory(checked_, statics().memory, port_, attachment_), port_);
  }

  heap::Status persist() override { return statics().memory.persist({image_.os_part.data(), os_bytes()}); }

  heap::Status restore() override {
    if (const heap::Status status = boot(); !status.ok()) return status;
    const heap::MutableBytes os{image_.os_part.data(), os_bytes()};
    if constexpr (kHasRoots) return statics().memory.restore(os);
    // A heap looks again at what is not whole; for the baselines that is done here.
    for (heap::Retries retries(statics().driver);;) {
      const heap::Status status = statics().memory.restore(os);
      if (status.error() != heap::Error::torn) return status;
      heap::note(platform_, heap::StorageEvent::image_damaged);
      if (retries.used_up()) return status;
      static_cast<void>(retries.again(platform_));
    }
  }

  heap::Status restore_older() override {
    if constexpr (kHasRoots) {
      if (const heap::Status status = boot(); !status.ok()) return status;
      return statics().memory.restore_older({image_.os_part.data(), os_bytes()});
    }
    return heap::Error::empty;
  }

  std::span<std::byte> static_ram() override { return memory_; }

 private:
  static constexpr bool kHasRoots = requires(Memory & memory) { memory.marks_bytes(); };

  struct Statics {
    Statics(const Image& image, Port& port, BusShim& bus, WindowShim& window, PlatformShim& platform)
        : part(image, port, bus, window, platform),
          driver(part, platform, image.verify),
          memory(make_memory<Memory>(image, driver, platform)) {}
    BoardDriver part;
    Driver driver;
    Memory memory;
  };

  Statics& statics() { return *std::launder(reinterpret_cast<Statics*>(memory_)); }
  [[nodiscard]] std::uint32_t os_bytes() const { return static_cast<std::uint32_t>(image_.os_part.size()); }

  heap::Status boot() {
    // Abandoned without running destructors: nothing in it owns anything outside.
    new (memory_) Statics(image_, port_, bus_, window_, platform_);
    if (const heap::Status status = statics().memory.configuration(); !status.ok()) return status;
    return statics().driver.start();
  }

  // empty: there is nothing to attach to, or no wish to.
  heap::Status attach() {
    attachment_.forget();
    if constexpr (kHasRoots) {
      if (!attachment_.wanted) return heap::Error::empty;
      const heap::MutableBytes marks = attachment_.make_marks(statics().memory.marks_bytes());
      const auto name = [](void* self, std::uint32_t home) {
        static_cast<BoardFirmware*>(self)->doubt(home);
      };
      auto attached = statics().memory.attach(marks, {image_.os_part.data(), os_bytes()}, {name, this});
      if (!attached.ok()) return attached.error();
      attachment_.attached = true;
      port_.attached(attached.value().from_image);
      return {};
    }
    return heap::Error::empty;
  }
  void doubt(std::uint32_t home) {
    attachment_.doubt(home);
    port_.object_in_doubt(home);
  }

  Image image_;
  Port& port_;
  PlatformShim platform_;
  BusShim bus_;
  WindowShim window_;
  Attachment attachment_;
  std::optional<CheckedMemory> checked_;
  alignas(Statics) std::byte memory_[sizeof(Statics)] = {};
};

}  // namespace brownout::sim::firmware
