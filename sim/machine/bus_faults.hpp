// Errors on the wires of the SPI bus: bits that flip, transactions that nobody answers. What was injected,
// and what has become of the store by it, because the test bench knows what was meant.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "devices/math/rare_events.hpp"
#include "heap/storage/storage.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// Of errors that were injected.
struct InjectedFaults {
  std::uint64_t command_bits = 0;   // flipped in opcodes and addresses
  std::uint64_t sent_bits = 0;      // in data on their way to the part
  std::uint64_t received_bits = 0;  // in data on their way back
  std::uint64_t transactions = 0;   // with a flipped bit at least
  std::uint64_t missing_answers = 0;

  [[nodiscard]] bool any() const { return transactions + missing_answers > 0; }
};

// Of what the firmware said that it noticed, by event.
struct NoticedFaults {
  std::uint64_t timed_out = 0;
  std::uint64_t written_differs = 0;
  std::uint64_t reads_differ = 0;
  std::uint64_t identity_wrong = 0;
  std::uint64_t image_damaged = 0;
  std::uint64_t repeated = 0;
  std::uint64_t gave_up = 0;

  void add(heap::StorageEvent event);
};

// The wires between a controller and its part.
class BusFaults {
 public:
  // `part_bytes`: the size of the part, a power of two; 0: nobody will ask for wrong_bytes(). Draws are those
  // of the seed, bits and transactions apart.
  BusFaults(const BusFaultConfig& config, std::uint32_t part_bytes, std::uint64_t seed);

  // A transaction begins, with that opcode and address as they were meant. True: it reaches nobody, and has
  // no completion.
  bool begin(std::span<const std::byte> command);
  // The transaction at hand has one flipped bit for certain: bit `bit` (0 to 7) of its `byte`-th byte of data
  // (from 0), if it has so many.
  void flip(std::uint32_t byte, std::uint32_t bit) {
    flip_in_ = byte;
    flip_mask_ = static_cast<std::uint8_t>(1U << bit);
  }
  // A byte of data is sent, whether it arrives or not.
  void means(std::uint8_t byte) {
    if (address_ && !meant_.empty()) meant_[(*address_)++ & (meant_.size() - 1)] = byte;
  }
  // A byte as it arrives at the other end.
  std::uint8_t send_command(std::uint8_t byte) { return carry(byte, injected_.command_bits); }
  std::uint8_t send(std::uint8_t byte) { return carry_data(byte, injected_.sent_bits); }
  std::uint8_t receive(std::uint8_t byte) { return carry_data(byte, injected_.received_bits); }

  // Whether the bytes of the transaction at hand can pass without asking for each.
  [[nodiscard]] bool lets_pass() const { return flip_mask_ == 0 && never_flips_ && meant_.empty(); }

  [[nodiscard]] const InjectedFaults& injected() const { return injected_; }
  // Bytes of the part that are not what was last sent for them. O(size).
  [[nodiscard]] std::uint64_t wrong_bytes(std::span<const std::uint8_t> memory) const;

 private:
  std::uint8_t carry(std::uint8_t byte, std::uint64_t& counter);
  std::uint8_t carry_data(std::uint8_t byte, std::uint64_t& counter) {
    if (flip_mask_ != 0 && flip_in_-- == 0) byte = flipped(byte, counter);
    return carry(byte, counter);
  }
  std::uint8_t flipped(std::uint8_t byte, std::uint64_t& counter);

  devices::RareEvents bits_;
  devices::RareEvents missing_;
  InjectedFaults injected_;
  bool never_flips_;  // but for what flip() asks for
  std::vector<std::uint8_t> meant_;
  std::optional<std::uint32_t> address_;  // of the next byte that a WRITE was meant to send
  bool hit_ = false;                      // a bit of this transaction has flipped
  std::uint32_t flip_in_ = 0;             // bytes of data before the one with the bit that was asked for
  std::uint8_t flip_mask_ = 0;            // 0: none was
};

}  // namespace brownout::sim
