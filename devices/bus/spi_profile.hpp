// What an SPI transaction costs on a given controller and driver: one record a profile.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "devices/units.hpp"

namespace brownout::devices {

enum class TransferMode : std::uint8_t { fifo, dma, sliced };

// How finely a transfer in flight can be stopped.
enum class AbortGranularity : std::uint8_t { byte, chunk, transfer };

// One mode of one controller. A transaction costs its set-up and the delays of CS; then each piece is cut
// into chunks, each of which costs a hand-over, a copy a byte by the CPU, and its bits on the wire:
//   t = setup + cs_setup + sum over chunks (handover + bytes * (copy + 8 bit / f_sck)) + cs_hold
// The command and address bytes are a piece that is sent. Where DMA moves bytes that are sent, the piece that
// follows is asked for once the last chunk of a piece is handed over. The CPU's work for it runs beside the
// wire: of the two, the longer one counts,
//   max(bytes * 8 bit / f_sck, work)
struct TransferCosts {
  std::uint32_t chunk_bytes = 0;  // FIFO depth or longest DMA descriptor
  Picoseconds setup_send;         // a transaction that only sends
  Picoseconds setup_receive;      // a transaction that sends, then receives
  Picoseconds handover_send;
  Picoseconds handover_receive;
  Picoseconds copy_send_per_byte;
  Picoseconds copy_receive_per_byte;
  // Between the fall of CS and the first bit, between the last bit and the rise of CS.
  Picoseconds cs_setup;
  Picoseconds cs_hold;
  // Once a call of the storage driver, whatever its number of transactions.
  Picoseconds call_write;
  Picoseconds call_read;
  Picoseconds call_write_empty;  // a call with no bytes that makes no transaction
  Picoseconds call_read_empty;
  bool cpu_moves_bytes = true;  // false: DMA moves them while the CPU is free to take ticks
  AbortGranularity abort_granularity = AbortGranularity::byte;
  Picoseconds abort_cost;
};

// A periodic interrupt that preempts whatever the CPU does.
struct RtosTick {
  Picoseconds period;  // zero: none
  Picoseconds cost;
  Picoseconds first_after_start;  // first strike after boot, or after the call that is timed
};

// What SCK a controller can make: its source, divided by a whole number. With a counter, by 1, or by one of
// [1, most_prescaler] times one of [2, most_count]: beyond most_count not every number is such a product.
struct SckDivider {
  std::uint64_t source_hz = 0;  // 0: the clock of the MCU
  std::uint32_t least = 1;
  bool powers_of_two = false;
  std::uint32_t most_prescaler = 0;
  std::uint32_t most_count = 0;  // 0: there is no counter, and any number will do

  // The fastest SCK that is not above `wanted_hz`, in whole hertz, rounded down. 0: all are.
  // O(most_prescaler).
  [[nodiscard]] std::uint64_t at_most(std::uint64_t wanted_hz, std::uint64_t mcu_hz) const;
  // The slowest SCK there is, in whole hertz, rounded up; 1 where nothing limits it. O(1).
  [[nodiscard]] std::uint64_t slowest(std::uint64_t mcu_hz) const;

 private:
  [[nodiscard]] std::uint64_t product_from(std::uint64_t divider) const;
};

struct SpiProfile {
  std::string_view name;
  std::uint32_t spi_mode = 0;  // CPOL and CPHA; the parts sample at the rising edge, which is 0 and 3
  SckDivider divider;
  TransferCosts fifo;
  TransferCosts dma;
  TransferCosts sliced;
  RtosTick tick;
  bool calibrated = false;  // its timing rests on a measurement
  std::string_view sources;

  [[nodiscard]] const TransferCosts& costs(TransferMode mode) const {
    return mode == TransferMode::fifo ? fifo : mode == TransferMode::dma ? dma : sliced;
  }
  [[nodiscard]] TransferCosts& costs(TransferMode mode) {
    return mode == TransferMode::fifo ? fifo : mode == TransferMode::dma ? dma : sliced;
  }
};

std::span<const SpiProfile> spi_profiles();

// The profile of that name, compared without regard to case, or nullptr.
const SpiProfile* find_spi_profile(std::string_view name);

std::string_view name_of(TransferMode mode);

}  // namespace brownout::devices
