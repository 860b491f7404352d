// Reports as a page to look at, and as files for papers.
#pragma once

#include <string>
#include <vector>

#include "sim/report/report_file.hpp"

namespace brownout::sim {

// Whether this build has what a page is made with (page/fetch.cmake).
bool can_make_pages();

// Throws InputError for a report that the functions below cannot show: of an older version, or without the
// parts that they show.
void check_showable(const ReportFile& file);

// One page that needs nothing from elsewhere: the reports themselves, and the script that draws them side by
// side. Asserted: can_make_pages(), and all files are showable. O(size).
std::string page_html(const std::vector<ReportFile>& files);

// The voltage over time with its thresholds, as SVG; the lowest and the highest of each stretch.
std::string voltage_svg(const NamedReport& report);

// The records of power cycles, a row each, without events and points.
std::string cycles_csv(const NamedReport& report);

}  // namespace brownout::sim
