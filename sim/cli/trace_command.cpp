#include <array>
#include <variant>

#include "sim/cli/commands.hpp"
#include "sim/cli/options.hpp"
#include "sim/scenario/document.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/trace/describe_trace.hpp"

namespace brownout::sim::cli {
namespace {

constexpr const char* kUsage =
    R"(usage: brownout trace FILE [--set supply.source.KEY=VALUE]...
       brownout trace FILE --resets --set supply.source.unit=ms|cycles [--set supply.source.clock=CLOCK]

Says what is in a trace: format, rate, duration, power (least, most, mean), energy, the longest darkness, and defects
with the key of a scenario that remedies each. The keys are those that a scenario has for it, as in
--set supply.source.gaps=hold; with them it is described as that scenario would have it. Exit code 2 for a file that no
key can help.

)";

// The source that a scenario with this file and these keys would have.
SourceConfig read_source_of(const std::string& file, bool is_resets, const std::vector<std::string>& sets) {
  const Location where{"brownout trace " + file, 0, 0};
  const auto scalar = [&](const std::string& text) {
    Node node;
    node.kind = Node::Kind::scalar;
    node.from_override = true;
    node.where = where;
    node.text = text;
    return node;
  };
  const auto map_of = [&](const std::string& key, Node value) {
    Node node;
    node.kind = Node::Kind::map;
    node.where = where;
    node.entries.push_back({key, where, std::move(value)});
    return node;
  };
  Node source = map_of(is_resets ? "resets" : "trace", scalar(file));
  // What a list is described without.
  if (is_resets) source.entries.push_back({"power", where, scalar("1 W")});
  Node tree = map_of("supply", map_of("source", std::move(source)));
  for (const std::string& text : sets) apply_override(tree, text);
  constexpr std::array<std::string_view, 1> kRootKeys{"supply"};
  constexpr std::array<std::string_view, 1> kSupplyKeys{"source"};
  Section::Locations locations;
  const Section root({&tree, "", where}, kRootKeys, locations);
  return read_source(root.need_section("supply", kSupplyKeys), {});
}

}  // namespace

int trace_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()                                                                   //
      ("set", po::value<std::vector<std::string>>()->composing(),                         //
       "a key of supply.source, as in supply.source.gaps=hold; may be given many times")  //
      ("resets", "the file is a list of reset instants")                                  //
      ("help", "this text")                                                               //
      ("file", po::value<std::string>(), "the trace");
  const auto parsed = parse_options(
      arguments, options,
      {"brownout trace", kUsage, "file", "needs a trace, such as scenarios/traces/rf_walk.csv"});
  if (!parsed) return kExitDone;
  const po::variables_map& values = *parsed;
  const std::vector<std::string> sets = sets_of(values);
  const auto& file = values["file"].as<std::string>();
  const Location where{"brownout trace", 0, 0};
  const SourceConfig source = read_source_of(file, values.count("resets") > 0, sets);
  if (const auto* trace = std::get_if<TraceConfig>(&source)) {
    print(describe_trace(*trace, where));
  } else if (const auto* resets = std::get_if<ResetConfig>(&source)) {
    print(describe_resets(*resets, where));
  } else {
    throw InputError(where, "a script is no file; there is nothing to describe");
  }
  return kExitDone;
}

}  // namespace brownout::sim::cli
