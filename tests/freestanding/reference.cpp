// The reference firmware: what a small board does with the heap, and nothing else. Its code size and stack
// are those that heap/README.md states. Of all files in this folder only this one names the heap's API.
//
// Three entry points, the only symbols that are visible outside, so that an object file of it has exactly
// what a linker would keep: boot_restore, persist_interrupt, use. There is no main(), and it never runs.
#include <cstddef>
#include <cstdint>
#include <new>

#include "heap/heap.hpp"
#include "heap/storage/spi_fram.hpp"

using namespace brownout::heap;

namespace {

// An SPI controller, a timer and the interrupt mask. They lie in RAM, which saves a linker script;
// because they are volatile the code is that for registers.
struct Registers {
  static constexpr std::uint32_t kBusy = 1;
  volatile std::uint32_t chip_select;
  volatile std::uint32_t status;
  volatile std::uint32_t data;
  volatile std::uint32_t persist_interrupt_masked;
  volatile std::uint32_t microseconds_since_power_on;
};
Registers registers;

// What has to be there again after an outage: the epoch, and room for what a board adds to it.
struct OsPart {
  volatile std::uint32_t epoch;
  std::byte stack_and_registers[252];
};
alignas(8) OsPart os_part;

// Platform and SpiBus in one. A transfer moves one byte a poll.
class Board {
 public:
  void charge(Work, std::uint32_t) {}
  void enter_critical() {
    registers.persist_interrupt_masked = 1;
    ++critical_depth_;
  }
  void exit_critical() {
    if (--critical_depth_ == 0) registers.persist_interrupt_masked = 0;
  }
  static std::uint32_t power_epoch() { return os_part.epoch; }
  static void wait_since_power_on(std::uint32_t us) {
    while (registers.microseconds_since_power_on < us) {
    }
  }

  void begin_send(ConstBytes command, OutStream data) {
    outgoing_ = data;
    outgoing_rest_ = {};
    begin(command, Direction::send);
  }
  void begin_receive(ConstBytes command, InStream data) {
    incoming_ = data;
    incoming_rest_ = {};
    begin(command, Direction::receive);
  }
  TransferState poll() {
    if (direction_ == Direction::none) return TransferState::none;
    if ((registers.status & Registers::kBusy) != 0) return TransferState::busy;
    if (command_at_ < command_size_) {
      registers.data = static_cast<std::uint32_t>(command_[command_at_++]);
      return TransferState::busy;
    }
    const bool moved = direction_ == Direction::send ? send_byte() : receive_byte();
    if (moved) return TransferState::busy;
    abort();
    return TransferState::done;
  }
  void abort() {
    registers.chip_select = 0;
    direction_ = Direction::none;
  }

 private:
  enum class Direction : std::uint8_t { none, send, receive };

  void begin(ConstBytes command, Direction direction) {
    copy_bytes(command_, command.data, command.size);
    command_size_ = command.size;
    command_at_ = 0;
    direction_ = direction;
    registers.chip_select = 1;
  }
  bool send_byte() {
    if (outgoing_rest_.size == 0 && !outgoing_.pull(outgoing_rest_)) return false;
    registers.data = static_cast<std::uint32_t>(*outgoing_rest_.data++);
    --outgoing_rest_.size;
    return true;
  }
  bool receive_byte() {
    if (incoming_rest_.size == 0 && !incoming_.pull(incoming_rest_)) return false;
    *incoming_rest_.data++ = static_cast<std::byte>(registers.data);
    --incoming_rest_.size;
    return true;
  }

  std::uint32_t critical_depth_ = 0;
  std::byte command_[kMaxCommandBytes] = {};
  std::uint32_t command_size_ = 0;
  std::uint32_t command_at_ = 0;
  volatile Direction direction_ = Direction::none;  // volatile: the persist interrupt changes it
  OutStream outgoing_;
  InStream incoming_;
  ConstBytes outgoing_rest_;
  MutableBytes incoming_rest_;
};

alignas(8) std::byte ram[2048];

constexpr SpiFramConfig kMb85rs64v{.size_bytes = 8192, .address_bytes = 2, .power_up_us = 600};
constexpr HeapConfig kHeap{.ram_bytes = sizeof ram, .dirty_limit_bytes = 1024, .os_bytes = sizeof(OsPart)};

struct Firmware {
  Board board;
  SpiFram<Board, Board> fram{board, board, kMb85rs64v};
  Heap<Board, SpiFram<Board, Board>> heap{ram, kHeap, fram, board};
};

// Room for the firmware, which boot constructs: no static constructor may run before it.
alignas(Firmware) std::byte firmware_room[sizeof(Firmware)];

Firmware& firmware() { return *std::launder(reinterpret_cast<Firmware*>(firmware_room)); }

std::byte* os_bytes() { return reinterpret_cast<std::byte*>(&os_part); }

Status boot() {
  auto& [board, fram, heap] = *new (firmware_room) Firmware;
  if (const Status status = heap.configuration(); !status.ok()) return status;
  if (const Status status = fram.start(); !status.ok()) return status;
  const Status status = heap.restore({os_bytes(), sizeof os_part});
  return status.error() == Error::empty ? heap.format() : status;
}

struct Record {
  std::uint32_t count = 0;
  std::uint32_t values[7] = {};
};

Status use_heap() {
  auto& heap = firmware().heap;
  Result<Object<Record>> made = heap.make(Record{});
  if (!made.ok()) return made.error();
  Object<Record> record = made.take();
  {
    auto writing = heap.write(record);
    if (!writing.ok()) return writing.error();
    ++writing.value()->count;
  }
  {
    auto reading = heap.read(record);
    if (!reading.ok()) return reading.error();
    registers.data = reading.value()->count;
  }
  if (const Status status = heap.flush(); !status.ok()) return status;
  return heap.free(record);
}

}  // namespace

extern "C" {

// All three return an Error as a number.
std::uint8_t boot_restore();
std::uint8_t persist_interrupt();
std::uint8_t use();

std::uint8_t boot_restore() { return static_cast<std::uint8_t>(boot().error()); }

std::uint8_t persist_interrupt() {
  os_part.epoch = os_part.epoch + 1;
  return static_cast<std::uint8_t>(firmware().heap.persist({os_bytes(), sizeof os_part}).error());
}

std::uint8_t use() { return static_cast<std::uint8_t>(use_heap().error()); }
}
