// The verifier itself: each check is shown a sound state, and then the fault that it is there for.
#include "sim/verify/state.hpp"

#include <cstring>
#include <functional>

#include <gtest/gtest.h>

#include "heap/memory/linked_list_store.hpp"
#include "sim/verify/shadow.hpp"

namespace brownout::sim {
namespace {

// A heap's RAM and store made by hand: three objects, one of them dirty, one loading.
struct Handmade {
  Handmade() {
    EXPECT_EQ(heap::Geometry::plan({.ram_bytes = 512, .dirty_limit_bytes = 256, .max_residents = 4}, 8192,
                                   geometry),
              heap::Error::none);
    const std::uint32_t first = geometry.objects_offset / heap::kGranule;
    const heap::StorePlan plan = heap::StorePlan::of(geometry.store_base, geometry.store_end);
    const auto home = [&](std::uint32_t unit) { return plan.first_unit + unit * plan.unit_bytes; };
    for (const std::uint32_t unit : {0U, 2U, 4U, 6U}) {
      store[plan.table + unit] = 2;
      homes.push_back(home(unit));
    }
    slot(0) = {home(0) | heap::Slot::kDirty, static_cast<std::uint16_t>(first), 2};
    slot(1) = {home(2), static_cast<std::uint16_t>(first + 2), 2};
    slot(2) = {home(4) | heap::Slot::kLoading, static_cast<std::uint16_t>(first + 6), 2};
    free_block(first + 4) = {static_cast<std::uint16_t>(first + 8), 2};
    free_block(first + 8) = {0, static_cast<std::uint16_t>(512 / heap::kGranule - first - 8)};
    control().free_head = static_cast<std::uint16_t>(first + 4);
    control().slots_used = 3;
    control().slot_high = 3;
    control().dirty_bytes = 16;
    for (std::uint32_t i = 0; i < geometry.buckets; ++i) bucket(i) = heap::kNone;
    for (std::uint32_t i = 4; i-- > 0;) {
      chain(i) = heap::kNone;
      if (!slot(i).used()) continue;
      std::uint16_t& head = bucket(geometry.bucket_of(slot(i).home()));
      chain(i) = head;
      head = static_cast<std::uint16_t>(i);
    }
  }
  std::span<std::byte> ram() { return {reinterpret_cast<std::byte*>(words.data()), 512}; }
  heap::Control& control() { return *reinterpret_cast<heap::Control*>(ram().data()); }
  heap::Slot& slot(std::uint32_t i) {
    return reinterpret_cast<heap::Slot*>(ram().data() + geometry.slots_offset)[i];
  }
  std::uint16_t& chain(std::uint32_t i) {
    return reinterpret_cast<std::uint16_t*>(ram().data() + geometry.chain_offset)[i];
  }
  std::uint16_t& bucket(std::uint32_t i) {
    return reinterpret_cast<std::uint16_t*>(ram().data() + geometry.bucket_offset)[i];
  }
  heap::FreeBlock& free_block(std::uint32_t granule) {
    return *reinterpret_cast<heap::FreeBlock*>(ram().data() + granule * heap::kGranule);
  }
  std::optional<std::string> fault() { return structure_fault(geometry, ram(), store, homes); }

  heap::Geometry geometry;
  std::vector<std::uint64_t> words = std::vector<std::uint64_t>(64);
  std::vector<std::uint8_t> store = std::vector<std::uint8_t>(8192);
  std::vector<std::uint32_t> homes;
};

TEST(Structure, SoundStateHasNoFault) {
  Handmade made;
  EXPECT_EQ(made.fault(), std::nullopt);
}

TEST(Structure, EachFaultIsFound) {
  const std::pair<const char*, std::function<void(Handmade&)>> faults[] = {
      {"dirty count", [](Handmade& m) { m.control().dirty_bytes = 8; }},
      {"slot count", [](Handmade& m) { m.control().slots_used = 2; }},
      {"slot high", [](Handmade& m) { m.control().slot_high = 4; }},
      {"overlap", [](Handmade& m) { m.slot(1).block = m.slot(0).block; }},
      {"block outside RAM", [](Handmade& m) { m.slot(1).block = 63; }},
      {"leak in RAM", [](Handmade& m) { m.free_block(m.control().free_head).granules = 1; }},
      {"free list cut", [](Handmade& m) { m.free_block(m.control().free_head).next = 0; }},
      {"free list not joined",
       [](Handmade& m) {
         const std::uint16_t tail = m.free_block(m.control().free_head).next;
         m.free_block(tail + 3U) = {0, static_cast<std::uint16_t>(m.free_block(tail).granules - 3)};
         m.free_block(tail) = {static_cast<std::uint16_t>(tail + 3), 3};
       }},
      {"free block in use", [](Handmade& m) { m.control().free_head = m.slot(0).block; }},
      {"limit", [](Handmade& m) { m.geometry.config.dirty_limit_bytes = 80; }},
      {"slot missing in the index",
       [](Handmade& m) { m.bucket(m.geometry.bucket_of(m.slot(0).home())) = heap::kNone; }},
      {"free slot in the index", [](Handmade& m) { m.chain(2) = 3; }},
      {"chain that goes back", [](Handmade& m) { m.chain(2) = 0; }},
      {"index beyond the slots", [](Handmade& m) { m.chain(2) = 9; }},
      {"leak in the store", [](Handmade& m) { m.homes.pop_back(); }},
      {"object without storage",
       [](Handmade& m) {
         m.store[heap::StorePlan::of(m.geometry.store_base, m.geometry.store_end).table] = 0;
       }},
      {"run beyond the end",
       [](Handmade& m) {
         const auto plan = heap::StorePlan::of(m.geometry.store_base, m.geometry.store_end);
         m.store[plan.table + plan.units - 1] = 5;
       }},
  };
  for (const auto& [name, plant] : faults) {
    Handmade made;
    plant(made);
    EXPECT_NE(made.fault(), std::nullopt) << name;
  }
}

TEST(Outage, LiveBytesMustBeEqualAndOthersMayDiffer) {
  Handmade made;
  const std::vector<std::byte> before(made.ram().begin(), made.ram().end());
  for (std::size_t i = 0; i < before.size(); ++i) {
    std::vector<std::byte> after = before;
    after[i] ^= std::byte{0x40};
    const bool sequence = i < 8;
    const bool gap = i >= sizeof(heap::Control) && i < made.geometry.slots_offset;
    const bool pad =
        i >= made.geometry.bucket_offset + made.geometry.buckets * 2 && i < made.geometry.objects_offset;
    const std::size_t loading = made.slot(2).ram_offset();
    const bool in_loading = i >= loading && i < loading + 16;
    const std::size_t free_1 = made.control().free_head * heap::kGranule;
    const std::size_t free_2 = made.free_block(made.control().free_head).next * heap::kGranule;
    const bool in_free = (i >= free_1 + 4 && i < free_1 + 16) || i >= free_2 + 4;
    const bool may_differ = sequence || gap || pad || in_loading || in_free;
    EXPECT_EQ(outage_changed(made.geometry, before, after).has_value(), !may_differ) << "offset " << i;
  }
}

TEST(Shadow, FindsWhatDiffersInRamAndInTheStore) {
  Handmade made;
  Shadow shadow;
  for (std::uint32_t i = 0; i < made.homes.size(); ++i) shadow.make(made.homes[i], 16, i);
  EXPECT_EQ(shadow.differs_anywhere(made.geometry, made.ram(), made.store), std::nullopt);
  made.ram()[made.slot(1).ram_offset() + 3] = std::byte{1};
  EXPECT_NE(shadow.differs_anywhere(made.geometry, made.ram(), made.store), std::nullopt) << "resident";
  made.ram()[made.slot(1).ram_offset() + 3] = std::byte{0};
  made.store[made.homes[1] + 3] = 1;
  EXPECT_EQ(shadow.differs_anywhere(made.geometry, made.ram(), made.store), std::nullopt)
      << "the home of a resident object is not what is read";
  made.store[made.homes[3] + 3] = 1;
  EXPECT_NE(shadow.differs_anywhere(made.geometry, made.ram(), made.store), std::nullopt) << "not resident";
  made.store[made.homes[3] + 3] = 0;
  made.store[made.homes[2] + 15] = 1;
  EXPECT_NE(shadow.differs_anywhere(made.geometry, made.ram(), made.store), std::nullopt) << "loading";
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
