// Workloads that a program of the user adds to those of brownout.
//
// A scenario chooses one with `workload: {kind: custom, name: NAME}`. It is a function with the heap's typed
// operations (heap/objects/) on an ObjectMemory, and with four calls of a Port: charge() and phase() for the
// time and energy of its own work, operation_done() at the end of each operation, give_up() if it cannot go
// on. What it does has to follow from these alone, not from clocks, addresses or variables of the host, or
// two runs differ.
//
// It runs on a stack that the simulated OS saves: locals outlive an outage. What is not saved in time is
// lost, and the stack is abandoned with it, without running destructors. So:
//   - locals own nothing of the host: no std::vector, std::string, file or lock; handles, arrays and plain
//     values do. The stack has 512 KiB.
//   - no exception leaves it
//   - a run may call it more than once (the control run; a cold start after a loss): it begins with an empty
//     memory and keeps nothing in static variables. For `on_loss: attach` see CustomStart::attaches.
//   - references have been given back when it calls operation_done(), where all objects are compared
//   - it calls operation_done() again and again; nowhere else can a run be stopped. It may return, which ends
//     the run.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"
#include "sim/firmware/workload_options.hpp"

namespace brownout::sim {

// How a workload starts after a loss.
enum class CustomStart : std::uint8_t {
  empty,  // from nothing; `mcu.on_loss: attach` is refused
  // Where memory.attaches(), it keeps a durable way to its objects: an object goes home
  // (memory.flush_object()) before a root (memory.set_root()) or another object that is home leads to it, and
  // what leads to it goes home without it before it is freed. Where memory.attached(), its objects are there:
  // it looks up its roots (memory.find_root(), memory.root<T>()), says memory.keep(handle, memory.marks()) of
  // each object before it reads it, leaves out those that are invalid or in doubt
  // (memory.is_in_doubt(handle)), and says memory.reclaim(memory.marks()) before it writes or makes anything.
  attaches,
};

// Adds a workload under a name of 1 to 40 ASCII letters, digits, `_` and `-`, before run_program() is called.
// Throws std::invalid_argument for another name, one that is taken, and a null pointer. O(workloads).
void add_workload(std::string_view name, firmware::CustomRun run, CustomStart start = CustomStart::empty);

// The names that were added, in that order; valid until the next is added.
std::vector<std::string_view> custom_workload_names();

// The workload of that name, or nullptr. O(workloads).
firmware::CustomRun find_custom_workload(std::string_view name);
// Whether it was added with CustomStart::attaches. O(workloads).
bool custom_workload_attaches(std::string_view name);

}  // namespace brownout::sim
