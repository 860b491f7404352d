#include "sim/report/inputs.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <new>
#include <variant>

#include <fmt/format.h>
#include <xxhash.h>

#include "sim/report/write_file.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;

std::string in_digits(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

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
  return in_digits(XXH64(text.data(), text.size(), 0));
}

std::string hash_of_source_file(const Scenario& scenario) {
  std::string path;
  if (const auto* trace = std::get_if<TraceConfig>(&scenario.supply.source)) path = trace->path;
  if (const auto* resets = std::get_if<ResetConfig>(&scenario.supply.source)) path = resets->path;
  if (path.empty()) return "";
  std::ifstream in(path, std::ios::binary);
  const std::unique_ptr<XXH64_state_t, decltype(&XXH64_freeState)> state(XXH64_createState(),
                                                                         &XXH64_freeState);
  if (state == nullptr) throw std::bad_alloc();
  XXH64_reset(state.get(), 0);
  std::array<char, 64 * 1024> piece{};
  while (in.good()) {
    in.read(piece.data(), piece.size());
    XXH64_update(state.get(), piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof())
    throw EnvironmentError(fmt::format("cannot read {} again, for the hash of the scenario", path));
  return in_digits(XXH64_digest(state.get()));
}

}  // namespace brownout::sim
