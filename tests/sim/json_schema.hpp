// As much of JSON Schema (2020-12) as the schemas in sim/report/schema need.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace brownout::sim::testing {

// What is wrong with `value`, a line each with its place; a keyword that this does not know is wrong, too, so
// that a schema cannot say what nobody checks. Knows: type, properties, required, additionalProperties:
// false, items, enum, const, minimum, maximum, minItems, maxItems, $ref within the schema, and the
// annotations.
std::vector<std::string> schema_faults(const nlohmann::json& schema, const nlohmann::json& value);

}  // namespace brownout::sim::testing
