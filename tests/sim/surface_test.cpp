// Ekho surfaces, and a source of IV curves on a capacitor.
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "bad_input/temp_folder.hpp"
#include "devices/math/elementary.hpp"
#include "devices/supply/iv_curve.hpp"
#include "devices/supply/reset_source.hpp"
#include "sim/machine/power_train.hpp"
#include "sim/trace/trace_source.hpp"
#include "test_scenario.hpp"

namespace brownout::sim::testing {
namespace {

const Location kNamedAt{"scenario.yaml", 4, 5};

class SurfaceTest : public bad_input::TempFolderTest {
 protected:
  std::unique_ptr<TraceSource> open(std::string_view text, TraceConfig config = {}) const {
    config.path = write(text, "s.csv");
    return open_trace(config, kNamedAt);
  }
  std::string error_of(std::string_view text, const TraceConfig& config = {}) const {
    return error_of_action([&] { open(text, config); });
  }
};

TEST_F(SurfaceTest, CountIsThatOfTheCurrentsOrItsExponent) {
  for (const std::string count : {"3", "1 # 2^1 + 1"}) {
    const auto source =
        open("# a panel\n" + count + "\n1, 3  # V\n\n0, 2e-3, 1e-3, -1e-4 # noon\n0.5,1e-3,0,0\n");
    EXPECT_EQ(source->stats().samples, 2U);
    EXPECT_EQ(source->stats().clamped, 1U);
    EXPECT_EQ(source->stats().duration, devices::milliseconds(1'000));
    const auto first = source->next();
    EXPECT_EQ(first->end, devices::milliseconds(500));
    EXPECT_TRUE(first->follows_board);
    EXPECT_NEAR(source->power_for({1.9995, false}).power_w, 2e-3, 1e-12);
    EXPECT_EQ(source->power_for({3.5, false}).power_w, 0);
  }
}

TEST_F(SurfaceTest, ScaleAndRepetition) {
  TraceConfig config;
  config.scale = 10;
  config.repeat = true;
  const auto source = open("2\n0,2\n0,1e-3,1e-3\n1,2e-3,2e-3\n", config);
  EXPECT_EQ(source->next()->power_w, 2e-2);
  EXPECT_NEAR(source->power_for({1, false}).power_w, 1.0005e-2, 1e-12);
  EXPECT_EQ(source->next()->power_w, 4e-2);
  EXPECT_EQ(source->next()->power_w, 2e-2);
}

TEST_F(SurfaceTest, WrongSurfacesAreRefusedAtTheirPlace) {
  const std::string head = "3\n0,2\n";
  EXPECT_EQ(error_of(head + "0,1,1,1\n1,1,1,1\n"), "no error");
  EXPECT_EQ(error_of(head + "0,1,1\n"),
            "s.csv:3:5: a curve of 2 currents; the count is 3, so there must be 3 or 2^3 + 1 = 9");
  EXPECT_EQ(error_of(head + "0,1,1,1\n1,1,1,1,1\n"),
            "s.csv:4:9: a curve of 4 currents; the curves before have 3");
  EXPECT_EQ(error_of("0\n0,2\n0,1\n"), "s.csv:1:1: a surface of \"0\" currents; there must be 2 to 4097");
  EXPECT_EQ(error_of("9999\n0,2\n0,1\n"),
            "s.csv:1:1: a surface of \"9999\" currents; there must be 2 to 4097");
  EXPECT_EQ(error_of("3\n"), "s.csv:1:1: the surface ends before its second line, `Vmin,Vmax`");
  EXPECT_EQ(error_of("3\n0,1,2\n"),
            "s.csv:2:1: 3 values where the second line of a surface has two, `Vmin,Vmax`");
  EXPECT_EQ(error_of("3\n2,1\n"),
            "s.csv:2:1: voltages from 2 V to 1 V; they must rise, from 0 V or above to at most 100 V");
  EXPECT_EQ(error_of("3\n0,x\n"), "s.csv:2:3: Vmax \"x\" is not a number");
  EXPECT_EQ(error_of(head), "s.csv:1:1: the trace has no samples");
  EXPECT_EQ(error_of(head + "0,1,y,1\n"), "s.csv:3:5: current \"y\" is not a number");
  EXPECT_EQ(error_of(head + "noon,1,1,1\n"), "s.csv:3:1: time \"noon\" is not a number");
  EXPECT_EQ(error_of(head + "0,1,1,1\n2,1,1,1\n1,1,1,1\n3,1,1,1\n"),
            "s.csv:5:1: time runs backwards, from 2 s to 1 s; `time: by_index` with `rate: 0.5 Hz` takes the "
            "samples as evenly spaced");
  EXPECT_EQ(error_of(head + "0,1,1,900\n1,1,1,1\n"),
            "s.csv:3:1: a power of 1.8 kW; above 1 kW a unit is wrong");
  TraceConfig config;
  config.load_given = true;
  EXPECT_EQ(error_of(head + "0,1,1,1\n", config),
            "s.csv: `load` is given, but this trace has IV curves; leave it out");
  config = {};
  config.resample = devices::milliseconds(1);
  EXPECT_EQ(error_of(head + "0,1,1,1\n1,1,1,1\n", config),
            "s.csv: `resample` is for powers, and this trace has IV curves; leave it out");
}

SupplyConfig supply(double capacitance_f, double esr_ohm) {
  SupplyConfig config = small_scenario().supply;
  config.capacitor.capacitance_f = capacitance_f;
  config.capacitor.esr_ohm = esr_ohm;
  config.initial_v = 0;
  config.thresholds = {4, 3, 2.5};
  return config;
}

// 4.5 V behind 1 kOhm onto 100 uF: V(t) = 4.5 V (1 - exp(-t / RC)).
constexpr std::string_view kThevenin = "2\n0,4.5\n0,4.5e-3,0\n100,4.5e-3,0\n";

TEST_F(SurfaceTest, ACapacitorIsChargedAlongTheCurve) {
  Ledger ledger;
  PowerTrain train(supply(100e-6, 0), open(kThevenin), ledger);
  double worst_v = 0;
  for (int ms = 1; ms <= 600; ++ms) {
    while (train.run_until(devices::milliseconds(ms)) != PowerEvent::none) {
    }
    const double exact_v = 4.5 * (1 - devices::exp_of(-ms / 100.0));
    worst_v = std::max(worst_v, std::abs(train.terminal_v() - exact_v));
  }
  EXPECT_LT(worst_v, devices::IvFollower::kVoltageStep);
  train.close();
  EXPECT_LE(ledger.check().relative_error, 1e-9) << ledger.check().worst;
}

// The voltage settles where the curve gives what the load takes.
TEST_F(SurfaceTest, VoltageSettlesWhereCurveAndLoadMeet) {
  for (const double esr_ohm : {0.0, 1.0, 10.0}) {
    Ledger ledger;
    PowerTrain train(supply(10e-6, esr_ohm), open(kThevenin), ledger);
    constexpr double kLoadW = 4.4e-3;  // at 2.927 V from below the top of the curve, and 1.573 V
    train.run_until(devices::milliseconds(200));
    train.set_load({.cpu_w = kLoadW, .bus_w = 0, .storage_w = 0}, Phase::run);
    const auto end = devices::milliseconds(2'000);
    while (train.now() < end) train.run_until(end);
    const double meeting_v = 0.5 * (4.5 + std::sqrt(4.5 * 4.5 - 4 * kLoadW * 1e3));
    EXPECT_NEAR(train.terminal_v(), meeting_v, 2e-3) << esr_ohm;
    train.close();
    EXPECT_LE(ledger.check().relative_error, 1e-9) << ledger.check().worst;
  }
}

TEST_F(SurfaceTest, LongSettlingNeedsNoEndOfEventsAtAnInstant) {
  // A curve that falls from full power to none at one voltage: the hardest one to settle on.
  Ledger ledger;
  SupplyConfig config = supply(1e-6, 1);
  config.initial_v = 4.2;
  PowerTrain train(config, open("2\n0,3.5\n0,1e-3,1e-3\n100,1e-3,1e-3\n"), ledger);
  EXPECT_EQ(train.run_until(devices::milliseconds(0)), PowerEvent::recovered);
  train.set_load({.cpu_w = 1e-3, .bus_w = 0, .storage_w = 0}, Phase::run);
  const auto end = devices::milliseconds(500);
  while (train.now() < end) train.run_until(end);
  EXPECT_NEAR(train.terminal_v(), 3.5, 2 * devices::IvFollower::kVoltageStep);
}

TEST_F(SurfaceTest, ABoardRunsOnASurface) {
  Scenario scenario = small_scenario();
  TraceConfig trace;
  trace.path = write("3\n0,4.2\n0,1e-3,9e-4,0\n0.05,1e-4,9e-5,0\n", "s.csv");
  trace.repeat = true;
  scenario.supply.source = trace;
  const RunResult first = run(scenario);
  EXPECT_TRUE(first.pass) << first.failure;
  EXPECT_GT(first.persisted, 3U);
  EXPECT_EQ(run(scenario).fingerprint, first.fingerprint);
}

TEST_F(SurfaceTest, EachResetIsAnOutage) {
  Scenario scenario = small_scenario();
  scenario.supply.capacitor.leakage_ohm = 20e3;  // or it would sleep for seconds until it browns out
  const std::string path = write("100\n300\n700\n1500\n", "r.txt");
  for (const auto after : {AfterPersist::sleep, AfterPersist::shutdown}) {
    scenario.mcu.after_persist = after;
    scenario.supply.source = ResetConfig{path, 0, 0.1};
    const RunResult result = run(scenario);
    EXPECT_TRUE(result.pass) << result.failure;
    EXPECT_EQ(result.persisted, 4U);
    EXPECT_EQ(result.turn_ons, 5U);
    EXPECT_EQ(result.stop_reason, StopReason::time);
  }
}

TEST(ResetsOnACapacitor, PowerIsBackOnceTheBoardHasBrownedOut) {
  Ledger ledger;
  SupplyConfig config = supply(10e-6, 1);
  config.initial_v = 4.5;
  const std::vector<Picoseconds> instants{devices::milliseconds(5), devices::milliseconds(100)};
  PowerTrain train(config, devices::make_reset_source(instants, 0.1), ledger);
  const Load load{.cpu_w = 5e-3, .bus_w = 0, .storage_w = 0};
  EXPECT_EQ(train.run_until(devices::milliseconds(1)), PowerEvent::recovered);
  train.set_load(load, Phase::run);
  for (const auto instant : instants) {
    EXPECT_EQ(train.run_until(devices::milliseconds(900)), PowerEvent::warn);
    EXPECT_GT(train.now(), instant);
    EXPECT_EQ(train.run_until(devices::milliseconds(900)), PowerEvent::brown_out);
    train.set_load({}, Phase::off);
    EXPECT_EQ(train.run_until(devices::milliseconds(900)), PowerEvent::recovered);
    EXPECT_LT((train.now() - instant).seconds(), 0.04);
    train.set_load(load, Phase::run);
  }
  EXPECT_EQ(train.run_until(devices::milliseconds(900)), PowerEvent::none);
  train.close();
  EXPECT_LE(ledger.check().relative_error, 1e-9) << ledger.check().worst;
}

TEST(ResetsOnACapacitor, PowerIsBackOnceTheBoardHasSwitchedItselfOff) {
  Ledger ledger;
  SupplyConfig config = supply(10e-6, 0);
  config.initial_v = 4.5;
  PowerTrain train(config, devices::make_reset_source({devices::milliseconds(5)}, 0.1), ledger);
  train.run_until(devices::milliseconds(1));
  train.set_load({.cpu_w = 5e-3, .bus_w = 0, .storage_w = 0}, Phase::run);
  EXPECT_EQ(train.run_until(devices::milliseconds(900)), PowerEvent::warn);
  train.set_load({}, Phase::off);
  EXPECT_EQ(train.run_until(devices::milliseconds(900)), PowerEvent::recovered);
}

}  // namespace
}  // namespace brownout::sim::testing
