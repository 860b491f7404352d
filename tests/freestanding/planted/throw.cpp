// Found by: does not compile
#include "entries.hpp"

void planted() { throw 1; }
