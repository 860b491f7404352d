// refused: objects are aligned to 8 bytes
#include "board.hpp"
#ifdef ALLOWED
struct alignas(8) Wide {
#else
struct alignas(16) Wide {
#endif
  int x;
};
void use(TheHeap& heap) { static_cast<void>(heap.make(Wide{1})); }
