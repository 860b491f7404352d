// SPI FRAM driver: Storage over an SpiBus.
#pragma once

#include <cstdint>

#include "heap/storage/slicer.hpp"
#include "heap/storage/spi_bus.hpp"

namespace brownout::heap {

struct SpiFramConfig {
  std::uint32_t size_bytes = 0;
  std::uint32_t address_bytes = 0;  // 2 or 3
  std::uint32_t power_up_us = 0;    // t_PU, rounded up
  std::uint32_t slice_bytes = 0;    // longest transfer; 0: as long as it takes
  std::uint32_t retries = 0;        // of a transfer that failed, and of an identity that is not the right one
  std::uint32_t identity_bytes = 0;  // of RDID, compared in start(); 0: the part has none
  std::byte identity[9] = {};
};

// A write is a WREN transaction and then a WRITE transaction, as one unit: when the interrupt strikes
// between the two, the caller's repetition starts at WREN again. The driver holds no lock. Its state is
// volatile: boot constructs it anew, and an interrupted call finds it idle and reports `none`.
template <SpiBus Bus, Platform P>
class SpiFram {
 public:
  SpiFram(Bus& bus, P& platform, const SpiFramConfig& config)
      : bus_(bus), platform_(platform), config_(config) {}
  SpiFram(const SpiFram&) = delete;
  SpiFram& operator=(const SpiFram&) = delete;
  ~SpiFram() = default;

  [[nodiscard]] std::uint32_t size_bytes() const { return config_.size_bytes; }
  [[nodiscard]] std::uint32_t retries() const { return config_.retries; }

  // Waits until the part may be accessed; wrong_part if its identity is not the configured one,
  // storage_failed if it does not say. Both only after the retries.
  Status start() {
    platform_.charge(Work::call, 1);
    platform_.wait_since_power_on(config_.power_up_us);
    if (config_.identity_bytes == 0) return {};
    for (Retries retries(*this);;) {
      const Status status = identify();
      if (status.error() == Error::wrong_part) note(platform_, StorageEvent::identity_wrong);
      if (status.ok() || !retries.again(platform_)) return status;
    }
  }

  Status begin_write(std::uint32_t address, OutStream data) {
    abort();
    outgoing_.reset(data, limit());
    address_ = address;
    stage_ = Stage::open_write;
    return {};
  }

  Status begin_read(std::uint32_t address, InStream data) {
    abort();
    incoming_.reset(data, limit());
    address_ = address;
    stage_ = Stage::open_read;
    return {};
  }

  TransferState poll() {
    const Stage stage = stage_;
    if (stage == Stage::idle) return TransferState::none;
    if (stage == Stage::open_write || stage == Stage::open_read) return open(stage);
    const TransferState transaction = bus_.poll();
    if (transaction == TransferState::busy) return transaction;
    // What can be, here: the interrupt waits for the section's end, and a stream may take its time.
    std::uint32_t address = address_;
    bool goes_on = transaction == TransferState::done;
    if (goes_on && stage != Stage::write_enable) {
      address += stage == Stage::read ? incoming_.taken() : outgoing_.taken();
      goes_on = sliced() && (stage == Stage::read ? incoming_.open_slice() : outgoing_.open_slice());
    }
    return goes_on ? launch(stage, after(stage), address) : end(transaction);
  }

  void abort() {
    if (stage_ == Stage::idle) return;
    stage_ = Stage::idle;
    bus_.abort();  // which may have to finish the transaction, stream and all
    drop();
  }

 private:
  enum class Stage : std::uint8_t { idle, open_write, open_read, write_enable, write, read };

  static constexpr std::byte kWriteEnable{0x06};
  static constexpr std::byte kWrite{0x02};
  static constexpr std::byte kRead{0x03};
  static constexpr std::byte kReadIdentity{0x9F};
  static constexpr std::uint32_t kUnsliced = 0xFFFF'FFFFU;

  [[nodiscard]] bool sliced() const { return config_.slice_bytes != 0; }
  [[nodiscard]] std::uint32_t limit() const { return sliced() ? config_.slice_bytes : kUnsliced; }

  Status identify() {
    std::byte seen[sizeof config_.identity] = {};
    SinglePiece<MutableBytes> piece(MutableBytes{seen, config_.identity_bytes});
    const std::byte command[] = {kReadIdentity};
    bus_.begin_receive({command, 1}, piece.stream());
    stage_ = Stage::read;
    incoming_.reset({}, kUnsliced);
    if (const Status status = finish_transfer(*this); !status.ok()) return status;
    for (std::uint32_t i = 0; i < config_.identity_bytes; ++i) {
      if (seen[i] != config_.identity[i]) return Error::wrong_part;
    }
    return {};
  }

  // Charges the call and launches its first transaction. An empty call in sliced mode has none.
  TransferState open(Stage direction) {
    const bool write = direction == Stage::open_write;
    const bool any = write ? outgoing_.open_slice() : incoming_.open_slice();
    const bool empty = !any && sliced();
    platform_.charge(write ? (empty ? Work::storage_write_empty : Work::storage_write_call)
                           : (empty ? Work::storage_read_empty : Work::storage_read_call),
                     1);
    if (!empty) return launch(direction, write ? Stage::write_enable : Stage::read, address_);
    return end(TransferState::done);
  }

  // What a transfer that is over leaves. Nothing of it has to be kept from the interrupt: whatever strikes
  // now, it was over before, and its caller looks at the epoch.
  TransferState end(TransferState state) {
    if (stage_ == Stage::idle) return TransferState::none;  // the interrupt struck before
    if (state == TransferState::failed) note(platform_, StorageEvent::timed_out);
    drop();
    return state;
  }

  static Stage after(Stage stage) {
    switch (stage) {
      case Stage::write_enable: return Stage::write;
      case Stage::write: return Stage::write_enable;
      default: return Stage::read;
    }
  }

  // The next transaction, unless the interrupt has struck and left the driver idle; in the section it cannot.
  TransferState launch(Stage stage, Stage next, std::uint32_t address) {
    std::byte command[kMaxCommandBytes];
    const std::uint32_t size = command_of(next, address, command);
    address_ = address;  // of nobody, if the driver is idle
    CriticalSection<P> section(platform_);
    if (stage_ != stage) return TransferState::none;
    stage_ = next;
    switch (next) {
      case Stage::write_enable: bus_.begin_send({command, size}, OutStream{}); break;
      case Stage::write: bus_.begin_send({command, size}, outgoing_.slice()); break;
      default: bus_.begin_receive({command, size}, incoming_.slice()); break;
    }
    return TransferState::busy;
  }
  // What goes out before the data: opcode and address, most significant byte first. Returns the number of
  // bytes.
  std::uint32_t command_of(Stage stage, std::uint32_t address, std::byte* command) const {
    command[0] = stage == Stage::write_enable ? kWriteEnable : stage == Stage::write ? kWrite : kRead;
    if (stage == Stage::write_enable) return 1;
    for (std::uint32_t i = 0; i < config_.address_bytes; ++i) {
      const std::uint32_t shift = 8U * (config_.address_bytes - 1U - i);
      command[1U + i] = static_cast<std::byte>((address >> shift) & 0xFFU);
    }
    return 1U + config_.address_bytes;
  }

  // Nothing is in flight, and who was interrupted while it pulled a stream finds none.
  void drop() {
    stage_ = Stage::idle;
    outgoing_.drop();
    incoming_.drop();
  }

  Bus& bus_;
  P& platform_;
  SpiFramConfig config_;
  Slicer<ConstBytes> outgoing_;
  Slicer<MutableBytes> incoming_;
  std::uint32_t address_ = 0;
  volatile Stage stage_ = Stage::idle;  // volatile: the persist interrupt changes it
};

}  // namespace brownout::heap
