// The sections of a scenario, each read, checked and resolved by one function. Internal to load_scenario().
// All of them throw InputError for what is missing or wrong, and are linear in what they read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/reader.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim {

// What sections need to know of the rest.
struct ScenarioContext {
  std::uint64_t seed = 1;  // of the scenario, for what draws from it by default
  std::string folder;      // of the scenario file; empty: the current directory
};

McuConfig read_mcu(const Section& root);
// What drives the part's bus: a profile by name, or one with other figures for that mode of transfer.
devices::SpiProfile read_bus(const Section& storage, const McuConfig& mcu, devices::TransferMode transfer);
StorageConfig read_storage(const Section& root, const McuConfig& mcu);
// `storage.part`: one of the catalogue, or the user's own, based on one of these.
devices::FramPart read_part(const Section& storage);
SupplyConfig read_supply(const Section& root, const ScenarioContext& context, const McuConfig& mcu);
// Of section `supply`: what lies on either side of the capacitor. Keys that are left out are `preset`'s.
devices::Charger read_charger(const Section& supply, const devices::Charger& preset);
devices::Converter read_converter(const Section& supply, const devices::Converter& preset);
SourceConfig read_source(const Section& supply, const ScenarioContext& context);
HeapConfig read_heap(const Section& root, const McuConfig& mcu);
WorkloadConfig read_workload(const Section& root, const ScenarioContext& context);
// Of a workload of kind `script`: all but its kind.
firmware::ScriptOptions read_script_workload(const Section& workload, const ScenarioContext& context);
// `run_ends`: source or workload come to an end by themselves, so that a run needs no condition.
StopConfig read_stop(const Section& root, bool run_ends);

// Whether the source ends: a trace or script that is neither endless nor repeated.
bool ends(const SourceConfig& source);

// The names of a catalogue, in its order.
template <typename Catalogue>
std::vector<std::string_view> names_of(const Catalogue& catalogue) {
  std::vector<std::string_view> names;
  for (const auto& record : catalogue) names.emplace_back(record.name);
  return names;
}

// All keys that supply.source can have, of traces, of lists of resets and of all kinds of scripts, and those
// of all workloads.
std::span<const std::string_view> trace_keys();
std::span<const std::string_view> reset_keys();
std::span<const std::string_view> script_keys();
std::span<const std::string_view> workload_keys();
// Those of a workload of kind `script`.
std::span<const std::string_view> script_workload_keys();

}  // namespace brownout::sim
