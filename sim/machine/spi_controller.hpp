// The SPI controller: walks a transaction byte by byte through the chip, in the time that the profile
// says, and can be interrupted and stopped at any of its bytes. Where DMA moves the bytes that are sent, the
// piece that follows is asked for while the one before is on the wire: what firmware does for it, and what
// strikes meanwhile, finds the chip as far as the wire has come.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "devices/bus/spi_profile.hpp"
#include "devices/fram/fram_chip.hpp"
#include "heap/storage/spi_bus.hpp"
#include "sim/machine/bus_faults.hpp"

namespace brownout::sim {

using devices::Picoseconds;

// What a span of time on the bus is spent on.
enum class BusTime : std::uint8_t {
  driver,  // set-up, hand-over and copying, by the CPU
  wire,    // bits on the wire, fed by the CPU
  dma,     // bits on the wire while the CPU is free to take interrupts
};

// What the controller needs of its board: a clock that can be interrupted.
class Timekeeper {
 public:
  // Lets time pass while the bus is at work. The persist interrupt may strike inside and stop the
  // transfer; the controller looks afterwards.
  virtual void pass(Picoseconds span, BusTime spent_on) = 0;
  virtual void storage_selected(bool selected) = 0;
  // Whether nothing can strike while the bytes of a chunk pass, which takes so long: they then pass in one
  // call, to the same end.
  [[nodiscard]] virtual bool is_undisturbed(Picoseconds /*span*/) const { return false; }
  // Differences are what pass() and the work of the CPU took; they are zero while time stands still.
  [[nodiscard]] virtual Picoseconds now() const = 0;

 protected:
  ~Timekeeper() = default;
};

struct BusCounters {
  std::uint64_t transactions = 0;  // completed
  std::uint64_t aborted = 0;
  std::uint64_t data_bytes = 0;     // beside command and address, of transactions completed or not
  std::uint64_t drained_bytes = 0;  // data that went on over the bus while a transfer was being stopped
  std::uint64_t transfers = 0;      // completed transactions that carried data
  std::uint64_t timed_out = 0;      // transactions without a completion
};

class SpiController {
 public:
  SpiController(const devices::TransferCosts& costs, std::uint64_t sck_hz, devices::FramChip& chip,
                Timekeeper& time);

  // Errors on the wires from now on, or none: nullptr. `timeout` is how long the bus waits for a completion
  // that does not come, from the instant at which it should have.
  void inject(BusFaults* faults, Picoseconds timeout);
  // The transaction that has just begun reaches nobody and has no completion.
  void lose() { lost_ = true; }

  void begin_send(heap::ConstBytes command, heap::OutStream data);
  void begin_receive(heap::ConstBytes command, heap::InStream data);
  // Runs the transaction to its end, or until it was stopped from inside an interrupt.
  heap::TransferState poll();
  // Stops the transaction in flight as finely as the profile allows: at once, with the byte in flight
  // lost; after the chunk; or only at its end. From inside a stream, after the chunk at the latest: the
  // stream cannot be asked for what follows.
  void abort();
  // Counts what has come across by now beside a stream that is being asked: it is none of what follows.
  void catch_up_with_wire() {
    if (asking_) catch_up();
  }
  // The part is about to lose its power: what has been clocked by now reaches it, of the byte in flight its
  // first bits. A ghost walks on afterwards.
  void settle();
  // Power is about to go, and the chip still has it: whatever was in flight is no more.
  void reset();

  // A transaction has begun and neither ended nor been stopped.
  [[nodiscard]] bool is_active() const { return active_; }
  // Firmware is being asked for the next piece, while the one before is on the wire.
  [[nodiscard]] bool is_asking() const { return asking_; }
  [[nodiscard]] const BusCounters& counters() const { return counters_; }

 private:
  enum class Piece : std::uint8_t { command, data };
  // What a stream said when it was asked for a piece.
  struct Answer {
    bool any = false;
    heap::ConstBytes out;
    heap::MutableBytes in;
  };

  void begin(heap::ConstBytes command, bool receive);
  bool run(bool may_be_stopped);
  Answer ask();
  void open_piece();
  void open_chunk();
  void catch_up();
  void move_byte(bool receiving);
  // The bytes of the transaction at hand reach the other end as they are.
  [[nodiscard]] bool wires_are_clean() const {
    return !lost_ && (faults_ == nullptr || faults_->lets_pass());
  }
  void move_chunk(bool receiving);
  void move_bytes(bool receiving, std::uint32_t bytes);
  std::uint8_t exchange(std::uint8_t in, bool receiving);
  void finish();
  void time_out();
  void drive(Picoseconds span) {
    if (span.count > 0) time_.pass(span, BusTime::driver);
  }
  void shift();
  [[nodiscard]] Picoseconds byte_time(std::uint32_t index) const { return bytes_time(index, 1); }
  // Of so many bytes of a chunk, from that one on.
  [[nodiscard]] Picoseconds bytes_time(std::uint32_t index, std::uint32_t bytes) const;

  devices::TransferCosts costs_;
  std::uint64_t sck_hz_;
  Picoseconds even_byte_time_;  // zero if a byte is no whole number of picoseconds
  devices::FramChip& chip_;
  Timekeeper& time_;
  BusCounters counters_;
  BusFaults* faults_ = nullptr;
  Picoseconds timeout_;

  // The transaction in flight.
  std::uint64_t id_ = 0;  // of the latest one; an interrupted walk compares it
  bool active_ = false;
  bool selected_ = false;
  bool receive_ = false;
  bool lost_ = false;
  std::array<std::byte, heap::kMaxCommandBytes> command_{};
  std::uint32_t command_bytes_ = 0;
  heap::OutStream out_;
  heap::InStream in_;
  Piece piece_ = Piece::command;
  const std::byte* source_ = nullptr;
  std::byte* destination_ = nullptr;
  std::uint32_t piece_left_ = 0;
  std::uint32_t chunk_left_ = 0;
  std::uint32_t chunk_done_ = 0;
  bool shifting_ = false;        // a byte is on the wire
  bool asking_ = false;          // the stream is being asked: firmware is at work
  std::optional<Answer> ahead_;  // for the piece after the one at hand
  Picoseconds wire_begin_;       // of the chunk that is on the wire while the stream is asked
  Picoseconds flown_;            // what has passed of the byte in flight meanwhile
  std::uint32_t data_in_transaction_ = 0;
};

}  // namespace brownout::sim
