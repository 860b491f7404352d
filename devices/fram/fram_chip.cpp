#include "devices/fram/fram_chip.hpp"

#include <cassert>

namespace brownout::devices {
namespace {

constexpr std::uint8_t kWrsr = 0x01;
constexpr std::uint8_t kWrite = 0x02;
constexpr std::uint8_t kRead = 0x03;
constexpr std::uint8_t kWrdi = 0x04;
constexpr std::uint8_t kRdsr = 0x05;
constexpr std::uint8_t kWren = 0x06;
constexpr std::uint8_t kRdid = 0x9F;

constexpr std::uint8_t kWel = 0x02;
constexpr std::uint8_t kBlockProtect = 0x0C;
constexpr std::uint8_t kWritableStatus = 0x8C;  // WPEN, BP1, BP0
constexpr std::uint8_t kFloating = 0xFF;        // nobody drives the line

}  // namespace

FramChip::FramChip(const FramPart& part) : part_(part), memory_(part.size_bytes, 0) {
  assert(part.size_bytes > 0 && (part.size_bytes & (part.size_bytes - 1)) == 0);
  assert(part.address_bytes == 2 || part.address_bytes == 3);
}

void FramChip::power_on(Picoseconds now) {
  assert(!powered_);
  powered_ = true;
  ready_at_ = now + part_.power_up;
  status_ &= static_cast<std::uint8_t>(~kWel);
  state_ = State::idle;
}

void FramChip::power_off() {
  powered_ = false;
  state_ = State::idle;
}

void FramChip::select(Picoseconds now) {
  assert(state_ == State::idle);
  if (!powered_) return;
  if (now < ready_at_) {
    ++violations_.access_before_ready;
    state_ = State::ignore;
    return;
  }
  state_ = State::opcode;
  opcode_ = 0;
}

std::uint8_t FramChip::clock_byte(std::uint8_t in) {
  switch (state_) {
    case State::idle:
    case State::ignore: return kFloating;
    case State::opcode: return begin(in);
    case State::address: accept_address(in); return kFloating;
    case State::read: {
      const std::uint8_t out = memory_[address_];
      address_ = (address_ + 1) & (part_.size_bytes - 1);
      return out;
    }
    case State::write:
      if (!is_protected(address_)) memory_[address_] = in;
      address_ = (address_ + 1) & (part_.size_bytes - 1);
      return kFloating;
    case State::read_status: return status_;
    case State::write_status:
      status_ = static_cast<std::uint8_t>((status_ & ~kWritableStatus) | (in & kWritableStatus));
      return kFloating;
    case State::identify: return part_.rdid[identity_index_++ % part_.rdid.size()];
  }
  return kFloating;
}

std::uint8_t FramChip::begin(std::uint8_t opcode) {
  opcode_ = opcode;
  switch (opcode) {
    case kRead: state_ = State::address; break;
    case kWrite:
    case kWrsr:
      if ((status_ & kWel) == 0) {
        ++violations_.write_without_wel;
        state_ = State::ignore;
      } else {
        state_ = opcode == kWrite ? State::address : State::write_status;
      }
      break;
    case kWren:
    case kWrdi: state_ = State::ignore; break;  // they act at the rise of CS
    case kRdsr: state_ = State::read_status; break;
    case kRdid:
      state_ = State::identify;
      identity_index_ = 0;
      break;
    default:
      ++violations_.unknown_opcode;
      state_ = State::ignore;
      opcode_ = 0;
  }
  address_ = 0;
  address_bytes_left_ = part_.address_bytes;
  return kFloating;
}

void FramChip::accept_address(std::uint8_t in) {
  address_ = (address_ << 8U) | in;
  if (--address_bytes_left_ > 0) return;
  address_ &= part_.size_bytes - 1;
  state_ = opcode_ == kRead ? State::read : State::write;
}

void FramChip::deselect() {
  if (state_ == State::idle) return;
  const bool had_opcode = state_ != State::opcode;
  state_ = State::idle;
  if (!had_opcode) return;
  const bool clears =
      opcode_ == kWrdi || opcode_ == kWrsr || (opcode_ == kWrite && part_.wel_cleared_by_write);
  if (opcode_ == kWren) status_ |= kWel;
  if (clears) status_ &= static_cast<std::uint8_t>(~kWel);
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
