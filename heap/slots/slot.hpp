// What a layout of slots has to offer. A slot describes one resident object.
#pragma once

#include <concepts>
#include <cstdint>

#include "heap/layout.hpp"

namespace brownout::heap {

// What the store's record of a slot says, compared with the slot. (Layouts without records: always other.)
enum class Record : std::uint8_t {
  vacant,  // that the slot is free
  same,    // what the slot says
  other,   // something out of date
};

// key       16 bits that tell homes apart; never 0, which an invalid handle has
// block     first granule in RAM; granules: of the block, data and dirty bits together
// borrows   0, the number of readers, or kWriter
// next      next slot in the chain; its own number at the end
// is_listed   the slot has to be in a checkpoint: the store does not say what it says
// is_at_rest  of a slot in use: it need not be, because it is as recorded, clean, and nobody borrows it
// A slot whose object is being read from home has a writer and is not dirty.
template <class S>
concept Slot = requires(S slot, const S& seen, const Geometry& geometry, std::uint32_t n, bool on) {
  { S::kMaxSlots } -> std::convertible_to<std::uint32_t>;
  { S::kMaxReaders } -> std::convertible_to<std::uint32_t>;
  { S::kWriter } -> std::convertible_to<std::uint32_t>;
  { S::kRecords } -> std::convertible_to<bool>;
  { S::kMaxLeaves } -> std::convertible_to<std::uint32_t>;
  { S::kMaxUnits } -> std::convertible_to<std::uint32_t>;
  { S::kId } -> std::convertible_to<std::uint32_t>;
  { S::vacant(n, Record::other) } -> std::same_as<S>;
  { S::block_granules(geometry, n) } -> std::same_as<std::uint32_t>;
  { S::key_of(geometry, n, n) } -> std::same_as<std::uint16_t>;
  { S::of(geometry, n, n, n, on, n) } -> std::same_as<S>;
  { seen.used() } -> std::same_as<bool>;
  { seen.key() } -> std::same_as<std::uint16_t>;
  { seen.home(geometry) } -> std::same_as<std::uint32_t>;
  { seen.block(geometry) } -> std::same_as<std::uint32_t>;
  { seen.granules(geometry) } -> std::same_as<std::uint32_t>;
  { seen.borrows() } -> std::same_as<std::uint32_t>;
  { seen.dirty() } -> std::same_as<bool>;
  { seen.referenced() } -> std::same_as<bool>;
  { seen.partial() } -> std::same_as<bool>;
  { seen.record() } -> std::same_as<Record>;
  { seen.next() } -> std::same_as<std::uint16_t>;
  { seen.is_listed() } -> std::same_as<bool>;
  { seen.is_at_rest() } -> std::same_as<bool>;
  slot.set_borrows(n);
  slot.add_reader();
  slot.remove_reader();
  slot.set_dirty(on);
  slot.set_referenced(on);
  slot.set_record(Record::same);
  slot.set_next(n);
};

// Granules of data, and of dirty bits behind them.
template <Slot S>
constexpr std::uint32_t bits_granules(const S& slot, const Geometry& geometry) {
  return slot.partial() ? dirty_bits_in(slot.granules(geometry)) : 0;
}
template <Slot S>
constexpr std::uint32_t data_granules(const S& slot, const Geometry& geometry) {
  return slot.granules(geometry) - bits_granules(slot, geometry);
}

// Where a key is looked for first. Multiplicative hashing on 16 bits, scaled to the number of slots.
constexpr std::uint16_t main_position(std::uint16_t key, std::uint32_t slots) {
  return static_cast<std::uint16_t>(((key * 40503U & 0xFFFFU) * slots) >> 16U);
}

}  // namespace brownout::heap
