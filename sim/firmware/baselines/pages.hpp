// Baseline: all objects in RAM, dirty page by page (ManagedState).
#pragma once

#include <cstdint>
#include <initializer_list>

#include "heap/gateway.hpp"
#include "heap/ram_allocators/linked_list.hpp"
#include "sim/firmware/baselines/plan.hpp"
#include "sim/firmware/baselines/snapshot.hpp"
#include "sim/firmware/object_memory.hpp"

namespace brownout::sim::firmware {

// Objects lie in RAM one after the other in order of making (first fit, as long as nothing was freed), across
// the borders of pages; an object's home is its offset in RAM. Each page has a home in the store. What is
// written to a page is written while it is dirty: a mutable borrow marks the pages that it covers and pins
// them as long as it lives, make_bytes() and free_bytes() mark their pages and those of the free blocks that
// they link (two more at most). Before an image would exceed the dirty limit, a page is written home whole,
// chosen by a second-chance clock among the dirty pages that are not pinned. Pages are never unloaded.
//
// Readers are not counted, so nothing is ever `borrowed`. The image has the pages in which something was ever
// allocated ("in use"): a byte of flags each, and their content if they are dirty.
//
//   make_bytes    O(free blocks + size), and a flush for each page that becomes dirty above the limit
//   free_bytes    O(free blocks), the same
//   lend_reader   O(1)
//   lend_writer   O(pages of the range), the same
//   a flush       O(pages) steps, one write of a page
//   flush         O(pages) steps, one write a dirty page
//   persist       one write of the dirty limit and the OS part at most
//   restore       two headers, the mark, the metadata, one read a run of clean pages, one for all dirty ones
template <heap::Platform P, heap::Storage S>
class PageWise final : public ObjectMemory {
 public:
  // `ram` is config.ram_bytes of memory, aligned to 8. Touches neither RAM nor store; unless configuration()
  // is ok no other call may follow. Boot code constructs the memory anew before restore(). O(1).
  PageWise(std::byte* ram, const heap::HeapConfig& config, std::uint32_t page_bytes, S& storage, P& platform)
      : plan_(plan_pages(config, page_bytes, storage.size_bytes())),
        arena_(ram, plan_.geometry),
        platform_(platform),
        allocator_(arena_, platform),
        gateway_(arena_, storage, platform),
        snapshot_(arena_, storage, platform) {}
  PageWise(const PageWise&) = delete;
  PageWise& operator=(const PageWise&) = delete;
  ~PageWise() override = default;

  [[nodiscard]] heap::Status configuration() const { return plan_.status(); }
  [[nodiscard]] const BaselinePlan& plan() const { return plan_; }
  // What a persist would write now, the OS part apart; never above the dirty limit.
  [[nodiscard]] std::uint32_t checkpoint_bytes() const { return control().image_bytes; }

  // too_large: than all pages; no_ram; dirty_limit: its pages cannot all be dirty at once, with those of
  // open writers; storage_failed. Nothing is left behind.
  heap::Result<heap::Handle> make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                        const std::byte* value) override {
    platform_.charge(heap::Work::call, 1);
    const std::uint32_t granules = granules_in(size_bytes);
    if (granules > plan_.geometry.object_granules()) return heap::Error::too_large;
    Block block;
    if (!allocator_.find(granules, block)) return heap::Error::no_ram;
    const std::uint32_t end = block.block + granules;
    const bool splits = granules < block.whole_granules;
    const Changes changes{granule_pages(block.block, end),
                          {granule_pages(end, splits ? end + 1 : end), link_pages(block.before)}};
    if (const heap::Status status = make_dirty(changes); !status.ok()) return status.error();
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

  // invalid_handle, dirty_limit, storage_failed: object and handle are then as before.
  heap::Status free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) override {
    platform_.charge(heap::Work::call, 1);
    if (!handle.valid()) return heap::Error::invalid_handle;
    const std::uint32_t first = handle.home() / heap::kGranule;
    const std::uint32_t granules = granules_in(handle.size_bytes());
    Block block;
    allocator_.find_return(first, granules, block);
    // What is destroyed may change while it is.
    const Changes changes{granule_pages(first, destroy == nullptr ? first : first + granules),
                          {link_pages(block.whole), link_pages(block.before)}};
    if (const heap::Status status = make_dirty(changes); !status.ok()) return status;
    if (destroy != nullptr) destroy(arena_.granule(first));
    allocator_.give_back(block);
    handle = heap::Handle();
    return {};
  }

  // invalid_handle.
  heap::Result<heap::Lent> lend_reader(const heap::Handle& handle) override {
    platform_.charge(heap::Work::call, 1);
    if (!handle.valid()) return heap::Error::invalid_handle;
    return heap::Lent{arena_.at(handle.home()), 0, 0};
  }

  // invalid_handle, dirty_limit: the pages cannot all be dirty at once, with those of other open writers;
  // no_slot: more than 63 writers of one page; storage_failed.
  heap::Result<heap::Lent> lend_writer(const heap::Handle& handle, std::uint32_t offset_bytes,
                                       std::uint32_t size_bytes) override {
    platform_.charge(heap::Work::call, 1);
    if (!handle.valid()) return heap::Error::invalid_handle;
    const Pages pages = byte_pages(handle.home() + offset_bytes, size_bytes);
    for (std::uint32_t page = pages.first; page < pages.end; ++page) {
      if (pins(page) >= kMaxPins) return heap::Error::no_slot;
    }
    if (const heap::Status status = make_dirty({pages, {}}); !status.ok()) return status.error();
    for (std::uint32_t page = pages.first; page < pages.end; ++page) set_flags(page, flags(page) + kPin);
    return heap::Lent{arena_.at(handle.home()), static_cast<std::uint16_t>(pages.first),
                      static_cast<std::uint16_t>(pages.end)};
  }

  void give_back(const heap::Lent& lent) override {
    heap::compiler_fence();
    for (std::uint32_t page = lent.key; page < lent.slot; ++page) {
      platform_.charge(heap::Work::step, 1);
      set_flags(page, flags(page) - kPin);
    }
  }

  // Writes every dirty page home that is not pinned. storage_failed.
  heap::Status flush() override {
    platform_.charge(heap::Work::call, 1);
    for (std::uint32_t page = 0; page < in_use(); ++page) {
      platform_.charge(heap::Work::step, 1);
      if (!is_dirty(page) || pins(page) != 0) continue;
      if (const heap::Status status = flush_page(page); !status.ok()) return status;
    }
    return {};
  }

  heap::Status format() override {
    control() = heap::Control{};
    clear_flags_from(0);
    // The list of free blocks begins in the first page.
    control().residents = 1;
    flags(0) = kDirty;
    control().image_bytes = plan_.paged_image_bytes(1, 1);
    allocator_.reset();
    return snapshot_.format();
  }

  heap::Status persist(heap::ConstBytes os) override {
    return snapshot_.write(Image{metadata(), Runs(*this, kDirty)}, control().residents, os);
  }

  heap::Status restore(heap::MutableBytes os) override {
    SnapshotHeader header;
    std::uint32_t marked = 0;
    if (const heap::Status status = snapshot_.find_current(gateway_, header, marked); !status.ok()) {
      return status;
    }
    if (header.pages > plan_.pages) return heap::Error::torn;
    control().residents = header.pages;
    auto reading = snapshot_.begin(header);
    if (const heap::Status status = snapshot_.read(reading, metadata()); !status.ok()) return status;
    if (control().residents != header.pages) return heap::Error::torn;
    clear_flags_from(header.pages);
    if (const heap::Status status = read_homes(); !status.ok()) return status;
    const Runs dirty(*this, kDirty);
    if (const heap::Status status = snapshot_.read_rest(reading, header, dirty, os); !status.ok()) {
      return status;
    }
    control().sequence = header.sequence;
    control().marked_sequence = marked;
    return {};
  }

 private:
  using Allocator = heap::LinkedListRam<P>;
  using Block = typename Allocator::Place;

  // A page's flags: dirty; lent or written since the clock's hand last passed; the number of pins.
  static constexpr std::uint8_t kDirty = 1;
  static constexpr std::uint8_t kReferenced = 2;
  static constexpr std::uint8_t kPin = 4;
  static constexpr std::uint32_t kMaxPins = 63;

  // Pages [first, end).
  struct Pages {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    [[nodiscard]] bool has(std::uint32_t page) const { return page >= first && page < end; }
  };
  // All that an operation changes.
  struct Changes {
    Pages object;
    Pages links[2];
    [[nodiscard]] bool has(std::uint32_t page) const {
      return object.has(page) || links[0].has(page) || links[1].has(page);
    }
  };
  [[nodiscard]] Pages byte_pages(std::uint32_t ram_offset, std::uint32_t size_bytes) const {
    if (size_bytes == 0) return {};
    return {plan_.page_of(ram_offset), plan_.page_of(ram_offset + size_bytes - 1) + 1};
  }
  [[nodiscard]] Pages granule_pages(std::uint32_t first, std::uint32_t end) const {
    return byte_pages(first * heap::kGranule, (end - first) * heap::kGranule);
  }
  // Of a free block's link; 0: that is in the control.
  [[nodiscard]] Pages link_pages(std::uint32_t block) const {
    return block == 0 ? Pages{} : granule_pages(block, block + 1);
  }

  [[nodiscard]] heap::Control& control() const { return arena_.control(); }
  [[nodiscard]] std::uint32_t in_use() const { return BaselinePlan::pages_in_use(control()); }
  [[nodiscard]] std::uint8_t& flags(std::uint32_t page) const {
    return reinterpret_cast<std::uint8_t*>(arena_.at(plan_.flags_offset))[page];
  }
  [[nodiscard]] bool is_dirty(std::uint32_t page) const { return (flags(page) & kDirty) != 0; }
  [[nodiscard]] std::uint32_t pins(std::uint32_t page) const { return flags(page) / kPin; }
  // Those of no page included, up to the first object.
  void clear_flags_from(std::uint32_t page) const {
    __builtin_memset(&flags(page), 0, plan_.geometry.objects_offset - plan_.flags_offset - page);
  }
  void set_flags(std::uint32_t page, std::uint32_t to) const { flags(page) = static_cast<std::uint8_t>(to); }

  // Makes all the pages dirty that an operation is about to change, and flushes others where need be.
  // dirty_limit if none is left to flush, storage_failed.
  heap::Status make_dirty(const Changes& changes) {
    for (const Pages& pages : {changes.object, changes.links[0], changes.links[1]}) {
      for (std::uint32_t page = pages.first; page < pages.end; ++page) {
        platform_.charge(heap::Work::step, 1);
        if (const heap::Status status = make_dirty(page, changes); !status.ok()) return status;
      }
    }
    heap::compiler_fence();
    return {};
  }
  heap::Status make_dirty(std::uint32_t page, const Changes& changes) {
    if (!is_dirty(page)) {
      // Pages come into use one by one: a free block begins in one that is.
      const std::uint32_t grows = page < in_use() ? 0 : 1;
      const std::uint32_t extra_bytes = grows + plan_.page_bytes;
      while (control().image_bytes + extra_bytes > plan_.geometry.config.dirty_limit_bytes) {
        std::uint32_t chosen = 0;
        if (!choose(changes, chosen)) return heap::Error::dirty_limit;
        if (const heap::Status status = flush_page(chosen); !status.ok()) return status;
      }
      // At once: a page in use that is clean is read from home, and flags of others are in no image.
      const heap::CriticalSection<P> section(platform_);
      control().image_bytes += extra_bytes;
      control().residents = static_cast<std::uint16_t>(in_use() + grows);
      set_flags(page, flags(page) | kDirty);
    }
    set_flags(page, flags(page) | kReferenced);
    return {};
  }

  // Second chance: from the hand on, the first page that is dirty, not pinned, not about to be changed, and
  // not referenced (any more); the hand moves behind it. False: there is none. O(pages), two rounds at most.
  bool choose(const Changes& changes, std::uint32_t& chosen) {
    std::uint32_t& hand = control().policy_state;
    for (std::uint32_t left = 2 * in_use(); left > 0; --left) {
      platform_.charge(heap::Work::step, 1);
      const std::uint32_t page = hand < in_use() ? hand : 0;
      hand = page + 1;
      if (!is_dirty(page) || pins(page) != 0 || changes.has(page)) continue;
      if ((flags(page) & kReferenced) == 0) {
        chosen = page;
        return true;
      }
      set_flags(page, flags(page) & ~std::uint32_t{kReferenced});
    }
    return false;
  }

  // Dirty until the write is confirmed.
  heap::Status flush_page(std::uint32_t page) {
    const heap::ConstBytes content{arena_.at(plan_.page_offset(page)), plan_.page_bytes};
    const heap::Status status = gateway_.write_home(plan_.page_home(page), content);
    if (!status.ok()) return status;
    set_flags(page, flags(page) & ~std::uint32_t{kDirty | kReferenced});
    control().image_bytes -= plan_.page_bytes;
    return {};
  }

  // The pages in use that are dirty (or those that are not), as far as they lie together.
  class Runs {
   public:
    Runs(const PageWise& memory, std::uint8_t dirty) : memory_(&memory), dirty_(dirty) {}
    bool next(std::uint32_t& first, std::uint32_t& pages) {
      while (at_ < memory_->in_use() && !is_member()) ++at_;
      first = at_;
      while (at_ < memory_->in_use() && is_member()) ++at_;
      pages = at_ - first;
      return pages > 0;
    }
    bool next(heap::MutableBytes& piece) {
      std::uint32_t first = 0;
      std::uint32_t pages = 0;
      if (!next(first, pages)) return false;
      piece = {memory_->arena_.at(memory_->plan_.page_offset(first)), pages * memory_->plan_.page_bytes};
      return true;
    }

   private:
    [[nodiscard]] bool is_member() const {
      memory_->platform_.charge(heap::Work::step, 1);
      return (memory_->flags(at_) & kDirty) == dirty_;
    }
    const PageWise* memory_;
    std::uint8_t dirty_;
    std::uint32_t at_ = 0;
  };

  struct Metadata {
    OneSpan control;
    OneSpan flags;
    bool next(heap::MutableBytes& piece) { return control.next(piece) || flags.next(piece); }
  };
  struct Image {
    Metadata metadata;
    Runs dirty;
    bool next(heap::MutableBytes& piece) { return metadata.next(piece) || dirty.next(piece); }
  };
  [[nodiscard]] Metadata metadata() const {
    return {{{arena_.at(heap::kSavedControlOffset), heap::kSavedControlBytes}},
            {{arena_.at(plan_.flags_offset), in_use()}}};
  }

  heap::Status read_homes() {
    Runs clean(*this, 0);
    std::uint32_t first = 0;
    std::uint32_t pages = 0;
    while (clean.next(first, pages)) {
      const heap::MutableBytes content{arena_.at(plan_.page_offset(first)), pages * plan_.page_bytes};
      const heap::Status status = gateway_.read_home(plan_.page_home(first), content);
      if (!status.ok()) return status;
    }
    return {};
  }

  BaselinePlan plan_;
  heap::Arena arena_;
  P& platform_;
  Allocator allocator_;
  heap::Gateway<P, S> gateway_;
  Snapshot<P, S> snapshot_;
};

}  // namespace brownout::sim::firmware
