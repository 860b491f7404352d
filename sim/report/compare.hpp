// Reports side by side: what changed, and rules that may not strike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/report/report_file.hpp"

namespace brownout::sim {

// One field of a report by its dotted path, as in `work.energy_per_operation_j` or `losses.0.bytes`. What is
// long (records of cycles, the voltage over time, histograms) is one field as a whole.
struct Field {
  std::string path;
  std::vector<const nlohmann::ordered_json*> values;  // one for each file; null where it is not
  bool is_long = false;
  bool is_equal = false;
};

// One scenario in all files.
struct Comparison {
  std::string scenario;
  std::vector<const NamedReport*> reports;  // one for each file; null where it has none of that name
  std::vector<std::string> notes;
  std::vector<Field> fields;  // in the order of the reports
  // Where two reports or more exist, and all say the same.
  [[nodiscard]] bool is_equal() const;
};

// `PATH OP VALUE[%]`: strikes where it is true. With a sign VALUE is the change against the first file, else
// the value itself.
struct Rule {
  enum class Op : std::uint8_t { less, less_or_equal, greater, greater_or_equal };
  std::string text;
  std::string path;
  Op op = Op::less;
  double value = 0;
  bool is_change = false;
  bool is_percent = false;
};
// Throws InputError.
Rule parse_rule(const std::string& text);

// What a rule says of one file and scenario.
struct RuleResult {
  const Rule* rule = nullptr;
  std::string scenario;
  std::size_t file = 0;
  double seen = 0;  // the value, the change or the change in percent, as the rule has it
  bool struck = false;
};

// The files outlive it. Single reports are compared whatever their names, others where names are equal.
std::vector<Comparison> compare(const std::vector<ReportFile>& files);

// Of each file but the first, against the first. Throws InputError for a path that a report does not have,
// with the nearest one, and for what is no number there.
std::vector<RuleResult> apply_rules(const std::vector<ReportFile>& files,
                                    const std::vector<Comparison>& comparisons,
                                    const std::vector<Rule>& rules);

// value - first, and that in percent of the first's magnitude. Nothing where one is no number; percent also
// where the first is 0.
std::optional<double> change_of(const Field& field, std::size_t file);
std::optional<double> percent_change_of(const Field& field, std::size_t file);

// What `brownout compare` prints.
struct Compared {
  std::vector<ReportFile> files;
  std::vector<Comparison> comparisons;
  std::vector<Rule> rules;
  std::vector<RuleResult> results;
  bool with_equal = false;
  [[nodiscard]] bool struck() const;
};
std::string compared_text(const Compared& compared);
std::string compared_markdown(const Compared& compared);
std::string compared_json(const Compared& compared);
// One page that needs nothing from elsewhere.
std::string compared_html(const Compared& compared);

}  // namespace brownout::sim
