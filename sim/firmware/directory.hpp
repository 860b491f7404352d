// A durable way to a workload's objects, for a program that attaches after a loss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"

namespace brownout::sim::firmware {

// What an object that a workload looks for was made as.
struct ObjectShape {
  std::uint32_t size_bytes = 0;
  heap::Dirtiness dirtiness = heap::Dirtiness::whole;
};

// Finds objects by their numbers. A root leads to a chain of pages, which are objects themselves; an entry of
// a page has the home of an object, or of the next page, and its complement: a cut in the middle of it leaves
// the entry before, the one after, or none. So whatever is found is whole, as long as
//   - an object goes home before its entry does (enter())
//   - an entry goes before its object is freed (leave())
//   - what is no longer there leaves the directory before anything is made (settle()).
// In a program that does not attach all of this does nothing.
class Directory {
 public:
  static constexpr std::uint32_t kPageBytes = 64;
  static constexpr std::uint32_t kObjectsPerPage = 7;
  static constexpr std::uint32_t pages_for(std::uint32_t objects) {
    return (objects + kObjectsPerPage - 1) / kObjectsPerPage;
  }

  // For objects 0 to `objects` - 1, kMaxObjects at most.
  Directory(ObjectMemory& memory, Port& port, std::uint32_t root, std::uint32_t objects)
      : memory_(memory), port_(port), root_(root), pages_wanted_(pages_for(objects)) {}

  // All at once: objects that are not there stay invalid. `shape_of(number)` says what they are.
  template <class ShapeOf>
  heap::Status recover(heap::Buffer* objects, std::uint32_t count, ShapeOf shape_of) {
    if (const heap::Status status = open(); !status.ok()) return status;
    for (std::uint32_t number = 0; number < count; ++number) {
      heap::Result<heap::Handle> found = find(number, shape_of(number));
      if (!found.ok()) return found.error();
      objects[number] = heap::Buffer(found.take());
    }
    return settle();
  }

  // First: the pages that an earlier life left.
  heap::Status open() {
    if (!memory_.attached()) return {};
    heap::Result<heap::Handle> root = memory_.find_root(root_);
    if (root.error() == heap::Error::no_root) return {};
    if (!root.ok()) return root.error();
    for (std::uint32_t home = root.value().home(); home != 0 && pages_ < kMaxPages;) {
      if (const heap::Status status = memory_.keep(page(home), memory_.marks()); !status.ok()) return status;
      homes_[pages_++] = home;
      Entry next;
      if (const heap::Status status = read(pages_ - 1, 0, next); !status.ok()) return status;
      home = next.valid() ? next.home : 0;
    }
    return {};
  }

  // Then: an object that an earlier life left whole, which is kept; invalid if there is none.
  heap::Result<heap::Handle> find(std::uint32_t number, ObjectShape shape) {
    if (number / kObjectsPerPage >= pages_) return heap::Handle();
    Entry entry;
    const heap::Status status = read(number / kObjectsPerPage, entry_of(number), entry);
    if (!status.ok()) return status.error();
    if (!entry.valid()) return heap::Handle();
    heap::Handle found(entry.home, shape.size_bytes, shape.dirtiness);
    if (memory_.is_in_doubt(found)) return heap::Handle();
    const heap::Status kept = memory_.keep(found, memory_.marks());
    if (kept.error() == heap::Error::invalid_handle) return heap::Handle();
    if (!kept.ok()) return kept.error();
    return found;
  }

  // Last, when all is kept and nothing was written yet: the rest is freed.
  heap::Status settle() {
    if (!memory_.attaches()) return {};
    if (memory_.attached()) {
      // First, while the store still says what is in doubt.
      const heap::Result<std::uint32_t> reclaimed = memory_.reclaim(memory_.marks());
      if (!reclaimed.ok()) return reclaimed.error();
      for (std::uint32_t i = 0; i < pages_; ++i) {
        if (const heap::Status status = clear_dead(i); !status.ok()) return status;
      }
    }
    while (pages_ < pages_wanted_) {
      if (const heap::Status status = add_page(); !status.ok()) return status;
    }
    return {};
  }

  // An object that was made, and filled with what has to be there if it is ever found.
  heap::Status enter(std::uint32_t number, const heap::Handle& object) {
    if (!memory_.attaches()) return {};
    if (const heap::Status status = memory_.flush_object(object); !status.ok()) return status;
    return write(number / kObjectsPerPage, entry_of(number), Entry::to(object.home()));
  }

  // One that is about to be freed.
  heap::Status leave(std::uint32_t number) {
    if (!memory_.attaches()) return {};
    return write(number / kObjectsPerPage, entry_of(number), Entry{});
  }

 private:
  struct Entry {
    std::uint32_t home = 0;
    std::uint32_t complement = 0;

    static Entry to(std::uint32_t home) { return {home, ~home}; }
    [[nodiscard]] bool valid() const { return home != 0 && complement == ~home; }
    [[nodiscard]] bool blank() const { return home == 0 && complement == 0; }
  };
  static constexpr std::uint32_t kMaxObjects = 4'000;
  static constexpr std::uint32_t kMaxPages = (kMaxObjects + kObjectsPerPage - 1) / kObjectsPerPage;
  // The first entry is that of the next page.
  static_assert(kPageBytes == (kObjectsPerPage + 1) * sizeof(Entry));

  static heap::Buffer page(std::uint32_t home) { return {home, kPageBytes}; }
  static std::uint32_t entry_of(std::uint32_t number) { return 1 + number % kObjectsPerPage; }

  heap::Status read(std::uint32_t index, std::uint32_t which, Entry& entry) {
    const heap::Buffer from = page(homes_[index]);
    auto bytes = memory_.read(from);
    if (!bytes.ok()) return bytes.error();
    std::memcpy(&entry, bytes.value().data() + which * sizeof entry, sizeof entry);
    port_.charge(heap::Work::copied_byte, sizeof entry);
    return {};
  }

  // Home, before anything follows.
  heap::Status write(std::uint32_t index, std::uint32_t which, const Entry& entry) {
    const heap::Buffer to = page(homes_[index]);
    {
      auto bytes = memory_.write(to, which * sizeof entry, sizeof entry);
      if (!bytes.ok()) return bytes.error();
      std::memcpy(bytes.value().data(), &entry, sizeof entry);
      port_.charge(heap::Work::copied_byte, sizeof entry);
    }
    return memory_.flush_object(to);
  }

  heap::Status clear_dead(std::uint32_t index) {
    for (std::uint32_t which = 1; which <= kObjectsPerPage; ++which) {
      Entry entry;
      if (const heap::Status status = read(index, which, entry); !status.ok()) return status;
      const bool alive = entry.valid() && memory_.is_kept(heap::Handle(entry.home, 0), memory_.marks());
      if (alive || entry.blank()) continue;
      if (const heap::Status status = write(index, which, Entry{}); !status.ok()) return status;
    }
    return {};
  }

  heap::Status add_page() {
    heap::Result<heap::Buffer> made = memory_.make_buffer(kPageBytes);
    if (!made.ok()) return made.error();
    const heap::Buffer added = made.take();
    heap::Status status;
    if (pages_ == 0) {
      status = memory_.set_root(root_, added);
    } else {
      status = memory_.flush_object(added);
      if (status.ok()) status = write(pages_ - 1, 0, Entry::to(added.home()));
    }
    if (status.ok()) homes_[pages_++] = added.home();
    return status;
  }

  ObjectMemory& memory_;
  Port& port_;
  std::uint32_t root_;
  std::uint32_t pages_wanted_;
  std::uint32_t pages_ = 0;
  std::uint32_t homes_[kMaxPages];  // of the first pages_; the rest is never touched
};

}  // namespace brownout::sim::firmware
