// The verifier itself: each check is shown a sound state, and then the fault that it is there for.
#include "sim/verify/memory_inspector.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

#include <gtest/gtest.h>

#include "heap/slots/standard.hpp"
#include "sim/firmware/firmware.hpp"
#include "sim/verify/shadow.hpp"
#include "sim/verify/store_table.hpp"

namespace brownout::sim {
namespace {

using Slot = heap::StandardSlot;

// A heap's RAM and store made by hand: in eight slots three objects at their main positions, one of them
// dirty, one recorded, one loading; a fourth object in the store only.
class Handmade {
 public:
  Handmade() {
    EXPECT_EQ(firmware::plan_heap({.ram_bytes = 512, .dirty_limit_bytes = 256, .max_residents = 8}, {}, 8192,
                                  geometry),
              heap::Error::none);
    first = geometry.first_granule();
    const heap::StorePlan& plan = geometry.store;
    std::vector<std::uint32_t> taken;
    // Units of 8 B in pairs, of which those are used whose main positions differ.
    for (std::uint32_t unit = 0; objects.size() < 4; unit += 2) {
      const std::uint32_t home = plan.first_unit + unit * plan.unit_bytes;
      const std::uint32_t position = main_of(home);
      if (std::find(taken.begin(), taken.end(), position) != taken.end()) continue;
      taken.push_back(position);
      store[plan.table + unit] = 2;
      objects.push_back({home, 16});
    }
    for (std::uint32_t i = 0; i < 8; ++i) slot(i) = Slot::vacant(i, heap::Record::vacant);
    place(dirty(), 0, first, 0).set_dirty(true);
    Slot& recorded_slot = place(recorded(), 1, first + 2, 0);
    recorded_slot.set_record(heap::Record::same);
    std::memcpy(&store[geometry.record_address(recorded())], &recorded_slot, sizeof(Slot));
    place(loading(), 2, first + 6, Slot::kWriter);
    free_block(first + 4) = {static_cast<std::uint16_t>(first + 8), 2};
    free_block(first + 8) = {0, static_cast<std::uint16_t>(512 / heap::kGranule - first - 8)};
    control().free_head = static_cast<std::uint16_t>(first + 4);
    control().free_granules = static_cast<std::uint16_t>(2 + 512 / heap::kGranule - first - 8);
    control().residents = 3;
    control().image_bytes = geometry.empty_image_bytes() + 2 * 8 + 16;
  }

  [[nodiscard]] std::uint32_t main_of(std::uint32_t home) const {
    return heap::main_position(Slot::key_of(geometry, home, 2), 8);
  }
  [[nodiscard]] std::uint32_t dirty() const { return main_of(objects[0].home); }
  [[nodiscard]] std::uint32_t recorded() const { return main_of(objects[1].home); }
  [[nodiscard]] std::uint32_t loading() const { return main_of(objects[2].home); }
  [[nodiscard]] std::uint32_t free_slot() {
    for (std::uint32_t i = 0; i < 8; ++i) {
      if (!slot(i).used()) return i;
    }
    return 0;
  }
  Slot& place(std::uint32_t index, std::size_t object, std::uint32_t block, std::uint32_t borrows) {
    slot(index) = Slot::of(geometry, objects[object].home, block, 2, false, borrows);
    slot(index).set_next(index);
    slot(index).set_record(heap::Record::vacant);
    return slot(index);
  }
  std::span<std::byte> ram() { return {reinterpret_cast<std::byte*>(words.data()), 512}; }
  heap::Control& control() { return *reinterpret_cast<heap::Control*>(ram().data()); }
  Slot& slot(std::uint32_t i) { return reinterpret_cast<Slot*>(ram().data() + geometry.slots_offset)[i]; }
  heap::FreeBlock& free_block(std::uint32_t granule) {
    return *reinterpret_cast<heap::FreeBlock*>(ram().data() + granule * heap::kGranule);
  }
  std::unique_ptr<MemoryInspector> inspector() const { return make_heap_inspector(geometry, {}); }
  std::optional<std::string> fault() { return inspector()->structure_fault(ram(), store, objects); }

  heap::Geometry geometry;
  std::uint32_t first = 0;
  std::vector<std::uint64_t> words = std::vector<std::uint64_t>(64);
  std::vector<std::uint8_t> store = std::vector<std::uint8_t>(8192);
  std::vector<KnownObject> objects;
};

TEST(Structure, SoundStateHasNoFault) {
  Handmade made;
  EXPECT_EQ(made.fault(), std::nullopt);
}

// Each fault with a piece of the complaint that has to name it.
TEST(Structure, EachFaultIsFound) {
  struct Fault {
    const char* name;
    const char* complaint;
    std::function<void(Handmade&)> plant;
  };
  const Fault faults[] = {
      {"image bytes", "the image is counted", [](Handmade& m) { m.control().image_bytes += 8; }},
      {"residents", "residents are counted", [](Handmade& m) { m.control().residents = 2; }},
      {"free granules", "count of free granules", [](Handmade& m) { m.control().free_granules = 5; }},
      {"overlap", "overlaps another", [](Handmade& m) { m.place(m.recorded(), 1, m.first, 0); }},
      {"block outside RAM", "overlaps another", [](Handmade& m) { m.place(m.recorded(), 1, 63, 0); }},
      {"leak in RAM", "count of free granules",
       [](Handmade& m) { m.free_block(m.control().free_head).granules = 1; }},
      {"leak in RAM that the count goes along with", "RAM has leaked",
       [](Handmade& m) {
         m.free_block(m.control().free_head).granules = 1;
         --m.control().free_granules;
       }},
      {"free list cut", "count of free granules",
       [](Handmade& m) { m.free_block(m.control().free_head).next = 0; }},
      {"free list not joined", "not joined",
       [](Handmade& m) {
         const std::uint16_t tail = m.free_block(m.control().free_head).next;
         m.free_block(tail + 3U) = {0, static_cast<std::uint16_t>(m.free_block(tail).granules - 3)};
         m.free_block(tail) = {static_cast<std::uint16_t>(tail + 3), 3};
       }},
      {"free block in use", "overlaps another",
       [](Handmade& m) { m.control().free_head = static_cast<std::uint16_t>(m.first); }},
      {"free list that goes back", "out of order",
       [](Handmade& m) {
         const std::uint16_t tail = m.free_block(m.control().free_head).next;
         m.free_block(tail).next = m.control().free_head;
       }},
      {"free list out of RAM", "out of RAM",
       [](Handmade& m) { m.free_block(m.control().free_head).next = 4000; }},
      {"limit", "the limit is", [](Handmade& m) { m.geometry.config.dirty_limit_bytes = 100; }},
      {"slot not at its main position", "is found 0 times",
       [](Handmade& m) {
         m.slot(m.free_slot()) = m.slot(m.dirty());
         m.slot(m.dirty()) = Slot::vacant(m.dirty(), heap::Record::vacant);
       }},
      {"free slot in a chain", "wrong chain", [](Handmade& m) { m.slot(m.dirty()).set_next(m.free_slot()); }},
      {"other slot in a chain", "wrong chain", [](Handmade& m) { m.slot(m.dirty()).set_next(m.recorded()); }},
      {"free slot that leads on", "leads to another",
       [](Handmade& m) { m.slot(m.free_slot()).set_next(m.dirty()); }},
      {"chain beyond the slots", "leads to slot 9", [](Handmade& m) { m.slot(m.dirty()).set_next(9); }},
      {"record that is not vacant", "taken for vacant",
       [](Handmade& m) {
         std::memcpy(&m.store[m.geometry.record_address(m.dirty())], &m.slot(m.dirty()), sizeof(Slot));
       }},
      {"record that differs", "differs from the slot",
       [](Handmade& m) { m.store[m.geometry.record_address(m.recorded()) + 2] ^= 1; }},
      {"leak in the store", "allocated runs", [](Handmade& m) { m.objects.pop_back(); }},
      {"object without storage", "allocated runs", [](Handmade& m) { m.store[m.geometry.store.table] = 0; }},
      {"run too small for its object", "too small", [](Handmade& m) { m.objects[0].size_bytes = 17; }},
      {"run beyond the end", "beyond its end",
       [](Handmade& m) { m.store[m.geometry.store.table + m.geometry.store.units - 1] = 5; }},
  };
  for (const Fault& fault : faults) {
    Handmade made;
    fault.plant(made);
    const auto found = made.fault();
    ASSERT_NE(found, std::nullopt) << fault.name;
    EXPECT_NE(found->find(fault.complaint), std::string::npos) << fault.name << ": " << *found;
  }
}

TEST(Structure, TablesOfAllStoreAllocators) {
  using Kind = firmware::StoreAllocatorKind;
  const heap::StorePlan plan{.table = 0, .table_bytes = 16, .first_unit = 16, .unit_bytes = 8, .units = 16};
  const std::vector<KnownObject> objects{{16, 8}, {16 + 4 * 8, 30}};
  std::vector<std::uint8_t> store(16 + 16 * 8);
  store[0] = 1;
  store[4] = 3;  // four units, order 2
  EXPECT_EQ(store_table_fault(plan, Kind::buddy, store, objects), std::nullopt);
  EXPECT_NE(store_table_fault(plan, Kind::linked_list, store, objects), std::nullopt) << "three units only";
  store[4] = 0;
  store[6] = 3;
  EXPECT_NE(store_table_fault(plan, Kind::buddy, store, {{16, 8}, {16 + 6 * 8, 30}}), std::nullopt)
      << "not at a multiple of its size";
  store[6] = 0;
  store[0] = 0b0001'0001;
  EXPECT_EQ(store_table_fault(plan, Kind::block, store, {{16, 8}, {16 + 4 * 8, 8}}), std::nullopt);
  EXPECT_NE(store_table_fault(plan, Kind::block, store, objects), std::nullopt) << "larger than a block";
  EXPECT_NE(store_table_fault(plan, Kind::block, store, {{16, 8}}), std::nullopt) << "leak";
}

TEST(Outage, LiveBytesMustBeEqualAndOthersMayDiffer) {
  Handmade made;
  const auto inspector = made.inspector();
  const std::vector<std::byte> before(made.ram().begin(), made.ram().end());
  for (std::size_t i = 0; i < before.size(); ++i) {
    std::vector<std::byte> after = before;
    after[i] ^= std::byte{0x40};
    const bool sequence = i < heap::kSavedControlOffset;
    const std::size_t loading = (made.first + 6) * heap::kGranule;
    const bool in_loading = i >= loading && i < loading + 16;
    const std::size_t free_1 = made.control().free_head * heap::kGranule;
    const std::size_t free_2 = made.free_block(made.control().free_head).next * heap::kGranule;
    const bool in_free = (i >= free_1 + 4 && i < free_1 + 16) || i >= free_2 + 4;
    const bool may_differ = sequence || in_loading || in_free;
    EXPECT_EQ(inspector->outage_changed(before, after, made.objects).has_value(), !may_differ)
        << "offset " << i;
  }
}

// An object of 48 B, dirty in parts: the second of its blocks. Before it has been made its content is nothing
// yet.
TEST(Outage, OfAnObjectThatIsBeingMadeTheBitsAreLive) {
  Handmade made;
  Slot& slot = made.slot(made.free_slot());
  const std::uint32_t home = made.geometry.store.first_unit + 512;
  const std::uint32_t block = made.first + 20;
  slot = Slot::of(made.geometry, home, block, 7, true, Slot::kWriter);
  slot.set_dirty(true);
  made.ram()[(block + 6) * heap::kGranule] = std::byte{0x02};
  const auto inspector = made.inspector();
  const std::vector<std::byte> before(made.ram().begin(), made.ram().end());
  std::vector<KnownObject> with = made.objects;
  with.push_back({home, 48});
  for (std::size_t i = 0; i < 56; ++i) {
    std::vector<std::byte> after = before;
    after[block * heap::kGranule + i] ^= std::byte{0x40};
    EXPECT_EQ(inspector->outage_changed(before, after, made.objects).has_value(), i >= 48) << "byte " << i;
    EXPECT_TRUE(inspector->outage_changed(before, after, with).has_value()) << "byte " << i;
  }
}

TEST(Shadow, FindsWhatDiffersInRamAndInTheStore) {
  Handmade made;
  const auto inspector = made.inspector();
  Shadow shadow;
  for (std::uint32_t i = 0; i < made.objects.size(); ++i) shadow.make(made.objects[i].home, 16, i);
  const auto differs = [&] {
    return shadow.differs_anywhere(*inspector, made.ram(), made.store).has_value();
  };
  EXPECT_FALSE(differs());
  const std::size_t in_ram = (made.first + 2) * heap::kGranule + 3;
  made.ram()[in_ram] = std::byte{1};
  EXPECT_TRUE(differs()) << "resident";
  made.ram()[in_ram] = std::byte{0};
  made.store[made.objects[1].home + 3] = 1;
  EXPECT_FALSE(differs()) << "the home of a resident object is not what is read";
  made.store[made.objects[3].home + 3] = 1;
  EXPECT_TRUE(differs()) << "not resident";
  made.store[made.objects[3].home + 3] = 0;
  made.store[made.objects[2].home + 15] = 1;
  EXPECT_TRUE(differs()) << "loading";
}

TEST(Shadow, FindsWhatAReadGotWrong) {
  Shadow shadow;
  shadow.make(64, 4, 9);
  const std::byte value[4] = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  shadow.change(64, 0, {value, 4});
  EXPECT_EQ(shadow.differs(64, {value, 4}), std::nullopt);
  const std::byte other[4] = {std::byte{1}, std::byte{2}, std::byte{0}, std::byte{4}};
  EXPECT_NE(shadow.differs(64, {other, 4}), std::nullopt);
  EXPECT_NE(shadow.differs(72, {value, 4}), std::nullopt);
}

}  // namespace
}  // namespace brownout::sim
