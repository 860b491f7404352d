#include "checks.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace brownout::heap::testing::model {
namespace {

constexpr std::uint32_t kWriter = 15;
constexpr std::uint32_t kDirtyBlock = 32;  // bytes that share a dirty bit

std::uint32_t round_up(std::uint32_t n, std::uint32_t unit) { return (n + unit - 1) / unit * unit; }

// Granules of data, if so many granules hold data and a bit for each 32 B of it.
std::uint32_t data_of(std::uint32_t granules) {
  std::uint32_t data = granules;
  while (data > 0 && data + round_up(data, 256) / 256 > granules) --data;
  return data;
}

bool may_be_flushed(const SlotView& slot) { return slot.used && slot.dirty && slot.borrows != kWriter; }

}  // namespace

std::uint32_t Checker::block_granules(std::uint32_t size_bytes, bool partial) {
  const std::uint32_t data = std::max(1U, round_up(size_bytes, 8) / 8);
  const std::uint32_t needed = data + (partial ? round_up(data, 256) / 256 : 0);
  if (!heap_.modules.compact) return needed;
  const std::uint32_t leaf = heap_.geometry().leaf_granules;
  return leaf * std::bit_ceil(round_up(needed, leaf) / leaf);
}

std::uint32_t Checker::home_bytes(std::uint32_t size_bytes, bool partial) {
  if (heap_.modules.compact) return block_granules(size_bytes, partial) * 8;
  return std::max(8U, round_up(size_bytes, 8));
}

std::uint32_t Checker::empty_image_bytes() {
  const std::uint32_t bitmap = round_up(heap_.geometry().config.max_residents, 64) / 8;
  return 32 + 24 + 8 + bitmap * (heap_.modules.referenced_bits() ? 2U : 1U);
}

std::uint32_t Checker::dirty_cost(const ModelObject& object, std::uint32_t first, std::uint32_t count) {
  const bool partial = object.handle.partial();
  const std::uint32_t block = block_granules(object.size(), partial);
  if (!partial) return block * 8;
  const std::uint32_t data = data_of(block);
  std::uint32_t bytes = (block - data) * 8;
  for (std::uint32_t at = first / kDirtyBlock; at * kDirtyBlock < first + count; ++at) {
    bytes += std::min(kDirtyBlock, data * 8 - at * kDirtyBlock);
  }
  return bytes;
}

const std::vector<SlotView>& Checker::decode() {
  control_ = heap_.control();
  heap_.decode_slots(slots_);
  return slots_;
}

void Checker::check_all() {
  decode();
  check_slots();
  check_ram();
  check_chains();
  check_image();
  check_records();
  check_stored();
  check_table();
  check_held();
}

// Each resident object once, as it is in the model, and no others.
void Checker::check_slots() {
  std::uint32_t used = 0;
  for (const SlotView& slot : slots_) {
    if (!slot.used) {
      require(slot.borrows == 0 && !slot.dirty, "a free slot that is dirty or borrowed");
      continue;
    }
    ++used;
    const auto found = model_.by_home.find(slot.home);
    require(found != model_.by_home.end(), "the object at ", slot.home, " is resident, but there is none");
    check_object(slot, *found->second);
  }
  require(used == control_.residents, used, " residents, counted as ", control_.residents);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    for (std::size_t j = i + 1; slots_.size() <= 64 && j < slots_.size(); ++j) {
      require(!slots_[i].used || !slots_[j].used || slots_[i].home != slots_[j].home, "the object at ",
              slots_[i].home, " is resident twice");
    }
  }
}

void Checker::check_object(const SlotView& slot, const ModelObject& object) {
  const bool partial = object.handle.partial();
  require(slot.partial == partial, "the object at ", slot.home, " is taken for one of the other dirtiness");
  require(slot.granules == block_granules(object.size(), partial), "the object at ", slot.home, " has ",
          slot.granules, " granules");
  const std::uint32_t borrows = object.writer ? kWriter : object.readers;
  require(slot.borrows == borrows, "the object at ", slot.home, " has ", slot.borrows, " borrows, not ",
          borrows);
  require(slot.dirty || slot.borrows != kWriter, "the object at ", slot.home, " has a writer and is clean");
  if (object.borrowed()) {
    require(heap_.granule(slot.block) == object.lent, "the object at ", slot.home, " was moved while lent");
  }
  check_data(slot, object);
}

// RAM says what the model says; what is clean is at home.
void Checker::check_data(const SlotView& slot, const ModelObject& object) {
  const std::uint32_t size = object.size();
  const std::byte* data = heap_.granule(slot.block);
  const auto [wrong, expected] = std::mismatch(data, data + size, object.content.begin());
  if (wrong != data + size) {
    const auto at = wrong - data;
    fail("the object at ", slot.home, " is wrong in RAM from byte ", at, " of ", size);
  }
  const std::byte* home = heap_.store.memory.data() + slot.home;
  if (!slot.dirty) {
    require(std::memcmp(home, data, size) == 0, "the object at ", slot.home,
            " is clean but differs from home");
  }
  if (!slot.partial) return;
  const std::uint32_t granules = data_of(slot.granules);
  for (std::uint32_t block = 0; block * kDirtyBlock < granules * 8; ++block) {
    const bool dirty = block_is_dirty(slot, granules, block);
    require(slot.dirty || !dirty, "the object at ", slot.home, " is clean but block ", block, " is dirty");
    const std::uint32_t begin = block * kDirtyBlock;
    if (dirty || begin >= size) continue;
    require(std::memcmp(home + begin, data + begin, std::min(kDirtyBlock, size - begin)) == 0, "block ",
            block, " of the object at ", slot.home, " is clean but differs from home");
  }
}

bool Checker::block_is_dirty(const SlotView& slot, std::uint32_t data_granules, std::uint32_t block) {
  const std::byte* bits = heap_.granule(slot.block + data_granules);
  return (static_cast<std::uint32_t>(bits[block / 8]) >> block % 8 & 1U) != 0;
}

std::uint32_t Checker::rounded_block(std::uint32_t granules) {
  if (heap_.modules.ram == RamKind::linked_list) return granules;
  return std::max(heap_.geometry().leaf_granules, std::bit_ceil(granules));
}

std::vector<Checker::Run> Checker::free_runs() {
  std::vector<Run> runs;
  const std::uint32_t first = heap_.geometry().first_granule();
  const std::uint32_t end = first + heap_.geometry().object_granules();
  for (std::uint32_t at = control_.free_head; at != 0;) {
    require(at >= first && at < end && (runs.empty() || at >= runs.back().end), "the free list is broken");
    FreeBlock block;
    std::memcpy(&block, heap_.granule(at), sizeof block);
    require(block.granules > 0, "a free block of nothing");
    runs.push_back({at, std::uint32_t{at} + block.granules, true});
    at = block.next;
  }
  return runs;
}

// Blocks and free blocks lie next to each other from the first granule to the last.
void Checker::check_ram() {
  std::vector<Run> runs = free_runs();
  check_free_runs(runs);
  for (const SlotView& slot : slots_) {
    if (slot.used) runs.push_back({slot.block, slot.block + rounded_block(slot.granules), false});
  }
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.begin < b.begin; });
  std::uint32_t at = heap_.geometry().first_granule();
  for (const Run& run : runs) {
    require(run.begin == at, run.begin < at ? "blocks overlap" : "granules are lost", " at granule ", at);
    at = run.end;
  }
  require(at == heap_.geometry().first_granule() + heap_.geometry().object_granules(),
          "the blocks end at granule ", at);
}

// Joined as far as the allocator joins.
void Checker::check_free_runs(const std::vector<Run>& free_runs) {
  std::uint32_t granules = 0;
  for (const Run& run : free_runs) granules += run.end - run.begin;
  require(granules == control_.free_granules, granules, " free granules, counted as ",
          control_.free_granules);
  const std::uint32_t first = heap_.geometry().first_granule();
  for (std::size_t i = 0; i < free_runs.size(); ++i) {
    const Run& run = free_runs[i];
    const Run* next = i + 1 < free_runs.size() ? &free_runs[i + 1] : nullptr;
    if (heap_.modules.ram == RamKind::linked_list) {
      require(next == nullptr || next->begin > run.end, "free neighbours at ", run.end);
      continue;
    }
    const std::uint32_t size = run.end - run.begin;
    require(std::has_single_bit(size) && (run.begin - first) % size == 0, "a free block that is no buddy");
    const bool lower = (run.begin - first) % (2 * size) == 0;
    require(next == nullptr || !lower || next->begin != run.end || next->end - next->begin != size,
            "free buddies at ", run.begin);
  }
}

// From the main position of each resident object a chain leads to it, in ascending order.
void Checker::check_chains() {
  const auto slots = static_cast<std::uint32_t>(slots_.size());
  std::vector<bool> reached(slots);
  const auto main_of = [&](const SlotView& slot) {
    return (static_cast<std::uint32_t>(slot.key) * 40503U % 65536U) * slots / 65536U;
  };
  for (std::uint32_t head = 0; head < slots; ++head) {
    const SlotView& first = slots_[head];
    if (!first.used) {
      require(first.next == head, "free slot ", head, " leads on");
      continue;
    }
    if (main_of(first) != head) continue;
    std::uint32_t before = head;
    for (std::uint32_t at = head;;) {
      require(slots_[at].used && main_of(slots_[at]) == head, "slot ", at, " is in the wrong chain");
      reached[at] = true;
      const std::uint32_t next = slots_[at].next;
      require(next < slots, "slot ", at, " leads nowhere");
      if (next == at) break;
      require(at == head ? next != head : next > before, "the chain of slot ", head, " does not ascend");
      before = next;
      at = next;
    }
  }
  for (std::uint32_t at = 0; at < slots; ++at) {
    require(!slots_[at].used || reached[at], "slot ", at, " cannot be reached");
  }
}

bool Checker::listed(const SlotView& slot) const {
  if (heap_.modules.compact) return slot.used;
  if (!slot.used) return slot.record == Record::other;
  return slot.dirty || slot.borrows != 0 || slot.record != Record::same;
}

std::uint32_t Checker::dirty_bytes(const SlotView& slot) {
  if (!slot.used || !slot.dirty) return 0;
  if (!slot.partial) return slot.granules * 8;
  const std::uint32_t data = data_of(slot.granules);
  std::uint32_t bytes = (slot.granules - data) * 8;
  for (std::uint32_t block = 0; block * kDirtyBlock < data * 8; ++block) {
    if (block_is_dirty(slot, data, block)) bytes += std::min(kDirtyBlock, data * 8 - block * kDirtyBlock);
  }
  return bytes;
}

std::uint32_t Checker::dirty_runs(const SlotView& slot) {
  if (!slot.dirty || !slot.partial) return 0;
  const std::uint32_t data = data_of(slot.granules);
  std::uint32_t runs = 0;
  bool before = false;
  for (std::uint32_t block = 0; block * kDirtyBlock < data * 8; ++block) {
    const bool dirty = block_is_dirty(slot, data, block);
    if (dirty && !before) ++runs;
    before = dirty;
  }
  return runs;
}

std::uint32_t Checker::recount() {
  std::uint32_t bytes = empty_image_bytes();
  for (const SlotView& slot : slots_) {
    if (listed(slot)) bytes += heap_.modules.slot_bytes();
    bytes += dirty_bytes(slot);
  }
  return bytes;
}

void Checker::check_image() {
  const std::uint32_t bytes = recount();
  require(bytes == control_.image_bytes, "an image has ", bytes, " B, counted as ", control_.image_bytes);
  require(bytes <= heap_.config.dirty_limit_bytes, "an image of ", bytes, " B is beyond the limit");
  require(heap_.checkpoint_bytes() == bytes, "checkpoint_bytes() says ", heap_.checkpoint_bytes());
}

// What slots say of their records is true.
void Checker::check_records() {
  if (heap_.modules.compact) return;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    const SlotView& slot = slots_[i];
    require(slot.used || slot.record != Record::same, "free slot ", i, " takes its record for its own");
    if (slot.record == Record::other) continue;
    const SlotView record = heap_.decode_record(i);
    if (slot.record == Record::vacant) {
      require(!record.used, "the record of slot ", i, " is not vacant");
    } else {
      require(record.used && record.home == slot.home && record.block == slot.block &&
                  record.granules == slot.granules && record.partial == slot.partial,
              "the record of slot ", i, " is not the same");
    }
  }
}

// What is not resident is at home.
void Checker::check_stored() {
  for (const auto& object : model_.objects) object->now = {};
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    const SlotView& slot = slots_[i];
    if (!slot.used) continue;
    model_.by_home.at(slot.home)->now = {
        .resident = true, .dirty = slot.dirty, .slot = i, .dirty_runs = dirty_runs(slot)};
  }
  for (const auto& object : model_.objects) {
    if (object->now.resident) continue;
    require(!object->borrowed(), "the object at ", object->home, " is lent but not resident");
    require(
        std::equal(object->content.begin(), object->content.end(), heap_.store.memory.begin() + object->home),
        "the object at ", object->home, " is wrong at home");
  }
}

// ---- The store's table

std::uint32_t Checker::home_units(std::uint32_t bytes) {
  const std::uint32_t unit = heap_.geometry().store.unit_bytes;
  const std::uint32_t units = round_up(bytes, unit) / unit;
  switch (heap_.modules.store) {
    case StoreKind::block: return 1;
    case StoreKind::buddy: return std::bit_ceil(units);
    case StoreKind::linked_list: break;
  }
  if (units < 128) return units;
  std::uint32_t eighth = 16;  // from 128 on lengths come in eighths of a power of two
  while (units > 15 * eighth) eighth *= 2;
  return round_up(units, eighth);
}

// Units that begin at a table byte.
std::uint32_t Checker::run_units(std::uint8_t code) const {
  if (heap_.modules.store == StoreKind::buddy) {
    require(code <= 17, "table byte ", int{code}, " is no order");
    return 1U << (code - 1U);
  }
  if (code < 128) return code;
  return (8U + (code - 128U) % 8U) << ((code - 128U) / 8U + 4U);
}

// A byte whose write failed counts as what it will be written to.
std::uint8_t Checker::table_byte(std::uint32_t index) {
  const std::uint32_t address = heap_.geometry().store.table + index;
  if (control_.repair_at == address) return control_.repair_value;
  return static_cast<std::uint8_t>(heap_.store.memory[address]);
}

std::vector<Checker::Run> Checker::table_runs() {
  const StorePlan& plan = heap_.geometry().store;
  std::vector<Run> runs;
  if (heap_.modules.store == StoreKind::block) {
    for (std::uint32_t index = 0; index < plan.table_bytes; ++index) {
      for (std::uint32_t bits = table_byte(index); bits != 0; bits &= bits - 1) {
        const std::uint32_t unit = index * 8 + static_cast<std::uint32_t>(std::countr_zero(bits));
        runs.push_back({unit, unit + 1});
      }
    }
    return runs;
  }
  for (std::uint32_t unit = 0; unit < plan.units;) {
    const std::uint8_t code = table_byte(unit);
    const std::uint32_t units = code == 0 ? 0 : run_units(code);
    if (code != 0) runs.push_back({unit, unit + units});
    unit += std::max(1U, units);
  }
  return runs;
}

// The table allocates the homes of the model, and nothing else.
void Checker::check_table() {
  const StorePlan& plan = heap_.geometry().store;
  const std::vector<Run> runs = table_runs();
  std::size_t at = 0;
  std::uint32_t end = 0;
  for (const auto& [home, object] : model_.by_home) {
    const std::uint32_t offset = home - plan.first_unit;
    require(home >= plan.first_unit && offset % plan.unit_bytes == 0, "home ", home, " is at no unit");
    const std::uint32_t unit = offset / plan.unit_bytes;
    const std::uint32_t units = home_units(home_bytes(object->size(), object->handle.partial()));
    require(unit >= end && unit + units <= plan.units, "homes overlap, or reach beyond the store: ", home);
    end = unit + units;
    require(at < runs.size() && runs[at].begin >= unit, "unit ", at < runs.size() ? runs[at].begin : 0,
            " is allocated, but nothing has its home there");
    require(runs[at].begin == unit && runs[at].end == end, "the table does not have home ", home);
    ++at;
  }
  require(at == runs.size(), at < runs.size() ? runs[at].begin : 0U, ": a unit is allocated to nobody");
}

void Checker::check_held() {
  for (const HeldReference& held : model_.held) {
    require(held.lease.data == held.object->lent + held.begin, "a reference leads elsewhere");
  }
}

// ---- Errors

void Checker::judge(Error error, const Attempt& attempt, bool fault_fired, bool struck) {
  if (attempt.must) {
    require(error == *attempt.must, "the answer was ", name_of(error), ", not ", name_of(*attempt.must));
    return;
  }
  if (error != Error::none) decode();
  switch (error) {
    case Error::none:
      // An interrupted transfer is repeated, whatever became of it.
      require(!fault_fired || struck, "a storage error was not reported");
      require(!attempt.must_fail, "succeeded in spite of a borrow");
      return;
    case Error::storage_failed: require(fault_fired, "storage_failed without an error"); return;
    case Error::borrowed: require(attempt.must_fail, "borrowed without a borrow"); return;
    case Error::no_ram: no_room_in_ram(attempt); return;
    case Error::no_slot: no_slot(attempt); return;
    case Error::dirty_limit: no_room_in_image(attempt); return;
    case Error::no_storage: no_place_in_store(attempt); return;
    default: fail("an answer that cannot be: ", name_of(error));
  }
}

bool Checker::is_target(const Attempt& attempt, const SlotView& slot) {
  return std::find(attempt.targets.begin(), attempt.targets.end(), slot.home) != attempt.targets.end();
}

// All that may be unloaded is, and still no free block is large enough.
void Checker::no_room_in_ram(const Attempt& attempt) {
  require(attempt.block_granules > 0, "no_ram, but nothing was brought in");
  for (const SlotView& slot : slots_) {
    require(!slot.used || slot.borrows > 0 || is_target(attempt, slot), "no_ram, but the object at ",
            slot.home, " can be unloaded");
  }
  const std::uint32_t size = rounded_block(attempt.block_granules);
  for (const Run& run : free_runs()) {
    require(run.end - run.begin < size, "no_ram, but there is a free block at ", run.begin);
  }
}

void Checker::no_slot(const Attempt& attempt) {
  require(attempt.block_granules > 0, "no_slot, but nothing was brought in");
  for (const SlotView& slot : slots_) {
    require(slot.used, "no_slot, but one is free");
    require(slot.borrows > 0 || is_target(attempt, slot), "no_slot, but the object at ", slot.home,
            " can be unloaded");
  }
}

// Nothing is left that would make an image smaller, and still there is not room enough.
void Checker::no_room_in_image(const Attempt& attempt) {
  for (const SlotView& slot : slots_) {
    if (slot.used && is_target(attempt, slot)) continue;
    require(!may_be_flushed(slot), "dirty_limit, but the object at ", slot.home, " can be flushed");
    if (heap_.modules.compact) {
      require(!slot.used || slot.borrows > 0, "dirty_limit, but the object at ", slot.home,
              " can be unloaded");
    } else {
      require(!listed(slot) || (slot.used && (slot.dirty || slot.borrows > 0)),
              "dirty_limit, but a slot can be recorded");
    }
  }
  require(recount() + attempt.extra_bytes > heap_.config.dirty_limit_bytes, "dirty_limit, but ", recount(),
          " B and ", attempt.extra_bytes, " B are within it");
}

void Checker::no_place_in_store(const Attempt& attempt) {
  require(attempt.home_bytes > 0, "no_storage, but no place is needed");
  const StorePlan& plan = heap_.geometry().store;
  std::vector<bool> used(plan.units);
  for (const Run& run : table_runs()) {
    for (std::uint32_t unit = run.begin; unit < run.end; ++unit) used.at(unit) = true;
  }
  const std::uint32_t units = home_units(attempt.home_bytes);
  const std::uint32_t step = heap_.modules.store == StoreKind::buddy ? units : 1;
  std::uint32_t run = 0;
  for (std::uint32_t unit = 0; unit < plan.units; ++unit) {
    if (unit % step == 0 && step > 1) run = 0;
    run = used[unit] ? 0 : run + 1;
    require(run < units, "no_storage, but there is a place before unit ", unit + 1);
  }
}

// ---- Restore

void Checker::compare_restored(const std::vector<std::byte>& before) {
  Control old;
  std::memcpy(&old, before.data(), sizeof old);
  const std::vector<std::byte> after(heap_.ram(), heap_.ram() + heap_.config.ram_bytes);
  std::memcpy(heap_.ram(), before.data(), before.size());
  const std::vector<SlotView> old_slots = decode();
  std::memcpy(heap_.ram(), after.data(), after.size());
  decode();
  require(std::memcmp(before.data() + kSavedControlOffset, after.data() + kSavedControlOffset,
                      kSavedControlBytes) == 0,
          "the control block was not restored");
  const auto same = [&](std::uint32_t begin_granule, std::uint32_t size_bytes) {
    return std::memcmp(before.data() + begin_granule * 8, after.data() + begin_granule * 8, size_bytes) == 0;
  };
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    const SlotView& slot = slots_[i];
    require(slot == old_slots[i], "slot ", i, " was not restored");
    const bool loading = !slot.dirty && slot.borrows == kWriter;
    if (!slot.used || loading) continue;
    std::uint32_t size_bytes = slot.granules * 8;
    if (slot.partial) {
      // What lies behind an object's end is not written home.
      const auto found = model_.by_home.find(slot.home);
      const std::uint32_t data = data_of(slot.granules);
      require(same(slot.block + data, (slot.granules - data) * 8), "dirty bits at ", slot.home,
              " were not restored");
      size_bytes = found != model_.by_home.end() ? found->second->size() : 0;
    }
    require(same(slot.block, size_bytes), "the object at ", slot.home, " was not restored");
  }
  for (const Run& run : free_runs()) {
    require(same(run.begin, sizeof(FreeBlock)), "the free list was not restored");
  }
}

}  // namespace brownout::heap::testing::model
