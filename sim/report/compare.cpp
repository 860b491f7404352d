#include "sim/report/compare.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "sim/report/report.hpp"
#include "sim/scenario/input_error.hpp"
#include "sim/scenario/nearest.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;

// Hundreds of numbers that nobody reads one by one.
bool is_long(std::string_view path) {
  return path == "cycles.records" || path == "voltage.lowest_v" || path == "voltage.highest_v" ||
         (path.starts_with("distribution.") && path.ends_with(".histogram"));
}

// Paths to the leaves, in order. Reports are at most kMostLevels deep.
void flatten(const std::string& path, const Json& json,
             std::vector<std::pair<std::string, const Json*>>& into) {
  const bool has_parts = json.is_structured() && !json.empty() && !is_long(path);
  if (!has_parts) {
    into.emplace_back(path, &json);
    return;
  }
  const std::string prefix = path.empty() ? "" : path + ".";
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) flatten(prefix + key, value, into);
  } else {
    for (std::size_t i = 0; i < json.size(); ++i) flatten(prefix + std::to_string(i), json[i], into);
  }
}

// A path that only later files have comes after the one that it follows there.
std::vector<Field> fields_of(const std::vector<const NamedReport*>& reports) {
  std::vector<Field> fields;
  std::map<std::string, std::size_t> places;
  for (std::size_t file = 0; file < reports.size(); ++file) {
    if (reports[file] == nullptr) continue;
    std::vector<std::pair<std::string, const Json*>> leaves;
    flatten("", reports[file]->json, leaves);
    for (const auto& [path, value] : leaves) {
      const auto [place, is_new] = places.emplace(path, fields.size());
      if (is_new) {
        fields.push_back({path, std::vector<const Json*>(reports.size()), is_long(path), false});
      }
      fields[place->second].values[file] = value;
    }
  }
  for (Field& field : fields) {
    const Json* first = nullptr;
    bool equal = true;
    for (std::size_t file = 0; file < reports.size(); ++file) {
      if (reports[file] == nullptr) continue;
      const Json* value = field.values[file];
      if (value == nullptr) equal = false;
      if (first == nullptr) first = value;
      if (value != nullptr && first != nullptr && *value != *first) equal = false;
    }
    field.is_equal = equal;
  }
  return fields;
}

std::string names_of_versions(const std::vector<ReportFile>& files,
                              const std::vector<const NamedReport*>& reports) {
  std::string text;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (reports[i] == nullptr) continue;
    text += fmt::format("{}{} has {}", text.empty() ? "" : ", ", files[i].path, reports[i]->schema_version);
  }
  return text;
}

void add_notes(const std::vector<ReportFile>& files, Comparison& comparison) {
  const NamedReport* first = nullptr;
  bool other_version = false;
  bool other_name = false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const NamedReport* report = comparison.reports[i];
    if (report == nullptr) {
      comparison.notes.push_back(fmt::format("{} has no report of this scenario", files[i].path));
      continue;
    }
    if (first == nullptr) first = report;
    other_version = other_version || report->schema_version != first->schema_version;
    other_name = other_name || report->scenario != first->scenario;
    if (report->schema_version > kReportSchemaVersion) {
      comparison.notes.push_back(fmt::format(
          "{} is of a later brownout (schema version {}; this one knows up to {}): what its fields "
          "mean may have changed",
          files[i].path, report->schema_version, kReportSchemaVersion));
    }
  }
  if (other_version) {
    comparison.notes.push_back(
        fmt::format("schema versions differ: {}. Version 2 added schema, hashes, inputs, progress, margin, "
                    "distribution, voltage and cycles; what one file lacks is shown as -",
                    names_of_versions(files, comparison.reports)));
  }
  if (other_name) comparison.notes.emplace_back("the scenarios have different names");
}

std::optional<double> number_at(const Field& field, std::size_t file) {
  const Json* value = field.values[file];
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

Location rule_place(const std::string& text) { return {"--fail-on " + text, 0, 0}; }

const Field& field_of(const Rule& rule, const Comparison& comparison) {
  std::vector<std::string_view> paths;
  for (const Field& field : comparison.fields) {
    if (field.path == rule.path) return field;
    paths.emplace_back(field.path);
  }
  const auto near = nearest(rule.path, paths);
  throw InputError(rule_place(rule.text),
                   fmt::format("no report has `{}`; {}", rule.path,
                               near ? fmt::format("did you mean `{}`?", *near)
                                    : "`brownout compare A.json B.json --all` lists every path"));
}

double number_for(const Rule& rule, const Field& field, const ReportFile& file, std::size_t index) {
  const Json* value = field.values[index];
  if (value == nullptr) {
    throw InputError(rule_place(rule.text), fmt::format("{} has no `{}`", file.path, rule.path));
  }
  if (!value->is_number()) {
    throw InputError(rule_place(rule.text),
                     fmt::format("`{}` is {} in {}; a rule needs a number", rule.path,
                                 value->is_structured() ? value->type_name() : value->dump(), file.path));
  }
  return value->get<double>();
}

double seen_by(const Rule& rule, double first, double value) {
  if (!rule.is_change) return value;
  const double change = value - first;
  if (!rule.is_percent || change == 0) return change;
  return 100 * change / std::fabs(first);  // from 0 to anything: without limit
}

bool strikes(const Rule& rule, double seen) {
  switch (rule.op) {
    case Rule::Op::less: return seen < rule.value;
    case Rule::Op::less_or_equal: return seen <= rule.value;
    case Rule::Op::greater: return seen > rule.value;
    case Rule::Op::greater_or_equal: return seen >= rule.value;
  }
  return false;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

bool Comparison::is_equal() const {
  return std::all_of(fields.begin(), fields.end(), [](const Field& field) { return field.is_equal; }) &&
         std::none_of(reports.begin(), reports.end(), [](const NamedReport* r) { return r == nullptr; });
}

bool Compared::struck() const {
  return std::any_of(results.begin(), results.end(), [](const RuleResult& result) { return result.struck; });
}

Rule parse_rule(const std::string& text) {
  constexpr const char* kForm = "needs PATH OP VALUE[%], as in 'work.energy_per_operation_j > +5%'";
  const std::size_t at = text.find_first_of("<>");
  if (at == std::string::npos) throw InputError(rule_place(text), kForm);
  Rule rule;
  rule.text = text;
  rule.path = std::string(trim(std::string_view(text).substr(0, at)));
  const bool or_equal = at + 1 < text.size() && text[at + 1] == '=';
  rule.op = text[at] == '<' ? (or_equal ? Rule::Op::less_or_equal : Rule::Op::less)
                            : (or_equal ? Rule::Op::greater_or_equal : Rule::Op::greater);
  std::string_view value = trim(std::string_view(text).substr(at + (or_equal ? 2 : 1)));
  if (rule.path.empty() || value.empty()) throw InputError(rule_place(text), kForm);
  rule.is_change = value.front() == '+' || value.front() == '-';
  rule.is_percent = value.back() == '%';
  const bool has_plus = value.front() == '+';
  if (has_plus) value.remove_prefix(1);
  if (rule.is_percent && !value.empty()) value = trim(value.substr(0, value.size() - 1));
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), rule.value);
  const bool has_two_signs = has_plus && value.starts_with('-');
  if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(rule.value) ||
      has_two_signs) {
    throw InputError(rule_place(text), fmt::format("`{}` is no number; {}", value, kForm));
  }
  if (rule.is_percent && !rule.is_change) {
    throw InputError(
        rule_place(text),
        fmt::format("a percentage is a change against the first file and needs a sign: +{}% or -{}%", value,
                    value));
  }
  return rule;
}

std::vector<Comparison> compare(const std::vector<ReportFile>& files) {
  const bool single = std::all_of(files.begin(), files.end(),
                                  [](const ReportFile& file) { return file.reports.size() == 1; });
  std::vector<Comparison> all;
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (const NamedReport& report : files[i].reports) {
      const auto same = std::find_if(all.begin(), all.end(), [&](const Comparison& comparison) {
        return single || comparison.scenario == report.scenario;
      });
      Comparison& comparison = same != all.end() ? *same : all.emplace_back();
      if (comparison.reports.empty()) {
        comparison.scenario = report.scenario;
        comparison.reports.resize(files.size());
      }
      comparison.reports[i] = &report;
    }
  }
  for (Comparison& comparison : all) {
    add_notes(files, comparison);
    comparison.fields = fields_of(comparison.reports);
  }
  return all;
}

std::vector<RuleResult> apply_rules(const std::vector<ReportFile>& files,
                                    const std::vector<Comparison>& comparisons,
                                    const std::vector<Rule>& rules) {
  std::vector<RuleResult> results;
  for (const Comparison& comparison : comparisons) {
    for (const Rule& rule : rules) {
      const Field& field = field_of(rule, comparison);
      for (std::size_t i = 1; i < files.size(); ++i) {
        if (comparison.reports[i] == nullptr) {
          throw InputError(rule_place(rule.text),
                           fmt::format("{} has no report of scenario \"{}\" to apply it to", files[i].path,
                                       comparison.scenario));
        }
        if (rule.is_change && comparison.reports[0] == nullptr) {
          throw InputError(rule_place(rule.text),
                           fmt::format("{} has no report of scenario \"{}\" to compare with", files[0].path,
                                       comparison.scenario));
        }
        const double value = number_for(rule, field, files[i], i);
        const double first = rule.is_change ? number_for(rule, field, files[0], 0) : 0;
        const double seen = seen_by(rule, first, value);
        results.push_back({&rule, comparison.scenario, i, seen, strikes(rule, seen)});
      }
    }
  }
  return results;
}

std::optional<double> change_of(const Field& field, std::size_t file) {
  const auto first = number_at(field, 0);
  const auto value = number_at(field, file);
  if (!first || !value) return std::nullopt;
  return *value - *first;
}

std::optional<double> percent_change_of(const Field& field, std::size_t file) {
  const auto change = change_of(field, file);
  const double first = change ? *number_at(field, 0) : 0;
  if (!change || first == 0) return std::nullopt;
  return 100 * *change / std::fabs(first);
}

}  // namespace brownout::sim
