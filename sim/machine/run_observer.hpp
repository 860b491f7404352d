// What happens on a board, for whoever wants to draw it: told as it happens, and changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sim/firmware/port.hpp"
#include "sim/machine/voltage_envelope.hpp"
#include "sim/verify/memory_inspector.hpp"

namespace brownout::sim {

// What the CPU is doing.
enum class Doing : std::uint8_t { off, boot, run, persist, restore, asleep };
inline constexpr std::size_t kDoings = 6;
std::string_view name_of(Doing doing);

// What took no time.
enum class Moment : std::uint8_t {
  persisted,    // a persist came to its end
  restored,     // a restore did
  refused,      // of a replay: boot takes no image for whole and current
  outage,       // one that was survived: power goes, and what was saved is in the store
  lost,         // one that was not
  false_alarm,  // the program goes on without an outage
  in_boot,      // power failed in boot, restore or a first start, with nothing to lose
  taken_back,   // of a replay: what follows begins where the outage before it began
};

std::string_view name_of(Moment moment);

// A transaction on the bus; of FRAM in the address space, a transfer of its driver.
struct StoreAccess {
  std::optional<std::uint8_t> opcode;    // none without a bus
  std::optional<std::uint32_t> address;  // of those that send one
  bool writes = false;                   // data go to the store
};

// By the bytes of its command.
StoreAccess access_of(heap::ConstBytes command);

enum class AccessEnd : std::uint8_t {
  done,
  aborted,    // by an interrupt
  cut,        // power failed
  timed_out,  // there was no completion
};

std::string_view name_of(AccessEnd end);

// Of the program's memory, worked out from its bytes.
struct HeapState {
  std::uint32_t objects = 0;
  std::uint32_t residents = 0;    // in RAM
  std::uint32_t dirty_bytes = 0;  // of these, not home yet
};
HeapState heap_state_of(const MemoryInspector& inspector, std::span<const std::byte> ram,
                        const std::vector<KnownObject>& objects);

// Instants never decrease from one call to the next, and each call finds the spans told up to its instant.
// Nothing is told of what a persist that was cut would still have done, nor once time stands still because
// the run is over. Called from simulated code: implementations may not throw. Each does nothing unless
// overridden.
class RunObserver {
 public:
  RunObserver() = default;
  RunObserver(const RunObserver&) = delete;
  RunObserver& operator=(const RunObserver&) = delete;
  virtual ~RunObserver() = default;

  // The terminal voltage moved one way only, by 10 mV at most. Spans tile the time; where the load changes
  // the next one may begin at another voltage. One of no length says what a step has come to.
  virtual void span(VoltageEnvelope::Point /*from*/, VoltageEnvelope::Point /*to*/) {}
  // The supervisor's outputs, whenever one changes: between turn-on and brown-out; the warning's level.
  virtual void supply(devices::Picoseconds /*at*/, bool /*powered*/, bool /*warning*/) {}
  virtual void doing(devices::Picoseconds /*at*/, Doing /*what*/) {}
  virtual void moment(devices::Picoseconds /*at*/, Moment /*what*/) {}
  // The first operation of a start begins; later ones where the one before ends, as the `number`-th of the
  // run.
  virtual void program_starts(devices::Picoseconds /*at*/) {}
  virtual void operation_done(devices::Picoseconds /*at*/, std::uint64_t /*number*/) {}
  // What the workload asks of its memory; lasts until the next call, or the end of the operation.
  virtual void memory_call(devices::Picoseconds /*at*/, firmware::MemoryCall /*call*/) {}
  // One begins only after the one before is over. Its set-up comes before the chip is selected.
  virtual void access(devices::Picoseconds /*at*/, const StoreAccess& /*what*/) {}
  virtual void access_over(devices::Picoseconds /*at*/, AccessEnd /*end*/, std::uint64_t /*data_bytes*/) {}
  // CS: active, or not.
  virtual void selected(devices::Picoseconds /*at*/, bool /*selected*/) {}
  // At ends of operations, as a persist begins, after a restore. Volatile: power takes it.
  virtual void heap(devices::Picoseconds /*at*/, const HeapState& /*state*/) {}
  // Nothing comes after.
  virtual void end(devices::Picoseconds /*at*/) {}
};

}  // namespace brownout::sim
