// Found by: a static object has a constructor
#include "entries.hpp"

volatile unsigned hardware;

struct Counter {
  Counter() : first(hardware) {}
  unsigned first;
};
Counter counter;

void planted() { hardware = counter.first; }
