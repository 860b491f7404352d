// CRC-32C (Castagnoli, reflected polynomial 82F63B78), four bits at a time from a table of 64 bytes:
// small enough for any flash, and the same result everywhere.
#pragma once

#include <cstdint>

#include "heap/types.hpp"

namespace brownout::heap {

class Crc32c {
 public:
  // Adds bytes; O(size), two table look-ups a byte.
  void add(const std::byte* data, std::uint32_t size) {
    for (std::uint32_t i = 0; i < size; ++i) {
      // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): it sees the first byte of a field only
      state_ ^= static_cast<std::uint32_t>(data[i]);
      state_ = (state_ >> 4U) ^ kTable[state_ & 15U];
      state_ = (state_ >> 4U) ^ kTable[state_ & 15U];
    }
  }
  [[nodiscard]] std::uint32_t value() const { return ~state_; }

 private:
  static constexpr std::uint32_t kTable[16] = {
      0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
      0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
  std::uint32_t state_ = 0xFFFF'FFFFU;
};

}  // namespace brownout::heap
