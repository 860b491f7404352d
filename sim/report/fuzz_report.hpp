// What a campaign of the fuzzer found, as JSON and as text, and back for a campaign that goes on and for
// shards that are joined.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/fuzz/campaign.hpp"

namespace brownout::sim {

// A case of the corpus that fails.
struct CorpusFailure {
  std::string file;
  std::string cause;
  std::string what;
  friend bool operator==(const CorpusFailure&, const CorpusFailure&) = default;
};

struct FuzzReport {
  std::string scenario;  // file; empty: none
  std::vector<std::string> sets;
  bool accesses = false;              // outages can fall between accesses
  std::optional<std::uint64_t> runs;  // that were asked for, of all shards together
  fuzz::Campaign campaign;
  std::vector<CorpusFailure> corpus;
  [[nodiscard]] bool pass() const { return campaign.findings.empty() && corpus.empty(); }
  friend bool operator==(const FuzzReport&, const FuzzReport&) = default;
};

// A function of the report alone: the same bytes for any number of jobs.
std::string fuzz_json(const FuzzReport& report);
std::string fuzz_text(const FuzzReport& report);

// The same back from JSON; `file` is for messages. Throws InputError.
FuzzReport parse_fuzz_report(const std::string& text, const std::string& file);

// All shards of one campaign, each with the file that it was read from, as if one had done it all. Throws
// InputError if they do not belong together, or if one is missing or there twice.
FuzzReport merge_fuzz_reports(const std::vector<std::pair<std::string, FuzzReport>>& shards);

}  // namespace brownout::sim
