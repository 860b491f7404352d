// A board without a supply: its power fails where it is told to. The program runs once from its start to its
// end; at each point that is wanted everything that firmware can read is saved, the supply fails, the persist
// interrupt saves, all that is volatile is overwritten, boot code restores, what came back is compared, and
// everything is put back. So N points cost N outages and one run.
//
// Time is counted (in what the bus and the work of the CPU take, for the bound), energy is not.
#pragma once

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "devices/fram/fram_chip.hpp"
#include "devices/math/random.hpp"
#include "sim/explore/point.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/hooks/access_hooks.hpp"
#include "sim/machine/bus_faults.hpp"
#include "sim/machine/fiber.hpp"
#include "sim/machine/persist_bound.hpp"
#include "sim/machine/run_observer.hpp"
#include "sim/machine/scratch_board.hpp"
#include "sim/machine/spi_controller.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/verify/memory_inspector.hpp"
#include "sim/verify/recovery.hpp"
#include "sim/verify/shadow.hpp"

namespace brownout::sim::explore {

// A second failure of the supply, inside what follows the first.
enum class Nested : std::uint8_t { none, persist, restore };

// What an outage got wrong, or the program.
struct Failure {
  std::uint64_t index = 0;  // of the point, among those of its course
  Course course = Course::first_image;
  std::uint64_t operations = 0;  // of the workload, complete before it
  std::uint64_t phase = 0;       // of course `interrupted`: the first access with an outage
  bool of_program = false;       // not of an outage that was tried: the program itself went wrong
  Place place;
  Nested nested = Nested::none;
  std::uint64_t nested_at = 0;  // point of the bus in that persist or restore
  devices::FramFault fault = devices::FramFault::discard;
  std::string check;               // which one failed, in a word
  std::string what;                // what differed
  std::vector<const void*> stack;  // return addresses, innermost first
};

// Memory that boards use one after the other: mapping it anew takes longer than a short run.
struct BoardStacks {
  BoardStacks();
  FiberStack program;
  FiberStack second;
};

// Transfers of the program, by what they are for. Of the program alone: persist and restore are none of
// these.
enum class Transfer : std::uint8_t {
  none,       // nothing is in flight
  command,    // WREN, status
  read_home,  // of objects and the store's table
  write_home,
  read_other,  // superblock, marks, images, intent, roots, records
  write_mark,
  write_other,
};
inline constexpr std::size_t kTransfers = 7;

// Errors on the wires of a course that was drawn. So far apart that a driver with as many retries, which
// looks whether its transfers came across, gets each transfer done: anything else is a failure.
struct WireFaults {
  bool missing = false;       // transactions that nobody answers, up to `retries` in a row
  bool sent = false;          // a bit of data flips on its way to the part
  bool received = false;      // or on its way back
  std::uint32_t every = 0;    // transactions from one to the next, on average
  std::uint32_t quiet = 0;    // at least
  std::uint32_t retries = 0;  // of the driver
  [[nodiscard]] bool any() const { return missing || sent || received; }
};

// How much of what bounds it a heap has used up, coarsely.
enum class FillState : std::uint8_t {
  clean,  // nothing is dirty
  some,   // an image takes less than half of what is dirty when empty and the limit allow
  much,
  clean_full,  // the same, with all slots taken
  some_full,
  much_full,
};
inline constexpr std::size_t kFillStates = 6;

// Where something happened.
struct DrawnCell {
  std::uint32_t operation = 0;
  DrawnAt at = DrawnAt::byte;
  FillState state = FillState::clean;
};

// What became of a course that was drawn.
struct DrawnCounts {
  std::array<std::uint64_t, kDrawnKinds> kinds{};
  std::array<std::uint64_t, kTransfers> in_transfer{};
  std::array<std::uint64_t, kDrawnPlaces> points{};
  std::vector<DrawnCell> cells;
  std::uint64_t dirty = 0;
  std::uint64_t in_critical = 0;
  std::uint64_t restores_cut = 0;
  std::uint64_t persists_cut = 0;
  std::uint64_t homes_read = 0;  // transfers
  std::uint64_t homes_written = 0;
  std::uint64_t homes_written_for_room = 0;  // in calls that did not ask for it: evictions
  // Losses: starts with an empty store, starts that attached, those that a further loss cut, and what
  // attaches came to.
  std::uint64_t formats = 0;
  std::uint64_t attaches = 0;
  std::uint64_t attaches_from_image = 0;
  std::uint64_t starts_cut = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t kept = 0;
  std::uint64_t fell_back = 0;
  std::uint64_t reclaimed = 0;
  // On the wires.
  InjectedFaults injected;
  NoticedFaults noticed;
};

// Which points of a course are tried.
struct Selection {
  std::uint64_t from = 0;
  std::uint64_t to = ~std::uint64_t{0};  // exclusive
  std::uint64_t job = 0;
  std::uint64_t jobs = 1;
  const std::vector<std::uint64_t>* sample = nullptr;  // ascending; nullptr: all
  std::optional<Place> only;                           // for a replay: the last point up to there
};

struct BoardOptions {
  Course course = Course::first_image;
  std::array<bool, kPointClasses> classes = {true, true, true};
  Selection selection;
  bool stops_at_failure = false;
  bool nested = false;  // the supply fails again, at each point of the bus of each persist and restore
  // For a replay: that second failure alone.
  struct OnlyNested {
    Nested nested = Nested::none;
    std::uint64_t at = 0;
    devices::FramFault fault = devices::FramFault::discard;
  };
  std::optional<OnlyNested> only_nested;
  std::uint64_t operations = 0;
  const std::vector<std::uint64_t>* boundaries = nullptr;  // what the control run had at its operations' ends
  const volatile std::sig_atomic_t* interrupted = nullptr;
  // Tests plant errors here.
  std::unique_ptr<firmware::Firmware> (*make_firmware)(const firmware::Image&, firmware::Port&) = nullptr;
  std::optional<PersistBound> bound;
  // Access points at which an outage strikes for good: the first of them, and how many further on the next;
  // 0: none. In a section, at its end. A transfer that has more accesses than that never ends.
  struct ForGood {
    std::uint64_t first = 0;
    std::uint64_t every = 0;
  } for_good;
  // Called at the point, before its outage.
  void (*before_outage)() = nullptr;
  // Of a course that was drawn: what happens in it, for good, in that order. No other points are tried then.
  const std::vector<DrawnOutage>* drawn = nullptr;
  // Where the homes of objects begin, to tell transfers apart.
  std::uint32_t homes_at = 0;
  // Of a heap, for FillState: an image with nothing dirty, the limit, and the slots; 0 slots: no heap.
  std::uint32_t empty_image_bytes = 0;
  std::uint32_t dirty_limit_bytes = 0;
  std::uint32_t max_residents = 0;
  // A start after a loss attaches; else the store is formatted anew.
  bool attaches = false;
  WireFaults wires;
  // Objects and structures are looked at after so many operations, after each outage's, and at the end.
  std::uint64_t boundary_every = 1;
  BoardStacks* stacks = nullptr;  // outlive the board; nullptr: it has its own
  // Told of what happens, up to the end of the outage of a replay; in the board's clock, with a microsecond
  // for the time without power, and with the voltages that the plan means: turn-on, from the point on warn,
  // then brown-out. Outlives the board.
  RunObserver* observer = nullptr;
};

struct BoardResult {
  PointTable points{};
  std::uint64_t operations = 0;
  std::uint64_t suffered = 0;         // outages and false alarms that were not taken back
  std::uint64_t nested_persists = 0;  // persists cut
  std::uint64_t nested_restores = 0;
  std::uint64_t nested_whole = 0;         // of the persists cut, those whose image was whole all the same
  std::uint64_t failed = 0;               // points with a failure
  std::vector<Failure> failures;          // the first of them
  std::vector<std::uint64_t> boundaries;  // digests of what is live, at the end of each operation
  std::uint64_t store_digest = 0;         // of the store without what belongs to persist and restore
  std::uint64_t contents_digest = 0;
  std::uint64_t bytes_persisted = 0;
  std::uint64_t bytes_restored = 0;
  std::uint64_t objects_compared = 0;
  std::uint64_t stack_bytes_compared = 0;
  double largest_bytes_over_bound = 0;
  double largest_time_over_bound = 0;
  DrawnCounts drawn;
  devices::FramDamage damage;  // to the FRAM as power failed
  // Of a replay: the last point of that class in that call, if its own is not there.
  std::optional<std::uint64_t> nearest_offset;
  bool complete = true;  // false: interrupted
  // Whether the program started anew, without what it had.
  [[nodiscard]] bool lost() const { return drawn.formats + drawn.attaches + drawn.starts_cut > 0; }
};

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and nobody holds it by its bases
class ExploreBoard final : private firmware::Port, private Timekeeper, private AccessListener {
 public:
  // `scenario` and what `options` points to outlive the board. A board runs once.
  ExploreBoard(const Scenario& scenario, const BoardOptions& options);
  ~ExploreBoard();
  ExploreBoard(const ExploreBoard&) = delete;
  ExploreBoard& operator=(const ExploreBoard&) = delete;

  BoardResult run();

 private:
  enum class Mode : std::uint8_t { off, start, program, persist, restore };
  static constexpr std::size_t kWorkKinds = 7;  // those that are counted in cycles

  // Port
  void charge(heap::Work work, std::uint32_t count) override;
  void enter_critical() override { ++critical_depth_; }
  void exit_critical() override;
  std::uint32_t power_epoch() override { return epoch_; }
  void wait_since_power_on(std::uint32_t) override {}
  void unmask_persist() override;
  void phase(std::uint64_t, std::uint64_t, bool) override {}
  void begin_send(heap::ConstBytes command, heap::OutStream data) override;
  void begin_receive(heap::ConstBytes command, heap::InStream data) override;
  heap::TransferState poll_bus() override;
  void abort_bus() override;
  void store(std::uint32_t address, heap::ConstBytes bytes) override;
  void load(std::uint32_t address, heap::MutableBytes bytes) override;
  void copy_over(bool done) override;
  void calls(firmware::MemoryCall call) override;
  void object_made(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number) override;
  void object_changed(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes) override;
  void object_read(std::uint32_t home, heap::ConstBytes bytes) override;
  void object_freed(std::uint32_t home) override;
  void storage_event(heap::StorageEvent event) override { result_.drawn.noticed.add(event); }
  void object_in_doubt(std::uint32_t home) override { recovery_.doubt(home); }
  void attached(bool from_image) override;
  void object_kept(std::uint32_t home, std::uint32_t size_bytes) override;
  void objects_reclaimed(std::uint32_t count) override;
  void operation_done() override;
  void give_up(heap::Error error, const char* doing) override;

  // Timekeeper
  void pass(Picoseconds span, BusTime spent_on) override;
  void storage_selected(bool selected) override {
    if (options_.observer != nullptr) show_selected(selected);
  }
  [[nodiscard]] bool is_undisturbed(Picoseconds span) const override;
  [[nodiscard]] Picoseconds now() const override {
    // As devices::cycles_at(millicycles_, 1000 * clock_hz), in lowest terms: asked at each transaction.
    if (millicycles_ < most_millicycles_) {
      return bus_time_ + Picoseconds{static_cast<std::int64_t>(millicycles_ * period_ / periods_)};
    }
    return bus_time_ + devices::cycles_at(millicycles_, 1000 * scenario_.mcu.clock_hz);
  }

  // Of instrumented firmware.
  void access(const void*, std::uint32_t, bool, const void*) override {
    if (mode_ != Mode::program) return;
    if (options_.for_good.every > 0) suffer_at_access();
    at(PointClass::access);
  }

  // Points.
  bool pass_point(bool moves_data);
  void at(PointClass point);
  [[nodiscard]] bool is_selected(std::uint64_t index, std::uint64_t dealt);
  void try_deferred();
  void try_outage(PointClass point, std::uint64_t index);

  // An outage, step by step. run_*: on the second stack; false if it was abandoned: cut, or a fault.
  struct Saved {
    std::vector<std::byte> ram;
    std::vector<std::byte> os;
    std::vector<std::byte> statics;
    devices::FramChip::Registers chip;
    std::optional<SpiController> bus;
    Picoseconds bus_time;
    std::uint64_t millicycles = 0;
    std::uint32_t epoch = 0;
    std::span<std::byte> stack;  // of the program, live
    std::vector<std::byte> stack_bytes;
  };
  // Which parts of the store were written to.
  struct Written {
    bool marks = false;
    bool homes = false;  // all that is neither mark nor image
    void note(const devices::FramOverwritten& writes, const CheckpointArea& area);
  };
  void save(const std::byte* stack_pointer, std::size_t stack_limit);
  void rewind();
  void put_back();
  bool run_aside(void (*body)(void*));
  bool run_persist();
  bool run_restore();
  void persist_body();
  void restore_body(bool older);
  void power_cycle();
  [[nodiscard]] std::optional<std::string> state_fault();
  [[nodiscard]] std::optional<std::string> written_fault();
  [[nodiscard]] bool may_drain() const;
  [[nodiscard]] std::span<const std::uint8_t> place_in_turn() const {
    return fram_.memory().subspan(image_address_, area_.place_bytes);
  }

  // The supply fails again.
  void try_nested();
  [[nodiscard]] std::uint64_t first_nested() const {
    return options_.only_nested ? options_.only_nested->at : 0;
  }
  void cut_restores();
  void cut_persists(devices::FramFault fault);
  bool run_cut(void (*body)(void*));
  [[noreturn]] void cut_power();
  [[nodiscard]] std::optional<std::string> verdict_fault();
  bool boot_says(bool older);
  [[nodiscard]] std::optional<std::string> older_fault();
  [[nodiscard]] int error() const { return static_cast<int>(status_.error()); }

  // The course of the program.
  void stop_if_endless();
  void arm(std::uint64_t transaction, std::uint64_t command_bytes);
  void open_copy(std::uint32_t address, bool writes);
  void spend_cycles(double cycles);
  [[nodiscard]] const BusCounters& counters() const { return bus_ ? bus_->counters() : copies_; }
  void suffer();
  void suffer_at_access();
  void suffer(bool outage);
  void arm_drawn();
  [[nodiscard]] bool is_drawn(PointClass point);
  [[nodiscard]] bool strikes_at_once();
  void strike();
  void count_strike(const DrawnOutage& drawn);
  [[nodiscard]] FillState fill_state(bool dirty);
  bool cut_drawn_persist();
  bool cut_drawn_restore();
  void note_image();
  bool learn_image();
  void note_image_bytes();
  void note_brought_home();
  bool persist_too_late();
  void lose_power();
  void start_again();
  void end_recovery(std::uint32_t reclaimed);
  void disturb(heap::ConstBytes command, bool receives);
  void note_transaction(heap::ConstBytes command);
  void note_transfer(std::uint32_t address, bool reads);
  void note_program_writes();
  void perturb();
  void scramble(std::uint32_t place);
  void fill_random(std::uint32_t address, std::uint32_t size_bytes);
  void verify_boundary();
  [[nodiscard]] std::optional<std::string> objects_fault();
  void spend(Picoseconds span) { bus_time_ += span; }

  // The observer, who has seen the voltage up to now.
  [[nodiscard]] RunObserver* observer();
  void show_selected(bool selected);
  void show_access(const StoreAccess& what);
  void show_access_over(AccessEnd end);
  void show_heap();
  void show_doing(Doing what);
  void show_moment(Moment what);
  void show_supply(bool powered, bool warning, double voltage_v);
  void show_warning();
  void show_resumed();
  void show_cut(Moment what);
  void show_power_cycle();
  void show_taken_back(Picoseconds until);
  void show_end();

  [[noreturn]] void fault_aside(const char* check, std::string what);
  [[noreturn]] void fail_program(const char* check, std::string what);
  void note_failure();
  void note_failure(const char* check, std::string what, bool of_program = false);
  void fill_pattern(std::span<std::byte> bytes);
  [[nodiscard]] const std::vector<KnownObject>& known();
  [[nodiscard]] heap::Control& control() { return *reinterpret_cast<heap::Control*>(ram_.data()); }

  const Scenario& scenario_;
  BoardOptions options_;
  PersistBound bound_;
  devices::FramChip fram_;
  std::optional<SpiController> bus_;  // of a part that has one
  BusCounters copies_;                // of one that has none
  std::vector<std::uint64_t> ram_words_;
  std::span<std::byte> ram_;
  std::vector<std::uint64_t> os_words_;
  std::span<std::byte> os_part_;
  std::unique_ptr<firmware::Firmware> firmware_;
  std::unique_ptr<MemoryInspector> inspector_;
  CheckpointArea area_;
  std::unique_ptr<BoardStacks> own_stacks_;
  FiberStack& program_stack_;
  FiberStack& second_stack_;
  Fibers fibers_;
  Shadow shadow_;
  Recovery recovery_;
  std::unique_ptr<ScratchBoard> scratch_;  // once it was needed
  std::optional<BusFaults> faults_;
  std::vector<KnownObject> known_;  // those of the shadow; see known()
  bool known_is_old_ = false;
  std::vector<RamSpan> spans_;  // kept for its memory
  BoardResult result_;

  Mode mode_ = Mode::off;
  std::uint32_t critical_depth_ = 0;
  std::uint32_t epoch_ = 1;
  Picoseconds bus_time_;
  std::uint64_t millicycles_ = 0;  // of work
  std::array<std::uint64_t, kWorkKinds> millicycles_of_{};
  // A thousandth of a cycle takes period_ / periods_ picoseconds; as many as the product has room for.
  std::uint64_t period_ = 1;
  std::uint64_t periods_ = 1;
  std::uint64_t most_millicycles_ = 0;
  std::uint64_t pattern_;
  devices::SplitMix64 random_;

  // The point at hand.
  std::uint64_t next_ = 0;
  std::size_t next_sampled_ = 0;
  std::optional<std::uint64_t> section_;  // the first point of the critical section at hand
  Place place_;
  std::array<std::uint64_t, firmware::kMemoryCalls> occurrences_{};
  std::array<std::uint64_t, kPointClasses> offsets_{};
  struct Deferred {
    bool any = false;
    PointClass point = PointClass::access;
    std::uint64_t index = 0;
    Place place;
    Picoseconds since;
  } deferred_;
  Picoseconds crossing_;
  std::uint64_t index_ = 0;

  // The outage at hand.
  Saved saved_;
  devices::FramOverwritten aside_;  // in it
  devices::FramOverwritten ahead_;  // by the program since the last look
  std::uint64_t charges_ = 0;       // since it began: a firmware that does not end is stopped
  heap::Status status_;
  const char* check_ = nullptr;
  std::string fault_;
  std::uint32_t image_address_ = 0;
  Nested nested_ = Nested::none;
  std::uint64_t nested_at_ = 0;
  devices::FramFault nested_fault_ = devices::FramFault::discard;
  std::optional<std::uint64_t> cut_at_;  // point of the bus
  std::uint64_t bus_points_ = 0;
  bool was_cut_ = false;
  std::vector<std::uint8_t> image_;  // what the whole persist left at its place

  // The last image that was not taken back.
  struct Image {
    bool valid = false;
    bool is_home = false;  // an attach has written to the homes what it has: it may stand, or not
    std::vector<std::byte> ram;
    std::vector<std::byte> os;
    std::vector<KnownObject> objects;
  } older_;
  Written written_;  // by the program since

  // Interruptions of the course.
  std::set<std::uint64_t> interrupted_;  // transactions of this call that were
  bool armed_ = false;
  std::uint64_t armed_at_ = 0;
  std::uint64_t accesses_ = 0;  // until the next outage for good
  std::uint64_t suffered_in_call_ = 0;
  std::uint64_t wire_bytes_ = 0;  // of this transaction
  bool suffer_due_ = false;       // at the end of this critical section
  bool copying_ = false;          // a transfer without a bus is open

  // What was drawn: the next of it, and how many points are left until then.
  std::size_t next_drawn_ = 0;
  bool drawn_armed_ = false;
  bool drawn_waits_ = false;  // for the end of a critical section
  std::uint64_t drawn_left_ = 0;
  bool struck_ = false;  // in this operation
  Picoseconds due_;      // of the next, if that is when the energy is used up
  bool by_energy_ = false;
  // A loss: whoever ran was abandoned, and the board starts again.
  bool lost_ = false;
  bool lost_late_ = false;  // in a persist
  bool image_found_ = false;
  std::uint32_t starts_to_cut_ = 0;
  std::optional<std::uint64_t> start_cut_;  // point of the bus in the start at hand
  // Errors on the wires: transactions until the next, what it is, and how many more there are in a row.
  devices::SplitMix64 wire_random_;
  // Apart for the program, whose transfers go on after an outage, and for persist and boot.
  std::uint64_t wire_left_ = 0;
  std::uint32_t missing_left_ = 0;
  std::uint64_t wire_left_aside_ = 0;
  std::uint32_t missing_left_aside_ = 0;
  firmware::MemoryCall call_ = firmware::MemoryCall::start;
  Transfer transfer_ = Transfer::none;

  // What the observer knows.
  bool unseen_ = false;  // what happens now is taken back
  Picoseconds shown_;    // up to when the voltage is known
  Picoseconds ahead_of_clock_;
  double shown_v_ = 0;
  bool access_shown_ = false;
  std::uint64_t bytes_before_access_ = 0;
  bool persist_shown_ = false;  // a whole one, and no outage yet
};

}  // namespace brownout::sim::explore
