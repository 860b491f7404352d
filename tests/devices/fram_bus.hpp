// Speaks to an FRAM chip as a controller does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "devices/fram/fram_chip.hpp"

namespace brownout::devices::testing {

using Bytes = std::vector<std::uint8_t>;

// One transaction at a time, all at one instant.
class Bus {
 public:
  explicit Bus(FramChip& chip, Picoseconds now) : chip_(chip), now_(now) {}

  Bytes transact(const Bytes& out, std::size_t in = 0) {
    chip_.select(now_);
    for (const std::uint8_t byte : out) chip_.clock_byte(byte);
    Bytes seen;
    for (std::size_t i = 0; i < in; ++i) seen.push_back(chip_.clock_byte(0));
    chip_.deselect(now_);
    return seen;
  }
  Bytes address(std::uint8_t opcode, std::uint32_t address) const {
    Bytes bytes{opcode};
    for (std::uint32_t i = chip_.part().address_bytes; i-- > 0;) {
      bytes.push_back(static_cast<std::uint8_t>(address >> (8 * i)));
    }
    return bytes;
  }
  void write(std::uint32_t at, Bytes data) {
    transact({0x06});
    Bytes out = address(0x02, at);
    out.insert(out.end(), data.begin(), data.end());
    transact(out);
  }
  Bytes read(std::uint32_t at, std::size_t size) { return transact(address(0x03, at), size); }
  std::uint8_t status() { return transact({0x05}, 1)[0]; }

 private:
  FramChip& chip_;
  Picoseconds now_;
};

}  // namespace brownout::devices::testing
