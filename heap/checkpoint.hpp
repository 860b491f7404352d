// Persist and restore: one burst out, as few reads as possible back.
//
// Image: header, control, bitmaps, slots, dirty bits, dirty data where they lie, OS part, trailer. Two places
// in turn, by the low bit of the sequence. A clean resident that is recorded in the store and that nobody
// borrows is not in the image; its content is at home anyway.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "heap/checksum.hpp"
#include "heap/gateway.hpp"
#include "heap/residents.hpp"

namespace brownout::heap {

template <Platform P, Storage St, Slot S, RamAllocator A>
class Checkpoint {
 public:
  Checkpoint(Residents<P, S, A>& residents, Gateway<P, St>& gateway, St& storage, P& platform)
      : residents_(residents), gateway_(gateway), storage_(storage), platform_(platform) {}

  // Forgets both images and the mark. Three writes.
  Status format() {
    static constexpr std::byte kZeros[sizeof(CheckpointHeader)] = {};
    const Geometry& geometry = residents_.geometry();
    for (const std::uint32_t address : {geometry.checkpoint_address(0), geometry.checkpoint_address(1)}) {
      const Status status = write_confirmed(storage_, platform_, address, {kZeros, sizeof kZeros});
      if (!status.ok()) return status;
    }
    return write_confirmed(storage_, platform_, 0, {kZeros, sizeof(RunningMark)});
  }

  // From the persist interrupt: stops what is in flight and writes the image of that sequence. RAM does not
  // change; confirm() follows once everything that is to be whole together is written.
  Status write(ConstBytes os, std::uint32_t sequence) {
    if (os.size > residents_.geometry().config.os_bytes) return Error::bad_configuration;
    storage_.abort();
    platform_.charge(Work::call, 1);
    Outgoing image(*this, os, sequence);
    const std::uint32_t address = residents_.geometry().checkpoint_address(sequence);
    Status status = storage_.begin_write(address, {&Outgoing::next, &image});
    if (status.ok()) status = finish_transfer(storage_);
    return status;
  }
  void confirm(std::uint32_t sequence) {
    residents_.control().sequence = sequence;
    residents_.control().marked_sequence = 0;
  }
  // After a write() that failed: the image may be in the store all the same.
  void disown(std::uint32_t sequence) { residents_.control().marked_sequence = sequence; }

  // At boot, with nothing in RAM that can be trusted: finds the newest image and whether it may be restored:
  // empty, foreign, wrong_version, torn, stale. Reads only.
  Status examine(CheckpointHeader& header) {
    if (const Status status = newest_header(header); !status.ok()) return status;
    Result<std::uint32_t> mark = gateway_.read_mark();
    if (!mark.ok()) return mark.error();
    marked_ = mark.value();
    return marked_ == header.sequence ? Error::stale : Error::none;
  }
  // Brings the examined image back; torn if it is not whole. Reads only, so it can be cut and repeated.
  Status read(const CheckpointHeader& header, MutableBytes os) {
    Crc32c crc;
    add(crc, {reinterpret_cast<const std::byte*>(&header), sizeof header});
    Control saved;
    if (const Status status = read_metadata(header, saved, crc); !status.ok()) return status;
    if (header.length != image_bytes(header) + os.size) return Error::foreign;
    // Before the objects are read: the free list is built up inside the blocks that it will not keep.
    if (!residents_.rebuild() || !counts_agree(saved)) return Error::torn;
    residents_.control() = saved;
    residents_.control().sequence = header.sequence;
    residents_.control().marked_sequence = marked_;
    if (const Status status = read_bits(header, crc); !status.ok()) return status;
    if (const Status status = read_homes(); !status.ok()) return status;
    return read_data(header, os, crc);
  }

 private:
  static constexpr std::uint32_t kHeaderBytes = sizeof(CheckpointHeader);
  static constexpr std::uint32_t kSlotBytes = sizeof(S);

  // Whether a follows b, on a circle.
  static constexpr bool newer(std::uint32_t a, std::uint32_t b) { return a - b < 0x8000'0000U; }

  static std::uint32_t header_checksum(const CheckpointHeader& header) {
    Crc32c crc;
    crc.add(reinterpret_cast<const std::byte*>(&header), offsetof(CheckpointHeader, checksum));
    return crc.value();
  }
  void add(Crc32c& crc, ConstBytes bytes) {
    platform_.charge(Work::checksum_byte, bytes.size);
    crc.add(bytes.data, bytes.size);
  }
  [[nodiscard]] std::uint32_t image_bytes(const CheckpointHeader& header) const {
    return residents_.geometry().empty_image_bytes() + header.slots * kSlotBytes +
           header.dirty_bits * kGranule + header.data_bytes;
  }

  // Dirty bits, then dirty data, of all objects in order of their slots, a piece at a time.
  class BitsWalk {
   public:
    explicit BitsWalk(const Checkpoint& owner) : owner_(owner) {}
    bool next(MutableBytes& piece) {
      const SlotArena<S>& arena = owner_.residents_.arena();
      while (index_ < arena.slots()) {
        const S& slot = arena.slot(index_++);
        owner_.platform_.charge(Work::step, 1);
        if (!slot.used() || !slot.dirty() || !slot.partial()) continue;
        piece = DirtyBits(arena, slot).memory();
        return true;
      }
      return false;
    }

   private:
    const Checkpoint& owner_;
    std::uint32_t index_ = 0;
  };
  class DataWalk {
   public:
    explicit DataWalk(const Checkpoint& owner) : owner_(owner) {}
    bool next(MutableBytes& piece) {
      const SlotArena<S>& arena = owner_.residents_.arena();
      while (index_ < arena.slots()) {
        const S& slot = arena.slot(index_);
        owner_.platform_.charge(Work::step, 1);
        if (slot.used() && slot.dirty()) {
          if (!slot.partial()) {
            piece = {arena.data(slot), slot.granules(arena.geometry()) * kGranule};
            ++index_;
            return true;
          }
          std::uint32_t offset = 0;
          if (DirtyBits(arena, slot).next_run(block_, offset, piece.size)) {
            piece.data = arena.data(slot) + offset;
            return true;
          }
        }
        ++index_;
        block_ = 0;
      }
      return false;
    }

   private:
    const Checkpoint& owner_;
    std::uint32_t index_ = 0;
    std::uint32_t block_ = 0;
  };

  // Runs of slots that are in the image, where they lie.
  template <class IsIn>
  static bool next_slots(const SlotArena<S>& arena, std::uint32_t& index, IsIn is_in, MutableBytes& piece) {
    while (index < arena.slots() && !is_in(index)) ++index;
    if (index >= arena.slots()) return false;
    const std::uint32_t first = index;
    while (index < arena.slots() && is_in(index)) ++index;
    piece = {reinterpret_cast<std::byte*>(&arena.slot(first)), (index - first) * kSlotBytes};
    return true;
  }

  // The image as a stream of pieces. The checksum is formed as they go out.
  struct Outgoing {
    enum class Part : std::uint8_t {
      header,
      control,
      listed,
      referenced,
      slots,
      bits,
      data,
      os,
      trailer,
      end
    };

    Outgoing(Checkpoint& owner, ConstBytes os_part, std::uint32_t sequence)
        : self(owner), arena(owner.residents_.arena()), os(os_part), bits_walk(owner), data_walk(owner) {
      header.config = arena.geometry().fingerprint();
      header.version = kFormatVersion;
      header.sequence = sequence;
      count();
      header.length = self.image_bytes(header) + os.size;
      header.checksum = header_checksum(header);
      self.platform_.charge(Work::checksum_byte, offsetof(CheckpointHeader, checksum));
      trailer.sequence = sequence;
    }

    // Recounted from the slots: the counters may lag behind, the slots do not.
    void count() {
      for (std::uint32_t i = 0; i < arena.slots(); ++i) {
        const S& slot = arena.slot(i);
        self.platform_.charge(Work::step, 1);
        if (slot.is_listed()) ++header.slots;
        if (slot.record() != Record::vacant) header.recorded_high = static_cast<std::uint16_t>(i + 1U);
        if (!slot.used() || !slot.dirty()) continue;
        const std::uint32_t bits = bits_granules(slot, arena.geometry());
        header.dirty_bits = static_cast<std::uint16_t>(header.dirty_bits + bits);
        header.data_bytes += dirty_bytes(arena, slot) - bits * kGranule;
      }
      if constexpr (!S::kRecords) header.recorded_high = 0;
    }

    static bool next(void* state, ConstBytes& piece) {
      auto& image = *static_cast<Outgoing*>(state);
      if (!image.following(piece)) return false;
      if (image.part != Part::end) image.self.add(image.crc, piece);
      return true;
    }

    // The next piece; leaves `part` at where it is from, or at the end.
    bool following(ConstBytes& piece) {
      while (part != Part::end) {
        MutableBytes lying;
        switch (part) {
          case Part::header:
            part = Part::control;
            piece = {reinterpret_cast<const std::byte*>(&header), sizeof header};
            return true;
          case Part::control:
            part = Part::listed;
            piece = {arena.at(kSavedControlOffset), kSavedControlBytes};
            return true;
          case Part::listed:
            if (next_bitmap(piece, [](const S& slot) { return slot.is_listed(); })) return true;
            part = arena.geometry().modules.referenced_bits ? Part::referenced : Part::slots;
            index = 0;
            break;
          case Part::referenced:
            if (next_bitmap(piece, [](const S& slot) { return slot.referenced(); })) return true;
            part = Part::slots;
            index = 0;
            break;
          case Part::slots:
            if (next_slots(
                    arena, index, [this](std::uint32_t i) { return arena.slot(i).is_listed(); }, lying)) {
              piece = {lying.data, lying.size};
              return true;
            }
            part = Part::bits;
            break;
          case Part::bits:
            if (header.dirty_bits > 0 && bits_walk.next(lying)) {
              piece = {lying.data, lying.size};
              return true;
            }
            part = Part::data;
            break;
          case Part::data:
            if (data_walk.next(lying)) {
              piece = {lying.data, lying.size};
              return true;
            }
            part = Part::os;
            break;
          case Part::os:
            part = Part::trailer;
            if (os.size == 0) break;
            piece = os;
            return true;
          case Part::trailer:
            part = Part::end;
            trailer.checksum = crc.value();
            piece = {reinterpret_cast<const std::byte*>(&trailer), sizeof trailer};
            return true;
          case Part::end: break;
        }
      }
      return false;
    }

    // The bits of the next 64 slots.
    template <class Bit>
    bool next_bitmap(ConstBytes& piece, Bit bit) {
      if (index >= arena.slots()) return false;
      for (std::byte& b : word) b = std::byte{0};
      for (std::uint32_t n = 0; n < 64 && index < arena.slots(); ++n, ++index) {
        self.platform_.charge(Work::step, 1);
        if (bit(arena.slot(index))) word[n / 8] |= static_cast<std::byte>(1U << n % 8);
      }
      piece = {word, sizeof word};
      return true;
    }

    Checkpoint& self;
    const SlotArena<S>& arena;
    ConstBytes os;
    CheckpointHeader header;
    CheckpointTrailer trailer;
    Crc32c crc;
    BitsWalk bits_walk;
    DataWalk data_walk;
    Part part = Part::header;
    std::uint32_t index = 0;
    std::byte word[8] = {};
  };

  enum class HeaderState : std::uint8_t { none, valid, damaged, foreign, other_version };

  HeaderState judge(const CheckpointHeader& header) {
    platform_.charge(Work::checksum_byte, sizeof header);
    const auto* bytes = reinterpret_cast<const std::byte*>(&header);
    std::uint32_t set = 0;
    for (std::uint32_t i = 0; i < sizeof header; ++i) set |= static_cast<std::uint32_t>(bytes[i]);
    if (set == 0) return HeaderState::none;
    if (header.checksum != header_checksum(header)) return HeaderState::damaged;
    const Geometry& geometry = residents_.geometry();
    if (header.magic != CheckpointHeader::kMagic) return HeaderState::foreign;
    if (header.version != kFormatVersion) return HeaderState::other_version;
    if (header.config != geometry.fingerprint()) return HeaderState::foreign;
    const std::uint32_t slots = geometry.config.max_residents;
    return header.slots <= slots && header.recorded_high <= slots ? HeaderState::valid : HeaderState::damaged;
  }

  Status newest_header(CheckpointHeader& newest) {
    const Geometry& geometry = residents_.geometry();
    bool damaged = false;
    bool found = false;
    Error other = Error::empty;
    for (std::uint32_t place = 0; place < 2; ++place) {
      CheckpointHeader header;
      const Status status = read_confirmed(storage_, platform_, geometry.checkpoint_address(place),
                                           {reinterpret_cast<std::byte*>(&header), sizeof header});
      if (!status.ok()) return status;
      const HeaderState state = judge(header);
      damaged = damaged || state == HeaderState::damaged;
      if (state == HeaderState::foreign) other = Error::foreign;
      if (state == HeaderState::other_version) other = Error::wrong_version;
      if (state == HeaderState::valid && (!found || newer(header.sequence, newest.sequence))) {
        newest = header;
        found = true;
      }
    }
    // A damaged header is a persist that was cut in its first bytes: the state it was to save is lost,
    // even if the image before it is whole.
    if (damaged) return Error::torn;
    return found ? Error::none : other;
  }

  // Control, bitmaps and slots. The bitmaps lie at the end of the room for objects until the slots are read.
  Status read_metadata(const CheckpointHeader& header, Control& saved, Crc32c& crc) {
    const Geometry& geometry = residents_.geometry();
    const std::uint32_t bitmaps = geometry.empty_image_bytes() - kHeaderBytes - kSavedControlBytes -
                                  static_cast<std::uint32_t>(sizeof(CheckpointTrailer));
    std::byte* listed = residents_.arena().at((geometry.config.ram_bytes - bitmaps) & ~7U);
    const std::byte* referenced = listed + geometry.bitmap_bytes();
    const std::uint32_t address = geometry.checkpoint_address(header.sequence);
    std::byte* control = reinterpret_cast<std::byte*>(&saved) + kSavedControlOffset;
    const MutableBytes metadata[] = {{control, kSavedControlBytes}, {listed, bitmaps}};
    if (const Status status = read_pieces(address + kHeaderBytes, metadata, crc); !status.ok()) return status;

    if (const Status status = read_records(header.recorded_high); !status.ok()) return status;
    Listed incoming{residents_.arena(), listed};
    std::uint32_t slots = 0;
    for (std::uint32_t i = 0; i < residents_.arena().slots(); ++i) slots += incoming.is_in(i) ? 1U : 0U;
    if (slots != header.slots) return Error::torn;
    if (slots > 0) {
      if (const Status status = read_stream(slots_address(header), incoming); !status.ok()) return status;
      incoming.index = 0;
      for (MutableBytes piece; incoming.next_piece(piece);) add(crc, {piece.data, piece.size});
    }
    if (geometry.modules.referenced_bits) apply_referenced(referenced);
    return slots_are_sound() ? Status{} : Status{Error::torn};
  }

  [[nodiscard]] std::uint32_t slots_address(const CheckpointHeader& header) const {
    const Geometry& geometry = residents_.geometry();
    return geometry.checkpoint_address(header.sequence) + geometry.empty_image_bytes() -
           static_cast<std::uint32_t>(sizeof(CheckpointTrailer));
  }

  // The slots as the store has them recorded; the image then replaces those that it lists.
  Status read_records(std::uint32_t recorded_high) {
    const SlotArena<S>& arena = residents_.arena();
    for (std::uint32_t i = recorded_high; i < arena.slots(); ++i)
      arena.slot(i) = S::vacant(i, Record::vacant);
    if (recorded_high == 0) return {};
    const Status status =
        gateway_.read_home(arena.geometry().record_address(0),
                           {reinterpret_cast<std::byte*>(&arena.slot(0)), recorded_high * kSlotBytes});
    if (!status.ok()) return status;
    for (std::uint32_t i = 0; i < recorded_high; ++i) {
      platform_.charge(Work::step, 1);
      S& slot = arena.slot(i);
      if (!slot.used()) {
        slot = S::vacant(i, Record::vacant);
        continue;
      }
      slot.set_borrows(0);
      slot.set_dirty(false);
      slot.set_referenced(false);
      slot.set_record(Record::same);
    }
    return {};
  }

  // The listed slots as places to read into.
  struct Listed {
    [[nodiscard]] bool is_in(std::uint32_t i) const {
      return (static_cast<std::uint32_t>(bitmap[i / 8]) >> i % 8 & 1U) != 0;
    }
    bool next_piece(MutableBytes& piece) {
      return next_slots(
          arena, index, [this](std::uint32_t i) { return is_in(i); }, piece);
    }
    static bool next(void* state, MutableBytes& piece) {
      return static_cast<Listed*>(state)->next_piece(piece);
    }
    const SlotArena<S>& arena;
    const std::byte* bitmap = nullptr;
    std::uint32_t index = 0;
  };

  void apply_referenced(const std::byte* bitmap) {
    const SlotArena<S>& arena = residents_.arena();
    for (std::uint32_t i = 0; i < arena.slots(); ++i) {
      platform_.charge(Work::step, 1);
      arena.slot(i).set_referenced((static_cast<std::uint32_t>(bitmap[i / 8]) >> i % 8 & 1U) != 0);
    }
  }

  // Every block and home within its region, so that a damaged slot cannot direct a read elsewhere.
  bool slots_are_sound() {
    const Geometry& geometry = residents_.geometry();
    const std::uint32_t first = geometry.first_granule();
    const std::uint32_t end = first + geometry.object_granules();
    for (std::uint32_t i = 0; i < residents_.arena().slots(); ++i) {
      platform_.charge(Work::step, 1);
      const S& slot = residents_.slot(i);
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
  [[nodiscard]] bool counts_agree(const Control& saved) const {
    const Control& built = residents_.control();
    return built.residents == saved.residents && built.free_head == saved.free_head &&
           built.free_granules == saved.free_granules;
  }

  Status read_bits(const CheckpointHeader& header, Crc32c& crc) {
    std::uint32_t granules = 0;
    for (std::uint32_t i = 0; i < residents_.arena().slots(); ++i) {
      const S& slot = residents_.slot(i);
      if (!slot.used() || !slot.partial()) continue;
      residents_.clear_bits(slot);
      if (slot.dirty()) granules += bits_granules(slot, residents_.geometry());
    }
    if (granules != header.dirty_bits) return Error::torn;
    if (granules == 0) return {};
    Walked<BitsWalk> bits{BitsWalk(*this)};
    const Status status = read_stream(slots_address(header) + header.slots * kSlotBytes, bits);
    if (!status.ok()) return status;
    BitsWalk walk(*this);
    for (MutableBytes piece; walk.next(piece);) add(crc, {piece.data, piece.size});
    return {};
  }

  // Content of all objects that is not in the image. A block that was being loaded is loaded again anyway.
  Status read_homes() {
    const Geometry& geometry = residents_.geometry();
    for (std::uint32_t i = 0; i < residents_.arena().slots(); ++i) {
      platform_.charge(Work::step, 1);
      const S& slot = residents_.slot(i);
      if (!slot.used() || (slot.dirty() && !slot.partial())) continue;
      if (!slot.dirty() && slot.borrows() == S::kWriter) continue;
      const Status status = gateway_.read_home(
          slot.home(geometry), {residents_.data(i), data_granules(slot, geometry) * kGranule});
      if (!status.ok()) return status;
    }
    return {};
  }

  // Dirty data, OS part and trailer, and whether the image is whole.
  Status read_data(const CheckpointHeader& header, MutableBytes os, Crc32c& crc) {
    CheckpointTrailer trailer;
    DataWalk counting(*this);
    std::uint32_t data_bytes = 0;
    for (MutableBytes piece; counting.next(piece);) data_bytes += piece.size;
    if (data_bytes != header.data_bytes) return Error::torn;

    struct Rest {
      static bool next(void* state, MutableBytes& piece) {
        auto& rest = *static_cast<Rest*>(state);
        if (rest.walk.next(piece)) return true;
        if (rest.more == 2 && rest.os.size == 0) --rest.more;
        if (rest.more == 0) return false;
        piece = rest.more-- == 2 ? rest.os : rest.trailer;
        return true;
      }
      DataWalk walk;
      MutableBytes os;
      MutableBytes trailer;
      std::uint32_t more = 2;
    } rest{DataWalk(*this), os, {reinterpret_cast<std::byte*>(&trailer), sizeof trailer}};
    const std::uint32_t address =
        slots_address(header) + header.slots * kSlotBytes + header.dirty_bits * kGranule;
    if (const Status status = read_stream(address, rest); !status.ok()) return status;

    DataWalk walk(*this);
    for (MutableBytes piece; walk.next(piece);) add(crc, {piece.data, piece.size});
    add(crc, {os.data, os.size});
    const bool whole = trailer.sequence == header.sequence && trailer.checksum == crc.value();
    return whole ? Status{} : Status{Error::torn};
  }

  template <class Walk>
  struct Walked {
    static bool next(void* state, MutableBytes& piece) {
      return static_cast<Walked*>(state)->walk.next(piece);
    }
    Walk walk;
  };

  // One transfer into the places that `places` hands out.
  template <class Places>
  Status read_stream(std::uint32_t address, Places& places) {
    Status status = storage_.begin_read(address, {&Places::next, &places});
    if (status.ok()) status = finish_transfer(storage_);
    return status;
  }
  Status read_pieces(std::uint32_t address, const MutableBytes (&pieces)[2], Crc32c& crc) {
    struct Two {
      static bool next(void* state, MutableBytes& piece) {
        auto& two = *static_cast<Two*>(state);
        if (two.at == 2) return false;
        piece = two.pieces[two.at++];
        return true;
      }
      const MutableBytes* pieces = nullptr;
      std::uint32_t at = 0;
    } two{pieces};
    if (const Status status = read_stream(address, two); !status.ok()) return status;
    for (const MutableBytes& piece : pieces) add(crc, {piece.data, piece.size});
    return {};
  }

  Residents<P, S, A>& residents_;
  Gateway<P, St>& gateway_;
  St& storage_;
  P& platform_;
  std::uint32_t marked_ = 0;
};

}  // namespace brownout::heap
