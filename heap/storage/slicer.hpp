// What stores and wrappers do with the streams handed to them: hold them, cut them, move them by pieces.
// All of it allows the persist interrupt between any two instructions, without masking it.
#pragma once

#include <cstdint>

#include "heap/platform.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// The stream of the transfer in flight, or none. The persist interrupt drops it behind its holder's back,
// and so does boot, which constructs everything anew. So the function is the first word that hold() writes
// and the last that pull() reads: no function is called with another stream's state. What else belongs to a
// transfer is written after hold() and read before held(), which then says whether that was still whole.
// All O(1), but for what the stream itself does.
template <class Piece>
class HeldStream {
 public:
  // Takes up a stream; one without a function is empty.
  void hold(PieceStream<Piece> stream) {
    next_ = stream.next != nullptr ? stream.next : &HeldStream::nothing;
    state_ = stream.state;
    compiler_fence();
  }
  void drop() { next_ = nullptr; }
  [[nodiscard]] bool held() const {
    compiler_fence();
    return next_ != nullptr;
  }
  // The next piece; false at the end, and if the stream was dropped. Look at held() before using the piece.
  bool pull(Piece& piece) {
    void* const state = state_;
    const auto next = next_;
    return next != nullptr && next(state, piece);
  }

 private:
  static bool nothing(void*, Piece&) { return false; }

  bool (*volatile next_)(void* state, Piece& piece) = nullptr;
  void* volatile state_ = nullptr;
};

// Cuts a stream into slices of at most `limit` bytes, one slice a transfer. All O(1) beside pulling.
template <class Piece>
class Slicer {
 public:
  // Takes up a stream. `limit` is in bytes, at least 1.
  void reset(PieceStream<Piece> stream, std::uint32_t limit) {
    stream_.hold(stream);
    rest_.size = 0;
    limit_ = limit;
  }
  // Nothing follows from here on.
  void drop() {
    stream_.drop();
    rest_.size = 0;
  }
  [[nodiscard]] bool held() const { return stream_.held(); }
  // True if another byte follows; opens the next slice.
  bool open_slice() {
    budget_ = limit_;
    taken_ = 0;
    return refill();
  }
  // Bytes pulled from the open slice.
  [[nodiscard]] std::uint32_t taken() const { return taken_; }
  // The open slice, as a stream. It lives in the Slicer.
  PieceStream<Piece> slice() { return {&Slicer::next, this}; }

 private:
  bool refill() {
    while (rest_.size == 0) {
      Piece piece;
      if (!stream_.pull(piece)) return false;
      set_rest(piece);
    }
    return true;
  }
  // Word by word: where an interrupt can strike nothing is copied as a whole, which a host's compiler may do
  // in one go that no simulated interrupt comes into.
  void set_rest(const Piece& piece) {
    rest_.data = piece.data;
    rest_.size = piece.size;
  }
  static bool next(void* state, Piece& piece) {
    auto* self = static_cast<Slicer*>(state);
    if (self->budget_ == 0 || !self->refill()) return false;
    piece = self->rest_;
    if (piece.size > self->budget_) piece.size = self->budget_;
    self->rest_.data += piece.size;
    self->rest_.size -= piece.size;
    self->budget_ -= piece.size;
    self->taken_ += piece.size;
    return true;
  }

  HeldStream<Piece> stream_;
  Piece rest_;
  std::uint32_t limit_ = 0;
  std::uint32_t budget_ = 0;
  std::uint32_t taken_ = 0;
};

// The transfer of a store that the CPU itself writes and reads: one piece a poll.
class PieceTransfer {
 public:
  // Take up a transfer, in bytes from the start of the store. O(1).
  void begin_write(std::uint32_t address, OutStream data) {
    drop();
    outgoing_.hold(data);
    address_ = address;
  }
  void begin_read(std::uint32_t address, InStream data) {
    drop();
    incoming_.hold(data);
    address_ = address;
  }
  // Nothing is in flight from here on. O(1).
  void drop() {
    outgoing_.drop();
    incoming_.drop();
  }
  [[nodiscard]] bool is_write() const { return outgoing_.held(); }

  // Moves the next piece by move(address, piece), which gets ConstBytes to write and MutableBytes to read
  // into, and returns false on an error. `failed` on that and if the piece leaves the store.
  // O(bytes of the piece).
  template <class Move>
  TransferState poll(std::uint32_t size_bytes, Move move) {
    if (outgoing_.held()) return move_piece(outgoing_, size_bytes, move);
    if (incoming_.held()) return move_piece(incoming_, size_bytes, move);
    return TransferState::none;
  }

 private:
  // A move that the interrupt finds under way is ended after it: the same bytes to the same place, which
  // stays reserved until the transfer is confirmed.
  template <class Piece, class Move>
  TransferState move_piece(HeldStream<Piece>& stream, std::uint32_t size_bytes, Move& move) {
    const std::uint32_t address = address_;
    Piece piece;
    const bool more = stream.pull(piece);
    if (!stream.held()) return TransferState::none;  // the interrupt struck: address and piece may be torn
    if (!more) piece.size = 0;
    const bool in_range = address <= size_bytes && piece.size <= size_bytes - address;
    if (in_range && more && move(address, piece)) {
      address_ = address + piece.size;
      return TransferState::busy;
    }
    drop();
    return in_range && !more ? TransferState::done : TransferState::failed;
  }

  HeldStream<ConstBytes> outgoing_;
  HeldStream<MutableBytes> incoming_;
  std::uint32_t address_ = 0;
};

}  // namespace brownout::heap
