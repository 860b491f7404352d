// Store allocator: an implicit list of allocated runs of units, next fit, its links gathered in a table.
//
// The table has one byte a unit. A byte other than zero begins an allocated run and encodes its length; the
// bytes inside a run are zero and are skipped. Free neighbours need no joining, they are a run of zeros.
//
// | operation | transfers                                                           | steps           |
// | --------- | ------------------------------------------------------------------- | --------------- |
// | format    | a write of the whole table                                          | none            |
// | find      | a read of 32 B for each 32 units walked; runs of objects are leapt  | O(units)        |
// | claim     | a write of 1 B                                                      | none            |
// | release   | a write of 1 B                                                      | none            |
//
// find walks once round at most, and on by the length of the run that it looks for. Table: 1 B a unit, which
// is a ninth of a store in units of 8 B and a 33rd in units of 32 B. An object wastes less than a unit; one
// of more than 127 units up to an eighth of its size.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"
#include "heap/store_allocators/table.hpp"

namespace brownout::heap {

// Lengths in one byte: 1 to 127 units exactly, above that (8 + m) << (e + 4) with three bits of m, which
// rounds up by an eighth at most. O(1).
constexpr std::uint32_t run_length_of(std::uint8_t code) {
  if (code < 128) return code;
  const std::uint32_t low = code & 127U;
  return (8U + (low & 7U)) << ((low >> 3U) + 4U);
}
// The shortest length of at least `units`; the longest of all, 7,864,320, if there is none. O(log units).
constexpr std::uint8_t run_code_of(std::uint32_t units) {
  if (units < 128) return static_cast<std::uint8_t>(units);
  std::uint32_t code = 128;
  while (code < 255 && run_length_of(static_cast<std::uint8_t>(code)) < units) ++code;
  return static_cast<std::uint8_t>(code);
}

// `Gateway` is the heap's way to the store: write_home(), read_home(), zero_home().
template <Platform P, class Gateway>
class LinkedListStore {
 public:
  static constexpr std::uint32_t kId = 0x4C53;  // in an image's fingerprint
  static constexpr bool kPowersOfTwo = false;

  LinkedListStore(Arena arena, P& platform, Gateway& gateway) : table_(arena, platform, gateway) {}

  // How the region [base, end) is divided. `unit_bytes` a multiple of 8; 0: 8, 16 or 32 by the region's
  // size. No units if the region is too small. O(1).
  static constexpr StorePlan plan(std::uint32_t base, std::uint32_t end, std::uint32_t unit_bytes) {
    return plan_with_table(base, end, unit_bytes == 0 ? default_unit_bytes(end - base) : unit_bytes, 1);
  }
  // Units that an object of `size_bytes` takes. O(log size).
  static constexpr std::uint32_t units_for(std::uint32_t size_bytes, std::uint32_t unit_bytes) {
    return run_length_of(run_code_of(units_in(size_bytes, unit_bytes)));
  }

  // Makes the whole region free. storage_failed leaves a store to be formatted again. One write.
  Status format() {
    table_.control().store_cursor = 0;
    return table_.format();
  }

  // A place for `size_bytes`: the first from the cursor on, round the end of the region. no_storage if there
  // is none, storage_failed. O(units) steps, a read for each 32 of them.
  Result<StorePlace> find(std::uint32_t size_bytes) {
    const StorePlan& plan = table_.plan();
    const std::uint32_t needed = units_for(size_bytes, plan.unit_bytes);
    if (needed > plan.units) return Error::no_storage;
    if (const Status status = table_.settle(); !status.ok()) return status.error();
    TableWindow window;
    // The end of the run that was claimed last. No run that is allocated now reaches over it: those that
    // are older were clear of that run.
    const std::uint32_t cursor = table_.control().store_cursor;
    std::uint32_t at = cursor < plan.units ? cursor : 0;
    std::uint32_t run = 0;  // free units in front of `at`
    // Once round from the cursor, and on to the end of the free run that covers it.
    for (std::uint32_t visited = 0; visited < plan.units + needed;) {
      std::uint8_t code = 0;
      if (const Status status = table_.read(window, at, code); !status.ok()) return status.error();
      const std::uint32_t advance = code == 0 ? 1 : run_length_of(code);
      run = code == 0 ? run + 1 : 0;
      at += advance;
      visited += advance;
      if (run == needed) return place_at(at - needed, needed);
      if (at >= plan.units) {
        at = 0;
        run = 0;
      }
    }
    return Error::no_storage;
  }

  // Allocates what find() gave, with no claim or release since. storage_failed: it is free. One byte.
  Status claim(const StorePlace& place) {
    const Status status = table_.change(place.entry, place.claimed, place.before);
    if (!status.ok()) return status;
    table_.control().store_cursor = place.entry - table_.plan().table + run_length_of(place.claimed);
    return {};
  }

  // Frees what was claimed for `size_bytes` at `home`. storage_failed: it is allocated. One byte.
  Status release(std::uint32_t home, std::uint32_t size_bytes) {
    const StorePlan& plan = table_.plan();
    const std::uint8_t code = run_code_of(units_in(size_bytes, plan.unit_bytes));
    return table_.change(plan.table + (home - plan.first_unit) / plan.unit_bytes, 0, code);
  }

  // Whether what is allocated at `home` was claimed for `size_bytes`. storage_failed. One read.
  Result<bool> holds(std::uint32_t home, std::uint32_t size_bytes) {
    return table_.has(home, run_code_of(units_in(size_bytes, table_.plan().unit_bytes)));
  }
  // The next run from `unit` on. storage_failed. O(units).
  Status next_allocated(std::uint32_t& unit, std::uint32_t& units) {
    std::uint8_t code = 0;
    const Status status = table_.next_entry(unit, code);
    units = code == 0 ? 0 : run_length_of(code);
    return status;
  }

 private:
  [[nodiscard]] StorePlace place_at(std::uint32_t unit, std::uint32_t units) const {
    const StorePlan& plan = table_.plan();
    return {.home = plan.first_unit + unit * plan.unit_bytes,
            .entry = plan.table + unit,
            .claimed = run_code_of(units),
            .before = 0};
  }

  StoreTable<P, Gateway> table_;
};

}  // namespace brownout::heap
