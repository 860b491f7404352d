// An image on its way to the store: a stream of pieces where they lie, in one transfer.
#pragma once

#include <cstdint>

#include "heap/checkpoint/walks.hpp"
#include "heap/checksum.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// The checksum of a piece is formed when the next one is asked for: where a driver pulls one ahead, while the
// piece itself is on the wire.
template <Platform P, Slot S, class Checksum>
class Outgoing {
 public:
  Outgoing(const SlotArena<S>& arena, P& platform, ConstBytes os, std::uint32_t sequence)
      : arena_(arena),
        platform_(platform),
        os_(os),
        bits_(arena, platform),
        data_(arena, platform),
        sum_(platform) {
    header_.config = arena.geometry().fingerprint();
    header_.version = kFormatVersion;
    header_.sequence = sequence;
    count();
    header_.length = image_bytes(arena.geometry(), header_) + os.size;
    Checksum of_header(platform);
    of_header.add(reinterpret_cast<const std::byte*>(&header_), offsetof(CheckpointHeader, checksum));
    header_.checksum = of_header.value();
    trailer_.sequence = sequence;
  }
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;
  ~Outgoing() = default;

  OutStream stream() { return {&Outgoing::next, this}; }

 private:
  enum class Part : std::uint8_t { header, control, listed, referenced, slots, bits, data, os, trailer, end };

  // Recounted from the slots: the counters may lag behind, the slots do not.
  void count() {
    platform_.charge(Work::step, arena_.slots());
    for (std::uint32_t i = 0; i < arena_.slots(); ++i) {
      const S& slot = arena_.slot(i);
      if (slot.is_listed()) ++header_.slots;
      if (slot.record() != Record::vacant) header_.recorded_high = static_cast<std::uint16_t>(i + 1U);
      if (!slot.used() || !slot.dirty()) continue;
      const std::uint32_t bits = bits_granules(slot, arena_.geometry());
      header_.dirty_bits = static_cast<std::uint16_t>(header_.dirty_bits + bits);
      header_.data_bytes += dirty_bytes(arena_, slot) - bits * kGranule;
    }
    if constexpr (!S::kRecords) header_.recorded_high = 0;
  }

  static bool next(void* state, ConstBytes& piece) {
    auto& image = *static_cast<Outgoing*>(state);
    image.sum_.add(image.latest_.data, image.latest_.size);
    image.latest_ = {};
    if (!image.following(piece)) return false;
    if (image.part_ != Part::end) image.latest_ = piece;
    return true;
  }

  // The next piece; leaves `part_` at where it is from, or at what follows, which is the end for the trailer.
  bool following(ConstBytes& piece) {
    while (part_ != Part::end) {
      MutableBytes lying;
      switch (part_) {
        case Part::header:
          part_ = Part::control;
          piece = {reinterpret_cast<const std::byte*>(&header_), sizeof header_};
          return true;
        case Part::control:
          part_ = Part::listed;
          piece = {arena_.at(kSavedControlOffset), kSavedControlBytes};
          return true;
        case Part::listed:
          if (next_bitmap(piece, [](const S& slot) { return slot.is_listed(); })) return true;
          part_ = arena_.geometry().modules.referenced_bits ? Part::referenced : Part::slots;
          index_ = 0;
          break;
        case Part::referenced:
          if (next_bitmap(piece, [](const S& slot) { return slot.referenced(); })) return true;
          part_ = Part::slots;
          index_ = 0;
          break;
        case Part::slots:
          if (next_slots(
                  arena_, platform_, index_, [this](std::uint32_t i) { return arena_.slot(i).is_listed(); },
                  lying)) {
            piece = {lying.data, lying.size};
            return true;
          }
          part_ = Part::bits;
          break;
        case Part::bits:
          if (header_.dirty_bits > 0 && bits_.next(lying)) {
            piece = {lying.data, lying.size};
            return true;
          }
          part_ = Part::data;
          break;
        case Part::data:
          if (data_.next(lying)) {
            piece = {lying.data, lying.size};
            return true;
          }
          part_ = Part::os;
          break;
        case Part::os:
          part_ = Part::trailer;
          if (os_.size == 0) break;
          piece = os_;
          return true;
        case Part::trailer:
          part_ = Part::end;
          trailer_.checksum = sum_.value();
          piece = {reinterpret_cast<const std::byte*>(&trailer_), sizeof trailer_};
          return true;
        case Part::end: break;
      }
    }
    return false;
  }

  // The bits of the next 64 slots, in two words in turn: the one before may still be on the wire, and be the
  // last one of another bitmap.
  template <class Bit>
  bool next_bitmap(ConstBytes& piece, Bit bit) {
    if (index_ >= arena_.slots()) return false;
    std::byte* word = words_[turn_];
    turn_ = 1 - turn_;
    for (std::uint32_t i = 0; i < kGranule; ++i) word[i] = std::byte{0};
    const std::uint32_t begin = index_;
    for (; index_ < begin + 64 && index_ < arena_.slots(); ++index_) {
      if (bit(arena_.slot(index_))) word[index_ % 64 / 8] |= static_cast<std::byte>(1U << index_ % 8);
    }
    platform_.charge(Work::step, index_ - begin);
    piece = {word, kGranule};
    return true;
  }

  const SlotArena<S>& arena_;
  P& platform_;
  ConstBytes os_;
  CheckpointHeader header_;
  CheckpointTrailer trailer_;
  BitsWalk<P, S> bits_;
  DataWalk<P, S> data_;
  Checksum sum_;
  ConstBytes latest_;  // not yet in the sum
  Part part_ = Part::header;
  std::uint32_t index_ = 0;
  std::uint32_t turn_ = 0;  // of the words
  std::byte words_[2][kGranule] = {};
};

}  // namespace brownout::heap
