// refused: (cannot bind|no matching)
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  Object<int> object = heap.make(1).take();
  static_cast<void>(heap.free(object));
#else
  static_cast<void>(heap.free(heap.make(1).take()));
#endif
}
