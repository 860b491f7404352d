// Storage in memory of the CPU's own, for tests and desktops. FRAM in a microcontroller's address space has a
// driver of its own, mapped_fram.hpp: here what is being copied goes on after the persist interrupt.
#pragma once

#include <cstdint>

#include "heap/storage/slicer.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// The memory is the caller's and outlives the store. No bus, and no cache either: where there is one that
// the supply does not outlive, this is not the driver.
class RamStorage {
 public:
  RamStorage(std::byte* memory, std::uint32_t size_bytes) : memory_(memory), size_bytes_(size_bytes) {}
  RamStorage(const RamStorage&) = delete;
  RamStorage& operator=(const RamStorage&) = delete;
  ~RamStorage() = default;

  [[nodiscard]] std::uint32_t size_bytes() const { return size_bytes_; }

  // Always succeeds: there is nothing to wait for. O(1).
  static Status start() { return {}; }

  // Take up a transfer; always succeed. One that leaves the memory fails in poll(). O(1).
  Status begin_write(std::uint32_t address, OutStream data) {
    transfer_.begin_write(address, data);
    return {};
  }
  Status begin_read(std::uint32_t address, InStream data) {
    transfer_.begin_read(address, data);
    return {};
  }

  // Copies one piece. `failed` if it leaves the memory; nothing of it is copied then. O(its bytes).
  TransferState poll() {
    return transfer_.poll(size_bytes_,
                          [this](std::uint32_t address, auto piece) { return copy(address, piece); });
  }

  void abort() { transfer_.drop(); }

 private:
  // One by one, in the order of their addresses: volatile, or the compiler may choose another.
  [[nodiscard]] bool copy(std::uint32_t address, ConstBytes piece) const {
    volatile std::byte* to = memory_ + address;
    for (std::uint32_t i = 0; i < piece.size; ++i) to[i] = piece.data[i];
    return true;
  }
  [[nodiscard]] bool copy(std::uint32_t address, MutableBytes piece) const {
    copy_bytes(piece.data, memory_ + address, piece.size);
    return true;
  }

  std::byte* memory_;
  std::uint32_t size_bytes_;
  PieceTransfer transfer_;
};

}  // namespace brownout::heap
