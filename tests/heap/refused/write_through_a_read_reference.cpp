// refused: (read-only|const value)
#include "board.hpp"
struct Point {
  int x;
};
void use(TheHeap& heap, Object<Point>& object) {
#ifdef ALLOWED
  auto reference = heap.write(object).take();
#else
  auto reference = heap.read(object).take();
#endif
  reference->x = 1;
}
