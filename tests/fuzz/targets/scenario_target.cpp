// The parser of scenarios: whatever the text is, it is a scenario that can be checked, or refused in one
// line.
#include "sim/scenario/fit.hpp"
#include "sim/scenario/input_error.hpp"
#include "sim/scenario/scenario.hpp"
#include "target.hpp"

using namespace brownout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const sim::Scenario scenario = sim::parse_scenario(targets::text_of(data, size), "fuzz.yaml", {}, 1);
    sim::check_fit(scenario);
  } catch (const sim::InputError& error) {
    if (std::string(error.what()).find('\n') != std::string::npos) targets::report("an error of two lines");
  }
  return 0;
}
