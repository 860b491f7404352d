#include "devices/fram/fram_chip.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>

namespace brownout::devices {
namespace {

constexpr std::uint8_t kWel = 0x02;
constexpr std::uint8_t kBlockProtect = 0x0C;
constexpr std::uint8_t kWpen = 0x80;
constexpr std::uint8_t kWritableStatus = 0x8C;  // WPEN, BP1, BP0
constexpr std::uint8_t kFloating = 0xFF;        // nobody drives the line

}  // namespace

FramChip::FramChip(const FramPart& part, const FramFaults& faults)
    : part_(part),
      faults_(faults),
      random_(faults.seed),
      address_mask_(part.size_bytes - 1),
      row_shift_(static_cast<std::uint32_t>(std::countr_zero(part.row_bytes.value))),
      reads_wear_(part.reads_wear),
      memory_(part.size_bytes, 0),
      accesses_(part.size_bytes / part.row_bytes, 0) {
  assert(std::has_single_bit(part.size_bytes.value) && std::has_single_bit(part.row_bytes.value));
  assert(part.row_bytes <= part.size_bytes);
  assert(part.is_mapped || part.address_bytes == 2 || part.address_bytes == 3);
}

void FramChip::power_on(Picoseconds now) {
  assert(!powered_);
  powered_ = true;
  ready_at_ = now + part_.power_up;
  status_ &= static_cast<std::uint8_t>(~kWel);
  state_ = State::idle;
  row_ = kNoRow;
}

void FramChip::power_off() {
  if (powered_ && in_flight_) damage_in_flight();
  if (powered_ && word_bytes_ > 0) damage_word();
  word_bytes_ = 0;
  powered_ = false;
  asleep_ = false;
  in_flight_ = false;
  below_min_vdd_ = false;
  state_ = State::idle;
}

void FramChip::supply(double vdd_v) {
  below_min_vdd_ = faults_.power_loss == FramFault::garbage_below_min_vdd && vdd_v < part_.min_vdd_v;
}

void FramChip::select(Picoseconds now) {
  assert(!part_.is_mapped && "it has no pins");
  assert(state_ == State::idle);
  if (!powered_) return;
  row_ = kNoRow;
  opcode_ = 0;
  state_ = State::ignore;
  if (asleep_) {
    asleep_ = false;
    ready_at_ = std::max(now, asleep_at_) + part_.wake;
  } else if (now < ready_at_) {
    ++violations_.access_before_ready;
  } else {
    state_ = State::opcode;
  }
}

std::uint8_t FramChip::clock_byte(std::uint8_t in) {
  switch (state_) {
    case State::idle:
    case State::ignore: return kFloating;
    case State::opcode: return begin(in);
    case State::address: accept_address(in); return kFloating;
    case State::dummy: state_ = State::read; return kFloating;
    case State::read: {
      if (reads_wear_) wear_row();
      const std::uint8_t out = memory_[address_];
      advance();
      return out;
    }
    case State::write: write(in); return kFloating;
    case State::read_status: return status_;
    case State::write_status: write_status(in); return kFloating;
    case State::identify: return identify();
  }
  return kFloating;
}

void FramChip::clock_bytes_in(std::span<const std::uint8_t> in) {
  while (!in.empty()) {
    const bool plain = state_ == State::write && !below_min_vdd_ && (status_ & kBlockProtect) == 0;
    if (!plain) {
      clock_byte(in.front());
      in = in.subspan(1);
      continue;
    }
    const std::uint32_t size = before_roll_over(in.size());
    wear_rows(size);
    if (overwritten_ != nullptr) overwritten_->note(address_, {memory_.data() + address_, size});
    std::copy_n(in.begin(), size, memory_.begin() + address_);
    address_ = (address_ + size) & address_mask_;
    in = in.subspan(size);
  }
}

void FramChip::clock_bytes_out(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    if (state_ != State::read) {
      out.front() = clock_byte(0);
      out = out.subspan(1);
      continue;
    }
    const std::uint32_t size = before_roll_over(out.size());
    if (reads_wear_) wear_rows(size);
    std::copy_n(memory_.begin() + address_, size, out.begin());
    address_ = (address_ + size) & address_mask_;
    out = out.subspan(size);
  }
}

std::uint32_t FramChip::before_roll_over(std::size_t size_bytes) const {
  return static_cast<std::uint32_t>(std::min<std::size_t>(size_bytes, memory_.size() - address_));
}

// As wear_row() at each of so many bytes from the address on.
void FramChip::wear_rows(std::uint32_t size_bytes) {
  if (!counts_wear_) return;
  const std::uint32_t first = address_ >> row_shift_;
  const std::uint32_t last = (address_ + size_bytes - 1) >> row_shift_;
  for (std::uint32_t row = first == row_ ? first + 1 : first; row <= last; ++row) {
    accesses_[row] += accesses_[row] < std::numeric_limits<std::uint32_t>::max() ? 1U : 0U;
  }
  row_ = last;
}

void FramChip::cut_byte() { in_flight_ = state_ == State::read || state_ == State::write; }

std::uint8_t FramChip::begin(std::uint8_t opcode) {
  opcode_ = opcode;
  address_ = 0;
  address_bytes_left_ = part_.address_bytes;
  identity_index_ = 0;
  switch (opcode) {
    case fram_opcode::kRead: state_ = State::address; break;
    case fram_opcode::kFstrd: begin_if(part_.fast_read, State::address); break;
    case fram_opcode::kWrite:
    case fram_opcode::kWrsr: begin_write(opcode); break;
    case fram_opcode::kWren:
    case fram_opcode::kWrdi: state_ = State::ignore; break;  // they act at the rise of CS, as SLEEP does
    case fram_opcode::kSleep: begin_if(part_.has_sleep, State::ignore); break;
    case fram_opcode::kRdsr: state_ = State::read_status; break;
    case fram_opcode::kRdid: begin_if(part_.rdid.value.size > 0, State::identify); break;
    default: begin_if(false, State::ignore);
  }
  return kFloating;
}

void FramChip::begin_write(std::uint8_t opcode) {
  if ((status_ & kWel) != 0) {
    state_ = opcode == fram_opcode::kWrite ? State::address : State::write_status;
    return;
  }
  ++violations_.write_without_wel;
  state_ = State::ignore;
}

void FramChip::begin_if(bool known, State state) {
  state_ = known ? state : State::ignore;
  if (known) return;
  ++violations_.unknown_opcode;
  opcode_ = 0;
}

void FramChip::accept_address(std::uint8_t in) {
  address_ = (address_ << 8U) | in;
  if (--address_bytes_left_ > 0) return;
  address_ &= address_mask_;
  if (opcode_ == fram_opcode::kWrite) {
    state_ = State::write;
  } else {
    state_ = opcode_ == fram_opcode::kFstrd ? State::dummy : State::read;
  }
}

void FramChip::write(std::uint8_t in) {
  if (is_protected(address_)) {
    ++violations_.write_protected;
  } else {
    wear_row();
    if (overwritten_ != nullptr) overwritten_->note(address_, {memory_.data() + address_, 1});
    memory_[address_] = below_min_vdd_ ? garbage() : in;
  }
  advance();
}

void FramChip::write_status(std::uint8_t in) {
  if (write_protect_low_ && (status_ & kWpen) != 0) {
    ++violations_.write_protected;
    state_ = State::ignore;
    return;
  }
  status_ = static_cast<std::uint8_t>((status_ & ~kWritableStatus) | (in & kWritableStatus));
}

std::uint8_t FramChip::identify() {
  const FramIdentity& identity = part_.rdid.value;
  return identity.bytes[identity_index_++ % identity.size];
}

void FramChip::deselect(Picoseconds now) {
  in_flight_ = false;
  if (state_ == State::idle) return;
  const bool had_opcode = state_ != State::opcode;
  state_ = State::idle;
  if (!had_opcode) return;
  const bool clears = opcode_ == fram_opcode::kWrdi || opcode_ == fram_opcode::kWrsr ||
                      (opcode_ == fram_opcode::kWrite && part_.wel_cleared_by_write);
  if (opcode_ == fram_opcode::kWren) status_ |= kWel;
  if (clears) status_ &= static_cast<std::uint8_t>(~kWel);
  if (opcode_ == fram_opcode::kSleep) {
    asleep_ = true;
    asleep_at_ = now + part_.sleep_entry;
  }
}

void FramChip::begin_store(std::uint32_t address, std::uint32_t size_bytes) {
  assert(is_word(address, size_bytes));
  address_ = address;
  word_bytes_ = size_bytes;
}

// The row is written anew for each word.
void FramChip::store(std::uint32_t address, std::span<const std::uint8_t> word) {
  assert(is_word(address, word.size()));
  word_bytes_ = 0;
  if (!powered_) return;
  address_ = address;
  row_ = kNoRow;
  wear_row();
  row_ = kNoRow;
  if (overwritten_ != nullptr) overwritten_->note(address, {memory_.data() + address, word.size()});
  for (const std::uint8_t byte : word) memory_[address++] = below_min_vdd_ ? garbage() : byte;
}

// A row that was read last is still in the controller's cache.
void FramChip::load(std::uint32_t address, std::span<std::uint8_t> word) {
  assert(is_word(address, word.size()));
  address_ = address;
  if (powered_ && reads_wear_) wear_row();
  for (std::uint8_t& byte : word) byte = powered_ ? memory_[address++] : kFloating;
}

bool FramChip::is_word(std::uint32_t address, std::size_t size_bytes) const {
  const std::uint64_t end = std::uint64_t{address} + size_bytes;
  return part_.is_mapped && (size_bytes == 1 || (size_bytes == 2 && address % 2 == 0)) &&
         end <= part_.size_bytes;
}

void FramChip::take_contents(const FramChip& other) {
  assert(memory_.size() == other.memory_.size());
  std::copy(other.memory_.begin(), other.memory_.end(), memory_.begin());
  status_ = other.status_;
}

FramChip::Registers FramChip::registers() const {
  return {ready_at_,
          asleep_at_,
          address_,
          address_bytes_left_,
          identity_index_,
          row_,
          static_cast<std::uint8_t>(state_),
          opcode_,
          status_,
          powered_,
          asleep_,
          in_flight_,
          below_min_vdd_,
          write_protect_low_,
          word_bytes_};
}

void FramChip::put_back(const Registers& registers) {
  ready_at_ = registers.ready_at;
  asleep_at_ = registers.asleep_at;
  address_ = registers.address;
  address_bytes_left_ = registers.address_bytes_left;
  identity_index_ = registers.identity_index;
  row_ = registers.row;
  state_ = static_cast<State>(registers.state);
  opcode_ = registers.opcode;
  status_ = registers.status;
  powered_ = registers.powered;
  asleep_ = registers.asleep;
  in_flight_ = registers.in_flight;
  below_min_vdd_ = registers.below_min_vdd;
  write_protect_low_ = registers.write_protect_low;
  word_bytes_ = registers.word_bytes;
}

void FramChip::undo(FramOverwritten& notes) {
  std::size_t end = notes.bytes().size();
  for (auto span = notes.spans().rbegin(); span != notes.spans().rend(); ++span) {
    end -= span->size_bytes;
    std::copy_n(notes.bytes().begin() + static_cast<std::ptrdiff_t>(end), span->size_bytes,
                memory_.begin() + span->address);
  }
  notes.clear();
}

void FramOverwritten::note(std::uint32_t address, std::span<const std::uint8_t> before) {
  const auto size = static_cast<std::uint32_t>(before.size());
  if (!spans_.empty() && spans_.back().address + spans_.back().size_bytes == address) {
    spans_.back().size_bytes += size;
  } else {
    spans_.push_back({address, size});
  }
  bytes_.insert(bytes_.end(), before.begin(), before.end());
}

void FramOverwritten::clear() {
  spans_.clear();
  bytes_.clear();
}

FramWear FramChip::hottest_row() const {
  const auto hottest = std::max_element(accesses_.begin(), accesses_.end());
  return {static_cast<std::uint32_t>(hottest - accesses_.begin()) << row_shift_, *hottest};
}

// Once for each row that a transaction comes to.
void FramChip::wear_row() {
  if (!counts_wear_) return;
  const std::uint32_t row = address_ >> row_shift_;
  if (row == row_) return;
  row_ = row;
  std::uint32_t& accesses = accesses_[row];
  if (accesses < std::numeric_limits<std::uint32_t>::max()) ++accesses;
}

void FramChip::damage_in_flight() {
  ++damage_.bytes_cut;
  const bool writing = state_ == State::write && !is_protected(address_);
  const bool garbled = faults_.power_loss == FramFault::garbage_in_flight || below_min_vdd_;
  if (writing && garbled) {
    if (overwritten_ != nullptr) overwritten_->note(address_, {memory_.data() + address_, 1});
    memory_[address_] = garbage();
  }
  if (state_ == State::read && faults_.power_loss == FramFault::row_lost) {
    const std::uint32_t first = address_ >> row_shift_ << row_shift_;
    if (overwritten_ != nullptr) overwritten_->note(first, {memory_.data() + first, part_.row_bytes});
    for (std::uint32_t i = 0; i < part_.row_bytes; ++i) memory_[first + i] = garbage();
    ++damage_.rows_lost;
  }
}

// The access at hand is ended even so; what it writes is garbage below the lowest supply.
void FramChip::damage_word() {
  damage_.bytes_cut += word_bytes_;
  if (!below_min_vdd_) return;
  if (overwritten_ != nullptr) overwritten_->note(address_, {memory_.data() + address_, word_bytes_});
  for (std::uint32_t i = 0; i < word_bytes_; ++i) memory_[address_ + i] = garbage();
}

std::uint8_t FramChip::garbage() {
  ++damage_.garbage_bytes;
  return static_cast<std::uint8_t>(random_.next() >> 56U);
}

bool FramChip::is_protected(std::uint32_t address) const {
  switch ((status_ & kBlockProtect) >> 2U) {
    case 1: return address >= part_.size_bytes / 4 * 3;
    case 2: return address >= part_.size_bytes / 2;
    case 3: return true;
    default: return false;
  }
}

}  // namespace brownout::devices
