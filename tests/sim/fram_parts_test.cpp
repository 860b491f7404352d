// Each part of the catalogue behind the bus: driver, controller and machine, against its record; what a run
// says of wear and of a clock that is too fast.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "heap/storage/spi_fram.hpp"
#include "sim/machine/outage_plan.hpp"
#include "sim/machine/spi_controller.hpp"
#include "sim/report/report.hpp"
#include "sim/report/storage_outlook.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

using devices::FramChip;
using devices::FramPart;
using heap::Error;
using ::testing::HasSubstr;

// The real driver on the simulated bus. Nothing but bits takes time.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and nobody holds it as a Timekeeper
class Board final : public Timekeeper {
 public:
  explicit Board(const FramPart& part) : chip(part), bus_(costs(), part.max_sck_hz, chip, *this) {
    chip.power_on({});
  }

  // Platform
  void charge(heap::Work, std::uint32_t) {}
  void enter_critical() {}
  void exit_critical() {}
  static std::uint32_t power_epoch() { return 0; }
  void wait_since_power_on(std::uint32_t us) {
    if (waits) time = std::max(time, devices::microseconds(us));
  }

  // SpiBus
  void begin_send(heap::ConstBytes command, heap::OutStream data) { bus_.begin_send(command, data); }
  void begin_receive(heap::ConstBytes command, heap::InStream data) { bus_.begin_receive(command, data); }
  heap::TransferState poll() { return bus_.poll(); }
  void abort() { bus_.abort(); }

  // Timekeeper
  void pass(Picoseconds span, BusTime spent_on) override {
    (void)spent_on;
    time += span;
  }
  void storage_selected(bool /*selected*/) override {}
  [[nodiscard]] Picoseconds now() const override { return time; }

  static devices::TransferCosts costs() {
    devices::TransferCosts costs;
    costs.chunk_bytes = 64;
    return costs;
  }
  static heap::SpiFramConfig config_of(const FramPart& part) {
    Scenario scenario = small_scenario();
    scenario.storage.part = part;
    return image_of(scenario, {}, {}).storage;
  }

  FramChip chip;
  Picoseconds time;
  bool waits = true;

 private:
  SpiController bus_;
};

using Driver = heap::SpiFram<Board, Board>;

heap::Status write(Driver& driver, Board& board, std::uint32_t at, std::vector<std::byte> bytes) {
  return heap::write_confirmed(driver, board, at, {bytes.data(), static_cast<std::uint32_t>(bytes.size())});
}
std::vector<std::byte> read(Driver& driver, Board& board, std::uint32_t at, std::uint32_t size) {
  std::vector<std::byte> bytes(size);
  EXPECT_TRUE(heap::read_confirmed(driver, board, at, {bytes.data(), size}).ok());
  return bytes;
}
std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

std::vector<std::string> catalogue() {
  std::vector<std::string> names;
  for (const FramPart& part : devices::fram_parts()) {
    if (!part.is_mapped) names.push_back(part.name);
  }
  return names;
}

class PartOnTheBus : public ::testing::TestWithParam<std::string> {
 protected:
  const FramPart& part = *devices::find_fram_part(GetParam());
  Board board{part};
  Driver driver{board, board, Board::config_of(part)};
};

TEST_P(PartOnTheBus, StartsWhenItMayBeAccessedAndIsTheRightOne) {
  EXPECT_TRUE(driver.start().ok());
  EXPECT_GE(board.time, part.power_up.value);
  EXPECT_EQ(board.chip.violations(), devices::FramViolations{});
}

TEST_P(PartOnTheBus, ADriverThatDoesNotWaitIsCounted) {
  board.waits = false;
  static_cast<void>(driver.start());
  static_cast<void>(read(driver, board, 0, 1));
  EXPECT_GT(board.chip.violations().access_before_ready, 0U);
}

TEST_P(PartOnTheBus, AnotherIdentityIsTheWrongPart) {
  if (part.rdid.value.size == 0) return;
  FramPart other = part;
  other.rdid.value.bytes[part.rdid.value.size - 1] ^= 1;
  Board with_other(other);
  Driver looking(with_other, with_other, Board::config_of(part));
  EXPECT_EQ(looking.start().error(), Error::wrong_part);
}

TEST_P(PartOnTheBus, WritesAndReadsAndRollsOver) {
  ASSERT_TRUE(driver.start().ok());
  const std::uint32_t last = part.size_bytes - 1;
  EXPECT_TRUE(write(driver, board, last, bytes_of({1, 2, 3})).ok());
  EXPECT_EQ(read(driver, board, last, 4), bytes_of({1, 2, 3, 0}));
  EXPECT_EQ(read(driver, board, 0, 2), bytes_of({2, 3}));
  EXPECT_EQ(board.chip.violations(), devices::FramViolations{});
}

// WREN is one byte; WRITE and READ are opcode, address and data: eight periods of the highest clock each.
TEST_P(PartOnTheBus, TakesTheBitsOfOpcodeAddressAndData) {
  ASSERT_TRUE(driver.start().ok());
  const std::uint64_t command_bytes = 1 + part.address_bytes;
  Picoseconds begin = board.time;
  static_cast<void>(write(driver, board, 0, bytes_of({1, 2, 3, 4, 5})));
  EXPECT_EQ(board.time - begin, devices::cycles_at(8 * (1 + command_bytes + 5), part.max_sck_hz));
  begin = board.time;
  static_cast<void>(read(driver, board, 0, 7));
  EXPECT_EQ(board.time - begin, devices::cycles_at(8 * (command_bytes + 7), part.max_sck_hz));
}

TEST_P(PartOnTheBus, CarriesAHeapThroughOutages) {
  Scenario scenario = small_scenario();
  scenario.storage.part = part;
  scenario.heap.store_bytes = 4096;  // of a large part: formatting all of it takes more than a charge
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.pass) << name_of(result.stop_reason) << result.failure;
  EXPECT_GT(result.persisted, 10U);
  EXPECT_EQ(result.violations, devices::FramViolations{});
  EXPECT_GT(result.wear.accesses, 0U);
  EXPECT_TRUE(warnings_of(scenario).empty());
}

INSTANTIATE_TEST_SUITE_P(Catalogue, PartOnTheBus, ::testing::ValuesIn(catalogue()),
                         [](const auto& tested) { return tested.param; });

// A part behind a driver that knows nothing of it.
TEST(Planted, AProtectedPartIsFound) {
  Board board(*devices::find_fram_part("mb85rs64v"));
  Driver driver(board, board, Board::config_of(board.chip.part()));
  ASSERT_TRUE(driver.start().ok());
  board.chip.select(board.time);
  board.chip.clock_byte(0x06);
  board.chip.deselect(board.time);
  board.chip.select(board.time);
  board.chip.clock_byte(0x01);
  board.chip.clock_byte(0x0C);
  board.chip.deselect(board.time);
  EXPECT_TRUE(write(driver, board, 0, bytes_of({1, 2})).ok()) << "the bus hears nothing of it";
  EXPECT_EQ(read(driver, board, 0, 2), bytes_of({0, 0}));
  EXPECT_EQ(board.chip.violations().write_protected, 2U);
}

// Speaks to the machine's part between two operations, once.
class Stranger final : public OutagePlan {
 public:
  using Transactions = std::vector<std::vector<std::uint8_t>>;
  explicit Stranger(Transactions transactions) : transactions_(std::move(transactions)) {}
  void meet(const Machine& machine) { machine_ = &machine; }

  Strike at(Point point) override {
    if (point.kind != PointKind::operation || ++operations_ != 3) return Strike::none;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): sabotage
    auto& chip = const_cast<FramChip&>(machine_->fram());
    for (const auto& transaction : transactions_) {
      // An empty one is an access before the part is ready.
      chip.select(transaction.empty() ? Picoseconds{} : seconds(1000));
      for (const std::uint8_t byte : transaction) chip.clock_byte(byte);
      chip.deselect(seconds(1000));
    }
    return Strike::none;
  }

 private:
  Transactions transactions_;
  const Machine* machine_ = nullptr;
  std::uint64_t operations_ = 0;
};

// Planted: each kind of misuse, none of which changes a byte. Nothing but its counter tells.
TEST(Planted, MisuseThatChangesNothingIsFound) {
  const auto failure_after = [](Stranger::Transactions transactions) {
    Scenario scenario = small_scenario();
    scenario.stop = {{}, 8};
    Stranger stranger(std::move(transactions));
    RunOptions options;
    options.plan = &stranger;
    Ledger ledger;
    Machine machine(scenario, open_source(scenario), ledger, options);
    stranger.meet(machine);
    return machine.run().failure;
  };
  const std::string misused = "the FRAM was misused: ";
  EXPECT_EQ(failure_after({{0x05, 0}}), "") << "no misuse";
  EXPECT_THAT(failure_after({{0x02, 0, 0, 1}}), HasSubstr(misused + "1 writes without WEL, 0 acc"));
  EXPECT_THAT(failure_after({{}}), HasSubstr("1 accesses before t_PU"));
  EXPECT_THAT(failure_after({{0xB9}}), HasSubstr("1 opcodes")) << "an MB85RS64V has no SLEEP";
  EXPECT_THAT(failure_after({{0x06}, {0x01, 0x0C}, {0x06}, {0x02, 0, 0, 1}, {0x06}, {0x01, 0x00}}),
              HasSubstr("1 protected bytes"));
}

// --- what a report says ----------------------------------------------------------------------------

TEST(StorageReport, NamesTheHottestRowAndItsYears) {
  const Scenario scenario = small_scenario();
  RunResult result = run(scenario);
  result.wear = {64, 1000};
  result.simulated = seconds(10);  // 100 a second
  const auto years = years_of_wear(scenario, result);
  ASSERT_TRUE(years.has_value());
  EXPECT_NEAR(*years, 1e12 / 100 / (365.25 * 86'400), 1e-6 * *years);
  EXPECT_THAT(
      summary(scenario, result),
      HasSubstr("hottest row of 1 B at 64: 1000 accesses; 1e+12 of them last 317 years at this rate"));
  const auto report = nlohmann::json::parse(json_report(scenario, result));
  EXPECT_EQ(report["storage"]["wear"]["hottest_row_address"], 64);
  EXPECT_EQ(report["storage"]["wear"]["hottest_row_accesses"], 1000);
  EXPECT_EQ(report["storage"]["wear"]["years_at_this_rate"], *years);
  EXPECT_EQ(report["storage"]["faults"]["power_loss"], "discard");
  EXPECT_EQ(report["storage"]["misuse"]["write_without_wel"], 0);
  EXPECT_TRUE(report["warnings"].empty());

  result.wear = {};
  EXPECT_FALSE(years_of_wear(scenario, result).has_value());
}

TEST(StorageReport, WarnsOfAClockAboveThePartsHighest) {
  Scenario scenario = small_scenario();
  scenario.storage.sck_hz = 20'000'000;
  EXPECT_TRUE(warnings_of(scenario).empty());
  scenario.storage.sck_hz = 20'000'001;
  ASSERT_EQ(warnings_of(scenario).size(), 1U);
  const RunResult result = run(scenario);
  EXPECT_TRUE(result.pass) << result.failure;
  EXPECT_THAT(summary(scenario, result), HasSubstr("WARNING    storage.sck is 20 MHz, and mb85rs64v allows"));
  const auto report = nlohmann::json::parse(json_report(scenario, result));
  ASSERT_EQ(report["warnings"].size(), 1U);
  EXPECT_THAT(report["warnings"][0].get<std::string>(), HasSubstr("no figure holds for the real part"));
}

}  // namespace
}  // namespace brownout::sim::testing
