#include "sim/firmware/attachment.hpp"

namespace brownout::sim::firmware {

void Attachment::forget() {
  attached = false;
  in_doubt.clear();
}

heap::MutableBytes Attachment::make_marks(std::uint32_t size_bytes) {
  marks.resize(size_bytes);
  return {marks.data(), size_bytes};
}

void Attachment::doubt(std::uint32_t home) { in_doubt.push_back(home); }

}  // namespace brownout::sim::firmware
