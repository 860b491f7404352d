#include "sim/firmware/memories/baseline_memories.hpp"

#include "sim/firmware/baselines/direct.hpp"
#include "sim/firmware/baselines/pages.hpp"
#include "sim/firmware/baselines/ram_snapshot.hpp"
#include "sim/firmware/board_firmware.hpp"

namespace brownout::sim::firmware {

std::unique_ptr<Firmware> make_baseline(const Image& image, Port& port) {
  switch (image.memory.kind) {
    case MemoryKind::ram_snapshot:
      return std::make_unique<BoardFirmware<RamSnapshot<PlatformShim, Driver>>>(image, port);
    case MemoryKind::direct:
      return std::make_unique<BoardFirmware<DirectAccess<PlatformShim, Driver>>>(image, port);
    case MemoryKind::pages:
    case MemoryKind::heap: break;
  }
  return std::make_unique<BoardFirmware<PageWise<PlatformShim, Driver>>>(image, port);
}

BaselinePlan plan_baseline(const heap::HeapConfig& config, const MemoryOptions& options,
                           std::uint32_t storage_bytes) {
  switch (options.kind) {
    case MemoryKind::ram_snapshot: return plan_ram_snapshot(config, storage_bytes);
    case MemoryKind::direct: return plan_direct(config, storage_bytes);
    case MemoryKind::pages:
    case MemoryKind::heap: break;
  }
  return plan_pages(config, options.page_bytes, storage_bytes);
}

}  // namespace brownout::sim::firmware
