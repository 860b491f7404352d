// Persist and restore: one burst out, as few reads as possible back.
//
// Image: header, slots, dirty objects where they lie, OS part, trailer. Two places in turn, by the low
// bit of the sequence. Clean residents are in the image by their slot only: their content is at home.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "heap/checksum.hpp"
#include "heap/gateway.hpp"
#include "heap/residents.hpp"

namespace brownout::heap {

template <Platform P, Storage S, class RamAllocator>
class Checkpoint {
 public:
  Checkpoint(Residents<P, RamAllocator>& residents, Gateway<P, S>& gateway, S& storage, P& platform)
      : residents_(residents), gateway_(gateway), storage_(storage), platform_(platform) {}

  // Bytes of the image as things stand, the OS part apart. O(1).
  [[nodiscard]] std::uint32_t size_bytes() const {
    const Control& c = residents_.control();
    return kCheckpointOverheadBytes + c.slot_high * static_cast<std::uint32_t>(sizeof(Slot)) + c.dirty_bytes;
  }

  // Forgets both images and the mark. Three writes.
  Status format() {
    static constexpr std::byte kZeros[sizeof(CheckpointHeader)] = {};
    const Geometry& geometry = residents_.arena().geometry();
    for (const std::uint32_t address : {geometry.checkpoint_address(0), geometry.checkpoint_address(1)}) {
      const Status status = write_confirmed(storage_, platform_, address, {kZeros, sizeof kZeros});
      if (!status.ok()) return status;
    }
    return write_confirmed(storage_, platform_, 0, {kZeros, sizeof(RunningMark)});
  }

  // From the persist interrupt: stops what is in flight and writes the image. Nothing in RAM changes
  // before the image is whole. The checksum is formed as the pieces go out.
  Status write(ConstBytes os) {
    storage_.abort();
    platform_.charge(Work::call, 1);
    Control& c = residents_.control();
    Outgoing image(*this, os, next_sequence(c.sequence));
    const std::uint32_t address = residents_.arena().geometry().checkpoint_address(image.header.sequence);
    Status status = storage_.begin_write(address, {&Outgoing::next, &image});
    if (status.ok()) status = finish_transfer(storage_);
    if (status.ok()) c.sequence = image.header.sequence;
    return status;
  }

  // At boot, with nothing in RAM that can be trusted: finds the newest image and brings it back, or says
  // why not: empty, foreign, torn, stale. Writes nothing to the store, so it can be cut and repeated.
  Status restore(MutableBytes os) {
    platform_.charge(Work::call, 1);
    CheckpointHeader header;
    if (const Status status = newest_header(header); !status.ok()) return status;
    Result<std::uint32_t> mark = gateway_.read_mark();
    if (!mark.ok()) return mark.error();
    if (mark.value() == header.sequence) return Error::stale;
    if (const Status status = read_image(header, os); !status.ok()) return status;
    Control& c = residents_.control();
    c.sequence = header.sequence;
    c.marked_sequence = mark.value();
    c.store_cursor = header.store_cursor;
    c.policy_state = header.policy_state;
    return read_clean_residents();
  }

 private:
  // Skips 0, which stands for no checkpoint, and 1, which would take the same place as the one before.
  static constexpr std::uint32_t next_sequence(std::uint32_t sequence) {
    return sequence == 0xFFFF'FFFFU ? 2U : sequence + 1U;
  }
  // Whether a follows b, on a circle.
  static constexpr bool newer(std::uint32_t a, std::uint32_t b) { return a - b < 0x8000'0000U; }

  static std::uint32_t header_checksum(const CheckpointHeader& header) {
    Crc32c crc;
    crc.add(reinterpret_cast<const std::byte*>(&header), offsetof(CheckpointHeader, checksum));
    return crc.value();
  }

  // The image as a stream of pieces.
  struct Outgoing {
    enum class Part : std::uint8_t { header, slots, objects, os, trailer, end };

    Outgoing(Checkpoint& owner, ConstBytes os_part, std::uint32_t sequence) : self(owner), os(os_part) {
      const Control& c = self.residents_.control();
      header.config = self.residents_.arena().geometry().fingerprint();
      header.sequence = sequence;
      header.length = self.size_bytes() + os.size;
      header.store_cursor = c.store_cursor;
      header.policy_state = c.policy_state;
      header.dirty_bytes = c.dirty_bytes;
      header.slot_high = c.slot_high;
      header.os_granules = static_cast<std::uint16_t>(os.size / kGranule);
      header.checksum = header_checksum(header);
      self.platform_.charge(Work::checksum_byte, offsetof(CheckpointHeader, checksum));
      trailer.sequence = sequence;
    }

    static bool next(void* state, ConstBytes& piece) {
      auto& image = *static_cast<Outgoing*>(state);
      if (!image.following(piece)) return false;
      if (image.part != Part::end) {
        image.crc.add(piece.data, piece.size);
        image.self.platform_.charge(Work::checksum_byte, piece.size);
      }
      return true;
    }

    // The next piece; leaves `part` at what comes after it.
    bool following(ConstBytes& piece) {
      const auto& residents = self.residents_;
      switch (part) {
        case Part::header:
          part = Part::slots;
          piece = {reinterpret_cast<const std::byte*>(&header), sizeof header};
          return true;
        case Part::slots:
          part = Part::objects;
          if (header.slot_high == 0) return following_object(piece);
          piece = {reinterpret_cast<const std::byte*>(&residents.slot(0)), header.slot_high * kSlotBytes};
          return true;
        case Part::objects: return following_object(piece);
        case Part::os: return os_part(piece);
        case Part::trailer: return trailer_part(piece);
        case Part::end: return false;
      }
      return false;
    }
    bool following_object(ConstBytes& piece) {
      while (index < header.slot_high) {
        const Slot& slot = self.residents_.slot(index++);
        self.platform_.charge(Work::step, 1);
        if (slot.used() && slot.dirty()) {
          piece = {self.residents_.data(slot), slot.size_bytes()};
          return true;
        }
      }
      return os_part(piece);
    }
    bool os_part(ConstBytes& piece) {
      part = Part::trailer;
      if (os.size == 0) return trailer_part(piece);
      piece = os;
      return true;
    }
    bool trailer_part(ConstBytes& piece) {
      part = Part::end;
      trailer.checksum = crc.value();
      piece = {reinterpret_cast<const std::byte*>(&trailer), sizeof trailer};
      return true;
    }

    static constexpr std::uint32_t kSlotBytes = sizeof(Slot);
    Checkpoint& self;
    ConstBytes os;
    CheckpointHeader header;
    CheckpointTrailer trailer;
    Crc32c crc;
    Part part = Part::header;
    std::uint16_t index = 0;
  };

  // Dirty objects, OS part and trailer as places to read into.
  struct Incoming {
    static bool next(void* state, MutableBytes& piece) {
      auto& image = *static_cast<Incoming*>(state);
      while (image.index < image.slot_high) {
        const Slot& slot = image.residents.slot(image.index++);
        if (slot.used() && slot.dirty()) {
          piece = {image.residents.data(slot), slot.size_bytes()};
          return true;
        }
      }
      if (image.index == image.slot_high) {
        ++image.index;
        if (image.os.size > 0) {
          piece = image.os;
          return true;
        }
      }
      if (image.index++ == image.slot_high + 1U) {
        piece = {reinterpret_cast<std::byte*>(&image.trailer), sizeof image.trailer};
        return true;
      }
      return false;
    }

    const Residents<P, RamAllocator>& residents;
    MutableBytes os;
    std::uint32_t slot_high = 0;
    CheckpointTrailer trailer;
    std::uint32_t index = 0;
  };

  enum class HeaderState : std::uint8_t { none, valid, damaged, foreign };

  HeaderState judge(const CheckpointHeader& header) {
    platform_.charge(Work::checksum_byte, sizeof header);
    const auto* bytes = reinterpret_cast<const std::byte*>(&header);
    std::uint32_t set = 0;
    for (std::uint32_t i = 0; i < sizeof header; ++i) set |= static_cast<std::uint32_t>(bytes[i]);
    if (set == 0) return HeaderState::none;
    if (header.checksum != header_checksum(header)) return HeaderState::damaged;
    const Geometry& geometry = residents_.arena().geometry();
    if (header.magic != CheckpointHeader::kMagic || header.config != geometry.fingerprint()) {
      return HeaderState::foreign;
    }
    return header.slot_high <= geometry.config.max_residents ? HeaderState::valid : HeaderState::damaged;
  }

  Status newest_header(CheckpointHeader& newest) {
    const Geometry& geometry = residents_.arena().geometry();
    bool damaged = false;
    bool foreign = false;
    bool found = false;
    for (std::uint32_t place = 0; place < 2; ++place) {
      CheckpointHeader header;
      const Status status = read_confirmed(storage_, platform_, geometry.checkpoint_address(place),
                                           {reinterpret_cast<std::byte*>(&header), sizeof header});
      if (!status.ok()) return status;
      const HeaderState state = judge(header);
      damaged = damaged || state == HeaderState::damaged;
      foreign = foreign || state == HeaderState::foreign;
      if (state == HeaderState::valid && (!found || newer(header.sequence, newest.sequence))) {
        newest = header;
        found = true;
      }
    }
    // A damaged header is a persist that was cut in its first bytes: the state it was to save is lost,
    // even if the image before it is whole.
    if (damaged) return Error::torn;
    if (found) return {};
    return foreign ? Error::foreign : Error::empty;
  }

  // Reads slots, dirty objects, OS part and trailer to their places and checks them.
  Status read_image(const CheckpointHeader& header, MutableBytes os) {
    const Arena& arena = residents_.arena();
    const std::uint32_t address = arena.geometry().checkpoint_address(header.sequence);
    const std::uint32_t slot_bytes = header.slot_high * static_cast<std::uint32_t>(sizeof(Slot));
    if (header.os_granules * kGranule != os.size) return Error::foreign;
    if (slot_bytes > 0) {
      const Status status = read_confirmed(storage_, platform_, address + sizeof header,
                                           {reinterpret_cast<std::byte*>(&arena.slot(0)), slot_bytes});
      if (!status.ok()) return status;
    }
    std::uint32_t dirty = 0;
    if (!slots_are_sound(header.slot_high, dirty)) return Error::torn;
    if (kCheckpointOverheadBytes + slot_bytes + dirty + os.size != header.length) return Error::torn;
    // Before the objects are read: the free list is built up inside the blocks that it will not keep.
    if (!residents_.rebuild(header.slot_high)) return Error::torn;

    Incoming image{residents_, os, header.slot_high, {}};
    const std::uint32_t objects = address + static_cast<std::uint32_t>(sizeof header) + slot_bytes;
    Status status = storage_.begin_read(objects, {&Incoming::next, &image});
    if (status.ok()) status = finish_transfer(storage_);
    if (!status.ok()) return status;

    Crc32c crc;
    crc.add(reinterpret_cast<const std::byte*>(&header), sizeof header);
    if (slot_bytes > 0) crc.add(reinterpret_cast<const std::byte*>(&arena.slot(0)), slot_bytes);
    for (std::uint32_t i = 0; i < header.slot_high; ++i) {
      const Slot& slot = arena.slot(i);
      if (slot.used() && slot.dirty()) crc.add(residents_.data(slot), slot.size_bytes());
    }
    crc.add(os.data, os.size);
    platform_.charge(Work::checksum_byte,
                     header.length - static_cast<std::uint32_t>(sizeof(CheckpointTrailer)));
    const bool whole = image.trailer.sequence == header.sequence && image.trailer.checksum == crc.value();
    return whole ? Status{} : Status{Error::torn};
  }

  // Every block within RAM, so that a damaged slot cannot direct a read elsewhere.
  bool slots_are_sound(std::uint32_t slot_high, std::uint32_t& dirty_bytes) {
    const Geometry& geometry = residents_.arena().geometry();
    for (std::uint32_t i = 0; i < slot_high; ++i) {
      platform_.charge(Work::step, 1);
      const Slot& slot = residents_.slot(i);
      if (!slot.used()) continue;
      if (slot.ram_offset() < geometry.objects_offset || slot.granules() == 0) return false;
      if (slot.ram_offset() + slot.size_bytes() > geometry.config.ram_bytes) return false;
      if (slot.dirty()) dirty_bytes += slot.size_bytes();
    }
    return true;
  }

  Status read_clean_residents() {
    for (std::uint32_t i = 0; i < residents_.control().slot_high; ++i) {
      const Slot& slot = residents_.slot(i);
      if (!slot.used() || slot.dirty() || slot.loading()) continue;
      const Status status = gateway_.read_home(slot.home(), {residents_.data(slot), slot.size_bytes()});
      if (!status.ok()) return status;
    }
    return {};
  }

  Residents<P, RamAllocator>& residents_;
  Gateway<P, S>& gateway_;
  S& storage_;
  P& platform_;
};

}  // namespace brownout::heap
