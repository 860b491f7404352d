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
#include "heap/memory/in_order.hpp"
#include "heap/memory/linked_list_ram.hpp"
#include "heap/memory/linked_list_store.hpp"
#include "heap/object.hpp"
#include "heap/residents.hpp"

namespace brownout::heap {

// The replaceable parts of a heap.
struct DefaultModules {
  template <class P>
  using RamAllocator = LinkedListRam<P>;
  template <class P, class Gateway>
  using StoreAllocator = LinkedListStore<P, Gateway>;
  template <class P>
  using Policy = InOrder<P>;
};

template <Platform P, Storage S, class Modules = DefaultModules>
class Heap {
 public:
  using RamAllocator = typename Modules::template RamAllocator<P>;
  using StoreAllocator = typename Modules::template StoreAllocator<P, Gateway<P, S>>;
  using Policy = typename Modules::template Policy<P>;

  // `ram` is config.ram_bytes of memory, aligned to 8. Touches neither RAM nor store; configuration()
  // says whether the sizes fit together, and if they do not, no other call may follow. Boot code
  // constructs the heap anew before restore().
  Heap(std::byte* ram, const HeapConfig& config, S& storage, P& platform)
      : planned_(Geometry::plan(config, storage.size_bytes(), geometry_)),
        platform_(platform),
        residents_(Arena(ram, geometry_), platform),
        gateway_(Arena(ram, geometry_), storage, platform),
        store_(geometry_, platform, gateway_),
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
    return store_.format();
  }

  // From the persist interrupt, never from within a critical section: saves all dirty objects, the
  // state of the residents and the OS part. On failure RAM is as before.
  Status persist(ConstBytes os) { return checkpoint_.write(os); }

  // From boot code: brings back what persist() saved, or says why there is nothing to bring back.
  Status restore(MutableBytes os) { return checkpoint_.restore(os); }

  // A new object with that value. no_storage, no_ram, dirty_limit, ...: nothing is left behind.
  template <class T>
  Result<Object<T>> make(const T& value) {
    Result<Handle> handle = make_bytes(sizeof(T), reinterpret_cast<const std::byte*>(&value));
    if (!handle.ok()) return handle.error();
    return Object<T>(handle.take());
  }
  // A new object of `size_bytes` zeros.
  Result<Buffer> make_buffer(std::uint32_t size_bytes) {
    Result<Handle> handle = make_bytes(size_bytes, nullptr);
    if (!handle.ok()) return handle.error();
    return Buffer(handle.take());
  }

  // Frees an object; the handle is invalid afterwards. `borrowed` while a reference lives;
  // storage_failed leaves object and handle as they were.
  Status free(Handle& handle) {
    platform_.charge(Work::call, 1);
    const std::uint16_t index = residents_.find(handle.home());
    if (index != kNone && residents_.slot(index).borrows() != 0) return Error::borrowed;
    if (const Status status = store_.release(handle.home()); !status.ok()) return status;
    if (index != kNone) residents_.leave(index);
    handle = Handle();
    return {};
  }

  // References. Loads the object if it is not resident, which may unload and flush others. Any number
  // of readers (30) or one writer at a time, else `borrowed`. write() makes the object dirty.
  template <class T>
  Result<Ref<Heap, T>> read(const Object<T>& object) {
    return borrow<const T>(object, false);
  }
  template <class T>
  Result<MutRef<Heap, T>> write(const Object<T>& object) {
    return borrow<T>(object, true);
  }
  Result<Ref<Heap, std::byte>> read(const Buffer& buffer) { return borrow<const std::byte>(buffer, false); }
  Result<MutRef<Heap, std::byte>> write(const Buffer& buffer) { return borrow<std::byte>(buffer, true); }

  // Writes every dirty object home that has no mutable borrow.
  Status flush() {
    platform_.charge(Work::call, 1);
    for (;;) {
      const std::uint16_t index = Policy::next_to_flush(residents_.arena(), platform_);
      if (index == kNone) return {};
      if (const Status status = flush_slot(index); !status.ok()) return status;
    }
  }

  // What a checkpoint would write now, the OS part apart; never above the dirty limit.
  [[nodiscard]] std::uint32_t checkpoint_bytes() const { return checkpoint_.size_bytes(); }

 private:
  template <class H, class T>
  friend class Reference;

  Result<Handle> make_bytes(std::uint32_t size_bytes, const std::byte* value) {
    platform_.charge(Work::call, 1);
    if (size_bytes == 0 || size_bytes > kMaxObjectBytes) return Error::too_large;
    const std::uint32_t granules = (size_bytes + kGranule - 1) / kGranule;
    Result<std::uint32_t> home = store_.allocate(granules * kGranule, residents_.control().store_cursor);
    if (!home.ok()) return home.error();
    Result<std::uint16_t> index = bring_in(home.value(), granules, Slot::kDirty);
    if (!index.ok()) {
      // The reason is what made the object impossible, even if giving its place back fails as well.
      static_cast<void>(store_.release(home.value()));
      return index.error();
    }
    fill(residents_.slot(index.value()), size_bytes, value);
    return Handle(home.value(), size_bytes);
  }

  void fill(const Slot& slot, std::uint32_t size_bytes, const std::byte* value) {
    std::byte* data = residents_.data(slot);
    platform_.charge(Work::copied_byte, slot.size_bytes());
    __builtin_memset(data, 0, slot.size_bytes());
    if (value != nullptr) copy_bytes(data, value, size_bytes);
  }

  template <class T, class H>
  Result<Reference<Heap, T>> borrow(const H& handle, bool write) {
    platform_.charge(Work::call, 1);
    std::uint16_t index = residents_.find(handle.home());
    if (index == kNone) {
      Result<std::uint16_t> loaded = load(handle);
      if (!loaded.ok()) return loaded.error();
      index = loaded.value();
    }
    if (const Status status = write ? lend_to_writer(index) : lend_to_reader(index); !status.ok()) {
      return status.error();
    }
    auto* data = reinterpret_cast<T*>(residents_.data(residents_.slot(index)));
    return Reference<Heap, T>(*this, index, data, handle.size_bytes());
  }

  Status lend_to_reader(std::uint16_t index) {
    Slot& slot = residents_.slot(index);
    if (slot.borrows() >= Slot::kMaxReaders) return Error::borrowed;
    slot.set_borrows(slot.borrows() + 1);
    return {};
  }
  Status lend_to_writer(std::uint16_t index) {
    Slot& slot = residents_.slot(index);
    if (slot.borrows() != 0) return Error::borrowed;
    slot.set_borrows(Slot::kWriter);  // first, so that making room cannot choose this very object
    if (slot.dirty()) return {};
    if (const Status status = make_budget(slot.size_bytes(), index); !status.ok()) {
      slot.set_borrows(0);
      return status;
    }
    residents_.set_dirty(index, true);
    return {};
  }
  void give_back(std::uint16_t index) {
    Slot& slot = residents_.slot(index);
    slot.set_borrows(slot.borrows() == Slot::kWriter ? 0 : slot.borrows() - 1);
  }

  // Reads an object from its home into RAM. Until the read is confirmed the slot is `loading`: the
  // restore keeps its block, and the interrupted read is repeated into it.
  Result<std::uint16_t> load(const Handle& handle) {
    const std::uint32_t granules = (handle.size_bytes() + kGranule - 1) / kGranule;
    Result<std::uint16_t> index = bring_in(handle.home(), granules, Slot::kLoading);
    if (!index.ok()) return index.error();
    const Slot& slot = residents_.slot(index.value());
    const Status status = gateway_.read_home(handle.home(), {residents_.data(slot), slot.size_bytes()});
    if (!status.ok()) {
      residents_.leave(index.value());
      return status.error();
    }
    residents_.set_loaded(index.value());
    return index;
  }

  // Finds a slot, RAM and, for a dirty object, budget, making room as the policy says.
  Result<std::uint16_t> bring_in(std::uint32_t home, std::uint32_t granules, std::uint32_t flags) {
    const std::uint32_t dirty_bytes = (flags & Slot::kDirty) != 0 ? granules * kGranule : 0;
    for (;;) {
      std::uint16_t index = residents_.lowest_free_slot();
      if (index != kNone) {
        if (const Status status = make_budget(dirty_bytes, index); !status.ok()) return status.error();
        if (residents_.enter(index, home, granules, flags)) return index;
      }
      const std::uint16_t victim = Policy::next_to_unload(residents_.arena(), platform_);
      if (victim == kNone) return index == kNone ? Error::no_slot : Error::no_ram;
      if (const Status status = unload(victim); !status.ok()) return status.error();
    }
  }

  // Flushes until a checkpoint with slot `index` in use and `extra_dirty_bytes` more fits the limit.
  Status make_budget(std::uint32_t extra_dirty_bytes, std::uint16_t index) {
    const Control& control = residents_.control();
    for (;;) {
      const std::uint32_t beyond = index >= control.slot_high ? index + 1U - control.slot_high : 0;
      const std::uint32_t needed =
          checkpoint_.size_bytes() + extra_dirty_bytes + beyond * static_cast<std::uint32_t>(sizeof(Slot));
      if (needed <= geometry_.config.dirty_limit_bytes) return {};
      std::uint16_t victim = Policy::next_to_flush(residents_.arena(), platform_);
      if (victim != kNone) {
        if (const Status status = flush_slot(victim); !status.ok()) return status;
        continue;
      }
      // Nothing left to flush; fewer slots make the checkpoint smaller.
      victim = control.slot_high > 0 ? static_cast<std::uint16_t>(control.slot_high - 1U) : kNone;
      if (victim == kNone || victim == index || residents_.slot(victim).borrows() != 0)
        return Error::dirty_limit;
      if (const Status status = unload(victim); !status.ok()) return status;
    }
  }

  // Writes an object home. It stays dirty until the write is confirmed.
  Status flush_slot(std::uint16_t index) {
    const Slot& slot = residents_.slot(index);
    const Status status = gateway_.write_home(slot.home(), {residents_.data(slot), slot.size_bytes()});
    if (status.ok()) residents_.set_dirty(index, false);
    return status;
  }

  Status unload(std::uint16_t index) {
    if (residents_.slot(index).dirty()) {
      if (const Status status = flush_slot(index); !status.ok()) return status;
    }
    residents_.leave(index);
    return {};
  }

  Geometry geometry_;
  Status planned_;
  P& platform_;
  Residents<P, RamAllocator> residents_;
  Gateway<P, S> gateway_;
  StoreAllocator store_;
  Checkpoint<P, S, RamAllocator> checkpoint_;
};

}  // namespace brownout::heap
