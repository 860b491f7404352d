// Reports read back from files.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace brownout::sim {

// A report of `brownout run`, of any schema version.
struct NamedReport {
  std::string scenario;
  int schema_version = 0;
  nlohmann::ordered_json json;
};

struct ReportFile {
  std::string path;
  std::vector<NamedReport> reports;  // one, or those of an array, with distinct names
};

// Throws InputError with the place for a file that cannot be read, is no JSON or cut short, is deeper than 64
// levels, or holds something else than a report of `brownout run` or an array of them. O(size).
ReportFile read_report_file(const std::string& path);

}  // namespace brownout::sim
