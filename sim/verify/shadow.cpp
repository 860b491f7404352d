#include "sim/verify/shadow.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <fmt/format.h>
#include <xxhash.h>

namespace brownout::sim {
namespace {

std::optional<std::string> first_difference(const Shadow::Copy& copy, const std::byte* seen,
                                            const char* where) {
  for (std::size_t i = 0; i < copy.bytes.size(); ++i) {
    if (seen[i] == copy.bytes[i]) continue;
    return fmt::format("object {} byte {} is {:02x} in {}, was written as {:02x}", copy.number, i,
                       static_cast<unsigned>(seen[i]), where, static_cast<unsigned>(copy.bytes[i]));
  }
  return std::nullopt;
}

void follow(Shadow::Copy& copy) {
  copy.latest = Shadow::digest_of({copy.bytes.data(), static_cast<std::uint32_t>(copy.bytes.size())});
  copy.versions.push_back(copy.latest);
}

}  // namespace

void Shadow::make(std::uint32_t home, std::uint32_t size_bytes, std::uint32_t number) {
  Copy& copy = copies_[home];
  copy = Copy{};
  copy.number = number;
  copy.bytes.resize(size_bytes);
  if (follows_) follow(copy);
}

void Shadow::change(std::uint32_t home, std::uint32_t offset, heap::ConstBytes bytes,
                    std::span<const std::uint8_t> store) {
  const auto found = copies_.find(home);
  assert(found != copies_.end() && offset + bytes.size <= found->second.bytes.size());
  Copy& copy = found->second;
  if (follows_ && digest_at_home(store, home, copy) == copy.latest) copy.versions = {copy.latest};
  std::memcpy(copy.bytes.data() + offset, bytes.data, bytes.size);
  if (follows_) follow(copy);
}

// What is home was the latest version at some time, and from then on only a later one can follow. If it is
// none, its write was interrupted, and is repeated first of all; until then the object is in doubt.
void Shadow::note_image(std::span<const std::uint8_t> store) {
  for (auto& [home, copy] : copies_) {
    const std::uint64_t at_home = digest_at_home(store, home, copy);
    const bool known = copy.had(at_home);
    copy.versions.clear();
    if (known && at_home != copy.latest) copy.versions.push_back(at_home);
    copy.versions.push_back(copy.latest);
    copy.in_image = copy.latest;
  }
}

Shadow::Copies Shadow::take_all() {
  Copies taken;
  taken.swap(copies_);
  return taken;
}

void Shadow::bring_back(std::uint32_t home, std::uint32_t number, heap::ConstBytes content,
                        std::optional<std::uint64_t> in_image) {
  Copy& copy = copies_[home];
  copy.number = number;
  copy.bytes.assign(content.data, content.data + content.size);
  copy.versions.clear();
  follow(copy);
  copy.in_image = in_image;
}

std::uint64_t Shadow::digest_of(heap::ConstBytes bytes) { return XXH64(bytes.data, bytes.size, 0); }

std::uint64_t Shadow::digest_at_home(std::span<const std::uint8_t> store, std::uint32_t home,
                                     const Copy& copy) {
  assert(home + copy.bytes.size() <= store.size());
  const auto* bytes = reinterpret_cast<const std::byte*>(store.data()) + home;
  return digest_of({bytes, static_cast<std::uint32_t>(copy.bytes.size())});
}

void Shadow::free(std::uint32_t home) { copies_.erase(home); }

const Shadow::Copy* Shadow::find(std::uint32_t home) const {
  const auto found = copies_.find(home);
  return found == copies_.end() ? nullptr : &found->second;
}

std::vector<KnownObject> Shadow::objects() const {
  std::vector<KnownObject> objects;
  for (const auto& [home, copy] : copies_) {
    objects.push_back({home, static_cast<std::uint32_t>(copy.bytes.size())});
  }
  return objects;
}

std::uint64_t Shadow::digest() const {
  std::vector<const Copy*> ordered;
  for (const auto& [home, copy] : copies_) ordered.push_back(&copy);
  std::sort(ordered.begin(), ordered.end(),
            [](const Copy* a, const Copy* b) { return a->number < b->number; });
  std::uint64_t hash = 0;
  for (const Copy* copy : ordered) {
    // Links between objects are store addresses, which two runs may assign differently; this digest is for
    // workloads whose runs make the same allocations in the same order.
    hash = XXH64(copy->bytes.data(), copy->bytes.size(), hash ^ copy->number);
  }
  return hash;
}

std::optional<std::string> Shadow::differs(std::uint32_t home, heap::ConstBytes bytes) const {
  const Copy* copy = find(home);
  if (copy == nullptr) return fmt::format("an object was read at store address {} where there is none", home);
  if (bytes.size != copy->bytes.size())
    return fmt::format("object {} was read with the wrong size", copy->number);
  return first_difference(*copy, bytes.data, "what was read");
}

std::optional<std::string> Shadow::differs_anywhere(const MemoryInspector& inspector,
                                                    std::span<const std::byte> ram,
                                                    std::span<const std::uint8_t> store) const {
  const std::map<std::uint32_t, ResidentObject> residents = inspector.residents(ram, objects());
  for (const auto& [home, copy] : copies_) {
    const auto resident = residents.find(home);
    const bool in_ram = resident != residents.end();
    const std::byte* seen = in_ram ? ram.data() + resident->second.ram_offset
                                   : reinterpret_cast<const std::byte*>(store.data()) + home;
    if (auto difference = first_difference(copy, seen, in_ram ? "RAM" : "the store")) return difference;
  }
  return std::nullopt;
}

}  // namespace brownout::sim
