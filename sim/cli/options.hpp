// Flags of a command, parsed by Boost.Program_options, with errors in this program's words.
#pragma once

#include <string>

#include <boost/program_options.hpp>

#include "sim/cli/commands.hpp"

namespace brownout::sim::cli {

namespace po = boost::program_options;

// Parses `arguments`; throws InputError for an unknown flag (with the nearest known one), a flag without its
// value, a flag given twice, or an unexpected argument.
po::variables_map parse_options(const Arguments& arguments, const po::options_description& options,
                                const po::positional_options_description& positional);

// The value of --seed or another whole number; throws InputError.
std::uint64_t parse_number_flag(const std::string& flag, const std::string& text);

// Prints to the standard output; throws EnvironmentError if that fails (a full disk, a closed pipe).
void print(const std::string& text);

}  // namespace brownout::sim::cli
