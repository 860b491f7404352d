// A hash over the whole sequence of events of a run: two runs that agree in it did the same.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>

#include <xxhash.h>

#include "devices/units.hpp"

namespace brownout::sim {

enum class Trace : std::uint64_t {
  power_event = 1,
  transfer = 3,
  operation,
  persist_begin,
  persist_end,
  power_off,
  turn_on,
  restored,
  lost,
  stopped,
  recovered,
};

class Fingerprint {
 public:
  Fingerprint() : state_(XXH64_createState()) { XXH64_reset(state_.get(), 0); }

  void add(Trace kind, devices::Picoseconds at, std::uint64_t detail = 0) {
    const std::uint64_t words[3] = {static_cast<std::uint64_t>(kind), static_cast<std::uint64_t>(at.count),
                                    detail};
    XXH64_update(state_.get(), words, sizeof words);
  }
  void add(Trace kind, devices::Picoseconds at, double detail) {
    add(kind, at, std::bit_cast<std::uint64_t>(detail));
  }
  [[nodiscard]] std::uint64_t value() const { return XXH64_digest(state_.get()); }

 private:
  struct Free {
    void operator()(XXH64_state_t* state) const { XXH64_freeState(state); }
  };
  std::unique_ptr<XXH64_state_t, Free> state_;
};

}  // namespace brownout::sim
