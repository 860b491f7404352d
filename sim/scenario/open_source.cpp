// open_source() of scenario.hpp.
#include <variant>

#include "devices/supply/reset_source.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/trace/reset_list.hpp"
#include "sim/trace/trace_source.hpp"

namespace brownout::sim {

std::unique_ptr<devices::Source> open_source(const Scenario& scenario) {
  if (const auto* trace = std::get_if<TraceConfig>(&scenario.supply.source)) {
    return open_trace(*trace, scenario.where("supply.source.trace"));
  }
  if (const auto* resets = std::get_if<ResetConfig>(&scenario.supply.source)) {
    const ResetList list = read_reset_list(*resets, scenario.where("supply.source.resets"));
    return devices::make_reset_source(list.instants, resets->power_w);
  }
  const auto& script = std::get<ScriptConfig>(scenario.supply.source);
  return devices::make_scripted_source(script.parts, script.repeat);
}

}  // namespace brownout::sim
