#include "sim/cli/commands.hpp"
#include "sim/cli/options.hpp"
#include "sim/inspect/describe.hpp"

namespace brownout::sim::cli {
namespace {

constexpr const char* kUsage =
    R"(usage: brownout inspect IMAGE [--salvage]

Says what the bytes of a store amount to: a dump of an FRAM, or what `brownout run --image` saved. The first line
is one word, what the boot of the program that wrote it would find:

  empty     no checkpoint            current   a checkpoint that can be restored
  torn      a persist was cut, and nothing was written since the checkpoint before it
  stale     the program ran on after its last whole checkpoint, and died
  foreign   another version, configuration or program, or no superblock to say which

)";

}  // namespace

int inspect_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()                                                           //
      ("salvage", "what of it can be trusted and what cannot, object by object")  //
      ("help", "this text")                                                       //
      ("image", po::value<std::string>(), "the image: the bytes of the whole store, nothing else");
  const auto parsed =
      parse_options(arguments, options,
                    {"brownout inspect", kUsage, "image",
                     "needs an image, such as `brownout run SCENARIO.yaml --image fram.bin` saves"});
  if (!parsed) return kExitDone;
  const po::variables_map& values = *parsed;
  const Inspection inspection = inspect_file(values["image"].as<std::string>());
  std::string text = describe(inspection);
  if (values.count("salvage") > 0) text.append("\n").append(describe(inspection, salvage(inspection)));
  print(text);
  return kExitDone;
}

}  // namespace brownout::sim::cli
