// Store allocator: binary buddies, best fit. Blocks are powers of two of units and begin, counted from unit
// 0, at multiples of their size.
//
// The table has one byte a unit: 0, or in the first unit of an allocated block its order plus 1 (a block of
// order k has 2^k units). So blocks need not be split or joined: a free block is the largest aligned run of
// free units, which a search works out from the table, and the number of units may be any.
//
// | operation | transfers                                                           | steps           |
// | --------- | ------------------------------------------------------------------- | --------------- |
// | format    | a write of the whole table                                          | none            |
// | find      | a read of 32 B for each 32 units walked; blocks of objects are leapt | O(units)       |
// | claim     | a write of 1 B                                                      | none            |
// | release   | a write of 1 B                                                      | none            |
//
// find walks the whole table, from unit 0 on, unless it meets a free block of the very size. Table: 1 B a
// unit, which is a ninth of a store in units of 8 B and a 33rd in units of 32 B. An object wastes less than
// half of its block.
#pragma once

#include <bit>
#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"
#include "heap/store_allocators/table.hpp"

namespace brownout::heap {

// `Gateway` is the heap's way to the store: write_home(), read_home(), zero_home().
template <Platform P, class Gateway>
class BuddyStore {
 public:
  static constexpr std::uint32_t kId = 0x4253;  // in an image's fingerprint
  static constexpr bool kPowersOfTwo = true;

  BuddyStore(Arena arena, P& platform, Gateway& gateway) : table_(arena, platform, gateway) {}

  // How the region [base, end) is divided. `unit_bytes` a power of two from 8 on; 0: 8, 16 or 32 by the
  // region's size. No units if it is not, or if the region is too small. O(1).
  static constexpr StorePlan plan(std::uint32_t base, std::uint32_t end, std::uint32_t unit_bytes) {
    const std::uint32_t unit = unit_bytes == 0 ? default_unit_bytes(end - base) : unit_bytes;
    // Not std::has_single_bit, which links a table of 256 B where there is no instruction to count bits.
    const bool power_of_two = (unit & (unit - 1U)) == 0;
    return power_of_two ? plan_with_table(base, end, unit, 1) : StorePlan{};
  }
  // Units that an object of `size_bytes` takes. O(1).
  static constexpr std::uint32_t units_for(std::uint32_t size_bytes, std::uint32_t unit_bytes) {
    return std::bit_ceil(units_in(size_bytes, unit_bytes));
  }

  // Makes the whole region free. storage_failed leaves a store to be formatted again. One write.
  Status format() { return table_.format(); }

  // A place for `size_bytes`: the beginning of the smallest free block that suffices, the lowest of equals,
  // so that large blocks stay whole. no_storage if there is none, storage_failed. O(units) steps, a read for
  // each 32 of them.
  Result<StorePlace> find(std::uint32_t size_bytes) {
    const StorePlan& plan = table_.plan();
    if (units_in(size_bytes, plan.unit_bytes) > plan.units) return Error::no_storage;
    if (const Status status = table_.settle(); !status.ok()) return status.error();
    const std::uint32_t wanted = log2_of(units_for(size_bytes, plan.unit_bytes));
    TableWindow window;
    std::uint32_t best = 0;
    std::uint32_t best_order = kNoOrder;
    for (std::uint32_t at = 0; at < plan.units && best_order != wanted;) {
      std::uint8_t code = 0;
      if (const Status status = table_.read(window, at, code); !status.ok()) return status.error();
      if (code != 0) {
        at += block_units(code);
        continue;
      }
      std::uint32_t end = 0;
      if (const Status status = find_end(window, at, end); !status.ok()) return status.error();
      // The free blocks in there get smaller towards the end. Each begins at a multiple of its size, because
      // `end` is no further than the first could reach.
      while (at < end) {
        const std::uint32_t order = log2_of(end - at);
        if (order >= wanted && order < best_order) {
          best = at;
          best_order = order;
        }
        at += std::uint32_t{1}
              << order;  // NOLINT(clang-analyzer-core.UndefinedBinaryOperatorResult): end - at is not 0
      }
    }
    if (best_order == kNoOrder) return Error::no_storage;
    return place_at(best, wanted);
  }

  // Allocates what find() gave, with no claim or release since. storage_failed: it is free. One byte.
  Status claim(const StorePlace& place) { return table_.change(place.entry, place.claimed, place.before); }

  // Frees what was claimed for `size_bytes` at `home`. storage_failed: it is allocated. One byte.
  Status release(std::uint32_t home, std::uint32_t size_bytes) {
    const StorePlan& plan = table_.plan();
    const std::uint8_t code = code_of(log2_of(units_for(size_bytes, plan.unit_bytes)));
    return table_.change(plan.table + (home - plan.first_unit) / plan.unit_bytes, 0, code);
  }

  // Whether what is allocated at `home` was claimed for `size_bytes`. storage_failed. One read.
  Result<bool> holds(std::uint32_t home, std::uint32_t size_bytes) {
    return table_.has(home, code_of(log2_of(units_for(size_bytes, table_.plan().unit_bytes))));
  }
  // The next block from `unit` on. storage_failed. O(units).
  Status next_allocated(std::uint32_t& unit, std::uint32_t& units) {
    std::uint8_t code = 0;
    const Status status = table_.next_entry(unit, code);
    units = code == 0 ? 0 : block_units(code);
    return status;
  }

 private:
  static constexpr std::uint32_t kNoOrder = 32;

  static std::uint32_t log2_of(std::uint32_t n) { return static_cast<std::uint32_t>(std::bit_width(n)) - 1U; }
  static std::uint8_t code_of(std::uint32_t order) { return static_cast<std::uint8_t>(order + 1U); }
  // The remainder keeps a byte that is no code from being a shift out of range.
  static std::uint32_t block_units(std::uint8_t code) { return std::uint32_t{1} << ((code - 1U) % 32U); }

  // The end of the free units from `at` on, which is free; at most as far as a block reaches that begins
  // there.
  Status find_end(TableWindow& window, std::uint32_t at, std::uint32_t& end) {
    const std::uint32_t rest = table_.plan().units - at;
    const std::uint32_t alignment = at & (0U - at);  // 0 for unit 0, at which any block may begin
    const std::uint32_t limit = at + (alignment != 0 && alignment < rest ? alignment : rest);
    for (end = at + 1; end < limit; ++end) {
      std::uint8_t code = 0;
      if (const Status status = table_.read(window, end, code); !status.ok()) return status;
      if (code != 0) break;
    }
    return {};
  }

  [[nodiscard]] StorePlace place_at(std::uint32_t unit, std::uint32_t order) const {
    const StorePlan& plan = table_.plan();
    return {.home = plan.first_unit + unit * plan.unit_bytes,
            .entry = plan.table + unit,
            .claimed = code_of(order),
            .before = 0};
  }

  StoreTable<P, Gateway> table_;
};

}  // namespace brownout::heap
