// RAM allocators against models: what is free follows from a plain map of the granules in use.
#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "heap/layout.hpp"
#include "heap/ram_allocators/buddy.hpp"
#include "heap/ram_allocators/linked_list.hpp"
#include "heap/ram_allocators/ram_allocator.hpp"
#include "sanitized.hpp"

namespace brownout::heap::testing {
namespace {

using Random = std::mt19937;

std::uint32_t below(Random& random, std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); }

// Counts steps, and calls on_step wherever the persist interrupt could strike.
struct CountingPlatform {
  std::uint64_t steps = 0;
  int critical_depth = 0;
  std::function<void()> on_step;

  void charge(Work work, std::uint32_t n) {
    if (work == Work::step) steps += n;
    if (on_step && critical_depth == 0) on_step();
  }
  void enter_critical() { ++critical_depth; }
  void exit_critical() { --critical_depth; }
  static std::uint32_t power_epoch() { return 0; }
  void wait_since_power_on(std::uint32_t) {}
};

using LinkedList = LinkedListRam<CountingPlatform>;
using Buddy = BuddyRam<CountingPlatform>;
static_assert(RamAllocator<LinkedList> && RamAllocator<Buddy>);
static_assert(LinkedList::kId != Buddy::kId);

// An area for objects. first_granule is odd or even, so that alignment cannot come from the address.
struct Area {
  std::uint32_t granules;
  std::uint32_t leaf_granules;
  std::uint32_t first_granule;
};
constexpr Area kAreas[] = {{3, 1, 5},   {4, 2, 6},    {5, 4, 7},    {7, 1, 5},   {8, 1, 8},    {13, 1, 9},
                           {37, 2, 5},  {61, 4, 6},   {64, 1, 12},  {100, 1, 5}, {127, 1, 16}, {128, 4, 17},
                           {129, 2, 5}, {255, 1, 31}, {513, 4, 21}, {600, 1, 6}, {1021, 2, 5}};
// All of 512 KiB: granule numbers of 16 bits, in use to the last.
constexpr Area kLargest[] = {{65'531, 1, 5}, {65'531, 2, 5}, {65'530, 4, 6}};

std::vector<Area> all_areas() {
  std::vector<Area> areas(std::begin(kAreas), std::end(kAreas));
  areas.insert(areas.end(), std::begin(kLargest), std::end(kLargest));
  return areas;
}

std::string name_of(const Area& area, unsigned seed) {
  return std::to_string(area.granules) + " granules from " + std::to_string(area.first_granule) +
         ", leaves of " + std::to_string(area.leaf_granules) + ", seed " + std::to_string(seed);
}

// A block, in granules.
struct Block {
  std::uint32_t at;
  std::uint32_t granules;
  bool operator==(const Block&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Block& block) {
  return out << block.at << "+" << block.granules;
}

// RAM of a heap: control, slots that nobody uses, and garbage.
class RamBoard {
 public:
  RamBoard(const Area& area, unsigned seed) : words_(area.first_granule + area.granules) {
    const ModuleTraits traits{
        .slot_bytes = 8,
        .max_slots = 4096,
        .max_leaves = 65'536,
        .max_units = 65'536,
        .plan_store = [](std::uint32_t base, std::uint32_t end, std::uint32_t unit_bytes) {
          return StorePlan{.first_unit = base, .unit_bytes = unit_bytes, .units = (end - base) / unit_bytes};
        }};
    const HeapConfig config{
        .ram_bytes = static_cast<std::uint32_t>(words_.size()) * kGranule,
        .dirty_limit_bytes = 1024,
        .max_residents = area.first_granule - static_cast<std::uint32_t>(sizeof(Control)) / kGranule,
        .store_unit_bytes = area.leaf_granules * kGranule};
    EXPECT_EQ(Geometry::plan(config, kMaxStoreBytes, traits, geometry_), Error::none);
    EXPECT_EQ(geometry_.first_granule(), area.first_granule);
    EXPECT_EQ(geometry_.leaf_granules, area.leaf_granules);
    EXPECT_EQ(geometry_.object_granules(), area.granules / area.leaf_granules * area.leaf_granules);
    Random random(seed);
    for (std::uint64_t& word : words_) word = std::uint64_t{random()} << 32U | random();
    arena().control() = Control{};
  }
  RamBoard(const RamBoard&) = delete;
  RamBoard& operator=(const RamBoard&) = delete;
  ~RamBoard() = default;

  Arena arena() { return {reinterpret_cast<std::byte*>(words_.data()), geometry_}; }
  const Geometry& geometry() const { return geometry_; }
  std::uint32_t first() const { return geometry_.first_granule(); }
  std::uint32_t end() const { return first() + geometry_.object_granules(); }
  std::uint32_t leaf() const { return geometry_.leaf_granules; }
  std::vector<std::uint64_t>& words() { return words_; }

  // The list of free blocks, cut where it no longer goes up.
  std::vector<Block> free_list() {
    std::vector<Block> list;
    std::uint32_t last = 0;
    for (std::uint32_t at = arena().control().free_head; at > last && at < end();
         at = arena().free_block(at).next) {
      list.push_back({at, arena().free_block(at).granules});
      last = at;
    }
    return list;
  }

 private:
  Geometry geometry_;
  std::vector<std::uint64_t> words_;
};

// What the allocators have to do, said as plainly as possible.
template <class Allocator>
struct Rules;

template <>
struct Rules<LinkedList> {
  static std::uint32_t rounded(std::uint32_t granules, std::uint32_t) { return granules; }
  static bool may_begin(std::uint32_t, std::uint32_t) { return true; }
  static std::uint32_t size_from(const std::vector<bool>& used, std::uint32_t offset, std::uint32_t) {
    std::uint32_t size = 0;
    while (offset + size < used.size() && !used[offset + size]) ++size;
    return size;
  }
  // First fit.
  static const Block* choice(const std::vector<Block>& free, std::uint32_t size) {
    for (const Block& block : free) {
      if (block.granules >= size) return &block;
    }
    return nullptr;
  }
  // Free blocks that change: the rest above, and the rest below or else the block whose link leads there.
  static std::uint32_t most_written_by_take(std::uint32_t) { return 2; }
};

template <>
struct Rules<Buddy> {
  static std::uint32_t rounded(std::uint32_t granules, std::uint32_t leaf) {
    std::uint32_t size = leaf;
    while (size < granules) size *= 2;
    return size;
  }
  static bool may_begin(std::uint32_t offset, std::uint32_t size) { return offset % size == 0; }
  static std::uint32_t size_from(const std::vector<bool>& used, std::uint32_t offset, std::uint32_t leaf) {
    const auto is_free = [&](std::uint32_t size) {
      if (offset % size != 0 || offset + size > used.size()) return false;
      for (std::uint32_t i = offset; i < offset + size; ++i) {
        if (used[i]) return false;
      }
      return true;
    };
    std::uint32_t size = leaf;
    while (is_free(2 * size)) size *= 2;
    return size;
  }
  // Best fit, the lowest of equals.
  static const Block* choice(const std::vector<Block>& free, std::uint32_t size) {
    const Block* best = nullptr;
    for (const Block& block : free) {
      if (block.granules >= size && (best == nullptr || block.granules < best->granules)) best = &block;
    }
    return best;
  }
  // Free blocks that change: a half each time that a block is split, and the one whose link leads to the
  // first.
  static std::uint32_t most_written_by_take(std::uint32_t parts) {
    return static_cast<std::uint32_t>(std::bit_width(parts));
  }
};

// An allocator on a board, with the map of what is allocated. Every change is checked as it is made.
template <class Allocator>
class Checked {
 public:
  using Rule = Rules<Allocator>;

  Checked(const Area& area, unsigned seed)
      : board_(area, seed),
        allocator_(board_.arena(), platform_),
        used_(board_.geometry().object_granules()) {
    allocator_.reset();
  }

  RamBoard& board() { return board_; }
  Allocator& allocator() { return allocator_; }
  CountingPlatform& platform() { return platform_; }
  // Block, and the size it was asked for with.
  const std::map<std::uint32_t, std::uint32_t>& allocated() const { return allocated_; }
  std::uint32_t rounded(std::uint32_t granules) const { return Rule::rounded(granules, board_.leaf()); }

  // The list that has to be.
  std::vector<Block> expected_list() const {
    std::vector<Block> list;
    for (std::uint32_t offset = 0; offset < used_.size();) {
      if (used_[offset]) {
        ++offset;
        continue;
      }
      list.push_back({board_.first() + offset, Rule::size_from(used_, offset, board_.leaf())});
      offset += list.back().granules;
    }
    return list;
  }

  void expect_canonical() {
    ASSERT_EQ(board_.free_list(), expected_list());
    const auto free = static_cast<std::uint32_t>(std::count(used_.begin(), used_.end(), false));
    ASSERT_EQ(board_.arena().control().free_granules, free);
    ASSERT_EQ(board_.free_list().empty(), board_.arena().control().free_head == 0);
  }

  // Allocates by find(). False: there was no room, and the model says so too.
  bool allocate(std::uint32_t granules) {
    const std::vector<Block> list = board_.free_list();
    const Block* choice = Rule::choice(list, rounded(granules));
    typename Allocator::Place place;
    const std::uint64_t steps = platform_.steps;
    const bool found = allocator_.find(granules, place);
    EXPECT_LE(platform_.steps - steps, list.size());
    EXPECT_EQ(found, choice != nullptr) << granules << " granules";
    if (!found || choice == nullptr) return false;
    EXPECT_EQ(place.block, choice->at) << granules << " granules";
    EXPECT_GE(platform_.steps - steps, static_cast<std::uint64_t>(choice - list.data()) + 1);
    take(place, granules);
    return true;
  }

  // Allocates by find_at(). False: it is not free, and the model says so too.
  bool allocate_at(std::uint32_t block, std::uint32_t granules) {
    typename Allocator::Place place;
    const bool found = allocator_.find_at(block, granules, place);
    EXPECT_EQ(found, is_free(block, granules)) << block << "+" << granules;
    if (!found) return false;
    EXPECT_EQ(place.block, block);
    take(place, granules);
    return true;
  }

  void release(std::uint32_t block) {
    const std::uint32_t granules = allocated_.at(block);
    for (std::uint32_t i = 0; i < rounded(granules); ++i) {
      EXPECT_EQ(board_.words()[block + i], filling(block, i)) << "changed behind the owner's back";
    }
    typename Allocator::Place place;
    const std::uint64_t list_length = board_.free_list().size();
    const std::uint64_t steps = platform_.steps;
    allocator_.find_return(block, granules, place);
    EXPECT_LE(platform_.steps - steps, 2 * list_length);
    {
      const CriticalSection section(platform_);
      allocator_.give_back(place);
    }
    mark(block, granules, false);
    allocated_.erase(block);
  }

  void release_any(Random& random) {
    auto it = allocated_.begin();
    std::advance(it, below(random, static_cast<std::uint32_t>(allocated_.size())));
    release(it->first);
  }

  bool is_free(std::uint32_t block, std::uint32_t granules) const {
    const std::uint32_t size = rounded(granules);
    if (block < board_.first() || block + size > board_.end()) return false;
    const std::uint32_t offset = block - board_.first();
    if (!Rule::may_begin(offset, size)) return false;
    for (std::uint32_t i = offset; i < offset + size; ++i) {
      if (used_[i]) return false;
    }
    return true;
  }

  // As a restore does it: garbage all over, then what is allocated, one by one in any order, then its
  // content.
  void rebuild(Random& random) {
    for (std::uint32_t at = board_.first(); at < board_.end(); ++at) board_.words()[at] = random();
    board_.arena().control().free_head = static_cast<std::uint16_t>(random());
    board_.arena().control().free_granules = static_cast<std::uint16_t>(random());
    std::vector<Block> order;
    for (const auto& [block, granules] : allocated_) order.push_back({block, granules});
    std::shuffle(order.begin(), order.end(), random);
    CountingPlatform quiet;
    Allocator allocator(board_.arena(), quiet);
    allocator.reset();
    for (const Block& block : order) {
      typename Allocator::Place place;
      ASSERT_TRUE(allocator.find_at(block.at, block.granules, place));
      allocator.take(place);
    }
    for (const Block& block : order) fill(block.at, block.granules);
  }

 private:
  static std::uint64_t filling(std::uint32_t block, std::uint32_t granule) {
    return (std::uint64_t{block} << 32U | granule) * 0x9E37'79B9'7F4A'7C15U + 1U;
  }
  void fill(std::uint32_t block, std::uint32_t granules) {
    for (std::uint32_t i = 0; i < rounded(granules); ++i) board_.words()[block + i] = filling(block, i);
  }

  void take(const typename Allocator::Place& place, std::uint32_t granules) {
    const std::uint32_t block = place.block;
    ASSERT_TRUE(is_free(block, granules)) << block << "+" << granules << " overlaps or is not aligned";
    {
      const CriticalSection section(platform_);
      allocator_.take(place);
    }
    mark(block, granules, true);
    allocated_[block] = granules;
    fill(block, granules);
  }
  void mark(std::uint32_t block, std::uint32_t granules, bool used) {
    const auto begin = used_.begin() + (block - board_.first());
    std::fill(begin, begin + rounded(granules), used);
  }

  CountingPlatform platform_;
  RamBoard board_;
  Allocator allocator_;
  std::vector<bool> used_;
  std::map<std::uint32_t, std::uint32_t> allocated_;
};

// Mostly small, sometimes a good part of all there is.
std::uint32_t random_size(Random& random, const RamBoard& board) {
  const std::uint32_t all = board.end() - board.first();
  const std::uint32_t most = below(random, 8) == 0 ? std::max(all / 4, 1U) : std::clamp(all / 8, 1U, 90U);
  return 1 + below(random, most);
}

// Fills and empties RAM in turn, so that it is full and almost empty again and again.
template <class Allocator>
void use_at_random(Checked<Allocator>& ram, Random& random, int operations,
                   const std::function<void()>& after_each) {
  int refused = 0;
  bool filling = true;
  for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
    if (ram.allocated().empty()) filling = true;
    if (below(random, 200) == 0) filling = !filling;
    if (ram.allocated().empty() || below(random, 4) < (filling ? 3U : 1U)) {
      if (!ram.allocate(random_size(random, ram.board()))) ++refused;
    } else {
      ram.release_any(random);
    }
    after_each();
  }
  if (operations >= 50'000) {
    EXPECT_GT(refused, 100) << "RAM was never full";
  }
}

template <class Allocator>
class RamAllocators : public ::testing::Test {};
struct AllocatorNames {
  template <class T>
  static std::string GetName(int) {  // NOLINT(readability-identifier-naming): googletest
    return std::is_same_v<T, Buddy> ? "Buddy" : "LinkedList";
  }
};
using Both = ::testing::Types<LinkedList, Buddy>;
TYPED_TEST_SUITE(RamAllocators, Both, AllocatorNames);

TYPED_TEST(RamAllocators, RandomUseAgreesWithTheModel) {
  unsigned seed = 100;
  for (const Area& area : all_areas()) {
    SCOPED_TRACE(name_of(area, ++seed));
    Checked<TypeParam> ram(area, seed);
    Random random(seed);
    ram.expect_canonical();
    const std::vector<Block> all_free = ram.board().free_list();
    const std::uint32_t check_every = 1 + area.granules / 64;
    std::uint32_t until_check = check_every;
    use_at_random(ram, random, kSanitized ? 6'000 : 50'000, [&] {
      if (--until_check != 0) return;
      until_check = check_every;
      ram.expect_canonical();
    });
    while (!ram.allocated().empty()) ram.release_any(random);
    ram.expect_canonical();
    EXPECT_EQ(ram.board().free_list(), all_free) << "not joined completely";
    if (this->HasFailure()) return;
  }
}

TYPED_TEST(RamAllocators, EveryAddressCanBeAllocated) {
  unsigned seed = 200;
  for (const Area& area : all_areas()) {
    SCOPED_TRACE(name_of(area, ++seed));
    Checked<TypeParam> ram(area, seed);
    const std::vector<Block> all_free = ram.board().free_list();
    const std::uint32_t all = area.granules;
    std::vector<std::uint32_t> sizes{1, 2, 3, 4, 5, 2047, all / 2, all - 1, all, all + 1};
    if (all < 200) {
      for (std::uint32_t size = 1; size < all; ++size) sizes.push_back(size);
    }
    for (const std::uint32_t size : sizes) {
      for (std::uint32_t block = 0; block <= ram.board().end() + 1; ++block) {
        // The model looks at every granule: of large blocks in large RAM only some, aligned ones and others.
        if (size > 100 && all > 2'000 && (block - area.first_granule) % 1'024 > 1) continue;
        if (!ram.allocate_at(block, size)) continue;
        if (all < 200) ram.expect_canonical();
        EXPECT_FALSE(ram.allocate_at(block, size)) << "allocated twice";
        ram.release(block);
        ASSERT_EQ(ram.board().free_list(), all_free) << block << "+" << size;
      }
    }
    if (this->HasFailure()) return;
  }
}

TYPED_TEST(RamAllocators, WhatIsFreeAmongOthersCanBeAllocatedAndNothingElse) {
  unsigned seed = 300;
  for (const Area& area : kAreas) {
    SCOPED_TRACE(name_of(area, ++seed));
    Checked<TypeParam> ram(area, seed);
    Random random(seed);
    for (int round = 0; round < 10; ++round) {
      use_at_random(ram, random, 100, [] {});
      for (std::uint32_t block = 0; block <= ram.board().end() + 1; ++block) {
        for (const std::uint32_t size : {1U, 2U, 3U, 4U, 7U, 8U, 30U, area.granules}) {
          if (ram.allocate_at(block, size)) ram.release(block);
        }
      }
      ram.expect_canonical();
      if (this->HasFailure()) return;
    }
  }
}

TYPED_TEST(RamAllocators, RebuiltInAnyOrderEveryByteIsTheSame) {
  unsigned seed = 400;
  for (const Area& area : all_areas()) {
    SCOPED_TRACE(name_of(area, ++seed));
    Checked<TypeParam> ram(area, seed);
    Random random(seed);
    for (int round = 0; round < 20; ++round) {
      use_at_random(ram, random, 250, [] {});
      const std::vector<std::uint64_t> words = ram.board().words();
      const std::vector<Block> list = ram.board().free_list();
      ram.rebuild(random);
      ASSERT_EQ(std::memcmp(words.data(), ram.board().words().data(), sizeof(Control)), 0);
      ASSERT_EQ(ram.board().free_list(), list);
      for (const Block& block : list) {
        ASSERT_EQ(std::memcmp(&words[block.at], &ram.board().words()[block.at], sizeof(FreeBlock)), 0);
      }
      if (this->HasFailure()) return;
    }
  }
}

TYPED_TEST(RamAllocators, AnInterruptedSearchGoesOnInTheSameList) {
  unsigned seed = 500;
  for (const Area& area : kAreas) {
    SCOPED_TRACE(name_of(area, ++seed));
    Checked<TypeParam> ram(area, seed);
    Random random(seed);
    Random outages(seed + 1);
    std::uint64_t struck = 0;
    ram.platform().on_step = [&] {
      if (below(outages, 5) != 0) return;
      ++struck;
      ram.rebuild(outages);
    };
    // The model does not know of the outages: what is found has to be the same as without them.
    use_at_random(ram, random, 2'000, [&] { ram.expect_canonical(); });
    EXPECT_GT(struck, 50U);
    if (this->HasFailure()) return;
  }
}

TYPED_TEST(RamAllocators, SearchesOnlyRead) {
  unsigned seed = 600;
  for (const Area& area : kAreas) {
    SCOPED_TRACE(name_of(area, ++seed));
    Checked<TypeParam> ram(area, seed);
    Random random(seed);
    use_at_random(ram, random, 1'000, [&] {
      const std::vector<std::uint64_t> words = ram.board().words();
      typename TypeParam::Place place;
      static_cast<void>(ram.allocator().find(random_size(random, ram.board()), place));
      static_cast<void>(
          ram.allocator().find_at(ram.board().first() + below(random, area.granules), 1, place));
      for (const auto& [block, granules] : ram.allocated())
        ram.allocator().find_return(block, granules, place);
      ASSERT_EQ(words, ram.board().words());
    });
    if (this->HasFailure()) return;
  }
}

// How many free blocks (8 bytes each) differ, and that of the control nothing but the list's part does.
std::uint32_t written(const std::vector<std::uint64_t>& before, const std::vector<std::uint64_t>& after) {
  Control then;
  Control now;
  std::memcpy(static_cast<void*>(&then), before.data(), sizeof(Control));
  std::memcpy(static_cast<void*>(&now), after.data(), sizeof(Control));
  then.free_head = now.free_head;
  then.free_granules = now.free_granules;
  EXPECT_EQ(std::memcmp(&then, &now, sizeof(Control)), 0);
  std::uint32_t count = 0;
  for (std::size_t i = sizeof(Control) / kGranule; i < before.size(); ++i) {
    if (before[i] != after[i]) ++count;
  }
  return count;
}

TYPED_TEST(RamAllocators, ChangesWriteFewPlaces) {
  unsigned seed = 700;
  for (const Area& area : all_areas()) {
    SCOPED_TRACE(name_of(area, ++seed));
    Checked<TypeParam> ram(area, seed);
    Random random(seed);
    use_at_random(ram, random, 1'000, [] {});
    std::uint32_t most = 0;
    const int rounds = area.granules > 2'000 ? 50 : 300;
    for (int i = 0; i < rounds; ++i) {
      use_at_random(ram, random, 3, [] {});
      const std::vector<Block> list = ram.board().free_list();
      const std::uint32_t granules = 1 + below(random, 3);
      const std::uint32_t size = ram.rounded(granules);
      if (list.empty()) continue;
      const Block whole = list[below(random, static_cast<std::uint32_t>(list.size()))];
      if (whole.granules < size) continue;
      // Allocated and freed behind the model's back, which then must find everything as it was.
      typename TypeParam::Place place;
      const std::uint32_t at = whole.at + below(random, whole.granules / size) * size;
      ASSERT_TRUE(ram.allocator().find_at(at, granules, place));
      const std::vector<std::uint64_t> free = ram.board().words();
      ram.allocator().take(place);
      const std::vector<std::uint64_t> taken = ram.board().words();
      const std::uint32_t changed = written(free, taken);
      EXPECT_LE(changed, Rules<TypeParam>::most_written_by_take(whole.granules / size));
      most = std::max(most, changed);
      ram.allocator().find_return(at, granules, place);
      ram.allocator().give_back(place);
      EXPECT_LE(written(taken, ram.board().words()), 2U);
      ram.expect_canonical();
      if (this->HasFailure()) return;
    }
    if (area.granules > 2 * area.leaf_granules) {
      EXPECT_GT(most, 0U) << "nothing was ever split";
    }
  }
}

TYPED_TEST(RamAllocators, UsesEveryLeafAndGivesEachBack) {
  unsigned seed = 800;
  for (const Area& area : all_areas()) {
    SCOPED_TRACE(name_of(area, ++seed));
    Checked<TypeParam> ram(area, seed);
    const std::vector<Block> all_free = ram.board().free_list();
    const std::uint32_t leaf = area.leaf_granules;
    for (std::uint32_t at = ram.board().first(); at < ram.board().end(); at += leaf) {
      ASSERT_TRUE(ram.allocate(leaf));
    }
    EXPECT_EQ(ram.board().arena().control().free_head, 0);
    EXPECT_EQ(ram.board().arena().control().free_granules, 0);
    EXPECT_FALSE(ram.allocate(1));
    EXPECT_FALSE(ram.allocate_at(ram.board().first(), 1));
    std::vector<std::uint32_t> order;
    for (const auto& [block, granules] : ram.allocated()) order.push_back(block);
    Random random(seed);
    // From the end down is the order that a walk from the beginning likes; any other is too slow in 512 KiB.
    if (area.granules < 2'000) std::shuffle(order.begin(), order.end(), random);
    std::reverse(order.begin(), order.end());
    for (const std::uint32_t block : order) ram.release(block);
    EXPECT_EQ(ram.board().free_list(), all_free);
    ram.expect_canonical();
    if (this->HasFailure()) return;
  }
}

TYPED_TEST(RamAllocators, TheListIsInOrderOfAddressesHoweverBlocksWereFreed) {
  const Area area{32, 1, 5};
  std::vector<std::uint32_t> order{6, 8, 10, 12};
  do {
    Checked<TypeParam> ram(area, 1);
    for (int i = 0; i < 32; ++i) ASSERT_TRUE(ram.allocate(1));
    for (const std::uint32_t block : order) ram.release(block);
    const std::vector<Block> expected{{6, 1}, {8, 1}, {10, 1}, {12, 1}};
    ASSERT_EQ(ram.board().free_list(), expected);
  } while (std::next_permutation(order.begin(), order.end()));
}

TYPED_TEST(RamAllocators, AFitThatLeavesOneGranuleIsNotRefused) {
  Checked<TypeParam> ram({32, 1, 5}, 1);
  ASSERT_TRUE(ram.allocate_at(5, 16));
  ASSERT_TRUE(ram.allocate_at(21, 8));
  ASSERT_TRUE(ram.allocate_at(29, 4));
  ASSERT_TRUE(ram.allocate_at(33, 2));
  // Two granules are left: each request leaves one over or none.
  ASSERT_TRUE(ram.allocate(1));
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{36, 1}}));
  ASSERT_TRUE(ram.allocate(1));
  EXPECT_TRUE(ram.board().free_list().empty());
  ram.release(35);
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{35, 1}}));
}

TEST(LinkedListRam, ChoosesTheFirstFitAndNotTheBest) {
  Checked<LinkedList> ram({32, 1, 5}, 1);
  // Free: 3 granules at 7, 10 at 12, 5 at 24, 4 at 33.
  for (const Block& block : {Block{5, 2}, Block{10, 2}, Block{22, 2}, Block{29, 4}}) {
    ASSERT_TRUE(ram.allocate_at(block.at, block.granules));
  }
  ASSERT_EQ(ram.board().free_list(), (std::vector<Block>{{7, 3}, {12, 10}, {24, 5}, {33, 4}}));
  LinkedList::Place place;
  ASSERT_TRUE(ram.allocator().find(4, place));
  EXPECT_EQ(place.block, 12) << "33 would fit best";
  ASSERT_TRUE(ram.allocator().find(3, place));
  EXPECT_EQ(place.block, 7);
  ASSERT_TRUE(ram.allocator().find(10, place));
  EXPECT_EQ(place.block, 12);
  EXPECT_FALSE(ram.allocator().find(11, place));
}

TEST(LinkedListRam, JoinsBelowAboveBothAndNeither) {
  Checked<LinkedList> ram({32, 1, 5}, 1);
  for (std::uint32_t at = 5; at < 37; at += 4) ASSERT_TRUE(ram.allocate_at(at, 4));
  const auto list_after = [&](std::uint32_t block) {
    ram.release(block);
    return ram.board().free_list();
  };
  EXPECT_EQ(list_after(13), (std::vector<Block>{{13, 4}}));
  EXPECT_EQ(list_after(17), (std::vector<Block>{{13, 8}}));
  EXPECT_EQ(list_after(9), (std::vector<Block>{{9, 12}}));
  EXPECT_EQ(list_after(25), (std::vector<Block>{{9, 12}, {25, 4}}));
  EXPECT_EQ(list_after(21), (std::vector<Block>{{9, 20}}));
}

TEST(BuddyRam, RoundsUpToAPowerOfTwoOfLeaves) {
  Checked<Buddy> ram({64, 4, 5}, 1);
  const auto free_after = [&](std::uint32_t granules) {
    EXPECT_TRUE(ram.allocate(granules));
    return std::uint32_t{ram.board().arena().control().free_granules};
  };
  EXPECT_EQ(free_after(1), 60U);
  EXPECT_EQ(free_after(4), 56U);
  EXPECT_EQ(free_after(5), 48U);
  EXPECT_EQ(free_after(9), 32U);
  EXPECT_EQ(free_after(17), 0U);
}

TEST(BuddyRam, ChoosesTheBestFitAndTheLowestOfEquals) {
  Checked<Buddy> ram({32, 1, 5}, 1);
  // Of 32 granules from 5 on: free are 8 at 5, 4 at 17, 4 at 25, 2 at 35.
  for (const Block& block : {Block{13, 4}, Block{21, 4}, Block{29, 4}, Block{33, 2}}) {
    ASSERT_TRUE(ram.allocate_at(block.at, block.granules));
  }
  ASSERT_EQ(ram.board().free_list(), (std::vector<Block>{{5, 8}, {17, 4}, {25, 4}, {35, 2}}));
  Buddy::Place place;
  ASSERT_TRUE(ram.allocator().find(3, place));
  EXPECT_EQ(place.block, 17) << "5 is larger, 25 is higher";
  ASSERT_TRUE(ram.allocator().find(1, place));
  EXPECT_EQ(place.block, 35);
  ASSERT_TRUE(ram.allocator().find(5, place));
  EXPECT_EQ(place.block, 5);
  EXPECT_FALSE(ram.allocator().find(9, place));
}

TEST(BuddyRam, SplitsAndJoinsThroughAllSizes) {
  Checked<Buddy> ram({64, 2, 7}, 1);
  ASSERT_TRUE(ram.allocate_at(7 + 26, 2));
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{7, 16}, {23, 8}, {31, 2}, {35, 4}, {39, 32}}));
  ram.release(7 + 26);
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{7, 64}}));
}

TEST(BuddyRam, NeighboursThatAreNotBuddiesStayApart) {
  Checked<Buddy> ram({32, 1, 5}, 1);
  for (std::uint32_t at = 5; at < 37; at += 4) ASSERT_TRUE(ram.allocate_at(at, 4));
  ram.release(9);
  ram.release(13);
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{9, 4}, {13, 4}})) << "8 at 9 would not be aligned";
  ram.release(5);
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{5, 8}, {13, 4}}));
}

TEST(BuddyRam, WhatLiesBeyondTheEndIsNeverJoined) {
  Checked<Buddy> ram({13, 1, 5}, 1);
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{5, 8}, {13, 4}, {17, 1}}));
  EXPECT_FALSE(ram.allocate(9));
  ASSERT_TRUE(ram.allocate(1));
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{5, 8}, {13, 4}}));
  ram.release(17);
  EXPECT_EQ(ram.board().free_list(), (std::vector<Block>{{5, 8}, {13, 4}, {17, 1}}));
}

}  // namespace
}  // namespace brownout::heap::testing
