// What an override takes away besides what it sets.
#pragma once

#include "sim/scenario/document.hpp"

namespace brownout::sim {

// An override that chooses another kind of thing would otherwise leave the parameters of the old one behind,
// as unknown keys. After overrides turned the tree `original` (of the file) into `root`:
//   - supply.source.trace set where the file has `kind`, or `kind` set to another kind or where the file has
//     `trace`: what the file says about the source is dropped, `repeat` included;
//   - workload.kind set to another kind: what the file says about the workload is dropped;
//   - storage.transfer set to anything but sliced: a `slice` of the file is dropped;
//   - storage.part set to one in the address space of its MCU: what the file says of the bus is dropped.
// Keys that overrides set stay, whatever their order, and so do keys that nothing knows, to be refused.
void drop_replaced(Node& root, const Node& original);

}  // namespace brownout::sim
