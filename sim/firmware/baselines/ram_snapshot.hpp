// Baseline: all objects in RAM, all RAM saved at the interrupt.
#pragma once

#include <cstdint>

#include "heap/ram_allocators/linked_list.hpp"
#include "sim/firmware/baselines/plan.hpp"
#include "sim/firmware/baselines/snapshot.hpp"
#include "sim/firmware/object_memory.hpp"

namespace brownout::sim::firmware {

// What a program does that knows nothing of outages, beneath a snapshot of its RAM: an allocator, and plain
// accesses. An object's home is its offset in RAM. A borrow is a pointer: it costs nothing and nobody counts
// it, so nothing is ever `borrowed`. Since the image has every byte, an outage changes nothing that the
// program could see, at any moment: there are no critical sections, and the store is touched by format(),
// persist() and restore() only.
//
//   make_bytes   O(free blocks + size)
//   free_bytes   O(free blocks)
//   persist      one write of ram_bytes, OS part and 32 B
//   restore      two headers, then one read of as much
//
// An older image is a whole state of the past, so there is no running mark: nothing is ever stale.
template <heap::Platform P, heap::Storage S>
class RamSnapshot final : public ObjectMemory {
 public:
  // `ram` is config.ram_bytes of memory, aligned to 8. Touches neither RAM nor store; unless configuration()
  // is ok no other call may follow. Boot code constructs the memory anew before restore(). O(1).
  RamSnapshot(std::byte* ram, const heap::HeapConfig& config, S& storage, P& platform)
      : plan_(plan_ram_snapshot(config, storage.size_bytes())),
        arena_(ram, plan_.geometry),
        platform_(platform),
        allocator_(arena_, platform),
        snapshot_(arena_, storage, platform) {}
  RamSnapshot(const RamSnapshot&) = delete;
  RamSnapshot& operator=(const RamSnapshot&) = delete;
  ~RamSnapshot() override = default;

  [[nodiscard]] heap::Status configuration() const { return plan_.status(); }
  [[nodiscard]] const BaselinePlan& plan() const { return plan_; }

  // too_large: than all RAM for objects; no_ram.
  heap::Result<heap::Handle> make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                        const std::byte* value) override {
    platform_.charge(heap::Work::call, 1);
    const std::uint32_t granules = granules_in(size_bytes);
    if (granules > plan_.geometry.object_granules()) return heap::Error::too_large;
    Block block;
    if (!allocator_.find(granules, block)) return heap::Error::no_ram;
    allocator_.take(block);
    std::byte* data = arena_.granule(block.block);
    platform_.charge(heap::Work::copied_byte, size_bytes);
    if (value != nullptr) {
      heap::copy_bytes(data, value, size_bytes);
    } else {
      __builtin_memset(data, 0, size_bytes);
    }
    return heap::Handle(block.block * heap::kGranule, size_bytes, dirtiness);
  }

  // invalid_handle.
  heap::Status free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) override {
    platform_.charge(heap::Work::call, 1);
    if (!handle.valid()) return heap::Error::invalid_handle;
    if (destroy != nullptr) destroy(arena_.at(handle.home()));
    Block block;
    allocator_.find_return(handle.home() / heap::kGranule, granules_in(handle.size_bytes()), block);
    allocator_.give_back(block);
    handle = heap::Handle();
    return {};
  }

  // invalid_handle. O(1), charges nothing.
  heap::Result<heap::Lent> lend_reader(const heap::Handle& handle) override { return lend(handle); }
  heap::Result<heap::Lent> lend_writer(const heap::Handle& handle, std::uint32_t, std::uint32_t) override {
    return lend(handle);
  }
  void give_back(const heap::Lent&) override {}
  heap::Status flush() override { return {}; }

  heap::Status format() override {
    arena_.control() = heap::Control{};
    allocator_.reset();
    return snapshot_.format();
  }
  heap::Status persist(heap::ConstBytes os) override { return snapshot_.write(all_ram(), 0, os); }
  heap::Status restore(heap::MutableBytes os) override {
    SnapshotHeader header;
    if (const heap::Status status = snapshot_.find_newest(header); !status.ok()) return status;
    auto reading = snapshot_.begin(header);
    if (const heap::Status status = snapshot_.read_rest(reading, header, all_ram(), os); !status.ok()) {
      return status;
    }
    arena_.control().sequence = header.sequence;
    return {};
  }

 private:
  using Allocator = heap::LinkedListRam<P>;
  using Block = typename Allocator::Place;

  heap::Result<heap::Lent> lend(const heap::Handle& handle) {
    if (!handle.valid()) return heap::Error::invalid_handle;
    return heap::Lent{arena_.at(handle.home()), 0, 0};
  }
  [[nodiscard]] OneSpan all_ram() const { return {{arena_.at(0), plan_.geometry.config.ram_bytes}}; }

  BaselinePlan plan_;
  heap::Arena arena_;
  P& platform_;
  Allocator allocator_;
  Snapshot<P, S> snapshot_;
};

}  // namespace brownout::sim::firmware
