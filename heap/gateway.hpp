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
  Status write_home(std::uint32_t address, ConstBytes bytes) { return write_bytes(address, bytes, false); }
  // The same for the content of an object, which a cut may tear: with the intent first, if the heap keeps
  // them.
  Status write_content(std::uint32_t address, ConstBytes bytes) {
    return write_bytes(address, bytes, arena_.geometry().config.write_intents);
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
  Status write_bytes(std::uint32_t address, ConstBytes bytes, bool with_intent) {
    WriteIntent intent;
    if (with_intent) intent = {address, bytes.size, ~address, ~bytes.size};
    SinglePiece<ConstBytes> piece(bytes);
    return write(address, intent, [&] {
      piece.rewind(bytes);
      return piece.stream();
    });
  }

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

  // Which step is next is decided in the same critical section in which its transfer begins, and noted in one
  // only if nothing struck meanwhile: an outage makes a new image, and its header and mark are not those that
  // the step was about. A step that was interrupted is never repeated, but decided anew.
  template <class MakeStream>
  Status write(std::uint32_t address, const WriteIntent& intent, MakeStream make_stream) {
    static constexpr std::byte kNothing[sizeof(CheckpointHeader)] = {};
    const Geometry& geometry = arena_.geometry();
    RunningMark mark;
    SinglePiece<ConstBytes> piece(ConstBytes{});
    bool erased = false;
    bool intent_is_due = intent.size_bytes > 0;
    for (Retries retries(storage_);;) {
      std::uint32_t epoch = 0;
      Step taken = Step::home;
      Status status;
      {
        CriticalSection<P> section(platform_);
        epoch = platform_.power_epoch();
        taken = step(erased, intent_is_due);
        const std::uint32_t sequence = sequence_to_mark();
        switch (taken) {
          case Step::erase:
            piece.rewind({kNothing, sizeof kNothing});
            status = storage_.begin_write(geometry.checkpoint_address(sequence), piece.stream());
            break;
          case Step::mark:
            mark = {sequence, ~sequence};
            piece.rewind({reinterpret_cast<const std::byte*>(&mark), sizeof mark});
            status = storage_.begin_write(geometry.mark_address(sequence), piece.stream());
            break;
          case Step::intent:
            piece.rewind({reinterpret_cast<const std::byte*>(&intent), sizeof intent});
            status = storage_.begin_write(geometry.intent_base, piece.stream());
            break;
          case Step::home: status = storage_.begin_write(address, make_stream()); break;
        }
      }
      if (status.ok()) status = finish_transfer(storage_);
      CriticalSection<P> section(platform_);
      if (platform_.power_epoch() != epoch) {
        erased = false;
        continue;
      }
      if (status.error() == Error::storage_failed && retries.again(platform_)) continue;
      if (!status.ok() || taken == Step::home) return status;
      if (taken == Step::erase) erased = true;
      if (taken == Step::intent) intent_is_due = false;
      if (taken == Step::mark)
        arena_.control().sequence = arena_.control().marked_sequence = sequence_to_mark();
    }
  }

  Arena arena_;
  S& storage_;
  P& platform_;
};

}  // namespace brownout::heap
