// A board that checks every outage: nothing may be lost, and the image keeps to what was promised.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "heap_checks.hpp"
#include "test_board.hpp"

namespace brownout::heap::testing {

template <class Modules>
class CheckedBoard : public TestBoardOf<Modules> {
 public:
  using Slot = typename TestBoardOf<Modules>::Slot;

  explicit CheckedBoard(const HeapConfig& wanted, std::uint32_t store_size)
      : TestBoardOf<Modules>(wanted, store_size) {
    this->platform.interrupt = [this] { checked_outage(); };
  }

  PartialSizes partial_sizes;  // kept by the test
  std::string fault;           // of the first outage that had one

  void checked_outage() {
    const std::string found = outage_fault();
    if (fault.empty()) fault = found;
  }
  // Between two operations.
  [[nodiscard]] std::string structure() { 
    return structure_fault(this->arena(), TestBoardOf<Modules>::Heap::RamAllocator::kPowersOfTwo);
  }

 private:
  std::string outage_fault() {
    const Geometry geometry = this->heap().geometry();
    const std::vector<std::byte> live = live_ram<Slot>(this->ram_copy(), geometry, partial_sizes);
    const std::uint32_t promised = this->heap().checkpoint_bytes();
    std::vector<std::byte> expected = this->store.memory;
    const std::uint64_t written = this->store.written;
    const std::uint64_t writes = this->store.writes;
    const std::uint32_t place = geometry.checkpoint_address(this->heap().following_sequence());

    this->outage();

    if (!this->persist_status.ok()) return "persist";
    if (!this->restore_status.ok()) return "restore";
    if (this->store.writes != writes + 1) return "more than one transfer";
    const std::uint64_t image = this->store.written - written - this->config.os_bytes;
    if (image > promised) return "an image larger than checkpoint_bytes()";
    if (promised > this->config.dirty_limit_bytes) return "checkpoint_bytes() above the limit";
    const auto begin = static_cast<std::ptrdiff_t>(place);
    const auto end = begin + static_cast<std::ptrdiff_t>(geometry.checkpoint_stride);
    std::copy(this->store.memory.begin() + begin, this->store.memory.begin() + end, expected.begin() + begin);
    if (this->store.memory != expected) return "a write outside of the image's place";
    if (live_ram<Slot>(this->ram_copy(), geometry, partial_sizes) != live) return "live RAM differs";
    return "";
  }
};

}  // namespace brownout::heap::testing
