// How a comparison is shown: as text, Markdown, JSON and HTML.
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "sim/report/compare.hpp"
#include "sim/report/figures.hpp"
#include "sim/report/table.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kCompareSchemaVersion = 1;
constexpr std::size_t kLongestCell = 40;

// A, B, ..., Z, then numbers.
std::string letter_of(std::size_t file) {
  return file < 26 ? std::string(1, static_cast<char>('A' + file)) : fmt::format("#{}", file + 1);
}

// What a path's last part says of its unit.
const char* unit_of(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, const char*>, 8> kUnits = {{{"_s", "s"},
                                                                               {"_j", "J"},
                                                                               {"_v", "V"},
                                                                               {"_f", "F"},
                                                                               {"_hz", "Hz"},
                                                                               {"_ohm", "Ohm"},
                                                                               {"_a", "A"},
                                                                               {"_w", "W"}}};
  // persist.time_s.mean, energy_by_consumer_j.cpu: the unit is on the part before.
  for (const auto& [suffix, unit] : kUnits) {
    if (path.ends_with(suffix)) return unit;
  }
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  path = path.substr(0, dot);
  for (const auto& [suffix, unit] : kUnits) {
    if (path.ends_with(suffix)) return unit;
  }
  return nullptr;
}

std::string shortened(std::string text) {
  if (text.size() <= kLongestCell) return text;
  std::size_t end = kLongestCell - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // not within a character
  text.resize(end);
  return text + "...";
}

// Control characters would move a terminal's cursor.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

std::string number_text(const Json& value, const char* unit) {
  if (value.is_number_integer() && unit == nullptr) return value.dump();
  const auto number = value.get<double>();
  return unit != nullptr ? si(number, unit, 6) : fmt::format("{:.6g}", number);
}

std::string value_text(const Field& field, std::size_t file) {
  const Json* value = field.values[file];
  if (value == nullptr) return "-";
  if (field.is_long) return fmt::format("{} entries", value->size());
  if (value->is_number()) return number_text(*value, unit_of(field.path));
  if (value->is_string()) return shortened(one_line(value->get<std::string>()));
  return shortened(value->dump());
}

std::string change_text(const Field& field, std::size_t file) {
  const auto change = change_of(field, file);
  if (!change || *change == 0) return "";
  const char* unit = unit_of(field.path);
  const std::string amount = unit != nullptr ? si(*change, unit, 4) : fmt::format("{:.4g}", *change);
  return *change > 0 ? "+" + amount : amount;
}

std::string percent_text(const Field& field, std::size_t file) {
  const auto percent = percent_change_of(field, file);
  if (!percent || *percent == 0) return "";
  return *percent > -100 && *percent < 100 ? fmt::format("{:+.3g} %", *percent)
                                           : fmt::format("{:+.0f} %", *percent);
}

struct Section {
  const char* title;
  std::vector<const Field*> fields;
};

// What was asked, what people ask for first, the rest.
bool is_headline(std::string_view path) {
  for (const std::string_view start :
       {"verdict", "stop_reason", "failure", "outages.", "work.", "progress.", "margin.", "capacitor.",
        "persist.time_s.", "persist.energy_j.", "persist_bound.time_s", "persist_bound.energy_j",
        "persist_bound.bytes", "restore.time_s.", "storage.wear.years"}) {
    if (path.starts_with(start)) return true;
  }
  return false;
}

std::vector<Section> sections_of(const Comparison& comparison, bool with_equal) {
  std::vector<Section> sections = {{"what was asked", {}}, {"what came of it", {}}, {"everything else", {}}};
  for (const Field& field : comparison.fields) {
    if (field.is_equal && !with_equal) continue;
    const bool asked = field.path.starts_with("inputs.") || field.path == "scenario" || field.path == "seed";
    sections[asked ? 0 : is_headline(field.path) ? 1 : 2].fields.push_back(&field);
  }
  return sections;
}

Table table_of(const Compared& compared, const Section& section) {
  Table table;
  table.header = {section.title};
  for (std::size_t i = 0; i < compared.files.size(); ++i) {
    table.header.push_back(letter_of(i));
    if (i > 0) {
      table.header.emplace_back("change");
      table.header.emplace_back("");
    }
  }
  for (const Field* field : section.fields) {
    std::vector<std::string> row = {one_line(field->path)};
    for (std::size_t i = 0; i < compared.files.size(); ++i) {
      row.push_back(value_text(*field, i));
      if (i > 0) {
        row.push_back(change_text(*field, i));
        row.push_back(percent_text(*field, i));
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string verdict_of(const NamedReport& report) {
  const auto verdict = report.json.find("verdict");
  return verdict != report.json.end() && verdict->is_string() ? verdict->get<std::string>() : "no verdict";
}

std::string equal_text(const Comparison& comparison) {
  return fmt::format("equal: all {} fields", comparison.fields.size());
}

std::string rule_line(const Compared& compared, const RuleResult& result) {
  const Rule& rule = *result.rule;
  const std::string seen = fmt::format("{}{:.6g}{}", rule.is_change && result.seen >= 0 ? "+" : "",
                                       result.seen, rule.is_percent ? " %" : "");
  const std::string of = compared.comparisons.size() > 1 ? fmt::format(" of {}", result.scenario) : "";
  return fmt::format("{} {}: {} in {}{}", result.struck ? "STRUCK" : "held  ", rule.text, seen,
                     letter_of(result.file), of);
}

std::string title_of(const Comparison& comparison) { return one_line(comparison.scenario); }

constexpr const char* kStyle = R"(<style>
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --line: #c8c8c8; --faint: #555555; --bad: #a40000; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --paper: #16181c; --line: #444a55; --faint: #b0b4bc; --bad: #ff8a80; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0 0 1.5rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right; font-weight: normal; }
thead th { color: var(--faint); } tr > :first-child { text-align: left; }
.struck { color: var(--bad); font-weight: bold; } .wide { overflow-x: auto; }
</style>
)";

}  // namespace

std::string compared_text(const Compared& compared) {
  std::string text;
  for (const Comparison& comparison : compared.comparisons) {
    text += title_of(comparison) + "\n";
    for (std::size_t i = 0; i < compared.files.size(); ++i) {
      const NamedReport* report = comparison.reports[i];
      if (report == nullptr) continue;
      text += fmt::format("  {}  {}: {}, {}\n", letter_of(i), compared.files[i].path,
                          one_line(report->scenario), verdict_of(*report));
    }
    for (const std::string& note : comparison.notes) text += fmt::format("  NOTE: {}\n", one_line(note));
    if (comparison.is_equal()) text += fmt::format("  {}\n", equal_text(comparison));
    for (const Section& section : sections_of(comparison, compared.with_equal)) {
      if (!section.fields.empty()) text.append("\n").append(text_of(table_of(compared, section), 2));
    }
    text += '\n';
  }
  for (const RuleResult& result : compared.results) text += rule_line(compared, result) + "\n";
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::string compared_markdown(const Compared& compared) {
  std::string text;
  for (const Comparison& comparison : compared.comparisons) {
    text += fmt::format("## {}\n\n", escape_markdown(title_of(comparison)));
    for (std::size_t i = 0; i < compared.files.size(); ++i) {
      const NamedReport* report = comparison.reports[i];
      if (report == nullptr) continue;
      text += fmt::format("- {}: `{}`, {}, {}\n", letter_of(i), compared.files[i].path,
                          escape_markdown(one_line(report->scenario)), verdict_of(*report));
    }
    for (const std::string& note : comparison.notes)
      text += fmt::format("- note: {}\n", escape_markdown(one_line(note)));
    if (comparison.is_equal()) text += fmt::format("\n{}\n", equal_text(comparison));
    for (const Section& section : sections_of(comparison, compared.with_equal)) {
      if (!section.fields.empty()) text.append("\n").append(markdown_of(table_of(compared, section)));
    }
    text += '\n';
  }
  for (const RuleResult& result : compared.results)
    text += fmt::format("- {}\n", escape_markdown(rule_line(compared, result)));
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::string compared_json(const Compared& compared) {
  Json files = Json::array();
  for (const ReportFile& file : compared.files) files.push_back(file.path);
  Json comparisons = Json::array();
  for (const Comparison& comparison : compared.comparisons) {
    Json differences = Json::array();
    for (const Field& field : comparison.fields) {
      if (field.is_equal && !compared.with_equal) continue;
      Json values = Json::array();
      Json changes = Json::array();
      Json percents = Json::array();
      for (std::size_t i = 0; i < compared.files.size(); ++i) {
        const Json* value = field.values[i];
        values.push_back(value == nullptr ? Json(nullptr) : field.is_long ? Json(value->size()) : *value);
        if (i == 0) continue;
        const auto change = change_of(field, i);
        const auto percent = percent_change_of(field, i);
        changes.push_back(change ? Json(*change) : Json(nullptr));
        percents.push_back(percent ? Json(*percent) : Json(nullptr));
      }
      differences.push_back({{"path", field.path},
                             {"equal", field.is_equal},
                             {"values", values},
                             {"change", changes},
                             {"change_percent", percents}});
    }
    comparisons.push_back({{"scenario", comparison.scenario},
                           {"equal", comparison.is_equal()},
                           {"fields_compared", comparison.fields.size()},
                           {"notes", comparison.notes},
                           {"fields", differences}});
  }
  Json rules = Json::array();
  for (const RuleResult& result : compared.results) {
    rules.push_back({{"rule", result.rule->text},
                     {"scenario", result.scenario},
                     {"file", compared.files[result.file].path},
                     {"seen", result.seen},
                     {"struck", result.struck}});
  }
  const Json json = {{"schema", "brownout-compare"}, {"schema_version", kCompareSchemaVersion},
                     {"version", BROWNOUT_VERSION},  {"files", files},
                     {"comparisons", comparisons},   {"rules", rules},
                     {"struck", compared.struck()}};
  // A name that is not UTF-8 can be a file's.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string compared_html(const Compared& compared) {
  std::string text = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>brownout: "
      "comparison</title>\n{}</head>\n<body>\n<h1>Comparison</h1>\n",
      kStyle);
  for (const RuleResult& result : compared.results) {
    text += fmt::format("<p{}>{}</p>\n", result.struck ? " class=\"struck\"" : "",
                        escape_html(rule_line(compared, result)));
  }
  for (const Comparison& comparison : compared.comparisons) {
    text += fmt::format("<h2>{}</h2>\n<ul>\n", escape_html(title_of(comparison)));
    for (std::size_t i = 0; i < compared.files.size(); ++i) {
      const NamedReport* report = comparison.reports[i];
      if (report == nullptr) continue;
      text += fmt::format("<li>{}: {}, {}, {}</li>\n", letter_of(i), escape_html(compared.files[i].path),
                          escape_html(one_line(report->scenario)), escape_html(verdict_of(*report)));
    }
    text += "</ul>\n";
    for (const std::string& note : comparison.notes)
      text += fmt::format("<p>Note: {}</p>\n", escape_html(note));
    if (comparison.is_equal()) text += fmt::format("<p>{}</p>\n", equal_text(comparison));
    for (const Section& section : sections_of(comparison, compared.with_equal)) {
      if (section.fields.empty()) continue;
      text += fmt::format("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n{}</div>\n",
                          section.title, html_of(table_of(compared, section)));
    }
  }
  return text + "</body>\n</html>\n";
}

}  // namespace brownout::sim
