// Store allocator: blocks of one size, a bit each, next fit. An object takes one block.
//
// The table is a bitmap, the lowest bit of a byte first; a set bit is an allocated block.
//
// | operation | transfers                                                           | steps           |
// | --------- | ------------------------------------------------------------------- | --------------- |
// | format    | a write of the whole table                                          | none            |
// | find      | a read of 32 B for each 256 blocks walked                           | O(blocks / 8)   |
// | claim     | a write of 1 B                                                      | none            |
// | release   | a read of 1 B, a write of 1 B                                       | 1               |
//
// find walks once round at most. Table: 1 bit a block, a 513th of a store in blocks of 64 B. An object wastes
// the rest of its block; nothing fragments: an object fits as long as a block is free.
#pragma once

#include <bit>
#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"
#include "heap/store_allocators/table.hpp"

namespace brownout::heap {

// `Gateway` is the heap's way to the store: write_home(), read_home(), zero_home().
template <Platform P, class Gateway>
class BlockStore {
 public:
  static constexpr std::uint32_t kId = 0x4B53;  // in an image's fingerprint
  static constexpr bool kPowersOfTwo = false;

  BlockStore(Arena arena, P& platform, Gateway& gateway) : table_(arena, platform, gateway) {}

  // How the region [base, end) is divided. `unit_bytes` is a block's size, a multiple of 8; 0: 64. No units
  // if the region is too small. O(1).
  static constexpr StorePlan plan(std::uint32_t base, std::uint32_t end, std::uint32_t unit_bytes) {
    return plan_with_table(base, end, unit_bytes == 0 ? kDefaultBlockBytes : unit_bytes, kBlocksPerByte);
  }

  // Makes the whole region free. storage_failed leaves a store to be formatted again. One write.
  Status format() {
    table_.control().store_cursor = 0;
    return table_.format();
  }

  // A block for `size_bytes`: the lowest in the first table byte from the cursor on that has one free.
  // too_large if a block is too small for it, no_storage if there is none, storage_failed. O(blocks / 8)
  // steps, a read for each 32 of them.
  Result<StorePlace> find(std::uint32_t size_bytes) {
    const StorePlan& plan = table_.plan();
    if (size_bytes > plan.unit_bytes) return Error::too_large;
    if (const Status status = table_.settle(); !status.ok()) return status.error();
    TableWindow window;
    // The table byte of the block that was claimed last.
    const std::uint32_t cursor = table_.control().store_cursor;
    std::uint32_t at = cursor < plan.table_bytes ? cursor : 0;
    for (std::uint32_t visited = 0; visited < plan.table_bytes; ++visited) {
      std::uint8_t bits = 0;
      if (const Status status = table_.read(window, at, bits); !status.ok()) return status.error();
      const auto bit = static_cast<std::uint32_t>(std::countr_one(bits));
      // The last byte may have bits that stand for no block.
      if (bit < kBlocksPerByte && at * kBlocksPerByte + bit < plan.units) return place_at(at, bit, bits);
      at = at + 1 < plan.table_bytes ? at + 1 : 0;
    }
    return Error::no_storage;
  }

  // Allocates what find() gave, with no claim or release since. storage_failed: it is free. One byte.
  Status claim(const StorePlace& place) {
    const Status status = table_.change(place.entry, place.claimed, place.before);
    if (status.ok()) table_.control().store_cursor = place.entry - table_.plan().table;
    return status;
  }

  // Frees the block at `home`. storage_failed: it is allocated. One read, and one byte written.
  Status release(std::uint32_t home, std::uint32_t /*size_bytes*/) {
    if (const Status status = table_.settle(); !status.ok()) return status;
    const StorePlan& plan = table_.plan();
    const std::uint32_t block = (home - plan.first_unit) / plan.unit_bytes;
    std::uint8_t bits = 0;
    if (const Status status = table_.read(block / kBlocksPerByte, bits); !status.ok()) return status;
    return table_.change(plan.table + block / kBlocksPerByte,
                         static_cast<std::uint8_t>(bits & ~(1U << block % kBlocksPerByte)), bits);
  }

  // Whether the block at `home` is allocated; its object may have any size that it has room for.
  // storage_failed. One read.
  Result<bool> holds(std::uint32_t home, std::uint32_t size_bytes) {
    const StorePlan& plan = table_.plan();
    const std::uint32_t offset = home - plan.first_unit;
    const std::uint32_t block = offset / plan.unit_bytes;
    if (home < plan.first_unit || offset % plan.unit_bytes != 0 || block >= plan.units) return false;
    if (size_bytes > plan.unit_bytes) return false;
    std::uint8_t bits = 0;
    if (const Status status = table_.read(block / kBlocksPerByte, bits); !status.ok()) return status.error();
    return (bits >> block % kBlocksPerByte & 1U) != 0;
  }
  // The next block from `unit` on that is allocated. storage_failed. O(blocks).
  Status next_allocated(std::uint32_t& unit, std::uint32_t& units) {
    TableWindow window;
    for (units = 0; unit < table_.plan().units; ++unit) {
      std::uint8_t bits = 0;
      if (const Status status = table_.read(window, unit / kBlocksPerByte, bits); !status.ok()) return status;
      if ((bits >> unit % kBlocksPerByte & 1U) == 0) continue;
      units = 1;
      break;
    }
    return {};
  }

 private:
  static constexpr std::uint32_t kDefaultBlockBytes = 64;
  static constexpr std::uint32_t kBlocksPerByte = 8;

  [[nodiscard]] StorePlace place_at(std::uint32_t index, std::uint32_t bit, std::uint8_t bits) const {
    const StorePlan& plan = table_.plan();
    return {.home = plan.first_unit + (index * kBlocksPerByte + bit) * plan.unit_bytes,
            .entry = plan.table + index,
            .claimed = static_cast<std::uint8_t>(bits | 1U << bit),
            .before = bits};
  }

  StoreTable<P, Gateway> table_;
};

}  // namespace brownout::heap
