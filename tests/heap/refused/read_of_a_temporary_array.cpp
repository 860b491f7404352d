// refused: deleted
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  Array<int, 4> array = heap.make_array<int, 4>().take();
  static_cast<void>(heap.read(array));
#else
  static_cast<void>(heap.read(heap.make_array<int, 4>().take()));
#endif
}
