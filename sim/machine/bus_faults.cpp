#include "sim/machine/bus_faults.hpp"

#include <bit>
#include <cassert>

#include "devices/fram/fram_part.hpp"

namespace brownout::sim {
namespace {

constexpr std::uint64_t kBits = 0x6269'7473'2066'6C70;
constexpr std::uint64_t kMissing = 0x6D69'7373'696E'6721;

}  // namespace

void NoticedFaults::add(heap::StorageEvent event) {
  switch (event) {
    case heap::StorageEvent::timed_out: ++timed_out; break;
    case heap::StorageEvent::written_differs: ++written_differs; break;
    case heap::StorageEvent::reads_differ: ++reads_differ; break;
    case heap::StorageEvent::identity_wrong: ++identity_wrong; break;
    case heap::StorageEvent::image_damaged: ++image_damaged; break;
    case heap::StorageEvent::repeated: ++repeated; break;
    case heap::StorageEvent::gave_up: ++gave_up; break;
  }
}

BusFaults::BusFaults(const BusFaultConfig& config, std::uint32_t part_bytes, std::uint64_t seed)
    : bits_(config.bit_error_rate, seed ^ kBits),
      missing_(config.missing_answer, seed ^ kMissing),
      never_flips_(config.bit_error_rate == 0),
      meant_(part_bytes) {
  assert(part_bytes == 0 || std::has_single_bit(part_bytes));
}

bool BusFaults::begin(std::span<const std::byte> command) {
  hit_ = false;
  flip_mask_ = 0;
  address_.reset();
  if (std::to_integer<std::uint8_t>(command[0]) == devices::fram_opcode::kWrite) {
    std::uint32_t address = 0;
    for (const std::byte byte : command.subspan(1)) {
      address = address << 8U | std::to_integer<std::uint32_t>(byte);
    }
    address_ = address;
  }
  const bool missing = missing_.next();
  if (missing) ++injected_.missing_answers;
  return missing;
}

std::uint8_t BusFaults::flipped(std::uint8_t byte, std::uint64_t& counter) {
  byte ^= flip_mask_;
  flip_mask_ = 0;
  ++counter;
  if (!hit_) ++injected_.transactions;
  hit_ = true;
  return byte;
}

// Most significant bit first.
std::uint8_t BusFaults::carry(std::uint8_t byte, std::uint64_t& counter) {
  std::uint64_t left = 8;
  while (bits_.ahead() < left) {
    left -= bits_.ahead() + 1;
    bits_.pass(bits_.ahead());
    bits_.take();
    byte = static_cast<std::uint8_t>(byte ^ 1U << left);
    ++counter;
    if (!hit_) ++injected_.transactions;
    hit_ = true;
  }
  bits_.pass(left);
  return byte;
}

std::uint64_t BusFaults::wrong_bytes(std::span<const std::uint8_t> memory) const {
  assert(memory.size() == meant_.size());
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < memory.size(); ++i) wrong += memory[i] != meant_[i] ? 1 : 0;
  return wrong;
}

}  // namespace brownout::sim
