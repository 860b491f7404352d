#include <algorithm>
#include <cassert>
#include <cstring>

#include <fmt/format.h>

#include "sim/firmware/baselines/direct.hpp"
#include "sim/verify/memory_inspector.hpp"
#include "sim/verify/store_table.hpp"

namespace brownout::sim {
namespace {

heap::Control control_of(std::span<const std::byte> ram) {
  heap::Control control;
  assert(ram.size() >= sizeof control);
  std::memcpy(&control, ram.data(), sizeof control);
  return control;
}

class BaselineInspector final : public MemoryInspector {
 public:
  BaselineInspector(const firmware::BaselinePlan& plan, firmware::MemoryKind kind)
      : plan_(plan), kind_(kind) {}

  // All of it has to be equal but for the sequence numbers, and pages that hold nothing.
  std::optional<std::string> outage_changed(std::span<const std::byte> before,
                                            std::span<const std::byte> after,
                                            const std::vector<KnownObject>&) const override {
    const std::size_t end = std::min<std::size_t>(plan_.kept_ram_bytes(control_of(before)), before.size());
    for (std::size_t i = heap::kSavedControlOffset; i < end; ++i) {
      if (before[i] == after[i]) continue;
      return fmt::format("RAM offset {} was {:02x} before the outage and is {:02x} after it", i,
                         static_cast<unsigned>(before[i]), static_cast<unsigned>(after[i]));
    }
    return std::nullopt;
  }

  // What lies in a page behind its objects was there before the page was first used.
  void live_spans(std::span<const std::byte> ram, const std::vector<KnownObject>& objects,
                  std::vector<RamSpan>& spans) const override {
    if (kind_ == firmware::MemoryKind::pages) {
      spans.push_back({heap::kSavedControlOffset, plan_.geometry.objects_offset - heap::kSavedControlOffset});
      for (const KnownObject& object : objects) spans.push_back({object.home, object.size_bytes});
      return;
    }
    const auto end = std::min(plan_.kept_ram_bytes(control_of(ram)), static_cast<std::uint32_t>(ram.size()));
    spans.push_back({heap::kSavedControlOffset, end - heap::kSavedControlOffset});
  }

  bool anything_dirty(std::span<const std::byte> ram,
                      const std::vector<KnownObject>& objects) const override {
    const auto found = residents(ram, objects);
    return std::any_of(found.begin(), found.end(),
                       [](const auto& resident) { return resident.second.dirty_bytes > 0; });
  }

  CheckpointArea checkpoint_area() const override {
    const heap::Geometry& geometry = plan_.geometry;
    return {geometry.marks_address(), geometry.checkpoint_base, geometry.checkpoint_stride};
  }

  std::optional<std::string> structure_fault(std::span<const std::byte> ram,
                                             std::span<const std::uint8_t> store,
                                             const std::vector<KnownObject>& objects) const override {
    if (kind_ == firmware::MemoryKind::direct) {
      return store_table_fault(plan_.geometry.store, firmware::StoreAllocatorKind::linked_list, store,
                               objects);
    }
    if (auto fault = overlap_fault(objects)) return fault;
    return kind_ == firmware::MemoryKind::pages ? pages_fault(ram) : std::nullopt;
  }

  std::map<std::uint32_t, ResidentObject> residents(std::span<const std::byte> ram,
                                                    const std::vector<KnownObject>& objects) const override {
    std::map<std::uint32_t, ResidentObject> found;
    for (const KnownObject& object : objects) {
      switch (kind_) {
        case firmware::MemoryKind::direct: {
          const firmware::OpenWriter writer = firmware::find_writer(ram.data(), object.home);
          const bool whole = writer.offset_bytes == 0 && writer.size_bytes == object.size_bytes;
          if (writer.data != 0 && whole) found[object.home] = {writer.data, object.size_bytes};
          break;
        }
        case firmware::MemoryKind::pages: found[object.home] = {object.home, dirty_bytes(ram, object)}; break;
        case firmware::MemoryKind::ram_snapshot:
        case firmware::MemoryKind::heap: found[object.home] = {object.home, object.size_bytes}; break;
      }
    }
    return found;
  }

 private:
  [[nodiscard]] bool page_is_dirty(std::span<const std::byte> ram, std::uint32_t page) const {
    return (std::to_integer<unsigned>(ram[plan_.flags_offset + page]) & 1U) != 0;
  }
  // What of an object lies in dirty pages.
  [[nodiscard]] std::uint32_t dirty_bytes(std::span<const std::byte> ram, const KnownObject& object) const {
    std::uint32_t bytes = 0;
    const std::uint32_t end = object.home + object.size_bytes;
    for (std::uint32_t at = object.home; at < end;) {
      const std::uint32_t page = plan_.page_of(at);
      const std::uint32_t next = std::min(end, plan_.page_offset(page + 1));
      if (page_is_dirty(ram, page)) bytes += next - at;
      at = next;
    }
    return bytes;
  }

  [[nodiscard]] std::optional<std::string> overlap_fault(const std::vector<KnownObject>& objects) const {
    std::uint64_t end = plan_.geometry.objects_offset;
    for (const KnownObject& object : objects) {
      if (object.home < end) return fmt::format("the object at RAM offset {} overlaps another", object.home);
      end = std::uint64_t{object.home} + object.size_bytes;
    }
    return end > plan_.geometry.config.ram_bytes ? std::optional<std::string>("an object reaches beyond RAM")
                                                 : std::nullopt;
  }

  [[nodiscard]] std::optional<std::string> pages_fault(std::span<const std::byte> ram) const {
    const heap::Control control = control_of(ram);
    const std::uint32_t in_use = firmware::BaselinePlan::pages_in_use(control);
    std::uint32_t dirty = 0;
    for (std::uint32_t page = 0; page < in_use; ++page) dirty += page_is_dirty(ram, page) ? 1U : 0U;
    if (dirty > plan_.dirty_pages_allowed(in_use)) {
      return fmt::format("{} pages are dirty, {} may be", dirty, plan_.dirty_pages_allowed(in_use));
    }
    return std::nullopt;
  }

  firmware::BaselinePlan plan_;
  firmware::MemoryKind kind_;
};

}  // namespace

std::unique_ptr<MemoryInspector> make_baseline_inspector(const firmware::BaselinePlan& plan,
                                                         firmware::MemoryKind kind) {
  return std::make_unique<BaselineInspector>(plan, kind);
}

}  // namespace brownout::sim
