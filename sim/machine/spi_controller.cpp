#include "sim/machine/spi_controller.hpp"

#include <algorithm>
#include <cassert>

namespace brownout::sim {

using devices::AbortGranularity;
using heap::TransferState;

SpiController::SpiController(const devices::TransferCosts& costs, std::uint64_t sck_hz,
                             devices::FramChip& chip, Timekeeper& time)
    : costs_(costs), sck_hz_(sck_hz), chip_(chip), time_(time) {
  assert(sck_hz > 0 && costs.chunk_bytes > 0);
  constexpr std::uint64_t kByteAtOneHertz = 8ULL * devices::kPicosecondsPerSecond;
  if (kByteAtOneHertz % sck_hz == 0) even_byte_time_ = {static_cast<std::int64_t>(kByteAtOneHertz / sck_hz)};
}

void SpiController::inject(BusFaults* faults, Picoseconds timeout) {
  faults_ = faults;
  timeout_ = timeout;
}

void SpiController::begin_send(heap::ConstBytes command, heap::OutStream data) {
  begin(command, false);
  out_ = data;
}

void SpiController::begin_receive(heap::ConstBytes command, heap::InStream data) {
  begin(command, true);
  in_ = data;
}

void SpiController::begin(heap::ConstBytes command, bool receive) {
  assert(command.size >= 1 && command.size <= command_.size());
  assert(!active_ && "the driver stops a transfer before it begins another");
  ++id_;
  active_ = true;
  selected_ = false;
  receive_ = receive;
  std::copy_n(command.data, command.size, command_.begin());
  command_bytes_ = command.size;
  piece_ = Piece::command;
  source_ = command_.data();
  piece_left_ = command.size;
  chunk_left_ = 0;
  shifting_ = false;
  asking_ = false;
  ahead_.reset();
  flown_ = {};
  data_in_transaction_ = 0;
  lost_ = faults_ != nullptr && faults_->begin({command_.data(), command_bytes_});
}

TransferState SpiController::poll() {
  if (!active_) return TransferState::none;
  if (!run(true)) return TransferState::none;
  if (!lost_) return TransferState::done;
  drive(costs_.abort_cost);
  return TransferState::failed;
}

// Walks on from wherever the transaction stands. False if it was stopped meanwhile.
bool SpiController::run(bool may_be_stopped) {
  const std::uint64_t id = id_;
  const auto stopped = [&] { return may_be_stopped && (!active_ || id != id_); };
  if (!selected_) {
    drive(receive_ ? costs_.setup_receive : costs_.setup_send);
    if (stopped()) return false;
    selected_ = true;
    if (!lost_) chip_.select(time_.now());
    time_.storage_selected(true);
    drive(costs_.cs_setup);
    if (stopped()) return false;
  }
  for (;;) {
    if (piece_left_ == 0) {
      if (!ahead_) {
        const Answer answer = ask();
        if (stopped()) return false;
        ahead_ = answer;
      }
      if (!ahead_->any) break;
      open_piece();
      continue;
    }
    if (chunk_left_ == 0) open_chunk();
    const bool receiving = piece_ == Piece::data && receive_;
    const Picoseconds copy = (receiving ? costs_.copy_receive_per_byte : costs_.copy_send_per_byte) *
                             static_cast<std::int64_t>(chunk_left_);
    drive(receiving ? costs_.handover_receive : costs_.handover_send + copy);
    if (stopped()) return false;
    if (!costs_.cpu_moves_bytes && !receive_ && chunk_left_ == piece_left_ && !ahead_) {
      wire_begin_ = time_.now();
      const Answer answer = ask();
      if (stopped()) return false;
      ahead_ = answer;
      catch_up();
    }
    if (time_.is_undisturbed(bytes_time(chunk_done_, chunk_left_)) && wires_are_clean()) {
      move_chunk(receiving);
      if (stopped()) return false;
    }
    while (chunk_left_ > 0) {
      shift();
      if (stopped()) return false;
      move_byte(receiving);
    }
    if (receiving) {
      drive(copy);
      if (stopped()) return false;
    }
  }
  drive(costs_.cs_hold);
  if (stopped()) return false;
  if (lost_) {
    time_.pass(timeout_, costs_.cpu_moves_bytes ? BusTime::wire : BusTime::dma);
    if (stopped()) return false;
    time_out();
  } else {
    finish();
  }
  return true;
}

// Asks the stream for the piece that follows. Firmware runs in there: the transaction may be gone afterwards.
SpiController::Answer SpiController::ask() {
  Answer answer;
  asking_ = true;
  answer.any = receive_ ? in_.pull(answer.in) : out_.pull(answer.out);
  asking_ = false;
  return answer;
}

void SpiController::open_piece() {
  piece_ = Piece::data;
  source_ = ahead_->out.data;
  destination_ = ahead_->in.data;
  piece_left_ = receive_ ? ahead_->in.size : ahead_->out.size;
  ahead_.reset();
}

void SpiController::open_chunk() {
  chunk_left_ = std::min(piece_left_, costs_.chunk_bytes);
  chunk_done_ = 0;
}

// While the stream was asked the wire went on: clocks the bytes that have ended by now.
void SpiController::catch_up() {
  Picoseconds beside = time_.now() - wire_begin_;
  if (even_byte_time_.count > 0 && wires_are_clean()) {
    const std::int64_t ended = std::min<std::int64_t>(chunk_left_, beside.count / even_byte_time_.count);
    beside -= even_byte_time_ * ended;
    move_bytes(false, static_cast<std::uint32_t>(ended));
  } else {
    while (chunk_left_ > 0 && byte_time(chunk_done_) <= beside) {
      beside -= byte_time(chunk_done_);
      move_byte(false);
    }
  }
  wire_begin_ = time_.now() - beside;
  if (chunk_left_ > 0) flown_ = beside;
}

// Lets the byte in flight pass, or what is left of it.
void SpiController::shift() {
  const Picoseconds left = byte_time(chunk_done_) - flown_;
  flown_ = {};
  shifting_ = true;
  time_.pass(left, costs_.cpu_moves_bytes ? BusTime::wire : BusTime::dma);
  shifting_ = false;
}

void SpiController::move_byte(bool receiving) {
  const std::uint8_t in = receiving ? std::uint8_t{0} : static_cast<std::uint8_t>(*source_);
  const std::uint8_t out = exchange(in, receiving);
  if (receiving) {
    *destination_++ = static_cast<std::byte>(out);
  } else {
    ++source_;
  }
  if (piece_ == Piece::data) {
    ++counters_.data_bytes;
    ++data_in_transaction_;
  }
  ++chunk_done_;
  --chunk_left_;
  --piece_left_;
}

// What shift() and move_byte() do for each byte that is left of the chunk.
void SpiController::move_chunk(bool receiving) {
  if (chunk_left_ == 0) return;
  const Picoseconds left = bytes_time(chunk_done_, chunk_left_) - flown_;
  flown_ = {};
  time_.pass(left, costs_.cpu_moves_bytes ? BusTime::wire : BusTime::dma);
  move_bytes(receiving, chunk_left_);
}

// What move_byte() does for each of so many, on wires without errors.
void SpiController::move_bytes(bool receiving, std::uint32_t bytes) {
  assert(bytes <= chunk_left_ && wires_are_clean());
  if (receiving) {
    chip_.clock_bytes_out({reinterpret_cast<std::uint8_t*>(destination_), bytes});
    destination_ += bytes;
  } else {
    chip_.clock_bytes_in({reinterpret_cast<const std::uint8_t*>(source_), bytes});
    source_ += bytes;
  }
  if (piece_ == Piece::data) {
    counters_.data_bytes += bytes;
    data_in_transaction_ += bytes;
  }
  chunk_done_ += bytes;
  chunk_left_ -= bytes;
  piece_left_ -= bytes;
}

// What a byte that is sent is at the part, or what one that is received is at the controller.
std::uint8_t SpiController::exchange(std::uint8_t in, bool receiving) {
  constexpr std::uint8_t kNobodyDrives = 0xFF;
  if (faults_ != nullptr && !receiving && piece_ == Piece::data) faults_->means(in);
  if (lost_) return kNobodyDrives;
  if (faults_ == nullptr) return chip_.clock_byte(in);
  if (receiving) return faults_->receive(chip_.clock_byte(in));
  return chip_.clock_byte(piece_ == Piece::command ? faults_->send_command(in) : faults_->send(in));
}

void SpiController::time_out() {
  time_.storage_selected(false);
  active_ = false;
  selected_ = false;
  ++counters_.timed_out;
}

void SpiController::finish() {
  chip_.deselect(time_.now());
  time_.storage_selected(false);
  active_ = false;
  selected_ = false;
  ++counters_.transactions;
  if (data_in_transaction_ > 0) ++counters_.transfers;
}

void SpiController::abort() {
  if (!active_) return;
  const bool asking = asking_;
  catch_up_with_wire();
  asking_ = false;
  const std::uint64_t data_bytes = counters_.data_bytes;
  if (costs_.abort_granularity == AbortGranularity::transfer && !asking) {
    run(false);
  } else if (costs_.abort_granularity != AbortGranularity::byte && selected_) {
    // What the FIFO holds runs out on the wire, the byte in flight once more in full; beside a stream that
    // was being asked, what is left of it.
    const bool receiving = piece_ == Piece::data && receive_;
    while (chunk_left_ > 0) {
      shift();
      move_byte(receiving);
    }
  }
  // Bytes of the transfer that was stopped are not those of whoever stopped it.
  counters_.drained_bytes += counters_.data_bytes - data_bytes;
  counters_.data_bytes = data_bytes;
  if (active_) {
    if (selected_) {
      if (!lost_) chip_.deselect(time_.now());
      time_.storage_selected(false);
    }
    active_ = false;
    selected_ = false;
    ++counters_.aborted;
  }
  ++id_;
  drive(costs_.abort_cost);
}

void SpiController::settle() {
  catch_up_with_wire();
  const bool in_flight = shifting_ || (asking_ && chunk_left_ > 0);
  if (active_ && in_flight && !lost_) chip_.cut_byte();
}

void SpiController::reset() {
  assert((!asking_ || chip_.powered()) && "what has been clocked in by now still has to reach the chip");
  settle();
  shifting_ = false;
  asking_ = false;
  active_ = false;
  selected_ = false;
  ++id_;
}

// Differences of rounded totals, so that a clock that does not divide a second loses nothing over a chunk.
Picoseconds SpiController::bytes_time(std::uint32_t index, std::uint32_t bytes) const {
  if (even_byte_time_.count > 0) return even_byte_time_ * static_cast<std::int64_t>(bytes);
  return devices::cycles_at(8ULL * (std::uint64_t{index} + bytes), sck_hz_) -
         devices::cycles_at(8ULL * index, sck_hz_);
}

}  // namespace brownout::sim
