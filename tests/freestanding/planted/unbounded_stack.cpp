// Found by: the stack of .* has no bound
#include "entries.hpp"

volatile unsigned result;

void planted() {
  auto* copy = static_cast<volatile unsigned char*>(__builtin_alloca(result));
  copy[0] = 1;
  result = copy[0];
}
