// The parsers of what this program has written itself: reports of the fuzzer, replay strings of both kinds.
// What is taken comes back the same from its own text.
#include "sim/explore/replay.hpp"
#include "sim/fuzz/fuzz_case.hpp"
#include "sim/report/fuzz_report.hpp"
#include "sim/scenario/input_error.hpp"
#include "target.hpp"

using namespace brownout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = targets::text_of(data, size);
  try {
    const sim::FuzzReport report = sim::parse_fuzz_report(text, "it");
    if (!(sim::parse_fuzz_report(sim::fuzz_json(report), "it") == report))
      targets::report("a report changes");
  } catch (const sim::InputError&) {
  }
  try {
    const sim::fuzz::FuzzCase a_case = sim::fuzz::parse_fuzz_case(text);
    if (!(sim::fuzz::parse_fuzz_case(to_string(a_case)) == a_case)) targets::report("a case of fuzz changes");
  } catch (const sim::InputError&) {
  }
  try {
    const sim::explore::Case a_case = sim::explore::parse_case(text);
    if (to_string(sim::explore::parse_case(to_string(a_case))) != to_string(a_case))
      targets::report("a case of explore changes");
  } catch (const sim::InputError&) {
  }
  return 0;
}
