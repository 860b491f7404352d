#include "sim/scenario/reader.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/scenario/nearest.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

bool contains(std::span<const std::string_view> keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string_view noun_of(Node::Kind kind) { return kind == Node::Kind::map ? "a map" : "a list"; }

// "`heap`", or "a scenario" for the root, which has no path.
std::string section_name(const std::string& path) {
  return path.empty() ? "a scenario" : fmt::format("`{}`", path);
}

Written written(const Found& found, std::string_view text) { return {text, found.path, found.node->where}; }

std::uint32_t narrow(std::uint64_t bytes) {
  assert(bytes <= std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(bytes);
}

}  // namespace

void Found::fail(const std::string& complaint) const {
  throw InputError(node->where, fmt::format("{}: {}", path, complaint));
}

void Found::fail_at_key(const std::string& complaint) const {
  throw InputError(key_where, fmt::format("{}: {}", path, complaint));
}

std::string_view scalar_text(const Found& found, std::string_view example) {
  switch (found.node->kind) {
    case Node::Kind::scalar: return found.node->text;
    case Node::Kind::null: found.fail(fmt::format("has no value; write one such as {}", example));
    default: found.fail(fmt::format("is {}; write one value such as {}", noun_of(found.node->kind), example));
  }
}

double read_quantity(const Found& found, Dimension dimension, Limits limits) {
  return parse_quantity(written(found, scalar_text(found, example_of(dimension))), dimension, limits);
}

Picoseconds read_time(const Found& found, TimeLimits limits) {
  return parse_time(written(found, scalar_text(found, example_of(Dimension::time))), limits);
}

std::uint32_t read_bytes(const Found& found, WholeLimits limits) {
  const std::string_view text = scalar_text(found, example_of(Dimension::bytes));
  return narrow(parse_whole(written(found, text), Dimension::bytes, limits));
}

std::uint32_t read_bytes_or_count(const Found& found, WholeLimits limits) {
  const std::string_view text = scalar_text(found, example_of(Dimension::bytes));
  const bool plain = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  return narrow(parse_whole(written(found, text), plain ? Dimension::number : Dimension::bytes, limits));
}

std::uint64_t read_hertz(const Found& found, WholeLimits limits) {
  const std::string_view text = scalar_text(found, example_of(Dimension::frequency));
  return parse_whole(written(found, text), Dimension::frequency, limits);
}

std::uint64_t read_count(const Found& found, WholeLimits limits) {
  return parse_whole(written(found, scalar_text(found, "100")), Dimension::number, limits);
}

double read_number(const Found& found, Limits limits) {
  return parse_quantity(written(found, scalar_text(found, "2.5")), Dimension::number, limits);
}

bool read_boolean(const Found& found) {
  const std::string_view text = scalar_text(found, "true");
  if (text != "true" && text != "false") {
    found.fail(fmt::format("{} is neither true nor false", in_quotes(text)));
  }
  return text == "true";
}

std::string read_text(const Found& found, std::size_t longest, bool several_lines) {
  const std::string_view text = scalar_text(found, "a few words");
  if (text.empty()) found.fail("is empty; write a few words");
  if (text.size() > longest) found.fail(fmt::format("is {} bytes long; at most {}", text.size(), longest));
  std::string printable(text);
  if (several_lines) std::erase_if(printable, [](char c) { return c == '\n' || c == '\t'; });
  if (has_control_character(printable))
    found.fail(fmt::format("{} has a control character in it", in_quotes(text)));
  return std::string(text);
}

void fail_for_choice(const Found& found, std::string_view text, std::span<const std::string_view> choices) {
  const auto meant = nearest(text, choices);
  found.fail(fmt::format("{} is not known{} (known: {})", in_quotes(text),
                         meant ? fmt::format("; did you mean {}?", *meant) : "", fmt::join(choices, ", ")));
}

std::size_t read_choice(const Found& found, std::span<const std::string_view> choices) {
  const std::string_view text = scalar_text(found, choices.front());
  const auto choice = std::find(choices.begin(), choices.end(), text);
  if (choice == choices.end()) fail_for_choice(found, text, choices);
  return static_cast<std::size_t>(choice - choices.begin());
}

Section::Section(const Found& found, std::span<const std::string_view> keys, Locations& locations)
    : found_(found), keys_(keys), locations_(&locations) {
  check_keys(found, keys);
}

std::optional<Found> Section::find(std::string_view key) const {
  assert(contains(keys_, key));
  const MapEntry* entry = found_.node->find(key);
  if (entry == nullptr) return std::nullopt;
  locations_->insert_or_assign(path_of(key), entry->where);
  return Found{&entry->value, path_of(key), entry->where};
}

Found Section::need(std::string_view key, std::string_view example) const {
  if (auto found = find(key)) return *std::move(found);
  fail(fmt::format("`{}` is missing; write it such as `{}`", key, example));
}

Section Section::need_section(std::string_view key, std::span<const std::string_view> keys) const {
  if (auto section = find_section(key, keys)) return *std::move(section);
  fail(fmt::format("section `{}` is missing", key));
}

std::optional<Section> Section::find_section(std::string_view key,
                                             std::span<const std::string_view> keys) const {
  const auto found = find(key);
  if (!found) return std::nullopt;
  return Section(*found, keys, *locations_);
}

std::vector<Found> Section::items(const Found& list, std::size_t min, std::size_t max) const {
  if (list.node->kind != Node::Kind::sequence) list.fail("has to be a list");
  const std::size_t size = list.node->items.size();
  if (size < min || size > max) {
    list.fail(fmt::format("has {} items; it must have {} to {}", size, min, max));
  }
  std::vector<Found> found;
  for (std::size_t i = 0; i < size; ++i) {
    const Node& item = list.node->items[i];
    found.push_back({&item, fmt::format("{}.{}", list.path, i), item.where});
    locations_->insert_or_assign(found.back().path, item.where);
  }
  return found;
}

void Section::fail(const std::string& complaint) const {
  throw InputError(found_.key_where,
                   fmt::format("{}: {}", found_.path.empty() ? "scenario" : found_.path, complaint));
}

std::string Section::path_of(std::string_view key) const {
  return found_.path.empty() ? std::string(key) : fmt::format("{}.{}", found_.path, key);
}

bool has_key(const Found& found, std::string_view key) { return found.node->find(key) != nullptr; }

void check_keys(const Found& found, std::span<const std::string_view> keys) {
  const Node& node = *found.node;
  if (node.kind == Node::Kind::null) {
    found.fail_at_key(fmt::format("has nothing in it; it is a section with keys such as {}", keys.front()));
  }
  if (node.kind != Node::Kind::map) {
    found.fail(
        fmt::format("is {}, not a section with keys such as {}",
                    node.kind == Node::Kind::scalar ? in_quotes(node.text) : std::string(noun_of(node.kind)),
                    keys.front()));
  }
  for (const MapEntry& entry : node.entries) {
    if (contains(keys, entry.key)) continue;
    const auto meant = nearest(entry.key, keys);
    const std::string remedy = meant ? fmt::format("did you mean `{}`?", *meant)
                                     : fmt::format("known keys are {}", fmt::join(keys, ", "));
    throw InputError(entry.where, fmt::format("unknown key {} in {}; {}", in_quotes(entry.key),
                                              section_name(found.path), remedy));
  }
}

}  // namespace brownout::sim
