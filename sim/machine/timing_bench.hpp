// Latencies of single storage calls: the real driver on the simulated bus, with nothing else going on.
#pragma once

#include <cstdint>

#include "devices/bus/spi_profile.hpp"
#include "devices/fram/fram_part.hpp"

namespace brownout::sim {

struct TimingSetup {
  devices::FramPart part;
  devices::SpiProfile bus;
  std::uint64_t sck_hz = 0;
  devices::TransferMode transfer = devices::TransferMode::fifo;
  std::uint32_t slice_bytes = 0;  // with TransferMode::sliced
};

struct CallLatency {
  devices::Picoseconds read;
  devices::Picoseconds write;
};

// Time of one read call and one write call of `size_bytes` at address 0, from the call to its return. With
// a tick, each call begins where the profile says relative to the next strike. The data written are read
// back and compared; a difference is a programming error. O(size).
CallLatency measure_call(const TimingSetup& setup, std::uint32_t size_bytes);

}  // namespace brownout::sim
