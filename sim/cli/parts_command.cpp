#include <string>
#include <string_view>

#include <fmt/format.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/options.hpp"
#include "sim/scenario/nearest.hpp"
#include "sim/scenario/quantity.hpp"
#include "sim/scenario/sections.hpp"
#include "sim/scenario/text.hpp"

namespace brownout::sim::cli {
namespace {

using devices::FramPart;

constexpr const char* kUsage =
    R"(usage: brownout parts [NAME]

The FRAM parts that a scenario can name in storage.part, and the microcontrollers of mcu.profile; with NAME, the
record of one. Of a part each figure has its source, and a mark where it is an estimate. The keys are those of a
scenario.
)";

std::string hertz(std::uint64_t hz) { return format_quantity(static_cast<double>(hz), Dimension::frequency); }

// The value of a figure as a scenario writes it.
std::string text_of(std::string_view /*key*/, bool value) { return value ? "true" : "false"; }
std::string text_of(std::string_view key, std::uint32_t value) {
  return key == "address_bytes" ? fmt::format("{}", value) : format_bytes(value);
}
std::string text_of(std::string_view /*key*/, std::uint64_t hz) { return hertz(hz); }
std::string text_of(std::string_view key, double value) {
  if (key == "endurance") return fmt::format("{:g}", value);
  return format_quantity(value, key.ends_with("_vdd") ? Dimension::voltage : Dimension::current);
}
std::string text_of(std::string_view /*key*/, devices::Picoseconds time) { return format_time(time); }
std::string text_of(std::string_view /*key*/, const devices::FramCurrent& active) {
  return fmt::format("{} at {}", format_quantity(active.current_a, Dimension::current), hertz(active.sck_hz));
}
std::string text_of(std::string_view /*key*/, const devices::FramRetention& retention) {
  return fmt::format("{} years at {} C", retention.years, retention.celsius);
}
std::string text_of(std::string_view /*key*/, const devices::FramIdentity& identity) {
  std::string text = identity.size == 0 ? "none" : "";
  for (std::uint32_t i = 0; i < identity.size; ++i) {
    text += fmt::format("{}{:02X}", i == 0 ? "" : " ", identity.bytes[i]);
  }
  return text;
}

std::string opcodes_of(const FramPart& part) {
  namespace code = devices::fram_opcode;
  std::string text =
      fmt::format("WREN {:02X}, WRDI {:02X}, RDSR {:02X}, WRSR {:02X}, READ {:02X}, WRITE {:02X}",
                  code::kWren, code::kWrdi, code::kRdsr, code::kWrsr, code::kRead, code::kWrite);
  if (part.fast_read) text += fmt::format(", FSTRD {:02X}", code::kFstrd);
  if (part.rdid.value.size > 0) text += fmt::format(", RDID {:02X}", code::kRdid);
  if (part.has_sleep) text += fmt::format(", SLEEP {:02X}", code::kSleep);
  return text;
}

std::string record_of(const FramPart& part) {
  std::string text = part.name + "\n";
  text += part.is_mapped ? fmt::format("  {:<21} {}\n", "bus", "none: in the address space of its MCU")
                         : fmt::format("  {:<21} {}\n", "opcodes", opcodes_of(part));
  devices::visit_figures(part, [&text](const char* key, const auto& figure) {
    text += fmt::format("  {:<21} {:<27} {}{}\n", key, text_of(key, figure.value),
                        figure.estimated ? "ESTIMATE: " : "", figure.source);
  });
  return text;
}

std::string speed_of(const FramPart& part) {
  if (part.is_mapped) return "mapped, " + format_time(part.access);
  return "up to " + hertz(part.max_sck_hz);
}

std::string line(std::string_view key, const std::string& value) {
  return fmt::format("  {:<21} {}\n", key, value);
}

std::string record_of(const devices::McuProfile& mcu) {
  const auto current = [](double amperes) { return format_quantity(amperes, Dimension::current); };
  std::string text = mcu.name + "\n";
  text += line("clock", hertz(mcu.clock_hz));
  text += line("rail", format_quantity(mcu.rail_v, Dimension::voltage));
  text += line("active_current",
               fmt::format("{}, {} without a clock", current(mcu.active_a), current(mcu.idle_a_at_0_hz)));
  text += line("sleep_current", current(mcu.sleep_a));
  text += line("deep_sleep_current", current(mcu.deep_sleep_a));
  for (const devices::BootPhase& phase : mcu.boot) {
    text += line("boot", fmt::format("{}: {} at {}", phase.name, format_time(phase.duration),
                                     current(phase.current_a)));
  }
  std::string levels;
  for (const double level_v : mcu.brown_out_levels_v) {
    levels += fmt::format("{}{}", levels.empty() ? "" : ", ", format_quantity(level_v, Dimension::voltage));
  }
  text += line("brown_out_level", levels.empty() ? "not known" : levels + "; the first one by default");
  const devices::CpuCosts& costs = mcu.costs;
  text += line("costs", fmt::format("call {:g}, step {:g}, copied_byte {:g}, checksum_byte {:g}, "
                                    "checksum_byte_by_table {:g}, section {:g} cycles",
                                    costs.call, costs.step, costs.copied_byte, costs.checksum_byte,
                                    costs.checksum_byte_by_table, costs.section));
  text += line("storage.bus", mcu.bus);
  return text + line("sources", mcu.sources);
}

std::string list_of_parts() {
  std::string text;
  for (const FramPart& part : devices::fram_parts()) {
    text += fmt::format("{:<12} {:>7}, {:<12}, {} to {}, {} estimates\n", part.name,
                        format_bytes(part.size_bytes), speed_of(part),
                        format_quantity(part.min_vdd_v, Dimension::voltage),
                        format_quantity(part.max_vdd_v, Dimension::voltage), devices::estimates_in(part));
  }
  for (const devices::McuProfile& mcu : devices::mcu_profiles()) {
    text += fmt::format("{:<14} {}, microcontroller\n", mcu.name, hertz(mcu.clock_hz));
  }
  return text + "`brownout parts NAME` shows a record with its sources\n";
}

std::string record_named(const std::string& name) {
  if (const FramPart* part = devices::find_fram_part(name)) return record_of(*part);
  if (const devices::McuProfile* mcu = devices::find_mcu_profile(name)) return record_of(*mcu);
  auto names = names_of(devices::fram_parts());
  for (const auto& mcu : names_of(devices::mcu_profiles())) names.push_back(mcu);
  const auto meant = nearest(name, names);
  throw InputError(
      {"brownout parts", 0, 0},
      fmt::format("{} is not known{} (known: {})", in_quotes(name),
                  meant ? fmt::format("; did you mean {}?", *meant) : "", fmt::join(names, ", ")));
}

}  // namespace

int parts_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()      //
      ("help", "this text")  //
      ("name", po::value<std::string>(), "a part of the catalogue");
  po::positional_options_description positional;
  positional.add("name", 1);
  const po::variables_map values = parse_options(arguments, options, positional);
  if (values.count("help") > 0) {
    print(kUsage);
    return kExitDone;
  }
  print(values.count("name") > 0 ? record_named(values["name"].as<std::string>()) : list_of_parts());
  return kExitDone;
}

}  // namespace brownout::sim::cli
