// refused: (nodiscard|warn_unused)
#include "board.hpp"
void use(TheHeap& heap) {
#ifdef ALLOWED
  static_cast<void>(heap.flush());
#else
  heap.flush();
#endif
}
