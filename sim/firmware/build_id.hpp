// Which build of the firmware this is.
#pragma once

#include <string_view>

namespace brownout::sim::firmware {

// See sim/hooks/access_hooks.hpp. Empty in the plain build.
std::string_view build_id();

}  // namespace brownout::sim::firmware
