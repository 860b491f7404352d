// A scenario file as a tree of nodes that know where they were written, with the overrides of the command
// line applied.
//
// The file is YAML with what a scenario has no use for refused: anchors, aliases (and with them alias
// bombs), merge keys, tags and several documents. Limits: 1 MiB, 32 levels, 50,000 values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/input_error.hpp"

namespace brownout::sim {

struct MapEntry;

struct Node {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };

  Kind kind = Kind::null;
  bool from_override = false;     // its relative paths start from the current directory, not from the file's
  Location where;                 // of the value; of the key for null
  std::string text;               // scalar
  std::vector<Node> items;        // sequence
  std::vector<MapEntry> entries;  // map, in the order of the file, keys distinct

  // The entry of a map, or nullptr. O(entries).
  [[nodiscard]] const MapEntry* find(std::string_view key) const;
  MapEntry* find(std::string_view key);
};

struct MapEntry {
  std::string key;
  Location where;
  Node value;
};

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{1} << 20;
inline constexpr int kMaxDocumentDepth = 32;
inline constexpr std::size_t kMaxDocumentNodes = 50'000;

// The text of a scenario file, or the beginning of one that is too large. Throws InputError if it cannot be
// read. O(n).
std::string read_document(const std::string& file);

// Parses the text of a scenario; `file` is for messages. The result is a map with at least one entry. Throws
// InputError if the text is empty or too large, is not UTF-8, holds NUL, is not YAML or uses what is refused,
// has a key twice, or is not a map. O(n log n).
Node parse_document(const std::string& text, const std::string& file);

// Applies "path.to.key=value" to the tree. The path's parts are keys, or indices (from 0) of items that a
// sequence has; sections that are missing are created. The value is a YAML scalar, possibly quoted, or a
// flow collection such as {kind: constant, power: 1 mW}; it replaces what was there. All that it adds is
// placed at Location{"--set <text>", 0, 0}. Throws InputError for a text without '=' or key, a value that is
// not YAML, and a path that leads through a value.
void apply_override(Node& root, const std::string& text);

}  // namespace brownout::sim
