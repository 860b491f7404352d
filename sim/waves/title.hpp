// What a file of waves says of where it comes from.
#pragma once

#include <cstdint>
#include <string>

namespace brownout::sim::waves {

struct Title {
  std::string name;  // of the scenario, or the case
  std::uint64_t seed = 0;
  std::string note;  // in a few words, what is not as in a run; may be empty
};

}  // namespace brownout::sim::waves
