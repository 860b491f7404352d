#include "sim/report/inputs.hpp"

#include <fmt/format.h>
#include <xxhash.h>

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;

// At most kMaxDocumentDepth deep.
Json json_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return nullptr;
    case Node::Kind::scalar: return node.text;
    case Node::Kind::sequence: {
      Json items = Json::array();
      for (const Node& item : node.items) items.push_back(json_of(item));
      return items;
    }
    case Node::Kind::map: {
      Json map = Json::object();
      for (const MapEntry& entry : node.entries) map[entry.key] = json_of(entry.value);
      return map;
    }
  }
  return nullptr;
}

}  // namespace

Json inputs_of(const Scenario& scenario) {
  if (scenario.document == nullptr) return nullptr;
  Json inputs = json_of(*scenario.document);
  inputs.erase("description");
  return inputs;
}

std::string hash_of(const Json& value) {
  const std::string text = nlohmann::json(value).dump();  // with its keys in order
  return fmt::format("{:016x}", static_cast<std::uint64_t>(XXH64(text.data(), text.size(), 0)));
}

}  // namespace brownout::sim
