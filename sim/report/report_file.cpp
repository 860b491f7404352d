#include "sim/report/report_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "sim/report/report.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostLevels = 64;
constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30;

std::string read_text_of(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw InputError({path, 0, 0}, "is a directory, not a report");
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw InputError({path, 0, 0}, "cannot be read; there has to be a report of `brownout run --report`");
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > kMostBytes) throw InputError({path, 0, 0}, "is larger than 1 GiB: no report is");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.empty()) throw InputError({path, 0, 0}, "is empty");
  return text;
}

// Of the byte at `offset`.
Location place_of(const std::string& path, const std::string& text, std::size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  const auto line_begin = std::find(std::make_reverse_iterator(end), text.rend(), '\n').base();
  return {path, static_cast<int>(std::count(text.begin(), end, '\n')) + 1,
          static_cast<int>(end - line_begin) + 1};
}

// The library's own words without its number and place, which are given in ours.
std::string reason_of(const nlohmann::json::exception& error) {
  const std::string what = error.what();
  const std::size_t colon = what.find(": ");
  return colon == std::string::npos ? what : what.substr(colon + 2);
}

Json parse(const std::string& path, const std::string& text) {
  bool too_deep = false;
  const auto watch = [&too_deep](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMostLevels;
    return !too_deep;
  };
  Json json;
  try {
    json = Json::parse(text, watch);
  } catch (const nlohmann::json::parse_error& error) {
    const std::size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    if (offset >= text.size()) {
      throw InputError(place_of(path, text, text.size()), "is cut short: JSON that is not complete");
    }
    throw InputError(place_of(path, text, offset), fmt::format("is no JSON: {}", reason_of(error)));
  } catch (const nlohmann::json::exception& error) {
    throw InputError({path, 0, 0}, fmt::format("is no JSON: {}", reason_of(error)));
  }
  if (too_deep)
    throw InputError({path, 0, 0}, fmt::format("is deeper than {} levels: no report is", kMostLevels));
  return json;
}

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// What the reports of other commands are, so that the complaint can name them.
std::string other_kind(const Json& json) {
  const std::string schema = text_at(json, "schema");
  if (schema == "brownout-explore") return "is a report of `brownout explore`";
  if (schema == "brownout-sweep") return "is a table of `brownout sweep`";
  if (schema == "brownout-compare") return "is a comparison, of `brownout compare`";
  if (schema.empty() && json.contains("smallest_f") && json.contains("persist_bound")) {
    return "is a report of `brownout size`";
  }
  return "is JSON, but no report of this program";
}

NamedReport named_report(const std::string& path, const std::string& where, Json json) {
  const auto refuse = [&](const std::string& what) {
    throw InputError({path, 0, 0},
                     fmt::format("{}{}; there has to be one of `brownout run --report`", where, what));
  };
  if (!json.is_object()) refuse("is JSON, but no report of this program");
  const auto version = json.find("schema_version");
  const std::string schema = text_at(json, "schema");
  // Version 1 did not name its schema.
  const bool is_first = schema.empty() && json.contains("stop_reason") && json.contains("persist");
  if (schema != kReportSchema && !is_first) refuse(other_kind(json));
  if (version == json.end() || !version->is_number_integer() || *version < 1 || *version > 1'000'000) {
    refuse("has no `schema_version`, a whole number from 1 on");
  }
  const auto scenario = json.find("scenario");
  if (scenario == json.end() || !scenario->is_string()) refuse("has no `scenario`, the name of one");
  NamedReport report;
  report.scenario = scenario->get<std::string>();
  report.schema_version = version->get<int>();
  report.json = std::move(json);
  return report;
}

}  // namespace

ReportFile read_report_file(const std::string& path) {
  ReportFile file{path, {}};
  Json json = parse(path, read_text_of(path));
  if (!json.is_array()) {
    file.reports.push_back(named_report(path, "", std::move(json)));
    return file;
  }
  if (json.empty()) throw InputError({path, 0, 0}, "is an array without a report");
  std::set<std::string> names;
  for (std::size_t i = 0; i < json.size(); ++i) {
    file.reports.push_back(named_report(path, fmt::format("item {} ", i), std::move(json[i])));
    if (!names.insert(file.reports.back().scenario).second) {
      throw InputError({path, 0, 0}, fmt::format("has two reports of scenario \"{}\": which one is meant?",
                                                 file.reports.back().scenario));
    }
  }
  return file;
}

}  // namespace brownout::sim
