// An image on its way back: a stream of places for it, each worked out from what came before it. So the whole
// image is one transfer; two if homes have to be read in its middle.
#pragma once

#include <cstdint>

#include "heap/checkpoint/walks.hpp"
#include "heap/checksum.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

template <Platform P, Slot S, RamAllocator A, class Checksum>
class Incoming {
 public:
  // The image of that header, but for the header, which is in hand. The records have been read into the
  // slots.
  Incoming(Residents<P, S, A>& residents, P& platform, const CheckpointHeader& header, std::uint32_t marked,
           MutableBytes os)
      : residents_(residents),
        platform_(platform),
        header_(header),
        marked_(marked),
        os_(os),
        bits_(residents.arena(), platform),
        data_(residents.arena(), platform),
        sum_(platform) {
    sum_.add(reinterpret_cast<const std::byte*>(&header), sizeof header);
    if (header.length != image_bytes(residents.geometry(), header) + os.size) fail(Error::foreign);
  }
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
  ~Incoming() = default;

  // The next transfer, from address() on.
  InStream stream() { return {&Incoming::next, this}; }
  [[nodiscard]] std::uint32_t address() const {
    return residents_.geometry().checkpoint_address(header_.sequence) +
           static_cast<std::uint32_t>(sizeof(CheckpointHeader)) + taken_;
  }
  // Objects that are dirty in parts: their homes have to be read before the stream goes on.
  [[nodiscard]] bool waits_for_homes() const { return part_ == Part::homes; }
  void homes_are_read() { part_ = Part::data; }
  // After the last transfer: whether the image is whole.
  [[nodiscard]] Error verdict() const {
    if (fault_ != Error::none) return fault_;
    const bool whole = trailer_.sequence == header_.sequence && trailer_.checksum == sum_.value();
    return whole ? Error::none : Error::torn;
  }

 private:
  enum class Part : std::uint8_t { control, bitmaps, listed, slots, bits, homes, data, os, trailer, end };

  static bool next(void* state, MutableBytes& piece) {
    auto& image = *static_cast<Incoming*>(state);
    image.sum_.add(image.latest_.data, image.latest_.size);
    image.latest_ = {};
    if (!image.following(piece)) return false;
    if (image.part_ != Part::end) image.latest_ = piece;
    image.taken_ += piece.size;
    return true;
  }

  // Where the next bytes go. What came before is in place.
  bool following(MutableBytes& piece) {
    while (part_ != Part::end) {
      switch (part_) {
        case Part::control:
          part_ = Part::bitmaps;
          piece = {reinterpret_cast<std::byte*>(&saved_) + kSavedControlOffset, kSavedControlBytes};
          return true;
        case Part::bitmaps:
          part_ = Part::listed;
          piece = {listed(), bitmaps_bytes()};
          return true;
        case Part::listed:
          part_ = Part::slots;
          if (listed_slots() != header_.slots) fail(Error::torn);
          break;
        case Part::slots:
          if (next_slots(
                  arena(), platform_, index_, [this](std::uint32_t i) { return bit(listed(), i); }, piece)) {
            return true;
          }
          part_ = Part::bits;
          if (!take_up_slots()) fail(Error::torn);
          break;
        case Part::bits:
          if (header_.dirty_bits > 0 && bits_.next(piece)) return true;
          part_ = header_.dirty_bits > 0 ? Part::homes : Part::data;
          if (counted_data_bytes() != header_.data_bytes) fail(Error::torn);
          break;
        case Part::homes: return false;
        case Part::data:
          if (data_.next(piece)) return true;
          part_ = Part::os;
          break;
        case Part::os:
          part_ = Part::trailer;
          if (os_.size == 0) break;
          piece = os_;
          return true;
        case Part::trailer:
          part_ = Part::end;
          piece = {reinterpret_cast<std::byte*>(&trailer_), sizeof trailer_};
          return true;
        case Part::end: break;
      }
    }
    return false;
  }

  void fail(Error error) {
    fault_ = error;
    part_ = Part::end;
  }

  // The bitmaps lie at the end of the room for objects until the slots are read.
  [[nodiscard]] std::uint32_t bitmaps_bytes() const {
    const Geometry& geometry = residents_.geometry();
    return (geometry.modules.referenced_bits ? 2U : 1U) * geometry.bitmap_bytes();
  }
  [[nodiscard]] std::byte* listed() const {
    return arena().at((residents_.geometry().config.ram_bytes - bitmaps_bytes()) & ~std::uint32_t{7});
  }
  [[nodiscard]] static bool bit(const std::byte* bitmap, std::uint32_t i) {
    return (static_cast<std::uint32_t>(bitmap[i / 8]) >> i % 8 & 1U) != 0;
  }
  [[nodiscard]] std::uint32_t listed_slots() const {
    platform_.charge(Work::step, arena().slots());
    std::uint32_t slots = 0;
    for (std::uint32_t i = 0; i < arena().slots(); ++i) slots += bit(listed(), i) ? 1U : 0U;
    return slots;
  }

  // All slots are there: makes chains and free list of them. False if they cannot be those of an image.
  bool take_up_slots() {
    const Geometry& geometry = residents_.geometry();
    if (geometry.modules.referenced_bits) {
      const std::byte* referenced = listed() + geometry.bitmap_bytes();
      platform_.charge(Work::step, arena().slots());
      for (std::uint32_t i = 0; i < arena().slots(); ++i) arena().slot(i).set_referenced(bit(referenced, i));
    }
    // Before the objects are read: the free list is built up inside the blocks that it will not keep.
    if (!slots_are_sound() || !residents_.rebuild() || !counts_agree()) return false;
    residents_.control() = saved_;
    residents_.control().sequence = header_.sequence;
    residents_.control().marked_sequence = marked_;
    std::uint32_t granules = 0;
    for (std::uint32_t i = 0; i < arena().slots(); ++i) {
      const S& slot = arena().slot(i);
      if (!slot.used() || !slot.partial()) continue;
      residents_.clear_bits(slot);
      if (slot.dirty()) granules += bits_granules(slot, geometry);
    }
    return granules == header_.dirty_bits;
  }

  // Every block and home within its region, so that a damaged slot cannot direct a read elsewhere.
  [[nodiscard]] bool slots_are_sound() const {
    const Geometry& geometry = residents_.geometry();
    const std::uint32_t first = geometry.first_granule();
    const std::uint32_t end = first + geometry.object_granules();
    platform_.charge(Work::step, arena().slots());
    for (std::uint32_t i = 0; i < arena().slots(); ++i) {
      const S& slot = arena().slot(i);
      if (!slot.used()) continue;
      const std::uint32_t granules = slot.granules(geometry);
      if (slot.block(geometry) < first || granules == 0 || slot.block(geometry) + granules > end)
        return false;
      const std::uint32_t home = slot.home(geometry);
      if (home < geometry.store_base ||
          home + data_granules(slot, geometry) * kGranule > geometry.store_end) {
        return false;
      }
    }
    return true;
  }

  // What was rebuilt is what was saved.
  [[nodiscard]] bool counts_agree() const {
    const Control& built = residents_.control();
    return built.residents == saved_.residents && built.free_head == saved_.free_head &&
           built.free_granules == saved_.free_granules;
  }

  // A bit of a partially dirty object beyond its end would lead out of it: such an image is no image.
  [[nodiscard]] std::uint32_t counted_data_bytes() const {
    std::uint32_t bytes = 0;
    DataWalk<P, S> walk(arena(), platform_);
    for (MutableBytes piece; walk.next(piece);) bytes += piece.size;
    return bytes;
  }

  [[nodiscard]] const SlotArena<S>& arena() const { return residents_.arena(); }

  Residents<P, S, A>& residents_;
  P& platform_;
  const CheckpointHeader& header_;
  std::uint32_t marked_;
  MutableBytes os_;
  Control saved_;
  CheckpointTrailer trailer_;
  BitsWalk<P, S> bits_;
  DataWalk<P, S> data_;
  Checksum sum_;
  MutableBytes latest_;  // not yet in the sum
  Part part_ = Part::control;
  Error fault_ = Error::none;
  std::uint32_t index_ = 0;
  std::uint32_t taken_ = 0;
};

}  // namespace brownout::heap
