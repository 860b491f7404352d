#include "heap/types.hpp"

#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "heap/checksum.hpp"
#include "heap/objects/handle.hpp"
#include "heap/objects/list.hpp"
#include "heap/objects/reference.hpp"

namespace brownout::heap {
namespace {

struct Lender {
  int given_back = 0;
  void give_back(const Lent&) { ++given_back; }
};

// Handles and references have one owner.
template <class T>
constexpr bool kMoveOnly = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                           std::is_nothrow_move_constructible_v<T>;
static_assert(kMoveOnly<Handle> && kMoveOnly<Object<int>> && kMoveOnly<Array<int, 3>> && kMoveOnly<Buffer> &&
              kMoveOnly<List<int>>);
static_assert(kMoveOnly<Reference<Lender, int>> && kMoveOnly<SpanReference<Lender, int>>);
static_assert(!std::is_move_assignable_v<Reference<Lender, int>> &&
              !std::is_move_assignable_v<SpanReference<Lender, int>>);
// Eight bytes, so that they can be parts of objects; they can be moved as bytes.
static_assert(sizeof(Object<int>) == 8 && sizeof(Array<int, 3>) == 8 && sizeof(Buffer) == 8);
static_assert(kRelocatable<Object<int>> && kRelocatable<Array<int, 3>> && kRelocatable<Buffer> &&
              kRelocatable<List<int>> && kRelocatable<int>);
struct HoldsAHandle {
  Object<int> handle;
};
static_assert(!kRelocatable<HoldsAHandle>, "a type of one's own declares it");

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
  EXPECT_EQ(good.error(), Error::none);
  EXPECT_EQ(good.value(), 3);
  const Result<int> bad(Error::no_ram);
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error(), Error::no_ram);
}

// Counts how many of it live and are not empty.
struct Counted {
  explicit Counted(NoValue) {}
  explicit Counted(int& n) : alive(&n) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(std::exchange(other.alive, nullptr)) {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (alive != nullptr) --*alive;
  }
  int* alive = nullptr;
};

TEST(Result, DestroysItsValueOnce) {
  int alive = 0;
  {
    Result<Counted> first{Counted(alive)};
    EXPECT_EQ(alive, 1);
    Result<Counted> moved(std::move(first));
    EXPECT_EQ(alive, 1) << "the one that was moved from lives on, empty";
    const Counted taken = moved.take();
    EXPECT_EQ(alive, 1);
    const Result<Counted> none(Error::empty);
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Reference, GivesItsBorrowBackOnce) {
  Lender lender;
  alignas(8) std::byte data[8] = {};
  {
    Reference<Lender, int> first(lender, Lent{data, 1, 0});
    *first = 7;
    const Reference<Lender, int> second(std::move(first));
    EXPECT_EQ(lender.given_back, 0);
    EXPECT_EQ(*second, 7);
  }
  EXPECT_EQ(lender.given_back, 1);
}

TEST(SpanReference, CoversItsElements) {
  Lender lender;
  alignas(8) std::byte data[16] = {};
  const SpanReference<Lender, std::uint16_t> span(lender, Lent{data, 1, 0}, 2, 3);
  std::uint16_t next = 5;
  for (std::uint16_t& element : span) element = next++;
  EXPECT_EQ(span.size(), 3U);
  EXPECT_EQ(span[2], 7);
  EXPECT_EQ(data[3], std::byte{0});
  EXPECT_EQ(data[4], std::byte{5});
  EXPECT_EQ(data[8], std::byte{7});
  EXPECT_EQ(data[10], std::byte{0});
}

TEST(Handle, MovesLeaveNothingBehind) {
  Object<int> a(64, 4);
  Object<int> b(std::move(a));
  EXPECT_FALSE(a.valid());  // NOLINT(bugprone-use-after-move): that is the point
  EXPECT_EQ(b.home(), 64U);
  a = std::move(b);
  EXPECT_TRUE(a.valid());
  EXPECT_FALSE(b.valid());  // NOLINT(bugprone-use-after-move)
  Object<int>& same = a;
  a = std::move(same);
  EXPECT_TRUE(a.valid()) << "moved to itself";
}

TEST(Handle, KeepsSizeAndDirtinessApart) {
  const Buffer partial(8, 16'376, Dirtiness::partial);
  EXPECT_EQ(partial.size_bytes(), 16'376U);
  EXPECT_TRUE(partial.partial());
  const Buffer whole(8, 16'376);
  EXPECT_EQ(whole.size_bytes(), 16'376U);
  EXPECT_FALSE(whole.partial());
}

}  // namespace
}  // namespace brownout::heap
