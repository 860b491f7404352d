// refused: (nodiscard|warn_unused)
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  static_cast<void>(heap.make(1));
#else
  heap.make(1);
#endif
}
