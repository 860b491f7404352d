// A run of the fuzzer as a value, and as one short string: the board, the operations and the outages.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/explore/point.hpp"
#include "sim/firmware/fuzz_program.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::fuzz {

// What of a board is drawn. All are whole numbers; those with names are numbers of their choices.
enum class Knob : std::uint8_t {
  ram,            // B
  limit,          // of dirty bytes
  residents,      // 0: as the heap chooses
  store,          // for objects, B; 0: all that the part has left
  unit,           // of the store, B; 0: as the allocator chooses
  os,             // B
  roots,          //
  intents,        // write intents: no, yes
  ram_allocator,  //
  store_allocator,
  policy,
  slots,
  checksum,
  part,      // B, a power of two
  wel,       // whether WEL falls after a WRITE
  transfer,  //
  slice,     // B, of sliced transfers
  chunk,     // B, of the controller's FIFO or descriptor
  abort,     // granularity
  fault,     // of the FRAM as power fails
  start,     // Course: first_image, second_image, wrapped
  memory,    // heap, or a baseline
  page,      // B, of a baseline with pages
  storage,   // on a bus, or FRAM in the address space of its MCU
  on_loss,   // reformat, attach
  verify,    // of transfers
  retries,   //
  wires,     // Wires: what goes wrong on them
  every,     // transactions from one to the next, on average
};
inline constexpr std::size_t kKnobs = 29;
using Knobs = std::array<std::uint32_t, kKnobs>;

// Errors on the wires of the bus. Each needs a driver that can cope with it (`verify`, `retries`); with
// another there are none.
enum class Wires : std::uint8_t { none, missing, sent, received, all };
enum class StorageKind : std::uint8_t { bus, mapped };
enum class LossStart : std::uint8_t { reformat, attach };

struct KnobInfo {
  std::string_view name;
  std::string_view path;  // of the scenario's key; empty: none
  std::uint32_t least;
  std::uint32_t most;
  std::uint32_t plain;                        // the value that a smaller case has, and an absent knob
  std::span<const std::string_view> choices;  // empty: a number
};
const KnobInfo& info_of(Knob knob);

struct FuzzCase {
  std::string file;               // of the scenario; empty: everything is drawn
  std::vector<std::string> sets;  // as --set has them
  std::uint64_t seed = 1;         // of garbage and patterns
  Knobs knobs{};                  // with a scenario: of those that it does not fix
  std::uint64_t iterations = 0;   // of a scenario's workload, instead of operations
  std::vector<firmware::FuzzOperation> operations;
  std::vector<explore::DrawnOutage> outages;  // by ascending operation
  std::string build_id;                       // if an outage is at an access
  friend bool operator==(const FuzzCase&, const FuzzCase&) = default;
};
// All knobs as plain as can be.
Knobs plain_knobs();

// As in "f1~seed:7~ram:512~policy:clock~ops:mk0.0.24,wr0.0.4~1+byte:34:outage". O(length).
std::string to_string(const FuzzCase& a_case);
bool is_fuzz_case(std::string_view text);
// The same back; throws InputError, with the part that is wrong.
FuzzCase parse_fuzz_case(const std::string& text);

// "mk", "wr", ...
std::string_view code_of(firmware::FuzzAct act);
// "make", "write", ...
std::string_view name_of(firmware::FuzzAct act);

}  // namespace brownout::sim::fuzz
