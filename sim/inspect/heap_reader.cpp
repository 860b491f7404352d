#include "sim/inspect/heap_reader.hpp"

#include <algorithm>
#include <cstring>

#include "heap/heap.hpp"
#include "heap/storage/ram_storage.hpp"
#include "sim/firmware/memories/heap_modules.hpp"

namespace brownout::sim {
namespace {

using heap::CheckpointHeader;
using heap::Error;
using heap::kGranule;

// Nothing costs, nothing interrupts.
class QuietPlatform {
 public:
  static void charge(heap::Work, std::uint32_t) {}
  static void enter_critical() {}
  static void exit_critical() {}
  static std::uint32_t power_epoch() { return 0; }
  static void wait_since_power_on(std::uint32_t) {}
};

template <class Slot>
ImageObject object_of(const Slot& slot, const heap::Geometry& geometry) {
  ImageObject object;
  object.home = slot.home(geometry);
  object.size_bytes = heap::data_granules(slot, geometry) * kGranule;
  object.dirty = slot.dirty();
  object.partial = slot.partial();
  object.borrowed = slot.borrows() != 0;
  object.written = slot.dirty() && slot.borrows() == Slot::kWriter;
  return object;
}

// Takes bytes off the front of an image; fails for good where it would leave it.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : rest_(bytes) {}
  std::span<const std::byte> take(std::size_t size) {
    failed_ = failed_ || size > rest_.size();
    if (failed_) return {};
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::span<const std::byte> rest_;
  bool failed_ = false;
};

bool bit(std::span<const std::byte> bitmap, std::uint32_t i) {
  return (static_cast<unsigned>(bitmap[i / 8]) >> i % 8 & 1U) != 0;
}

// The dirty blocks of an object that is dirty in parts, in runs.
bool take_runs(ImageObject& object, std::span<const std::byte> bits, Cursor& data) {
  const std::uint32_t blocks = (object.size_bytes + heap::kDirtyBlockBytes - 1) / heap::kDirtyBlockBytes;
  for (std::uint32_t block = 0; block < blocks;) {
    if (!bit(bits, block)) {
      ++block;
      continue;
    }
    const std::uint32_t first = block * heap::kDirtyBlockBytes;
    while (block < blocks && bit(bits, block)) ++block;
    const std::uint32_t end = std::min(block * heap::kDirtyBlockBytes, object.size_bytes);
    const auto bytes = data.take(end - first);
    if (data.failed()) return false;
    object.runs.push_back({first, {bytes.begin(), bytes.end()}});
  }
  return true;
}

template <class Modules>
class ReaderOf final : public HeapReader {
 public:
  using Heap = heap::Heap<QuietPlatform, heap::RamStorage, Modules>;
  using Slot = typename Heap::Slot;

  ReaderOf(const heap::HeapConfig& config, std::span<const std::byte> store)
      : store_(store.begin(), store.end()),
        storage_(store_.data(), static_cast<std::uint32_t>(store_.size())),
        ram_words_(config.ram_bytes / 8 + 1),
        os_words_(config.os_bytes / 8 + 1),
        heap_(ram(), config, storage_, platform_) {}

  const heap::Geometry& geometry() const override { return heap_.geometry(); }
  std::span<const std::byte> store() const override { return store_; }

  heap::Survey survey() override {
    heap::Survey survey;
    static_cast<void>(heap_.survey_images(survey));  // memory does not fail
    return survey;
  }
  Error restore() override {
    const heap::Survey found = survey();
    return heap_.restore(os_part(found.newest())).error();
  }
  Error restore_older() override {
    const heap::Survey found = survey();
    return heap_.restore_older(os_part(found.older())).error();
  }
  Error read(const CheckpointHeader& header) override {
    return heap_.read_image(header, 0, os_part(&header)).error();
  }

  std::vector<ImageObject> residents() const override {
    std::vector<ImageObject> objects;
    for (std::uint32_t i = 0; i < geometry().config.max_residents; ++i) {
      const Slot slot = slot_at(reinterpret_cast<const std::byte*>(ram_words_.data()) +
                                geometry().slots_offset + i * sizeof(Slot));
      if (slot.used()) objects.push_back(object_of(slot, geometry()));
    }
    return objects;
  }

  std::optional<std::vector<ImageObject>> listed(const CheckpointHeader& header) const override {
    const std::uint32_t address = geometry().checkpoint_address(header.sequence);
    Cursor image(store().subspan(address, header.length));
    image.take(sizeof header + heap::kSavedControlBytes);
    const auto bitmap = image.take(geometry().bitmap_bytes());
    if (geometry().modules.referenced_bits) image.take(geometry().bitmap_bytes());
    const auto slots = image.take(std::size_t{header.slots} * sizeof(Slot));
    Cursor bits(image.take(std::size_t{header.dirty_bits} * kGranule));
    Cursor data(image.take(header.data_bytes));
    if (image.failed()) return std::nullopt;

    std::vector<ImageObject> objects;
    std::uint32_t taken = 0;
    for (std::uint32_t i = 0; i < geometry().config.max_residents; ++i) {
      if (!bit(bitmap, i)) continue;
      if (taken == header.slots) return std::nullopt;
      const Slot slot = slot_at(slots.data() + taken * sizeof(Slot));
      ++taken;
      if (!slot.used()) continue;
      ImageObject object = object_of(slot, geometry());
      if (object.home < geometry().store_base || object.home + object.size_bytes > geometry().store_end)
        return std::nullopt;
      if (!take_content(object, bits, data)) return std::nullopt;
      objects.push_back(std::move(object));
    }
    if (taken != header.slots) return std::nullopt;
    return objects;
  }

  std::vector<StoreRun> allocated() override {
    const heap::Arena arena(ram(), geometry());
    heap::Gateway<QuietPlatform, heap::RamStorage> gateway(arena, storage_, platform_);
    typename Heap::StoreAllocator allocator(arena, platform_, gateway);
    std::vector<StoreRun> runs;
    StoreRun run;
    for (; run.first_unit < geometry().store.units; run.first_unit += run.units) {
      if (!allocator.next_allocated(run.first_unit, run.units).ok() || run.units == 0) break;
      runs.push_back(run);
      if (run.units > geometry().store.units - run.first_unit) break;
    }
    return runs;
  }

 private:
  static bool take_content(ImageObject& object, Cursor& bits, Cursor& data) {
    if (!object.dirty) return true;
    if (object.partial) {
      const auto own = bits.take(heap::dirty_bits_for(object.size_bytes / kGranule) * kGranule);
      return !bits.failed() && take_runs(object, own, data);
    }
    const auto bytes = data.take(object.size_bytes);
    if (data.failed()) return false;
    object.runs.push_back({0, {bytes.begin(), bytes.end()}});
    return true;
  }

  static Slot slot_at(const std::byte* bytes) {
    Slot slot;
    std::memcpy(&slot, bytes, sizeof slot);
    return slot;
  }
  std::byte* ram() { return reinterpret_cast<std::byte*>(ram_words_.data()); }
  heap::MutableBytes os_part(const CheckpointHeader* header) {
    std::uint32_t size = geometry().config.os_bytes;
    if (header != nullptr) size = os_bytes_of(geometry(), *header).value_or(size);
    return {reinterpret_cast<std::byte*>(os_words_.data()), size};
  }

  QuietPlatform platform_;
  std::vector<std::byte> store_;
  heap::RamStorage storage_;
  std::vector<std::uint64_t> ram_words_;
  std::vector<std::uint64_t> os_words_;
  Heap heap_;
};

template <class Use>
auto with_modules(const firmware::MemoryOptions& modules, Use use) {
  switch (modules.policy) {
    case firmware::PolicyKind::clock: return firmware::with_modules_of<heap::Clock>(modules, use);
    case firmware::PolicyKind::round_robin: return firmware::with_modules_of<heap::RoundRobin>(modules, use);
    case firmware::PolicyKind::in_order: break;
  }
  return firmware::with_modules_of<heap::InOrder>(modules, use);
}

}  // namespace

std::vector<firmware::MemoryOptions> all_module_choices() {
  using firmware::PolicyKind;
  using firmware::RamAllocatorKind;
  using firmware::StoreAllocatorKind;
  std::vector<firmware::MemoryOptions> choices;
  for (const auto policy : {PolicyKind::in_order, PolicyKind::clock, PolicyKind::round_robin}) {
    firmware::MemoryOptions choice;
    choice.policy = policy;
    for (const auto ram : {RamAllocatorKind::linked_list, RamAllocatorKind::buddy}) {
      for (const auto store :
           {StoreAllocatorKind::linked_list, StoreAllocatorKind::buddy, StoreAllocatorKind::block}) {
        choice.ram_allocator = ram;
        choice.store_allocator = store;
        choices.push_back(choice);
      }
    }
    choice.store_allocator = StoreAllocatorKind::buddy;
    choice.slots = firmware::SlotKind::compact;
    choices.push_back(choice);
  }
  return choices;
}

heap::ModuleTraits traits_of(const firmware::MemoryOptions& modules) {
  return with_modules(modules,
                      []<class M>() { return heap::Heap<QuietPlatform, heap::RamStorage, M>::traits(); });
}

std::unique_ptr<HeapReader> make_heap_reader(const firmware::MemoryOptions& modules,
                                             const heap::HeapConfig& config,
                                             std::span<const std::byte> store) {
  return with_modules(modules, [&]<class M>() -> std::unique_ptr<HeapReader> {
    return std::make_unique<ReaderOf<M>>(config, store);
  });
}

std::optional<std::uint32_t> os_bytes_of(const heap::Geometry& geometry,
                                         const heap::CheckpointHeader& header) {
  const std::uint32_t own = heap::image_bytes(geometry, header);
  if (header.length < own || header.length - own > geometry.config.os_bytes) return std::nullopt;
  return header.length - own;
}

}  // namespace brownout::sim
