// Where everything lies: the heap's RAM (control, slots, objects) and the store (superblock, mark, two
// checkpoints, write intent, roots, slot records, objects). All structures have fixed widths and hold
// offsets, never pointers, so a budget in bytes means the same on a 64-bit host and on a microcontroller.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heap/types.hpp"

namespace brownout::heap {

inline constexpr std::uint32_t kKibi = 1024;                 // 32 bits: an int of firmware may have 16
inline constexpr std::uint32_t kGranule = 8;                 // RAM and homes are allocated in granules
inline constexpr std::uint32_t kMaxRamBytes = 512U * kKibi;  // 16-bit granule numbers
// 16-bit granule numbers, the last of which stands for no home.
inline constexpr std::uint32_t kMaxStoreBytes = 512U * kKibi - kGranule;
inline constexpr std::uint32_t kMaxBlockGranules = 2047;  // of an object in RAM, dirty bits included
inline constexpr std::uint16_t kNone = 0xFFFF;            // no slot

// Partial dirtiness: an array is cut into blocks of this size; one bit a block says that it is dirty. The
// bits lie behind the data, in granules of their own.
inline constexpr std::uint32_t kDirtyBlockBytes = 32;
inline constexpr std::uint32_t kDirtyBlockGranules = kDirtyBlockBytes / kGranule;
// Granules of dirty bits that so many granules of data need.
constexpr std::uint32_t dirty_bits_for(std::uint32_t data_granules) { return (data_granules + 255) / 256; }
// Granules of dirty bits in a block of so many granules, data and bits together.
constexpr std::uint32_t dirty_bits_in(std::uint32_t block_granules) { return (block_granules + 256) / 257; }

// The heap's volatile state. First thing in its RAM.
struct Control {
  // Of the last checkpoint that was completed (or that failed, once the program has run on after it); 0: none
  // yet.
  std::uint32_t sequence = 0;
  // Equal to `sequence`: the store says "running since", no second mark is needed. A later one: of a persist
  // that failed, whose image may be there in part or whole (has_disowned()).
  std::uint32_t marked_sequence = 0;
  std::uint32_t image_bytes = 0;   // what a checkpoint would write, the OS part apart; may lag behind
                                   // for a moment, but then on the high side
  std::uint32_t store_cursor = 0;  // the store allocator's place to go on searching
  std::uint32_t policy_state = 0;  // the policy's hands
  std::uint32_t repair_at = 0;     // table byte in the store whose write failed, 0: none;
                                   // is written before anything else in the table
  std::uint16_t residents = 0;
  std::uint16_t free_head = 0;  // first free block in RAM, as a granule number; 0: none
  std::uint16_t free_granules = 0;
  std::uint8_t repair_value = 0;
  std::uint8_t in_doubt = 0;  // what attach() named from the intent has not been reclaimed yet

  [[nodiscard]] constexpr bool has_disowned() const;
};
static_assert(sizeof(Control) == 32 && offsetof(Control, residents) == 24);
// What a checkpoint saves of it: all but the two sequence numbers, which header and mark tell.
inline constexpr std::uint32_t kSavedControlOffset = offsetof(Control, image_bytes);
inline constexpr std::uint32_t kSavedControlBytes = sizeof(Control) - kSavedControlOffset;

// A free block of RAM, written into its first granule. Lengths are in granules. The list of free blocks is
// in order of addresses.
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
  std::uint32_t store_unit_bytes = 0;   // the store allocator's unit, a multiple of 8; 0: as it chooses
  std::uint32_t os_bytes = 0;           // the OS part of a checkpoint, a multiple of 8
  std::uint32_t max_roots = 4;          // named roots that the store has room for, kMaxRoots at most
  bool write_intents = false;  // what is about to be written home is noted in the store first, so that
                               // attach() can tell which object a cut may have torn
};

// How a store allocator divides its region: a table, then units.
struct StorePlan {
  std::uint32_t table = 0;        // address of the table
  std::uint32_t table_bytes = 0;  // its size
  std::uint32_t first_unit = 0;   // address of unit 0, a multiple of 8
  std::uint32_t unit_bytes = 0;   // a multiple of 8
  std::uint32_t units = 0;        // 0: the region is too small
};

// What Geometry has to know of a heap's modules.
struct ModuleTraits {
  std::uint32_t id = 0;          // tells module choices apart in an image
  std::uint32_t slot_bytes = 0;  // in RAM and in an image
  std::uint32_t max_slots = 0;
  bool records = false;          // clean residents are recorded in the store, and cost an image nothing
  bool referenced_bits = false;  // the policy's bits are saved for slots that are not in the image
  std::uint32_t max_leaves = 0;  // blocks are powers of two of a leaf; RAM has at most so many; 0: granules
  std::uint32_t max_units = 0;   // the store has at most so many leaves
  StorePlan (*plan_store)(std::uint32_t base, std::uint32_t end, std::uint32_t unit_bytes) = nullptr;
};

// Image: header, saved part of Control, bitmaps, slots, dirty bits of arrays, dirty data, OS part, trailer,
// written in one burst.
struct CheckpointHeader {
  static constexpr std::uint32_t kMagic = 0x324F'7242;  // "BrO2"
  std::uint32_t magic = kMagic;
  std::uint32_t config = 0;  // fingerprint of version, configuration, modules
  std::uint32_t sequence = 0;
  std::uint32_t length = 0;         // of the whole image, header and trailer included
  std::uint32_t data_bytes = 0;     // dirty data
  std::uint16_t slots = 0;          // in the image
  std::uint16_t dirty_bits = 0;     // granules of dirty bits of arrays
  std::uint16_t recorded_high = 0;  // records [0, recorded_high) have to be read
  std::uint16_t version = 0;
  std::uint32_t checksum = 0;  // CRC-32C of the fields above
};
static_assert(sizeof(CheckpointHeader) == 32);

struct CheckpointTrailer {
  std::uint32_t sequence = 0;
  std::uint32_t checksum = 0;  // CRC-32C of everything before the trailer
};
static_assert(sizeof(CheckpointTrailer) == 8);

// "The program runs on since checkpoint `sequence`": written before the first write outside the
// checkpoints that follows it. Valid if the two fields are complements.
struct RunningMark {
  std::uint32_t sequence = 0;
  std::uint32_t complement = 0;
};
static_assert(sizeof(RunningMark) == 8);
// Two places in turn, by the low bit of the sequence, so that a mark that is cut while it is written leaves
// the one before: it may be the only one that says that the newest whole image is stale. (A mark that follows
// another with no whole image in between is of a persist that failed, and never has the same low bit.)
struct RunningMarks {
  RunningMark places[2];
  // What a format leaves: no mark, but the sequence that the next image follows. Neither valid nor damaged:
  // the field behind the sequence is the sequence once more.
  [[nodiscard]] static constexpr RunningMarks formatted(std::uint32_t sequence) {
    RunningMarks marks;
    marks.places[sequence & 1U] = {sequence, sequence};
    return marks;
  }
  // The newest that is valid; 0: none.
  [[nodiscard]] constexpr std::uint32_t sequence() const;
  // The newest that is there in any form; 0: none.
  [[nodiscard]] constexpr std::uint32_t latest() const;
  // One is neither valid nor nothing: it was cut, or it was read wrong.
  [[nodiscard]] constexpr bool damaged() const;
};
static_assert(sizeof(RunningMarks) == 16);

// The sequence that follows. Skips 0, which stands for no checkpoint, and 1, which would take the same place
// as the one before.
constexpr std::uint32_t next_sequence(std::uint32_t sequence) {
  return sequence == 0xFFFF'FFFFU ? 2U : sequence + 1U;
}
// Whether a comes after b, on a circle.
constexpr bool is_newer(std::uint32_t a, std::uint32_t b) { return a - b - 1U < 0x7FFF'FFFFU; }

constexpr std::uint32_t RunningMarks::sequence() const {
  std::uint32_t newest = 0;
  for (const RunningMark& mark : places) {
    if (mark.complement != ~mark.sequence || mark.sequence == 0) continue;
    if (newest == 0 || is_newer(mark.sequence, newest)) newest = mark.sequence;
  }
  return newest;
}

constexpr std::uint32_t RunningMarks::latest() const {
  const std::uint32_t first = places[0].sequence;
  const std::uint32_t second = places[1].sequence;
  return first == 0 || (second != 0 && is_newer(second, first)) ? second : first;
}

constexpr bool RunningMarks::damaged() const {
  for (const RunningMark& mark : places) {
    const bool nothing = mark.complement == mark.sequence;
    if (!nothing && mark.complement != ~mark.sequence) return true;
  }
  return false;
}

constexpr bool Control::has_disowned() const {
  return marked_sequence != 0 && is_newer(marked_sequence, sequence);
}

// What the next persist is to be called. After one that failed it takes the same place under another
// sequence: with the same one, a cut could leave a new header in front of what the failed one wrote, which
// would look whole.
constexpr std::uint32_t following_sequence(const Control& control) {
  return control.has_disowned() ? next_sequence(next_sequence(control.marked_sequence))
                                : next_sequence(control.sequence);
}

inline constexpr std::uint16_t kFormatVersion = 3;
inline constexpr std::uint32_t kMaxRoots = 64;

// First thing in the store: whose it is. Written last by format(), so that a store that was cut in the middle
// of it has none.
struct Superblock {
  static constexpr std::uint32_t kMagic = 0x5342'7242;  // "BrBS"
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint32_t fingerprint = 0;  // of configuration and modules
  std::uint32_t modules = 0;      // ModuleTraits::id
  std::uint32_t storage_bytes = 0;
  std::uint32_t ram_bytes = 0;  // HeapConfig, defaults resolved, from here on
  std::uint32_t dirty_limit_bytes = 0;
  std::uint32_t max_residents = 0;
  std::uint32_t store_bytes = 0;
  std::uint32_t store_unit_bytes = 0;
  std::uint32_t os_bytes = 0;
  std::uint32_t max_roots = 0;
  std::uint32_t write_intents = 0;
  std::uint32_t checksum = 0;  // CRC-32C of the fields above
};
static_assert(sizeof(Superblock) == 56);

// "These bytes outside the checkpoints are about to be written": valid if the last two fields are the
// complements of the first two. A cut in its own write leaves the one before, or nothing valid; in both cases
// nothing was under way.
struct WriteIntent {
  std::uint32_t address = 0;
  std::uint32_t size_bytes = 0;
  std::uint32_t address_complement = 0;
  std::uint32_t size_complement = 0;

  static constexpr WriteIntent of(std::uint32_t address, std::uint32_t size_bytes) {
    return {address, size_bytes, ~address, ~size_bytes};
  }
  [[nodiscard]] constexpr bool valid() const {
    return address_complement == ~address && size_complement == ~size_bytes;
  }
};
static_assert(sizeof(WriteIntent) == 16);

// A named root: two places for an object's handle in turn, and one byte, atomic, that says which counts.
struct RootEntry {
  struct Place {
    std::uint32_t home = 0;
    std::uint32_t size = 0;  // as in a handle, partial dirtiness included
  };
  std::uint32_t name = 0;
  std::uint8_t chosen = 0;  // 0: the entry is free; 1, 2: the place that counts
  std::uint8_t unused[3] = {};
  Place places[2];
};
static_assert(sizeof(RootEntry) == 24 && offsetof(RootEntry, chosen) == 4 &&
              offsetof(RootEntry, places) == 8);

// What the configuration comes to, computed once and by everyone in the same way.
struct Geometry {
  HeapConfig config;  // with the defaults resolved
  ModuleTraits modules;
  std::uint32_t slots_offset = 0;     // in RAM
  std::uint32_t objects_offset = 0;   // in RAM
  std::uint32_t leaf_granules = 1;    // smallest block of RAM
  std::uint32_t storage_bytes = 0;    // of the whole store
  std::uint32_t checkpoint_base = 0;  // in the store, behind superblock and running mark
  std::uint32_t checkpoint_stride = 0;
  std::uint32_t intent_base = 0;
  std::uint32_t roots_base = 0;
  std::uint32_t records_base = 0;
  std::uint32_t store_base = 0;
  std::uint32_t store_end = 0;
  StorePlan store;

  // The geometry of a configuration on a store of that size; bad_configuration if RAM cannot hold the
  // structures and one object, the limit cannot hold one object, or the store is too small. O(1).
  static constexpr Error plan(const HeapConfig& wanted, std::uint32_t storage_bytes,
                              const ModuleTraits& traits, Geometry& out) {
    out = Geometry{};
    out.config = wanted;
    out.modules = traits;
    out.storage_bytes = storage_bytes;
    HeapConfig& c = out.config;
    if (c.ram_bytes > kMaxRamBytes || c.os_bytes % kGranule != 0 || c.store_unit_bytes % kGranule != 0) {
      return Error::bad_configuration;
    }
    // So that no sum below overflows.
    if (c.dirty_limit_bytes > kMaxStoreBytes || c.os_bytes > kMaxStoreBytes || c.max_roots > kMaxRoots) {
      return Error::bad_configuration;
    }
    if (c.max_residents == 0) c.max_residents = default_residents(c, traits);
    if (c.max_residents > traits.max_slots) return Error::bad_configuration;
    out.slots_offset = sizeof(Control);
    out.objects_offset = round_up_8(out.slots_offset + c.max_residents * traits.slot_bytes);
    // The restore puts the image's bitmaps where objects are to lie.
    if (c.ram_bytes < out.objects_offset + kGranule + 2 * out.bitmap_bytes()) return Error::bad_configuration;
    if (out.smallest_limit(kGranule) > c.dirty_limit_bytes) return Error::bad_configuration;

    out.checkpoint_base = sizeof(Superblock) + sizeof(RunningMarks);
    out.checkpoint_stride = round_up_8(c.dirty_limit_bytes) + c.os_bytes;
    out.intent_base = out.checkpoint_base + 2 * out.checkpoint_stride;
    out.roots_base = out.intent_base + sizeof(WriteIntent);
    out.records_base = out.roots_base + c.max_roots * static_cast<std::uint32_t>(sizeof(RootEntry));
    out.store_base = out.records_base + (traits.records ? c.max_residents * traits.slot_bytes : 0);
    if (storage_bytes <= out.store_base) return Error::bad_configuration;
    if (c.store_bytes == 0) {
      c.store_bytes = storage_bytes - out.store_base;
      if (storage_bytes > kMaxStoreBytes) c.store_bytes = kMaxStoreBytes - out.store_base;
    }
    if (out.store_base >= kMaxStoreBytes || c.store_bytes > storage_bytes - out.store_base ||
        c.store_bytes > kMaxStoreBytes - out.store_base) {
      return Error::bad_configuration;
    }
    out.store_end = out.store_base + c.store_bytes;
    return traits.max_leaves == 0 ? out.plan_units() : out.plan_leaves();
  }

  // Bytes of a bitmap with one bit a slot.
  [[nodiscard]] constexpr std::uint32_t bitmap_bytes() const {
    return (config.max_residents + 63U) / 64U * 8U;
  }
  // An image without slots and data, the OS part apart.
  [[nodiscard]] constexpr std::uint32_t empty_image_bytes() const {
    return static_cast<std::uint32_t>(sizeof(CheckpointHeader) + sizeof(CheckpointTrailer)) +
           kSavedControlBytes + (modules.referenced_bits ? 2U : 1U) * bitmap_bytes();
  }
  // The least dirty limit with which an object of that size (dirty bits included) can be written: its slot
  // and two more, which a change of the index may cost for a moment.
  [[nodiscard]] constexpr std::uint32_t smallest_limit(std::uint32_t object_bytes) const {
    return empty_image_bytes() + 3 * modules.slot_bytes + round_up_8(object_bytes);
  }
  // One slot for every 64 bytes of RAM, as long as what they cost every image (or, without records, what
  // all of them cost) is no more than a quarter of it.
  static constexpr std::uint32_t default_residents(const HeapConfig& config, const ModuleTraits& traits) {
    const std::uint32_t by_ram = config.ram_bytes / 64;
    const std::uint32_t by_limit =
        traits.records ? config.dirty_limit_bytes : config.dirty_limit_bytes / (4 * traits.slot_bytes);
    const std::uint32_t wanted = by_ram < by_limit ? by_ram : by_limit;
    return wanted < 1 ? 1 : wanted > traits.max_slots ? traits.max_slots : wanted;
  }
  [[nodiscard]] constexpr std::uint32_t object_granules() const {
    return (config.ram_bytes - objects_offset) / kGranule / leaf_granules * leaf_granules;
  }
  [[nodiscard]] constexpr std::uint32_t first_granule() const { return objects_offset / kGranule; }
  [[nodiscard]] constexpr std::uint32_t record_address(std::uint32_t slot) const {
    return records_base + slot * modules.slot_bytes;
  }
  [[nodiscard]] constexpr std::uint32_t checkpoint_address(std::uint32_t sequence) const {
    return checkpoint_base + (sequence & 1U) * checkpoint_stride;
  }
  // In front of the first checkpoint, so that boot reads both at once.
  [[nodiscard]] constexpr std::uint32_t marks_address() const {
    return checkpoint_base - static_cast<std::uint32_t>(sizeof(RunningMarks));
  }
  [[nodiscard]] constexpr std::uint32_t mark_address(std::uint32_t sequence) const {
    return marks_address() + (sequence & 1U) * static_cast<std::uint32_t>(sizeof(RunningMark));
  }
  [[nodiscard]] constexpr std::uint32_t root_address(std::uint32_t root) const {
    return roots_base + root * static_cast<std::uint32_t>(sizeof(RootEntry));
  }
  // Identifies configuration and modules in an image. FNV-1a over the words.
  [[nodiscard]] constexpr std::uint32_t fingerprint() const {
    const std::uint32_t words[] = {modules.id,           config.ram_bytes,   config.dirty_limit_bytes,
                                   config.max_residents, config.store_bytes, config.store_unit_bytes,
                                   config.os_bytes,      config.max_roots,   config.write_intents ? 1U : 0U};
    std::uint32_t hash = 2166136261U;
    for (const std::uint32_t word : words) {
      for (std::uint32_t shift = 0; shift < 32; shift += 8) {
        hash = (hash ^ ((word >> shift) & 0xFFU)) * 16777619U;
      }
    }
    return hash;
  }

 private:
  constexpr Error plan_units() {
    store = modules.plan_store(store_base, store_end, config.store_unit_bytes);
    return store.units == 0 ? Error::bad_configuration : Error::none;
  }
  // The smallest leaf of which neither RAM nor store has too many; RAM and store use the same.
  constexpr Error plan_leaves() {
    const std::uint32_t wanted = config.store_unit_bytes;
    for (std::uint32_t leaf = kGranule; leaf <= kMaxStoreBytes; leaf *= 2) {
      if (wanted != 0 && leaf != wanted) continue;
      store = modules.plan_store(store_base, store_end, leaf);
      leaf_granules = leaf / kGranule;
      const std::uint32_t ram_leaves = object_granules() / leaf_granules;
      if (store.units == 0 || ram_leaves == 0) return Error::bad_configuration;
      if (ram_leaves <= modules.max_leaves && store.units <= modules.max_units) return Error::none;
    }
    return Error::bad_configuration;
  }
};

// Of the image with that header, the OS part apart.
constexpr std::uint32_t image_bytes(const Geometry& geometry, const CheckpointHeader& header) {
  return geometry.empty_image_bytes() + header.slots * geometry.modules.slot_bytes +
         header.dirty_bits * kGranule + header.data_bytes;
}

// Typed access to the heap's RAM by offset.
class Arena {
 public:
  Arena(std::byte* base, const Geometry& geometry) : base_(base), geometry_(&geometry) {}

  [[nodiscard]] std::byte* at(std::uint32_t offset) const { return base_ + offset; }
  [[nodiscard]] std::byte* granule(std::uint32_t number) const { return base_ + number * kGranule; }
  [[nodiscard]] Control& control() const { return *reinterpret_cast<Control*>(base_); }
  [[nodiscard]] FreeBlock& free_block(std::uint32_t number) const {
    return *reinterpret_cast<FreeBlock*>(granule(number));
  }
  [[nodiscard]] const Geometry& geometry() const { return *geometry_; }

 private:
  std::byte* base_;
  const Geometry* geometry_;
};

// The same, with the slots of a layout (heap/slots/).
template <class Slot>
class SlotArena : public Arena {
 public:
  SlotArena(std::byte* base, const Geometry& geometry)
      : Arena(base, geometry),
        slots_(reinterpret_cast<Slot*>(base + geometry.slots_offset)),
        count_(geometry.config.max_residents) {}

  [[nodiscard]] std::uint32_t slots() const { return count_; }
  [[nodiscard]] Slot& slot(std::uint32_t index) const { return slots_[index]; }
  // First byte of a resident object.
  [[nodiscard]] std::byte* data(const Slot& slot) const { return granule(slot.block(geometry())); }

 private:
  Slot* slots_;
  std::uint32_t count_;
};

}  // namespace brownout::heap
