// Who hears of the accesses of this thread.
#pragma once

#include "sim/hooks/access_hooks.hpp"

namespace brownout::sim {

// Null while nobody does, and while somebody is being told. Constant initialisation: reading it is one
// instruction.
extern constinit thread_local AccessListener* access_listener;

}  // namespace brownout::sim
