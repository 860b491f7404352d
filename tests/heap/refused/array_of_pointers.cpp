// refused: a pointer into RAM does not outlive its object
#include "board.hpp"
#ifdef ALLOWED
using Kept = int;
#else
using Kept = int*;
#endif
void use(TheHeap& heap) { static_cast<void>(heap.make_array<Kept, 4>()); }
