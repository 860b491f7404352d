#include "sim/inspect/describe.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/scenario/choices.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kObjectsShown = 1000;
constexpr std::size_t kHomesShown = 12;
constexpr std::size_t kBytesShown = 8;

std::string line(const char* label, const std::string& text) {
  return fmt::format("  {:<13}{}\n", label, text);
}

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// ---- what the superblock says

std::string configuration(const KnownHeap& heap) {
  const heap::Geometry& geometry = heap.geometry;
  const heap::HeapConfig& config = geometry.config;
  const heap::StorePlan& plan = geometry.store;
  std::string text = line(
      "modules", fmt::format("ram_allocator {}, nv_allocator {}, policy {}, slots {}",
                             name_in(kRamAllocators, heap.modules.ram_allocator),
                             name_in(kNvAllocators, heap.modules.store_allocator),
                             name_in(kPolicies, heap.modules.policy), name_in(kSlots, heap.modules.slots)));
  text += line("ram", fmt::format("{} B, {} residents at most, {} B for objects", config.ram_bytes,
                                  config.max_residents, geometry.object_granules() * heap::kGranule));
  text +=
      line("dirty limit", fmt::format("{} B, and {} B of the OS", config.dirty_limit_bytes, config.os_bytes));
  text += line("store", fmt::format("{} B, objects from {} to {}, {} units of {} B, table at {}",
                                    geometry.storage_bytes, plan.first_unit, geometry.store_end, plan.units,
                                    plan.unit_bytes, plan.table));
  return text;
}

// ---- checkpoints

std::string place_text(const KnownHeap& heap, const ImagePlace& place) {
  const std::string at = fmt::format("at {}: ", place.address);
  switch (place.state) {
    case ImagePlace::State::nothing: return at + "nothing";
    case ImagePlace::State::damaged: return at + "no checkpoint: " + place.fault;
    case ImagePlace::State::other: return at + place.fault;
    case ImagePlace::State::cut:
      return at + fmt::format("checkpoint {}, torn: {}", place.header.sequence, place.fault);
    case ImagePlace::State::contradicts:
      return at + fmt::format("checkpoint {}, {}", place.header.sequence, place.fault);
    case ImagePlace::State::whole: break;
  }
  const bool marked = heap.marked != 0 && !heap::is_newer(place.header.sequence, heap.marked);
  return at + fmt::format("checkpoint {}, whole{}", place.header.sequence, marked ? ", stale" : "");
}

std::string size_text(const ImagePlace& place) {
  return fmt::format("{} B: {}, {} B dirty data, {} B OS part", place.header.length,
                     counted(place.header.slots, "slot"), place.header.data_bytes, place.os_bytes);
}

bool has_sizes(const ImagePlace& place) { return place.state == ImagePlace::State::cut || place.is_whole(); }

std::string older_text(const KnownHeap& heap) {
  if (heap.older >= 0) {
    return fmt::format("restore_older() brings back checkpoint {}", heap.places[heap.older].header.sequence);
  }
  switch (heap.older_error) {
    case heap::Error::empty: return "there is no older one";
    case heap::Error::stale: return "the older one is stale, too";
    default: return "the older one is not whole";
  }
}

std::string checkpoints(const KnownHeap& heap) {
  std::string text;
  for (const ImagePlace& place : heap.places) {
    text += line(&place == heap.places ? "checkpoints" : "", place_text(heap, place));
    if (has_sizes(place)) text += line("", "  " + size_text(place));
  }
  const std::string mark = heap.marked != 0
                               ? fmt::format("the program ran on since checkpoint {}", heap.marked)
                           : heap.mark_damaged ? "cut or damaged: counts as none"
                                               : "none";
  text += line("mark", mark);
  const std::string boot = heap.boot >= 0
                               ? fmt::format("takes checkpoint {}", heap.places[heap.boot].header.sequence)
                               : "takes none";
  return text + line("boot", fmt::format("{}; {}", boot, older_text(heap)));
}

// ---- objects

std::string homes_of(const KnownHeap& heap, bool ImageObject::*flag) {
  std::string text;
  std::size_t count = 0;
  for (const ImageObject& object : heap.residents) {
    if (!(object.*flag) || ++count > kHomesShown) continue;
    text += fmt::format("{}{} ({} B)", text.empty() ? "" : ", ", object.home, object.size_bytes);
  }
  if (count > kHomesShown) text += fmt::format(" and {} more", count - kHomesShown);
  return text;
}

std::string residents(const KnownHeap& heap) {
  if (heap.latest < 0) return "";
  std::size_t dirty = 0;
  std::size_t borrowed = 0;
  std::uint64_t dirty_bytes = 0;
  for (const ImageObject& object : heap.residents) {
    dirty += object.dirty ? 1 : 0;
    borrowed += object.borrowed ? 1 : 0;
    for (const ImageObject::Run& run : object.runs) dirty_bytes += run.bytes.size();
  }
  const std::string clean = fmt::format("{} clean{}", heap.residents.size() - dirty,
                                        heap.all_residents ? "" : " (those that it lists)");
  std::string text = line("residents", fmt::format("of checkpoint {}: {} dirty ({} B), {}, {} borrowed",
                                                   heap.places[heap.latest].header.sequence, dirty,
                                                   dirty_bytes, clean, borrowed));
  const std::string written = homes_of(heap, &ImageObject::written);
  if (!written.empty()) text += line("", "being written: " + written);
  return text;
}

std::string objects(const KnownHeap& heap) {
  std::uint64_t bytes = 0;
  for (const StoredObject& object : heap.objects) bytes += object.size_bytes;
  std::string text = line("objects", fmt::format("{} allocated, {} B", heap.objects.size(), bytes));
  if (heap.repaired_at != 0)
    text += line("", fmt::format("with the table byte at {}, which boot has yet to write", heap.repaired_at));
  for (const std::string& fault : heap.table_faults) text += line("", "nonsense: " + fault);
  return text;
}

std::string roots(const KnownHeap& heap) {
  std::string text =
      line("roots", fmt::format("{} of {}", heap.roots.size(), heap.geometry.config.max_roots));
  for (const NamedRoot& root : heap.roots) {
    text += line("", fmt::format("{:08x}: home {}, {} B{}", root.name, root.home, root.size_bytes,
                                 root.leads_to_object ? "" : ", where no such object is allocated"));
  }
  return text;
}

std::string intent(const KnownHeap& heap) {
  if (!heap.geometry.config.write_intents) return line("intents", "not kept");
  if (!heap.intent) return line("intents", "kept; nothing valid there: no write was under way");
  return line("intents", fmt::format("kept; the last write is of {} B to {}", heap.intent->size_bytes,
                                     heap.intent->address));
}

// ---- salvage

std::string hex(const std::vector<std::byte>& bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size() && i < kBytesShown; ++i)
    text += fmt::format("{}{:02x}", i == 0 ? "" : " ", static_cast<unsigned>(bytes[i]));
  return text;
}

std::string what_is_trusted(const Inspection& inspection, const Salvage& salvaged) {
  const KnownHeap& heap = *inspection.heap;
  std::string text;
  if (salvaged.checkpoint < 0) {
    text += line("salvage", "no checkpoint: homes as they were last written, one by one");
  } else {
    const ImagePlace& place = heap.places[salvaged.checkpoint];
    const std::uint32_t sequence = place.header.sequence;
    text +=
        line("salvage",
             salvaged.together
                 ? fmt::format("all, as it was at checkpoint {}", sequence)
                 : fmt::format("homes as they were last written, one by one, and checkpoint {} for what was "
                               "dirty in it",
                               sequence));
    if (place.os_bytes > 0) {
      text += line(
          "OS part",
          fmt::format("{} B at {}, {}", place.os_bytes,
                      place.address + place.header.length - sizeof(heap::CheckpointTrailer) - place.os_bytes,
                      salvaged.together ? "trusted" : fmt::format("from checkpoint {} only", sequence)));
    }
  }
  if (salvaged.together) return text;
  if (!heap.geometry.config.write_intents)
    text += line("caution", "one home may be half written, and without write intents nobody knows which");
  return text + line("", "an object that was freed since, and another made in its place, look the same");
}

}  // namespace

std::string describe(const Inspection& inspection) {
  std::string text = fmt::format("{}\n", name_of(inspection.verdict));
  text += line("because", inspection.reason);
  if (!inspection.heap) return text;
  const KnownHeap& heap = *inspection.heap;
  return text + configuration(heap) + checkpoints(heap) + objects(heap) + residents(heap) + roots(heap) +
         intent(heap);
}

std::string describe(const Inspection& inspection, const Salvage& salvaged) {
  if (!inspection.heap) return line("salvage", "nothing: where objects lie is not known");
  std::string text = what_is_trusted(inspection, salvaged);
  for (const Trust trust : {Trust::yes, Trust::checkpoint_only, Trust::home_only, Trust::in_doubt}) {
    const auto count = std::count_if(salvaged.objects.begin(), salvaged.objects.end(),
                                     [&](const SalvagedObject& object) { return object.trust == trust; });
    if (count > 0) text += line(name_of(trust).data(), counted(static_cast<std::size_t>(count), "object"));
  }
  for (std::size_t i = 0; i < salvaged.unallocated.size() && i < kHomesShown; ++i) {
    const ImageObject& object = salvaged.unallocated[i];
    text += line(i == 0 ? "unallocated" : "",
                 fmt::format("{} ({} B): dirty in the checkpoint, {}", object.home, object.size_bytes,
                             salvaged.together ? "being made or freed" : "freed since"));
  }
  if (salvaged.unallocated.size() > kHomesShown)
    text += line("", fmt::format("and {} more", salvaged.unallocated.size() - kHomesShown));
  if (salvaged.objects.empty()) return text;
  text += fmt::format("\n  {:>6} {:>6}  {:<23}  trusted\n", "home", "bytes", "begins with");
  for (std::size_t i = 0; i < salvaged.objects.size() && i < kObjectsShown; ++i) {
    const SalvagedObject& object = salvaged.objects[i];
    text += fmt::format("  {:>6} {:>6}  {:<23}  {}: {}\n", object.object.home, object.object.size_bytes,
                        hex(object.content), name_of(object.trust), object.reason);
  }
  if (salvaged.objects.size() > kObjectsShown)
    text += fmt::format("  and {} more\n", salvaged.objects.size() - kObjectsShown);
  return text;
}

}  // namespace brownout::sim
