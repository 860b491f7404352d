// What the heap needs of an allocator of RAM.
#pragma once

#include <concepts>
#include <cstdint>

#include "heap/layout.hpp"

namespace brownout::heap {

// Blocks are in granules of 8 bytes from geometry.first_granule() on, geometry.object_granules() of them, and
// carry no header: whoever frees a block says its size. What is free is a function of what is allocated,
// however that came about (the list of free blocks is in order of addresses and joined as far as the
// allocator joins), because it is not saved: the restore builds it anew from the slots, by find_at() and
// take(), and an interrupted search goes on in the very list that it began in.
//
//   A(arena, platform)
//   reset()                              everything is free
//   find(granules, place)                a block of at least so many granules; false: there is none
//   find_at(block, granules, place)      that very block; false: it is not free
//   take(place)                          allocates what find or find_at found
//   find_return(block, granules, place)  where a block goes that find or find_at gave with that size
//   give_back(place)                     frees it
//
// Searches only read, and charge a step for each free block that they look at; the persist interrupt may
// strike in them. take() and give_back() are called in critical sections, with nothing changed since the
// search: they take O(log RAM) steps at most.
template <class A>
concept RamAllocator = requires(A allocator, const A& seen, typename A::Place& place, std::uint32_t n) {
  { A::kId } -> std::convertible_to<std::uint32_t>;
  { A::kPowersOfTwo } -> std::convertible_to<bool>;
  allocator.reset();
  { seen.find(n, place) } -> std::same_as<bool>;
  { seen.find_at(n, n, place) } -> std::same_as<bool>;
  { seen.find_return(n, n, place) } -> std::same_as<void>;
  { place.block } -> std::convertible_to<std::uint32_t>;
  allocator.take(place);
  allocator.give_back(place);
};

}  // namespace brownout::heap
