// What a sizing rests on, value by value, and where each comes from.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario/quantity.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// A value that the calculation rests on.
struct Input {
  std::string key;  // as in the scenario
  double value = 0;
  Dimension dimension = Dimension::number;
  std::string origin;
};

std::vector<Input> inputs_of(const Scenario& scenario);

// Of the bus profile, whose figures are not listed one by one; or that there is no bus.
std::string bus_origin(const Scenario& scenario);

}  // namespace brownout::sim
