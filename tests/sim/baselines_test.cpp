// The three baselines: what they keep, what an outage at any place leaves of it, and what they say of an
// image that is not whole or not current.
#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../heap/test_board.hpp"
#include "heap/store_allocators/linked_list.hpp"
#include "sim/firmware/baselines/direct.hpp"
#include "sim/firmware/baselines/pages.hpp"
#include "sim/firmware/baselines/ram_snapshot.hpp"
#include "sim/firmware/workloads/kvs_keys.hpp"

namespace brownout::sim::firmware {
namespace {

using heap::Buffer;
using heap::Error;
using heap::HeapConfig;
using heap::Status;
using heap::testing::Random;
using heap::testing::TestPlatform;
using heap::testing::TestStore;
using Bytes = std::vector<std::byte>;

// Each kind: the memory, its plan, how it is constructed; and whether it writes homes, so that running on
// makes an image stale.
struct RamKind {
  using Memory = RamSnapshot<TestPlatform, TestStore>;
  static constexpr bool kWritesHomes = false;
  static BaselinePlan plan(const HeapConfig& config, std::uint32_t storage_bytes) {
    return plan_ram_snapshot(config, storage_bytes);
  }
  static void construct(void* at, std::byte* ram, const HeapConfig& config, TestStore& store,
                        TestPlatform& platform) {
    new (at) Memory(ram, config, store, platform);
  }
};
struct DirectKind {
  using Memory = DirectAccess<TestPlatform, TestStore>;
  static constexpr bool kWritesHomes = true;
  static BaselinePlan plan(const HeapConfig& config, std::uint32_t storage_bytes) {
    return plan_direct(config, storage_bytes);
  }
  static void construct(void* at, std::byte* ram, const HeapConfig& config, TestStore& store,
                        TestPlatform& platform) {
    new (at) Memory(ram, config, store, platform);
  }
};
template <std::uint32_t kPageBytes>
struct PagesKind {
  using Memory = PageWise<TestPlatform, TestStore>;
  static constexpr bool kWritesHomes = true;
  static BaselinePlan plan(const HeapConfig& config, std::uint32_t storage_bytes) {
    return plan_pages(config, kPageBytes, storage_bytes);
  }
  static void construct(void* at, std::byte* ram, const HeapConfig& config, TestStore& store,
                        TestPlatform& platform) {
    new (at) Memory(ram, config, kPageBytes, store, platform);
  }
};

// A board with one memory, whose power can fail and come back.
template <class Kind>
class Board {
 public:
  using Memory = typename Kind::Memory;

  explicit Board(const HeapConfig& wanted, std::uint32_t storage_bytes = 4096)
      : config(wanted),
        plan(Kind::plan(wanted, storage_bytes)),
        store(platform, storage_bytes),
        os(wanted.os_bytes),
        words_(wanted.ram_bytes / 8 + 1, 0x3333'3333'3333'3333U) {
    for (std::size_t i = 0; i < os.size(); ++i) os[i] = static_cast<std::byte>(0xC0 + i);
    boot();
    platform.interrupt = [this] { outage(); };
  }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  ~Board() = default;

  HeapConfig config;
  BaselinePlan plan;
  TestPlatform platform;
  TestStore store;
  Bytes os;
  int outages = 0;
  std::string fault;  // the first thing that an outage did wrong

  std::byte* ram() { return reinterpret_cast<std::byte*>(words_.data()); }
  Bytes ram_copy() { return {ram(), ram() + config.ram_bytes}; }
  heap::Control& control() { return *reinterpret_cast<heap::Control*>(ram()); }
  Memory& memory() { return *std::launder(reinterpret_cast<Memory*>(memory_)); }

  // Constructs the memory anew, as boot code does.
  void boot() { Kind::construct(memory_, ram(), config, store, platform); }
  void poison() {
    ++pattern_;
    std::memset(ram(), static_cast<int>(0xA0U ^ pattern_), config.ram_bytes);
    std::memset(memory_, static_cast<int>(0x50U ^ pattern_), sizeof memory_);
    for (std::byte& b : os) b = static_cast<std::byte>(pattern_);
  }
  Status persist() { return memory().persist({os.data(), config.os_bytes}); }
  Status restore() {
    boot();
    return memory().restore({os.data(), config.os_bytes});
  }
  // A loss: boot and restore without a persist before.
  Status lose() {
    poison();
    store.abort();
    return restore();
  }

  // Persist, loss of everything volatile, boot, restore; and what all of this must have done.
  void outage() {
    ++outages;
    const Bytes ram_before = ram_copy();
    const Bytes os_before = os;
    const std::uint64_t written = store.written;
    const std::uint64_t writes = store.writes;
    expect(persist().ok(), "persist failed");
    expect(store.writes == writes + 1, "persist was not one write");
    expect(store.written - written <= plan.image_bytes + config.os_bytes, "persist exceeded its bound");
    const std::uint64_t writes_then = store.writes;
    expect(lose().ok(), "restore failed");
    expect(store.writes == writes_then, "restore has written");
    expect(os == os_before, "the OS part has changed");
    expect(kept(ram_copy(), ram_before) == kept(ram_before, ram_before), "RAM has changed");
  }

  std::uint32_t image_bytes() {
    const std::uint64_t written = store.written;
    if (!persist().ok()) throw std::runtime_error("persist");
    return static_cast<std::uint32_t>(store.written - written);
  }

 private:
  void expect(bool holds, const char* what) {
    if (!holds && fault.empty()) fault = what;
  }
  // Of RAM what an outage keeps.
  Bytes kept(Bytes copy, const Bytes& before) {
    heap::Control then;
    std::memcpy(&then, before.data(), sizeof then);
    copy.resize(plan.kept_ram_bytes(then));
    std::memset(copy.data(), 0, heap::kSavedControlOffset);
    return copy;
  }

  std::vector<std::uint64_t> words_;
  alignas(Memory) std::byte memory_[sizeof(Memory)];
  unsigned pattern_ = 0;
};

// 8 pages of 32 B dirty at most, or one of 128 B and a bit.
constexpr HeapConfig kSmall{
    .ram_bytes = 1024, .dirty_limit_bytes = 340, .max_residents = 0, .store_bytes = 0, .os_bytes = 16};
constexpr HeapConfig kLarge{
    .ram_bytes = 2048, .dirty_limit_bytes = 900, .max_residents = 0, .store_bytes = 0, .os_bytes = 16};

Bytes bytes_of(std::uint32_t size, std::uint32_t seed) {
  Bytes bytes(size);
  for (std::uint32_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 7 + seed) & 0xFFU);
  return bytes;
}

// An operation that a storage error has failed can be repeated. An outage is no error: nothing is repeated
// then.
int repeated = 0;
template <class Operation>
auto again(Operation operation) {
  auto result = operation();
  if (result.error() != Error::storage_failed) return result;
  ++repeated;
  return operation();
}

void write_bytes(ObjectMemory& memory, const Buffer& buffer, const Bytes& bytes, std::uint32_t offset = 0) {
  auto ref = again([&] { return memory.write(buffer, offset, static_cast<std::uint32_t>(bytes.size())); });
  if (!ref.ok()) throw std::runtime_error("write");
  if (!bytes.empty()) std::memcpy(ref.value().data(), bytes.data(), bytes.size());
}
Bytes read_bytes(ObjectMemory& memory, const Buffer& buffer) {
  auto ref = again([&] { return memory.read(buffer); });
  if (!ref.ok()) throw std::runtime_error("read");
  return {ref.value().data(), ref.value().data() + buffer.size_bytes()};
}
Buffer make_object(ObjectMemory& memory, std::uint32_t size_bytes) {
  auto made = again([&] { return memory.make_buffer(size_bytes); });
  if (!made.ok()) throw std::runtime_error("make");
  return made.take();
}

// Random operations against a model. What an operation says goes into `answers`, so that runs can be
// compared; what it does is compared with the model at once.
template <class Kind>
class ModelRun {
 public:
  ModelRun(Board<Kind>& board, unsigned seed) : board_(board), memory_(board.memory()), random_(seed) {}

  std::vector<Error> answers;

  void run(std::uint32_t operations) {
    for (std::uint32_t i = 0; i < operations; ++i) step();
    for (std::size_t i = 0; i < objects_.size(); ++i) look(i);
  }

 private:
  struct Live {
    Buffer buffer;
    Bytes content;
  };

  void step() {
    const std::uint32_t what = random_() % 16;
    if (objects_.empty() || what < 4) return make_one();
    const std::size_t which = random_() % objects_.size();
    if (what < 6) return free_one(which);
    if (what < 9) return look(which);
    if (what == 9) return answer(again([&] { return memory_.flush(); }).error());
    if (what < 12) return change_two(which, random_() % objects_.size());
    change(which);
  }

  void make_one() {
    const std::uint32_t size = random_() % 8 == 0 ? random_() % 2 : 1 + random_() % 120;
    const Bytes value = bytes_of(size, random_());
    const bool zeros = random_() % 3 == 0;
    const auto dirtiness = random_() % 2 == 0 ? heap::Dirtiness::whole : heap::Dirtiness::partial;
    auto made = again([&] { return memory_.make_bytes(size, dirtiness, zeros ? nullptr : value.data()); });
    answer(made.error());
    if (!made.ok()) return;
    Live live{Buffer(made.take()), zeros ? Bytes(size) : value};
    if (!live.buffer.valid() || live.buffer.home() % 8 != 0) throw std::runtime_error("a bad home");
    for (const Live& other : objects_) {
      const std::uint32_t begin = live.buffer.home();
      const std::uint32_t other_begin = other.buffer.home();
      if (begin < other_begin + std::max(1U, other.buffer.size_bytes()) &&
          other_begin < begin + std::max(1U, size)) {
        throw std::runtime_error("two objects overlap");
      }
    }
    objects_.push_back(std::move(live));
  }
  void free_one(std::size_t which) {
    const Status status = again([&] { return memory_.free(objects_[which].buffer); });
    answer(status.error());
    if (!status.ok()) return;
    if (objects_[which].buffer.valid()) throw std::runtime_error("a valid handle of nothing");
    objects_.erase(objects_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  void look(std::size_t which) {
    auto ref = again([&] { return memory_.read(objects_[which].buffer); });
    answer(ref.error());
    if (ref.ok()) compare(ref.value().data(), objects_[which].content);
  }
  void change(std::size_t which) {
    Live& live = objects_[which];
    const Part part = any_part(live);
    auto ref = again([&] { return memory_.write(live.buffer, part.first, part.size); });
    answer(ref.error());
    if (ref.ok()) fill(ref.value().data(), live, part);
  }
  // Two writers, filled in turn.
  void change_two(std::size_t one, std::size_t other) {
    if (one == other) return;
    const Part parts[] = {any_part(objects_[one]), any_part(objects_[other])};
    auto first = again([&] { return memory_.write(objects_[one].buffer, parts[0].first, parts[0].size); });
    answer(first.error());
    if (!first.ok()) return;
    auto second = again([&] { return memory_.write(objects_[other].buffer, parts[1].first, parts[1].size); });
    answer(second.error());
    fill(first.value().data(), objects_[one], parts[0]);
    if (second.ok()) fill(second.value().data(), objects_[other], parts[1]);
  }

  struct Part {
    std::uint32_t first = 0;
    std::uint32_t size = 0;
  };
  Part any_part(const Live& live) {
    const std::uint32_t size = live.buffer.size_bytes();
    if (size == 0 || random_() % 3 == 0) return {0, size};
    const std::uint32_t first = random_() % size;
    return {first, random_() % (size - first + 1)};
  }
  // Reads what it is about to change, byte by byte, with places for outages in between.
  void fill(std::byte* data, Live& live, Part part) {
    const auto add = static_cast<std::uint8_t>(random_() | 1U);
    compare(data, {live.content.begin() + part.first, live.content.begin() + part.first + part.size});
    for (std::uint32_t i = 0; i < part.size; ++i) {
      if (i % 8 == 0) board_.platform.charge(heap::Work::copied_byte, 8);
      const auto changed = static_cast<std::byte>(static_cast<std::uint8_t>(data[i]) + add);
      data[i] = changed;
      live.content[part.first + i] = changed;
    }
  }
  void compare(const std::byte* data, const Bytes& expected) {
    if (!std::equal(expected.begin(), expected.end(), data)) throw std::runtime_error("not what was written");
  }
  void answer(Error error) { answers.push_back(error); }

  Board<Kind>& board_;
  ObjectMemory& memory_;
  Random random_;
  std::vector<Live> objects_;
};

// A board with objects that were written, and some of them flushed.
template <class Kind>
struct Loaded {
  explicit Loaded(const HeapConfig& config = kSmall) : board(config) {
    if (!board.memory().format().ok()) throw std::runtime_error("format");
    for (std::uint32_t i = 0; i < 6; ++i) {
      buffers.push_back(make_object(board.memory(), 60));
      write_bytes(board.memory(), buffers.back(), bytes_of(60, i));
      if (i == 2 && !board.memory().flush().ok()) throw std::runtime_error("flush");
    }
  }
  void expect_contents(std::uint32_t seed_of_3 = 3) {
    for (std::uint32_t i = 0; i < buffers.size(); ++i) {
      ASSERT_EQ(read_bytes(board.memory(), buffers[i]), bytes_of(60, i == 3 ? seed_of_3 : i)) << i;
    }
  }
  // Writes an object, home too.
  void run_on(std::uint32_t seed_of_3) {
    write_bytes(board.memory(), buffers[3], bytes_of(60, seed_of_3));
    ASSERT_TRUE(board.memory().flush().ok());
  }
  Board<Kind> board;
  std::vector<Buffer> buffers;
};

template <class Kind>
class Baselines : public ::testing::Test {
 protected:
  Baselines() { repeated = 0; }
};
struct KindNames {
  template <class Kind>
  static std::string GetName(int i) {  // NOLINT(readability-identifier-naming): googletest
    static constexpr const char* kNames[] = {"RamSnapshot", "DirectAccess", "Pages32", "Pages128"};
    return kNames[i];
  }
};
using Kinds = ::testing::Types<RamKind, DirectKind, PagesKind<32>, PagesKind<128>>;
TYPED_TEST_SUITE(Baselines, Kinds, KindNames);

TYPED_TEST(Baselines, AgreeWithAModel) {
  std::map<Error, int> seen;
  for (unsigned seed = 0; seed < 60; ++seed) {
    Board<TypeParam> board(seed % 2 == 0 ? kSmall : kLarge, seed % 2 == 0 ? 4096 : 8192);
    ASSERT_TRUE(board.memory().configuration().ok());
    ASSERT_TRUE(board.memory().format().ok());
    ModelRun<TypeParam> run(board, seed);
    ASSERT_NO_THROW(run.run(400)) << seed;
    for (const Error error : run.answers) ++seen[error];
  }
  EXPECT_GT(seen[Error::none], 10'000);
  EXPECT_EQ(seen[Error::storage_failed], 0);
  const Error full = std::is_same_v<TypeParam, DirectKind> ? Error::no_storage : Error::no_ram;
  EXPECT_GT(seen[full], 0) << "never full: the test shows less than it could";
}

TYPED_TEST(Baselines, SurviveRandomOutagesOneAfterTheOther) {
  int outages = 0;
  for (unsigned seed = 100; seed < 130; ++seed) {
    Board<TypeParam> control(kLarge, 8192);
    ASSERT_TRUE(control.memory().format().ok());
    ModelRun<TypeParam> expected(control, seed);
    expected.run(150);

    Board<TypeParam> board(kLarge, 8192);
    ASSERT_TRUE(board.memory().format().ok());
    Random random(seed);
    const auto soon = [&] { board.platform.strike_at = board.platform.places + random() % 500; };
    board.platform.interrupt = [&] {
      board.outage();
      soon();
    };
    soon();
    ModelRun<TypeParam> run(board, seed);
    ASSERT_NO_THROW(run.run(150)) << seed << " " << board.fault;
    ASSERT_EQ(board.fault, "") << seed;
    ASSERT_EQ(run.answers, expected.answers) << seed;
    outages += board.outages;
  }
  EXPECT_EQ(repeated, 0);
  EXPECT_GT(outages, 30);
}

// At each charge and each byte of each transfer, those of repeated transfers included.
TYPED_TEST(Baselines, SurviveAnOutageAtEveryPlace) {
  for (const unsigned seed : {7U, 8U}) {
    Board<TypeParam> control(kSmall);
    ASSERT_TRUE(control.memory().format().ok());
    const std::uint64_t begin = control.platform.places;
    ModelRun<TypeParam> expected(control, seed);
    expected.run(40);
    const std::uint64_t end = control.platform.places;
    ASSERT_GT(end - begin, 80U);
    for (std::uint64_t at = begin; at < end; ++at) {
      Board<TypeParam> board(kSmall);
      ASSERT_TRUE(board.memory().format().ok());
      board.platform.strike_at = at;
      ModelRun<TypeParam> run(board, seed);
      ASSERT_NO_THROW(run.run(40)) << "outage at place " << at << " " << board.fault;
      ASSERT_EQ(board.fault, "") << "outage at place " << at;
      ASSERT_EQ(run.answers, expected.answers) << "outage at place " << at;
      ASSERT_EQ(board.outages, 1) << at;
      ASSERT_EQ(repeated, 0) << at;
    }
  }
}

// With a transfer that fails at each poll in turn: the operation says so or repairs it, and nothing is lost.
TYPED_TEST(Baselines, LoseNothingToAnErrorOfTheStorage) {
  Board<TypeParam> control(kSmall);
  ASSERT_TRUE(control.memory().format().ok());
  const std::uint64_t begin = control.store.polls;
  ModelRun<TypeParam> expected(control, 7);
  expected.run(40);
  const std::uint64_t end = control.store.polls;
  for (std::uint64_t at = begin; at < end; ++at) {
    Board<TypeParam> board(kSmall);
    ASSERT_TRUE(board.memory().format().ok());
    board.store.fail_at = at;
    ModelRun<TypeParam> run(board, 7);
    ASSERT_NO_THROW(run.run(40)) << "error at poll " << at;
    ASSERT_EQ(run.answers, expected.answers) << "error at poll " << at;
    ASSERT_GT(board.store.polls, at);
  }
}

// How many objects of a granule fit in addition, and how many readers of one of them, 100 at most.
struct Capacity {
  std::size_t objects = 0;
  std::size_t readers = 0;
  bool operator==(const Capacity&) const = default;
};
Capacity capacity_of(ObjectMemory& memory) {
  std::vector<Buffer> objects;
  for (;;) {
    auto made = memory.make_buffer(8);
    if (!made.ok()) break;
    objects.push_back(made.take());
  }
  std::vector<heap::Lent> lent;
  while (lent.size() < 100) {
    auto reader = memory.lend_reader(objects.at(0));
    if (!reader.ok()) break;
    lent.push_back(reader.value());
  }
  for (const heap::Lent& borrow : lent) memory.give_back(borrow);
  const Capacity capacity{objects.size(), lent.size()};
  for (Buffer& object : objects) {
    if (!memory.free(object).ok()) throw std::runtime_error("free");
  }
  return capacity;
}
template <class Kind>
Capacity capacity_of_fresh_board() {
  Board<Kind> board(kSmall);
  if (!board.memory().format().ok()) throw std::runtime_error("format");
  return capacity_of(board.memory());
}

// An operation that fails leaves nothing behind, neither in RAM nor in the store.
TYPED_TEST(Baselines, LeakNothingWhenTheStorageFails) {
  const Capacity expected = capacity_of_fresh_board<TypeParam>();
  std::uint64_t polls = 0;
  for (std::uint64_t fail_in = 0; fail_in <= polls; ++fail_in) {
    Board<TypeParam> board(kSmall);
    ASSERT_TRUE(board.memory().format().ok());
    const std::uint64_t begin = board.store.polls;
    board.store.fail_at = begin + fail_in;
    Buffer one = make_object(board.memory(), 90);
    Buffer other = make_object(board.memory(), 40);
    write_bytes(board.memory(), one, bytes_of(90, 1));
    ASSERT_TRUE(again([&] { return board.memory().free(one); }).ok());
    write_bytes(board.memory(), other, bytes_of(40, 2));
    ASSERT_EQ(read_bytes(board.memory(), other), bytes_of(40, 2));
    ASSERT_TRUE(again([&] { return board.memory().free(other); }).ok());
    polls = board.store.polls - begin;
    board.store.fail_at = ~std::uint64_t{0};
    ASSERT_EQ(capacity_of(board.memory()), expected) << "error at poll " << fail_in;
  }
}

TYPED_TEST(Baselines, RestoreRamAndOsPart) {
  Loaded<TypeParam> loaded;
  for (int i = 0; i < 4; ++i) {
    loaded.board.outage();
    ASSERT_EQ(loaded.board.fault, "") << i;
    loaded.expect_contents(i == 0 ? 3U : 50U);
    write_bytes(loaded.board.memory(), loaded.buffers[3], bytes_of(60, 50));
  }
}

TYPED_TEST(Baselines, EmptyStoreHasNoImage) {
  Board<TypeParam> board(kSmall);
  EXPECT_EQ(board.restore().error(), Error::empty);
  ASSERT_TRUE(board.memory().format().ok());
  EXPECT_EQ(board.restore().error(), Error::empty);
}

TYPED_TEST(Baselines, FormatForgetsImages) {
  Loaded<TypeParam> loaded;
  loaded.board.outage();
  loaded.board.outage();
  ASSERT_TRUE(loaded.board.memory().format().ok());
  EXPECT_EQ(loaded.board.lose().error(), Error::empty);
}

TYPED_TEST(Baselines, FormatForgetsTheMark) {
  Loaded<TypeParam> loaded;
  loaded.board.outage();
  loaded.run_on(77);
  ASSERT_TRUE(loaded.board.memory().format().ok());
  ASSERT_TRUE(loaded.board.persist().ok());
  EXPECT_TRUE(loaded.board.lose().ok()) << "the same sequence as before the format, but not marked";
}

// Whole if and only if every byte is there; torn; or, if nothing has changed in the store, what it was
// before.
TYPED_TEST(Baselines, PersistThatIsCutIsTornOrTheOneBefore) {
  for (std::uint32_t before = 0; before < 4; ++before) {
    Loaded<TypeParam> loaded;
    Board<TypeParam>& board = loaded.board;
    for (std::uint32_t i = 0; i < before; ++i) {
      board.outage();
      loaded.run_on(100 + i);
    }
    const std::uint32_t seed_before = before == 0 ? 3 : 100 + before - 1;
    write_bytes(board.memory(), loaded.buffers[3], bytes_of(60, 200));
    const Bytes ram = board.ram_copy();
    const Bytes os = board.os;
    const Bytes store = board.store.memory;
    const std::uint32_t image = board.image_bytes();
    const Bytes whole = board.store.memory;
    std::uint32_t torn = 0;
    std::uint32_t unchanged = 0;
    for (std::uint32_t cut = 0; cut <= image; ++cut) {
      std::memcpy(board.ram(), ram.data(), ram.size());
      board.os = os;
      board.boot();
      board.store.memory = store;
      board.store.written = 0;
      board.store.cut_after = cut;
      ASSERT_TRUE(board.persist().ok());
      board.store.cut_after = ~std::uint64_t{0};
      const Bytes left = board.store.memory;
      const Status status = board.lose();
      if (left == whole) {
        ASSERT_TRUE(status.ok()) << cut << " of " << image;
        loaded.expect_contents(200);
      } else if (left != store) {
        ++torn;
        ASSERT_EQ(status.error(), Error::torn) << cut << " of " << image;
      } else {
        ++unchanged;
        if (before == 0) {
          ASSERT_EQ(status.error(), Error::empty);
        } else if (TypeParam::kWritesHomes) {
          ASSERT_EQ(status.error(), Error::stale);
        } else {
          ASSERT_TRUE(status.ok()) << "an older image is a whole state of the past";
          loaded.expect_contents(before == 1 ? 3 : seed_before - 1);
        }
      }
    }
    EXPECT_GT(torn, 100U);
    EXPECT_GT(unchanged, 0U);
  }
}

TYPED_TEST(Baselines, EveryFlippedBitIsRecognised) {
  for (int images = 1; images < 3; ++images) {
    Loaded<TypeParam> loaded;
    for (int i = 1; i < images; ++i) loaded.board.outage();
    const std::uint32_t image = loaded.board.image_bytes();
    const std::uint32_t at =
        loaded.board.plan.geometry.checkpoint_address(static_cast<std::uint32_t>(images));
    for (std::uint32_t bit = 0; bit < image * 8; ++bit) {
      const std::byte mask = std::byte{1} << (bit % 8);
      loaded.board.store.memory[at + bit / 8] ^= mask;
      ASSERT_FALSE(loaded.board.lose().ok()) << "bit " << bit;
      loaded.board.store.memory[at + bit / 8] ^= mask;
    }
    EXPECT_TRUE(loaded.board.lose().ok());
    loaded.expect_contents();
  }
}

TYPED_TEST(Baselines, RunningOnMakesAnImageStaleIfHomesAreWritten) {
  for (const bool booted : {true, false}) {
    Loaded<TypeParam> loaded;
    if (booted) {
      loaded.board.outage();
    } else {
      ASSERT_TRUE(loaded.board.persist().ok());
    }
    ASSERT_TRUE(loaded.board.lose().ok()) << "nothing was written since";
    loaded.run_on(77);
    if (TypeParam::kWritesHomes) {
      EXPECT_EQ(loaded.board.lose().error(), Error::stale);
    } else {
      EXPECT_TRUE(loaded.board.lose().ok());
      loaded.expect_contents(3);
    }
  }
}

// A resume without a boot: the program runs on in the same RAM.
TYPED_TEST(Baselines, AFalseAlarmIsNoticedToo) {
  Loaded<TypeParam> loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  loaded.run_on(77);
  loaded.expect_contents(77);
  EXPECT_EQ(loaded.board.lose().error(), TypeParam::kWritesHomes ? Error::stale : Error::none);
}

// The mark that is cut counts as not written: at that moment no home has been touched. Without homes there is
// no mark, and nothing is written.
TYPED_TEST(Baselines, CutMarkLeavesTheImageCurrent) {
  for (std::uint64_t cut = 0; cut <= sizeof(heap::RunningMark); ++cut) {
    Loaded<TypeParam> loaded;
    loaded.board.outage();
    loaded.board.store.written = 0;
    loaded.board.store.cut_after = cut;
    loaded.run_on(77);
    loaded.board.store.cut_after = ~std::uint64_t{0};
    const Status status = loaded.board.lose();
    const bool is_marked = TypeParam::kWritesHomes && cut == sizeof(heap::RunningMark);
    EXPECT_EQ(status.error(), is_marked ? Error::stale : Error::none) << cut;
    if (!TypeParam::kWritesHomes) {
      EXPECT_EQ(loaded.board.store.written, 0U);
    }
    if (status.ok()) loaded.expect_contents(3);
  }
}

TYPED_TEST(Baselines, RestoreCanBeCutAndRepeated) {
  Loaded<TypeParam> loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  const Bytes store = loaded.board.store.memory;
  std::uint64_t cut = 0;
  for (;; ++cut) {
    loaded.board.store.polls = 0;
    loaded.board.store.fail_at = cut;
    const Status status = loaded.board.lose();
    loaded.board.store.fail_at = ~std::uint64_t{0};
    ASSERT_EQ(loaded.board.store.memory, store);
    if (status.ok()) break;
    ASSERT_EQ(status.error(), Error::storage_failed);
  }
  EXPECT_GT(cut, 100U);
  loaded.expect_contents();
}

// A failed persist changes nothing in RAM and can be repeated.
TYPED_TEST(Baselines, PersistThatFailsLeavesRamAlone) {
  Loaded<TypeParam> loaded;
  const Bytes ram = loaded.board.ram_copy();
  for (std::uint64_t poll = 0; poll < 100; poll += 9) {
    loaded.board.store.fail_at = loaded.board.store.polls + poll;
    ASSERT_EQ(loaded.board.persist().error(), Error::storage_failed);
    ASSERT_EQ(loaded.board.ram_copy(), ram);
  }
  loaded.board.outage();
  ASSERT_EQ(loaded.board.fault, "");
  loaded.expect_contents();
}

TYPED_TEST(Baselines, SequenceWrapsAround) {
  Loaded<TypeParam> loaded;
  loaded.board.control().sequence = 0xFFFF'FFFCU;
  loaded.board.control().marked_sequence = 0;
  for (std::uint32_t i = 0; i < 8; ++i) {
    loaded.board.outage();
    ASSERT_EQ(loaded.board.fault, "") << i;
    ASSERT_NE(loaded.board.control().sequence, 0U);
    loaded.run_on(30 + i);
    loaded.expect_contents(30 + i);
  }
  EXPECT_LT(loaded.board.control().sequence, 10U);
}

// Where the images lie elsewhere, what lies in their places may look like a header that was damaged.
void expect_not_ours(const Status& status) {
  EXPECT_TRUE(status.error() == Error::foreign || status.error() == Error::torn);
}
TYPED_TEST(Baselines, OtherConfigurationsAreForeign) {
  Loaded<TypeParam> loaded;
  loaded.board.outage();
  ASSERT_TRUE(loaded.board.persist().ok());
  for (std::uint32_t what = 0; what < 4; ++what) {
    HeapConfig other = kSmall;
    if (what == 0) other.ram_bytes += 256;
    if (what == 1) other.os_bytes += 8;
    if (what == 2) other.dirty_limit_bytes -= 8;
    if (what == 3) other.store_unit_bytes = 24;
    Board<TypeParam> board(other);
    board.store.memory = loaded.board.store.memory;
    const Status status = board.restore();
    expect_not_ours(status);
    if (board.plan.geometry.checkpoint_stride == loaded.board.plan.geometry.checkpoint_stride) {
      EXPECT_EQ(status.error(), Error::foreign) << what;
    }
  }
}

template <class Writer, class Reader>
void expect_foreign() {
  Loaded<Writer> loaded;
  loaded.board.outage();
  ASSERT_TRUE(loaded.board.persist().ok());
  Board<Reader> board(kSmall);
  board.store.memory = loaded.board.store.memory;
  const Status status = board.restore();
  if (std::is_same_v<Writer, Reader>) {
    EXPECT_TRUE(status.ok());
  } else {
    expect_not_ours(status);
  }
}
TYPED_TEST(Baselines, OtherMemoriesAreForeign) {
  expect_foreign<TypeParam, RamKind>();
  expect_foreign<TypeParam, DirectKind>();
  expect_foreign<TypeParam, PagesKind<32>>();
  expect_foreign<TypeParam, PagesKind<128>>();
}

TYPED_TEST(Baselines, OtherVersionIsNamed) {
  Loaded<TypeParam> loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  const std::uint32_t at = loaded.board.plan.geometry.checkpoint_address(1);
  SnapshotHeader header;
  std::memcpy(&header, loaded.board.store.memory.data() + at, sizeof header);
  ++header.version;
  heap::Crc32c crc;
  crc.add(reinterpret_cast<const std::byte*>(&header), offsetof(SnapshotHeader, checksum));
  header.checksum = crc.value();
  std::memcpy(loaded.board.store.memory.data() + at, &header, sizeof header);
  EXPECT_EQ(loaded.board.lose().error(), Error::wrong_version);
}

TYPED_TEST(Baselines, RefuseWhatCannotBe) {
  Board<TypeParam> board(kSmall);
  ASSERT_TRUE(board.memory().format().ok());
  ObjectMemory& memory = board.memory();
  EXPECT_EQ(memory.make_buffer(kSmall.ram_bytes).error(), Error::too_large);
  EXPECT_EQ(memory.make_buffer(0xFFFF'FFFFU).error(), Error::too_large);
  Buffer none;
  EXPECT_EQ(memory.read(none).error(), Error::invalid_handle);
  EXPECT_EQ(memory.write(none).error(), Error::invalid_handle);
  EXPECT_EQ(memory.free(none).error(), Error::invalid_handle);
  const Buffer ten = make_object(memory, 10);
  EXPECT_EQ(memory.write(ten, 8, 3).error(), Error::out_of_range);
  EXPECT_TRUE(memory.write(ten, 10, 0).ok());
}

TYPED_TEST(Baselines, KeepLists) {
  Board<TypeParam> board(kLarge, 8192);
  ASSERT_TRUE(board.memory().format().ok());
  ObjectMemory& memory = board.memory();
  heap::List<std::uint32_t> list;
  const auto soon = [&] { board.platform.strike_at = board.platform.places + 37; };
  board.platform.interrupt = [&] {
    board.outage();
    soon();
  };
  soon();
  std::uint32_t popped = 0;
  for (std::uint32_t i = 0; i < 60; ++i) {
    ASSERT_TRUE(list.push_back(memory, i).ok());
    if (i % 4 == 0) {
      std::uint32_t front = 0;
      {
        auto node = list.read(memory, list.first());
        ASSERT_TRUE(node.ok());
        front = node.value()->value;
      }
      ASSERT_EQ(front, popped++);
      ASSERT_TRUE(list.pop_front(memory).ok());
    }
  }
  std::uint32_t next = popped;
  ASSERT_TRUE(list.for_each(memory, [&](std::uint32_t value) { EXPECT_EQ(value, next++); }).ok());
  EXPECT_EQ(next, 60U);
  ASSERT_TRUE(list.clear(memory).ok());
  EXPECT_EQ(board.fault, "");
  EXPECT_GT(board.outages, 5);
}

// A destructor finds the object, may change it, and an outage in it changes nothing.
struct Destroyed {
  static inline std::function<void(std::byte*)> by;
};
TYPED_TEST(Baselines, DestroyWhatTheyFree) {
  Loaded<TypeParam> loaded;
  ASSERT_TRUE(loaded.board.memory().flush().ok());
  Board<TypeParam>& board = loaded.board;
  int destroyed = 0;
  Destroyed::by = [&](std::byte* data) {
    ++destroyed;
    EXPECT_TRUE(std::equal(data, data + 60, bytes_of(60, 1).begin()));
    data[30] = std::byte{0xEE};
    board.outage();
    EXPECT_EQ(data[30], std::byte{0xEE});
    EXPECT_EQ(data[31], bytes_of(60, 1)[31]);
  };
  ASSERT_TRUE(
      board.memory().free_bytes(loaded.buffers[1], [](std::byte* data) { Destroyed::by(data); }).ok());
  EXPECT_EQ(destroyed, 1);
  EXPECT_EQ(board.fault, "");
  EXPECT_FALSE(loaded.buffers[1].valid());
  Destroyed::by = nullptr;
  loaded.buffers[1] = make_object(board.memory(), 60);
  write_bytes(board.memory(), loaded.buffers[1], bytes_of(60, 1));
  loaded.expect_contents();
  for (Buffer& buffer : loaded.buffers) ASSERT_TRUE(board.memory().free(buffer).ok());
  EXPECT_EQ(capacity_of(board.memory()), capacity_of_fresh_board<TypeParam>());
}

TYPED_TEST(Baselines, PlansRefuseWhatDoesNotFit) {
  const auto misfit = [](const HeapConfig& config, std::uint32_t storage_bytes) {
    const BaselinePlan plan = TypeParam::plan(config, storage_bytes);
    EXPECT_EQ(plan.status().error(), plan.misfit == Misfit::none ? Error::none : Error::bad_configuration);
    return plan.misfit;
  };
  EXPECT_EQ(misfit(kSmall, 4096), Misfit::none);
  HeapConfig config = kSmall;
  config.os_bytes = 12;
  EXPECT_EQ(misfit(config, 4096), Misfit::os_bytes);
  for (const std::uint32_t ram : {0U, 39U, heap::kMaxRamBytes + 8}) {
    config = kSmall;
    config.ram_bytes = ram;
    EXPECT_EQ(misfit(config, 4 * 1024 * 1024), Misfit::ram) << ram;
  }
  // The smallest store with which it fits at all, down to the byte.
  const BaselinePlan plan = TypeParam::plan(kSmall, 4096);
  const std::uint32_t images_end = plan.geometry.store_base;
  EXPECT_EQ(misfit(kSmall, images_end - 1), Misfit::store);
  EXPECT_EQ(misfit(kSmall, images_end), TypeParam::kWritesHomes ? Misfit::store : Misfit::none);
  EXPECT_EQ(misfit(kSmall, images_end + 200), Misfit::none);
}

// Everything that a plan lays out lies side by side: mark, images, homes.
TYPED_TEST(Baselines, PlansOverlapNothing) {
  for (const std::uint32_t ram : {200U, 257U, 1000U, 4096U}) {
    for (const std::uint32_t limit : {300U, 333U, 4096U}) {
      HeapConfig config = kSmall;
      config.ram_bytes = ram;
      config.dirty_limit_bytes = limit;
      const BaselinePlan plan = TypeParam::plan(config, 65536);
      ASSERT_EQ(plan.misfit, Misfit::none) << ram << " " << limit;
      const heap::Geometry& g = plan.geometry;
      EXPECT_GE(g.checkpoint_address(0), sizeof(heap::RunningMark));
      EXPECT_EQ(g.checkpoint_address(0) % 8, 0U);
      EXPECT_GE(g.checkpoint_address(1), g.checkpoint_address(0) + plan.image_bytes + config.os_bytes);
      EXPECT_GE(g.store_base, g.checkpoint_address(1) + plan.image_bytes + config.os_bytes);
      EXPECT_LE(g.config.ram_bytes, ram);
      EXPECT_EQ(plan.where(1000).at, 1000U);
      if (plan.pages != 0) {
        EXPECT_GE(g.objects_offset, plan.flags_offset + plan.pages);
        EXPECT_LE(plan.page_offset(plan.pages), ram);
        EXPECT_LE(plan.page_home(plan.pages), 65536U);
        EXPECT_EQ(g.objects_offset % 8, 0U);
        EXPECT_GT(heap::round_up_8(32 + plan.pages + 1) + (plan.pages + 1) * plan.page_bytes, ram)
            << "room for one page more";
      }
    }
  }
}

// RamSnapshot

TEST(RamSnapshotBaseline, TouchesTheStoreInPersistAndRestoreOnly) {
  Board<RamKind> board(kLarge, 8192);
  ASSERT_TRUE(board.memory().format().ok());
  const std::uint64_t polls = board.store.polls;
  ModelRun<RamKind>(board, 5).run(300);
  EXPECT_EQ(board.store.polls, polls);
  EXPECT_EQ(board.image_bytes(), kSnapshotFrameBytes + kLarge.ram_bytes + kLarge.os_bytes);
  EXPECT_EQ(board.plan.image_bytes, kSnapshotFrameBytes + kLarge.ram_bytes);
  EXPECT_EQ(board.platform.critical_places, 0U);
}

TEST(RamSnapshotBaseline, HomesAreRamOffsets) {
  Board<RamKind> board(kSmall);
  ASSERT_TRUE(board.memory().format().ok());
  const Buffer one = make_object(board.memory(), 20);
  const Buffer two = make_object(board.memory(), 20);
  write_bytes(board.memory(), two, bytes_of(20, 9));
  EXPECT_EQ(one.home(), sizeof(heap::Control));
  EXPECT_EQ(two.home(), sizeof(heap::Control) + 24);
  const BaselinePlan::Place place = board.plan.where(two.home());
  EXPECT_FALSE(place.in_store);
  EXPECT_EQ(std::memcmp(board.ram() + place.at, bytes_of(20, 9).data(), 20), 0);
}

// DirectAccess

struct DirectBoard : Board<DirectKind> {
  DirectBoard() : Board<DirectKind>(kSmall) {
    if (!memory().format().ok()) throw std::runtime_error("format");
  }
  // Bytes of transfers since the last call; each takes a poll more.
  std::uint64_t transferred() {
    const std::uint64_t bytes = store.polls - polls_ - (store.reads + store.writes - transfers_);
    polls_ = store.polls;
    transfers_ = store.reads + store.writes;
    return bytes;
  }
  Bytes at_home(const Buffer& buffer) {
    const auto begin = store.memory.begin() + static_cast<std::ptrdiff_t>(plan.where(buffer.home()).at);
    return {begin, begin + static_cast<std::ptrdiff_t>(buffer.size_bytes())};
  }

 private:
  std::uint64_t polls_ = 0;
  std::uint64_t transfers_ = 0;
};

TEST(DirectBaseline, TheStoreIsDividedAsItsAllocatorDoes) {
  using Allocator = heap::LinkedListStore<TestPlatform, heap::Gateway<TestPlatform, TestStore>>;
  for (const std::uint32_t unit : {0U, 8U, 40U}) {
    for (const std::uint32_t storage : {4096U, 65536U, 512U * 1024U}) {
      HeapConfig config = kSmall;
      config.store_unit_bytes = unit;
      const BaselinePlan plan = plan_direct(config, storage);
      const heap::StorePlan expected =
          Allocator::plan(plan.geometry.store_base, plan.geometry.store_end, unit);
      EXPECT_EQ(plan.geometry.store.table, expected.table);
      EXPECT_EQ(plan.geometry.store.first_unit, expected.first_unit);
      EXPECT_EQ(plan.geometry.store.unit_bytes, expected.unit_bytes);
      EXPECT_EQ(plan.geometry.store.units, expected.units);
    }
  }
}

TEST(DirectBaseline, ReadsAndWritesWhatIsCoveredAndNothingElse) {
  DirectBoard board;
  const Buffer buffer = make_object(board.memory(), 100);
  write_bytes(board.memory(), buffer, bytes_of(100, 1));
  static_cast<void>(board.transferred());
  {
    auto reader = board.memory().read(buffer);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(board.transferred(), 100U);
  }
  EXPECT_EQ(board.transferred(), 0U) << "a reader writes nothing";
  {
    auto writer = board.memory().write(buffer, 40, 10);
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(board.transferred(), 10U);
    EXPECT_EQ(writer.value()[3], bytes_of(100, 1)[43]) << "a writer may read what it covers";
    for (std::byte& b : writer.value()) b = std::byte{0xAB};
    EXPECT_EQ(board.at_home(buffer), bytes_of(100, 1)) << "not before it is given back";
  }
  EXPECT_EQ(board.transferred(), 10U);
  Bytes expected = bytes_of(100, 1);
  std::fill_n(expected.begin() + 40, 10, std::byte{0xAB});
  EXPECT_EQ(board.at_home(buffer), expected);
}

TEST(DirectBaseline, LendsToManyReadersOrOneWriter) {
  DirectBoard board;
  Buffer buffer = make_object(board.memory(), 30);
  const Buffer other = make_object(board.memory(), 30);
  {
    auto one = board.memory().read(buffer);
    auto two = board.memory().read(buffer);
    ASSERT_TRUE(one.ok() && two.ok());
    EXPECT_EQ(board.memory().write(buffer).error(), Error::borrowed);
    EXPECT_EQ(board.memory().free(buffer).error(), Error::borrowed);
    EXPECT_TRUE(board.memory().write(other).ok());
  }
  {
    auto writer = board.memory().write(buffer);
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(board.memory().write(buffer).error(), Error::borrowed);
    EXPECT_EQ(board.memory().read(buffer).error(), Error::borrowed);
    EXPECT_EQ(board.memory().free(buffer).error(), Error::borrowed);
    EXPECT_TRUE(board.memory().read(other).ok());
  }
  EXPECT_TRUE(board.memory().write(buffer).ok());
  EXPECT_TRUE(board.memory().free(buffer).ok());
}

TEST(DirectBaseline, ScratchIsGivenBackInAnyOrder) {
  DirectBoard board;
  std::vector<Buffer> buffers;
  buffers.reserve(6);
  for (int i = 0; i < 6; ++i) buffers.push_back(make_object(board.memory(), 100));
  const Bytes ram = board.ram_copy();
  for (int round = 0; round < 6; ++round) {
    std::vector<heap::Lent> lent;
    for (const Buffer& buffer : buffers) {
      auto reader = board.memory().lend_reader(buffer);
      ASSERT_TRUE(reader.ok());
      lent.push_back(reader.value());
    }
    std::rotate(lent.begin(), lent.begin() + round, lent.end());
    if (round % 2 == 0) std::swap(lent[1], lent[4]);
    for (const heap::Lent& borrow : lent) board.memory().give_back(borrow);
  }
  // The free list is one block again: the largest object fits.
  EXPECT_EQ(std::memcmp(board.ram(), ram.data(), sizeof(DirectControl)), 0);
  const std::uint32_t most = kSmall.ram_bytes - sizeof(DirectControl) - sizeof(DirectBorrow);
  const Buffer large = make_object(board.memory(), most);
  EXPECT_EQ(board.memory().make_buffer(most + 1).error(), Error::too_large);
  EXPECT_TRUE(board.memory().read(large).ok());
  auto one = board.memory().read(buffers[0]);
  EXPECT_EQ(board.memory().read(large).error(), Error::no_ram);
}

TEST(DirectBaseline, AWriteThatFailsIsRepeatedByTheNextCall) {
  DirectBoard board;
  const Buffer buffer = make_object(board.memory(), 50);
  const Buffer other = make_object(board.memory(), 50);
  for (const bool twice : {false, true}) {
    write_bytes(board.memory(), buffer, bytes_of(50, 1));
    {
      auto writer = board.memory().write(buffer);
      ASSERT_TRUE(writer.ok());
      std::memcpy(writer.value().data(), bytes_of(50, 2).data(), 50);
      board.store.fail_at = board.store.polls + 20;
    }
    EXPECT_NE(board.at_home(buffer), bytes_of(50, 2));
    const OpenWriter writer = find_writer(board.ram(), buffer.home());
    EXPECT_EQ(writer.size_bytes, 50U);
    EXPECT_EQ(std::memcmp(board.ram() + writer.data, bytes_of(50, 2).data(), 50), 0);
    if (twice) {
      board.store.fail_at = board.store.polls + 20;
      EXPECT_EQ(board.memory().read(other).error(), Error::storage_failed);
      board.outage();
      EXPECT_EQ(board.fault, "");
    }
    EXPECT_TRUE(board.memory().read(other).ok());
    EXPECT_EQ(board.at_home(buffer), bytes_of(50, 2));
    EXPECT_EQ(find_writer(board.ram(), buffer.home()).data, 0U);
  }
}

TEST(DirectBaseline, OpenWritersAreFoundInRam) {
  DirectBoard board;
  const Buffer buffer = make_object(board.memory(), 50);
  const Buffer other = make_object(board.memory(), 50);
  EXPECT_EQ(find_writer(board.ram(), buffer.home()).data, 0U);
  auto writer = board.memory().write(buffer, 8, 20);
  auto reader = board.memory().read(other);
  ASSERT_TRUE(writer.ok() && reader.ok());
  const OpenWriter found = find_writer(board.ram(), buffer.home());
  EXPECT_EQ(found.offset_bytes, 8U);
  EXPECT_EQ(found.size_bytes, 20U);
  EXPECT_EQ(board.ram() + found.data + 8, writer.value().data());
  EXPECT_EQ(find_writer(board.ram(), other.home()).data, 0U) << "a reader is no writer";
}

// PageWise

template <std::uint32_t kPageBytes>
struct PageBoard : Board<PagesKind<kPageBytes>> {
  explicit PageBoard(std::uint32_t dirty_pages, std::uint32_t pages = 16)
      : Board<PagesKind<kPageBytes>>(config_for(dirty_pages, pages)) {
    if (!this->memory().format().ok()) throw std::runtime_error("format");
  }
  // So many pages in RAM, and so many of them dirty at once with all of them in use.
  static HeapConfig config_for(std::uint32_t dirty_pages, std::uint32_t pages) {
    HeapConfig config;
    config.ram_bytes =
        heap::round_up_8(static_cast<std::uint32_t>(sizeof(heap::Control)) + pages) + pages * kPageBytes;
    config.dirty_limit_bytes =
        kSnapshotFrameBytes + heap::kSavedControlBytes + pages + dirty_pages * kPageBytes;
    return config;
  }
  std::uint32_t flags(std::uint32_t page) {
    return static_cast<std::uint32_t>(this->ram()[this->plan.flags_offset + page]);
  }
  std::vector<std::uint32_t> dirty_pages() {
    std::vector<std::uint32_t> pages;
    for (std::uint32_t page = 0; page < this->plan.pages; ++page) {
      if ((flags(page) & 1U) != 0) pages.push_back(page);
    }
    return pages;
  }
  void flush() {
    if (!this->memory().flush().ok()) throw std::runtime_error("flush");
  }
};
using PageList = std::vector<std::uint32_t>;

TEST(PageWiseBaseline, AllowsAsManyDirtyPagesAsPublished) {
  HeapConfig config;
  config.ram_bytes = 120'000;
  config.dirty_limit_bytes = 11'878;
  // What the image has beside pages and their flags: header 24 B, control 24 B, trailer 8 B.
  const auto allowed = [&](std::uint32_t page_bytes) {
    const BaselinePlan plan = plan_pages(config, page_bytes, 512 * 1024);
    EXPECT_EQ(plan.misfit, Misfit::none);
    EXPECT_GE(plan.pages * page_bytes, 59'392U);
    return plan.dirty_pages_allowed(59'392 / page_bytes);
  };
  EXPECT_EQ(allowed(32), (11'878U - 56 - 1856) / 32);
  EXPECT_EQ(allowed(64), (11'878U - 56 - 928) / 64);
  EXPECT_EQ(allowed(128), 88U);
  EXPECT_EQ(allowed(256), 45U);
  EXPECT_EQ(allowed(512), 22U);
}

TEST(PageWiseBaseline, KvsIsPackedWithoutHolesAndKeepsToTheLimit) {
  HeapConfig config;
  config.ram_bytes = 120'000;
  config.dirty_limit_bytes = 11'878;
  Board<PagesKind<128>> board(config, 512 * 1024);
  ASSERT_TRUE(board.memory().format().ok());
  const KvsOptions options;
  KvsKeySequence keys(options);
  std::vector<Buffer> objects;
  std::uint32_t expected = board.plan.geometry.objects_offset;
  for (std::uint32_t key = 0; key < kKvsObjects; ++key) {
    objects.push_back(make_object(board.memory(), options.sizes[keys.next_class()]));
    ASSERT_EQ(objects.back().home(), expected);
    expected += objects.back().size_bytes();
    write_bytes(board.memory(), objects.back(), bytes_of(objects.back().size_bytes(), key));
  }
  EXPECT_EQ(expected - board.plan.geometry.objects_offset, 59'392U);
  // 464 pages of objects, and the free rest begins in one more.
  EXPECT_EQ(BaselinePlan::pages_in_use(board.control()), 465U);
  ASSERT_TRUE(board.memory().flush().ok());
  EXPECT_EQ(board.memory().checkpoint_bytes(), board.plan.paged_image_bytes(465, 0));
  std::uint32_t most = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const Buffer& object = objects[keys.next_key(i)];
    write_bytes(board.memory(), object, bytes_of(object.size_bytes(), i));
    most = std::max(most, board.memory().checkpoint_bytes());
  }
  EXPECT_EQ(most, board.plan.paged_image_bytes(465, 88));
  EXPECT_LE(most, 11'878U);
  board.outage();
  EXPECT_EQ(board.fault, "");
}

// Recounted at every place where the interrupt can strike; with an outage there see
// SurviveAnOutageAtEveryPlace.
TEST(PageWiseBaseline, NeverExceedsItsLimit) {
  for (const std::uint32_t limit : {3U, 5U, 9U}) {
    PageBoard<32> board(limit, 24);
    std::uint32_t most = 0;
    board.platform.strike_at = board.platform.places;
    board.platform.interrupt = [&] {
      const std::uint32_t in_use = BaselinePlan::pages_in_use(board.control());
      const auto dirty = static_cast<std::uint32_t>(board.dirty_pages().size());
      EXPECT_LE(board.plan.paged_image_bytes(in_use, dirty), board.memory().checkpoint_bytes());
      EXPECT_LE(board.memory().checkpoint_bytes(), board.config.dirty_limit_bytes);
      most = std::max(most, dirty);
      --board.platform.epoch;  // nothing was persisted
      board.platform.strike_at = board.platform.places;
    };
    ModelRun<PagesKind<32>> run(board, limit);
    run.run(60);
    EXPECT_GE(most, limit);
    EXPECT_EQ(std::count(run.answers.begin(), run.answers.end(), Error::dirty_limit) > 0, limit == 3);
    const auto dirty = static_cast<std::uint32_t>(board.dirty_pages().size());
    EXPECT_EQ(board.image_bytes(),
              board.plan.paged_image_bytes(BaselinePlan::pages_in_use(board.control()), dirty));
  }
}

TEST(PageWiseBaseline, PagesAreMarkedByWhatAWriterCovers) {
  PageBoard<32> board(12);
  static_cast<void>(make_object(board.memory(), 40));
  const Buffer buffer = make_object(board.memory(), 100);  // bytes 40 to 140: pages 1 to 4
  board.flush();
  ASSERT_EQ(board.dirty_pages(), PageList{});
  const auto marks = [&](std::uint32_t offset, std::uint32_t size) {
    write_bytes(board.memory(), buffer, bytes_of(size, 1), offset);
    PageList dirty = board.dirty_pages();
    board.flush();
    return dirty;
  };
  EXPECT_EQ(marks(0, 100), (PageList{1, 2, 3, 4}));
  EXPECT_EQ(marks(0, 1), PageList{1});
  EXPECT_EQ(marks(23, 1), PageList{1});
  EXPECT_EQ(marks(23, 2), (PageList{1, 2}));
  EXPECT_EQ(marks(24, 32), PageList{2});
  EXPECT_EQ(marks(24, 33), (PageList{2, 3}));
  EXPECT_EQ(marks(99, 1), PageList{4});
  EXPECT_EQ(marks(50, 0), PageList{});
  EXPECT_TRUE(board.memory().read(buffer).ok());
  EXPECT_EQ(board.dirty_pages(), PageList{}) << "a reader marks nothing";
}

TEST(PageWiseBaseline, AFlushWritesWholePagesHome) {
  PageBoard<32> board(12);
  const Buffer buffer = make_object(board.memory(), 100);
  board.flush();
  write_bytes(board.memory(), buffer, bytes_of(2, 1), 40);
  const std::uint64_t written = board.store.written;
  board.flush();
  EXPECT_EQ(board.store.written - written, 32U);
  const std::uint32_t at = board.plan.page_home(1);
  EXPECT_EQ(std::memcmp(board.store.memory.data() + at, board.ram() + board.plan.page_offset(1), 32), 0);
  board.flush();
  EXPECT_EQ(board.store.written - written, 32U) << "clean pages are not written again";
}

// One object a page, so that a write marks just that page; the model is the textbook's.
TEST(PageWiseBaseline, FlushesInTheOrderOfASecondChanceClock) {
  constexpr std::uint32_t kPages = 12;
  for (unsigned seed = 0; seed < 20; ++seed) {
    PageBoard<32> board(5, kPages);
    std::vector<Buffer> objects;
    for (std::uint32_t i = 0; i < kPages; ++i) objects.push_back(make_object(board.memory(), 32));
    board.flush();
    std::vector<bool> dirty(kPages);
    std::vector<bool> referenced(kPages);
    std::uint32_t hand = board.control().policy_state;
    std::uint32_t flushes = 0;
    Random random(seed);
    for (int i = 0; i < 500; ++i) {
      const std::uint32_t page = random() % 3 == 0 ? random() % kPages : random() % 4;
      if (!dirty[page] && std::count(dirty.begin(), dirty.end(), true) == 5) {
        for (;; ++hand) {
          const std::uint32_t at = hand % kPages;
          if (!dirty[at]) continue;
          if (!referenced[at]) break;
          referenced[at] = false;
        }
        dirty[hand++ % kPages] = false;
        ++flushes;
      }
      dirty[page] = true;
      referenced[page] = true;
      write_bytes(board.memory(), objects[page], bytes_of(32, static_cast<std::uint32_t>(i)));
      PageList expected;
      for (std::uint32_t at = 0; at < kPages; ++at) {
        if (dirty[at]) expected.push_back(at);
      }
      ASSERT_EQ(board.dirty_pages(), expected) << "seed " << seed << " write " << i;
    }
    EXPECT_GT(flushes, 50U);
  }
}

TEST(PageWiseBaseline, PagesOfOpenWritersAreNotFlushed) {
  PageBoard<32> board(3, 8);
  std::vector<Buffer> objects;
  for (std::uint32_t i = 0; i < 8; ++i) objects.push_back(make_object(board.memory(), 32));
  board.flush();
  {
    auto one = board.memory().write(objects[1]);
    auto two = board.memory().write(objects[4]);
    ASSERT_TRUE(one.ok() && two.ok());
    for (std::uint32_t i = 0; i < 40; ++i) {
      write_bytes(board.memory(), objects[i % 2 == 0 ? 0 : 2 + 3 * (i / 2 % 2)], bytes_of(32, i));
      const PageList dirty = board.dirty_pages();
      ASSERT_TRUE(std::count(dirty.begin(), dirty.end(), 1U) == 1 &&
                  std::count(dirty.begin(), dirty.end(), 4U) == 1);
    }
    board.flush();
    EXPECT_EQ(board.dirty_pages(), (PageList{1, 4}));
    auto three = board.memory().write(objects[6]);
    ASSERT_TRUE(three.ok());
    EXPECT_EQ(board.memory().write(objects[7]).error(), Error::dirty_limit);
    EXPECT_EQ(board.memory().make_buffer(32).error(), Error::no_ram);
    one.value()[0] = std::byte{0x77};
    board.outage();
    EXPECT_EQ(board.fault, "");
    EXPECT_EQ(one.value()[0], std::byte{0x77});
  }
  EXPECT_TRUE(board.memory().write(objects[7]).ok());
  board.flush();
  EXPECT_EQ(board.dirty_pages(), PageList{});
}

TEST(PageWiseBaseline, AnObjectWhosePagesCannotAllBeDirtyIsRefused) {
  PageBoard<32> board(4, 16);
  // The free block behind it begins in a page of its own.
  EXPECT_EQ(board.memory().make_buffer(5 * 32).error(), Error::dirty_limit);
  EXPECT_EQ(board.memory().make_buffer(4 * 32).error(), Error::dirty_limit);
  const Buffer most = make_object(board.memory(), 4 * 32 - 8);
  write_bytes(board.memory(), most, bytes_of(4 * 32 - 8, 1));
  const Buffer behind = make_object(board.memory(), 16);
  {
    auto writer = board.memory().write(behind);  // half in its fourth page, half in the next
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(board.memory().write(most).error(), Error::dirty_limit);
    EXPECT_TRUE(board.memory().write(most, 0, 64).ok());
  }
  EXPECT_TRUE(board.memory().write(most).ok());
  EXPECT_EQ(read_bytes(board.memory(), most), bytes_of(4 * 32 - 8, 1));
}

TEST(PageWiseBaseline, APageHasAtMostSixtyThreeWriters) {
  PageBoard<32> board(4);
  const Buffer buffer = make_object(board.memory(), 32);
  std::vector<heap::Lent> lent;
  for (int i = 0; i < 63; ++i) {
    auto writer = board.memory().lend_writer(buffer, 0, 8);
    ASSERT_TRUE(writer.ok()) << i;
    lent.push_back(writer.value());
  }
  EXPECT_EQ(board.memory().lend_writer(buffer, 0, 8).error(), Error::no_slot);
  for (const heap::Lent& borrow : lent) board.memory().give_back(borrow);
  EXPECT_TRUE(board.memory().lend_writer(buffer, 0, 8).ok());
}

TEST(PageWiseBaseline, RestoreReadsARunOfCleanPagesAtOnce) {
  PageBoard<32> board(12, 12);
  const Buffer buffer = make_object(board.memory(), 12 * 32);
  write_bytes(board.memory(), buffer, bytes_of(12 * 32, 1));
  board.flush();
  write_bytes(board.memory(), buffer, bytes_of(1, 9), 5 * 32);
  ASSERT_TRUE(board.persist().ok());
  const std::uint64_t reads = board.store.reads;
  ASSERT_TRUE(board.lose().ok());
  // Two headers, the mark, the metadata, two runs of clean pages, the dirty page with the rest.
  EXPECT_EQ(board.store.reads - reads, 7U);
}

TEST(PageWiseBaseline, PlansRefuseOtherPagesAndLimits) {
  const auto misfit = [](HeapConfig config, std::uint32_t page_bytes) {
    return plan_pages(config, page_bytes, 8192).misfit;
  };
  for (const std::uint32_t page_bytes : {0U, 16U, 33U, 48U, 96U, 1024U}) {
    EXPECT_EQ(misfit(kLarge, page_bytes), Misfit::page_bytes) << page_bytes;
  }
  for (const std::uint32_t page_bytes : {32U, 64U, 128U, 256U, 512U}) {
    EXPECT_EQ(misfit(kLarge, page_bytes), Misfit::none) << page_bytes;
  }
  HeapConfig config = kLarge;
  config.dirty_limit_bytes = kSnapshotFrameBytes + heap::kSavedControlBytes + 1 + 64;
  EXPECT_EQ(misfit(config, 64), Misfit::none);
  --config.dirty_limit_bytes;
  EXPECT_EQ(misfit(config, 64), Misfit::dirty_limit);
  config.dirty_limit_bytes = 0;
  EXPECT_EQ(misfit(config, 64), Misfit::dirty_limit);
  config = kLarge;
  config.store_bytes = 63;
  EXPECT_EQ(misfit(config, 64), Misfit::store);
  config.store_bytes = 200;
  EXPECT_EQ(plan_pages(config, 64, 8192).pages, 3U) << "each page has its home";
}

}  // namespace
}  // namespace brownout::sim::firmware
