// Where everything lies: the heap's RAM (control, slots, index, objects) and the store (mark, two
// checkpoint slots, objects). All structures have fixed widths and hold offsets, never pointers, so a
// budget in bytes means the same on a 64-bit host and on a microcontroller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "heap/types.hpp"

namespace brownout::heap {

inline constexpr std::uint32_t kGranule = 8;               // RAM is allocated in granules
inline constexpr std::uint32_t kMaxRamBytes = 512 * 1024;  // 16-bit granule numbers
inline constexpr std::uint32_t kMaxObjectBytes = 2047 * kGranule;
inline constexpr std::uint16_t kNone = 0xFFFF;  // no slot
inline constexpr std::uint32_t kMaxSlots = 4096;

// The heap's volatile state. First thing in its RAM.
struct Control {
  std::uint32_t sequence = 0;         // of the last checkpoint that was completed; 0: none yet
  std::uint32_t marked_sequence = 0;  // the store says "running since": no second mark is needed
  std::uint32_t dirty_bytes = 0;      // of all dirty objects, in whole granules
  std::uint32_t store_cursor = 0;     // the store allocator's place to go on searching
  std::uint32_t policy_state = 0;
  std::uint16_t slot_high = 0;  // slots [0, slot_high) may be in use: what a checkpoint saves
  std::uint16_t slots_used = 0;
  std::uint16_t free_head = 0;  // first free block in RAM, as a granule number; 0: none
  std::uint16_t free_granules = 0;
};
static_assert(sizeof(Control) == 28 && offsetof(Control, free_head) == 24);

// One resident object: 8 bytes, in RAM and in the checkpoint alike.
//   home   store offset (a multiple of 8) and in its low bits: dirty, loading, referenced
//   block  RAM granule of the first byte; 0: the slot is free
//   extent size in granules (11 bits) and borrows (5 bits)
struct Slot {
  static constexpr std::uint32_t kDirty = 1;
  static constexpr std::uint32_t kLoading = 2;
  static constexpr std::uint32_t kFlags = 7;
  static constexpr std::uint32_t kSizeMask = 0x7FF;
  static constexpr std::uint32_t kWriter = 31;  // value of borrows(): one mutable borrow
  static constexpr std::uint32_t kMaxReaders = 30;

  std::uint32_t home_flags = 0;
  std::uint16_t block = 0;
  std::uint16_t extent = 0;

  [[nodiscard]] bool used() const { return block != 0; }
  [[nodiscard]] std::uint32_t home() const { return home_flags & ~kFlags; }
  [[nodiscard]] bool dirty() const { return (home_flags & kDirty) != 0; }
  [[nodiscard]] bool loading() const { return (home_flags & kLoading) != 0; }
  [[nodiscard]] std::uint32_t granules() const { return extent & kSizeMask; }
  [[nodiscard]] std::uint32_t size_bytes() const { return granules() * kGranule; }
  [[nodiscard]] std::uint32_t ram_offset() const { return std::uint32_t{block} * kGranule; }
  [[nodiscard]] std::uint32_t borrows() const { return std::uint32_t{extent} >> 11U; }
  void set_borrows(std::uint32_t n) {
    extent = static_cast<std::uint16_t>((extent & kSizeMask) | (n << 11U));
  }
  void set_flag(std::uint32_t flag, bool on) { home_flags = on ? (home_flags | flag) : (home_flags & ~flag); }
};
static_assert(sizeof(Slot) == 8 && offsetof(Slot, extent) == 6);

// A free block of RAM, written into its first granule. Lengths are in granules.
struct FreeBlock {
  std::uint16_t next = 0;
  std::uint16_t granules = 0;
};
static_assert(sizeof(FreeBlock) == 4);

struct HeapConfig {
  std::uint32_t ram_bytes = 0;          // all of the heap's RAM, its own structures included
  std::uint32_t dirty_limit_bytes = 0;  // the most that one checkpoint writes, the OS part apart
  std::uint32_t max_residents = 0;      // slots; 0: Geometry::default_residents
  std::uint32_t store_bytes = 0;        // for objects and their allocator; 0: what the store has left
  std::uint32_t os_bytes = 0;           // the OS part of a checkpoint
};

// Checkpoint: header, slots, dirty objects, OS part, trailer, written in one burst.
struct CheckpointHeader {
  static constexpr std::uint32_t kMagic = 0x314F'7242;  // "BrO1"
  std::uint32_t magic = kMagic;
  std::uint32_t config = 0;  // fingerprint of version and configuration
  std::uint32_t sequence = 0;
  std::uint32_t length = 0;  // of the whole image, header and trailer included
  std::uint32_t store_cursor = 0;
  std::uint32_t policy_state = 0;
  std::uint32_t dirty_bytes = 0;
  std::uint16_t slot_high = 0;
  std::uint16_t os_granules = 0;
  std::uint32_t checksum = 0;  // CRC-32C of the fields above
};
static_assert(sizeof(CheckpointHeader) == 36);

struct CheckpointTrailer {
  std::uint32_t sequence = 0;
  std::uint32_t checksum = 0;  // CRC-32C of everything before the trailer
};
static_assert(sizeof(CheckpointTrailer) == 8);

// "The program runs on since checkpoint `sequence`": written before the first write outside the
// checkpoint slots that follows it. Valid if the two fields are complements.
struct RunningMark {
  std::uint32_t sequence = 0;
  std::uint32_t complement = 0;
};
static_assert(sizeof(RunningMark) == 8);

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint32_t kCheckpointOverheadBytes =
    sizeof(CheckpointHeader) + sizeof(CheckpointTrailer);

// What the configuration comes to, computed once and by everyone in the same way.
struct Geometry {
  HeapConfig config;  // with the defaults resolved
  std::uint32_t slots_offset = 0;
  std::uint32_t chain_offset = 0;
  std::uint32_t bucket_offset = 0;
  std::uint32_t buckets = 0;  // a power of two
  std::uint32_t objects_offset = 0;
  std::uint32_t checkpoint_base = 0;  // in the store
  std::uint32_t checkpoint_stride = 0;
  std::uint32_t store_base = 0;
  std::uint32_t store_end = 0;

  // The geometry of a configuration on a store of that size; bad_configuration if RAM cannot hold the
  // structures and one object, the limit cannot hold one object, or the store is too small. O(1).
  static constexpr Error plan(const HeapConfig& wanted, std::uint32_t storage_bytes, Geometry& out) {
    out.config = wanted;
    HeapConfig& c = out.config;
    if (c.dirty_limit_bytes < kCheckpointOverheadBytes + sizeof(Slot) + kGranule)
      return Error::bad_configuration;
    if (c.max_residents == 0) c.max_residents = default_residents(c);
    if (c.max_residents > kMaxSlots) return Error::bad_configuration;
    out.buckets = 1;
    while (out.buckets * 2 < c.max_residents) out.buckets *= 2;
    out.slots_offset = round_up_8(sizeof(Control));
    out.chain_offset = out.slots_offset + c.max_residents * static_cast<std::uint32_t>(sizeof(Slot));
    out.bucket_offset = out.chain_offset + c.max_residents * 2;
    out.objects_offset = round_up_8(out.bucket_offset + out.buckets * 2);
    out.checkpoint_base = sizeof(RunningMark);
    out.checkpoint_stride = round_up_8(c.dirty_limit_bytes) + round_up_8(c.os_bytes);
    out.store_base = out.checkpoint_base + 2 * out.checkpoint_stride;
    if (c.ram_bytes > kMaxRamBytes || c.ram_bytes < out.objects_offset + kGranule)
      return Error::bad_configuration;
    if (out.smallest_limit(kGranule) > c.dirty_limit_bytes) return Error::bad_configuration;
    if (storage_bytes <= out.store_base) return Error::bad_configuration;
    if (c.store_bytes == 0) c.store_bytes = storage_bytes - out.store_base;
    if (c.store_bytes > storage_bytes - out.store_base) return Error::bad_configuration;
    out.store_end = out.store_base + c.store_bytes;
    return Error::none;
  }

  // The least dirty limit with which an object of that size can be written, whatever else is resident.
  [[nodiscard]] constexpr std::uint32_t smallest_limit(std::uint32_t object_bytes) const {
    return kCheckpointOverheadBytes + config.max_residents * static_cast<std::uint32_t>(sizeof(Slot)) +
           round_up_8(object_bytes);
  }
  // One slot for every 64 bytes of RAM, as long as all slots fill no more than a quarter of a checkpoint.
  static constexpr std::uint32_t default_residents(const HeapConfig& config) {
    const std::uint32_t by_ram = config.ram_bytes / 64;
    const std::uint32_t by_limit = (config.dirty_limit_bytes - kCheckpointOverheadBytes) / (4 * sizeof(Slot));
    const std::uint32_t wanted = by_ram < by_limit ? by_ram : by_limit;
    return wanted < 1 ? 1 : wanted > kMaxSlots ? kMaxSlots : wanted;
  }
  // The bucket of the index that an object at that store address hangs in (multiplicative hashing).
  [[nodiscard]] constexpr std::uint32_t bucket_of(std::uint32_t home) const {
    return ((home / kGranule) * 2654435761U >> 16U) & (buckets - 1U);
  }
  [[nodiscard]] constexpr std::uint32_t checkpoint_address(std::uint32_t sequence) const {
    return checkpoint_base + (sequence & 1U) * checkpoint_stride;
  }
  // Identifies version and configuration in a checkpoint. FNV-1a over the words.
  [[nodiscard]] constexpr std::uint32_t fingerprint() const {
    std::uint32_t hash = 2166136261U;
    for (const std::uint32_t word : {kFormatVersion, config.ram_bytes, config.dirty_limit_bytes,
                                     config.max_residents, config.store_bytes, config.os_bytes}) {
      for (std::uint32_t shift = 0; shift < 32; shift += 8) {
        hash = (hash ^ ((word >> shift) & 0xFFU)) * 16777619U;
      }
    }
    return hash;
  }
};

// Typed access to the heap's RAM by offset.
class Arena {
 public:
  Arena(std::byte* base, const Geometry& geometry) : base_(base), geometry_(&geometry) {}

  [[nodiscard]] std::byte* at(std::uint32_t offset) const { return base_ + offset; }
  [[nodiscard]] Control& control() const { return *reinterpret_cast<Control*>(base_); }
  [[nodiscard]] Slot& slot(std::uint32_t index) const {
    return reinterpret_cast<Slot*>(base_ + geometry_->slots_offset)[index];
  }
  [[nodiscard]] std::uint16_t& chain(std::uint32_t slot) const {
    return reinterpret_cast<std::uint16_t*>(base_ + geometry_->chain_offset)[slot];
  }
  [[nodiscard]] std::uint16_t& bucket(std::uint32_t index) const {
    return reinterpret_cast<std::uint16_t*>(base_ + geometry_->bucket_offset)[index];
  }
  [[nodiscard]] FreeBlock& free_block(std::uint32_t granule) const {
    return *reinterpret_cast<FreeBlock*>(base_ + granule * kGranule);
  }
  [[nodiscard]] const Geometry& geometry() const { return *geometry_; }

 private:
  std::byte* base_;
  const Geometry* geometry_;
};

}  // namespace brownout::heap
