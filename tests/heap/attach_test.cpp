// Roots and attach: a program that starts cold on what another life of it left in the store.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"
#include "heap/objects/list.hpp"

namespace brownout::heap::testing {
namespace {

constexpr std::uint32_t kRoot = root_name("directory");

void must(const Status& status, const char* what) {
  if (!status.ok()) throw std::runtime_error(what + std::to_string(static_cast<int>(status.error())));
}
template <class T>
T must(Result<T> result, const char* what) {
  if (!result.ok()) throw std::runtime_error(what + std::to_string(static_cast<int>(result.error())));
  return result.take();
}

struct Seen {
  Attached attached;
  std::vector<std::uint32_t> in_doubt;
};

// Marks and names, as a program keeps them.
template <class Board>
Seen attach(Board& board, std::vector<std::byte>& marks) {
  board.boot();
  marks.assign(board.heap().marks_bytes(), std::byte{0xFF});
  Seen seen;
  const InDoubt names{[](void* state, std::uint32_t home) {
                        static_cast<std::vector<std::uint32_t>*>(state)->push_back(home);
                      },
                      &seen.in_doubt};
  seen.attached = must(board.heap().attach({marks.data(), static_cast<std::uint32_t>(marks.size())},
                                           {board.os.data(), board.config.os_bytes}, names),
                       "attach ");
  EXPECT_EQ(seen.attached.in_doubt, seen.in_doubt.size());
  return seen;
}
MutableBytes bytes_of(std::vector<std::byte>& marks) {
  return {marks.data(), static_cast<std::uint32_t>(marks.size())};
}

// On a stack that is gone: its destructor never runs.
template <class T>
class Abandoned {
 public:
  explicit Abandoned(T&& value) { ::new (static_cast<void*>(memory_)) T(std::move(value)); }

 private:
  alignas(T) std::byte memory_[sizeof(T)];
};

// ---- Roots

constexpr HeapConfig kConfig{
    .ram_bytes = 1024, .dirty_limit_bytes = 480, .max_residents = 12, .os_bytes = 16};

TEST(Roots, LeadToTheirObjects) {
  TestBoard board(kConfig);
  must(board.heap().format(), "format");
  auto& heap = board.heap();
  EXPECT_EQ(heap.root<std::uint32_t>(kRoot).error(), Error::no_root);
  EXPECT_EQ(heap.clear_root(kRoot).error(), Error::no_root);
  EXPECT_EQ(heap.set_root(kRoot, Handle()).error(), Error::invalid_handle);
  Object<std::uint32_t> object = must(heap.make(std::uint32_t{7}), "make");
  Array<std::uint16_t, 20> array = must(heap.make_array<std::uint16_t, 20>(), "make");
  Buffer buffer = must(heap.make_buffer(33), "make");
  must(heap.set_root(1, object), "root");
  must(heap.set_root(2, array), "root");
  must(heap.set_root(3, buffer), "root");
  EXPECT_EQ(must(heap.root<std::uint32_t>(1), "find").home(), object.home());
  EXPECT_EQ((must(heap.root_array<std::uint16_t, 20>(2), "find").home()), array.home());
  EXPECT_EQ(must(heap.root_buffer(3), "find").size_bytes(), 33U);
  EXPECT_EQ(heap.root<std::uint64_t>(1).error(), Error::invalid_handle) << "of another size";
  EXPECT_EQ((heap.root_array<std::uint16_t, 20>(3).error()), Error::invalid_handle) << "not partly dirty";
  must(heap.set_root(1, buffer), "change");
  EXPECT_EQ(must(heap.root_buffer(1), "find").home(), buffer.home());
  must(heap.clear_root(1), "clear");
  EXPECT_EQ(heap.root_buffer(1).error(), Error::no_root);
  must(heap.set_root(4, object), "root");
  must(heap.set_root(5, object), "root");
  EXPECT_EQ(heap.set_root(6, object).error(), Error::no_root) << "room for four";
  must(heap.set_root(5, array), "an old one can be changed all the same");
}

TEST(Roots, WriteTheObjectHomeFirst) {
  TestBoard board(kConfig);
  must(board.heap().format(), "format");
  Object<std::uint32_t> object = must(board.heap().make(std::uint32_t{0xABCD}), "make");
  {
    const auto writer = must(board.heap().write(object), "write");
    EXPECT_EQ(board.heap().set_root(kRoot, object).error(), Error::borrowed);
    EXPECT_EQ(board.heap().flush(object).error(), Error::borrowed);
  }
  must(board.heap().set_root(kRoot, object), "root");
  std::uint32_t home = 0;
  std::memcpy(&home, board.store.memory.data() + object.home(), sizeof home);
  EXPECT_EQ(home, 0xABCDU);
}

// A cut at any byte of setting or clearing one leaves the root before or the one after.
TEST(Roots, AreCutProof) {
  for (const int change : {0, 1, 2}) {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    for (std::uint64_t cut = 0;; ++cut) {
      TestBoard board(kConfig);
      must(board.heap().format(), "format");
      Buffer first = must(board.heap().make_buffer(16), "make");
      Buffer second = must(board.heap().make_buffer(24), "make");
      must(board.heap().flush(), "flush");
      if (change != 0) must(board.heap().set_root(kRoot, first), "root");
      board.store.throws_when_cut = true;
      board.store.cut_after = board.store.written + cut;
      bool lost = false;
      try {
        must(change == 2 ? board.heap().clear_root(kRoot) : board.heap().set_root(kRoot, second), "change");
      } catch (const PowerLost&) {
        lost = true;
      }
      board.store.cut_after = ~std::uint64_t{0};
      board.poison();
      std::vector<std::byte> marks;
      static_cast<void>(attach(board, marks));
      const Result<Buffer> found = board.heap().root_buffer(kRoot);
      const bool is_old =
          change == 0 ? found.error() == Error::no_root : found.ok() && found.value().size_bytes() == 16;
      const bool is_new =
          change == 2 ? found.error() == Error::no_root : found.ok() && found.value().size_bytes() == 24;
      ASSERT_TRUE(is_old || is_new) << cut;
      (is_old ? before : after) += 1;
      if (!lost) {
        ASSERT_TRUE(is_new);
        break;
      }
    }
    EXPECT_GE(before, change == 2 ? 1U : 8U);
    EXPECT_GE(after, 1U);
  }
}

// ---- Whose store it is

TEST(Attach, TellsWhoseStoreItIs) {
  const auto answer = [](TestBoard& board) {
    std::vector<std::byte> marks(board.heap().marks_bytes());
    return board.heap().attach(bytes_of(marks), {board.os.data(), kConfig.os_bytes}, {}).error();
  };
  TestBoard board(kConfig);
  EXPECT_EQ(answer(board), Error::empty);
  must(board.heap().format(), "format");
  EXPECT_EQ(answer(board), Error::none);
  EXPECT_EQ(board.heap().attach({}, {board.os.data(), kConfig.os_bytes}, {}).error(),
            Error::bad_configuration)
      << "no room for the marks";
  HeapConfig other = kConfig;
  other.max_roots = 3;
  TestBoard stranger(other);
  stranger.store.memory = board.store.memory;
  EXPECT_EQ(answer(stranger), Error::foreign);
  for (std::uint32_t byte = 0; byte < sizeof(Superblock); ++byte) {
    board.store.memory[byte] ^= std::byte{0x10};
    EXPECT_EQ(answer(board), Error::empty) << byte;
    board.store.memory[byte] ^= std::byte{0x10};
  }
}

// A format that was cut at any byte leaves nobody's store.
TEST(Attach, AStoreThatWasCutInFormatIsEmpty) {
  TestBoard probe(kConfig);
  must(probe.heap().format(), "format");
  for (const bool was_used : {false, true}) {
    for (std::uint64_t cut = 0; cut < probe.store.written; ++cut) {
      TestBoard board(kConfig);
      if (was_used) {
        must(board.heap().format(), "format");
        static_cast<void>(must(board.heap().make_buffer(40), "make"));
        board.outage();
      }
      board.store.cut_after = board.store.written + cut;
      board.store.throws_when_cut = true;
      bool lost = false;
      try {
        must(board.heap().format(), "format");
      } catch (const PowerLost&) {
        lost = true;
      }
      ASSERT_TRUE(lost) << cut;
      board.store.cut_after = ~std::uint64_t{0};
      board.poison();
      board.boot();
      std::vector<std::byte> marks(board.heap().marks_bytes());
      const Error found =
          board.heap().attach(bytes_of(marks), {board.os.data(), kConfig.os_bytes}, {}).error();
      const bool untouched = was_used && cut == 0;
      ASSERT_EQ(found, untouched ? Error::none : Error::empty) << cut;
    }
  }
}

// ---- A program whose life is cut anywhere

// Objects in a directory that a root leads to, with the discipline that keeps the store sound at every cut:
// an object goes home before its handle does, and its handle goes before it is freed.
template <class Modules>
class Program {
 public:
  using Board = TestBoardOf<Modules>;
  static constexpr std::uint32_t kEntries = 6;
  static constexpr std::uint32_t kLargest = 90;
  using Version = std::vector<std::byte>;

  static HeapConfig config() {
    return fitted<Modules>({.ram_bytes = 1024,
                            .dirty_limit_bytes = 352,
                            .max_residents = 8,
                            .os_bytes = 8,
                            .write_intents = true},
                           kLargest);
  }
  explicit Program(Board& board) : board_(board), versions_(kEntries), handles_(kEntries) {}

  // A life: everything there is to do, over and over.
  void live(unsigned seed) {
    Random random(seed);
    directory_ = must(heap().make_buffer(kEntries * 8, Dirtiness::partial), "directory ");
    must(heap().set_root(kRoot, directory_), "root ");
    for (std::uint32_t step = 0; step < 40; ++step) {
      const std::uint32_t entry = random() % kEntries;
      const std::uint32_t what = random() % 8;
      if (!handles_[entry].valid()) {
        create(entry, 8 + random() % (kLargest - 8), random() % 2 == 0);
      } else if (what == 0) {
        drop(entry);
      } else if (what < 5) {
        change(entry, random() % 3 == 0);
      } else if (what == 5) {
        must(heap().unload(handles_[entry]), "unload ");
      } else if (what == 6) {
        must(heap().flush(), "flush ");
      } else if (board_outages_) {
        board_.outage();
        must(board_.persist_status, "persist ");
        must(board_.restore_status, "restore ");
      }
      forget_old_versions();
    }
  }
  void with_outages() { board_outages_ = true; }

  // What must hold after the power was cut somewhere in that life, the board booted, and attached to.
  void expect_sound(const Seen& seen, std::vector<std::byte>& marks) {
    const auto doubted = [&](std::uint32_t home) {
      return std::find(seen.in_doubt.begin(), seen.in_doubt.end(), home) != seen.in_doubt.end();
    };
    Result<Buffer> found = heap().root_buffer(kRoot);
    if (!found.ok()) {  // cut before there was one
      ASSERT_EQ(found.error(), Error::no_root);
      ASSERT_TRUE(std::none_of(versions_.begin(), versions_.end(), [](const auto& v) { return !v.empty(); }));
      must(heap().reclaim(bytes_of(marks)), "reclaim ");
      ASSERT_EQ(allocated_entries(board_.store.memory, heap().geometry()), 0U) << "a leak";
      return;
    }
    Buffer directory = found.take();
    must(heap().keep(directory, bytes_of(marks)), "keep ");
    ASSERT_TRUE(heap().is_kept(directory, bytes_of(marks)));
    std::vector<Buffer> kept;
    for (std::uint32_t entry = 0; entry < kEntries; ++entry) {
      std::uint32_t raw[2];
      std::memcpy(raw, must(heap().read(directory), "read ").data() + entry * 8, sizeof raw);
      const Handle handle = Handle::from_raw(raw[0], raw[1]);
      // An entry may be torn only if attach said so.
      const Status status = heap().keep(handle, bytes_of(marks));
      if (!status.ok()) {
        ASSERT_EQ(status.error(), Error::invalid_handle);
        ASSERT_TRUE(raw[0] == 0 || doubted(directory.home())) << "entry " << entry;
        continue;
      }
      kept.emplace_back(handle.home(), handle.size_bytes(),
                        handle.partial() ? Dirtiness::partial : Dirtiness::whole);
      if (doubted(handle.home()) || doubted(directory.home())) continue;
      const Version content = get(heap(), kept.back());
      ASSERT_TRUE(std::find(versions_[entry].begin(), versions_[entry].end(), content) !=
                  versions_[entry].end())
          << "entry " << entry << ": a content that was never written";
      ++compared;
    }
    must(heap().reclaim(bytes_of(marks)), "reclaim ");
    EXPECT_EQ(must(heap().reclaim(bytes_of(marks)), "reclaim "), 0U);
    for (Buffer& buffer : kept) must(heap().free(buffer), "free ");
    must(heap().free(directory), "free ");
    ASSERT_EQ(allocated_entries(board_.store.memory, heap().geometry()), 0U) << "a leak";
    ASSERT_EQ(structure_fault(board_.arena(), Board::Heap::RamAllocator::kPowersOfTwo), "");
  }
  std::uint64_t compared = 0;

 private:
  typename Board::Heap& heap() { return board_.heap(); }

  void create(std::uint32_t entry, std::uint32_t size, bool partial) {
    Buffer made = must(heap().make_buffer(size, partial ? Dirtiness::partial : Dirtiness::whole), "make ");
    const Version content = pattern(size, stamp_++);
    versions_[entry] = {content};
    fill(made, content, 0, size);
    must(heap().flush(made), "flush ");
    set_entry(entry, made);
    handles_[entry] = std::move(made);
  }
  void drop(std::uint32_t entry) {
    set_entry(entry, Handle());
    must(heap().free(handles_[entry]), "free ");
    versions_[entry].clear();
  }
  void change(std::uint32_t entry, bool part) {
    const Buffer& buffer = handles_[entry];
    const std::uint32_t size = buffer.size_bytes();
    if (!buffer.partial()) return part ? change(entry, size / 2, 8) : change(entry, 0, size);
    // A second change before the first is home would make mixtures of the two legal.
    must(heap().flush(buffer), "flush ");
    if (part) return change(entry, size / 2 / 32 * 32, 8);
    // In two pieces, the last one first: they go home from the first one on, and what is between them is none
    // of the versions.
    if (size > 64) change(entry, 64, 8);
    change(entry, 0, 8);
  }
  void change(std::uint32_t entry, std::uint32_t first, std::uint32_t most) {
    const std::uint32_t count = std::min(handles_[entry].size_bytes() - first, most);
    Version content = versions_[entry].back();
    const Version fresh = pattern(count, stamp_++);
    std::copy(fresh.begin(), fresh.end(), content.begin() + first);
    versions_[entry].push_back(content);
    fill(handles_[entry], fresh, first, count);
  }
  void fill(const Buffer& buffer, const Version& bytes, std::uint32_t first, std::uint32_t count) {
    auto ref = must(heap().write(buffer, first, count), "write ");
    std::copy(bytes.begin(), bytes.end(), ref.data());
  }
  void set_entry(std::uint32_t entry, const Handle& handle) {
    {
      auto ref = must(heap().write(directory_, entry * 8, 8), "entry ");
      const std::uint32_t raw[2] = {handle.home(), handle.raw_size()};
      std::memcpy(ref.data(), raw, sizeof raw);
    }
    must(heap().flush(directory_), "flush ");
  }
  // What is at home for certain cannot come back as anything older.
  void forget_old_versions() {
    for (std::uint32_t entry = 0; entry < kEntries; ++entry) {
      if (!handles_[entry].valid()) continue;
      const Version& now = versions_[entry].back();
      if (std::equal(now.begin(), now.end(), board_.store.memory.begin() + handles_[entry].home())) {
        versions_[entry] = {Version(now)};
      }
    }
  }

  Board& board_;
  Buffer directory_;
  std::vector<std::vector<Version>> versions_;
  std::vector<Buffer> handles_;
  std::uint32_t stamp_ = 1;
  bool board_outages_ = false;
};

template <class Modules>
struct AttachOfAnyModules : ::testing::Test {};
TYPED_TEST_SUITE(AttachOfAnyModules, SomeModules, ModuleNames);

// The supply is gone, without a persist, after every byte of everything that a program writes.
TYPED_TEST(AttachOfAnyModules, ALifeCutAtAnyByte) {
  for (const bool with_outages : {false, true}) {
    std::uint64_t in_doubt = 0;
    std::uint64_t from_image = 0;
    std::uint64_t compared = 0;
    std::uint64_t cuts = 0;
    for (std::uint64_t cut = 0;; cut += 1 + cut % 3) {
      typename Program<TypeParam>::Board board(Program<TypeParam>::config(), 6144);
      must(board.heap().format(), "format");
      Program<TypeParam> program(board);
      if (with_outages) program.with_outages();
      board.store.throws_when_cut = true;
      board.store.cut_after = board.store.written + cut;
      bool lost = false;
      try {
        program.live(3);
      } catch (const PowerLost&) {
        lost = true;
      }
      board.store.cut_after = ~std::uint64_t{0};
      board.poison();
      std::vector<std::byte> marks;
      const Seen seen = attach(board, marks);
      in_doubt += seen.in_doubt.size();
      from_image += seen.attached.from_image ? 1 : 0;
      program.expect_sound(seen, marks);
      ASSERT_FALSE(::testing::Test::HasFailure()) << "cut after " << cut;
      compared += program.compared;
      ++cuts;
      if (!lost) break;
    }
    EXPECT_GT(cuts, 500U);
    EXPECT_GT(in_doubt, 200U);
    EXPECT_GT(compared, 1000U);
    if (with_outages) {
      EXPECT_GE(from_image, 5U);
    } else {
      EXPECT_EQ(from_image, 0U);
    }
  }
}

// From a current image: contents are those at the checkpoint, however often attach itself is cut.
TYPED_TEST(AttachOfAnyModules, BringsTheImageHomeAndCanBeCut) {
  using Board = TestBoardOf<TypeParam>;
  const HeapConfig config = fitted<TypeParam>(kConfig, 120);
  const auto load = [](Board& board, std::vector<Buffer>& buffers) {
    must(board.heap().format(), "format");
    for (std::uint32_t i = 0; i < 8; ++i) {
      buffers.push_back(
          must(board.heap().make_buffer(60 + i, i % 3 == 0 ? Dirtiness::partial : Dirtiness::whole), "make"));
      put(board.heap(), buffers.back(), pattern(60 + i, i));
    }
    must(board.heap().flush(), "flush");
    for (const std::uint32_t i : {1U, 3U, 4U}) put(board.heap(), buffers[i], pattern(60 + i, 100 + i));
    for (std::size_t i = 0; i < board.os.size(); ++i) board.os[i] = static_cast<std::byte>(7 * i);
  };
  std::uint64_t bytes = ~std::uint64_t{0};
  std::uint64_t cuts = 0;
  for (std::uint64_t cut = 0; cut <= bytes; ++cut) {
    Board board(config, 8192);
    std::vector<Buffer> buffers;
    load(board, buffers);
    const Abandoned writer(must(board.heap().write(buffers[4]), "write"));
    must(board.persist(), "persist");
    const auto os = board.os;
    board.poison();
    std::vector<std::byte> marks;
    board.store.throws_when_cut = true;
    for (const std::uint64_t first : {cut, cut / 2}) {
      const std::uint64_t before = board.store.written;
      board.store.cut_after = before + first;
      try {
        static_cast<void>(attach(board, marks));
        bytes = board.store.written - before;
      } catch (const PowerLost&) {
        ++cuts;
      }
      board.poison();
    }
    board.store.cut_after = ~std::uint64_t{0};
    const Seen seen = attach(board, marks);
    // Once the mark is written all is home, and homes say the same as the image.
    if (seen.attached.from_image) {
      ASSERT_EQ(seen.in_doubt, std::vector<std::uint32_t>{buffers[4].home()});
      ASSERT_EQ(board.os, os);
    }
    for (std::uint32_t i = 0; i < buffers.size(); ++i) {
      // The one that was being written is as it was at home.
      const bool changed = i == 1 || i == 3;
      ASSERT_EQ(get(board.heap(), buffers[i]), pattern(60 + i, changed ? 100 + i : i))
          << i << ", cut " << cut;
      must(board.heap().keep(buffers[i], bytes_of(marks)), "keep");
    }
    ASSERT_EQ(must(board.heap().reclaim(bytes_of(marks)), "reclaim"), 0U);
    // The program runs on and is saved like any other.
    board.outage();
    must(board.persist_status, "persist");
    must(board.restore_status, "restore");
    for (auto& buffer : buffers) must(board.heap().free(buffer), "free");
    ASSERT_EQ(allocated_entries(board.store.memory, board.heap().geometry()), 0U);
  }
  EXPECT_GT(cuts, 150U);
}

// Power was lost after a byte of the table had crossed a bus that changed it, and before it was written
// again.
TYPED_TEST(AttachOfAnyModules, AWrongByteInTheTableHidesNothing) {
  using Board = TestBoardOf<TypeParam>;
  for (unsigned wrong = 1; wrong < 256; ++wrong) {
    Board board(fitted<TypeParam>(kConfig, 120), 8192);
    must(board.heap().format(), "format");
    std::vector<Buffer> buffers;
    for (std::uint32_t i = 0; i < 8; ++i) buffers.push_back(must(board.heap().make_buffer(40), "make"));
    must(board.heap().flush(), "flush");
    const StorePlan& plan = board.heap().geometry().store;
    const std::uint32_t unit = (buffers[2].home() - plan.first_unit) / plan.unit_bytes;
    board.store.memory[plan.table + (has_bits(plan) ? unit / 8 : unit)] = static_cast<std::byte>(wrong);
    board.poison();
    std::vector<std::byte> marks;
    attach(board, marks);
    std::uint32_t kept = 0;
    for (const std::uint32_t i : {0U, 2U, 4U, 7U})
      kept += board.heap().keep(buffers[i], bytes_of(marks)).ok() ? 1 : 0;
    // Of bits, those of the others may be gone.
    if (!has_bits(plan)) {
      ASSERT_GE(kept, 3U) << wrong;
    }
    must(board.heap().reclaim(bytes_of(marks)), "reclaim");
    ASSERT_EQ(allocated_entries(board.store.memory, board.heap().geometry()), kept) << wrong;
  }
}

// What another life freed, but did not say so to whoever had the handle.
TEST(Attach, AHandleOfWhatWasFreedIsInvalid) {
  TestBoard board(kConfig);
  must(board.heap().format(), "format");
  Buffer freed = must(board.heap().make_buffer(40), "make");
  Buffer kept = must(board.heap().make_buffer(40), "make");
  const Buffer copy(freed.home(), freed.size_bytes());
  const Buffer other_size(kept.home(), 80);
  const Buffer beyond(board.store.size_bytes() + 800, 8);
  const Buffer inside(kept.home() + 8, 8);
  must(board.heap().free(freed), "free");
  board.poison();
  std::vector<std::byte> marks;
  EXPECT_FALSE(attach(board, marks).attached.from_image);
  EXPECT_EQ(board.heap().keep(copy, bytes_of(marks)).error(), Error::invalid_handle);
  EXPECT_EQ(board.heap().keep(other_size, bytes_of(marks)).error(), Error::invalid_handle);
  EXPECT_EQ(board.heap().keep(beyond, bytes_of(marks)).error(), Error::invalid_handle);
  EXPECT_EQ(board.heap().keep(inside, bytes_of(marks)).error(), Error::invalid_handle);
  EXPECT_EQ(board.heap().keep(Buffer(), bytes_of(marks)).error(), Error::invalid_handle);
  EXPECT_TRUE(board.heap().keep(kept, bytes_of(marks)).ok());
  EXPECT_EQ(must(board.heap().reclaim(bytes_of(marks)), "reclaim"), 0U);
}

// A list whose links went home in any order is mended to what can be reached from its first element.
TEST(Attach, ListsAreMended) {
  for (unsigned seed = 1; seed < 60; ++seed) {
    Random random(seed);
    TestBoard board({.ram_bytes = 640, .dirty_limit_bytes = 320, .max_residents = 8, .os_bytes = 0}, 4096);
    must(board.heap().format(), "format");
    List<std::uint32_t> list;
    for (std::uint32_t i = 0; i < 30; ++i) {
      const std::uint32_t what = random() % 4;
      if (what == 0 && !list.empty()) {
        must(list.pop_front(board.heap()), "pop");
      } else if (what == 1) {
        static_cast<void>(must(list.push_front(board.heap(), 1000 + i), "push"));
      } else {
        static_cast<void>(must(list.push_back(board.heap(), 1000 + i), "push"));
      }
      if (random() % 5 == 0) must(board.heap().flush(), "flush");
    }
    board.poison();
    std::vector<std::byte> marks;
    static_cast<void>(attach(board, marks));
    // The list itself was in the OS part, say: it knows of the elements, their homes may not.
    must(list.recover(board.heap(), bytes_of(marks)), "recover");
    static_cast<void>(must(board.heap().reclaim(bytes_of(marks)), "reclaim"));
    std::uint32_t forth = 0;
    must(list.for_each(board.heap(), [&](std::uint32_t) { ++forth; }), "forth");
    EXPECT_EQ(forth, list.size());
    std::uint32_t back = 0;
    for (auto place = list.last(); place.valid() && back <= list.size(); ++back) {
      place = must(list.before(board.heap(), place), "back");
    }
    EXPECT_EQ(back, list.size());
    must(list.clear(board.heap()), "clear");
    EXPECT_EQ(allocated_entries(board.store.memory, board.heap().geometry()), 0U) << seed;
  }
}

}  // namespace
}  // namespace brownout::heap::testing
