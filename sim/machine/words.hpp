// What a 16-bit CPU makes of a copy: words at even addresses, bytes at its odd ends.
#pragma once

#include <cstdint>

#include "heap/types.hpp"

namespace brownout::sim {

// Calls use(address, word) for each access of a copy to or from that address, in order. `Bytes` is ConstBytes
// or MutableBytes.
template <class Bytes, class Use>
void for_each_word(std::uint32_t address, Bytes bytes, Use use) {
  while (bytes.size > 0) {
    const std::uint32_t size = address % 2 == 0 && bytes.size >= 2 ? 2 : 1;
    use(address, Bytes{bytes.data, size});
    address += size;
    bytes.data += size;
    bytes.size -= size;
  }
}

}  // namespace brownout::sim
