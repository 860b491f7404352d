// refused: deleted
#include "board.hpp"
void use(TheHeap& heap, Object<int>& object) {
#ifdef ALLOWED
  const auto kept = heap.read(object).take();
#else
  auto* kept = new Ref<TheHeap, int>(heap.read(object).take());
#endif
  static_cast<void>(kept);
}
