// What a part does when its supply fails in the middle of an access, and what came of it.
#pragma once

#include <cstdint>

namespace brownout::devices {

enum class FramFault : std::uint8_t {
  discard,                // the byte in flight is not written
  garbage_in_flight,      // a byte in flight that is being written holds garbage
  garbage_below_min_vdd,  // so does every byte written while VDD is below the part's lowest
  row_lost,               // a row that is being read, which destroys it, is not restored
};

struct FramFaults {
  FramFault power_loss = FramFault::discard;
  std::uint64_t seed = 0;  // of the garbage
};

struct FramDamage {
  std::uint64_t bytes_cut = 0;  // in flight when power failed, read or written
  std::uint64_t garbage_bytes = 0;
  std::uint64_t rows_lost = 0;
  friend bool operator==(const FramDamage&, const FramDamage&) = default;
};

}  // namespace brownout::devices
