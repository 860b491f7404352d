// Reads values out of a scenario's tree: each map is a Section that knows its keys and refuses all others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/document.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

inline constexpr WholeLimits kAnyCount{0, std::numeric_limits<std::uint64_t>::max()};

// A value that was found: its node, its dotted path for messages, and the place of its key.
struct Found {
  const Node* node = nullptr;
  std::string path;
  Location key_where;

  // Throws InputError at the value: "<path>: <complaint>".
  [[noreturn]] void fail(const std::string& complaint) const;
  // Throws InputError at the key, for a value that is wrong only next to another one.
  [[noreturn]] void fail_at_key(const std::string& complaint) const;
};

// The text of a scalar; throws for a list, a map, and a key without a value. `example` is what would be
// right.
std::string_view scalar_text(const Found& found, std::string_view example);

// The readers of one value. They throw InputError at the value.
double read_quantity(const Found& found, Dimension dimension, Limits limits);
Picoseconds read_time(const Found& found, TimeLimits limits);
std::uint32_t read_bytes(const Found& found, WholeLimits limits);
// As read_bytes, but a number without a unit is a number of bytes.
std::uint32_t read_bytes_or_count(const Found& found, WholeLimits limits);
std::uint64_t read_hertz(const Found& found, WholeLimits limits);
std::uint64_t read_count(const Found& found, WholeLimits limits);
double read_number(const Found& found, Limits limits);
bool read_boolean(const Found& found);
// Text of 1 to `longest` bytes; control characters only if `several_lines` (line breaks and tabs).
std::string read_text(const Found& found, std::size_t longest, bool several_lines);
// Index of the choice. An unknown one is refused with the nearest and all of `choices`.
std::size_t read_choice(const Found& found, std::span<const std::string_view> choices);
// The complaint of an unknown choice, for those that are looked up elsewhere.
[[noreturn]] void fail_for_choice(const Found& found, std::string_view text,
                                  std::span<const std::string_view> choices);

// A map of a scenario. Constructing it refuses keys that are not in `keys`; asking for a key records its
// place in `locations` under its dotted path.
class Section {
 public:
  using Locations = std::map<std::string, Location, std::less<>>;

  // `found` is the map. `keys` and `locations` must live as long as the section.
  Section(const Found& found, std::span<const std::string_view> keys, Locations& locations);

  // The value of a key of `keys`, or nothing if it was left out. O(keys of the map).
  [[nodiscard]] std::optional<Found> find(std::string_view key) const;
  // The value of a key that has to be there; `example` shows how ("ram: 8 KiB"). Otherwise InputError at
  // the section's key.
  [[nodiscard]] Found need(std::string_view key, std::string_view example) const;
  // A section below this one. A missing one is an error at this section's key.
  [[nodiscard]] Section need_section(std::string_view key, std::span<const std::string_view> keys) const;
  [[nodiscard]] std::optional<Section> find_section(std::string_view key,
                                                    std::span<const std::string_view> keys) const;
  // The items of a list of `min` to `max`, each with its path "key.0" and place.
  [[nodiscard]] std::vector<Found> items(const Found& list, std::size_t min, std::size_t max) const;

  // Throws InputError at the section's key.
  [[noreturn]] void fail(const std::string& complaint) const;

  [[nodiscard]] Locations& locations() const { return *locations_; }
  [[nodiscard]] const Found& found() const { return found_; }
  [[nodiscard]] std::string path_of(std::string_view key) const;

 private:
  Found found_;
  std::span<const std::string_view> keys_;
  Locations* locations_;
};

// Whether `found`, a map, has that key, without reading it.
bool has_key(const Found& found, std::string_view key);

// Throws InputError at the first key of the map `found` that is not in `keys`, with the nearest that is; for
// anything but a map, at the value.
void check_keys(const Found& found, std::span<const std::string_view> keys);

}  // namespace brownout::sim
