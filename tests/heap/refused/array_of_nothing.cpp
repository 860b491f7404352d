// refused: an array of nothing
#include "board.hpp"
#ifdef ALLOWED
constexpr std::uint32_t kElements = 1;
#else
constexpr std::uint32_t kElements = 0;
#endif
void use(TheHeap& heap) { static_cast<void>(heap.make_array<int, kElements>()); }
