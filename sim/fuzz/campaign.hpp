// Many runs of the fuzzer, in several threads, of one shard of several.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/fuzz/draw.hpp"
#include "sim/fuzz/tally.hpp"
#include "sim/fuzz/workbench.hpp"

namespace brownout::sim::fuzz {

// Failures of one cause, by the first run that had it.
struct Finding {
  std::string cause;
  std::uint64_t index = 0;  // of that run
  std::uint64_t runs = 0;   // that had it
  std::string check;
  std::string what;
  std::string found;              // that run's case, as a string
  std::string smallest;           // empty: not shrunk
  std::uint64_t shrink_runs = 0;  // that took
  friend bool operator==(const Finding&, const Finding&) = default;
};

// How far a campaign came. Its first `done` runs are in here, and no other.
struct Campaign {
  std::uint64_t seed = 1;
  std::uint64_t shard = 0;  // takes the indices that are `shard` modulo `shards`
  std::uint64_t shards = 1;
  std::uint64_t done = 0;
  Tally tally;
  std::vector<Finding> findings;  // by their index
  bool complete = true;           // false: interrupted
  friend bool operator==(const Campaign&, const Campaign&) = default;

  [[nodiscard]] std::uint64_t index_of(std::uint64_t run) const { return shard + run * shards; }
  void add(const Finding& finding);
};

// Read by whoever shows it; only ever grows.
struct Progress {
  std::uint64_t runs = 0;
  std::uint64_t outages = 0;
  std::uint64_t failed = 0;
  std::uint64_t cells = 0;   // see Tally::cells_reached()
  std::uint64_t causes = 0;  // of failures
};

struct CampaignOptions {
  Setting setting;
  MakeFirmware make_firmware = nullptr;
  std::optional<std::uint64_t> runs;  // of all shards together
  std::optional<double> seconds;      // of wall time, or neither: until interrupted
  std::uint64_t jobs = 1;
  bool stops_at_failure = false;
  const volatile std::sig_atomic_t* interrupted = nullptr;
  // Called from the calling thread: a few times a second; with each new finding; and once a second with what
  // is done.
  std::function<void(const Progress&)> shows;
  std::function<void(const Finding&)> found;
  std::function<void(const Campaign&)> saves;
};

// How many runs fall to a shard if there are so many in all.
std::uint64_t runs_of_shard(std::uint64_t runs, std::uint64_t shard, std::uint64_t shards);

// Goes on with a campaign, a new one to begin with. Which runs there are and what they find depends on seed,
// shard and number of runs alone, for any number of jobs.
void run_campaign(const CampaignOptions& options, Campaign& campaign);

// Shrinks what was found and is not yet shrunk.
void shrink_findings(const CampaignOptions& options, Campaign& campaign);

}  // namespace brownout::sim::fuzz
