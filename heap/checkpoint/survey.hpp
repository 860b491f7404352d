// What the store says at boot, before any image is read.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/types.hpp"

namespace brownout::heap {

// Both headers and the running mark, and what they amount to.
struct Survey {
  CheckpointHeader headers[2];
  bool valid[2] = {};
  bool damaged = false;           // a header is neither valid nor nothing: a persist was cut in it
  Error other = Error::empty;     // what there is if no header is valid: empty, foreign, wrong_version
  std::uint32_t marked = 0;       // the program ran on since that sequence; 0: no valid mark
  std::uint32_t latest_mark = 0;  // RunningMarks::latest()

  // The valid header with the later sequence, or nullptr. O(1).
  [[nodiscard]] const CheckpointHeader* newest() const {
    if (valid[0] && valid[1]) return &headers[is_newer(headers[1].sequence, headers[0].sequence) ? 1 : 0];
    return valid[0] ? &headers[0] : valid[1] ? &headers[1] : nullptr;
  }
  // What would have to do if the newest image is not whole, or nullptr. O(1).
  [[nodiscard]] const CheckpointHeader* older() const {
    if (damaged) return newest();
    if (!valid[0] || !valid[1]) return nullptr;
    return &headers[newest() == &headers[0] ? 1 : 0];
  }

  // The valid header of that sequence, or nullptr. O(1).
  [[nodiscard]] const CheckpointHeader* image_of(std::uint32_t sequence) const {
    for (std::uint32_t place = 0; place < 2; ++place) {
      if (valid[place] && headers[place].sequence == sequence) return &headers[place];
    }
    return nullptr;
  }

  // The latest sequence that a valid header or a mark has, in whatever form; 0: there is none. O(1).
  [[nodiscard]] std::uint32_t latest() const {
    const CheckpointHeader* header = newest();
    const bool after = header != nullptr && (latest_mark == 0 || is_newer(header->sequence, latest_mark));
    return after ? header->sequence : latest_mark;
  }

  // Whether the program ran on after the image of that sequence, or after a later one. O(1).
  [[nodiscard]] bool ran_on_after(std::uint32_t sequence) const {
    return marked != 0 && !is_newer(sequence, marked);
  }

  // Whether the newest image may be read, or why not. O(1).
  [[nodiscard]] Error verdict() const {
    const CheckpointHeader* header = newest();
    // Without an image, too, a mark says that the program ran on.
    if (header == nullptr && (damaged || (marked != 0 && other == Error::empty))) return verdict_once_torn();
    if (header == nullptr) return other;
    if (ran_on_after(header->sequence)) return Error::stale;
    return damaged ? verdict_once_torn() : Error::none;
  }
  // The same of the older image, on its own. empty: there is none. O(1).
  [[nodiscard]] Error verdict_of_older() const {
    const CheckpointHeader* header = older();
    if (header == nullptr) return Error::empty;
    return ran_on_after(header->sequence) ? Error::stale : Error::none;
  }
  // The newest image turned out not to be whole: torn, or stale if the program had run on since the one
  // before, which then is no use either. O(1).
  [[nodiscard]] Error verdict_once_torn() const {
    const CheckpointHeader* header = older();
    const bool ran_on = header == nullptr ? marked != 0 : ran_on_after(header->sequence);
    return ran_on ? Error::stale : Error::torn;
  }
};

}  // namespace brownout::heap
