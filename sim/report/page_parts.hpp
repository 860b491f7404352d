// What a page is made of, embedded at build time from sim/report/page and from the pinned package uPlot.
#pragma once

#include <string_view>

namespace brownout::sim {

std::string_view page_css();
std::string_view page_js();
// Empty if the build had no npm, or no registry.
std::string_view page_uplot_css();
std::string_view page_uplot_js();

}  // namespace brownout::sim
