// Found by: the persist path takes [0-9]+ B of stack, more than its limit
#include "entries.hpp"

volatile int result;

void planted() {
  volatile unsigned char copy[4096];
  for (unsigned i = 0; i < sizeof copy; ++i) copy[i] = static_cast<unsigned char>(i);
  result = copy[result];
}
