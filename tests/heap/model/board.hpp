// The platform and the store of the model tests: fast, with outages and errors at chosen places.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "heap/storage/storage.hpp"
#include "heap/types.hpp"

#include "failure.hpp"

namespace brownout::heap::testing::model {

inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

// Counts the places where the persist interrupt can strike, and calls `interrupt` at those that were chosen.
class ModelPlatform {
 public:
  static constexpr std::uint32_t kMaxStrikes = 3;
  // An operation that goes on for longer than this never ends.
  static constexpr std::uint64_t kPatience = 20'000'000;

  std::function<void()> interrupt;

  void charge(Work, std::uint32_t) { place(); }
  void enter_critical() {
    place();
    ++depth_;
  }
  void exit_critical() {
    if (--depth_ == 0 && pending_) {
      pending_ = false;
      strike();
    }
  }
  [[nodiscard]] std::uint32_t power_epoch() {
    place();
    return epoch_;
  }
  void wait_since_power_on(std::uint32_t) {}

  // A point at which the interrupt may strike; inside a critical section it waits for its end.
  void place() {
    if (++places_ < next_event_) [[likely]]
      return;
    event();
  }
  // Whether the interrupt strikes at the place that comes next.
  [[nodiscard]] bool strikes_next() const { return places_ + 1 >= strike_at_ && depth_ == 0; }

  // A place inside a transfer comes next.
  void announce_poll() {
    if (polls_to_go_ == kNever || polls_to_go_-- > 0) return;
    polls_to_go_ = kNever;
    strike_at_ = next_event_ = places_ + 1;
  }

  // Strikes so many times: after gaps[0] places, then gaps[1] places after the end of that interrupt, ... Or
  // only places inside transfers count.
  void arm(std::uint32_t strikes, const std::array<std::uint16_t, kMaxStrikes>& gaps, bool in_transfers) {
    strikes_ = strikes;
    gaps_ = gaps;
    in_transfers_ = in_transfers;
    next_gap_ = 0;
    patience_ends_ = places_ + kPatience;
    choose_strike();
  }
  void disarm() { arm(0, {}, false); }

 private:
  void choose_strike() {
    const std::uint64_t gap = next_gap_ < strikes_ ? gaps_[next_gap_++] : kNever;
    polls_to_go_ = in_transfers_ ? gap : kNever;
    strike_at_ = in_transfers_ || gap == kNever ? kNever : places_ + 1 + gap;
    next_event_ = std::min(strike_at_, patience_ends_);
  }
  void event() {
    require(places_ < patience_ends_, "the operation does not end");
    if (pending_) return;
    if (depth_ > 0) {
      pending_ = true;
      next_event_ = patience_ends_;
    } else {
      strike();
    }
  }
  void strike() {
    strike_at_ = polls_to_go_ = kNever;
    next_event_ = patience_ends_;
    ++epoch_;
    interrupt();
    choose_strike();
  }

  std::uint64_t places_ = 0;
  std::uint64_t next_event_ = kNever;
  std::uint64_t strike_at_ = kNever;
  std::uint64_t polls_to_go_ = kNever;
  std::uint64_t patience_ends_ = kNever;
  bool in_transfers_ = false;
  std::uint32_t strikes_ = 0;
  std::uint32_t next_gap_ = 0;
  std::array<std::uint16_t, kMaxStrikes> gaps_ = {};
  std::uint32_t epoch_ = 1;
  std::uint32_t depth_ = 0;
  bool pending_ = false;
};

// What a transfer that is reported as failed did all the same.
enum class Damage : std::uint8_t { nothing, part, all };
// Parts of the store.
enum class Region : std::uint8_t { mark, checkpoints, records, table, units };
inline constexpr std::size_t kRegions = 5;
inline constexpr std::size_t kDamages = 3;

// A store that moves a whole piece with each poll. A strike of the interrupt leaves a part of a piece moved.
class ModelStore {
 public:
  ModelStore(ModelPlatform& platform, std::uint32_t size_bytes) : memory(size_bytes), platform_(platform) {}

  // An error at a call (begin or poll) from now on.
  struct Fault {
    std::uint64_t calls_before = kNever;
    Damage damage = Damage::nothing;
    std::optional<Region> region;  // only calls there count
  };
  // Where it came to be.
  struct Fired {
    bool fired = false;
    bool at_begin = false;
    Region region = Region::mark;
    Damage damage = Damage::nothing;
  };
  // Where each part begins; the first one at 0.
  using Map = std::array<std::uint32_t, kRegions>;

  std::vector<std::byte> memory;
  Map map = {};
  // A persist writes checkpoints only, and nobody else does.
  bool persisting = false;
  // Bytes that can still be written before the supply is gone.
  std::uint64_t power_left_bytes = kNever;
  // Of a piece that the interrupt cuts, in 256ths.
  std::uint32_t cut_share = 128;

  std::uint64_t written_bytes = 0;
  std::uint64_t reads = 0;
  std::array<std::uint64_t, kRegions> writes = {};

  void arm(const Fault& fault) {
    fault_ = fault;
    fired_ = {};
  }
  void disarm() { fault_ = {}; }
  // While the interrupt has errors of its own.
  struct Suspended {
    Fault fault;
    Fired fired;
  };
  [[nodiscard]] Suspended suspend() { return {std::exchange(fault_, {}), fired_}; }
  void resume(const Suspended& suspended) {
    fault_ = suspended.fault;
    fired_ = suspended.fired;
  }
  [[nodiscard]] const Fired& fired() const { return fired_; }

  [[nodiscard]] std::uint32_t size_bytes() const { return static_cast<std::uint32_t>(memory.size()); }
  static Status start() { return {}; }
  Status begin_write(std::uint32_t address, OutStream stream) {
    out_ = stream;
    ++writes[static_cast<std::size_t>(region_of(address))];
    return begin(address, State::writing);
  }
  Status begin_read(std::uint32_t address, InStream stream) {
    in_ = stream;
    ++reads;
    return begin(address, State::reading);
  }
  TransferState poll() {
    if (state_ == State::idle) return TransferState::none;
    if (fails(false)) {
      suffer_damage();
      return TransferState::failed;
    }
    const bool more = pull();
    std::uint32_t done = 0;
    platform_.announce_poll();
    if (platform_.strikes_next()) {
      done = static_cast<std::uint32_t>(std::uint64_t{size_} * cut_share / 256);
      move(done);
    }
    platform_.place();
    if (state_ == State::idle) return TransferState::none;
    move(size_ - done);
    if (more) return TransferState::busy;
    state_ = State::idle;
    return TransferState::done;
  }
  void abort() { state_ = State::idle; }

  [[nodiscard]] Region region_of(std::uint32_t address) const {
    std::size_t region = kRegions - 1;
    while (region > 0 && address < map[region]) --region;
    return static_cast<Region>(region);
  }

 private:
  enum class State : std::uint8_t { idle, writing, reading };

  Status begin(std::uint32_t address, State state) {
    state_ = state;
    address_ = address;
    size_ = 0;
    if (fails(true)) {
      suffer_damage();
      return Error::storage_failed;
    }
    return {};
  }
  bool fails(bool at_begin) {
    if (fault_.calls_before == kNever || fault_.region.value_or(region_of(address_)) != region_of(address_)) {
      return false;
    }
    if (fault_.calls_before-- != 0) return false;
    fired_ = {true, at_begin, region_of(address_), fault_.damage};
    fault_ = {};
    return true;
  }
  // What a failed transfer does before it is given up.
  void suffer_damage() {
    if (fired_.damage == Damage::part && pull()) {
      if (state_ == State::reading) std::memset(to_, 0xEE, size_);  // nobody may rely on what was there
      move(size_ / 2);
    }
    if (fired_.damage == Damage::all) {
      while (pull()) move(size_);
    }
    state_ = State::idle;
  }

  // The next piece; false at the end.
  bool pull() {
    if (state_ == State::writing) {
      ConstBytes piece;
      if (!out_.pull(piece)) return at_end();
      from_ = piece.data;
      size_ = piece.size;
    } else {
      MutableBytes piece;
      if (!in_.pull(piece)) return at_end();
      to_ = piece.data;
      size_ = piece.size;
    }
    return true;
  }
  bool at_end() {
    size_ = 0;
    return false;
  }
  void move(std::uint32_t size) {
    if (size == 0) return;
    require(address_ <= memory.size() && size <= memory.size() - address_, "a transfer beyond the store: ",
            size, " B at ", address_);
    if (state_ == State::reading) {
      std::memcpy(to_, memory.data() + address_, size);
      to_ += size;
    } else {
      const bool in_checkpoints = region_of(address_) == Region::checkpoints &&
                                  region_of(address_ + size - 1) == Region::checkpoints;
      require(in_checkpoints == persisting || erases_header(size) || !guarded(), "a write at the wrong place: ",
              size, " B at ", address_);
      const std::uint64_t powered = std::min<std::uint64_t>(size, power_left_bytes);
      std::memcpy(memory.data() + address_, from_, powered);
      if (power_left_bytes != kNever) power_left_bytes -= powered;
      from_ += size;
      written_bytes += size;
    }
    address_ += size;
  }
  // That of an image of a failed persist.
  [[nodiscard]] bool erases_header(std::uint32_t size) const {
    return !persisting && size <= 32 && std::all_of(from_, from_ + size, [](std::byte b) { return b == std::byte{0}; });
  }
  // format() writes everywhere.
  [[nodiscard]] bool guarded() const { return map[1] != 0; }

  ModelPlatform& platform_;
  Fault fault_;
  Fired fired_;
  OutStream out_;
  InStream in_;
  const std::byte* from_ = nullptr;
  std::byte* to_ = nullptr;
  std::uint32_t address_ = 0;
  std::uint32_t size_ = 0;
  State state_ = State::idle;
};

}  // namespace brownout::heap::testing::model
