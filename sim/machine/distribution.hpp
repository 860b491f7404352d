// How often a time was how long, in constant memory.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "devices/units.hpp"

namespace brownout::sim {

// Times sorted into bins 1/128 of their lower end wide, or 1 ps; whole numbers only, so that every compiler
// fills the same ones.
class Distribution {
 public:
  struct Bin {
    devices::Picoseconds from;  // included
    devices::Picoseconds to;    // not included
    std::uint64_t count = 0;
  };

  // Asserted: not negative. O(log bins).
  void add(devices::Picoseconds time);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // A time that `per_mille` of all do not exceed: never below the true one, and above it by less than 1/128;
  // 1000 is the largest itself. Asserted: there is one, and 1 <= per_mille <= 1000. O(bins).
  [[nodiscard]] devices::Picoseconds quantile(std::uint64_t per_mille) const;
  // Those that hold something, ascending.
  [[nodiscard]] std::vector<Bin> bins() const;

 private:
  std::map<std::uint32_t, std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  devices::Picoseconds largest_;
};

}  // namespace brownout::sim
