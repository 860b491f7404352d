// FRAM that lies in the address space: Storage without a bus, to which the CPU copies words.
#pragma once

#include <concepts>
#include <cstdint>

#include "heap/storage/slicer.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// The most that is copied at once: what the persist interrupt may have to wait for.
inline constexpr std::uint32_t kBurstBytes = 16;

// What the driver needs of such a memory. Addresses are bytes from the start of the store; a burst has at
// most kBurstBytes.
//   store(address, bytes)  copies a burst to the store, in the order of its addresses, each word as one
//   access.
//                          In a critical section.
//   load(address, bytes)   copies a burst from the store. The persist interrupt may strike inside.
// Where time is accounted for, both charge all that a burst takes, masking and loop of the driver included.
template <class W>
concept MappedWindow = requires(W& window, std::uint32_t address, ConstBytes from, MutableBytes to) {
  window.store(address, from);
  window.load(address, to);
};

// The window of a board: plain memory. Of a part with more than 64 KiB on a 16-bit CPU, pointers have to
// reach it (MSP430: the large data model).
class MemoryWindow {
 public:
  explicit MemoryWindow(std::byte* memory) : memory_(memory) {}
  void store(std::uint32_t address, ConstBytes bytes) const {
    copy(memory_ + address, bytes.data, bytes.size);
  }
  void load(std::uint32_t address, MutableBytes bytes) const {
    copy(bytes.data, memory_ + address, bytes.size);
  }

 private:
  using Word = std::uint16_t __attribute__((may_alias));

  // By words where both sides are even. Volatile, or the compiler may choose another order.
  static void copy(std::byte* to, const std::byte* from, std::uint32_t size) {
    const std::uintptr_t either =
        reinterpret_cast<std::uintptr_t>(to) | reinterpret_cast<std::uintptr_t>(from);
    std::uint32_t i = 0;
    for (; (either & 1U) == 0 && i + sizeof(Word) <= size; i += sizeof(Word)) {
      *reinterpret_cast<volatile Word*>(to + i) = *reinterpret_cast<const volatile Word*>(from + i);
    }
    for (; i < size; ++i) {
      *static_cast<volatile std::byte*>(to + i) = *static_cast<const volatile std::byte*>(from + i);
    }
  }

  std::byte* memory_;
};

// A transfer is the CPU's own copying, so there is nothing in flight that could be stopped: the interrupt
// only has to drop it. What has begun must not go on after it, though. By then there is a new checkpoint, and
// a word that reaches a home without the running mark that follows that checkpoint leaves one that seems to
// be current over a store that is not. So each burst is copied in a critical section that first looks whether
// its transfer is still there; the caller finds `none` and a new epoch, and writes the mark before it begins
// anew.
//
// A burst that is being loaded may go on: it ends in RAM that stays reserved until the transfer is confirmed.
template <MappedWindow Window, Platform P>
class MappedFram {
 public:
  MappedFram(Window& window, P& platform, std::uint32_t size_bytes)
      : window_(window), platform_(platform), size_bytes_(size_bytes) {}
  MappedFram(const MappedFram&) = delete;
  MappedFram& operator=(const MappedFram&) = delete;
  ~MappedFram() = default;

  [[nodiscard]] std::uint32_t size_bytes() const { return size_bytes_; }

  // Always succeeds: the memory is there as soon as the CPU runs. Wait states are set by who sets the clock.
  Status start() {
    platform_.charge(Work::call, 1);
    return {};
  }

  // Take up a transfer; always succeed. One that leaves the memory fails in poll(). O(1).
  Status begin_write(std::uint32_t address, OutStream data) {
    abort();
    outgoing_.hold(data);
    open(address);
    return {};
  }
  Status begin_read(std::uint32_t address, InStream data) {
    abort();
    incoming_.hold(data);
    open(address);
    return {};
  }

  // Copies one piece, burst by burst. `none` if the interrupt struck meanwhile; `failed` if the piece leaves
  // the memory, and nothing of it is copied then. O(its bytes).
  TransferState poll() {
    if (outgoing_.held()) return move(outgoing_, Work::storage_write_call);
    if (incoming_.held()) return move(incoming_, Work::storage_read_call);
    return TransferState::none;
  }

  void abort() {
    outgoing_.drop();
    incoming_.drop();
  }

 private:
  void open(std::uint32_t address) {
    address_ = address;
    charged_ = false;
  }

  template <class Piece>
  TransferState move(HeldStream<Piece>& stream, Work call) {
    std::uint32_t address = address_;
    if (!charged_) {
      charged_ = true;
      platform_.charge(call, 1);
    }
    Piece piece;
    const bool more = stream.pull(piece);
    if (!stream.held()) return TransferState::none;  // the interrupt struck: address and piece may be torn
    const bool fits = address <= size_bytes_ && (!more || piece.size <= size_bytes_ - address);
    if (!more || !fits) {
      abort();
      return fits ? TransferState::done : TransferState::failed;
    }
    while (piece.size > 0) {
      const std::uint32_t most = kBurstBytes - (address & 1U);  // from then on at whole words
      const Piece burst{piece.data, piece.size < most ? piece.size : most};
      if (!copy(stream, address, burst)) return TransferState::none;
      address += burst.size;
      piece.data += burst.size;
      piece.size -= burst.size;
    }
    address_ = address;  // of nobody, if the interrupt struck just now: then nothing is held
    return stream.held() ? TransferState::busy : TransferState::none;
  }

  // False, and nothing is written, once the transfer is gone.
  bool copy(const HeldStream<ConstBytes>& stream, std::uint32_t address, ConstBytes burst) {
    platform_.enter_critical();
    const bool stands = stream.held();
    if (stands) window_.store(address, burst);
    platform_.exit_critical();
    return stands;
  }
  bool copy(const HeldStream<MutableBytes>& stream, std::uint32_t address, MutableBytes burst) {
    window_.load(address, burst);
    return stream.held();
  }

  Window& window_;
  P& platform_;
  std::uint32_t size_bytes_;
  HeldStream<ConstBytes> outgoing_;
  HeldStream<MutableBytes> incoming_;
  std::uint32_t address_ = 0;
  bool charged_ = false;  // the call
};

}  // namespace brownout::heap
