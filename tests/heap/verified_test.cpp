// Stores that err, and what is done about it: second passes, retries, and the heap on top of both.
#include "heap/storage/verified.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "heap/bound.hpp"
#include "test_board.hpp"

namespace brownout::heap {
namespace {

using testing::Random;
using testing::TestPlatform;
using testing::TestStore;

using Bytes = std::vector<std::byte>;

// Counts what it is told.
struct Listener : TestPlatform {
  std::map<StorageEvent, std::uint64_t> events;
  void note(StorageEvent event) { ++events[event]; }
};

// A store whose transfers go wrong at will: each asks `fate`.
enum class Fate : std::uint8_t { good, fails, garbled };

class Erring {
 public:
  Erring(TestStore& below, std::uint32_t retries) : below_(below), retries_(retries) {}

  std::function<Fate(bool write)> fate = [](bool) { return Fate::good; };

  [[nodiscard]] std::uint32_t size_bytes() const { return below_.size_bytes(); }
  [[nodiscard]] std::uint32_t retries() const { return retries_; }
  static Status start() { return {}; }
  Status begin_write(std::uint32_t address, OutStream data) {
    at_ = address;
    return begin(true, [&] { return below_.begin_write(address, data); });
  }
  Status begin_read(std::uint32_t address, InStream data) {
    in_ = data;
    return begin(false, [&] { return below_.begin_read(address, {&Erring::next, this}); });
  }
  TransferState poll() {
    const TransferState state = below_.poll();
    if (state != TransferState::done) return state;
    if (fate_ == Fate::fails) return TransferState::failed;
    if (fate_ == Fate::garbled && write_) flip(below_.memory[at_]);
    return state;
  }
  void abort() { below_.abort(); }

 private:
  template <class Begin>
  Status begin(bool write, Begin begin_below) {
    write_ = write;
    fate_ = fate(write);
    first_ = {};
    return begin_below();
  }
  // Another bit each time: the same one in both passes would not be found.
  void flip(std::byte& byte) { byte ^= std::byte{1} << (flipped_++ % 8); }
  // The first byte of a piece, before whoever asked for it sees it: as the next one is asked for.
  static bool next(void* state, MutableBytes& piece) {
    auto& self = *static_cast<Erring*>(state);
    if (self.fate_ == Fate::garbled && self.first_.size > 0) {
      self.flip(self.first_.data[0]);
      self.first_ = {};
    }
    const bool any = self.in_.pull(piece);
    if (any) self.first_ = piece;
    return any;
  }

  TestStore& below_;
  std::uint32_t retries_;
  std::uint32_t flipped_ = 0;
  Fate fate_ = Fate::good;
  bool write_ = false;
  std::uint32_t at_ = 0;
  MutableBytes first_;
  InStream in_;
};

struct Fixture {
  explicit Fixture(Verify verify, std::uint32_t retries = 3)
      : store(platform, 4096), erring(store, retries), verified(erring, platform, verify) {}
  Listener platform;
  TestStore store;
  Erring erring;
  VerifiedStorage<Erring, Listener> verified;

  Status write(std::uint32_t address, const Bytes& bytes) {
    return write_confirmed(verified, platform, address,
                           {bytes.data(), static_cast<std::uint32_t>(bytes.size())});
  }
  Status read(std::uint32_t address, Bytes& bytes) {
    return read_confirmed(verified, platform, address,
                          {bytes.data(), static_cast<std::uint32_t>(bytes.size())});
  }
  // The first `times` transfers of that kind have that fate.
  void first(std::uint32_t times, bool write, Fate wanted) {
    erring.fate = [times, write, wanted](bool is_write) mutable {
      if (is_write != write || times == 0) return Fate::good;
      --times;
      return wanted;
    };
  }
};

TEST(Verified, WithoutItAGarbledWriteIsWhatTheStoreHas) {
  Fixture fixture(Verify::none);
  fixture.first(1, true, Fate::garbled);
  const Bytes bytes = testing::pattern(200, 1);
  EXPECT_TRUE(fixture.write(100, bytes).ok());
  EXPECT_NE(fixture.store.memory[100], bytes[0]);
  EXPECT_EQ(fixture.store.reads, 0U);
  EXPECT_TRUE(fixture.platform.events.empty());
}

TEST(Verified, AGarbledWriteIsWrittenAgain) {
  for (const Verify verify : {Verify::read_back, Verify::read_twice}) {
    Fixture fixture(verify);
    fixture.first(2, true, Fate::garbled);
    const Bytes bytes = testing::pattern(200, 1);
    EXPECT_TRUE(fixture.write(100, bytes).ok());
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), fixture.store.memory.begin() + 100));
    EXPECT_EQ(fixture.store.writes, 3U);
    EXPECT_EQ(fixture.platform.events[StorageEvent::written_differs], 2U);
    EXPECT_EQ(fixture.platform.events[StorageEvent::repeated], 2U);
    EXPECT_EQ(fixture.platform.events[StorageEvent::gave_up], 0U);
  }
}

TEST(Verified, AGarbledReadIsReadAgainOnlyIfAllAreReadTwice) {
  for (const Verify verify : {Verify::none, Verify::read_back, Verify::read_twice}) {
    Fixture fixture(verify);
    const Bytes bytes = testing::pattern(150, 3);
    std::copy(bytes.begin(), bytes.end(), fixture.store.memory.begin() + 7);
    fixture.first(1, false, Fate::garbled);
    Bytes seen(bytes.size());
    EXPECT_TRUE(fixture.read(7, seen).ok());
    EXPECT_EQ(seen == bytes, verify == Verify::read_twice);
    EXPECT_EQ(fixture.platform.events[StorageEvent::reads_differ], verify == Verify::read_twice ? 1U : 0U);
  }
}

// The second pass may be what is garbled: then the first one is not trusted either.
TEST(Verified, AGarbledSecondPassCostsARetry) {
  Fixture fixture(Verify::read_back);
  fixture.first(1, false, Fate::garbled);
  const Bytes bytes = testing::pattern(200, 1);
  EXPECT_TRUE(fixture.write(0, bytes).ok());
  EXPECT_EQ(fixture.store.writes, 2U);
  EXPECT_EQ(fixture.platform.events[StorageEvent::written_differs], 1U);
}

TEST(Verified, OnceTheRetriesAreUsedUpTheErrorIsPassedOn) {
  for (const Fate fate : {Fate::fails, Fate::garbled}) {
    for (const std::uint32_t retries : {0U, 1U, 5U}) {
      Fixture fixture(Verify::read_twice, retries);
      const Bytes bytes = testing::pattern(64, 1);
      fixture.first(retries, true, fate);
      EXPECT_TRUE(fixture.write(0, bytes).ok());
      fixture.first(retries + 1, true, fate);
      EXPECT_EQ(fixture.write(0, bytes).error(), Error::storage_failed);
      EXPECT_EQ(fixture.platform.events[StorageEvent::gave_up], retries > 0 ? 1U : 0U);
      Bytes seen(64);
      fixture.first(1'000, false, fate);
      EXPECT_EQ(fixture.read(0, seen).error(), Error::storage_failed);
    }
  }
}

TEST(Verified, ATransferThatAnOutageInterruptedTakesNoRetry) {
  Fixture fixture(Verify::read_back, 1);
  const Bytes bytes = testing::pattern(300, 5);
  // One failure, and outages wherever they can strike: as one retry is enough, none was spent on an outage.
  for (std::uint64_t place = 0;; ++place) {
    fixture.first(1, true, Fate::fails);
    fixture.platform.places = 0;
    fixture.platform.strike_at = place;
    bool struck = false;
    fixture.platform.interrupt = [&] {
      struck = true;
      fixture.verified.abort();
    };
    ASSERT_TRUE(fixture.write(11, bytes).ok()) << place;
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), fixture.store.memory.begin() + 11)) << place;
    std::fill(fixture.store.memory.begin(), fixture.store.memory.end(), std::byte{0});
    if (!struck) break;
  }
}

// --- the heap on a store that errs -------------------------------------------------------------------

// A heap whose power fails and comes back, on such a store.
struct HeapOnErring {
  using TheHeap = Heap<Listener, VerifiedStorage<Erring, Listener>>;

  HeapOnErring(Verify verify, std::uint32_t retries)
      : store(platform, 8192), erring(store, retries), verified(erring, platform, verify) {
    boot();
    platform.interrupt = [this] { outage(); };
  }
  void boot() { new (memory) TheHeap(reinterpret_cast<std::byte*>(words), config(), verified, platform); }
  TheHeap& heap() { return *std::launder(reinterpret_cast<TheHeap*>(memory)); }
  static HeapConfig config() {
    HeapConfig config;
    config.ram_bytes = sizeof words;
    config.dirty_limit_bytes = sizeof words;
    config.os_bytes = 16;
    return config;
  }
  void outage() {
    persisted = heap().persist({os, 16});
    std::memset(words, 0xA5, sizeof words);
    std::memset(memory, 0x5A, sizeof memory);
    std::memset(os, 0x77, sizeof os);
    verified.abort();
    boot();
    restored = heap().restore({os, 16});
  }

  Listener platform;
  TestStore store;
  Erring erring;
  VerifiedStorage<Erring, Listener> verified;
  std::uint64_t words[64] = {};
  std::byte os[16] = {};
  Status persisted;
  Status restored;
  alignas(TheHeap) std::byte memory[sizeof(TheHeap)];
};

// A transfer in eight goes wrong, in any way, in operations, persists and restores.
TEST(ErringHeap, LosesNothingWithVerificationAndRetries) {
  HeapOnErring board(Verify::read_twice, 20);
  Random random(7);
  board.erring.fate = [&](bool) {
    const std::uint32_t draw = random() % 16;
    return draw == 0 ? Fate::fails : draw == 1 ? Fate::garbled : Fate::good;
  };
  ASSERT_TRUE(board.heap().format().ok());
  std::vector<Buffer> objects;
  std::vector<Bytes> contents;
  for (std::uint32_t i = 0; i < 12; ++i) {
    auto made = board.heap().make_buffer(64);
    ASSERT_TRUE(made.ok());
    objects.push_back(std::move(made.value()));
    contents.push_back(testing::pattern(64, i));
    testing::put(board.heap(), objects.back(), contents.back());
  }
  for (std::uint32_t step = 0; step < 4'000; ++step) {
    const std::uint32_t i = random() % 12;
    board.platform.places = 0;
    board.platform.strike_at = random() % 200;
    ASSERT_EQ(testing::get(board.heap(), objects[i]), contents[i]) << "step " << step;
    contents[i] = testing::pattern(64, random());
    testing::put(board.heap(), objects[i], contents[i]);
    ASSERT_TRUE(board.persisted.ok()) << "step " << step;
    ASSERT_TRUE(board.restored.ok()) << "step " << step << ": " << static_cast<int>(board.restored.error());
  }
  auto& events = board.platform.events;
  EXPECT_GT(events[StorageEvent::written_differs], 500U);
  EXPECT_GT(events[StorageEvent::reads_differ], 500U);
  EXPECT_GT(board.platform.epoch, 1'000U);
  EXPECT_EQ(events[StorageEvent::gave_up], 0U);
}

// Two surveys of headers and marks, then the image. What was read wrong is read once more before it counts as
// torn; without retries it does count as torn.
TEST(ErringHeap, ARestoreReadsAnImageAgainBeforeItIsTorn) {
  constexpr std::uint64_t kReads = 3;
  for (const std::uint32_t retries : {0U, 1U}) {
    for (std::uint64_t bad = 0; bad <= kReads; ++bad) {
      HeapOnErring board(Verify::none, retries);
      ASSERT_TRUE(board.heap().format().ok());
      auto made = board.heap().make_buffer(64);
      ASSERT_TRUE(made.ok());
      testing::put(board.heap(), made.value(), testing::pattern(64, 1));
      ASSERT_TRUE(board.heap().persist({board.os, 16}).ok());
      std::uint64_t seen = 0;
      board.erring.fate = [&](bool) { return seen++ == bad ? Fate::garbled : Fate::good; };
      board.boot();
      const Status restored = board.heap().restore({board.os, 16});
      const bool garbled = bad < kReads;
      EXPECT_EQ(restored.ok(), retries == 1 || !garbled) << "read " << bad;
      EXPECT_EQ(board.platform.events[StorageEvent::image_damaged], garbled ? 1U : 0U) << "read " << bad;
      if (!garbled) {
        EXPECT_EQ(seen, kReads);
      }
    }
  }
}

// The image is torn in the store, which takes as many looks at it as there are retries; a read that fails in
// the last one is repeated all the same. Seen by the fuzzer: the restore said storage_failed.
TEST(ErringHeap, AReadThatFailsInALookAtATornImageIsRepeated) {
  for (std::uint64_t bad = 0; bad < 12; ++bad) {
    HeapOnErring board(Verify::none, 1);
    ASSERT_TRUE(board.heap().format().ok());
    auto made = board.heap().make_buffer(64);
    ASSERT_TRUE(made.ok());
    testing::put(board.heap(), made.value(), testing::pattern(64, 1));
    ASSERT_TRUE(board.heap().persist({board.os, 16}).ok());
    board.store.memory[board.heap().geometry().checkpoint_address(1) + sizeof(CheckpointHeader) + 8] ^=
        std::byte{1};
    std::uint64_t seen = 0;
    board.erring.fate = [&](bool) { return seen++ == bad ? Fate::fails : Fate::good; };
    board.boot();
    EXPECT_EQ(board.heap().restore({board.os, 16}).error(), Error::torn) << "read " << bad;
  }
}

// A persist whose write fails until the retries are used up has failed, and RAM is as before.
TEST(ErringHeap, APersistRepeatsItsWrite) {
  for (const std::uint32_t failures : {1U, 2U, 3U}) {
    HeapOnErring board(Verify::none, 2);
    ASSERT_TRUE(board.heap().format().ok());
    auto made = board.heap().make_buffer(64);
    ASSERT_TRUE(made.ok());
    const Bytes bytes = testing::pattern(64, 1);
    testing::put(board.heap(), made.value(), bytes);
    std::uint32_t left = failures;
    board.erring.fate = [&](bool write) {
      if (!write || left == 0) return Fate::good;
      --left;
      return Fate::fails;
    };
    const Status persisted = board.heap().persist({board.os, 16});
    EXPECT_EQ(persisted.ok(), failures <= 2) << failures;
    EXPECT_EQ(testing::get(board.heap(), made.value()), bytes);
  }
}

// --- the bound ---------------------------------------------------------------------------------------

TEST(StorePolicyBound, CountsAttemptsAndReadBacks) {
  Geometry geometry;
  ASSERT_EQ(Geometry::plan(HeapOnErring::config(), 8192, HeapOnErring::TheHeap::traits(), geometry),
            Error::none);
  const PersistBound plain = worst_case_persist(geometry);
  EXPECT_EQ(plain.attempts, 1U);
  EXPECT_EQ(plain.read_back_bytes, 0U);
  const PersistBound careful = worst_case_persist(geometry, {}, {.retries = 4, .verified = true});
  EXPECT_EQ(careful.attempts, 5U);
  EXPECT_EQ(careful.read_back_bytes, careful.bytes);
  EXPECT_EQ(careful.bytes, plain.bytes);
}

}  // namespace
}  // namespace brownout::heap
