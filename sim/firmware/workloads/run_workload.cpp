#include "sim/firmware/workloads/run_workload.hpp"

#include "sim/firmware/workloads/counter.hpp"
#include "sim/firmware/workloads/kvs.hpp"
#include "sim/firmware/workloads/queue.hpp"
#include "sim/firmware/workloads/script.hpp"

namespace brownout::sim::firmware {
namespace {

struct Runner {
  ObjectMemory& memory;
  Port& port;

  void operator()(const CounterOptions& options) const { CounterWorkload(memory, port, options).run(); }
  void operator()(const QueueOptions& options) const { QueueWorkload(memory, port, options).run(); }
  void operator()(const KvsOptions& options) const { KvsWorkload(memory, port, options).run(); }
  void operator()(const ScriptOptions& options) const { ScriptWorkload(memory, port, options).run(); }
  void operator()(const CustomOptions& options) const { options.run(memory, port); }
};

}  // namespace

void run_workload(const WorkloadOptions& options, ObjectMemory& memory, Port& port) {
  std::visit(Runner{memory, port}, options);
}

}  // namespace brownout::sim::firmware
