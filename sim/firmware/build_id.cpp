#include "sim/firmware/build_id.hpp"

namespace brownout::sim::firmware {

#ifdef BROWNOUT_HOOKED
namespace {

// Written over once the firmware is one object whose bytes can be hashed (sim/hooks/one_object.cmake), so
// that the name cannot part from what it names.
[[gnu::section("brownout_build_id"), gnu::used]] constexpr char kStamp[] = "not stamped     ";
static_assert(sizeof kStamp == 17);

}  // namespace

std::string_view build_id() {
  const char* stamp = kStamp;
  __asm__("" : "+r"(stamp));  // what the compiler knows of its content is not what will be there
  return {stamp, sizeof kStamp - 1};
}
#else
std::string_view build_id() { return {}; }
#endif

}  // namespace brownout::sim::firmware
