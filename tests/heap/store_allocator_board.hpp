// A store for tests of its allocators: memory, a gateway that fails and loses power at will, a model of what
// is allocated, and for each allocator what its table ought to say, worked out in the plainest way.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <vector>

#include "heap/store_allocators/block.hpp"
#include "heap/store_allocators/buddy.hpp"
#include "heap/store_allocators/linked_list.hpp"

namespace brownout::heap::testing::store_allocators {

// std::mt19937 in 32 bits, the same on every run.
class Random {
 public:
  using result_type = std::uint32_t;
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }
  static constexpr std::uint32_t min() { return 0; }
  static constexpr std::uint32_t max() { return 0xFFFF'FFFFU; }

 private:
  std::mt19937 engine_;
};

using Bytes = std::vector<std::uint8_t>;

// Calls `at_place` wherever the persist interrupt might strike.
struct BoardPlatform {
  std::function<void()> at_place;
  std::uint64_t steps = 0;

  void place() const {
    if (at_place) at_place();
  }
  void charge(Work work, std::uint32_t n) {
    if (work == Work::step) steps += n;
    place();
  }
  void enter_critical() {}
  void exit_critical() {}
  static std::uint32_t power_epoch() { return 1; }
  void wait_since_power_on(std::uint32_t) {}
};

// What becomes of a call of the gateway. `before` its effect or `after` it; a failed read never delivers.
enum class Outcome : std::uint8_t { ok, fails_before, fails_after, cut_before, cut_after };
struct PowerCut {};

struct Transfer {
  bool write = false;
  std::uint32_t address = 0;
  std::uint32_t size = 0;
};

// The way to the store. An allocator has no business outside its table.
class BoardGateway {
 public:
  BoardGateway(BoardPlatform& platform, std::uint32_t size, std::uint8_t content)
      : memory(size, content), platform_(platform) {}

  Bytes memory;
  std::uint32_t table_begin = 0;
  std::uint32_t table_end = 0;
  std::function<Outcome(std::size_t call)> outcome;  // of the calls since `transfers` was cleared
  std::vector<Transfer> transfers;

  Status write_home(std::uint32_t address, ConstBytes bytes) {
    return transfer({true, address, bytes.size},
                    [&] { std::memcpy(memory.data() + address, bytes.data, bytes.size); });
  }
  // Fails or is cut half way.
  Status zero_home(std::uint32_t address, std::uint32_t size) {
    std::memset(memory.data() + address, 0, size / 2);
    return transfer({true, address, size}, [&] { std::memset(memory.data() + address, 0, size); });
  }
  Status read_home(std::uint32_t address, MutableBytes bytes) {
    std::memset(bytes.data, 0xA5, bytes.size);
    const Outcome fate = next_outcome();
    return transfer({false, address, bytes.size}, fate, [&] {
      if (fate == Outcome::ok) std::memcpy(bytes.data, memory.data() + address, bytes.size);
    });
  }

 private:
  Outcome next_outcome() const { return outcome ? outcome(transfers.size()) : Outcome::ok; }

  template <class Effect>
  Status transfer(const Transfer& call, Effect effect) {
    return transfer(call, next_outcome(), effect);
  }
  template <class Effect>
  Status transfer(const Transfer& call, Outcome fate, Effect effect) {
    if (call.address < table_begin || call.size == 0 || call.address + call.size > table_end) {
      throw std::logic_error("a transfer outside the table");
    }
    transfers.push_back(call);
    platform_.place();
    if (fate == Outcome::cut_before) throw PowerCut{};
    if (fate == Outcome::fails_before) return Error::storage_failed;
    effect();
    platform_.place();
    if (fate == Outcome::cut_after) throw PowerCut{};
    if (fate == Outcome::fails_after) return Error::storage_failed;
    return {};
  }

  BoardPlatform& platform_;
};

// Allocated units [first, first + units).
struct Run {
  std::uint32_t first = 0;
  std::uint32_t units = 0;
  bool operator==(const Run&) const = default;
};
using Runs = std::vector<Run>;

// One byte a unit, true if it is allocated.
inline std::vector<bool> used_units(const StorePlan& plan, const Runs& runs) {
  std::vector<bool> used(plan.units);
  for (const Run& run : runs) std::fill_n(used.begin() + run.first, run.units, true);
  return used;
}
inline bool is_free(const std::vector<bool>& used, std::uint32_t first, std::uint32_t units) {
  if (first + units > used.size()) return false;
  for (std::uint32_t unit = first; unit < first + units; ++unit) {
    if (used[unit]) return false;
  }
  return true;
}

// Of a table with a byte a unit: what begins at each byte that is not 0, `units_of(byte)` long.
template <class UnitsOf>
Runs runs_of_byte_table(const StorePlan& plan, const Bytes& memory, UnitsOf units_of) {
  Runs runs;
  for (std::uint32_t unit = 0; unit < plan.units;) {
    const std::uint8_t code = memory[plan.table + unit];
    if (code == 0) {
      ++unit;
      continue;
    }
    const std::uint32_t units = units_of(code);
    if (units == 0 || units > plan.units - unit) throw std::runtime_error("a run beyond the end");
    for (std::uint32_t inner = 1; inner < units; ++inner) {
      if (memory[plan.table + unit + inner] != 0) throw std::runtime_error("a run inside a run");
    }
    runs.push_back({unit, units});
    unit += units;
  }
  return runs;
}

// Each kind: the allocator, and independently of it
//   allocated_runs(plan, memory)           what the table says
//   run_units(size_bytes, unit_bytes)      what an object takes
//   expected(used, units, cursor)          the unit that find() is to choose
//   is_cursor(cursor)                      whether the allocator may be told to begin there, with a store
//                                          full of objects of `kGapUnits` units
struct LinkedListKind {
  using Allocator = LinkedListStore<BoardPlatform, BoardGateway>;
  static constexpr std::uint32_t kGapUnits = 4;
  static constexpr std::uint32_t kDefaultUnit = 8;  // of a small region
  static constexpr std::uint32_t kUnits[] = {0, 8, 24, 40, 264};
  static constexpr std::uint32_t kBadUnits[] = {4, 12, 65};
  static constexpr std::uint32_t kUnitsPerByte = 1;

  static std::uint32_t run_units(std::uint32_t size_bytes, std::uint32_t unit_bytes) {
    const std::uint32_t units = (size_bytes + unit_bytes - 1) / unit_bytes;
    if (units < 128) return units;
    for (std::uint32_t scale = 16;; scale *= 2) {
      for (std::uint32_t eighths = 8; eighths < 16; ++eighths) {
        if (eighths * scale >= units) return eighths * scale;
      }
    }
  }
  static Runs allocated_runs(const StorePlan& plan, const Bytes& memory) {
    return runs_of_byte_table(plan, memory, [](std::uint32_t code) {
      if (code < 128) return code;
      std::uint32_t scale = 16;
      for (; code >= 136; code -= 8) scale *= 2;
      return (code - 120) * scale;
    });
  }
  static std::optional<std::uint32_t> expected(const std::vector<bool>& used, std::uint32_t units,
                                               std::uint32_t cursor) {
    for (std::uint32_t unit = cursor; unit < used.size(); ++unit) {
      if (is_free(used, unit, units)) return unit;
    }
    for (std::uint32_t unit = 0; unit < used.size(); ++unit) {
      if (is_free(used, unit, units)) return unit;
    }
    return std::nullopt;
  }
  static bool is_cursor(std::uint32_t cursor) { return cursor % kGapUnits == 0; }
};

struct BuddyKind {
  using Allocator = BuddyStore<BoardPlatform, BoardGateway>;
  static constexpr std::uint32_t kGapUnits = 4;
  static constexpr std::uint32_t kDefaultUnit = 8;  // of a small region
  static constexpr std::uint32_t kUnits[] = {0, 8, 64, 256};
  static constexpr std::uint32_t kBadUnits[] = {4, 12, 24, 65, 264};
  static constexpr std::uint32_t kUnitsPerByte = 1;

  static std::uint32_t run_units(std::uint32_t size_bytes, std::uint32_t unit_bytes) {
    std::uint32_t units = 1;
    while (units * unit_bytes < size_bytes) units *= 2;
    return units;
  }
  static Runs allocated_runs(const StorePlan& plan, const Bytes& memory) {
    Runs runs = runs_of_byte_table(
        plan, memory, [](std::uint32_t code) { return code > 20 ? 0 : std::uint32_t{1} << (code - 1); });
    for (const Run& run : runs) {
      if (run.first % run.units != 0) throw std::runtime_error("a block at no multiple of its size");
    }
    return runs;
  }
  // The lowest of the smallest blocks that are free and are not half of a free block.
  static std::optional<std::uint32_t> expected(const std::vector<bool>& used, std::uint32_t units,
                                               std::uint32_t) {
    for (std::uint32_t size = units; size <= used.size(); size *= 2) {
      for (std::uint32_t first = 0; first + size <= used.size(); first += size) {
        const std::uint32_t pair = first / (2 * size) * 2 * size;
        if (is_free(used, first, size) && !is_free(used, pair, 2 * size)) return first;
      }
    }
    return std::nullopt;
  }
  static bool is_cursor(std::uint32_t) { return true; }
};

struct BlockKind {
  using Allocator = BlockStore<BoardPlatform, BoardGateway>;
  static constexpr std::uint32_t kGapUnits = 1;
  static constexpr std::uint32_t kDefaultUnit = 64;  // of a small region
  static constexpr std::uint32_t kUnits[] = {0, 8, 40, 264};
  static constexpr std::uint32_t kBadUnits[] = {4, 12, 65};
  static constexpr std::uint32_t kUnitsPerByte = 8;

  static std::uint32_t run_units(std::uint32_t, std::uint32_t) { return 1; }
  static Runs allocated_runs(const StorePlan& plan, const Bytes& memory) {
    Runs runs;
    for (std::uint32_t unit = 0; unit < plan.table_bytes * 8; ++unit) {
      if ((memory[plan.table + unit / 8] >> (unit % 8) & 1) == 0) continue;
      if (unit >= plan.units) throw std::runtime_error("a bit that stands for no block");
      runs.push_back({unit, 1});
    }
    return runs;
  }
  static std::optional<std::uint32_t> expected(const std::vector<bool>& used, std::uint32_t,
                                               std::uint32_t cursor) {
    const std::uint32_t bytes = (static_cast<std::uint32_t>(used.size()) + 7) / 8;
    if (cursor >= bytes) cursor = 0;
    for (std::uint32_t i = 0; i < bytes * 8; ++i) {
      const std::uint32_t unit = (cursor * 8 + i) % (bytes * 8);
      if (unit < used.size() && !used[unit]) return unit;
    }
    return std::nullopt;
  }
  static bool is_cursor(std::uint32_t) { return true; }
};

// A store with its allocator, and a model of what is allocated. What the model says has to be what the table
// says, except between an error and the next operation.
template <class Kind>
class StoreBoard {
 public:
  using Allocator = typename Kind::Allocator;
  static constexpr std::uint8_t kBlank = 0xEE;

  StoreBoard(std::uint32_t base, std::uint32_t end, std::uint32_t unit_bytes)
      : gateway(platform, end, kBlank) {
    geometry.store_base = base;
    geometry.store_end = end;
    geometry.store = Allocator::plan(base, end, unit_bytes);
    gateway.table_begin = geometry.store.table;
    gateway.table_end = geometry.store.table + geometry.store.table_bytes;
    boot();
  }
  StoreBoard(const StoreBoard&) = delete;
  StoreBoard& operator=(const StoreBoard&) = delete;
  ~StoreBoard() = default;

  // All that an operation can change.
  struct Snapshot {
    Bytes memory;
    Control control;
    std::map<std::uint32_t, std::uint32_t> objects;
  };

  BoardPlatform platform;
  BoardGateway gateway;
  Geometry geometry;
  std::map<std::uint32_t, std::uint32_t> objects;  // size by home

  const StorePlan& plan() const { return geometry.store; }
  Control& control() { return arena().control(); }
  Allocator& allocator() { return *std::launder(reinterpret_cast<Allocator*>(allocator_)); }

  // Fresh control and allocator: what is left if nothing but the store survives.
  void boot() {
    new (ram_) Control();
    construct();
  }
  // The persist interrupt, an outage, and the restore: all that is volatile is lost, Control comes back.
  void outage() {
    const Control saved = control();
    std::memset(ram_, 0x5A, sizeof ram_);
    std::memset(allocator_, 0x5A, sizeof allocator_);
    new (ram_) Control(saved);
    construct();
  }
  // Another allocator on the same store and control.
  void construct() { new (allocator_) Allocator(arena(), platform, gateway); }

  Snapshot snapshot() { return {gateway.memory, control(), objects}; }
  void return_to(const Snapshot& snapshot) {
    gateway.memory = snapshot.memory;
    boot();
    control() = snapshot.control;
    objects = snapshot.objects;
  }

  Status format() {
    const Status status = allocator().format();
    if (status.ok()) objects.clear();
    return status;
  }
  // find() and claim(); the home goes into the model and into `home`.
  Status allocate(std::uint32_t size_bytes, std::uint32_t* home = nullptr) {
    Result<StorePlace> place = allocator().find(size_bytes);
    if (!place.ok()) return place.error();
    if (const Status status = allocator().claim(place.value()); !status.ok()) return status;
    if (!objects.emplace(place.value().home, size_bytes).second) throw std::logic_error("handed out twice");
    if (home != nullptr) *home = place.value().home;
    return {};
  }
  Status release(std::uint32_t home) {
    const Status status = allocator().release(home, objects.at(home));
    if (status.ok()) objects.erase(home);
    return status;
  }
  std::uint32_t any_object(Random& random) const {
    return std::next(objects.begin(), static_cast<std::ptrdiff_t>(random() % objects.size()))->first;
  }

  Runs table_runs() const { return Kind::allocated_runs(plan(), gateway.memory); }
  Runs model_runs() const {
    Runs runs;
    for (const auto& [home, size] : objects) {
      if ((home - plan().first_unit) % plan().unit_bytes != 0) throw std::logic_error("a home inside a unit");
      runs.push_back(
          {(home - plan().first_unit) / plan().unit_bytes, Kind::run_units(size, plan().unit_bytes)});
    }
    return runs;
  }
  std::uint32_t free_units() const {
    std::uint32_t units = plan().units;
    for (const Run& run : model_runs()) units -= run.units;
    return units;
  }

  // What is wrong, empty if nothing: objects inside the region, apart from each other and of the right size;
  // the table says the same; nothing outside the table was written.
  std::string fault() const {
    for (const auto& [home, size] : objects) {
      if (home == 0 || home % 8 != 0) return "a home that is 0 or no multiple of 8";
      if (home < plan().first_unit || home + size > geometry.store_end) return "a home outside the region";
    }
    std::uint32_t end = 0;
    for (const Run& run : model_runs()) {
      if (run.first < end) return "two objects overlap";
      end = run.first + run.units;
    }
    if (end > plan().units) return "an object reaches beyond the last unit";
    if (table_runs() != model_runs()) return "the table and the model differ";
    for (std::uint32_t at = 0; at < gateway.memory.size(); ++at) {
      const bool in_table = at >= gateway.table_begin && at < gateway.table_end;
      if (!in_table && gateway.memory[at] != kBlank) return "a byte outside the table was written";
    }
    return {};
  }

 private:
  Arena arena() { return {ram_, geometry}; }

  alignas(8) std::byte ram_[sizeof(Control)] = {};
  alignas(Allocator) std::byte allocator_[sizeof(Allocator)] = {};
};

}  // namespace brownout::heap::testing::store_allocators
