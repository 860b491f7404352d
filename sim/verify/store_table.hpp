// The tables of the store allocators, read past the allocators themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heap/layout.hpp"
#include "sim/firmware/memory_options.hpp"
#include "sim/verify/memory_inspector.hpp"

namespace brownout::sim {

// Whether the table says allocated of exactly the places of `objects` (by ascending home), each large enough
// and within the store. In words, the first fault. O(units).
std::optional<std::string> store_table_fault(const heap::StorePlan& plan, firmware::StoreAllocatorKind kind,
                                             std::span<const std::uint8_t> store,
                                             const std::vector<KnownObject>& objects);

}  // namespace brownout::sim
