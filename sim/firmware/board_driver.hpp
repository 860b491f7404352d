// The storage driver in flash: for the board's bus, or for FRAM in the address space of its MCU.
#pragma once

#include <cstdint>

#include "heap/storage/mapped_fram.hpp"
#include "heap/storage/spi_fram.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/firmware/port.hpp"

namespace brownout::sim::firmware {

// Firmware has one of the two; here both are in the flash, so that there are not twice as many heaps to
// compile.
class BoardDriver {
 public:
  BoardDriver(const Image& image, Port& port, BusShim& bus, WindowShim& window, PlatformShim& platform)
      : port_(port),
        is_mapped_(image.mapped_bytes > 0),
        spi_(bus, platform, image.storage),
        mapped_(window, platform, image.mapped_bytes) {}
  BoardDriver(const BoardDriver&) = delete;
  BoardDriver& operator=(const BoardDriver&) = delete;
  ~BoardDriver() = default;

  [[nodiscard]] std::uint32_t size_bytes() const {
    return is_mapped_ ? mapped_.size_bytes() : spi_.size_bytes();
  }
  // The driver of mapped FRAM has nothing to repeat: what the CPU stores is there.
  [[nodiscard]] std::uint32_t retries() const { return is_mapped_ ? 0 : spi_.retries(); }
  heap::Status start() { return is_mapped_ ? mapped_.start() : spi_.start(); }
  heap::Status begin_write(std::uint32_t address, heap::OutStream data) {
    return is_mapped_ ? mapped_.begin_write(address, data) : spi_.begin_write(address, data);
  }
  heap::Status begin_read(std::uint32_t address, heap::InStream data) {
    return is_mapped_ ? mapped_.begin_read(address, data) : spi_.begin_read(address, data);
  }
  heap::TransferState poll() {
    if (!is_mapped_) return spi_.poll();
    const heap::TransferState state = mapped_.poll();
    // A bus would have noticed by itself.
    if (state != heap::TransferState::busy) port_.copy_over(state == heap::TransferState::done);
    return state;
  }
  void abort() {
    if (is_mapped_) return mapped_.abort();
    spi_.abort();
  }

 private:
  Port& port_;
  bool is_mapped_;
  heap::SpiFram<BusShim, PlatformShim> spi_;
  heap::MappedFram<WindowShim, PlatformShim> mapped_;
};

}  // namespace brownout::sim::firmware
