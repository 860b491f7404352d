// Found by: constructed when it is first used
#include "entries.hpp"

volatile unsigned hardware;

void planted() {
  static unsigned first = hardware;
  hardware = first;
}
