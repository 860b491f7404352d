// refused: an array of more than 2 GiB
#include "board.hpp"
#ifdef ALLOWED
constexpr std::uint32_t kElements = 1;
#else
constexpr std::uint32_t kElements = 0x2000'0001;  // times 8: 8 in 32 bits
#endif
void use(TheHeap& heap) { static_cast<void>(heap.make_array<std::uint64_t, kElements>()); }
