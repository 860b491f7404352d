// What `brownout inspect` makes of any bytes: a word, or one line that refuses them.
#include <cstring>
#include <vector>

#include "sim/inspect/inspection.hpp"
#include "sim/scenario/input_error.hpp"
#include "target.hpp"

using namespace brownout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> image(size);
  if (size > 0) std::memcpy(image.data(), data, size);
  try {
    static_cast<void>(sim::inspect_image(image, "image"));
  } catch (const sim::InputError&) {
  }
  return 0;
}
