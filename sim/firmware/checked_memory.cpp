#include "sim/firmware/checked_memory.hpp"

#include <algorithm>

namespace brownout::sim::firmware {

heap::Result<heap::Handle> CheckedMemory::make_bytes(std::uint32_t size_bytes, heap::Dirtiness dirtiness,
                                                     const std::byte* value) {
  port_.calls(MemoryCall::make);
  heap::Result<heap::Handle> made = memory_.make_bytes(size_bytes, dirtiness, value);
  if (made.ok()) {
    const std::uint32_t home = made.value().home();
    port_.object_made(home, size_bytes, made_++);
    if (value != nullptr) port_.object_changed(home, 0, {value, size_bytes});
  }
  return made;
}

heap::Status CheckedMemory::free_bytes(heap::Handle& handle, void (*destroy)(std::byte*)) {
  port_.calls(MemoryCall::free);
  const std::uint32_t home = handle.home();
  const heap::Status status = memory_.free_bytes(handle, destroy);
  if (status.ok()) port_.object_freed(home);
  return status;
}

heap::Result<heap::Lent> CheckedMemory::lend_reader(const heap::Handle& handle) {
  port_.calls(MemoryCall::read);
  heap::Result<heap::Lent> lent = memory_.lend_reader(handle);
  if (lent.ok()) port_.object_read(handle.home(), {lent.value().data, handle.size_bytes()});
  return lent;
}

heap::Result<heap::Lent> CheckedMemory::lend_writer(const heap::Handle& handle, std::uint32_t offset_bytes,
                                                    std::uint32_t size_bytes) {
  port_.calls(MemoryCall::write);
  heap::Result<heap::Lent> lent = memory_.lend_writer(handle, offset_bytes, size_bytes);
  if (lent.ok()) written_.push_back({lent.value().data, handle.home(), offset_bytes, size_bytes});
  return lent;
}

void CheckedMemory::give_back(const heap::Lent& lent) {
  port_.calls(MemoryCall::give_back);
  for (std::size_t i = 0; i < written_.size(); ++i) {
    const Written written = written_[i];
    if (written.data != lent.data) continue;
    written_[i] = written_.back();
    written_.pop_back();
    port_.object_changed(written.home, written.offset_bytes,
                         {written.data + written.offset_bytes, written.size_bytes});
    break;
  }
  memory_.give_back(lent);
}

bool CheckedMemory::is_in_doubt(const heap::Handle& handle) const {
  const std::vector<std::uint32_t>& homes = attachment_.in_doubt;
  return std::find(homes.begin(), homes.end(), handle.home()) != homes.end();
}

heap::Status CheckedMemory::keep(const heap::Handle& handle, heap::MutableBytes marks) {
  port_.calls(MemoryCall::keep);
  const heap::Status status = memory_.keep(handle, marks);
  if (status.ok()) port_.object_kept(handle.home(), handle.size_bytes());
  return status;
}

heap::Result<std::uint32_t> CheckedMemory::reclaim(heap::MutableBytes marks) {
  port_.calls(MemoryCall::keep);
  heap::Result<std::uint32_t> reclaimed = memory_.reclaim(marks);
  if (reclaimed.ok()) port_.objects_reclaimed(reclaimed.value());
  return reclaimed;
}

CheckedMemory& check_memory(std::optional<CheckedMemory>& place, ObjectMemory& memory, Port& port,
                            Attachment& attachment) {
  const std::uint32_t first_number = attachment.attached && place ? place->next_number() : 0;
  return place.emplace(memory, port, attachment, first_number);
}

}  // namespace brownout::sim::firmware
