// What the bytes of a store say: a dump of an FRAM, of a simulated one or a real one, without a scenario.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/inspect/heap_reader.hpp"

namespace brownout::sim {

inline constexpr std::size_t kSmallestImageBytes = 256;
inline constexpr std::size_t kLargestImageBytes = 512 * 1024;

// What the boot of the program that wrote it would find.
enum class ImageVerdict : std::uint8_t { empty, current, torn, stale, foreign };
std::string_view name_of(ImageVerdict verdict);

// One of the two places of checkpoints.
struct ImagePlace {
  enum class State : std::uint8_t {
    nothing,
    damaged,      // the header is not whole, or no header that this heap writes
    other,        // a header of another version or configuration
    cut,          // header whole, image not
    whole,        // as it was written
    contradicts,  // the same, but the store's records of slots are not those that it was written with
  };
  State state = State::nothing;
  std::uint32_t address = 0;
  heap::CheckpointHeader header;
  std::uint32_t os_bytes = 0;
  std::string fault;  // in words, where it stops being whole
  [[nodiscard]] bool is_whole() const { return state == State::whole || state == State::contradicts; }
};

struct StoredObject {
  std::uint32_t home = 0;
  std::uint32_t units = 0;
  std::uint32_t size_bytes = 0;  // of its units
};

struct NamedRoot {
  std::uint32_t name = 0;  // hash of it
  std::uint32_t home = 0;
  std::uint32_t size_bytes = 0;
  bool leads_to_object = false;  // there is one allocated
};

// A heap whose configuration and modules are known.
struct KnownHeap {
  heap::Geometry geometry;
  firmware::MemoryOptions modules;
  std::vector<std::byte> store;
  ImagePlace places[2];
  std::uint32_t marked = 0;   // the program ran on since that checkpoint
  bool mark_damaged = false;  // neither valid nor nothing: counts as none
  // What there is of images, by the place that has it; -1: none.
  int boot = -1;   // what restore() takes
  int older = -1;  // what restore_older() takes
  heap::Error older_error = heap::Error::none;
  int latest = -1;  // the newest that is whole
  // Of `latest`: objects that it lists, and, if it can be read, those that are at rest in RAM beside them.
  std::vector<ImageObject> residents;
  bool all_residents = false;
  std::vector<StoredObject> objects;  // as the store's table has them, by ascending home
  std::vector<std::string> table_faults;
  std::uint32_t repaired_at = 0;  // table byte whose write had failed, and that `boot` puts right
  std::vector<NamedRoot> roots;
  std::optional<heap::WriteIntent> intent;

  // The object that begins there, or nullptr.
  [[nodiscard]] const StoredObject* object_at(std::uint32_t home) const;
};

struct Inspection {
  ImageVerdict verdict = ImageVerdict::empty;
  std::string reason;             // in words
  std::optional<KnownHeap> heap;  // nothing if no superblock says what lies where
};

// Reads an image; every number is from its bytes, and no bytes are more than it can take. Throws InputError
// (at `file`) if it is no image: too small, too large, not a multiple of 8, or cut short.
Inspection inspect_image(std::span<const std::byte> bytes, const std::string& file);

// The same of a file.
Inspection inspect_file(const std::string& file);

}  // namespace brownout::sim
