// Firmware with a baseline in place of the heap.
#pragma once

#include <memory>

#include "sim/firmware/baselines/plan.hpp"
#include "sim/firmware/firmware.hpp"

namespace brownout::sim::firmware {

// Of a kind that is not MemoryKind::heap.
std::unique_ptr<Firmware> make_baseline(const Image& image, Port& port);

}  // namespace brownout::sim::firmware
