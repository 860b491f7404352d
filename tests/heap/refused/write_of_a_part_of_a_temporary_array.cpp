// refused: deleted
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  Array<int, 4> array = heap.make_array<int, 4>().take();
  static_cast<void>(heap.write(array, 1, 2));
#else
  static_cast<void>(heap.write(heap.make_array<int, 4>().take(), 1, 2));
#endif
}
