// The stores of heap/storage/: what every Storage has to do, for each of them and for stacks of them, with
// the persist interrupt at every place that a test can reach; then what each one adds.
#include "heap/storage/storage.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "heap/platform.hpp"
#include "heap/storage/file_storage.hpp"
#include "heap/storage/mapped_fram.hpp"
#include "heap/storage/ram_storage.hpp"
#include "heap/storage/shared.hpp"
#include "heap/storage/sliced.hpp"
#include "heap/storage/slicer.hpp"
#include "heap/storage/truncated.hpp"
#include "heap/storage/verified.hpp"
#include "heap/types.hpp"

namespace brownout::heap {
namespace {

// What the system calls below do, where a test wants them to fail.
struct System {
  std::size_t most_bytes = ~std::size_t{0};  // moved by one call
  int interruptions = 0;                     // calls that a signal cuts short
  int error = 0;                             // errno of every call, if not 0
  int sync_error = 0;
  int truncate_error = 0;
  int moves = 0;
  int syncs = 0;

  bool fails(int code) {
    errno = interruptions > 0 ? EINTR : code;
    if (interruptions > 0) return interruptions-- > 0;
    return code != 0;
  }
};
System the_system;

}  // namespace
}  // namespace brownout::heap

// In place of the C library's.
extern "C" {
ssize_t pread(int fd, void* buf, std::size_t nbytes, off_t offset) {
  auto& system = brownout::heap::the_system;
  ++system.moves;
  if (system.fails(system.error)) return -1;
  return ::syscall(SYS_pread64, fd, buf, std::min(nbytes, system.most_bytes), offset);
}
ssize_t pwrite(int fd, const void* buf, std::size_t n, off_t offset) {
  auto& system = brownout::heap::the_system;
  ++system.moves;
  if (system.fails(system.error)) return -1;
  return ::syscall(SYS_pwrite64, fd, buf, std::min(n, system.most_bytes), offset);
}
int fsync(int fd) {
  auto& system = brownout::heap::the_system;
  ++system.syncs;
  if (system.fails(system.sync_error)) return -1;
  return ::fcntl(fd, F_GETFD) < 0 ? -1 : 0;  // it is counted, and takes no time
}
int ftruncate(int fd, off_t length) noexcept {
  if (brownout::heap::the_system.fails(brownout::heap::the_system.truncate_error)) return -1;
  return static_cast<int>(::syscall(SYS_ftruncate, fd, length));
}
}

namespace brownout::heap {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;

constexpr std::byte kGuard{0xEE};
constexpr std::uint32_t kGuardBytes = 16;

using Bytes = std::vector<std::byte>;

Bytes pattern(std::uint32_t size, std::uint32_t seed) {
  Bytes bytes(size);
  for (std::uint32_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 7 + seed) & 0xFFU);
  return bytes;
}

void put(Bytes& to, std::uint32_t address, const Bytes& bytes) {
  std::copy(bytes.begin(), bytes.end(), to.begin() + address);
}

// The persist interrupt, at one of the places where a test lets it strike. Only the epoch is of use to a
// store.
class Interrupts {
 public:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  std::function<void()> handler;
  std::uint64_t places = 0;
  std::uint64_t strike_at = kNever;
  bool masked = false;

  bool sections_mask = true;  // or critical sections are without effect: a planted error

  void charge(Work, std::uint32_t) { place(); }
  void enter_critical() { depth_ += sections_mask ? 1 : 0; }
  void exit_critical() {
    depth_ -= sections_mask ? 1 : 0;
    if (depth_ > 0 || !pending_) return;
    pending_ = false;
    strike();
  }
  [[nodiscard]] std::uint32_t power_epoch() const { return epoch_; }
  void wait_since_power_on(std::uint32_t) {}

  // In a critical section the interrupt waits for its end.
  void place() {
    if (masked || places++ != strike_at) return;
    if (depth_ > 0) {
      pending_ = true;
    } else {
      strike();
    }
  }
  void strike() {
    masked = true;
    ++epoch_;
    handler();
    masked = false;
  }

 private:
  std::uint32_t epoch_ = 1;
  int depth_ = 0;
  bool pending_ = false;
};
static_assert(Platform<Interrupts>);

// Memory in several pieces, as a stream. The interrupt may strike as a piece is pulled.
template <class Piece>
class Pieces {
 public:
  Pieces(Interrupts& interrupts, std::vector<Piece> pieces)
      : interrupts_(interrupts), pieces_(std::move(pieces)) {}
  // Of `bytes`, by turns of each of these lengths.
  template <class Range>
  Pieces(Interrupts& interrupts, Range& bytes, const std::vector<std::uint32_t>& lengths)
      : interrupts_(interrupts) {
    std::uint32_t begin = 0;
    for (std::size_t i = 0; begin < bytes.size(); ++i) {
      const auto rest = static_cast<std::uint32_t>(bytes.size()) - begin;
      const std::uint32_t size = std::min(rest, lengths[i % lengths.size()]);
      pieces_.push_back({bytes.data() + begin, size});
      begin += size;
    }
  }

  PieceStream<Piece> stream() {
    pulls = 0;
    return {&Pieces::next, this};
  }
  std::uint32_t pulls = 0;
  std::uint32_t strike_at_pull = ~std::uint32_t{0};

 private:
  static bool next(void* state, Piece& piece) {
    auto& self = *static_cast<Pieces*>(state);
    self.interrupts_.place();
    if (self.pulls == self.strike_at_pull) self.interrupts_.strike();
    if (self.pulls++ >= self.pieces_.size()) return false;
    piece = self.pieces_[self.pulls - 1];
    self.interrupts_.place();
    return true;
  }

  Interrupts& interrupts_;
  std::vector<Piece> pieces_;
};
using OutPieces = Pieces<ConstBytes>;
using InPieces = Pieces<MutableBytes>;

const std::vector<std::uint32_t> kScattered = {5, 0, 1, 8};

// The store below, with a place before and after each call.
template <Storage S>
class Places {
 public:
  Places(S& below, Interrupts& interrupts) : below_(below), interrupts_(interrupts) {}
  [[nodiscard]] std::uint32_t size_bytes() const { return below_.size_bytes(); }
  Status start() { return below_.start(); }
  Status begin_write(std::uint32_t address, OutStream data) {
    return between_places([&] { return below_.begin_write(address, data); });
  }
  Status begin_read(std::uint32_t address, InStream data) {
    return between_places([&] { return below_.begin_read(address, data); });
  }
  TransferState poll() {
    return between_places([&] { return below_.poll(); });
  }
  void abort() { below_.abort(); }

 private:
  template <class Call>
  auto between_places(Call call) {
    interrupts_.place();
    const auto result = call();
    interrupts_.place();
    return result;
  }
  S& below_;
  Interrupts& interrupts_;
};

// A folder for one test.
class Folder {
 public:
  Folder() : path_(::testing::TempDir() + "brownout_storage_XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no folder for a test");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file() const { return path_ + "/store"; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What the layers of a stack are built upon; it outlives their boot.
struct Board {
  static constexpr std::uint32_t kStoreBytes = 96;
  Interrupts interrupts;
  Folder folder;
  Bytes memory = Bytes(kGuardBytes + kStoreBytes + kGuardBytes, kGuard);
};

struct Ram {
  explicit Ram(Board& board) : store(board.memory.data() + kGuardBytes, Board::kStoreBytes) {}
  RamStorage store;
};

// Memory of which each access is a place for the interrupt, before it and after it.
class PlacesWindow {
 public:
  PlacesWindow(std::byte* memory, Interrupts& interrupts) : window_(memory), interrupts_(interrupts) {}
  void store(std::uint32_t address, ConstBytes bytes) {
    EXPECT_LE(bytes.size, kBurstBytes);
    each_word(address, bytes, [this](std::uint32_t at, ConstBytes word) {
      stores.push_back({at, interrupts_.power_epoch()});
      window_.store(at, word);
    });
  }
  void load(std::uint32_t address, MutableBytes bytes) {
    EXPECT_LE(bytes.size, kBurstBytes);
    each_word(address, bytes, [this](std::uint32_t at, MutableBytes word) { window_.load(at, word); });
  }

  struct StoredWord {
    std::uint32_t address;
    std::uint32_t epoch;
  };
  std::vector<StoredWord> stores;

 private:
  template <class Bytes, class Move>
  void each_word(std::uint32_t address, Bytes bytes, Move move) {
    for (std::uint32_t i = 0; i < bytes.size;) {
      interrupts_.place();
      const std::uint32_t size = (address + i) % 2 == 0 && i + 2 <= bytes.size ? 2 : 1;
      move(address + i, Bytes{bytes.data + i, size});
      i += size;
      interrupts_.place();
    }
  }

  MemoryWindow window_;
  Interrupts& interrupts_;
};

struct Mapped {
  explicit Mapped(Board& board)
      : window(board.memory.data() + kGuardBytes, board.interrupts),
        store(window, board.interrupts, Board::kStoreBytes) {}
  PlacesWindow window;
  MappedFram<PlacesWindow, Interrupts> store;
};

template <FileStorage::Sync kSync>
struct File {
  explicit File(Board& board) {
    EXPECT_TRUE(store.open(board.folder.file().c_str(), Board::kStoreBytes, kSync).ok());
  }
  FileStorage store;
};

template <class Below, std::uint32_t kSliceBytes>
struct Sliced {
  explicit Sliced(Board& board)
      : below(board), places(below.store, board.interrupts), store(places, kSliceBytes) {}
  using Under = Places<decltype(Below::store)>;
  Below below;
  Under places;
  SlicedStorage<Under> store;
};

template <class Below, std::uint32_t kBase, std::uint32_t kBytes>
struct Truncated {
  explicit Truncated(Board& board)
      : below(board), places(below.store, board.interrupts), store(places, kBase, kBytes) {}
  using Under = Places<decltype(Below::store)>;
  Below below;
  Under places;
  TruncatedStorage<Under> store;
};

template <class Below>
struct Shared {
  explicit Shared(Board& board)
      : below(board), places(below.store, board.interrupts), shared(places), store(shared) {}
  using Under = Places<decltype(Below::store)>;
  Below below;
  Under places;
  SharedStorage<Under> shared;
  typename SharedStorage<Under>::Client store;
};

template <class Below, Verify kVerify>
struct Verified {
  explicit Verified(Board& board)
      : below(board), places(below.store, board.interrupts), store(places, board.interrupts, kVerify) {}
  using Under = Places<decltype(Below::store)>;
  Below below;
  Under places;
  VerifiedStorage<Under, Interrupts> store;
};

using RamClient = SharedStorage<RamStorage>::Client;
static_assert(Storage<RamStorage>);
static_assert(Storage<FileStorage>);
static_assert(Storage<MappedFram<MemoryWindow, Interrupts>>);
static_assert(Storage<SlicedStorage<RamStorage>>);
static_assert(Storage<TruncatedStorage<FileStorage>>);
static_assert(Storage<RamClient>);
static_assert(Storage<VerifiedStorage<RamStorage, Interrupts>>);
static_assert(Storage<SlicedStorage<TruncatedStorage<RamClient>>>);
template <class S>
constexpr bool kStays = !std::is_copy_constructible_v<S> && !std::is_copy_assignable_v<S>;
static_assert(kStays<RamStorage> && kStays<FileStorage> && kStays<MappedFram<MemoryWindow, Interrupts>> &&
              kStays<SlicedStorage<RamStorage>> && kStays<TruncatedStorage<RamStorage>> &&
              kStays<SharedStorage<RamStorage>> && kStays<RamClient>);

template <class Layers>
class StorageContract : public ::testing::Test {
 protected:
  struct Stack {
    explicit Stack(Board& board) : layers(board), top(layers.store, board.interrupts) {}
    Layers layers;
    Places<decltype(Layers::store)> top;
  };

  void SetUp() override { new (stack_) Stack(board); }
  void TearDown() override { stack().~Stack(); }

  Stack& stack() { return *std::launder(reinterpret_cast<Stack*>(stack_)); }
  auto& storage() { return stack().top; }
  std::uint32_t size_bytes() { return storage().size_bytes(); }

  // What a persist does, and a restore after it.
  void save(std::uint32_t address, const Bytes& bytes) {
    storage().abort();
    EXPECT_TRUE(write(address, bytes).ok());
    if (boots) boot();
    Bytes seen(bytes.size());
    EXPECT_TRUE(read(address, seen).ok());
    EXPECT_EQ(seen, bytes);
  }
  // Constructs the stack anew where it was, as boot code does after an outage.
  void boot() {
    stack().~Stack();
    new (stack_) Stack(board);
    EXPECT_TRUE(storage().start().ok());
  }

  Status finish(Status begun) { return begun.ok() ? finish_transfer(storage()) : begun; }
  Status write(std::uint32_t address, const Bytes& bytes) {
    OutPieces pieces(board.interrupts, bytes, kScattered);
    return finish(storage().begin_write(address, pieces.stream()));
  }
  Status read(std::uint32_t address, Bytes& bytes) {
    InPieces pieces(board.interrupts, bytes, {3, 11, 0});
    return finish(storage().begin_read(address, pieces.stream()));
  }
  // All that is in the store.
  Bytes contents() {
    const bool was_masked = board.interrupts.masked;
    board.interrupts.masked = true;
    Bytes bytes(size_bytes());
    EXPECT_TRUE(read(0, bytes).ok());
    board.interrupts.masked = was_masked;
    return bytes;
  }
  Bytes fill(std::uint32_t seed) {
    Bytes bytes = pattern(size_bytes(), seed);
    EXPECT_TRUE(write(0, bytes).ok());
    return bytes;
  }
  void expect_none_in_flight() { EXPECT_EQ(storage().poll(), TransferState::none); }

  // Writes and reads as a heap does, and again after an interrupt. If a transfer is said to be done, then it
  // has moved everything, also if the interrupt struck in the middle of it.
  void write_until_confirmed(std::uint32_t address, const Bytes& bytes) {
    for (bool confirmed = false; !confirmed;) {
      const std::uint32_t epoch = board.interrupts.power_epoch();
      const Status status = write(address, bytes);
      confirmed = board.interrupts.power_epoch() == epoch;
      if (confirmed) {
        EXPECT_TRUE(status.ok());
      }
      if (!status.ok()) continue;
      Bytes expected = contents();
      put(expected, address, bytes);
      EXPECT_EQ(contents(), expected);
    }
  }
  void read_until_confirmed(std::uint32_t address, const Bytes& expected) {
    for (bool confirmed = false; !confirmed;) {
      const std::uint32_t epoch = board.interrupts.power_epoch();
      Bytes bytes(expected.size());
      const Status status = read(address, bytes);
      confirmed = board.interrupts.power_epoch() == epoch;
      if (confirmed) {
        EXPECT_TRUE(status.ok());
      }
      if (status.ok()) {
        EXPECT_EQ(bytes, expected);
      }
    }
  }

  Board board;
  bool boots = false;  // whether the power went after the interrupt

 private:
  alignas(Stack) std::byte stack_[sizeof(Stack)];
};

using SyncedFile = File<FileStorage::Sync::each_write>;
using Stacks = ::testing::Types<
    Ram, File<FileStorage::Sync::never>, SyncedFile, Sliced<Ram, 1>, Sliced<Ram, 4>, Sliced<Ram, 500>,
    Truncated<Ram, 8, 64>, Truncated<Ram, 0, Board::kStoreBytes>, Shared<Ram>, Sliced<SyncedFile, 8>,
    Sliced<Truncated<Ram, 16, 72>, 6>, Truncated<Sliced<Ram, 7>, 9, 64>,
    Truncated<Truncated<Ram, 8, 80>, 8, 60>, Truncated<Shared<Ram>, 24, 64>, Shared<Truncated<Ram, 1, 65>>,
    Sliced<Truncated<Shared<SyncedFile>, 5, 70>, 9>, Shared<Sliced<Shared<Ram>, 5>>, Mapped,
    Sliced<Mapped, 7>, Truncated<Shared<Mapped>, 9, 80>, Verified<Ram, Verify::none>,
    Verified<Ram, Verify::read_back>, Verified<Ram, Verify::read_twice>,
    Verified<Sliced<Ram, 7>, Verify::read_twice>, Sliced<Verified<Ram, Verify::read_back>, 9>,
    Shared<Verified<Truncated<SyncedFile, 5, 80>, Verify::read_twice>>>;

TYPED_TEST_SUITE(StorageContract, Stacks);

TYPED_TEST(StorageContract, WhatIsWrittenIsRead) {
  ASSERT_TRUE(this->storage().start().ok());
  Bytes expected = this->fill(1);
  EXPECT_EQ(this->contents(), expected);
  for (const std::uint32_t address : {0U, 3U, 17U}) {
    const Bytes bytes = pattern(31, 100 + address);
    ASSERT_TRUE(this->write(address, bytes).ok());
    put(expected, address, bytes);
    EXPECT_EQ(this->contents(), expected);
  }
  Bytes some(13);
  ASSERT_TRUE(this->read(29, some).ok());
  EXPECT_EQ(some, Bytes(expected.begin() + 29, expected.begin() + 42));
}

TYPED_TEST(StorageContract, EmptyTransfersMoveNothing) {
  const Bytes expected = this->fill(2);
  const Bytes nothing;
  for (const std::uint32_t address : {0U, 5U, this->size_bytes()}) {
    OutPieces empty_pieces(this->board.interrupts, std::vector<ConstBytes>(3));
    EXPECT_TRUE(this->finish(this->storage().begin_write(address, empty_pieces.stream())).ok());
    EXPECT_TRUE(this->finish(this->storage().begin_write(address, OutStream{})).ok());
    EXPECT_TRUE(this->finish(this->storage().begin_read(address, InStream{})).ok());
    EXPECT_TRUE(this->write(address, nothing).ok());
    this->expect_none_in_flight();
  }
  EXPECT_EQ(this->contents(), expected);
}

TYPED_TEST(StorageContract, TheLastByteIsInReach) {
  Bytes expected = this->fill(3);
  expected.back() = std::byte{0x5A};
  EXPECT_TRUE(this->write(this->size_bytes() - 1, {expected.back()}).ok());
  EXPECT_EQ(this->contents(), expected);
  Bytes last(1);
  EXPECT_TRUE(this->read(this->size_bytes() - 1, last).ok());
  EXPECT_EQ(last[0], expected.back());
}

TYPED_TEST(StorageContract, WhatLeavesTheStoreFails) {
  const Bytes expected = this->fill(4);
  const std::uint32_t size = this->size_bytes();
  for (const std::uint32_t address : {size, size + 1, 0x8000'0000U, 0xFFFF'FFFFU}) {
    EXPECT_FALSE(this->write(address, pattern(1, 9)).ok()) << address;
    this->expect_none_in_flight();
    Bytes bytes(1, kGuard);
    EXPECT_FALSE(this->read(address, bytes).ok()) << address;
    EXPECT_EQ(bytes[0], kGuard);
    this->expect_none_in_flight();
  }
  EXPECT_EQ(this->contents(), expected);
  // One that is inside to begin with: what is inside of it may have been written.
  EXPECT_FALSE(this->write(size - 7, pattern(8, 9)).ok());
  this->expect_none_in_flight();
  Bytes bytes(8);
  EXPECT_FALSE(this->read(size - 7, bytes).ok());
  this->expect_none_in_flight();
  const Bytes after = this->contents();
  EXPECT_TRUE(std::equal(after.begin(), after.end() - 7, expected.begin()));
  const Bytes& memory = this->board.memory;
  EXPECT_LE(std::count_if(memory.begin(), memory.end(), [](std::byte b) { return b != kGuard; }), size);
  EXPECT_THAT(Bytes(memory.begin(), memory.begin() + kGuardBytes), Each(kGuard));
  EXPECT_THAT(Bytes(memory.end() - kGuardBytes, memory.end()), Each(kGuard));
  // The next one is not affected.
  const Bytes again = this->fill(5);
  EXPECT_EQ(this->contents(), again);
}

TYPED_TEST(StorageContract, TheEndIsReportedOnce) {
  this->expect_none_in_flight();
  const Bytes bytes = pattern(20, 6);
  OutPieces pieces(this->board.interrupts, bytes, kScattered);
  ASSERT_TRUE(this->storage().begin_write(4, pieces.stream()).ok());
  TransferState state = TransferState::busy;
  while (state == TransferState::busy) state = this->storage().poll();
  EXPECT_EQ(state, TransferState::done);
  this->expect_none_in_flight();
  this->expect_none_in_flight();
}

TYPED_TEST(StorageContract, BeginTakesUpAndDoesNotPull) {
  const Bytes bytes = pattern(20, 6);
  OutPieces pieces(this->board.interrupts, bytes, kScattered);
  ASSERT_TRUE(this->storage().begin_write(4, pieces.stream()).ok());
  EXPECT_EQ(pieces.pulls, 0U);
}

TYPED_TEST(StorageContract, BeginAbandonsWhatIsInFlight) {
  const Bytes bytes = pattern(20, 7);
  Bytes into(20);
  for (const bool first_writes : {true, false}) {
    for (const bool second_writes : {true, false}) {
      const Bytes before = this->fill(8);
      OutPieces out(this->board.interrupts, bytes, {1});
      InPieces in(this->board.interrupts, into, {1});
      const Status begun = first_writes ? this->storage().begin_write(0, out.stream())
                                        : this->storage().begin_read(0, in.stream());
      ASSERT_TRUE(begun.ok());
      for (int i = 0; i < 4; ++i) ASSERT_EQ(this->storage().poll(), TransferState::busy);
      const std::uint32_t pulls = out.pulls + in.pulls;
      EXPECT_GT(pulls, 0U);
      Bytes second = second_writes ? pattern(9, 9) : Bytes(9);
      EXPECT_TRUE((second_writes ? this->write(30, second) : this->read(30, second)).ok());
      this->expect_none_in_flight();
      EXPECT_EQ(out.pulls + in.pulls, pulls);
      Bytes expected = before;
      put(expected, 30, second);
      const Bytes after = this->contents();
      EXPECT_EQ(Bytes(after.begin() + 20, after.end()), Bytes(expected.begin() + 20, expected.end()));
    }
  }
}

TYPED_TEST(StorageContract, AbortAbandonsWhatIsInFlight) {
  this->storage().abort();
  this->expect_none_in_flight();
  const Bytes expected = this->fill(10);
  const Bytes bytes = pattern(20, 11);
  Bytes into(20);
  OutPieces out(this->board.interrupts, bytes, {1});
  InPieces in(this->board.interrupts, into, {1});
  for (const int polls : {0, 1, 6}) {
    ASSERT_TRUE(this->storage().begin_write(0, out.stream()).ok());
    for (int i = 0; i < polls; ++i) ASSERT_EQ(this->storage().poll(), TransferState::busy);
    this->storage().abort();
    const std::uint32_t out_pulls = out.pulls;
    this->expect_none_in_flight();
    EXPECT_EQ(out.pulls, out_pulls);
    ASSERT_TRUE(this->storage().begin_read(0, in.stream()).ok());
    for (int i = 0; i < polls; ++i) ASSERT_EQ(this->storage().poll(), TransferState::busy);
    this->storage().abort();
    const std::uint32_t in_pulls = in.pulls;
    this->expect_none_in_flight();
    EXPECT_EQ(in.pulls, in_pulls);
    const Bytes after = this->contents();
    EXPECT_EQ(Bytes(after.begin() + 20, after.end()), Bytes(expected.begin() + 20, expected.end()));
  }
}

TYPED_TEST(StorageContract, AnInterruptBetweenBeginAndPollLeavesNone) {
  const Bytes saved = pattern(15, 12);
  this->board.interrupts.handler = [&] { this->save(40, saved); };
  Bytes expected = this->fill(14);
  const Bytes bytes = pattern(20, 13);
  OutPieces out(this->board.interrupts, bytes, kScattered);
  Bytes into(20, kGuard);
  InPieces in(this->board.interrupts, into, kScattered);
  for (const bool booted : {false, true}) {
    this->boots = booted;
    ASSERT_TRUE(this->storage().begin_write(0, out.stream()).ok());
    this->board.interrupts.strike();
    this->expect_none_in_flight();
    ASSERT_TRUE(this->storage().begin_read(0, in.stream()).ok());
    this->board.interrupts.strike();
    this->expect_none_in_flight();
  }
  EXPECT_EQ(out.pulls + in.pulls, 0U);
  put(expected, 40, saved);
  EXPECT_EQ(this->contents(), expected);
}

TYPED_TEST(StorageContract, ThePollThatTheInterruptStrikesSaysNone) {
  const Bytes saved = pattern(15, 15);
  this->board.interrupts.handler = [&] { this->save(40, saved); };
  const Bytes bytes = pattern(20, 16);
  Bytes into(20);
  const std::vector<std::uint32_t> lengths = {1, 4, 2};
  const std::uint32_t pulls = 10;  // 9 pieces and the end
  for (std::uint32_t i = 0; i < 4 * pulls; ++i) {
    this->boots = i % 2 != 0;
    const bool write = i / 2 % 2 != 0;
    OutPieces out(this->board.interrupts, bytes, lengths);
    InPieces in(this->board.interrupts, into, lengths);
    out.strike_at_pull = in.strike_at_pull = i / 4;
    const std::uint32_t epoch = this->board.interrupts.power_epoch();
    const Status begun =
        write ? this->storage().begin_write(0, out.stream()) : this->storage().begin_read(0, in.stream());
    ASSERT_TRUE(begun.ok());
    TransferState state = TransferState::busy;
    while (this->board.interrupts.power_epoch() == epoch && state == TransferState::busy) {
      state = this->storage().poll();
    }
    EXPECT_NE(this->board.interrupts.power_epoch(), epoch);
    EXPECT_EQ(state, TransferState::none) << i;
    this->expect_none_in_flight();
  }
}

TYPED_TEST(StorageContract, TheInterruptMayStrikeAnywhere) {
  const Bytes saved = pattern(15, 17);
  this->board.interrupts.handler = [&] { this->save(40, saved); };
  const Bytes bytes = pattern(23, 18);
  Interrupts& interrupts = this->board.interrupts;
  for (const bool booted : {false, true}) {
    this->boots = booted;
    std::uint32_t struck = 0;
    for (std::uint64_t place = 0;; ++place) {
      interrupts.masked = true;
      Bytes expected = this->fill(static_cast<std::uint32_t>(place));
      interrupts.masked = false;
      interrupts.places = 0;
      interrupts.strike_at = place;
      const std::uint32_t epoch = interrupts.power_epoch();
      this->write_until_confirmed(7, bytes);
      this->read_until_confirmed(7, bytes);
      if (interrupts.power_epoch() == epoch) break;
      ++struck;
      put(expected, 7, bytes);
      put(expected, 40, saved);
      ASSERT_EQ(this->contents(), expected) << place;
    }
    EXPECT_GT(struck, 20U);
    interrupts.strike_at = Interrupts::kNever;
  }
}

// Counts the transfers that reach it. A controller with DMA pulls pieces in the begin already: so does this,
// if it is told to.
class RecordingStore {
 public:
  struct Transfer {
    bool is_write;
    std::uint32_t address;
    std::uint32_t bytes;
    bool operator==(const Transfer&) const = default;
  };

  std::vector<Transfer> transfers;
  std::uint32_t bytes = 1000;
  std::uint32_t starts = 0;
  std::uint32_t polls = 0;
  bool in_flight = false;
  bool pulls_in_begin = false;
  bool pull_again = false;  // after the end
  Status start_status;
  std::size_t refused = ~std::size_t{0};  // number of the transfer that is not taken up
  std::size_t failing = ~std::size_t{0};  // number of the transfer that fails
  std::function<void()> before_begin = [] {};

  [[nodiscard]] std::uint32_t size_bytes() const { return bytes; }
  Status start() {
    ++starts;
    return start_status;
  }
  Status begin_write(std::uint32_t address, OutStream data) {
    before_begin();
    out_ = data;
    return begin({true, address, 0});
  }
  Status begin_read(std::uint32_t address, InStream data) {
    before_begin();
    in_ = data;
    return begin({false, address, 0});
  }
  TransferState poll() {
    if (!in_flight) return TransferState::none;
    ++polls;
    if (pull() || (pull_again && pull())) return TransferState::busy;
    in_flight = false;
    return transfers.size() - 1 == failing ? TransferState::failed : TransferState::done;
  }
  void abort() { in_flight = false; }

 private:
  Status begin(Transfer transfer) {
    transfers.push_back(transfer);
    in_flight = transfers.size() - 1 != refused;
    if (!in_flight) return Error::storage_failed;
    while (pulls_in_begin && pull()) continue;
    return {};
  }
  bool pull() {
    std::uint32_t size = 0;
    if (transfers.back().is_write) {
      ConstBytes piece;
      if (!out_.pull(piece)) return false;
      size = piece.size;
    } else {
      MutableBytes piece;
      if (!in_.pull(piece)) return false;
      size = piece.size;
    }
    transfers.back().bytes += size;
    return true;
  }
  OutStream out_;
  InStream in_;
};
static_assert(Storage<RecordingStore>);

class OverRecordingStore : public ::testing::Test {
 protected:
  // Whether a transfer in pieces goes well.
  template <Storage S>
  Status write(S& storage, std::uint32_t address, std::uint32_t size) {
    const Bytes bytes(size);
    OutPieces pieces(interrupts, bytes, lengths);
    const Status begun = storage.begin_write(address, pieces.stream());
    return begun.ok() ? finish_transfer(storage) : begun;
  }
  template <Storage S>
  Status read(S& storage, std::uint32_t address, std::uint32_t size) {
    Bytes bytes(size);
    InPieces pieces(interrupts, bytes, lengths);
    const Status begun = storage.begin_read(address, pieces.stream());
    return begun.ok() ? finish_transfer(storage) : begun;
  }

  Interrupts interrupts;
  RecordingStore below;
  std::vector<std::uint32_t> lengths = {4, 0, 13, 1};
};

using Transfers = std::vector<RecordingStore::Transfer>;

class SlicedTest : public OverRecordingStore {};

TEST_F(SlicedTest, CutsAtEachMultipleAndPassesTheAddressesOn) {
  for (const std::uint32_t slice : {1U, 3U, 8U, 16U, 17U, 100U}) {
    for (const std::uint32_t size : {1U, 15U, 16U, 17U, 48U}) {
      SlicedStorage sliced(below, slice);
      below.transfers.clear();
      ASSERT_TRUE(write(sliced, 200, size).ok());
      ASSERT_TRUE(read(sliced, 300, size).ok());
      Transfers expected;
      for (const bool is_write : {true, false}) {
        for (std::uint32_t at = 0; at < size; at += slice) {
          expected.push_back({is_write, (is_write ? 200 : 300) + at, std::min(slice, size - at)});
        }
      }
      EXPECT_EQ(below.transfers, expected) << slice << " of " << size;
    }
  }
}

TEST_F(SlicedTest, AnEmptyTransferMakesNone) {
  SlicedStorage sliced(below, 8);
  EXPECT_TRUE(write(sliced, 5, 0).ok());
  EXPECT_TRUE(read(sliced, 5, 0).ok());
  OutPieces empty_pieces(interrupts, std::vector<ConstBytes>(2));
  ASSERT_TRUE(sliced.begin_write(5, empty_pieces.stream()).ok());
  EXPECT_TRUE(finish_transfer(sliced).ok());
  EXPECT_THAT(below.transfers, IsEmpty());
}

TEST_F(SlicedTest, NoSliceFollowsAnError) {
  SlicedStorage sliced(below, 8);
  below.failing = 1;
  EXPECT_EQ(write(sliced, 0, 30).error(), Error::storage_failed);
  EXPECT_EQ(sliced.poll(), TransferState::none);
  EXPECT_EQ(below.transfers, (Transfers{{true, 0, 8}, {true, 8, 8}}));
  below.transfers.clear();
  below.failing = ~std::size_t{0};
  below.refused = 1;
  EXPECT_EQ(read(sliced, 0, 30).error(), Error::storage_failed);
  EXPECT_EQ(sliced.poll(), TransferState::none);
  EXPECT_EQ(below.transfers, (Transfers{{false, 0, 8}, {false, 8, 0}}));
}

TEST_F(SlicedTest, StartRefusesSlicesWithoutBytesAndPassesErrorsOn) {
  SlicedStorage no_bytes(below, 0);
  EXPECT_EQ(no_bytes.start().error(), Error::bad_configuration);
  SlicedStorage sliced(below, 1);
  EXPECT_TRUE(sliced.start().ok());
  below.start_status = Error::wrong_part;
  EXPECT_EQ(sliced.start().error(), Error::wrong_part);
  EXPECT_EQ(sliced.size_bytes(), 1000U);
}

TEST_F(SlicedTest, BeginStopsTheSliceInFlight) {
  SlicedStorage sliced(below, 8);
  const Bytes bytes(30);
  OutPieces pieces(interrupts, bytes, {3});
  ASSERT_TRUE(sliced.begin_write(0, pieces.stream()).ok());
  EXPECT_EQ(sliced.poll(), TransferState::busy);
  EXPECT_TRUE(below.in_flight);
  ASSERT_TRUE(sliced.begin_write(0, OutStream{}).ok());
  EXPECT_FALSE(below.in_flight);
}

// In the moment before a slice begins below, as DMA would send it: it is empty, and it is stopped.
TEST_F(SlicedTest, ASliceThatTheInterruptPrecedesMovesNothing) {
  SlicedStorage sliced(below, 8);
  below.pulls_in_begin = true;
  interrupts.handler = [&] {
    below.before_begin = [] {};
    sliced.abort();
    EXPECT_TRUE(write(sliced, 500, 20).ok());
  };
  for (const std::size_t slice : {0U, 1U, 2U}) {
    for (const bool is_write : {true, false}) {
      below.transfers.clear();
      below.before_begin = [&] {
        if (below.transfers.size() == slice) interrupts.strike();
      };
      EXPECT_FALSE((is_write ? write(sliced, 0, 20) : read(sliced, 0, 20)).ok());
      ASSERT_EQ(below.transfers.size(), slice + 4);
      EXPECT_EQ(below.transfers.back().bytes, 0U);
      EXPECT_FALSE(below.in_flight);
      EXPECT_EQ(sliced.poll(), TransferState::none);
    }
  }
}

class TruncatedTest : public OverRecordingStore {};

TEST_F(TruncatedTest, StartRefusesAPartThatIsNotInside) {
  struct Part {
    std::uint32_t base, size;
    Error expected;
  };
  for (const Part part :
       {Part{0, 1000, Error::none}, Part{999, 1, Error::none}, Part{1000, 0, Error::none},
        Part{0, 1001, Error::bad_configuration}, Part{999, 2, Error::bad_configuration},
        Part{1001, 0, Error::bad_configuration}, Part{16, 0xFFFF'FFF8U, Error::bad_configuration},
        Part{0xFFFF'FFF8U, 16, Error::bad_configuration}}) {
    TruncatedStorage truncated(below, part.base, part.size);
    EXPECT_EQ(truncated.start().error(), part.expected) << part.base << " + " << part.size;
    EXPECT_EQ(truncated.size_bytes(), part.size);
  }
  below.start_status = Error::wrong_part;
  TruncatedStorage truncated(below, 0, 1001);
  EXPECT_EQ(truncated.start().error(), Error::wrong_part);
}

TEST_F(TruncatedTest, ShiftsAddressesByItsBase) {
  TruncatedStorage truncated(below, 100, 50);
  ASSERT_TRUE(write(truncated, 0, 50).ok());
  ASSERT_TRUE(read(truncated, 49, 1).ok());
  ASSERT_TRUE(write(truncated, 50, 0).ok());
  EXPECT_EQ(below.transfers, (Transfers{{true, 100, 50}, {false, 149, 1}, {true, 150, 0}}));
}

TEST_F(TruncatedTest, ABeginBehindItsEndAbandonsAndDoesNotReachTheStoreBelow) {
  TruncatedStorage truncated(below, 100, 50);
  const Bytes bytes(10);
  OutPieces pieces(interrupts, bytes, {3});
  for (const bool is_write : {true, false}) {
    below.transfers.clear();
    ASSERT_TRUE(truncated.begin_write(0, pieces.stream()).ok());
    EXPECT_EQ(truncated.poll(), TransferState::busy);
    const Status begun =
        is_write ? truncated.begin_write(51, OutStream{}) : truncated.begin_read(51, InStream{});
    EXPECT_EQ(begun.error(), Error::storage_failed);
    EXPECT_EQ(truncated.poll(), TransferState::none);
    EXPECT_FALSE(below.in_flight);
    EXPECT_EQ(below.transfers.size(), 1U);
  }
}

TEST_F(TruncatedTest, EndsBeforeThePieceThatLeavesIt) {
  TruncatedStorage truncated(below, 100, 20);
  lengths = {7};
  for (const bool is_write : {true, false}) {
    below.transfers.clear();
    EXPECT_EQ((is_write ? write(truncated, 0, 21) : read(truncated, 0, 21)).error(), Error::storage_failed);
    EXPECT_EQ((is_write ? write(truncated, 0, 500) : read(truncated, 0, 500)).error(), Error::storage_failed);
    EXPECT_EQ((is_write ? write(truncated, 15, 7) : read(truncated, 15, 7)).error(), Error::storage_failed);
    EXPECT_EQ(truncated.poll(), TransferState::none);
    EXPECT_EQ(below.transfers, (Transfers{{is_write, 100, 14}, {is_write, 100, 14}, {is_write, 115, 0}}));
    EXPECT_TRUE((is_write ? write(truncated, 0, 20) : read(truncated, 0, 20)).ok());
  }
}

// A store that pulls on after the end gets nothing, be it small enough or not.
TEST_F(TruncatedTest, NothingFollowsThePieceThatLeavesIt) {
  TruncatedStorage truncated(below, 100, 20);
  const Bytes bytes(31);
  OutPieces pieces(interrupts,
                   std::vector<ConstBytes>{{bytes.data(), 15}, {bytes.data(), 15}, {bytes.data(), 1}});
  ASSERT_TRUE(truncated.begin_write(0, pieces.stream()).ok());
  EXPECT_EQ(truncated.poll(), TransferState::busy);
  below.pull_again = true;
  EXPECT_EQ(truncated.poll(), TransferState::failed);
  EXPECT_EQ(below.transfers, (Transfers{{true, 100, 15}}));
}

TEST_F(TruncatedTest, ErrorsOfTheStoreBelowArePassedOn) {
  TruncatedStorage truncated(below, 100, 20);
  below.failing = 0;
  EXPECT_EQ(write(truncated, 0, 5).error(), Error::storage_failed);
  EXPECT_EQ(truncated.poll(), TransferState::none);
  below.refused = 1;
  EXPECT_EQ(read(truncated, 0, 5).error(), Error::storage_failed);
  EXPECT_EQ(truncated.poll(), TransferState::none);
  EXPECT_EQ(below.transfers.size(), 2U);
}

TEST_F(TruncatedTest, ABeginThatTheInterruptPrecedesMovesNothing) {
  TruncatedStorage truncated(below, 100, 50);
  below.pulls_in_begin = true;
  interrupts.handler = [&] {
    below.before_begin = [] {};
    truncated.abort();
    EXPECT_TRUE(write(truncated, 20, 20).ok());
  };
  for (const bool is_write : {true, false}) {
    below.transfers.clear();
    below.before_begin = [&] { interrupts.strike(); };
    EXPECT_FALSE((is_write ? write(truncated, 0, 20) : read(truncated, 0, 20)).ok());
    EXPECT_EQ(below.transfers, (Transfers{{true, 120, 20}, {is_write, 100, 0}}));
    EXPECT_FALSE(below.in_flight);
  }
}

class SharedTest : public OverRecordingStore {
 protected:
  using Shared = SharedStorage<RecordingStore>;
  SharedTest() : shared(below), a(shared), b(shared) {}
  Shared shared;
  Shared::Client a, b;
};

TEST_F(SharedTest, StartsThePartOnce) {
  EXPECT_TRUE(a.start().ok());
  below.start_status = Error::wrong_part;
  EXPECT_TRUE(b.start().ok());
  EXPECT_TRUE(a.start().ok());
  EXPECT_EQ(below.starts, 1U);

  Shared other(below);
  Shared::Client c(other);
  Shared::Client d(other);
  EXPECT_EQ(c.start().error(), Error::wrong_part);
  below.start_status = {};
  EXPECT_EQ(d.start().error(), Error::wrong_part);
  EXPECT_EQ(below.starts, 2U);
  EXPECT_EQ(d.size_bytes(), 1000U);
}

TEST_F(SharedTest, OnlyTheClientInFlightSeesAndDrives) {
  const Bytes bytes(30);
  OutPieces pieces(interrupts, bytes, {3});
  ASSERT_TRUE(a.begin_write(0, pieces.stream()).ok());
  EXPECT_EQ(b.poll(), TransferState::none);
  EXPECT_EQ(below.polls, 0U);
  EXPECT_EQ(a.poll(), TransferState::busy);
  EXPECT_EQ(b.poll(), TransferState::none);
  EXPECT_TRUE(finish_transfer(a).ok());
  EXPECT_EQ(a.poll(), TransferState::none);
  EXPECT_EQ(below.transfers, (Transfers{{true, 0, 30}}));
}

TEST_F(SharedTest, ABeginAbandonsTheOtherClients) {
  const Bytes bytes(30);
  Bytes into(30);
  OutPieces out(interrupts, bytes, {3});
  InPieces in(interrupts, into, {3});
  ASSERT_TRUE(a.begin_write(0, out.stream()).ok());
  EXPECT_EQ(a.poll(), TransferState::busy);
  ASSERT_TRUE(b.begin_read(50, in.stream()).ok());
  EXPECT_EQ(a.poll(), TransferState::none);
  EXPECT_EQ(b.poll(), TransferState::busy);
  ASSERT_TRUE(a.begin_write(70, out.stream()).ok());
  EXPECT_EQ(b.poll(), TransferState::none);
  EXPECT_TRUE(finish_transfer(a).ok());
  EXPECT_EQ(b.poll(), TransferState::none);
}

TEST_F(SharedTest, ABeginThatIsRefusedAbandonsToo) {
  const Bytes bytes(30);
  for (const bool is_write : {true, false}) {
    OutPieces pieces(interrupts, bytes, {3});
    below.transfers.clear();
    below.refused = 1;
    ASSERT_TRUE(a.begin_write(0, pieces.stream()).ok());
    EXPECT_FALSE((is_write ? b.begin_write(0, OutStream{}) : b.begin_read(0, InStream{})).ok());
    below.in_flight = true;  // of whatever: it is not for these two
    EXPECT_EQ(a.poll(), TransferState::none);
    EXPECT_EQ(b.poll(), TransferState::none);
  }
}

TEST_F(SharedTest, AnyClientStopsWhatIsInFlight) {
  const Bytes bytes(30);
  OutPieces pieces(interrupts, bytes, {3});
  ASSERT_TRUE(a.begin_write(0, pieces.stream()).ok());
  EXPECT_EQ(a.poll(), TransferState::busy);
  b.abort();
  EXPECT_FALSE(below.in_flight);
  below.in_flight = true;  // of whatever: it is not for these two
  EXPECT_EQ(a.poll(), TransferState::none);
  EXPECT_EQ(b.poll(), TransferState::none);
}

TEST_F(SharedTest, ErrorsAreSeenByTheirClientOnly) {
  const Bytes bytes(3);
  OutPieces pieces(interrupts, bytes, {3});
  below.failing = 0;
  ASSERT_TRUE(a.begin_write(0, pieces.stream()).ok());
  EXPECT_EQ(b.poll(), TransferState::none);
  EXPECT_EQ(finish_transfer(a).error(), Error::storage_failed);
  EXPECT_EQ(a.poll(), TransferState::none);
}

// Two heaps in one part, each in its half; the interrupt of one strikes anywhere in what the other does.
TEST(SharedHalves, DoNotTouchEachOther) {
  Interrupts interrupts;
  Bytes memory(80, kGuard);
  RamStorage ram(memory.data() + 8, 64);
  Places places(ram, interrupts);
  SharedStorage shared(places);
  decltype(shared)::Client low_client(shared);
  decltype(shared)::Client high_client(shared);
  TruncatedStorage low(low_client, 0, 32);
  TruncatedStorage high(high_client, 32, 32);
  const Bytes low_bytes = pattern(32, 1);
  const Bytes high_bytes = pattern(32, 2);
  const auto write = [&](auto& half, const Bytes& bytes) {
    OutPieces pieces(interrupts, bytes, kScattered);
    return repeat_until_confirmed(half, interrupts, [&] { return half.begin_write(0, pieces.stream()); });
  };
  interrupts.handler = [&] {
    high.abort();
    EXPECT_TRUE(write(high, high_bytes).ok());
  };
  std::uint32_t struck = 0;
  for (std::uint64_t place = 0;; ++place) {
    std::fill(memory.begin(), memory.end(), kGuard);
    const std::uint32_t epoch = interrupts.power_epoch();
    interrupts.places = 0;
    interrupts.strike_at = place;
    ASSERT_TRUE(write(low, low_bytes).ok());
    if (interrupts.power_epoch() == epoch) break;
    ++struck;
    Bytes expected(80, kGuard);
    put(expected, 8, low_bytes);
    put(expected, 40, high_bytes);
    ASSERT_EQ(memory, expected) << place;
  }
  EXPECT_GT(struck, 20U);
}

// --- FRAM in the address space ---------------------------------------------------------------------------

class MappedFramTest : public ::testing::Test {
 protected:
  using Fram = MappedFram<PlacesWindow, Interrupts>;
  static constexpr std::uint32_t kBytes = 128;

  // A write of 60 B at 7, in pieces, and a persist of 40 B at 80 at one place of it. Words that reach the
  // place of the write after the interrupt, before the write has begun anew: what it wrote blindly.
  std::uint32_t blind_words(std::uint64_t strike_at, bool& struck) {
    Fram fram(window, interrupts, kBytes);
    const Bytes bytes = pattern(60, 3);
    const Bytes saved = pattern(40, 4);
    OutPieces pieces(interrupts, bytes, {21, 1, 18});
    window.stores.clear();
    std::size_t begun_at = 0;
    std::uint32_t begun_epoch = 0;
    std::uint32_t blind = 0;
    interrupts.handler = [&] {
      fram.abort();
      OutPieces image(interrupts, saved, {40});
      EXPECT_TRUE(fram.begin_write(80, image.stream()).ok());
      EXPECT_TRUE(finish_transfer(fram).ok());
      EXPECT_EQ(Bytes(memory.begin() + 80, memory.begin() + 120), saved);
    };
    const auto count_blind = [&] {
      for (std::size_t i = begun_at; i < window.stores.size(); ++i) {
        const auto& word = window.stores[i];
        blind += word.address < 80 && word.epoch != begun_epoch ? 1 : 0;
      }
    };
    interrupts.places = 0;
    interrupts.strike_at = strike_at;
    const std::uint32_t epoch = interrupts.power_epoch();
    for (bool confirmed = false; !confirmed;) {
      begun_at = window.stores.size();
      begun_epoch = interrupts.power_epoch();
      const Status begun = fram.begin_write(7, pieces.stream());
      const Status status = begun.ok() ? finish_transfer(fram) : begun;
      count_blind();
      confirmed = interrupts.power_epoch() == begun_epoch;
      if (confirmed) {
        EXPECT_TRUE(status.ok());
      }
    }
    EXPECT_EQ(Bytes(memory.begin() + 7, memory.begin() + 67), bytes);
    struck = interrupts.power_epoch() != epoch;
    return blind;
  }

  Interrupts interrupts;
  Bytes memory = Bytes(kBytes, kGuard);
  PlacesWindow window{memory.data(), interrupts};
};

// The persist interrupt at each word of a write: not one word of it follows before it has begun anew.
TEST_F(MappedFramTest, AnInterruptedWriteDoesNotGoOnByItself) {
  std::uint64_t place = 0;
  for (bool struck = true; struck; ++place) {
    EXPECT_EQ(blind_words(place, struck), 0U) << place;
  }
  EXPECT_GT(place, 70U);
}

// Planted: a driver whose sections mask nothing.
TEST_F(MappedFramTest, WithoutItsCriticalSectionsItDoes) {
  interrupts.sections_mask = false;
  std::uint32_t blind = 0;
  bool struck = true;
  for (std::uint64_t place = 0; struck; ++place) blind += blind_words(place, struck);
  EXPECT_GT(blind, 30U);
}

TEST_F(MappedFramTest, ABurstIsShortAndEndsAtWholeWords) {
  Fram fram(window, interrupts, kBytes);
  for (const std::uint32_t address : {0U, 1U, 2U, 7U}) {
    for (const std::uint32_t size : {1U, 2U, 15U, 16U, 17U, 40U}) {
      window.stores.clear();
      const Bytes bytes = pattern(size, 1);
      SinglePiece<ConstBytes> piece({bytes.data(), size});
      ASSERT_TRUE(fram.begin_write(address, piece.stream()).ok());
      ASSERT_TRUE(finish_transfer(fram).ok());
      const std::uint32_t odd = address % 2;
      EXPECT_EQ(window.stores.size(), odd + (size - odd + 1) / 2) << size << " at " << address;
      EXPECT_EQ(Bytes(memory.begin() + address, memory.begin() + address + size), bytes);
    }
  }
}

TEST_F(MappedFramTest, TheWindowOfABoardCopiesWhateverTheAlignment) {
  MemoryWindow plain(memory.data());
  alignas(2) std::byte ram[40];
  for (const std::uint32_t to : {0U, 1U, 6U}) {
    for (const std::uint32_t from : {0U, 1U}) {
      for (std::uint32_t size = 0; size <= kBurstBytes; ++size) {
        std::fill(memory.begin(), memory.end(), kGuard);
        const Bytes bytes = pattern(size, to + from + size);
        std::copy(bytes.begin(), bytes.end(), ram + from);
        plain.store(to, {ram + from, size});
        EXPECT_EQ(Bytes(memory.begin() + to, memory.begin() + to + size), bytes);
        EXPECT_EQ(std::count(memory.begin(), memory.end(), kGuard), kBytes - size) << "nothing beside it";
        std::fill(std::begin(ram), std::end(ram), kGuard);
        plain.load(to, {ram + from, size});
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), ram + from));
        EXPECT_EQ(ram[from + size], kGuard);
      }
    }
  }
}

TEST_F(MappedFramTest, OverTheWindowOfABoardItIsAStorage) {
  MemoryWindow plain(memory.data());
  MappedFram fram(plain, interrupts, kBytes);
  ASSERT_TRUE(fram.start().ok());
  EXPECT_EQ(fram.size_bytes(), kBytes);
  const Bytes bytes = pattern(100, 1);
  EXPECT_TRUE(write_confirmed(fram, interrupts, 11, {bytes.data(), 100}).ok());
  Bytes seen(100);
  EXPECT_TRUE(read_confirmed(fram, interrupts, 11, {seen.data(), 100}).ok());
  EXPECT_EQ(seen, bytes);
}

class FileStorageTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kBytes = 64;
  static constexpr auto kNever = FileStorage::Sync::never;
  static constexpr auto kEachWrite = FileStorage::Sync::each_write;

  // Whoever ran before in this process has used the system, too.
  void SetUp() override { the_system = {}; }
  void TearDown() override { the_system = {}; }

  // As one piece.
  static Status write(FileStorage& storage, std::uint32_t address, const Bytes& bytes) {
    SinglePiece<ConstBytes> piece({bytes.data(), static_cast<std::uint32_t>(bytes.size())});
    const Status begun = storage.begin_write(address, piece.stream());
    return begun.ok() ? finish_transfer(storage) : begun;
  }
  static Status read(FileStorage& storage, std::uint32_t address, Bytes& bytes) {
    SinglePiece<MutableBytes> piece({bytes.data(), static_cast<std::uint32_t>(bytes.size())});
    const Status begun = storage.begin_read(address, piece.stream());
    return begun.ok() ? finish_transfer(storage) : begun;
  }
  void make_file(std::size_t size) const { std::ofstream(path) << std::string(size, 'x'); }
  static std::size_t open_files() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  Folder folder;
  std::string path = folder.file();
};

TEST_F(FileStorageTest, MakesAFileOfZeros) {
  FileStorage storage;
  EXPECT_EQ(storage.size_bytes(), 0U);
  ASSERT_TRUE(storage.open(path.c_str(), kBytes, kNever).ok());
  EXPECT_TRUE(storage.start().ok());
  EXPECT_EQ(storage.size_bytes(), kBytes);
  EXPECT_EQ(std::filesystem::file_size(path), kBytes);
  Bytes bytes(kBytes, kGuard);
  ASSERT_TRUE(read(storage, 0, bytes).ok());
  EXPECT_THAT(bytes, Each(std::byte{0}));
}

TEST_F(FileStorageTest, KeepsWhatIsWritten) {
  const Bytes expected = pattern(kBytes, 1);
  for (const auto sync : {kNever, kEachWrite}) {
    {
      FileStorage storage;
      ASSERT_TRUE(storage.open(path.c_str(), kBytes, sync).ok());
      ASSERT_TRUE(write(storage, 0, expected).ok());
    }
    FileStorage storage;
    ASSERT_TRUE(storage.open(path.c_str(), kBytes, sync).ok());
    Bytes bytes(kBytes);
    ASSERT_TRUE(read(storage, 0, bytes).ok());
    EXPECT_EQ(bytes, expected);
  }
}

TEST_F(FileStorageTest, RefusesAFileOfAnotherSizeAndLeavesItAlone) {
  for (const std::size_t size : {0U, 63U, 65U, 1000U}) {
    make_file(size);
    FileStorage storage;
    EXPECT_EQ(storage.open(path.c_str(), kBytes, kNever).error(), Error::wrong_part);
    EXPECT_EQ(storage.start().error(), Error::storage_failed);
    EXPECT_EQ(storage.size_bytes(), 0U);
    EXPECT_EQ(std::filesystem::file_size(path), size);
  }
}

TEST_F(FileStorageTest, RefusesAPathThatTheSystemRefuses) {
  FileStorage storage;
  EXPECT_EQ(storage.open((path + "/in/no/folder").c_str(), kBytes, kNever).error(), Error::storage_failed);
  EXPECT_EQ(storage.open(folder.path().c_str(), kBytes, kNever).error(), Error::storage_failed);
  EXPECT_EQ(storage.open("", kBytes, kNever).error(), Error::storage_failed);
  EXPECT_EQ(storage.start().error(), Error::storage_failed);
}

TEST_F(FileStorageTest, AFileThatCannotBeMadeIsNotLeftBehind) {
  FileStorage storage;
  the_system.truncate_error = ENOSPC;
  EXPECT_EQ(storage.open(path.c_str(), kBytes, kNever).error(), Error::storage_failed);
  EXPECT_FALSE(std::filesystem::exists(path));
  the_system = {};
  the_system.interruptions = 2;
  EXPECT_TRUE(storage.open(path.c_str(), kBytes, kNever).ok());
}

TEST_F(FileStorageTest, WithoutAFileEveryTransferFails) {
  FileStorage storage;
  Bytes bytes(1);
  EXPECT_EQ(storage.poll(), TransferState::none);
  EXPECT_EQ(write(storage, 0, bytes).error(), Error::storage_failed);
  EXPECT_EQ(read(storage, 0, bytes).error(), Error::storage_failed);
  EXPECT_EQ(storage.poll(), TransferState::none);
  EXPECT_EQ(the_system.moves, 0);
}

TEST_F(FileStorageTest, ClosesItsFile) {
  const std::size_t before = open_files();
  {
    FileStorage storage;
    ASSERT_TRUE(storage.open(path.c_str(), kBytes, kNever).ok());
    ASSERT_TRUE(storage.open(path.c_str(), kBytes, kNever).ok());
    EXPECT_EQ(open_files(), before + 1);
    EXPECT_EQ(storage.open(path.c_str(), kBytes + 1, kNever).error(), Error::wrong_part);
    EXPECT_EQ(open_files(), before);
    EXPECT_EQ(storage.start().error(), Error::storage_failed);
    EXPECT_EQ(storage.size_bytes(), 0U);
    ASSERT_TRUE(storage.open(path.c_str(), kBytes, kNever).ok());
  }
  EXPECT_EQ(open_files(), before);
}

TEST_F(FileStorageTest, OpenAbandonsWhatIsInFlight) {
  FileStorage storage;
  ASSERT_TRUE(storage.open(path.c_str(), kBytes, kNever).ok());
  ASSERT_TRUE(storage.begin_write(0, OutStream{}).ok());
  ASSERT_TRUE(storage.open(path.c_str(), kBytes, kNever).ok());
  EXPECT_EQ(storage.poll(), TransferState::none);
}

TEST_F(FileStorageTest, GoesOnAfterShortCallsAndSignals) {
  FileStorage storage;
  ASSERT_TRUE(storage.open(path.c_str(), kBytes, kEachWrite).ok());
  const Bytes expected = pattern(kBytes, 2);
  the_system.most_bytes = 10;
  the_system.interruptions = 3;
  ASSERT_TRUE(write(storage, 0, expected).ok());
  EXPECT_EQ(the_system.moves, 3 + 7);
  Bytes bytes(kBytes);
  the_system.interruptions = 2;
  ASSERT_TRUE(read(storage, 0, bytes).ok());
  EXPECT_EQ(the_system.moves, 3 + 7 + 2 + 7);
  EXPECT_EQ(bytes, expected);
  // In the fsync too.
  ASSERT_TRUE(storage.begin_write(0, OutStream{}).ok());
  the_system.syncs = 0;
  the_system.interruptions = 2;
  EXPECT_TRUE(finish_transfer(storage).ok());
  EXPECT_EQ(the_system.syncs, 3);
}

TEST_F(FileStorageTest, AnErrorOfTheSystemFails) {
  FileStorage storage;
  ASSERT_TRUE(storage.open(path.c_str(), kBytes, kEachWrite).ok());
  Bytes bytes(kBytes);
  for (const int error : {EIO, EROFS, ENOSPC, EBADF}) {
    the_system.error = error;
    EXPECT_EQ(write(storage, 0, bytes).error(), Error::storage_failed);
    EXPECT_EQ(storage.poll(), TransferState::none);
    EXPECT_EQ(read(storage, 0, bytes).error(), Error::storage_failed);
    EXPECT_EQ(storage.poll(), TransferState::none);
  }
  the_system.error = 0;
  EXPECT_TRUE(write(storage, 0, bytes).ok());
  the_system.sync_error = EIO;
  EXPECT_EQ(write(storage, 0, bytes).error(), Error::storage_failed);
  EXPECT_EQ(storage.poll(), TransferState::none);
  EXPECT_TRUE(read(storage, 0, bytes).ok());
}

TEST_F(FileStorageTest, AFileThatBecameShorterFails) {
  FileStorage storage;
  ASSERT_TRUE(storage.open(path.c_str(), kBytes, kNever).ok());
  std::filesystem::resize_file(path, 10);
  Bytes bytes(20);
  EXPECT_EQ(read(storage, 0, bytes).error(), Error::storage_failed);
}

TEST_F(FileStorageTest, SyncsAtTheEndOfEachWriteOnly) {
  for (const auto sync : {kNever, kEachWrite}) {
    FileStorage storage;
    ASSERT_TRUE(storage.open(path.c_str(), kBytes, sync).ok());
    const int expected = sync == kEachWrite ? 1 : 0;
    the_system = {};
    Bytes bytes(8);
    ASSERT_TRUE(read(storage, 0, bytes).ok());
    EXPECT_EQ(the_system.syncs, 0);
    SinglePiece<ConstBytes> piece({bytes.data(), 8});
    ASSERT_TRUE(storage.begin_write(0, piece.stream()).ok());
    EXPECT_EQ(storage.poll(), TransferState::busy);
    EXPECT_EQ(the_system.syncs, 0);
    EXPECT_EQ(storage.poll(), TransferState::done);
    EXPECT_EQ(the_system.syncs, expected);
    EXPECT_EQ(write(storage, kBytes, bytes).error(), Error::storage_failed);
    EXPECT_EQ(the_system.syncs, expected);
  }
}

}  // namespace
}  // namespace brownout::heap
