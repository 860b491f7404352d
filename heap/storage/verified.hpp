// Storage that looks whether its transfers have come across.
#pragma once

#include <cstdint>

#include "heap/checksum.hpp"
#include "heap/storage/slicer.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// SPI has no acknowledgement and no checksum: a bit that flips on the wire is stored, or delivered, as it
// came.
enum class Verify : std::uint8_t {
  none,
  read_back,   // what was written is read again and compared
  read_twice,  // and so is what was read
};

// Of memory that a second pass reads into at once.
inline constexpr std::uint32_t kSecondPassBytes = 64;

// Compares by CRC-32C, formed of what is sent or received the first time and of a second pass over the same
// bytes of the store. If the two differ the transfer has failed, and its caller repeats it (repeat_failed,
// repeat_until_confirmed) as often as the store below says. What it costs: a read call for each call, a byte
// of checksum for each byte on the bus, kSecondPassBytes of RAM.
//
// What it cannot see: a write that went to another address because a bit of that flipped. The second pass
// finds that the bytes are not where they should be and they are written once more, but what they overwrote
// elsewhere stays.
template <Storage S, Platform P>
class VerifiedStorage {
 public:
  VerifiedStorage(S& below, P& platform, Verify verify)
      : below_(below), platform_(platform), verify_(verify) {}
  VerifiedStorage(const VerifiedStorage&) = delete;
  VerifiedStorage& operator=(const VerifiedStorage&) = delete;
  ~VerifiedStorage() = default;

  [[nodiscard]] std::uint32_t size_bytes() const { return below_.size_bytes(); }
  [[nodiscard]] std::uint32_t retries() const { return retries_of(below_); }

  // What the store below says.
  Status start() { return below_.start(); }

  // Take up a transfer, as the store below does.
  Status begin_write(std::uint32_t address, OutStream data) {
    if (verify_ == Verify::none) return below_.begin_write(address, data);
    drop();
    outgoing_.hold(data);
    open(address);
    stage_ = Stage::writing;
    return begun(below_.begin_write(address, {&VerifiedStorage::next_outgoing, this}));
  }
  Status begin_read(std::uint32_t address, InStream data) {
    drop();
    if (verify_ != Verify::read_twice) return below_.begin_read(address, data);
    incoming_.hold(data);
    open(address);
    stage_ = Stage::reading;
    return begun(below_.begin_read(address, {&VerifiedStorage::next_incoming, this}));
  }

  // Polls the store below; begins the second pass after the first one. `failed` if the two differ.
  TransferState poll() {
    const bool watched = stage_ != Stage::idle;
    const TransferState state = below_.poll();
    if (!watched || state == TransferState::busy) return state;
    // The interrupt may have struck up to here, and used this store for itself; from here on it cannot.
    CriticalSection<P> section(platform_);
    if (stage_ == Stage::idle) return TransferState::none;
    if (state != TransferState::done) {
      drop();
      return state;
    }
    if (stage_ != Stage::second_pass) return begin_second_pass();
    const bool same = crc_.value() == expected_;
    if (!same) note(platform_, was_write_ ? StorageEvent::written_differs : StorageEvent::reads_differ);
    drop();
    return same ? TransferState::done : TransferState::failed;
  }

  void abort() {
    drop();
    below_.abort();
  }

 private:
  enum class Stage : std::uint8_t { idle, writing, reading, second_pass };

  void open(std::uint32_t address) {
    address_ = address;
    bytes_ = 0;
    latest_ = {};
    crc_ = {};
  }
  // If the interrupt struck since the stage was set, what has begun is a stream that was dropped.
  Status begun(Status status) {
    if (stage_ == Stage::idle) below_.abort();
    if (!status.ok()) drop();
    return status;
  }
  void drop() {
    stage_ = Stage::idle;
    outgoing_.drop();
    incoming_.drop();
  }

  TransferState begin_second_pass() {
    if (bytes_ == 0) {
      drop();
      return TransferState::done;
    }
    was_write_ = stage_ == Stage::writing;
    expected_ = crc_.value();
    outgoing_.drop();
    incoming_.drop();
    crc_ = {};
    latest_ = {};
    left_ = bytes_;
    stage_ = Stage::second_pass;
    if (below_.begin_read(address_, {&VerifiedStorage::next_of_pass, this}).ok()) return TransferState::busy;
    drop();
    return TransferState::failed;
  }

  void add(ConstBytes bytes) {
    platform_.charge(Work::checksum_byte, bytes.size);
    crc_.add(bytes.data, bytes.size);
  }

  // As it goes out.
  static bool next_outgoing(void* state, ConstBytes& piece) {
    auto* self = static_cast<VerifiedStorage*>(state);
    if (!self->outgoing_.pull(piece)) return false;
    self->bytes_ += piece.size;
    self->add(piece);
    return true;
  }
  // Once it is full, which is when the next one is asked for. A controller that cannot be stopped asks on
  // after the transfer is gone.
  static bool next_incoming(void* state, MutableBytes& piece) {
    auto* self = static_cast<VerifiedStorage*>(state);
    if (self->stage_ != Stage::reading) return false;
    self->add_latest();
    if (!self->incoming_.pull(piece)) return false;
    self->bytes_ += piece.size;
    self->latest_ = piece;
    return true;
  }
  static bool next_of_pass(void* state, MutableBytes& piece) {
    auto* self = static_cast<VerifiedStorage*>(state);
    if (self->stage_ != Stage::second_pass) return false;
    self->add_latest();
    if (self->left_ == 0) return false;
    piece = {self->pass_, self->left_ < kSecondPassBytes ? self->left_ : kSecondPassBytes};
    self->left_ -= piece.size;
    self->latest_ = piece;
    return true;
  }
  void add_latest() {
    const MutableBytes full = latest_;
    latest_ = {};
    if (full.size > 0) add({full.data, full.size});
  }

  S& below_;
  P& platform_;
  Verify verify_;
  HeldStream<ConstBytes> outgoing_;
  HeldStream<MutableBytes> incoming_;
  std::uint32_t address_ = 0;
  std::uint32_t bytes_ = 0;  // that the first pass has moved
  std::uint32_t left_ = 0;   // for the second
  std::uint32_t expected_ = 0;
  MutableBytes latest_;  // not yet in the sum
  Crc32c crc_;
  bool was_write_ = false;
  volatile Stage stage_ = Stage::idle;  // volatile: the persist interrupt changes it
  std::byte pass_[kSecondPassBytes] = {};
};

}  // namespace brownout::heap
