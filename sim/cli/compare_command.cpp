#include <fmt/format.h>
#include <fmt/ostream.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/options.hpp"
#include "sim/report/compare.hpp"
#include "sim/scenario/nearest.hpp"

namespace brownout::sim::cli {
namespace {

constexpr const char* kUsage =
    R"(usage: brownout compare A.json B.json [MORE.json]... [--fail-on 'PATH OP VALUE[%]']... [--all]
                        [--format text|markdown|json|html]

What changed between reports of `brownout run`, against the first one, absolute and in percent. A file may also hold
an array of reports; these are matched by the names of their scenarios. The exit code is 1 if a --fail-on rule
strikes: where PATH (as in work.energy_per_operation_j) is a number for which OP VALUE is true, OP being one of
< <= > >=. VALUE with a sign, as in `> +5%` or `< -0.1`, is the change against the first report, in its unit or in
percent; without a sign, the value itself.

)";

po::options_description options_of_compare() {
  po::options_description options("options");
  options.add_options()  //
      ("fail-on", po::value<std::vector<std::string>>()->composing(),
       "a rule that may not strike; may be given many times")                                      //
      ("format", po::value<std::string>()->default_value("text"), "text, markdown, json or html")  //
      ("all", "show what is equal, too")                                                           //
      ("help", "this text")                                                                        //
      ("report", po::value<std::vector<std::string>>(), "the reports");
  return options;
}

using Format = std::string (*)(const Compared&);

Format format_of(const std::string& name) {
  if (name == "text") return compared_text;
  if (name == "markdown") return compared_markdown;
  if (name == "json") return compared_json;
  if (name == "html") return compared_html;
  throw InputError({"--format " + name, 0, 0}, "there are text, markdown, json and html");
}

}  // namespace

int compare_command(const Arguments& arguments) {
  const po::options_description options = options_of_compare();
  po::positional_options_description positional;
  positional.add("report", -1);
  const po::variables_map values = parse_options(arguments, options, positional);
  if (values.count("help") > 0) {
    print(fmt::format("{}{}", kUsage, fmt::streamed(options)));
    return kExitDone;
  }
  const auto paths = values.count("report") > 0 ? values["report"].as<std::vector<std::string>>()
                                                : std::vector<std::string>();
  if (paths.size() < 2) {
    throw InputError({"brownout compare", 0, 0},
                     "needs two reports, such as old.json and new.json, of `brownout run --report`");
  }
  const Format format = format_of(values["format"].as<std::string>());
  Compared compared;
  compared.with_equal = values.count("all") > 0;
  if (values.count("fail-on") > 0) {
    for (const std::string& text : values["fail-on"].as<std::vector<std::string>>())
      compared.rules.push_back(parse_rule(text));
  }
  for (const std::string& path : paths) compared.files.push_back(read_report_file(path));
  compared.comparisons = compare(compared.files);
  compared.results = apply_rules(compared.files, compared.comparisons, compared.rules);
  print(format(compared));
  return compared.struck() ? kExitFailed : kExitDone;
}

}  // namespace brownout::sim::cli
