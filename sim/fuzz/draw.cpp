#include "sim/fuzz/draw.hpp"

#include <algorithm>

#include "devices/math/random.hpp"
#include "sim/firmware/firmware.hpp"

namespace brownout::sim::fuzz {
namespace {

using devices::SplitMix64;
using explore::Drawn;
using explore::DrawnAt;
using explore::DrawnOutage;
using firmware::FuzzAct;
using firmware::FuzzOperation;

// How often an operation is drawn if nothing is switched off.
constexpr std::array<std::uint32_t, firmware::kFuzzActs> kActWeights = {
    10,  // make
    18,  // write
    10,  // read
    5,   // free
    1,   // flush
    2,   // flush_object
    1,   // set_root
    1,   // find_root
    1,   // clear_root
    3,   // push_front
    4,   // push_back
    3,   // insert
    3,   // pop_front
    2,   // pop_back
    2,   // remove
    3,   // change
    1,   // scan
    1,   // clear_list
    1,   // compute
    3,   // two_writers
    3,   // write_read
    3,   // read_make
};
constexpr std::array<std::uint32_t, explore::kDrawnKinds> kOutageWeights = {
    8,  // outage
    2,  // false alarm
    2,  // persist cut
    2,  // restore cut
    1,  // perturb
    1,  // loss
    1,  // too late
};
constexpr std::array<std::uint32_t, explore::kPointClasses> kPointWeights = {5, 12,
                                                                             3};  // access, byte, operation
constexpr std::array<std::uint32_t, 4> kSizeWeights = {4, 6, 4, 1};               // tiny to large
constexpr std::uint64_t kMeanOperations = 100;

std::uint32_t number(SplitMix64& random, std::uint64_t below) {
  return static_cast<std::uint32_t>(random.below(below));
}

template <std::size_t N>
std::uint32_t one_of(SplitMix64& random, const std::array<std::uint32_t, N>& values) {
  return values[random.below(N)];
}

// Weights of which some are nothing, and the others one to four times what they were; the first that is
// `always` stays.
template <std::size_t N>
std::array<std::uint32_t, N> swarm(SplitMix64& random, const std::array<std::uint32_t, N>& weights,
                                   std::size_t always, bool wanted) {
  std::array<std::uint32_t, N> drawn = weights;
  for (std::size_t i = 0; i < N && wanted; ++i) {
    const std::uint64_t draw = random.below(12);
    drawn[i] *= draw < 4 && i != always ? 0 : 1 + static_cast<std::uint32_t>(draw % 4);
  }
  return drawn;
}

template <std::size_t N>
std::size_t weighted(SplitMix64& random, const std::array<std::uint32_t, N>& weights) {
  std::uint32_t total = 0;
  for (const std::uint32_t weight : weights) total += weight;
  std::uint32_t draw = number(random, total);
  std::size_t i = 0;
  while (draw >= weights[i]) draw -= weights[i++];
  return i;
}

std::uint32_t& at(Knobs& knobs, Knob knob) { return knobs[static_cast<std::size_t>(knob)]; }
bool attaches(const Knobs& knobs) {
  return knobs[static_cast<std::size_t>(Knob::on_loss)] == static_cast<std::uint32_t>(LossStart::attach);
}

// Sizes until the heap fits; after some tries, the plain ones.
void settle(Knobs& knobs, const std::vector<std::pair<Knob, std::uint32_t>>& fixed) {
  constexpr int kTries = 12;
  const auto hold = [&] {
    for (const auto& [knob, value] : fixed) at(knobs, knob) = value;
  };
  hold();
  for (int i = 0; i < kTries && !fits(knobs); ++i) {
    std::uint32_t& limit = at(knobs, Knob::limit);
    limit = std::min(limit + limit / 2 + 32, 4'096U);
    std::uint32_t& residents = at(knobs, Knob::residents);
    if (i % 2 == 1) residents /= 2;
    std::uint32_t& part = at(knobs, Knob::part);
    if (i % 2 == 1) part = std::min(2 * part, 65'536U);
    if (i > kTries / 2) at(knobs, Knob::unit) = 0;
    if (i > kTries / 2) at(knobs, Knob::store) = 0;
    if (i > kTries / 2) at(knobs, Knob::ram) = std::min(2 * at(knobs, Knob::ram), 4'096U);
    hold();
  }
  if (fits(knobs)) return;
  for (const Knob knob :
       {Knob::ram, Knob::limit, Knob::residents, Knob::store, Knob::unit, Knob::os, Knob::part})
    at(knobs, knob) = info_of(knob).plain;
  hold();
}

// What of the storage goes wrong beside power, and what the driver has against it.
void draw_wires(SplitMix64& random, Knobs& knobs) {
  constexpr std::array<std::uint32_t, 5> kWeights = {14, 1, 2, 1, 1};
  const auto wires = static_cast<Wires>(weighted(random, kWeights));
  const auto verify = static_cast<heap::Verify>(number(random, 3));
  const std::uint32_t retries = 1 + number(random, 3);
  const std::uint32_t every = 8U << random.below(8);
  if (wires == Wires::none) {
    const bool looks = random.below(8) == 0;
    at(knobs, Knob::verify) = looks ? static_cast<std::uint32_t>(verify) : 0;
    return;
  }
  const bool reads = wires == Wires::received || wires == Wires::all;
  const bool writes = wires == Wires::sent && verify == heap::Verify::none;
  at(knobs, Knob::wires) = static_cast<std::uint32_t>(wires);
  at(knobs, Knob::verify) = static_cast<std::uint32_t>(reads    ? heap::Verify::read_twice
                                                       : writes ? heap::Verify::read_back
                                                                : verify);
  at(knobs, Knob::retries) = retries;
  at(knobs, Knob::every) = every;
}

// What has no meaning on such a board is as plain as can be.
void drop_the_meaningless(Knobs& knobs) {
  const auto plain = [&knobs](std::initializer_list<Knob> names) {
    for (const Knob knob : names) at(knobs, knob) = info_of(knob).plain;
  };
  const auto memory = static_cast<firmware::MemoryKind>(at(knobs, Knob::memory));
  if (memory != firmware::MemoryKind::heap) {
    plain({Knob::residents, Knob::roots, Knob::intents, Knob::ram_allocator, Knob::store_allocator,
           Knob::policy, Knob::slots, Knob::on_loss});
    at(knobs, Knob::start) = std::min(at(knobs, Knob::start), 1U);
  }
  if (memory != firmware::MemoryKind::pages) plain({Knob::page});
  // What a read that is not stopped at once goes on to bring into RAM cannot be told from RAM that has
  // changed.
  if (memory == firmware::MemoryKind::direct) plain({Knob::abort});
  if (at(knobs, Knob::storage) == static_cast<std::uint32_t>(StorageKind::mapped)) {
    plain({Knob::wel, Knob::transfer, Knob::slice, Knob::chunk, Knob::abort, Knob::verify, Knob::retries,
           Knob::wires, Knob::every});
    const bool below =
        at(knobs, Knob::fault) == static_cast<std::uint32_t>(devices::FramFault::garbage_below_min_vdd);
    if (!below) plain({Knob::fault});
  }
}

Knobs draw_knobs(SplitMix64& random, const std::vector<std::pair<Knob, std::uint32_t>>& fixed) {
  Knobs knobs = plain_knobs();
  const std::uint32_t ram = 256U << random.below(4);
  at(knobs, Knob::ram) = ram + 8 * number(random, ram / 8 + 1);
  at(knobs, Knob::limit) = 8 * (16 + number(random, at(knobs, Knob::ram) / 8));
  const bool derived = random.below(3) == 0;
  const std::uint32_t residents = 1 + number(random, at(knobs, Knob::ram) / 40);
  at(knobs, Knob::residents) = derived ? 0 : residents;
  at(knobs, Knob::os) = 8 * one_of(random, std::array<std::uint32_t, 6>{0, 1, 2, 8, 16, 32});
  at(knobs, Knob::roots) = one_of(random, std::array<std::uint32_t, 4>{0, 2, 4, 4});
  at(knobs, Knob::intents) = number(random, 2);
  at(knobs, Knob::ram_allocator) = number(random, 2);
  at(knobs, Knob::store_allocator) = number(random, 3);
  at(knobs, Knob::policy) = number(random, 3);
  if (random.below(5) == 0) {
    at(knobs, Knob::slots) = 1;
    at(knobs, Knob::ram_allocator) = 1;
    at(knobs, Knob::store_allocator) = 1;
  }
  at(knobs, Knob::unit) =
      at(knobs, Knob::slots) == 1 ? 0 : one_of(random, std::array<std::uint32_t, 6>{0, 0, 8, 16, 32, 64});
  at(knobs, Knob::checksum) = number(random, 2);
  const std::uint32_t store = 512U << random.below(4);
  const bool all = random.below(8) == 0;
  at(knobs, Knob::store) = all ? 0 : store + 8 * number(random, store / 8);
  const bool large = random.below(64) == 0;
  at(knobs, Knob::part) = large ? 65'536U << random.below(4) : 2'048U << random.below(4);
  at(knobs, Knob::wel) = number(random, 2);
  at(knobs, Knob::transfer) = number(random, 3);
  const std::uint32_t slice = one_of(random, std::array<std::uint32_t, 5>{4, 8, 16, 32, 64});
  if (at(knobs, Knob::transfer) == 2) at(knobs, Knob::slice) = slice;
  at(knobs, Knob::chunk) = one_of(random, std::array<std::uint32_t, 4>{8, 32, 64, 4'092});
  at(knobs, Knob::abort) = number(random, 3);
  at(knobs, Knob::fault) = number(random, 4);
  at(knobs, Knob::start) = number(random, 3);
  const std::uint32_t memory = number(random, 3);
  if (random.below(8) == 0) at(knobs, Knob::memory) = 1 + memory;
  at(knobs, Knob::page) = 32U << random.below(5);
  if (random.below(6) == 0) at(knobs, Knob::storage) = static_cast<std::uint32_t>(StorageKind::mapped);
  draw_wires(random, knobs);
  const std::uint32_t roots = 1 + number(random, 8);
  if (random.below(4) == 0) {
    at(knobs, Knob::on_loss) = static_cast<std::uint32_t>(LossStart::attach);
    at(knobs, Knob::roots) = roots;
    at(knobs, Knob::intents) = 1;
    // A byte of the store's table that is garbage, or a row that is lost, as power fails, is one that no heap
    // brings back.
    at(knobs, Knob::fault) = 0;
  }
  for (const auto& [knob, value] : fixed) at(knobs, knob) = value;
  drop_the_meaningless(knobs);
  settle(knobs, fixed);
  return knobs;
}

// Of a buffer.
class Sizes {
 public:
  Sizes(SplitMix64& random, std::uint32_t ram, bool swarms) : ram_(ram) {
    weights_ = swarm(random, kSizeWeights, 1, swarms);
  }
  std::uint16_t draw(SplitMix64& random) const {
    const std::array<std::uint32_t, 4> most = {16, 64, ram_ / 4, ram_ / 2};
    return static_cast<std::uint16_t>(1 + random.below(most[weighted(random, weights_)]));
  }

 private:
  std::uint32_t ram_;
  std::array<std::uint32_t, 4> weights_{};
};

// After a loss the program has what its roots lead to, as it was written home.
constexpr std::array<std::uint32_t, firmware::kFuzzActs> act_weights(bool attaches) {
  std::array<std::uint32_t, firmware::kFuzzActs> weights = kActWeights;
  if (!attaches) return weights;
  weights[static_cast<std::size_t>(FuzzAct::set_root)] *= 8;
  weights[static_cast<std::size_t>(FuzzAct::flush_object)] *= 2;
  return weights;
}
constexpr std::array<std::uint32_t, explore::kDrawnKinds> outage_weights(bool attaches) {
  std::array<std::uint32_t, explore::kDrawnKinds> weights = kOutageWeights;
  if (!attaches) return weights;
  for (const Drawn kind : {Drawn::loss, Drawn::late}) weights[static_cast<std::size_t>(kind)] *= 4;
  return weights;
}

std::vector<FuzzOperation> draw_operations(SplitMix64& random, const Knobs& knobs, bool swarms) {
  const std::uint32_t ram = knobs[static_cast<std::size_t>(Knob::ram)];
  const std::uint64_t count = kMeanOperations / 2 + random.below(kMeanOperations + 1);
  const auto weights = swarm(random, act_weights(attaches(knobs)), 0, swarms);
  const auto types = swarm(random, std::array<std::uint32_t, firmware::kFuzzTypes>{3, 3, 2, 1}, 0, swarms);
  const Sizes sizes(random, ram, swarms);
  const std::uint64_t slots = 2 + random.below(firmware::kFuzzSlots - 1);
  const std::uint64_t lists = 1 + random.below(firmware::kFuzzLists);
  std::vector<FuzzOperation> operations;
  operations.reserve(count);
  const auto slot = [&] { return static_cast<std::uint16_t>(random.below(slots)); };
  const auto list = [&] { return static_cast<std::uint16_t>(random.below(lists)); };
  const auto value = [&] { return static_cast<std::uint16_t>(1 + random.below(999)); };
  const auto position = [&] { return static_cast<std::uint16_t>(random.below(8)); };
  for (std::uint64_t i = 0; i < count; ++i) {
    FuzzOperation& next = operations.emplace_back();
    next.act = static_cast<FuzzAct>(weighted(random, weights));
    auto& n = next.n;
    switch (next.act) {
      case FuzzAct::make:
        n[0] = slot();
        n[1] = static_cast<std::uint16_t>(weighted(random, types));
        n[2] = sizes.draw(random);
        n[3] = value();
        break;
      case FuzzAct::write:
        n[0] = slot();
        n[1] = random.below(2) == 0 ? std::uint16_t{0} : sizes.draw(random);
        n[2] = sizes.draw(random);
        n[3] = value();
        break;
      case FuzzAct::read:
      case FuzzAct::free:
      case FuzzAct::flush_object: n[0] = slot(); break;
      case FuzzAct::flush: break;
      case FuzzAct::set_root:
        n[0] = slot();
        n[1] = position() % firmware::kFuzzRoots;
        break;
      case FuzzAct::find_root:
      case FuzzAct::clear_root: n[0] = position() % firmware::kFuzzRoots; break;
      case FuzzAct::push_front:
      case FuzzAct::push_back:
        n[0] = list();
        n[1] = value();
        break;
      case FuzzAct::insert:
      case FuzzAct::change:
        n[0] = list();
        n[1] = position();
        n[2] = value();
        break;
      case FuzzAct::pop_front:
      case FuzzAct::pop_back:
      case FuzzAct::scan:
      case FuzzAct::clear_list: n[0] = list(); break;
      case FuzzAct::remove:
        n[0] = list();
        n[1] = position();
        break;
      case FuzzAct::compute: n[0] = value(); break;
      case FuzzAct::two_writers:
      case FuzzAct::write_read:
        n[0] = slot();
        n[1] = slot();
        n[2] = value();
        break;
      case FuzzAct::read_make:
        n[0] = slot();
        n[1] = slot();
        n[2] = sizes.draw(random);
        n[3] = value();
        break;
    }
  }
  return operations;
}

std::uint64_t draw_outage_count(SplitMix64& random) {
  switch (random.below(32)) {
    case 0: return 0;
    case 1: return 6 + random.below(15);
    default: return 1 + random.below(5);
  }
}

// Where a persist, restore or start is cut, and how often, as far as the kind wants it.
void draw_cuts(SplitMix64& random, DrawnOutage& next) {
  const std::uint64_t cut_reach = std::uint64_t{16} << random.below(6);
  const std::uint32_t cut_at = number(random, cut_reach);
  const std::uint32_t times = 1 + number(random, 3);
  const bool starts = random.below(3) == 0;
  switch (next.kind) {
    case Drawn::cut_persist:
    case Drawn::late: next.cut_at = cut_at; break;
    case Drawn::cut_restore:
      next.cut_at = cut_at;
      next.times = times;
      break;
    case Drawn::loss:
      next.times = starts ? times : 0;
      next.cut_at = starts ? cut_at : 0;
      break;
    default: break;
  }
}

// As a supply makes them that nobody plans: a capacitor, whose charge lasts the board for so long, and a
// source that is there and not there for spans of its own and meanwhile covers some eighths of the load.
// Times are in nanoseconds in which the board draws its load, which is taken for constant; the outages are
// those at which the capacitor is empty.
std::vector<DrawnOutage> draw_supply(SplitMix64& random,
                                     const std::array<std::uint32_t, explore::kDrawnKinds>& kinds) {
  constexpr std::uint64_t kShortest = 80'000;
  constexpr std::uint64_t kEighths = 8;
  const std::uint64_t magnitude = kShortest << random.below(6);
  const std::uint64_t full = magnitude + random.below(magnitude);
  const std::uint64_t harvest = random.below(kEighths);
  const std::uint64_t mean = kShortest << random.below(12);
  std::vector<DrawnOutage> outages(1 + random.below(6));
  bool on = random.below(2) == 0;
  std::uint64_t left = 1 + random.below(2 * mean);  // of the source's span
  const auto turn_over = [&] {
    on = !on;
    left = 1 + random.below(2 * mean);
  };
  for (DrawnOutage& next : outages) {
    std::uint64_t ran = 0;
    for (std::uint64_t charge = full * kEighths; charge > 0;) {
      const std::uint64_t drain = on ? kEighths - harvest : kEighths;
      const std::uint64_t span = std::min(left, (charge + drain - 1) / drain);
      ran += span;
      charge -= std::min(charge, span * drain);
      left -= span;
      if (left == 0) turn_over();
    }
    // Off until it is full again.
    for (std::uint64_t lacking = full * kEighths; lacking > 0;) {
      const std::uint64_t gain = on ? 1 + harvest : 0;
      const std::uint64_t span = gain == 0 ? left : std::min(left, (lacking + gain - 1) / gain);
      lacking -= std::min(lacking, span * gain);
      left -= span;
      if (left == 0) turn_over();
    }
    next.at = DrawnAt::energy;
    next.offset = static_cast<std::uint32_t>(std::min<std::uint64_t>(ran, 1'000'000'000));
    next.kind = static_cast<Drawn>(weighted(random, kinds));
    if (next.kind == Drawn::perturb) next.kind = Drawn::outage;
    draw_cuts(random, next);
  }
  return outages;
}

std::vector<DrawnOutage> draw_outages(SplitMix64& random, std::uint64_t operations, const Setting& setting,
                                      bool attaches) {
  const auto kinds = swarm(random, outage_weights(attaches), 0, setting.swarm);
  const auto points = swarm(random, kPointWeights, 1, setting.swarm);
  if (random.below(5) == 0) return draw_supply(random, kinds);
  std::vector<DrawnOutage> outages(draw_outage_count(random));
  bool close = false;
  for (std::size_t i = 0; i < outages.size(); ++i) {
    DrawnOutage& next = outages[i];
    next.operation = close ? outages[i - 1].operation : number(random, operations);
    next.kind = static_cast<Drawn>(weighted(random, kinds));
    next.at = static_cast<DrawnAt>(weighted(random, points));
    if (next.at == DrawnAt::access && !setting.accesses) next.at = DrawnAt::byte;
    if (next.kind == Drawn::perturb) next.at = DrawnAt::operation;
    const std::uint64_t reach = next.at == DrawnAt::access ? 11 : next.at == DrawnAt::byte ? 9 : 2;
    const std::uint64_t most = std::uint64_t{1} << random.below(reach);
    next.offset = number(random, close ? 8 : most);
    draw_cuts(random, next);
    close = random.below(8) == 0;
  }
  std::stable_sort(outages.begin(), outages.end(),
                   [](const DrawnOutage& a, const DrawnOutage& b) { return a.operation < b.operation; });
  return outages;
}

}  // namespace

bool fits(const Knobs& knobs) {
  const auto value = [&knobs](Knob knob) { return knobs[static_cast<std::size_t>(knob)]; };
  const auto kind = static_cast<firmware::MemoryKind>(value(Knob::memory));
  const bool compact = kind == firmware::MemoryKind::heap && value(Knob::slots) == 1;
  if (compact && (value(Knob::ram_allocator) != 1 || value(Knob::store_allocator) != 1)) return false;
  heap::HeapConfig config;
  config.ram_bytes = value(Knob::ram);
  config.dirty_limit_bytes = value(Knob::limit);
  config.max_residents = value(Knob::residents);
  config.store_bytes = value(Knob::store);
  config.store_unit_bytes = value(Knob::unit);
  config.os_bytes = heap::round_up_8(value(Knob::os));
  config.max_roots = value(Knob::roots);
  config.write_intents = value(Knob::intents) == 1;
  firmware::MemoryOptions memory;
  memory.kind = kind;
  memory.page_bytes = value(Knob::page);
  if (kind != firmware::MemoryKind::heap)
    return firmware::plan_baseline(config, memory, value(Knob::part)).status().ok();
  memory.ram_allocator = static_cast<firmware::RamAllocatorKind>(value(Knob::ram_allocator));
  memory.store_allocator = static_cast<firmware::StoreAllocatorKind>(value(Knob::store_allocator));
  memory.policy = static_cast<firmware::PolicyKind>(value(Knob::policy));
  memory.slots = static_cast<firmware::SlotKind>(value(Knob::slots));
  heap::Geometry geometry;
  return firmware::plan_heap(config, memory, value(Knob::part), geometry) == heap::Error::none;
}

FuzzCase draw_case(const Setting& setting, std::uint64_t seed, std::uint64_t index) {
  constexpr std::uint64_t kOdd = 0xD134'2543'DE82'EF95ULL;
  SplitMix64 of_seed(seed);
  SplitMix64 random(of_seed.next() + index * kOdd);
  FuzzCase out;
  out.seed = random.next() >> 40U;
  out.knobs = draw_knobs(random, setting.fixed);
  if (setting.scenario == nullptr) {
    out.operations = draw_operations(random, out.knobs, setting.swarm);
  } else {
    out.file = setting.file;
    out.sets = setting.sets;
    out.iterations = 1 + random.below(std::uint64_t{1} << random.below(7));
  }
  const std::uint64_t operations = setting.scenario == nullptr ? out.operations.size() : out.iterations;
  out.outages = draw_outages(random, operations, setting, attaches(out.knobs));
  for (const DrawnOutage& outage : out.outages) {
    if (outage.at == DrawnAt::access) out.build_id = setting.build_id;
  }
  return out;
}

}  // namespace brownout::sim::fuzz
