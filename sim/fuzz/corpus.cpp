#include "sim/fuzz/corpus.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <xxhash.h>

#include "sim/report/write_file.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim::fuzz {

namespace fs = std::filesystem;

std::vector<CorpusCase> read_corpus(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder, error)) throw InputError({"--corpus " + folder, 0, 0}, "is no folder");
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".case") names.push_back(entry.path().filename().string());
  }
  if (error) throw EnvironmentError(fmt::format("cannot read {}: {}", folder, error.message()));
  std::sort(names.begin(), names.end());
  std::vector<CorpusCase> cases;
  for (const std::string& name : names) {
    std::ifstream file(fs::path(folder) / name);
    std::string line;
    if (!std::getline(file, line)) throw EnvironmentError(fmt::format("cannot read {}/{}", folder, name));
    try {
      cases.push_back({name, parse_fuzz_case(line)});
    } catch (const InputError& wrong) {
      throw InputError({(fs::path(folder) / name).string(), 1, 1}, wrong.message());
    }
  }
  return cases;
}

void save_finding(const std::string& folder, const Finding& finding) {
  const std::uint64_t name = XXH64(finding.cause.data(), finding.cause.size(), 0);
  const std::string path = (fs::path(folder) / fmt::format("{}-{:016x}.case", finding.check, name)).string();
  const std::string& text = finding.smallest.empty() ? finding.found : finding.smallest;
  write_file(path, fmt::format("{}\n# {}\n", text, finding.what));
}

}  // namespace brownout::sim::fuzz
