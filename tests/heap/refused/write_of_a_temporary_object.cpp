// refused: deleted
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  Object<int> object = heap.make(1).take();
  static_cast<void>(heap.write(object));
#else
  static_cast<void>(heap.write(heap.make(1).take()));
#endif
}
