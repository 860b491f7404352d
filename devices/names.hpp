// Comparison of catalogue names.
#pragma once

#include <span>
#include <string_view>

namespace brownout::devices {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Equal but for the case of ASCII letters.
constexpr bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// The record of that name in a catalogue, or nullptr. O(records).
template <class Record>
const Record* find_by_name(std::span<const Record> records, std::string_view name) {
  for (const Record& record : records) {
    if (same_name(record.name, name)) return &record;
  }
  return nullptr;
}

}  // namespace brownout::devices
