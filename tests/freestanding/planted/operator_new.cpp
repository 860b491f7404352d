// Found by: it needs operator new
#include "entries.hpp"

int* volatile result;

void planted() { result = new int(1); }
