// refused: (static assertion failed|static_assert failed|constraints not satisfied)
#include "board.hpp"
struct Half : InOrder {
#ifndef ALLOWED
  template <class A, Platform P>
  static void next_to_unload(const A&, P&) {}
#endif
};
struct Chosen : DefaultModules {
  using Policy = Half;
};
std::uint32_t use(Heap<Board, Store, Chosen>& heap) { return heap.checkpoint_bytes(); }
