// Store allocator: an implicit list of allocated runs, next fit, its links gathered in a table.
//
// The store is cut into units; the table has one byte a unit. A byte other than zero begins an allocated
// run and encodes its length; the bytes inside a run are zero and are skipped. So an allocation and a
// release are each the write of a single byte, which FRAM makes atomic: the allocator is sound at every
// byte of every one of its writes, without an intent record and without a stack to return to. Free
// neighbours need no joining, they are a run of zeros.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"

namespace brownout::heap {

// Lengths in one byte: 1 to 127 units exactly, above that (8 + m) << (e + 4) with three bits of m, which
// rounds up by an eighth at most.
constexpr std::uint32_t run_length_of(std::uint8_t code) {
  if (code < 128) return code;
  const std::uint32_t low = code & 127U;
  return (8U + (low & 7U)) << ((low >> 3U) + 4U);
}
constexpr std::uint8_t run_code_of(std::uint32_t units) {
  if (units < 128) return static_cast<std::uint8_t>(units);
  std::uint32_t code = 128;
  while (code < 255 && run_length_of(static_cast<std::uint8_t>(code)) < units) ++code;
  return static_cast<std::uint8_t>(code);
}

// How a region of the store is divided into a table and units. Unit 8 bytes below 16 KiB, 16 up to
// 63 KiB, 32 from there: the table then takes at most a ninth, and an object wastes less than a unit.
struct StorePlan {
  std::uint32_t table = 0;       // address of the table
  std::uint32_t first_unit = 0;  // address of unit 0
  std::uint32_t unit_bytes = 0;
  std::uint32_t units = 0;

  static constexpr StorePlan of(std::uint32_t base, std::uint32_t end) {
    StorePlan plan;
    const std::uint32_t size = end - base;
    plan.unit_bytes = size < 16 * 1024 ? 8 : size < 63 * 1024 ? 16 : 32;
    plan.table = base;
    plan.units = size < 16 ? 0 : (size - 7) / (plan.unit_bytes + 1);
    plan.first_unit = round_up_8(base + plan.units);
    while (plan.units > 0 && plan.first_unit + plan.units * plan.unit_bytes > end) --plan.units;
    return plan;
  }
  [[nodiscard]] constexpr std::uint32_t units_for(std::uint32_t size_bytes) const {
    const std::uint32_t exact = (size_bytes + unit_bytes - 1) / unit_bytes;
    return run_length_of(run_code_of(exact == 0 ? 1 : exact));
  }
};

// `Gateway` is the heap's way to the store: write_home(address, bytes), read_home(address, bytes).
template <Platform P, class Gateway>
class LinkedListStore {
 public:
  LinkedListStore(const Geometry& geometry, P& platform, Gateway& gateway)
      : plan_(StorePlan::of(geometry.store_base, geometry.store_end)),
        platform_(platform),
        gateway_(gateway) {}

  [[nodiscard]] const StorePlan& plan() const { return plan_; }

  // Makes the whole region free. O(units).
  Status format() {
    static constexpr std::byte kZeros[32] = {};
    for (std::uint32_t at = 0; at < plan_.units; at += sizeof kZeros) {
      const std::uint32_t rest = plan_.units - at;
      const ConstBytes zeros{kZeros, rest < sizeof kZeros ? rest : static_cast<std::uint32_t>(sizeof kZeros)};
      if (const Status status = gateway_.write_home(plan_.table + at, zeros); !status.ok()) return status;
    }
    return {};
  }

  // A run for `size_bytes`, searched from `cursor` on, which moves behind it. Returns its store address.
  // O(units) reads in windows of 32 table bytes, one write of one byte.
  Result<std::uint32_t> allocate(std::uint32_t size_bytes, std::uint32_t& cursor) {
    const std::uint32_t needed = plan_.units_for(size_bytes);
    Window window;  // on the stack, which survives an outage, unlike the allocator's own memory
    std::uint32_t at = cursor < plan_.units ? cursor : 0;
    std::uint32_t run = 0;
    // Once round from the cursor, and on to the end of the run that covers it.
    for (std::uint32_t visited = 0; visited < plan_.units + needed;) {
      std::uint8_t code = 0;
      if (const Status status = entry(window, at, code); !status.ok()) return status.error();
      platform_.charge(Work::step, 1);
      const std::uint32_t length = run_length_of(code);
      run = code == 0 ? run + 1 : 0;
      const std::uint32_t advance = code == 0 ? 1 : length;
      at += advance;
      visited += advance;
      if (run == needed) return claim(at - needed, needed, cursor);
      if (at >= plan_.units) {
        at = 0;
        run = 0;
      }
    }
    return Error::no_storage;
  }

  // Frees the run that begins at `address`. One write of one byte.
  Status release(std::uint32_t address) {
    static constexpr std::byte kFree{0};
    return gateway_.write_home(plan_.table + (address - plan_.first_unit) / plan_.unit_bytes, {&kFree, 1});
  }

 private:
  Result<std::uint32_t> claim(std::uint32_t start, std::uint32_t units, std::uint32_t& cursor) {
    const std::byte code{run_code_of(units)};
    if (const Status status = gateway_.write_home(plan_.table + start, {&code, 1}); !status.ok()) {
      return status.error();
    }
    cursor = start + units < plan_.units ? start + units : 0;
    return plan_.first_unit + start * plan_.unit_bytes;
  }

  struct Window {
    std::byte bytes[32] = {};
    std::uint32_t first = 0;
    std::uint32_t size = 0;
  };

  // The table byte of a unit, through a window that one read fills.
  Status entry(Window& window, std::uint32_t unit, std::uint8_t& code) {
    if (unit < window.first || unit >= window.first + window.size) {
      const std::uint32_t rest = plan_.units - unit;
      window.first = unit;
      window.size = rest < sizeof window.bytes ? rest : static_cast<std::uint32_t>(sizeof window.bytes);
      const Status status = gateway_.read_home(plan_.table + unit, {window.bytes, window.size});
      if (!status.ok()) return status;
    }
    code = static_cast<std::uint8_t>(window.bytes[unit - window.first]);
    return {};
  }

  StorePlan plan_;
  P& platform_;
  Gateway& gateway_;
};

}  // namespace brownout::heap
