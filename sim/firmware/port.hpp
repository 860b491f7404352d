// What the simulated program sees of its board. Firmware includes heap/ and this folder, nothing else of
// sim; the machine implements it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heap/platform.hpp"
#include "heap/storage/storage.hpp"
#include "sim/firmware/memory_options.hpp"

namespace brownout::sim::firmware {

// What the workload asks of its memory; what follows a call, up to the next one, counts to it.
enum class MemoryCall : std::uint8_t { start, make, write, give_back, read, free, flush, root, keep };
inline constexpr std::uint32_t kMemoryCalls = 9;

// The board's pins and registers, as virtual functions that the machine implements.
class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // Platform
  virtual void charge(heap::Work work, std::uint32_t count) = 0;
  virtual void enter_critical() = 0;
  virtual void exit_critical() = 0;
  virtual std::uint32_t power_epoch() = 0;
  virtual void wait_since_power_on(std::uint32_t us) = 0;

  // The heap exists: from now on the persist interrupt may strike outside critical sections.
  virtual void unmask_persist() = 0;

  // SpiBus
  virtual void begin_send(heap::ConstBytes command, heap::OutStream data) = 0;
  virtual void begin_receive(heap::ConstBytes command, heap::InStream data) = 0;
  virtual heap::TransferState poll_bus() = 0;
  virtual void abort_bus() = 0;

  // MappedWindow
  virtual void store(std::uint32_t address, heap::ConstBytes bytes) = 0;
  virtual void load(std::uint32_t address, heap::MutableBytes bytes) = 0;
  // A transfer of the driver of mapped FRAM is over: done, or gone.
  virtual void copy_over(bool done) = 0;

  // What the driver noticed of the bus; nothing that the program acts on.
  virtual void storage_event(heap::StorageEvent /*event*/) {}

  // Nothing to do for the CPU, for so long: it sleeps, or busy-waits. Meanwhile a peripheral (a radio, a
  // sensor) draws `load_ua` from the rail; the persist interrupt switches it off, and what is left of the
  // phase goes on with it afterwards.
  virtual void phase(std::uint64_t duration_us, std::uint64_t load_ua, bool sleeping) = 0;

  // The test bench: costs no time, is no part of the program that would be flashed. It keeps a copy of
  // every object outside the simulated RAM and compares what the program reads with it.
  virtual void calls(MemoryCall) {}
  virtual void object_made(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number) = 0;
  virtual void object_changed(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes) = 0;
  virtual void object_read(std::uint32_t home, heap::ConstBytes bytes) = 0;
  virtual void object_freed(std::uint32_t home) = 0;
  // A start that attaches: the heap names an object in doubt; it is attached; the program keeps an object,
  // which it has not written yet; it has let the heap free the rest.
  virtual void object_in_doubt(std::uint32_t home) = 0;
  virtual void attached(bool from_image) = 0;
  virtual void object_kept(std::uint32_t home, std::uint32_t size_bytes) = 0;
  virtual void objects_reclaimed(std::uint32_t count) = 0;
  // One operation of the workload is complete. Does not return once the run has what it wanted.
  virtual void operation_done() = 0;
  // The workload cannot go on.
  virtual void give_up(heap::Error error, const char* doing) = 0;
  bool failed(heap::Error error, const char* doing) {
    give_up(error, doing);
    return false;
  }

 protected:
  ~Port() = default;
};

// Port as the concepts want it. On a board there is nothing in their place (reported work, the test bench) or
// an instruction (a mask, a register): that they look for the port is no access of the program, and no hook
// hears it.
// (g++ would move the look into the caller, hence noipa.)
#if defined(__SANITIZE_THREAD__)
#define BROWNOUT_SHIM __attribute__((no_sanitize("thread"), noipa))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BROWNOUT_SHIM __attribute__((no_sanitize("thread"), noinline))
#endif
#endif
#ifndef BROWNOUT_SHIM
#define BROWNOUT_SHIM
#endif

class PlatformShim {
 public:
  explicit PlatformShim(Port& port, ChecksumKind checksum = ChecksumKind::nibble)
      : port_(port), checksum_(checksum) {}
  BROWNOUT_SHIM void charge(heap::Work work, std::uint32_t count) { port_.charge(work, count); }
  BROWNOUT_SHIM void enter_critical() { port_.enter_critical(); }
  BROWNOUT_SHIM void exit_critical() { port_.exit_critical(); }
  BROWNOUT_SHIM std::uint32_t power_epoch() { return port_.power_epoch(); }
  BROWNOUT_SHIM void wait_since_power_on(std::uint32_t us) { port_.wait_since_power_on(us); }
  BROWNOUT_SHIM void note(heap::StorageEvent event) { port_.storage_event(event); }
  [[nodiscard]] ChecksumKind checksum_kind() const { return checksum_; }

 private:
  Port& port_;
  ChecksumKind checksum_;
};

class BusShim {
 public:
  explicit BusShim(Port& port) : port_(port) {}
  BROWNOUT_SHIM void begin_send(heap::ConstBytes command, heap::OutStream data) {
    port_.begin_send(command, data);
  }
  BROWNOUT_SHIM void begin_receive(heap::ConstBytes command, heap::InStream data) {
    port_.begin_receive(command, data);
  }
  BROWNOUT_SHIM heap::TransferState poll() { return port_.poll_bus(); }
  BROWNOUT_SHIM void abort() { port_.abort_bus(); }

 private:
  Port& port_;
};

class WindowShim {
 public:
  explicit WindowShim(Port& port) : port_(port) {}
  void store(std::uint32_t address, heap::ConstBytes bytes) { port_.store(address, bytes); }
  void load(std::uint32_t address, heap::MutableBytes bytes) { port_.load(address, bytes); }

 private:
  Port& port_;
};

}  // namespace brownout::sim::firmware
