// refused: (nodiscard|warn_unused)
#include "board.hpp"
Ref<TheHeap, int> lend();
void use() {
#ifdef ALLOWED
  const auto reference = lend();
#else
  lend();
#endif
}
