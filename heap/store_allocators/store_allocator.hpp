// What the heap needs of an allocator of the store.
#pragma once

#include <concepts>
#include <cstdint>

#include "heap/layout.hpp"
#include "heap/types.hpp"

namespace brownout::heap {

// Where an object is to have its home, and the one byte of the table that makes it so.
struct StorePlace {
  std::uint32_t home = 0;
  std::uint32_t entry = 0;   // address of the table byte
  std::uint8_t claimed = 0;  // its value once the place is allocated
  std::uint8_t before = 0;   // its value now
};

// An allocator changes its table one byte at a time, which the store makes atomic, and is sound before and
// after each such change, without a stack to return to: an object's place is either allocated or free.
//
//   A(arena, platform, gateway)
//   plan(base, end, unit_bytes)  how the region [base, end) is divided; unit_bytes 0: as the allocator
//   chooses;
//                                no units if that cannot be
//   format()                     everything is free
//   find(size_bytes)             a place of at least that size; reads only; no_storage
//   claim(place)                 allocates it: one byte written
//   release(home, size_bytes)    frees what find() gave for that size: one byte written
//   holds(home, size_bytes)      whether what is allocated there is what find() gave for that size; reads
//   only next_allocated(unit, units)  moves `unit` on to the next allocated place, from itself on, of so many
//   units; 0
//                                units if there is none; reads only
//
// If a write of the table fails, nobody knows whether it took effect. The allocator then remembers in
// Control::repair_at what the byte was to be all the time, and writes it before it does anything else: so
// nothing leaks, and nothing is handed out twice.
template <class A>
concept StoreAllocator = requires(A allocator, std::uint32_t n, const StorePlace& place,
                                  std::uint32_t& unit) {
  { A::kId } -> std::convertible_to<std::uint32_t>;
  { A::kPowersOfTwo } -> std::convertible_to<bool>;
  { A::plan(n, n, n) } -> std::same_as<StorePlan>;
  { allocator.format() } -> std::same_as<Status>;
  { allocator.find(n) } -> std::same_as<Result<StorePlace>>;
  { allocator.claim(place) } -> std::same_as<Status>;
  { allocator.release(n, n) } -> std::same_as<Status>;
  { allocator.holds(n, n) } -> std::same_as<Result<bool>>;
  { allocator.next_allocated(unit, unit) } -> std::same_as<Status>;
};

}  // namespace brownout::heap
