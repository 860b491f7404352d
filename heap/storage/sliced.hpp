// Storage that makes only short transfers on the one below.
#pragma once

#include <cstdint>

#include "heap/storage/slicer.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// Cuts every transfer into transfers of at most `slice_bytes` on the store below: for a driver or a
// controller that has a longest one. An empty transfer makes none. The store below is used through this
// one only (several users: SharedStorage, below).
template <Storage S>
class SlicedStorage {
 public:
  SlicedStorage(S& below, std::uint32_t slice_bytes) : below_(below), slice_bytes_(slice_bytes) {}
  SlicedStorage(const SlicedStorage&) = delete;
  SlicedStorage& operator=(const SlicedStorage&) = delete;
  ~SlicedStorage() = default;

  [[nodiscard]] std::uint32_t size_bytes() const { return below_.size_bytes(); }
  [[nodiscard]] std::uint32_t retries() const { return retries_of(below_); }

  // bad_configuration if a slice has no bytes; else what the store below says.
  Status start() {
    if (slice_bytes_ == 0) return Error::bad_configuration;
    return below_.start();
  }

  // Take up a transfer; always succeed, as nothing is begun below before poll(). O(1).
  Status begin_write(std::uint32_t address, OutStream data) {
    abort();
    outgoing_.reset(data, slice_bytes_);
    open(address);
    return {};
  }
  Status begin_read(std::uint32_t address, InStream data) {
    abort();
    incoming_.reset(data, slice_bytes_);
    open(address);
    return {};
  }

  // Polls the slice in flight; begins the next one after it. `failed` if the store below does not take up a
  // slice, or fails in it; none follows. O(1) beside pulling a piece and what the store below does.
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
  void open(std::uint32_t address) {
    address_ = address;
    slice_begun_ = false;
  }
  void drop() {
    outgoing_.drop();
    incoming_.drop();
  }

  template <class Piece>
  TransferState drive(Slicer<Piece>& slicer) {
    std::uint32_t address = address_;
    if (slice_begun_) {
      const TransferState state = below_.poll();
      if (state == TransferState::busy) return state;
      if (state != TransferState::done) {
        drop();
        return state;
      }
      address += slicer.taken();
    }
    const bool more = slicer.open_slice();
    if (!slicer.held()) return TransferState::none;  // the interrupt struck
    if (!more) {
      drop();
      return TransferState::done;
    }
    return begin_slice(address, slicer);
  }

  template <class Piece>
  TransferState begin_slice(std::uint32_t address, Slicer<Piece>& slicer) {
    address_ = address;
    slice_begun_ = true;
    const Status status = begin_below(address, slicer.slice());
    // If the interrupt struck since it was last looked for, what has begun is empty: its slicer was dropped.
    if (!slicer.held()) {
      below_.abort();
      return TransferState::none;
    }
    if (status.ok()) return TransferState::busy;
    drop();
    return TransferState::failed;
  }
  Status begin_below(std::uint32_t address, OutStream slice) { return below_.begin_write(address, slice); }
  Status begin_below(std::uint32_t address, InStream slice) { return below_.begin_read(address, slice); }

  S& below_;
  std::uint32_t slice_bytes_;
  Slicer<ConstBytes> outgoing_;
  Slicer<MutableBytes> incoming_;
  std::uint32_t address_ = 0;  // of the slice in flight, or of the first
  bool slice_begun_ = false;
};

}  // namespace brownout::heap
