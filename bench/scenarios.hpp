// One benchmark for each scenario that is shipped.
#pragma once

namespace brownout::bench {

// Lists the scenarios' folder; a benchmark each, called scenario/NAME.
void register_scenarios();

}  // namespace brownout::bench
