// Runs the workload that a scenario chose, to its end.
#pragma once

#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"
#include "sim/firmware/workload_options.hpp"

namespace brownout::sim::firmware {

// Returns at the workload's end, or once it could not go on. May be abandoned anywhere without running
// destructors: nothing on its stack owns memory of the host.
void run_workload(const WorkloadOptions& options, ObjectMemory& memory, Port& port);

}  // namespace brownout::sim::firmware
