// refused: deleted
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  Buffer buffer = heap.make_buffer(4).take();
  static_cast<void>(heap.write(buffer, 0, 1));
#else
  static_cast<void>(heap.write(heap.make_buffer(4).take(), 0, 1));
#endif
}
