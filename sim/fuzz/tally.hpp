// What the runs of a campaign were like, counted: sums, and the nearest that a persist came to its bound.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/fuzz/fuzz_case.hpp"
#include "sim/fuzz/workbench.hpp"

namespace brownout::sim::fuzz {

class Tally {
 public:
  struct Name {
    std::string group;
    std::string name;
  };
  Tally();
  // Of all counters, in their order; those of a group are neighbours.
  static const std::vector<Name>& names();

  void add(const FuzzCase& a_case, const Outcome& outcome);
  // Sums, and the larger of the maxima: in any order the same. O(counters).
  void add(const Tally& other);

  // A counter; 0 if there is none of that name.
  [[nodiscard]] std::uint64_t of(std::string_view group, std::string_view name) const;
  // All counters of a group.
  [[nodiscard]] std::uint64_t sum_of(std::string_view group) const;
  // How many different cells outages have reached: operation at hand, kind of instant, state of the heap.
  [[nodiscard]] std::uint64_t cells_reached() const;
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }
  [[nodiscard]] std::vector<std::uint64_t>& counts() { return counts_; }

  double largest_bytes_over_bound = 0;
  double largest_time_over_bound = 0;
  friend bool operator==(const Tally&, const Tally&) = default;

 private:
  std::vector<std::uint64_t> counts_;
};

}  // namespace brownout::sim::fuzz
