// A platform and a store for tests of the heap: RAM-backed, byte by byte, with outages and errors at will.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <vector>

#include "heap/heap.hpp"

namespace brownout::heap::testing {

// Random numbers for tests, the same on every run: mt19937 in 32 bits.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }
  // For std::shuffle.
  using result_type = std::uint32_t;
  static constexpr std::uint32_t min() { return 0; }
  static constexpr std::uint32_t max() { return 0xFFFF'FFFFU; }

 private:
  std::mt19937 engine_;
};

// Counts every place where the persist interrupt could strike, and calls `interrupt` at the chosen one.
class TestPlatform {
 public:
  std::function<void()> interrupt;
  std::uint64_t strike_at = ~std::uint64_t{0};
  std::uint64_t places = 0;
  std::uint64_t critical_places = 0;
  std::uint32_t epoch = 1;
  std::uint64_t charged = 0;

  void charge(Work, std::uint32_t n) {
    charged += n;
    place();
  }
  void enter_critical() { ++depth_; }
  void exit_critical() {
    if (--depth_ == 0 && pending_) {
      pending_ = false;
      strike();
    }
  }
  std::uint32_t power_epoch() const { return epoch; }
  void wait_since_power_on(std::uint32_t) {}

  // A point at which the interrupt may strike; inside a critical section it waits for its end.
  void place() {
    if (in_interrupt_) return;
    const bool now = places++ == strike_at;
    if (depth_ > 0) ++critical_places;
    if (!now) return;
    if (depth_ > 0) {
      pending_ = true;
    } else {
      strike();
    }
  }

 private:
  void strike() {
    in_interrupt_ = true;
    ++epoch;
    interrupt();
    in_interrupt_ = false;
  }
  int depth_ = 0;
  bool pending_ = false;
  bool in_interrupt_ = false;
};

// The supply is gone, if the store throws for it.
struct PowerLost {};

// A store of which every byte of a transfer is a place of its own, that can fail any call, and can lose
// its power after any byte written.
class TestStore {
 public:
  TestStore(TestPlatform& platform, std::uint32_t size) : memory(size), platform_(platform) {}

  std::vector<std::byte> memory;
  std::uint64_t fail_at = ~std::uint64_t{0};  // number of the poll that reports an error
  std::uint64_t polls = 0;
  std::uint64_t cut_after = ~std::uint64_t{0};  // bytes written before the power is gone
  bool throws_when_cut = false;                 // PowerLost; or go on in vain
  std::uint64_t written = 0;
  std::uint64_t writes = 0;
  std::uint64_t reads = 0;

  std::uint32_t size_bytes() const { return static_cast<std::uint32_t>(memory.size()); }
  static Status start() { return {}; }
  Status begin_write(std::uint32_t address, OutStream stream) {
    out_ = stream;
    address_ = address;
    left_ = 0;
    ahead_.reset();
    state_ = State::writing;
    ++writes;
    return {};
  }
  Status begin_read(std::uint32_t address, InStream stream) {
    in_ = stream;
    address_ = address;
    left_ = 0;
    state_ = State::reading;
    ++reads;
    return {};
  }
  TransferState poll() {
    if (state_ == State::idle) return TransferState::none;
    if (polls++ == fail_at) {
      state_ = State::idle;
      return TransferState::failed;
    }
    platform_.place();
    if (state_ == State::idle) return TransferState::none;
    const bool more = state_ == State::writing ? write_byte() : read_byte();
    if (more) return TransferState::busy;
    state_ = State::idle;
    return TransferState::done;
  }
  void abort() { state_ = State::idle; }

 private:
  enum class State : std::uint8_t { idle, writing, reading };

  // Like a controller with DMA: the piece that follows is asked for as a piece is handed over.
  bool write_byte() {
    while (left_ == 0) {
      if (!ahead_) look_ahead();
      if (!ahead_->any) return false;
      from_ = ahead_->piece.data;
      left_ = ahead_->piece.size;
      look_ahead();
    }
    if (written < cut_after) {
      memory.at(address_) = *from_;
      ++written;
    } else if (throws_when_cut) {
      throw PowerLost();
    }
    ++address_;
    ++from_;
    --left_;
    return true;
  }
  void look_ahead() {
    ConstBytes piece;
    const bool any = out_.pull(piece);
    ahead_ = Ahead{any, piece};
  }
  bool read_byte() {
    while (left_ == 0) {
      MutableBytes piece;
      if (!in_.pull(piece)) return false;
      to_ = piece.data;
      left_ = piece.size;
    }
    *to_++ = memory.at(address_++);
    --left_;
    return true;
  }

  TestPlatform& platform_;
  OutStream out_;
  InStream in_;
  const std::byte* from_ = nullptr;
  std::byte* to_ = nullptr;
  std::uint32_t address_ = 0;
  std::uint32_t left_ = 0;
  struct Ahead {
    bool any = false;
    ConstBytes piece;
  };
  std::optional<Ahead> ahead_;
  State state_ = State::idle;
};

// A board with one heap, whose power can fail and come back.
template <class Modules = DefaultModules>
class TestBoardOf {
 public:
  using Heap = brownout::heap::Heap<TestPlatform, TestStore, Modules>;
  using Slot = typename Heap::Slot;

  explicit TestBoardOf(const HeapConfig& wanted, std::uint32_t store_size = 8192)
      : config(wanted), store(platform, store_size), words_(wanted.ram_bytes / 8), os(wanted.os_bytes) {
    boot();
    platform.interrupt = [this] { outage(); };
  }

  HeapConfig config;
  TestPlatform platform;
  TestStore store;

  std::byte* ram() { return reinterpret_cast<std::byte*>(words_.data()); }
  std::vector<std::byte> ram_copy() { return {ram(), ram() + config.ram_bytes}; }
  Heap& heap() { return *std::launder(reinterpret_cast<Heap*>(memory_)); }
  SlotArena<Slot> arena() { return {ram(), heap().geometry()}; }

  // Constructs the heap anew, as boot code does.
  void boot() { new (memory_) Heap(ram(), config, store, platform); }

  void poison() {
    ++pattern_;
    std::memset(ram(), static_cast<int>(0xA0U ^ pattern_), config.ram_bytes);
    std::memset(memory_, static_cast<int>(0x50U ^ pattern_), sizeof memory_);
    for (std::byte& b : os) b = static_cast<std::byte>(pattern_);
  }

  Status persist() { return heap().persist({os.data(), config.os_bytes}); }
  Status restore() {
    boot();
    return heap().restore({os.data(), config.os_bytes});
  }
  // Persist, loss of everything volatile, boot, restore.
  void outage() {
    ++outages;
    persist_status = persist();
    poison();
    store.abort();
    restore_status = restore();
  }

  int outages = 0;
  Status persist_status;
  Status restore_status;

 private:
  std::vector<std::uint64_t> words_;
  alignas(Heap) std::byte memory_[sizeof(Heap)];
  unsigned pattern_ = 0;

 public:
  std::vector<std::byte> os;
};

using TestBoard = TestBoardOf<>;
using TestHeap = TestBoard::Heap;

// Bytes 0, 7, 14, ... offset by `seed`.
inline std::vector<std::byte> pattern(std::uint32_t size, std::uint32_t seed) {
  std::vector<std::byte> bytes(size);
  for (std::uint32_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 7 + seed) & 0xFFU);
  return bytes;
}

template <class H>
void put(H& heap, const Buffer& buffer, const std::vector<std::byte>& bytes) {
  auto ref = heap.write(buffer);
  if (!ref.ok()) throw std::runtime_error("write failed");
  std::copy(bytes.begin(), bytes.end(), ref.value().data());
}

template <class H>
std::vector<std::byte> get(H& heap, const Buffer& buffer) {
  auto ref = heap.read(buffer);
  if (!ref.ok()) throw std::runtime_error("read failed");
  return {ref.value().data(), ref.value().data() + buffer.size_bytes()};
}

}  // namespace brownout::heap::testing
