// The C library's functions for memory, as part of the firmware: the library's own are not instrumented, and
// would move a whole buffer between two accesses. Words where both ends are aligned to them, else bytes, as
// on a 32-bit microcontroller. Their names stay inside the firmware's object.
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

using Byte = unsigned char;
using Word [[gnu::may_alias]] = std::uint32_t;

bool aligned(const void* a, const void* b) {
  return ((reinterpret_cast<std::uintptr_t>(a) | reinterpret_cast<std::uintptr_t>(b)) & (sizeof(Word) - 1)) ==
         0;
}

void copy_up(void* to, const void* from, std::size_t size) {
  std::size_t at = 0;
  if (aligned(to, from)) {
    for (; at + sizeof(Word) <= size; at += sizeof(Word)) {
      *reinterpret_cast<Word*>(static_cast<Byte*>(to) + at) =
          *reinterpret_cast<const Word*>(static_cast<const Byte*>(from) + at);
    }
  }
  for (; at < size; ++at) static_cast<Byte*>(to)[at] = static_cast<const Byte*>(from)[at];
}

void copy_down(void* to, const void* from, std::size_t size) {
  while (size > 0) {
    --size;
    static_cast<Byte*>(to)[size] = static_cast<const Byte*>(from)[size];
  }
}

void move(void* to, const void* from, std::size_t size) {
  if (reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from) < size) {
    return copy_down(to, from, size);
  }
  copy_up(to, from, size);
}

void set(void* to, int value, std::size_t size) {
  const auto byte = static_cast<Byte>(value);
  std::size_t at = 0;
  if (aligned(to, to)) {
    const Word word = byte * Word{0x0101'0101};
    for (; at + sizeof word <= size; at += sizeof word) {
      *reinterpret_cast<Word*>(static_cast<Byte*>(to) + at) = word;
    }
  }
  for (; at < size; ++at) static_cast<Byte*>(to)[at] = byte;
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
  copy_up(to, from, size);
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  move(to, from, size);
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  set(to, value, size);
  return to;
}

int memcmp(const void* a, const void* b, std::size_t size) {
  for (std::size_t at = 0; at < size; ++at) {
    const int difference = int{static_cast<const Byte*>(a)[at]} - int{static_cast<const Byte*>(b)[at]};
    if (difference != 0) return difference;
  }
  return 0;
}

// What later versions of clang call in their place.
void* __tsan_memcpy(void* to, const void* from, std::size_t size) { return memcpy(to, from, size); }
void* __tsan_memmove(void* to, const void* from, std::size_t size) { return memmove(to, from, size); }
void* __tsan_memset(void* to, int value, std::size_t size) { return memset(to, value, size); }

}  // extern "C"
