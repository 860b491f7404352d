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

  // First start: all heaps empty. Each goes on from the latest sequence that its store knows of; then all
  // from the latest of these.
  Status format() {
    std::uint32_t latest = 0;
    for (const Member& member : members_) {
      if (const Status status = member.format(member.heap); !status.ok()) return status;
      const std::uint32_t sequence = member.at(member.heap);
      if (latest == 0 || (sequence != 0 && is_newer(sequence, latest))) latest = sequence;
    }
    for (const Member& member : members_) {
      if (member.at(member.heap) == latest) continue;
      if (const Status status = member.go_on_from(member.heap, latest); !status.ok()) return status;
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
  Status restore(MutableBytes os) {
    Surveys surveys;
    if (const Status status = survey(surveys); !status.ok()) return status;
    const std::uint32_t newest = surveys.newest();
    Error verdict = surveys.verdict(newest);
    if (verdict == Error::none && surveys.damaged()) verdict = surveys.verdict_once_torn();
    if (verdict != Error::none) return verdict;
    const Status status = read(surveys, newest, os);
    return status.error() == Error::torn ? Status(surveys.verdict_once_torn()) : status;
  }
  // The same with the images before the newest; see Heap::restore_older().
  Status restore_older(MutableBytes os) {
    Surveys surveys;
    if (const Status status = survey(surveys); !status.ok()) return status;
    const std::uint32_t older = surveys.older();
    if (older == 0) return Error::empty;
    if (const Error verdict = surveys.verdict(older); verdict != Error::none) return verdict;
    return read(surveys, older, os);
  }

 private:
  struct Member {
    void* heap;
    Status (*format)(void*);
    std::uint32_t (*at)(void*);
    Status (*go_on_from)(void*, std::uint32_t);
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
              [](void* h) { return static_cast<H*>(h)->sequence(); },
              [](void* h, std::uint32_t sequence) { return static_cast<H*>(h)->go_on_from(sequence); },
              [](void* h) { return static_cast<H*>(h)->following_sequence(); },
              [](void* h, ConstBytes os, std::uint32_t sequence) {
                return static_cast<H*>(h)->write_image(os, sequence);
              },
              [](void* h, std::uint32_t sequence) { static_cast<H*>(h)->confirm_image(sequence); },
              [](void* h, std::uint32_t sequence) { static_cast<H*>(h)->disown_image(sequence); },
              [](void* h, Survey& found) { return static_cast<H*>(h)->survey_images(found); },
              [](void* h, const CheckpointHeader& header, std::uint32_t marked, MutableBytes os) {
                return static_cast<H*>(h)->read_image(header, marked, os);
              }};
    }
  };

  // What the stores of all heaps say together.
  struct Surveys {
    Survey of[kHeaps];

    // The newest sequence that any heap has, or the newest before `limit`; 0: none.
    [[nodiscard]] std::uint32_t newest(std::uint32_t limit = 0) const {
      std::uint32_t newest = 0;
      for (const Survey& survey : of) {
        for (std::uint32_t place = 0; place < 2; ++place) {
          const std::uint32_t sequence = survey.headers[place].sequence;
          if (!survey.valid[place] || sequence == limit || (limit != 0 && is_newer(sequence, limit)))
            continue;
          if (newest == 0 || is_newer(sequence, newest)) newest = sequence;
        }
      }
      return newest;
    }
    [[nodiscard]] bool ran_on_after(std::uint32_t sequence) const {
      for (const Survey& survey : of) {
        if (survey.ran_on_after(sequence)) return true;
      }
      return false;
    }
    [[nodiscard]] bool marked() const {
      for (const Survey& survey : of) {
        if (survey.marked != 0) return true;
      }
      return false;
    }
    [[nodiscard]] bool everywhere(std::uint32_t sequence) const {
      for (const Survey& survey : of) {
        if (survey.image_of(sequence) == nullptr) return false;
      }
      return true;
    }
    [[nodiscard]] bool damaged() const {
      for (const Survey& survey : of) {
        if (survey.damaged) return true;
      }
      return false;
    }
    // Why there is no image at all.
    [[nodiscard]] Error nothing() const {
      for (const Survey& survey : of) {
        if (survey.other != Error::empty) return survey.other;
      }
      return damaged() || marked() ? verdict_once_torn() : Error::empty;
    }
    // The sequence that would have to do if the newest is not whole. Where the first header was cut, no heap
    // has the newest, and the one before is the newest that is to be seen.
    [[nodiscard]] std::uint32_t older() const {
      return damaged() && everywhere(newest()) ? newest() : newest(newest());
    }
    [[nodiscard]] Error verdict_once_torn() const {
      const std::uint32_t sequence = older();
      const bool ran_on = sequence == 0 ? marked() : ran_on_after(sequence);
      return ran_on ? Error::stale : Error::torn;
    }
    // Of the images of that sequence: whether they may be read, or why not.
    [[nodiscard]] Error verdict(std::uint32_t sequence) const {
      if (sequence == 0) return nothing();
      if (ran_on_after(sequence)) return Error::stale;
      return everywhere(sequence) ? Error::none : verdict_once_torn();
    }
  };

  Status survey(Surveys& surveys) {
    for (std::uint32_t i = 0; i < kHeaps; ++i) {
      const Status status = members_[i].survey(members_[i].heap, surveys.of[i]);
      if (!status.ok()) return status;
    }
    return {};
  }
  Status read(const Surveys& surveys, std::uint32_t sequence, MutableBytes os) {
    for (std::uint32_t i = 0; i < kHeaps; ++i) {
      const MutableBytes part = i + 1 == kHeaps ? os : MutableBytes{};
      const Survey& survey = surveys.of[i];
      const Status status =
          members_[i].read(members_[i].heap, *survey.image_of(sequence), survey.marked, part);
      if (!status.ok()) return status;
    }
    return {};
  }

  Member members_[kHeaps];
};

}  // namespace brownout::heap
