// The controller alone: what it does to the chip and to the clock, and how it can be stopped.
#include "sim/machine/spi_controller.hpp"

#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace brownout::sim {
namespace {

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and nobody holds it as a Timekeeper
class Clock final : public Timekeeper {
 public:
  void pass(Picoseconds span, BusTime) override {
    time += span;
    if (during_pass) during_pass();
  }
  void storage_selected(bool selected) override { selects += selected ? 1 : 0; }
  [[nodiscard]] Picoseconds now() const override { return time; }

  Picoseconds time;
  int selects = 0;
  std::function<void()> during_pass;
};

devices::TransferCosts costs(devices::AbortGranularity granularity) {
  devices::TransferCosts c;
  c.chunk_bytes = 8;
  c.setup_send = devices::microseconds(10);
  c.setup_receive = devices::microseconds(20);
  c.handover_send = devices::microseconds(1);
  c.handover_receive = devices::microseconds(2);
  c.copy_send_per_byte = devices::nanoseconds(100);
  c.copy_receive_per_byte = devices::nanoseconds(200);
  c.abort_granularity = granularity;
  c.abort_cost = devices::microseconds(3);
  return c;
}

struct Board {
  explicit Board(devices::AbortGranularity granularity = devices::AbortGranularity::byte)
      : chip(*devices::find_fram_part("mb85rs64v")), bus(costs(granularity), 8'000'000, chip, clock) {
    chip.power_on({});
    clock.time = chip.part().power_up;
  }
  void write_enable() {
    const std::byte wren[] = {std::byte{6}};
    bus.begin_send({wren, 1}, {});
    EXPECT_EQ(bus.poll(), heap::TransferState::done);
  }
  heap::TransferState write(const std::vector<std::byte>& data) {
    const std::byte command[] = {std::byte{2}, std::byte{0}, std::byte{0}};
    heap::SinglePiece<heap::ConstBytes> piece({data.data(), static_cast<std::uint32_t>(data.size())});
    bus.begin_send({command, 3}, piece.stream());
    return bus.poll();
  }

  Clock clock;
  devices::FramChip chip;
  SpiController bus;
};

TEST(SpiController, ChargesSetUpChunksCopiesAndBits) {
  Board board;
  board.write_enable();
  const Picoseconds begin = board.clock.time;
  ASSERT_EQ(board.write(std::vector<std::byte>(20, std::byte{5})), heap::TransferState::done);
  // 10 us set-up, 1 + 3 hand-overs, 23 bytes of 1 us on the wire and 0.1 us of copying.
  EXPECT_EQ((board.clock.time - begin).count, 10'000'000 + 4 * 1'000'000 + 23 * 1'100'000);
  EXPECT_EQ(board.chip.memory()[19], 5);
  EXPECT_EQ(board.bus.counters().data_bytes, 20U);
  EXPECT_EQ(board.clock.selects, 2);
}

TEST(SpiController, PollWithoutATransferIsNone) {
  Board board;
  EXPECT_EQ(board.bus.poll(), heap::TransferState::none);
}

// Stops the write at each span of time that it lets pass.
int bytes_written_when_stopped_at(devices::AbortGranularity granularity, int stop_at) {
  Board board(granularity);
  board.write_enable();
  int spans = 0;
  bool stopping = false;
  board.clock.during_pass = [&] {
    if (stopping || ++spans != stop_at) return;
    stopping = true;
    board.bus.abort();
  };
  const heap::TransferState state = board.write(std::vector<std::byte>(20, std::byte{5}));
  EXPECT_EQ(state, stopping ? heap::TransferState::none : heap::TransferState::done);
  int written = 0;
  while (board.chip.memory()[static_cast<std::size_t>(written)] == 5) ++written;
  EXPECT_EQ(board.chip.memory()[static_cast<std::size_t>(written)], 0) << "only a prefix may be written";
  return written;
}

TEST(SpiController, AbortAtAByteLosesThatByteOnly) {
  // Spans: set-up, hand-over, 3 command bytes, hand-over, then 8 data bytes.
  EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::byte, 1), 0);
  EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::byte, 7), 0);
  EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::byte, 8), 1);
  EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::byte, 14), 7);
}

TEST(SpiController, AbortAtAChunkLetsTheFifoRunOut) {
  EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::chunk, 1), 0);
  EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::chunk, 4), 0) << "in the command";
  EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::chunk, 8), 8);
  EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::chunk, 17), 16);
}

TEST(SpiController, AbortOfATransferWaitsForItsEnd) {
  for (const int at : {1, 4, 8, 20}) {
    EXPECT_EQ(bytes_written_when_stopped_at(devices::AbortGranularity::transfer, at), 20) << at;
  }
}

TEST(SpiController, ClockThatDoesNotDivideLosesNothing) {
  Clock clock;
  devices::FramChip chip(*devices::find_fram_part("mb85rs64v"));
  chip.power_on({});
  clock.time = chip.part().power_up;
  devices::TransferCosts none;
  none.chunk_bytes = 4092;
  SpiController bus(none, 11'428'571, chip, clock);
  const std::byte command[] = {std::byte{3}, std::byte{0}, std::byte{0}};
  std::vector<std::byte> data(4000);
  heap::SinglePiece<heap::MutableBytes> piece({data.data(), 4000});
  const Picoseconds begin = clock.time;
  bus.begin_receive({command, 3}, piece.stream());
  ASSERT_EQ(bus.poll(), heap::TransferState::done);
  EXPECT_EQ(clock.time - begin,
            devices::cycles_at(8 * 3, 11'428'571) + devices::cycles_at(8 * 4000, 11'428'571));
}

}  // namespace
}  // namespace brownout::sim
