// The firmwares with a planted bug, and the small scenarios that they run in.
#pragma once

#include <memory>
#include <string>

#include "sim/explore/explorer.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::firmware {
#define PLANTED(name, scenario, needs, what) std::unique_ptr<Firmware> make_##name(const Image&, Port&);
#include "planted_list.hpp"
#undef PLANTED
}  // namespace brownout::sim::firmware

namespace brownout::sim::testing {

using MakeFirmware = std::unique_ptr<firmware::Firmware> (*)(const firmware::Image&, firmware::Port&);

inline std::string planted_file(const std::string& name) {
  return std::string(BROWNOUT_SOURCE_DIR) + "/tests/explore/planted/" + name + ".yaml";
}
inline Scenario planted_scenario(const std::string& name) {
  return load_scenario(planted_file(name), {}, {});
}

// All classes, all courses, one job.
inline explore::ExploreOptions explore_options(const Scenario& scenario,
                                               MakeFirmware make_firmware = nullptr) {
  explore::ExploreOptions options;
  options.classes = {true, true, true};
  options.operations = explore::operations_of(scenario);
  options.make_firmware = make_firmware;
  return options;
}

}  // namespace brownout::sim::testing
