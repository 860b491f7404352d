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

  // Writes bytes to a place outside the checkpoints, confirmed. storage_failed: nobody knows how far it got.
  Status write_home(std::uint32_t address, ConstBytes bytes) {
    SinglePiece<ConstBytes> piece(bytes);
    return write(address, [&] {
      piece.rewind(bytes);
      return piece.stream();
    });
  }
  // The same with zeros, in one transfer.
  Status zero_home(std::uint32_t address, std::uint32_t size_bytes) {
    Zeros zeros(size_bytes);
    return write(address, [&] {
      zeros.rewind(size_bytes);
      return zeros.stream();
    });
  }

  Status read_home(std::uint32_t address, MutableBytes bytes) {
    return read_confirmed(storage_, platform_, address, bytes);
  }

  // The sequence that the store says the program runs on from; 0 if there is no valid mark.
  Result<std::uint32_t> read_mark() {
    RunningMark mark;
    const Status status = read_home(0, {reinterpret_cast<std::byte*>(&mark), sizeof mark});
    if (!status.ok()) return status.error();
    std::uint32_t sequence = mark.complement == ~mark.sequence ? mark.sequence : 0U;
    return sequence;
  }

 private:
  // The first write after a checkpoint first writes the mark "running since sequence k": from then on that
  // checkpoint is stale, because the store no longer is what it was. Whether the mark is needed is decided
  // in the same critical section in which the write begins, so no outage can slip in between.
  template <class MakeStream>
  Status write(std::uint32_t address, MakeStream make_stream) {
    for (;;) {
      std::uint32_t epoch = 0;
      bool marked = false;
      Status status;
      {
        CriticalSection<P> section(platform_);
        epoch = platform_.power_epoch();
        marked = is_marked();
        if (marked) status = storage_.begin_write(address, make_stream());
      }
      if (marked) {
        if (status.ok()) status = finish_transfer(storage_);
        if (platform_.power_epoch() == epoch) return status;
      } else {
        status = write_mark();
        if (!status.ok()) return status;
      }
    }
  }

  // Without a checkpoint both are 0.
  [[nodiscard]] bool is_marked() const {
    return arena_.control().marked_sequence == arena_.control().sequence;
  }
  Status write_mark() {
    const std::uint32_t epoch = platform_.power_epoch();
    const std::uint32_t sequence = arena_.control().sequence;
    if (arena_.control().marked_sequence == next_sequence(sequence)) {
      if (const Status status = erase_image(next_sequence(sequence)); !status.ok()) return status;
    }
    const RunningMark mark{sequence, ~sequence};
    if (sequence != 0) {
      const Status status =
          write_confirmed(storage_, platform_, 0, {reinterpret_cast<const std::byte*>(&mark), sizeof mark});
      if (!status.ok()) return status;
    }
    // If the persist interrupt struck meanwhile, is_marked() goes on to say no.
    const CriticalSection<P> section(platform_);
    if (platform_.power_epoch() == epoch) arena_.control().marked_sequence = sequence;
    return {};
  }
  // Of a persist that failed: no boot may find it once the store is no longer what it was. First its header,
  // then the mark, which a part of would be none.
  Status erase_image(std::uint32_t sequence) {
    static constexpr std::byte kNothing[sizeof(CheckpointHeader)] = {};
    return write_confirmed(storage_, platform_, arena_.geometry().checkpoint_address(sequence),
                           {kNothing, sizeof kNothing});
  }

  Arena arena_;
  S& storage_;
  P& platform_;
};

}  // namespace brownout::heap
