// refused: (deleted|implicitly-deleted)
#include "board.hpp"
void use(Object<int>& object) {
#ifdef ALLOWED
  const Object<int> other = static_cast<Object<int>&&>(object);
#else
  const Object<int> other = object;
#endif
  static_cast<void>(other);
}
