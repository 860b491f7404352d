// Read before every source of the instrumented firmware (-include): what would be expanded in place, where no
// hook sees it, becomes a call of memory_functions.cpp.
#pragma once

#include <cstring>

// NOLINTBEGIN(bugprone-reserved-identifier)
#define __builtin_memcpy ::memcpy
#define __builtin_memmove ::memmove
#define __builtin_memset ::memset
#define __builtin_memcmp ::memcmp
// NOLINTEND(bugprone-reserved-identifier)
