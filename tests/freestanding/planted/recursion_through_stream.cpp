// Found by: recursion: .*next\(void\*, int&\) calls
#include "entries.hpp"

struct Source {
  static bool next(void* state, int& piece);
};

bool (*volatile stream)(void*, int&) = &Source::next;
volatile int result;

[[gnu::noinline]] bool pull(int& piece) { return stream(nullptr, piece) && piece != 0; }

bool Source::next(void*, int& piece) {
  piece = result;
  return piece != 0 && pull(piece) && result != 1;
}

void planted() {
  int piece = 0;
  if (pull(piece)) result = piece;
}
