// What an outage may and may not change, where objects are, and whether the structures of a memory are sound:
// worked out from the bytes of RAM and store, never asked of the code under test.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heap/layout.hpp"
#include "sim/firmware/baselines/plan.hpp"
#include "sim/firmware/memory_options.hpp"

namespace brownout::sim {

// An object of the workload: where its home is, and what it was made with.
struct KnownObject {
  std::uint32_t home = 0;
  std::uint32_t size_bytes = 0;
};

// An object whose latest content is in RAM.
struct ResidentObject {
  std::uint32_t ram_offset = 0;
  std::uint32_t dirty_bytes = 0;  // 0: its home has the same content
};

struct RamSpan {
  std::uint32_t offset = 0;
  std::uint32_t size_bytes = 0;
};

// In the store: the marks, then the two places for images.
struct CheckpointArea {
  std::uint32_t marks = 0;
  std::uint32_t places = 0;
  std::uint32_t place_bytes = 0;
  [[nodiscard]] std::uint32_t end() const { return places + 2 * place_bytes; }
};

class MemoryInspector {
 public:
  MemoryInspector() = default;
  MemoryInspector(const MemoryInspector&) = delete;
  MemoryInspector& operator=(const MemoryInspector&) = delete;
  virtual ~MemoryInspector() = default;

  // Compares the memory's RAM before an outage and after the restore. Everything that firmware may read again
  // has to be equal. In words, the first difference; nothing if equal. What is live is worked out from
  // `before`. `objects`: those that the workload has, by ascending home; the content of one that is just
  // being made means nothing yet.
  [[nodiscard]] virtual std::optional<std::string> outage_changed(
      std::span<const std::byte> before, std::span<const std::byte> after,
      const std::vector<KnownObject>& objects) const = 0;

  // Spans of RAM that firmware may read again, by ascending offset: what outage_changed() compares. Appends
  // them.
  virtual void live_spans(std::span<const std::byte> ram, const std::vector<KnownObject>& objects,
                          std::vector<RamSpan>& spans) const = 0;

  // Whether an outage now would lose something without a persist. O(slots), or O(objects).
  [[nodiscard]] virtual bool anything_dirty(std::span<const std::byte> ram,
                                            const std::vector<KnownObject>& objects) const = 0;

  // The part of the store that belongs to persist and restore: both images and the running marks.
  [[nodiscard]] virtual CheckpointArea checkpoint_area() const = 0;

  // Soundness of RAM and store at the end of an operation; the store holds exactly `objects` (by ascending
  // home). In words, the first fault; nothing if sound.
  [[nodiscard]] virtual std::optional<std::string> structure_fault(
      std::span<const std::byte> ram, std::span<const std::uint8_t> store,
      const std::vector<KnownObject>& objects) const = 0;

  // Those of `objects` that are in RAM, by home. The content of the others is in the store at their homes.
  [[nodiscard]] virtual std::map<std::uint32_t, ResidentObject> residents(
      std::span<const std::byte> ram, const std::vector<KnownObject>& objects) const = 0;
};

// For a heap with that geometry and those modules.
std::unique_ptr<MemoryInspector> make_heap_inspector(const heap::Geometry& geometry,
                                                     const firmware::MemoryOptions& options);
// For a baseline with that plan.
std::unique_ptr<MemoryInspector> make_baseline_inspector(const firmware::BaselinePlan& plan,
                                                         firmware::MemoryKind kind);

}  // namespace brownout::sim
