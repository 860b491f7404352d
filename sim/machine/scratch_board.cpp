#include "sim/machine/scratch_board.hpp"

#include "sim/machine/machine.hpp"
#include "sim/machine/words.hpp"

namespace brownout::sim {
namespace {

std::span<std::byte> bytes_of(std::vector<std::uint64_t>& words, std::size_t size) {
  return {reinterpret_cast<std::byte*>(words.data()), size};
}

}  // namespace

ScratchBoard::ScratchBoard(const Scenario& scenario)
    : ram_words_(scenario.heap.ram_bytes / 8 + 1),
      os_words_(heap_config_of(scenario).os_bytes / 8 + 1),
      chip_(scenario.storage.part),
      ready_at_(scenario.storage.part.power_up),
      firmware_(firmware::make_firmware(image_of(scenario, bytes_of(ram_words_, scenario.heap.ram_bytes),
                                                 bytes_of(os_words_, heap_config_of(scenario).os_bytes)),
                                        *this)) {
  const StorageConfig& storage = scenario.storage;
  if (!storage.part.is_mapped) {
    Timekeeper& clock = *this;
    bus_.emplace(storage.bus.costs(storage.transfer), storage.sck_hz, chip_, clock);
  }
}

ScratchBoard::~ScratchBoard() = default;

bool ScratchBoard::finds_image(const devices::FramChip& chip) {
  chip_.power_off();
  chip_.take_contents(chip);
  chip_.power_on({});
  if (bus_) bus_->reset();
  return firmware_->restore().ok() || firmware_->restore_older().ok();
}

void ScratchBoard::store(std::uint32_t address, heap::ConstBytes bytes) {
  for_each_word(address, bytes, [&](std::uint32_t at, heap::ConstBytes word) {
    chip_.store(at, {reinterpret_cast<const std::uint8_t*>(word.data), word.size});
  });
}

void ScratchBoard::load(std::uint32_t address, heap::MutableBytes bytes) {
  for_each_word(address, bytes, [&](std::uint32_t at, heap::MutableBytes word) {
    chip_.load(at, {reinterpret_cast<std::uint8_t*>(word.data), word.size});
  });
}

}  // namespace brownout::sim
