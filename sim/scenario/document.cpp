#include "sim/scenario/document.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "sim/scenario/text.hpp"
#include "sim/scenario/yaml_tree.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kBlockBytes = 16'384;

struct FileCloser {
  void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};

[[noreturn]] void fail_to_read(const std::string& file, int error) {
  throw InputError({file, 0, 0},
                   fmt::format("cannot read this scenario: {}", std::generic_category().message(error)));
}

Location location_of_byte(std::string_view text, std::size_t at, const std::string& file) {
  const std::string_view before = text.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t break_before = before.rfind('\n');
  const std::size_t column = break_before == std::string_view::npos ? at + 1 : at - break_before;
  return {file, static_cast<int>(line), static_cast<int>(column)};
}

void check_encoding(std::string_view text, const std::string& file) {
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw InputError(location_of_byte(text, nul, file), "a NUL byte; a scenario is text in UTF-8");
  }
  if (const auto invalid = first_invalid_utf8(text)) {
    throw InputError(location_of_byte(text, *invalid, file),
                     fmt::format("byte 0x{:02x} is not valid UTF-8; save the scenario as UTF-8",
                                 static_cast<unsigned>(static_cast<unsigned char>(text[*invalid]))));
  }
}

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::scalar: return "a value";
    case Node::Kind::sequence: return "a list";
    case Node::Kind::map: return "a map";
    default: return "nothing";
  }
}

}  // namespace

const MapEntry* Node::find(std::string_view key) const {
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const MapEntry& candidate) { return candidate.key == key; });
  return entry == entries.end() ? nullptr : &*entry;
}

MapEntry* Node::find(std::string_view key) {
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const MapEntry& candidate) { return candidate.key == key; });
  return entry == entries.end() ? nullptr : &*entry;
}

std::string read_document(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    throw InputError({file, 0, 0}, "is a directory; a scenario is a YAML file");
  }
  errno = 0;
  const std::unique_ptr<std::FILE, FileCloser> stream(std::fopen(file.c_str(), "rb"));
  if (!stream) fail_to_read(file, errno);
  std::string text;
  std::array<char, kBlockBytes> block{};
  while (text.size() <= kMaxDocumentBytes) {
    const std::size_t read = std::fread(block.data(), 1, block.size(), stream.get());
    if (read == 0) break;
    text.append(block.data(), read);
  }
  if (std::ferror(stream.get()) != 0) fail_to_read(file, errno);
  return text;
}

Node parse_document(const std::string& text, const std::string& file) {
  if (text.size() > kMaxDocumentBytes) {
    throw InputError({file, 0, 0}, fmt::format("is larger than {} bytes; a scenario is smaller than that",
                                               kMaxDocumentBytes));
  }
  check_encoding(text, file);
  Node root = parse_yaml(text, file, YamlOrigin::file);
  if (root.kind == Node::Kind::null) {
    throw InputError({file, 1, 1}, "is empty; a scenario has name, mcu, storage, supply, heap and workload");
  }
  if (root.kind != Node::Kind::map || root.entries.empty()) {
    throw InputError(
        root.where, fmt::format("is {}, not a map of `key: value` lines",
                                root.entries.empty() && root.kind == Node::Kind::map ? "an empty map"
                                                                                     : kind_name(root.kind)));
  }
  return root;
}

}  // namespace brownout::sim
