#include "sim/machine/scratch_board.hpp"

#include "sim/machine/machine.hpp"

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
      bus_(scenario.storage.bus.costs(scenario.storage.transfer), scenario.storage.sck_hz, chip_, *this),
      ready_at_(scenario.storage.part.power_up),
      firmware_(firmware::make_firmware(image_of(scenario, bytes_of(ram_words_, scenario.heap.ram_bytes),
                                                 bytes_of(os_words_, heap_config_of(scenario).os_bytes)),
                                        *this)) {}

ScratchBoard::~ScratchBoard() = default;

bool ScratchBoard::finds_image(const devices::FramChip& chip) {
  chip_.power_off();
  chip_.take_contents(chip);
  chip_.power_on({});
  bus_.reset();
  return firmware_->restore().ok() || firmware_->restore_older().ok();
}

}  // namespace brownout::sim
