// What a format does with the images that a store has from before.
//
// It forgets them and the marks, but goes on with their sequences: behind the header of an image with the
// same sequence as one from before, a persist that is cut at the right byte would leave what that one had,
// whole.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "heap/layout.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// The latest sequence that there can have been. Of a header that is damaged it is not known: one of the two
// that follow what is known. O(1).
constexpr std::uint32_t latest_possible(std::uint32_t latest_known, bool damaged) {
  return damaged ? next_sequence(next_sequence(latest_known)) : latest_known;
}

// Where there is no image: the next one follows that sequence. storage_failed. One write.
template <Storage S, Platform P>
Status go_on_from(S& storage, P& platform, const Geometry& geometry, std::uint32_t sequence) {
  const RunningMarks marks = RunningMarks::formatted(sequence);
  return write_confirmed(storage, platform, geometry.marks_address(),
                         {reinterpret_cast<const std::byte*>(&marks), sizeof marks});
}

// Until the headers are gone a mark says that no image counts, and of what sequence; `marked` is the sequence
// of the one that is there. `no_header` are as many zeros as a header has bytes. storage_failed. Four writes
// at most.
template <Storage S, Platform P>
Status forget_images(S& storage, P& platform, const Geometry& geometry, std::uint32_t latest,
                     std::uint32_t marked, ConstBytes no_header) {
  if (latest != marked) {
    const RunningMark mark{latest, ~latest};
    const Status status = write_confirmed(storage, platform, geometry.mark_address(latest),
                                          {reinterpret_cast<const std::byte*>(&mark), sizeof mark});
    if (!status.ok()) return status;
  }
  for (const std::uint32_t address : {geometry.checkpoint_address(0), geometry.checkpoint_address(1)}) {
    const Status status = write_confirmed(storage, platform, address, no_header);
    if (!status.ok()) return status;
  }
  return go_on_from(storage, platform, geometry, latest);
}

}  // namespace brownout::heap
