// One workload, repeated with an outage at every single place where the persist interrupt can strike: each
// charge and each byte of each transfer, those of repeated transfers included.
#include <stdexcept>

#include <gtest/gtest.h>

#include "test_board.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{
    .ram_bytes = 640, .dirty_limit_bytes = 288, .max_residents = 6, .store_bytes = 0, .os_bytes = 8};

// Allocates, writes, reads, frees, flushes; swaps all the time. Returns what it read, for comparison.
std::vector<std::byte> workload(TestBoard& board) {
  std::vector<std::byte> seen;
  if (!board.heap().format().ok()) throw std::runtime_error("format");
  std::vector<Buffer> buffers;
  for (std::uint32_t i = 0; i < 7; ++i) {
    auto made = board.heap().make_buffer(40 + 8 * (i % 3));
    if (!made.ok()) throw std::runtime_error("make");
    buffers.push_back(made.take());
  }
  for (std::uint32_t i = 0; i < 14; ++i) {
    Buffer& buffer = buffers[(i * 3) % buffers.size()];
    {
      auto held = board.heap().read(buffers[(i * 3 + 1) % buffers.size()]);
      auto ref = board.heap().write(buffer);
      if (!held.ok() || !ref.ok()) throw std::runtime_error("borrow");
      for (std::uint32_t k = 0; k < buffer.size_bytes(); ++k) {
        board.platform.charge(Work::copied_byte, 1);
        ref.value().data()[k] = static_cast<std::byte>(i + k);
      }
      seen.push_back(held.value().data()[1]);
    }
    if (i % 5 == 2) {
      if (!board.heap().free(buffer).ok()) throw std::runtime_error("free");
      auto made = board.heap().make_buffer(48);
      if (!made.ok()) throw std::runtime_error("make again");
      buffer = made.take();
    }
    if (i % 6 == 3 && !board.heap().flush().ok()) throw std::runtime_error("flush");
  }
  for (const Buffer& buffer : buffers) {
    const std::vector<std::byte> bytes = get(board.heap(), buffer);
    seen.insert(seen.end(), bytes.begin(), bytes.end());
  }
  return seen;
}

TEST(OutageEverywhere, TheResultIsThatOfTheControlRun) {
  TestBoard control(kConfig, 2048);
  const std::vector<std::byte> expected = workload(control);
  const std::uint64_t places = control.platform.places;
  ASSERT_GT(places, 2'000U);
  EXPECT_LT(control.platform.critical_places * 10, places) << "critical sections are to stay a small share";
  std::uint64_t happened = 0;
  // Format is not protected: a board without a heap starts over.
  TestBoard formatted(kConfig, 2048);
  ASSERT_TRUE(formatted.heap().format().ok());
  for (std::uint64_t at = formatted.platform.places; at < places; ++at) {
    TestBoard board(kConfig, 2048);
    board.platform.strike_at = at;
    ASSERT_EQ(workload(board), expected) << "outage at place " << at;
    ASSERT_TRUE(board.persist_status.ok() && board.restore_status.ok()) << at;
    happened += board.outages == 1 ? 1 : 0;
  }
  EXPECT_EQ(happened, places - formatted.platform.places);
}

// The same with a second outage some places after the first: in repeated transfers, right after a restore.
TEST(OutageEverywhere, TwiceInARow) {
  TestBoard control(kConfig, 2048);
  const std::vector<std::byte> expected = workload(control);
  const std::uint64_t places = control.platform.places;
  TestBoard formatted(kConfig, 2048);
  ASSERT_TRUE(formatted.heap().format().ok());
  for (std::uint64_t at = formatted.platform.places; at < places; at += 3) {
    TestBoard board(kConfig, 2048);
    board.platform.strike_at = at;
    board.platform.interrupt = [&board, at] {
      board.outage();
      if (board.outages < 3) board.platform.strike_at = board.platform.places + (at % 11);
    };
    ASSERT_EQ(workload(board), expected) << "outages from place " << at;
    ASSERT_TRUE(board.persist_status.ok() && board.restore_status.ok()) << at;
  }
}

}  // namespace
}  // namespace brownout::heap::testing
