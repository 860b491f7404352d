// What an outage may and may not change, and whether the heap's structures are sound.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heap/layout.hpp"

namespace brownout::sim {

// Compares the heap's RAM before an outage and after the restore. Everything that firmware may read again
// has to be equal; set aside are the sequence numbers, the inside of free blocks, and blocks that were being
// loaded (the interrupted load repeats). In words, the first difference; nothing if equal. What is live is
// worked out from the state before, never asked of the heap.
std::optional<std::string> outage_changed(const heap::Geometry& geometry, std::span<const std::byte> before,
                                          std::span<const std::byte> after);

// Soundness of RAM and store at the end of an operation: blocks and free list tile RAM, the index finds each
// slot, dirty bytes equal a recount, the checkpoint keeps to its limit, and the store's table holds exactly
// the objects in `homes` (ascending). In words, the first fault; nothing if sound.
std::optional<std::string> structure_fault(const heap::Geometry& geometry, std::span<const std::byte> ram,
                                           std::span<const std::uint8_t> store,
                                           const std::vector<std::uint32_t>& homes);

}  // namespace brownout::sim
