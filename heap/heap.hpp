// The virtually non-volatile heap.
//
// Objects live in the store; those in use are resident in RAM. A mutable reference makes an object
// dirty; what one checkpoint would write never exceeds the dirty limit. persist() saves everything from
// the interrupt that the sinking supply raises; after the next boot restore() brings it back, and the
// interrupted code goes on.
#pragma once

#include <cstdint>

#include "heap/checkpoint.hpp"
#include "heap/gateway.hpp"
#include "heap/layout.hpp"
#include "heap/objects/typed.hpp"
#include "heap/policies/in_order.hpp"
#include "heap/policies/policy.hpp"
#include "heap/ram_allocators/linked_list.hpp"
#include "heap/residents.hpp"
#include "heap/slots/standard.hpp"
#include "heap/store_allocators/linked_list.hpp"
#include "heap/store_allocators/store_allocator.hpp"

namespace brownout::heap {

// The replaceable parts of a heap.
struct DefaultModules {
  using Slot = StandardSlot;
  template <class P>
  using RamAllocator = LinkedListRam<P>;
  template <class P, class Gateway>
  using StoreAllocator = LinkedListStore<P, Gateway>;
  using Policy = InOrder;
};

template <Platform P, Storage St, class Modules = DefaultModules>
class Heap : public Typed<Heap<P, St, Modules>> {
 public:
  using Slot = typename Modules::Slot;
  using RamAllocator = typename Modules::template RamAllocator<P>;
  using StoreAllocator = typename Modules::template StoreAllocator<P, Gateway<P, St>>;
  using Policy = typename Modules::Policy;
  static_assert(heap::Slot<Slot> && heap::RamAllocator<RamAllocator> &&
                heap::StoreAllocator<StoreAllocator> && heap::Policy<Policy, SlotArena<Slot>, P>);
  static constexpr bool kCompact = Slot::kMaxLeaves != 0;
  static_assert(!kCompact || (RamAllocator::kPowersOfTwo && StoreAllocator::kPowersOfTwo),
                "compact slots need allocators with blocks of powers of two");

  static constexpr std::uint32_t kSlotBytes = sizeof(Slot);

  // What a geometry depends on.
  static constexpr ModuleTraits traits() {
    ModuleTraits traits;
    traits.id = ((Slot::kId * 31U + RamAllocator::kId) * 31U + StoreAllocator::kId) * 31U + Policy::kId;
    traits.slot_bytes = sizeof(Slot);
    traits.max_slots = Slot::kMaxSlots;
    traits.records = Slot::kRecords;
    traits.referenced_bits = Slot::kRecords && Policy::kReferenced;
    traits.max_leaves = Slot::kMaxLeaves;
    traits.max_units = Slot::kMaxUnits;
    traits.plan_store = &StoreAllocator::plan;
    return traits;
  }

  // `ram` is config.ram_bytes of memory, aligned to 8. Touches neither RAM nor store; configuration()
  // says whether the sizes fit together, and if they do not, no other call may follow. Boot code
  // constructs the heap anew before restore().
  Heap(std::byte* ram, const HeapConfig& config, St& storage, P& platform)
      : planned_(Geometry::plan(config, storage.size_bytes(), traits(), geometry_)),
        platform_(platform),
        residents_(SlotArena<Slot>(ram, geometry_), platform),
        gateway_(Arena(ram, geometry_), storage, platform),
        store_(Arena(ram, geometry_), platform, gateway_),
        checkpoint_(residents_, gateway_, storage, platform) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap() = default;

  [[nodiscard]] Status configuration() const { return planned_; }
  [[nodiscard]] const Geometry& geometry() const { return geometry_; }

  // First start: an empty heap on an empty store.
  Status format() {
    residents_.control() = Control{};
    residents_.reset();
    if (const Status status = checkpoint_.format(); !status.ok()) return status;
    if constexpr (Slot::kRecords) {
      const std::uint32_t size_bytes = geometry_.config.max_residents * kSlotBytes;
      const Status status = gateway_.zero_home(geometry_.record_address(0), size_bytes);
      if (!status.ok()) return status;
    }
    return store_.format();
  }

  // From the persist interrupt, never from within a critical section: saves all dirty objects, the
  // state of the residents and the OS part. On failure RAM is as before.
  Status persist(ConstBytes os) {
    const std::uint32_t sequence = following_sequence();
    const Status status = write_image(os, sequence);
    if (status.ok()) {
      confirm_image(sequence);
    } else {
      disown_image(sequence);
    }
    return status;
  }

  // From boot code: brings back what persist() saved, or says why there is nothing to bring back.
  Status restore(MutableBytes os) {
    CheckpointHeader header;
    if (const Status status = examine_image(header); !status.ok()) return status;
    return read_image(header, os);
  }

  // persist() and restore() in steps, for a group of heaps (group.hpp).
  [[nodiscard]] std::uint32_t following_sequence() const {
    return next_sequence(residents_.control().sequence);
  }
  Status write_image(ConstBytes os, std::uint32_t sequence) { return checkpoint_.write(os, sequence); }
  void confirm_image(std::uint32_t sequence) { checkpoint_.confirm(sequence); }
  void disown_image(std::uint32_t sequence) { checkpoint_.disown(sequence); }
  Status examine_image(CheckpointHeader& header) {
    platform_.charge(Work::call, 1);
    return checkpoint_.examine(header);
  }
  Status read_image(const CheckpointHeader& header, MutableBytes os) { return checkpoint_.read(header, os); }

  // Writes every dirty object home that has no mutable borrow.
  Status flush() {
    platform_.charge(Work::call, 1);
    for (;;) {
      const std::uint16_t index = Policy::next_to_flush(residents_.arena(), platform_);
      if (index == kNone) return {};
      if (const Status status = flush_slot(index); !status.ok()) return status;
    }
  }

  // Gives back the RAM of an object that is resident; it is flushed first if it is dirty. `borrowed` while a
  // reference lives. For programs that know better than the policy what comes next.
  Status unload(const Handle& handle) {
    platform_.charge(Work::call, 1);
    const std::uint16_t index = find(handle);
    if (index == kNone) return {};
    return residents_.slot(index).borrows() != 0 ? Status(Error::borrowed) : unload_slot(index);
  }
  [[nodiscard]] bool is_resident(const Handle& handle) const { return find(handle) != kNone; }

  // Declares that no reference lives any more, whatever became of it (one that is overwritten without its
  // destructor pins its object for ever). Returns how many objects were borrowed.
  std::uint32_t end_borrows() {
    std::uint32_t ended = 0;
    for (std::uint32_t i = 0; i < residents_.arena().slots(); ++i) {
      platform_.charge(Work::step, 1);
      if (!residents_.slot(i).used() || residents_.slot(i).borrows() == 0) continue;
      end_borrow(static_cast<std::uint16_t>(i));
      ++ended;
    }
    return ended;
  }

  // What a checkpoint would write now, the OS part apart; never above the dirty limit.
  [[nodiscard]] std::uint32_t checkpoint_bytes() const { return residents_.control().image_bytes; }

  // On bytes: see objects/typed.hpp.
  Result<Handle> make_bytes(std::uint32_t size_bytes, Dirtiness dirtiness, const std::byte* value) {
    platform_.charge(Work::call, 1);
    const bool partial = dirtiness == Dirtiness::partial;
    if (size_bytes > kMaxBlockGranules * kGranule) return Error::too_large;
    const Size size = size_of(size_bytes, partial);
    if (size.block > kMaxBlockGranules || size.block > geometry_.object_granules()) return Error::too_large;
    const std::uint32_t alone = geometry_.empty_image_bytes() + 2 * kSlotBytes;
    if (alone + size.block * kGranule > geometry_.config.dirty_limit_bytes) return Error::dirty_limit;
    Result<StorePlace> place = store_.find(size.home_bytes);
    if (!place.ok()) return place.error();
    const std::uint32_t home = place.value().home;
    Result<std::uint16_t> entered = bring_in(home, size.block, partial, size.block * kGranule);
    if (!entered.ok()) return entered.error();
    const std::uint16_t index = entered.value();
    residents_.set_dirty(index, 0, size_bytes == 0 ? 1 : size_bytes);
    fill(index, size_bytes, value);
    // Last, so that whatever failed before has left nothing behind in the store.
    if (const Status status = store_.claim(place.value()); !status.ok()) {
      residents_.leave(index);
      return status.error();
    }
    end_borrow(index);
    return Handle(home, size_bytes, dirtiness);
  }

  Status free_bytes(Handle& handle, void (*destroy)(std::byte*)) {
    platform_.charge(Work::call, 1);
    if (!handle.valid()) return Error::invalid_handle;
    std::uint16_t index = find(handle);
    if (index != kNone && residents_.slot(index).borrows() != 0) return Error::borrowed;
    if (index == kNone && destroy != nullptr) {
      Result<std::uint16_t> loaded = load(handle);
      if (!loaded.ok()) return loaded.error();
      index = loaded.value();
    }
    if (index != kNone) {
      if (const Status status = make_room_to_leave(index); !status.ok()) return status;
    }
    const Size size = size_of(handle.size_bytes(), handle.partial());
    if (const Status status = store_.release(handle.home(), size.home_bytes); !status.ok()) return status;
    if (index != kNone) {
      if (destroy != nullptr) destroy(residents_.data(index));
      residents_.leave(index);
    }
    handle = Handle();
    return {};
  }

  Result<Lent> lend_reader(const Handle& handle) {
    platform_.charge(Work::call, 1);
    std::uint16_t index = find(handle);
    if (index == kNone) [[unlikely]] {
      Result<std::uint16_t> loaded = load(handle);
      if (!loaded.ok()) return loaded.error();
      index = loaded.value();
    }
    return lend_resident(index);
  }

  Result<Lent> lend_writer(const Handle& handle, std::uint32_t offset_bytes, std::uint32_t size_bytes) {
    platform_.charge(Work::call, 1);
    std::uint16_t index = find(handle);
    if (index == kNone) {
      Result<std::uint16_t> loaded = load(handle);
      if (!loaded.ok()) return loaded.error();
      index = loaded.value();
    }
    if (residents_.slot(index).borrows() != 0) return Error::borrowed;
    if (const Status status = make_room_for_borrow(index); !status.ok()) return status.error();
    // Pinned, so that making room cannot choose this very object; not yet as a writer if it is clean, because
    // a clean object with a writer is one that is being loaded.
    residents_.change(index, [](Slot& s) {
      s.set_borrows(s.dirty() ? Slot::kWriter : 1U);
      touch(s);
    });
    const std::uint16_t key = residents_.slot(index).key();
    const Status status = make_budget(residents_.newly_dirty(index, offset_bytes, size_bytes));
    index = residents_.find(key);
    if (!status.ok()) {
      end_borrow(index);
      return status.error();
    }
    residents_.set_dirty(index, offset_bytes, size_bytes);
    residents_.change(index, [](Slot& s) { s.set_borrows(Slot::kWriter); });
    return Lent{residents_.data(index), key, index};
  }

  void give_back(const Lent& lent) {
    compiler_fence();
    // The slot of an object may change while it is borrowed.
    std::uint16_t index = lent.slot;
    if (residents_.slot(index).key() != lent.key) [[unlikely]]
      index = residents_.find(lent.key);
    Slot& slot = residents_.slot(index);
    if (slot.borrows() == Slot::kWriter) {
      end_borrow(index);
      return;
    }
    slot.remove_reader();
    const bool at_rest = slot.is_at_rest();
    compiler_fence();
    if (at_rest) residents_.control().image_bytes -= kSlotBytes;
  }

 private:
  // What an object takes: granules of RAM, dirty bits included, and bytes of the store.
  struct Size {
    std::uint32_t block = 0;
    std::uint32_t home_bytes = 0;
  };
  [[nodiscard]] Size size_of(std::uint32_t size_bytes, bool partial) const {
    const std::uint32_t data = size_bytes == 0 ? 1 : (size_bytes + kGranule - 1) / kGranule;
    const std::uint32_t block = Slot::block_granules(geometry_, data + (partial ? dirty_bits_for(data) : 0));
    return {block, (kCompact ? block : data) * kGranule};
  }
  [[nodiscard]] std::uint16_t find(const Handle& handle) const {
    std::uint32_t granules = 0;
    if constexpr (kCompact) {
      if (!handle.valid()) return kNone;
      granules = size_of(handle.size_bytes(), handle.partial()).block;
    }
    return residents_.find(Slot::key_of(geometry_, handle.home(), granules));
  }
  static void touch(Slot& slot) {
    if constexpr (Policy::kReferenced) slot.set_referenced(true);
  }
  void end_borrow(std::uint16_t index) {
    residents_.change(index, [](Slot& slot) { slot.set_borrows(0); });
  }

  Result<Lent> lend_resident(std::uint16_t index) {
    Slot& slot = residents_.slot(index);
    if (slot.borrows() >= Slot::kMaxReaders) [[unlikely]]
      return Error::borrowed;
    const Lent lent{residents_.arena().data(slot), slot.key(), index};
    if (slot.is_at_rest()) {
      if (const Status status = make_budget(kSlotBytes); !status.ok()) return status.error();
      residents_.control().image_bytes += kSlotBytes;
      compiler_fence();
    }
    slot.add_reader();
    touch(slot);
    compiler_fence();
    return lent;
  }

  void fill(std::uint16_t index, std::uint32_t size_bytes, const std::byte* value) {
    std::byte* data = residents_.data(index);
    const std::uint32_t all = data_granules(residents_.slot(index), geometry_) * kGranule;
    platform_.charge(Work::copied_byte, all);
    __builtin_memset(data, 0, all);
    if (value != nullptr) copy_bytes(data, value, size_bytes);
    compiler_fence();
  }

  // Reads an object from its home into RAM. Until the read is confirmed the slot is that of an object being
  // loaded: the restore keeps its block, and the interrupted read is repeated into it. Never inlined, so that
  // what is resident is lent without a detour through memory.
  [[gnu::noinline]] Result<std::uint16_t> load(const Handle& handle) {
    if (!handle.valid()) return Error::invalid_handle;
    const Size size = size_of(handle.size_bytes(), handle.partial());
    if (size.block > geometry_.object_granules()) return Error::invalid_handle;
    Result<std::uint16_t> index = bring_in(handle.home(), size.block, handle.partial(), 0);
    if (!index.ok()) return index.error();
    const Slot& slot = residents_.slot(index.value());
    const Status status = gateway_.read_home(
        handle.home(), {residents_.data(index.value()), data_granules(slot, geometry_) * kGranule});
    if (!status.ok()) {
      residents_.leave(index.value());
      return status.error();
    }
    end_borrow(index.value());
    return index;
  }

  // Finds a slot, RAM, and room in an image for two slots and so many dirty bytes, as the policy says.
  Result<std::uint16_t> bring_in(std::uint32_t home, std::uint32_t block, bool partial,
                                 std::uint32_t dirty_bytes) {
    for (;;) {
      if (!residents_.full()) {
        const Status status = make_budget(2 * kSlotBytes + dirty_bytes);
        if (!status.ok()) return status.error();
        std::uint16_t index = kNone;
        if (residents_.enter(home, block, partial, index)) return index;
      }
      const std::uint16_t victim = Policy::next_to_unload(residents_.arena(), platform_);
      if (victim == kNone) return residents_.full() ? Error::no_slot : Error::no_ram;
      if (const Status status = unload_slot(victim); !status.ok()) return status.error();
    }
  }

  Status make_room_for_borrow(std::uint16_t index) {
    return residents_.slot(index).is_listed() ? Status{} : make_budget(kSlotBytes);
  }

  // Making room may itself record or flush the slots that are about to change, which then cost more.
  Status make_room_to_leave(std::uint16_t index) {
    for (;;) {
      const std::uint32_t cost = residents_.cost_of_leaving(index);
      if (const Status status = make_budget(cost); !status.ok()) return status;
      if (residents_.cost_of_leaving(index) <= cost) return {};
    }
  }

  // Makes room in an image for `extra` bytes: by recording slots in the store where that is enough, else by
  // flushing, and where slots cannot be recorded by unloading. dirty_limit if nothing is left to do.
  Status make_budget(std::uint32_t extra) {
    const bool fits = residents_.control().image_bytes + extra <= geometry_.config.dirty_limit_bytes;
    return fits ? Status{} : shrink_image(extra);
  }
  [[gnu::noinline]] Status shrink_image(std::uint32_t extra) {
    const Control& control = residents_.control();
    const std::uint32_t limit = geometry_.config.dirty_limit_bytes;
    while (control.image_bytes + extra > limit) {
      const std::uint32_t recordable = recordable_bytes();
      const bool record_suffices = control.image_bytes + extra - recordable <= limit;
      const std::uint16_t dirty =
          record_suffices ? kNone : Policy::next_to_flush(residents_.arena(), platform_);
      Status status;
      if (dirty != kNone) {
        status = flush_slot(dirty);
      } else if (recordable > 0) {
        status = record_slots();
      } else if constexpr (Slot::kRecords) {
        return Error::dirty_limit;
      } else {
        const std::uint16_t clean = Policy::next_to_unload(residents_.arena(), platform_);
        if (clean == kNone) return Error::dirty_limit;
        status = unload_slot(clean);
      }
      if (!status.ok()) return status;
    }
    return {};
  }

  // A slot that is in an image only because the store's record of it is out of date.
  static bool is_recordable(const Slot& slot) {
    return Slot::kRecords && slot.is_listed() && !(slot.used() && (slot.dirty() || slot.borrows() != 0));
  }
  [[nodiscard]] std::uint32_t recordable_bytes() const {
    std::uint32_t bytes = 0;
    if constexpr (Slot::kRecords) {
      for (std::uint32_t i = 0; i < residents_.arena().slots(); ++i) {
        platform_.charge(Work::step, 1);
        if (is_recordable(residents_.slot(i))) bytes += kSlotBytes;
      }
    }
    return bytes;
  }

  // Brings the store's records up to date, from the first slot that needs it on, in one transfer.
  Status record_slots() {
    static constexpr std::uint32_t kAtOnce = 32;
    const std::uint32_t slots = residents_.arena().slots();
    std::uint32_t first = 0;
    while (first < slots && !is_recordable(residents_.slot(first))) ++first;
    std::uint32_t end = first;
    for (std::uint32_t i = first; i < slots && i < first + kAtOnce; ++i) {
      platform_.charge(Work::step, 1);
      if (is_recordable(residents_.slot(i))) end = i + 1;
    }
    // Until the write is confirmed nobody knows what the store says of these slots; not that they are free.
    for (std::uint32_t i = first; i < end; ++i) {
      platform_.charge(Work::step, 1);
      if (!residents_.slot(i).used()) continue;
      residents_.change(static_cast<std::uint16_t>(i), [](Slot& slot) {
        if (slot.record() == Record::vacant) slot.set_record(Record::other);
      });
    }
    const ConstBytes records{reinterpret_cast<const std::byte*>(&residents_.slot(first)),
                             (end - first) * kSlotBytes};
    const Status status = gateway_.write_home(geometry_.record_address(first), records);
    if (!status.ok()) return status;
    for (std::uint32_t i = first; i < end; ++i) {
      platform_.charge(Work::step, 1);
      residents_.change(static_cast<std::uint16_t>(i),
                        [](Slot& slot) { slot.set_record(slot.used() ? Record::same : Record::vacant); });
    }
    return {};
  }

  // Writes what is dirty of an object home. It stays dirty until the last write is confirmed.
  Status flush_slot(std::uint16_t index) {
    const Slot slot = residents_.slot(index);
    std::byte* data = residents_.data(index);
    Status status;
    if (slot.partial()) {
      const DirtyBits bits(residents_.arena(), slot);
      std::uint32_t block = 0;
      std::uint32_t offset = 0;
      std::uint32_t size_bytes = 0;
      while (status.ok() && bits.next_run(block, offset, size_bytes)) {
        platform_.charge(Work::step, 1);
        status = gateway_.write_home(slot.home(geometry_) + offset, {data + offset, size_bytes});
      }
    } else {
      status = gateway_.write_home(slot.home(geometry_), {data, slot.granules(geometry_) * kGranule});
    }
    if (status.ok()) residents_.set_clean(index);
    return status;
  }

  Status unload_slot(std::uint16_t index) {
    if (residents_.slot(index).dirty()) {
      if (const Status status = flush_slot(index); !status.ok()) return status;
    }
    // Without records a slot that becomes free costs an image nothing.
    if constexpr (Slot::kRecords) {
      if (const Status status = make_room_to_leave(index); !status.ok()) return status;
    }
    residents_.leave(index);
    return {};
  }

  Geometry geometry_;
  Status planned_;
  P& platform_;
  Residents<P, Slot, RamAllocator> residents_;
  Gateway<P, St> gateway_;
  StoreAllocator store_;
  Checkpoint<P, St, Slot, RamAllocator> checkpoint_;
};

}  // namespace brownout::heap
