// Flags of a command, parsed by Boost.Program_options, with errors in this program's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "sim/cli/commands.hpp"
#include "sim/scenario/scenario.hpp"

namespace brownout::sim::cli {

namespace po = boost::program_options;

// Parses `arguments`; throws InputError for an unknown flag (with the nearest known one), a flag without its
// value, a flag given twice, or an unexpected argument.
po::variables_map parse_options(const Arguments& arguments, const po::options_description& options,
                                const po::positional_options_description& positional);

// A command that needs one argument beside its flags.
struct Subject {
  const char* command;   // "brownout run"
  const char* usage;     // printed above the options
  const char* argument;  // the name of its option
  const char* missing;   // "needs a scenario file, such as ..."
};

// The same for such a command. Nothing if --help was asked for, which it has printed then; throws InputError,
// too, if the argument is missing.
std::optional<po::variables_map> parse_options(const Arguments& arguments,
                                               const po::options_description& options,
                                               const Subject& subject);

// Of `--set`, as given.
std::vector<std::string> sets_of(const po::variables_map& values);
// The scenario of that file with those `--set`; throws InputError. Whether it fits is not looked at.
Scenario scenario_named(const std::string& file, const std::vector<std::string>& sets,
                        std::optional<std::uint64_t> seed);
// The scenario of a command whose argument is `scenario`, with its `--set`, checked to fit; throws
// InputError.
Scenario scenario_of(const po::variables_map& values, std::optional<std::uint64_t> seed);
// Of a flag that names a file to write: empty if it was not given, InputError if nothing can be written
// there.
std::string output_path_of(const po::variables_map& values, const char* flag);

// The value of --seed or another whole number; throws InputError.
std::uint64_t parse_number_flag(const std::string& flag, const std::string& text);

// A case as it was printed, or the first line of the file of that name, such as a campaign leaves in its
// corpus. Throws EnvironmentError if that cannot be read.
std::string case_of(const std::string& argument);

// Prints to the standard output; throws EnvironmentError if that fails (a full disk, a closed pipe).
void print(const std::string& text);

}  // namespace brownout::sim::cli
