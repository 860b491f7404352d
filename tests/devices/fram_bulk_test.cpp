// Spans of bytes at once do to the chip what the same bytes do one by one; and what they overwrote can be
// undone.
#include <algorithm>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "devices/fram/fram_chip.hpp"
#include "devices/math/random.hpp"

namespace brownout::devices {
namespace {

auto all_of(const FramChip::Registers& r) {
  return std::make_tuple(r.ready_at.count, r.asleep_at.count, r.address, r.address_bytes_left,
                         r.identity_index, r.row, r.state, r.opcode, r.status, r.powered, r.asleep,
                         r.in_flight, r.below_min_vdd, r.write_protect_low);
}

// One chip byte by byte, one by spans, and the same chance for both.
class Pair {
 public:
  Pair(FramPart part, const FramFaults& faults, std::uint64_t seed)
      : random_(seed), bytes_(part, faults), spans_(part, faults), by_bytes_(bytes_), by_spans_(spans_) {
    for (std::uint32_t i = 0; i < part.size_bytes; ++i) {
      by_bytes_.memory()[i] = by_spans_.memory()[i] = static_cast<std::uint8_t>(random_.next());
    }
    original_.assign(by_bytes_.memory().begin(), by_bytes_.memory().end());
    by_bytes_.note_overwritten(&noted_by_bytes_);
    by_spans_.note_overwritten(&noted_by_spans_);
  }

  // What may happen to a chip, at random.
  void step() {
    now_ += microseconds(static_cast<std::int64_t>(random_.below(300)));
    switch (random_.below(12)) {
      case 0: both([&](FramChip& chip) { chip.power_off(); }); break;
      case 1: cut_byte(); break;
      case 2: {
        const bool low = random_.below(2) == 0;
        both([&](FramChip& chip) { chip.supply(low ? 0 : 3.3); });
        break;
      }
      default: transact();
    }
    if (!by_bytes_.powered()) both([&](FramChip& chip) { chip.power_on(now_); });
  }

  void expect_equal() {
    EXPECT_EQ(all_of(by_bytes_.registers()), all_of(by_spans_.registers()));
    EXPECT_TRUE(std::equal(by_bytes_.memory().begin(), by_bytes_.memory().end(), by_spans_.memory().begin()));
    EXPECT_EQ(by_bytes_.violations(), by_spans_.violations());
    EXPECT_EQ(by_bytes_.damage(), by_spans_.damage());
    EXPECT_EQ(by_bytes_.hottest_row().address, by_spans_.hottest_row().address);
    EXPECT_EQ(by_bytes_.hottest_row().accesses, by_spans_.hottest_row().accesses);
    EXPECT_TRUE(std::equal(noted_by_bytes_.bytes().begin(), noted_by_bytes_.bytes().end(),
                           noted_by_spans_.bytes().begin(), noted_by_spans_.bytes().end()));
    EXPECT_EQ(noted_by_bytes_.spans().size(), noted_by_spans_.spans().size());
    EXPECT_EQ(answers_[0], answers_[1]);
  }

  void expect_undone() {
    both([&](FramChip& chip) { chip.undo(&chip == &bytes_ ? noted_by_bytes_ : noted_by_spans_); });
    for (FramChip* chip : {&bytes_, &spans_}) {
      EXPECT_TRUE(std::equal(original_.begin(), original_.end(), chip->memory().begin()));
    }
    EXPECT_TRUE(noted_by_spans_.spans().empty());
    EXPECT_TRUE(noted_by_spans_.bytes().empty());
  }

  std::uint64_t bytes_written() { return noted_by_bytes_.bytes().size(); }
  std::uint64_t rolled_over() const { return rolled_over_; }

 private:
  template <class Do>
  void both(Do act) {
    act(by_bytes_);
    act(by_spans_);
  }

  void in(const std::vector<std::uint8_t>& bytes) {
    for (const std::uint8_t byte : bytes) by_bytes_.clock_byte(byte);
    by_spans_.clock_bytes_in(bytes);
  }
  void out(std::size_t size) {
    std::vector<std::uint8_t> one_by_one;
    for (std::size_t i = 0; i < size; ++i) one_by_one.push_back(by_bytes_.clock_byte(0));
    std::vector<std::uint8_t> at_once(size);
    by_spans_.clock_bytes_out(at_once);
    answers_[0].insert(answers_[0].end(), one_by_one.begin(), one_by_one.end());
    answers_[1].insert(answers_[1].end(), at_once.begin(), at_once.end());
  }

  void cut_byte() {
    both([&](FramChip& chip) { chip.select(now_); });
    in(command(random_.below(2) == 0 ? fram_opcode::kRead : fram_opcode::kWrite));
    both([&](FramChip& chip) {
      chip.cut_byte();
      chip.power_off();
    });
  }

  // An opcode, known or not, and spans in and out as they come, more than the opcode wants or less.
  void transact() {
    constexpr std::uint8_t kOpcodes[] = {fram_opcode::kRead,
                                         fram_opcode::kWrite,
                                         fram_opcode::kWrite,
                                         fram_opcode::kWren,
                                         fram_opcode::kWren,
                                         fram_opcode::kWren,
                                         fram_opcode::kWrdi,
                                         fram_opcode::kWrsr,
                                         fram_opcode::kRdsr,
                                         fram_opcode::kRdid,
                                         fram_opcode::kFstrd,
                                         fram_opcode::kSleep,
                                         0xEE};
    const std::uint8_t opcode = kOpcodes[random_.below(std::size(kOpcodes))];
    both([&](FramChip& chip) { chip.select(now_); });
    std::vector<std::uint8_t> begin = command(opcode);
    // Protected blocks are the exception.
    if (opcode == fram_opcode::kWrsr) begin.resize(1);
    begin.resize(begin.size() - random_.below(2) * random_.below(begin.size()));
    in(begin);
    for (std::uint64_t spans = random_.below(4); spans > 0; --spans) {
      const std::size_t size = random_.below(random_.below(4) == 0 ? 700 : 20);
      if (random_.below(2) == 0) {
        out(size);
        continue;
      }
      std::vector<std::uint8_t> bytes(size);
      for (std::uint8_t& byte : bytes) {
        byte = opcode == fram_opcode::kWrsr && random_.below(3) > 0
                   ? std::uint8_t{0}
                   : static_cast<std::uint8_t>(random_.next());
      }
      in(bytes);
    }
    both([&](FramChip& chip) { chip.deselect(now_); });
  }

  std::vector<std::uint8_t> command(std::uint8_t opcode) {
    const FramPart& part = by_bytes_.part();
    const std::uint32_t near_the_end = part.size_bytes - 1 - static_cast<std::uint32_t>(random_.below(30));
    const bool rolls = random_.below(2) == 0;
    const std::uint32_t address = rolls ? near_the_end : static_cast<std::uint32_t>(random_.next());
    rolled_over_ += rolls ? 1 : 0;
    std::vector<std::uint8_t> bytes = {opcode};
    for (std::uint32_t i = part.address_bytes; i-- > 0;) {
      bytes.push_back(static_cast<std::uint8_t>(address >> 8U * i));
    }
    return bytes;
  }

  SplitMix64 random_;
  FramChip bytes_;
  FramChip spans_;
  FramChip& by_bytes_;
  FramChip& by_spans_;
  FramOverwritten noted_by_bytes_;
  FramOverwritten noted_by_spans_;
  std::vector<std::uint8_t> original_;
  std::vector<std::uint8_t> answers_[2];
  Picoseconds now_;
  std::uint64_t rolled_over_ = 0;
};

TEST(FramBulk, SpansDoWhatTheirBytesDo) {
  std::uint64_t seed = 1;
  for (const char* name : {"mb85rs64v", "mb85rs4mt", "fm25v02a", "cy15b104q"}) {
    const FramPart* known = find_fram_part(name);
    if (known == nullptr) continue;
    FramPart part = *known;
    part.size_bytes.value = 1024;  // small, so that everything is met
    part.row_bytes.value = 16;
    for (const FramFault fault : {FramFault::discard, FramFault::garbage_in_flight,
                                  FramFault::garbage_below_min_vdd, FramFault::row_lost}) {
      Pair pair(part, {fault, seed}, seed);
      ++seed;
      for (int step = 0; step < 5'000; ++step) pair.step();
      SCOPED_TRACE(name);
      pair.expect_equal();
      EXPECT_GT(pair.bytes_written(), 1'500U);
      EXPECT_GT(pair.rolled_over(), 1'000U);
      pair.expect_undone();
    }
  }
}

// Neighbours that are overwritten twice come back as they were at first, not as they were in between.
TEST(FramBulk, UndoGoesBackwards) {
  FramChip chip(*find_fram_part("mb85rs64v"));
  FramOverwritten notes;
  chip.note_overwritten(&notes);
  chip.power_on(Picoseconds{} - chip.part().power_up.value);
  const auto write = [&](std::uint8_t address, const std::vector<std::uint8_t>& data) {
    chip.select({});
    chip.clock_byte(fram_opcode::kWren);
    chip.deselect({});
    chip.select({});
    for (const std::uint8_t byte : {fram_opcode::kWrite, std::uint8_t{0}, address}) chip.clock_byte(byte);
    chip.clock_bytes_in(data);
    chip.deselect({});
  };
  write(10, {1, 2, 3});
  write(13, {4});  // joins the span before it
  write(11, {7, 8});
  ASSERT_EQ(notes.spans().size(), 2U);
  EXPECT_EQ(notes.spans()[0].size_bytes, 4U);
  EXPECT_EQ(chip.memory()[11], 7);
  chip.undo(notes);
  for (const std::uint8_t byte : chip.memory()) EXPECT_EQ(byte, 0);
  write(10, {9});
  EXPECT_EQ(notes.spans().size(), 1U);
  chip.note_overwritten(nullptr);
  write(20, {9});
  EXPECT_EQ(notes.spans().size(), 1U);
}

}  // namespace
}  // namespace brownout::devices
