// An FRAM as seen from outside: an SPI part from its pins, chip select and bytes in, bytes out and memory
// changed; one in the address space of its MCU from the CPU, word by word.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "devices/fram/fram_faults.hpp"
#include "devices/fram/fram_part.hpp"
#include "devices/math/random.hpp"
#include "devices/units.hpp"

namespace brownout::devices {

// Misuse that a real part answers with silence. A correct driver keeps all of these at zero.
struct FramViolations {
  std::uint64_t write_without_wel = 0;    // WRITE or WRSR ignored
  std::uint64_t access_before_ready = 0;  // selected before t_PU after power-up, or before it woke
  std::uint64_t unknown_opcode = 0;
  std::uint64_t write_protected = 0;  // bytes for protected blocks, and WRSR while WPEN and WP lock it
  friend bool operator==(const FramViolations&, const FramViolations&) = default;
};

// The row with most accesses, the first of several.
struct FramWear {
  std::uint32_t address = 0;
  std::uint32_t accesses = 0;
};

// Spans of the array before they were overwritten, in the order in which that happened.
class FramOverwritten {
 public:
  struct Span {
    std::uint32_t address = 0;
    std::uint32_t size_bytes = 0;
  };

  void note(std::uint32_t address, std::span<const std::uint8_t> before);
  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }
  // Of all spans, one after the other.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }
  void clear();

 private:
  std::vector<Span> spans_;
  std::vector<std::uint8_t> bytes_;
};

// Behaviour after the data sheet: a byte is written when its eighth bit has been clocked in; addresses take
// the low bits and roll over at the end of the array; WEL is set by WREN at the rise of CS, cleared at
// power-on, by WRDI, at the rise of CS after WRSR and, where the part says so, after WRITE. Status register:
// WPEN 7, BP1 3, BP0 2, WEL 1. Block protection covers the upper quarter, half or all of the array. SLEEP
// acts at the rise of CS; the next fall of CS wakes the part, and what is clocked then is ignored.
//
// A transaction counts as one access of each row that it passes through.
//
// Of a mapped part a word is written as a whole or not at all: its controller ends the access at hand. Each
// word that is written counts as an access of its row, and so does each row that loads come to.
class FramChip {
 public:
  explicit FramChip(const FramPart& part, const FramFaults& faults = {});

  [[nodiscard]] const FramPart& part() const { return part_; }

  void power_on(Picoseconds now);
  void power_off();
  [[nodiscard]] bool powered() const { return powered_; }
  // VDD from now on; matters to FramFault::garbage_below_min_vdd alone.
  void supply(double vdd_v);

  // CS falls. Before t_PU, and before it woke, the whole transaction is ignored and counted.
  void select(Picoseconds now);
  // Eight clocks: one byte in, one out. While not selected or not powered: nothing, 0xFF out.
  std::uint8_t clock_byte(std::uint8_t in);
  // The same for a span of bytes, in or out, as fast as memory is copied. `out` gets what the chip answers.
  void clock_bytes_in(std::span<const std::uint8_t> in);
  void clock_bytes_out(std::span<std::uint8_t> out);
  // The first clocks of a byte whose last does not come: CS rises next, or power fails.
  void cut_byte();
  // CS rises.
  void deselect(Picoseconds now);
  // The WP pin: low, it locks the status register if WPEN is set.
  void drive_write_protect(bool low) { write_protect_low_ = low; }

  // Of a mapped part, in place of the pins. A word has one or two bytes and lies in one row. begin_store():
  // it is on its way; store(): it has arrived. Without power nothing is stored, and all bits read 1.
  void begin_store(std::uint32_t address, std::uint32_t size_bytes);
  void store(std::uint32_t address, std::span<const std::uint8_t> word);
  void load(std::uint32_t address, std::span<std::uint8_t> word);

  // What the array holds, for programming and for verification; no bus, no time.
  [[nodiscard]] std::span<std::uint8_t> memory() { return memory_; }
  [[nodiscard]] std::span<const std::uint8_t> memory() const { return memory_; }
  // Takes over the array and the status register of a chip of the same part. O(size).
  void take_contents(const FramChip& other);

  // Everything volatile, and the status register: with them and what was overwritten, a chip can be put back
  // to where it was.
  struct Registers {
    Picoseconds ready_at;
    Picoseconds asleep_at;
    std::uint32_t address = 0;
    std::uint32_t address_bytes_left = 0;
    std::uint32_t identity_index = 0;
    std::uint32_t row = 0;
    std::uint8_t state = 0;
    std::uint8_t opcode = 0;
    std::uint8_t status = 0;
    bool powered = false;
    bool asleep = false;
    bool in_flight = false;
    bool below_min_vdd = false;
    bool write_protect_low = false;
    std::uint32_t word_bytes = 0;
  };
  [[nodiscard]] Registers registers() const;
  void put_back(const Registers& registers);
  // From now on what the bus overwrites is noted there, which outlives its use here; nullptr: no longer.
  void note_overwritten(FramOverwritten* notes) { overwritten_ = notes; }
  // Undoes what was noted, the latest first, and forgets it. O(bytes overwritten).
  void undo(FramOverwritten& notes);
  // What becomes of a byte that is on the wire when power fails, from now on.
  void set_power_loss(FramFault fault) { faults_.power_loss = fault; }
  [[nodiscard]] const FramViolations& violations() const { return violations_; }
  [[nodiscard]] const FramDamage& damage() const { return damage_; }
  [[nodiscard]] std::uint8_t status() const { return status_; }
  [[nodiscard]] bool asleep() const { return asleep_; }
  // From now on accesses are not counted: hottest_row() stays what it is.
  void ignore_wear() { counts_wear_ = false; }
  // O(rows).
  [[nodiscard]] FramWear hottest_row() const;

 private:
  enum class State : std::uint8_t {
    idle,
    opcode,
    address,
    dummy,
    read,
    write,
    read_status,
    write_status,
    identify,
    ignore
  };

  std::uint8_t begin(std::uint8_t opcode);
  void begin_write(std::uint8_t opcode);
  void begin_if(bool known, State state);
  void accept_address(std::uint8_t in);
  void write(std::uint8_t in);
  void write_status(std::uint8_t in);
  std::uint8_t identify();
  void advance() { address_ = (address_ + 1) & address_mask_; }
  void wear_row();
  void wear_rows(std::uint32_t size_bytes);
  // How many of so many bytes come before the end of the array.
  [[nodiscard]] std::uint32_t before_roll_over(std::size_t size_bytes) const;
  void damage_in_flight();
  void damage_word();
  [[nodiscard]] bool is_word(std::uint32_t address, std::size_t size_bytes) const;
  std::uint8_t garbage();
  [[nodiscard]] bool is_protected(std::uint32_t address) const;

  static constexpr std::uint32_t kNoRow = 0xFFFF'FFFF;

  FramPart part_;
  FramFaults faults_;
  SplitMix64 random_;
  std::uint32_t address_mask_ = 0;
  std::uint32_t row_shift_ = 0;
  bool reads_wear_ = true;
  bool counts_wear_ = true;
  std::vector<std::uint8_t> memory_;
  std::vector<std::uint32_t> accesses_;  // of each row; the largest number stays
  FramOverwritten* overwritten_ = nullptr;
  FramViolations violations_;
  FramDamage damage_;
  Picoseconds ready_at_;
  Picoseconds asleep_at_;
  std::uint32_t address_ = 0;
  std::uint32_t address_bytes_left_ = 0;
  std::uint32_t identity_index_ = 0;
  std::uint32_t word_bytes_ = 0;  // on their way to a mapped part
  std::uint32_t row_ = kNoRow;    // that the transaction is in
  State state_ = State::idle;
  std::uint8_t opcode_ = 0;
  std::uint8_t status_ = 0;
  bool powered_ = false;
  bool asleep_ = false;
  bool in_flight_ = false;
  bool below_min_vdd_ = false;
  bool write_protect_low_ = false;
};

}  // namespace brownout::devices
