// Found by: recursion: .*(even|odd)\(unsigned int\) calls (even|odd)\(unsigned int\) calls
#include "entries.hpp"

volatile unsigned result;

unsigned odd(unsigned n);
[[gnu::noinline]] unsigned even(unsigned n) { return n == 0 ? result : odd(n - 1) + result; }
[[gnu::noinline]] unsigned odd(unsigned n) { return n == 0 ? result : even(n - 1) * result; }

void planted() { result = even(result); }
