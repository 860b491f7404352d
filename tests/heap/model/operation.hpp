// What a sequence is made of. Everything is drawn in advance and means something in any state of the heap, so
// that any part of a sequence is a sequence again: that is what shrinking lives on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heap_under_test.hpp"

namespace brownout::heap::testing::model {

enum class OpKind : std::uint8_t {
  make,
  free,
  read,
  write,
  write_part,
  write_ends,  // the first and the last bytes of an object
  hold_reader,
  hold_writer,
  hold_readers_to_limit,
  write_held,  // through a reference that is held
  give_back,
  give_back_all,
  end_borrows,  // of references that were overwritten
  use_after_free,
  flush,
  unload,
  push,
  insert,
  remove,
  pop,
  iterate,
  walk,
  clear,
  outage,         // persist, loss of RAM, boot, restore
  false_alarm,    // persist only
  cut_persist,    // the supply is gone before the image is whole; the state before comes back
  damaged_image,  // a bit of the image has flipped; the state before comes back
  cold_boot,      // a restore without a persist; the state before comes back
};
inline constexpr std::uint32_t kOpKinds = 28;
const char* name_of(OpKind kind);
const char* name_of(Error error);

// A storage error inside an operation, and what the program then does.
struct Trouble {
  bool error = false;
  std::uint16_t calls_before = 0;  // begin and poll each count
  std::optional<Region> region;    // only calls there count
  Damage damage = Damage::nothing;
  std::uint8_t attempts = 1;  // so many in a row fail (as far as they make that many calls)
  bool give_up = false;       // the operation is not repeated
};

// The persist interrupt inside an operation.
struct Strikes {
  enum class Kind : std::uint8_t {
    outage,       // persist, loss of RAM, boot, restore
    false_alarm,  // persist only
    death,        // no persist: what a boot would find is looked at, then the state before comes back
  };
  std::uint8_t count = 0;
  std::array<std::uint16_t, ModelPlatform::kMaxStrikes> gaps = {};  // places before each
  bool in_transfers = false;  // only places in transfers count
  Kind kind = Kind::outage;
  std::uint8_t cut_share = 128;  // of the piece that is being transferred, in 256ths
  // A storage error in the restore, which is then repeated, or in the persist of a false alarm.
  bool error = false;
  std::uint16_t calls_before = 0;
  Damage damage = Damage::nothing;
};

struct Op {
  OpKind kind = OpKind::make;
  ObjectKind object = ObjectKind::buffer;  // of make
  std::uint32_t size_bytes = 0;            // of make
  std::uint32_t target = 0;                // which object, reference or list: modulo what there is
  std::uint32_t first = 0;                 // of a range: modulo what there is
  std::uint32_t count = 0;
  std::uint32_t value = 0;
  Trouble trouble;
  Strikes strikes;
};

// A heap to make, and how its sequence is drawn.
struct Setup {
  enum class Scale : std::uint8_t { tiny, small, large };
  std::uint64_t seed = 0;
  Scale scale = Scale::small;
  HeapConfig config;
  std::uint32_t store_bytes = 0;
  std::uint32_t check_every = 1;      // operations
  std::uint32_t first_sequence = 0;   // of checkpoints; 0: the first of all
  std::uint32_t format_errors_at = 0;  // a storage error so many calls after format() began, 0: none
};

// Both are functions of the seed.
Setup draw_setup(const Combination& combination, std::uint64_t seed);
std::vector<Op> draw_sequence(const Combination& combination, const Setup& setup);

std::string describe(const Modules& modules, const Setup& setup);
std::string describe(const Op& op);

}  // namespace brownout::heap::testing::model
