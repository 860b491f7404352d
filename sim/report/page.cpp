#include "sim/report/page.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "sim/report/figures.hpp"
#include "sim/report/page_parts.hpp"
#include "sim/report/report.hpp"
#include "sim/report/table.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;
using Type = Json::value_t;

// Within a script no text may end it. In JSON < is in strings only.
std::string for_script(const Json& json) {
  std::string escaped;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

struct Needed {
  const char* pointer;
  Type type;
};
// What the page reads of a report: objects, arrays, numbers (whatever their kind) and texts.
constexpr std::array<Needed, 24> kNeeded = {{{"/version", Type::string},
                                             {"/verdict", Type::string},
                                             {"/stop_reason", Type::string},
                                             {"/simulated_time_s", Type::number_float},
                                             {"/configuration/turn_on_v", Type::number_float},
                                             {"/configuration/warn_v", Type::number_float},
                                             {"/configuration/brown_out_v", Type::number_float},
                                             {"/outages/total", Type::number_float},
                                             {"/outages/lost", Type::number_float},
                                             {"/phases", Type::object},
                                             {"/energy_by_consumer_j", Type::object},
                                             {"/persist/time_s", Type::object},
                                             {"/persist_bound/time_s", Type::number_float},
                                             {"/work/operations", Type::number_float},
                                             {"/progress", Type::object},
                                             {"/margin", Type::object},
                                             {"/capacitor", Type::object},
                                             {"/uncalibrated/energy_share", Type::number_float},
                                             {"/distribution/persist/count", Type::number_float},
                                             {"/distribution/persist/histogram", Type::array},
                                             {"/voltage/stretch_s", Type::number_float},
                                             {"/voltage/lowest_v", Type::array},
                                             {"/voltage/highest_v", Type::array},
                                             {"/cycles/records", Type::array}}};

bool has(const Json& report, const Needed& needed) {
  const Json::json_pointer pointer(needed.pointer);
  if (!report.contains(pointer)) return false;
  const Json& value = report[pointer];
  return needed.type == Type::number_float ? value.is_number() : value.type() == needed.type;
}

double volts(const Json& value) { return value.is_number() ? value.get<double>() : 0; }

}  // namespace

bool can_make_pages() { return !page_uplot_js().empty(); }

void check_showable(const ReportFile& file) {
  for (const NamedReport& report : file.reports) {
    if (report.schema_version < 2) {
      throw InputError({file.path, 0, 0},
                       "is of schema version 1, which has no voltage and no power cycles to show; "
                       "run the scenario again");
    }
    for (const Needed& needed : kNeeded) {
      if (has(report.json, needed)) continue;
      std::string path = needed.pointer + 1;
      std::replace(path.begin(), path.end(), '/', '.');
      throw InputError({file.path, 0, 0}, fmt::format("has no `{}` of the right kind", path));
    }
  }
}

std::string page_html(const std::vector<ReportFile>& files) {
  assert(can_make_pages());
  std::string data;
  std::string title;
  for (const ReportFile& file : files) {
    for (const NamedReport& report : file.reports) {
      data += data.empty() ? "[" : ",\n";
      data += fmt::format(R"({{"file":{},"report":{}}})", for_script(file.path), for_script(report.json));
      title += (title.empty() ? "" : ", ") + report.scenario;
    }
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      // Nothing is fetched, whatever a report says.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; img-src data:\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n"
      "<title>brownout: {}</title>\n<style>\n{}\n{}</style>\n</head>\n<body>\n<header><h1>brownout: {}</h1>"
      "<button type=\"button\" id=\"theme\">light or dark</button></header>\n<main></main>\n"
      "<script id=\"reports\" "
      "type=\"application/json\">{}]</script>\n<script>{}</script>\n<script>{}</script>\n"
      "</body>\n</html>\n",
      escape_html(title), page_uplot_css(), page_css(), escape_html(title), data, page_uplot_js(), page_js());
}

std::string voltage_svg(const NamedReport& report) {
  constexpr double kWidth = 800;
  constexpr double kHeight = 320;
  constexpr double kLeft = 60;
  constexpr double kRight = 16;
  constexpr double kTop = 14;
  constexpr double kBottom = 36;
  const Json& voltage = report.json.at("voltage");
  const Json& lowest = voltage.at("lowest_v");
  const Json& highest = voltage.at("highest_v");
  const Json& configuration = report.json.at("configuration");
  const std::size_t count = std::min(lowest.size(), highest.size());
  const double stretch_s = voltage.at("stretch_s").get<double>();
  const double end_s = std::max(report.json.at("simulated_time_s").get<double>(), stretch_s);
  double top_v = volts(configuration.at("turn_on_v"));
  for (const Json& v : highest) top_v = std::max(top_v, volts(v));
  top_v *= 1.06;
  const auto x = [&](double s) { return kLeft + std::min(s, end_s) / end_s * (kWidth - kLeft - kRight); };
  const auto y = [&](double v) { return kHeight - kBottom - v / top_v * (kHeight - kTop - kBottom); };

  // Along the highest and back along the lowest, in steps.
  std::string path;
  const auto go = [&](double s, double v) {
    path += fmt::format("{}{:.2f},{:.2f}", path.empty() ? "M" : "L", x(s), y(v));
  };
  for (std::size_t i = 0; i < count; ++i) {
    go(static_cast<double>(i) * stretch_s, volts(highest[i]));
    go(static_cast<double>(i + 1) * stretch_s, volts(highest[i]));
  }
  for (std::size_t i = count; i-- > 0;) {
    go(static_cast<double>(i + 1) * stretch_s, volts(lowest[i]));
    go(static_cast<double>(i) * stretch_s, volts(lowest[i]));
  }
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<title>{2}: voltage of the capacitor</title>\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n"
      "<path d=\"{3}Z\" fill=\"#9dbbe0\" stroke=\"#0b4fa8\" stroke-width=\"0.6\"/>\n",
      kWidth, kHeight, escape_html(report.scenario), path.empty() ? "M0,0" : path);
  constexpr std::array<std::array<const char*, 3>, 3> kLevels = {{{"turn-on", "turn_on_v", "#1d6b2a"},
                                                                  {"warn", "warn_v", "#8a5a00"},
                                                                  {"brown-out", "brown_out_v", "#b00020"}}};
  for (const auto& [name, key, colour] : kLevels) {
    const double v = volts(configuration.at(key));
    text += fmt::format(
        "<line x1=\"{:.2f}\" x2=\"{:.2f}\" y1=\"{:.2f}\" y2=\"{:.2f}\" stroke=\"{}\" "
        "stroke-dasharray=\"6 4\"/>\n<text x=\"{:.2f}\" y=\"{:.2f}\" fill=\"{}\">{} {} V</text>\n",
        kLeft, kWidth - kRight, y(v), y(v), colour, kLeft + 4, y(v) - 3, colour, name, v);
  }
  text += fmt::format("<path d=\"M{0:.2f},{1:.2f}V{2:.2f}H{3:.2f}\" fill=\"none\" stroke=\"#444444\"/>\n",
                      kLeft, kTop, kHeight - kBottom, kWidth - kRight);
  constexpr int kMarks = 5;
  for (int i = 0; i <= kMarks; ++i) {
    const double s = end_s * i / kMarks;
    text += fmt::format("<text x=\"{:.2f}\" y=\"{:.2f}\" text-anchor=\"{}\">{}</text>\n", x(s),
                        kHeight - kBottom + 16,
                        i == 0        ? "start"
                        : i == kMarks ? "end"
                                      : "middle",
                        si(s, "s"));
  }
  for (int v = 0; v <= static_cast<int>(top_v); ++v) {
    text += fmt::format("<text x=\"{:.2f}\" y=\"{:.2f}\" text-anchor=\"end\">{} V</text>\n", kLeft - 6,
                        y(v) + 4, v);
  }
  return text + "</svg>\n";
}

std::string cycles_csv(const NamedReport& report) {
  Table table;
  const Json& records = report.json.at("cycles").at("records");
  for (const Json& record : records) {
    std::vector<std::string> header;
    std::vector<std::string> row;
    const auto add = [&](const std::string& name, const Json& value) {
      header.push_back(name);
      row.push_back(value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump());
    };
    for (const auto& [key, value] : record.items()) {
      if (value.is_array()) continue;
      if (!value.is_object()) {
        add(key, value);
        continue;
      }
      for (const auto& [part, of] : value.items()) add(fmt::format("{}.{}", key, part), of);
    }
    if (table.header.empty()) table.header = header;
    row.resize(table.header.size());
    table.rows.push_back(std::move(row));
  }
  return csv_of(table);
}

}  // namespace brownout::sim
