#include <algorithm>
#include <cassert>
#include <cstring>

#include <fmt/format.h>

#include "heap/residents.hpp"
#include "heap/slots/compact.hpp"
#include "heap/slots/standard.hpp"
#include "sim/verify/memory_inspector.hpp"
#include "sim/verify/store_table.hpp"

namespace brownout::sim {
namespace {

using heap::kGranule;

// Reads a structure by value at an offset of the heap's RAM.
template <class T>
T read_at(std::span<const std::byte> ram, std::size_t offset) {
  assert(offset + sizeof(T) <= ram.size());
  T value;
  std::memcpy(&value, ram.data() + offset, sizeof value);
  return value;
}

template <class Slot>
class HeapInspector final : public MemoryInspector {
 public:
  HeapInspector(const heap::Geometry& geometry, const firmware::MemoryOptions& options)
      : geometry_(geometry), options_(options) {}

  std::optional<std::string> outage_changed(std::span<const std::byte> before,
                                            std::span<const std::byte> after,
                                            const std::vector<KnownObject>& objects) const override {
    assert(before.size() == after.size());
    live_.clear();
    live_spans(before, objects, live_);
    for (const RamSpan& span : live_) {
      if (std::memcmp(before.data() + span.offset, after.data() + span.offset, span.size_bytes) == 0)
        continue;
      std::size_t i = span.offset;
      while (before[i] == after[i]) ++i;
      return fmt::format("RAM offset {} ({}) was {:02x} before the outage and is {:02x} after it", i,
                         place_of(before, i), static_cast<unsigned>(before[i]),
                         static_cast<unsigned>(after[i]));
    }
    return std::nullopt;
  }

  // Structures, contents of resident objects, heads of free blocks. Set aside are the sequence numbers,
  // padding, the inside of free blocks, blocks that were being loaded (the interrupted load repeats), and
  // what lies where an object that is dirty in parts is being made: its bits are set before its content is.
  void live_spans(std::span<const std::byte> ram, const std::vector<KnownObject>& objects,
                  std::vector<RamSpan>& spans) const override {
    spans.push_back({heap::kSavedControlOffset, heap::kSavedControlBytes});
    spans.push_back({geometry_.slots_offset, slots() * static_cast<std::uint32_t>(sizeof(Slot))});
    const std::size_t first = spans.size();
    for (std::uint32_t i = 0; i < slots(); ++i) {
      const Slot slot = slot_at(ram, i);
      if (!slot.used() || loading(slot)) continue;
      const std::uint32_t block = slot.block(geometry_);
      if (!slot.partial()) {
        spans.push_back({block * kGranule, slot.granules(geometry_) * kGranule});
        continue;
      }
      // Behind the object, up to where its block and its bits begin, there may be whatever is at home there:
      // only the object's own blocks were written back.
      const std::uint32_t data = heap::data_granules(slot, geometry_);
      const KnownObject* object = known_at(slot.home(geometry_), objects);
      const std::uint32_t content = object == nullptr ? data : (object->size_bytes + kGranule - 1) / kGranule;
      if (!being_made(slot, objects)) spans.push_back({block * kGranule, std::min(content, data) * kGranule});
      spans.push_back({(block + data) * kGranule, (slot.granules(geometry_) - data) * kGranule});
    }
    std::uint32_t granule = read_at<heap::Control>(ram, 0).free_head;
    while (granule != 0) {
      spans.push_back({granule * kGranule, sizeof(heap::FreeBlock)});
      granule = read_at<heap::FreeBlock>(ram, granule * kGranule).next;
    }
    std::sort(spans.begin() + static_cast<std::ptrdiff_t>(first), spans.end(),
              [](const RamSpan& a, const RamSpan& b) { return a.offset < b.offset; });
  }

  bool anything_dirty(std::span<const std::byte> ram, const std::vector<KnownObject>&) const override {
    for (std::uint32_t i = 0; i < slots(); ++i) {
      const Slot slot = slot_at(ram, i);
      if (slot.used() && !loading(slot) && dirty_bytes(ram, slot) > 0) return true;
    }
    return false;
  }

  CheckpointArea checkpoint_area() const override {
    return {geometry_.marks_address(), geometry_.checkpoint_base, geometry_.checkpoint_stride};
  }

  std::optional<std::string> structure_fault(std::span<const std::byte> ram,
                                             std::span<const std::uint8_t> store,
                                             const std::vector<KnownObject>& objects) const override {
    if (auto fault = blocks_fault(ram)) return fault;
    if (auto fault = budget_fault(ram)) return fault;
    if (auto fault = index_fault(ram)) return fault;
    if (auto fault = records_fault(ram, store)) return fault;
    return store_table_fault(geometry_.store, options_.store_allocator, store, objects);
  }

  std::map<std::uint32_t, ResidentObject> residents(std::span<const std::byte> ram,
                                                    const std::vector<KnownObject>&) const override {
    std::map<std::uint32_t, ResidentObject> found;
    for (std::uint32_t i = 0; i < slots(); ++i) {
      const Slot slot = slot_at(ram, i);
      if (!slot.used() || loading(slot)) continue;
      found[slot.home(geometry_)] = {slot.block(geometry_) * kGranule, dirty_bytes(ram, slot)};
    }
    return found;
  }

 private:
  [[nodiscard]] std::uint32_t slots() const { return geometry_.config.max_residents; }
  [[nodiscard]] Slot slot_at(std::span<const std::byte> ram, std::uint32_t index) const {
    return read_at<Slot>(ram, geometry_.slots_offset + index * sizeof(Slot));
  }
  bool being_made(const Slot& slot, const std::vector<KnownObject>& objects) const {
    if (!slot.partial() || !slot.dirty() || slot.borrows() != Slot::kWriter) return false;
    return known_at(slot.home(geometry_), objects) == nullptr;
  }
  static const KnownObject* known_at(std::uint32_t home, const std::vector<KnownObject>& objects) {
    const auto found =
        std::lower_bound(objects.begin(), objects.end(), home,
                         [](const KnownObject& object, std::uint32_t at) { return object.home < at; });
    return found == objects.end() || found->home != home ? nullptr : &*found;
  }
  static bool loading(const Slot& slot) { return slot.borrows() == Slot::kWriter && !slot.dirty(); }

  // Of the dirty blocks of a partially dirty object, or of all of it; the bits themselves apart.
  [[nodiscard]] std::uint32_t dirty_bytes(std::span<const std::byte> ram, const Slot& slot) const {
    if (!slot.dirty()) return 0;
    const std::uint32_t data = heap::data_granules(slot, geometry_);
    if (!slot.partial()) return data * kGranule;
    const std::size_t bits = (slot.block(geometry_) + data) * kGranule;
    std::uint32_t bytes = 0;
    for (std::uint32_t block = 0; block * heap::kDirtyBlockGranules < data; ++block) {
      const auto byte = read_at<std::uint8_t>(ram, bits + block / 8);
      if ((byte >> block % 8 & 1U) == 0) continue;
      bytes += std::min(heap::kDirtyBlockGranules, data - block * heap::kDirtyBlockGranules) * kGranule;
    }
    return bytes;
  }

  [[nodiscard]] std::string place_of(std::span<const std::byte> ram, std::size_t offset) const {
    if (offset < geometry_.slots_offset) return "the control block";
    if (offset < geometry_.objects_offset) {
      return fmt::format("slot {}", (offset - geometry_.slots_offset) / sizeof(Slot));
    }
    for (std::uint32_t i = 0; i < slots(); ++i) {
      const Slot slot = slot_at(ram, i);
      const std::size_t begin = slot.block(geometry_) * kGranule;
      if (!slot.used() || offset < begin || offset >= begin + slot.granules(geometry_) * kGranule) continue;
      return fmt::format("byte {} of the object at home {}", offset - begin, slot.home(geometry_));
    }
    return "the free list";
  }

  // Blocks and free blocks tile the room for objects; the free list ascends, and is joined as far as the
  // allocator joins.
  [[nodiscard]] std::optional<std::string> blocks_fault(std::span<const std::byte> ram) const {
    const auto control = read_at<heap::Control>(ram, 0);
    const std::uint32_t first = geometry_.first_granule();
    const std::uint32_t end = first + geometry_.object_granules();
    const bool buddy = options_.ram_allocator == firmware::RamAllocatorKind::buddy;
    std::vector<char> owned(end, 0);
    const auto claim = [&](std::uint32_t block, std::uint32_t granules) {
      if (block < first || granules == 0 || block + granules > end) return false;
      for (std::uint32_t g = block; g < block + granules; ++g) {
        if (owned[g] != 0) return false;
        owned[g] = 1;
      }
      return true;
    };
    std::uint32_t used = 0;
    for (std::uint32_t i = 0; i < slots(); ++i) {
      const Slot slot = slot_at(ram, i);
      if (!slot.used()) continue;
      ++used;
      const std::uint32_t granules =
          buddy ? buddy_granules(slot.granules(geometry_)) : slot.granules(geometry_);
      if (!claim(slot.block(geometry_), granules)) {
        return fmt::format("the block of slot {} overlaps another", i);
      }
    }
    if (used != control.residents) {
      return fmt::format("{} residents are counted, a recount gives {}", control.residents, used);
    }
    std::uint32_t previous = 0;
    std::uint32_t previous_granules = 0;
    std::uint32_t free = 0;
    for (std::uint32_t at = control.free_head; at != 0;) {
      if (at >= end) return "the free list leads out of RAM";
      const auto block = read_at<heap::FreeBlock>(ram, at * kGranule);
      if (at <= previous) return "the free list is out of order";
      if (!claim(at, block.granules)) return "a free block overlaps another block";
      const bool adjacent = previous != 0 && previous + previous_granules == at;
      if (adjacent && (!buddy || are_buddies(previous, previous_granules, block.granules))) {
        return "free blocks are not joined";
      }
      free += block.granules;
      previous = at;
      previous_granules = block.granules;
      at = block.next;
    }
    if (free != control.free_granules) return "the count of free granules differs from a recount";
    if (std::find(owned.begin() + static_cast<std::ptrdiff_t>(first), owned.end(), 0) != owned.end()) {
      return "RAM has leaked: granules that nobody owns";
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint32_t buddy_granules(std::uint32_t granules) const {
    std::uint32_t block = geometry_.leaf_granules;
    while (block < granules) block *= 2;
    return block;
  }
  [[nodiscard]] bool are_buddies(std::uint32_t block, std::uint32_t granules,
                                 std::uint32_t next_granules) const {
    const std::uint32_t from = block - geometry_.first_granule();
    return granules == next_granules && from % (2 * granules) == 0;
  }

  // What is in an image, recounted.
  [[nodiscard]] std::optional<std::string> budget_fault(std::span<const std::byte> ram) const {
    const auto control = read_at<heap::Control>(ram, 0);
    std::uint32_t image = geometry_.empty_image_bytes();
    for (std::uint32_t i = 0; i < slots(); ++i) {
      const Slot slot = slot_at(ram, i);
      if (slot.is_listed()) image += sizeof(Slot);
      if (!slot.used() || !slot.dirty()) continue;
      image += dirty_bytes(ram, slot) + heap::bits_granules(slot, geometry_) * kGranule;
    }
    if (image != control.image_bytes) {
      return fmt::format("the image is counted as {} B, a recount gives {}", control.image_bytes, image);
    }
    if (image > geometry_.config.dirty_limit_bytes) {
      return fmt::format("a checkpoint would take {} B, the limit is {}", image,
                         geometry_.config.dirty_limit_bytes);
    }
    return std::nullopt;
  }

  // Every slot in use is found from its main position, chains ascend behind it, and nothing else is in them.
  [[nodiscard]] std::optional<std::string> index_fault(std::span<const std::byte> ram) const {
    std::vector<std::uint32_t> found(slots(), 0);
    for (std::uint32_t head = 0; head < slots(); ++head) {
      const Slot first = slot_at(ram, head);
      if (!first.used()) {
        if (first.next() != head) return fmt::format("the free slot {} leads to another", head);
        continue;
      }
      if (heap::main_position(first.key(), slots()) != head) continue;
      ++found[head];
      for (std::uint32_t at = head, next = first.next(); next != at; next = slot_at(ram, at).next()) {
        if (next >= slots()) return fmt::format("a chain leads to slot {} of {}", next, slots());
        const Slot slot = slot_at(ram, next);
        if (at != head && next <= at) return fmt::format("the chain of slot {} does not ascend", head);
        if (!slot.used() || heap::main_position(slot.key(), slots()) != head) {
          return fmt::format("slot {} is in the wrong chain", next);
        }
        ++found[next];
        at = next;
      }
    }
    for (std::uint32_t i = 0; i < slots(); ++i) {
      const std::uint32_t expected = slot_at(ram, i).used() ? 1 : 0;
      if (found[i] != expected)
        return fmt::format("slot {} is found {} times through the index", i, found[i]);
    }
    return std::nullopt;
  }

  // What slots say of their records in the store is so.
  [[nodiscard]] std::optional<std::string> records_fault(std::span<const std::byte> ram,
                                                         std::span<const std::uint8_t> store) const {
    if constexpr (!Slot::kRecords) return std::nullopt;
    for (std::uint32_t i = 0; i < slots(); ++i) {
      const Slot slot = slot_at(ram, i);
      Slot record;
      std::memcpy(&record, store.data() + geometry_.record_address(i), sizeof record);
      if (slot.record() == heap::Record::vacant && record.used()) {
        return fmt::format("the record of slot {} is taken for vacant and is not", i);
      }
      if (slot.record() != heap::Record::same) continue;
      const bool same =
          record.used() && record.key() == slot.key() && record.block(geometry_) == slot.block(geometry_) &&
          record.granules(geometry_) == slot.granules(geometry_) && record.partial() == slot.partial();
      if (!same) return fmt::format("the record of slot {} differs from the slot", i);
    }
    return std::nullopt;
  }

  heap::Geometry geometry_;
  firmware::MemoryOptions options_;
  mutable std::vector<RamSpan> live_;  // kept for its memory
};

}  // namespace

std::unique_ptr<MemoryInspector> make_heap_inspector(const heap::Geometry& geometry,
                                                     const firmware::MemoryOptions& options) {
  if (options.slots == firmware::SlotKind::compact) {
    return std::make_unique<HeapInspector<heap::CompactSlot>>(geometry, options);
  }
  return std::make_unique<HeapInspector<heap::StandardSlot>>(geometry, options);
}

}  // namespace brownout::sim
