// apply_override() of document.hpp.
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/scenario/document.hpp"
#include "sim/scenario/text.hpp"
#include "sim/scenario/yaml_tree.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kLongestOverride = 65'536;

std::vector<std::string_view> split_path(std::string_view path, const Location& where) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dot = path.find('.');
    const std::string_view part = path.substr(0, dot);
    if (part.empty()) throw InputError(where, "the path has an empty part; write it such as heap.ram=8 KiB");
    parts.push_back(part);
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (parts.size() > static_cast<std::size_t>(kMaxDocumentDepth)) {
    throw InputError(where, fmt::format("the path has more than {} parts", kMaxDocumentDepth));
  }
  return parts;
}

Node& item_of(Node& sequence, std::string_view part, const std::string& walked, const Location& where) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  const bool number = error == std::errc() && end == part.data() + part.size();
  if (!number || index >= sequence.items.size()) {
    throw InputError(where, fmt::format("`{}` is a list of {}; {} is not the index of one of them (from 0)",
                                        walked, sequence.items.size(), in_quotes(part)));
  }
  return sequence.items[index];
}

// One step down from `node`, creating what is missing.
Node& child_of(Node& node, std::string_view part, const std::string& walked, const Location& where) {
  if (node.kind == Node::Kind::sequence) return item_of(node, part, walked, where);
  if (node.kind == Node::Kind::scalar) {
    throw InputError(
        where, fmt::format("`{}` is the value {}, so it has no `{}`", walked, in_quotes(node.text), part));
  }
  if (node.kind == Node::Kind::null) {
    node.kind = Node::Kind::map;
    node.where = where;
  }
  MapEntry* entry = node.find(part);
  if (entry == nullptr) {
    Node empty;
    empty.where = where;
    empty.from_override = true;
    node.entries.push_back({std::string(part), where, std::move(empty)});
    entry = &node.entries.back();
  }
  return entry->value;
}

// Places the key of the last part of the path where its new value is.
void place_key(Node& parent, std::string_view part, const Location& where) {
  if (parent.kind != Node::Kind::map) return;
  if (MapEntry* entry = parent.find(part)) entry->where = where;
}

}  // namespace

void apply_override(Node& root, const std::string& text) {
  const Location where{"--set " + text, 0, 0};
  if (text.size() > kLongestOverride) throw InputError({"--set", 0, 0}, "an override is longer than 64 KiB");
  if (text.find('\0') != std::string::npos || first_invalid_utf8(text)) {
    throw InputError(where, "is not text in UTF-8");
  }
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw InputError(where, "needs path=value, such as heap.ram=8 KiB");
  const std::string_view path = trimmed(std::string_view(text).substr(0, equals));
  Node value = parse_yaml(text.substr(equals + 1), where.file, YamlOrigin::override);
  // A missing value has no place of its own.
  value.where = where;
  value.from_override = true;

  const auto parts = split_path(path, where);
  Node* parent = &root;
  std::string walked;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    parent = &child_of(*parent, parts[i], walked, where);
    walked += walked.empty() ? std::string(parts[i]) : fmt::format(".{}", parts[i]);
  }
  child_of(*parent, parts.back(), walked, where) = std::move(value);
  place_key(*parent, parts.back(), where);
}

}  // namespace brownout::sim
