// What a scenario was asked to be, as JSON, and the hashes that tell two apart.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// The scenario as it was written, overrides applied: maps and lists as they are, each value as its text
// ("47 uF"). Null for a scenario that was made without a file. `description` is left out.
nlohmann::ordered_json inputs_of(const Scenario& scenario);

// 16 hex digits, of the bytes of a file that the scenario names: a trace, or a list of resets. Empty if it
// names none. Reads it once, in constant memory. Throws EnvironmentError if it cannot.
std::string hash_of_source_file(const Scenario& scenario);

// 16 hex digits, the same whatever the order of keys. O(size).
std::string hash_of(const nlohmann::ordered_json& value);

}  // namespace brownout::sim
