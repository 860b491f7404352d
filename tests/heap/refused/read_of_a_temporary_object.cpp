// refused: deleted
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  Object<int> object = heap.make(1).take();
  static_cast<void>(heap.read(object));
#else
  static_cast<void>(heap.read(heap.make(1).take()));
#endif
}
