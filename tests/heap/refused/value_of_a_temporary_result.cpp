// refused: deleted
#include "board.hpp"
void use(TheHeap& heap, Object<int>& object) {
#ifdef ALLOWED
  auto result = heap.read(object);
  static_cast<void>(*result.value());
#else
  static_cast<void>(*heap.read(object).value());
#endif
}
