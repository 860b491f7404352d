#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "sim/cli/commands.hpp"
#include "sim/cli/interrupt.hpp"
#include "sim/cli/options.hpp"
#include "sim/fuzz/campaign.hpp"
#include "sim/fuzz/corpus.hpp"
#include "sim/fuzz/shrink.hpp"
#include "sim/hooks/access_hooks.hpp"
#include "sim/report/fuzz_report.hpp"
#include "sim/report/write_file.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim::cli {
namespace {

using namespace fuzz;

constexpr const char* kUsage =
    R"(usage: brownout fuzz [SCENARIO.yaml] [--time 60s | --runs N] [--seed N] [--jobs N] [--shard I/N]
                     [--corpus FOLDER [--resume]] [--report FILE.json] [--stats FILE.json] [--set PATH=VALUE]...
       brownout fuzz --minimize CASE

Each run draws a board, operations on the heap and outages from the seed and its index alone, and checks what explore
checks. With a scenario, its workload runs, and what it fixes stays fixed. The exit code is 0 if nothing failed, 1 if
something did.

)";
constexpr const char* kMergeUsage =
    R"(usage: brownout merge REPORT.json... [--report FILE.json]

Joins the reports of all shards of one campaign. The exit code is 0 if nothing failed, 1 if something did, 2 if a shard
is missing or there twice.

)";

constexpr std::uint64_t kMostJobs = 256;
constexpr std::uint64_t kMostShards = 1'000'000;

po::options_description options_of_fuzz() {
  po::options_description options("options");
  options.add_options()  //
      ("time", po::value<std::string>(),
       "how long, such as 60s, 10m or 8h; 60s if neither this nor --runs is given")                     //
      ("runs", po::value<std::string>(), "how many runs, those of all shards together")                 //
      ("seed", po::value<std::string>(), "seed of everything random; 1 if it is not given")             //
      ("jobs", po::value<std::string>(), "threads; with --runs the report is the same for any number")  //
      ("shard", po::value<std::string>(), "I/N: the runs that are I modulo N; I counts from 0")         //
      ("corpus", po::value<std::string>(),
       "a folder of cases that are replayed first, and that findings go to")                         //
      ("resume", "go on where a campaign with the same corpus, seed and shard was stopped")          //
      ("minimize", po::value<std::string>(), "make this case, or that of a file, smaller")           //
      ("set", po::value<std::vector<std::string>>()->composing(), "override a key of the scenario")  //
      ("report", po::value<std::string>(), "write the report as JSON to this file")                  //
      ("stats", po::value<std::string>(), "write the speed as JSON to this file")                    //
      ("quiet", "print nothing but errors")                                                          //
      ("help", "this text")                                                                          //
      ("scenario", po::value<std::string>(), "the scenario file");
  return options;
}

std::optional<std::string> text_of(const po::variables_map& values, const char* flag) {
  if (values.count(flag) == 0) return std::nullopt;
  return values[flag].as<std::string>();
}

std::optional<std::uint64_t> number_of(const po::variables_map& values, const char* flag, std::uint64_t least,
                                       std::uint64_t most) {
  const auto text = text_of(values, flag);
  if (!text) return std::nullopt;
  const std::uint64_t number = parse_number_flag(fmt::format("--{}", flag), *text);
  if (number < least || number > most) {
    throw InputError({fmt::format("--{} {}", flag, *text), 0, 0},
                     fmt::format("needs a number from {} to {}", least, most));
  }
  return number;
}

double seconds_of(const std::string& text) {
  const Location where{"--time " + text, 0, 0};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const double factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3'600 : 0;
  constexpr double kLongest = 1e8;
  if (error != std::errc() || factor == 0 || !(value > 0) || value * factor > kLongest)
    throw InputError(where, "needs a time such as 60s, 10m or 8h");
  return value * factor;
}

struct Shard {
  std::uint64_t index = 0;
  std::uint64_t of = 1;
};
Shard shard_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  const Location where{"--shard " + text, 0, 0};
  if (slash == std::string::npos) throw InputError(where, "needs I/N, such as 0/4");
  Shard shard;
  const char* middle = text.data() + slash;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), middle, shard.index);
  const auto second = std::from_chars(middle + 1, end, shard.of);
  const bool numbers =
      first.ec == std::errc() && first.ptr == middle && second.ec == std::errc() && second.ptr == end;
  if (!numbers) throw InputError(where, "needs I/N, such as 0/4");
  if (shard.of == 0 || shard.of > kMostShards || shard.index >= shard.of)
    throw InputError(
        where, fmt::format("I counts from 0 and has to be below N, and N is from 1 to {}", kMostShards));
  return shard;
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw InputError({path, 0, 0}, "cannot be read");
  return text.str();
}

std::string state_path(const std::string& corpus, const Campaign& campaign) {
  return (std::filesystem::path(corpus) / fmt::format("state-{}-of-{}.json", campaign.shard, campaign.shards))
      .string();
}

// What a campaign that was stopped had done.
void resume(const std::string& corpus, FuzzReport& report) {
  const std::string path = state_path(corpus, report.campaign);
  FuzzReport saved = parse_fuzz_report(read_whole(path), path);
  const bool same = saved.scenario == report.scenario && saved.sets == report.sets &&
                    saved.accesses == report.accesses && saved.campaign.seed == report.campaign.seed;
  if (!same) {
    throw InputError({path, 0, 0},
                     "is of another campaign: scenario, --set, --seed and instrumentation have to be the "
                     "same");
  }
  report.campaign = std::move(saved.campaign);
  report.corpus = std::move(saved.corpus);
}

void replay_corpus(const std::string& folder, FuzzReport& report) {
  for (const CorpusCase& known : read_corpus(folder)) {
    if (!known.a_case.build_id.empty() && firmware_build_id().empty()) continue;  // there are no accesses
    std::optional<Scenario> scenario;
    if (!known.a_case.file.empty())
      scenario = scenario_named(known.a_case.file, known.a_case.sets, std::nullopt);
    Workbench bench(scenario ? &*scenario : nullptr);
    RunOptions thorough;
    thorough.thorough = true;
    const Outcome outcome = bench.run(known.a_case, thorough);
    if (outcome.failure)
      report.corpus.push_back({known.file, cause_of(*outcome.failure), outcome.failure->what});
  }
}

// On a terminal only.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet) : shown_(!quiet && isatty(STDERR_FILENO) != 0) {}
  void show(const Progress& progress, const CampaignOptions& options, std::uint64_t runs) {
    if (!shown_) return;
    const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const double speed = passed > 0 ? static_cast<double>(progress.runs) / passed : 0;
    double left = options.seconds ? *options.seconds - passed : 0;
    if (options.runs && speed > 0) left = static_cast<double>(runs - std::min(runs, progress.runs)) / speed;
    const double outages =
        progress.runs == 0 ? 0 : static_cast<double>(progress.outages) / static_cast<double>(progress.runs);
    const std::string line = fmt::format(
        "\r{} runs, {:.0f} a second, {:.1f} outages each, {} kinds of them, {} failed ({} causes), "
        "{:.0f} s left   ",
        progress.runs, speed, outages, progress.cells, progress.failed, progress.causes, std::max(0.0, left));
    std::fputs(line.c_str(), stderr);
  }
  void end() const {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }

 private:
  bool shown_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

int minimize(const std::string& text) {
  const FuzzCase a_case = parse_fuzz_case(text);
  std::optional<Scenario> scenario;
  if (!a_case.file.empty()) scenario = scenario_named(a_case.file, a_case.sets, std::nullopt);
  Workbench bench(scenario ? &*scenario : nullptr);
  const auto shrunk = fuzz::shrink(bench, a_case, 100'000);
  if (!shrunk) {
    print("it does not fail\n");
    return kExitDone;
  }
  print(fmt::format("{}: {}\n{} operations, {} outages after {} runs\nreplay '{}'\n", shrunk->failure.check,
                    shrunk->failure.what, shrunk->smallest.operations.size(), shrunk->smallest.outages.size(),
                    shrunk->tried, to_string(shrunk->smallest)));
  return kExitFailed;
}

}  // namespace

int fuzz_command(const Arguments& arguments) {
  const po::options_description described = options_of_fuzz();
  po::positional_options_description positional;
  positional.add("scenario", 1);
  const po::variables_map values = parse_options(arguments, described, positional);
  if (values.count("help") > 0) {
    std::ostringstream text;
    text << kUsage << described;
    print(text.str());
    return kExitDone;
  }
  if (const auto text = text_of(values, "minimize")) return minimize(case_of(*text));
  const std::string report_path = output_path_of(values, "report");
  const std::string stats_path = output_path_of(values, "stats");
  const bool quiet = values.count("quiet") > 0;

  FuzzReport report;
  CampaignOptions options;
  report.runs = options.runs = number_of(values, "runs", 1, ~std::uint64_t{0});
  if (const auto time = text_of(values, "time")) {
    if (options.runs)
      throw InputError({"--time " + *time, 0, 0}, "stands against --runs: give one of the two");
    options.seconds = seconds_of(*time);
  } else if (!options.runs) {
    options.seconds = 60;
  }
  report.campaign.seed = number_of(values, "seed", 0, ~std::uint64_t{0}).value_or(1);
  options.jobs = number_of(values, "jobs", 1, kMostJobs).value_or(1);
  if (const auto shard = text_of(values, "shard")) {
    const Shard parsed = shard_of(*shard);
    report.campaign.shard = parsed.index;
    report.campaign.shards = parsed.of;
  }
  const std::string corpus = text_of(values, "corpus").value_or("");
  const bool resumes = values.count("resume") > 0;
  if (resumes && corpus.empty())
    throw InputError({"--resume", 0, 0}, "needs --corpus, where the campaign left its state");

  std::optional<Scenario> scenario;
  report.sets = sets_of(values);
  if (const auto file = text_of(values, "scenario")) {
    scenario = scenario_of(values, std::nullopt);
    options.setting.scenario = &*scenario;
    options.setting.file = report.scenario = *file;
    options.setting.sets = report.sets;
  } else if (!report.sets.empty()) {
    throw InputError({"--set " + report.sets.front(), 0, 0},
                     "overrides a key of a scenario, and none is given");
  }
  options.setting.build_id = firmware_build_id();
  options.setting.accesses = report.accesses = firmware_is_instrumented();
  options.interrupted = watch_interrupts();

  if (resumes) {
    resume(corpus, report);
  } else if (!corpus.empty()) {
    replay_corpus(corpus, report);
  }
  Campaign& campaign = report.campaign;
  const std::uint64_t before = campaign.done;
  const auto save = [&] {
    if (!corpus.empty()) write_file(state_path(corpus, campaign), fuzz_json(report));
  };
  ProgressLine line(quiet);
  const std::uint64_t all = options.runs ? runs_of_shard(*options.runs, campaign.shard, campaign.shards) : 0;
  options.shows = [&](const Progress& progress) {
    line.show(progress, options, all - std::min(all, before));
  };
  options.saves = [&](const Campaign&) { save(); };
  options.found = [&](const Finding& finding) {
    if (!corpus.empty()) save_finding(corpus, finding);
  };
  const auto begin = std::chrono::steady_clock::now();  // of no result
  const double begin_cpu_s = cpu_s();
  run_campaign(options, campaign);
  const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double used_s = cpu_s() - begin_cpu_s;
  line.end();
  save();
  if (campaign.complete) {
    shrink_findings(options, campaign);
    for (const Finding& finding : campaign.findings) {
      if (!corpus.empty() && !finding.smallest.empty()) save_finding(corpus, finding);
    }
    save();
  }
  if (!report_path.empty()) write_file(report_path, fuzz_json(report));
  const std::uint64_t runs = campaign.done - before;
  if (!stats_path.empty()) {
    const nlohmann::ordered_json speed = {{"wall_s", wall_s}, {"cpu_s", used_s}, {"runs", runs}};
    write_file(stats_path, speed.dump(2) + "\n");
  }
  if (!quiet) {
    print(fuzz_text(report));
    print(fmt::format("  speed      {:.0f} runs a CPU second, {:.1f} s\n",
                      used_s > 0 ? static_cast<double>(runs) / used_s : 0.0, wall_s));
  }
  if (!report.pass()) return kExitFailed;
  return campaign.complete ? kExitDone : kExitInterrupted;
}

int merge_command(const Arguments& arguments) {
  po::options_description described("options");
  described.add_options()                                                                   //
      ("report", po::value<std::string>(), "write what they come to as JSON to this file")  //
      ("quiet", "print nothing but errors")                                                 //
      ("help", "this text")                                                                 //
      ("reports", po::value<std::vector<std::string>>(), "reports of all shards");
  po::positional_options_description positional;
  positional.add("reports", -1);
  const po::variables_map values = parse_options(arguments, described, positional);
  if (values.count("help") > 0) {
    std::ostringstream text;
    text << kMergeUsage << described;
    print(text.str());
    return kExitDone;
  }
  if (values.count("reports") == 0)
    throw InputError({"brownout merge", 0, 0},
                     "needs the reports of all shards, as `brownout fuzz --report` wrote them");
  const std::string report_path = output_path_of(values, "report");
  std::vector<std::pair<std::string, FuzzReport>> shards;
  for (const std::string& file : values["reports"].as<std::vector<std::string>>())
    shards.emplace_back(file, parse_fuzz_report(read_whole(file), file));
  const FuzzReport merged = merge_fuzz_reports(shards);
  if (!report_path.empty()) write_file(report_path, fuzz_json(merged));
  if (values.count("quiet") == 0) print(fuzz_text(merged));
  if (!merged.pass()) return kExitFailed;
  return merged.campaign.complete ? kExitDone : kExitInterrupted;
}

}  // namespace brownout::sim::cli
