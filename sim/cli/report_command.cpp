#include <fmt/format.h>
#include <fmt/ostream.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/options.hpp"
#include "sim/report/page.hpp"
#include "sim/report/write_file.hpp"

namespace brownout::sim::cli {
namespace {

constexpr const char* kUsage =
    R"(usage: brownout report FILE.json [MORE.json]... [--html OUT.html] [--svg OUT.svg] [--csv OUT.csv]

Makes a page of what `brownout run --report` wrote: the capacitor's voltage over time, down to microseconds where power
cycles have a record; where the energy went; how long persists took, and their bound. Several reports are side by side.
The page needs no network. For papers: the voltage as SVG, and the records of power cycles as CSV, of one report.

)";

po::options_description options_of_report() {
  po::options_description options("options");
  options.add_options()                                                                    //
      ("html", po::value<std::string>(), "write the page to this file")                    //
      ("svg", po::value<std::string>(), "write the voltage over time to this file")        //
      ("csv", po::value<std::string>(), "write the records of power cycles to this file")  //
      ("help", "this text")                                                                //
      ("report", po::value<std::vector<std::string>>(), "the reports");
  return options;
}

}  // namespace

int report_command(const Arguments& arguments) {
  const po::options_description options = options_of_report();
  po::positional_options_description positional;
  positional.add("report", -1);
  const po::variables_map values = parse_options(arguments, options, positional);
  if (values.count("help") > 0) {
    print(fmt::format("{}{}", kUsage, fmt::streamed(options)));
    return kExitDone;
  }
  if (values.count("report") == 0) {
    throw InputError({"brownout report", 0, 0},
                     "needs a report, such as one of `brownout run --report out.json`");
  }
  const std::string html = output_path_of(values, "html");
  const std::string svg = output_path_of(values, "svg");
  const std::string csv = output_path_of(values, "csv");
  if (html.empty() && svg.empty() && csv.empty()) {
    throw InputError({"brownout report", 0, 0}, "needs --html, --svg or --csv with a file to write");
  }
  std::vector<ReportFile> files;
  for (const std::string& path : values["report"].as<std::vector<std::string>>()) {
    files.push_back(read_report_file(path));
    check_showable(files.back());
  }
  if ((!svg.empty() || !csv.empty()) && (files.size() > 1 || files.front().reports.size() > 1)) {
    throw InputError({"brownout report", 0, 0}, "--svg and --csv take one report");
  }
  if (!html.empty() && !can_make_pages()) {
    throw EnvironmentError(
        "this program was built without uPlot, which it draws pages with: install npm, remove "
        "build/release/sim/page, and build again");
  }
  if (!html.empty()) write_file(html, page_html(files));
  if (!svg.empty()) write_file(svg, voltage_svg(files.front().reports.front()));
  if (!csv.empty()) write_file(csv, cycles_csv(files.front().reports.front()));
  return kExitDone;
}

}  // namespace brownout::sim::cli
