#include "sim/scenario/replacement.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "sim/scenario/sections.hpp"

namespace brownout::sim {
namespace {

// The node of a path of keys, or nullptr.
const Node* at(const Node& root, std::initializer_list<std::string_view> path) {
  const Node* node = &root;
  for (const std::string_view key : path) {
    const MapEntry* entry = node->find(key);
    if (entry == nullptr) return nullptr;
    node = &entry->value;
  }
  return node;
}

Node* at(Node& root, std::initializer_list<std::string_view> path) {
  Node* node = &root;
  for (const std::string_view key : path) {
    MapEntry* entry = node->find(key);
    if (entry == nullptr) return nullptr;
    node = &entry->value;
  }
  return node;
}

bool has_override(const Node& node) {
  return node.from_override || std::any_of(node.items.begin(), node.items.end(), has_override) ||
         std::any_of(node.entries.begin(), node.entries.end(),
                     [](const MapEntry& entry) { return has_override(entry.value); });
}

bool sets(const Node& section, std::string_view key) {
  const MapEntry* entry = section.find(key);
  return entry != nullptr && entry->value.from_override;
}

// Whether an override set `key` of the section to something else than the file had, if that had it.
bool changes(const Node& section, const Node& original, std::string_view key) {
  const MapEntry* before = original.find(key);
  return before != nullptr && sets(section, key) && section.find(key)->value.text != before->value.text;
}

void drop(Node& section, std::span<const std::string_view> keys) {
  std::erase_if(section.entries, [&](const MapEntry& entry) {
    const bool known = std::find(keys.begin(), keys.end(), entry.key) != keys.end();
    return known && !has_override(entry.value);
  });
}

void drop_source(Node& root, const Node& original) {
  Node* source = at(root, {"supply", "source"});
  const Node* before = at(original, {"supply", "source"});
  if (source == nullptr || before == nullptr) return;
  // What says what a source is: one of these keys replaces the others.
  constexpr std::array<std::string_view, 3> kSorts{"trace", "resets", "kind"};
  const bool other_sort = std::any_of(kSorts.begin(), kSorts.end(), [&](std::string_view sort) {
    return sets(*source, sort) && before->find(sort) == nullptr;
  });
  if (!other_sort && !changes(*source, *before, "kind")) return;
  drop(*source, trace_keys());
  drop(*source, reset_keys());
  drop(*source, script_keys());
}

// Whether `storage.part` names one without a bus, or is based on one.
bool is_mapped(const Node& part) {
  const MapEntry* base = part.find("based_on");
  const devices::FramPart* known = devices::find_fram_part(base != nullptr ? base->value.text : part.text);
  return known != nullptr && known->is_mapped;
}

}  // namespace

void drop_replaced(Node& root, const Node& original) {
  drop_source(root, original);

  Node* workload = at(root, {"workload"});
  const Node* workload_before = at(original, {"workload"});
  if (workload != nullptr && workload_before != nullptr && changes(*workload, *workload_before, "kind")) {
    drop(*workload, workload_keys());
  }

  Node* storage = at(root, {"storage"});
  if (storage != nullptr && sets(*storage, "transfer") && storage->find("transfer")->value.text != "sliced") {
    constexpr std::array<std::string_view, 1> kSlice{"slice"};
    drop(*storage, kSlice);
  }
  if (storage != nullptr && sets(*storage, "part") && is_mapped(storage->find("part")->value)) {
    constexpr std::array<std::string_view, 8> kBus{"sck",    "transfer", "slice",   "bus",
                                                   "unsafe", "retries",  "timeout", "verify"};
    drop(*storage, kBus);
    if (Node* faults = at(root, {"storage", "faults"})) {
      constexpr std::array<std::string_view, 2> kWires{"bit_error_rate", "missing_answer"};
      constexpr std::array<std::string_view, 1> kFaults{"faults"};
      const bool had_any = !faults->entries.empty();
      drop(*faults, kWires);
      if (had_any && faults->entries.empty()) drop(*storage, kFaults);
    }
  }
}

}  // namespace brownout::sim
