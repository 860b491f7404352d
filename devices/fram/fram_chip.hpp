// An SPI FRAM as seen from its pins: chip select and bytes in, bytes out and memory changed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "devices/fram/fram_part.hpp"
#include "devices/units.hpp"

namespace brownout::devices {

// Misuse that a real part answers with silence. A correct driver keeps all of these at zero.
struct FramViolations {
  std::uint64_t write_without_wel = 0;    // WRITE or WRSR ignored
  std::uint64_t access_before_ready = 0;  // selected before t_PU after power-up
  std::uint64_t unknown_opcode = 0;
  friend bool operator==(const FramViolations&, const FramViolations&) = default;
};

// Behaviour after the data sheet: a byte is written when its eighth bit has been clocked in (the caller
// clocks whole bytes; a byte that is cut off is never clocked); addresses take the low bits and roll
// over at the end of the array; WEL is set by WREN at the rise of CS, cleared at power-on, by WRDI, at the
// rise of CS after WRSR and, where the part says so, after WRITE. Status register: WPEN 7, BP1 3, BP0 2,
// WEL 1. Block protection covers the upper quarter, half or all of the array.
class FramChip {
 public:
  explicit FramChip(const FramPart& part);

  [[nodiscard]] const FramPart& part() const { return part_; }

  void power_on(Picoseconds now);
  void power_off();
  [[nodiscard]] bool powered() const { return powered_; }

  // CS falls. Before t_PU the whole transaction is ignored and counted.
  void select(Picoseconds now);
  // Eight clocks: one byte in, one out. While not selected or not powered: nothing, 0xFF out.
  std::uint8_t clock_byte(std::uint8_t in);
  // CS rises.
  void deselect();

  // What the array holds, for programming and for verification; no bus, no time.
  [[nodiscard]] std::span<std::uint8_t> memory() { return memory_; }
  [[nodiscard]] std::span<const std::uint8_t> memory() const { return memory_; }
  [[nodiscard]] const FramViolations& violations() const { return violations_; }
  [[nodiscard]] std::uint8_t status() const { return status_; }

 private:
  enum class State : std::uint8_t {
    idle,
    opcode,
    address,
    read,
    write,
    read_status,
    write_status,
    identify,
    ignore
  };

  std::uint8_t begin(std::uint8_t opcode);
  void accept_address(std::uint8_t in);
  [[nodiscard]] bool is_protected(std::uint32_t address) const;

  FramPart part_;
  std::vector<std::uint8_t> memory_;
  FramViolations violations_;
  Picoseconds ready_at_;
  std::uint32_t address_ = 0;
  std::uint32_t address_bytes_left_ = 0;
  std::uint32_t identity_index_ = 0;
  State state_ = State::idle;
  std::uint8_t opcode_ = 0;
  std::uint8_t status_ = 0;
  bool powered_ = false;
};

}  // namespace brownout::devices
