// A run as a report: JSON for programs, a summary for people. Both say the same numbers.
#pragma once

#include <string>

#include "sim/machine/run_result.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

inline constexpr const char* kReportSchema = "brownout-run";
// Published as schema/run-2.schema.json. 2 added schema, hashes, inputs, progress, margin, distribution,
// voltage and cycles.
inline constexpr int kReportSchemaVersion = 2;

// JSON text, two spaces of indent, keys in a fixed order, ending in a line feed. Times in seconds (and
// picoseconds where exactness matters), energies in joules, capacitances in farads. A value that does not
// exist (the lowest of no voltages) is null. Byte-identical for equal runs.
std::string json_report(const Scenario& scenario, const RunResult& result);

// A dozen lines for a terminal of 80 columns.
std::string summary(const Scenario& scenario, const RunResult& result);

// Time and energy that rest on constants which no measurement has calibrated: CPU work of the heap, the
// driver's share of an estimated bus profile, boot phases.
struct Uncalibrated {
  double time_share = 0;
  double energy_share = 0;
};
Uncalibrated uncalibrated_share(const RunResult& result);

// The capacitance that would carry every persist seen, a full dirty limit and a cold start, no harvest
// credited.
double recommended_capacitance(const Scenario& scenario, const RunResult& result);

}  // namespace brownout::sim
