// refused: (deleted|implicitly-deleted)
#include "board.hpp"
void use(TheHeap& heap, Array<int, 4>& array) {
  auto reference = heap.write(array, 1, 2).take();
#ifdef ALLOWED
  auto other = static_cast<decltype(reference)&&>(reference);
#else
  auto other = reference;
#endif
  static_cast<void>(other);
}
