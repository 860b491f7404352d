// Where a baseline keeps everything: its RAM, and the store.
#pragma once

#include <bit>
#include <cstdint>

#include "heap/layout.hpp"
#include "heap/store_allocators/table.hpp"

namespace brownout::sim::firmware {

// The beginning of an image: header, spans of RAM, OS part, trailer (heap::CheckpointTrailer).
struct SnapshotHeader {
  static constexpr std::uint32_t kMagic = 0x534F'7242;  // "BrOS"
  static constexpr std::uint16_t kVersion = 1;
  std::uint32_t magic = kMagic;
  std::uint32_t config = 0;  // heap::Geometry::fingerprint()
  std::uint32_t sequence = 0;
  std::uint32_t length = 0;  // of the whole image, header and trailer included
  std::uint16_t pages = 0;   // in use; 0 of a memory without pages
  std::uint16_t version = kVersion;
  std::uint32_t checksum = 0;  // CRC-32C of the fields above
};
static_assert(sizeof(SnapshotHeader) == 24);

inline constexpr std::uint32_t kSnapshotFrameBytes = sizeof(SnapshotHeader) + sizeof(heap::CheckpointTrailer);

// First thing in the RAM of DirectAccess.
struct DirectControl {
  heap::Control shared;
  std::uint16_t open = 0;       // first open borrow, as a granule number; 0: none
  std::uint16_t unwritten = 0;  // first borrow given back whose write failed
  std::uint32_t unused = 0;
};
static_assert(sizeof(DirectControl) == 40);

// In front of each scratch block of DirectAccess.
struct DirectBorrow {
  std::uint32_t home = 0;
  std::uint32_t offset_bytes = 0;   // of what a writer covers
  std::uint32_t covered_bytes = 0;  // 0: a reader
  std::uint16_t next = 0;           // borrow of the same list, as a granule number; 0: none
  std::uint16_t granules = 0;       // of the block, this header included
};
static_assert(sizeof(DirectBorrow) == 2 * heap::kGranule);

inline constexpr std::uint32_t kMinPageBytes = 32;
inline constexpr std::uint32_t kMaxPageBytes = 512;

// Granules that an object takes in RAM, at least one. O(1).
constexpr std::uint32_t granules_in(std::uint32_t size_bytes) {
  return heap::units_in(size_bytes, heap::kGranule);
}

// Which of the sizes does not fit. What of the plan depends on those before it is valid all the same.
enum class Misfit : std::uint8_t {
  none,
  page_bytes,   // no power of two from 32 to 512
  os_bytes,     // no multiple of 8
  ram,          // over 512 KiB, or no room for control and one object
  dirty_limit,  // less than an image with one dirty page
  store,        // no room for images and one object, or none that store_bytes says
};

// What the configuration of a baseline comes to, computed by plan_*() below: once, and by everyone in the
// same way. Of HeapConfig all three use ram_bytes and os_bytes. Each function is O(1).
struct BaselinePlan {
  Misfit misfit = Misfit::none;
  heap::Geometry geometry;        // as allocators and gateway want it; ram_bytes and store_bytes resolved
  std::uint32_t image_bytes = 0;  // the most that one persist writes, the OS part apart
  bool homes_in_store = false;    // a handle's home is a store address; else a RAM offset
  std::uint32_t page_bytes = 0;   // of PageWise, like all below
  std::uint32_t pages = 0;
  std::uint32_t flags_offset = 0;  // in RAM: one byte a page

  [[nodiscard]] constexpr heap::Status status() const {
    return misfit == Misfit::none ? heap::Error::none : heap::Error::bad_configuration;
  }

  // Where the content of an object lies: a RAM offset or a store address. (An open writer of DirectAccess has
  // it in a scratch block: see find_writer() in direct.hpp.)
  struct Place {
    bool in_store = false;
    std::uint32_t at = 0;
  };
  [[nodiscard]] constexpr Place where(std::uint32_t home) const { return {homes_in_store, home}; }

  // All RAM below this offset is the same before an outage and after it, but for the two sequence numbers of
  // the control; what lies above is in no image.
  [[nodiscard]] constexpr std::uint32_t kept_ram_bytes(const heap::Control& control) const {
    return pages == 0 ? geometry.config.ram_bytes : page_offset(pages_in_use(control));
  }

  // PageWise keeps two counts in fields of the control that it has no other use for.
  [[nodiscard]] static constexpr std::uint32_t pages_in_use(const heap::Control& control) {
    return control.residents;
  }
  [[nodiscard]] constexpr std::uint32_t page_offset(std::uint32_t page) const {
    return geometry.objects_offset + page * page_bytes;
  }
  [[nodiscard]] constexpr std::uint32_t page_of(std::uint32_t ram_offset) const {
    return (ram_offset - geometry.objects_offset) / page_bytes;
  }
  [[nodiscard]] constexpr std::uint32_t page_home(std::uint32_t page) const {
    return geometry.store_base + page * page_bytes;
  }
  // An image with so many pages in use and so many of them dirty, the OS part apart.
  [[nodiscard]] constexpr std::uint32_t paged_image_bytes(std::uint32_t in_use, std::uint32_t dirty) const {
    return kSnapshotFrameBytes + heap::kSavedControlBytes + in_use + dirty * page_bytes;
  }
  // How many pages may be dirty while so many are in use.
  [[nodiscard]] constexpr std::uint32_t dirty_pages_allowed(std::uint32_t in_use) const {
    const std::uint32_t metadata_bytes = paged_image_bytes(in_use, 0);
    const std::uint32_t limit_bytes = geometry.config.dirty_limit_bytes;
    return limit_bytes < metadata_bytes ? 0 : (limit_bytes - metadata_bytes) / page_bytes;
  }
};

namespace plan_detail {

// Tells the baselines apart in an image.
inline constexpr std::uint32_t kRamSnapshotId = 0x5352;
inline constexpr std::uint32_t kDirectAccessId = 0x4144;
inline constexpr std::uint32_t kPageWiseId = 0x5750;

constexpr BaselinePlan begin(const heap::HeapConfig& wanted, std::uint32_t id, std::uint32_t objects_offset) {
  BaselinePlan plan;
  plan.geometry.config = wanted;
  plan.geometry.modules.id = id;
  plan.geometry.objects_offset = objects_offset;
  if (wanted.os_bytes % heap::kGranule != 0) {
    plan.misfit = Misfit::os_bytes;
  } else if (wanted.ram_bytes > heap::kMaxRamBytes || wanted.ram_bytes < objects_offset + heap::kGranule) {
    plan.misfit = Misfit::ram;
  }
  return plan;
}

// Mark and two images; what follows is for objects.
constexpr void place_images(BaselinePlan& plan) {
  heap::Geometry& geometry = plan.geometry;
  geometry.checkpoint_base = sizeof(heap::RunningMarks);
  geometry.checkpoint_stride = heap::round_up_8(plan.image_bytes) + geometry.config.os_bytes;
  geometry.store_base = geometry.checkpoint_base + 2 * geometry.checkpoint_stride;
}

// The rest of the store, or store_bytes of it.
constexpr bool place_store(BaselinePlan& plan, std::uint32_t storage_bytes) {
  heap::Geometry& geometry = plan.geometry;
  const std::uint32_t end = storage_bytes < heap::kMaxStoreBytes ? storage_bytes : heap::kMaxStoreBytes;
  if (geometry.store_base >= end) return false;
  std::uint32_t& store_bytes = geometry.config.store_bytes;
  if (store_bytes == 0) store_bytes = end - geometry.store_base;
  if (store_bytes > end - geometry.store_base) return false;
  geometry.store_end = geometry.store_base + store_bytes;
  return true;
}

// Pages that so much RAM has room for, with a byte of flags each; the flags are rounded up to a granule.
constexpr std::uint32_t pages_in(std::uint32_t ram_bytes, std::uint32_t page_bytes) {
  std::uint32_t pages = ram_bytes / (page_bytes + 1);
  if (heap::round_up_8(pages) + pages * page_bytes > ram_bytes) --pages;
  return pages;
}

}  // namespace plan_detail

// RamSnapshot on a store of that size. dirty_limit_bytes and store_bytes mean nothing to it.
constexpr BaselinePlan plan_ram_snapshot(const heap::HeapConfig& wanted, std::uint32_t storage_bytes) {
  BaselinePlan plan = plan_detail::begin(wanted, plan_detail::kRamSnapshotId, sizeof(heap::Control));
  if (plan.misfit != Misfit::none) return plan;
  plan.image_bytes = kSnapshotFrameBytes + wanted.ram_bytes;
  plan_detail::place_images(plan);
  if (plan.geometry.store_base > storage_bytes) plan.misfit = Misfit::store;
  return plan;
}

// DirectAccess on a store of that size: store_bytes and store_unit_bytes are those of its allocator
// (heap::LinkedListStore), RAM is for borrowed objects. dirty_limit_bytes means nothing to it.
constexpr BaselinePlan plan_direct(const heap::HeapConfig& wanted, std::uint32_t storage_bytes) {
  BaselinePlan plan = plan_detail::begin(wanted, plan_detail::kDirectAccessId, sizeof(DirectControl));
  plan.homes_in_store = true;
  if (plan.misfit == Misfit::none &&
      wanted.ram_bytes < sizeof(DirectControl) + sizeof(DirectBorrow) + heap::kGranule) {
    plan.misfit = Misfit::ram;
  }
  if (plan.misfit != Misfit::none) return plan;
  plan.image_bytes = kSnapshotFrameBytes + wanted.ram_bytes;
  plan_detail::place_images(plan);
  heap::Geometry& geometry = plan.geometry;
  if (plan_detail::place_store(plan, storage_bytes)) {
    const std::uint32_t unit_bytes = wanted.store_unit_bytes == 0
                                         ? heap::default_unit_bytes(geometry.config.store_bytes)
                                         : wanted.store_unit_bytes;
    geometry.store = heap::plan_with_table(geometry.store_base, geometry.store_end, unit_bytes, 1);
  }
  if (geometry.store.units == 0) plan.misfit = Misfit::store;
  return plan;
}

// PageWise on a store of that size, with as many pages as RAM and store_bytes both have room for.
constexpr BaselinePlan plan_pages(const heap::HeapConfig& wanted, std::uint32_t page_bytes,
                                  std::uint32_t storage_bytes) {
  BaselinePlan plan =
      plan_detail::begin(wanted, plan_detail::kPageWiseId * 1024 + page_bytes, sizeof(heap::Control));
  plan.page_bytes = page_bytes;
  if (!std::has_single_bit(page_bytes) || page_bytes < kMinPageBytes || page_bytes > kMaxPageBytes) {
    plan.misfit = Misfit::page_bytes;
  }
  if (plan.misfit != Misfit::none) return plan;
  plan.flags_offset = sizeof(heap::Control);
  plan.pages = plan_detail::pages_in(wanted.ram_bytes - plan.flags_offset, page_bytes);
  if (plan.pages == 0) {
    plan.misfit = Misfit::ram;
    return plan;
  }
  const std::uint32_t all_dirty_bytes = plan.paged_image_bytes(plan.pages, plan.pages);
  plan.image_bytes = wanted.dirty_limit_bytes < all_dirty_bytes ? wanted.dirty_limit_bytes : all_dirty_bytes;
  if (plan.dirty_pages_allowed(1) == 0) {
    plan.misfit = Misfit::dirty_limit;
    return plan;
  }
  plan_detail::place_images(plan);
  heap::Geometry& geometry = plan.geometry;
  if (!plan_detail::place_store(plan, storage_bytes) || geometry.config.store_bytes < page_bytes) {
    plan.misfit = Misfit::store;
    return plan;
  }
  const std::uint32_t homes = geometry.config.store_bytes / page_bytes;
  if (plan.pages > homes) plan.pages = homes;
  geometry.objects_offset = heap::round_up_8(plan.flags_offset + plan.pages);
  geometry.config.ram_bytes = plan.page_offset(plan.pages);
  return plan;
}

}  // namespace brownout::sim::firmware
