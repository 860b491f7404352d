#include "sim/firmware/workloads/run_fuzz.hpp"

#include "sim/firmware/workloads/fuzz.hpp"

namespace brownout::sim::firmware {
namespace {

// As from flash: set before a run, and only read in it.
constinit thread_local const FuzzProgram* fuzz_program = nullptr;
constinit thread_local FuzzCounters* fuzz_counters = nullptr;

}  // namespace

void set_fuzz(const FuzzProgram* program, FuzzCounters* counters) {
  fuzz_program = program;
  fuzz_counters = counters;
}

void run_fuzz(ObjectMemory& memory, Port& port) {
  FuzzWorkload(memory, port, *fuzz_program, *fuzz_counters).run();
}

}  // namespace brownout::sim::firmware
