// The heap doing each kind of operation once, for a count of its instructions: see README.md beside it.
//
// What is not the heap's own (the store, the clock of charges, input and output) is in functions called outside_...,
// which the count leaves out.
#include <cstddef>
#include <cstdint>
#include <new>

#include "heap/heap.hpp"
#include "heap/policies/clock.hpp"
#include "heap/ram_allocators/buddy.hpp"
#include "heap/store_allocators/buddy.hpp"

using namespace brownout::heap;

namespace {

constexpr std::uint32_t kWorks = 16;
std::uint32_t charged[kWorks];
std::uint32_t masked;

extern "C" {
[[gnu::noinline]] void outside_charge(std::uint32_t work, std::uint32_t count);
[[gnu::noinline]] void outside_write(const char* text, std::uint32_t size);
[[gnu::noinline]] void outside_exit();
[[gnu::noinline]] bool outside_poll(void* store);
[[gnu::noinline]] void section_first();
[[gnu::noinline]] void section_last();
[[gnu::noinline]] void outside_begin(void* store, std::uint32_t address, const OutStream* out, const InStream* in);
}

class Board {
 public:
  static void charge(Work work, std::uint32_t count) { outside_charge(static_cast<std::uint32_t>(work), count); }
  void enter_critical() {
    if (depth_++ == 0) section_first();
  }
  void exit_critical() {
    if (--depth_ == 0) section_last();
  }
  static std::uint32_t power_epoch() { return 1; }
  static void wait_since_power_on(std::uint32_t) {}

 private:
  std::uint32_t depth_ = 0;
};

class Store {
 public:
  std::byte memory[16384];
  OutStream out;
  InStream in;
  std::uint32_t address;
  bool writes;

  static std::uint32_t size_bytes() { return 16384; }
  static Status start() { return {}; }
  Status begin_write(std::uint32_t at, OutStream stream) {
    outside_begin(this, at, &stream, nullptr);
    return {};
  }
  Status begin_read(std::uint32_t at, InStream stream) {
    outside_begin(this, at, nullptr, &stream);
    return {};
  }
  TransferState poll() {
    outside_poll(this);
    return TransferState::done;
  }
  static void abort() {}
};

extern "C" {
// What masks and unmasks the interrupt: a store to a register. Functions, so that the trace shows where.
void section_first() { *static_cast<volatile std::uint32_t*>(&masked) = 1; }
void section_last() { *static_cast<volatile std::uint32_t*>(&masked) = 0; }

void outside_charge(std::uint32_t work, std::uint32_t count) { charged[work] += count; }

void outside_begin(void* store, std::uint32_t address, const OutStream* out, const InStream* in) {
  auto& self = *static_cast<Store*>(store);
  self.address = address;
  self.writes = out != nullptr;
  if (out != nullptr) self.out = *out;
  if (in != nullptr) self.in = *in;
}

bool outside_poll(void* store) {
  auto& self = *static_cast<Store*>(store);
  if (self.writes) {
    for (ConstBytes piece; self.out.pull(piece); self.address += piece.size) {
      for (std::uint32_t i = 0; i < piece.size; ++i) self.memory[self.address + i] = piece.data[i];
    }
    return true;
  }
  for (MutableBytes piece; self.in.pull(piece); self.address += piece.size) {
    for (std::uint32_t i = 0; i < piece.size; ++i) piece.data[i] = self.memory[self.address + i];
  }
  return true;
}

#if defined(__riscv)
void outside_write(const char* text, std::uint32_t size) {
  register long number asm("a7") = 64;
  register long file asm("a0") = 1;
  register const char* from asm("a1") = text;
  register long bytes asm("a2") = static_cast<long>(size);
  asm volatile("ecall" : "+r"(file) : "r"(number), "r"(from), "r"(bytes) : "memory");
}
void outside_exit() {
  register long number asm("a7") = 93;
  register long code asm("a0") = 0;
  asm volatile("ecall" : : "r"(number), "r"(code));
}
#else
void outside_write(const char* text, std::uint32_t size) {
  register long file asm("r0") = 1;
  register const char* from asm("r1") = text;
  register long bytes asm("r2") = static_cast<long>(size);
  asm volatile("push {r7}\n movs r7, #4\n svc 0\n pop {r7}" : "+r"(file) : "r"(from), "r"(bytes) : "memory");
}
void outside_exit() {
  asm volatile("movs r7, #1\n movs r0, #0\n svc 0");
}
#endif

// The freestanding four are the heap's, as far as it calls them: word by word, as a small library has them.
[[gnu::used]] void* memcpy(void* to, const void* from, std::size_t size) {
  auto* t = static_cast<unsigned char*>(to);
  const auto* f = static_cast<const unsigned char*>(from);
  if (((reinterpret_cast<std::uintptr_t>(t) | reinterpret_cast<std::uintptr_t>(f)) & 3U) == 0) {
    for (; size >= 4; size -= 4, t += 4, f += 4) {
      std::uint32_t word = *reinterpret_cast<const std::uint32_t*>(f);
      asm volatile("" : "+r"(word));
      *reinterpret_cast<std::uint32_t*>(t) = word;
    }
  }
  for (; size > 0; --size) {
    unsigned char byte = *f++;
    asm volatile("" : "+r"(byte));
    *t++ = byte;
  }
  return to;
}
[[gnu::used]] void* memset(void* to, int value, std::size_t size) {
  auto* t = static_cast<unsigned char*>(to);
  const std::uint32_t word = 0x0101'0101U * static_cast<unsigned char>(value);
  if ((reinterpret_cast<std::uintptr_t>(t) & 3U) == 0) {
    for (; size >= 4; size -= 4, t += 4) {
      *reinterpret_cast<std::uint32_t*>(t) = word;
      asm volatile("" : : : "memory");
    }
  }
  for (; size > 0; --size) {
    *t++ = static_cast<unsigned char>(value);
    asm volatile("" : : : "memory");
  }
  return to;
}
}

struct Modules : DefaultModules {
  using Policy = Clock;
};
struct ByTable : Modules {
  template <class P>
  using Checksum = TableChecksum<P>;
};
struct Buddies : Modules {
  template <class P>
  using RamAllocator = BuddyRam<P>;
  template <class P, class Gateway>
  using StoreAllocator = BuddyStore<P, Gateway>;
};

alignas(8) std::byte ram[8192];
std::byte os_part[64];
Board board;
Store store;

void outside_number(std::uint32_t value, char end) {
  char text[12];
  std::uint32_t at = sizeof text;
  text[--at] = end;
  do {
    text[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  outside_write(text + at, sizeof text - at);
}

// The trace has the addresses of both: what is between them is counted under that name.
extern "C" {
[[gnu::noinline]] void outside_first(const char* name) {
  for (std::uint32_t& count : charged) count = 0;
  std::uint32_t size = 0;
  while (name[size] != 0) ++size;
  outside_write(name, size);
  outside_write(" ", 1);
}
[[gnu::noinline]] void outside_last() {
  for (std::uint32_t i = 0; i < kWorks; ++i) outside_number(charged[i], i + 1 == kWorks ? '\n' : ' ');
}
}

template <class Operation>
void count(const char* name, Operation operation) {
  outside_first(name);
  operation();
  outside_last();
}

template <std::uint32_t kSize>
struct Record {
  std::byte bytes[kSize];
};

template <class M, std::uint32_t kObjects, std::uint32_t kSize>
void life(const char* const (&names)[9]) {
  constexpr HeapConfig kHeap{.ram_bytes = 8192, .dirty_limit_bytes = 6144, .os_bytes = sizeof os_part};
  using TheHeap = Heap<Board, Store, M>;
  alignas(TheHeap) static std::byte room[sizeof(TheHeap)];
  auto* heap = new (room) TheHeap(ram, kHeap, store, board);
  if (!heap->format().ok()) outside_exit();
  Object<Record<kSize>> objects[kObjects];
  const Record<kSize> value{};
  count(names[0], [&] {
    for (auto& object : objects) object = heap->make(value).take();
  });
  count(names[1], [&] {
    for (auto& object : objects) static_cast<void>(heap->read(object));
  });
  count(names[2], [&] { static_cast<void>(heap->persist({os_part, sizeof os_part})); });
  heap = new (room) TheHeap(ram, kHeap, store, board);
  count(names[3], [&] { static_cast<void>(heap->restore({os_part, sizeof os_part})); });
  count(names[4], [&] { static_cast<void>(heap->flush()); });
  count(names[5], [&] { static_cast<void>(heap->persist({os_part, sizeof os_part})); });
  count(names[6], [&] {
    for (auto& object : objects) static_cast<void>(heap->write(object));
  });
  count(names[7], [&] { static_cast<void>(heap->persist({os_part, sizeof os_part})); });
  count(names[8], [&] {
    for (auto& object : objects) static_cast<void>(heap->free(object));
  });
}

#define NAMES(n) \
  {"make/" n, "read/" n, "persist/" n, "restore/" n, "flush/" n, "persist-clean/" n, "write/" n, "persist-again/" n, \
   "free/" n}

}  // namespace

extern "C" [[gnu::used]] void entry() {
  // What an object's memory takes when it is made: set, then copied into.
  count("fill/1024", [] {
    memset(ram, 0, 1024);
    memcpy(ram, ram + 2048, 1024);
  });
  life<Modules, 4, 32>(NAMES("4x32"));
  life<Modules, 16, 32>(NAMES("16x32"));
  life<Modules, 48, 32>(NAMES("48x32"));
  life<Modules, 4, 512>(NAMES("4x512"));
  life<Modules, 8, 512>(NAMES("8x512"));
  life<ByTable, 4, 512>(NAMES("4x512-table"));
  life<ByTable, 16, 32>(NAMES("16x32-table"));
  life<Buddies, 16, 32>(NAMES("16x32-buddy"));
  life<Buddies, 4, 512>(NAMES("4x512-buddy"));
  outside_exit();
}

#if defined(__riscv)
asm(".globl _start\n_start:\n .option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n call entry\n");
#else
asm(".syntax unified\n.thumb\n.globl _start\n.thumb_func\n_start:\n bl entry\n");
#endif
