// Lists of reset instants, as ICEmu has them: one instant a line, in milliseconds or cycles from the
// beginning.
#pragma once

#include <cstddef>
#include <vector>

#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// More instants than that are another file.
inline constexpr std::size_t kMaxResets = 1'000'000;

struct ResetList {
  std::vector<Picoseconds> instants;
};

// Reads a list; # begins a comment. Throws InputError at `named_at` if the file cannot be read, and at the
// line of an instant that is not a number, or not after the one before it, or of which there is no end.
ResetList read_reset_list(const ResetConfig& config, const Location& named_at);

}  // namespace brownout::sim
