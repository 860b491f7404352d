// A part of a store as a store of its own.
#pragma once

#include <cstdint>

#include "heap/storage/slicer.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// The bytes [base, base + size) of the store below. No transfer leaves them, however long its stream turns
// out to be. The store below is used through this one only (several users: SharedStorage, below).
template <Storage S>
class TruncatedStorage {
 public:
  TruncatedStorage(S& below, std::uint32_t base_address, std::uint32_t size_bytes)
      : below_(below), base_address_(base_address), size_bytes_(size_bytes) {}
  TruncatedStorage(const TruncatedStorage&) = delete;
  TruncatedStorage& operator=(const TruncatedStorage&) = delete;
  ~TruncatedStorage() = default;

  [[nodiscard]] std::uint32_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] std::uint32_t retries() const { return retries_of(below_); }

  // What the store below says; bad_configuration if that is too small for this part.
  Status start() {
    if (const Status status = below_.start(); !status.ok()) return status;
    const std::uint32_t below_bytes = below_.size_bytes();
    const bool inside = base_address_ <= below_bytes && size_bytes_ <= below_bytes - base_address_;
    return inside ? Error::none : Error::bad_configuration;
  }

  // Take up a transfer. storage_failed if it begins behind the end of the part; else what the store below
  // says. O(1) beside that.
  Status begin_write(std::uint32_t address, OutStream data) {
    if (!open(address)) return Error::storage_failed;
    outgoing_.hold(data, size_bytes_ - address);
    return begun(outgoing_, below_.begin_write(base_address_ + address, outgoing_.stream()));
  }
  Status begin_read(std::uint32_t address, InStream data) {
    if (!open(address)) return Error::storage_failed;
    incoming_.hold(data, size_bytes_ - address);
    return begun(incoming_, below_.begin_read(base_address_ + address, incoming_.stream()));
  }

  // Polls the store below. `failed` if that failed, or at the end of the pieces that are inside the part if
  // another one leaves it; nothing of that one is moved. O(1) beside what the store below does.
  TransferState poll() {
    if (outgoing_.held()) return drive(outgoing_);
    if (incoming_.held()) return drive(incoming_);
    return TransferState::none;
  }

  void abort() {
    drop();
    below_.abort();
  }

 private:
  // A stream that ends before the piece that would leave the part.
  template <class Piece>
  class BoundedStream {
   public:
    void hold(PieceStream<Piece> stream, std::uint32_t bytes) {
      stream_.hold(stream);
      left_bytes_ = bytes;
      exceeded_ = false;
    }
    void drop() { stream_.drop(); }
    [[nodiscard]] bool held() const { return stream_.held(); }
    [[nodiscard]] bool exceeded() const { return exceeded_; }
    PieceStream<Piece> stream() { return {&BoundedStream::next, this}; }

   private:
    static bool next(void* state, Piece& piece) {
      auto* self = static_cast<BoundedStream*>(state);
      if (self->exceeded_ || !self->stream_.pull(piece)) return false;
      self->exceeded_ = piece.size > self->left_bytes_;
      if (self->exceeded_) return false;
      self->left_bytes_ -= piece.size;
      return true;
    }

    HeldStream<Piece> stream_;
    std::uint32_t left_bytes_ = 0;
    bool exceeded_ = false;
  };

  // Abandons what is in flight; false if no transfer can begin there.
  bool open(std::uint32_t address) {
    abort();
    return address <= size_bytes_;
  }
  // If the interrupt struck before the begin below, that is of a stream that was dropped.
  template <class Piece>
  Status begun(const BoundedStream<Piece>& stream, Status status) {
    if (!stream.held()) below_.abort();
    if (!status.ok()) drop();
    return status;
  }
  template <class Piece>
  TransferState drive(const BoundedStream<Piece>& stream) {
    const TransferState state = below_.poll();
    const bool exceeded = stream.exceeded();
    if (!stream.held()) return TransferState::none;  // the interrupt struck
    if (state == TransferState::busy) return state;
    drop();
    return state == TransferState::done && exceeded ? TransferState::failed : state;
  }
  void drop() {
    outgoing_.drop();
    incoming_.drop();
  }

  S& below_;
  std::uint32_t base_address_;
  std::uint32_t size_bytes_;
  BoundedStream<ConstBytes> outgoing_;
  BoundedStream<MutableBytes> incoming_;
};

}  // namespace brownout::heap
