// Slots of 8 bytes for allocators of any kind: 512 KiB of RAM, 512 KiB of store, 4,096 residents.
#pragma once

#include <cstdint>

#include "heap/slots/slot.hpp"

namespace brownout::heap {

// Two words, so that what changes outside of critical sections is in one of them:
//   place  home in granules (16 bits), block in RAM in granules (16 bits, 0: the slot is free)
//   state  from the lowest bit: granules (11), borrows (4), dirty, referenced, partial, record (2), next (12)
class StandardSlot {
 public:
  static constexpr std::uint32_t kId = 0x5334;  // of this layout, in an image's fingerprint
  static constexpr std::uint32_t kMaxSlots = 4096;
  static constexpr std::uint32_t kMaxReaders = 14;
  static constexpr std::uint32_t kWriter = 15;
  static constexpr bool kRecords = true;
  static constexpr std::uint32_t kMaxLeaves = 0;
  static constexpr std::uint32_t kMaxUnits = 0;

  // A free slot. No home has its key.
  static constexpr StandardSlot vacant(std::uint32_t index, Record record) {
    StandardSlot slot;
    slot.place_ = kNone;
    slot.set_record(record);
    slot.set_next(index);
    return slot;
  }
  static constexpr StandardSlot of(const Geometry&, std::uint32_t home, std::uint32_t block,
                                   std::uint32_t granules, bool partial, std::uint32_t borrows) {
    StandardSlot slot;
    slot.place_ = home / kGranule | block << 16U;
    slot.state_ = granules | borrows << kBorrowShift | (partial ? kPartial : 0U);
    return slot;
  }
  // A block in RAM takes as many granules as it needs.
  static constexpr std::uint32_t block_granules(const Geometry&, std::uint32_t needed) { return needed; }
  static constexpr std::uint16_t key_of(const Geometry&, std::uint32_t home, std::uint32_t) {
    return static_cast<std::uint16_t>(home / kGranule);
  }

  [[nodiscard]] constexpr bool used() const { return place_ >> 16U != 0; }
  [[nodiscard]] constexpr std::uint16_t key() const { return static_cast<std::uint16_t>(place_); }
  [[nodiscard]] constexpr std::uint32_t home(const Geometry&) const { return (place_ & 0xFFFFU) * kGranule; }
  [[nodiscard]] constexpr std::uint32_t block(const Geometry&) const { return place_ >> 16U; }
  [[nodiscard]] constexpr std::uint32_t granules(const Geometry&) const { return state_ & kMaxBlockGranules; }
  [[nodiscard]] constexpr std::uint32_t borrows() const { return state_ >> kBorrowShift & 15U; }
  [[nodiscard]] constexpr bool dirty() const { return (state_ & kDirty) != 0; }
  [[nodiscard]] constexpr bool referenced() const { return (state_ & kReferenced) != 0; }
  [[nodiscard]] constexpr bool partial() const { return (state_ & kPartial) != 0; }
  [[nodiscard]] constexpr Record record() const { return static_cast<Record>(state_ >> kRecordShift & 3U); }
  [[nodiscard]] constexpr std::uint16_t next() const {
    return static_cast<std::uint16_t>(state_ >> kNextShift);
  }

  [[nodiscard]] constexpr bool is_at_rest() const {
    constexpr std::uint32_t kSame = static_cast<std::uint32_t>(Record::same) << kRecordShift;
    return (state_ & (kDirty | kBorrows | kRecordMask)) == kSame;
  }
  // A free slot is listed if its record says otherwise.
  [[nodiscard]] constexpr bool is_listed() const {
    return used() ? !is_at_rest() : record() == Record::other;
  }

  constexpr void set_borrows(std::uint32_t n) { put(kBorrows, n << kBorrowShift); }
  constexpr void add_reader() { state_ += 1U << kBorrowShift; }
  constexpr void remove_reader() { state_ -= 1U << kBorrowShift; }
  constexpr void set_dirty(bool on) { put(kDirty, on ? kDirty : 0U); }
  constexpr void set_referenced(bool on) { put(kReferenced, on ? kReferenced : 0U); }
  constexpr void set_record(Record record) {
    put(kRecordMask, static_cast<std::uint32_t>(record) << kRecordShift);
  }
  constexpr void set_next(std::uint32_t index) { put(kNextMask, index << kNextShift); }

 private:
  static constexpr std::uint32_t kBorrowShift = 11;
  static constexpr std::uint32_t kBorrows = 15U << kBorrowShift;
  static constexpr std::uint32_t kDirty = 1U << 15U;
  static constexpr std::uint32_t kReferenced = 0x1'0000;
  static constexpr std::uint32_t kPartial = 0x2'0000;
  static constexpr std::uint32_t kRecordShift = 18;
  static constexpr std::uint32_t kRecordMask = std::uint32_t{3} << kRecordShift;
  static constexpr std::uint32_t kNextShift = 20;
  static constexpr std::uint32_t kNextMask = std::uint32_t{0xFFF} << kNextShift;

  constexpr void put(std::uint32_t mask, std::uint32_t bits) { state_ = (state_ & ~mask) | bits; }

  std::uint32_t place_ = 0;
  std::uint32_t state_ = 0;
};
static_assert(sizeof(StandardSlot) == 8 && Slot<StandardSlot>);

}  // namespace brownout::heap
