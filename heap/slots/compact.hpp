// Slots of 4 bytes for allocators of power-of-two blocks: 64 residents, 128 leaves of RAM, 2,048 of store.
//
// Home and size are one number: in a binary tree over the leaves of the store, a block of 2^k leaves is the
// node k levels above them. The block in RAM has the same size. There are no records: a clean resident costs
// an image its 4 bytes.
#pragma once

#include <bit>
#include <cstdint>

#include "heap/slots/slot.hpp"

namespace brownout::heap {

// From the lowest bit: node (12 bits, 0: the slot is free), block in RAM in leaves (7), borrows (4), dirty,
// referenced, partial, next (6).
class CompactSlot {
 public:
  static constexpr std::uint32_t kId = 0x4334;
  static constexpr std::uint32_t kMaxSlots = 64;
  static constexpr std::uint32_t kMaxReaders = 14;
  static constexpr std::uint32_t kWriter = 15;
  static constexpr bool kRecords = false;
  static constexpr std::uint32_t kMaxLeaves = 128;
  static constexpr std::uint32_t kMaxUnits = 2048;

  static constexpr CompactSlot vacant(std::uint32_t index, Record) {
    CompactSlot slot;
    slot.set_next(index);
    return slot;
  }
  static constexpr CompactSlot of(const Geometry& geometry, std::uint32_t home, std::uint32_t block,
                                  std::uint32_t granules, bool partial, std::uint32_t borrows) {
    CompactSlot slot;
    const std::uint32_t leaf = (block - geometry.first_granule()) / geometry.leaf_granules;
    slot.bits_ = key_of(geometry, home, granules) | leaf << kBlockShift | (partial ? kPartial : 0U);
    slot.set_borrows(borrows);
    return slot;
  }
  // A block takes a power of two of leaves.
  static constexpr std::uint32_t block_granules(const Geometry& geometry, std::uint32_t needed) {
    return std::bit_ceil((needed + geometry.leaf_granules - 1) / geometry.leaf_granules) *
           geometry.leaf_granules;
  }
  static constexpr std::uint16_t key_of(const Geometry& geometry, std::uint32_t home,
                                        std::uint32_t granules) {
    const std::uint32_t leaf = (home - geometry.store.first_unit) / geometry.store.unit_bytes;
    return static_cast<std::uint16_t>((kMaxUnits + leaf) >> order_of(granules / geometry.leaf_granules));
  }

  [[nodiscard]] constexpr bool used() const { return key() != 0; }
  [[nodiscard]] constexpr std::uint16_t key() const { return static_cast<std::uint16_t>(bits_ & 0xFFFU); }
  [[nodiscard]] constexpr std::uint32_t home(const Geometry& geometry) const {
    const std::uint32_t leaf = (std::uint32_t{key()} << order()) - kMaxUnits;
    return geometry.store.first_unit + leaf * geometry.store.unit_bytes;
  }
  [[nodiscard]] constexpr std::uint32_t block(const Geometry& geometry) const {
    return geometry.first_granule() + (bits_ >> kBlockShift & 127U) * geometry.leaf_granules;
  }
  [[nodiscard]] constexpr std::uint32_t granules(const Geometry& geometry) const {
    return geometry.leaf_granules << order();
  }
  [[nodiscard]] constexpr std::uint32_t borrows() const { return bits_ >> kBorrowShift & 15U; }
  [[nodiscard]] constexpr bool dirty() const { return (bits_ & kDirty) != 0; }
  [[nodiscard]] constexpr bool referenced() const { return (bits_ & kReferenced) != 0; }
  [[nodiscard]] constexpr bool partial() const { return (bits_ & kPartial) != 0; }
  [[nodiscard]] static constexpr Record record() { return Record::other; }
  [[nodiscard]] constexpr std::uint16_t next() const {
    return static_cast<std::uint16_t>(bits_ >> kNextShift);
  }

  [[nodiscard]] static constexpr bool is_at_rest() { return false; }
  [[nodiscard]] constexpr bool is_listed() const { return used(); }

  constexpr void set_borrows(std::uint32_t n) { put(15 * kOneReader, n << kBorrowShift); }
  constexpr void add_reader() { bits_ += kOneReader; }
  constexpr void remove_reader() { bits_ -= kOneReader; }
  constexpr void set_dirty(bool on) { put(kDirty, on ? kDirty : 0U); }
  constexpr void set_referenced(bool on) { put(kReferenced, on ? kReferenced : 0U); }
  constexpr void set_record(Record) {}
  constexpr void set_next(std::uint32_t index) { put(kNextMask, index << kNextShift); }

 private:
  static constexpr std::uint32_t kBlockShift = 12;
  static constexpr std::uint32_t kBorrowShift = 19;
  static constexpr std::uint32_t kOneReader = std::uint32_t{1} << kBorrowShift;
  static constexpr std::uint32_t kDirty = 0x80'0000;
  static constexpr std::uint32_t kReferenced = 0x100'0000;
  static constexpr std::uint32_t kPartial = 0x200'0000;
  static constexpr std::uint32_t kNextShift = 26;
  static constexpr std::uint32_t kNextMask = std::uint32_t{0x3F} << kNextShift;

  // Of a power of two.
  static constexpr std::uint32_t order_of(std::uint32_t leaves) {
    return static_cast<std::uint32_t>(std::bit_width(leaves)) - 1U;
  }
  [[nodiscard]] constexpr std::uint32_t order() const {
    return static_cast<std::uint32_t>(std::bit_width(kMaxUnits)) -
           static_cast<std::uint32_t>(std::bit_width(std::uint32_t{key()}));
  }
  constexpr void put(std::uint32_t mask, std::uint32_t bits) { bits_ = (bits_ & ~mask) | bits; }

  std::uint32_t bits_ = 0;
};
static_assert(sizeof(CompactSlot) == 4 && Slot<CompactSlot>);

}  // namespace brownout::heap
