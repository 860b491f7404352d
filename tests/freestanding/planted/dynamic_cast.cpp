// Found by: does not compile
#include "entries.hpp"

struct Part {
  virtual int kind() const = 0;
};
struct Fram : Part {
  int kind() const override { return 1; }
};
Part* volatile part;
Fram* volatile fram;

void planted() { fram = dynamic_cast<Fram*>(static_cast<Part*>(part)); }
