// refused: compact slots need allocators with blocks of powers of two
#include "board.hpp"
struct Chosen : DefaultModules {
#ifndef ALLOWED
  using Slot = CompactSlot;
#endif
};
std::uint32_t use(Heap<Board, Store, Chosen>& heap) { return heap.checkpoint_bytes(); }
