// refused: T is moved as bytes
#include "board.hpp"
struct Owner {
  Object<int> part;
};
#ifdef ALLOWED
template <>
inline constexpr bool brownout::heap::kRelocatable<Owner> = true;
#endif
void use(TheHeap& heap) { static_cast<void>(heap.make(Owner{})); }
