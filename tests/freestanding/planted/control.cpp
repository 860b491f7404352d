// No error: what the checks let pass.
#include "entries.hpp"

volatile unsigned result;

[[gnu::noinline]] unsigned half(unsigned n) { return n / 2; }

void planted() { result = half(result); }
