// The contract between the heap and a byte-addressable non-volatile store.
#pragma once

#include <concepts>
#include <cstdint>

#include "heap/platform.hpp"
#include "heap/types.hpp"

namespace brownout::heap {

// A sequence of pieces of memory, handed out one at a time, so that what lies scattered in RAM goes out
// in one transaction without being copied together first. next() fills `piece` and returns true, or
// returns false at the end; a stream is read once, and its state outlives the transfer.
//
// Of pieces to be written a driver may pull one ahead, while the one before is on the wire (next() is then
// the CPU's work beside it, such as a checksum): a piece stays as it is until the second one after it is
// pulled. Of pieces to be read into it may not: the next one is pulled once this one is full, because where
// later bytes go may depend on earlier ones.
template <class Piece>
struct PieceStream {
  bool (*next)(void* state, Piece& piece) = nullptr;
  void* state = nullptr;

  bool pull(Piece& piece) { return next != nullptr && next(state, piece); }
};
using OutStream = PieceStream<ConstBytes>;
using InStream = PieceStream<MutableBytes>;

// The stream of exactly one piece.
template <class Piece>
class SinglePiece {
 public:
  explicit SinglePiece(Piece piece) : piece_(piece) {}
  SinglePiece(const SinglePiece&) = delete;
  SinglePiece& operator=(const SinglePiece&) = delete;
  ~SinglePiece() = default;

  PieceStream<Piece> stream() { return {&SinglePiece::next, this}; }
  void rewind(Piece piece) { piece_ = piece; }

 private:
  static bool next(void* state, Piece& piece) {
    auto* self = static_cast<SinglePiece*>(state);
    if (self->piece_.size == 0) return false;
    piece = self->piece_;
    self->piece_.size = 0;
    return true;
  }
  Piece piece_;
};

enum class TransferState : std::uint8_t {
  none,  // nothing in flight: never begun, or abandoned by the persist interrupt
  busy,
  done,    // reported once; none afterwards
  failed,  // reported once; none afterwards
};

// A store whose bytes become non-volatile one by one, in the order of their addresses within a transfer.
//
//   start()                after power-up, before anything else: waits until the part may be accessed
//                          and checks that it is the right one.
//   begin_write/begin_read take up a transfer and return at once; an unfinished one is abandoned first.
//                          They only touch RAM: nothing of a transfer goes out before poll() is called, so
//                          abort() right after them leaves no trace.
//   poll()                 drives the transfer; the only call in which time passes on the bus.
//   abort()                stops what is in flight, as finely as the controller can. How far it got is
//                          not known to software.
//   retries()              optional: how often a transfer that failed is begun again before its error is
//                          passed on. Without it never.
//
// The persist interrupt may strike inside any of these, abort() and run transfers of its own; when it
// is over, the interrupted transfer is gone (poll: none). So every transfer is idempotent and its caller
// repeats it from the beginning until the power epoch is unchanged across it (write_confirmed,
// read_confirmed); until then source bytes stay dirty and destination blocks stay reserved.
template <class S>
concept Storage = requires(S& storage, std::uint32_t address, OutStream out, InStream in) {
  { storage.size_bytes() } -> std::same_as<std::uint32_t>;
  { storage.start() } -> std::same_as<Status>;
  { storage.begin_write(address, out) } -> std::same_as<Status>;
  { storage.begin_read(address, in) } -> std::same_as<Status>;
  { storage.poll() } -> std::same_as<TransferState>;
  storage.abort();
};

// What firmware notices of a bus that errs. A platform with note(StorageEvent) is told, to count or to log
// it.
enum class StorageEvent : std::uint8_t {
  timed_out,        // a transaction had no completion
  written_differs,  // what was read back is not what was sent
  reads_differ,     // two reads of the same bytes
  identity_wrong,   // what the part says that it is
  image_damaged,    // a checkpoint, by its checksums, or a running mark
  repeated,         // after one of these a transfer is begun again
  gave_up,          // after one of these no more
};

template <class P>
void note(P& platform, StorageEvent event) {
  if constexpr (requires { platform.note(event); }) platform.note(event);
}

// Of that store; 0 if it does not say. O(1).
template <class S>
std::uint32_t retries_of(const S& storage) {
  if constexpr (requires { storage.retries(); }) {
    return storage.retries();
  } else {
    return 0;
  }
}

// How often one transfer may still be begun again.
class Retries {
 public:
  template <class S>
  explicit Retries(const S& storage) : left_(retries_of(storage)), any_(left_ > 0) {}

  [[nodiscard]] bool used_up() const { return left_ == 0; }
  // After a failure: whether to begin again, which then counts. O(1).
  template <class P>
  bool again(P& platform) {
    if (left_ == 0) {
      if (any_) note(platform, StorageEvent::gave_up);
      return false;
    }
    --left_;
    note(platform, StorageEvent::repeated);
    return true;
  }

 private:
  std::uint32_t left_;
  bool any_;
};

// Drives the transfer in flight to its end. storage_failed if it failed or is gone.
template <Storage S>
Status finish_transfer(S& storage) {
  for (;;) {
    switch (storage.poll()) {
      case TransferState::busy: continue;
      case TransferState::done: return {};
      case TransferState::failed:
      case TransferState::none: return Error::storage_failed;
    }
  }
}

// Begins a transfer with begin(), drives it to its end, and repeats both while it fails and the store's
// retries last. For where no power failure strikes in between: boot, and the persist interrupt itself.
template <Storage S, Platform P, class Begin>
Status repeat_failed(S& storage, P& platform, Begin begin) {
  for (Retries retries(storage);;) {
    Status status = begin();
    if (status.ok()) status = finish_transfer(storage);
    if (status.error() != Error::storage_failed || !retries.again(platform)) return status;
  }
}

// Begins a transfer with begin(), drives it to its end, and repeats both until no power failure struck
// meanwhile: what it reads is then whole, what it wrote is known to be in the store. One that a power failure
// interrupted did not fail, and takes none of the store's retries. `epoch` is the one in which that was so: a
// failure right after it is seen by comparing once more.
template <Storage S, Platform P, class Begin>
Status repeat_until_confirmed(S& storage, P& platform, Begin begin, std::uint32_t& epoch) {
  for (Retries retries(storage);;) {
    epoch = platform.power_epoch();
    Status status = begin();
    if (status.ok()) status = finish_transfer(storage);
    if (platform.power_epoch() != epoch) continue;
    if (status.error() != Error::storage_failed || !retries.again(platform)) return status;
  }
}

template <Storage S, Platform P, class Begin>
Status repeat_until_confirmed(S& storage, P& platform, Begin begin) {
  std::uint32_t epoch = 0;
  return repeat_until_confirmed(storage, platform, begin, epoch);
}

// Writes one piece, confirmed. Outside the checkpoint area only after the running mark (Gateway).
template <Storage S, Platform P>
Status write_confirmed(S& storage, P& platform, std::uint32_t address, ConstBytes bytes) {
  SinglePiece<ConstBytes> piece(bytes);
  return repeat_until_confirmed(storage, platform, [&] {
    piece.rewind(bytes);
    return storage.begin_write(address, piece.stream());
  });
}

// Reads one piece, confirmed; in which epoch.
template <Storage S, Platform P>
Status read_confirmed(S& storage, P& platform, std::uint32_t address, MutableBytes bytes,
                      std::uint32_t& epoch) {
  SinglePiece<MutableBytes> piece(bytes);
  const auto begin = [&] {
    piece.rewind(bytes);
    return storage.begin_read(address, piece.stream());
  };
  return repeat_until_confirmed(storage, platform, begin, epoch);
}
template <Storage S, Platform P>
Status read_confirmed(S& storage, P& platform, std::uint32_t address, MutableBytes bytes) {
  std::uint32_t epoch = 0;
  return read_confirmed(storage, platform, address, bytes, epoch);
}

}  // namespace brownout::heap
