#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/options.hpp"
#include "sim/machine/timing_bench.hpp"
#include "sim/scenario/choices.hpp"
#include "sim/scenario/nearest.hpp"
#include "sim/scenario/quantity.hpp"

namespace brownout::sim::cli {
namespace {

constexpr const char* kUsage =
    R"(usage: brownout timing --part NAME --sck CLOCK --transfer fifo|dma|sliced [--slice N] [--bus PROFILE]
                       --sizes N,N,...

Latency of one read call and one write call of each size, through the real driver on the simulated bus, as CSV:
size_bytes,read_ns,write_ns.

)";

Location at(const std::string& flag, const std::string& text) { return {flag + " " + text, 0, 0}; }

template <class Records>
std::string names_of(const Records& records) {
  std::string names;
  for (const auto& record : records) names += fmt::format("{}{}", names.empty() ? "" : ", ", record.name);
  return names;
}

const std::string& need(const po::variables_map& values, const char* flag, const char* example) {
  if (values.count(flag) == 0) {
    throw InputError({"brownout timing", 0, 0},
                     fmt::format("needs --{}, such as --{} {}", flag, flag, example));
  }
  return values[flag].as<std::string>();
}

std::vector<std::uint32_t> parse_sizes(const std::string& text, std::uint32_t most) {
  std::vector<std::uint32_t> sizes;
  const char* next = text.data();
  const char* const end = text.data() + text.size();
  while (true) {
    std::uint32_t size = 0;
    const auto [stop, error] = std::from_chars(next, end, size);
    if (error != std::errc() || (stop != end && *stop != ',')) {
      throw InputError(at("--sizes", text),
                       "needs whole numbers of bytes with commas between them, such as 0,32,8192");
    }
    if (size > most)
      throw InputError(at("--sizes", text), fmt::format("{} B is more than the part has ({} B)", size, most));
    sizes.push_back(size);
    if (stop == end) return sizes;
    next = stop + 1;
  }
}

TimingSetup setup_of(const po::variables_map& values) {
  TimingSetup setup;
  const std::string& part = need(values, "part", "mb85rs64v");
  const devices::FramPart* known_part = devices::find_fram_part(part);
  if (known_part == nullptr) {
    throw InputError(at("--part", part),
                     fmt::format("unknown part; known are {}", names_of(devices::fram_parts())));
  }
  if (known_part->is_mapped) {
    throw InputError(at("--part", part), "lies in the address space of its MCU: there is no bus to time");
  }
  setup.part = *known_part;

  const auto& bus = values["bus"].as<std::string>();
  const devices::SpiProfile* known_bus = devices::find_spi_profile(bus);
  if (known_bus == nullptr) {
    throw InputError(at("--bus", bus),
                     fmt::format("unknown bus profile; known are {}", names_of(devices::spi_profiles())));
  }
  setup.bus = *known_bus;

  const std::string& sck = need(values, "sck", "\"20 MHz\"");
  const Location where = at("--sck", sck);
  setup.sck_hz = parse_whole({sck, "the clock", where}, Dimension::frequency, {1'000, setup.part.max_sck_hz});
  // A controller on the clock of its MCU: which that is, nobody says here.
  if (setup.bus.divider.source_hz > 0) setup.sck_hz = setup.bus.divider.at_most(setup.sck_hz, 0);
  if (setup.sck_hz == 0) {
    const auto slowest = static_cast<double>(setup.bus.divider.slowest(0));
    throw InputError(where, fmt::format("{} makes at least {}", setup.bus.name,
                                        format_quantity(slowest, Dimension::frequency)));
  }

  const std::string& transfer = need(values, "transfer", "fifo");
  const auto mode = std::find(kTransferModes.begin(), kTransferModes.end(), transfer);
  if (mode == kTransferModes.end()) throw InputError(at("--transfer", transfer), "needs fifo, dma or sliced");
  setup.transfer = static_cast<devices::TransferMode>(mode - kTransferModes.begin());

  const bool sliced = setup.transfer == devices::TransferMode::sliced;
  if (sliced != (values.count("slice") > 0)) {
    throw InputError({"brownout timing", 0, 0},
                     sliced ? "--transfer sliced needs --slice N, the bytes of a slice"
                            : "--slice goes with --transfer sliced only");
  }
  if (sliced) {
    const auto& slice = values["slice"].as<std::string>();
    const std::uint64_t bytes = parse_number_flag("--slice", slice);
    if (bytes < 1 || bytes > 4096) throw InputError(at("--slice", slice), "needs 1 to 4096 bytes");
    setup.slice_bytes = static_cast<std::uint32_t>(bytes);
  }
  return setup;
}

// Nanoseconds with one decimal, rounded to nearest, from whole picoseconds.
std::string nanoseconds_text(devices::Picoseconds time) {
  const std::int64_t tenths = (time.count + 50) / 100;
  return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

}  // namespace

int timing_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()                                                                  //
      ("part", po::value<std::string>(), "FRAM part")                                    //
      ("sck", po::value<std::string>(), "SPI clock, such as \"20 MHz\"")                 //
      ("transfer", po::value<std::string>(), "fifo, dma or sliced")                      //
      ("slice", po::value<std::string>(), "bytes of a slice")                            //
      ("bus", po::value<std::string>()->default_value("esp32c3-zephyr"), "bus profile")  //
      ("sizes", po::value<std::string>(), "sizes in bytes, with commas between them")    //
      ("help", "this text");
  const po::variables_map values = parse_options(arguments, options, po::positional_options_description{});
  if (values.count("help") > 0) {
    print(fmt::format("{}{}", kUsage, fmt::streamed(options)));
    return kExitDone;
  }
  const TimingSetup setup = setup_of(values);
  const std::vector<std::uint32_t> sizes =
      parse_sizes(need(values, "sizes", "0,32,8192"), setup.part.size_bytes);
  std::string text = "size_bytes,read_ns,write_ns\n";
  for (const std::uint32_t size : sizes) {
    const CallLatency latency = measure_call(setup, size);
    text += fmt::format("{},{},{}\n", size, nanoseconds_text(latency.read), nanoseconds_text(latency.write));
  }
  print(text);
  return kExitDone;
}

}  // namespace brownout::sim::cli
