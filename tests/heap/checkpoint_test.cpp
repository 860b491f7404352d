// Persist and restore: cut at every byte, every bit flipped, two places in turn, the mark, errors.
#include <cstring>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "all_modules.hpp"
#include "checked_board.hpp"
#include "heap/checksum.hpp"

namespace brownout::heap::testing {
namespace {

constexpr HeapConfig kConfig{
    .ram_bytes = 1024, .dirty_limit_bytes = 464, .max_residents = 12, .store_bytes = 0, .os_bytes = 24};

// A board with dirty, partially dirty, clean, recorded, borrowed and swapped-out objects.
template <class Modules>
struct LoadedWith {
  explicit LoadedWith(const HeapConfig& config = fitted<Modules>(kConfig, 152)) : board(config, 8192) {
    if (!board.heap().format().ok()) throw std::runtime_error("format");
    for (std::uint32_t i = 0; i < 14; ++i) {
      buffers.push_back(board.heap().make_buffer(60).take());
      put(board.heap(), buffers.back(), pattern(60, i));
      if (i % 3 == 0) static_cast<void>(get(board.heap(), buffers[i / 2]));
    }
    partial = board.heap().make_buffer(150, Dirtiness::partial).take();
    board.partial_sizes[partial.home()] = 150;
    put(board.heap(), partial, pattern(150, 50));
    if (!board.heap().flush().ok()) throw std::runtime_error("flush");
    for (const std::uint32_t at : {3U, 70U, 149U}) {
      board.heap().write(partial, at, 1).take()[0] = pattern(150, 50)[at];
    }
    for (const std::uint32_t i : {0U, 9U, 5U}) put(board.heap(), buffers[i], pattern(60, i));
    static_cast<void>(get(board.heap(), buffers[1]));
    for (std::size_t i = 0; i < board.os.size(); ++i) board.os[i] = static_cast<std::byte>(0xC0 + i);
  }
  // Two of the objects may have been changed since.
  void expect_contents(std::uint32_t changed_by = 0) {
    for (std::uint32_t i = 0; i < buffers.size(); ++i)
      ASSERT_EQ(get(board.heap(), buffers[i]), pattern(60, i == 0 || i == 5 ? i + changed_by : i)) << i;
    ASSERT_EQ(get(board.heap(), partial), pattern(150, 50));
  }
  std::vector<std::byte> live() {
    return live_ram<typename Modules::Slot>(board.ram_copy(), board.heap().geometry(), board.partial_sizes);
  }
  // Persists and gives the bytes that it wrote.
  std::uint32_t persist() {
    const std::uint64_t before = board.store.written;
    if (!board.persist().ok()) throw std::runtime_error("persist");
    return static_cast<std::uint32_t>(board.store.written - before);
  }
  // Makes something dirty and writes something home: the program runs on.
  void run_on() {
    put(board.heap(), buffers[3], pattern(60, 3));
    ASSERT_TRUE(board.heap().flush().ok());
    put(board.heap(), buffers[5], pattern(60, 5));
  }

  CheckedBoard<Modules> board;
  std::vector<Buffer> buffers;
  Buffer partial;
};
using Loaded = LoadedWith<DefaultModules>;

template <class Modules>
struct CheckpointOfAnyModules : ::testing::Test {};
TYPED_TEST_SUITE(CheckpointOfAnyModules, SomeModules, ModuleNames);

// The other tests are about a board on which there is something of everything.
TYPED_TEST(CheckpointOfAnyModules, TheBoardHasSomethingOfEverything) {
  LoadedWith<TypeParam> loaded;
  const auto arena = loaded.board.arena();
  const auto count = [&](auto is) {
    int n = 0;
    for (std::uint32_t i = 0; i < arena.slots(); ++i) n += arena.slot(i).used() && is(arena.slot(i)) ? 1 : 0;
    return n;
  };
  EXPECT_GE(count([](const auto& slot) { return slot.dirty() && !slot.partial(); }), 2);
  EXPECT_GE(count([](const auto& slot) { return slot.dirty() && slot.partial(); }), 1);
  EXPECT_GE(count([](const auto& slot) { return !slot.dirty(); }), 2);
  EXPECT_LT(count([](const auto&) { return true; }), 15);
  if (TypeParam::Slot::kRecords) {
    EXPECT_GE(count([](const auto& slot) { return slot.record() == Record::same; }), 1);
    EXPECT_GE(count([](const auto& slot) { return slot.is_at_rest(); }), 1);
  }
}

TYPED_TEST(CheckpointOfAnyModules, RestoresRamAndOsPart) {
  LoadedWith<TypeParam> loaded;
  const std::vector<std::byte> os = loaded.board.os;
  auto held = loaded.board.heap().read(loaded.buffers[2]).take();
  auto written = loaded.board.heap().write(loaded.buffers[4]).take();
  written[0] = std::byte{99};
  loaded.board.checked_outage();
  EXPECT_EQ(loaded.board.fault, "");
  EXPECT_EQ(loaded.board.os, os);
  EXPECT_EQ(written[0], std::byte{99});
  EXPECT_EQ(std::memcmp(held.data(), pattern(60, 2).data(), 60), 0);
  written[0] = pattern(60, 4)[0];
  EXPECT_EQ(loaded.board.heap().read(loaded.buffers[4]).error(), Error::borrowed);
}

TYPED_TEST(CheckpointOfAnyModules, IsOneBurstThatKeepsToTheLimit) {
  LoadedWith<TypeParam> loaded;
  const std::uint64_t writes = loaded.board.store.writes;
  const std::uint64_t reads = loaded.board.store.reads;
  const std::uint32_t promised = loaded.board.heap().checkpoint_bytes();
  EXPECT_EQ(loaded.persist(), promised + kConfig.os_bytes);
  EXPECT_EQ(loaded.board.store.writes, writes + 1);
  EXPECT_EQ(loaded.board.store.reads, reads);
  EXPECT_LE(promised, kConfig.dirty_limit_bytes);
  EXPECT_GT(promised, kConfig.dirty_limit_bytes / 2) << "hardly anything was dirty: the test shows nothing";
}

// What happened before the persist that is cut.
enum class Before : std::uint8_t {
  nothing,
  one_image,
  two_images,
  ran_on,
  ran_on_twice,
  false_alarm,
  wrap_around
};

template <class Modules>
void prepare(LoadedWith<Modules>& loaded, Before before) {
  // They are dirty already: nothing has to be written home for it.
  const auto change = [&] {
    for (const std::uint32_t i : {0U, 5U}) put(loaded.board.heap(), loaded.buffers[i], pattern(60, i + 1));
  };
  const auto outage = [&] {
    loaded.board.outage();
    if (!loaded.board.persist_status.ok() || !loaded.board.restore_status.ok())
      throw std::runtime_error("outage");
  };
  switch (before) {
    case Before::nothing: return;
    case Before::wrap_around:
      loaded.board.arena().control().sequence = 0xFFFF'FFFEU;
      outage();
      return change();
    case Before::two_images: outage(); [[fallthrough]];
    case Before::one_image: outage(); return change();
    case Before::ran_on_twice:
      outage();
      loaded.run_on();
      [[fallthrough]];
    case Before::ran_on: outage(); return loaded.run_on();
    case Before::false_alarm:  // resumed without a boot
      if (!loaded.board.persist().ok()) throw std::runtime_error("persist");
      return loaded.run_on();
  }
}

// Cut after each byte: whole if and only if the slot's bytes are those of the complete image. Else it is torn
// if nothing was written since the image before, which then brings back what it saved; stale if something
// was.
TYPED_TEST(CheckpointOfAnyModules, CutAtAnyByteIsTornOrStaleOrWhole) {
  for (const Before before : {Before::nothing, Before::one_image, Before::two_images, Before::ran_on,
                              Before::ran_on_twice, Before::false_alarm, Before::wrap_around}) {
    const bool ran_on =
        before == Before::ran_on || before == Before::ran_on_twice || before == Before::false_alarm;
    LoadedWith<TypeParam> complete;
    prepare(complete, before);
    const std::uint32_t image = complete.persist();
    std::uint64_t whole = 0;
    std::uint64_t cut_short = 0;
    for (std::uint32_t cut = 0; cut <= image; ++cut) {
      LoadedWith<TypeParam> loaded;
      prepare(loaded, before);
      const std::vector<std::byte> untouched = loaded.board.store.memory;
      loaded.board.store.written = 0;
      loaded.board.store.cut_after = cut;
      ASSERT_TRUE(loaded.board.persist().ok());
      loaded.board.store.cut_after = ~std::uint64_t{0};
      // The byte that is missing may be there by chance.
      const bool equals_whole = loaded.board.store.memory == complete.board.store.memory;
      const bool unchanged = loaded.board.store.memory == untouched;
      loaded.board.poison();
      const Error answer = loaded.board.restore().error();
      ASSERT_EQ(answer == Error::none, equals_whole || (unchanged && !ran_on && before != Before::nothing))
          << "cut after " << cut << " of " << image << ", case " << static_cast<int>(before);
      if (answer == Error::none) {
        ++whole;
        loaded.expect_contents(unchanged || ran_on || before == Before::nothing ? 0 : 1);
        continue;
      }
      ++cut_short;
      const Error at_first = unchanged ? Error::empty : Error::torn;
      ASSERT_EQ(answer, ran_on ? Error::stale : before == Before::nothing ? at_first : Error::torn) << cut;
      loaded.board.poison();
      loaded.board.boot();
      const Error older =
          loaded.board.heap().restore_older({loaded.board.os.data(), kConfig.os_bytes}).error();
      if (before == Before::nothing) {
        ASSERT_EQ(older, Error::empty) << cut;
      } else if (ran_on) {
        ASSERT_TRUE(older == Error::stale || older == Error::empty) << cut;
      } else {
        ASSERT_EQ(older, Error::none) << cut;
        loaded.expect_contents();
      }
    }
    EXPECT_GE(whole, 1U);
    EXPECT_GT(cut_short, 150U);
  }
}

TYPED_TEST(CheckpointOfAnyModules, EveryFlippedBitIsRecognised) {
  LoadedWith<TypeParam> loaded;
  const std::uint32_t image = loaded.persist();
  const std::uint32_t base = loaded.board.heap().geometry().checkpoint_address(1);
  for (std::uint32_t bit = 0; bit < image * 8; ++bit) {
    loaded.board.store.memory[base + bit / 8] ^= std::byte{1} << (bit % 8);
    loaded.board.poison();
    const Status status = loaded.board.restore();
    ASSERT_TRUE(status.error() == Error::torn || status.error() == Error::foreign) << "bit " << bit;
    loaded.board.store.memory[base + bit / 8] ^= std::byte{1} << (bit % 8);
  }
  loaded.board.poison();
  EXPECT_TRUE(loaded.board.restore().ok());
  loaded.expect_contents();
}

// An error at any poll of a restore, another one at some poll of the next: the third brings everything back.
TYPED_TEST(CheckpointOfAnyModules, RestoreWritesNothingAndCanBeCutTwiceAndRepeated) {
  LoadedWith<TypeParam> loaded;
  const std::vector<std::byte> live = loaded.live();
  static_cast<void>(loaded.persist());
  const std::vector<std::byte> store = loaded.board.store.memory;
  const auto restore_with_error_at = [&](std::uint64_t poll) {
    loaded.board.poison();
    loaded.board.store.polls = 0;
    loaded.board.store.fail_at = poll;
    const Status status = loaded.board.restore();
    loaded.board.store.fail_at = ~std::uint64_t{0};
    EXPECT_EQ(loaded.board.store.memory, store);
    return status.error();
  };
  std::uint64_t cut = 0;
  for (; restore_with_error_at(cut) == Error::storage_failed; ++cut) {
    ASSERT_EQ(restore_with_error_at(cut * 7 % (cut + 1)), Error::storage_failed);
    ASSERT_EQ(restore_with_error_at(~std::uint64_t{0}), Error::none) << cut;
    ASSERT_EQ(loaded.live(), live) << cut;
  }
  EXPECT_GT(cut, 400U);
  loaded.expect_contents();
}

TYPED_TEST(CheckpointOfAnyModules, FailedPersistLeavesRamAsItWas) {
  LoadedWith<TypeParam> loaded;
  const std::vector<std::byte> before = loaded.live();
  std::uint64_t fail_at = 0;
  for (;; ++fail_at) {
    loaded.board.store.polls = 0;
    loaded.board.store.fail_at = fail_at;
    const Status status = loaded.board.persist();
    if (status.ok()) break;
    ASSERT_EQ(status.error(), Error::storage_failed);
    ASSERT_EQ(loaded.live(), before);
  }
  EXPECT_GT(fail_at, 300U);
  loaded.board.store.fail_at = ~std::uint64_t{0};
  loaded.board.checked_outage();
  EXPECT_EQ(loaded.board.fault, "");
  loaded.expect_contents();
}

// The store reports an error although every byte got there: the image is whole, until the program runs on,
// which erases it before anything else.
TYPED_TEST(CheckpointOfAnyModules, FailedPersistWhoseImageGotThereIsGoneOnceTheProgramRanOn) {
  for (const bool runs_on : {false, true}) {
    for (int images_before = 0; images_before < 3; ++images_before) {
      LoadedWith<TypeParam> loaded;
      for (int i = 0; i < images_before; ++i) loaded.board.outage();
      loaded.board.store.polls = 0;
      loaded.board.store.fail_at = loaded.board.heap().checkpoint_bytes() + kConfig.os_bytes;
      ASSERT_EQ(loaded.board.persist().error(), Error::storage_failed);
      loaded.board.store.fail_at = ~std::uint64_t{0};
      if (runs_on) loaded.run_on();
      loaded.board.poison();
      EXPECT_EQ(loaded.board.restore().error(), runs_on ? Error::stale : Error::none) << images_before;
      if (!runs_on) loaded.expect_contents();
    }
  }
}

// The next persist after a failed one whose image got there: cut behind its header, which might be the same,
// it must not make the failed one whole again. Seen by a random sequence.
TYPED_TEST(CheckpointOfAnyModules, AFailedImageDoesNotComeBackWithTheHeaderOfTheNext) {
  for (const bool runs_on : {false, true}) {
    for (std::uint32_t cut = 0; cut < 80; ++cut) {
      LoadedWith<TypeParam> loaded;
      loaded.board.outage();
      loaded.board.store.polls = 0;
      loaded.board.store.fail_at = loaded.board.heap().checkpoint_bytes() + kConfig.os_bytes;
      ASSERT_EQ(loaded.board.persist().error(), Error::storage_failed);
      loaded.board.store.fail_at = ~std::uint64_t{0};
      if (runs_on) {
        loaded.run_on();
        put(loaded.board.heap(), loaded.buffers[0], pattern(60, 0));
        put(loaded.board.heap(), loaded.buffers[9], pattern(60, 9));
      }
      const std::vector<std::byte> before = loaded.board.store.memory;
      loaded.board.store.cut_after = loaded.board.store.written + cut;
      ASSERT_TRUE(loaded.board.persist().ok());
      loaded.board.store.cut_after = ~std::uint64_t{0};
      const bool unchanged = loaded.board.store.memory == before;
      loaded.board.poison();
      const Error answer = loaded.board.restore().error();
      // Not changed, it is the failed image, which is of now.
      ASSERT_EQ(answer, runs_on ? Error::stale : unchanged ? Error::none : Error::torn) << cut;
    }
  }
}

// The header of a failed image is being erased when the interrupt strikes: the erasure must not go on,
// because the new image is in that very place. Seen by a random sequence: with a second outage in the
// erasure, the restore said torn.
TEST(Checkpoint, AnOutageInTheErasureOfAFailedImageErasesNoOther) {
  for (std::uint64_t first = 0; first < 120; ++first) {
    for (std::uint64_t second = 1; second < 80; second += 3) {
      Loaded loaded;
      loaded.board.outage();
      loaded.board.store.polls = 0;
      loaded.board.store.fail_at = 100;
      ASSERT_EQ(loaded.board.persist().error(), Error::storage_failed);
      loaded.board.store.fail_at = ~std::uint64_t{0};
      auto& platform = loaded.board.platform;
      platform.strike_at = platform.places + first;
      int outages = 0;
      platform.interrupt = [&] {
        loaded.board.checked_outage();
        if (++outages == 1) platform.strike_at = platform.places + second;
      };
      loaded.run_on();
      ASSERT_EQ(loaded.board.fault, "") << first << ", " << second;
      ASSERT_EQ(outages, 2);
      platform.strike_at = ~std::uint64_t{0};
      loaded.expect_contents();
    }
  }
}

// Two places in turn: a persist never touches the image before it.
TEST(Checkpoint, TakesItsTwoPlacesInTurn) {
  Loaded loaded;
  const Geometry g = loaded.board.heap().geometry();
  const auto image = [&](std::uint32_t place) {
    const auto begin =
        loaded.board.store.memory.begin() + static_cast<std::ptrdiff_t>(g.checkpoint_address(place));
    return std::vector<std::byte>(begin, begin + static_cast<std::ptrdiff_t>(g.checkpoint_stride));
  };
  for (std::uint32_t i = 1; i < 6; ++i) {
    const std::vector<std::byte> other = image(i + 1);
    const std::vector<std::byte> own = image(i);
    ASSERT_TRUE(loaded.board.persist().ok());
    EXPECT_EQ(image(i + 1), other);
    EXPECT_NE(image(i), own);
  }
}

TEST(Checkpoint, EmptyStoreHasNone) {
  TestBoard board(kConfig);
  EXPECT_EQ(board.restore().error(), Error::empty);
  ASSERT_TRUE(board.heap().format().ok());
  EXPECT_EQ(board.restore().error(), Error::empty);
}

TEST(Checkpoint, FormatForgetsBothImagesAndTheMark) {
  Loaded loaded;
  loaded.board.outage();
  loaded.run_on();
  loaded.board.outage();
  ASSERT_TRUE(loaded.board.heap().format().ok());
  EXPECT_EQ(loaded.board.restore().error(), Error::empty);
  ASSERT_TRUE(loaded.board.heap().format().ok());
  loaded.board.outage();
  EXPECT_TRUE(loaded.board.restore_status.ok()) << "the old mark says nothing of the new first image";
}

// A persist that is cut behind a header which might be that of an image from before the format, of the same
// state but for the OS part. Seen by the fuzzer: what came back was the old OS part.
TEST(Checkpoint, AnImageFromBeforeAFormatDoesNotComeBackWithTheHeaderOfTheFirst) {
  bool whole = false;
  for (std::uint32_t cut = 0; !whole; ++cut) {
    CheckedBoard<DefaultModules> board(fitted<DefaultModules>(kConfig, 152), 8192);
    ASSERT_TRUE(board.heap().format().ok());
    std::fill(board.os.begin(), board.os.end(), std::byte{0xAA});
    ASSERT_TRUE(board.persist().ok());
    ASSERT_TRUE(board.heap().format().ok());
    std::fill(board.os.begin(), board.os.end(), std::byte{0xBB});
    whole = cut == board.heap().checkpoint_bytes() + board.os.size();
    board.store.cut_after = board.store.written + cut;
    ASSERT_TRUE(board.persist().ok());
    board.store.cut_after = ~std::uint64_t{0};
    board.poison();
    const Status restored = board.restore();
    ASSERT_EQ(restored.ok(), whole) << cut;
    if (whole) {
      EXPECT_EQ(board.os[0], std::byte{0xBB});
    }
  }
}

// A format that is cut anywhere and begun again counts on from where the images were.
TEST(Checkpoint, AFormatThatIsCutGoesOnWithTheSequence) {
  constexpr std::uint32_t kBytes = 400;  // more than superblock, mark and headers have
  for (std::uint32_t cut = 0; cut < kBytes; ++cut) {
    Loaded loaded;
    for (int i = 0; i < 3; ++i) loaded.board.outage();
    const std::uint32_t sequence = loaded.board.heap().sequence();
    ASSERT_EQ(sequence, 3U);
    loaded.board.store.cut_after = loaded.board.store.written + cut;
    ASSERT_TRUE(loaded.board.heap().format().ok());
    loaded.board.store.cut_after = ~std::uint64_t{0};
    loaded.board.poison();
    static_cast<void>(loaded.board.restore());  // whatever it says
    ASSERT_TRUE(loaded.board.heap().format().ok());
    ASSERT_FALSE(is_newer(sequence, loaded.board.heap().sequence())) << cut;
    ASSERT_EQ(loaded.board.restore().error(), Error::empty) << cut;
  }
}

// After a restore the first write home makes the checkpoint stale; before that it is current.
TEST(Checkpoint, RunningOnMakesItStale) {
  Loaded loaded;
  loaded.board.outage();
  loaded.board.poison();
  EXPECT_TRUE(loaded.board.restore().ok()) << "nothing was written since";
  loaded.run_on();
  loaded.board.poison();
  EXPECT_EQ(loaded.board.restore().error(), Error::stale);
}

TEST(Checkpoint, ResumingWithoutABootMakesItStaleToo) {
  Loaded loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  loaded.run_on();
  loaded.board.poison();
  EXPECT_EQ(loaded.board.restore().error(), Error::stale);
}

// The mark that is cut counts as not written: at that moment no home has been touched.
TEST(Checkpoint, CutMarkLeavesItCurrent) {
  for (std::uint64_t cut = 0; cut <= sizeof(RunningMark); ++cut) {
    Loaded loaded;
    loaded.board.outage();
    loaded.board.store.written = 0;
    loaded.board.store.cut_after = cut;
    loaded.run_on();
    loaded.board.store.cut_after = ~std::uint64_t{0};
    loaded.board.poison();
    const Status status = loaded.board.restore();
    if (cut < sizeof(RunningMark)) {
      EXPECT_TRUE(status.ok()) << cut;
      loaded.expect_contents();
    } else {
      EXPECT_EQ(status.error(), Error::stale);
    }
  }
}

// After a persist that failed the mark is the second one since the newest whole image: cut while it is
// written, the first one must still be there. Seen by a random sequence.
TEST(Checkpoint, ACutMarkLeavesTheOneBefore) {
  for (int failures = 1; failures < 4; ++failures) {
    for (std::uint64_t cut = 0; cut < sizeof(CheckpointHeader) + sizeof(RunningMark); ++cut) {
      Loaded loaded;
      loaded.board.outage();
      loaded.run_on();
      for (int i = 0; i < failures; ++i) {
        loaded.board.store.polls = 0;
        loaded.board.store.fail_at = 5;
        ASSERT_EQ(loaded.board.persist().error(), Error::storage_failed);
      }
      loaded.board.store.fail_at = ~std::uint64_t{0};
      loaded.board.store.cut_after = loaded.board.store.written + cut;
      loaded.board.store.throws_when_cut = true;
      EXPECT_THROW(loaded.run_on(), PowerLost) << cut;
      loaded.board.store.cut_after = ~std::uint64_t{0};
      loaded.board.poison();
      EXPECT_EQ(loaded.board.restore().error(), Error::stale) << cut;
    }
  }
}

// A mark whose write failed: nothing may be written home before it is there.
TEST(Checkpoint, NoHomeIsWrittenBeforeTheMark) {
  for (std::uint64_t fail_at = 0; fail_at <= sizeof(RunningMark); ++fail_at) {
    Loaded loaded;
    loaded.board.outage();
    std::vector<std::byte> store = loaded.board.store.memory;
    loaded.board.store.polls = 0;
    loaded.board.store.fail_at = fail_at;
    EXPECT_EQ(loaded.board.heap().flush().error(), Error::storage_failed);
    loaded.board.store.fail_at = ~std::uint64_t{0};
    const std::uint32_t marks = loaded.board.heap().geometry().marks_address();
    std::memcpy(store.data() + marks, loaded.board.store.memory.data() + marks, sizeof(RunningMarks));
    EXPECT_EQ(loaded.board.store.memory, store) << fail_at;
    ASSERT_TRUE(loaded.board.heap().flush().ok());
    loaded.board.poison();
    EXPECT_EQ(loaded.board.restore().error(), Error::stale);
  }
}

TEST(Checkpoint, OtherConfigurationOrModulesAreForeign) {
  Loaded loaded;
  loaded.board.outage();
  loaded.board.outage();
  const auto restored_with = [&](auto board) {
    board.store.memory = loaded.board.store.memory;
    return board.restore().error();
  };
  HeapConfig other = kConfig;
  other.max_residents = 11;
  EXPECT_EQ(restored_with(TestBoard(other)), Error::foreign);
  other = kConfig;
  other.ram_bytes += 8;
  EXPECT_EQ(restored_with(TestBoard(other)), Error::foreign);
  other = kConfig;
  other.store_bytes = 4096;
  EXPECT_EQ(restored_with(TestBoard(other)), Error::foreign);
  EXPECT_EQ(restored_with(TestBoardOf<Standard<LinkedListRam, LinkedListStore, RoundRobin>>(kConfig)),
            Error::foreign);
  EXPECT_EQ(restored_with(TestBoardOf<Standard<BuddyRam, LinkedListStore, InOrder>>(kConfig)),
            Error::foreign);
  EXPECT_EQ(restored_with(TestBoardOf<Standard<LinkedListRam, BuddyStore, InOrder>>(kConfig)),
            Error::foreign);
  EXPECT_EQ(restored_with(TestBoardOf<Compact<InOrder>>(kConfig)), Error::foreign);
  // The second place lies elsewhere then, so it may look torn.
  other = kConfig;
  other.dirty_limit_bytes -= 8;
  EXPECT_NE(restored_with(TestBoard(other)), Error::none);
  EXPECT_EQ(restored_with(TestBoard(kConfig)), Error::none);
}

TEST(Checkpoint, OtherVersionsAndFormatsAreToldApart) {
  Loaded loaded;
  ASSERT_TRUE(loaded.board.persist().ok());
  const std::uint32_t base = loaded.board.heap().geometry().checkpoint_address(1);
  CheckpointHeader header;
  std::memcpy(&header, &loaded.board.store.memory[base], sizeof header);
  const auto restored_with = [&](const CheckpointHeader& changed) {
    CheckpointHeader sealed = changed;
    Crc32c crc;
    crc.add(reinterpret_cast<const std::byte*>(&sealed), offsetof(CheckpointHeader, checksum));
    sealed.checksum = crc.value();
    std::memcpy(&loaded.board.store.memory[base], &sealed, sizeof sealed);
    loaded.board.poison();
    return loaded.board.restore().error();
  };
  EXPECT_EQ(restored_with(header), Error::none);
  CheckpointHeader other = header;
  other.version = kFormatVersion + 1;
  EXPECT_EQ(restored_with(other), Error::wrong_version);
  other = header;
  other.magic ^= 1U;
  EXPECT_EQ(restored_with(other), Error::foreign);
  other = header;
  other.config ^= 1U;
  EXPECT_EQ(restored_with(other), Error::foreign);
  // Counts with a right checksum that do not fit the rest.
  for (int field = 0; field < 5; ++field) {
    other = header;
    if (field == 0) other.slots = static_cast<std::uint16_t>(other.slots + 1);
    if (field == 1) other.dirty_bits = static_cast<std::uint16_t>(other.dirty_bits + 1);
    if (field == 2) other.data_bytes += 8;
    if (field == 3) other.length += 8;
    if (field == 4) other.recorded_high = 13;
    const Error error = restored_with(other);
    EXPECT_TRUE(error == Error::torn || error == Error::foreign) << field;
  }
}

TEST(Checkpoint, SequenceWrapsAround) {
  Loaded loaded;
  auto* control = reinterpret_cast<Control*>(loaded.board.ram());
  control->sequence = 0xFFFF'FFFDU;
  for (int i = 0; i < 6; ++i) {
    const std::uint32_t before = control->sequence;
    loaded.board.outage();
    ASSERT_TRUE(loaded.board.restore_status.ok()) << before;
    ASSERT_EQ(control->sequence, before == 0xFFFF'FFFFU ? 2U : before + 1)
        << "the two places are used in turn across the wrap";
    loaded.expect_contents();
    loaded.run_on();
  }
}

TEST(Checkpoint, AnOsPartThatIsTooLargeIsRefused) {
  Loaded loaded;
  const std::vector<std::byte> store = loaded.board.store.memory;
  const std::vector<std::byte> os(kConfig.os_bytes + 1);
  EXPECT_EQ(loaded.board.heap().persist({os.data(), kConfig.os_bytes + 1}).error(), Error::bad_configuration);
  EXPECT_EQ(loaded.board.store.memory, store) << "it would reach into what lies behind the image's place";
}

}  // namespace
}  // namespace brownout::heap::testing
