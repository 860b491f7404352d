// The virtually non-volatile heap.
//
// Objects live in the store; those in use are resident in RAM. A mutable reference makes an object
// dirty; what one checkpoint would write never exceeds the dirty limit. persist() saves everything from
// the interrupt that the sinking supply raises; after the next boot restore() brings it back, and the
// interrupted code goes on.
#pragma once

#include <cstdint>

#include "heap/checkpoint/checkpoint.hpp"
#include "heap/checksum.hpp"
#include "heap/gateway.hpp"
#include "heap/layout.hpp"
#include "heap/objects/typed.hpp"
#include "heap/policies/in_order.hpp"
#include "heap/policies/policy.hpp"
#include "heap/ram_allocators/linked_list.hpp"
#include "heap/residents.hpp"
#include "heap/roots.hpp"
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
  template <class P>
  using Checksum = NibbleChecksum<P>;
};

// What attach() found; see there.
struct Attached {
  // Contents are those at the last checkpoint; false: those that were last written home.
  bool from_image = false;
  // Objects that a cut may have left between two states: the program was writing them, or they were being
  // written home. Each was named to the caller.
  std::uint32_t in_doubt = 0;
};

// Told of each such object, by its home.
struct InDoubt {
  void (*name)(void* state, std::uint32_t home) = nullptr;
  void* state = nullptr;
};

template <Platform P, Storage St, class Modules = DefaultModules>
class Heap : public Typed<Heap<P, St, Modules>> {
 public:
  using Slot = typename Modules::Slot;
  using RamAllocator = typename Modules::template RamAllocator<P>;
  using StoreAllocator = typename Modules::template StoreAllocator<P, Gateway<P, St>>;
  using Policy = typename Modules::Policy;
  using Checksum = typename Modules::template Checksum<P>;
  static_assert(heap::Checksum<Checksum, P>);
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
        roots_(geometry_, gateway_, platform),
        checkpoint_(residents_, gateway_, storage, platform) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap() = default;

  [[nodiscard]] Status configuration() const { return planned_; }
  [[nodiscard]] const Geometry& geometry() const { return geometry_; }

  // First start: an empty heap on an empty store. The superblock goes first and comes back last, so that a
  // store that was cut in the middle is taken for nothing.
  Status format() {
    residents_.control() = Control{};
    residents_.reset();
    if (const Status status = write_superblock(Superblock{}); !status.ok()) return status;
    if (const Status status = checkpoint_.format(); !status.ok()) return status;
    const std::uint32_t between = geometry_.store_base - geometry_.intent_base;
    if (const Status status = gateway_.zero_home(geometry_.intent_base, between); !status.ok()) return status;
    if (const Status status = store_.format(); !status.ok()) return status;
    return write_superblock(superblock());
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

  // From boot code: brings back what persist() saved last, or says why there is nothing to bring back.
  Status restore(MutableBytes os) {
    Survey survey;
    if (const Status status = survey_images(survey); !status.ok()) return status;
    if (const Error verdict = survey.verdict(); verdict != Error::none) return verdict;
    const Status status = read_image(*survey.newest(), survey.marked, os);
    return status.error() == Error::torn ? Status(survey.verdict_once_torn()) : status;
  }
  // The same with the image before the newest. For a program that finds `torn` and would rather go back in
  // time than start anew: what it did in between, to the world too, it does again. empty: there is none;
  // stale: it had run on since.
  Status restore_older(MutableBytes os) {
    Survey survey;
    if (const Status status = survey_images(survey); !status.ok()) return status;
    if (const Error verdict = survey.verdict_of_older(); verdict != Error::none) return verdict;
    return read_image(*survey.older(), survey.marked, os);
  }

  // format(), persist() and restore() in steps, for a group of heaps (group.hpp).
  [[nodiscard]] std::uint32_t sequence() const { return residents_.control().sequence; }
  Status go_on_from(std::uint32_t sequence) { return checkpoint_.go_on_from(sequence); }
  [[nodiscard]] std::uint32_t following_sequence() const {
    return heap::following_sequence(residents_.control());
  }
  Status write_image(ConstBytes os, std::uint32_t sequence) { return checkpoint_.write(os, sequence); }
  void confirm_image(std::uint32_t sequence) { checkpoint_.confirm(sequence); }
  void disown_image(std::uint32_t sequence) { checkpoint_.disown(sequence); }
  Status survey_images(Survey& survey) {
    platform_.charge(Work::call, 1);
    return checkpoint_.survey(survey);
  }
  Status read_image(const CheckpointHeader& header, std::uint32_t marked, MutableBytes os) {
    return checkpoint_.read(header, marked, os);
  }

  // From boot code, in place of restore() or format(): the heap of a store that another life of the program
  // left behind, without its stack. All references are gone, nothing is resident. If the newest image is
  // whole and current (or torn and the one before it is), what it has goes home: contents are then those at
  // that checkpoint, OS part included. Else contents are those that were last written home, object by object.
  // What was under way is named to `in_doubt`: objects that the program was writing as the image was made,
  // which stay as they were last written home, whole; without an image, and if the heap keeps intents, the
  // one that was being written home last, which may be torn.
  //
  // Afterwards the program looks up its roots, says keep() of everything that it can reach, and lets
  // reclaim() free the rest. `marks` is marks_bytes() of memory of the program's own, until then. What is in
  // doubt has to be left out, or freed, before any object is written: the next one that goes home takes the
  // place of its intent.
  //
  // empty: nobody's store; foreign, wrong_version: somebody else's. storage_failed: to be repeated. Can be
  // cut and repeated without limit. O(image + units).
  Result<Attached> attach(MutableBytes marks, MutableBytes os, InDoubt in_doubt) {
    if (marks.size < marks_bytes()) return Error::bad_configuration;
    if (const Status status = check_superblock(); !status.ok()) return status.error();
    Survey survey;
    if (const Status status = survey_images(survey); !status.ok()) return status.error();
    Attached attached;
    Result<bool> brought_back = bring_back_any(survey, os);
    if (!brought_back.ok()) return brought_back.error();
    attached.from_image = brought_back.value();
    if (attached.from_image) {
      if (const Status status = write_image_home(in_doubt, attached); !status.ok()) return status.error();
    } else if (const Status status = erase_torn(survey); !status.ok()) {
      return status.error();
    }
    // An image that was made before reclaim() does not have what was in doubt then.
    const bool intent_counts = !attached.from_image || residents_.control().in_doubt != 0;
    begin_anew(survey);
    if (const Status status = erase_damaged(survey); !status.ok()) return status.error();
    if constexpr (Slot::kRecords) {
      const std::uint32_t size_bytes = geometry_.config.max_residents * kSlotBytes;
      const Status status = gateway_.zero_home(geometry_.record_address(0), size_bytes);
      if (!status.ok()) return status.error();
    }
    if (intent_counts && geometry_.config.write_intents) {
      if (const Status status = name_intent(in_doubt, attached); !status.ok()) return status.error();
      residents_.control().in_doubt = 1;
    }
    platform_.charge(Work::copied_byte, marks.size);
    __builtin_memset(marks.data, 0, marks.size);
    return attached;
  }
  [[nodiscard]] std::uint32_t marks_bytes() const { return (geometry_.store.units + 7) / 8; }

  // After attach(): this object is reachable. invalid_handle if the store has no object of that size there: a
  // free took effect, the end of its handle did not. O(1), one read.
  Status keep(const Handle& handle, MutableBytes marks) {
    platform_.charge(Work::call, 1);
    if (!handle.valid()) return Error::invalid_handle;
    Result<bool> held =
        store_.holds(handle.home(), size_of(handle.size_bytes(), handle.partial()).home_bytes);
    if (!held.ok()) return held.error();
    if (!held.value()) return Error::invalid_handle;
    const std::uint32_t unit = unit_of(handle.home());
    marks.data[unit / 8] |= static_cast<std::byte>(1U << unit % 8);
    return {};
  }
  // Whether keep() was said of it already.
  [[nodiscard]] bool is_kept(const Handle& handle, MutableBytes marks) const {
    const std::uint32_t unit = unit_of(handle.home());
    return unit < geometry_.store.units &&
           (static_cast<std::uint32_t>(marks.data[unit / 8]) >> unit % 8 & 1U) != 0;
  }
  // Frees every object of which nobody said keep(). Returns how many. O(units), a byte written for each.
  Result<std::uint32_t> reclaim(MutableBytes marks) {
    platform_.charge(Work::call, 1);
    std::uint32_t reclaimed = 0;
    const Status status = each_allocated([&](std::uint32_t unit, std::uint32_t units) {
      if ((static_cast<std::uint32_t>(marks.data[unit / 8]) >> unit % 8 & 1U) != 0) return Status{};
      ++reclaimed;
      const StorePlan& plan = geometry_.store;
      return store_.release(plan.first_unit + unit * plan.unit_bytes, units * plan.unit_bytes);
    });
    if (!status.ok()) return status.error();
    residents_.control().in_doubt = 0;
    return reclaimed;
  }

  // Named roots: where a program that starts cold finds its objects. Durable at once, byte by byte: an outage
  // or a cut leaves the root before or the one after. The object is written home first; the root does not
  // keep it from being freed. no_root: no room; borrowed: it has a writer. O(max_roots), four writes at most
  // beside the object.
  Status set_root(std::uint32_t name, const Handle& handle) {
    platform_.charge(Work::call, 1);
    if (!handle.valid()) return Error::invalid_handle;
    if (const Status status = flush(handle); !status.ok()) return status;
    return roots_.set(name, handle);
  }
  // A handle to what the root names; no_root. O(max_roots).
  Result<Handle> find_root(std::uint32_t name) {
    platform_.charge(Work::call, 1);
    return roots_.find(name);
  }
  // no_root if there is none of that name. O(max_roots), one byte written.
  Status clear_root(std::uint32_t name) {
    platform_.charge(Work::call, 1);
    return roots_.clear(name);
  }

  // Writes every dirty object home that has no mutable borrow.
  Status flush() {
    platform_.charge(Work::call, 1);
    for (;;) {
      const std::uint16_t index = Policy::next_to_flush(residents_.arena(), platform_);
      if (index == kNone) return {};
      if (const Status status = flush_slot(index); !status.ok()) return status;
    }
  }

  // The same for one object. `borrowed` if it is dirty and has a writer.
  Status flush(const Handle& handle) {
    platform_.charge(Work::call, 1);
    const std::uint16_t index = find(handle);
    if (index == kNone || !residents_.slot(index).dirty()) return {};
    return residents_.slot(index).borrows() == Slot::kWriter ? Status(Error::borrowed) : flush_slot(index);
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
    const MutableBytes data{residents_.data(index.value()), data_granules(slot, geometry_) * kGranule};
    for (;;) {
      std::uint32_t epoch = 0;
      const Status status = gateway_.read_home(handle.home(), data, epoch);
      if (!status.ok()) {
        residents_.leave(index.value());
        return status.error();
      }
      // From the end of the borrow on a restore reads it from its home; one that struck between the end of
      // the read and here has left the block to this load.
      CriticalSection<P> section(platform_);
      if (platform_.power_epoch() != epoch) continue;
      end_borrow(index.value());
      return index;
    }
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

  // Brings the store's records up to date, from the first slot that needs it on, in one transfer. Only of
  // slots that are in an image until it is confirmed: on its way it may leave anything in the store.
  Status record_slots() {
    static constexpr std::uint32_t kAtOnce = 32;
    const std::uint32_t slots = residents_.arena().slots();
    std::uint32_t first = 0;
    while (first < slots && !is_recordable(residents_.slot(first))) ++first;
    std::uint32_t end = first;
    for (std::uint32_t i = first; i < slots && i < first + kAtOnce && residents_.slot(i).is_listed(); ++i) {
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

  // Writes what is dirty of an object home. It stays dirty until the last write is confirmed. Its pieces have
  // one intent, that of all of its home: a cut in an intent leaves none, so no second one may follow a piece.
  Status flush_slot(std::uint16_t index) {
    const Slot& slot = residents_.slot(index);
    WriteIntent intent;
    if (geometry_.config.write_intents)
      intent = WriteIntent::of(slot.home(geometry_), data_granules(slot, geometry_) * kGranule);
    const Status status = write_dirty(index, [&](std::uint32_t address, ConstBytes bytes) {
      const Status written = gateway_.write_content(address, bytes, intent);
      intent = {};
      return written;
    });
    if (status.ok()) residents_.set_clean(index);
    return status;
  }
  // Calls write(address, bytes) for what is dirty of an object, piece by piece.
  template <class Write>
  Status write_dirty(std::uint16_t index, Write write) {
    const Slot slot = residents_.slot(index);
    std::byte* data = residents_.data(index);
    if (!slot.partial()) return write(slot.home(geometry_), {data, slot.granules(geometry_) * kGranule});
    const DirtyBits bits(residents_.arena(), slot);
    std::uint32_t block = 0;
    std::uint32_t offset = 0;
    std::uint32_t size_bytes = 0;
    while (bits.next_run(block, offset, size_bytes)) {
      platform_.charge(Work::step, 1);
      const Status status = write(slot.home(geometry_) + offset, {data + offset, size_bytes});
      if (!status.ok()) return status;
    }
    return {};
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

  // ---- attach

  [[nodiscard]] Superblock superblock() const {
    const HeapConfig& c = geometry_.config;
    Superblock block;
    block.magic = Superblock::kMagic;
    block.version = kFormatVersion;
    block.fingerprint = geometry_.fingerprint();
    block.modules = geometry_.modules.id;
    block.storage_bytes = geometry_.storage_bytes;
    block.ram_bytes = c.ram_bytes;
    block.dirty_limit_bytes = c.dirty_limit_bytes;
    block.max_residents = c.max_residents;
    block.store_bytes = c.store_bytes;
    block.store_unit_bytes = c.store_unit_bytes;
    block.os_bytes = c.os_bytes;
    block.max_roots = c.max_roots;
    block.write_intents = c.write_intents ? 1 : 0;
    block.checksum = checksum_of(block);
    return block;
  }
  [[nodiscard]] std::uint32_t checksum_of(const Superblock& block) const {
    Checksum sum(platform_);
    sum.add(reinterpret_cast<const std::byte*>(&block), offsetof(Superblock, checksum));
    return sum.value();
  }
  Status write_superblock(const Superblock& block) {
    return gateway_.write_home(0, {reinterpret_cast<const std::byte*>(&block), sizeof block});
  }
  Status check_superblock() {
    platform_.charge(Work::call, 1);
    Superblock block;
    const Status status = gateway_.read_home(0, {reinterpret_cast<std::byte*>(&block), sizeof block});
    if (!status.ok()) return status;
    if (block.magic != Superblock::kMagic || block.checksum != checksum_of(block)) return Error::empty;
    if (block.version != kFormatVersion) return Error::wrong_version;
    return block.fingerprint == geometry_.fingerprint() ? Error::none : Error::foreign;
  }

  // Brings the newest image back, or the one before if that is torn. False: neither can be used.
  Result<bool> bring_back_any(const Survey& survey, MutableBytes os) {
    const CheckpointHeader* headers[] = {survey.verdict() == Error::none ? survey.newest() : nullptr,
                                         survey.verdict_of_older() == Error::none ? survey.older() : nullptr};
    for (const CheckpointHeader* header : headers) {
      if (header == nullptr) continue;
      const Status status = read_image(*header, survey.marked, os);
      if (status.error() == Error::storage_failed) return Error::storage_failed;
      if (status.ok()) return true;
    }
    return false;
  }
  // After a restore: everything that is dirty, and the table byte that a failed write left open. The image
  // stays what it is, so this can be cut and begun again.
  Status write_image_home(InDoubt in_doubt, Attached& attached) {
    const auto redo = [this](std::uint32_t address, ConstBytes bytes) {
      return gateway_.redo_home(address, bytes);
    };
    for (std::uint32_t i = 0; i < residents_.arena().slots(); ++i) {
      platform_.charge(Work::step, 1);
      const Slot& slot = residents_.slot(i);
      if (!slot.used() || !slot.dirty()) continue;
      // Half changed in the image, whole at home. An attach after a cut in this one no longer knows of it.
      if (slot.borrows() == Slot::kWriter) {
        name(in_doubt, attached, slot.home(geometry_));
        continue;
      }
      if (const Status status = write_dirty(static_cast<std::uint16_t>(i), redo); !status.ok()) return status;
    }
    const Control& control = residents_.control();
    if (control.repair_at == 0) return {};
    const std::byte value{control.repair_value};
    return redo(control.repair_at, {&value, 1});
  }
  // Images that the mark does not name, and that are torn all the same. Without their headers no mark has to
  // be written that, cut in the middle, would let an older image pass for current.
  Status erase_torn(Survey& survey) {
    static constexpr std::byte kNothing[sizeof(CheckpointHeader)] = {};
    for (std::uint32_t place = 0; place < 2; ++place) {
      if (!survey.valid[place] || survey.ran_on_after(survey.headers[place].sequence)) continue;
      const std::uint32_t address = geometry_.checkpoint_address(place);
      const Status status = gateway_.redo_home(address, {kNothing, sizeof kNothing});
      if (!status.ok()) return status;
      survey.valid[place] = false;
    }
    return {};
  }
  // An empty RAM that continues the sequence of the store's images.
  void begin_anew(const Survey& survey) {
    Control& control = residents_.control();
    control = Control{};
    residents_.reset();
    control.sequence = survey.newest() == nullptr ? survey.latest() : survey.newest()->sequence;
    control.marked_sequence = survey.newest() == nullptr ? control.sequence : survey.marked;
  }
  // A damaged header would make every later image look torn.
  Status erase_damaged(const Survey& survey) {
    static constexpr std::byte kNothing[sizeof(CheckpointHeader)] = {};
    for (std::uint32_t place = 0; survey.damaged && place < 2; ++place) {
      if (survey.valid[place]) continue;
      const std::uint32_t address = geometry_.checkpoint_address(place);
      const Status status = gateway_.write_home(address, {kNothing, sizeof kNothing});
      if (!status.ok()) return status;
    }
    return {};
  }
  // The object in which the last intent lies.
  Status name_intent(InDoubt in_doubt, Attached& attached) {
    WriteIntent intent;
    const Status status =
        gateway_.read_home(geometry_.intent_base, {reinterpret_cast<std::byte*>(&intent), sizeof intent});
    if (!status.ok() || !intent.valid() || intent.size_bytes == 0) return status;
    const StorePlan& plan = geometry_.store;
    return each_allocated([&](std::uint32_t unit, std::uint32_t units) {
      const std::uint32_t home = plan.first_unit + unit * plan.unit_bytes;
      if (intent.address >= home && intent.address < home + units * plan.unit_bytes)
        name(in_doubt, attached, home);
      return Status{};
    });
  }
  static void name(InDoubt in_doubt, Attached& attached, std::uint32_t home) {
    ++attached.in_doubt;
    if (in_doubt.name != nullptr) in_doubt.name(in_doubt.state, home);
  }
  // Calls visit(unit, units) for everything that is allocated in the store. Unit by unit, because the bytes
  // in what is allocated are 0: a length that the bus or a cut left wrong hides nothing behind it.
  template <class Visit>
  Status each_allocated(Visit visit) {
    for (std::uint32_t unit = 0;; ++unit) {
      std::uint32_t units = 0;
      if (const Status status = store_.next_allocated(unit, units); !status.ok()) return status;
      if (units == 0) return {};
      if (const Status status = visit(unit, units); !status.ok()) return status;
    }
  }
  [[nodiscard]] std::uint32_t unit_of(std::uint32_t home) const {
    return (home - geometry_.store.first_unit) / geometry_.store.unit_bytes;
  }

  Geometry geometry_;
  Status planned_;
  P& platform_;
  Residents<P, Slot, RamAllocator> residents_;
  Gateway<P, St> gateway_;
  StoreAllocator store_;
  Roots<P, Gateway<P, St>> roots_;
  Checkpoint<P, St, Slot, RamAllocator, Checksum> checkpoint_;
};

}  // namespace brownout::heap
