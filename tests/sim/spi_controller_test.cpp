// The controller alone: what it does to the chip and to the clock, and how it can be stopped.
#include "sim/machine/spi_controller.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace brownout::sim {
namespace {

// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and nobody holds it as a Timekeeper
class Clock final : public Timekeeper {
 public:
  void pass(Picoseconds span, BusTime spent_on) override {
    if (spent_on == BusTime::dma) by_dma.push_back(span);
    let_pass(span);
    if (during_pass) during_pass();
  }
  void storage_selected(bool selected) override { selects += selected ? 1 : 0; }
  [[nodiscard]] Picoseconds now() const override { return time; }

  [[nodiscard]] bool is_undisturbed(Picoseconds) const override { return undisturbed; }

  void let_pass(Picoseconds span) {
    if (!frozen) time += span;
  }

  Picoseconds time;
  bool frozen = false;
  bool undisturbed = false;
  std::vector<Picoseconds> by_dma;
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

devices::TransferCosts dma_costs(devices::AbortGranularity granularity) {
  devices::TransferCosts c = costs(granularity);
  c.chunk_bytes = 64;
  c.cpu_moves_bytes = false;
  return c;
}

struct Board {
  explicit Board(devices::AbortGranularity granularity = devices::AbortGranularity::byte)
      : Board(costs(granularity)) {}
  explicit Board(const devices::TransferCosts& bus_costs, std::uint64_t sck_hz = 8'000'000)
      : chip(*devices::find_fram_part("mb85rs64v")), bus(bus_costs, sck_hz, chip, clock) {
    chip.power_on({});
    clock.time = chip.part().power_up;
  }
  void write_enable() {
    const std::byte wren[] = {std::byte{6}};
    bus.begin_send({wren, 1}, {});
    EXPECT_EQ(bus.poll(), heap::TransferState::done);
  }
  heap::TransferState write(const std::vector<std::byte>& data) {
    heap::SinglePiece<heap::ConstBytes> piece({data.data(), static_cast<std::uint32_t>(data.size())});
    return write(piece.stream());
  }
  heap::TransferState write(heap::OutStream stream, std::byte address = std::byte{0}) {
    const std::byte command[] = {std::byte{2}, std::byte{0}, address};
    bus.begin_send({command, 3}, stream);
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

// What nothing can strike passes chunk by chunk, and comes to the same: time, bytes, counters, and how often
// the chip was selected. Pieces of many sizes, written and read back, by each mode and a clock that does not
// divide.
TEST(SpiController, UndisturbedTransfersComeToTheSame) {
  for (const bool by_cpu : {true, false}) {
    for (const std::uint32_t chunk : {1U, 8U, 64U, 4092U}) {
      for (const std::uint64_t sck_hz : {8'000'000ULL, 11'428'571ULL}) {
        devices::TransferCosts c = costs(devices::AbortGranularity::byte);
        c.chunk_bytes = chunk;
        c.cpu_moves_bytes = by_cpu;
        c.cs_setup = devices::nanoseconds(7);
        c.cs_hold = devices::nanoseconds(9);
        Board each(c, sck_hz);
        Board undisturbed(c, sck_hz);
        undisturbed.clock.undisturbed = true;
        std::vector<std::byte> read[2];
        for (Board* board : {&each, &undisturbed}) {
          std::vector<std::byte>& back = read[board == &each ? 0 : 1];
          for (const std::uint32_t size : {1U, 7U, 8U, 9U, 64U, 200U}) {
            board->write_enable();
            std::vector<std::byte> data(size);
            for (std::uint32_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(size + i);
            EXPECT_EQ(board->write(data), heap::TransferState::done);
            std::vector<std::byte> piece_of(size + 3);
            heap::SinglePiece<heap::MutableBytes> piece({piece_of.data(), size + 3});
            const std::byte command[] = {std::byte{3}, std::byte{0x1F}, std::byte{0xFE}};  // rolls over
            board->bus.begin_receive({command, 3}, piece.stream());
            EXPECT_EQ(board->bus.poll(), heap::TransferState::done);
            back.insert(back.end(), piece_of.begin(), piece_of.end());
          }
        }
        EXPECT_EQ(each.clock.time, undisturbed.clock.time) << chunk << " " << sck_hz;
        EXPECT_EQ(each.clock.selects, undisturbed.clock.selects);
        EXPECT_EQ(read[0], read[1]);
        EXPECT_EQ(each.bus.counters().data_bytes, undisturbed.bus.counters().data_bytes);
        EXPECT_EQ(each.bus.counters().transactions, undisturbed.bus.counters().transactions);
        EXPECT_EQ(each.bus.counters().transfers, undisturbed.bus.counters().transfers);
        EXPECT_TRUE(std::equal(each.chip.memory().begin(), each.chip.memory().end(),
                               undisturbed.chip.memory().begin()));
        EXPECT_EQ(each.chip.hottest_row().accesses, undisturbed.chip.hottest_row().accesses);
      }
    }
  }
}

// --- pieces pulled ahead
// ------------------------------------------------------------------------------------

constexpr Picoseconds operator""_ns(unsigned long long n) {
  return devices::nanoseconds(static_cast<std::int64_t>(n));
}

// Pieces that cost the CPU time each, and the end of them too. They are made in two places in turn, which is
// what a driver that pulls one ahead may ask for.
class Worked {
 public:
  Worked(Clock& clock, std::vector<std::uint32_t> sizes, Picoseconds work)
      : clock_(clock), sizes_(std::move(sizes)), work_(work) {}

  heap::OutStream stream() { return {&Worked::next, this}; }
  // What lies in the store in the end.
  [[nodiscard]] std::vector<std::uint8_t> content() const {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      for (std::uint32_t k = 0; k < sizes_[i]; ++k) bytes.push_back(byte_of(i, k));
    }
    return bytes;
  }

  std::size_t asked = 0;
  // Strikes in the work for the piece `strike_in`, counted from zero, after that much of it.
  std::size_t strike_in = 1000;
  Picoseconds strike_after;
  std::function<void()> strike;

 private:
  static std::uint8_t byte_of(std::size_t piece, std::uint32_t index) {
    return static_cast<std::uint8_t>(1 + piece * 40 + index);
  }
  static bool next(void* state, heap::ConstBytes& piece) {
    auto& self = *static_cast<Worked*>(state);
    const std::size_t i = self.asked++;
    Picoseconds left = self.work_;
    if (i == self.strike_in) {
      self.clock_.let_pass(self.strike_after);
      left -= self.strike_after;
      self.strike();
    }
    self.clock_.let_pass(left);
    if (i >= self.sizes_.size()) return false;
    std::vector<std::byte>& place = self.places_[i % 2];
    place.assign(place.size(), std::byte{0xEE});
    place.resize(64);
    for (std::uint32_t k = 0; k < self.sizes_[i]; ++k) place[k] = std::byte{byte_of(i, k)};
    piece = {place.data(), self.sizes_[i]};
    return true;
  }

  Clock& clock_;
  std::vector<std::uint32_t> sizes_;
  Picoseconds work_;
  std::array<std::vector<std::byte>, 2> places_;
};

const std::vector<std::uint32_t> kSizes = {20, 3, 0, 7, 40};

bool holds(const Board& board, const std::vector<std::uint8_t>& content) {
  return std::equal(content.begin(), content.end(), board.chip.memory().begin());
}

TEST(SpiControllerDma, WorkForTheNextPieceRunsBesideTheWire) {
  for (const Picoseconds work : {0_ns, 1_ns, 2'500_ns, 7'000_ns, 7'001_ns, 100'000_ns}) {
    Board board(dma_costs(devices::AbortGranularity::byte));
    board.write_enable();
    Worked pieces(board.clock, kSizes, work);
    const Picoseconds begin = board.clock.time;
    ASSERT_EQ(board.write(pieces.stream()), heap::TransferState::done);
    // Set-up, then the command and the pieces: hand-over, copying, and bits or work, whichever takes longer.
    // Nothing is on the wire beside what follows an empty piece.
    Picoseconds expected = 10'000_ns;
    for (const std::int64_t bytes : {3, 20, 3, 7, 40})
      expected += 1'000_ns + 100_ns * bytes + std::max(1'000_ns * bytes, work);
    expected += work;
    EXPECT_EQ((board.clock.time - begin).count, expected.count) << work.count;
    EXPECT_EQ(pieces.asked, kSizes.size() + 1) << "each piece once, and the end";
    EXPECT_TRUE(holds(board, pieces.content())) << work.count;
    EXPECT_EQ(board.bus.counters().data_bytes, 70U);
    EXPECT_EQ(board.bus.counters().transfers, 1U);
  }
}

TEST(SpiControllerDma, TheLastChunkOfAPieceHasTheNextOneBesideIt) {
  devices::TransferCosts chunks = dma_costs(devices::AbortGranularity::byte);
  chunks.chunk_bytes = 8;
  Board board(chunks);
  board.write_enable();
  Worked pieces(board.clock, {20, 16}, 6'000_ns);
  const Picoseconds begin = board.clock.time;
  ASSERT_EQ(board.write(pieces.stream()), heap::TransferState::done);
  // Hand-overs of the command and of 3 + 2 chunks; on the wire 3, 8 + 8 + 4 and 8 + 8 bytes.
  const Picoseconds beside = 6'000_ns + 16'000_ns + 6'000_ns + 8'000_ns + 8'000_ns;
  EXPECT_EQ((board.clock.time - begin).count, (10'000_ns + 6'000_ns + 3'900_ns + beside).count);
  EXPECT_TRUE(holds(board, pieces.content()));
}

// A FIFO that the CPU feeds has no wire beside it: the sum of all.
TEST(SpiControllerDma, WhereTheCpuMovesBytesWorkAddsUp) {
  devices::TransferCosts fed = dma_costs(devices::AbortGranularity::byte);
  fed.cpu_moves_bytes = true;
  for (const Picoseconds work : {0_ns, 2'500_ns, 100'000_ns}) {
    Board board(fed);
    board.write_enable();
    Worked pieces(board.clock, kSizes, work);
    const Picoseconds begin = board.clock.time;
    ASSERT_EQ(board.write(pieces.stream()), heap::TransferState::done);
    const Picoseconds expected = 10'000_ns + 1'000_ns * 5 + 1'100_ns * 73 + work * 6;
    EXPECT_EQ((board.clock.time - begin).count, expected.count) << work.count;
    EXPECT_EQ(pieces.asked, kSizes.size() + 1);

    Board by_dma(dma_costs(devices::AbortGranularity::byte));
    by_dma.write_enable();
    Worked again(by_dma.clock, kSizes, work);
    ASSERT_EQ(by_dma.write(again.stream()), heap::TransferState::done);
    EXPECT_TRUE(
        std::equal(board.chip.memory().begin(), board.chip.memory().end(), by_dma.chip.memory().begin()));
    EXPECT_EQ(board.bus.counters().data_bytes, by_dma.bus.counters().data_bytes);
  }
}

TEST(SpiControllerDma, OnePieceTakesWhatItTakesInAFifo) {
  devices::TransferCosts fed = dma_costs(devices::AbortGranularity::byte);
  fed.cpu_moves_bytes = true;
  Picoseconds taken[2];
  for (const bool dma : {false, true}) {
    Board board(dma ? dma_costs(devices::AbortGranularity::byte) : fed);
    board.write_enable();
    const Picoseconds begin = board.clock.time;
    ASSERT_EQ(board.write(std::vector<std::byte>(200, std::byte{5})), heap::TransferState::done);
    taken[dma ? 1 : 0] = board.clock.time - begin;
  }
  EXPECT_EQ(taken[0], taken[1]);
}

// What the work leaves of the wire passes byte by byte: each is a place where power may fail.
TEST(SpiControllerDma, TheRestOfTheWirePassesByteByByte) {
  Board board(dma_costs(devices::AbortGranularity::byte));
  board.write_enable();
  Worked pieces(board.clock, {20}, 2'500_ns);
  board.clock.by_dma.clear();
  ASSERT_EQ(board.write(pieces.stream()), heap::TransferState::done);
  // 0.5 us of the third byte of the command; 0.5 us and 17 bytes of the piece.
  std::vector<Picoseconds> expected(19, 1'000_ns);
  expected[0] = expected[1] = 500_ns;
  EXPECT_EQ(board.clock.by_dma, expected);
}

TEST(SpiControllerDma, ClockThatDoesNotDivideLosesNothing) {
  constexpr std::uint64_t kSck = 11'428'571;
  devices::TransferCosts none;
  none.chunk_bytes = 4092;
  none.cpu_moves_bytes = false;
  for (const Picoseconds work : {0_ns, 1_ns, 699_ns, 700_ns, 701_ns, 13'999_ns, 14'001_ns, 50'000_ns}) {
    Board board(none, kSck);
    board.write_enable();
    Worked pieces(board.clock, {20, 61}, work);
    const Picoseconds begin = board.clock.time;
    ASSERT_EQ(board.write(pieces.stream()), heap::TransferState::done);
    Picoseconds expected;
    for (const std::uint64_t bytes : {3U, 20U, 61U}) {
      expected += std::max(devices::cycles_at(8 * bytes, kSck), work);
    }
    EXPECT_EQ((board.clock.time - begin).count, expected.count) << work.count;
    EXPECT_TRUE(holds(board, pieces.content()));
  }
}

// The piece of 20 bytes is on the wire, and the CPU at work for the next one, when something strikes.
struct Struck {
  std::uint32_t written = 0;
  std::uint64_t bytes_cut = 0;  // in flight as power failed
  Picoseconds time;  // from when the piece was handed over to when poll() returned or the power was gone
  BusCounters counters;
};
Struck strike(devices::AbortGranularity granularity, Picoseconds after, bool power_cut) {
  Board board(dma_costs(granularity));
  board.write_enable();
  Worked pieces(board.clock, {20, 10}, 30'000_ns);
  pieces.strike_in = 1;
  pieces.strike_after = after;
  Picoseconds ended;
  pieces.strike = [&] {
    if (power_cut) {
      board.bus.reset();
      board.chip.power_off();
    } else {
      board.bus.abort();
    }
    ended = board.clock.time;
  };
  const BusCounters before = board.bus.counters();
  // Set-up, the command with the first piece's work beside it, the hand-over.
  const Picoseconds handed_over = board.clock.time + 10'000_ns + 1'300_ns + 30'000_ns + 3'000_ns;
  EXPECT_EQ(board.write(pieces.stream()), heap::TransferState::none);
  EXPECT_EQ(pieces.asked, 2U) << "the stream was touched after the transfer was gone";
  EXPECT_EQ(board.bus.poll(), heap::TransferState::none);
  Struck result;
  const std::vector<std::uint8_t> content = pieces.content();
  while (board.chip.memory()[result.written] == content[result.written]) ++result.written;
  for (std::size_t i = result.written; i < 100; ++i) {
    EXPECT_EQ(board.chip.memory()[i], 0) << "only a prefix may be written";
  }
  result.bytes_cut = board.chip.damage().bytes_cut;
  result.time = ended - handed_over;
  result.counters = board.bus.counters();
  result.counters.transactions -= before.transactions;
  return result;
}

TEST(SpiControllerDma, APowerCutBesideTheWireLeavesWhatWasClockedIn) {
  for (Picoseconds after; after <= 30'000_ns; after += 250_ns) {
    const Struck cut = strike(devices::AbortGranularity::byte, after, true);
    EXPECT_EQ(cut.written, std::min<std::int64_t>(20, after.count / 1'000'000)) << after.count;
    EXPECT_EQ(cut.bytes_cut, cut.written < 20 ? 1U : 0U) << after.count;
    EXPECT_EQ(cut.counters.data_bytes, cut.written);
    EXPECT_EQ(cut.counters.transactions, 0U);
  }
}

TEST(SpiControllerDma, AnAbortBesideTheWireIsAsFineAsTheProfileAllows) {
  constexpr Picoseconds kAbortCost = 3'000_ns;
  for (Picoseconds after; after <= 30'000_ns; after += 250_ns) {
    const auto clocked = static_cast<std::uint32_t>(std::min<std::int64_t>(20, after.count / 1'000'000));
    const Struck at_once = strike(devices::AbortGranularity::byte, after, false);
    EXPECT_EQ(at_once.written, clocked) << after.count;
    EXPECT_EQ(at_once.time, after + kAbortCost) << after.count;
    EXPECT_EQ(at_once.counters.aborted, 1U);
    EXPECT_EQ(at_once.counters.data_bytes, clocked);
    EXPECT_EQ(at_once.counters.drained_bytes, 0U);
    // The stream is just being asked: a controller that stops at the end of a transfer has none of what
    // follows.
    for (const auto granularity : {devices::AbortGranularity::chunk, devices::AbortGranularity::transfer}) {
      const Struck drained = strike(granularity, after, false);
      EXPECT_EQ(drained.written, 20U) << after.count;
      EXPECT_EQ(drained.time, std::max(after, 20'000_ns) + kAbortCost) << after.count;
      EXPECT_EQ(drained.counters.aborted, 1U);
      EXPECT_EQ(drained.counters.data_bytes, clocked);
      EXPECT_EQ(drained.counters.drained_bytes, 20 - clocked);
    }
  }
}

// With the piece after it pulled already, the rest of a transfer goes out in full.
TEST(SpiControllerDma, AbortOfATransferSendsWhatWasPulledAhead) {
  for (std::size_t at = 1; at < 60; ++at) {
    Board board(dma_costs(devices::AbortGranularity::transfer));
    board.write_enable();
    Worked pieces(board.clock, kSizes, 1'500_ns);
    std::size_t spans = 0;
    board.clock.during_pass = [&] {
      if (++spans == at) board.bus.abort();
    };
    EXPECT_EQ(board.write(pieces.stream()), heap::TransferState::none);
    EXPECT_EQ(pieces.asked, kSizes.size() + 1) << at;
    EXPECT_TRUE(holds(board, pieces.content())) << at;
  }
}

// What a persist does when it strikes in the stream of a write.
TEST(SpiControllerDma, TheBusIsFreeForWhoStrikesInAStream) {
  Board board(dma_costs(devices::AbortGranularity::byte));
  board.write_enable();
  Worked pieces(board.clock, {20, 10}, 30'000_ns);
  Worked image(board.clock, {20, 10}, 7'000_ns);
  pieces.strike_in = 1;
  pieces.strike_after = 4'200_ns;
  pieces.strike = [&] {
    board.bus.abort();
    board.write_enable();
    EXPECT_EQ(board.write(image.stream(), std::byte{100}), heap::TransferState::done);
  };
  EXPECT_EQ(board.write(pieces.stream()), heap::TransferState::none);
  EXPECT_EQ(pieces.asked, 2U);
  const std::vector<std::uint8_t> content = image.content();
  EXPECT_TRUE(std::equal(content.begin(), content.end(), board.chip.memory().begin() + 100));
  EXPECT_EQ(board.chip.memory()[3], content[3]);
  EXPECT_EQ(board.chip.memory()[4], 0);
  EXPECT_EQ(board.bus.counters().aborted, 1U);
  EXPECT_EQ(board.bus.counters().transfers, 1U);
  EXPECT_EQ(board.bus.counters().data_bytes, 34U);
}

// At the end of a run time stands still, and all goes on.
TEST(SpiControllerDma, AllIsSentWhileTimeStandsStill) {
  for (Picoseconds after; after <= 30'000_ns; after += 250_ns) {
    Board board(dma_costs(devices::AbortGranularity::byte));
    board.write_enable();
    Worked pieces(board.clock, kSizes, 30'000_ns);
    pieces.strike_in = 1;
    pieces.strike_after = after;
    pieces.strike = [&] { board.clock.frozen = true; };
    ASSERT_EQ(board.write(pieces.stream()), heap::TransferState::done);
    EXPECT_TRUE(holds(board, pieces.content()));
  }
}

TEST(SpiControllerDma, APieceToReadIntoIsFullBeforeTheNextIsAskedFor) {
  Board board(dma_costs(devices::AbortGranularity::byte));
  for (std::size_t i = 0; i < 30; ++i) board.chip.memory()[i] = static_cast<std::uint8_t>(i + 1);
  struct Pieces {
    static bool next(void* state, heap::MutableBytes& piece) {
      auto& self = *static_cast<Pieces*>(state);
      for (std::size_t i = 0; i < self.bytes.size(); ++i) {
        const std::size_t expected = i < self.asked * 10 ? i + 1 : 0;
        EXPECT_EQ(std::to_integer<std::size_t>(self.bytes[i]), expected) << "at piece " << self.asked;
      }
      if (self.asked == 3) return false;
      piece = {self.bytes.data() + 10 * self.asked++, 10};
      return true;
    }
    std::array<std::byte, 30> bytes{};
    std::size_t asked = 0;
  } pieces;
  const std::byte command[] = {std::byte{3}, std::byte{0}, std::byte{0}};
  board.bus.begin_receive({command, 3}, {&Pieces::next, &pieces});
  ASSERT_EQ(board.bus.poll(), heap::TransferState::done);
  EXPECT_EQ(pieces.asked, 3U);
}

TEST(SpiController, DelaysOfChipSelectCount) {
  devices::TransferCosts with_delays = costs(devices::AbortGranularity::byte);
  with_delays.cs_setup = devices::microseconds(4);
  with_delays.cs_hold = devices::microseconds(5);
  Board plain;
  Board delayed(with_delays);
  plain.write_enable();
  delayed.write_enable();
  EXPECT_EQ(delayed.clock.time - plain.clock.time, devices::microseconds(9));
}

// A transaction that is stopped after its last bit, before CS rises, is not complete, and its bytes are
// written.
TEST(SpiController, StoppedInTheHoldOfChipSelect) {
  devices::TransferCosts with_delays = costs(devices::AbortGranularity::byte);
  with_delays.cs_hold = devices::microseconds(5);
  Board board(with_delays);
  board.write_enable();
  const std::uint64_t completed = board.bus.counters().transactions;
  board.clock.during_pass = [&] {
    if (board.chip.memory()[1] != 5 || board.bus.counters().aborted > 0) return;
    board.bus.abort();
  };
  EXPECT_EQ(board.write({std::byte{5}, std::byte{5}}), heap::TransferState::none);
  EXPECT_EQ(board.bus.counters().transactions, completed);
  EXPECT_EQ(board.bus.counters().aborted, 1U);
}

// Against all products; 67 is prime and above 64, 1,024 the largest.
TEST(SckDivider, BeyondTheCounterThereAreProductsOnly) {
  const devices::SckDivider two = devices::find_spi_profile("esp32c3-baremetal")->divider;
  std::array<bool, 1025> reachable{};
  reachable[1] = true;
  for (std::size_t prescaler = 1; prescaler <= 16; ++prescaler) {
    for (std::size_t count = 2; count <= 64; ++count) reachable[prescaler * count] = true;
  }
  ASSERT_FALSE(reachable[67]);
  for (std::uint64_t divider = 1; divider <= 1024; ++divider) {
    const std::uint64_t wanted = (80'000'000 + divider - 1) / divider;
    std::uint64_t next = 1;
    while (!reachable[next] || next * wanted < 80'000'000) ++next;
    EXPECT_EQ(two.at_most(wanted, 1), 80'000'000 / next) << divider;
  }
  EXPECT_EQ(two.at_most(1'212'122, 1), 80'000'000U / 66);
  EXPECT_EQ(two.at_most(1'194'030, 1), 80'000'000U / 68);
  EXPECT_EQ(two.slowest(1), 78'125U);
  EXPECT_EQ(two.at_most(78'125, 1), 78'125U);
  EXPECT_EQ(two.at_most(78'124, 1), 0U);
}

TEST(SckDivider, MakesTheFastestClockThatIsNotTooFast) {
  const devices::SckDivider any = devices::find_spi_profile("esp32c3-zephyr")->divider;
  EXPECT_EQ(any.at_most(80'000'000, 1), 80'000'000U);
  EXPECT_EQ(any.at_most(40'000'000, 1), 40'000'000U);
  EXPECT_EQ(any.at_most(39'999'999, 1), 26'666'666U);
  EXPECT_EQ(any.at_most(20'000'000, 1), 20'000'000U);
  EXPECT_EQ(any.at_most(1'000'000'000, 1), 80'000'000U);
  const devices::SckDivider powers = devices::find_spi_profile("polled")->divider;
  EXPECT_EQ(powers.at_most(20'000'000, 16'000'000), 8'000'000U) << "by two at the least";
  EXPECT_EQ(powers.at_most(7'000'000, 16'000'000), 4'000'000U);
  EXPECT_EQ(powers.at_most(4'000'000, 16'000'000), 4'000'000U);
}

}  // namespace
}  // namespace brownout::sim
