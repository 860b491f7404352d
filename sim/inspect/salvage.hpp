// Which objects of an image can be trusted, and why.
#pragma once

#include <string>
#include <vector>

#include "sim/inspect/inspection.hpp"

namespace brownout::sim {

enum class Trust : std::uint8_t {
  yes,
  home_only,        // as last written home; whether it ever was, nothing says
  checkpoint_only,  // the checkpoint has it as it was then; its home is older or newer
  in_doubt,         // perhaps between two states
};
std::string_view name_of(Trust trust);

struct SalvagedObject {
  StoredObject object;
  Trust trust = Trust::home_only;
  std::vector<std::byte> content;  // the best that there is: as restored, of the checkpoint, or of its home
  std::string reason;              // in words
};

struct Salvage {
  // The checkpoint that contents are taken from, as a place; -1: none. `whole`: boot or restore_older() would
  // bring it back, so that objects fit together.
  int checkpoint = -1;
  bool together = false;
  std::vector<SalvagedObject> objects;  // by ascending home
  // Of the checkpoint, dirty there, but not allocated: freed since, or, if it is brought back, being made or
  // freed.
  std::vector<ImageObject> unallocated;
};

Salvage salvage(const Inspection& inspection);

}  // namespace brownout::sim
