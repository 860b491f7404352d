// A board beside the simulated one, on which boot code looks at a store and changes nothing of it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "devices/fram/fram_chip.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/machine/spi_controller.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// The firmware's own boot code, in RAM of its own, on a copy of the chip, in no time.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and nobody holds it by its bases
class ScratchBoard final : private firmware::Port, private Timekeeper {
 public:
  explicit ScratchBoard(const Scenario& scenario);
  ~ScratchBoard();
  ScratchBoard(const ScratchBoard&) = delete;
  ScratchBoard& operator=(const ScratchBoard&) = delete;

  // Whether the chip has a checkpoint that is whole and current: the newest, or the one before it.
  bool finds_image(const devices::FramChip& chip);

 private:
  void charge(heap::Work, std::uint32_t) override {}
  void enter_critical() override {}
  void exit_critical() override {}
  std::uint32_t power_epoch() override { return 0; }
  void wait_since_power_on(std::uint32_t) override {}
  void unmask_persist() override {}
  void begin_send(heap::ConstBytes command, heap::OutStream data) override {
    bus_->begin_send(command, data);
  }
  void begin_receive(heap::ConstBytes command, heap::InStream data) override {
    bus_->begin_receive(command, data);
  }
  heap::TransferState poll_bus() override { return bus_->poll(); }
  void abort_bus() override { bus_->abort(); }
  void store(std::uint32_t address, heap::ConstBytes bytes) override;
  void load(std::uint32_t address, heap::MutableBytes bytes) override;
  void copy_over(bool) override {}
  void phase(std::uint64_t, std::uint64_t, bool) override {}
  void object_made(std::uint32_t, std::uint32_t, std::uint32_t) override {}
  void object_changed(std::uint32_t, std::uint32_t, heap::ConstBytes) override {}
  void object_read(std::uint32_t, heap::ConstBytes) override {}
  void object_freed(std::uint32_t) override {}
  void object_in_doubt(std::uint32_t) override {}
  void attached(bool) override {}
  void object_kept(std::uint32_t, std::uint32_t) override {}
  void objects_reclaimed(std::uint32_t) override {}
  void operation_done() override {}
  void give_up(heap::Error, const char*) override {}

  void pass(Picoseconds, BusTime) override {}
  void storage_selected(bool) override {}
  [[nodiscard]] Picoseconds now() const override { return ready_at_; }

  std::vector<std::uint64_t> ram_words_;
  std::vector<std::uint64_t> os_words_;
  devices::FramChip chip_;
  std::optional<SpiController> bus_;  // none of a mapped part
  Picoseconds ready_at_;
  std::unique_ptr<firmware::Firmware> firmware_;
};

}  // namespace brownout::sim
