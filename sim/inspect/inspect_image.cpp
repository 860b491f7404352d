#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "heap/checksum.hpp"
#include "heap/objects/handle.hpp"
#include "sim/inspect/inspection.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim {
namespace {

using heap::CheckpointHeader;
using heap::Error;
using heap::Superblock;
using Bytes = std::span<const std::byte>;
using State = ImagePlace::State;

constexpr std::size_t kMostFaults = 8;

// Structures are read by value, and only where they lie within the image.
template <class T>
T read_at(Bytes image, std::size_t offset) {
  T value{};
  if (offset + sizeof value <= image.size()) std::memcpy(&value, image.data() + offset, sizeof value);
  return value;
}

std::uint32_t checksum_of(Bytes bytes) {
  heap::Crc32cByTable sum;
  sum.add(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  return sum.value();
}

bool is_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

bool has_whole_header(Bytes image, std::size_t address) {
  const auto header = read_at<CheckpointHeader>(image, address);
  if (header.magic != CheckpointHeader::kMagic) return false;
  return checksum_of(image.subspan(address, offsetof(CheckpointHeader, checksum))) == header.checksum;
}

std::string checkpoint(const CheckpointHeader& header) {
  return fmt::format("checkpoint {}", header.sequence);
}

// ---- without a superblock

// Headers of checkpoints, wherever they lie: without the configuration nobody knows where to look.
std::string headers_in(Bytes image) {
  std::string found;
  int count = 0;
  for (std::size_t at = 0; at + sizeof(CheckpointHeader) <= image.size(); at += heap::kGranule) {
    if (!has_whole_header(image, at) || ++count > 2) continue;
    found += fmt::format("{}{} at {}", found.empty() ? "" : ", ",
                         checkpoint(read_at<CheckpointHeader>(image, at)), at);
  }
  if (count > 2) found += fmt::format(" and {} more", count - 2);
  return found;
}

Inspection without_superblock(Bytes image) {
  if (is_zero(image)) return {ImageVerdict::empty, "nothing but zeros", std::nullopt};
  // As much of one as a format that was cut left behind.
  const Bytes block = image.first(sizeof(Superblock));
  const auto magic = std::as_bytes(std::span(&Superblock::kMagic, 1));
  const auto begun = static_cast<std::size_t>(std::mismatch(magic.begin(), magic.end(), block.begin()).first -
                                              magic.begin());
  const char* what = begun > 0 ? "the superblock is damaged" : "there is no superblock";
  if (const std::string headers = headers_in(image); !headers.empty()) {
    return {ImageVerdict::foreign,
            fmt::format("{}, so nobody knows the configuration; headers of checkpoints are there ({})", what,
                        headers),
            std::nullopt};
  }
  if (begun == magic.size() || is_zero(block.subspan(begun))) {
    return {ImageVerdict::empty,
            fmt::format("{} and no checkpoint: never formatted, or cut while it was", what), std::nullopt};
  }
  return {ImageVerdict::foreign, "nothing of this heap is in it", std::nullopt};
}

// ---- one of the two places

// Of an image whose header is whole: what is wrong with the rest; nothing if it is whole.
std::string body_fault(Bytes store, const heap::Geometry& geometry, const CheckpointHeader& header,
                       std::uint32_t address) {
  const std::size_t trailer_at = address + header.length - sizeof(heap::CheckpointTrailer);
  const auto trailer = read_at<heap::CheckpointTrailer>(store, trailer_at);
  const Bytes before = store.subspan(address, header.length - sizeof trailer);
  const bool same_checksum = trailer.checksum == checksum_of(before);
  if (trailer.sequence == header.sequence && same_checksum) return "";
  std::uint32_t listed = 0;
  for (const std::byte byte :
       before.subspan(sizeof header + heap::kSavedControlBytes, geometry.bitmap_bytes())) {
    listed += static_cast<std::uint32_t>(std::popcount(static_cast<unsigned>(byte)));
  }
  if (listed != header.slots) {
    return fmt::format("cut no later than byte {}: it lists {} slots, its header says {}",
                       sizeof header + heap::kSavedControlBytes + geometry.bitmap_bytes(), listed,
                       header.slots);
  }
  return trailer.sequence != header.sequence
             ? "cut behind its header: its trailer is not there"
             : "cut in its trailer or damaged: its bytes do not come to the checksum";
}

// What the fields say as far as they were written.
std::string header_fault(const heap::Geometry& geometry, const CheckpointHeader& header) {
  if (header.magic != CheckpointHeader::kMagic) return "the header is cut or damaged in its first bytes";
  if (header.config != geometry.fingerprint()) return "the header is cut or damaged behind its magic";
  return fmt::format("the header is cut or damaged behind its fingerprint; the sequence there is {}",
                     header.sequence);
}

ImagePlace examine(HeapReader& reader, const heap::Survey& survey, std::uint32_t place) {
  const heap::Geometry& geometry = reader.geometry();
  const CheckpointHeader& header = survey.headers[place];
  ImagePlace seen;
  seen.address = geometry.checkpoint_address(place);
  seen.header = header;
  const Bytes bytes = reader.store().subspan(seen.address, sizeof header);
  if (is_zero(bytes)) return seen;
  if (!survey.valid[place]) {
    seen.state = State::damaged;
    if (!has_whole_header(reader.store(), seen.address)) {
      seen.fault = header_fault(geometry, header);
    } else if (header.version != heap::kFormatVersion) {
      seen.state = State::other;
      seen.fault =
          fmt::format("format version {}, this program reads {}", header.version, heap::kFormatVersion);
    } else if (header.config != geometry.fingerprint()) {
      seen.state = State::other;
      seen.fault = fmt::format("of another configuration (fingerprint {:08x}, this heap's is {:08x})",
                               header.config, geometry.fingerprint());
    } else {
      seen.fault = "the header names more slots than there are";
    }
    return seen;
  }
  // An image lies where its sequence says, whichever place its header was found in.
  const std::uint32_t address = geometry.checkpoint_address(header.sequence);
  const auto os_bytes = os_bytes_of(geometry, header);
  if (!os_bytes || header.length > geometry.checkpoint_stride || address != seen.address) {
    seen.state = State::other;
    seen.fault = fmt::format("its header says {} B, which no checkpoint of this heap in this place can have",
                             header.length);
    return seen;
  }
  seen.os_bytes = *os_bytes;
  seen.fault = body_fault(reader.store(), geometry, header, address);
  seen.state = seen.fault.empty() ? State::whole : State::cut;
  if (seen.state == State::whole && reader.read(header) != Error::none) {
    seen.state = State::contradicts;
    seen.fault = "whole, but the store's records of slots are no longer those that go with it";
  }
  return seen;
}

// ---- the store's table

bool is_allocated_byte(const KnownHeap& heap, std::uint32_t unit) {
  return heap.store[heap.geometry.store.table + unit] != std::byte{0};
}

void look_for_table_faults(KnownHeap& heap, const std::vector<StoreRun>& runs) {
  const heap::StorePlan& plan = heap.geometry.store;
  const firmware::StoreAllocatorKind kind = heap.modules.store_allocator;
  std::size_t faults = 0;
  const auto complain = [&](std::string what) {
    if (++faults <= kMostFaults) heap.table_faults.push_back(std::move(what));
  };
  for (const StoreRun& run : runs) {
    const std::uint32_t home = plan.first_unit + run.first_unit * plan.unit_bytes;
    if (run.units > plan.units - run.first_unit) {
      complain(fmt::format("the run at {} has {} units, {} are left: the table is not read any further", home,
                           run.units, plan.units - run.first_unit));
      break;
    }
    if (kind == firmware::StoreAllocatorKind::block) continue;
    if (kind == firmware::StoreAllocatorKind::buddy && run.first_unit % run.units != 0)
      complain(fmt::format("the block at {} does not begin at a multiple of its size", home));
    for (std::uint32_t unit = run.first_unit + 1; unit < run.first_unit + run.units; ++unit) {
      if (!is_allocated_byte(heap, unit)) continue;
      complain(
          fmt::format("the run at {} overlaps one at {}", home, plan.first_unit + unit * plan.unit_bytes));
    }
  }
  if (kind == firmware::StoreAllocatorKind::block && plan.units % 8 != 0) {
    const auto last = static_cast<unsigned>(heap.store[plan.table + plan.table_bytes - 1]);
    if (last >> plan.units % 8 != 0) complain("the table has bits set that stand for no block");
  }
  if (faults > kMostFaults) heap.table_faults.push_back(fmt::format("{} more", faults - kMostFaults));
}

void read_table(HeapReader& reader, KnownHeap& heap) {
  const heap::StorePlan& plan = heap.geometry.store;
  const std::vector<StoreRun> runs = reader.allocated();
  look_for_table_faults(heap, runs);
  for (const StoreRun& run : runs) {
    if (run.units > plan.units - run.first_unit) break;
    heap.objects.push_back(
        {plan.first_unit + run.first_unit * plan.unit_bytes, run.units, run.units * plan.unit_bytes});
  }
}

// ---- the rest of the store

void read_roots(KnownHeap& heap) {
  for (std::uint32_t i = 0; i < heap.geometry.config.max_roots; ++i) {
    const auto entry = read_at<heap::RootEntry>(heap.store, heap.geometry.root_address(i));
    if (entry.chosen == 0) continue;
    const heap::RootEntry::Place& place = entry.places[entry.chosen == 1 ? 0 : 1];
    const auto handle = heap::Handle::from_raw(place.home, place.size);
    const StoredObject* object = heap.object_at(handle.home());
    const bool there = object != nullptr && handle.size_bytes() <= object->size_bytes;
    heap.roots.push_back({entry.name, handle.home(), handle.size_bytes(), there});
  }
}

void read_intent(KnownHeap& heap) {
  if (!heap.geometry.config.write_intents) return;
  const auto intent = read_at<heap::WriteIntent>(heap.store, heap.geometry.intent_base);
  if (intent.valid() && intent.size_bytes != 0) heap.intent = intent;
}

void read_mark(KnownHeap& heap) {
  const auto marks = read_at<heap::RunningMarks>(heap.store, heap.geometry.marks_address());
  heap.marked = marks.sequence();
  heap.mark_damaged = marks.damaged();
}

void read_residents(HeapReader& reader, KnownHeap& heap) {
  if (heap.latest < 0) return;
  const ImagePlace& place = heap.places[heap.latest];
  auto listed = reader.listed(place.header);
  if (!listed) return;
  heap.residents = std::move(*listed);
  if (reader.read(place.header) != Error::none) return;
  heap.all_residents = true;
  for (ImageObject& object : reader.residents()) {
    const bool known = std::any_of(heap.residents.begin(), heap.residents.end(),
                                   [&](const ImageObject& other) { return other.home == object.home; });
    if (!known) heap.residents.push_back(std::move(object));
  }
}

int place_of(const heap::Survey& survey, const CheckpointHeader* header) {
  return header == nullptr ? -1 : header == &survey.headers[0] ? 0 : 1;
}

// Whole places, the newer one first.
int latest_whole(const ImagePlace (&places)[2]) {
  const bool first = places[0].is_whole();
  const bool second = places[1].is_whole();
  if (first && second) return heap::is_newer(places[1].header.sequence, places[0].header.sequence) ? 1 : 0;
  return first ? 0 : second ? 1 : -1;
}

// ---- the verdict

std::string torn_reason(const KnownHeap& heap, const heap::Survey& survey) {
  const CheckpointHeader* newest = survey.newest();
  const bool contradicted = newest != nullptr && !survey.damaged &&
                            heap.places[newest == &survey.headers[0] ? 0 : 1].state == State::contradicts;
  if (contradicted) {
    return fmt::format("{} is whole, but the store's records of slots contradict it", checkpoint(*newest));
  }
  if (heap.older >= 0) {
    return fmt::format("a persist was cut; nothing was written since {}, the one before it",
                       checkpoint(heap.places[heap.older].header));
  }
  return "a persist was cut, and no checkpoint before it can be used";
}

std::string reason_of(const KnownHeap& heap, const heap::Survey& survey, ImageVerdict verdict) {
  const CheckpointHeader* newest = survey.newest();
  switch (verdict) {
    case ImageVerdict::current:
      return fmt::format("{} is whole, and nothing was written since", checkpoint(*newest));
    case ImageVerdict::torn: return torn_reason(heap, survey);
    case ImageVerdict::stale:
      return fmt::format("the program ran on after checkpoint {} and ended without another that is whole",
                         heap.marked);
    case ImageVerdict::empty: return "formatted, and no checkpoint is in it";
    case ImageVerdict::foreign: break;
  }
  for (const ImagePlace& place : heap.places) {
    if (place.state == State::other)
      return fmt::format("the checkpoint at {}: {}", place.address, place.fault);
  }
  return "no checkpoint of this heap";
}

ImageVerdict verdict_of(Error error) {
  switch (error) {
    case Error::none: return ImageVerdict::current;
    case Error::torn: return ImageVerdict::torn;
    case Error::stale: return ImageVerdict::stale;
    case Error::empty: return ImageVerdict::empty;
    default: return ImageVerdict::foreign;  // another version or configuration, or a header that leads out
  }
}

// A table byte whose write had failed, as that image's control block has it: boot writes it first.
void apply_repair(KnownHeap& heap, std::vector<std::byte>& store) {
  if (heap.boot < 0) return;
  const ImagePlace& place = heap.places[heap.boot];
  heap::Control control;
  std::memcpy(reinterpret_cast<std::byte*>(&control) + heap::kSavedControlOffset,
              store.data() + place.address + sizeof(CheckpointHeader), heap::kSavedControlBytes);
  const heap::StorePlan& plan = heap.geometry.store;
  if (control.repair_at < plan.table || control.repair_at >= plan.table + plan.table_bytes) return;
  store[control.repair_at] = std::byte{control.repair_value};
  heap.repaired_at = control.repair_at;
}

Inspection known_heap(const firmware::MemoryOptions& modules, const heap::HeapConfig& config, Bytes store) {
  const auto reader = make_heap_reader(modules, config, store);
  Inspection inspection;
  KnownHeap& heap = inspection.heap.emplace();
  heap.geometry = reader->geometry();
  heap.modules = modules;
  heap.store.assign(store.begin(), store.end());
  const heap::Survey survey = reader->survey();
  for (std::uint32_t place = 0; place < 2; ++place) heap.places[place] = examine(*reader, survey, place);
  read_mark(heap);

  const Error restored = reader->restore();
  inspection.verdict = verdict_of(restored);
  if (restored == Error::none) heap.boot = place_of(survey, survey.newest());
  heap.older_error = reader->restore_older();
  if (heap.older_error == Error::none) heap.older = place_of(survey, survey.older());
  heap.latest = latest_whole(heap.places);
  inspection.reason = reason_of(heap, survey, inspection.verdict);

  read_residents(*reader, heap);
  apply_repair(heap, heap.store);
  read_table(heap.repaired_at == 0 ? *reader : *make_heap_reader(modules, config, heap.store), heap);
  read_roots(heap);
  read_intent(heap);
  return inspection;
}

// ---- the superblock

heap::HeapConfig config_of(const Superblock& block) {
  heap::HeapConfig config;
  config.ram_bytes = block.ram_bytes;
  config.dirty_limit_bytes = block.dirty_limit_bytes;
  config.max_residents = block.max_residents;
  config.store_bytes = block.store_bytes;
  config.store_unit_bytes = block.store_unit_bytes;
  config.os_bytes = block.os_bytes;
  config.max_roots = block.max_roots;
  config.write_intents = block.write_intents != 0;
  return config;
}

Inspection foreign(std::string reason) { return {ImageVerdict::foreign, std::move(reason), std::nullopt}; }

Inspection with_superblock(const Superblock& block, Bytes image, const std::string& file) {
  if (block.version != heap::kFormatVersion) {
    return foreign(
        fmt::format("format version {}, this program reads {}", block.version, heap::kFormatVersion));
  }
  const auto choices = all_module_choices();
  const auto modules = std::find_if(choices.begin(), choices.end(), [&](const auto& choice) {
    return traits_of(choice).id == block.modules;
  });
  if (modules == choices.end()) {
    return foreign(fmt::format("modules unknown to this program (id {:08x})", block.modules));
  }
  if (block.storage_bytes > image.size()) {
    throw InputError({file, 0, 0},
                     fmt::format("has {} B, its superblock says that the store has {}: the image "
                                 "is cut short",
                                 image.size(), block.storage_bytes));
  }
  heap::Geometry geometry;
  const Error planned =
      heap::Geometry::plan(config_of(block), block.storage_bytes, traits_of(*modules), geometry);
  if (planned != Error::none) return foreign("a configuration that this program would refuse");
  if (geometry.fingerprint() != block.fingerprint) {
    return foreign(fmt::format("fingerprint {:08x}; what its superblock says comes to {:08x}",
                               block.fingerprint, geometry.fingerprint()));
  }
  return known_heap(*modules, config_of(block), image.first(block.storage_bytes));
}

}  // namespace

std::string_view name_of(ImageVerdict verdict) {
  switch (verdict) {
    case ImageVerdict::empty: return "empty";
    case ImageVerdict::current: return "current";
    case ImageVerdict::torn: return "torn";
    case ImageVerdict::stale: return "stale";
    case ImageVerdict::foreign: return "foreign";
  }
  return "";
}

const StoredObject* KnownHeap::object_at(std::uint32_t home) const {
  const auto at =
      std::lower_bound(objects.begin(), objects.end(), home,
                       [](const StoredObject& object, std::uint32_t wanted) { return object.home < wanted; });
  return at != objects.end() && at->home == home ? &*at : nullptr;
}

Inspection inspect_image(std::span<const std::byte> bytes, const std::string& file) {
  const Location where{file, 0, 0};
  if (bytes.empty()) throw InputError(where, "is empty; an image has the bytes of a whole store");
  if (bytes.size() < kSmallestImageBytes || bytes.size() > kLargestImageBytes) {
    const bool large = bytes.size() > kLargestImageBytes;
    throw InputError(where,
                     fmt::format("is no image of a store: it has {} than {} B", large ? "more" : "fewer",
                                 large ? kLargestImageBytes : kSmallestImageBytes));
  }
  if (bytes.size() % heap::kGranule != 0) {
    throw InputError(where, fmt::format("is no image of a store: it has {} B, which is no multiple of {}",
                                        bytes.size(), heap::kGranule));
  }
  const auto block = read_at<Superblock>(bytes, 0);
  const bool whole = block.magic == Superblock::kMagic &&
                     block.checksum == checksum_of(bytes.first(offsetof(Superblock, checksum)));
  return whole ? with_superblock(block, bytes, file) : without_superblock(bytes);
}

Inspection inspect_file(const std::string& file) {
  const Location where{file, 0, 0};
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) throw InputError(where, "is a directory, needs an image");
  struct Closer {
    void operator()(std::FILE* stream) const { static_cast<void>(std::fclose(stream)); }
  };
  errno = 0;
  const std::unique_ptr<std::FILE, Closer> stream(std::fopen(file.c_str(), "rb"));
  const auto fail = [&] { throw InputError(where, fmt::format("cannot be read: {}", std::strerror(errno))); };
  if (!stream) fail();
  // A byte more than an image may have tells that it is none.
  std::vector<std::byte> bytes(kLargestImageBytes + 1);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), stream.get()));
  if (std::ferror(stream.get()) != 0) fail();
  return inspect_image(bytes, file);
}

}  // namespace brownout::sim
