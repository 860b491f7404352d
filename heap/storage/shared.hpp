// One store for several users: several heaps on one driver.
#pragma once

#include <cstdint>

#include "heap/storage/storage.hpp"

namespace brownout::heap {

// Each user has a Client. Every one of them reaches all of the store: a part of its own is a
// TruncatedStorage over its Client. One transfer is in flight at a time, the last that was begun, and only
// its client sees how it goes.
template <Storage S>
class SharedStorage {
 public:
  class Client;

  explicit SharedStorage(S& below) : below_(below) {}
  SharedStorage(const SharedStorage&) = delete;
  SharedStorage& operator=(const SharedStorage&) = delete;
  ~SharedStorage() = default;

 private:
  // Waits for the part the first time only; what it said then holds until boot constructs this anew.
  Status start() {
    if (!started_) first_start_ = below_.start();
    started_ = true;
    return first_start_;
  }

  S& below_;
  const Client* volatile owner_ = nullptr;  // of the transfer in flight; volatile: the interrupt changes it
  bool started_ = false;
  Status first_start_;
};

// Satisfies Storage. Known by its address: it stays where it is.
template <Storage S>
class SharedStorage<S>::Client {
 public:
  explicit Client(SharedStorage& shared) : shared_(shared) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() = default;

  [[nodiscard]] std::uint32_t size_bytes() const { return shared_.below_.size_bytes(); }
  [[nodiscard]] std::uint32_t retries() const { return retries_of(shared_.below_); }

  // Starts the store below if no client has; the result of the first time else. O(1) then.
  Status start() { return shared_.start(); }

  // Take up a transfer as the store below does; that of another client is abandoned too, even if this one
  // is refused. O(1) beside the store below.
  Status begin_write(std::uint32_t address, OutStream data) {
    shared_.owner_ = nullptr;
    return own(shared_.below_.begin_write(address, data));
  }
  Status begin_read(std::uint32_t address, InStream data) {
    shared_.owner_ = nullptr;
    return own(shared_.below_.begin_read(address, data));
  }

  // Polls the store below; `none`, and nothing is driven, if what is in flight is not this client's. O(1)
  // beside the store below.
  TransferState poll() {
    if (shared_.owner_ != this) return TransferState::none;
    const TransferState state = shared_.below_.poll();
    if (state != TransferState::busy) shared_.owner_ = nullptr;
    return state;
  }

  // Stops what is in flight, whosever it is: the persist interrupt needs the bus.
  void abort() {
    shared_.owner_ = nullptr;
    shared_.below_.abort();
  }

 private:
  // After the begin below: if the interrupt strikes in between, nothing is in flight there, as poll() says.
  Status own(Status begun) {
    if (begun.ok()) shared_.owner_ = this;
    return begun;
  }

  SharedStorage& shared_;
};

}  // namespace brownout::heap
