// Runs cases of the fuzzer, one after the other, on one board's memory.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sim/explore/explore_board.hpp"
#include "sim/fuzz/fuzz_case.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::fuzz {

using MakeFirmware = std::unique_ptr<firmware::Firmware> (*)(const firmware::Image&, firmware::Port&);

struct RunOptions {
  // Objects and structures are looked at at the end of every operation, not of every sixteenth and where the
  // supply failed; and a run of the same without outages comes first, whose course has to be the same.
  bool thorough = false;
  void (*before_outage)() = nullptr;
  const volatile std::sig_atomic_t* interrupted = nullptr;
  RunObserver* observer = nullptr;  // of the run, not of the one without outages
};

struct Outcome {
  std::optional<explore::Failure> failure;  // the first
  explore::BoardResult board;
  firmware::FuzzCounters counters;
};

// What a failure was: the check and its place, without numbers. Two failures of one cause are one finding.
std::string cause_of(const explore::Failure& failure);

class Workbench {
 public:
  // `scenario` outlives this, or is nullptr: cases without one. Tests plant errors by `make_firmware`.
  explicit Workbench(const Scenario* scenario, MakeFirmware make_firmware = nullptr);

  // Runs one case. Throws InputError if its board does not fit.
  Outcome run(const FuzzCase& a_case, const RunOptions& options = {});

 private:
  bool prepare(const FuzzCase& a_case);
  void prepare_storage(const FuzzCase& a_case);
  [[nodiscard]] explore::WireFaults wires_of(const FuzzCase& a_case) const;
  explore::BoardResult run_board(const FuzzCase& a_case, const RunOptions& options,
                                 const std::vector<explore::DrawnOutage>& drawn,
                                 const std::vector<std::uint64_t>* boundaries);

  const Scenario* base_;  // nullptr: cases without a scenario
  // With the knobs of the case at hand. Of cases without a scenario: on a bus, and with mapped FRAM.
  Scenario scenario_;
  Scenario mapped_;
  Scenario* at_ = &scenario_;
  std::array<bool, kKnobs> fixed_{};
  MakeFirmware make_firmware_;
  explore::BoardStacks stacks_;
  firmware::FuzzProgram program_;
  firmware::FuzzCounters counters_;
};

}  // namespace brownout::sim::fuzz
