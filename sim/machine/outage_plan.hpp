// Outages where a plan wants them, in place of those of the supply.
#pragma once

#include <cstdint>

namespace brownout::sim {

// Where the supply can be made to fail: all instants between two of these look alike to the firmware.
enum class PointKind : std::uint8_t {
  byte,       // a byte is about to be clocked on the bus
  work,       // firmware is about to spend time: work that it reports, a set-up or hand-over of the bus
  operation,  // an operation of the workload has ended
};

// What the firmware is doing there. section: a critical section, whose end the persist waits for. start:
// boot, restore, and what comes before the persist interrupt is unmasked.
enum class During : std::uint8_t { program, section, persist, start };

struct Point {
  PointKind kind = PointKind::byte;
  During during = During::program;
};

// What happens at a point.
enum class Strike : std::uint8_t {
  none,
  warning,      // the warning level is crossed here, nothing is harvested until the board has been off
  false_alarm,  // the same, and the supply is back once the persist has ended
  power_loss,   // the brown-out level is reached at once: no energy for a persist
};

// With a plan the board hangs on a bench supply that covers what is drawn, to the last joule: without a
// strike the voltage never changes, and nothing leaks.
class OutagePlan {
 public:
  virtual ~OutagePlan() = default;
  // Called at each point, in order, from simulated code: it may not throw. A strike during a persist or a
  // start has to be a power_loss or none: the warning stands already, or is masked.
  virtual Strike at(Point point) = 0;
  // Called as each transaction begins: whether it reaches nobody and has no completion.
  virtual bool loses_transaction(During /*during*/) { return false; }
};

}  // namespace brownout::sim
