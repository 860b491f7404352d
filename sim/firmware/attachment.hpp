// What a program that attaches after a loss keeps in memory of its own (mcu.on_loss: attach).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "heap/types.hpp"

namespace brownout::sim::firmware {

// Of the test bench: its memory is the host's, and its functions are not of the program that would be
// flashed.
struct Attachment {
  bool wanted = false;                  // the scenario says so
  bool attached = false;                // this start found what an earlier life left
  std::vector<std::byte> marks;         // for keep() and reclaim()
  std::vector<std::uint32_t> in_doubt;  // homes that the heap has named

  // A start that has not attached yet.
  void forget();
  [[nodiscard]] heap::MutableBytes make_marks(std::uint32_t size_bytes);
  void doubt(std::uint32_t home);
};

}  // namespace brownout::sim::firmware
