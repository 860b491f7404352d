// What the FRAM driver needs of an SPI controller.
#pragma once

#include <concepts>

#include "heap/storage/storage.hpp"

namespace brownout::heap {

// One transaction at a time, chip select held low from its first to its last bit:
//   begin_send     the command bytes, then the pieces of `data`, all sent
//   begin_receive  the command bytes sent, then the pieces of `data` received
// Both only program the controller and return; poll() drives it. abort() raises chip select as soon as
// the controller can. `command` is copied (at most kMaxCommandBytes), `data` is read while it runs.
//
// A controller whose completion does not come is given up after a time that is the bus's own: it stops the
// transaction as abort() would, and poll() reports `failed`. Nobody answers on SPI, so that is all that a bus
// notices by itself.
inline constexpr std::uint32_t kMaxCommandBytes = 4;

template <class B>
concept SpiBus = requires(B& bus, ConstBytes command, OutStream out, InStream in) {
  bus.begin_send(command, out);
  bus.begin_receive(command, in);
  { bus.poll() } -> std::same_as<TransferState>;
  bus.abort();
};

}  // namespace brownout::heap
