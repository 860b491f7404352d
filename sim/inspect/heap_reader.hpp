// What the heap's own code makes of the bytes of a store, whatever modules the heap was made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "heap/checkpoint/survey.hpp"
#include "heap/layout.hpp"
#include "sim/firmware/memory_options.hpp"

namespace brownout::sim {

// A resident object as an image has it.
struct ImageObject {
  struct Run {
    std::uint32_t offset = 0;
    std::vector<std::byte> bytes;
  };
  std::uint32_t home = 0;
  std::uint32_t size_bytes = 0;  // in granules
  bool dirty = false;
  bool partial = false;
  bool borrowed = false;
  bool written = false;   // by the program, as the persist struck
  std::vector<Run> runs;  // what is dirty of it
};

// An allocated run of units of the store.
struct StoreRun {
  std::uint32_t first_unit = 0;
  std::uint32_t units = 0;
};

// A heap on a copy of the store. Nothing that the store may hold makes it leave its memory.
class HeapReader {
 public:
  HeapReader() = default;
  HeapReader(const HeapReader&) = delete;
  HeapReader& operator=(const HeapReader&) = delete;
  virtual ~HeapReader() = default;

  [[nodiscard]] virtual const heap::Geometry& geometry() const = 0;
  [[nodiscard]] virtual std::span<const std::byte> store() const = 0;
  [[nodiscard]] virtual heap::Survey survey() = 0;
  // As boot would be told, with an OS part of the size that the image has.
  [[nodiscard]] virtual heap::Error restore() = 0;
  [[nodiscard]] virtual heap::Error restore_older() = 0;
  // Whether that image can be read, whatever happened since.
  [[nodiscard]] virtual heap::Error read(const heap::CheckpointHeader& header) = 0;
  // What is in RAM after one of these three succeeded; without the runs.
  [[nodiscard]] virtual std::vector<ImageObject> residents() const = 0;
  // What that image lists, from its bytes alone, which are as many as its header says; nothing if they
  // contradict each other.
  [[nodiscard]] virtual std::optional<std::vector<ImageObject>> listed(
      const heap::CheckpointHeader& header) const = 0;
  // The store's table as the allocator walks it; no further than the first run that leaves the store.
  [[nodiscard]] virtual std::vector<StoreRun> allocated() = 0;
};

// Every choice of modules that a scenario has.
std::vector<firmware::MemoryOptions> all_module_choices();

heap::ModuleTraits traits_of(const firmware::MemoryOptions& modules);

// `config` and `store.size()` are such that Geometry::plan() accepts them for these modules.
std::unique_ptr<HeapReader> make_heap_reader(const firmware::MemoryOptions& modules,
                                             const heap::HeapConfig& config,
                                             std::span<const std::byte> store);

// Of an image with that header: what its length leaves for the OS part; nothing if that cannot be.
std::optional<std::uint32_t> os_bytes_of(const heap::Geometry& geometry,
                                         const heap::CheckpointHeader& header);

}  // namespace brownout::sim
