#include "sim/cli/options.hpp"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "sim/report/write_file.hpp"
#include "sim/scenario/fit.hpp"
#include "sim/scenario/input_error.hpp"
#include "sim/scenario/nearest.hpp"

namespace brownout::sim::cli {

po::variables_map parse_options(const Arguments& arguments, const po::options_description& options,
                                const po::positional_options_description& positional) {
  namespace style = po::command_line_style;
  po::variables_map values;
  try {
    po::store(po::command_line_parser(arguments)
                  .options(options)
                  .positional(positional)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              values);
    po::notify(values);
  } catch (const po::unknown_option& error) {
    std::vector<std::string> names;
    for (const auto& option : options.options()) names.push_back("--" + option->long_name());
    const std::vector<std::string_view> known(names.begin(), names.end());
    const auto near = nearest(error.get_option_name(), known);
    throw InputError({"brownout", 0, 0},
                     fmt::format("unknown flag `{}`; {}", error.get_option_name(),
                                 near ? fmt::format("did you mean `{}`?", *near) : "see --help"));
  } catch (const po::too_many_positional_options_error&) {
    throw InputError({"brownout", 0, 0},
                     fmt::format("too many arguments: `{}`; see --help", arguments.back()));
  } catch (const po::error& error) {
    throw InputError({"brownout", 0, 0}, fmt::format("{}; see --help", error.what()));
  }
  return values;
}

std::optional<po::variables_map> parse_options(const Arguments& arguments,
                                               const po::options_description& options,
                                               const Subject& subject) {
  po::positional_options_description positional;
  positional.add(subject.argument, 1);
  po::variables_map values = parse_options(arguments, options, positional);
  if (values.count("help") > 0) {
    print(fmt::format("{}{}", subject.usage, fmt::streamed(options)));
    return std::nullopt;
  }
  if (values.count(subject.argument) == 0) throw InputError({subject.command, 0, 0}, subject.missing);
  return values;
}

std::vector<std::string> sets_of(const po::variables_map& values) {
  return values.count("set") > 0 ? values["set"].as<std::vector<std::string>>() : std::vector<std::string>();
}

Scenario scenario_named(const std::string& file, const std::vector<std::string>& sets,
                        std::optional<std::uint64_t> seed) {
  std::vector<Override> overrides;
  overrides.reserve(sets.size());
  for (const std::string& set : sets) overrides.push_back({set});
  return load_scenario(file, overrides, seed);
}

Scenario scenario_of(const po::variables_map& values, std::optional<std::uint64_t> seed) {
  Scenario scenario = scenario_named(values["scenario"].as<std::string>(), sets_of(values), seed);
  check_fit(scenario);
  return scenario;
}

std::string output_path_of(const po::variables_map& values, const char* flag) {
  if (values.count(flag) == 0) return "";
  const auto& path = values[flag].as<std::string>();
  check_output_path(fmt::format("--{}", flag), path);
  return path;
}

std::uint64_t parse_number_flag(const std::string& flag, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw InputError({flag + " " + text, 0, 0}, "needs a whole number from 0 to 18446744073709551615");
  }
  return value;
}

std::string case_of(const std::string& argument) {
  std::error_code error;
  if (argument.find('~') < 3 || !std::filesystem::is_regular_file(argument, error)) return argument;
  std::ifstream file(argument);
  std::string line;
  if (!std::getline(file, line)) throw EnvironmentError(fmt::format("cannot read {}", argument));
  return line;
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw EnvironmentError("cannot write to the standard output");
  }
}

}  // namespace brownout::sim::cli
