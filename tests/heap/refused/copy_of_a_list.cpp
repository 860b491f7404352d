// refused: (deleted|implicitly-deleted)
#include "board.hpp"
void use(List<int>& list) {
#ifdef ALLOWED
  const List<int> other = static_cast<List<int>&&>(list);
#else
  const List<int> other = list;
#endif
  static_cast<void>(other);
}
