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

The FRAM parts that a scenario can name in storage.part; with NAME, the record of one: each figure with its
source, and a mark where it is an estimate. The keys are those of a part of your own in a scenario.
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

std::string list_of_parts() {
  std::string text;
  for (const FramPart& part : devices::fram_parts()) {
    text += fmt::format("{:<12} {:>7}, {:<12}, {} to {}, {} estimates\n", part.name,
                        format_bytes(part.size_bytes), speed_of(part),
                        format_quantity(part.min_vdd_v, Dimension::voltage),
                        format_quantity(part.max_vdd_v, Dimension::voltage), devices::estimates_in(part));
  }
  return text + "`brownout parts NAME` shows a record with its sources\n";
}

const FramPart& find_part(const std::string& name) {
  if (const FramPart* part = devices::find_fram_part(name)) return *part;
  const auto names = names_of(devices::fram_parts());
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
  print(values.count("name") > 0 ? record_of(find_part(values["name"].as<std::string>())) : list_of_parts());
  return kExitDone;
}

}  // namespace brownout::sim::cli
