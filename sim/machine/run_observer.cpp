#include "sim/machine/run_observer.hpp"

#include "devices/fram/fram_part.hpp"

namespace brownout::sim {

std::string_view name_of(Doing doing) {
  switch (doing) {
    case Doing::off: return "off";
    case Doing::boot: return "boot";
    case Doing::run: return "run";
    case Doing::persist: return "persist";
    case Doing::restore: return "restore";
    case Doing::asleep: return "asleep";
  }
  return "";
}

std::string_view name_of(Moment moment) {
  switch (moment) {
    case Moment::persisted: return "persisted";
    case Moment::restored: return "restored";
    case Moment::refused: return "refused";
    case Moment::outage: return "outage";
    case Moment::lost: return "lost";
    case Moment::false_alarm: return "false alarm";
    case Moment::in_boot: return "power failed in boot";
    case Moment::taken_back: return "taken back";
  }
  return "";
}

StoreAccess access_of(heap::ConstBytes command) {
  StoreAccess access;
  const auto opcode = std::to_integer<std::uint8_t>(command.data[0]);
  const bool reads_fast = opcode == devices::fram_opcode::kFstrd;
  access.opcode = opcode;
  access.writes = opcode == devices::fram_opcode::kWrite;
  if (!access.writes && !reads_fast && opcode != devices::fram_opcode::kRead) return access;
  // FSTRD sends a byte of nothing behind the address.
  const std::uint32_t end = command.size - (reads_fast ? 1 : 0);
  std::uint32_t address = 0;
  for (std::uint32_t i = 1; i < end; ++i)
    address = address << 8U | std::to_integer<std::uint8_t>(command.data[i]);
  access.address = address;
  return access;
}

HeapState heap_state_of(const MemoryInspector& inspector, std::span<const std::byte> ram,
                        const std::vector<KnownObject>& objects) {
  HeapState state;
  state.objects = static_cast<std::uint32_t>(objects.size());
  for (const auto& [home, resident] : inspector.residents(ram, objects)) {
    ++state.residents;
    state.dirty_bytes += resident.dirty_bytes;
  }
  return state;
}

std::string_view name_of(AccessEnd end) {
  switch (end) {
    case AccessEnd::done: return "done";
    case AccessEnd::aborted: return "aborted";
    case AccessEnd::cut: return "cut";
    case AccessEnd::timed_out: return "timed out";
  }
  return "";
}

}  // namespace brownout::sim
