// Found by: it needs malloc
#include "entries.hpp"

extern "C" void* malloc(__SIZE_TYPE__);

void* volatile result;

void planted() { result = malloc(8); }
