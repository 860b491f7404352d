// An inspected image in words.
#pragma once

#include <string>

#include "sim/inspect/salvage.hpp"

namespace brownout::sim {

// The verdict on a line of its own, then what is where.
std::string describe(const Inspection& inspection);

// What can be trusted, object by object; the first thousand of them.
std::string describe(const Inspection& inspection, const Salvage& salvaged);

}  // namespace brownout::sim
