// Found by: calls through a pointer, and there is no function
#include "entries.hpp"

volatile int result;
void (*volatile callback)();

void planted() {
  callback();
  result = 2;
}
