// refused: deleted
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  Buffer buffer = heap.make_buffer(4).take();
  static_cast<void>(heap.read(buffer));
#else
  static_cast<void>(heap.read(heap.make_buffer(4).take()));
#endif
}
