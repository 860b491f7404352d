// refused: (deleted|implicitly-deleted)
#include "board.hpp"
void use(TheHeap& heap, Object<int>& object) {
  auto reference = heap.read(object).take();
#ifdef ALLOWED
  auto other = static_cast<decltype(reference)&&>(reference);
#else
  auto other = reference;
#endif
  static_cast<void>(other);
}
