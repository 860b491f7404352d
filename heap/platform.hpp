// What the heap needs of the machine it runs on.
#pragma once

#include <concepts>
#include <cstdint>

namespace brownout::heap {

// Units of CPU work that firmware reports, so that a host can account time without counting what its
// own compiler made of the code. On a microcontroller charge() is empty and vanishes.
enum class Work : std::uint8_t {
  call,                    // entry and exit of an operation of the heap, a driver or an allocator
  step,                    // one step of a walk: a list node, a slot, a table entry
  copied_byte,             // a byte copied or set by the CPU
  checksum_byte,           // a byte of CRC-32C, from a table of 16 entries
  checksum_byte_by_table,  // the same from a table of 256
  section,                 // entering and leaving a critical section
  compute_cycle,           // a cycle of the application's own work
  storage_write_call,      // a write call of the storage driver, apart from its transactions
  storage_read_call,
  storage_write_empty,  // a call with no bytes that makes no transaction
  storage_read_empty,
};

// charge(kind, count)          reports work.
// enter_critical(), exit_...   mask and unmask the persist interrupt; they nest. A section is short,
//                              touches RAM structures only, and never waits for a transfer.
// power_epoch()                changes whenever the persist interrupt has run; never cached. Its value
//                              outlives an outage with the stack (part of the OS's data, or counted up by
//                              boot): an interrupted transfer that finds it unchanged is not repeated.
// wait_since_power_on(us)      returns once at least that long has passed since power-on.
template <class P>
concept Platform = requires(P& platform, Work work, std::uint32_t n) {
  platform.charge(work, n);
  platform.enter_critical();
  platform.exit_critical();
  { platform.power_epoch() } -> std::same_as<std::uint32_t>;
  platform.wait_since_power_on(n);
};

// Keeps the compiler from moving accesses to memory across it: what the persist interrupt looks at, such as a
// dirty flag, is then in memory before what it stands for. Costs no instruction.
inline void compiler_fence() { __asm__ __volatile__("" ::: "memory"); }

// A critical section for the life of the guard.
template <Platform P>
class CriticalSection {
 public:
  explicit CriticalSection(P& platform) : platform_(platform) {
    platform_.enter_critical();
    platform_.charge(Work::section, 1);
  }
  CriticalSection(const CriticalSection&) = delete;
  CriticalSection& operator=(const CriticalSection&) = delete;
  ~CriticalSection() { platform_.exit_critical(); }

 private:
  P& platform_;
};

}  // namespace brownout::heap
