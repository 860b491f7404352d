// An attach that is itself cut: what the next one finds, and what it says of it.
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{
    .ram_bytes = 1024, .dirty_limit_bytes = 512, .max_residents = 6, .os_bytes = 8, .write_intents = true};
constexpr std::uint32_t kBytes = 40;
constexpr std::uint32_t kObjects = 3;

struct Names {
  std::vector<std::uint32_t> homes;
  static void add(void* state, std::uint32_t home) { static_cast<Names*>(state)->homes.push_back(home); }
};

// The board after a cut anywhere: nothing is left but the store.
void lose(TestBoard& board) {
  board.store.cut_after = ~std::uint64_t{0};
  board.poison();
  board.store.abort();
  board.boot();
}

Result<Attached> attach(TestBoard& board, Names& names) {
  static std::vector<std::byte> marks;
  marks.assign(board.heap().marks_bytes(), std::byte{0xFF});
  names.homes.clear();
  return board.heap().attach({marks.data(), static_cast<std::uint32_t>(marks.size())},
                             {board.os.data(), kConfig.os_bytes}, {&Names::add, &names});
}

// Three objects that are home, the roots of which are 1 to 3.
std::vector<Buffer> make_objects(TestBoard& board) {
  EXPECT_TRUE(board.heap().format().ok());
  std::vector<Buffer> objects;
  for (std::uint32_t i = 0; i < kObjects; ++i) {
    objects.push_back(board.heap().make_buffer(kBytes).take());
    put(board.heap(), objects[i], pattern(kBytes, i));
    EXPECT_TRUE(board.heap().set_root(i + 1, objects[i]).ok());
  }
  return objects;
}

std::vector<std::byte> content(TestBoard& board, std::uint32_t root) {
  const Buffer buffer = board.heap().root_buffer(root).take();
  return get(board.heap(), buffer);
}

// After an image and a program that ran on, a persist is cut: nothing can be used but what is home. Then the
// attach is cut after each of its bytes, and so is the mark that it writes. The image from before the program
// ran on never comes back.
TEST(AttachCut, AStaleImageNeverComesBack) {
  bool done = false;
  for (std::uint64_t cut = 0; !done; ++cut) {
    TestBoard board(kConfig);
    const std::vector<Buffer> objects = make_objects(board);
    put(board.heap(), objects[0], pattern(kBytes, 50));
    ASSERT_TRUE(board.persist().ok());
    put(board.heap(), objects[0], pattern(kBytes, 60));
    ASSERT_TRUE(board.heap().flush().ok());
    board.store.cut_after = board.store.written + 60;
    static_cast<void>(board.persist());
    lose(board);
    board.store.cut_after = board.store.written + cut;
    const std::uint64_t before = board.store.written;
    Names names;
    ASSERT_TRUE(attach(board, names).ok());
    done = board.store.written - before < cut;
    lose(board);
    const Result<Attached> attached = attach(board, names);
    ASSERT_TRUE(attached.ok());
    EXPECT_FALSE(attached.value().from_image) << "cut after " << cut;
    ASSERT_EQ(content(board, 1), pattern(kBytes, 60)) << "cut after " << cut;
    // And what is saved from now on is current.
    put(board.heap(), objects[1], pattern(kBytes, 70));
    ASSERT_TRUE(board.persist().ok());
    board.poison();
    ASSERT_TRUE(board.restore().ok()) << "cut after " << cut;
    ASSERT_EQ(content(board, 2), pattern(kBytes, 70));
  }
}

// The image has an object that was being written. The first attach names it and is cut; the second one may
// not know of it, but what is home is whole.
TEST(AttachCut, AnObjectThatWasBeingWrittenIsWhole) {
  bool done = false;
  for (std::uint64_t cut = 0; !done; ++cut) {
    TestBoard board(kConfig);
    const std::vector<Buffer> objects = make_objects(board);
    put(board.heap(), objects[1], pattern(kBytes, 50));
    const Lent lent = board.heap().lend_writer(objects[0], 0, kBytes).take();  // never given back
    lent.data[0] = std::byte{0xEE};
    ASSERT_TRUE(board.persist().ok());
    lose(board);
    board.store.cut_after = board.store.written + cut;
    const std::uint64_t before = board.store.written;
    Names names;
    ASSERT_TRUE(attach(board, names).ok());
    ASSERT_EQ(names.homes, std::vector<std::uint32_t>{objects[0].home()});
    done = board.store.written - before < cut;
    lose(board);
    ASSERT_TRUE(attach(board, names).ok());
    ASSERT_EQ(content(board, 1), pattern(kBytes, 0)) << "cut after " << cut;
    ASSERT_EQ(content(board, 2), pattern(kBytes, 50)) << "cut after " << cut;
  }
}

// A torn object is named until it is reclaimed, also by an attach to an image that was made before that.
TEST(AttachCut, WhatIsInDoubtStaysSoInAnImage) {
  TestBoard board(kConfig);
  const std::vector<Buffer> objects = make_objects(board);
  put(board.heap(), objects[0], pattern(kBytes, 50));
  board.store.cut_after = board.store.written + sizeof(WriteIntent) + kBytes / 2;
  static_cast<void>(board.heap().flush());
  lose(board);
  Names names;
  ASSERT_TRUE(attach(board, names).ok());
  ASSERT_EQ(names.homes, std::vector<std::uint32_t>{objects[0].home()});
  ASSERT_TRUE(board.persist().ok());
  lose(board);
  EXPECT_TRUE(attach(board, names).take().from_image);
  ASSERT_EQ(names.homes, std::vector<std::uint32_t>{objects[0].home()});

  std::vector<std::byte> marks(board.heap().marks_bytes());
  const MutableBytes kept{marks.data(), static_cast<std::uint32_t>(marks.size())};
  for (std::uint32_t i = 1; i < kObjects; ++i) ASSERT_TRUE(board.heap().keep(objects[i], kept).ok());
  ASSERT_EQ(board.heap().reclaim(kept).take(), 1U);
  ASSERT_TRUE(board.persist().ok());
  lose(board);
  EXPECT_TRUE(attach(board, names).take().from_image);
  EXPECT_TRUE(names.homes.empty());
}

}  // namespace
}  // namespace brownout::heap::testing
