// The machine: a board with its supply, running the firmware, from first turn-on to the end of the run.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/bus/rtos_tick.hpp"
#include "devices/fram/fram_chip.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/machine/fiber.hpp"
#include "sim/machine/fingerprint.hpp"
#include "sim/machine/outage_plan.hpp"
#include "sim/machine/persist_bound.hpp"
#include "sim/machine/power_train.hpp"
#include "sim/machine/run_observer.hpp"
#include "sim/machine/run_result.hpp"
#include "sim/machine/scratch_board.hpp"
#include "sim/machine/spi_controller.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/verify/recovery.hpp"
#include "sim/verify/shadow.hpp"

namespace brownout::sim {

// The heap's configuration on a scenario's board.
heap::HeapConfig heap_config_of(const Scenario& scenario);
// What is in its flash, with its variables in that memory.
firmware::Image image_of(const Scenario& scenario, std::span<std::byte> ram, std::span<std::byte> os_part);
// What judges the scenario's memory by its bytes; the scenario has been checked.
std::unique_ptr<MemoryInspector> make_inspector(const Scenario& scenario);

struct Progress {
  Picoseconds now;
  std::uint64_t operations = 0;
  std::uint64_t outages = 0;
};

struct RunOptions {
  // Set from a signal handler: end the run soon, with what it has.
  const volatile std::sig_atomic_t* interrupted = nullptr;
  // Called now and then, from simulated code: it may not throw.
  std::function<void(const Progress&)> progress;
  // Becomes the bytes of the FRAM at the end of the run, or at the loss that ended it; those of the control
  // run if that failed.
  std::vector<std::uint8_t>* fram_image = nullptr;
  // Outages at points of the program's course in place of those of the source; outlives the run.
  OutagePlan* plan = nullptr;
  // Told of what happens; outlives the run.
  RunObserver* observer = nullptr;
  // Keep the record of every power cycle, however many there are.
  bool all_cycles = false;
  // What persists are compared with, in place of the scenario's bound: tests plant an error.
  std::optional<PersistBound> bound;
};

// The firmware runs on a stack of its own; the persist interrupt is a call on that stack, from inside
// whatever let time pass. Boot and restore run on a second stack. A machine runs once.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and nobody holds it by its bases
class Machine final : private firmware::Port, private Timekeeper {
 public:
  // `ledger` outlives the machine; tests hand in one with a planted error.
  Machine(const Scenario& scenario, std::unique_ptr<devices::Source> source, Ledger& ledger,
          RunOptions options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  RunResult run();

  // After run(): of the objects of the workload, for comparison with another run.
  [[nodiscard]] std::uint64_t contents_digest() const { return shadow_.digest(); }
  [[nodiscard]] const devices::FramChip& fram() const { return fram_; }

 private:
  // What the CPU is doing, for interrupts and for a power failure.
  enum class Mode : std::uint8_t { off, cold_boot, program, persist, boot, asleep };
  enum class Activity : std::uint8_t { compute, bus, sleep, deep_sleep, off };

  // Port: what firmware calls.
  void charge(heap::Work work, std::uint32_t count) override;
  void enter_critical() override;
  void exit_critical() override;
  std::uint32_t power_epoch() override;
  void wait_since_power_on(std::uint32_t us) override;
  void unmask_persist() override;
  void phase(std::uint64_t duration_us, std::uint64_t load_ua, bool sleeping) override;
  void begin_send(heap::ConstBytes command, heap::OutStream data) override;
  void begin_receive(heap::ConstBytes command, heap::InStream data) override;
  heap::TransferState poll_bus() override;
  void abort_bus() override;
  void store(std::uint32_t address, heap::ConstBytes bytes) override;
  void load(std::uint32_t address, heap::MutableBytes bytes) override;
  void copy_over(bool done) override;
  void calls(firmware::MemoryCall call) override;
  void storage_event(heap::StorageEvent event) override;
  void object_made(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number) override;
  void object_changed(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes) override;
  void object_read(std::uint32_t home, heap::ConstBytes bytes) override;
  void object_freed(std::uint32_t home) override;
  void object_in_doubt(std::uint32_t home) override;
  void attached(bool from_image) override;
  void object_kept(std::uint32_t home, std::uint32_t size_bytes) override;
  void objects_reclaimed(std::uint32_t count) override;
  void operation_done() override;
  void give_up(heap::Error error, const char* doing) override;

  // Timekeeper: what the bus calls.
  void pass(Picoseconds span, BusTime spent_on) override;
  void storage_selected(bool selected) override;
  // To the bus, a ghost's time passes like any other: what runs beside the wire is not added to it.
  [[nodiscard]] Picoseconds now() const override { return train_.now() + ghost_time_; }

  // The life of the board.
  void cold_start();
  void boot_phases();
  bool wait_for_turn_on();
  void note_turn_on();
  void persist_interrupt();
  bool persist_now();
  [[nodiscard]] bool anything_dirty() const;
  void note_delay();
  void note_running();
  void note_persist_begin();
  void check_persist(const BusCounters& before);
  [[nodiscard]] PersistBound bound_at(const VoltageRange& range) const;
  bool sleep_until_outage();
  void outage_and_restore();
  [[nodiscard]] std::optional<std::string> state_fault() const;
  void boot_and_restore();
  void elapse(Picoseconds span, bool ends_with_interrupt);
  void on_event(PowerEvent event);
  void plan_outage(PointKind kind);
  void lose_as_planned();
  [[nodiscard]] During during() const;
  void power_failed();
  [[noreturn]] void lose(bool warned);
  void record_loss(bool warned);
  [[nodiscard]] bool attaches() const { return scenario_.mcu.on_loss == OnLoss::attach; }
  void describe_loss(bool warned, std::optional<bool> restorable);
  [[nodiscard]] std::optional<bool> image_is_usable();
  void end_recovery(std::uint32_t reclaimed);
  void power_down();
  void cut_storage();
  // The rail follows the capacitor once that is below it.
  [[nodiscard]] bool watches_vdd() const {
    return scenario_.storage.power_loss == devices::FramFault::garbage_below_min_vdd;
  }
  void note_power_cycle();
  void charge_cycles(std::uint64_t millicycles, bool calibrated, PointKind kind = PointKind::work);
  void charge_copy(double cycles, PointKind kind);
  [[nodiscard]] bool is_mapped() const { return scenario_.storage.part.is_mapped; }
  // Of the bus; of a mapped part the driver's transfers, and no transactions.
  [[nodiscard]] const BusCounters& counters() const { return bus_ ? bus_->counters() : copies_; }
  void log(CycleEvent event);
  void note_operation();

  // The observer, who has seen the voltage up to now; nobody if there is none, for a ghost, and once the run
  // is over.
  [[nodiscard]] RunObserver* observer();
  [[nodiscard]] Doing doing() const;
  void show(Moment what);
  void show_access(const StoreAccess& what);
  void show_access(heap::ConstBytes command);
  void show_access_over(AccessEnd end);
  void show_power_cut();
  void show_heap();

  // Endings. stop() freezes time: the program runs on to the end of its operation without cost.
  void stop(StopReason reason);
  [[noreturn]] void fail(std::string what);
  void fail_if(std::optional<std::string> fault, const char* when);
  void verify_objects();
  [[nodiscard]] std::optional<std::string> object_fault() const;
  [[nodiscard]] std::optional<std::string> structure_fault() const;
  RunResult finish();
  void inject_faults(bool on);
  void note_faults();
  [[nodiscard]] std::string after_retries(heap::Status status) const;
  void check_sections();

  void use(Activity activity);
  void use_current(double current_a);
  void enter(Mode mode, Phase phase);
  [[nodiscard]] bool interruptible() const;
  // Somebody asked for the end of the run.
  [[nodiscard]] bool interrupted() const {
    return options_.interrupted != nullptr && *options_.interrupted != 0;
  }
  void fill_pattern(std::span<std::byte> bytes);

  const Scenario& scenario_;
  RunOptions options_;
  Ledger& ledger_;
  std::optional<Picoseconds> source_period_;
  PowerTrain train_;
  devices::FramChip fram_;
  std::optional<BusFaults> faults_;   // between the two, if the scenario wants any
  std::optional<SpiController> bus_;  // none of a mapped part
  BusCounters copies_;
  devices::TickClock tick_;
  std::vector<std::uint64_t> ram_words_;  // 8-byte aligned memory of the heap
  std::span<std::byte> ram_;
  std::vector<std::uint64_t> os_words_;
  std::span<std::byte> os_part_;
  std::unique_ptr<firmware::Firmware> firmware_;
  std::unique_ptr<MemoryInspector> inspector_;
  FiberStack program_stack_;
  FiberStack boot_stack_;
  Fibers fibers_;
  Shadow shadow_;
  Recovery recovery_;                      // with on_loss: attach
  std::unique_ptr<ScratchBoard> scratch_;  // from the first loss on
  Fingerprint fingerprint_;
  RunResult result_;

  Picoseconds limit_;  // stop.time, or the longest time there is
  Mode mode_ = Mode::off;
  Phase phase_ = Phase::off;
  Activity activity_ = Activity::off;
  double active_w_ = 0;
  double fram_active_w_ = 0;
  double fram_standby_w_ = 0;
  double peripherals_w_ = 0;  // what the program has switched on; draws while the program runs
  bool selected_ = false;
  bool persist_unmasked_ = false;
  bool frozen_ = false;      // the run is over: time stands still, nothing costs
  bool ghost_ = false;       // the power is gone: what the persist would still have taken
  bool verify_due_ = false;  // an outage since the last operation boundary
  bool restored_ = false;
  bool false_alarm_planned_ = false;
  double ghost_j_ = 0;  // at the capacitor, as all that sizes it
  Picoseconds ghost_time_;
  std::uint32_t critical_depth_ = 0;
  std::uint64_t section_millicycles_ = 0;
  std::uint32_t epoch_ = 1;
  std::uint64_t pattern_ = 0;
  std::uint64_t cycle_remainder_ = 0;
  Picoseconds power_on_at_;
  double turn_on_drawn_j_ = 0;  // before the latest turn-on
  // From the latest crossing of the warning level to the warning.
  struct Delay {
    double drawn_j = 0;
    double lacked_j = 0;  // what it would still have drawn when power was lost
    double end_v = 0;
  };
  Delay delay_;
  // An instant, and what was drawn up to then.
  struct Mark {
    Picoseconds at;
    double drawn_j = 0;
  };
  Mark running_;    // since when the program can be interrupted
  Mark crossing_;   // what the persist counts from
  Mark operation_;  // end of the latest one
  std::uint32_t operation_epoch_ = 0;
  Picoseconds persist_begin_;
  double persist_begin_j_ = 0;
  double persist_begin_v_ = 0;
  std::vector<std::byte> ram_before_;
  std::vector<std::byte> os_before_;
  std::uint64_t progress_ = 0;  // transfers completed by the program
  std::uint64_t progress_at_cycle_ = 0;
  std::uint64_t work_ = 0;  // operations completed, and stretches of the application's own computing
  std::uint64_t work_at_cycle_ = 0;
  std::uint32_t cycles_without_transfer_ = 0;
  std::uint32_t cycles_without_work_ = 0;
  bool computing_ = false;     // the application's own work, which an outage does not undo
  bool access_shown_ = false;  // its observer knows of an access that is not over
  std::uint64_t bytes_before_access_ = 0;
};

}  // namespace brownout::sim
