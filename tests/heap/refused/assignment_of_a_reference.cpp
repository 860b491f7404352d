// refused: (deleted|implicitly-deleted)
#include "board.hpp"
void use(TheHeap& heap, Object<int>& object) {
  auto reference = heap.write(object).take();
#ifdef ALLOWED
  *reference = 1;
#else
  reference = heap.write(object).take();
#endif
}
