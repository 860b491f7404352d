// A workload that was drawn: operations over all types of the heap, as the fuzzer makes and shrinks them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace brownout::sim::firmware {

// What an operation does; `n` are its numbers. Each is taken modulo what there is, so that every operation
// can be run, whatever was drawn and whatever was taken out before it. Where there is no such object, list
// element or root, it does nothing.
enum class FuzzAct : std::uint8_t {
  make,          // slot, FuzzType, bytes (of a buffer), value
  write,         // slot, first byte, bytes, value
  read,          // slot
  free,          // slot
  flush,         //
  flush_object,  // slot
  set_root,      // slot, name
  find_root,     // name
  clear_root,    // name
  push_front,    // list, value
  push_back,     // list, value
  insert,        // list, position, value
  pop_front,     // list
  pop_back,      // list
  remove,        // list, position
  change,        // list, position, value
  scan,          // list
  clear_list,    // list
  compute,       // thousands of cycles
  two_writers,   // slot, slot, value: both are lent at once
  write_read,    // slot, slot, value: the second is read while the first is lent to a writer
  read_make,     // slot, slot, bytes, value: the second is made while the first is lent to a reader
};
inline constexpr std::size_t kFuzzActs = 22;

enum class FuzzType : std::uint8_t { buffer, parts, record, samples };
inline constexpr std::uint32_t kFuzzTypes = 4;

inline constexpr std::uint32_t kFuzzSlots = 16;
inline constexpr std::uint32_t kFuzzLists = 2;
inline constexpr std::uint32_t kFuzzRoots = 4;
inline constexpr std::uint32_t kFuzzBytes = 4096;  // of a buffer

struct FuzzOperation {
  FuzzAct act = FuzzAct::make;
  std::array<std::uint16_t, 4> n{};
  friend bool operator==(const FuzzOperation&, const FuzzOperation&) = default;
};

// Made on the host before a run and only read by the simulated program, as from flash.
struct FuzzProgram {
  std::vector<FuzzOperation> operations;
};

// Of the test bench, not lost with the supply: what became of the operations.
struct FuzzCounters {
  std::uint32_t next = 0;  // the operation that a start begins with: after a loss, the one in which it struck
  std::array<std::uint32_t, kFuzzActs> done{};
  std::uint32_t refused = 0;  // by the heap: no room, no slot, over the limit
  // Over what the program has read, in that order: equal for two memories that behave alike, wherever objects lie.
  std::uint32_t observed = 0;
};

}  // namespace brownout::sim::firmware
