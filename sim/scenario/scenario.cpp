#include "sim/scenario/scenario.hpp"

#include <array>
#include <filesystem>

#include "sim/scenario/document.hpp"
#include "sim/scenario/reader.hpp"
#include "sim/scenario/replacement.hpp"
#include "sim/scenario/sections.hpp"

namespace brownout::sim {
namespace {

constexpr std::array<std::string_view, 9> kRootKeys{"name",   "description", "seed",     "mcu", "storage",
                                                    "supply", "heap",        "workload", "stop"};
constexpr std::size_t kLongestName = 200;
constexpr std::size_t kLongestDescription = 65'536;

Node parse_tree(const std::string& text, const std::string& file, const std::vector<Override>& overrides) {
  Node tree = parse_document(text, file);
  if (overrides.empty()) return tree;
  const Node original = tree;
  for (const Override& override_of : overrides) apply_override(tree, override_of.text);
  drop_replaced(tree, original);
  return tree;
}

}  // namespace

Location Scenario::where(std::string_view path) const {
  while (true) {
    if (const auto found = locations.find(path); found != locations.end()) return found->second;
    const std::size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) return {file, 1, 1};
    path = path.substr(0, dot);
  }
}

Scenario load_scenario(const std::string& file, const std::vector<Override>& overrides,
                       std::optional<std::uint64_t> seed) {
  return parse_scenario(read_document(file), file, overrides, seed);
}

Scenario parse_scenario(const std::string& text, const std::string& file,
                        const std::vector<Override>& overrides, std::optional<std::uint64_t> seed) {
  const Node tree = parse_tree(text, file, overrides);
  Scenario scenario;
  scenario.file = file;
  const Section root({&tree, "", {file, 1, 1}}, kRootKeys, scenario.locations);
  scenario.name = read_text(root.need("name", "name: my board"), kLongestName, false);
  if (const auto description = root.find("description")) {
    scenario.description = read_text(*description, kLongestDescription, true);
  }
  if (const auto written = root.find("seed")) scenario.seed = read_count(*written, kAnyCount);
  if (seed) scenario.seed = *seed;
  scenario.mcu = read_mcu(root);
  scenario.storage = read_storage(root, scenario.mcu);
  const ScenarioContext context{scenario.seed, std::filesystem::path(file).parent_path().string()};
  scenario.supply = read_supply(root, context, scenario.mcu);
  scenario.heap = read_heap(root, scenario.mcu);
  scenario.workload = read_workload(root, context);
  scenario.document = std::make_shared<const Node>(tree);
  scenario.stop = read_stop(root, firmware::ends(scenario.workload) || ends(scenario.supply.source));
  return scenario;
}

}  // namespace brownout::sim
