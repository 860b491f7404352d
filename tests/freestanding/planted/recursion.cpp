// Found by: recursion: .*down\(unsigned int\) calls down\(unsigned int\)
#include "entries.hpp"

volatile unsigned result;

// Neither a tail call nor of a known depth, or the compiler would make a loop of it.
[[gnu::noinline]] unsigned down(unsigned n) {
  const unsigned before = result;
  return n == 0 ? before : down(n - 1) * before + down(n / 2);
}

void planted() { result = down(result); }
