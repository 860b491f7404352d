// A sensor node: the sum of all samples, a ring of the last 256, and a list of the last eight alarms.
#include "sim/cli/commands.hpp"
#include "sim/scenario/custom_workloads.hpp"

using namespace brownout;

void run(sim::firmware::ObjectMemory& memory, sim::firmware::Port& port) {
  auto sum = memory.make(std::uint32_t{0});
  auto ring = memory.make_array<std::uint16_t, 256>();
  heap::List<std::uint16_t> alarms;
  if (!sum.ok() || !ring.ok()) return port.give_up(sum.ok() ? ring.error() : sum.error(), "make the objects");

  const auto keep = [&](std::uint32_t i, std::uint16_t sample) -> heap::Status {
    auto total = memory.write(sum.value());
    if (!total.ok()) return total.error();
    *total.value() += sample;
    auto place = memory.write(ring.value(), i % 256, 1);  // makes 32 B of the ring dirty, not 512
    if (!place.ok()) return place.error();
    place.value()[0] = sample;
    if (sample < 60'000) return {};
    if (alarms.size() < 8) return alarms.push_back(memory, sample).error();
    const heap::Status popped = alarms.pop_front(memory);
    return popped.ok() ? alarms.push_back(memory, sample).error() : popped;
  };
  for (std::uint32_t i = 0;; ++i) {
    port.phase(2'000, 500, true);                   // asleep for 2 ms while the sensor draws 500 uA
    port.charge(heap::Work::compute_cycle, 4'000);  // what the filter takes
    const heap::Status kept = keep(i, static_cast<std::uint16_t>(i * 40'503U));
    if (!kept.ok()) return port.give_up(kept.error(), "keep a sample");
    port.operation_done();
  }
}

int main(int argc, char** argv) {
  sim::add_workload("sensor", run);
  return sim::cli::run_program({argv + 1, argv + argc});
}
