// A board without time whose memory is compared at every access that its program announces.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/fram/fram_chip.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/hooks/access_hooks.hpp"
#include "sim/machine/fiber.hpp"
#include "sim/machine/spi_controller.hpp"

namespace brownout::sim::testing {

struct Accesses {
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t in_ram = 0;    // of both
  std::uint64_t foreign = 0;   // announced by code that is not the firmware's
  std::uint64_t too_long = 0;  // over 8 bytes, or none
  std::uint64_t changed_bytes = 0;
  std::uint64_t digest = 0;  // of kinds and sizes in their order; of places as far as they are in RAM

  [[nodiscard]] std::uint64_t all() const { return reads + writes; }
  friend bool operator==(const Accesses&, const Accesses&) = default;
};

// Whether code is in the firmware's one object; always, where that is not known.
bool is_of_firmware(const void* code);

// Runs a workload for so many operations, with a persist, garbage all over RAM and a restore in the middle.
// What changes in the heap's RAM or in the memory of heap and driver must be what the last access announced,
// or what a transfer in flight delivers. Only where no interrupt can strike may a structure be copied at
// once. NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and nobody holds it by its bases
class WatchedBoard final : private firmware::Port, private Timekeeper, private AccessListener {
 public:
  explicit WatchedBoard(const firmware::MemoryOptions& memory, const firmware::WorkloadOptions& workload);
  ~WatchedBoard();
  WatchedBoard(const WatchedBoard&) = delete;
  WatchedBoard& operator=(const WatchedBoard&) = delete;

  // Once.
  void run(std::uint64_t operations);
  // The same with nobody listening.
  void run_unheard(std::uint64_t operations);

  // Changes a byte of RAM that nobody announces, in that operation.
  void plant_at(std::uint64_t operation) { planted_ = operation; }
  // So many times, each after this many accesses, the stack is abandoned inside an access and the program
  // starts anew.
  static constexpr std::uint64_t kAccessesPerCut = 5'000;
  void cut(std::uint32_t times) { cuts_ = times; }

  [[nodiscard]] const Accesses& accesses() const { return accesses_; }
  // What went wrong first: a change that was not announced, a workload that gave up.
  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

 private:
  void access(const void* address, std::uint32_t size_bytes, bool writes, const void* code) override;

  void charge(heap::Work, std::uint32_t) override {}
  void enter_critical() override;
  void exit_critical() override;
  std::uint32_t power_epoch() override { return epoch_; }
  void wait_since_power_on(std::uint32_t) override {}
  void unmask_persist() override;
  void begin_send(heap::ConstBytes command, heap::OutStream data) override;
  void begin_receive(heap::ConstBytes command, heap::InStream data) override;
  heap::TransferState poll_bus() override;
  void abort_bus() override { bus_.abort(); }
  // Its part is on the bus.
  void store(std::uint32_t, heap::ConstBytes) override {}
  void load(std::uint32_t, heap::MutableBytes) override {}
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
  void operation_done() override;
  void give_up(heap::Error error, const char* doing) override;

  void pass(Picoseconds, BusTime) override {}
  void storage_selected(bool) override {}
  [[nodiscard]] Picoseconds now() const override { return ready_at_; }

  // A piece of memory that is watched, and what it held when it was last looked at.
  struct Watched {
    std::span<std::byte> bytes;
    std::vector<std::byte> before;
  };

  bool start(std::uint64_t operations);
  void outage();
  void lose_memory();
  void compare();
  void look();
  [[nodiscard]] bool interruptible() const { return !booting_ && !persisting_ && critical_depth_ == 0; }
  [[nodiscard]] bool announced(const std::byte* byte) const;
  static bool receive(void* self, heap::MutableBytes& piece);

  std::vector<std::uint64_t> ram_words_;
  std::vector<std::uint64_t> os_words_;
  std::span<std::byte> ram_;
  std::span<std::byte> os_part_;
  devices::FramChip chip_;
  SpiController bus_;
  Picoseconds ready_at_;
  FiberStack stack_;
  Fibers fibers_;
  std::unique_ptr<firmware::Firmware> firmware_;
  std::vector<Watched> watched_;
  std::span<const std::byte> last_write_;
  std::span<const std::byte> last_copy_;  // ends with last_write_
  const void* last_code_ = nullptr;
  bool booting_ = true;  // or restoring
  bool persisting_ = false;
  std::uint32_t critical_depth_ = 0;
  heap::InStream in_;
  std::vector<heap::MutableBytes> received_;  // pieces of the transfer in flight
  std::uint32_t epoch_ = 1;
  std::uint64_t operations_ = 0;
  std::uint64_t wanted_ = 0;
  std::uint64_t planted_ = 0;
  std::uint32_t cuts_ = 0;
  Accesses accesses_;
  std::optional<std::string> fault_;
};

}  // namespace brownout::sim::testing
