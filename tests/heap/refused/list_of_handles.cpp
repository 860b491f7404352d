// refused: elements are moved as bytes
#include "board.hpp"
#ifdef ALLOWED
using Kept = int;
#else
using Kept = Object<int>;
#endif
using Kind = List<Kept>;
std::uint32_t use(Kind& list) { return list.size(); }
