// refused: a relocatable T needs a default constructor
#include "board.hpp"
struct Owner {
#ifdef ALLOWED
  Owner() noexcept = default;
#endif
  explicit Owner(int n) noexcept : count(n) {}
  Object<int> part;
  int count = 0;
};
template <>
inline constexpr bool brownout::heap::kRelocatable<Owner> = true;
void use(TheHeap& heap) { static_cast<void>(heap.make(Owner(1))); }
