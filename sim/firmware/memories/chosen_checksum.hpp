// The checksum that a scenario chooses, as a policy of the heap.
#pragma once

#include "heap/checksum.hpp"
#include "sim/firmware/memory_options.hpp"

namespace brownout::sim::firmware {

// Firmware names one of the two in its modules; here both are in the flash, so that there are not twice as
// many heaps to compile. A platform without checksum_kind() has the nibble one.
template <class P>
class ChosenChecksum {
 public:
  explicit ChosenChecksum(P& platform) : by_nibble_(platform), by_table_(platform) {
    if constexpr (requires { platform.checksum_kind(); }) kind_ = platform.checksum_kind();
  }

  void add(const std::byte* data, std::uint32_t size) {
    if (kind_ == ChecksumKind::table) return by_table_.add(data, size);
    by_nibble_.add(data, size);
  }
  [[nodiscard]] std::uint32_t value() const {
    return kind_ == ChecksumKind::table ? by_table_.value() : by_nibble_.value();
  }

 private:
  ChecksumKind kind_ = ChecksumKind::nibble;
  heap::NibbleChecksum<P> by_nibble_;
  heap::TableChecksum<P> by_table_;
};

}  // namespace brownout::sim::firmware
