// What a scenario can choose of the memory that a workload keeps its objects in.
#pragma once

#include <cstdint>

namespace brownout::sim::firmware {

// The heap, or what the field does without one.
enum class MemoryKind : std::uint8_t {
  heap,
  ram_snapshot,  // all objects in RAM; the interrupt saves all of it
  direct,        // all objects in the FRAM, read and written back at each access
  pages,         // all objects in RAM, dirty page by page, the number of dirty pages bounded
};

enum class RamAllocatorKind : std::uint8_t { linked_list, buddy };
enum class StoreAllocatorKind : std::uint8_t { linked_list, buddy, block };
enum class PolicyKind : std::uint8_t { in_order, clock, round_robin };
enum class SlotKind : std::uint8_t { standard, compact };  // compact: buddy and buddy only
enum class ChecksumKind : std::uint8_t { nibble, table };      // of images: a table of 64 B or of 1 KiB

struct MemoryOptions {
  MemoryKind kind = MemoryKind::heap;
  RamAllocatorKind ram_allocator = RamAllocatorKind::linked_list;
  StoreAllocatorKind store_allocator = StoreAllocatorKind::linked_list;
  PolicyKind policy = PolicyKind::in_order;
  SlotKind slots = SlotKind::standard;
  ChecksumKind checksum = ChecksumKind::nibble;
  std::uint32_t page_bytes = 128;  // of MemoryKind::pages: a power of two, 32 to 512
};

}  // namespace brownout::sim::firmware
