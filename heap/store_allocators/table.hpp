// What the store allocators share: the table that says which units of the store are allocated.
//
// It lies in the store in front of the units, and nowhere else: an outage finds it as the last write left
// it. Reading goes through a window of 32 B, so a search costs one read transfer for each 32 B that it
// walks over. A change is the write of one byte, which the store makes atomic; before it, a failed write is
// put right, if there is one, by one more. Takes no RAM besides Control's fields; a search takes 112 B of
// stack on a Cortex-M0+.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"
#include "heap/store_allocators/store_allocator.hpp"

namespace brownout::heap {

// The unit of a region with a table byte a unit: 8 B below 16 KiB, 16 B below 63 KiB, 32 B from there on.
// The table then takes a ninth of the region at most, and less of a larger one. O(1).
constexpr std::uint32_t default_unit_bytes(std::uint32_t region_bytes) {
  return region_bytes < 16 * kKibi ? 8 : region_bytes < 63 * kKibi ? 16 : 32;
}

// Units of `unit_bytes` that `size_bytes` take, at least one. O(1).
constexpr std::uint32_t units_in(std::uint32_t size_bytes, std::uint32_t unit_bytes) {
  return size_bytes == 0 ? 1 : (size_bytes - 1) / unit_bytes + 1;
}

// Divides the region [base, end) into a table, each byte of which stands for `units_per_byte` units, and as
// many units of `unit_bytes` as there is room for. No units if `unit_bytes` is not a multiple of 8, or if
// there is room for none. `base` is above 0, so no home is 0; the region has kMaxStoreBytes at most. O(1).
constexpr StorePlan plan_with_table(std::uint32_t base, std::uint32_t end, std::uint32_t unit_bytes,
                                    std::uint32_t units_per_byte) {
  if (end <= base || unit_bytes == 0 || unit_bytes % kGranule != 0 || unit_bytes > end - base) return {};
  StorePlan plan;
  plan.table = base;
  plan.unit_bytes = unit_bytes;
  // As many as would fit if nothing were lost to rounding, which costs two units at most.
  plan.units = (end - base) * units_per_byte / (unit_bytes * units_per_byte + 1);
  for (; plan.units > 0; --plan.units) {
    plan.table_bytes = units_in(plan.units, units_per_byte);
    plan.first_unit = round_up_8(base + plan.table_bytes);
    if (plan.first_unit + plan.units * unit_bytes <= end) return plan;
  }
  return {};
}

// A piece of the table as it was read. Lies on the stack of a search, which survives an outage, unlike the
// allocator's own memory.
struct TableWindow {
  std::byte bytes[32] = {};
  std::uint32_t first = 0;  // index of the table byte in bytes[0]
  std::uint32_t size = 0;   // bytes that were read
};

// The table of the store that `arena` describes. Holds nothing that boot would not construct in the same way.
template <Platform P, class Gateway>
class StoreTable {
 public:
  StoreTable(Arena arena, P& platform, Gateway& gateway)
      : arena_(arena), platform_(platform), gateway_(gateway) {}

  [[nodiscard]] const StorePlan& plan() const { return arena_.geometry().store; }
  [[nodiscard]] Control& control() const { return arena_.control(); }

  // Makes every byte 0, and forgets what was to be put right: it is 0 like the rest. storage_failed leaves
  // a table to be formatted again. One write of the whole table.
  Status format() {
    const Status status = gateway_.zero_home(plan().table, plan().table_bytes);
    if (status.ok()) control().repair_at = 0;
    return status;
  }

  // Puts a byte right whose write failed. storage_failed if that fails too; the byte is remembered still.
  // To be called before the table is read. Nothing, or one write of one byte.
  Status settle() {
    if (control().repair_at == 0) return {};
    const Status status = write(control().repair_at, control().repair_value);
    if (status.ok()) control().repair_at = 0;
    return status;
  }

  // The table byte `index`, below plan().table_bytes. storage_failed if it could not be read. A read of
  // 32 B at most if the window does not have it; a step.
  Status read(TableWindow& window, std::uint32_t index, std::uint8_t& value) {
    platform_.charge(Work::step, 1);
    if (index < window.first || index >= window.first + window.size) {
      const Status status = fill(window, index);
      if (!status.ok()) return status;
    }
    value = static_cast<std::uint8_t>(window.bytes[index - window.first]);
    return {};
  }

  // The same without a window, for one byte only. One read of one byte; a step.
  Status read(std::uint32_t index, std::uint8_t& value) {
    platform_.charge(Work::step, 1);
    std::byte byte{};
    const Status status = gateway_.read_home(plan().table + index, {&byte, 1});
    value = static_cast<std::uint8_t>(byte);
    return status;
  }

  // Writes the table byte at address `entry`. On storage_failed nobody knows whether it took effect, so it
  // is remembered that the byte is to be `if_failed`. One write of one byte, after settle().
  Status change(std::uint32_t entry, std::uint8_t value, std::uint8_t if_failed) {
    if (const Status status = settle(); !status.ok()) return status;
    const Status status = write(entry, value);
    if (!status.ok()) {
      control().repair_value = if_failed;
      control().repair_at = entry;
    }
    return status;
  }

  // For allocators with a table byte a unit. Whether there is a unit at `home` whose byte is `code`. One read
  // of one byte.
  Result<bool> has(std::uint32_t home, std::uint8_t code) {
    const StorePlan& plan = this->plan();
    const std::uint32_t offset = home - plan.first_unit;
    if (home < plan.first_unit || offset % plan.unit_bytes != 0 || offset / plan.unit_bytes >= plan.units) {
      return false;
    }
    std::uint8_t found = 0;
    if (const Status status = read(offset / plan.unit_bytes, found); !status.ok()) return status.error();
    return found == code;
  }
  // Moves `unit` on to the next byte that is not 0, itself included; `code` is that byte, 0 at the end. A
  // read for each 32 units.
  Status next_entry(std::uint32_t& unit, std::uint8_t& code) {
    TableWindow window;
    for (code = 0; unit < plan().units; ++unit) {
      if (const Status status = read(window, unit, code); !status.ok()) return status;
      if (code != 0) break;
    }
    return {};
  }

 private:
  Status write(std::uint32_t entry, std::uint8_t value) {
    const std::byte byte{value};
    return gateway_.write_home(entry, {&byte, 1});
  }

  Status fill(TableWindow& window, std::uint32_t index) {
    const std::uint32_t rest = plan().table_bytes - index;
    const std::uint32_t size = rest < sizeof window.bytes ? rest : sizeof window.bytes;
    window.first = index;
    window.size = 0;  // until it is read
    const Status status = gateway_.read_home(plan().table + index, {window.bytes, size});
    if (status.ok()) window.size = size;
    return status;
  }

  Arena arena_;
  P& platform_;
  Gateway& gateway_;
};

}  // namespace brownout::heap
