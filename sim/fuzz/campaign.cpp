#include "sim/fuzz/campaign.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "sim/fuzz/shrink.hpp"

namespace brownout::sim::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

// Runs that a thread takes at a time.
constexpr std::uint64_t kTurn = 64;
// One run in so many is looked at closely, and held against one without outages.
constexpr std::uint64_t kThoroughEvery = 32;
// Findings that are shrunk; beyond them something is wrong with everything.
constexpr std::size_t kShrunk = 16;
constexpr auto kShownEvery = std::chrono::milliseconds(250);
constexpr auto kSavedEvery = std::chrono::seconds(1);

struct Turn {
  std::uint64_t runs = 0;
  Tally tally;
  std::vector<Finding> findings;
};

class Crew {
 public:
  Crew(const CampaignOptions& options, Campaign& campaign)
      : options_(options),
        campaign_(campaign),
        next_(campaign.done),
        end_(options.runs ? runs_of_shard(*options.runs, campaign.shard, campaign.shards)
                          : ~std::uint64_t{0}) {}

  void run() {
    begin_ = Clock::now();
    std::vector<std::thread> threads;
    for (std::uint64_t job = 0; job < options_.jobs; ++job) threads.emplace_back([this] { work(); });
    watch();
    for (std::thread& thread : threads) thread.join();
    join_turns();
    campaign_.complete = !interrupted();
  }

 private:
  [[nodiscard]] bool interrupted() const {
    return options_.interrupted != nullptr && *options_.interrupted != 0;
  }
  [[nodiscard]] bool is_over() const {
    if (interrupted() || stopped_) return true;
    return options_.seconds &&
           std::chrono::duration<double>(Clock::now() - begin_).count() >= *options_.seconds;
  }

  void work() {
    Workbench bench(options_.setting.scenario, options_.make_firmware);
    for (;;) {
      std::uint64_t first = 0;
      {
        // Turns are taken in order, and none once it is over: what was taken has no gap.
        const std::lock_guard lock(mutex_);
        if (next_ >= end_ || is_over()) break;
        first = next_;
        next_ += kTurn;
      }
      Turn turn;
      turn.runs = std::min(kTurn, end_ - first);
      for (std::uint64_t run = first; run < first + turn.runs; ++run)
        run_one(bench, campaign_.index_of(run), turn);
      const std::lock_guard lock(mutex_);
      turns_.emplace(first, std::move(turn));
    }
    const std::lock_guard lock(mutex_);
    ++ended_;
    all_ended_.notify_all();
  }

  void run_one(Workbench& bench, std::uint64_t index, Turn& turn) {
    const FuzzCase a_case = draw_case(options_.setting, campaign_.seed, index);
    RunOptions run;
    run.thorough = index % kThoroughEvery == 0;
    Outcome outcome = bench.run(a_case, run);
    turn.tally.add(a_case, outcome);
    runs_.fetch_add(1, std::memory_order_relaxed);
    outages_.fetch_add(outcome.board.suffered, std::memory_order_relaxed);
    if (!outcome.failure) return;
    failed_.fetch_add(1, std::memory_order_relaxed);
    if (options_.stops_at_failure) stopped_ = true;
    explore::Failure failure = std::move(*outcome.failure);
    if (!run.thorough) {
      run.thorough = true;
      Outcome closer = bench.run(a_case, run);
      if (closer.failure) failure = std::move(*closer.failure);
    }
    Finding finding;
    finding.cause = cause_of(failure);
    finding.index = index;
    finding.runs = 1;
    finding.check = failure.check;
    finding.what = failure.what;
    const auto same = [&](const Finding& other) { return other.cause == finding.cause; };
    const auto known = std::find_if(turn.findings.begin(), turn.findings.end(), same);
    if (known != turn.findings.end()) {
      ++known->runs;
      return;
    }
    finding.found = to_string(a_case);
    turn.findings.push_back(std::move(finding));
  }

  // Until all threads have ended.
  void watch() {
    auto saved = begin_;
    for (;;) {
      bool ended = false;
      {
        std::unique_lock lock(mutex_);
        ended = all_ended_.wait_for(lock, kShownEvery, [this] { return ended_ == options_.jobs; });
      }
      join_turns();
      if (options_.shows)
        options_.shows(
            {runs_, outages_, failed_, campaign_.tally.cells_reached(), campaign_.findings.size()});
      if (ended) return;
      if (!options_.saves || Clock::now() - saved < kSavedEvery) continue;
      saved = Clock::now();
      options_.saves(campaign_);
    }
  }

  // Turns that follow what is done.
  void join_turns() {
    for (;;) {
      Turn turn;
      {
        const std::lock_guard lock(mutex_);
        const auto next = turns_.find(campaign_.done);
        if (next == turns_.end()) return;
        turn = std::move(next->second);
        turns_.erase(next);
      }
      campaign_.done += turn.runs;
      campaign_.tally.add(turn.tally);
      for (const Finding& finding : turn.findings) {
        const std::size_t before = campaign_.findings.size();
        campaign_.add(finding);
        if (options_.found && campaign_.findings.size() > before) options_.found(finding);
      }
    }
  }

  const CampaignOptions& options_;
  Campaign& campaign_;
  Clock::time_point begin_;
  std::uint64_t next_;
  std::uint64_t end_;
  std::atomic<bool> stopped_ = false;
  std::atomic<std::uint64_t> runs_ = 0;
  std::atomic<std::uint64_t> outages_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::uint64_t ended_ = 0;
  std::map<std::uint64_t, Turn> turns_;  // by their first run
};

}  // namespace

void Campaign::add(const Finding& finding) {
  const auto same = [&](const Finding& other) { return other.cause == finding.cause; };
  const auto known = std::find_if(findings.begin(), findings.end(), same);
  if (known == findings.end()) {
    findings.push_back(finding);
  } else {
    const std::uint64_t runs = known->runs + finding.runs;
    if (finding.index < known->index) *known = finding;
    known->runs = runs;
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.index < b.index; });
}

std::uint64_t runs_of_shard(std::uint64_t runs, std::uint64_t shard, std::uint64_t shards) {
  return runs > shard ? (runs - shard - 1) / shards + 1 : 0;
}

void run_campaign(const CampaignOptions& options, Campaign& campaign) { Crew(options, campaign).run(); }

void shrink_findings(const CampaignOptions& options, Campaign& campaign) {
  Workbench bench(options.setting.scenario, options.make_firmware);
  for (std::size_t i = 0; i < campaign.findings.size() && i < kShrunk; ++i) {
    Finding& finding = campaign.findings[i];
    if (!finding.smallest.empty()) continue;
    const auto shrunk = shrink(bench, parse_fuzz_case(finding.found));
    if (!shrunk) continue;
    finding.smallest = to_string(shrunk->smallest);
    finding.what = shrunk->failure.what;
    finding.shrink_runs = shrunk->tried;
  }
}

}  // namespace brownout::sim::fuzz
