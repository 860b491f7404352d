// Persist and restore: one burst out, as few reads as possible back.
//
// Image: header, control, bitmaps, slots, dirty bits, dirty data where they lie, OS part, trailer. Two places
// in turn, by the low bit of the sequence. A clean resident that is recorded in the store and that nobody
// borrows is not in the image; its content is at home anyway.
#pragma once

#include <cstdint>

#include "heap/checkpoint/forget.hpp"
#include "heap/checkpoint/incoming.hpp"
#include "heap/checkpoint/outgoing.hpp"
#include "heap/checkpoint/survey.hpp"
#include "heap/gateway.hpp"
#include "heap/residents.hpp"

namespace brownout::heap {

template <Platform P, Storage St, Slot S, RamAllocator A, class Checksum>
class Checkpoint {
 public:
  Checkpoint(Residents<P, S, A>& residents, Gateway<P, St>& gateway, St& storage, P& platform)
      : residents_(residents), gateway_(gateway), storage_(storage), platform_(platform) {}

  // Forgets both images and the marks, see forget.hpp. Two reads, four writes at most.
  Status format() {
    static constexpr std::byte kZeros[sizeof(CheckpointHeader)] = {};
    Survey survey;
    if (const Status status = this->survey(survey); !status.ok()) return status;
    const std::uint32_t latest = latest_possible(survey.latest(), survey.damaged);
    return note_sequence(latest, forget_images(storage_, platform_, residents_.geometry(), latest,
                                               survey.marked, {kZeros, sizeof kZeros}));
  }
  // Where there is no image: the next one follows that sequence. One write.
  Status go_on_from(std::uint32_t sequence) {
    return note_sequence(sequence, heap::go_on_from(storage_, platform_, residents_.geometry(), sequence));
  }

  // From the persist interrupt: stops what is in flight and writes the image of that sequence, again if that
  // fails. RAM does not change; confirm() follows once everything that is to be whole together is written.
  Status write(ConstBytes os, std::uint32_t sequence) {
    if (os.size > residents_.geometry().config.os_bytes) return Error::bad_configuration;
    storage_.abort();
    const std::uint32_t address = residents_.geometry().checkpoint_address(sequence);
    for (Retries retries(storage_);;) {
      platform_.charge(Work::call, 1);
      Outgoing<P, S, Checksum> image(residents_.arena(), platform_, os, sequence);
      Status status = storage_.begin_write(address, image.stream());
      if (status.ok()) status = finish_transfer(storage_);
      if (status.error() != Error::storage_failed || !retries.again(platform_)) return status;
    }
  }
  void confirm(std::uint32_t sequence) {
    residents_.control().sequence = sequence;
    residents_.control().marked_sequence = 0;
  }
  // After a write() that failed: the image may be in the store all the same.
  void disown(std::uint32_t sequence) { residents_.control().marked_sequence = sequence; }

  // At boot, with nothing in RAM that can be trusted: what images there are. Two reads; both again while a
  // header or a mark is damaged and the store's retries last, because the bus may have erred.
  Status survey(Survey& survey) {
    for (Retries retries(storage_);;) {
      survey = Survey{};
      bool damaged = false;
      if (const Status status = survey_once(survey, damaged); !status.ok()) return status;
      if (!damaged) return {};
      note(platform_, StorageEvent::image_damaged);
      // After that the damage is in the store, as a cut leaves it.
      if (retries.used_up()) return {};
      static_cast<void>(retries.again(platform_));
    }
  }
  // Brings the image of that header back; torn if it is not whole, which is looked at again in the same way.
  // A look at what is torn in the store takes none of the retries of a transfer that fails: else the last
  // look could.
  Status read(const CheckpointHeader& header, std::uint32_t marked, MutableBytes os) {
    Retries retries(storage_);
    for (Retries looks(storage_);;) {
      const Status status = read_once(header, marked, os);
      if (status.error() == Error::torn) {
        note(platform_, StorageEvent::image_damaged);
        if (looks.used_up()) return status;
        static_cast<void>(looks.again(platform_));
        retries = Retries(storage_);
      } else if (status.error() != Error::storage_failed || !retries.again(platform_)) {
        return status;
      }
    }
  }

 private:
  static constexpr std::uint32_t kSlotBytes = sizeof(S);

  Status note_sequence(std::uint32_t sequence, Status written) {
    if (written.ok()) residents_.control().sequence = residents_.control().marked_sequence = sequence;
    return written;
  }

  Status survey_once(Survey& survey, bool& damaged) {
    const Geometry& geometry = residents_.geometry();
    // The marks lie in front of the first place.
    RunningMarks marks;
    const MutableBytes first[] = {{reinterpret_cast<std::byte*>(&marks), sizeof marks}, header_of(survey, 0)};
    if (const Status status = read_pieces(geometry.marks_address(), first); !status.ok()) return status;
    const MutableBytes second[] = {header_of(survey, 1), {}};
    const Status status = read_pieces(geometry.checkpoint_address(1), second);
    if (!status.ok()) return status;
    survey.marked = marks.sequence();
    survey.latest_mark = marks.latest();
    for (std::uint32_t place = 0; place < 2; ++place) judge(survey, place);
    damaged = survey.damaged || marks.damaged();
    return {};
  }

  // Reads only, so it can be cut and repeated. The records, if there are any; the image in one transfer, or
  // in two; the homes of clean residents.
  Status read_once(const CheckpointHeader& header, std::uint32_t marked, MutableBytes os) {
    if (const Status status = read_records(header.recorded_high); !status.ok()) return status;
    Incoming<P, S, A, Checksum> image(residents_, platform_, header, marked, os);
    const auto read_on = [&] {
      const Status status = storage_.begin_read(image.address(), image.stream());
      return status.ok() ? finish_transfer(storage_) : status;
    };
    if (image.verdict() == Error::foreign) return Error::foreign;
    if (const Status status = read_on(); !status.ok()) return status;
    if (image.waits_for_homes()) {
      const auto in_parts = [](const S& slot) { return slot.dirty() && slot.partial(); };
      if (const Status status = read_homes(in_parts); !status.ok()) return status;
      image.homes_are_read();
      if (const Status status = read_on(); !status.ok()) return status;
    }
    if (image.verdict() != Error::none) return image.verdict();
    // A block that was being loaded is loaded again anyway.
    return read_homes([](const S& slot) { return !slot.dirty() && slot.borrows() != S::kWriter; });
  }

  static MutableBytes header_of(Survey& survey, std::uint32_t place) {
    return {reinterpret_cast<std::byte*>(&survey.headers[place]), sizeof(CheckpointHeader)};
  }

  void judge(Survey& survey, std::uint32_t place) {
    const CheckpointHeader& header = survey.headers[place];
    const auto* bytes = reinterpret_cast<const std::byte*>(&header);
    platform_.charge(Work::step, sizeof header);
    std::uint32_t set = 0;
    for (std::uint32_t i = 0; i < sizeof header; ++i) set |= static_cast<std::uint32_t>(bytes[i]);
    if (set == 0) return;
    Checksum sum(platform_);
    sum.add(bytes, offsetof(CheckpointHeader, checksum));
    const Geometry& geometry = residents_.geometry();
    const std::uint32_t slots = geometry.config.max_residents;
    // NOLINTBEGIN(bugprone-branch-clone): each is asked for only if those before it are not the reason
    if (header.checksum != sum.value()) {
      survey.damaged = true;
    } else if (header.magic != CheckpointHeader::kMagic) {
      survey.other = Error::foreign;
    } else if (header.version != kFormatVersion) {
      survey.other = Error::wrong_version;
    } else if (header.config != geometry.fingerprint()) {
      survey.other = Error::foreign;
    } else if (header.slots > slots || header.recorded_high > slots) {
      survey.damaged = true;
    } else {
      survey.valid[place] = true;
    }
    // NOLINTEND(bugprone-branch-clone)
  }

  // The slots as the store has them recorded; the image then replaces those that it lists.
  Status read_records(std::uint32_t recorded_high) {
    const SlotArena<S>& arena = residents_.arena();
    platform_.charge(Work::step, arena.slots());
    for (std::uint32_t i = recorded_high; i < arena.slots(); ++i)
      arena.slot(i) = S::vacant(i, Record::vacant);
    if (recorded_high == 0) return {};
    const Status status =
        gateway_.read_home(arena.geometry().record_address(0),
                           {reinterpret_cast<std::byte*>(&arena.slot(0)), recorded_high * kSlotBytes});
    if (!status.ok()) return status;
    for (std::uint32_t i = 0; i < recorded_high; ++i) {
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

  // The homes of those objects. One read each.
  template <class Wanted>
  Status read_homes(Wanted wanted) {
    const Geometry& geometry = residents_.geometry();
    for (std::uint32_t i = 0; i < residents_.arena().slots(); ++i) {
      platform_.charge(Work::step, 1);
      const S& slot = residents_.slot(i);
      if (!slot.used() || !wanted(slot)) continue;
      const Status status = gateway_.read_home(
          slot.home(geometry), {residents_.data(i), data_granules(slot, geometry) * kGranule});
      if (!status.ok()) return status;
    }
    return {};
  }

  // One read, repeated if it fails.
  Status read_pieces(std::uint32_t address, const MutableBytes (&pieces)[2]) {
    struct Two {
      static bool next(void* state, MutableBytes& piece) {
        auto& two = *static_cast<Two*>(state);
        if (two.at == 2 || two.pieces[two.at].size == 0) return false;
        piece = two.pieces[two.at++];
        return true;
      }
      const MutableBytes* pieces = nullptr;
      std::uint32_t at = 0;
    } two{pieces};
    return repeat_failed(storage_, platform_, [&] {
      two.at = 0;
      return storage_.begin_read(address, {&Two::next, &two});
    });
  }

  Residents<P, S, A>& residents_;
  Gateway<P, St>& gateway_;
  St& storage_;
  P& platform_;
};

}  // namespace brownout::heap
