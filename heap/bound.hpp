// What the worst persist of a configuration can come to: the number that sizes the capacitor.
//
// A constant expression of configuration and modules, in the units of work that firmware reports; the board's
// costs make time and energy of it. Nothing here depends on what a program does, but for what it declares of
// its objects.
#pragma once

#include <bit>
#include <cstdint>

#include "heap/layout.hpp"

namespace brownout::heap {

// What a program declares of its objects. Small ones cost an image more pieces; large ones have longer
// transfers, which the interrupt may have to stop.
struct Population {
  std::uint32_t smallest_bytes = kGranule;  // of objects that are dirty as a whole
  bool partial = true;                      // whether it has objects that are dirty in parts
  std::uint32_t largest_bytes = 0;          // 0: as large as RAM allows
};

// What the store does with a transfer that fails, or may have failed unnoticed.
struct StorePolicy {
  std::uint32_t retries = 0;  // as SpiFramConfig has it
  bool verified = false;      // writes are read back (VerifiedStorage)
};

// All counts are those of one attempt.
struct PersistBound {
  std::uint32_t attempts = 1;  // the last of which succeeds
  std::uint32_t read_back_bytes =
      0;                       // in one more transfer; a byte of checksum for each, and each written one
  std::uint32_t bytes = 0;     // written in one transfer, the OS part included
  std::uint32_t os_bytes = 0;  // of these
  std::uint32_t pieces = 0;    // of memory that are gathered
  std::uint32_t steps = 0;     // Work::step
  std::uint32_t checksum_bytes = 0;  // Work::checksum_byte
  std::uint32_t calls = 0;           // Work::call
  // The longest critical section that the interrupt may have to wait for: entering it, and so many steps.
  std::uint32_t section_steps = 0;
  // The longest transfer that the interrupt may have to stop: what is left of it, where the controller
  // cannot.
  std::uint32_t longest_transfer_bytes = 0;
};

namespace bound {

// The most pieces of slots, bits and data that `budget` bytes can be cut into. Slots are in one piece as long
// as they are neighbours, so there are as many runs as there are gaps; each object has its data, and one that
// is dirty in parts has its bits and runs of blocks besides.
constexpr std::uint32_t most_pieces(const Geometry& geometry, std::uint32_t budget,
                                    const Population& population) {
  const std::uint32_t slot = geometry.modules.slot_bytes;
  const std::uint32_t slots = geometry.config.max_residents;
  const std::uint32_t whole = round_up_8(population.smallest_bytes == 0 ? 1 : population.smallest_bytes);
  std::uint32_t most = 0;
  for (std::uint32_t listed = 0; listed <= slots && listed * slot <= budget; ++listed) {
    const std::uint32_t left = budget - listed * slot;
    // In parts: bits and a block, two pieces for 16 B at the least and a block more for each further one.
    const std::uint32_t in_parts = population.partial ? left / kGranule : 0;
    const std::uint32_t of_wholes = left / whole < listed ? left / whole : listed;
    const std::uint32_t parts = 2 * listed + left / kDirtyBlockBytes;
    const std::uint32_t data = population.partial ? (in_parts < parts ? in_parts : parts) : of_wholes;
    const std::uint32_t gaps = slots - listed + 1;
    const std::uint32_t pieces = (listed < gaps ? listed : gaps) + data;
    if (pieces > most) most = pieces;
  }
  return most;
}

// Of the block of RAM that an object can have: allocators round up to a power of two at the most.
constexpr std::uint32_t largest_granules(const Geometry& geometry, const Population& population) {
  const std::uint32_t limit =
      geometry.object_granules() < kMaxBlockGranules ? geometry.object_granules() : kMaxBlockGranules;
  if (population.largest_bytes == 0 || population.largest_bytes > limit * kGranule) return limit;
  const std::uint32_t block = std::bit_ceil(round_up_8(population.largest_bytes) / kGranule);
  return block < limit ? block : limit;
}

}  // namespace bound

// O(max_residents), at compile time if the geometry is a constant.
constexpr PersistBound worst_case_persist(const Geometry& geometry, const Population& population = {},
                                          const StorePolicy& policy = {}) {
  const HeapConfig& config = geometry.config;
  const std::uint32_t empty = geometry.empty_image_bytes();
  // Everything listed and everything dirty, if the limit allows for that.
  const std::uint32_t all =
      empty + config.max_residents * geometry.modules.slot_bytes + geometry.object_granules() * kGranule;
  const std::uint32_t image = all < config.dirty_limit_bytes ? all : config.dirty_limit_bytes;
  const std::uint32_t bitmaps = geometry.modules.referenced_bits ? 2 : 1;
  const std::uint32_t largest = bound::largest_granules(geometry, population);
  const std::uint32_t variable = bound::most_pieces(geometry, image - empty, population);

  PersistBound bound;
  bound.os_bytes = config.os_bytes;
  bound.bytes = image + config.os_bytes;
  bound.attempts = 1 + policy.retries;
  bound.read_back_bytes = policy.verified ? bound.bytes : 0;
  // Header, control, bitmaps word by word, OS part, trailer.
  bound.pieces = 3 + bitmaps * geometry.bitmap_bytes() / kGranule + (config.os_bytes > 0 ? 1 : 0) + variable;
  // Counting, bitmaps, slots, bits and data each walk over all slots; runs of dirty blocks are steps of their
  // own.
  bound.steps = (4 + bitmaps) * config.max_residents + variable;
  // All but the trailer, and the header once more by itself.
  bound.checksum_bytes = bound.bytes - static_cast<std::uint32_t>(sizeof(CheckpointTrailer)) +
                         static_cast<std::uint32_t>(offsetof(CheckpointHeader, checksum));
  bound.calls = 1;
  // Splitting a block of RAM into halves down to one granule, two of them a step.
  bound.section_steps = static_cast<std::uint32_t>(std::bit_width(geometry.object_granules())) / 2;
  const std::uint32_t records = config.max_residents * geometry.modules.slot_bytes;
  const std::uint32_t object = largest * kGranule;
  bound.longest_transfer_bytes = object > records ? object : records;
  return bound;
}

}  // namespace brownout::heap
