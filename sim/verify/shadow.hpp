// Copies of all objects of the workload, outside the simulated RAM: what the heap has to have kept.
#pragma once

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
  };

  void clear() { copies_.clear(); }
  void make(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number);
  void change(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes);
  void free(std::uint32_t home);
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
  std::map<std::uint32_t, Copy> copies_;  // by store address
};

}  // namespace brownout::sim
