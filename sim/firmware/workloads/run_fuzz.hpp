// The fuzzer's workload, as a custom one: which program it runs, each thread sets for itself.
#pragma once

#include "sim/firmware/fuzz_program.hpp"

namespace brownout::sim::firmware {

class ObjectMemory;
class Port;

// What run_fuzz() runs in this thread from now on; both outlive the runs.
void set_fuzz(const FuzzProgram* program, FuzzCounters* counters);
// See CustomRun.
void run_fuzz(ObjectMemory& memory, Port& port);

}  // namespace brownout::sim::firmware
