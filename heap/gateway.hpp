// The one way from the heap to the store outside the checkpoints. It keeps the running mark.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/platform.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// So many zeros, as a stream.
class Zeros {
 public:
  explicit Zeros(std::uint32_t size_bytes) : left_(size_bytes) {}
  void rewind(std::uint32_t size_bytes) { left_ = size_bytes; }
  OutStream stream() { return {&Zeros::next, this}; }

 private:
  static bool next(void* state, ConstBytes& piece) {
    static constexpr std::byte kZeros[32] = {};
    auto* self = static_cast<Zeros*>(state);
    piece = {kZeros, self->left_ < sizeof kZeros ? self->left_ : static_cast<std::uint32_t>(sizeof kZeros)};
    self->left_ -= piece.size;
    return piece.size > 0;
  }
  std::uint32_t left_;
};

template <Platform P, Storage S>
class Gateway {
 public:
  Gateway(Arena arena, S& storage, P& platform) : arena_(arena), storage_(storage), platform_(platform) {}

  // Writes bytes to a place outside the checkpoints, confirmed. storage_failed, once the store's retries are
  // used up: nobody knows how far it got.
  Status write_home(std::uint32_t address, ConstBytes bytes) {
    return write_content(address, bytes, WriteIntent{});
  }
  // The same for the content of an object, which a cut may tear: with that intent first, if it has a size.
  Status write_content(std::uint32_t address, ConstBytes bytes, const WriteIntent& intent) {
    SinglePiece<ConstBytes> piece(bytes);
    return write(address, intent, [&] {
      piece.rewind(bytes);
      return piece.stream();
    });
  }
  // Writes what an image says, which stays current by that: no mark.
  Status redo_home(std::uint32_t address, ConstBytes bytes) {
    return write_confirmed(storage_, platform_, address, bytes);
  }
  // The same with zeros, in one transfer.
  Status zero_home(std::uint32_t address, std::uint32_t size_bytes) {
    Zeros zeros(size_bytes);
    return write(address, WriteIntent{}, [&] {
      zeros.rewind(size_bytes);
      return zeros.stream();
    });
  }

  Status read_home(std::uint32_t address, MutableBytes bytes) {
    return read_confirmed(storage_, platform_, address, bytes);
  }
  // The same; no power failure struck in that epoch until the read was complete.
  Status read_home(std::uint32_t address, MutableBytes bytes, std::uint32_t& epoch) {
    return read_confirmed(storage_, platform_, address, bytes, epoch);
  }

  // The sequence that the store says the program runs on from; 0 if there is no valid mark.
  Result<std::uint32_t> read_mark() {
    RunningMarks marks;
    const Status status =
        read_home(arena_.geometry().marks_address(), {reinterpret_cast<std::byte*>(&marks), sizeof marks});
    if (!status.ok()) return status.error();
    return marks.sequence();
  }

 private:
  // What has to be in the store before the write that is wanted.
  enum class Step : std::uint8_t {
    erase,   // the header of an image whose persist failed: once the store is no longer what it was, no boot
             // may find it. Before the mark, a part of which would be none.
    mark,    // "running since sequence k": from then on that checkpoint is stale
    intent,  // of what follows
    home,
  };

  // Without a checkpoint both sequences are 0.
  [[nodiscard]] Step step(bool erased, bool intent_is_due) const {
    const Control& control = arena_.control();
    if (control.marked_sequence == control.sequence) return intent_is_due ? Step::intent : Step::home;
    return control.has_disowned() && !erased ? Step::erase : Step::mark;
  }
  // "Since" an image that failed, if there is one: that makes it stale like all before it.
  [[nodiscard]] std::uint32_t sequence_to_mark() const {
    const Control& control = arena_.control();
    return control.has_disowned() ? control.marked_sequence : control.sequence;
  }

  // A step is decided on and made ready outside a critical section, so that it is short. In it the transfer
  // begins, if nothing has struck since: an outage makes a new image, and its header and mark are not those
  // that the step was about. A step that was interrupted is never repeated, but decided anew.
  template <class MakeStream>
  Status write(std::uint32_t address, const WriteIntent& intent, MakeStream make_stream) {
    static constexpr std::byte kNothing[sizeof(CheckpointHeader)] = {};
    const Geometry& geometry = arena_.geometry();
    RunningMark mark;
    SinglePiece<ConstBytes> piece(ConstBytes{});
    bool erased = false;
    bool intent_is_due = intent.size_bytes > 0;
    std::uint32_t epoch = platform_.power_epoch();
    for (Retries retries(storage_);;) {
      const Step taken = step(erased, intent_is_due);
      const std::uint32_t sequence = sequence_to_mark();
      std::uint32_t to = address;
      OutStream stream;
      switch (taken) {
        case Step::erase:
          piece.rewind({kNothing, sizeof kNothing});
          to = geometry.checkpoint_address(sequence);
          break;
        case Step::mark:
          mark = {sequence, ~sequence};
          piece.rewind({reinterpret_cast<const std::byte*>(&mark), sizeof mark});
          to = geometry.mark_address(sequence);
          break;
        case Step::intent:
          piece.rewind({reinterpret_cast<const std::byte*>(&intent), sizeof intent});
          to = geometry.intent_base;
          break;
        case Step::home: stream = make_stream(); break;
      }
      if (taken != Step::home) stream = piece.stream();
      Status status = begin_undisturbed(epoch, to, stream);
      if (status.ok()) status = finish_transfer(storage_);
      if (taken == Step::mark && status.ok()) note_mark(epoch, sequence);
      if (platform_.power_epoch() != epoch) {
        erased = false;
        epoch = platform_.power_epoch();
        continue;
      }
      if (status.error() == Error::storage_failed && retries.again(platform_)) continue;
      if (!status.ok() || taken == Step::home) return status;
      if (taken == Step::erase) erased = true;
      if (taken == Step::intent) intent_is_due = false;
    }
  }

  // storage_failed if the persist interrupt has run since that epoch: nothing is begun.
  Status begin_undisturbed(std::uint32_t epoch, std::uint32_t address, OutStream stream) {
    const Status status = storage_.begin_write(address, stream);
    if (platform_.power_epoch() == epoch) return status;
    storage_.abort();
    return Error::storage_failed;
  }
  // The mark is in the store, unless the interrupt has run: then it is that of another image.
  void note_mark(std::uint32_t epoch, std::uint32_t sequence) {
    CriticalSection<P> section(platform_);
    if (platform_.power_epoch() != epoch) return;
    arena_.control().sequence = arena_.control().marked_sequence = sequence;
  }

  Arena arena_;
  S& storage_;
  P& platform_;
};

}  // namespace brownout::heap
