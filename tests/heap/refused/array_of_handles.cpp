// refused: elements begin as zeros and are moved as bytes
#include "board.hpp"
#ifdef ALLOWED
using Kept = int;
#else
using Kept = Object<int>;
#endif
void use(TheHeap& heap) { static_cast<void>(heap.make_array<Kept, 4>()); }
