// Images made with the heap itself, whole, cut, damaged and made up: what `inspect` says of them.
#include <cstring>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../heap/all_modules.hpp"
#include "heap/checksum.hpp"
#include "sim/inspect/describe.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim {
namespace {

using heap::Error;
using heap::testing::get;
using heap::testing::pattern;
using heap::testing::put;
using ::testing::HasSubstr;
using Image = std::vector<std::byte>;

constexpr heap::HeapConfig kConfig{
    .ram_bytes = 1024, .dirty_limit_bytes = 464, .max_residents = 12, .os_bytes = 24, .write_intents = true};

Inspection inspect(const Image& image) { return inspect_image(image, "image"); }
// Everything that a user can ask for.
std::string all_words(const Image& image) {
  const Inspection inspection = inspect(image);
  return describe(inspection) + describe(inspection, salvage(inspection));
}

std::string_view word_of(Error error) {
  switch (error) {
    case Error::none: return "current";
    case Error::torn: return "torn";
    case Error::stale: return "stale";
    case Error::empty: return "empty";
    default: return "foreign";
  }
}

// A board with dirty, partially dirty, clean, recorded and swapped-out objects.
template <class Modules>
struct BoardWith {
  using Board = heap::testing::TestBoardOf<Modules>;

  explicit BoardWith(heap::HeapConfig config = kConfig) : board(heap::testing::fitted<Modules>(config, 152)) {
    EXPECT_TRUE(board.heap().format().ok());
    for (std::uint32_t i = 0; i < 14; ++i) {
      buffers.push_back(board.heap().make_buffer(60).take());
      put(board.heap(), buffers.back(), pattern(60, i));
    }
    partial = board.heap().make_buffer(150, heap::Dirtiness::partial).take();
    put(board.heap(), partial, pattern(150, 50));
    EXPECT_TRUE(board.heap().flush().ok());
    board.heap().write(partial, 70, 1).take()[0] = std::byte{7};
    for (const std::uint32_t i : {0U, 9U, 5U}) put(board.heap(), buffers[i], pattern(60, i));
    static_cast<void>(get(board.heap(), buffers[1]));
  }
  Image persisted() {
    EXPECT_TRUE(board.persist().ok());
    return board.store.memory;
  }
  void outage() {
    board.outage();
    EXPECT_TRUE(board.persist_status.ok() && board.restore_status.ok());
  }
  // Writes something home, and makes something dirty.
  void run_on(std::uint32_t seed) {
    put(board.heap(), buffers[3], pattern(60, 3 + seed));
    EXPECT_TRUE(board.heap().flush().ok());
    put(board.heap(), buffers[5], pattern(60, 5 + seed));
  }
  // What boot would be told of that image.
  std::string_view told(const Image& image) {
    Board other(board.config);
    other.store.memory = image;
    return word_of(other.restore().error());
  }

  Board board;
  std::vector<heap::Buffer> buffers;
  heap::Buffer partial;
};
using Made = BoardWith<heap::DefaultModules>;

template <class Modules>
struct InspectOfAnyModules : ::testing::Test {};
TYPED_TEST_SUITE(InspectOfAnyModules, heap::testing::SomeModules, heap::testing::ModuleNames);

// With one image before it, or two, or none; with the program that ran on, or did not.
enum class Before : std::uint8_t { nothing, one_image, two_images, ran_on, ran_on_twice };

TYPED_TEST(InspectOfAnyModules, APersistCutAtAnyByteIsWhatRestoreSaysOfIt) {
  std::set<std::string_view> seen;
  for (const Before before :
       {Before::nothing, Before::one_image, Before::two_images, Before::ran_on, Before::ran_on_twice}) {
    BoardWith<TypeParam> made;
    if (before != Before::nothing) made.outage();
    if (before == Before::two_images) made.outage();
    if (before == Before::ran_on_twice) {
      made.run_on(1);
      made.outage();
    }
    if (before == Before::ran_on || before == Before::ran_on_twice) made.run_on(2);
    const auto& geometry = made.board.heap().geometry();
    const std::uint32_t address = geometry.checkpoint_address(made.board.heap().following_sequence());
    const std::uint32_t length = made.board.heap().checkpoint_bytes() + kConfig.os_bytes;
    Image image = made.board.store.memory;
    const Image after = made.persisted();
    for (std::uint32_t cut = 0;; ++cut) {
      const Inspection inspection = inspect(image);
      ASSERT_EQ(name_of(inspection.verdict), made.told(image)) << "cut at " << cut;
      ASSERT_TRUE(inspection.heap.has_value());
      seen.insert(name_of(inspection.verdict));
      if (cut % 16 == 0) static_cast<void>(all_words(image));
      if (cut == length) break;
      image[address + cut] = after[address + cut];
    }
    ASSERT_EQ(image, after);
    EXPECT_EQ(inspect(image).verdict, ImageVerdict::current);
  }
  EXPECT_EQ(seen, (std::set<std::string_view>{"current", "torn", "stale", "empty"}));
}

TYPED_TEST(InspectOfAnyModules, SaysWhatIsInAnImage) {
  BoardWith<TypeParam> made;
  auto written = made.board.heap().write(made.buffers[4]).take();
  const auto arena = made.board.arena();
  std::size_t residents = 0;
  std::size_t dirty = 0;
  for (std::uint32_t i = 0; i < arena.slots(); ++i) {
    residents += arena.slot(i).used() ? 1 : 0;
    dirty += arena.slot(i).used() && arena.slot(i).dirty() ? 1 : 0;
  }
  const Inspection inspection = inspect(made.persisted());
  ASSERT_EQ(inspection.verdict, ImageVerdict::current);
  const KnownHeap& heap = *inspection.heap;
  EXPECT_EQ(heap.geometry.fingerprint(), made.board.heap().geometry().fingerprint());
  EXPECT_TRUE(heap.all_residents);
  EXPECT_EQ(heap.residents.size(), residents);
  EXPECT_EQ(
      std::count_if(heap.residents.begin(), heap.residents.end(), [](const auto& o) { return o.dirty; }),
      dirty);
  EXPECT_EQ(heap.objects.size(), made.buffers.size() + 1);
  EXPECT_TRUE(heap.table_faults.empty());
  for (const auto& buffer : made.buffers) EXPECT_NE(heap.object_at(buffer.home()), nullptr);

  const Salvage salvaged = salvage(inspection);
  EXPECT_TRUE(salvaged.together);
  EXPECT_TRUE(salvaged.unallocated.empty());
  ASSERT_EQ(salvaged.objects.size(), heap.objects.size());
  for (const SalvagedObject& object : salvaged.objects) {
    EXPECT_EQ(object.trust, Trust::yes);
    for (std::uint32_t i = 0; i < made.buffers.size(); ++i) {
      if (made.buffers[i].home() != object.object.home) continue;
      EXPECT_EQ(std::memcmp(object.content.data(), pattern(60, i).data(), 60), 0) << i;
      EXPECT_EQ(object.reason.find("was writing") != std::string::npos, i == 4) << object.reason;
    }
    if (object.object.home == made.partial.home()) {
      EXPECT_EQ(object.content[70], std::byte{7});
    }
  }
  EXPECT_THAT(describe(inspection), HasSubstr("being written: " + std::to_string(made.buffers[4].home())));
  written[0] = pattern(60, 4)[0];
}

TYPED_TEST(InspectOfAnyModules, AnyBitFlippedIsWhatRestoreSaysOfIt) {
  BoardWith<TypeParam> made;
  made.outage();
  const Image whole = made.persisted();
  const std::uint32_t behind = made.board.heap().geometry().store.first_unit;
  for (std::uint32_t at = 0; at < behind; ++at) {
    Image image = whole;
    image[at] ^= static_cast<std::byte>(1U << at % 8);
    const Inspection inspection = inspect(image);
    static_cast<void>(describe(inspection, salvage(inspection)));
    if (at < sizeof(heap::Superblock)) {
      ASSERT_EQ(inspection.verdict, ImageVerdict::foreign) << "byte " << at;
      EXPECT_THAT(inspection.reason, HasSubstr("headers of checkpoints are there (checkpoint "));
    } else {
      ASSERT_EQ(name_of(inspection.verdict), made.told(image)) << "byte " << at;
    }
  }
}

// ---- without an image

TEST(Inspect, EmptyIsZerosAndAFreshHeapAndACutFormat) {
  EXPECT_EQ(inspect(Image(8192)).verdict, ImageVerdict::empty);
  heap::testing::TestBoard board(kConfig);
  EXPECT_TRUE(board.heap().format().ok());
  const Inspection fresh = inspect(board.store.memory);
  EXPECT_EQ(fresh.verdict, ImageVerdict::empty);
  ASSERT_TRUE(fresh.heap.has_value());
  EXPECT_TRUE(fresh.heap->objects.empty());
  for (std::size_t cut = 0; cut < sizeof(heap::Superblock); ++cut) {
    Image image = board.store.memory;
    std::fill(image.begin() + static_cast<std::ptrdiff_t>(cut), image.begin() + sizeof(heap::Superblock),
              std::byte{0});
    image[4000] = std::byte{1};  // of an earlier life
    EXPECT_EQ(inspect(image).verdict, ImageVerdict::empty) << cut;
  }
}

// A superblock with one field changed, and its checksum right again.
template <class Change>
Image with_superblock(Image image, Change change) {
  heap::Superblock block;
  std::memcpy(&block, image.data(), sizeof block);
  change(block);
  heap::Crc32c sum;
  sum.add(reinterpret_cast<const std::byte*>(&block), offsetof(heap::Superblock, checksum));
  block.checksum = sum.value();
  std::memcpy(image.data(), &block, sizeof block);
  return image;
}

TEST(Inspect, ForeignSaysWhatIsForeign) {
  Made made;
  const Image image = made.persisted();
  const auto reason = [&](auto change) {
    const Inspection inspection = inspect(with_superblock(image, change));
    EXPECT_EQ(inspection.verdict, ImageVerdict::foreign);
    return inspection.reason;
  };
  EXPECT_EQ(reason([](auto& block) { block.version = 2; }), "format version 2, this program reads 3");
  EXPECT_EQ(reason([](auto& block) { block.modules = 0x1234; }),
            "modules unknown to this program (id 00001234)");
  EXPECT_THAT(reason([](auto& block) { block.fingerprint ^= 1; }), HasSubstr("fingerprint"));
  EXPECT_THAT(reason([](auto& block) { block.dirty_limit_bytes = 8; }), HasSubstr("would refuse"));
  EXPECT_EQ(inspect(Image(512, std::byte{0xA5})).verdict, ImageVerdict::foreign);
  EXPECT_THROW(inspect(with_superblock(image, [](auto& block) { block.storage_bytes *= 2; })), InputError);
}

TEST(Inspect, ModulesHaveNumbersOfTheirOwn) {
  std::set<std::uint32_t> ids;
  const auto choices = all_module_choices();
  for (const auto& choice : choices) ids.insert(traits_of(choice).id);
  EXPECT_EQ(choices.size(), 21U);
  EXPECT_EQ(ids.size(), choices.size());
}

TEST(Inspect, WhatIsNoImageIsWrongInput) {
  for (const std::size_t size : {0U, 8U, 248U, 257U, 8191U, 512U * 1024U + 8U})
    EXPECT_THROW(inspect(Image(size)), InputError) << size;
  EXPECT_EQ(inspect(Image(256)).verdict, ImageVerdict::empty);
  EXPECT_EQ(inspect(Image(512 * 1024)).verdict, ImageVerdict::empty);
  EXPECT_THROW(inspect_file("no such file"), InputError);
  EXPECT_THROW(inspect_file("/"), InputError);
}

// A dump of the whole part, of which the heap has the beginning.
TEST(Inspect, AHeapThatHasAPartOfThePart) {
  Made made;
  Image image = made.persisted();
  image.resize(image.size() * 4, std::byte{0x77});
  EXPECT_EQ(inspect(image).verdict, ImageVerdict::current);
}

// ---- salvage

TEST(Inspect, SalvageOfATornImageIsTheOneBefore) {
  Made made;
  made.outage();
  put(made.board.heap(), made.buffers[5], pattern(60, 99));  // dirty already
  const std::uint32_t address =
      made.board.heap().geometry().checkpoint_address(made.board.heap().following_sequence());
  Image image = made.persisted();
  image[address + 40] ^= std::byte{1};
  const Inspection inspection = inspect(image);
  ASSERT_EQ(inspection.verdict, ImageVerdict::torn);
  EXPECT_THAT(describe(inspection),
              HasSubstr("boot         takes none; restore_older() brings back checkpoint 1"));
  const Salvage salvaged = salvage(inspection);
  EXPECT_TRUE(salvaged.together);
  for (const SalvagedObject& object : salvaged.objects) {
    EXPECT_EQ(object.trust, Trust::yes);
    if (object.object.home != made.buffers[5].home()) continue;
    EXPECT_EQ(std::memcmp(object.content.data(), pattern(60, 5).data(), 60), 0);
  }
}

TEST(Inspect, SalvageOfAStaleImageTellsHomesFromTheCheckpoint) {
  Made made;
  const heap::Buffer never_home = made.board.heap().make_buffer(60).take();
  EXPECT_TRUE(made.board.heap().set_root(heap::root_name("two"), made.buffers[2]).ok());
  for (const std::uint32_t i : {0U, 9U, 5U}) put(made.board.heap(), made.buffers[i], pattern(60, i));
  put(made.board.heap(), never_home, pattern(60, 20));
  made.outage();
  // One goes home as it was, one changed; one is written to its home last.
  EXPECT_TRUE(made.board.heap().flush(made.buffers[0]).ok());
  put(made.board.heap(), made.buffers[9], pattern(60, 77));
  EXPECT_TRUE(made.board.heap().flush(made.buffers[9]).ok());
  put(made.board.heap(), made.buffers[3], pattern(60, 78));
  EXPECT_TRUE(made.board.heap().flush(made.buffers[3]).ok());
  const Inspection inspection = inspect(made.board.store.memory);
  ASSERT_EQ(inspection.verdict, ImageVerdict::stale);
  const Salvage salvaged = salvage(inspection);
  EXPECT_FALSE(salvaged.together);
  const auto find = [&](std::uint32_t home) -> const SalvagedObject& {
    return *std::find_if(salvaged.objects.begin(), salvaged.objects.end(),
                         [&](const SalvagedObject& object) { return object.object.home == home; });
  };
  EXPECT_EQ(find(made.buffers[0].home()).trust, Trust::yes);
  EXPECT_EQ(find(made.buffers[2].home()).trust, Trust::yes);
  EXPECT_EQ(find(made.buffers[9].home()).trust, Trust::checkpoint_only);
  EXPECT_EQ(std::memcmp(find(made.buffers[9].home()).content.data(), pattern(60, 9).data(), 60), 0);
  EXPECT_EQ(find(made.buffers[3].home()).trust, Trust::in_doubt);
  EXPECT_EQ(find(never_home.home()).trust, Trust::checkpoint_only);
  EXPECT_EQ(inspection.heap->roots.size(), 1U);
  EXPECT_TRUE(inspection.heap->roots[0].leads_to_object);
}

TEST(Inspect, NonsenseInTheTableIsReported) {
  Made made;
  const Image image = made.persisted();
  const heap::StorePlan plan = made.board.heap().geometry().store;
  Image overlap = image;
  overlap[plan.table + (made.buffers[2].home() - plan.first_unit) / plan.unit_bytes + 1] = std::byte{1};
  EXPECT_THAT(all_words(overlap), HasSubstr("overlaps one at"));
  Image beyond = image;
  beyond[plan.table + plan.units - 1] = std::byte{200};
  EXPECT_THAT(all_words(beyond), HasSubstr("the table is not read any further"));
}

TEST(Inspect, OutputIsBounded) {
  heap::testing::TestBoard board({.ram_bytes = 1024, .dirty_limit_bytes = 464}, 32 * 1024);
  EXPECT_TRUE(board.heap().format().ok());
  for (int i = 0; i < 1100; ++i) static_cast<void>(board.heap().make_buffer(8).take());
  EXPECT_TRUE(board.persist().ok());
  const std::string words = all_words(board.store.memory);
  EXPECT_THAT(words, HasSubstr("1100 allocated"));
  EXPECT_THAT(words, HasSubstr("and 100 more"));
}

// ---- garbage

// Never a crash, and one of five words; a refusal is an InputError.
void expect_taken(const Image& image) {
  try {
    ASSERT_FALSE(all_words(image).empty());
  } catch (const InputError&) {
  }
}

TEST(Inspect, TakesAnyBytes) {
  heap::testing::Random random(7);
  for (int round = 0; round < 300; ++round) {
    Image image(random() % 2048 * 8);
    for (std::byte& b : image) b = static_cast<std::byte>(random());
    expect_taken(image);
    if (image.size() >= 4) std::memcpy(image.data(), &heap::Superblock::kMagic, 4);
    expect_taken(image);
  }
}

TEST(Inspect, TakesAnImageCutShort) {
  Made made;
  made.outage();
  const Image image = made.persisted();
  for (std::size_t size = 0; size < image.size(); size += 1 + size % 5)
    expect_taken({image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size)});
}

// Damage with all checksums put right again, which only malice does: it gets further in.
template <class Modules>
struct InspectForgedImages : ::testing::Test {};
TYPED_TEST_SUITE(InspectForgedImages, heap::testing::SomeModules, heap::testing::ModuleNames);

void put_right(Image& image, std::uint32_t address) {
  heap::CheckpointHeader header;
  std::memcpy(&header, image.data() + address, sizeof header);
  heap::Crc32c of_header;
  of_header.add(image.data() + address, offsetof(heap::CheckpointHeader, checksum));
  header.checksum = of_header.value();
  std::memcpy(image.data() + address, &header, sizeof header);
  if (header.length < 40 || header.length > image.size() - address) return;
  heap::Crc32c sum;
  sum.add(image.data() + address, header.length - 8);
  const heap::CheckpointTrailer trailer{header.sequence, sum.value()};
  std::memcpy(image.data() + address + header.length - 8, &trailer, sizeof trailer);
}

TYPED_TEST(InspectForgedImages, AreTaken) {
  heap::testing::Random random(3);
  BoardWith<TypeParam> made;
  made.outage();
  made.run_on(1);
  const Image current = made.persisted();
  const auto geometry = made.board.heap().geometry();
  ASSERT_TRUE(made.board.restore().ok());
  made.run_on(2);
  const Image stale = made.board.store.memory;
  for (int round = 0; round < 6000; ++round) {
    Image image = round % 2 == 0 ? current : stale;
    for (std::uint32_t flips = 1 + random() % 3; flips > 0; --flips) {
      // Mostly in the structures.
      const std::uint32_t place = geometry.checkpoint_address(random() % 2);
      const std::uint32_t at = random() % 4 == 0   ? random() % static_cast<std::uint32_t>(image.size())
                               : random() % 3 == 0 ? place + random() % 32
                                                   : place + 32 + random() % 200;
      image[at] = static_cast<std::byte>(random() % 3 == 0 ? 0xFF : random());
    }
    put_right(image, geometry.checkpoint_address(0));
    put_right(image, geometry.checkpoint_address(1));
    if (round % 5 == 0) {
      image = with_superblock(std::move(image), [&](heap::Superblock& block) {
        std::uint32_t* fields = &block.storage_bytes;
        fields[random() % 9] = random() % 2 == 0 ? random() : random() % 1024;
      });
    }
    expect_taken(image);
  }
}

}  // namespace
}  // namespace brownout::sim
