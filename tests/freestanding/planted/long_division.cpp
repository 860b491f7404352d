// Found by: it needs __(aeabi_uldivmod|udivdi3)
// No error on: x86_64
#include "entries.hpp"

volatile unsigned long long result;

void planted() { result = result / (result + 1); }
