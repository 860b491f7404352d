// refused: (read-only|const value)
#include "board.hpp"
void use(TheHeap& heap, Array<int, 4>& array) {
#ifdef ALLOWED
  auto reference = heap.write(array).take();
#else
  auto reference = heap.read(array).take();
#endif
  reference[0] = 1;
}
