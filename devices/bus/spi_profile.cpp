#include "devices/bus/spi_profile.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "devices/names.hpp"

namespace brownout::devices {
namespace {

// The unit of the published measurements: 16 MHz timer ticks of 62.5 ns, given here in 1/1000.
// NOLINTNEXTLINE(bugprone-incorrect-roundings): positive, and std::lround is not constexpr
constexpr Picoseconds ticks(double n) { return {static_cast<std::int64_t>(n * 62'500.0 + 0.5)}; }

// ESP32-C3 at 160 MHz, Zephyr 3.7. Decomposed from the measured laws t(n) = call + ceil(n / chunk) chunk +
// n (wire + copy): a write call is WREN (one sent piece of 1 byte) and WRITE (a piece of 3 bytes, then the
// data), a read call one piece of 3 sent bytes, then the data received.
//   FIFO   write 1127.0, 130.26, 1.546; read 609.8, 133.32, 3.942
constexpr TransferCosts kZephyrFifo = {
    .chunk_bytes = 64,
    .setup_send = ticks(417.35),
    .setup_receive = ticks(455.70),
    .handover_send = ticks(130.26),
    .handover_receive = ticks(133.32),
    .copy_send_per_byte = ticks(1.546),
    .copy_receive_per_byte = ticks(3.942),
    .cs_setup = {},  // in the set-up that was measured
    .cs_hold = {},
    .call_write = {},
    .call_read = {},
    .call_write_empty = {},
    .call_read_empty = {},
    .cpu_moves_bytes = true,
    .abort_granularity = AbortGranularity::chunk,  // estimate: the FIFO in flight runs out
    .abort_cost = microseconds(2),                 // estimate
};
//   DMA    write 1173 without data, 158.5 a descriptor; read 795, 188.8
constexpr TransferCosts kZephyrDma = {
    .chunk_bytes = 4092,
    .setup_send = ticks(415.20),
    .setup_receive = ticks(617.30),
    .handover_send = ticks(158.50),
    .handover_receive = ticks(188.80),
    .copy_send_per_byte = ticks(0.001),
    .copy_receive_per_byte = ticks(0.0002),
    .cs_setup = {},
    .cs_hold = {},
    .call_write = {},
    .call_read = {},
    .call_write_empty = {},
    .call_read_empty = {},
    .cpu_moves_bytes = false,
    .abort_granularity = AbortGranularity::byte,  // estimate: the descriptor chain is stopped
    .abort_cost = microseconds(2),                // estimate
};
//   sliced, 4 bytes at 40 MHz, three address bytes: 1242.2 a slice written, 739.8 read, and the cold
//   instruction cache once a call; hand-over and copy as in FIFO mode, so the rest is set-up.
constexpr TransferCosts kZephyrSliced = {
    .chunk_bytes = 64,
    .setup_send = ticks(404.35),
    .setup_receive = ticks(428.67),
    .handover_send = ticks(130.26),
    .handover_receive = ticks(133.32),
    .copy_send_per_byte = ticks(1.546),
    .copy_receive_per_byte = ticks(3.942),
    .cs_setup = {},  // in the set-up that was measured
    .cs_hold = {},
    .call_write = ticks(4400.0),
    .call_read = ticks(4332.0),
    .call_write_empty = ticks(312.0),
    .call_read_empty = ticks(375.0),
    .cpu_moves_bytes = true,
    .abort_granularity = AbortGranularity::chunk,
    .abort_cost = microseconds(2),
};

// The same board, another build, with the 1 kHz tick of the RTOS running. FIFO law without the tick:
// write 1136.9, 137.27, 1.649; read 617.1, 139.89, 4.155. Each strike costs 7,080 to 7,320 ticks.
constexpr TransferCosts with_tick_build_fifo() {
  TransferCosts costs = kZephyrFifo;
  costs.setup_send = ticks(415.08);
  costs.setup_receive = ticks(455.68);
  costs.handover_send = ticks(137.27);
  costs.handover_receive = ticks(139.89);
  costs.copy_send_per_byte = ticks(1.649);
  costs.copy_receive_per_byte = ticks(4.155);
  return costs;
}

// A polling driver on the registers of the ESP32-C3: estimates but for the DMA set-up of about 2 us.
constexpr TransferCosts bare_metal(bool dma) {
  return {
      .chunk_bytes = dma ? 4092U : 64U,
      .setup_send = nanoseconds(1'500),
      .setup_receive = nanoseconds(1'500),
      .handover_send = dma ? nanoseconds(2'000) : nanoseconds(500),
      .handover_receive = dma ? nanoseconds(2'000) : nanoseconds(500),
      .copy_send_per_byte = dma ? Picoseconds{} : nanoseconds(20),
      .copy_receive_per_byte = dma ? Picoseconds{} : nanoseconds(20),
      .cs_setup = {},  // half a clock, in the set-up
      .cs_hold = {},
      .call_write = {},
      .call_read = {},
      .call_write_empty = {},
      .call_read_empty = {},
      .cpu_moves_bytes = !dma,
      .abort_granularity = AbortGranularity::byte,
      .abort_cost = nanoseconds(500),
  };
}

// A small controller with a one-byte buffer that the CPU feeds, 16 MHz class: estimates.
constexpr TransferCosts kPolled = {
    .chunk_bytes = 65'535,
    .setup_send = nanoseconds(2'000),
    .setup_receive = nanoseconds(2'000),
    .handover_send = nanoseconds(500),
    .handover_receive = nanoseconds(500),
    .copy_send_per_byte = nanoseconds(500),
    .copy_receive_per_byte = nanoseconds(500),
    .cs_setup = {},
    .cs_hold = {},
    .call_write = {},
    .call_read = {},
    .call_write_empty = {},
    .call_read_empty = {},
    .cpu_moves_bytes = true,
    .abort_granularity = AbortGranularity::byte,
    .abort_cost = nanoseconds(500),
};

// SPI2 of the ESP32-C3: 80 MHz as it is, or by a prescaler of 1 to 16 times a counter of 2 to 64 (technical
// reference manual, chapter SPI, clock register).
constexpr SckDivider kEsp32c3Divider = {
    .source_hz = 80'000'000, .least = 1, .powers_of_two = false, .most_prescaler = 16, .most_count = 64};

constexpr SpiProfile kProfiles[] = {
    {
        .name = "esp32c3-zephyr",
        .divider = kEsp32c3Divider,
        .fifo = kZephyrFifo,
        .dma = kZephyrDma,
        .sliced = kZephyrSliced,
        .tick = {},
        .calibrated = true,
        .sources =
            "measured: ESP32-C3 at 160 MHz, Zephyr 3.7 (FIFO and DMA at 20 MHz, 4-byte slices at 40 MHz); "
            "abort granularity and cost are estimates",
    },
    {
        .name = "esp32c3-zephyr-tick",
        .divider = kEsp32c3Divider,
        .fifo = with_tick_build_fifo(),
        .dma = kZephyrDma,
        .sliced = kZephyrSliced,
        .tick = {.period = milliseconds(1), .cost = ticks(7'210.0), .first_after_start = ticks(8'400.0)},
        .calibrated = true,
        .sources =
            "measured: as esp32c3-zephyr with the 1 kHz tick running, FIFO mode; DMA and sliced are taken "
            "over from the build without tick",
    },
    {
        .name = "esp32c3-baremetal",
        .divider = kEsp32c3Divider,
        .fifo = bare_metal(false),
        .dma = bare_metal(true),
        .sliced = bare_metal(false),
        .tick = {},
        .calibrated = false,
        .sources = "estimates; a DMA set-up costs about 2 us",
    },
    {
        .name = "polled",
        .divider = {.source_hz = 0, .least = 2, .powers_of_two = true},
        .fifo = kPolled,
        .dma = kPolled,
        .sliced = kPolled,
        .tick = {},
        .calibrated = false,
        .sources = "estimates: byte-wise polling on a 16 MHz class controller without DMA",
    },
};

}  // namespace

std::uint64_t SckDivider::at_most(std::uint64_t wanted_hz, std::uint64_t mcu_hz) const {
  assert(wanted_hz > 0);
  const std::uint64_t source = source_hz == 0 ? mcu_hz : source_hz;
  std::uint64_t divider = std::max<std::uint64_t>((source + wanted_hz - 1) / wanted_hz, least);
  if (powers_of_two) divider = std::bit_ceil(divider);
  if (most_count > 0 && divider > 1) divider = product_from(divider);
  return divider == 0 ? 0 : source / divider;
}

// The smallest product of prescaler and count that is not below `divider`; 0: there is none.
std::uint64_t SckDivider::product_from(std::uint64_t divider) const {
  std::uint64_t best = 0;
  for (std::uint64_t prescaler = 1; prescaler <= most_prescaler; ++prescaler) {
    const std::uint64_t count = std::max<std::uint64_t>((divider + prescaler - 1) / prescaler, 2);
    if (count <= most_count && (best == 0 || prescaler * count < best)) best = prescaler * count;
  }
  return best;
}

std::uint64_t SckDivider::slowest(std::uint64_t mcu_hz) const {
  if (most_count == 0) return 1;
  const std::uint64_t most = std::uint64_t{most_prescaler} * most_count;
  return ((source_hz == 0 ? mcu_hz : source_hz) + most - 1) / most;
}

std::span<const SpiProfile> spi_profiles() { return kProfiles; }

const SpiProfile* find_spi_profile(std::string_view name) { return find_by_name(spi_profiles(), name); }

std::string_view name_of(TransferMode mode) {
  switch (mode) {
    case TransferMode::fifo: return "fifo";
    case TransferMode::dma: return "dma";
    case TransferMode::sliced: return "sliced";
  }
  return "";
}

}  // namespace brownout::devices
