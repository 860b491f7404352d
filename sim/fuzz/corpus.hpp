// A folder of cases: what was found, and what is replayed before anything is drawn.
#pragma once

#include <string>
#include <vector>

#include "sim/fuzz/campaign.hpp"

namespace brownout::sim::fuzz {

struct CorpusCase {
  std::string file;  // its name in the folder
  FuzzCase a_case;
};

// All *.case files, by their names. Makes the folder if it is not there. Throws InputError for one that is no
// case, EnvironmentError if something cannot be read.
std::vector<CorpusCase> read_corpus(const std::string& folder);
// Writes a finding's case, named after its cause: a smaller one takes the place of the first. Throws
// EnvironmentError.
void save_finding(const std::string& folder, const Finding& finding);

}  // namespace brownout::sim::fuzz
