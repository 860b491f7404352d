#include "heap/types.hpp"

#include <utility>

#include <gtest/gtest.h>

#include "heap/checksum.hpp"
#include "heap/object.hpp"

namespace brownout::heap {
namespace {

static_assert(!std::is_copy_constructible_v<Object<int>> && std::is_move_constructible_v<Object<int>>);
static_assert(!std::is_copy_constructible_v<Reference<int, int>> &&
              !std::is_move_assignable_v<Reference<int, int>>);

TEST(Checksum, MatchesThePublishedCheckValue) {
  // CRC-32C of "123456789" is E3069283 (RFC 3720, catalogue of CRC algorithms).
  Crc32c crc;
  crc.add(reinterpret_cast<const std::byte*>("123456789"), 9);
  EXPECT_EQ(crc.value(), 0xE3069283U);
  EXPECT_EQ(Crc32c{}.value(), 0U);
}

TEST(Checksum, PiecesAddUpToTheWhole) {
  const auto* text = reinterpret_cast<const std::byte*>("the quick brown fox");
  Crc32c whole;
  whole.add(text, 19);
  Crc32c pieces;
  pieces.add(text, 4);
  pieces.add(text + 4, 0);
  pieces.add(text + 4, 15);
  EXPECT_EQ(pieces.value(), whole.value());
}

TEST(Result, HoldsAValueOrAReason) {
  Result<int> good(3);
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(good.value(), 3);
  const Result<int> bad(Error::no_ram);
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error(), Error::no_ram);
}

TEST(Handle, MovesLeaveNothingBehind) {
  Object<int> a(64, 4);
  Object<int> b(std::move(a));
  EXPECT_FALSE(a.valid());  // NOLINT(bugprone-use-after-move): that is the point
  EXPECT_EQ(b.home(), 64U);
  a = std::move(b);
  EXPECT_TRUE(a.valid());
  EXPECT_FALSE(b.valid());  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace brownout::heap
