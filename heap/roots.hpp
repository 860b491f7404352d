// Named roots in the store: from a name to a handle, for a program that starts cold.
#pragma once

#include <cstdint>

#include "heap/layout.hpp"
#include "heap/objects/handle.hpp"
#include "heap/platform.hpp"

namespace brownout::heap {

// A root's name as a number: FNV-1a of its text. constexpr, so that no text reaches the flash.
constexpr std::uint32_t root_name(const char* text) {
  std::uint32_t hash = 2166136261U;
  for (; *text != '\0'; ++text) hash = (hash ^ static_cast<std::uint8_t>(*text)) * 16777619U;
  return hash;
}

// An entry's handle goes to the place that does not count, then one byte, which the store makes atomic,
// chooses it: a cut anywhere leaves the root before or the one after. All O(max_roots), a read for each
// entry.
template <Platform P, class Gateway>
class Roots {
 public:
  Roots(const Geometry& geometry, Gateway& gateway, P& platform)
      : geometry_(geometry), gateway_(gateway), platform_(platform) {}

  // no_root: no entry is free.
  Status set(std::uint32_t name, const Handle& handle) {
    Found found;
    if (const Status status = look_for(name, found); !status.ok()) return status;
    if (found.entry == kNoEntry) {
      if (found.free == kNoEntry) return Error::no_root;
      found.entry = found.free;
      found.content = {};
      const Status status = write(found.entry, offsetof(RootEntry, name), &name, sizeof name);
      if (!status.ok()) return status;
    }
    const std::uint32_t place = found.content.chosen == 1 ? 1 : 0;
    const RootEntry::Place content{handle.home(), handle.raw_size()};
    const std::uint32_t offset =
        offsetof(RootEntry, places) + place * static_cast<std::uint32_t>(sizeof content);
    if (const Status status = write(found.entry, offset, &content, sizeof content); !status.ok())
      return status;
    return choose(found.entry, static_cast<std::uint8_t>(place + 1));
  }

  // no_root: there is none of that name.
  Result<Handle> find(std::uint32_t name) {
    Found found;
    if (const Status status = look_for(name, found); !status.ok()) return status.error();
    if (found.entry == kNoEntry) return Error::no_root;
    const RootEntry::Place& place = found.content.places[found.content.chosen == 1 ? 0 : 1];
    return Handle::from_raw(place.home, place.size);
  }

  Status clear(std::uint32_t name) {
    Found found;
    if (const Status status = look_for(name, found); !status.ok()) return status;
    return found.entry == kNoEntry ? Status(Error::no_root) : choose(found.entry, 0);
  }

 private:
  static constexpr std::uint32_t kNoEntry = 0xFFFF'FFFFU;
  struct Found {
    std::uint32_t entry = kNoEntry;  // of that name
    std::uint32_t free = kNoEntry;   // the first that is free
    RootEntry content;
  };

  Status look_for(std::uint32_t name, Found& found) {
    for (std::uint32_t i = 0; i < geometry_.config.max_roots; ++i) {
      platform_.charge(Work::step, 1);
      RootEntry entry;
      const Status status =
          gateway_.read_home(geometry_.root_address(i), {reinterpret_cast<std::byte*>(&entry), sizeof entry});
      if (!status.ok()) return status;
      if (entry.chosen == 0) {
        if (found.free == kNoEntry) found.free = i;
      } else if (entry.name == name) {
        found.entry = i;
        found.content = entry;
        return {};
      }
    }
    return {};
  }
  Status choose(std::uint32_t entry, std::uint8_t place) {
    return write(entry, offsetof(RootEntry, chosen), &place, sizeof place);
  }
  Status write(std::uint32_t entry, std::uint32_t offset, const void* data, std::uint32_t size_bytes) {
    return gateway_.write_home(geometry_.root_address(entry) + offset,
                               {static_cast<const std::byte*>(data), size_bytes});
  }

  const Geometry& geometry_;
  Gateway& gateway_;
  P& platform_;
};

}  // namespace brownout::heap
