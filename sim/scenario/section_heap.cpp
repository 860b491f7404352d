// Sections `heap`, `workload` and `stop`.
#include <array>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "heap/layout.hpp"
#include "sim/scenario/choices.hpp"
#include "sim/scenario/custom_workloads.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::array<std::string_view, 14> kHeapKeys{
    "ram",          "dirty_limit", "max_residents", "store", "store_unit", "memory",        "ram_allocator",
    "nv_allocator", "policy",      "slots",         "page",  "roots",      "write_intents", "checksum"};
constexpr std::array<std::string_view, 4> kCounterKeys{"kind", "objects", "size", "compute_cycles"};
constexpr std::array<std::string_view, 5> kQueueKeys{"kind", "length", "item_bytes", "iterations",
                                                     "compute_cycles"};
constexpr std::array<std::string_view, 6> kKvsKeys{"kind",   "keys",       "sizes",
                                                   "counts", "iterations", "compute_cycles"};
constexpr std::array<std::string_view, 2> kCustomKeys{"kind", "name"};
constexpr std::array<std::string_view, 15> kWorkloadKeys{
    "kind",       "objects",        "size",   "length", "item_bytes", "keys", "sizes", "counts",
    "iterations", "compute_cycles", "arrays", "lists",  "setup",      "loop", "name"};
constexpr std::array<std::string_view, 2> kStopKeys{"time", "operations"};

// Indices in kWorkloadKinds; script is the rest.
constexpr std::size_t kCounter = 0;
constexpr std::size_t kQueue = 1;
constexpr std::size_t kKvs = 2;
constexpr std::size_t kCustom = 4;

constexpr std::uint64_t kKibi = 1'024;
constexpr WholeLimits kRamLimits{256, 512 * kKibi};
constexpr WholeLimits kDirtyLimits{1, 512 * kKibi};
constexpr WholeLimits kResidentLimits{1, 4'096};
constexpr WholeLimits kStoreLimits{1, 16 * kKibi* kKibi};
constexpr WholeLimits kStoreUnitLimits{8, 16 * kKibi};
constexpr WholeLimits kPageLimits{32, 512};
constexpr WholeLimits kRootLimits{0, heap::kMaxRoots};
constexpr WholeLimits kComputeLimits{0, 1'000'000'000};
constexpr WholeLimits kObjectLimits{1, 4'000};
constexpr WholeLimits kObjectSizeLimits{4, 16'376};
constexpr WholeLimits kLengthLimits{0, 4'000};
constexpr WholeLimits kItemLimits{4, 16'000};
constexpr WholeLimits kIterationLimits{1, 1'000'000'000};
constexpr WholeLimits kKvsSizeLimits{1, 16'376};
constexpr WholeLimits kKvsCountLimits{0, firmware::kKvsObjects};
constexpr WholeLimits kOperationLimits{1, std::numeric_limits<std::uint64_t>::max()};
constexpr TimeLimits kStopTimeLimits{{1}, kLongestTime};

// The choice that a key names; the first one if it is left out.
template <class Choice>
Choice choice_of(const Section& section, std::string_view key, std::span<const std::string_view> choices) {
  const auto found = section.find(key);
  return static_cast<Choice>(found ? read_choice(*found, choices) : 0);
}

void read_u32(const Section& section, std::string_view key, WholeLimits limits, std::uint32_t& value) {
  if (const auto found = section.find(key)) value = static_cast<std::uint32_t>(read_count(*found, limits));
}

CounterConfig read_counter(const Section& section) {
  CounterConfig counter;
  read_u32(section, "objects", kObjectLimits, counter.objects);
  if (const auto size = section.find("size")) counter.size_bytes = read_bytes(*size, kObjectSizeLimits);
  read_u32(section, "compute_cycles", kComputeLimits, counter.compute_cycles);
  return counter;
}

QueueConfig read_queue(const Section& section) {
  QueueConfig queue;
  read_u32(section, "length", kLengthLimits, queue.length);
  if (const auto size = section.find("item_bytes"))
    queue.item_bytes = read_bytes_or_count(*size, kItemLimits);
  read_u32(section, "iterations", kIterationLimits, queue.iterations);
  read_u32(section, "compute_cycles", kComputeLimits, queue.compute_cycles);
  return queue;
}

// How many objects there are of each size.
void read_kvs_counts(const Section& section, const Found& counts, KvsConfig& kvs) {
  const std::vector<Found> items = section.items(counts, kvs.counts.size(), kvs.counts.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    kvs.counts[i] = static_cast<std::uint32_t>(read_count(items[i], kKvsCountLimits));
  }
  if (kvs.objects() == 0 || kvs.objects() > firmware::kKvsObjects) {
    counts.fail_at_key(fmt::format("the counts add up to {}; they have to make 1 to {}", kvs.objects(),
                                   firmware::kKvsObjects));
  }
}

KvsConfig read_kvs(const Section& section) {
  KvsConfig kvs;
  if (const auto keys = section.find("keys")) {
    kvs.keys = static_cast<KeyDistribution>(read_choice(*keys, kKeyDistributions));
  }
  if (const auto sizes = section.find("sizes")) {
    const std::vector<Found> items = section.items(*sizes, kvs.sizes.size(), kvs.sizes.size());
    for (std::size_t i = 0; i < items.size(); ++i)
      kvs.sizes[i] = read_bytes_or_count(items[i], kKvsSizeLimits);
  }
  if (const auto counts = section.find("counts")) read_kvs_counts(section, *counts, kvs);
  read_u32(section, "iterations", kIterationLimits, kvs.iterations);
  read_u32(section, "compute_cycles", kComputeLimits, kvs.compute_cycles);
  return kvs;
}

firmware::CustomOptions read_custom(const Section& section) {
  const Found found = section.need("name", "name: sensor");
  const std::vector<std::string_view> names = custom_workload_names();
  const std::string_view name = scalar_text(found, names.empty() ? "sensor" : names.front());
  const firmware::CustomRun run = find_custom_workload(name);
  if (run == nullptr && names.empty()) {
    found.fail(
        fmt::format("{} is not known: this program has no custom workloads; a program of yours adds them "
                    "(sim/scenario/custom_workloads.hpp)",
                    in_quotes(name)));
  }
  if (run == nullptr) fail_for_choice(found, name, names);
  return {run, custom_workload_attaches(name)};
}

std::uint32_t read_store_unit(const Found& found) {
  const std::uint32_t unit_bytes = read_bytes(found, kStoreUnitLimits);
  if (unit_bytes % heap::kGranule != 0) {
    found.fail(fmt::format("{} B is not a multiple of {} B, in which the store is divided", unit_bytes,
                           heap::kGranule));
  }
  return unit_bytes;
}

firmware::MemoryOptions read_memory(const Section& section) {
  firmware::MemoryOptions memory;
  memory.kind = choice_of<firmware::MemoryKind>(section, "memory", kMemories);
  memory.ram_allocator = choice_of<firmware::RamAllocatorKind>(section, "ram_allocator", kRamAllocators);
  memory.store_allocator = choice_of<firmware::StoreAllocatorKind>(section, "nv_allocator", kNvAllocators);
  memory.policy = choice_of<firmware::PolicyKind>(section, "policy", kPolicies);
  memory.slots = choice_of<firmware::SlotKind>(section, "slots", kSlots);
  memory.checksum = choice_of<firmware::ChecksumKind>(section, "checksum", kChecksums);
  const bool buddies = memory.ram_allocator == firmware::RamAllocatorKind::buddy &&
                       memory.store_allocator == firmware::StoreAllocatorKind::buddy;
  if (memory.slots == firmware::SlotKind::compact && !buddies) {
    section.find("slots")->fail_at_key(
        "compact slots need blocks of powers of two: ram_allocator: buddy and nv_allocator: buddy");
  }
  if (const auto page = section.find("page")) {
    memory.page_bytes = read_bytes(*page, kPageLimits);
    if (memory.kind != firmware::MemoryKind::pages) page->fail_at_key("a page is for memory: pages only");
    if ((memory.page_bytes & (memory.page_bytes - 1)) != 0) {
      page->fail(fmt::format("{} B is no power of two (32, 64, 128, 256, 512)", memory.page_bytes));
    }
  }
  return memory;
}

std::size_t read_workload_kind(const Section& root) {
  const Found workload = root.need("workload", "workload: {kind: counter}");
  if (workload.node->kind != Node::Kind::map || !has_key(workload, "kind")) {
    check_keys(workload, kWorkloadKeys);
    workload.fail_at_key("`kind` is missing; write it such as `kind: counter`");
  }
  const MapEntry* kind = workload.node->find("kind");
  return read_choice({&kind->value, "workload.kind", kind->where}, kWorkloadKinds);
}

}  // namespace

std::span<const std::string_view> workload_keys() { return kWorkloadKeys; }

HeapConfig read_heap(const Section& root, const McuConfig& mcu) {
  const Section section = root.need_section("heap", kHeapKeys);
  HeapConfig heap;
  heap.ram_bytes = read_bytes(section.need("ram", "ram: 8 KiB"), kRamLimits);
  const Found dirty = section.need("dirty_limit", "dirty_limit: 2 KiB");
  heap.dirty_limit_bytes = read_bytes(dirty, kDirtyLimits);
  if (heap.dirty_limit_bytes > heap.ram_bytes) {
    dirty.fail_at_key(fmt::format("a dirty limit of {} B is above the RAM of the heap: heap.ram is {} B",
                                  heap.dirty_limit_bytes, heap.ram_bytes));
  }
  read_u32(section, "max_residents", kResidentLimits, heap.max_residents);
  if (const auto store = section.find("store")) heap.store_bytes = read_bytes(*store, kStoreLimits);
  if (const auto unit = section.find("store_unit")) heap.store_unit_bytes = read_store_unit(*unit);
  read_u32(section, "roots", kRootLimits, heap.roots);
  const auto intents = section.find("write_intents");
  heap.write_intents = intents ? read_boolean(*intents) : mcu.on_loss == OnLoss::attach;
  heap.memory = read_memory(section);
  return heap;
}

WorkloadConfig read_workload(const Section& root, const ScenarioContext& context) {
  const auto section_with = [&](std::span<const std::string_view> keys) {
    Section section = root.need_section("workload", keys);
    static_cast<void>(section.find("kind"));
    return section;
  };
  switch (read_workload_kind(root)) {
    case kCounter: return read_counter(section_with(kCounterKeys));
    case kQueue: return read_queue(section_with(kQueueKeys));
    case kKvs: return read_kvs(section_with(kKvsKeys));
    case kCustom: return read_custom(section_with(kCustomKeys));
    default: return read_script_workload(section_with(script_workload_keys()), context);
  }
}

StopConfig read_stop(const Section& root, bool run_ends) {
  StopConfig stop;
  if (const auto section = root.find_section("stop", kStopKeys)) {
    if (const auto time = section->find("time")) stop.time = read_time(*time, kStopTimeLimits);
    if (const auto operations = section->find("operations")) {
      stop.operations = read_count(*operations, kOperationLimits);
    }
    if (!stop.time && !stop.operations && !run_ends) {
      section->fail("needs `time` or `operations`: source and workload go on for ever, so the run would too");
    }
  } else if (!run_ends) {
    root.fail(
        "section `stop` is missing: source and workload go on for ever, so the run would too; write it such "
        "as "
        "`stop: {time: 60 s}`");
  }
  return stop;
}

}  // namespace brownout::sim
