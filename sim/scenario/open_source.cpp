// open_source() of scenario.hpp.
#include <variant>

#include "sim/scenario/scenario.hpp"
#include "sim/trace/trace_source.hpp"

namespace brownout::sim {

std::unique_ptr<devices::Source> open_source(const Scenario& scenario) {
  if (const auto* trace = std::get_if<TraceConfig>(&scenario.supply.source)) {
    return open_trace(*trace, scenario.where("supply.source.trace"));
  }
  const auto& script = std::get<ScriptConfig>(scenario.supply.source);
  return devices::make_scripted_source(script.parts, script.repeat);
}

}  // namespace brownout::sim
