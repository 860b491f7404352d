// refused: (deleted|implicitly-deleted)
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  TheHeap& other = heap;
#else
  TheHeap other = heap;
#endif
  static_cast<void>(other);
}
