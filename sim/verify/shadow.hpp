// Copies of all objects of the workload, outside the simulated RAM: what the heap has to have kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heap/types.hpp"
#include "sim/verify/memory_inspector.hpp"

namespace brownout::sim {

class Shadow {
 public:
  struct Copy {
    std::uint32_t number = 0;  // the workload's own
    std::vector<std::byte> bytes;
    // Where versions are followed: digests of `bytes`, of the contents that its home may have, the latest one
    // among them, and of the content in the last whole checkpoint.
    std::uint64_t latest = 0;
    std::vector<std::uint64_t> versions;
    std::optional<std::uint64_t> in_image;

    [[nodiscard]] bool had(std::uint64_t digest) const {
      return std::find(versions.begin(), versions.end(), digest) != versions.end();
    }
  };
  using Copies = std::map<std::uint32_t, Copy>;

  void clear() { copies_.clear(); }
  void make(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number);
  // `store` is the whole store: what is home now, no older version can come back from.
  void change(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes,
              std::span<const std::uint8_t> store = {});
  void free(std::uint32_t home);

  // For a program that may attach to what is home, or in a checkpoint. From an empty shadow on.
  void follow_versions() { follows_ = true; }
  // A checkpoint is whole; `store` is the whole store.
  void note_image(std::span<const std::uint8_t> store);
  // All copies, which are then gone from here; and one comes back, with the content that it was found with.
  [[nodiscard]] Copies take_all();
  void bring_back(std::uint32_t home, std::uint32_t number, heap::ConstBytes content,
                  std::optional<std::uint64_t> in_image);
  static std::uint64_t digest_of(heap::ConstBytes bytes);
  // Of what the store has at that home, in the size of that copy.
  static std::uint64_t digest_at_home(std::span<const std::uint8_t> store, std::uint32_t home,
                                      const Copy& copy);

  [[nodiscard]] const Copy* find(std::uint32_t home) const;
  [[nodiscard]] std::size_t size() const { return copies_.size(); }
  // All objects, by ascending home.
  [[nodiscard]] std::vector<KnownObject> objects() const;
  // Of all objects, in order of their numbers: equal for two runs that ended with the same objects.
  [[nodiscard]] std::uint64_t digest() const;

  // In words, what `bytes`, as read through the heap, has that the copy has not; nothing if equal.
  [[nodiscard]] std::optional<std::string> differs(std::uint32_t home, heap::ConstBytes bytes) const;
  // The same for every object, looked up in RAM and store past the memory's own functions.
  [[nodiscard]] std::optional<std::string> differs_anywhere(const MemoryInspector& inspector,
                                                            std::span<const std::byte> ram,
                                                            std::span<const std::uint8_t> store) const;

 private:
  Copies copies_;  // by store address
  bool follows_ = false;
};

}  // namespace brownout::sim
