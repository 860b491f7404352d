// CRC-32C (Castagnoli, reflected polynomial 82F63B78), and how a heap forms it: a policy, because flash, time
// and hardware differ from board to board. All give the same value, so images can be exchanged.
#pragma once

#include <concepts>
#include <cstdint>

#include "heap/platform.hpp"
#include "heap/types.hpp"

namespace brownout::heap {

// Four bits at a time from a table of 64 bytes: small enough for any flash.
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

struct Crc32cTable {
  std::uint32_t entries[256];
};
constexpr Crc32cTable make_crc32c_table() {
  Crc32cTable table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82F6'3B78U : 0U);
    table.entries[i] = value;
  }
  return table;
}
inline constexpr Crc32cTable kCrc32cTable = make_crc32c_table();

// The same a byte at a time, from a table of 1 KiB.
class Crc32cByTable {
 public:
  // Adds bytes; O(size), one table look-up a byte.
  void add(const std::byte* data, std::uint32_t size) {
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t index = (state_ ^ static_cast<std::uint32_t>(data[i])) & 255U;
      state_ = (state_ >> 8U) ^ kCrc32cTable.entries[index];
    }
  }
  [[nodiscard]] std::uint32_t value() const { return ~state_; }

 private:
  std::uint32_t state_ = 0xFFFF'FFFFU;
};

// A checksum policy is made with the platform, so that one may use what the platform has: a unit that knows
// this very polynomial (few do; most know CRC-32 of Ethernet only). It charges its work.
//   C(platform), add(data, size), value()
template <class C, class P>
concept Checksum = requires(P& platform, C checksum, const C& seen, const std::byte* data, std::uint32_t n) {
  C(platform);
  checksum.add(data, n);
  { seen.value() } -> std::same_as<std::uint32_t>;
};

template <class Crc, Work kWork, class P>
class ChargedChecksum {
 public:
  explicit ChargedChecksum(P& platform) : platform_(platform) {}
  // Adds bytes; O(size).
  void add(const std::byte* data, std::uint32_t size) {
    platform_.charge(kWork, size);
    crc_.add(data, size);
  }
  [[nodiscard]] std::uint32_t value() const { return crc_.value(); }

 private:
  P& platform_;
  Crc crc_;
};

template <class P>
using NibbleChecksum = ChargedChecksum<Crc32c, Work::checksum_byte, P>;
template <class P>
using TableChecksum = ChargedChecksum<Crc32cByTable, Work::checksum_byte_by_table, P>;

}  // namespace brownout::heap
