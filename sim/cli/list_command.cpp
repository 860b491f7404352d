#include <fmt/format.h>

#include "devices/supply/supply_preset.hpp"
#include "sim/cli/commands.hpp"
#include "sim/cli/options.hpp"
#include "sim/scenario/choices.hpp"
#include "sim/scenario/custom_workloads.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::cli {
namespace {

template <class Names>
std::string list_of(const char* title, const Names& names) {
  std::string text = fmt::format("{}\n", title);
  for (const auto& name : names) text += fmt::format("  {}\n", name);
  return text;
}

std::string parts() {
  std::string text = "parts (storage.part; `brownout parts NAME` shows a record)\n";
  for (const devices::FramPart& part : devices::fram_parts()) {
    const std::string speed =
        part.is_mapped
            ? "in the address space"
            : "up to " + format_quantity(static_cast<double>(part.max_sck_hz), Dimension::frequency);
    text += fmt::format("  {:<20} {}, {}, {} estimates\n", part.name, format_bytes(part.size_bytes), speed,
                        devices::estimates_in(part));
  }
  return text;
}

std::string mcus() {
  std::string text = "MCU profiles (mcu.profile)\n";
  for (const devices::McuProfile& mcu : devices::mcu_profiles()) {
    text += fmt::format("  {:<20} {}, {} at {}, bus {}\n  {:<20} {}\n", mcu.name,
                        format_quantity(static_cast<double>(mcu.clock_hz), Dimension::frequency),
                        format_quantity(mcu.active_a, Dimension::current),
                        format_quantity(mcu.rail_v, Dimension::voltage), mcu.bus, "", mcu.sources);
  }
  return text;
}

// As the library's records have them: a name, and where its figures come from.
template <class Records>
std::string sourced(const char* title, const Records& records) {
  std::string text = fmt::format("{}\n", title);
  for (const auto& record : records) text += fmt::format("  {:<20} {}\n", record.name, record.sources);
  return text;
}

std::string custom() {
  const auto names = custom_workload_names();
  return names.empty() ? "" : list_of("custom workloads (workload.name)", names);
}

}  // namespace

int list_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("help", "this text");
  const po::variables_map values = parse_options(arguments, options, po::positional_options_description{});
  if (values.count("help") > 0) {
    print("usage: brownout list\n\nParts, profiles and modules that a scenario can name.\n");
    return kExitDone;
  }
  print(
      parts() + mcus() + sourced("bus profiles (storage.bus)", devices::spi_profiles()) +
      list_of("transfer modes (storage.transfer)", kTransferModes) +
      list_of("second passes (storage.verify)", kVerify) +
      list_of("workloads (workload.kind)", kWorkloadKinds) + custom() +
      list_of("memories (heap.memory)", kMemories) +
      list_of("RAM allocators (heap.ram_allocator)", kRamAllocators) +
      list_of("store allocators (heap.nv_allocator)", kNvAllocators) +
      list_of("policies (heap.policy)", kPolicies) + list_of("slots (heap.slots)", kSlots) +
      list_of("checksums of images (heap.checksum)", kChecksums) +
      list_of(
          "sources (supply.source.kind, or supply.source.trace for a file, supply.source.resets for a list)",
          kSourceKinds) +
      sourced("supplies (supply.preset)", devices::supply_presets()) +
      list_of("paths (supply.charger.path, all but constant; supply.converter.path)", kPaths) +
      sourced("efficiency tables (supply.charger.table, supply.converter.table)",
              devices::efficiency_tables()));
  return kExitDone;
}

}  // namespace brownout::sim::cli
