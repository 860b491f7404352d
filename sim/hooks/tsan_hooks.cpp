// What instrumented code calls: the interface of -fsanitize=thread, with nothing of that sanitizer behind it.
// Each is called right before the access that it names.
#include <cstddef>
#include <cstdint>

#include "sim/hooks/listening.hpp"

namespace brownout::sim {
namespace {

constexpr std::uint32_t kMostBytes = 8;  // of one access

inline void hear(const void* address, std::uint32_t size_bytes, bool writes, const void* code) {
  AccessListener* const listener = access_listener;
  if (listener == nullptr) return;
  access_listener = nullptr;
  listener->access(address, size_bytes, writes, code);
  access_listener = listener;
}

// A copy of a structure, which the compiler announces once.
void hear_all(const void* address, std::size_t size_bytes, bool writes, const void* code) {
  const auto* at = static_cast<const std::byte*>(address);
  for (; size_bytes > kMostBytes; size_bytes -= kMostBytes, at += kMostBytes) {
    hear(at, kMostBytes, writes, code);
  }
  if (size_bytes > 0) hear(at, static_cast<std::uint32_t>(size_bytes), writes, code);
}

}  // namespace
}  // namespace brownout::sim

// NOLINTBEGIN(bugprone-reserved-identifier,bugprone-macro-parentheses,cppcoreguidelines-macro-usage)
// NOLINTBEGIN(cppcoreguidelines-pro-type-const-cast,readability-identifier-naming,readability-non-const-parameter)
extern "C" {

#define BROWNOUT_ACCESS(name, hear, bytes, writes) \
  void name(void* address) { brownout::sim::hear(address, bytes, writes, __builtin_return_address(0)); }

#define BROWNOUT_ACCESSES(kind, writes)              \
  BROWNOUT_ACCESS(__tsan_##kind##1, hear, 1, writes) \
  BROWNOUT_ACCESS(__tsan_##kind##2, hear, 2, writes) \
  BROWNOUT_ACCESS(__tsan_##kind##4, hear, 4, writes) \
  BROWNOUT_ACCESS(__tsan_##kind##8, hear, 8, writes) \
  BROWNOUT_ACCESS(__tsan_##kind##16, hear_all, 16, writes)

BROWNOUT_ACCESSES(read, false)
BROWNOUT_ACCESSES(write, true)
BROWNOUT_ACCESSES(read_write, true)
BROWNOUT_ACCESSES(unaligned_read, false)
BROWNOUT_ACCESSES(unaligned_write, true)
BROWNOUT_ACCESSES(unaligned_read_write, true)
BROWNOUT_ACCESSES(volatile_read, false)
BROWNOUT_ACCESSES(volatile_write, true)
BROWNOUT_ACCESSES(unaligned_volatile_read, false)
BROWNOUT_ACCESSES(unaligned_volatile_write, true)

void __tsan_read_range(void* address, std::size_t bytes) {
  brownout::sim::hear_all(address, bytes, false, __builtin_return_address(0));
}
void __tsan_write_range(void* address, std::size_t bytes) {
  brownout::sim::hear_all(address, bytes, true, __builtin_return_address(0));
}

void __tsan_vptr_read(void** address) {
  brownout::sim::hear(address, sizeof(void*), false, __builtin_return_address(0));
}
void __tsan_vptr_update(void** address, void* /*value*/) {
  brownout::sim::hear(address, sizeof(void*), true, __builtin_return_address(0));
}

void __tsan_init() {}
void __tsan_func_entry(void* /*caller*/) {}
void __tsan_func_exit() {}

// An atomic operation is called, not announced: it is heard of and then done, in the strictest order.
#define BROWNOUT_ATOMIC(bits)                                                                             \
  using Atomic##bits = std::uint##bits##_t;                                                               \
  Atomic##bits __tsan_atomic##bits##_load(const volatile Atomic##bits* address, int /*order*/) {          \
    brownout::sim::hear(const_cast<const Atomic##bits*>(address), bits / 8, false,                        \
                        __builtin_return_address(0));                                                     \
    return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                    \
  }                                                                                                       \
  void __tsan_atomic##bits##_store(volatile Atomic##bits* address, Atomic##bits value, int /*order*/) {   \
    brownout::sim::hear(const_cast<Atomic##bits*>(address), bits / 8, true, __builtin_return_address(0)); \
    __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                   \
  }                                                                                                       \
  BROWNOUT_ATOMIC_CHANGE(bits, exchange, __atomic_exchange_n)                                             \
  BROWNOUT_ATOMIC_CHANGE(bits, fetch_add, __atomic_fetch_add)                                             \
  BROWNOUT_ATOMIC_CHANGE(bits, fetch_sub, __atomic_fetch_sub)                                             \
  BROWNOUT_ATOMIC_CHANGE(bits, fetch_and, __atomic_fetch_and)                                             \
  BROWNOUT_ATOMIC_CHANGE(bits, fetch_or, __atomic_fetch_or)                                               \
  BROWNOUT_ATOMIC_CHANGE(bits, fetch_xor, __atomic_fetch_xor)                                             \
  BROWNOUT_ATOMIC_CHANGE(bits, fetch_nand, __atomic_fetch_nand)                                           \
  BROWNOUT_ATOMIC_COMPARE(bits, strong)                                                                   \
  BROWNOUT_ATOMIC_COMPARE(bits, weak)                                                                     \
  Atomic##bits __tsan_atomic##bits##_compare_exchange_val(volatile Atomic##bits* address,                 \
                                                          Atomic##bits expected, Atomic##bits value,      \
                                                          int /*order*/, int /*failure*/) {               \
    brownout::sim::hear(const_cast<Atomic##bits*>(address), bits / 8, true, __builtin_return_address(0)); \
    __atomic_compare_exchange_n(address, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);    \
    return expected;                                                                                      \
  }

#define BROWNOUT_ATOMIC_CHANGE(bits, what, builtin)                                                       \
  Atomic##bits __tsan_atomic##bits##_##what(volatile Atomic##bits* address, Atomic##bits value,           \
                                            int /*order*/) {                                              \
    brownout::sim::hear(const_cast<Atomic##bits*>(address), bits / 8, true, __builtin_return_address(0)); \
    return builtin(address, value, __ATOMIC_SEQ_CST);                                                     \
  }

#define BROWNOUT_ATOMIC_COMPARE(bits, strength)                                                             \
  int __tsan_atomic##bits##_compare_exchange_##strength(volatile Atomic##bits* address,                     \
                                                        Atomic##bits* expected, Atomic##bits value,         \
                                                        int /*order*/, int /*failure*/) {                   \
    brownout::sim::hear(const_cast<Atomic##bits*>(address), bits / 8, true, __builtin_return_address(0));   \
    return __atomic_compare_exchange_n(address, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) \
               ? 1                                                                                          \
               : 0;                                                                                         \
  }

BROWNOUT_ATOMIC(8)
BROWNOUT_ATOMIC(16)
BROWNOUT_ATOMIC(32)
BROWNOUT_ATOMIC(64)

void __tsan_atomic_thread_fence(int /*order*/) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int /*order*/) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

}  // extern "C"
// NOLINTEND(cppcoreguidelines-pro-type-const-cast,readability-identifier-naming,readability-non-const-parameter)
// NOLINTEND(bugprone-reserved-identifier,bugprone-macro-parentheses,cppcoreguidelines-macro-usage)
