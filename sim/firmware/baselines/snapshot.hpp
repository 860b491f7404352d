// Images of spans of RAM, as all baselines write and read them.
#pragma once

#include <cstdint>

#include "heap/checkpoint/checkpoint.hpp"
#include "heap/checkpoint/forget.hpp"
#include "heap/checksum.hpp"
#include "heap/gateway.hpp"
#include "heap/layout.hpp"
#include "sim/firmware/baselines/plan.hpp"

namespace brownout::sim::firmware {

// One span.
struct OneSpan {
  heap::MutableBytes span;
  bool next(heap::MutableBytes& piece) {
    piece = span;
    span = {};
    return piece.size > 0;
  }
};

// Header, spans where they lie, OS part, trailer, written in one transfer to two places in turn. Restoring
// reads only. `Spans` says what RAM an image holds: next(MutableBytes&) gives a span each time, then false; a
// copy of an untouched one begins anew.
template <heap::Platform P, heap::Storage S>
class Snapshot {
 public:
  Snapshot(heap::Arena arena, S& storage, P& platform)
      : arena_(arena), storage_(storage), platform_(platform) {}

  // Forgets both images; sequences go on, see heap/checkpoint/forget.hpp. storage_failed. Three reads, four
  // writes at most.
  heap::Status format() {
    static constexpr std::byte kZeros[sizeof(SnapshotHeader)] = {};
    const heap::Geometry& geometry = arena_.geometry();
    heap::RunningMarks marks;
    heap::Status read = heap::read_confirmed(storage_, platform_, geometry.marks_address(),
                                             {reinterpret_cast<std::byte*>(&marks), sizeof marks});
    std::uint32_t latest = marks.latest();
    bool damaged = false;
    for (std::uint32_t place = 0; read.ok() && place < 2; ++place) {
      SnapshotHeader header;
      read = heap::read_confirmed(storage_, platform_, geometry.checkpoint_address(place),
                                  {reinterpret_cast<std::byte*>(&header), sizeof header});
      if (!read.ok()) continue;
      const heap::Error judgement = judge(header);
      damaged = damaged || judgement == heap::Error::torn;
      if (judgement != heap::Error::none) continue;
      if (latest == 0 || heap::is_newer(header.sequence, latest)) latest = header.sequence;
    }
    if (!read.ok()) return read;
    latest = heap::latest_possible(latest, damaged);
    const heap::Status forgotten =
        heap::forget_images(storage_, platform_, geometry, latest, marks.sequence(), {kZeros, sizeof kZeros});
    if (forgotten.ok()) arena_.control().sequence = arena_.control().marked_sequence = latest;
    return forgotten;
  }

  // From the persist interrupt: stops what is in flight and writes the image that follows. RAM does not
  // change unless it is whole; then the control says so. storage_failed. One write, O(bytes).
  template <class Spans>
  heap::Status write(const Spans& spans, std::uint16_t pages, heap::ConstBytes os) {
    storage_.abort();
    for (heap::Retries retries(storage_);;) {
      platform_.charge(heap::Work::call, 1);
      Outgoing<Spans> image(*this, spans, pages, os);
      const std::uint32_t address = arena_.geometry().checkpoint_address(image.header.sequence);
      heap::Status status = storage_.begin_write(address, {&Outgoing<Spans>::next, &image});
      if (status.ok()) status = heap::finish_transfer(storage_);
      if (status.ok()) arena_.control().sequence = image.header.sequence;
      if (status.error() != heap::Error::storage_failed || !retries.again(platform_)) return status;
    }
  }

  // At boot: the newest image, or why there is none that may be restored: empty, foreign, wrong_version,
  // torn, storage_failed. Two reads.
  heap::Status find_newest(SnapshotHeader& newest) {
    platform_.charge(heap::Work::call, 1);
    bool damaged = false;
    bool found = false;
    heap::Error other = heap::Error::empty;
    for (std::uint32_t place = 0; place < 2; ++place) {
      SnapshotHeader header;
      const heap::Status status =
          heap::read_confirmed(storage_, platform_, arena_.geometry().checkpoint_address(place),
                               {reinterpret_cast<std::byte*>(&header), sizeof header});
      if (!status.ok()) return status;
      const heap::Error judgement = judge(header);
      if (judgement == heap::Error::torn) damaged = true;
      if (judgement == heap::Error::foreign || judgement == heap::Error::wrong_version) other = judgement;
      if (judgement != heap::Error::none) continue;
      if (!found || header.sequence - newest.sequence < 0x8000'0000U) newest = header;
      found = true;
    }
    // A persist that was cut in its header: the state it was to save is lost, even if the image before it is
    // whole.
    if (damaged) return heap::Error::torn;
    return found ? heap::Error::none : other;
  }

  // The same for a memory that writes homes: stale, too, if it has since the image. One read more. `marked`
  // is what the running mark says.
  heap::Status find_current(heap::Gateway<P, S>& gateway, SnapshotHeader& header, std::uint32_t& marked) {
    if (const heap::Status status = find_newest(header); !status.ok()) return status;
    heap::Result<std::uint32_t> mark = gateway.read_mark();
    if (!mark.ok()) return mark.error();
    marked = mark.value();
    return marked == header.sequence ? heap::Error::stale : heap::Error::none;
  }

  // An image as far as it was read.
  struct Reading {
    std::uint32_t address = 0;
    std::uint32_t left_bytes = 0;
    heap::Crc32c crc;
  };
  Reading begin(const SnapshotHeader& header) {
    Reading reading{arena_.geometry().checkpoint_address(header.sequence) + kHeaderBytes,
                    header.length - kHeaderBytes,
                    {}};
    add(reading.crc, {reinterpret_cast<const std::byte*>(&header), kHeaderBytes});
    return reading;
  }
  // Reads the next spans. torn if the image has not so many bytes, storage_failed. One read.
  template <class Spans>
  heap::Status read(Reading& reading, const Spans& spans) {
    const std::uint32_t bytes = bytes_of(spans);
    if (bytes > reading.left_bytes) return heap::Error::torn;
    if (const heap::Status status = fill(reading.address, spans); !status.ok()) return status;
    add_all(reading.crc, spans);
    reading.address += bytes;
    reading.left_bytes -= bytes;
    return {};
  }
  // Reads the last spans and the OS part. torn if the image is not whole, storage_failed. One read.
  template <class Spans>
  heap::Status read_rest(Reading& reading, const SnapshotHeader& header, const Spans& spans,
                         heap::MutableBytes os) {
    heap::CheckpointTrailer trailer;
    const Rest<Spans> rest{spans, {os}, {{reinterpret_cast<std::byte*>(&trailer), sizeof trailer}}};
    if (bytes_of(rest) != reading.left_bytes) return heap::Error::torn;
    if (const heap::Status status = fill(reading.address, rest); !status.ok()) return status;
    add_all(reading.crc, spans);
    add(reading.crc, {os.data, os.size});
    const bool whole = trailer.sequence == header.sequence && trailer.checksum == reading.crc.value();
    return whole ? heap::Error::none : heap::Error::torn;
  }

 private:
  static constexpr std::uint32_t kHeaderBytes = sizeof(SnapshotHeader);

  static std::uint32_t header_checksum(const SnapshotHeader& header) {
    heap::Crc32c crc;
    crc.add(reinterpret_cast<const std::byte*>(&header), offsetof(SnapshotHeader, checksum));
    return crc.value();
  }
  void add(heap::Crc32c& crc, heap::ConstBytes bytes) {
    platform_.charge(heap::Work::checksum_byte, bytes.size);
    crc.add(bytes.data, bytes.size);
  }
  template <class Spans>
  void add_all(heap::Crc32c& crc, Spans spans) {
    for (heap::MutableBytes piece; spans.next(piece);) add(crc, {piece.data, piece.size});
  }
  template <class Spans>
  static std::uint32_t bytes_of(Spans spans) {
    std::uint32_t bytes = 0;
    for (heap::MutableBytes piece; spans.next(piece);) bytes += piece.size;
    return bytes;
  }

  // none: valid; empty: zeros; torn: damaged; foreign; wrong_version.
  heap::Error judge(const SnapshotHeader& header) {
    platform_.charge(heap::Work::checksum_byte, kHeaderBytes);
    const auto* bytes = reinterpret_cast<const std::byte*>(&header);
    std::uint32_t set = 0;
    for (std::uint32_t i = 0; i < kHeaderBytes; ++i) set |= static_cast<std::uint32_t>(bytes[i]);
    if (set == 0) return heap::Error::empty;
    if (header.checksum != header_checksum(header)) return heap::Error::torn;
    if (header.magic != SnapshotHeader::kMagic) return heap::Error::foreign;
    if (header.version != SnapshotHeader::kVersion) return heap::Error::wrong_version;
    return header.config == arena_.geometry().fingerprint() ? heap::Error::none : heap::Error::foreign;
  }

  // The image as a stream of pieces. The checksum is formed as they go out.
  template <class Spans>
  struct Outgoing {
    enum class Part : std::uint8_t { header, spans, trailer, end };

    Outgoing(Snapshot& owner, const Spans& all_spans, std::uint16_t pages, heap::ConstBytes os_part)
        : self(owner), spans(all_spans), os(os_part) {
      header.config = self.arena_.geometry().fingerprint();
      header.sequence = heap::next_sequence(self.arena_.control().sequence);
      header.length = kSnapshotFrameBytes + bytes_of(spans) + os.size;
      header.pages = pages;
      header.checksum = header_checksum(header);
      self.platform_.charge(heap::Work::checksum_byte, offsetof(SnapshotHeader, checksum));
      trailer.sequence = header.sequence;
    }

    static bool next(void* state, heap::ConstBytes& piece) {
      auto& image = *static_cast<Outgoing*>(state);
      if (!image.following(piece)) return false;
      if (image.part != Part::end) image.self.add(image.crc, piece);
      return true;
    }

    // The next piece; leaves `part` at what comes after it.
    bool following(heap::ConstBytes& piece) {
      heap::MutableBytes span;
      switch (part) {
        case Part::header:
          part = Part::spans;
          piece = {reinterpret_cast<const std::byte*>(&header), sizeof header};
          return true;
        case Part::spans:
          if (spans.next(span)) {
            piece = {span.data, span.size};
            return true;
          }
          part = Part::trailer;
          piece = os;
          if (os.size > 0) return true;
          [[fallthrough]];
        case Part::trailer:
          part = Part::end;
          trailer.checksum = crc.value();
          piece = {reinterpret_cast<const std::byte*>(&trailer), sizeof trailer};
          return true;
        case Part::end: return false;
      }
      return false;
    }

    Snapshot& self;
    Spans spans;
    heap::ConstBytes os;
    SnapshotHeader header;
    heap::CheckpointTrailer trailer;
    heap::Crc32c crc;
    Part part = Part::header;
  };

  // What an image ends with.
  template <class Spans>
  struct Rest {
    bool next(heap::MutableBytes& piece) {
      return spans.next(piece) || os.next(piece) || trailer.next(piece);
    }
    Spans spans;
    OneSpan os;
    OneSpan trailer;
  };

  // One transfer from the store into the spans.
  template <class Spans>
  heap::Status fill(std::uint32_t address, Spans spans) {
    const auto next = [](void* state, heap::MutableBytes& piece) {
      return static_cast<Spans*>(state)->next(piece);
    };
    const Spans all = spans;
    return heap::repeat_failed(storage_, platform_, [&] {
      spans = all;
      return storage_.begin_read(address, {next, &spans});
    });
  }

  heap::Arena arena_;
  S& storage_;
  P& platform_;
};

}  // namespace brownout::sim::firmware
