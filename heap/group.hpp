// Several heaps that are persisted and restored together.
#pragma once

#include <cstdint>

#include "heap/checkpoint/survey.hpp"
#include "heap/layout.hpp"
#include "heap/types.hpp"

namespace brownout::heap {

// Heaps, each with a store of its own or a part of one, under one sequence. persist() writes one image a
// heap, in the order in which they are given; the OS part goes with the last one (the only one whose os_bytes
// are not 0). The last trailer commits all of them: the group is whole if and only if every heap's newest
// image is whole and bears the same sequence. What a persist of the group writes is at most the sum of what
// each may write.
//
// The group holds references only and is constructed anew by boot code, like its heaps.
template <class... Heaps>
class Group {
 public:
  static constexpr std::uint32_t kHeaps = sizeof...(Heaps);
  static_assert(kHeaps > 0);

  explicit Group(Heaps&... heaps) : members_{Member::of(heaps)...} {}

  // First start: all heaps empty.
  Status format() {
    for (const Member& member : members_) {
      if (const Status status = member.format(member.heap); !status.ok()) return status;
    }
    return {};
  }

  // From the persist interrupt. On failure no heap's RAM has changed, and the next call writes all images
  // again.
  Status persist(ConstBytes os) {
    const std::uint32_t sequence = members_[0].following(members_[0].heap);
    for (std::uint32_t i = 0; i < kHeaps; ++i) {
      const ConstBytes part = i + 1 == kHeaps ? os : ConstBytes{};
      const Status status = members_[i].write(members_[i].heap, part, sequence);
      if (status.ok()) continue;
      for (const Member& member : members_) member.disown(member.heap, sequence);
      return status;
    }
    for (const Member& member : members_) member.confirm(member.heap, sequence);
    return {};
  }

  // From boot code. Reads only. What is wrong with any heap is wrong with the group; images of different
  // sequences are torn.
  Status restore(MutableBytes os) { return restore(os, false); }
  // The same with the images before the newest; see Heap::restore_older().
  Status restore_older(MutableBytes os) { return restore(os, true); }

 private:
  struct Member {
    void* heap;
    Status (*format)(void*);
    std::uint32_t (*following)(void*);
    Status (*write)(void*, ConstBytes, std::uint32_t);
    void (*confirm)(void*, std::uint32_t);
    void (*disown)(void*, std::uint32_t);
    Status (*survey)(void*, Survey&);
    Status (*read)(void*, const CheckpointHeader&, std::uint32_t marked, MutableBytes);

    template <class H>
    static Member of(H& heap) {
      return {&heap,
              [](void* h) { return static_cast<H*>(h)->format(); },
              [](void* h) { return static_cast<H*>(h)->following_sequence(); },
              [](void* h, ConstBytes os, std::uint32_t sequence) {
                return static_cast<H*>(h)->write_image(os, sequence);
              },
              [](void* h, std::uint32_t sequence) { static_cast<H*>(h)->confirm_image(sequence); },
              [](void* h, std::uint32_t sequence) { static_cast<H*>(h)->disown_image(sequence); },
              [](void* h, Survey& survey) { return static_cast<H*>(h)->survey_images(survey); },
              [](void* h, const CheckpointHeader& header, std::uint32_t marked, MutableBytes os) {
                return static_cast<H*>(h)->read_image(header, marked, os);
              }};
    }
  };

  // What the stores of all heaps say together.
  struct GroupSurvey {
    Survey surveys[kHeaps];

    // Of any heap; 0: none.
    [[nodiscard]] std::uint32_t newest_sequence() const {
      std::uint32_t newest = 0;
      for (const Survey& survey : surveys) {
        const CheckpointHeader* header = survey.newest();
        if (header != nullptr && (newest == 0 || is_newer(header->sequence, newest))) newest = header->sequence;
      }
      return newest;
    }
    // The image of that sequence in every heap: whether all may be read, or why not.
    [[nodiscard]] Error verdict(std::uint32_t sequence) const {
      Error verdict = sequence == 0 ? surveys[0].other : Error::none;
      for (const Survey& survey : surveys) {
        if (survey.marked == sequence && sequence != 0) return Error::stale;
        if (survey.damaged || survey.image_of(sequence) == nullptr) {
          // Of somebody else's images a group says that first.
          if (sequence != 0 || survey.damaged) verdict = survey.other == Error::empty ? Error::torn : survey.other;
        }
      }
      return verdict;
    }
  };

  Member members_[kHeaps];
};

}  // namespace brownout::heap
