// Functions whose accesses to a piece of memory are known.
#pragma once

#include <cstddef>
#include <span>

namespace brownout::sim::firmware {

struct KnownAccesses {
  const char* name;
  void (*run)(unsigned char* memory);  // 256 bytes, aligned to 64
  // "r0:4 w0:4 ...": kind, offset, bytes, in their order. Where a compiler may choose the pieces: "*", and
  // `bytes` says what has to be announced for writing, in any pieces.
  const char* sequence;
  std::size_t first = 0;
  std::size_t bytes = 0;
  bool only_clang = false;  // a known gap: g++ announces it only at -O0
};

std::span<const KnownAccesses> known_accesses();

}  // namespace brownout::sim::firmware
