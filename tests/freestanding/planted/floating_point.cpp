// Found by: it needs __(aeabi_[fd]mul|mul[sd]f3)
// No error on: x86_64
#include "entries.hpp"

volatile float result;

void planted() { result = result * result; }
