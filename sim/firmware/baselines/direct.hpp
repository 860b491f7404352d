// Baseline: all objects in the store, read and written back at each access.
#pragma once

#include <cstdint>

#include "heap/gateway.hpp"
#include "heap/ram_allocators/linked_list.hpp"
#include "heap/store_allocators/linked_list.hpp"
#include "sim/firmware/baselines/plan.hpp"
#include "sim/firmware/baselines/snapshot.hpp"
#include "sim/firmware/object_memory.hpp"

namespace brownout::sim::firmware {

// Part of an object whose newest content is in RAM: a writer has it, or gave it back and the write failed.
struct OpenWriter {
  std::uint32_t data = 0;  // RAM offset of where the object's first byte would be; 0: there is no writer
  std::uint32_t offset_bytes = 0;
  std::uint32_t size_bytes = 0;
};
// For whoever looks at the RAM of a DirectAccess from outside. O(borrows).
inline OpenWriter find_writer(const std::byte* ram, std::uint32_t home) {
  DirectControl control;
  __builtin_memcpy(&control, ram, sizeof control);
  for (const std::uint16_t first : {control.open, control.unwritten}) {
    DirectBorrow borrow;
    for (std::uint32_t at = first; at != 0; at = borrow.next) {
      __builtin_memcpy(&borrow, ram + at * heap::kGranule, sizeof borrow);
      if (borrow.home != home || borrow.covered_bytes == 0) continue;
      return {.data = at * heap::kGranule + static_cast<std::uint32_t>(sizeof borrow),
              .offset_bytes = borrow.offset_bytes,
              .size_bytes = borrow.covered_bytes};
    }
  }
  return {};
}

// An object's home is its address in the store. A borrow copies the object into a scratch block of RAM: a
// reader all of it, a writer what it covers, for it may read what it is about to change. give_back() of a
// writer writes that part home at once. RAM holds the scratch blocks of open borrows and nothing else of the
// objects; the image has all of it, so an outage changes nothing that the program could see, at any moment,
// and there are no critical sections beside the gateway's.
//
//   make_bytes    a search of the store's table, one write, one byte of the table
//   free_bytes    one byte of the table; if there is something to destroy one read before
//   lend_*        O(open borrows + free blocks) steps, one read
//   give_back     O(open borrows + free blocks) steps, of a writer one write
//   persist       one write of ram_bytes, OS part and 32 B
//   restore       two headers, the mark, then one read of as much
template <heap::Platform P, heap::Storage S>
class DirectAccess final : public ObjectMemory {
 public:
  // `ram` is config.ram_bytes of memory, aligned to 8. Touches neither RAM nor store; unless configuration()
  // is ok no other call may follow. Boot code constructs the memory anew before restore(). O(1).
  DirectAccess(std::byte* ram, const heap::HeapConfig& config, S& storage, P& platform)
      : plan_(plan_direct(config, storage.size_bytes())),
        arena_(ram, plan_.geometry),
        platform_(platform),
        ram_allocator_(arena_, platform),
        gateway_(arena_, storage, platform),
        store_allocator_(arena_, platform, gateway_),
        snapshot_(arena_, storage, platform) {}
  DirectAccess(const DirectAccess&) = delete;
  DirectAccess& operator=(const DirectAccess&) = delete;
  ~DirectAccess() override = default;

  [[nodiscard]] heap::Status configuration() const { return plan_.status(); }
  [[nodiscard]] const BaselinePlan& plan() const { return plan_; }

  // too_large: nobody could borrow it; no_storage, storage_failed: nothing is left behind.
  heap::Result<heap::Handle> make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                        const std::byte* value) override {
    platform_.charge(heap::Work::call, 1);
    if (scratch_granules(size_bytes) > plan_.geometry.object_granules()) return heap::Error::too_large;
    if (const heap::Status status = settle(); !status.ok()) return status.error();
    heap::Result<heap::StorePlace> place = store_allocator_.find(size_bytes);
    if (!place.ok()) return place.error();
    const std::uint32_t home = place.value().home;
    heap::Status status;
    if (size_bytes > 0) {
      status = value == nullptr ? gateway_.zero_home(home, size_bytes)
                                : gateway_.write_home(home, {value, size_bytes});
    }
    // Last, so that whatever failed before has left nothing behind in the store.
    if (status.ok()) status = store_allocator_.claim(place.value());
    if (!status.ok()) return status.error();
    return heap::Handle(home, size_bytes, dirtiness);
  }

  // invalid_handle, borrowed, storage_failed; with `destroy` no_ram too. Object and handle are then as
  // before.
  heap::Status free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) override {
    platform_.charge(heap::Work::call, 1);
    if (const heap::Status status = settle(); !status.ok()) return status;
    if (!handle.valid()) return heap::Error::invalid_handle;
    if (is_borrowed(handle.home(), true)) return heap::Error::borrowed;
    if (destroy == nullptr) return release(handle);
    heap::Result<std::uint16_t> fetched = fetch(handle, 0, handle.size_bytes());
    if (!fetched.ok()) return fetched.error();
    const heap::Status status = release(handle);
    if (status.ok()) destroy(scratch(fetched.value()));
    drop(fetched.value());
    return status;
  }

  // invalid_handle, borrowed, no_ram, storage_failed.
  heap::Result<heap::Lent> lend_reader(const heap::Handle& handle) override {
    return lend(handle, 0, handle.size_bytes(), false);
  }
  heap::Result<heap::Lent> lend_writer(const heap::Handle& handle, std::uint32_t offset_bytes,
                                       std::uint32_t size_bytes) override {
    return lend(handle, offset_bytes, size_bytes, true);
  }

  // If the write fails, the scratch block stays: the next call of any kind but give_back() writes it again
  // before it does anything else, and is what fails if that does.
  void give_back(const heap::Lent& lent) override {
    platform_.charge(heap::Work::call, 1);
    const std::uint16_t number = borrow_of(lent);
    unlink(control().open, number);
    if (write_back(number).ok()) {
      drop(number);
    } else {
      link(control().unwritten, number);
    }
  }

  // Writes again what could not be written. storage_failed.
  heap::Status flush() override {
    platform_.charge(heap::Work::call, 1);
    return settle();
  }

  heap::Status format() override {
    control() = DirectControl{};
    ram_allocator_.reset();
    if (const heap::Status status = snapshot_.format(); !status.ok()) return status;
    return store_allocator_.format();
  }
  heap::Status persist(heap::ConstBytes os) override { return snapshot_.write(all_ram(), 0, os); }
  heap::Status restore(heap::MutableBytes os) override {
    SnapshotHeader header;
    std::uint32_t marked = 0;
    if (const heap::Status status = snapshot_.find_current(gateway_, header, marked); !status.ok()) {
      return status;
    }
    auto reading = snapshot_.begin(header);
    if (const heap::Status status = snapshot_.read_rest(reading, header, all_ram(), os); !status.ok()) {
      return status;
    }
    arena_.control().sequence = header.sequence;
    arena_.control().marked_sequence = marked;
    return {};
  }

 private:
  using RamAllocator = heap::LinkedListRam<P>;
  using Gateway = heap::Gateway<P, S>;
  using Block = typename RamAllocator::Place;
  static constexpr std::uint32_t kBorrowGranules = sizeof(DirectBorrow) / heap::kGranule;

  [[nodiscard]] DirectControl& control() const { return *reinterpret_cast<DirectControl*>(arena_.at(0)); }
  [[nodiscard]] DirectBorrow& borrow(std::uint16_t number) const {
    return *reinterpret_cast<DirectBorrow*>(arena_.granule(number));
  }
  [[nodiscard]] std::byte* scratch(std::uint16_t number) const {
    return arena_.granule(number + kBorrowGranules);
  }
  [[nodiscard]] std::uint16_t borrow_of(const heap::Lent& lent) const {
    const auto offset = static_cast<std::uint32_t>(lent.data - arena_.at(0));
    return static_cast<std::uint16_t>(offset / heap::kGranule - kBorrowGranules);
  }
  static std::uint32_t scratch_granules(std::uint32_t size_bytes) {
    return kBorrowGranules + granules_in(size_bytes);
  }
  [[nodiscard]] OneSpan all_ram() const { return {{arena_.at(0), plan_.geometry.config.ram_bytes}}; }

  // Lists of borrows: the control has the first of each.
  void link(std::uint16_t& first, std::uint16_t number) {
    borrow(number).next = first;
    first = number;
  }
  void unlink(std::uint16_t& first, std::uint16_t number) {
    std::uint16_t* link = &first;
    for (; *link != number; link = &borrow(*link).next) platform_.charge(heap::Work::step, 1);
    *link = borrow(number).next;
  }
  // Borrowed by anybody, or by a writer.
  [[nodiscard]] bool is_borrowed(std::uint32_t home, bool by_anybody) const {
    for (std::uint16_t at = control().open; at != 0; at = borrow(at).next) {
      platform_.charge(heap::Work::step, 1);
      if (borrow(at).home == home && (by_anybody || borrow(at).covered_bytes > 0)) return true;
    }
    return false;
  }

  heap::Result<heap::Lent> lend(const heap::Handle& handle, std::uint32_t offset_bytes,
                                std::uint32_t size_bytes, bool writer) {
    platform_.charge(heap::Work::call, 1);
    if (const heap::Status status = settle(); !status.ok()) return status.error();
    if (!handle.valid()) return heap::Error::invalid_handle;
    if (is_borrowed(handle.home(), writer)) return heap::Error::borrowed;
    heap::Result<std::uint16_t> fetched = fetch(handle, offset_bytes, size_bytes);
    if (!fetched.ok()) return fetched.error();
    const std::uint16_t number = fetched.value();
    if (writer) borrow(number).covered_bytes = size_bytes;
    link(control().open, number);
    return heap::Lent{scratch(number), 0, 0};
  }

  // Reads a part of an object into a scratch block of its own, which is in no list yet.
  heap::Result<std::uint16_t> fetch(const heap::Handle& handle, std::uint32_t offset_bytes,
                                    std::uint32_t size_bytes) {
    Block block;
    if (!ram_allocator_.find(scratch_granules(handle.size_bytes()), block)) return heap::Error::no_ram;
    ram_allocator_.take(block);
    std::uint16_t number = block.block;
    borrow(number) = {.home = handle.home(),
                      .offset_bytes = offset_bytes,
                      .covered_bytes = 0,
                      .next = 0,
                      .granules = block.granules};
    if (size_bytes == 0) return number;
    const heap::Status status =
        gateway_.read_home(handle.home() + offset_bytes, {scratch(number) + offset_bytes, size_bytes});
    if (!status.ok()) {
      drop(number);
      return status.error();
    }
    return number;
  }
  void drop(std::uint16_t number) {
    Block block;
    ram_allocator_.find_return(number, borrow(number).granules, block);
    ram_allocator_.give_back(block);
  }

  heap::Status write_back(std::uint16_t number) {
    const DirectBorrow& given = borrow(number);
    if (given.covered_bytes == 0) return {};
    return gateway_.write_home(given.home + given.offset_bytes,
                               {scratch(number) + given.offset_bytes, given.covered_bytes});
  }
  // Writes what give_back() could not.
  heap::Status settle() {
    while (control().unwritten != 0) {
      const std::uint16_t number = control().unwritten;
      if (const heap::Status status = write_back(number); !status.ok()) return status;
      control().unwritten = borrow(number).next;
      drop(number);
    }
    return {};
  }

  heap::Status release(heap::Handle& handle) {
    const heap::Status status = store_allocator_.release(handle.home(), handle.size_bytes());
    if (status.ok()) handle = heap::Handle();
    return status;
  }

  BaselinePlan plan_;
  heap::Arena arena_;
  P& platform_;
  RamAllocator ram_allocator_;
  Gateway gateway_;
  heap::LinkedListStore<P, Gateway> store_allocator_;
  Snapshot<P, S> snapshot_;
};

}  // namespace brownout::sim::firmware
