#include "operation.hpp"

#include <algorithm>
#include <sstream>

namespace brownout::heap::testing::model {
namespace {

// splitmix64: the same numbers on every machine.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed * 0x9E37'79B9'7F4A'7C15U + 0x1234'5678U) {}

  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9E37'79B9'7F4A'7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D0'49BB'1331'11EBU;
    return z ^ (z >> 31U);
  }
  std::uint32_t raw() { return static_cast<std::uint32_t>(bits() >> 32U); }
  // In [0, n).
  std::uint32_t below(std::uint32_t n) { return n == 0 ? 0 : raw() % n; }
  // In [low, high].
  std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  // In [0, 2^bits), small numbers as likely as large ones.
  std::uint32_t any_scale(std::uint32_t bits_at_most) { return below(1U << below(bits_at_most + 1)); }
  template <class T, std::size_t N>
  T one_of(const T (&values)[N]) {
    return values[below(N)];
  }

 private:
  std::uint64_t state_;
};

// How often each kind is drawn, in a phase of the sequence.
struct Weight {
  OpKind kind;
  std::uint16_t filling;  // the store fills
  std::uint16_t in_use;   // what there is is used
  std::uint16_t emptying;
};
constexpr Weight kWeights[] = {
    {OpKind::make, 300, 120, 60},          {OpKind::free, 30, 70, 220},
    {OpKind::read, 80, 160, 100},          {OpKind::write, 80, 120, 60},
    {OpKind::write_part, 80, 100, 60},
    {OpKind::write_ends, 40, 60, 30},     {OpKind::hold_reader, 30, 45, 30},
    {OpKind::hold_writer, 30, 45, 30},     {OpKind::hold_readers_to_limit, 3, 4, 3},
    {OpKind::write_held, 30, 40, 30},      {OpKind::give_back, 45, 70, 60},
    {OpKind::give_back_all, 8, 8, 12},     {OpKind::end_borrows, 8, 8, 8},
    {OpKind::use_after_free, 4, 4, 4},     {OpKind::flush, 12, 15, 12},
    {OpKind::unload, 40, 60, 40},          {OpKind::push, 60, 30, 10},
    {OpKind::insert, 40, 30, 10},          {OpKind::remove, 10, 25, 30},
    {OpKind::pop, 10, 20, 30},             {OpKind::iterate, 15, 20, 15},
    {OpKind::walk, 15, 20, 15},               {OpKind::clear, 0, 1, 4},
    {OpKind::outage, 25, 30, 25},          {OpKind::false_alarm, 12, 15, 12},
    {OpKind::cut_persist, 5, 6, 5},        {OpKind::damaged_image, 3, 4, 3},
    {OpKind::cold_boot, 3, 4, 3},
};
constexpr std::uint32_t kPhases = 3;

std::uint32_t weight_of(const Weight& weight, std::uint32_t phase) {
  return phase == 0 ? weight.filling : phase == 1 ? weight.in_use : weight.emptying;
}

OpKind draw_kind(Draw& draw, std::uint32_t phase) {
  std::uint32_t total = 0;
  for (const Weight& weight : kWeights) total += weight_of(weight, phase);
  std::uint32_t at = draw.below(total);
  for (const Weight& weight : kWeights) {
    const std::uint32_t share = weight_of(weight, phase);
    if (at < share) return weight.kind;
    at -= share;
  }
  return OpKind::read;
}

// Sizes from nothing to more than fits, most of them small, many at the edge of a granule or a block.
std::uint32_t draw_size(Draw& draw, const Setup& setup) {
  const std::uint32_t ram = setup.config.ram_bytes;
  if (setup.scale == Setup::Scale::large && draw.chance(90)) return draw.between(1, 48);
  switch (draw.below(16)) {
    case 0: return draw.below(9);
    case 1: return 32 * draw.between(1, 8);
    case 2: return 32 * draw.between(1, 8) + draw.between(0, 2) - 1;
    case 3: return draw.any_scale(11);
    case 4: return draw.below(ram / 2);
    case 5: return draw.chance(setup.scale == Setup::Scale::tiny ? 60 : 20) ? draw.below(ram + 64) : draw.below(ram / 4);
    case 6: return draw.chance(10) ? draw.between(16'000, 20'000) : draw.below(64);
    case 7: return ram / 8 + draw.below(ram / 8);
    default: return draw.between(1, setup.scale == Setup::Scale::tiny ? ram / 5 : ram / 8);
  }
}

ObjectKind draw_object(Draw& draw) {
  static constexpr ObjectKind kKinds[] = {
      ObjectKind::buffer, ObjectKind::buffer, ObjectKind::buffer, ObjectKind::partial_buffer,
      ObjectKind::partial_buffer, ObjectKind::partial_buffer, ObjectKind::plain, ObjectKind::owner,
      ObjectKind::array};
  return draw.one_of(kKinds);
}

Damage draw_damage(Draw& draw) { return static_cast<Damage>(draw.below(kDamages)); }

Op draw_op(Draw& draw, const Setup& setup, OpKind kind) {
  Op op;
  op.kind = kind;
  op.object = draw_object(draw);
  op.size_bytes = draw_size(draw, setup);
  // Large enough for several blocks with a dirty bit.
  if (op.object == ObjectKind::partial_buffer && draw.chance(30)) {
    op.size_bytes = draw.between(66, std::max(120U, setup.config.ram_bytes / 6));
  }
  // A few objects are used again and again, or nothing would be written twice between two flushes.
  op.target = draw.chance(40) ? draw.below(4) : draw.raw();
  op.first = draw.raw() >> 8U;
  op.count = draw.chance(60) ? draw.below(40) : draw.raw() >> 8U;
  op.value = draw.raw();
  if (draw.chance(14)) {
    op.trouble.error = true;
    static constexpr Region kRegion[] = {Region::mark, Region::records, Region::records, Region::table,
                                         Region::units, Region::units};
    if (draw.chance(45)) op.trouble.region = draw.one_of(kRegion);
    op.trouble.calls_before = static_cast<std::uint16_t>(draw.any_scale(op.trouble.region ? 2 : 5));
    op.trouble.damage = draw_damage(draw);
    op.trouble.attempts = draw.chance(25) ? 2 : 1;
    op.trouble.give_up = draw.chance(40);
  }
  if (draw.chance(14)) {
    op.strikes.count = static_cast<std::uint8_t>(draw.chance(70) ? 1 : draw.between(2, 3));
    // Some operations make no transfer and few steps.
    const bool is_short = kind == OpKind::give_back || kind == OpKind::end_borrows;
    op.strikes.in_transfers = !is_short && draw.chance(50);
    const std::uint32_t bits = is_short ? 2 : op.strikes.in_transfers ? 4 : setup.scale == Setup::Scale::large ? 12 : 8;
    op.strikes.gaps[0] = static_cast<std::uint16_t>(draw.any_scale(bits));
    for (std::size_t i = 1; i < op.strikes.gaps.size(); ++i) {
      op.strikes.gaps[i] = static_cast<std::uint16_t>(draw.any_scale(op.strikes.in_transfers ? 3 : 6));
    }
    op.strikes.kind = static_cast<Strikes::Kind>(draw.chance(50) ? 0 : draw.between(1, 2));
    op.strikes.error = draw.chance(10);
    op.strikes.calls_before = static_cast<std::uint16_t>(draw.any_scale(4));
    op.strikes.damage = draw_damage(draw);
    op.strikes.cut_share = static_cast<std::uint8_t>(draw.below(256));
  }
  return op;
}

// What an image is without a slot: worked out here once more.
std::uint32_t smallest_limit(const Modules& modules, std::uint32_t slots) {
  const std::uint32_t bitmap = (slots + 63) / 64 * 8;
  return 64 + bitmap * (modules.referenced_bits() ? 2U : 1U) + 3 * modules.slot_bytes() + 8;
}

void draw_tiny(Draw& draw, const Modules& modules, Setup& setup) {
  HeapConfig& config = setup.config;
  config.ram_bytes = draw.chance(50) ? 256 : 8 * draw.between(20, 64);
  // The restore needs 16 B for its bitmaps.
  config.max_residents = std::min(draw.between(1, 10), (config.ram_bytes - 32 - 24) / 8);
  const std::uint32_t least = smallest_limit(modules, config.max_residents);
  config.dirty_limit_bytes = draw.chance(30) ? least : least + draw.below(config.ram_bytes);
  config.os_bytes = 8 * draw.below(3);
  setup.store_bytes = 2 * config.dirty_limit_bytes + 128 + 8 * draw.between(40, 200);
  config.store_unit_bytes = 8;
  if (modules.store == StoreKind::block) config.store_unit_bytes = 8 * draw.between(4, 18);
  if (modules.compact) config.store_unit_bytes = draw.chance(50) ? 0 : 8;
}

void draw_small(Draw& draw, const Modules& modules, Setup& setup) {
  HeapConfig& config = setup.config;
  config.ram_bytes = draw.chance(60) ? 2048 : 8 * draw.between(96, 400);
  config.max_residents = draw.chance(40) ? 0 : draw.between(4, 48);
  const std::uint32_t least = smallest_limit(modules, 64);
  switch (draw.below(4)) {
    case 0: config.dirty_limit_bytes = least + draw.below(64); break;
    case 1: config.dirty_limit_bytes = config.ram_bytes + 512; break;
    default: config.dirty_limit_bytes = least + draw.below(config.ram_bytes / 2);
  }
  config.os_bytes = 8 * draw.below(9);
  setup.store_bytes = 2 * config.dirty_limit_bytes + 1024 + 8 * draw.between(200, 1000);
  if (modules.store == StoreKind::block) {
    config.store_unit_bytes = 8 * draw.between(6, 40);
  } else if (!modules.compact) {
    static constexpr std::uint32_t kUnits[] = {0, 8, 16, 32};
    config.store_unit_bytes = draw.one_of(kUnits);
  }
}

void draw_large(Draw& draw, const Modules& modules, Setup& setup) {
  HeapConfig& config = setup.config;
  config.ram_bytes = 64 * 1024;
  config.max_residents = modules.compact ? 64 : draw.between(1024, 1200);
  config.dirty_limit_bytes = draw.chance(50) ? 4096 + draw.below(8192) : 80 * 1024;
  config.os_bytes = 256;
  setup.store_bytes = 512 * 1024;
  setup.check_every = 32;
  if (modules.store == StoreKind::block) config.store_unit_bytes = draw.chance(50) ? 64 : 256;
}

}  // namespace

Setup draw_setup(const Combination& combination, std::uint64_t seed) {
  Setup setup;
  setup.seed = seed;
  Draw draw(seed);
  switch (seed % 16) {
    case 15: setup.scale = Setup::Scale::large; break;
    default: setup.scale = seed % 2 == 0 ? Setup::Scale::tiny : Setup::Scale::small;
  }
  switch (setup.scale) {
    case Setup::Scale::tiny: draw_tiny(draw, combination.modules, setup); break;
    case Setup::Scale::small: draw_small(draw, combination.modules, setup); break;
    case Setup::Scale::large: draw_large(draw, combination.modules, setup); break;
  }
  // Shortly before the numbers begin anew.
  if (draw.chance(20)) setup.first_sequence = 0xFFFF'FFFFU - draw.below(12);
  if (draw.chance(20)) setup.format_errors_at = draw.between(1, 12);
  return setup;
}

std::vector<Op> draw_sequence(const Combination&, const Setup& setup) {
  Draw draw(setup.seed + 1'000'003);
  const bool large = setup.scale == Setup::Scale::large;
  std::vector<Op> ops;
  // A large heap is filled first, or it would never have many residents.
  if (large) {
    for (std::uint32_t i = 0; i < 1400; ++i) {
      Op op = draw_op(draw, setup, draw.chance(92) ? OpKind::make : draw_kind(draw, 1));
      if (op.kind == OpKind::make) op.size_bytes = draw.between(1, 24);
      ops.push_back(op);
    }
  }
  const std::uint32_t length = large ? 2600 : 1000;
  std::uint32_t phase = 0;
  for (std::uint32_t i = 0; i < length; ++i) {
    if (i % 100 == 0) phase = i == 0 ? 0 : draw.below(kPhases);
    ops.push_back(draw_op(draw, setup, draw_kind(draw, phase)));
  }
  return ops;
}

const char* name_of(OpKind kind) {
  static constexpr const char* kNames[kOpKinds] = {
      "make",        "free",          "read",      "write",          "write_part", "write_ends", "hold_reader",
      "hold_writer", "hold_readers_to_limit", "write_held", "give_back", "give_back_all", "end_borrows",
      "use_after_free", "flush",      "unload",    "push",           "insert",     "remove",
      "pop",         "iterate",       "walk",      "clear",          "outage",     "false_alarm",
      "cut_persist", "damaged_image", "cold_boot"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* name_of(Error error) {
  static constexpr const char* kNames[] = {
      "ok",         "no_ram",     "no_storage",        "dirty_limit", "too_large", "no_slot",
      "out_of_range", "invalid_handle", "borrowed",    "storage_failed", "wrong_part", "bad_configuration",
      "empty",      "torn",       "stale",             "foreign",     "wrong_version"};
  return kNames[static_cast<std::size_t>(error)];
}

std::string describe(const Modules& modules, const Setup& setup) {
  const HeapConfig& c = setup.config;
  std::ostringstream text;
  text << modules.name << ", seed " << setup.seed << ": RAM " << c.ram_bytes << " B, dirty limit "
       << c.dirty_limit_bytes << " B, " << c.max_residents << " slots (0: default), store " << setup.store_bytes
       << " B in units of " << c.store_unit_bytes << " B (0: default), OS part " << c.os_bytes << " B";
  if (setup.first_sequence != 0) text << ", checkpoints from " << setup.first_sequence << " on";
  if (setup.format_errors_at != 0) text << ", an error in format()";
  return text.str();
}

std::string describe(const Op& op) {
  static constexpr const char* kObjects[kObjectKinds] = {"buffer", "partial buffer", "object",
                                                         "object with destructor", "array", "node"};
  static constexpr const char* kDamage[kDamages] = {"having done nothing", "half done", "although done"};
  std::ostringstream text;
  text << name_of(op.kind);
  if (op.kind == OpKind::make) {
    text << ' ' << kObjects[static_cast<std::size_t>(op.object)] << " of " << op.size_bytes << " B";
  }
  text << " {target " << op.target << ", first " << op.first << ", count " << op.count << ", value " << op.value
       << '}';
  if (op.trouble.error) {
    static constexpr const char* kRegion[kRegions] = {"mark", "checkpoints", "records", "table", "units"};
    text << ", storage error at call " << op.trouble.calls_before;
    if (op.trouble.region) text << " in the " << kRegion[static_cast<std::size_t>(*op.trouble.region)];
    text << ' '
         << kDamage[static_cast<std::size_t>(op.trouble.damage)];
    if (op.trouble.attempts > 1) text << ", " << int{op.trouble.attempts} << " times";
    if (op.trouble.give_up) text << ", then given up";
  }
  if (op.strikes.count > 0) {
    static constexpr const char* kStrikes[] = {", outage after ", ", false alarm after ", ", look at a death after "};
    text << kStrikes[static_cast<std::size_t>(op.strikes.kind)];
    for (std::uint32_t i = 0; i < op.strikes.count; ++i) {
      text << (i == 0 ? "" : ", then after ") << op.strikes.gaps[i];
    }
    text << (op.strikes.in_transfers ? " polls" : " places");
    if (op.strikes.error) text << ", with a storage error at its call " << op.strikes.calls_before;
  }
  return text.str();
}

}  // namespace brownout::heap::testing::model
